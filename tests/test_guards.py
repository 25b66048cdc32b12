"""The duplicate guard: its review's contract, what it learns, and how often it is right."""

from __future__ import annotations

import json
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from anticipate import Anticipator
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
from anticipate.guards.learning import find_repeats, usual_quantities, usual_returns
from anticipate.guards.proof import try_on_past
from anticipate.guards.tables import learn_tables
from anticipate.kernels.next_gap import GapTable
from anticipate.kernels.repeats import RepeatItems
from anticipate.kernels.rules import ItemRules
from anticipate.log import InteractionLog
from anticipate.outcomes import label_outcomes
from anticipate.testing import check_history_model, random_log
from anticipate.timing import PurchaseTimer

MISTAKES = ["double_submit", "already_owned", "substitute_owned"]
OWNED = ("C042", "B-1984-ebook")


@pytest.fixture(scope="module")
def guard(bookshop_history):
    """All kinds may speak: what they say is tried here, whether they may in test_proof."""
    return DuplicateGuard(kinds=MISTAKES).fit(bookshop_history, timing=PurchaseTimer())


def cart_of(*lines, **columns):
    cart = pd.DataFrame(lines, columns=["customer_id", "item_id"])
    return cart.assign(**columns)


def quiet_fit(history, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MinimumDataWarning)
        return DuplicateGuard(**options).fit(history)


def loud(history, **options):
    """A guard that warns of whatever may be a mistake at all."""
    return quiet_fit(history, kinds=MISTAKES, cost_annoyance=1e-9, **options)


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
    """3 mistakes in a million days owned, 3 of 10 other editions, 1 slip in 1,000 purchases;
    of 3 purchases none was wanted again within the hour: .5 of 503."""
    history = small_log([("ann", "mug", f"2025-0{month}-01", "purchase") for month in (1, 2, 3)])
    tables = learn_tables(history, None, 0).tables

    assert tables.rules.mistake_rate.tolist() == pytest.approx([3e-6, 3e-6])
    assert tables.rules.substitute_rate.tolist() == pytest.approx([3 / 7, 3 / 7])
    assert tables.quick.mistake_share == 1e-3
    assert tables.quick.wanted_share == pytest.approx(0.5 / 503)
    assert tables.accepted_share == 0.5


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


def test_costs_move_the_threshold(bookshop_history):
    timid, bold = (
        DuplicateGuard(cost_duplicate=cost, kinds=MISTAKES).fit(bookshop_history)
        for cost in (1e-4, 1e4)
    )
    cart = cart_of(OWNED, ("C042", "K-coffee-beans"))

    assert set(timid.review(cart, bookshop_history)["verdict"]) == {"pass"}
    assert bold.review(cart, bookshop_history)["verdict"].iloc[0] == "warn"


@pytest.mark.parametrize(
    ("costs", "edge"),
    [
        ({"cost_duplicate": 2.0}, 1 / 3),
        ({"cost_duplicate": 1.0, "cost_annoyance": 3.0}, 3 / 4),
        ({"cost_annoyance": 0.5, "margin": 5.0, "lost_sale_share": 0.1}, 1 / 2),
        ({"cost_duplicate": 3.0, "margin": 20.0, "lost_sale_share": 0.1}, 1 / 2),
    ],
)
def test_a_warning_pays_above_the_edge_of_the_money_rule(bookshop_history, costs, edge):
    """C P > (A + L M)(1 - P) above P = (A + L M) / (C + A + L M); nothing is won at it."""
    fitted = DuplicateGuard(kinds=MISTAKES, **costs).fit(bookshop_history)

    thresholds = [kind["threshold"] for kind in fitted.report_["kinds"].values()]
    assert thresholds == pytest.approx([edge] * 3)
    per_point = costs.get("cost_duplicate", 1.0) / (1 - edge)  # C + A + L M
    assert fitted.saving(edge) == pytest.approx(0.0, abs=1e-12)
    assert fitted.saving([edge - 0.01, edge + 0.01]).tolist() == pytest.approx(
        [-0.01 * per_point, 0.01 * per_point]
    )


