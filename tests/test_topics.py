"""Topics of contacts as if they were items: the same customers, moments, slices and labels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from anticipate.evaluation.backtest import training_slices
from anticipate.exceptions import EmptyHistoryError, ParameterError
from anticipate.log import History, InteractionLog
from anticipate.log.objections import objectors
from anticipate.needs import NextNeedRanker
from anticipate.needs.topics import n_without_topic, topic_history, with_topics
from anticipate.outcomes import label_outcomes
from anticipate.testing import random_log

ROWS = [
    # customer, item, when, event, reason, known on
    ("ada", "tea", "2025-01-01", "purchase", None, None),
    ("ada", None, "2025-01-05", "contact", "invoice", None),
    ("ada", "mug", "2025-01-05", "contact", "delivery", None),
    ("bea", "tea", "2025-01-02", "view", None, None),
    ("cyd", None, "2025-01-03", "contact", None, None),
    ("cyd", None, "2025-01-04", "complaint", "damaged", "2025-01-09"),
    ("cyd", "tea", "2025-01-06", "return", "damaged", None),
    ("cyd", None, "2025-01-08", "contact", "invoice", None),
]
NAMES = ["customer_id", "item_id", "timestamp", "event", "reason", "known_at"]
MAPPED = {name: name for name in ("event", "reason", "known_at")}


def history_of(rows: list[tuple[object, ...]] = ROWS, *, at: str = "2025-02-01", **more: object):
    table = pd.DataFrame(rows, columns=NAMES)
    log = InteractionLog.from_frame(table, timezone="UTC", closed_until=at, **MAPPED, **more)
    return log.as_of(at)


def told(history: History) -> list[tuple[str, str, str]]:
    table = history.to_pandas()
    days = table["timestamp"].dt.strftime("%m-%d")
    return list(zip(table["customer_id"], table["item_id"], days, strict=True))


def assert_same(first: History, second: History) -> None:
    """Equal in all that a model may read."""
    pd.testing.assert_frame_equal(first.to_pandas(), second.to_pandas())
    for name in ("customer_ids", "item_ids", "cutoffs"):
        assert getattr(first, name).tolist() == getattr(second, name).tolist(), name
    for name in ("customer", "item", "day", "event", "known_at", "offsets"):
        assert getattr(first.events, name).tolist() == getattr(second.events, name).tolist(), name
    assert (first.cutoff_us, first.timezone) == (second.cutoff_us, second.timezone)
    assert first.closed_until_us == second.closed_until_us
    pd.testing.assert_frame_equal(first.customers, second.customers, check_dtype=False)
    assert first.items.columns.tolist() == second.items.columns.tolist()


# -- by hand --------------------------------------------------------------------------


def test_contacts_become_purchases_of_their_topic():
    """Two contacts of ada, one of cyd: the one without a reason is counted, and left out."""
    history = history_of()

    topics = topic_history(history)

    assert told(topics) == [
        ("ada", "delivery", "01-05"), ("ada", "invoice", "01-05"), ("cyd", "invoice", "01-08")
    ]  # fmt: skip
    assert topics.item_ids.tolist() == ["delivery", "invoice"]
    assert topics.n_purchases == topics.n_events == 3
    assert (topics.events.quantity == 1).all()
    assert np.isnan(topics.events.price).all()
    assert n_without_topic(history) == 1


def test_everybody_stays_with_their_attributes():
    """bea never made a contact and dee did nothing at all, but dee is listed."""
    people = pd.DataFrame({"customer_id": ["ada", "dee"], "vip": [True, False]})
    history = history_of(customers=people)

    topics = topic_history(history)

    assert topics.customer_ids.tolist() == ["ada", "bea", "cyd", "dee"]
    assert np.diff(topics.events.offsets).tolist() == [2, 0, 1, 0]
    assert topics.customers["vip"].tolist() == [True, pd.NA, pd.NA, False]


def test_complaints_are_told_alike():
    """Damaged on 4 January, known on the 9th: no return of the same reason stands beside it."""
    topics = topic_history(history_of(), "complaint")

    assert told(topics) == [("cyd", "damaged", "01-04")]
    assert told(topic_history(history_of(at="2025-01-09"), "complaint")) == []


def test_labels_of_a_slice_are_the_contacts_that_followed():
    """Before 6 January: two of ada. In the five days after it: cyd's on the 8th, day 2."""
    outcomes = label_outcomes(topic_history(history_of()), "2025-01-06", 5)

    bought = outcomes.customers["next_purchase_days"]
    assert bought.index.tolist() == ["ada", "bea", "cyd"]
    assert bought.tolist() == pytest.approx([np.nan, np.nan, 2.0], nan_ok=True)
    assert outcomes.pairs["in_history"].tolist() == [True, True, False]
    assert outcomes.bought_codes()[1].tolist() == [1]


