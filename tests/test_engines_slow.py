"""The streamed engine killed again and again: it ends with the bytes of a run left alone."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from anticipate.engines import partition_events

JOB = """
import sys
from anticipate.engines import partition_events
partition_events(sys.argv[1], sys.argv[2], n_partitions=5, timezone="UTC")
"""


@pytest.mark.slow
def test_killed_at_any_moment_it_ends_with_the_same_bytes(tmp_path):
    """60 files of 20,000 rows; kill -9 after 0.1 s to 2 s of work, until a run is left to end."""
    rng, events = np.random.default_rng(0), tmp_path / "events"
    events.mkdir()
    for number in range(60):
        seconds = rng.integers(0, 10**7, 20_000) * np.timedelta64(1, "s")
        pd.DataFrame({
            "customer_id": rng.integers(0, 500, 20_000), "item_id": rng.integers(0, 90, 20_000),
            "timestamp": np.datetime64("2024-01-01", "us") + seconds,
        }).to_parquet(events / f"{number:02d}.parquet")  # fmt: skip
    alone = partition_events(events, tmp_path / "alone", n_partitions=5, timezone="UTC").folder
    kept = []
    for _ in range(6):
        run = subprocess.Popen([sys.executable, "-c", JOB, events, tmp_path / "w"])
        began, before = time.monotonic(), len(list((tmp_path / "w").glob("*/*.json")))
        # The import takes a while: the clock starts with the first new piece.
        while run.poll() is None and time.monotonic() - began < 60:
            if len(list((tmp_path / "w").glob("*/*.json"))) > before:
                break
            time.sleep(0.01)
        time.sleep(rng.uniform(0.0, 0.2))
        run.kill()
        run.wait()
        kept.append(len(list((tmp_path / "w").glob("*/*.json"))))

    again = partition_events(events, tmp_path / "w", n_partitions=5, timezone="UTC").folder

    assert 0 < kept[0] < 60
    assert kept == sorted(kept)
    found = {file.name: file.read_bytes() for file in again.iterdir()}
    assert found == {file.name: file.read_bytes() for file in alone.iterdir()}
