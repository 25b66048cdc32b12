"""Does a kind pay on past carts? By hand, why it is silent otherwise, and what it has not seen."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pandas as pd
import pytest

from anticipate.datasets import make_log
from anticipate.exceptions import MinimumDataWarning
from anticipate.guards import DuplicateGuard
from anticipate.guards.bounds import lower_bound
from anticipate.guards.costs import Costs
from anticipate.guards.proof import Trial, ceiling, judge, try_on_past, why_silent
from anticipate.kernels.rules import ALREADY_OWNED, DOUBLE_SUBMIT, NONE, Findings
from anticipate.log import InteractionLog
from anticipate.testing import random_log

MISTAKES = ["double_submit", "already_owned", "substitute_owned"]
COSTS = Costs(mistake=4.0, doubt=1.0)
DAY = pd.Timedelta(1, "D")


def trial_of(probability, *, kind=ALREADY_OWNED, undone=False, usual=0.1, answer=-1):
    n = len(probability)

    def column(value, dtype):
        return np.broadcast_to(np.asarray(value, dtype=dtype), n)

    none, p = np.full(n, -1), np.asarray(probability)
    kinds = np.where(p > 0, column(kind, np.int8), NONE).astype(np.int8)
    found = Findings(kinds, p, none, none, np.zeros(n, dtype=np.int64))
    return Trial(found, column(undone, bool), column(usual, float), column(answer, np.int64))


def fit(history, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MinimumDataWarning)
        return DuplicateGuard(**options).fit(history)


def silences(history, **options):
    return {
        kind: said["silent_because"]
        for kind, said in fit(history, **options).report_["kinds"].items()
    }


@pytest.fixture(scope="module")
def shop():
    return make_log(800, random_state=11)


@pytest.fixture(scope="module")
def history(shop):
    return shop.as_of("2025-01-01")


def rebuilt(log, table):
    """A log of these rows alone, without attributes."""
    names = ("event", "quantity", "price", "order_id", "gift")
    return InteractionLog.from_frame(
        table, **{name: name for name in names if name in table}, timezone=log.timezone,
        closed_until=log.end,
    )  # fmt: skip


def without(log, *events):
    """The same log in which these events never happened."""
    table = log.to_pandas()
    return rebuilt(log, table[~table["event"].isin(events)])


# -- by hand -------------------------------------------------------------------------


def test_returns_beyond_the_usual_are_mistakes():
    """10 warned, 6 back, usual .1: (.6 - .1) / (.7 - .1) = 5/6 were mistakes. Each saves 4, each
    wish costs 1: 10 (4 * 5/6 - 1/6) = 31.67. The same for the lower bound of 6 of 10."""
    undone = np.arange(10) < 6
    found = judge(trial_of([0.9] * 10, undone=undone), ALREADY_OWNED, 0.5, COSTS)
    low = (lower_bound(6, 10) - 0.1) / 0.6

    assert (found["n_warned"], found["n_undone"], found["n_answered"]) == (10, 6, 0)
    assert found["precision"] == pytest.approx(5 / 6)
    assert found["precision_low"] == pytest.approx(low)
    assert found["net_money"] == pytest.approx(10 * (4 * 5 / 6 - 1 / 6))
    assert found["net_money_low"] == pytest.approx(10 * (4 * low - (1 - low)))


def test_the_lower_bound_is_wilsons():
    """6 of 10, z = 1.2816 (one-sided 90 %): (.6 + z2/20 - z sqrt(.024 + z2/400)) / (1 + z2/10)."""
    z2 = 1.2815515655446004**2
    expected = (0.6 + z2 / 20 - math.sqrt(z2 * (0.024 + z2 / 400))) / (1 + z2 / 10)

    assert lower_bound(6, 10) == pytest.approx(expected)
    assert lower_bound(0, 0) == 0.0


def test_answers_stand_beside_what_came_back():
    """6 lines of which 3 came back (4/6 mistakes), 4 answers of which 3 accepted: 7/10 right."""
    answer = np.array([-1] * 6 + [1, 1, 1, 0])
    undone = np.array([True] * 3 + [False] * 7)
    found = judge(trial_of([0.9] * 10, undone=undone, answer=answer), ALREADY_OWNED, 0.5, COSTS)

    assert (found["n_warned"], found["n_answered"], found["n_accepted"]) == (6, 4, 3)
    assert found["precision"] == pytest.approx(0.7)
    assert found["net_money"] == pytest.approx(10 * (4 * 0.7 - 0.3))


def test_only_lines_of_the_kind_above_the_threshold_count():
    kinds = [ALREADY_OWNED, ALREADY_OWNED, DOUBLE_SUBMIT]
    trial = trial_of([0.5, 0.6, 0.9], kind=kinds, undone=True)

    assert judge(trial, ALREADY_OWNED, 0.5, COSTS)["n_warned"] == 1
    assert judge(trial, DOUBLE_SUBMIT, 0.5, COSTS)["n_warned"] == 1
    none = judge(trial, ALREADY_OWNED, 0.95, COSTS)
    assert (none["n_warned"], none["net_money_low"]) == (0, 0.0)
    assert math.isnan(none["precision"])


def test_the_ceiling_lets_no_more_through_than_agreed():
    """Of ten lines .9 .8 .8 .5 and nothing: 100 of 1,000 is one, 200 still one (a tie), 300 three,
    1,000 all that may be a mistake."""
    p = np.array([0.5, 0, 0.8, 0, 0, 0.9, 0, 0.8, 0, 0])
    own = [ALREADY_OWNED]
    said = [(p > ceiling(trial_of(p), own, rate)).sum() for rate in (50, 100, 200, 300, 400, 1000)]

    assert said == [0, 1, 1, 3, 4, 4]
    assert ceiling(None, own, 100.0) == math.inf
    answered = trial_of([0.95, *p], answer=[1] + [-1] * 10)
    assert ceiling(answered, own, 100) == ceiling(trial_of(p), own, 100)  # answers are no lines
    assert ceiling(trial_of(p), [DOUBLE_SUBMIT], 100) == 0.0  # silent kinds use none of it up


def test_a_sentence_says_why_a_kind_is_silent():
    """Too short; nothing ever came back; nothing likely; the bound is not positive; else none."""
    good = trial_of([0.9] * 10, undone=True)
    bad = trial_of([0.9] * 10, undone=np.arange(10) < 2)
    judged = {id(t): judge(t, ALREADY_OWNED, 0.5, COSTS) for t in (good, bad)}
    quiet = judge(good, ALREADY_OWNED, 0.95, COSTS)

    assert "too short" in why_silent(quiet, None, True)
    assert "no return" in why_silent(judged[id(good)], good, False)
    assert "likely enough" in why_silent(quiet, good, True)
    assert "2 of 10 lines came back" in why_silent(judged[id(bad)], bad, True)
    assert "net money is -" in why_silent(judged[id(bad)], bad, True)
    assert why_silent(judged[id(good)], good, True) is None
    answered = trial_of([0.9] * 10, answer=1)
    assert why_silent(judge(answered, ALREADY_OWNED, 0.5, COSTS), answered, True) is None


# -- the guard's silence ---------------------------------------------------------------


def test_a_kind_that_paid_speaks_and_others_say_why_not(history):
    """A tenfold cost of doubts leaves less that pays; whatever speaks has a positive bound."""
    for annoyance in (0.1, 1.0, 10.0):
        for said in fit(history, cost_annoyance=annoyance).report_["kinds"].values():
            assert said["speaks"] == (said["silent_because"] is None)
            assert said["speaks"] == (said["net_money_low"] > 0)
    assert fit(history).report_["kinds"]["double_submit"]["speaks"]
    assert "net money is -" in silences(history, cost_annoyance=1.0)["already_owned"]


def test_a_short_history_is_silent_and_says_so(shop):
    """Sixty days: thirty of them may still bring returns, half of the rest are too few."""
    end = shop.start + 60 * DAY
    history = shop.as_of(end)

    assert try_on_past(history, None) is None
    assert all("too short" in said for said in silences(history).values())


def test_a_log_without_returns_warns_of_nothing(shop, history):
    """Nor answers: every kind is silent, and a review of a year's purchases passes whole."""
    bare = without(shop, "return", "cancel", "warning_accepted", "warning_dismissed")
    bare = bare.as_of("2025-01-01")
    table = bare.to_pandas().query("event == 'purchase'").tail(3000)
    cart = table[["customer_id", "item_id", "timestamp", "quantity"]]

    assert all("no return" in said for said in silences(bare).values())
    assert (fit(bare).review(cart, bare)["verdict"] == "pass").all()
    forced = fit(bare, kinds=MISTAKES, cost_annoyance=1e-3).review(cart, bare)
    assert (forced["verdict"] == "warn").any()


