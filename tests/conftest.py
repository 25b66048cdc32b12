"""What several tests share: the bookshop, one model trained on it, its bundle."""

from __future__ import annotations

import os
from pathlib import Path

import matplotlib
import pytest
from hypothesis import settings

import anticipate as an

matplotlib.use("Agg")
# The same examples on every machine and run; times on shared machines say nothing.
settings.register_profile("steady", derandomize=True, deadline=None, database=None)
settings.load_profile("steady")
CUTOFF = "2025-03-01"


@pytest.fixture(scope="session")
def bookshop():
    return an.load_example("bookshop")


@pytest.fixture(scope="session")
def bookshop_history(bookshop):
    return bookshop.as_of(CUTOFF)


@pytest.fixture(scope="session")
def bookshop_model(bookshop_history):
    return an.Anticipator(random_state=0).fit(bookshop_history)


@pytest.fixture(scope="session")
def bookshop_bundle(bookshop_model, tmp_path_factory):
    return bookshop_model.save(tmp_path_factory.mktemp("bundle") / "bookshop.bundle")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real data sets; a test that needs it is skipped where it is absent."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("ANTICIPATE_DATA", default))
    if not folder.is_dir():
        pytest.skip("no real data: set ANTICIPATE_DATA to the folder that holds it")
    return folder
