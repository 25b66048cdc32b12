"""How a customer's carts look: counts by hand, the rest of a cart, and the laws."""

from __future__ import annotations

import numpy as np
import pytest
from test_rules import EBOOK, LAMP, PRINT, TEA, bought, events_of, line, random_case

from anticipate.kernels.events import PURCHASE_CODE
from anticipate.kernels.habits import (
    Rest,
    find_habits,
    habits_from,
    last_habits,
    rest_of_cart,
    run_ends,
)
from anticipate.kernels.owned import Lines
from anticipate.testing import random_log


def lines_of(*lines):
    return Lines(*(np.array(column) for column in zip(*lines, strict=True)))


def habits(rows, *lines):
    return find_habits(events_of(rows)[0], lines_of(*lines))


# -- by hand -------------------------------------------------------------------------


def test_habits_before_a_line():
    """Carts on day 0 (ebook, lamp), 10 (ebook, tea), 20 (tea): items 3; lines bought in an
    earlier cart 2; lines of all carts but the first 3; the last cart 30 days ago."""
    rows = [bought(), bought("lamp"), bought(days=10), bought("tea", 10), bought("tea", 20)]
    found = habits(rows, line(days=50))

    assert [column.tolist() for column in found] == [[3], [2], [3], [30.0]]


def test_only_what_lies_before_each_line_counts():
    """At the instant of the second cart the first is all; a moment later both are."""
    rows = [bought(), bought("lamp"), bought(days=10), bought("tea", 10)]
    found = habits(rows, line(days=0), line(days=10), line(days=10.5), line(days=10, customer=1))

    assert found.n_owned.tolist() == [0, 2, 3, 0]
    assert found.n_repeats.tolist() == [0, 0, 1, 0]
    assert found.n_later.tolist() == [0, 0, 2, 0]
    np.testing.assert_allclose(found.days_since_cart, [np.nan, 10, 0.5, np.nan])


def test_an_item_twice_in_one_cart_is_no_repeat():
    found = habits([bought(order_id="1"), bought(order_id="2"), bought(days=5)], line())

    assert (found.n_owned[0], found.n_repeats[0], found.n_later[0]) == (1, 1, 1)


def test_gifts_views_and_returns_are_no_habit():
    rows = [bought(gift=True), bought(days=1, event="view"), bought("lamp", 2),
            bought("lamp", 3, event="return"), bought("lamp", 4, gift=True)]  # fmt: skip
    found = habits(rows, line(days=7))

    assert [column.tolist() for column in found] == [[1], [0], [0], [5.0]]


def test_the_rest_of_each_cart():
    """One cart of three, two owned; another of one; a gift is none of them but sees them."""
    cart = [line(EBOOK), line(LAMP), line(TEA), line(EBOOK, 401), line(PRINT, gift=True)]
    owned = np.array([True, True, False, True, True])
    found = rest_of_cart(lines_of(*cart), owned)

    assert found.n_lines.tolist() == [2, 2, 2, 0, 3]
    assert found.n_owned.tolist() == [1, 1, 2, 0, 2]


def test_a_single_cart_counts_as_among_others():
    """The short road of one cart gives what the long road does."""
    cart = [line(EBOOK), line(LAMP, gift=True), line(TEA), line(PRINT)]
    owned = np.array([True, True, False, True])
    alone = rest_of_cart(lines_of(*cart), owned)
    among = rest_of_cart(lines_of(*cart, line(EBOOK, customer=1)), np.append(owned, True))

    for short, long in zip(alone, among, strict=True):
        assert short.tolist() == long[:4].tolist()
    assert alone.n_lines.tolist() == [2, 3, 2, 2]
    assert alone.n_owned.tolist() == [1, 2, 2, 1]


