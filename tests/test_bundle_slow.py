"""Long series on bundles: random damage, killed writers, a disk that really is full."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from anticipate.bundle import bundle_info, open_bundle, write_bundle
from anticipate.exceptions import BundleError, OutputError

pytestmark = pytest.mark.slow
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL, no limits there")

# Saves generation after generation; every value of generation n is n. Prints n when saved.
WRITER = """
import sys
import numpy as np
from anticipate.bundle import bundle_info, write_bundle

root, n = sys.argv[1], int(sys.argv[2])
while True:
    n += 1
    arrays = {f"a{i}": np.full(20_000 + i, n) for i in range(6)}
    write_bundle(root, {"n": n}, {**arrays, "model_m": np.full(7, n)})
    print(n, flush=True)
"""


def check_whole(root: Path) -> int:
    """The generation's number, after every array was seen to be of that generation."""
    manifest, arrays = open_bundle(root)
    assert set(arrays) == {"model_m", *(f"a{i}" for i in range(6))}
    assert all((array == manifest["n"]).all() for array in arrays.values())
    return int(manifest["n"])


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    arrays = {f"a{i}": rng.integers(0, 255, (500, i + 1)).astype(np.uint8) for i in range(5)}
    return write_bundle(tmp_path / "whole", {"quality": {"recall": 0.25}}, arrays)


def damaged_copies(bundle: Path, n_copies: int, seed: int) -> Iterator[tuple[Path, Path, int]]:
    """A copy, one of its files (the pointer included), and a position in it."""
    rng = np.random.default_rng(seed)
    for number in range(n_copies):
        copy = bundle.parent / f"copy{number}"
        shutil.copytree(bundle, copy)
        files = sorted(file for file in copy.rglob("*") if file.is_file())
        file = files[rng.integers(len(files))]
        yield copy, file, int(rng.integers(file.stat().st_size))
        shutil.rmtree(copy)


@pytest.mark.parametrize("bit", range(8))
def test_every_flipped_bit_is_refused(bundle: Path, bit: int):
    for copy, file, position in damaged_copies(bundle, 30, seed=bit):
        content = bytearray(file.read_bytes())
        content[position] ^= 1 << bit
        file.write_bytes(content)

        with pytest.raises(BundleError, match=r"bundle file"):
            open_bundle(copy)


def test_every_byte_of_pointer_and_manifest_counts(bundle: Path):
    pointer = bundle / "CURRENT"
    manifest = bundle / pointer.read_text().split()[0] / "manifest.json"
    for file in (pointer, manifest):
        content = file.read_bytes()
        for position in range(len(content)):
            changed = bytearray(content)
            changed[position] ^= 0x20  # the bit between upper and lower case
            file.write_bytes(changed)
            with pytest.raises(BundleError):
                bundle_info(bundle)
        file.write_bytes(content)

    assert bundle_info(bundle)["quality"] == {"recall": 0.25}


def test_every_truncation_extension_and_deletion_is_refused(bundle: Path):
    for turn, (copy, file, position) in enumerate(damaged_copies(bundle, 90, seed=8)):
        content = file.read_bytes()
        if turn % 3 == 0:
            file.write_bytes(content[:position])
        elif turn % 3 == 1:
            file.write_bytes(content + b"\0" * (position + 1))
        else:
            file.unlink()

        for verify in ("full", "structure"):
            with pytest.raises(BundleError):
                open_bundle(copy, verify=verify)  # type: ignore[arg-type]


def test_every_swap_is_refused(bundle: Path):
    folder = bundle / (bundle / "CURRENT").read_text().split()[0]
    files = sorted(folder.iterdir())
    for first in files:
        for second in files:
            if first < second:
                kept, other = first.read_bytes(), second.read_bytes()
                first.write_bytes(other)
                second.write_bytes(kept)
                with pytest.raises(BundleError):
                    open_bundle(bundle)
                first.write_bytes(kept)
                second.write_bytes(other)

    assert len(open_bundle(bundle)[1]) == 5


def start_writer(root: Path, n: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(root), str(n)], stdout=subprocess.PIPE, text=True
    )