def test_answers_alone_may_prove_a_kind(shop):
    """Nothing ever came back, but warnings were accepted: no reason to be mute."""
    history = without(shop, "return", "cancel").as_of("2025-01-01")
    said = fit(history).report_["kinds"]

    assert not any("no return" in (one["silent_because"] or "") for one in said.values())
    assert sum(one["n_accepted"] for one in said.values()) > 0
    assert {one["n_undone"] for one in said.values()} == {0}


def test_a_kind_that_the_user_insists_on_speaks_without_a_proof(shop):
    history = shop.as_of(shop.start + 60 * DAY)
    said = fit(history, kinds="already_owned").report_["kinds"]

    assert {kind: one["speaks"] for kind, one in said.items()} == {
        "double_submit": False, "already_owned": True, "substitute_owned": False
    }  # fmt: skip
    assert said["already_owned"]["silent_because"] is None


def clicks(n=200, *, back="second"):
    """Everybody buys a lamp, and half of them again five minutes later, in another order; of
    these one order is sent back. Every fifth of the others buys another lamp after 100 days."""
    rows = []
    for i in range(n):
        who, at = f"c{i:03d}", pd.Timestamp("2024-01-01", tz="UTC") + 1.5 * i * DAY
        rows.append((who, "lamp", at, "purchase", f"{i}a"))
        if i % 2:
            rows.append((who, "lamp", at + DAY / 288, "purchase", f"{i}b"))
            order = f"{i}b" if back == "second" else f"{i}a"
            rows.append((who, "lamp", at + 4 * DAY, "return", order))
    table = pd.DataFrame(rows, columns=["customer_id", "item_id", "timestamp", "event", "order_id"])
    log = InteractionLog.from_frame(table, event="event", order_id="order_id", closed_until=END)
    return log.as_of(END)


