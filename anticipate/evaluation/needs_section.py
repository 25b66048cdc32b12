"""Next needs and suggestions, judged by what the customers bought in the window.

Reads  ranked tables of ours and of plain baselines, the History, the Outcomes.
Gives  Sections: recall, NDCG, PHR, repeat and new apart; hit@3 of the mixed list.
Never  customers who bought nothing in the window: they have no target to find.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import pandas as pd

from .._checks import check_columns, check_count
from ..columns import CUSTOMER, ITEM
from ..kernels.segments import run_starts
from ..log import History
from ..outcomes import Outcomes
from . import ranking_metrics as ranking
from .matching import RANK, MatchedLists, match_lists
from .ranking_metrics import Floats
from .sections import Better, GroupRow, MetricRow, Section, group_rows, mean_row

Metric = Callable[[MatchedLists], Floats]


def evaluate_needs(
    recommendations: pd.DataFrame,
    history: History,
    outcomes: Outcomes,
    *,
    baselines: Mapping[str, pd.DataFrame],
    groups: pd.DataFrame | None = None,
    k: int = 10,
) -> Section:
    """Ranked next needs against what was bought.

    Parameters
    ----------
    recommendations : DataFrame
        ``customer_id, item_id, rank`` (1 is best); a customer without rows has an empty list.
    history : History
        As of the cutoff; tells repeat from new.
    outcomes : Outcomes
        Of the window after it.
    baselines : mapping of str to DataFrame
        Tables like ``recommendations`` of plain rules.
    groups : DataFrame or None
        See ``customer_groups``.
    k : int, default=10
        Length of the lists (>= 1).

    Returns
    -------
    Section
        Named ``"needs"``; headline ``Recall@k``; curve ``recall_by_rank``.
    """
    truth, seen = bought_pairs(history, outcomes), history_pairs(history)
    match = partial(match_lists, truth=truth, width=check_count("k", k), history_pairs=seen)
    ours = match(recommendations)
    others = {name: match(table) for name, table in baselines.items()}
    rows = tuple(
        _row(name, ours, others, metric, better=better, meaning=meaning)
        for name, metric, better, meaning in _metrics(k)
    )
    return Section(
        name="needs",
        title="What customers need next",
        rows=rows,
        groups=_groups(groups, rows[0], ours, others, partial(ranking.recall_at_k, k=k)),
        curves={"recall_by_rank": _recall_by_rank(ours, others, k)},
        notes=(_judged(ours, outcomes, recommendations),),
    )


def evaluate_suggestions(
    suggestions: pd.DataFrame,
    history: History,
    outcomes: Outcomes,
    *,
    baselines: Mapping[str, pd.DataFrame],
    groups: pd.DataFrame | None = None,
    k: int = 3,
) -> Section:
    """The short mixed list that customers without a cart would see.

    Parameters
    ----------
    suggestions : DataFrame
        ``customer_id, rank, item_id`` as ``suggest_many`` gives them; an entry without an
        item takes its place in the list and hits nothing.
    history, outcomes, baselines, groups
        As in ``evaluate_needs``.
    k : int, default=3
        Places that a customer looks at (>= 1).

    Returns
    -------
    Section
        Named ``"suggestions"``; headline ``Hit@k``.
    """
    check_count("k", k)
    truth, seen = bought_pairs(history, outcomes), history_pairs(history)
    match = partial(match_lists, truth=truth, width=k, history_pairs=seen)
    ours = match(_items_of_first(suggestions, k))
    others = {name: match(_items_of_first(table, k)) for name, table in baselines.items()}
    hit = partial(ranking.hit_at_k, k=k)
    meaning = f"share of buyers who bought one of the {k} things shown to them"
    row = _row(f"Hit@{k}", ours, others, hit, better="higher", meaning=meaning)
    shown = _row(
        "List given",
        ours,
        {},
        _is_filled,
        better="none",
        meaning="share of buyers to whom at least one thing was shown",
    )
    return Section(
        name="suggestions",
        title=f"The {k} things shown to a customer",
        rows=(row, shown),
        groups=_groups(groups, row, ours, others, hit),
    )


def history_pairs(history: History) -> pd.DataFrame:
    """Every (customer_id, item_id) that was bought before the cutoff, once."""
    bought = history.purchases
    order = np.lexsort((bought.item, bought.customer))
    customer, item = bought.customer[order], bought.item[order]
    first = run_starts(customer, item)
    return pd.DataFrame(
        {
            CUSTOMER: history.customer_ids[customer[first]],
            ITEM: history.item_ids[item[first]],
        }
    )


def bought_pairs(history: History, outcomes: Outcomes) -> pd.DataFrame:
    """What customers of the history bought in the window: the truth of every list."""
    pairs = outcomes.pairs
    bought = pairs.loc[pairs["bought"].to_numpy(dtype=bool), [CUSTOMER, ITEM]]
    return bought[bought[CUSTOMER].isin(history.customer_ids)]


def _metrics(k: int) -> list[tuple[str, Metric, Better, str]]:
    at = {
        name: partial(getattr(ranking, f"{name}_at_k"), k=k)
        for name in ("recall", "ndcg", "hit", "capped_recall", "repeat_recall", "new_recall")
    }
    shown = partial(ranking.repeat_share_at_k, k=k)
    cut = partial(ranking.ndcg_at_k, k=k, ideal="cut")
    return [
        (f"Recall@{k}", at["recall"], "higher", f"share of what was bought that stood in the {k}"),
        (f"NDCG@{k}", at["ndcg"], "higher", "the same, earlier places counting more (ideal: all)"),
        (f"PHR@{k}", at["hit"], "higher", f"share of buyers with a hit among the {k}"),
        (
            f"Capped recall@{k}",
            at["capped_recall"],
            "higher",
            f"hits of the possible, min({k}, bought)",
        ),
        (f"NDCG@{k} cut", cut, "higher", f"NDCG with an ideal list of at most {k}"),
        (f"Repeat recall@{k}", at["repeat_recall"], "higher", "recall of items bought before"),
        (f"New recall@{k}", at["new_recall"], "higher", "recall of items never bought before"),
        (f"Repeat share@{k}", shown, "none", f"share of the {k} that was bought before"),
    ]


def _row(
    name: str,
    ours: MatchedLists,
    others: Mapping[str, MatchedLists],
    metric: Metric,
    *,
    better: Better,
    meaning: str,
) -> MetricRow:
    values = {baseline: metric(lists) for baseline, lists in others.items()}
    return mean_row(name, metric(ours), values, better=better, meaning=meaning)


def _is_filled(lists: MatchedLists) -> Floats:
    return np.asarray(lists.filled.any(axis=1), dtype=np.float64)


def _groups(
    groups: pd.DataFrame | None,
    headline: MetricRow,
    ours: MatchedLists,
    others: Mapping[str, MatchedLists],
    metric: Metric,
) -> tuple[GroupRow, ...]:
    if groups is None:
        return ()
    values = {name: metric(lists) for name, lists in others.items()}
    return group_rows(
        groups,
        ours.customers,
        headline.metric,
        metric(ours),
        values,
        better=headline.better,
        meaning=headline.meaning,
    )


def _recall_by_rank(ours: MatchedLists, others: Mapping[str, MatchedLists], k: int) -> pd.DataFrame:
    lines = {"ours": ours, **others}
    ranks = range(1, k + 1)
    columns = {
        name: [float(np.mean(ranking.recall_at_k(lists, r))) if lists.n_targets.size else np.nan
               for r in ranks]
        for name, lists in lines.items()
    }  # fmt: skip
    return pd.DataFrame({"rank": list(ranks), **columns})


def _judged(lists: MatchedLists, outcomes: Outcomes, recommendations: pd.DataFrame) -> str:
    n_empty = int((~lists.filled.any(axis=1)).sum())
    text = f"judged on the {lists.customers.size:,} of {len(outcomes.customers):,} customers"
    return f"{text} who bought in the window; {n_empty:,} of them had an empty list"


def _items_of_first(table: pd.DataFrame, k: int) -> pd.DataFrame:
    check_columns("suggestions", (CUSTOMER, ITEM, RANK), table.columns, hint="See suggest_many.")
    kept = table.loc[(table[RANK] <= k) & table[ITEM].notna(), [CUSTOMER, ITEM, RANK]]
    return kept.drop_duplicates([CUSTOMER, ITEM])
