"""The simulator's own odds: P(a line is a mistake | what a shop could know, every parameter).

Reads  a simulated log, its truth of customers and habits; of a line only what lies before it,
       the line itself and its cart.
Gives  two scores a purchase line: ``oracle``, and ``plain`` that does not look at the cart.
Never  the truth of the line, or of a later one.

Derived from ``anticipate/_simulator`` (again, purchases, aftermath), with these names:

- Gifts are bought on purpose; mistakes are never marked as gifts: P = 0.
- A second click stands 15-420 s after a kept line, same item, same pieces; nothing wanted
  repeats an item so soon: P = 1.
- Goods repeat in their owner's rhythm; but for second clicks they are never a mistake: P = 0.
- A reader's list names each work once, so the first line of a work that is no gift is the list's
  (the *origin*), P = 0, and any later one hangs on it, at an age of a days:
      same item   mistake  q = .032, a uniform on 35-420;   replaced  .006, uniform on 30-500
      other one   mistake  q = .042, a uniform on 35-420;   as well   .010 P(liked), on 1-400
  A fifth of the mistakes is prevented (one sees it in the log: no second one follows). No mistake
  hangs on an origin that was sent back; after 35 days all returns have happened.
- Of the mistakes, 60 % move into the customer's next kept order if one follows within 40 days;
  nothing wanted does. Beside a line that is surely wanted, the odds are 1. In a cart of hanging
  lines alone, exactly one was there first: the others joined it. A line alone in its cart weighs
  q (1 - .6 P(an order follows within 40 days)).
- A later line of the same class means that the earlier was the one and this is the other: both
  orders are weighed, with what became of the earlier (mistakes are undone in two of three cases).

Approximate: P(liked) from the favourite genre, ratings and the next volume; P(an order follows)
from Poisson visits and habits; three lines of one class are weighed as two.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from guards_labels import DAY

from anticipate import InteractionLog
from anticipate.columns import EVENT_CODES, EVENTS
from anticipate.kernels.returns import match_returns

Floats = np.ndarray
MISTAKE = {"same": 0.032, "other": 0.042}
MADE, FROM, TO = 0.8, 35.0, 420.0  # of the mistakes, 20 % are prevented; ages in days
WISH = {"same": (0.006, 30.0, 500.0), "other": (0.010, 1.0, 400.0)}
JOINS, JOIN_DAYS, CLICK_SECONDS = 0.6, 40.0, 421.0
UNDONE = {"mistake": 0.65, "wish": 0.06}
LIKED = {True: 0.92, False: 0.72}  # in the favourite genre, elsewhere
KEPT_IF = {True: 0.978, False: 0.778}  # liked, disliked
RATED_THREE = {True: 0.078, False: 0.09}


class Odds(NamedTuple):
    """Weights of a hanging line: a mistake alone in its cart, or joined; a wish."""

    alone: Floats
    joined: Floats
    wish: Floats


def oracle_scores(log: InteractionLog, truth: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """``row`` in ``log.events``, ``oracle`` and ``plain`` of every purchase line."""
    lines = with_clicks(purchase_lines(log))
    hanging = with_origin(lines)
    hanging = hanging.assign(
        liked=p_liked(hanging, log, truth["customers"]),
        near=p_order_follows(hanging, lines, truth),
        prevented=was_prevented(hanging, log),
    )
    odds = weigh(hanging)
    p = np.divide(odds.alone, odds.alone + odds.wish, out=np.zeros(len(hanging)),
                  where=odds.alone > 0)  # fmt: skip
    hanging = hanging.assign(p=beside_others(hanging, lines, odds, p))
    total = odds.alone + odds.joined
    plain = np.divide(total, total + odds.wish, out=np.zeros(len(hanging)), where=total > 0)
    table = lines[["row"]].assign(oracle=lines["click"].astype(float))
    table = table.assign(plain=table["oracle"]).set_index("row")
    table.loc[hanging["row"], "oracle"] = hanging["p"].to_numpy()
    table.loc[hanging["row"], "plain"] = plain
    return table.reset_index()


def purchase_lines(log: InteractionLog) -> pd.DataFrame:
    """Every purchase with its time in days, its ``thing`` (work or box; "" goods), its return."""
    events, words = log.events, log.vocabulary
    rows = np.flatnonzero(events.event == EVENT_CODES["purchase"])
    items = log.before(log.end_us + 1).items.reindex(words.item_ids)
    goods = items["consumable"].fillna(False).astype(bool) | items["lifetime_days"].notna()
    thing = items["work_id"].where(items["work_id"].notna(), pd.Series(items.index, items.index))
    thing = thing.where(~goods, "").to_numpy()
    back = match_returns(events).returned_at[rows]
    return pd.DataFrame({
        "row": rows, "customer": events.customer[rows], "item": events.item[rows],
        "day": events.timestamp[rows] / DAY, "quantity": events.quantity[rows],
        "gift": events.gift[rows], "back": back / DAY, "thing": thing[events.item[rows]],
        "genre": items["category"].astype(str).to_numpy()[events.item[rows]],
    }).sort_values(["customer", "day", "item"], kind="stable", ignore_index=True)  # fmt: skip


def with_clicks(lines: pd.DataFrame) -> pd.DataFrame:
    """``click``: no gift, and the same pieces of the same item within seven minutes before."""
    own = lines[~lines["gift"]].sort_values(["customer", "item", "day"], kind="stable")
    before = own.groupby(["customer", "item"])[["day", "quantity"]].shift()
    wait = (own["day"] - before["day"]) * 86_400.0
    click = (wait > 0) & (wait <= CLICK_SECONDS) & (own["quantity"] == before["quantity"])
    return lines.assign(click=click.reindex(lines.index, fill_value=False))


def with_origin(lines: pd.DataFrame) -> pd.DataFrame:
    """Lines of a work that hang on an earlier one: its age, and the last of the same class."""
    books = lines[(lines["thing"] != "") & ~lines["gift"] & ~lines["click"]]
    first = books.groupby(["customer", "thing"])[["item", "day", "back", "row"]].transform("first")
    books = books.assign(
        origin=first["row"], origin_item=first["item"], origin_day=first["day"],
        origin_back=first["back"], same=books["item"] == first["item"],
        age=books["day"] - first["day"],
    )  # fmt: skip
    hanging = books[books["row"] != books["origin"]]
    earlier = hanging.groupby(["customer", "thing", "same"])[["age", "day", "back"]].shift()
    return hanging.assign(
        last_age=earlier["age"], last_day=earlier["day"], last_back=earlier["back"]
    )


def weigh(hanging: pd.DataFrame) -> Odds:
    """Densities at the line's age, times what the earlier line of its class leaves open."""
    age, last = hanging["age"].to_numpy(), hanging["last_age"].to_numpy()
    same, near = hanging["same"].to_numpy(), hanging["near"].to_numpy()
    liked = np.where(same, 1.0, hanging["liked"].to_numpy())
    open_ = (hanging["origin_back"] > hanging["day"]).to_numpy() & ~hanging["prevented"].to_numpy()
    alone, joined, wish = densities(age, same, near, liked)
    wish = wish * (1.0 - _mistake_rate(same) * open_ * _share(age, FROM, TO))
    wish_rate, low, high = _wish(same, liked)
    left = 1.0 - wish_rate * _share(age, low, high)
    had = ~np.isnan(last)
    before = densities(np.where(had, last, 0.0), same, near, liked)
    undone = (hanging["last_back"] <= hanging["day"]).to_numpy()
    settled = undone | ((hanging["day"] - hanging["last_day"]) > 10.0).to_numpy()
    was_mistake = (before[0] + before[1]) * _fate(undone, settled, UNDONE["mistake"])
    was_wish = before[2] * _fate(undone, settled, UNDONE["wish"])
    if_mistake, if_wish = np.where(had, was_wish, left), np.where(had, was_mistake, 1.0)
    return Odds(alone * open_ * if_mistake, joined * open_ * if_mistake, wish * if_wish)


