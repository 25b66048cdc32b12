"""What differs between two bundles: counted, named by array and setting, never by id."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from anticipate.anticipator.difference import compare_bundles
from anticipate.anticipator.forget import forget_customers
from anticipate.anticipator.scores_moved import Common, scores_moved
from anticipate.batch.bundle_text import difference_text
from anticipate.bundle import open_bundle, write_bundle
from anticipate.exceptions import BundleError


def arrays_of(lists, offsets):
    """A bundle's arrays of customers with such candidates (item, log-odds)."""
    flat = [one for candidates in lists for one in candidates]
    counts = np.cumsum([0, *(len(candidates) for candidates in lists)])
    return {
        "candidates__offsets": counts,
        "candidates__item": np.array([item for item, _ in flat], dtype=np.int32),
        "candidates__log_odds": np.array([log_odds for _, log_odds in flat], dtype=np.float64),
        "churn__offset": np.array(offsets, dtype=np.float64),
    }


def test_moves_are_of_customers_and_pairs_in_both():
    """Three in both. The first keeps her three; the second's item 2 is gone; the third's two
    change places. Pairs in both: 4 + 1 + 2; |moves| .5, 0, 0, 1, 2, 0, 0 with mean 3.5 / 7.
    Offsets move by 1, 0, 2.
    """
    old = arrays_of(
        [
            [(0, 1.0), (1, 0.5), (3, 0.0), (4, -1.0)],
            [(0, 1.0), (2, 0.0)],
            [(0, 2.0), (1, 1.0)],
            [(4, 9.0)],
        ],
        [0.0, 1.0, 2.0, 3.0],
    )
    new = arrays_of(
        [
            [(4, 7.0)],
            [(1, 1.0), (0, 2.0)],
            [(0, 3.0), (1, 0.0)],
            [(0, 1.5), (1, 0.5), (2, 0.0), (3, 0.0)],
        ],
        [9.0, 4.0, 1.0, 1.0],
    )
    items = np.array([0, 1, -1, 2, 3])  # item 2 is gone, later ones have moved up

    moved = scores_moved(old, new, Common(np.array([0, 1, 2]), np.array([3, 2, 1]), items))

    candidates = moved["candidates"]
    assert candidates["n_customers"] == 3
    assert candidates["same_first_three"] == pytest.approx(1 / 3)
    assert candidates["n_pairs"] == 7
    assert candidates["log_odds"]["mean"] == pytest.approx(3.5 / 7)
    assert moved["churn_offset"]["mean"] == pytest.approx(1.0)
    assert moved["churn_offset"]["p95"] == pytest.approx(1.9)


def test_parts_and_a_sample_tell_the_same_of_everybody_alike(monkeypatch):
    """Each moves by as much: whoever is asked, in parts of three or at once."""
    old = arrays_of([[(0, 0.0), (1, -1.0)]] * 20, np.zeros(20))
    new = arrays_of([[(0, 0.25), (1, -1.25)]] * 20, np.ones(20))
    common = Common(np.arange(20), np.arange(20), np.arange(2))
    whole = scores_moved(old, new, common)
    monkeypatch.setattr("anticipate.anticipator.scores_moved.PART", 3)
    parts = scores_moved(old, new, common)
    assert parts == whole
    assert whole["candidates"]["n_pairs"] == 40

    monkeypatch.setattr("anticipate.anticipator.scores_moved.MOST_ASKED", 7)
    few = scores_moved(old, new, common)["candidates"]
    assert few["n_customers"] == 7
    assert few["log_odds"] == whole["candidates"]["log_odds"]


def test_nobody_in_both():
    none = np.empty(0, dtype=np.int64)
    some = arrays_of([[(0, 1.0)]], [0.0])
    assert scores_moved(some, some, Common(none, none, np.arange(1))) == {}