END = pd.Timestamp("2024-12-31", tz="UTC")


@pytest.mark.parametrize("back", ["second", "first"])
def test_second_clicks_are_proved_by_either_order_that_came_back(back):
    """It does not matter which of the two equal orders is sent back."""
    said = fit(clicks(back=back)).report_["kinds"]["double_submit"]

    assert said["n_warned"] == said["n_undone"] > 20
    assert said["speaks"]


# -- it has not peeked -----------------------------------------------------------------


def test_past_carts_end_where_returns_may_still_come(shop):
    """The newer half of what is 30 days old: exactly the lines bought in it."""
    history = without(shop).as_of("2025-01-01")
    bought = history.to_pandas().query("event == 'purchase'")["timestamp"]
    end = history.cutoff - 30 * DAY
    start = end - min((end - bought.min()) / 2, 365 * DAY)

    n = ((bought >= start) & (bought < end)).sum()
    assert (try_on_past(history, None).answer < 0).sum() == n > 1000


def test_what_came_back_in_the_trial_is_not_seen_by_its_tables(shop, history):
    """Returns of the tried span, dropped: the same probabilities, other outcomes."""
    start = history.cutoff - 30 * DAY
    start -= min((start - shop.start) / 2, 365 * DAY)
    table = shop.to_pandas()
    gone = table["event"].isin(["return", "cancel"]) & (table["timestamp"] >= start)
    other = rebuilt(shop, table[~gone]).as_of("2025-01-01")
    same = rebuilt(shop, table).as_of("2025-01-01")
    one, two = try_on_past(same, None), try_on_past(other, None)
    lines = one.answer < 0
    first = np.isin(one.found.kind, [DOUBLE_SUBMIT]) & (one.found.kind == two.found.kind)

    assert one.undone.sum() > two.undone.sum() == 0
    assert first.sum() > 30
    assert (lines == (two.answer < 0)).all()
    np.testing.assert_array_equal(one.found.probability[first], two.found.probability[first])


def test_what_is_proved_does_not_depend_on_row_order_or_the_future():
    log, at = random_log(3, n_customers=60), "2024-10-14T14:03Z"
    table = log.to_pandas()
    shuffled = rebuilt(log, table.sample(frac=1.0, random_state=0)).as_of(at)
    cut = rebuilt(log, table[table["timestamp"] < pd.Timestamp(at)])
    reports = [
        fit(one, kinds=MISTAKES, cost_annoyance=0.01).report_["kinds"]
        for one in (rebuilt(log, table).as_of(at), shuffled, cut.as_of(at))
    ]

    assert sum(kind["n_warned"] for kind in reports[0].values()) > 0
    for other in reports[1:]:
        for kind, said in reports[0].items():
            assert other[kind] == pytest.approx(said, nan_ok=True)