def densities(age: Floats, same: Floats, near: Floats, liked: Floats) -> Odds:
    """Per day of age. Joined ones come up to 40 days late: on average half of that is left."""
    rate = MADE * _mistake_rate(same) / (TO - FROM)
    inside = (age >= FROM) & (age <= TO)
    late = np.clip(1.0 - (age - TO) / JOIN_DAYS, 0.0, 1.0) * (age > TO)
    wish_rate, low, high = _wish(same, liked)
    wish = np.where((age >= low) & (age <= high), wish_rate / (high - low), 0.0)
    return Odds(rate * inside * (1.0 - JOINS * near), rate * (inside + late) * JOINS * near, wish)


def beside_others(hanging: pd.DataFrame, lines: pd.DataFrame, odds: Odds, p: Floats) -> Floats:
    """P where the cart holds other lines: joined, or the one that others joined."""
    cart = ["customer", "day"]
    sure = lines[~lines["gift"] & ~lines["click"] & ~lines["row"].isin(hanging["row"])]
    wanted = pd.MultiIndex.from_frame(sure[cart])
    found = pd.MultiIndex.from_frame(hanging[cart]).isin(wanted)
    ratio = np.divide(odds.wish, odds.joined, out=np.full(len(p), 1e9), where=odds.joined > 0)
    groups = hanging[cart].assign(ratio=ratio, one=1).groupby(cart)
    several = (groups["one"].transform("sum") > 1).to_numpy()
    total = groups["ratio"].transform("sum").to_numpy()
    first = np.divide(ratio, total, out=np.ones(len(p)), where=total > 0)
    p = np.where(several, 1.0 - first, p)
    return np.where(found, (odds.joined > 0).astype(float), p)


