"""Long series on a trained bundle: damage of every kind, and the same as forgery.

Forgery has every hash made right again. Every one is refused by the file's name, nothing in a
file is ever run, and no memory is taken for what a file only claims.
"""

from __future__ import annotations

import math
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bundle_forging import (
    flip,
    forge,
    generation,
    npy,
    put,
    replace_array,
    smuggled,
    tiled,
    vouch,
)
from numpy.typing import NDArray

from anticipate import Anticipator, Scorer
from anticipate.bundle import open_bundle, write_bundle
from anticipate.exceptions import BundleError

pytestmark = pytest.mark.slow
Array = NDArray[Any]
TREES = "model_part_churn__members.boosted."
GIANT = "{'descr': '<f8', 'fortran_order': False, 'shape': (%d,), }"


@pytest.fixture
def bundle(bookshop_bundle: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bookshop_bundle, tmp_path / "b"))


@pytest.fixture(scope="module")
def contents(bookshop_bundle: Path) -> tuple[dict[str, Any], dict[str, Array]]:
    return open_bundle(bookshop_bundle)


def assert_refused(root: Path, *names: str) -> None:
    """By a scorer and by whoever trains on: one of the files is named."""
    for load in (Scorer.load, Anticipator.load):
        with pytest.raises(BundleError) as caught:
            load(root)
        assert any(name in str(caught.value) for name in names), (names, str(caught.value))


# -- damage --------------------------------------------------------------------------


def test_two_hundred_flipped_bits_are_refused(bundle: Path):
    """Of any file, pointer and manifest too; each file is as likely as any other."""
    rng = np.random.default_rng(6)
    files = sorted(file for file in bundle.rglob("*") if file.is_file())
    small = [bundle / "CURRENT", generation(bundle) / "manifest.json"]
    chosen = [*small * 10, *(files[i] for i in rng.integers(len(files), size=180))]
    for file in chosen:
        position, bit = int(rng.integers(file.stat().st_size)), int(rng.integers(8))
        flip(file, position, bit)
        with pytest.raises(BundleError) as caught:
            Scorer.load(bundle)
        # A pointer that still reads as one names another generation or another hash.
        expected = ("CURRENT", "manifest.json") if file.name == "CURRENT" else (file.name,)
        assert any(name in str(caught.value) for name in expected), (file.name, position, bit)
        flip(file, position, bit)

    assert Scorer.load(bundle).suggest("C042", as_of="2025-03-02") is not None


def test_every_truncated_file_is_refused(bundle: Path):
    rng = np.random.default_rng(7)
    for file in sorted(generation(bundle).iterdir())[::12]:
        content = file.read_bytes()
        for size in (0, int(rng.integers(len(content))), len(content) - 1):
            os.truncate(file, size)
            assert_refused(bundle, file.name)
        file.write_bytes(content)


def test_every_missing_file_is_refused(bundle: Path, tmp_path: Path):
    for file in sorted(generation(bundle).iterdir())[::5]:
        file.rename(tmp_path / "away")
        assert_refused(bundle, file.name)
        (tmp_path / "away").rename(file)


def test_every_two_files_swapped_are_refused(bundle: Path):
    rng = np.random.default_rng(8)
    files = sorted(generation(bundle).iterdir())
    for _ in range(60):
        one, other = (files[i] for i in rng.choice(len(files), size=2, replace=False))
        same = one.read_bytes() == other.read_bytes()
        swap_files(one, other)
        if not same:
            assert_refused(bundle, one.name, other.name)
        swap_files(one, other)


def swap_files(one: Path, other: Path) -> None:
    kept = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(kept)


@pytest.mark.parametrize("name", ["notes.txt", ".hidden", "zz.npy", "candidates__item.npy.bak"])
def test_a_foreign_file_is_refused(bundle: Path, name: str):
    (generation(bundle) / name).write_bytes(b"x")

    assert_refused(bundle, name)


@pytest.mark.skipif(sys.platform == "win32", reason="links are for administrators there")
@pytest.mark.parametrize("linked", ["CURRENT", "manifest.json", "events__item.npy", "generation"])
def test_a_link_out_is_refused(bundle: Path, tmp_path: Path, linked: str):
    places = {"CURRENT": bundle / "CURRENT", "generation": generation(bundle)}
    place = places.get(linked, generation(bundle) / linked)
    outside = tmp_path / "outside"
    place.rename(outside)
    place.symlink_to(outside, target_is_directory=outside.is_dir())

    assert_refused(bundle, place.name)


