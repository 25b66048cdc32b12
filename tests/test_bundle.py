"""Bundles: the same back, the same bytes, and every kind of damage refused by name."""

from __future__ import annotations

import errno
import hashlib
import os
import pickle
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bundle_forging import OBJECT, change_byte, forge, generation, npy, replace_array
from numpy.typing import NDArray

from anticipate.bundle import bundle_info, open_bundle, pack_strings, unpack_strings, write_bundle
from anticipate.bundle import disk as disk_module
from anticipate.bundle.layout import FORMAT_VERSION
from anticipate.exceptions import BundleError, OutputError, ParameterError

Array = NDArray[Any]

MANIFEST = {"cutoff": "2025-03-01", "horizon_days": 30, "golden": [{"p_churn": 0.1 + 0.2}]}


def arrays() -> dict[str, Array]:
    rng = np.random.default_rng(0)
    return {
        "gaps": rng.normal(size=(40, 3)),
        "model_weights": rng.normal(size=20),
        "scores": rng.normal(size=(40, 3)),
    }


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "shop.bundle", MANIFEST, arrays())


def assert_unchanged(root: Path) -> None:
    manifest, found = open_bundle(root)
    assert manifest["cutoff"] == "2025-03-01"
    assert found.keys() == arrays().keys()
    assert sorted(entry.name for entry in root.iterdir()) == ["CURRENT", generation(root).name]


# -- what was saved comes back -----------------------------------------------------


@pytest.mark.parametrize("verify", ["full", "structure"])
def test_what_was_saved_comes_back(bundle: Path, verify: Any):
    manifest, found = open_bundle(bundle, verify=verify)

    assert {key: manifest[key] for key in MANIFEST} == MANIFEST
    assert manifest["format_version"] == FORMAT_VERSION
    assert manifest["libraries"]["numpy"] == np.__version__
    assert list(found) == sorted(arrays())
    for name, expected in arrays().items():
        assert found[name].tobytes() == expected.tobytes()
    assert bundle_info(bundle) == manifest


def test_the_manifest_names_every_file(bundle: Path):
    files = bundle_info(bundle)["files"]
    stored = generation(bundle) / "gaps.npy"

    assert files["gaps"] == {
        "sha256": hashlib.sha256(stored.read_bytes()).hexdigest(),
        "size": stored.stat().st_size,
        "dtype": "<f8",
        "shape": [40, 3],
    }


def test_a_stored_array_is_an_ordinary_npy_file(bundle: Path):
    seen = np.load(generation(bundle) / "gaps.npy", allow_pickle=False)

    np.testing.assert_array_equal(seen, arrays()["gaps"])


@pytest.mark.parametrize(
    "array",
    [
        np.array(7.5),
        np.empty((0, 3)),
        np.array([True, False]),
        np.arange(6, dtype=np.int8).reshape(1, 2, 3),
        np.array([np.nan, -0.0, np.inf]),
        np.array(["2025-03-01", "NaT"], dtype="datetime64[us]"),
        np.array([2**64 - 1], dtype=np.uint64),
        np.asfortranarray(np.arange(12.0).reshape(3, 4)),
        np.arange(10)[::3],
        np.array([1.5, 2.5], dtype=">f8"),
        np.broadcast_to(np.float32(2), (3, 2)),
    ],
    ids=lambda array: f"{array.dtype}{array.shape}",
)
def test_shapes_and_dtypes_survive(tmp_path: Path, array: Array):
    found = open_bundle(write_bundle(tmp_path / "b", {}, {"a": array}))[1]["a"]

    assert found.shape == array.shape
    assert found.dtype == array.dtype.newbyteorder("<")
    assert found.tobytes() == array.astype(found.dtype).tobytes()


def test_arrays_are_read_only_plain_views(bundle: Path):
    found = open_bundle(bundle)[1]["gaps"]

    assert type(found) is np.ndarray
    assert not found.flags.writeable
    assert found.flags.aligned


def test_the_same_input_gives_the_same_bytes(bundle: Path, tmp_path: Path):
    shuffled = dict(reversed(arrays().items()))
    other = write_bundle(tmp_path / "other", dict(reversed(MANIFEST.items())), shuffled)
    left, right = (
        {file.relative_to(root): file.read_bytes() for file in root.rglob("*") if file.is_file()}
        for root in (bundle, other)
    )

    assert left == right


def test_saving_changes_no_input(tmp_path: Path):
    given, manifest = arrays(), dict(MANIFEST)
    write_bundle(tmp_path / "b", manifest, given)

    assert manifest == MANIFEST
    assert all(given[name].tobytes() == array.tobytes() for name, array in arrays().items())


