"""Reasons: every fact is in the log, and the score falls without the events that are cited."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

from anticipate import InteractionLog
from anticipate.datasets import make_log
from anticipate.exceptions import ColumnError, MinimumDataWarning, ParameterError
from anticipate.log import History
from anticipate.needs import SOURCES, NextNeedRanker
from anticipate.suggestions import Reason

CUTOFF = "2025-03-01"
DAY = pd.Timedelta(days=1)
NO_EVENTS = {"popular", "newcomer", "group", "people_like_you"}
COLUMNS = (
    "event", "quantity", "price", "value", "order_id", "gift", "channel", "reason", "known_at"
)  # fmt: skip


@pytest.fixture(scope="module")
def ranker(bookshop_history: History) -> NextNeedRanker:
    return NextNeedRanker(random_state=0).fit(bookshop_history)


@pytest.fixture(scope="module")
def told(ranker: NextNeedRanker, bookshop_history: History) -> pd.DataFrame:
    return ranker.explain(bookshop_history, ranker.recommend(bookshop_history))


def thin(cutoff: str = "2025-01-05", items: pd.DataFrame | None = None) -> History:
    """a buys tea twice and a mug, b tea and jam, c wishes for jam and looks at a mug."""
    rows = {
        "customer_id": ["a", "a", "a", "b", "b", "c", "c"],
        "item_id": ["tea", "tea", "mug", "tea", "jam", "jam", "mug"],
        "timestamp": [
            "2025-01-01", "2025-01-03", "2025-01-03", "2025-01-02", "2025-01-04", "2025-01-02",
            "2025-01-03",
        ],
        "event": ["purchase"] * 5 + ["wish", "view"],
    }  # fmt: skip
    options = {} if items is None else {"items": items}
    log = InteractionLog.from_frame(
        rows, event="event", timezone="UTC", closed_until="2025-01-05", **options
    )
    return log.as_of(cutoff)


def plain(history: History, target: str = "horizon") -> NextNeedRanker:
    with pytest.warns(MinimumDataWarning):
        return NextNeedRanker(target, random_state=0).fit(history)


def explained(history: History, target: str = "horizon") -> pd.DataFrame:
    ranker = plain(history, target)
    table = ranker.explain(history, ranker.recommend(history))
    return table.set_index(["customer_id", "item_id"])


def event_of(cited: Mapping[str, Any]) -> tuple[pd.Timestamp, Any, str]:
    return pd.Timestamp(cited["date"]), cited["item_id"], cited["event"]


def without_cited(history: History, row: Any) -> History:
    """A new log of this customer's rows but those that are cited."""
    rows = history.to_pandas()
    rows = rows[rows["customer_id"] == row.customer_id]
    cited = {event_of(one) for one in row.evidence}
    keys = zip(rows["timestamp"], rows["item_id"], rows["event"], strict=True)
    gone = np.array([key in cited for key in keys])
    assert gone.sum() >= len(cited) > 0
    log = InteractionLog.from_frame(
        rows[~gone],
        items=history.items.reset_index(),
        customers=history.customers.reset_index(),
        timezone="UTC",
        closed_until=history.cutoff,
        **{name: name for name in COLUMNS if name in rows},
    )
    return log.as_of(history.cutoff)


def share_down(ranker: NextNeedRanker, history: History, table: pd.DataFrame, n: int) -> float:
    """Of n explained rows that cite events: how many score less without these."""
    some = table[table["evidence"].map(len) > 0].sample(n, random_state=0)
    down = 0
    for row in some.itertuples():
        found = ranker.recommend(
            without_cited(history, row), customers=[row.customer_id], allowed=[row.item_id]
        )
        down += not len(found) or found["score"].iloc[0] < row.score
    return down / n


# -- by hand ----------------------------------------------------------------------------


def test_a_repeat_says_how_often_and_how_long_ago():
    """Tea on 1 and 3 January, asked on the 5th: every 2 days, last 2 days ago."""
    row = explained(thin()).loc[("a", "tea")]

    assert row["reason_code"] == "repeat"
    assert row["reason"] == "tea: bought every 2 days, last 2 days ago"
    assert row["evidence"] == (
        {"date": "2025-01-01T00:00:00+00:00", "item_id": "tea", "event": "purchase"},
        {"date": "2025-01-03T00:00:00+00:00", "item_id": "tea", "event": "purchase"},
    )


