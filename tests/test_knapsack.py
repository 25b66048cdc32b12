"""One level per customer under a budget: by hand, beside SciPy's exact solvers, at the edges."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from anticipate.exceptions import ParameterError
from anticipate.retention.in_order import serve_in_order
from anticipate.retention.knapsack import choose_levels
from anticipate.retention.resources import make_resources

COSTS = np.array([0.5, 1.5, 4.0])


def customers(n, seed=0):
    """Three levels: worth of saving less cost; a fifth of the levels is not allowed."""
    rng = np.random.default_rng(seed)
    at_risk = rng.lognormal(3, 1, n) * rng.beta(1, 2, n)
    share = np.array([0.05, 0.1, 0.15]) * rng.uniform(0.5, 1.5, (n, 3))
    worth = share * at_risk[:, None] - COSTS
    worth[rng.random((n, 3)) < 0.2] = -np.inf
    return worth


def programme(worth, budget, capacity, caps):
    """The same problem as SciPy states it: objective and rows."""
    who, level = np.nonzero(worth > 0)
    n = len(worth)
    limits = make_resources(COSTS, budget, capacity, caps, n)
    once = sparse.csr_matrix((np.ones(len(who)), (who, np.arange(len(who)))), shape=(n, len(who)))
    rows = sparse.vstack([once, sparse.csr_matrix(limits.use[:, level])])
    return -worth[who, level], rows, np.concatenate((np.ones(n), limits.most))


def exact(worth, budget, capacity, caps):
    objective, rows, most = programme(worth, budget, capacity, caps)
    solved = milp(
        objective, integrality=np.ones(len(objective), dtype=int), bounds=Bounds(0, 1),
        constraints=LinearConstraint(rows, ub=most),
        options={"mip_rel_gap": 1e-9, "presolve": False},
    )  # fmt: skip
    return -solved.fun


def lp_bound(worth, budget, capacity, caps):
    objective, rows, most = programme(worth, budget, capacity, caps)
    return -linprog(objective, A_ub=rows, b_ub=most, bounds=(0, 1), method="highs").fun


def spent(found):
    return COSTS @ counts(found)


def counts(found):
    return np.bincount(found.level[found.level >= 0], minlength=3)


# -- by hand ---------------------------------------------------------------------------


def test_three_customers_two_levels():
    """Costs 1 and 3, budget 4. Gains 3|5, 4|9, 2|4.

    One Premium and one Basic: 9 + 3 = 12. Three Basics cost 3: 9. So the second customer gets
    Premium and the first Basic.
    """
    worth = np.array([[3.0, 5.0], [4.0, 9.0], [2.0, 4.0]])

    found = choose_levels(worth, np.array([1.0, 3.0]), budget=4)

    assert found.level.tolist() == [0, 1, -1]
    assert found.value == pytest.approx(12)


def test_the_shadow_price_lies_between_the_last_gain_and_the_next():
    """Gains 10, 6, 2 at cost 1 and budget 2: the last unit brought 6, one more would bring 2."""
    found = choose_levels(np.array([[10.0], [6.0], [2.0]]), np.ones(1), budget=2)

    assert found.level.tolist() == [0, 0, -1]
    assert 2 - 1e-6 <= found.money_price <= 6 + 1e-6


def test_the_bound_is_that_of_fractions():
    """Gains 4 and 3 at cost 2 and 2, budget 3: all of the first, half of the second: 5.5."""
    found = choose_levels(np.array([[4.0], [3.0]]), np.array([2.0]), budget=3)

    assert found.value == pytest.approx(4)
    assert found.bound == pytest.approx(5.5)


def test_both_limits_of_equal_customers_are_used_up():
    """1000 equal customers, 1000 contacts, budget 2000, costs 1 and 3: half of each, 2 and 4."""
    found = choose_levels(np.ones((1000, 1)) * [2.0, 4.0], np.array([1.0, 3.0]), budget=2000,
                          capacity=1000)  # fmt: skip

    assert np.bincount(found.level).tolist() == [500, 500]
    assert found.value == pytest.approx(3000)


def test_two_levels_that_cost_and_save_the_same_fill_one_after_the_other():
    """Capacities 2 and 1 for three of five customers: the three worth most."""
    worth = np.array([1.0, 5.0, 4.0, 2.0, 3.0])[:, None] * np.ones(2)

    found = choose_levels(worth, np.zeros(2), level_capacity=[2, 1])

    assert np.flatnonzero(found.level >= 0).tolist() == [1, 2, 4]
    assert np.bincount(found.level[found.level >= 0]).tolist() == [2, 1]


def test_in_order_a_closed_level_gives_way_to_the_next_liked():
    """Budget 5: the first takes 4, the second cannot and takes 1, the third finds 0 left."""
    limits = make_resources(np.array([1.0, 4.0]), 5.0, None, [None, None], 3)

    level = serve_in_order(np.ones((2, 3)) * [[1.0], [2.0]], np.arange(3), limits)

    assert level.tolist() == [1, 0, -1]


# -- edges -----------------------------------------------------------------------------


def test_a_budget_of_nothing_buys_only_what_is_free():
    found = choose_levels(np.array([[9.0, 1.0], [9.0, -1.0]]), np.array([1.0, 0.0]), budget=0)

    assert found.level.tolist() == [1, -1]
    assert np.isfinite(found.money_price)


def test_a_budget_above_everything_has_no_price():
    worth = customers(50)

    found = choose_levels(worth, COSTS, budget=1e12, capacity=10**9)

    assert found.money_price == found.contact_price == 0
    assert found.value == pytest.approx(np.maximum(worth.max(axis=1), 0).sum())
    assert found.bound == pytest.approx(found.value)


@pytest.mark.parametrize("shape", [(0, 3), (4, 3)])
def test_nobody_and_nothing_of_worth(shape):
    found = choose_levels(np.full(shape, -1.0), COSTS, budget=5)

    assert (found.level == -1).all()
    assert found.value == found.bound == 0


def test_one_customer_gets_the_best_affordable_level():
    found = choose_levels(np.array([[3.0, 5.0]]), np.array([1.0, 2.0]), budget=1)

    assert found.level.tolist() == [0]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_value_that_is_no_number_is_refused(bad):
    with pytest.raises(ParameterError, match="NaN or infinite"):
        choose_levels(np.array([[1.0], [bad]]), np.ones(1), budget=1)


def test_a_budget_of_point_three_pays_three_contacts_of_point_one():
    found = choose_levels(np.ones((5, 1)), np.array([0.1]), budget=0.3)

    assert (found.level == 0).sum() == 3


@pytest.mark.parametrize("scale", [1e-9, 1e9])
def test_the_unit_of_money_does_not_matter(scale):
    worth = customers(300)

    found = choose_levels(worth * scale, COSTS * scale, budget=30 * scale)

    np.testing.assert_array_equal(found.level, choose_levels(worth, COSTS, budget=30).level)


# -- laws ------------------------------------------------------------------------------

LIMITS = [
    (0.1, None, (None, None, None)),
    (None, 0.05, (None, None, None)),
    (0.1, 0.05, (None, None, None)),
    (0.1, 0.06, (0.02, 0.02, 0.01)),
]


def limits_of(n, limits):
    budget, capacity, caps = limits
    whole = [None if one is None else int(one * n) for one in (capacity, *caps)]
    return None if budget is None else budget * n, whole[0], whole[1:]


@pytest.mark.parametrize("limits", LIMITS)
@pytest.mark.parametrize("n", [8, 40, 200])
def test_few_customers_are_planned_as_well_as_can_be(n, limits):
    """The same sum as SciPy's integer programme, and no limit broken."""
    for seed in range(3):
        worth = customers(n, seed)
        budget, capacity, caps = limits_of(n, limits)

        found = choose_levels(worth, COSTS, budget=budget, capacity=capacity, level_capacity=caps)

        assert found.value == pytest.approx(exact(worth, budget, capacity, caps), rel=1e-6)
        assert budget is None or spent(found) <= budget * (1 + 1e-12)
        assert capacity is None or counts(found).sum() <= capacity
        assert all(cap is None or n_ <= cap for cap, n_ in zip(caps, counts(found), strict=True))