def test_numpy_scalars_in_the_manifest_become_plain(tmp_path: Path):
    quality = {"recall": np.float64(0.25), "n": np.int64(3), "won": np.bool_(True)}

    assert bundle_info(write_bundle(tmp_path / "b", quality, {})).items() >= quality.items()


def test_text_is_packed_without_pickle(tmp_path: Path):
    texts = ["tea", "", "커피", "🐻", "\ud800"]
    offsets, data = pack_strings(texts)
    found = open_bundle(write_bundle(tmp_path / "b", {}, {"at": offsets, "text": data}))[1]

    assert unpack_strings(found["at"], found["text"]) == texts
    assert unpack_strings(*pack_strings([])) == []
    with pytest.raises(ValueError, match="offsets"):
        unpack_strings(offsets[:-1], data)


# -- what cannot be stored ---------------------------------------------------------


@pytest.mark.parametrize(
    ("manifest", "given", "word"),
    [
        ({}, {"a": np.array(["x", None], dtype=object)}, "pack_strings"),
        ({}, {"a": np.array(["x"])}, "pack_strings"),
        ({}, {"a": np.zeros(2, dtype=[("x", "f8")])}, "pickle"),
        ({}, {"a": np.zeros(2, dtype=np.longdouble)}, "pickle"),
        ({}, {"../a": np.zeros(2)}, "lower case"),
        ({}, {"A": np.zeros(2)}, "lower case"),
        ({}, {"con": np.zeros(2)}, "lower case"),
        ({}, {"": np.zeros(2)}, "lower case"),
        ({"files": {}}, {}, "files"),
        ({"quality": float("nan")}, {}, "finite"),
        ({"cutoff": object()}, {}, "JSON"),
    ],
)
def test_what_cannot_be_stored_is_refused_before_the_disk_is_touched(
    tmp_path: Path, manifest: dict[str, Any], given: dict[str, Array], word: str
):
    with pytest.raises(ParameterError, match=word):
        write_bundle(tmp_path / "b", manifest, given)
    assert list(tmp_path.iterdir()) == []


# -- damage ------------------------------------------------------------------------


def swap(root: Path) -> None:
    first, second = generation(root) / "gaps.npy", generation(root) / "scores.npy"
    kept = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(kept)


def change_hash(pointer: Path) -> None:
    """The last hex digit becomes another one, so that only the comparison can tell."""
    text = pointer.read_text().strip()
    pointer.write_bytes(f"{text[:-1]}{'1' if text[-1] == '0' else '0'}\n".encode())


def truncate(file: Path, n_bytes: int) -> None:
    os.truncate(file, file.stat().st_size - n_bytes)


DAMAGE: dict[str, tuple[Callable[[Path], Any], str]] = {
    "a changed byte of an array": (lambda r: change_byte(generation(r) / "gaps.npy"), "gaps.npy"),
    "a changed byte of a header": (
        lambda r: change_byte(generation(r) / "gaps.npy", 20),
        "gaps.npy",
    ),
    "a changed byte of a model": (
        lambda r: change_byte(generation(r) / "model_weights.npy"),
        "model_weights.npy",
    ),
    "a changed manifest": (
        lambda r: change_byte(generation(r) / "manifest.json", 30),
        "manifest.json",
    ),
    "a changed hash in the pointer": (lambda r: change_hash(r / "CURRENT"), "manifest.json"),
    "a changed name": (lambda r: change_byte(r / "CURRENT", 0), "CURRENT"),
    "an empty pointer": (lambda r: (r / "CURRENT").write_bytes(b""), "CURRENT"),
    "a long pointer": (lambda r: (r / "CURRENT").write_bytes(b"g" * 10**6), "CURRENT"),
    "a missing pointer": (lambda r: (r / "CURRENT").unlink(), "CURRENT"),
    "a missing array": (lambda r: (generation(r) / "gaps.npy").unlink(), "gaps.npy"),
    "a missing manifest": (lambda r: (generation(r) / "manifest.json").unlink(), "manifest.json"),
    "a missing generation": (lambda r: shutil.rmtree(generation(r)), "manifest.json"),
    "a truncated array": (lambda r: truncate(generation(r) / "gaps.npy", 1), "gaps.npy"),
    "an empty array file": (lambda r: truncate(generation(r) / "gaps.npy", 1088), "gaps.npy"),
    "two arrays swapped": (swap, "gaps.npy"),
    "an unknown file": (lambda r: (generation(r) / "notes.txt").touch(), "notes.txt"),
    "a folder for an array": (
        lambda r: [(generation(r) / "gaps.npy").unlink(), (generation(r) / "gaps.npy").mkdir()],
        "gaps.npy",
    ),
}


