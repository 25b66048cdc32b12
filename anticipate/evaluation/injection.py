"""Mistakes put into real carts, so that a guard can be measured without labels.

Reads  the window's purchases, the History before it (what is owned, which editions exist).
Gives  cart lines to review: the real ones, and seeded mistakes of three kinds marked as such.
Never  a consumable, a gift, a returned or worn-out thing as "already owned": buying those
       again is no mistake.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from .._checks import check_positive, check_probability
from ..columns import (
    CONSUMABLE,
    CUSTOMER,
    EVENT,
    EVENT_CODES,
    GIFT,
    ITEM,
    LIFETIME_DAYS,
    ORDER,
    PRICE,
    PURCHASE,
    QUANTITY,
    TIMESTAMP,
    WORK,
)
from ..kernels.returns import match_returns
from ..log import History
from ..outcomes import Outcomes

INJECTED = "injected_kind"
DOUBLE_SUBMIT = "double_submit"
ALREADY_OWNED = "already_owned"
SUBSTITUTE_OWNED = "substitute_owned"
LINE = [CUSTOMER, ITEM, TIMESTAMP, QUANTITY, PRICE, GIFT]
_MOST_MINUTES = 10  # between a double submit's two lines


def injected_carts(
    outcomes: Outcomes,
    *,
    share: float = 0.5,
    within_days: float = 30.0,
    keep_undone: bool = False,
    random_state: int = 0,
) -> pd.DataFrame:
    """First carts after the cutoff, a share of them with one mistake added.

    Parameters
    ----------
    outcomes : Outcomes
        The window; its history says what is owned.
    share : float, default=0.5
        Share of carts that get a mistake, where one is possible (0..1).
    within_days : float, default=30
        Only each customer's first cart (order, else local day) in this many days.
    keep_undone : bool, default=False
        Count real lines that were sent back within the window as legitimate, too: some of
        them are mistakes that a guard is right to see.
    random_state : int, default=0
        Same seed, same lines, whatever the order of the log's rows.

    Returns
    -------
    DataFrame
        ``customer_id, item_id, timestamp, quantity, price, gift, injected_kind`` (None for
        the real lines), sorted by customer and time, a mistake after the real lines it
        follows. Only customers of the history.

    Notes
    -----
    The kind is drawn evenly among those possible for the cart, the item evenly within it:
    ``double_submit`` repeats a line 1-10 minutes later, ``already_owned`` adds a kept
    durable, ``substitute_owned`` another edition (same ``work_id``) of one.
    """
    check_probability("share", share)
    check_positive("within_days", within_days)
    carts = first_carts(outcomes, within_days=within_days, keep_undone=keep_undone)
    owned = owned_items(outcomes.history)
    rng = np.random.default_rng(random_state)
    mistakes = _draw(_candidates(carts, owned, outcomes.history), share, rng)
    lines = pd.concat([_marked(carts, None), mistakes], ignore_index=True)
    lines = lines.sort_values([CUSTOMER, TIMESTAMP], kind="stable", ignore_index=True)
    return lines[[*LINE, INJECTED]].astype({INJECTED: object})


def first_carts(
    outcomes: Outcomes, *, within_days: float = 30.0, keep_undone: bool = False
) -> pd.DataFrame:
    """The lines of each known customer's first order (else first local day) in the window.

    Parameters
    ----------
    outcomes : Outcomes
        The window.
    within_days : float, default=30
        Carts later than this are left out.
    keep_undone : bool, default=False
        Keep lines that were returned or cancelled within the window.

    Returns
    -------
    DataFrame
        ``customer_id, item_id, timestamp, quantity, price, gift``, by customer and time.
    """
    lines = outcomes.lines
    wanted = (lines[EVENT] == PURCHASE).to_numpy()
    if not keep_undone:
        wanted = wanted & (match_returns(outcomes.window).returned == 0)
    lines = lines.assign(day=np.array(outcomes.window.day))[wanted]
    end = outcomes.cutoff + pd.Timedelta(days=within_days)
    known = lines[CUSTOMER].isin(outcomes.history.customer_ids)
    lines = lines[known & (lines[TIMESTAMP] < end)]
    key = "day"
    if ORDER in lines.columns and lines[ORDER].notna().all():
        key = ORDER
    first = lines.groupby(CUSTOMER, sort=False)[key].transform("first")
    carts = lines[lines[key] == first]
    gift = carts[GIFT] if GIFT in carts.columns else False
    return carts.assign(**{GIFT: gift})[LINE].reset_index(drop=True)


def owned_items(history: History) -> pd.DataFrame:
    """What each customer bought, kept, and still uses at the cutoff.

    Parameters
    ----------
    history : History
        As of the cutoff.

    Returns
    -------
    DataFrame
        ``customer_id, item_id`` once per pair. Left out: gifts, what was returned or
        cancelled, consumables, and what is older than its item's ``lifetime_days``.
    """
    events = history.events
    kept = (events.event == EVENT_CODES[PURCHASE]) & ~events.gift
    kept &= events.quantity > history.returns.returned
    rows = np.flatnonzero(kept)
    item = events.item[rows]
    since = (history.cutoffs[events.customer[rows]] - events.timestamp[rows]) / 86_400_000_000
    durable = ~_flag(history.items, CONSUMABLE)[item]
    usable = since <= _number(history.items, LIFETIME_DAYS, np.inf)[item]
    rows = rows[durable & usable]
    pairs = {
        CUSTOMER: history.customer_ids[events.customer[rows]],
        ITEM: history.item_ids[events.item[rows]],
    }
    return pd.DataFrame(pairs).drop_duplicates(ignore_index=True)


def _candidates(carts: pd.DataFrame, owned: pd.DataFrame, history: History) -> pd.DataFrame:
    """Every mistake that could be put into every cart, in a fixed order."""
    double = _marked(carts.drop_duplicates([CUSTOMER, ITEM]), DOUBLE_SUBMIT)
    ends = carts.groupby(CUSTOMER, as_index=False)[TIMESTAMP].max()
    again = _marked(owned.merge(ends, on=CUSTOMER), ALREADY_OWNED)
    other = _marked(_other_editions(owned, history).merge(ends, on=CUSTOMER), SUBSTITUTE_OWNED)
    added = pd.concat([again, other], ignore_index=True)
    in_cart = carts[[CUSTOMER, ITEM]].drop_duplicates()
    added = added.merge(in_cart, on=[CUSTOMER, ITEM], how="left", indicator="where")
    added = added[added["where"] == "left_only"].drop(columns="where")
    price = _last_prices(history).reindex(added[ITEM]).to_numpy(dtype=np.float64)
    added[QUANTITY], added[PRICE], added[GIFT] = 1.0, price, False
    both = pd.concat([double, added], ignore_index=True)
    return both.sort_values([CUSTOMER, INJECTED, ITEM], kind="stable", ignore_index=True)


def _draw(candidates: pd.DataFrame, share: float, rng: np.random.Generator) -> pd.DataFrame:
    """One mistake for a share of the customers: kind first, then the item within it."""
    drawn = _lowest(candidates, [CUSTOMER, INJECTED], rng)
    drawn = _lowest(drawn, [CUSTOMER], rng)
    drawn = drawn[rng.random(len(drawn)) < share]
    minutes = pd.to_timedelta(rng.integers(1, _MOST_MINUTES + 1, len(drawn)), unit="min")
    late = drawn[INJECTED].to_numpy() == DOUBLE_SUBMIT
    moved = drawn[TIMESTAMP] + pd.Series(minutes, index=drawn.index)
    return drawn.assign(**{TIMESTAMP: drawn[TIMESTAMP].where(~late, moved)})


def _lowest(table: pd.DataFrame, keys: list[str], rng: np.random.Generator) -> pd.DataFrame:
    """One row per group, each with the same chance."""
    shuffled = table.iloc[np.argsort(rng.random(len(table)), kind="stable")]
    return shuffled.drop_duplicates(keys).sort_index()


def _other_editions(owned: pd.DataFrame, history: History) -> pd.DataFrame:
    """Items that share a work with an owned one and are not owned themselves."""
    if WORK not in history.items.columns:
        return owned.iloc[:0]
    works = history.items[WORK].dropna().rename("work").rename_axis(ITEM).reset_index()
    mine = owned.merge(works, on=ITEM)[[CUSTOMER, "work"]].drop_duplicates()
    others = mine.merge(works, on="work")[[CUSTOMER, ITEM]]
    marked = others.merge(owned, on=[CUSTOMER, ITEM], how="left", indicator="where")
    return marked.loc[marked["where"] == "left_only", [CUSTOMER, ITEM]]


def _last_prices(history: History) -> pd.Series:
    """The last known price per item, else the listed one."""
    bought = history.purchases
    order = np.argsort(bought.timestamp, kind="stable")
    seen = pd.Series(bought.price[order], index=history.item_ids[bought.item[order]]).dropna()
    last = seen[~seen.index.duplicated(keep="last")].reindex(history.item_ids)
    return last.fillna(pd.Series(_number(history.items, PRICE, np.nan), index=last.index))


def _marked(lines: pd.DataFrame, kind: str | None) -> pd.DataFrame:
    marked = lines.copy()
    marked[INJECTED] = pd.Series(kind, index=lines.index, dtype=object)
    return marked


def _flag(items: pd.DataFrame, name: str) -> npt.NDArray[np.bool_]:
    return _number(items, name, 0.0) > 0


def _number(items: pd.DataFrame, name: str, missing: float) -> npt.NDArray[np.float64]:
    if name not in items.columns:
        return np.full(len(items), missing)
    values: npt.NDArray[np.float64] = items[name].to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isnan(values), missing, values)