@posix_only
def test_a_writer_killed_at_any_moment_leaves_old_or_new(tmp_path: Path):
    """50 writers are killed 0 to 60 ms after a save that they reported.

    What one of them left is swept by the first save of the next one.
    """
    root, rng, saved = tmp_path / "b", np.random.default_rng(0), 0
    leftovers: set[str] = set()
    for _ in range(50):
        writer = start_writer(root, saved)
        assert writer.stdout is not None
        writer.stdout.readline()
        assert not leftovers & {entry.name for entry in root.iterdir()}
        time.sleep(rng.uniform(0, 0.06))
        writer.send_signal(signal.SIGKILL)
        reported = [int(line) for line in writer.communicate()[0].split()]
        leftovers |= {entry.name for entry in root.iterdir() if entry.name.startswith(".")}

        current = check_whole(root)
        last = max([saved + 1, *reported])
        assert current in (last, last + 1)  # the save after the last report may have ended
        saved = current
    assert leftovers  # else no writer was hit in the middle, and nothing was shown

    write_bundle(root, {"n": 1}, {"a0": np.full(3, 1)})
    assert not [entry for entry in root.iterdir() if entry.name.startswith(".")]
    assert len(list(root.iterdir())) == 3  # CURRENT, the new generation, the one before


@posix_only
def test_a_reader_beside_a_writer_sees_whole_generations(tmp_path: Path):
    root = tmp_path / "b"
    writer = start_writer(root, 0)
    assert writer.stdout is not None
    writer.stdout.readline()
    seen = [check_whole(root)]
    try:
        while len(set(seen)) < 30:
            seen.append(check_whole(root))
    finally:
        writer.kill()
        writer.communicate()

    assert seen == sorted(seen)


@posix_only
def test_two_writers_never_break_the_bundle(tmp_path: Path):
    """A save that meets another one is refused; the folder stays whole."""
    root = tmp_path / "b"
    write_bundle(root, {"turn": -1}, {"a": np.zeros(5)})
    script = (
        "import sys, numpy as np\n"
        "from anticipate.bundle import write_bundle\n"
        "from anticipate.exceptions import OutputError\n"
        "for turn in range(60):\n"
        "    manifest = {'turn': turn, 'who': sys.argv[2]}\n"
        "    try: write_bundle(sys.argv[1], manifest, {'a': np.ones(5)})\n"
        "    except OutputError as error: assert 'another process' in str(error), error\n"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", script, str(root), who]) for who in ("a", "b")
    ]
    while any(writer.poll() is None for writer in writers):
        open_bundle(root)

    assert [writer.returncode for writer in writers] == [0, 0]


@posix_only
def test_a_disk_that_is_full_leaves_the_old_bundle(bundle: Path):
    """The system lets the process write files of 10,000 bytes; the arrays need 800,000."""
    script = (
        "import resource, signal, sys, numpy as np\n"
        "from anticipate.bundle import write_bundle\n"
        "from anticipate.exceptions import OutputError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))\n"
        "try: write_bundle(sys.argv[1], {}, {'a': np.zeros(100_000)})\n"
        "except OutputError: sys.exit(7)\n"
    )
    before = sorted(bundle.rglob("*"))
    ended = subprocess.run([sys.executable, "-c", script, str(bundle)], check=False)

    assert ended.returncode == 7
    assert sorted(bundle.rglob("*")) == before
    assert len(open_bundle(bundle)[1]) == 5


@contextlib.contextmanager
def tiny_disk(place: Path, kilobytes: int) -> Iterator[Path]:
    """A file system of so many kilobytes; only an administrator may make one."""
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("this user, or this machine, cannot make a small disk")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)  # arrays may still be mapped


@posix_only
@pytest.mark.parametrize("kilobytes", range(64, 224, 16))
def test_a_small_disk_that_fills_up_leaves_the_old_bundle(tmp_path: Path, kilobytes: int):
    """30 kB saved, 180 kB do not fit beside it, wherever they end; then 30 kB more do."""
    with tiny_disk(tmp_path / "disk", kilobytes) as disk:
        root = write_bundle(disk / "b", {"n": 1}, {"a": np.full(3_750, 1.0)})
        before = sorted(root.rglob("*"))
        arrays = {f"b{i}": np.full(3_750, float(i)) for i in range(6)}
        with pytest.raises(OutputError, match="No space left"):
            write_bundle(root, {"n": 2}, arrays)
        assert sorted(root.rglob("*")) == before
        manifest, found = open_bundle(root)
        assert (manifest["n"], found["a"].sum()) == (1, 3_750)

        write_bundle(root, {"n": 3}, {"a": np.full(1_000, 3.0)})
        assert open_bundle(root)[0]["n"] == 3