@pytest.mark.parametrize("limits", LIMITS)
def test_many_customers_are_within_a_ten_thousandth_of_the_bound(limits):
    """The bound is HiGHS' optimum of the linear programme, and ours says the same."""
    n = 10_000
    worth = customers(n)
    budget, capacity, caps = limits_of(n, limits)

    found = choose_levels(worth, COSTS, budget=budget, capacity=capacity, level_capacity=caps)
    bound = lp_bound(worth, budget, capacity, caps)

    assert found.bound == pytest.approx(bound, rel=1e-6)
    assert bound * (1 - 1e-4) <= found.value <= bound * (1 + 1e-9)
    assert budget is None or spent(found) <= budget * (1 + 1e-12)
    assert capacity is None or counts(found).sum() <= capacity


def test_a_solver_that_gives_up_still_leaves_a_plan_within_the_limits(monkeypatch):
    """Then the most decided customers come first; a tenth is lost at most here."""
    worth = customers(1000)
    best = choose_levels(worth, COSTS, budget=100).value
    monkeypatch.setattr("anticipate.retention.rounding._numbers", lambda *args: None)

    found = choose_levels(worth, COSTS, budget=100)

    assert spent(found) <= 100
    assert 0.9 * best <= found.value <= best


def test_planning_prints_nothing(capfd):
    """HiGHS does so by itself for some of these, unless asked in the right way."""
    for seed in range(8):
        choose_levels(customers(3000, seed), COSTS, budget=300, capacity=150)

    assert capfd.readouterr() == ("", "")


def test_more_budget_never_saves_less():
    worth = customers(400)

    values = [choose_levels(worth, COSTS, budget=b).value for b in (0, 1, 5, 10, 20, 40, 80, 1e3)]

    assert (np.diff(values) >= -1e-9).all()


def test_the_order_of_customers_changes_nothing():
    worth = customers(3000)
    order = np.random.default_rng(1).permutation(len(worth))

    found = choose_levels(worth, COSTS, budget=300, capacity=150)
    other = choose_levels(worth[order], COSTS, budget=300, capacity=150)

    assert other.value == pytest.approx(found.value, rel=1e-6)
