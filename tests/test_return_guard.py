"""The return guard: labels, shares, chances, when it speaks, and who may read what."""

from __future__ import annotations

import json
from functools import partial

import numpy as np
import pandas as pd
import pytest
from coat_shops import BOTH, ITEMS, cart_of, coat_shop, remade, small_log
from sklearn.exceptions import NotFittedError

from anticipate import exceptions as wrong
from anticipate.evaluation.probability_metrics import auc
from anticipate.guards import return_rows
from anticipate.guards.bounds import lower_bound
from anticipate.guards.return_guard import ReturnGuard
from anticipate.guards.return_learning import Speaking, best_threshold
from anticipate.guards.return_pairs import kept_pairs
from anticipate.guards.return_rows import Slice, closed_lines, item_returns, kinds_of, slices
from anticipate.kernels import return_past
from anticipate.kernels.owned import Lines
from anticipate.kernels.return_past import Kinds
from anticipate.kernels.return_reasons import mostly_kept
from anticipate.kernels.return_risk import (
    COLUMNS,
    ItemReturns,
    LineFacts,
    RiskModel,
    columns_used,
    risk_columns,
    risk_log_odds,
)
from anticipate.suggestions.return_words import AUDIENCES, SENTENCES
from anticipate.testing import check_history_model, random_log


@pytest.fixture(scope="module")
def history():
    return coat_shop()


@pytest.fixture(scope="module")
def guard(history):
    return ReturnGuard(return_window_days=20, cost_return=2.0).fit(history)


def test_a_line_is_returned_if_any_piece_came_back_within_its_closed_window():
    """Window 60 d: back on day 5; on day 69; in two parts, the first on day 10; still open."""
    history = small_log(
        "ann mug 01-01 purchase +1 | ann mug 01-06 return +1 | bob mug 01-01 purchase +1 |"
        "bob mug 03-11 return +1 | cid mug 01-01 purchase +5 | cid mug 01-11 cancel +1 |"
        "cid mug 05-01 cancel +1 | dan mug 12-01 purchase +1 | dan mug 12-02 return +1"
    )
    closed = closed_lines(history, 60.0)

    assert closed.returned.tolist() == [True, False, True]
    assert history.events.customer[closed.row].tolist() == [0, 1, 2]


def test_shares_of_items_are_shrunken_to_all():
    """2 of 3 lines came back: whole (2 + .2) / 13; mug 2 of 2, sock 0 of 1, each with 50 of it."""
    history = small_log(
        "ann mug 01-01 purchase | ann mug 01-06 return | bob mug 01-01 purchase |"
        "bob mug 01-09 return | bob sock 01-01 purchase"
    )
    whole = 2.2 / 13
    expected = [(2 + 50 * whole) / 52, 50 * whole / 51, whole]

    assert item_returns(history, 60.0).share.tolist() == pytest.approx(expected)


def test_columns_of_a_cart_by_hand():
    """ann bought 2 mugs at 8 (known) and, at the line's own instant or told later, more."""
    history = small_log(
        "ann mug 01-01 purchase +2 +8 01-01 | ann mug 01-04 return +1 +8 01-04 |"
        "ann mug 01-05 return +1 +8 03-01 | ann sock 02-01 purchase +9 +1 02-01",
        items=ITEMS,
    )
    at = pd.Timestamp("2025-02-01").value // 1000
    none = np.zeros(3, dtype=int)
    lines = Lines(none, np.arange(3), np.full(3, at), np.array([1.0, 1.0, 4.0]), none == 1)
    table = ItemReturns(np.full(5, 0.1), np.full(5, np.log(4.0)), np.zeros(5))
    price, kinds = np.array([4.0, np.nan, 16.0]), kinds_of(history.items)
    X = risk_columns(LineFacts(history.events, lines, price, items=table, kinds=kinds))
    found = pd.DataFrame(X, columns=COLUMNS)

    assert found["more_of_thing"].tolist() == [1, 1, 0]
    assert found["more_of_category"].tolist() == pytest.approx([np.log(2), np.log(2), 0])
    assert found["first_of_category"].tolist() == [1, 1, 0]
    assert found["log_past_lines"].tolist() == pytest.approx([np.log(2)] * 3)
    assert found["quantity_over_habit"].iloc[2] == pytest.approx(np.log(4 / 2), abs=1e-6)
    assert found["price_over_habit"].iloc[2] == pytest.approx(np.log(16 / 8), abs=1e-6)
    assert np.isnan(found["log_price"].iloc[1])
    assert found["log_thing_sent_back"].tolist() == pytest.approx([0, 0, np.log(2)])
    own = (1 + 20 * 0.1) / (2 + 20)  # one return known, of one line and one return
    assert found["own_odds"].iloc[0] == pytest.approx(np.log(own / (1 - own)))