@pytest.mark.skipif(sys.platform == "win32", reason="links are for administrators there")
def test_a_hard_link_is_a_file_like_any(bundle: Path, tmp_path: Path):
    """It cannot be told from one; its content is checked, and read once it is mapped."""
    place, outside = generation(bundle) / "events__item.npy", tmp_path / "outside"
    place.rename(outside)
    place.hardlink_to(outside)

    assert Scorer.load(bundle) is not None
    flip(outside, 200, 0)
    assert_refused(bundle, place.name)


@pytest.mark.skipif(sys.platform == "win32", reason="no named pipes in folders there")
def test_a_pipe_is_refused_and_not_waited_for(bundle: Path):
    file = generation(bundle) / "events__item.npy"
    file.unlink()
    os.mkfifo(file)

    assert_refused(bundle, file.name)


# -- forgery: every hash is right ------------------------------------------------------


def test_forged_truncation_is_refused(bundle: Path):
    for name in ("events__item", "model_timer__shape", TREES + "value"):
        root = Path(shutil.copytree(bundle, bundle.parent / name))
        file = generation(root) / f"{name}.npy"
        os.truncate(file, file.stat().st_size - 4)
        vouch(root, name)
        assert_refused(root, f"{name}.npy")


def test_forged_shorter_columns_are_refused(bundle: Path, contents: Any):
    """Also where header and manifest agree on the shorter length."""
    for name in ("events__item", "candidates__item", "customer__flags", "holdings__item"):
        root = Path(shutil.copytree(bundle, bundle.parent / name))
        put(root, name, contents[1][name][:-1])
        assert_refused(root, name.split("__")[0] + "__")


def test_a_forged_deletion_is_refused(bundle: Path, contents: Any):
    """The manifest does not declare the array either, so the manifest is at fault."""
    for number, name in enumerate(n for n in contents[1] if "model_part_" not in n):
        if number % 5 == 0:
            root = Path(shutil.copytree(bundle, bundle.parent / name))
            (generation(root) / f"{name}.npy").unlink()
            forge(root, lambda m, name=name: m["files"].pop(name))
            with pytest.raises(BundleError, match=r"manifest\.json.*lacks"):
                Scorer.load(root)
            shutil.rmtree(root)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("events__item", "events__order"),
        ("events__day", "events__item"),
        ("candidates__item", "candidates__because"),
        ("candidates__log_odds", "candidates__fact"),
        ("holdings__first_row", "holdings__last_row"),
        ("items__codes", "customers__codes"),
        ("events__price", "events__quantity"),
        ("model_timer__shape", "model_timer__next_share"),
        (TREES + "threshold", TREES + "children"),
    ],
)
def test_a_forged_swap_is_refused(bundle: Path, contents: Any, one: str, other: str):
    """Each declared as what it now is; which of the two shows it first is no matter."""
    arrays = contents[1]
    put(bundle, one, arrays[other])
    put(bundle, other, arrays[one])

    assert_refused(bundle, f"{one}.npy", f"{other}.npy")


@pytest.mark.parametrize("name", ["evil", "events__evil", "model_evil__x", "model_part_evil__x"])
def test_a_foreign_array_is_refused_though_the_manifest_declares_it(bundle: Path, name: str):
    put(bundle, name, np.zeros(3))

    assert_refused(bundle, f"{name}.npy")


@pytest.mark.parametrize("version", [5, 10**6, 10**100, -1, "4", 4.5, None])
def test_a_manifest_from_another_time_is_refused(bundle: Path, version: Any):
    forge(bundle, lambda m: m.update(format_version=version))

    with pytest.raises(BundleError, match=r"manifest\.json"):
        Scorer.load(bundle)


@pytest.mark.parametrize("rows", [10**9, 10**12, 2**61, 2**63, 10**30])
def test_a_giant_shape_is_refused(bundle: Path, rows: int):
    for name in ("churn__offset", TREES + "value"):
        root = Path(shutil.copytree(bundle, bundle.parent / name))
        replace_array(root, name, npy(GIANT % rows, b"\0" * 64), shape=[rows])
        assert_refused(root, f"{name}.npy")


def rewire(children: Array, kind: str) -> Array:
    """Trees whose nodes lead where they must not."""
    changed = children.copy()
    inner = np.flatnonzero(changed[:, 0] != np.arange(len(changed)))
    target = {
        "to itself": inner[3],
        "back to the root": inner[0],
        "far outside": 10**12,
        "below zero": -1,
        "into the next tree": len(changed) - 1,
        "smallest": -(2**63),
    }[kind]
    changed[inner[3], 1] = target
    return changed