def test_an_attribute_that_holds_from_later_on_does_not_hide_a_customer():
    """ada is seen on 1 January and listed from the 20th: known, without attributes, between."""
    people = pd.DataFrame({"customer_id": ["ada"], "vip": [1], "valid_from": ["2025-01-20"]})
    topics = topic_history(history_of(customers=people))

    early = topics.as_of("2025-01-03")

    assert early.customer_ids.tolist() == ["ada", "bea"]
    assert early.customers["vip"].isna().all()
    assert topics.customers["vip"].tolist()[0] == 1


def test_a_customer_stays_unknown_until_the_first_event_is_known():
    """cyd's only event happened on the 4th and was known on the 9th."""
    topics = topic_history(history_of(ROWS[:1] + ROWS[5:6]))

    assert topics.as_of("2025-01-09").customer_ids.tolist() == ["ada"]
    assert topics.as_of("2025-01-10").customer_ids.tolist() == ["ada", "cyd"]


def test_answers_speak_of_topics():
    answers = pd.DataFrame({"customer_id": [1], "item_id": ["invoice"], "score": [0.5]})

    assert with_topics(answers).columns.tolist() == ["customer_id", "topic", "score"]


# -- edges ----------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [ROWS[:1], ROWS[3:5]], ids=["no reasons", "an untold contact"])
def test_without_topics_the_customers_remain(rows: list[tuple[object, ...]]):
    history = history_of(rows)

    topics = topic_history(history)

    assert (topics.n_events, topics.n_items) == (0, 0)
    assert topics.customer_ids.tolist() == history.customer_ids.tolist()
    assert_same(topics.as_of("2025-01-03"), topic_history(history.as_of("2025-01-03")))
    with pytest.raises(EmptyHistoryError, match="no purchase"):
        NextNeedRanker().fit(topics)


def test_an_empty_history_stays_empty():
    topics = topic_history(history_of().as_of("2024-01-01"))

    assert (topics.n_events, topics.n_customers, topics.n_items) == (0, 0, 0)


@pytest.mark.parametrize("event", ["purchase", "talk"])
def test_an_event_that_cannot_have_topics_is_refused(event: str):
    with pytest.raises(ParameterError, match="target_event"):
        topic_history(history_of(), event)


def test_numbers_as_topics_keep_their_type():
    rows = [(1, None, "2025-01-02", "contact", 7, None), (1, None, "2025-01-01", "contact", 3, 0)]

    topics = topic_history(history_of([(*row[:5], None) for row in rows]))

    assert topics.item_ids.dtype == np.int64
    assert topics.item_ids[topics.events.item].tolist() == [3, 7]


# -- laws -----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("event", ["contact", "complaint"])
def test_topics_of_the_past_are_the_past_of_the_topics(seed: int, event: str):
    log = random_log(seed, n_customers=30)
    whole = log.before(log.end_us + 1)
    for share in (0.05, 0.3, 0.8, 1.0):
        first = int(log.events.timestamp.min())
        at = pd.Timestamp(first + int(share * (log.end_us - first)), unit="us", tz="UTC")

        assert_same(topic_history(whole, event).as_of(at), topic_history(whole.as_of(at), event))


def test_topics_of_some_customers_are_their_topics():
    log = random_log(4, n_customers=30)
    whole = log.before(log.end_us + 1)
    some = whole.customer_ids[::3]

    few, after = topic_history(whole.select(some)), topic_history(whole).select(some)

    assert told(few) == told(after)
    assert few.customer_ids.tolist() == after.customer_ids.tolist()


def test_slices_of_a_topic_history_are_those_of_the_log(bookshop_history):
    found = training_slices(topic_history(bookshop_history), 30, 3, min_history_days=365)

    assert len(found) == 3
    for past, outcomes in found:
        assert_same(past, topic_history(bookshop_history.as_of(outcomes.cutoff)))
        assert past.n_customers == bookshop_history.as_of(outcomes.cutoff).n_customers
        later = bookshop_history.to_pandas().query("event == 'contact' and reason.notna()")
        days = (later["timestamp"] - outcomes.cutoff) / pd.Timedelta(days=1)
        inside = later[(days >= 0) & (days < 30)]
        assert len(inside) == len(outcomes.lines) > 0
        assert sorted(inside["reason"]) == sorted(outcomes.lines["item_id"])


def test_the_order_of_rows_does_not_matter():
    """A contact names an item or none: its place among others of the instant is the topic's."""
    turned = history_of(ROWS[::-1])

    assert_same(topic_history(turned), topic_history(history_of()))


def test_objections_are_still_heard(bookshop_history):
    topics = topic_history(bookshop_history)

    assert objectors(topics).tolist() == objectors(bookshop_history).tolist()
    assert objectors(topics).any()


@pytest.mark.parametrize("target", ["horizon", "next_basket"])
def test_the_next_topic_is_ranked_like_the_next_purchase(bookshop_history, target: str):
    topics = topic_history(bookshop_history)

    ranker = NextNeedRanker(target, horizon_days=60, random_state=0).fit(topics)
    answers = with_topics(ranker.recommend(topics, customers=["C042", "C001"], n=3))

    assert answers.columns.tolist()[:3] == ["customer_id", "topic", "score"]
    assert set(answers["topic"]) <= set(topics.item_ids.tolist())
    assert answers["score"].between(0, 1).all()
