"""The duplicate guard: its review's contract, what it learns, and how often it is right."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from anticipate.datasets import make_log as make_shop
from anticipate.evaluation.guard_metrics import catch_share_at
from anticipate.evaluation.injection import injected_carts
from anticipate.evaluation.plain_warnings import warning_baselines
from anticipate.exceptions import (
    BadRowsError,
    ColumnError,
    EmptyHistoryError,
    IdTypeError,
    MinimumDataWarning,
    ParameterError,
    TimeError,
)
from anticipate.guards import DuplicateGuard
from anticipate.guards import items as attributes
from anticipate.guards.bought import bought_of
from anticipate.guards.learning import find_repeats, learn, usual_quantities, usual_returns
from anticipate.log import InteractionLog
from anticipate.outcomes import label_outcomes
from anticipate.testing import check_history_model, random_log
from anticipate.timing import PurchaseTimer

MISTAKES = ["double_submit", "already_owned", "substitute_owned"]
OWNED = ("C042", "B-1984-ebook")


@pytest.fixture(scope="module")
def guard(bookshop_history):
    return DuplicateGuard().fit(bookshop_history, timing=PurchaseTimer())


def cart_of(*lines, **columns):
    cart = pd.DataFrame(lines, columns=["customer_id", "item_id"])
    return cart.assign(**columns)


def quiet_fit(history, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MinimumDataWarning)
        return DuplicateGuard(**options).fit(history)


def small_log(rows, **options):
    columns = ["customer_id", "item_id", "timestamp", "event"]
    table = pd.DataFrame(rows, columns=columns)
    end = pd.Timestamp("2026-01-01", tz="UTC")
    return InteractionLog.from_frame(
        table, event="event", timezone="UTC", closed_until=end, **options
    ).as_of(end)


# -- by hand -------------------------------------------------------------------------


def test_the_story_of_c042_is_warned_with_reason_evidence_and_choices(guard, bookshop_history):
    found = guard.review(cart_of(OWNED), bookshop_history).iloc[0]

    assert found["verdict"] == "warn"
    assert found["kind"] in ("already_owned", "substitute_owned")
    assert found["probability"] > 0.5
    assert "Nineteen Eighty-Four" in found["reason"]
    assert len(found["options"]) >= 2
    bought = bookshop_history.select(["C042"]).to_pandas()
    earlier = bought[bought["timestamp"] == pd.Timestamp(found["evidence"][0]["date"])]
    assert found["evidence"][0]["item_id"] in earlier["item_id"].tolist()
    assert found["evidence"][0]["order_id"] in earlier["order_id"].tolist()


def test_repeats_and_returns_are_counted_by_hand():
    """Three buyers of a mug. ann's second came back on day 5, bob kept both, cid bought once and
    returned it: 2 repeats, one undone; of 3 first purchases one came back."""
    history = small_log(
        [
            ("ann", "mug", "2025-01-01", "purchase"),
            ("ann", "mug", "2025-03-01", "purchase"),
            ("ann", "mug", "2025-03-06", "return"),
            ("bob", "mug", "2025-01-01", "purchase"),
            ("bob", "mug", "2025-04-11", "purchase"),
            ("cid", "mug", "2025-01-01", "purchase"),
            ("cid", "mug", "2025-01-03", "cancel"),
        ]
    )
    bought = bought_of(history)
    repeats = find_repeats(bought, bought.events.item)

    assert repeats.minutes.tolist() == [59 * 1440, 100 * 1440]
    assert repeats.undone.tolist() == [True, False]
    assert usual_returns(bought, 1).tolist() == pytest.approx([(1 + 10 / 3) / 13])
    b = (1 + 10 / 3) / 13
    assert repeats.mistakes(np.array([b])).tolist() == pytest.approx(
        [(1 - b) / (0.7 - b), -b / (0.7 - b)]
    )


def test_what_was_returned_before_the_repeat_was_no_longer_owned():
    history = small_log(
        [
            ("ann", "mug", "2025-01-01", "purchase"),
            ("ann", "mug", "2025-01-06", "return"),
            ("ann", "mug", "2025-02-01", "purchase"),
        ]
    )
    bought = bought_of(history)

    assert len(find_repeats(bought, bought.events.item).item) == 0


def test_without_returns_in_the_log_the_priors_stand():
    history = small_log([("ann", "mug", f"2025-0{month}-01", "purchase") for month in (1, 2, 3)])
    learned = learn(bought_of(history), history.items)

    assert learned.mistakes_per_day.tolist() == [3e-6, 3e-6]
    assert learned.substitute_mistake.tolist() == [0.3, 0.3]
    assert learned.quick.mistake_share == 1e-3
    assert learned.quick.wanted_share == pytest.approx(0.5 / 503)


def test_usual_pieces_are_the_lower_median():
    rows = [("ann", "mug", f"2025-01-0{day}", "purchase") for day in range(1, 5)]
    frame = pd.DataFrame(rows, columns=["customer_id", "item_id", "timestamp", "event"])
    log = InteractionLog.from_frame(
        frame.assign(pieces=[1.0, 2.0, 6.0, 9.0]), quantity="pieces", timezone="UTC",
        items=pd.DataFrame({"item_id": ["cup"]}), closed_until="2025-02-01",
    )  # fmt: skip

    assert usual_quantities(bought_of(log.as_of("2025-02-01")), 2).tolist() == [2, 2, 2]


def test_substitutes_are_editions_boxes_and_what_covers():
    """Volume 1 exists as book and e-book; the box holds the book; a pass covers the film."""
    items = pd.DataFrame(
        {
            "work_id": ["w1", "w1", None, None, None],
            "contains": [None, None, "v1-book | other", None, None],
            "covered_by": [None, None, None, "pass", None],
        },
        index=["v1-book", "v1-ebook", "box", "film", "pass"],
    )

    assert attributes.substitutes(items).tolist() == [
        [1, 2], [0, 2], [-1, -1], [4, -1], [-1, -1], [-1, -1]
    ]  # fmt: skip


def test_attributes_may_be_words_numbers_or_missing():
    items = pd.DataFrame(
        {"consumable": ["yes", 0, None], "lifetime_days": ["400", -1, "long"]}, index=[1, 2, 3]
    )

    assert attributes.is_consumable(items).tolist() == [True, False, False, False]
    np.testing.assert_array_equal(attributes.lifetime_days(items), [400.0, np.nan, np.nan, np.nan])
    assert attributes.substitutes(items).shape == (4, 0)


# -- the review's contract ---------------------------------------------------------------


def test_the_same_lines_come_back_in_the_same_order_with_the_same_index(
    guard, bookshop, bookshop_history
):
    lines = label_outcomes(bookshop, "2025-03-01", 60).lines
    cart = lines[lines["event"] == "purchase"][["item_id", "customer_id", "timestamp", "gift"]]
    cart = cart.sample(frac=1.0, random_state=0).assign(note="kept")
    before = cart.copy(deep=True)
    found = guard.review(cart, bookshop_history)

    pd.testing.assert_frame_equal(cart, before)
    pd.testing.assert_frame_equal(found[cart.columns], cart)
    assert found.columns[-6:].tolist() == [
        "verdict", "kind", "probability", "reason", "evidence", "options"
    ]  # fmt: skip
    warned = found["verdict"] == "warn"
    assert warned.any()
    assert (found.loc[warned, "options"].map(len) >= 2).all()
    assert found.loc[warned, "reason"].notna().all()
    assert (found.loc[~warned, "options"].map(len) == 0).all()
    assert (found.loc[~warned, "evidence"].map(len) == 0).all()
    assert found.loc[~warned, "reason"].isna().all()
    assert set(found.loc[warned, "kind"]) <= set(MISTAKES)
    assert not (warned & (found["gift"] == True)).any()  # noqa: E712  may be missing
    json.dumps(found.loc[warned, ["evidence", "options", "reason"]].to_dict("records"))


def test_strangers_and_new_items_pass(guard, bookshop_history):
    cart = cart_of(("nobody", "B-1984-ebook"), ("C042", "brand-new"), ("C042", "brand-new"))
    found = guard.review(cart, bookshop_history)

    assert found["verdict"].tolist() == ["pass"] * 3
    assert found["probability"].tolist() == [0.0] * 3
    assert found["kind"].isna().all()


def test_an_empty_cart_gives_an_empty_review(guard, bookshop_history):
    found = guard.review(cart_of(), bookshop_history)

    assert len(found) == 0
    assert "verdict" in found.columns


def test_a_gift_is_never_doubted(guard, bookshop_history):
    cart = cart_of(OWNED, OWNED, gift=[True, False])
    found = guard.review(cart, bookshop_history)

    assert found["verdict"].tolist() == ["pass", "warn"]


def test_a_second_click_minutes_later_is_seen_within_the_review(guard, bookshop_history):
    """A first line is judged by history alone, the second by the first."""
    cart = cart_of(
        ("C001", "D-press"), ("C001", "D-press"),
        timestamp=["2025-03-02T10:00", "2025-03-02T10:02"],
    )  # fmt: skip
    found = guard.review(cart, bookshop_history)

    assert found["kind"].iloc[1] == "double_submit"
    assert "2 minutes ago" in found["reason"].iloc[1]
    assert found["evidence"].iloc[1][0]["date"] == "2025-03-02T10:00:00+00:00"


def test_costs_move_the_threshold(bookshop_history, guard):
    timid, bold = (
        DuplicateGuard(cost_duplicate=cost).fit(bookshop_history) for cost in (1e-4, 1e4)
    )
    cart = cart_of(OWNED, ("C042", "K-coffee-beans"))

    assert set(timid.review(cart, bookshop_history)["verdict"]) == {"pass"}
    assert bold.review(cart, bookshop_history)["verdict"].iloc[0] == "warn"


def test_who_objects_to_profiling_gets_the_double_submit_check_only():
    people = pd.DataFrame({"customer_id": ["ann"], "objects_to": ["profiling"]})
    rows = [(who, "mug", "2025-12-01T10:00", "purchase") for who in ("ann", "bob")]
    history = small_log(rows, customers=people)
    found = quiet_fit(history).review(
        cart_of(("ann", "mug"), ("bob", "mug"), ("ann", "mug"), timestamp=[
            "2026-01-05", "2026-01-05", "2025-12-01T10:01"]), history,
    )  # fmt: skip

    assert found["probability"].iloc[0] == 0
    assert found["probability"].iloc[1] > 0
    assert found["kind"].iloc[2] == "double_submit"


@pytest.mark.parametrize(
    ("cart", "error", "word"),
    [
        (pd.DataFrame({"customer_id": ["C042"]}), ColumnError, "item_id"),
        (cart_of(("C042", 7)), IdTypeError, "text"),
        (cart_of((1, "B-1984-ebook")), IdTypeError, "text"),
        (cart_of(OWNED, quantity=[0]), BadRowsError, "quantity"),
        (cart_of(OWNED, quantity=["many"]), BadRowsError, "quantity"),
        (cart_of(OWNED, timestamp=[5]), TimeError, "timestamp"),
    ],
)
def test_bad_carts_get_one_clear_error(guard, bookshop_history, cart, error, word):
    with pytest.raises(error, match=word):
        guard.review(cart, bookshop_history)


def test_unfitted_empty_and_impossible_costs_are_refused(bookshop_history):
    with pytest.raises(NotFittedError):
        DuplicateGuard().review(cart_of(OWNED), bookshop_history)
    with pytest.raises(EmptyHistoryError, match="no purchase"):
        DuplicateGuard().fit(bookshop_history.as_of("2023-07-01"))
    with pytest.raises(ParameterError, match="cost_annoyance"):
        DuplicateGuard(cost_annoyance=0).fit(bookshop_history)


def test_few_undone_repeats_are_told_in_one_sentence():
    history = small_log([("ann", "mug", "2025-01-01", "purchase")])
    with pytest.warns(MinimumDataWarning, match="fewer than 10"):
        DuplicateGuard().fit(history)


# -- law -----------------------------------------------------------------------------


class TimedGuard(DuplicateGuard):
    """A guard whose ``fit`` needs the history alone, as the check calls it."""

    def fit(self, history):
        return super().fit(history, timing=PurchaseTimer())


@pytest.mark.parametrize("model", [DuplicateGuard(), TimedGuard()], ids=["plain", "timed"])
def test_the_guard_keeps_the_laws_of_history_models(model):
    check_history_model(model, random_log(4))


def test_the_timer_given_is_not_fitted(bookshop_history):
    timer = PurchaseTimer()
    DuplicateGuard().fit(bookshop_history, timing=timer)

    assert not hasattr(timer, "item_table_")


def test_a_table_for_other_items_keeps_what_stands_for_what(guard):
    """Codes point into the vocabulary asked for; items it lacks are no substitutes in it."""
    ids = np.array(["B-1984-ebook", "B-1984-print", "new"], dtype=object)
    table = guard.item_table(ids)
    own = {row: set(table["substitutes"][row].tolist()) - {-1} for row in range(4)}

    assert own == {0: {1}, 1: {0}, 2: set(), 3: set()}
    assert {len(column) for column in table.values()} == {4}


# -- is it right? ----------------------------------------------------------------------


def test_warnings_are_mostly_right_where_the_truth_is_known():
    """Every purchase of 90 days in a simulated shop: 8 of 10 warnings are true mistakes, half of
    all mistakes are caught, and chances are what they say."""
    log, truth = make_shop(800, random_state=11, return_truth=True)
    outcomes = label_outcomes(log, "2025-01-01", 90)
    history, lines = outcomes.history, outcomes.lines
    known = (lines["event"] == "purchase") & lines["customer_id"].isin(history.customer_ids)
    cart = lines[known][["customer_id", "item_id", "timestamp", "quantity", "gift"]]
    guard = DuplicateGuard().fit(history, timing=PurchaseTimer())
    keys = ["customer_id", "item_id", "timestamp"]
    wrong = truth["accidental"].rename(columns={"kind": "truth"})[[*keys, "truth"]]
    found = guard.review(cart, history).merge(wrong, on=keys, how="left")
    mistake, warned = found["truth"].isin(MISTAKES), found["verdict"] == "warn"

    assert mistake.sum() > 30
    assert mistake[warned].mean() > 0.8
    assert warned[mistake].mean() > 0.5
    assert found["probability"][warned].mean() == pytest.approx(mistake[warned].mean(), abs=0.15)
    clicks = found["truth"] == "double_submit"
    assert warned[clicks].mean() > 0.8


def test_more_mistakes_are_caught_than_by_plain_rules(bookshop, bookshop_history, guard):
    """At 20 warnings per 1,000 good lines, which hold the shop's own mistakes."""
    outcomes = label_outcomes(bookshop, "2025-03-01", 90)
    carts = injected_carts(outcomes, within_days=90, random_state=1)
    mistake = carts["injected_kind"].notna()
    ours = guard.review(carts, bookshop_history)["probability"]
    plain = warning_baselines(carts, bookshop_history).values()

    caught = catch_share_at(mistake, ours, false_per_1000=20)
    assert caught > 0.5
    assert all(
        caught > catch_share_at(mistake, rule["probability"], false_per_1000=20) for rule in plain
    )