@pytest.mark.parametrize(("damage", "named"), DAMAGE.values(), ids=DAMAGE.keys())
def test_damage_is_refused_with_the_files_name(
    bundle: Path, damage: Callable[[Path], Any], named: str
):
    damage(bundle)

    with pytest.raises(BundleError, match=named.replace(".", r"\.")):
        open_bundle(bundle)


# Contents of ordinary arrays are what "structure" leaves to an earlier "full".
ONLY_FULL = {"a changed byte of an array", "two arrays swapped"}


@pytest.mark.parametrize("kind", sorted(DAMAGE.keys() - ONLY_FULL))
def test_structure_finds_all_but_changed_content(bundle: Path, kind: str):
    damage, named = DAMAGE[kind]
    damage(bundle)

    with pytest.raises(BundleError, match=named.replace(".", r"\.")):
        open_bundle(bundle, verify="structure")


@pytest.mark.parametrize("kind", sorted(ONLY_FULL))
def test_structure_does_not_read_contents(bundle: Path, kind: str):
    DAMAGE[kind][0](bundle)

    assert open_bundle(bundle, verify="structure")[1].keys() == arrays().keys()


def test_no_bundle_there(tmp_path: Path):
    with pytest.raises(BundleError, match="no bundle here"):
        open_bundle(tmp_path)
    with pytest.raises(BundleError, match="no bundle here"):
        bundle_info(tmp_path / "missing")


def test_an_unknown_verify_is_refused(bundle: Path):
    with pytest.raises(ParameterError, match="structure"):
        open_bundle(bundle, verify="fast")  # type: ignore[arg-type]


def test_the_expected_hash_is_held(bundle: Path):
    digest = (bundle / "CURRENT").read_text().split()[1]

    assert open_bundle(bundle, sha256=digest.upper())[0]["cutoff"] == "2025-03-01"
    with pytest.raises(BundleError, match="expected"):
        open_bundle(bundle, sha256="0" * 64)


# -- forgery: every hash is right, the content is not ------------------------------


GIANT = "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }"
PLAIN = "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }"
FORTRAN = "{'descr': '<f8', 'fortran_order': True, 'shape': (2,), }"
NEGATIVE = "{'descr': '<f8', 'fortran_order': False, 'shape': (-1, -2), }"


@pytest.mark.parametrize(
    ("content", "dtype", "shape"),
    [
        (npy(GIANT, b"\0" * 16), "<f8", [10**12]),
        (npy(GIANT, b"\0" * 16), "<f8", [2]),
        (npy(OBJECT, pickle.dumps([1])), "|O", [1]),
        (npy(FORTRAN, b"\0" * 16), "<f8", [2]),
        (npy(NEGATIVE, b"\0" * 16), "<f8", [-1, -2]),
        (npy(PLAIN, b"\0" * 15), "<f8", [2]),
        (npy(PLAIN, b"\0" * 17), "<f8", [2]),
        (npy("{'shape': __import__('os')}"), "<f8", [2]),
        (npy("(" * 5000), "<f8", [2]),
        (b"\x93NUMPY\x09\x00" + b"\0" * 100, "<f8", [2]),
        (b"\x93NUMPY\x01\x00\xff\xff", "<f8", [2]),
        (pickle.dumps([1.0, 2.0]), "<f8", [2]),
        (b"", "<f8", [2]),
    ],
    ids=["giant", "giant-hidden", "object", "fortran", "negative", "short", "long", "code",
         "nested", "version", "cut", "pickle", "empty"],
)  # fmt: skip
@pytest.mark.parametrize("verify", ["full", "structure"])
def test_a_forged_array_is_refused(
    bundle: Path, content: bytes, dtype: str, shape: list[int], verify: Any
):
    replace_array(bundle, "gaps", content)
    forge(bundle, lambda m: m["files"]["gaps"].update(dtype=dtype, shape=shape))

    with pytest.raises(BundleError, match=r"gaps\.npy"):
        open_bundle(bundle, verify=verify)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda m: m.update(format_version=FORMAT_VERSION + 1), "Upgrade"),
        (lambda m: m.update(format_version=FORMAT_VERSION - 1), "Fit and save it again"),
        (lambda m: m.pop("format_version"), "not the manifest"),
        (lambda m: m.pop("files"), "unknown way"),
        (lambda m: m.update(files=[1]), "unknown way"),
        (lambda m: m["files"]["gaps"].pop("size"), "unknown way"),
        (lambda m: m["files"]["gaps"].update(size=float("inf")), "not the manifest"),
        (lambda m: m["files"]["gaps"].update(size=1e300), "unknown way"),
        (lambda m: m["files"]["gaps"].update(size="1088"), "unknown way"),
        (lambda m: m["files"]["gaps"].update(size=1089), "1088 bytes, the manifest says 1089"),
        (lambda m: m["files"]["gaps"].update(shape=[3, 40]), "gaps"),
        (lambda m: m["files"]["gaps"].update(shape=[40, 2]), "gaps"),
        (lambda m: m["files"]["gaps"].update(dtype="<i8"), "gaps"),
        (lambda m: m["files"].update({"../../gaps": m["files"].pop("gaps")}), "file name"),
        (lambda m: m["files"].pop("gaps"), r"gaps\.npy.*does not belong"),
    ],
)
def test_a_forged_manifest_is_refused(bundle: Path, change: Callable[[Any], Any], word: str):
    forge(bundle, change)

    with pytest.raises(BundleError, match=word):
        open_bundle(bundle, verify="structure")