@pytest.mark.parametrize(
    "kind",
    [
        "to itself",
        "back to the root",
        "far outside",
        "below zero",
        "into the next tree",
        "smallest",
    ],
)
def test_trees_that_leave_or_circle_are_refused(bundle: Path, contents: Any, kind: str):
    put(bundle, TREES + "children", rewire(contents[1][TREES + "children"], kind))

    assert_refused(bundle, f"{TREES}children.npy")


def test_a_long_circle_is_refused(bundle: Path, contents: Any):
    """Every inner node leads to the node before it."""
    children = contents[1][TREES + "children"].copy()
    inner = np.flatnonzero(children[:, 0] != np.arange(len(children)))
    children[inner[1:], 0] = inner[:-1]
    put(bundle, TREES + "children", children)

    assert_refused(bundle, f"{TREES}children.npy")


@pytest.mark.parametrize(
    "name",
    [
        TREES + "threshold", TREES + "value", TREES + "baseline", "model_guard__speaking",
        "model_return_guard__settings", "model_fit_guard__slip.threshold",
        "model_churn__parameters", "churn__offset", "candidates__log_odds",
        "neighbours__weight", "prior__log_odds", "model_timer__next_share", "holdings__log_odds",
    ],
)  # fmt: skip
def test_a_nan_where_a_number_decides_is_refused(bundle: Path, contents: Any, name: str):
    values = contents[1][name].copy()
    values.reshape(-1)[-1] = np.nan
    put(bundle, name, values)

    assert_refused(bundle, f"{name}.npy")


@pytest.mark.parametrize("name", ["events__price", "model_timer__shape", TREES + "value", "evil"])
@pytest.mark.parametrize("hashed", [False, True])
def test_a_pickle_is_never_opened(bundle: Path, tmp_path: Path, name: str, hashed: bool):
    """Objects behind a ``.npy`` header, and a pickle as it is; as damage and as forgery."""
    trace = tmp_path / "trace"
    for kind, content in smuggled(trace).items():
        root = Path(shutil.copytree(bundle, tmp_path / kind))
        for declared in ({"dtype": "<f8", "shape": [1]}, {"dtype": "|O", "shape": [1]}):
            if hashed:
                replace_array(root, name, content, **declared)
            else:
                (generation(root) / f"{name}.npy").write_bytes(content)
            assert_refused(root, f"{name}.npy")
    assert not trace.exists()


# -- memory ----------------------------------------------------------------------------

MEMORY = """
import resource, sys
from anticipate import Scorer
from anticipate.exceptions import BundleError

Scorer.load(sys.argv[1])  # all code is loaded
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for root in sys.argv[2:]:
    try:
        Scorer.load(root)
    except BundleError:
        pass
    else:
        print("loaded", end=" ")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def megabytes_of(*roots: Path) -> list[str]:
    """What loading the later bundles took on top of the first one, as printed."""
    command = [sys.executable, "-c", MEMORY, *map(str, roots)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    *loaded, kilobytes = done.stdout.split()
    return [*loaded, str(math.ceil(int(kilobytes) / 1e3))]


@pytest.mark.skipif(sys.platform == "win32", reason="no getrusage there")
def test_a_claim_takes_no_memory(bundle: Path, tmp_path: Path):
    """Shapes of terabytes, a manifest of deep lists, an id of ten megabytes."""
    roots = [Path(shutil.copytree(bundle, tmp_path / str(number))) for number in range(4)]
    replace_array(roots[0], "churn__offset", npy(GIANT % 10**12, b"\0" * 64), shape=[10**12])
    forge(roots[1], lambda m: m["files"]["churn__offset"].update(shape=[10**12]))
    forge(roots[2], lambda m: m.update(report=[[]] * 10**6))
    put(roots[3], "items__bytes", np.full(10**7, 65, dtype=np.uint8))
    *loaded, megabytes = megabytes_of(bundle, *roots)

    assert loaded == ["loaded"]  # a long report alone harms nobody
    assert int(megabytes) < 200


@pytest.mark.skipif(sys.platform == "win32", reason="no getrusage there")
def test_memory_is_flat_in_the_bundles_size(contents: Any, tmp_path: Path):
    """Three million events, 300 MB: a full check holds a few megabytes of them at a time."""
    small = write_bundle(tmp_path / "small", *tiled(*contents, 1))
    large = write_bundle(tmp_path / "large", *tiled(*contents, 300))
    size = sum(file.stat().st_size for file in generation(large).iterdir())
    loaded, megabytes = megabytes_of(small, large)

    assert size > 250e6
    assert loaded == "loaded"
    assert int(megabytes) < 100
