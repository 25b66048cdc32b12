"""How to ask any model: the default questions, and answers in one form.

Reads  a fitted model and a history.
Gives  named tables.
Never  a question that the model has no method for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from .. import columns as c
from ..kernels.segments import within
from ..log import History

Answer = dict[str, pd.DataFrame]
Predict = Callable[[Any, History, "Iterable[Any] | None"], Any]
ASKED = ("recommend", "predict", "predict_pairs", "review", "transform")
N_LAST = 3  # lines that a customer of the cart takes again


def default_predict(model: Any) -> Predict:
    """Ask every method of ``ASKED`` that the model has.

    ``recommend``, ``predict`` and ``predict_pairs`` take ``(history, customers=...)``,
    ``review`` a cart and a history, ``transform`` a history.
    """
    methods = [name for name in ASKED if callable(getattr(model, name, None))]
    if not methods:
        raise TypeError(f"the model has none of {ASKED}; say how to ask it: predict=...")

    def predict(model: Any, history: History, customers: Iterable[Any] | None) -> Answer:
        return {name: _ask(model, name, history, customers) for name in methods}

    return predict


def _ask(model: Any, method: str, history: History, customers: Iterable[Any] | None) -> Any:
    ask = getattr(model, method)
    if method == "review":
        return ask(cart_of(history, customers), history)
    if method == "transform":
        return ask(history if customers is None else history.select(customers))
    return ask(history, customers=customers)


def cart_of(history: History, customers: Iterable[Any] | None = None) -> pd.DataFrame:
    """A cart at the cutoff: what each customer bought last, once with more pieces, and the
    first item of the shop.
    """
    lines = pd.concat([_last_lines(history), _first_item(history, customers)], ignore_index=True)
    if customers is not None:
        lines = lines[lines[c.CUSTOMER].isin(list(customers))]
    lines = lines.sort_values(c.CUSTOMER, kind="stable", ignore_index=True)
    return lines.assign(**{c.TIMESTAMP: history.cutoff, c.GIFT: False})


def _last_lines(history: History) -> pd.DataFrame:
    bought = history.purchases
    from_the_end = np.diff(bought.offsets)[bought.customer] - within(bought.offsets)
    last = np.flatnonzero(from_the_end <= N_LAST)
    return pd.DataFrame(
        {
            c.CUSTOMER: history.customer_ids[bought.customer[last]],
            c.ITEM: history.item_ids[bought.item[last]],
            c.QUANTITY: np.asarray(bought.quantity)[last] + 2.0 * (from_the_end[last] == N_LAST),
            c.PRICE: np.asarray(bought.price)[last],
        }
    )


def _first_item(history: History, customers: Iterable[Any] | None) -> pd.DataFrame:
    ids = history.customer_ids if customers is None else np.array(list(customers), dtype=object)
    ids = ids[: len(ids) if history.n_items else 0]
    item = np.repeat(history.item_ids[:1], len(ids))
    table = {c.CUSTOMER: ids, c.ITEM: item, c.QUANTITY: 1.0, c.PRICE: np.nan}
    return pd.DataFrame(table).infer_objects()


def as_tables(answer: Any) -> Answer:
    """Named tables with ids as columns."""
    parts = answer if isinstance(answer, Mapping) else {"the answer": answer}
    return {str(name): _table(part) for name, part in parts.items()}


def _table(part: Any) -> pd.DataFrame:
    table = part if isinstance(part, pd.DataFrame) else pd.DataFrame(part)
    named = [name for name in table.index.names if name is not None]
    return table.reset_index() if named else table.reset_index(drop=True)


def rows_of(answer: Answer, customer: Any) -> Answer:
    """What the tables say of one customer."""
    return {
        name: table[(table[c.CUSTOMER] == customer).to_numpy(dtype=bool)].reset_index(drop=True)
        for name, table in answer.items()
        if c.CUSTOMER in table
    }