def test_in_shadow_every_line_passes_and_what_would_be_said_is_there(bookshop_history, guard):
    cart = cart_of(OWNED, OWNED, ("C042", "K-coffee-beans"), gift=[False, True, False])
    shadow = DuplicateGuard(kinds=MISTAKES, mode="shadow").fit(bookshop_history, PurchaseTimer())
    hidden, open_ = (one.review(cart, bookshop_history) for one in (shadow, guard))

    same = ["kind", "probability", "reason", "evidence"]
    pd.testing.assert_frame_equal(hidden[same], open_[same])
    assert open_["verdict"].tolist() == ["warn", "pass", "pass"]
    assert hidden["verdict"].tolist() == ["pass"] * 3
    assert hidden["options"].tolist() == [[], [], []]
    assert hidden["reason"].notna().tolist() == [True, False, False]


def edition_shop():
    """A book as e-book and print, a box that contains the print, a pass that covers a film."""
    items = pd.DataFrame(
        {
            "item_id": ["ebook", "print", "box", "film", "pass", "mug"],
            "work_id": ["w", "w", None, None, None, None],
            "contains": [None, None, "print", None, None, None],
            "covered_by": [None, None, None, "pass", None, None],
        }
    )
    owners = {"a": "print", "b": "box", "c": "pass", "d": "ebook", "e": "film"}
    rows = [(who, what, "2025-12-01", "purchase") for who, what in owners.items()]
    return small_log(rows, items=items)


@pytest.mark.parametrize(
    ("who", "asked", "owned"),
    [
        ("a", "ebook", "print"), ("d", "print", "ebook"),  # the same work
        ("b", "print", "box"), ("b", "ebook", "box"),  # contained, or another edition of it
        ("c", "film", "pass"),  # covered by a subscription
        ("a", "box", None), ("e", "pass", None), ("c", "mug", None),  # these hold more
    ],
)  # fmt: skip
def test_substitutes_are_told_with_what_stands_for_them(who, asked, owned):
    history = edition_shop()
    found = loud(history).review(cart_of((who, asked)), history).iloc[0]

    assert (found["kind"] == "substitute_owned") == (owned is not None)
    assert found["verdict"] == ("pass" if owned is None else "warn")
    assert [fact["item_id"] for fact in found["evidence"]] == ([owned] if owned else [])


def test_boxes_in_a_ring_and_items_that_cover_themselves_are_answered():
    """Box one contains box two, which contains box one; the pass covers itself."""
    items = pd.DataFrame(
        {
            "item_id": ["one", "two", "pass"],
            "contains": ["two", "one|two", None],
            "covered_by": [None, None, "pass"],
        }
    )
    rows = [("a", "one", "2025-12-01", "purchase"), ("b", "pass", "2025-12-01", "purchase")]
    history = small_log(rows, items=items)
    cart = cart_of(("a", "two"), ("a", "one"), ("b", "pass"), ("b", "one"))
    found = loud(history).review(cart, history)

    kinds = ["substitute_owned", "already_owned", "already_owned", None]
    assert found["kind"].tolist() == kinds


def answered_shop(answers=()):
    """Twenty customers own two mugs' worth of things; answers of ann on the first of December."""
    people = ["ann", *(f"c{i}" for i in range(19))]
    rows = [(who, item, "2025-10-01", "purchase") for who in people for item in ("mug", "cup")]
    rows += [(who, item, "2025-12-01", f"warning_{event}") for who, item, event in answers]
    return small_log(rows)


@pytest.mark.parametrize(("event", "sign"), [("accepted", 1), ("dismissed", -1)])
def test_answers_move_the_item_and_the_customer(event, sign):
    """ann answers about the cup: cups of everybody, and her own mug, but not c0's mug."""
    cart = cart_of(("c0", "cup"), ("ann", "mug"))
    before = answered_shop()
    after = answered_shop([("ann", "cup", event)] * 3)
    plain = loud(before).review(cart, before)["probability"].to_numpy()
    fitted = loud(after)
    moved = fitted.review(cart, after)["probability"].to_numpy()

    assert (np.sign(moved - plain) == sign).all()
    if event == "dismissed":  # accepted warnings also show that mistakes are made at all
        other = [g.review(cart_of(("c0", "mug")), h)["probability"].iloc[0]
                 for g, h in ((loud(before), before), (fitted, after))]  # fmt: skip
        assert other[0] == pytest.approx(other[1], rel=1e-9)


def test_a_dismissed_warning_stays_silent_for_180_days():
    history = answered_shop([("ann", "cup", "dismissed")])
    times = pd.Timestamp("2025-12-01", tz="UTC") + pd.to_timedelta([100, 180, 181], unit="D")
    cart = cart_of(*[("ann", "cup")] * 3, timestamp=times)
    found = loud(history, max_warnings_per_quarter=None).review(cart, history)

    assert found["verdict"].tolist() == ["pass", "pass", "warn"]