def test_what_was_kept_is_advised_only_if_the_log_shows_it():
    """Five buyers of both sizes: four kept the small one. One more pair is too few."""
    rows = []
    for who, back in zip("abcde", ["coat-l"] * 4 + ["coat-s"], strict=True):
        rows += [(who, item, "2025-01-01", "purchase") for item in ("coat-l", "coat-s")]
        rows.append((who, back, "2025-01-05", "return"))
    history = small_log(rows, items=ITEMS)
    thing = kinds_of(history.items).thing
    pairs = kept_pairs(history.events, closed_lines(history, 60.0), thing)
    few = history.select(list("abcd"))
    few = kept_pairs(few.events, closed_lines(few, 60.0), thing)

    assert mostly_kept(pairs, 0, 1) == mostly_kept(pairs, 1, 0) == (1, 4, 5)
    assert mostly_kept(few, 0, 1) is None
    assert mostly_kept(pairs, 0, -1) is None


def test_wilsons_lower_bound_and_the_best_threshold_by_hand():
    """z = 1.2816: 8 of 10 -> .602. Break-even .5: 20 right ones above .9 pay, 20 at .6 do not."""
    assert lower_bound(8, 10) == pytest.approx(0.602, abs=1e-3)
    assert lower_bound(0, 0) == 0
    right = np.repeat([True, False], [20, 20])
    one = Slice(np.zeros((40, 1)), right, np.full(40, 0.1))
    p = np.where(right, 0.9, 0.6)

    assert best_threshold(one, p, Speaking(0.5, 2.0)) == 0.9
    assert best_threshold(one, p, Speaking(0.5, 8.0)) == 0.9
    assert best_threshold(one, p, Speaking(0.5, 10.0)) is None


def test_two_sizes_in_one_cart_are_warned_of_with_what_others_kept(guard, history):
    cart = BOTH.set_axis([9, 3, 5, 1]).assign(note="kept")
    before = cart.copy(deep=True)
    found = guard.review(cart, history)

    pd.testing.assert_frame_equal(cart, before)
    pd.testing.assert_frame_equal(found[cart.columns], cart)
    assert guard.report_["speaks"] is True
    assert found["verdict"].tolist() == ["warn", "pass", "pass", "pass"]
    assert set(found["kind"]) == {"return_risk"}
    assert "kept coat-s" in found["reason"].iloc[0]
    codes = [one["code"] for one in found["evidence"].iloc[0]]
    assert codes == ["others_kept", "several_of_one", "often_returned"]
    assert len(found["options"].iloc[0]) == 3
    assert found["options"].iloc[1] == [] == found["evidence"].iloc[1]
    json.dumps(found["evidence"].tolist())


def test_customers_are_judged_and_told_without_their_own_returns(guard, history):
    """Deleting every return of the log changes nothing that customers read or the verdict."""
    innocent = remade(history.to_pandas().query("event == 'purchase'"))
    told = guard.review(BOTH, history)
    pd.testing.assert_frame_equal(told, guard.review(BOTH, innocent))
    codes = [e["code"] for line in told["evidence"] for e in line]
    staff = guard.review(BOTH, history, audience="staff")

    assert set(AUDIENCES) == set(SENTENCES)
    assert "own_returns" not in codes
    assert "own_returns" in [e["code"] for e in staff["evidence"].iloc[2]]
    assert staff["verdict"].tolist() == told["verdict"].tolist()
    assert "own_returns" not in str(staff["reason"].tolist())


