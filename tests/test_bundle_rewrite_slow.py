"""A long series: whoever puts another generation in a bundle's place is killed, again and again."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from anticipate.bundle import open_bundle, write_bundle
from anticipate.bundle.rewrite import rewrite_bundle

pytestmark = pytest.mark.slow

# Puts n + 1 in the place of n without end; every value of a generation is its n.
REWRITER = """
import sys
import numpy as np
from anticipate.bundle.pieces import Pieces
from anticipate.bundle.rewrite import rewrite_bundle

def later(manifest, arrays):
    n = manifest["n"] + 1
    halves = lambda: (np.full(10_000, n) for _ in range(2))
    told.append(n)
    return {"n": n}, {name: Pieces(np.dtype(int), (20_000,), halves) for name in arrays}

while True:
    told = []
    rewrite_bundle(sys.argv[1], later)
    print(told[-1], flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_killed_at_any_moment_one_whole_generation_is_in_use(tmp_path):
    """40 of them are killed 0 to 60 ms after a generation that they reported."""
    root, rng, leftovers = tmp_path / "b", np.random.default_rng(0), 0
    write_bundle(root, {"n": 0}, {f"a{i}": np.zeros(20_000, dtype=int) for i in range(6)})
    for _ in range(40):
        writer = subprocess.Popen(
            [sys.executable, "-c", REWRITER, str(root)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        first = int(writer.stdout.readline())
        time.sleep(rng.uniform(0, 0.06))
        writer.send_signal(signal.SIGKILL)
        last = max([first, *(int(line) for line in writer.communicate()[0].split())])

        manifest, arrays = open_bundle(root)
        assert manifest["n"] in (last, last + 1)  # the one after the last report may have ended
        assert all((array == manifest["n"]).all() for array in arrays.values())
        leftovers += len(list(root.iterdir())) > 2
        rewrite_bundle(root, lambda manifest, arrays: None)
        assert len(list(root.iterdir())) == 2
    assert leftovers  # else none was hit in the middle, and nothing was shown