def test_wishes_and_views_are_cited_with_their_date():
    table = explained(thin())

    wished, viewed = table.loc[("c", "jam")], table.loc[("c", "mug")]

    assert wished["reason"] == "jam: on the wish list since 2025-01-02"
    assert [one["event"] for one in wished["evidence"]] == ["wish"]
    assert viewed["reason_code"] == "viewed"
    assert viewed["evidence"] == (
        {"date": "2025-01-03T00:00:00+00:00", "item_id": "mug", "event": "view"},
    )


def test_items_are_called_by_their_names_where_they_have_one():
    items = pd.DataFrame({"item_id": ["tea", "jam"], "name": ["Earl Grey", None]})

    table = explained(thin(items=items))

    assert table.loc[("a", "tea"), "reason"].startswith("Earl Grey: bought every 2 days")
    assert table.loc[("c", "jam"), "reason"].startswith("jam: on the wish list")


def test_popularity_is_in_days_even_where_the_clock_counts_baskets():
    """Jam: one customer in 30 days, and a has never had it."""
    row = explained(thin(), "next_basket").loc[("a", "jam")]

    assert row["reason_code"] == "popular"
    assert row["reason"] == "jam: bought by 1 customer(s) in the last 30 days"
    assert row["evidence"] == ()


# -- edges ------------------------------------------------------------------------------


def test_no_rows_give_no_rows(ranker: NextNeedRanker, bookshop_history: History):
    none = ranker.recommend(bookshop_history, n=1).iloc[:0]

    found = ranker.explain(bookshop_history, none)

    assert found.columns.tolist() == [*none.columns, "reason_code", "reason", "evidence"]
    assert len(found) == 0


def test_a_stranger_is_told_what_newcomers_need(ranker: NextNeedRanker, bookshop_history: History):
    found = ranker.recommend(bookshop_history, customers=["nobody knows"])

    table = ranker.explain(bookshop_history, found)

    assert set(table["reason_code"]) == {"newcomer"}
    assert set(table["evidence"]) == {()}


@pytest.mark.parametrize(
    "change", [{"item_id": "never seen"}, {"source": "a guess"}, {"source": "repeat"}]
)
def test_rows_that_are_no_answer_about_this_history_are_refused(
    ranker: NextNeedRanker, bookshop_history: History, change: dict[str, str]
):
    row = ranker.recommend(bookshop_history, customers=["nobody knows"], n=1)

    with pytest.raises(ParameterError, match="1 rows"):
        ranker.explain(bookshop_history, row.assign(**change))


def test_a_missing_column_is_named(ranker: NextNeedRanker, bookshop_history: History):
    found = ranker.recommend(bookshop_history, n=1)

    with pytest.raises(ColumnError, match="source"):
        ranker.explain(bookshop_history, found.drop(columns="source"))


@pytest.mark.filterwarnings("ignore::anticipate.exceptions.MinimumDataWarning")
def test_topics_have_no_sentences(bookshop_history: History):
    topics = NextNeedRanker(target_event="contact", random_state=0).fit(bookshop_history)

    with pytest.raises(ParameterError, match="topics of contact"):
        topics.explain(bookshop_history, topics.recommend(bookshop_history))


# -- laws -------------------------------------------------------------------------------


def test_the_rows_stay_as_they_were(ranker: NextNeedRanker, bookshop_history: History):
    """Any rows, any order, any index; the caller's table is not changed."""
    some = ranker.recommend(bookshop_history).sample(50, random_state=1)
    before = some.copy()

    found = ranker.explain(bookshop_history, some)

    pd.testing.assert_frame_equal(some, before)
    pd.testing.assert_frame_equal(found[some.columns.tolist()], before)