def test_who_objects_is_judged_by_item_and_cart_alone(guard, history):
    """Their past could be anybody's: without it, the same answer."""
    lines = cart_of(("c007", "coat-l"), ("c007", "sock"))
    found = guard.review(lines, history, audience="staff")
    others = remade(history.to_pandas().query("customer_id != 'c007'"))
    unknown = guard.review(lines, others)

    assert all(e["code"] == "often_returned" for e in found["evidence"].iloc[0])
    assert found["probability"].tolist() == unknown["probability"].tolist()


def test_by_default_it_is_silent_where_warnings_would_not_pay(history):
    silent = ReturnGuard(return_window_days=20, cost_annoyance=50.0).fit(history)

    assert set(silent.review(BOTH, history)["verdict"]) == {"pass"}
    assert silent.report_["speaks"] is False
    assert "0.98" in silent.report_["silent_because"]


def test_too_few_returns_leave_the_items_share_and_one_sentence():
    history = small_log("ann mug 01-01 purchase")
    with pytest.warns(wrong.MinimumDataWarning, match="too few"):
        guard = ReturnGuard().fit(history)
    whole = 0.2 / 11
    cart = cart_of(("ann", "mug"), ("ann", "new"))

    p = guard.review(cart, history)["probability"].tolist()
    assert p == pytest.approx([50 * whole / 51, whole])


def test_strangers_new_items_long_and_empty_carts_are_answered(guard, history):
    lines = pd.concat([BOTH, cart_of(("nobody", "new"))] * 2000)

    assert guard.review(lines, history)["probability"].between(0, 1).all()
    assert len(guard.review(cart_of(), history)) == 0


def test_bad_carts_get_one_clear_error(guard, history):
    bad = wrong.BadRowsError
    for name, value in [("price", "dear"), ("price", -1.0), ("quantity", 0)]:
        with pytest.raises(bad, match=name):
            guard.review(BOTH.assign(**{name: value}), history)
    with pytest.raises(wrong.ColumnError, match="item_id"):
        guard.review(BOTH.drop(columns="item_id"), history)


def test_bad_options_are_refused(guard, history):
    with pytest.raises(NotFittedError):
        ReturnGuard().review(BOTH, history)
    with pytest.raises(wrong.ParameterError, match="audience"):
        guard.review(BOTH, history, audience="press")
    with pytest.raises(wrong.EmptyHistoryError, match="no purchase"):
        ReturnGuard().fit(history.as_of("2024-12-01"))


def test_the_guard_keeps_the_laws_of_history_models(monkeypatch):
    """With so few returns needed that all models are learned and not only shares."""
    monkeypatch.setattr(return_rows, "FEWEST_RETURNED", 2)
    log = random_log(4)

    assert "levels" in ReturnGuard(return_window_days=10).fit(log.as_of(log.end)).report_
    check_history_model(ReturnGuard(return_window_days=10), log)


def test_an_early_slice_knows_nothing_of_later_returns(history):
    """From day 200 on mugs come back like large coats: the first slice's shares stay."""
    table = history.to_pandas()
    late = table["timestamp"] >= pd.Timestamp("2025-07-20", tz="UTC")
    swap = table["item_id"].map({"mug": "coat-l", "coat-l": "mug"}).fillna(table["item_id"])
    changed = remade(table.assign(item_id=table["item_id"].where(~late, swap)))
    ours, theirs = slices(history, 20.0), slices(changed, 20.0)

    np.testing.assert_array_equal(ours[0].X, theirs[0].X)
    assert not np.array_equal(np.unique(ours[-1].base), np.unique(theirs[-1].base))


def test_staffs_chances_too_are_the_same_alone_and_in_a_batch(guard, history):
    whole = guard.review(BOTH, history, audience="staff")
    again = ReturnGuard.from_arrays(guard.to_arrays())
    for who in ("c001", "c002", "c007"):
        rows = BOTH["customer_id"] == who
        alone = again.review(BOTH[rows], history.select([who]), audience="staff")
        pd.testing.assert_frame_equal(alone, whole[rows], check_exact=True)


