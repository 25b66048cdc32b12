"""Putting another generation in a bundle's place: whole at every moment, nothing left behind."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from anticipate.bundle import disk, open_bundle, rewrite, write_bundle
from anticipate.bundle.pieces import Pieces
from anticipate.bundle.rewrite import rewrite_bundle
from anticipate.exceptions import BundleError, OutputError, ParameterError


@pytest.fixture
def bundle(tmp_path):
    """Two generations: that in use holds 1, the one before 0."""
    root = tmp_path / "b"
    for turn in range(2):
        write_bundle(root, {"turn": turn}, {"a": np.full(9, turn), "model_m": np.full(3, turn)})
    return root


def next_turn(manifest, arrays):
    return {"turn": 2}, {name: np.full(len(array), 2) for name, array in arrays.items()}


def turn_of(root):
    """The turn, after every value was seen to be of it."""
    manifest, arrays = open_bundle(root)
    assert set(arrays) == {"a", "model_m"}
    assert all((array == manifest["turn"]).all() for array in arrays.values())
    return manifest["turn"]


def entries(root):
    return sorted(entry.name for entry in root.iterdir())


def test_only_the_new_generation_is_left(bundle):
    assert len(entries(bundle)) == 3
    rewrite_bundle(bundle, next_turn)

    assert turn_of(bundle) == 2
    assert entries(bundle) == ["CURRENT", (bundle / "CURRENT").read_text().split()[0]]


def test_without_a_change_older_ones_go_all_the_same(bundle):
    rewrite_bundle(bundle, lambda manifest, arrays: None)

    assert turn_of(bundle) == 1
    assert len(entries(bundle)) == 2


def test_what_was_mapped_stays_readable(bundle):
    arrays = open_bundle(bundle)[1]
    rewrite_bundle(bundle, next_turn)

    assert arrays["a"].tolist() == [1] * 9


def test_files_of_others_stay(bundle):
    """Beside the generations and in an old one, whose arrays go."""
    old = next(
        one for one in bundle.glob("gen-*") if one.name not in (bundle / "CURRENT").read_text()
    )
    (bundle / "README.txt").touch()
    (old / "thesis.doc").touch()
    rewrite_bundle(bundle, next_turn)

    assert [file.name for file in old.iterdir()] == ["thesis.doc"]
    assert (bundle / "README.txt").exists()


class Killed(BaseException):
    """Nothing of ours catches it."""


@pytest.fixture
def kill_after(monkeypatch):
    """From the n-th touch of the disk on, every one fails: no clean-up either, as after -9."""
    places = [(disk.os, "fsync"), *((Path, name) for name in ("mkdir", "rename", "replace",
              "unlink", "rmdir"))]  # fmt: skip
    original = {name: getattr(place, name) for place, name in places}

    def patch(n):
        touched = 0

        def touch(name):
            def call(*args, **kwargs):
                nonlocal touched
                touched += 1
                if touched > n:
                    raise Killed
                return original[name](*args, **kwargs)

            return call

        for place, name in places:
            monkeypatch.setattr(place, name, touch(name))

    return patch


def test_killed_at_every_touch_of_the_disk_it_is_whole_and_the_next_run_ends_it(
    bundle, kill_after, monkeypatch, tmp_path
):
    for n in range(100):
        copy = shutil.copytree(bundle, tmp_path / f"copy{n}")
        kill_after(n)
        try:
            rewrite_bundle(copy, next_turn)
            break
        except Killed:
            pass
        finally:
            monkeypatch.undo()
        assert turn_of(copy) in (1, 2)
        rewrite_bundle(copy, next_turn)
        assert turn_of(copy) == 2
        assert len(entries(copy)) == 2
    assert 15 < n < 99


def test_a_full_disk_leaves_the_old_bundle(bundle, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    before = entries(bundle)
    monkeypatch.setattr(disk.os, "fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        rewrite_bundle(bundle, next_turn)

    assert turn_of(bundle) == 1
    assert entries(bundle) == before


def test_an_old_generation_that_cannot_go_is_told(bundle, monkeypatch):
    """As on Windows while a reader maps it: the new one is in use, the next run goes on."""
    monkeypatch.setattr(rewrite, "sweep", lambda root, current: None)
    with pytest.raises(OutputError, match="2 older ones could not be removed"):
        rewrite_bundle(bundle, next_turn)
    assert turn_of(bundle) == 2

    monkeypatch.undo()
    rewrite_bundle(bundle, lambda manifest, arrays: None)
    assert len(entries(bundle)) == 2


def test_no_bundle_and_a_damaged_one_are_refused(bundle, tmp_path):
    with pytest.raises(BundleError, match="no bundle here"):
        rewrite_bundle(tmp_path / "nowhere", next_turn)
    file = next(bundle.glob(f"{(bundle / 'CURRENT').read_text().split()[0]}/a.npy"))
    file.write_bytes(file.read_bytes()[:-1] + b"\7")
    before = entries(bundle)
    with pytest.raises(BundleError, match=r"a\.npy"):
        rewrite_bundle(bundle, next_turn)
    assert entries(bundle) == before


# -- arrays in pieces ------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["<f8", ">i4", "|b1", "<M8[us]"])
def test_pieces_make_the_file_of_the_whole_array(tmp_path, dtype):
    whole = np.arange(50).astype(dtype)
    cuts = ((0, 7), (7, 7), (7, 50))
    pieces = Pieces(whole.dtype, whole.shape, lambda: (whole[a:b] for a, b in cuts))
    one, other = (write_bundle(tmp_path / name, {}, {"a": given})
                  for name, given in (("one", whole), ("other", pieces)))  # fmt: skip

    assert (one / "CURRENT").read_bytes() == (other / "CURRENT").read_bytes()


@pytest.mark.parametrize("n", [3, 5])
def test_pieces_of_another_length_than_declared_are_refused(tmp_path, n):
    pieces = Pieces(np.dtype(np.int8), (4,), lambda: iter([np.zeros(n, np.int8)]))
    with pytest.raises(ParameterError, match="pieces"):
        write_bundle(tmp_path / "b", {}, {"a": pieces})
    assert os.listdir(tmp_path / "b") == []


def test_pieces_of_objects_are_refused(tmp_path):
    with pytest.raises(ParameterError, match="pickle"):
        write_bundle(tmp_path / "b", {}, {"a": Pieces(np.dtype(object), (1,), lambda: iter([]))})
