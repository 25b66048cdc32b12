"""Contracts by hand: when one is open, what closes it, what is counted, and why."""

from __future__ import annotations

import numpy as np
import pytest
from random_contracts import Row, day, log_of, quick

from anticipate.churn.contracts.rows import Contracts, period_table, person_periods
from anticipate.churn.contracts.state import contract_outcomes, contract_state
from anticipate.columns import EVENT_CODES
from anticipate.kernels import contract as kernel
from anticipate.kernels.contract_reasons import REASON_FACTS
from anticipate.suggestions.contract_words import SENTENCES, contract_facts, contract_sentences


def state_of(rows: list[Row], at: float, ends: list[Row] | None = None) -> dict[str, float]:
    """The one customer's state as plain numbers."""
    state = contract_state(log_of(rows, ends).as_of(day(at)))
    return {name: float(column[0]) for name, column in state._asdict().items()}


def test_kernel_codes_are_those_of_the_events():
    names = ("subscribe", "renew", "lapse")

    assert tuple(EVENT_CODES[name] for name in names) == kernel.CONTRACT_CODES


def test_an_open_contract_is_counted_from_its_first_day():
    """Begun on day 0, renewed on 30 and 60, asked on 80: tenure 80, last renewal 20, 2 times."""
    rows = [(1, 0, "subscribe"), (1, 30, "renew"), (1, 60, "renew")]
    state = state_of(rows, 80, [(1, 90, 60)])

    assert (state["open"], state["tenure_days"], state["days_since_renewal"]) == (1, 80, 20)
    assert (state["n_renewals"], state["days_to_end"]) == (2, 10)
    assert np.isnan(state["closed_days"])


def test_a_lapse_closes_and_what_follows_is_a_new_contract():
    """Lapse on 50: closed for 30 d on day 80. New from 85: tenure 5 on day 90."""
    rows = [(1, 0, "subscribe"), (1, 40, "renew"), (1, 50, "lapse")]
    closed, again = state_of(rows, 80), state_of([*rows, (1, 85, "subscribe")], 90)

    assert (closed["open"], closed["closed_days"], closed["length_days"]) == (0, 30, 50)
    assert (again["open"], again["tenure_days"], again["n_renewals"]) == (1, 5, 0)


@pytest.mark.parametrize("hour", [0, 5], ids=["same instant", "same day"])
def test_a_change_of_contract_on_one_day_is_no_end(hour: int):
    """Lapse at 10:00, subscribe at 10:00 or 15:00: tenure goes on. The day after: it does not."""
    rows = [(1, 0.0, "subscribe"), (1, 50 + 10 / 24, "lapse")]
    kept = state_of([*rows, (1, 50 + (10 + hour) / 24, "subscribe")], 80)
    ended = state_of([*rows, (1, 51.0, "subscribe")], 80)

    assert (kept["tenure_days"], ended["tenure_days"]) == (80, 29)


def test_a_stated_end_that_passes_closes():
    """End on day 90, asked on 100: closed for 10 d. On day 90 itself it still runs: 0 days."""
    rows, ends = [(1, 0, "subscribe")], [(1, 90, 0)]

    assert state_of(rows, 100, ends)["closed_days"] == 10
    assert state_of(rows, 90, ends)["days_to_end"] == 0


def test_after_a_passed_end_a_renewal_continues_and_a_subscription_begins():
    """End on 90; on 95 a renewal: tenure 100 on day 100. A subscription: 5."""
    for event, tenure in (("renew", 100), ("subscribe", 5)):
        assert state_of([(1, 0, "subscribe"), (1, 95, event)], 100, [(1, 90, 0)])[
            "tenure_days"
        ] == pytest.approx(tenure)


def test_an_early_renewal_or_a_lapse_makes_the_old_end_void():
    """End on 90; renewed on 80, nothing stated since: on day 100 open, end unknown. A payment
    logged on day 1 says nothing of the end. After lapse and new contract the old end is void."""
    early = state_of([(1, 0, "subscribe"), (1, 80, "renew")], 100, [(1, 90, 0)])
    late = state_of([(1, 0, "subscribe"), (1, 1, "renew")], 100, [(1, 90, 0)])
    anew = [(1, 0, "subscribe"), (1, 20, "lapse"), (1, 30, "subscribe")]

    assert (early["open"], late["open"]) == (1, 0)
    assert np.isnan(early["days_to_end"])
    assert np.isnan(state_of(anew, 60, [(1, 90, 0)])["days_to_end"])
    assert state_of(anew, 100, [(1, 90, 0)])["open"] == 1


