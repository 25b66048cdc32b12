"""One warning a line: the costliest mistake speaks, in notebooks and in the scorer alike."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from coat_shops import BOTH, coat_shop

from anticipate import exceptions as wrong
from anticipate.guards import ReturnGuard
from anticipate.guards.combined import COLUMNS, review_cart
from anticipate.kernels.costliest import (
    BETTER_FIT,
    KINDS,
    QUANTITY_SLIP,
    RETURN_RISK,
    costliest,
    rank_of,
    saving,
)
from anticipate.kernels.rules import KINDS as DUPLICATES


class Says:
    """A guard that says the same of every line."""

    def __init__(self, kind, probability, *, warn=True, cost=1.0):
        self.kind, self.probability, self.warn, self.cost = kind, probability, warn, cost

    def review(self, cart, history):
        n, word = len(cart), "warn" if self.warn else "pass"
        lists = [[{"code": self.kind}] for _ in range(n)]
        return cart.assign(verdict=word, kind=self.kind, probability=self.probability,
                           reason=self.kind, evidence=lists, options=[["a", "b"]] * n)  # fmt: skip

    def saving(self, probability, kind):
        assert kind == self.kind
        return saving(probability, self.cost, 1.0)


@pytest.fixture(scope="module")
def history():
    return coat_shop()


def spoken(*guards):
    cart = pd.DataFrame({"customer_id": ["c1"], "item_id": ["mug"]}, index=[7])
    return review_cart(cart, None, guards).loc[7]


def test_the_largest_expected_net_money_speaks_by_hand():
    """2 * .6 - .4 = .8 beats 1 * .8 - .2 = .6, though it is less probable."""
    assert saving(np.array([0.6]), 2.0, 1.0)[0] == pytest.approx(0.8)
    assert spoken(Says("already_owned", 0.8), Says("return_risk", 0.6, cost=2.0))["kind"] == (
        "return_risk"
    )


def test_who_warns_speaks_before_who_would_save_more():
    found = spoken(Says("already_owned", 0.9, warn=False), Says("return_risk", 0.6))

    assert (found["verdict"], found["kind"]) == ("warn", "return_risk")
    assert found["evidence"] == [{"code": "return_risk"}]


def test_of_a_line_that_passes_the_largest_saving_is_told():
    guards = Says("already_owned", 0.1, warn=False), Says("return_risk", 0.3, warn=False)
    found = spoken(*guards)

    assert (found["verdict"], found["kind"], found["probability"]) == ("pass", "return_risk", 0.3)


def test_a_line_of_no_kind_leaves_the_word_to_others():
    found = spoken(Says(None, 0.0, warn=False), Says("return_risk", 0.01, warn=False))

    assert found["kind"] == "return_risk"
    assert spoken(Says(None, 0.0, warn=False))["verdict"] == "pass"


def test_equals_go_by_duplicates_quantity_returns_fit_whatever_the_order_of_guards():
    guards = [Says(kind, 0.7) for kind in KINDS[::-1]]
    for first in range(len(KINDS)):
        assert spoken(*guards[: len(KINDS) - first])["kind"] == KINDS[first]
        assert spoken(*guards[: len(KINDS) - first][::-1])["kind"] == KINDS[first]


def test_kinds_stand_at_the_places_that_serving_counts_on():
    assert (KINDS[QUANTITY_SLIP], KINDS[RETURN_RISK]) == ("quantity_slip", "return_risk")
    assert KINDS[BETTER_FIT] == "better_fit"
    assert KINDS[:3] == tuple(DUPLICATES[1:4])
    assert rank_of(["better_fit", None, "nan"]).tolist() == [5, 6, 6]


def test_each_line_is_judged_alone():
    rng = np.random.default_rng(0)
    warns, savings = rng.random((3, 200)) < 0.4, rng.integers(-2, 3, (3, 200)).astype(float)
    ranks = rng.integers(0, 6, (3, 200))
    whole = costliest(warns, savings, ranks)
    alone = [costliest(*(a[:, i : i + 1] for a in (warns, savings, ranks)))[0] for i in range(200)]

    assert whole.tolist() == alone
    assert warns[whole, np.arange(200)].tolist() == warns.any(axis=0).tolist()
    assert costliest(warns[:, :0], savings[:, :0], ranks[:, :0]).tolist() == []


def test_one_guard_alone_is_its_own_review(history):
    guard = ReturnGuard(return_window_days=20, cost_return=2.0).fit(history)
    cart = BOTH.set_axis([9, 3, 5, 1]).assign(note="kept")
    before = cart.copy(deep=True)

    pd.testing.assert_frame_equal(review_cart(cart, history, [guard]), guard.review(cart, history))
    pd.testing.assert_frame_equal(cart, before)
    assert list(review_cart(cart.iloc[:0], history, [guard])[list(COLUMNS)].columns) == [*COLUMNS]


def test_a_return_is_worth_what_the_guard_was_told():
    """4 * .5 - 3 * .5 = .5."""
    guard = ReturnGuard(cost_return=4.0, cost_annoyance=3.0)

    assert guard.saving(np.array([0.5]), None).tolist() == [0.5]


def test_no_guard_is_an_error():
    with pytest.raises(wrong.ParameterError, match="guards"):
        spoken()
