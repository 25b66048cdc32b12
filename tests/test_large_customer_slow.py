"""One customer with a million events goes through the whole job like any other."""

from __future__ import annotations

import numpy as np
import pytest

from anticipate import Anticipator, InteractionLog, Scorer

pytestmark = pytest.mark.slow
N_EVENTS, N_OTHERS, N_ITEMS = 1_000_000, 300, 1000


@pytest.mark.filterwarnings("ignore::anticipate.exceptions.MinimumDataWarning")
def test_a_million_event_customer_is_learned_from_stored_and_answered(tmp_path):
    """480 days of 2,000 events a day by one; about twenty events by each of 300 others."""
    rng = np.random.default_rng(0)
    n = N_EVENTS + 20 * N_OTHERS
    seconds = np.sort(rng.integers(0, 480 * 86_400, n))
    customer = np.where(rng.permutation(n) < N_EVENTS, 0, rng.integers(1, N_OTHERS + 1, n))
    rows = {
        "customer_id": customer,
        "item_id": rng.integers(0, N_ITEMS, n),
        "timestamp": np.datetime64("2024-01-01", "us") + seconds * 10**6,
        "price": rng.integers(1, 9, n).astype(float),
    }
    log = InteractionLog.from_frame(rows, price="price", timezone="UTC", closed_until="2025-06-01")
    history = log.as_of("2025-04-25")
    model = Anticipator(random_state=0).fit(history)
    scorer = Scorer.load(model.save(tmp_path / "b"))

    found = scorer.suggest(0, as_of="2025-04-25", cart=[5], n=5, audience="staff")
    brief = scorer.brief(0, as_of="2025-04-25")

    assert len(found) == 5
    assert all(0 <= one.probability <= 1 for one in found)
    assert brief["relation"]["n_purchase_days"] == 480
    assert scorer.churn([0], as_of="2025-04-25")["p_churn"].item() < 0.01
