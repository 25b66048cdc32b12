"""BTYD packages, each in an environment of its own: made once, then run as a subprocess.

Reads  arrays by name: they go over as a file, nothing of ours is imported there.
Gives  arrays by name, or None with the last line of what went wrong.
Never  touches the environment that runs the benchmark.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

# lifetimes is of 2020: these are the newest versions on which all of it still works.
REQUIREMENTS = {
    "lifetimes": ["lifetimes==0.11.3", "numpy==1.26.4", "pandas==1.5.3", "scipy==1.11.4"],
    "pymc-marketing": ["pymc-marketing"],
}
SCRIPTS = {
    "ours": "btyd_ours_run.py", "lifetimes": "btyd_lifetimes_run.py",
    "pymc-marketing": "btyd_pymc_run.py",
}  # fmt: skip
ONE_THREAD = {
    "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1",
}  # fmt: skip
INSTALL_SECONDS = 900


def environment(package: str) -> Path:
    """The interpreter of the package's environment, made and filled if it is not there."""
    if package == "ours":
        return Path(sys.executable)
    default = Path.home() / ".cache" / "anticipate-bench"
    folder = Path(os.environ.get("ANTICIPATE_BENCH_CACHE", default)) / package
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    done = folder / ".installed"
    if not done.exists():
        print(f"  making {folder}", file=sys.stderr)
        venv.create(folder, with_pip=True)
        install = [python, "-m", "pip", "install", "--quiet", *REQUIREMENTS[package]]
        subprocess.run(install, check=True, timeout=INSTALL_SECONDS)
        done.touch()
    return python


def run_peer(
    package: str, job: str, arrays: Mapping[str, Any], *, limit_seconds: float = 1800
) -> dict[str, Any] | None:
    """What a package's script answers to a job; a failure is told and gives None."""
    with tempfile.TemporaryDirectory() as scratch:
        source, target = Path(scratch) / "given.npz", Path(scratch) / "found.npz"
        np.savez(source, **arrays)
        script = Path(__file__).with_name(SCRIPTS[package])
        try:
            command = [environment(package), "-W", "ignore", script, job, source, target]
            subprocess.run(
                command, env=os.environ | ONE_THREAD, capture_output=True, text=True, check=True,
                timeout=limit_seconds,
            )  # fmt: skip
        except subprocess.CalledProcessError as error:
            last = (error.stderr or "").strip().splitlines()[-1:] or [str(error)]
            print(f"  {package}, {job}: failed: {last[0]}")
            return None
        except subprocess.TimeoutExpired:
            print(f"  {package}, {job}: not done within {limit_seconds:g} s")
            return None
        with np.load(target) as found:
            return {name: found[name] for name in found.files}