@pytest.fixture(scope="module")
def changed(bookshop_bundle, tmp_path_factory):
    """The bookshop's bundle, saved over by one with other scores and settings."""
    root = shutil.copytree(bookshop_bundle, tmp_path_factory.mktemp("changed") / "b")
    manifest, arrays = open_bundle(root)
    own = {n: v for n, v in manifest.items() if n not in ("files", "format_version", "libraries")}
    report = {**own["report"], "churn": {**own["report"]["churn"], "model": "hiatus"}}
    report["churn"]["n_customers"] = 1
    write_bundle(
        root,
        {**own, "horizon_days": 31.0, "report": report},
        {**arrays, "churn__offset": arrays["churn__offset"] + 0.5},
    )
    return root


def test_settings_choices_arrays_and_scores(changed, bookshop_bundle):
    found = compare_bundles(bookshop_bundle, changed)

    assert found["same"] is False
    assert found["settings"] == {"horizon_days": {"old": 30.0, "new": 31.0}}
    assert found["chosen"] == {"churn.model": {"old": "boosted", "new": "hiatus"}}
    assert list(found["numbers"]) == ["churn.n_customers"]
    arrays = found["arrays"]
    assert arrays["changed"] == ["churn__offset"]
    assert not any(arrays[kind] for kind in ("added", "removed", "reshaped", "retyped"))
    assert arrays["n_same"] == len(open_bundle(changed)[1]) - 1
    assert found["scores"]["candidates"]["same_first_three"] == 1
    assert found["scores"]["churn_offset"]["mean"] == pytest.approx(0.5)
    assert found["scores"]["churn_offset"]["p95"] == pytest.approx(0.5)
    text = difference_text(found)
    assert "boosted -> hiatus" in text
    assert "1 changed" in text


def test_two_generations_of_one_bundle(changed, bookshop_bundle):
    """The older one is named by its folder; it is the bundle that was copied."""
    older = changed / (bookshop_bundle / "CURRENT").read_text().split()[0]
    assert compare_bundles(older, bookshop_bundle)["same"] is True
    assert compare_bundles(older, changed) == compare_bundles(bookshop_bundle, changed)
    assert difference_text(compare_bundles(older, older)).startswith("the same bundle")


def test_a_generation_under_another_name_is_refused(bookshop_bundle, tmp_path):
    copy = tmp_path / "gen-0123456789abcdef"
    shutil.copytree(next(bookshop_bundle.glob("gen-*")), copy)
    with pytest.raises(BundleError, match=r"manifest\.json.*named after"):
        compare_bundles(copy, bookshop_bundle)
    with pytest.raises(BundleError, match="no bundle here"):
        compare_bundles(bookshop_bundle, tmp_path)


def test_customers_and_events_are_counted_never_named(bookshop_bundle, bookshop_history, tmp_path):
    path = shutil.copytree(bookshop_bundle, tmp_path / "b")
    gone = bookshop_history.customer_ids[[3, 200]].tolist()
    told = forget_customers(path, gone)
    found, back = compare_bundles(bookshop_bundle, path), compare_bundles(path, bookshop_bundle)

    n, n_events = bookshop_history.n_customers, bookshop_history.n_events
    counts = {"old": n, "new": n - 2, "common": n - 2, "added": 0, "removed": 2}
    assert found["counts"]["customers"] == counts
    assert back["counts"]["customers"]["added"] == 2
    left = n_events - told.n_events
    assert found["counts"]["events"] == {
        "old": n_events, "new": left, "of_common_old": left, "of_common_new": left,
        "of_added": 0, "of_removed": told.n_events,
    }  # fmt: skip
    assert found["settings"] == found["chosen"] == found["numbers"] == {}
    assert found["scores"]["churn_offset"]["p95"] == 0
    assert "events__price" in found["arrays"]["reshaped"]
    ids = {*bookshop_history.customer_ids.tolist(), *bookshop_history.item_ids.tolist()}
    for one in (found, back):
        for text in (json.dumps(one), difference_text(one)):
            assert not [id_ for id_ in ids if id_ in text]
