"""Looking back: a line inside the history is judged by what was known before it."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from anticipate.exceptions import MinimumDataWarning
from anticipate.guards import DuplicateGuard
from anticipate.guards.looking_back import _carts_in_doubt
from anticipate.kernels.owned import Lines
from anticipate.log import InteractionLog

DAY = pd.Timestamp("2024-01-01", tz="UTC")
EVENTS = ["purchase", "return", "cancel", "warning_dismissed", "warning_accepted", "view"]
KINDS = ("double_submit", "already_owned", "substitute_owned")


def shop(seed, *, share_late):
    """Events of which a share becomes known up to 40 days late; items in pairs of one work."""
    rng, n = np.random.default_rng(seed), 2500
    days = np.round(rng.uniform(0, 400, n) * 144) / 144
    table = pd.DataFrame({
        "customer_id": rng.integers(0, 60, n), "item_id": rng.integers(0, 25, n),
        "timestamp": DAY + pd.to_timedelta(days, unit="D"),
        "event": rng.choice(EVENTS, n, p=[0.82, 0.07, 0.03, 0.03, 0.02, 0.03]),
        "gift": rng.random(n) < 0.05, "order_id": rng.integers(0, 400, n),
    })  # fmt: skip
    wait = np.where(rng.random(n) < share_late, rng.integers(1, 40, n), 0)
    table["known_at"] = table["timestamp"] + pd.to_timedelta(wait, unit="D")
    items = pd.DataFrame({"item_id": range(25), "work_id": [f"w{i // 2}" for i in range(25)]})
    return InteractionLog.from_frame(
        table, event="event", gift="gift", order_id="order_id", known_at="known_at", items=items,
        closed_until=DAY + pd.Timedelta(days=500),
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(2))
def test_a_review_of_the_past_equals_a_review_at_its_time(seed):
    """Forty lines, all at once, against each alone with the history cut at its own instant."""
    log = shop(seed, share_late=0.3)
    history = log.as_of(DAY + pd.Timedelta(days=380))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MinimumDataWarning)
        guard = DuplicateGuard(kinds=KINDS).fit(history)
    bought = history.to_pandas().query("event == 'purchase' and timestamp > '2024-03-01T00:00Z'")
    cart = bought[["customer_id", "item_id", "timestamp"]].sample(40, random_state=seed)
    cart = cart.drop_duplicates("customer_id").reset_index(drop=True)
    told = ["verdict", "kind", "probability", "reason"]
    found = guard.review(cart, history)[told]

    for k in cart.index:
        alone = guard.review(cart.loc[[k]], history.as_of(cart.loc[k, "timestamp"]))[told]
        pd.testing.assert_frame_equal(found.loc[[k]], alone)
    assert found["kind"].notna().sum() > 5


def test_only_carts_between_an_event_and_its_becoming_known_are_in_doubt():
    """Bought on day 0, known on day 10: lines of day 5 and 10 of that customer, no others."""
    table = pd.DataFrame({
        "customer_id": [1, 2], "item_id": ["a", "a"], "timestamp": [DAY, DAY],
        "known_at": [DAY + pd.Timedelta(days=10), DAY],
    })  # fmt: skip
    log = InteractionLog.from_frame(
        table, known_at="known_at", closed_until=DAY + pd.Timedelta(days=90)
    )
    events = log.as_of(DAY + pd.Timedelta(days=60)).events
    days = np.array([0, 5, 10, 11, 5])
    at = int(DAY.value // 1000) + days * 86_400_000_000
    who = np.array([0, 0, 0, 0, 1])
    lines = Lines(who, np.zeros(5, np.int64), at, np.ones(5), np.zeros(5, dtype=bool))

    doubt = _carts_in_doubt(events, lines)
    assert [(who, (us - at[0]) // 86_400_000_000) for who, us in doubt] == [(0, 5), (0, 10)]
