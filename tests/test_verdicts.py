"""From probabilities to verdicts: the edge of a threshold, the cap of a quarter, any order."""

from __future__ import annotations

import numpy as np
import pytest
from test_habits import lines_of
from test_rules import EBOOK, LAMP, PRINT, TEA, line

from anticipate.guards.costs import Costs
from anticipate.kernels.rules import ALREADY_OWNED, DOUBLE_SUBMIT, NONE, SUBSTITUTE_OWNED, Findings
from anticipate.kernels.verdicts import Speaking, choose_warnings


def speaking(*, own=0.5, other=0.5, double=0.5, most=np.inf):
    return Speaking(np.array([np.inf, double, own, other]), 1.0, 1.0, most)


def findings(probability, kind=ALREADY_OWNED, n_lately=0):
    n = len(probability)
    none = np.full(n, -1)
    kinds = np.broadcast_to(np.asarray(kind, dtype=np.int8), n)
    return Findings(kinds, np.array(probability), none, none, np.broadcast_to(n_lately, n))


def warned(found, lines, say):
    return choose_warnings(found, lines_of(*lines), say).tolist()


# -- by hand -------------------------------------------------------------------------


def test_a_warning_is_worth_it_when_mistakes_cost_more_than_doubts():
    """2 P > 1 (1 - P) from P = 1/3 on, exclusive."""
    edge = Costs(mistake=2.0, doubt=1.0).break_even
    chances = [0.0, 0.33, edge, np.nextafter(edge, 1.0), 1.0]

    assert edge == pytest.approx(1 / 3)
    said = warned(findings(chances), [line(days=400 + d) for d in range(5)], speaking(own=edge))
    assert said == [False, False, False, True, True]


def test_each_kind_has_its_own_threshold():
    kinds = [NONE, DOUBLE_SUBMIT, ALREADY_OWNED, SUBSTITUTE_OWNED]
    say = speaking(double=0.3, own=np.inf, other=0.9)

    assert warned(findings([0.8] * 4, kinds), [line()] * 4, say) == [False, True, False, False]


def test_the_likeliest_of_a_cart_are_said_first():
    """Two a quarter of four lines of one cart; the other customer has a quarter of its own."""
    lines = [line(item) for item in (EBOOK, LAMP, PRINT, TEA)] + [line(customer=1)]
    found = findings([0.6, 0.9, 0.7, 0.8, 0.55])

    assert warned(found, lines, speaking(most=2)) == [False, True, False, True, True]


def test_earlier_carts_are_said_first_and_count_for_a_quarter():
    """One a quarter: day 0 is said, day 91 not, day 91.4 again, and that one counts on."""
    lines = [line(days=d) for d in (0, 91, 91.4, 182.7)]
    found = findings([0.6, 0.9, 0.6, 0.9])

    assert warned(found, lines, speaking(most=1)) == [True, False, True, False]


def test_answers_in_the_log_count_with_warnings_of_the_review():
    """Three a quarter, of which the log holds two, one and none."""
    lines = [line(item, customer=c) for c in (0, 1) for item in (EBOOK, LAMP, PRINT, TEA)]
    chances = [0.9, 0.8, 0.7, 0.6] * 2
    found = findings(chances, n_lately=np.repeat([2, 1], 4))

    assert warned(found, lines, speaking(most=3)) == [True] + [False] * 3 + [True] * 2 + [False] * 2
    assert sum(warned(findings(chances, n_lately=3), lines, speaking(most=3))) == 0


# -- law -----------------------------------------------------------------------------


def random_review(seed, n=80):
    rng = np.random.default_rng(seed)
    lines = [
        line(int(rng.integers(40)), float(rng.integers(400, 420)) * 20, customer=int(c))
        for c in rng.integers(0, 3, n)
    ]
    lines = list(dict.fromkeys(lines))  # an item once a cart
    chances = rng.choice([0.2, 0.6, 0.8, 0.9], len(lines)).tolist()
    return lines, chances


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("most", [1, 3])
def test_the_order_of_lines_changes_no_verdict(seed, most):
    """Equal probabilities in one cart included."""
    lines, chances = random_review(seed)
    order = np.random.default_rng(seed).permutation(len(lines))
    straight = np.array(warned(findings(chances), lines, speaking(most=most)))
    mixed = warned(
        findings([chances[i] for i in order]), [lines[i] for i in order], speaking(most=most)
    )

    assert straight.any()
    assert straight[order].tolist() == mixed


@pytest.mark.parametrize("most", [1, 2, 5])
def test_no_quarter_holds_more_than_agreed(most):
    lines, chances = random_review(9)
    said = np.array(warned(findings(chances), lines, speaking(most=most)))
    free = np.array(warned(findings(chances), lines, speaking()))
    table = lines_of(*lines)

    assert (free | ~said).all()
    assert said.sum() < free.sum()
    quarter = 91.3125 * 86_400_000_000
    for customer in range(3):
        at = np.sort(table.timestamp[said & (table.customer == customer)])
        assert all(((at >= t - quarter) & (at <= t)).sum() <= most for t in at)


def test_a_customer_alone_is_warned_as_in_a_batch():
    lines, chances = random_review(5)
    own = [i for i, one in enumerate(lines) if one[0] == 1]
    together = warned(findings(chances), lines, speaking(most=2))
    alone = warned(findings([chances[i] for i in own]), [lines[i] for i in own], speaking(most=2))

    assert [together[i] for i in own] == alone


def test_what_is_said_when_comes_back_from_an_array():
    say = Speaking(np.array([np.inf, 0.1, np.inf, 0.3]), 7.0, 1.5, 4.0)
    back = Speaking.from_array(say.to_array())

    assert back.thresholds.tolist() == say.thresholds.tolist()
    assert back[1:] == say[1:]
    assert back.costs == (7.0, 1.5)
