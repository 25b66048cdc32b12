"""The bookshop under other names: ids, orders, topics and channels that occur nowhere else.

Reads  the bookshop's history and the model fitted on it.
Gives  the same history and model with each customer's id, orders and some words made random.
Never  a second fit: ranks of ids stay, so the fitted arrays fit the new names.
"""

from __future__ import annotations

import copy
import string
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np

from anticipate import Anticipator
from anticipate.log import History, InteractionLog

_LETTERS = string.ascii_letters + string.digits


def random_text(random: Random, length: int = 14) -> str:
    return "".join(random.choices(_LETTERS, k=length))


def renamed_history(history: History, *, whole: bool = False, seed: int = 0) -> History:
    """Text ids C042-...; or whole numbers of 60 bits, and fewer columns."""
    random = Random(seed)
    old = history.customer_ids.tolist()
    new: list[Any] = [f"{id_}-{random_text(random)}" for id_ in old]
    if whole:
        new = sorted(random.sample(range(2**59, 2**60), len(old)))
    names = dict(zip(old, new, strict=True))
    frame = history.to_pandas()
    frame["customer_id"] = frame["customer_id"].map(names)
    orders = {id_: f"{id_}-{random_text(random)}" for id_ in frame["order_id"].dropna().unique()}
    frame["order_id"] = frame["order_id"].map(orders)
    frame["event_id"] = [f"event-{number}-{random_text(random)}" for number in range(len(frame))]
    for id_ in new[::7]:  # some have topics and a channel of their own
        own = frame["customer_id"] == id_
        topic, channel = f"topic {random_text(random)}", f"channel {random_text(random)}"
        frame.loc[own & frame["reason"].notna(), "reason"] = topic
        frame.loc[own & (np.arange(len(frame)) % 3 == 0), "channel"] = channel
    if whole:  # columns that a log may lack
        frame = frame.drop(columns=["channel", "gift", "event_id"])
    customers = history.customers.reset_index()
    customers["customer_id"] = customers["customer_id"].map(names)
    own = customers.index % 7 == 0
    customers["level"] = [f"level {random_text(random)}" if one else "gold" for one in own]
    log = InteractionLog.from_frame(
        frame,
        **{name: name for name in frame if name not in ("customer_id", "item_id", "timestamp")},
        items=history.items.reset_index(),
        customers=customers,
        closed_until=history.cutoff,
    )
    return log.as_of(history.cutoff)


def renamed_model(model: Anticipator, history: History, renamed: History) -> Anticipator:
    """The same model, as if it had been fitted on the renamed history."""
    ranks = {id_: rank for rank, id_ in enumerate(history.customer_ids.tolist())}
    other = copy.copy(model)
    other.needs_, other.history_ = copy.copy(model.needs_), renamed
    fitted = model.needs_.fitted_
    sources = {
        name: source
        if not hasattr(source, "references")
        else replace(
            source,
            references=source.references._replace(
                ids=renamed.customer_ids[[ranks[id_] for id_ in source.references.ids.tolist()]]
            ),
        )
        for name, source in fitted.tables.sources.items()
    }
    is_text = renamed.customer_ids.dtype == object
    tables = fitted.tables._replace(sources=sources, text_customers=is_text)
    other.needs_.fitted_ = fitted._replace(tables=tables)
    return other
