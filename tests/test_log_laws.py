"""Laws of the log, tried on small logs of ties, late news, duplicates and returns."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anticipate import columns as c
from anticipate.exceptions import FutureCutoffWarning
from anticipate.log import History, InteractionLog
from anticipate.testing import random_log
from anticipate.testing.compare import difference
from anticipate.testing.futures import everything_else, full_table, remade, shuffled
from anticipate.testing.unchanged import contents

START = pd.Timestamp("2025-03-28", tz="UTC")
HOURS = 24 * 6  # across the change of the clocks in Berlin, 2025-03-30
OPTIONAL = ("quantity", "price", "value", "order_id", "event_id", "gift", "channel", "reason")
FEW = settings(max_examples=40)
KINDS = ("purchase", "purchase", "purchase", "return", "cancel", "view", "rating", "contact", "nap")


@st.composite
def tables(draw, *, event_ids: bool = True, junk: bool = False, text: bool | None = None):
    """Rows of few customers, items and hours, so that ties and duplicates are common."""
    text = draw(st.booleans()) if text is None else text
    named = (lambda k: f"c{k}") if text else (lambda k: k * 10**12)
    hours = st.integers(0, HOURS)
    row = st.fixed_dictionaries(
        {
            "customer_id": st.integers(0, 4).map(named),
            "item_id": st.integers(0, 3),
            "timestamp": hours.map(lambda h: START + pd.Timedelta(hours=h)),
            "late": st.sampled_from([0, 0, 0, 5, 50]),
            "event": st.sampled_from(KINDS),
            "quantity": st.sampled_from([1.0, 2.0, 0.5, None]),
            "price": st.sampled_from([0.1, 0.2, 0.3, 0.0, -0.0, None]),
            "value": st.sampled_from([None, 1.0, 5.0]),
            "order_id": st.sampled_from([None, 7, 8]),
            "event_id": st.one_of(st.none(), st.integers(0, 9)) if event_ids else st.none(),
            "gift": st.booleans(),
            "channel": st.sampled_from([None, "app", "web"]),
            "reason": st.sampled_from([None, "late"]),
        }
    )
    frame = pd.DataFrame(draw(st.lists(row, min_size=1, max_size=25)))
    frame["known_at"] = frame["timestamp"] + pd.to_timedelta(frame.pop("late"), unit="h")
    kept = draw(st.lists(st.sampled_from(OPTIONAL), unique=True))
    frame = frame.drop(columns=[name for name in OPTIONAL if name not in kept])
    if draw(st.booleans()):
        frame = frame.drop(columns="known_at")
    return _with_junk(draw, frame) if junk else frame


def _with_junk(draw, frame):
    """Some rows that cannot be used, each in one way or several."""
    holes = st.lists(st.integers(0, len(frame) - 1), max_size=4)
    for name, value in (("customer_id", None), ("timestamp", pd.NaT), ("event", "sale")):
        frame[name] = frame[name].where(~frame.index.isin(draw(holes)), value)
    if "quantity" in frame:
        frame["quantity"] = frame["quantity"].where(~frame.index.isin(draw(holes)), np.inf)
    return frame


def made(frame: pd.DataFrame, **options) -> InteractionLog:
    names = {name: name for name in c.LOG_COLUMNS if name in frame}
    return InteractionLog.from_frame(
        frame, **names, timezone="Europe/Berlin", extra_events=["nap"], **options
    )


def before(log: InteractionLog, hours: int) -> History:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureCutoffWarning)
        return log.as_of(START + pd.Timedelta(hours=hours))


def same(first: History | InteractionLog, second: History | InteractionLog) -> str | None:
    if isinstance(first, InteractionLog):
        first, second = (before(log, 10 * HOURS) for log in (first, second))
    return difference(contents(first), contents(second))


cutoffs = st.integers(-1, HOURS + 60)


@FEW
@given(tables(), st.randoms(use_true_random=False))
def test_row_order_changes_nothing(frame, random):
    order = list(range(len(frame)))
    random.shuffle(order)

    assert same(made(frame), made(frame.iloc[order])) is None


@FEW
@given(tables(), cutoffs)
def test_what_is_not_known_before_the_cutoff_changes_nothing(frame, hours):
    """The log of the rows known by then, against the whole log, cut."""
    at = START + pd.Timedelta(hours=hours)
    known_at = frame["known_at"] if "known_at" in frame else frame["timestamp"]
    past = made(frame[(known_at < at).to_numpy()], closed_until=at)

    assert same(before(past, hours), before(made(frame, closed_until=at), hours)) is None


@FEW
@given(tables(), cutoffs, cutoffs)
def test_a_history_of_a_history_is_the_history(frame, one, other):
    log, early, late = made(frame), min(one, other), max(one, other)
    at = START + pd.Timedelta(hours=early)

    assert same(before(log, late).as_of(at), before(log, early)) is None


@FEW
@given(tables(), cutoffs)
def test_a_cut_of_own_cutoffs_commutes_with_selecting(frame, hours):
    history = before(made(frame), hours)
    alone = [history.select([one]).before_last_basket() for one in history.customer_ids]
    together = history.before_last_basket().to_pandas()
    parts = [one.to_pandas() for one in alone]

    apart = pd.concat([part for part in parts if len(part)] or [together.iloc[:0]])
    assert difference(together, apart.reset_index(drop=True)[together.columns]) is None


@FEW
@given(tables(), cutoffs)
def test_one_customer_is_a_slice_of_the_batch(frame, hours):
    history = before(made(frame), hours)
    for code, customer in enumerate(history.customer_ids):
        alone = history.select([customer])
        rows = slice(*history.events.offsets[code : code + 2])
        for name, column in vars(alone.events).items():
            if name not in ("customer", "offsets"):
                expected = getattr(history.events, name)[rows]
                assert difference(np.array(expected), np.array(column)) is None
        for name in ("returned", "returned_at", "unmatched"):
            expected = getattr(history.returns, name)[rows]
            assert difference(expected, getattr(alone.returns, name)) is None


@FEW
@given(tables(), cutoffs, st.integers(0, 31))
def test_a_partition_of_the_customers_adds_up(frame, hours, mask):
    history = before(made(frame), hours)
    inside = np.array([mask >> code & 1 for code in range(history.n_customers)], dtype=bool)
    parts = [history.select(history.customer_ids[side]) for side in (inside, ~inside)]

    assert sum(part.n_events for part in parts) == history.n_events
    assert sum(part.n_customers for part in parts) == history.n_customers
    assert sum(part.returns.n_unmatched for part in parts) == history.returns.n_unmatched
    assert same(history.select(history.customer_ids), history) is None


@FEW
@given(tables())
def test_out_to_pandas_and_in_again_is_exact(frame):
    log = made(frame)

    assert same(made(log.to_pandas()), log) is None


@FEW
@given(tables(), st.integers(0, 3**25 - 1))
def test_a_log_put_together_from_parts_is_the_whole(frame, split):
    """Each row goes to one of three parts."""
    part = np.array([split // 3**row % 3 for row in range(len(frame))])
    first, second, third = (made(frame[part == number]) for number in range(3))
    whole, joined = made(frame), first.extend(second).extend(third)

    assert same(whole, joined) is None
    assert joined.report == whole.report | {"rejected": joined.report["rejected"]}
    assert joined.report["rows_read"] == len(frame) == len(joined) + len(joined.rejected)


@FEW
@given(tables(event_ids=False), st.integers(0, 4))
def test_an_erased_customer_was_never_there(frame, number):
    log = made(frame)
    gone = log.vocabulary.customer_ids[number % log.n_customers]
    left = frame[(frame["customer_id"] != gone).to_numpy()]

    assert same(log.erase([gone]), made(left, closed_until=None)) is None


@FEW
@given(tables(junk=True))
def test_every_row_is_kept_or_rejected_with_a_reason(frame):
    log = made(frame, on_bad_rows="quarantine")

    assert len(log) + len(log.rejected) == len(frame) == log.report["rows_read"]
    assert log.rejected["rejected_because"].notna().all()
    assert sum(log.report["rejected"].values()) == len(log.rejected)
    assert (log.rejected["row"].diff().dropna() > 0).all()


@FEW
@given(tables())
def test_codes_are_ranks_of_what_is_used(frame):
    log = made(frame)
    words = log.vocabulary
    columns = (
        ("customer", words.customer_ids), ("item", words.item_ids), ("order", words.orders),
        ("event_id", words.event_ids), ("channel", words.channels), ("reason", words.reasons),
    )  # fmt: skip
    for name, vocabulary in columns:
        codes = np.unique(getattr(log.events, name))
        assert (codes[codes >= 0] == np.arange(len(vocabulary))).all()
        assert list(vocabulary) == sorted(set(vocabulary))


def _match_by_hand(history: History) -> tuple[np.ndarray, np.ndarray]:
    """Pieces that came back of each row, and pieces of it without a purchase; row by row."""
    events = history.events
    returned, unmatched = np.zeros(events.n), np.zeros(events.n)
    for row in range(events.n):
        if events.event[row] not in (4, 5) or events.item[row] < 0:
            continue
        left = float(events.quantity[row])
        earlier = [
            r for r in range(row - 1, -1, -1)
            if events.event[r] == 3 and events.customer[r] == events.customer[row]
            and events.item[r] == events.item[row]
        ]  # fmt: skip
        same_order = [r for r in earlier if events.order[r] == events.order[row] >= 0]
        for purchase in (*same_order, *earlier):
            used = min(left, events.quantity[purchase] - returned[purchase])
            left, returned[purchase] = left - used, returned[purchase] + used
        unmatched[row] = left
    return returned, unmatched


@settings(max_examples=150)
@given(tables())
def test_returns_are_matched_as_by_hand(frame):
    history = before(made(frame), 10 * HOURS)
    returned, unmatched = _match_by_hand(history)

    assert difference(returned, history.returns.returned) is None
    assert difference(unmatched, history.returns.unmatched) is None


# -- the same laws on logs with everything in them ------------------------------------------

LOGS = [random_log(seed, text_ids=seed % 2 == 0, n_customers=12) for seed in range(4)]


@pytest.mark.parametrize("log", LOGS, ids=str)
def test_a_random_log_does_not_depend_on_row_order(log):
    assert same(log, shuffled(log, 5)) is None


@pytest.mark.parametrize("log", LOGS, ids=str)
@pytest.mark.parametrize("day", [0, 30, 200, 380])
def test_the_past_of_a_random_log_does_not_depend_on_its_future(log, day):
    at = log.start + pd.Timedelta(days=day)
    one, other = log.as_of(at), everything_else(log, at).as_of(at)

    assert same(one, other) is None


@pytest.mark.parametrize("log", LOGS, ids=str)
def test_random_attributes_are_those_of_the_moment(log):
    late, early = log.start + pd.Timedelta(days=350), log.start + pd.Timedelta(days=100)

    assert same(log.as_of(late).as_of(early), log.as_of(early)) is None
    assert same(remade(log, full_table(log)).as_of(early), log.as_of(early)) is None


@pytest.mark.parametrize("log", LOGS, ids=str)
def test_erasing_leaves_no_trace_anywhere(log):
    gone = log.vocabulary.customer_ids[[0, 3]]
    theirs = log.to_pandas().query("customer_id in @gone")
    left = log.erase(gone)
    table = left.to_pandas()

    for name in ("customer_id", "order_id"):  # orders are of one customer
        assert not set(theirs[name].dropna()) & set(table[name].dropna())
    assert not set(left.vocabulary.orders) & set(theirs["order_id"].dropna())
    assert not set(left.customer_attributes.ids) & set(gone)
    assert not set(left.as_of(left.end).customers.index) & set(gone)
    assert len(left) == len(log) - len(theirs)
    assert left.report["rows_read"] == len(left)
    assert len(log.to_pandas()) == len(log)