def test_no_more_warnings_a_quarter_than_agreed():
    """Two of ann's three lines, the likelier ones; an answer in the log takes one of them."""
    rows = [(who, item, "2025-06-01", "purchase") for who in ("ann", "bob") for item in "xyz"]
    rows += [("cid", "x", "2025-06-01", "purchase"), ("cid", "x", "2025-07-01", "purchase")]
    answer = ("bob", "w", "2025-12-01", "warning_accepted")
    history = small_log([*rows, answer])
    cart = cart_of(*[(who, item) for who in ("ann", "bob") for item in "xyz"])
    found = loud(history, max_warnings_per_quarter=2).review(cart, history)
    warned = found["verdict"] == "warn"

    assert warned.groupby(found["customer_id"]).sum().to_dict() == {"ann": 2, "bob": 1}
    ann = found[found["customer_id"] == "ann"]
    assert ann.loc[ann["verdict"] == "pass", "item_id"].tolist() == ["x"]  # wanted again by cid
    assert (found["probability"] > 0).all()
    loudest = loud(history, max_warnings_per_quarter=None).review(cart, history)
    assert (loudest["verdict"] == "warn").all()
    next_quarter = cart.assign(timestamp=pd.Timestamp("2026-03-05", tz="UTC"))
    both = pd.concat([cart.assign(timestamp=pd.Timestamp("2026-01-01", tz="UTC")), next_quarter])
    found = loud(history, max_warnings_per_quarter=2).review(both, history)
    per = (found["verdict"] == "warn").groupby([found["customer_id"], found["timestamp"]]).sum()
    assert per.tolist() == [2, 0, 1, 1]  # 63 days on; bob's answer is past its quarter then


@pytest.mark.parametrize("rate", [5.0, 20.0])
def test_warnings_per_1000_hold_on_past_carts(bookshop_history, rate):
    """All kinds together warned of at most so many of the past lines it was tried on."""
    fitted = DuplicateGuard(
        kinds=MISTAKES, cost_annoyance=0.01, max_warnings_per_1000=rate
    ).fit(bookshop_history)  # fmt: skip
    free = DuplicateGuard(kinds=MISTAKES, cost_annoyance=0.01).fit(bookshop_history)
    trial = try_on_past(bookshop_history, None)
    n_lines = int((trial.answer < 0).sum())
    n, n_free = (
        sum(kind["n_warned"] for kind in one.report_["kinds"].values()) for one in (fitted, free)
    )

    assert n <= rate * n_lines / 1000 < n_free
    assert n > 0


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
        (cart_of(OWNED, quantity=[-1]), BadRowsError, "quantity"),
        (cart_of(OWNED, quantity=[np.inf]), BadRowsError, "quantity"),
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


@pytest.mark.parametrize("value", [0, -1.0, np.nan, np.inf, True, "1", None])
@pytest.mark.parametrize("name", ["cost_duplicate", "cost_annoyance"])
def test_costs_that_are_no_money_are_refused(bookshop_history, name, value):
    with pytest.raises(ParameterError, match=name):
        DuplicateGuard(**{name: value}).fit(bookshop_history)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("margin", -1.0), ("margin", np.nan), ("lost_sale_share", 1.5), ("lost_sale_share", np.nan),
        ("max_warnings_per_1000", 0), ("max_warnings_per_1000", np.nan),
        ("max_warnings_per_quarter", 0), ("max_warnings_per_quarter", -4), ("mode", "loud"),
        ("mode", None), ("kinds", ["quantity_slip"]), ("kinds", "owned"), ("kinds", [None]),
        ("random_state", -1), ("random_state", "x"),
    ],
)  # fmt: skip
def test_settings_that_say_nothing_are_refused_by_name(bookshop_history, name, value):
    with pytest.raises(ParameterError, match=name):
        DuplicateGuard(**{name: value}).fit(bookshop_history)


def test_few_undone_repeats_are_told_in_one_sentence():
    history = small_log([("ann", "mug", "2025-01-01", "purchase")])
    with pytest.warns(MinimumDataWarning, match="fewer than 10"):
        DuplicateGuard().fit(history)


# -- law -----------------------------------------------------------------------------