def test_run_ends_are_the_first_times_not_before():
    """Runs [0, 4), [4, 4) and [4, 6) of 1 3 3 5 | 2 4; ties lie after."""
    time = np.array([1, 3, 3, 5, 2, 4])
    low, high = np.array([0, 0, 0, 4, 4, 4]), np.array([4, 4, 4, 4, 6, 6])
    at = np.array([0, 3, 9, 3, 4, 5])

    assert run_ends(time, low, high, at).tolist() == [0, 1, 4, 4, 5, 6]
    assert run_ends(time, low, high, np.full(6, 10)).tolist() == high.tolist()


# -- edge and law ----------------------------------------------------------------------


def test_nothing_gives_nothing():
    none = np.zeros(0, dtype=np.int64)
    lines = Lines(none, none, none, none.astype(float), none.astype(bool))

    assert run_ends(none, none, none, none).tolist() == []
    assert len(rest_of_cart(lines, none.astype(bool)).n_lines) == 0
    found = habits([bought(event="view")], line())
    assert found.n_owned.tolist() == [0]
    assert np.isnan(found.days_since_cart[0])


@pytest.mark.parametrize("seed", range(5))
def test_run_ends_are_searchsorted_run_by_run(seed):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(0, 6, 40)
    edges = np.concatenate(([0], np.cumsum(sizes)))
    time = np.concatenate([np.sort(rng.integers(0, 9, n)) for n in sizes])
    run, at = rng.integers(0, 40, 200), rng.integers(-1, 11, 200)
    low, high = edges[run], edges[run + 1]

    expected = [a + np.searchsorted(time[a:b], t) for a, b, t in zip(low, high, at, strict=True)]
    assert run_ends(time, low, high, at).tolist() == expected


@pytest.mark.parametrize("seed", range(3))
def test_habits_are_counted_as_one_by_one(seed):
    """Against a plain count of each line's own past."""
    rows, lines = random_case(seed)
    events, _ = events_of(rows)
    found = find_habits(events, lines_of(*lines))
    for i, (customer, _, at, _, _) in enumerate(lines):
        mine = (events.customer == customer) & (events.event == PURCHASE_CODE) & ~events.gift
        mine = events.take(np.flatnonzero(mine & (events.timestamp < at)))
        earliest = {}
        for item, time in zip(mine.item.tolist(), mine.timestamp.tolist(), strict=True):
            earliest.setdefault(item, time)
        again = [t > earliest[x] for x, t in zip(mine.item.tolist(), mine.timestamp, strict=True)]
        first = mine.timestamp.min() if mine.n else 0
        assert found.n_owned[i] == len(earliest)
        assert found.n_repeats[i] == sum(again)
        assert found.n_later[i] == (mine.timestamp > first).sum()


@pytest.mark.parametrize("seed", range(3))
def test_the_rest_of_a_cart_does_not_depend_on_order_or_others(seed):
    _, lines = random_case(seed)
    lines = [(c, item, at // 10**12 * 10**12, n, gift) for c, item, at, n, gift in lines]
    rng = np.random.default_rng(seed)
    owned, order = rng.random(len(lines)) < 0.5, rng.permutation(len(lines))
    whole, table = rest_of_cart(lines_of(*lines), owned), lines_of(*lines)
    mixed = rest_of_cart(Lines(*(column[order] for column in table)), owned[order])
    own = table.customer == 0
    alone = rest_of_cart(Lines(*(column[own] for column in table)), owned[own])

    assert whole.n_lines.max() > 1
    for column in range(len(Rest._fields)):
        assert whole[column][order].tolist() == mixed[column].tolist()
        assert whole[column][own].tolist() == alone[column].tolist()


# -- stored ----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_what_a_bundle_stores_is_what_would_be_counted_anew(seed):
    """As of after the last event, for every customer of a log with gifts and returns."""
    history = random_log(seed).as_of("2025-01-01")
    events, m = history.events, history.n_customers
    at = np.full(m, history.cutoff_us)
    nothing = np.zeros(m)
    lines = Lines(np.arange(m), nothing.astype(np.int64), at, nothing, nothing.astype(bool))

    for stored, counted in zip(
        habits_from(last_habits(events), lines), find_habits(events, lines), strict=True
    ):
        np.testing.assert_array_equal(stored, counted)