def test_a_row_is_explained_alone_as_among_others(
    ranker: NextNeedRanker, bookshop_history: History, told: pd.DataFrame
):
    some = told.groupby("reason_code").head(2)
    plain_rows = some.drop(columns=["reason_code", "reason", "evidence"])

    alone = [
        ranker.explain(bookshop_history.select([who]), rows)
        for who, rows in plain_rows.groupby("customer_id")
    ]

    pd.testing.assert_frame_equal(pd.concat(alone).sort_index(), some.sort_index())


def test_own_facts_can_be_recomputed_from_the_log(told: pd.DataFrame, bookshop_history: History):
    """Every row: the events cited are the customer's, and the sentence follows from them."""
    rows = bookshop_history.to_pandas()
    every = {
        who: list(zip(part["timestamp"], part["item_id"], part["event"], strict=True))
        for who, part in rows.groupby("customer_id")
    }
    returned = rows[rows["event"].isin(["return", "cancel"])]
    came_back = set(zip(returned["customer_id"], returned["item_id"], strict=True))
    items = bookshop_history.items
    for row in told.itertuples():
        cited = [event_of(one) for one in row.evidence]
        assert set(cited) <= set(every.get(row.customer_id, []))
        assert bool(cited) == (row.reason_code not in NO_EVENTS)
        if not cited:
            continue
        of = {item for _, item, _ in cited}
        if row.reason_code in ("repeat", "bought_before"):
            assert of == {row.item_id}
        facts = facts_from(row.reason_code, cited, bookshop_history.cutoff, items)
        said = Reason(row.reason_code, {"item": items["name"][row.item_id], **facts})
        assert row.reason == said.text()
        bought = row.reason_code not in ("wished", "viewed", "category")
        if bought and (row.customer_id, *of) not in came_back:
            mine = [e for e in every[row.customer_id] if e[1] in of and e[2] == "purchase"]
            assert cited == mine


def facts_from(
    code: str, cited: list[tuple[pd.Timestamp, Any, str]], cutoff: Any, items: pd.DataFrame
) -> dict[str, Any]:
    """The facts of a reason, from the events that it cites."""
    times = sorted(time for time, _, _ in cited)
    visits = pd.Series(times).groupby(pd.Series(times).dt.floor("D")).min()
    since = round((cutoff - visits.iloc[-1]) / DAY, 1)
    if code == "repeat":
        gap = (visits.iloc[-1] - visits.iloc[0]) / DAY / (len(visits) - 1)
        return {"gap_days": round(gap, 1), "days_since_last": since}
    if code == "bought_before":
        return {"n_purchases": len(visits), "days_since_last": since}
    if code in ("goes_with", "follows"):
        return {"because": items["name"][cited[0][1]]}
    if code == "category":
        assert items.loc[[item for _, item, _ in cited], "category"].nunique() == 1
        return {"n_purchases": len({(time.date(), item) for time, item, _ in cited})}
    return {"since": times[0].to_pydatetime()} if code == "wished" else {}


def test_the_score_falls_without_the_events_that_are_cited(
    ranker: NextNeedRanker, bookshop_history: History, told: pd.DataFrame
):
    """50 rows, each against a new log without these events; the same ranker."""
    assert share_down(ranker, bookshop_history, told, 50) >= 0.95


def test_the_commonest_reasons_are_given(told: pd.DataFrame):
    """The check does not talk every reason away: own items mostly speak for themselves."""
    own = told[told["source"].isin(["repeat", "bought_before"])]

    assert set(told["reason_code"]) <= set(SOURCES)
    assert (own["reason_code"] == own["source"]).mean() > 0.8
    assert (told["evidence"].map(len) > 0).mean() > 0.5


@pytest.mark.slow
@pytest.mark.parametrize("target", ["horizon", "next_basket"])
def test_the_score_falls_in_a_thousand_cases(target: str):
    """A simulated log of its own; both targets, at least 95 of 100."""
    history = make_log(400, random_state=3).as_of(CUTOFF)
    ranker = NextNeedRanker(target, random_state=0).fit(history)
    table = ranker.explain(history, ranker.recommend(history))

    assert share_down(ranker, history, table, 1000) >= 0.95