def past_lines(history, n=400):
    """Purchases as a cart, each at its own instant."""
    table = history.to_pandas()
    lines = table[table["event"] == "purchase"].tail(n)
    names = ["customer_id", "item_id", "timestamp", "quantity", "gift"]
    return lines[[name for name in names if name in lines]].reset_index(drop=True)


def judged(found):
    return found[["verdict", "kind", "probability", "reason"]]


def test_looking_back_nothing_later_is_seen(bookshop, bookshop_history, guard):
    """Lines of February reviewed in March and in June: the same, returns and answers since."""
    lines = past_lines(bookshop_history)
    early, late = (guard.review(lines, bookshop.as_of(at)) for at in ("2025-03-01", "2025-06-01"))

    assert (early["verdict"] == "warn").any()
    pd.testing.assert_frame_equal(judged(early), judged(late))


def test_lines_are_judged_the_same_in_any_order(bookshop_history, guard):
    lines = past_lines(bookshop_history, 1500)
    mixed = lines.sample(frac=1.0, random_state=3)
    found, again = (judged(guard.review(one, bookshop_history)) for one in (lines, mixed))

    pd.testing.assert_frame_equal(found, again.sort_index())


def test_many_customers_at_once_are_each_judged_as_alone(bookshop_history, guard):
    lines = past_lines(bookshop_history)
    together = judged(guard.review(lines, bookshop_history))
    for _, mine in lines.groupby("customer_id"):
        alone = judged(guard.review(mine, bookshop_history))
        pd.testing.assert_frame_equal(alone, together.loc[mine.index])


def test_ten_thousand_lines_are_judged_as_few(bookshop_history, guard):
    cart = cart_of(OWNED, ("C042", "new"), ("nobody", "new"), ("C001", "D-press"))
    few = judged(guard.review(cart, bookshop_history))
    many = guard.review(pd.concat([cart] * 2500, ignore_index=True), bookshop_history)

    assert len(many) == 10_000
    for name in ("kind", "probability"):
        assert many[name].tolist() == few[name].tolist() * 2500


def test_the_same_seed_gives_the_same_guard(bookshop_history):
    one, same = (DuplicateGuard(random_state=3).fit(bookshop_history) for _ in range(2))

    assert_same_arrays(one.to_arrays(), same.to_arrays())
    assert one.report_ == same.report_


def assert_same_arrays(one, other):
    assert one.keys() == other.keys()
    for name, array in one.items():
        np.testing.assert_array_equal(array, other[name], err_msg=name)


@pytest.mark.parametrize("mode", ["warn", "shadow"])
def test_arrays_and_pickles_keep_the_guard_bit_for_bit(bookshop_history, mode):
    fitted = DuplicateGuard(
        cost_duplicate=7.0, margin=2.0, kinds=MISTAKES, mode=mode, max_warnings_per_quarter=1
    ).fit(bookshop_history)
    cart = cart_of(OWNED, ("C042", "B-1984-print"), ("C001", "D-press"))
    expected = fitted.review(cart, bookshop_history)
    back = DuplicateGuard.from_arrays(fitted.to_arrays())

    assert expected["reason"].notna().sum() == (1 if mode == "warn" else 2)  # no cap in shadow
    for again in (back, pickle.loads(pickle.dumps(fitted))):
        assert_same_arrays(again.to_arrays(), fitted.to_arrays())
        pd.testing.assert_frame_equal(again.review(cart, bookshop_history), expected)
        assert again.saving([0.1, 0.9]).tolist() == fitted.saving([0.1, 0.9]).tolist()
    assert clone(fitted).get_params() == fitted.get_params()


def test_a_bundle_gives_the_guard_back(bookshop_model, bookshop_bundle, bookshop_history):
    ours, theirs = bookshop_model.guard_, Anticipator.load(bookshop_bundle).guard_
    lines = past_lines(bookshop_history)

    assert_same_arrays(theirs.to_arrays(), ours.to_arrays())
    pd.testing.assert_frame_equal(
        theirs.review(lines, bookshop_history), ours.review(lines, bookshop_history)
    )


class TimedGuard(DuplicateGuard):
    """A guard whose ``fit`` needs the history alone, as the check calls it."""

    def fit(self, history):
        return super().fit(history, timing=PurchaseTimer())


LOUD = {"kinds": MISTAKES, "cost_annoyance": 0.01}  # so that there is something to hold of


