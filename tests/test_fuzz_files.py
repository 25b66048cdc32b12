"""Whatever stands in a file or a manifest: a log, a bundle, or the library's own error."""

from __future__ import annotations

import tracemalloc

import pytest
from fuzzed import Forged, edited, read, valid_files
from hypothesis import given, settings
from hypothesis import strategies as st

MOST_MEMORY = 256 * 1024**2
edits = st.lists(st.tuples(st.integers(0, 10**6), st.binary(min_size=1, max_size=12)), max_size=6)
cuts = st.integers(0, 10**6) | st.just(0)
leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
values = st.recursive(
    leaves, lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text(max_size=6), one),
    max_leaves=6,
)  # fmt: skip
changes = st.lists(st.tuples(st.integers(0, 10**6), values), min_size=1, max_size=3)


@pytest.fixture(scope="module")
def files():
    return valid_files()


@pytest.fixture(scope="module")
def forged(bookshop_bundle, tmp_path_factory):
    return Forged(bookshop_bundle, tmp_path_factory.mktemp("fuzz"))


def test_unchanged_they_are_read(files, forged):
    assert all(read(content, suffix) for suffix, content in files.items())
    assert forged.load([])


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@settings(max_examples=40)
@given(edits=edits, cut=cuts)
def test_a_changed_file_is_a_log_or_told(files, suffix, edits, cut):
    read(edited(files[suffix], edits, cut), suffix)


@settings(max_examples=15)
@given(changes=changes)
def test_a_forged_manifest_is_a_bundle_or_told(forged, changes):
    forged.load(changes)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@settings(max_examples=1000)
@given(edits=edits, cut=cuts)
def test_a_changed_file_takes_little_memory(files, suffix, edits, cut):
    tracemalloc.start()
    try:
        read(edited(files[suffix], edits, cut), suffix)
        assert tracemalloc.get_traced_memory()[1] < MOST_MEMORY
    finally:
        tracemalloc.stop()


@pytest.mark.slow
@settings(max_examples=120)
@given(changes=changes)
def test_a_forged_manifest_takes_little_memory(forged, changes):
    tracemalloc.start()
    try:
        forged.load(changes)
        assert tracemalloc.get_traced_memory()[1] < MOST_MEMORY
    finally:
        tracemalloc.stop()