def p_liked(hanging: pd.DataFrame, log: InteractionLog, customers: pd.DataFrame) -> Floats:
    """P that the origin was liked: genre, kept, rated, and the next volume bought."""
    ids, words = log.vocabulary.customer_ids, log.vocabulary
    favourite = customers.set_index("customer_id")["favourite"].reindex(ids).to_numpy()
    is_fond = favourite[hanging["customer"]] == hanging["genre"].to_numpy()
    prior = np.where(is_fond, LIKED[True], LIKED[False])
    odds = prior / (1.0 - prior) * KEPT_IF[True] / KEPT_IF[False]
    events = log.events
    rated = np.flatnonzero(events.event == EVENTS.index("rating"))
    said = pd.DataFrame({"customer": events.customer[rated], "origin_item": events.item[rated],
                         "said": events.timestamp[rated] / DAY,
                         "value": events.value[rated]})  # fmt: skip
    asked = hanging[["customer", "origin_item", "origin_day", "day"]].assign(n=range(len(hanging)))
    heard = asked.merge(said, on=["customer", "origin_item"])
    heard = heard[(heard["said"] < heard["day"]) & (heard["said"] >= heard["origin_day"])]
    value = heard.groupby("n")["value"].last().reindex(range(len(hanging))).to_numpy()
    odds = odds * np.where(value == 3, RATED_THREE[True] / RATED_THREE[False], 1.0)
    chance = np.where(value >= 4, 1.0, np.where(value <= 2, 0.0, odds / (1.0 + odds)))
    return np.where(_went_on(hanging, log, words), 1.0, chance)


def _went_on(hanging: pd.DataFrame, log: InteractionLog, words: object) -> Floats:
    """Bought the next volume of the series: only those who liked this one do."""
    books = purchase_lines(log)
    books = books[(books["thing"] != "") & ~books["gift"]]
    first = books.groupby(["customer", "thing"])["day"].min()
    stem = hanging["thing"].str.extract(r"^(.*)-([12])$")
    following = stem[0] + "-" + (pd.to_numeric(stem[1]) + 1).astype("Int64").astype(str)
    wanted = pd.MultiIndex.from_arrays([hanging["customer"], following.fillna("")])
    day = first.reindex(wanted).to_numpy()
    return day < hanging["day"].to_numpy()


def p_order_follows(hanging: pd.DataFrame, lines: pd.DataFrame, truth: dict) -> Floats:
    """P(an order within 40 days): Poisson, from true visit gaps and habits seen so far."""
    visits = truth["customers"]["visit_gap_days"].to_numpy()  # row i = code i: ids are numbered
    seen = lines[(lines["thing"] == "") & ~lines["click"]]
    seen = seen.groupby(["customer", "item"], as_index=False)["day"].agg(["min", "max", "size"])
    gap = ((seen["max"] - seen["min"]) / (seen["size"] - 1).clip(lower=1)).clip(lower=20.0)
    habits = seen.assign(rate=np.where(seen["size"] > 1, 1.0 / gap, 0.0))
    asked = hanging[["customer", "day"]].assign(n=range(len(hanging)))
    alive = asked.merge(habits, on="customer")
    alive = alive[
        (alive["min"] < alive["day"])
        & (alive["day"] < alive["max"] + 1.5 / alive["rate"].clip(lower=1e-9))
    ]
    goods = alive.groupby("n")["rate"].sum().reindex(range(len(hanging)), fill_value=0.0)
    rate = 1.0 / visits[hanging["customer"]] + goods.to_numpy()
    return 1.0 - np.exp(-JOIN_DAYS * rate)


def was_prevented(hanging: pd.DataFrame, log: InteractionLog) -> Floats:
    """A warning of this item was accepted after the origin and before the line."""
    events = log.events
    rows = np.flatnonzero(events.event == EVENTS.index("warning_accepted"))
    heeded = pd.DataFrame({"customer": events.customer[rows], "item": events.item[rows],
                           "said": events.timestamp[rows] / DAY})  # fmt: skip
    asked = hanging[["customer", "item", "origin_day", "day"]].assign(n=range(len(hanging)))
    found = asked.merge(heeded, on=["customer", "item"])
    found = found[(found["said"] > found["origin_day"]) & (found["said"] < found["day"])]
    return np.isin(np.arange(len(hanging)), found["n"])


def _mistake_rate(same: Floats) -> Floats:
    return np.where(same, MISTAKE["same"], MISTAKE["other"])


def _wish(same: Floats, liked: Floats) -> tuple[Floats, Floats, Floats]:
    rate, low, high = (
        np.where(same, one, other) for one, other in zip(WISH["same"], WISH["other"], strict=True)
    )
    return rate * liked, low, high


def _share(age: Floats, low: Floats | float, high: Floats | float) -> Floats:
    return np.clip((age - low) / (high - low), 0.0, 1.0)


def _fate(undone: Floats, settled: Floats, share: float) -> Floats:
    return np.where(undone, share, np.where(settled, 1.0 - share, 1.0))