@pytest.mark.parametrize("linked", ["gaps.npy", "manifest.json", "generation", "CURRENT"])
def test_a_link_is_refused(bundle: Path, tmp_path: Path, linked: str):
    places = {"generation": generation(bundle), "CURRENT": bundle / "CURRENT"}
    place = places.get(linked, generation(bundle) / linked)
    outside = tmp_path / "outside"
    place.rename(outside)
    try:
        place.symlink_to(outside, target_is_directory=outside.is_dir())
    except OSError:
        pytest.skip("this system lets no ordinary user make links")

    with pytest.raises(BundleError, match="links are refused"):
        open_bundle(bundle)


# -- saving over a bundle ----------------------------------------------------------


def test_a_new_generation_replaces_the_old(bundle: Path):
    old = generation(bundle)
    write_bundle(bundle, {"cutoff": "2025-04-01"}, {"gaps": np.zeros(3)})

    assert bundle_info(bundle)["cutoff"] == "2025-04-01"
    assert old.exists()  # for readers that are still opening it

    write_bundle(bundle, {"cutoff": "2025-05-01"}, {"gaps": np.zeros(3)})
    assert not old.exists()


def test_arrays_stay_readable_while_their_generation_is_swept(bundle: Path):
    found = open_bundle(bundle)[1]["gaps"]
    for month in (4, 5, 6):
        write_bundle(bundle, {"month": month}, {"gaps": np.zeros(3)})

    assert found.tobytes() == arrays()["gaps"].tobytes()


def test_saving_the_same_again_changes_nothing(bundle: Path):
    write_bundle(bundle, MANIFEST, arrays())

    assert_unchanged(bundle)


def test_saving_again_repairs_a_damaged_bundle(bundle: Path):
    change_byte(generation(bundle) / "gaps.npy")
    write_bundle(bundle, MANIFEST, arrays())

    assert_unchanged(bundle)


def test_saving_again_repairs_a_damaged_pointer(bundle: Path):
    (bundle / "CURRENT").write_bytes(b"")
    write_bundle(bundle, MANIFEST, arrays())

    assert_unchanged(bundle)


def test_leftovers_are_swept_and_foreign_files_stay(bundle: Path):
    crashed = bundle / ".anticipate-tmp-0123456789abcdef" / "generation"
    crashed.mkdir(parents=True)
    (crashed / "gaps.npy").write_bytes(b"half")
    (crashed.parent / "CURRENT").write_bytes(b"half")
    unused = bundle / "gen-0123456789abcdef"
    unused.mkdir()
    (unused / "gaps.npy").touch()
    foreign = [bundle / "README.txt", bundle / "gen-notes" / "a.npy", bundle / ".git" / "HEAD"]
    foreign += [bundle / "gen-00000000000000ff" / "thesis.doc"]  # ours by name, not by content
    for file in foreign:
        file.parent.mkdir(exist_ok=True)
        file.touch()
    open_bundle(bundle)
    write_bundle(bundle, MANIFEST, arrays())

    assert not crashed.parent.exists()
    assert not unused.exists()
    assert all(file.exists() for file in foreign)


def test_a_foreign_current_is_not_overwritten(tmp_path: Path):
    (tmp_path / "CURRENT").write_text("my notes\n")

    with pytest.raises(OutputError, match="not a bundle's"):
        write_bundle(tmp_path, MANIFEST, arrays())
    assert (tmp_path / "CURRENT").read_text() == "my notes\n"
    assert len(list(tmp_path.iterdir())) == 1