@pytest.mark.parametrize(
    "model",
    [DuplicateGuard(), DuplicateGuard(**LOUD), TimedGuard(**LOUD)],
    ids=["plain", "loud", "timed"],
)
def test_the_guard_keeps_the_laws_of_history_models(model):
    check_history_model(model, random_log(4))


def busy_shop(seed=0, *, n_customers=150):
    """Twelve items in four works; carts of one to three items over 300 days, one line of eight
    sent back, a few warnings answered: enough repeats for both models of past carts."""
    rng = np.random.default_rng(seed)
    start = pd.Timestamp("2025-01-01", tz="UTC")
    rows = []
    for c in range(n_customers):
        for _ in range(rng.integers(2, 9)):
            at = start + pd.Timedelta(int(rng.integers(300 * 1440)), "min")
            for item in rng.choice(12, rng.integers(1, 4), replace=False):
                key = (f"c{c:03d}", f"i{item:02d}")
                rows.append((*key, at, "purchase"))
                if rng.random() < 1 / 8:
                    rows.append((*key, at + pd.Timedelta(int(rng.integers(1, 20)), "D"), "return"))
                if rng.random() < 1 / 30:
                    event = rng.choice(["warning_accepted", "warning_dismissed"])
                    rows.append((*key, at + pd.Timedelta(int(rng.integers(1, 90)), "D"), event))
    items = pd.DataFrame({
        "item_id": [f"i{k:02d}" for k in range(12)], "work_id": [f"w{k % 4}" for k in range(12)],
        "category": ["a", "b"] * 6, "lifetime_days": [200.0, *[None] * 11],
    })  # fmt: skip
    table = pd.DataFrame(rows, columns=["customer_id", "item_id", "timestamp", "event"])
    return InteractionLog.from_frame(table, event="event", items=items)


def test_a_guard_that_learned_of_past_carts_keeps_the_laws():
    """Both models are told from draws, and corrected by what came back."""
    log = busy_shop()
    at = log.start + 0.75 * (log.end - log.start)
    learned = quiet_fit(log.as_of(at)).report_["learned"]

    assert {kind["from"] for kind in learned.values()} == {"past carts"}
    check_history_model(DuplicateGuard(kinds=MISTAKES, cost_annoyance=1e-4), log, cutoff=at)


def test_a_guard_that_learned_of_past_carts_looks_back_without_seeing_ahead():
    log = busy_shop(1)
    at = log.start + 0.6 * (log.end - log.start)
    history = log.as_of(at)
    fitted = loud(history)
    lines = past_lines(history)
    early, late = (fitted.review(lines, one) for one in (history, log.as_of(log.end)))

    assert set(early["kind"].dropna()) >= {"already_owned", "substitute_owned"}
    pd.testing.assert_frame_equal(judged(early), judged(late))


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
    by_item = (*GapTable._fields, *ItemRules._fields, *RepeatItems._fields, "repeat_share")
    assert {len(table[name]) for name in by_item} == {4}


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


def test_a_kind_that_a_ceiling_leaves_without_a_proof_is_silent(bookshop_history):
    """One warning in 1,000 lines leaves too few to prove much: who speaks has paid at that rate."""
    guard = quiet_fit(bookshop_history, max_warnings_per_1000=1)
    said = guard.report_["kinds"].values()

    assert all(one["net_money_low"] > 0 for one in said if one["speaks"])
    assert all(one["silent_because"] for one in said if not one["speaks"])
    assert np.isfinite(guard.speaking_.thresholds).sum() == sum(one["speaks"] for one in said)


@pytest.mark.filterwarnings("ignore::anticipate.exceptions.AnticipateWarning")
def test_guards_of_the_whole_can_be_given():
    """They are cloned, and what is none of them is refused by name."""
    history = random_log(0, n_customers=12).as_of("2024-10-14")
    mine = DuplicateGuard(cost_duplicate=4.0)
    whole = Anticipator(guards={"guard": mine}, random_state=0).fit(history)

    assert whole.guard_.cost_duplicate == 4.0
    assert whole.guard_ is not mine
    assert not hasattr(mine, "tables_")
    for wrong, word in (
        ({"guards": mine}, "none of"),
        ({"returns": mine}, "ReturnGuard"),
        ([mine], "mapping"),
    ):
        with pytest.raises(ParameterError, match=word):
            Anticipator(guards=wrong).fit(history)