def test_an_end_extended_before_it_passes_never_closes():
    """End 90, on day 85 put off to 120: on day 100 open, 20 days to go."""
    state = state_of([(1, 0, "subscribe")], 100, [(1, 90, 0), (1, 120, 85)])

    assert (state["open"], state["days_to_end"]) == (1, 20)


def test_labels_count_lapses_and_ends_that_nobody_renewed():
    """Window [50, 80). 1 lapses on 60; 2's end passes on 70; 3's too, renewed on 75; 4 runs on;
    5 lapsed on 40; 6 lapses on 65 and comes back on 70: it counts, on another day; 7's end passes
    too, and on 75 a new contract begins: no churn, though a new tenure."""
    rows = [(c, 0, "subscribe") for c in range(1, 8)]
    rows += [(1, 60, "lapse"), (3, 75, "renew"), (5, 40, "lapse"), (6, 65, "lapse")]
    rows += [(6, 70, "subscribe"), (7, 75, "subscribe")]
    log = log_of(rows, [(2, 70, 0), (3, 70, 0), (4, 200, 0), (7, 70, 0)])
    labels = contract_outcomes(log, day(50), 30)

    assert labels["open"].tolist() == [True] * 4 + [False, True, True]
    assert labels["closed"].tolist() == [True, True, False, False, False, True, False]
    assert labels["closed_after_days"].dropna().tolist() == [10, 20, 15]


def test_survival_is_the_product_of_what_the_hazards_leave():
    """h = 1/2, 1/3: S = 1/2, then 1/2 · 2/3 = 1/3; odds of closing (2/3) / (1/3) = 2."""
    z = np.log([[1.0, 1 / 2]])
    log_open = kernel.log_survival(z)

    assert np.exp(log_open[0]) == pytest.approx([1 / 2, 1 / 3])
    assert np.exp(kernel.log_odds_closed(log_open[:, -1])) == pytest.approx([2])


def test_life_table_draws_thin_bands_to_the_overall_hazard():
    """3 of 4 periods close: h = 3.5 / 5. Band 0: 1 of 2, band 1: 2 of 2; weight 20."""
    ages, closed = np.array([0.0, 29, 30, 45]), np.array([True, False, True, True])
    table = kernel.fit_life_table(ages, closed, 30.0)

    assert table.hazard == pytest.approx([(1 + 20 * 0.7) / 22, (2 + 20 * 0.7) / 22])


def test_person_periods_end_with_the_closing():
    """Periods of 30 d. Closed after 10 d: in the first; on day 30: in the second; never."""
    at_risk, closes = person_periods(np.array([10.0, 30, np.inf]), 30.0, 3)

    assert [mask.tolist() for mask in at_risk] == [
        [True] * 3,
        [False, True, True],
        [False] * 2 + [True],
    ]
    assert closes.tolist() == [True, False, False, True, False, False]


def test_the_contract_moves_on_from_period_to_period():
    """Second period of 30 d: tenure 100 -> 130, since renewal 40 -> 70, end in 45 -> 15 d: inside.
    Usual term 90 d: completed between 70 and 100 d."""
    table = Contracts(np.empty((1, 0)), *(np.array([x]) for x in (100.0, 40.0, 2.0, 45.0, 90.0)))

    assert period_table(table, 0, 30.0)[0].tolist() == [100, 40, 2, 45, 0, 0, 0, 0]
    assert period_table(table, 1, 30.0)[0].tolist() == [130, 70, 2, 15, 1, 0, 1, 1]


def test_reasons_state_facts_that_can_be_counted():
    """1 ends in 21 d; 2 was renewed, no end known; 3 lapsed 12 d ago; 4 only looked."""
    rows = [(1, 0, "subscribe"), (2, 0, "subscribe"), (2, 280, "renew"), (3, 0, "subscribe")]
    rows += [(3, 288, "lapse"), (4, 5, "view")]
    past = [(c, 10, "subscribe") for c in range(10, 14)] + [(c, 200, "renew") for c in (10, 11, 12)]
    ends = [(1, 321, 0), *((c, 200, 10) for c in range(10, 14))]
    history = log_of(rows + past, ends).as_of(day(300))
    model = quick(history)
    reason, facts = model.predict_reasons(history.select([1, 2, 3, 4]))

    assert contract_facts(reason, facts, 0) == {"days_to_end": 21, "n_like": 4, "n_not_renewed": 1}
    assert contract_sentences(reason, facts).tolist() == [
        "contract ends in 21 days; of 4 like contracts 1 were not renewed",
        "customer for 300 days, renewed 1 time(s), last 20 days ago",
        "contract closed 12 days ago",
        "no contract of this customer is known",
    ]
    assert "12일 전" in contract_sentences(reason, facts, "ko")[2]
    assert set(SENTENCES) == set(REASON_FACTS)
