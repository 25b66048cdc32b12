"""Which customers at risk to contact first.

Reads  moments, part by part, and what a contact costs and saves.
Gives  the ranking, with what a contact is expected to save.
Never  departed customers (they are won back, not kept), nor those who object; more of them in
       memory than one part and the best so far.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..kernels.churn import DEPARTED, PROSPECTIVE, SEGMENTS, ChurnTable
from ..retention.ranking import best_first, most_contacts, rank_by_saving
from ..suggestions.churn_words import reason_sentences
from .leaving import LogOdds, churn_and_log_odds, churn_at, knows_prices
from .moment import Moment
from .moment_pages import one_by_one
from .store import Store

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[Any]
Columns = TypeVar("Columns", bound=tuple[Any, ...])
PART = 10_000  # customers gone through at once


class Wanted(NamedTuple):
    """As ``retention.ranking.check_ranking`` accepts them."""

    top: int
    budget: float | None = None
    cost: float | None = None
    save_probability: float | None = None


class Ranked(NamedTuple):
    """Customers, the first to contact first; every array of shape (n,)."""

    ids: Array
    as_of: Array
    score: Array
    saved: Array
    table: ChurnTable
    log_odds: LogOdds | tuple[()]  # empty where nobody asks for them


def rank_frame(
    store: Store, moments: Iterable[Moment], wanted: Wanted, *, explain: bool = False
) -> pd.DataFrame:
    """The customers wanted, most to save first, ties by customer id.

    Parts must follow one another in the order of the ids: then what was kept of earlier parts
    stands before equals of later ones, and no part's size changes a row.
    """
    known_price, most = knows_prices(store), most_contacts(*wanted[:3])

    def better(best: Ranked, found: Ranked) -> Ranked:
        both = _joined(best, found)
        return _taken(both, best_first(both.score, most))

    found = (
        _best_of_part(store, moment, wanted, known_price=known_price, explain=explain)
        for moment in one_by_one(store, moments)
    )
    return _frame(reduce(better, found))


def _best_of_part(
    store: Store, moment: Moment, wanted: Wanted, *, known_price: bool, explain: bool
) -> Ranked:
    log_odds: LogOdds | tuple[()] = ()
    if explain:
        table, log_odds = churn_and_log_odds(store, moment)
    else:
        table = churn_at(store, moment)
    stays = ~np.isin(table.segment, (DEPARTED, PROSPECTIVE))
    order, saved, score = rank_by_saving(
        table.value_at_risk, table.p_churn, stays & ~moment.profiling & ~moment.marketing,
        **wanted._asdict(), known_price=known_price,
    )  # fmt: skip
    ids = np.array([*moment.ids, None], dtype=object)[:-1]  # objects, whatever they look like
    return _taken(Ranked(ids, moment.as_of, score, saved, table, log_odds), order)


def _taken(columns: Columns, rows: Array) -> Columns:
    """These rows of every array, however deep."""
    parts = [_taken(one, rows) if isinstance(one, tuple) else one[rows] for one in columns]
    return _like(columns, parts)


def _joined(first: Columns, second: Columns) -> Columns:
    """One after the other."""
    parts = [
        _joined(one, other) if isinstance(one, tuple) else np.concatenate((one, other))
        for one, other in zip(first, second, strict=True)
    ]
    return _like(first, parts)


def _like(columns: Columns, parts: list[Any]) -> Columns:
    return type(columns)(*parts) if parts else columns


def _frame(best: Ranked) -> pd.DataFrame:
    import pandas as pd

    table, n = best.table, len(best.ids)
    columns = {
        "customer_id": pd.Series(best.ids.tolist(), dtype=None),
        "as_of": pd.DatetimeIndex(best.as_of.astype("M8[us]")).tz_localize("UTC"),
        "rank": np.arange(1, n + 1),
        "p_churn": table.p_churn,
        "value_at_risk": table.value_at_risk,
        "expected_saved_value": best.saved,
        "segment": np.array(SEGMENTS, dtype=object)[table.segment],
        "reason": reason_sentences(table),
    }
    if isinstance(best.log_odds, LogOdds):
        columns |= {f"log_odds_{name}": part for name, part in best.log_odds._asdict().items()}
        for name in ("silent_days", "usual_gap_days", "n_purchases"):
            columns[name] = getattr(table.facts, name)
    return pd.DataFrame(columns)
