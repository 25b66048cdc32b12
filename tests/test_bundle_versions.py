"""Bundles of other formats: what they are told, and that a save over them mends it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bundle_forging import forge

from anticipate import Anticipator, Scorer
from anticipate.bundle import bundle_info, write_bundle
from anticipate.bundle.layout import FORMAT_VERSION
from anticipate.columns import EVENTS
from anticipate.exceptions import BundleError

# Entries of the manifest as formats 2 and 3 had them, and arrays that both had.
OLD_MANIFEST: dict[str, Any] = {
    "benefits": None,
    "churn_horizon_days": 90.0,
    "cutoff": "2025-03-01 00:00:00+00:00",
    "cutoff_us": 1740787200000000,
    "event_names": list(EVENTS),
    "features": {"churn": ["n_events"], "needs_new": ["odds"], "needs_own": ["odds"]},
    "golden": [{"answer": [], "request": {"as_of": "2025-03-01", "cart": [], "recent": []}}],
    "horizon_days": 30.0,
    "n_customers": 2,
    "n_events": 3,
    "n_items": 2,
    "parameters": {"horizon_days": 30.0, "churn_horizon_days": 90.0, "random_state": 0},
    "popular_window_days": 30.0,
    "report": {"churn": {"btyd": "pareto_nbd"}},
    "sources": ["repeat", "popular"],
    "timezone": "UTC",
    "trained_until_us": 1740787200000000,
}
OLD_ARRAYS = {
    "candidates__offsets": np.array([0, 1, 2]),
    "customer__flags": np.zeros(2, dtype=np.uint8),
    "events__offsets": np.array([0, 2, 3]),
    "events__timestamp": np.array([0, 1, 0]),
    "model_timer__shape": np.ones(3),
}


def saved_as(version: int, root: Path, library: Any = "0.0.9") -> Path:
    write_bundle(root, OLD_MANIFEST, OLD_ARRAYS)
    forge(root, lambda m: m.update(format_version=version, libraries={"anticipate": library}))
    return root


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("verify", ["full", "structure"])
def test_an_older_format_is_told_what_to_do(tmp_path: Path, version: int, verify: Any):
    root = saved_as(version, tmp_path / "b")
    said = (
        rf"manifest\.json: has format version {version}, saved by anticipate 0\.0\.9, this library "
        rf"reads {FORMAT_VERSION}\. Fit and save it again with this version \('anticipate train"
    )

    for load in (Scorer.load, Anticipator.load):
        with pytest.raises(BundleError, match=said):
            load(root, verify=verify)
    with pytest.raises(BundleError, match=said):
        bundle_info(root)


def test_a_newer_format_asks_for_a_newer_library(tmp_path: Path):
    with pytest.raises(BundleError, match=r"saved by anticipate 9\.0.*Upgrade anticipate"):
        Scorer.load(saved_as(FORMAT_VERSION + 1, tmp_path / "b", "9.0"))


@pytest.mark.parametrize("library", [None, 7, "x" * 1000, "<b>1</b>", ["0.1"]])
def test_what_saved_it_is_told_only_if_it_is_a_version(tmp_path: Path, library: Any):
    with pytest.raises(BundleError) as caught:
        bundle_info(saved_as(3, tmp_path / "b", library))

    assert re.search(r"has format version 3, this library reads", str(caught.value))


def test_saving_over_an_older_format_replaces_it(tmp_path: Path, bookshop_model: Anticipator):
    root = saved_as(3, tmp_path / "b")
    bookshop_model.save(root)

    assert Scorer.load(root).manifest["format_version"] == FORMAT_VERSION