# -- what cannot be written --------------------------------------------------------


def test_a_path_below_a_file_is_refused(tmp_path: Path):
    (tmp_path / "file").touch()

    for path in (tmp_path / "file", tmp_path / "file" / "b"):
        with pytest.raises(OutputError, match="not saved"):
            write_bundle(path, MANIFEST, arrays())


@pytest.mark.skipif(
    sys.platform == "win32" or (hasattr(os, "geteuid") and os.geteuid() == 0),
    reason="the administrator may write anywhere",
)
def test_an_unwritable_folder_is_refused(bundle: Path):
    bundle.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="permissions"):
            write_bundle(bundle, {}, {})
    finally:
        bundle.chmod(0o700)
    assert_unchanged(bundle)


class FullDisk:
    """Lets ``n_calls`` through, then says that no space is left."""

    def __init__(self, real: Callable[..., Any], n_calls: int):
        self.real, self.left = real, n_calls

    def __call__(self, *args: Any) -> Any:
        self.left -= 1
        if self.left < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return self.real(*args)


@pytest.mark.parametrize("n_calls", range(5 if sys.platform == "win32" else 7))
def test_a_full_disk_leaves_the_old_bundle_and_nothing_half(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, n_calls: int
):
    """Three arrays, manifest, pointer and (not on Windows) two folders: each fsync may fail."""
    other = {name: array + 1 for name, array in arrays().items()}
    monkeypatch.setattr(disk_module.os, "fsync", FullDisk(os.fsync, n_calls))

    with pytest.raises(OutputError, match="No space left"):
        write_bundle(bundle, {}, other)
    assert_unchanged(bundle)


@pytest.mark.parametrize("n_calls", range(8))
def test_a_disk_that_fills_up_in_any_write_leaves_the_old_bundle(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, n_calls: int
):
    """Headers and contents of three arrays, manifest, pointer: each write may be the last."""
    write = FullDisk(lambda handle, piece: handle.write(piece), n_calls)
    real = Path.open

    def opened(file: Path, mode: str = "r", **options: Any) -> Any:
        handle = real(file, mode, **options)
        return Written(handle, write) if mode == "xb" else handle

    monkeypatch.setattr(Path, "open", opened)

    with pytest.raises(OutputError, match="No space left") as caught:
        write_bundle(bundle, {}, arrays())
    assert "What stood there before is unchanged" in str(caught.value)
    assert_unchanged(bundle)


class Written:
    """A file whose writes go through a function."""

    def __init__(self, handle: Any, write: Callable[..., Any]):
        self.handle, self.pass_on = handle, write

    def __getattr__(self, name: str) -> Any:
        return getattr(self.handle, name)

    def __enter__(self) -> Written:
        return self

    def __exit__(self, *error: object) -> None:
        self.handle.close()

    def write(self, piece: Any) -> Any:
        return self.pass_on(self.handle, piece)


def test_a_failed_flip_leaves_the_old_bundle(bundle: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Path, "replace", FullDisk(Path.replace, 0))

    with pytest.raises(OutputError, match="No space left"):
        write_bundle(bundle, {}, {"a": np.zeros(3)})
    assert_unchanged(bundle)


def test_a_failed_first_save_leaves_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(disk_module.os, "fsync", FullDisk(os.fsync, 1))

    with pytest.raises(OutputError, match="free space"):
        write_bundle(tmp_path / "b", MANIFEST, arrays())
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_save_leaves_nothing_half(bundle: Path, monkeypatch: pytest.MonkeyPatch):
    def interrupt(handle: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(disk_module.os, "fsync", interrupt)

    with pytest.raises(KeyboardInterrupt):
        write_bundle(bundle, {}, {"a": np.zeros(3)})
    assert_unchanged(bundle)


def test_a_second_writer_is_turned_away(bundle: Path):
    with disk_module.only_writer(bundle), pytest.raises(OutputError, match="another process"):
        write_bundle(bundle, {}, {})
    assert_unchanged(bundle)


def test_a_save_during_opening_is_seen_whole(bundle: Path, monkeypatch: pytest.MonkeyPatch):
    """The reader holds a pointer to a generation that two saves have swept: it starts over."""
    from anticipate.bundle import reader

    pending = [5, 4]

    def read_then_save(root: Path) -> Any:
        pointer = real(root)
        while pending:
            write_bundle(bundle, {"month": pending.pop()}, {})
        return pointer

    real = reader.read_pointer
    monkeypatch.setattr(reader, "read_pointer", read_then_save)

    assert open_bundle(bundle)[0]["month"] == 5