def test_chances_are_right_on_carts_to_come(guard):
    """Another year of the shop: better than the item's share by .02, mean within a fifth."""
    later = coat_shop(seed=1)
    closed, events = closed_lines(later, 20.0), later.events
    cart = pd.DataFrame({
        "customer_id": later.customer_ids[events.customer[closed.row]],
        "item_id": later.item_ids[events.item[closed.row]],
        "timestamp": pd.to_datetime(events.timestamp[closed.row], unit="us", utc=True),
    })  # fmt: skip
    found = guard.review(cart, later)
    warned = (found["verdict"] == "warn").to_numpy()
    share = guard.items_.share[events.item[closed.row]]

    assert auc(closed.returned, found["probability"]) > auc(closed.returned, share) + 0.02
    assert found["probability"].mean() == pytest.approx(closed.returned.mean(), rel=0.2)
    assert closed.returned[warned].mean() > 0.6


@pytest.mark.parametrize("seed", range(12))
def test_both_roads_to_a_customers_past_give_the_same_bits(seed, monkeypatch):
    """All known before the lines: counted as it stands, and by time. One customer, then many."""
    rng = np.random.default_rng(seed)
    log = random_log(seed, n_customers=25, n_items=9, n_days=90)
    history = log.as_of(log.end)
    for part in (history, history.select(history.customer_ids[:1])):
        n, n_items = 60, part.n_items
        kinds = Kinds(rng.integers(0, 5, n_items - 1), rng.integers(-1, 3, n_items - 1))
        lines = Lines(
            rng.integers(0, part.n_customers, n), rng.integers(0, n_items + 3, n),
            np.full(n, part.cutoff_us) + rng.integers(1, 9, n), np.ones(n), np.zeros(n, bool),
        )  # fmt: skip
        table = ItemReturns(*(np.full(n_items, value) for value in (0.1, 2.0, 0.3)))
        price = np.where(rng.random(n) < 0.3, np.nan, rng.random(n))
        facts = partial(LineFacts, part.events, lines, price, items=table, kinds=kinds)
        quick = risk_columns(facts())
        with monkeypatch.context() as general:
            general.setattr(return_past, "_is_all_known", lambda events, lines: False)
            slow = risk_columns(facts())

        assert return_past._is_all_known(part.events, lines)
        np.testing.assert_array_equal(quick, slow)
        used = np.array([0, 6, 9, 14])
        np.testing.assert_array_equal(risk_columns(facts(), used)[:, used], quick[:, used])


def test_log_odds_of_a_line_do_not_depend_on_others_or_on_columns_that_weigh_nothing():
    rng = np.random.default_rng(0)
    k = len(COLUMNS)
    X = np.where(rng.random((50, k)) < 0.2, np.nan, rng.normal(0, 3, (50, k)))
    model = RiskModel(*rng.random((2, k)), 0.5 + rng.random(k),
                      rng.normal(size=k) * (rng.random(k) < 0.7), rng.random(1))  # fmt: skip
    whole = risk_log_odds(model, X)
    bare = X.copy()
    bare[:, model.coefficient == 0] = np.nan
    by_hand = model.intercept[0]
    for j in np.flatnonzero(model.coefficient):
        x = model.fill[j] if np.isnan(X[7, j]) else X[7, j]
        by_hand += model.coefficient[j] * np.clip((x - model.centre[j]) / model.scale[j], -6, 6)

    assert whole.tolist() == [risk_log_odds(model, X[i : i + 1])[0] for i in range(50)]
    assert whole.tolist() == risk_log_odds(model, bare).tolist()
    assert whole[7] == by_hand
    assert columns_used(model).tolist() == np.flatnonzero(model.coefficient).tolist()


def test_a_guards_table_in_another_vocabulary_keeps_shares_and_pairs(guard, history):
    ids = np.array(["a-new", "coat-l", "coat-s", "mug", "sock", "z-new"], dtype=object)
    table = guard.item_table(ids, history.items.reindex(ids))
    plain = guard.item_table(ids[1:3])

    assert table["share"][[1, 2, 3, 4, 6]].tolist() == guard.items_.share.tolist()
    assert table["share"][0] == table["share"][5] == guard.items_.share[-1]
    assert (table["pairs.kept"] - 1).tolist() == guard.pairs_.kept.tolist()
    assert table["thing"][1] == table["thing"][2] != table["thing"][3]
    assert plain["thing"].tolist() == [0, 1]
    assert plain["category"].tolist() == [-1, -1]
