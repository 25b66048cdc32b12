"""What importing costs: a service must not load what it does not use."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("scipy", "sklearn", "implicit", "matplotlib", "pyspark", "pandas", "duckdb", "pyarrow",
         "fastapi", "pydantic", "uvicorn")  # fmt: skip


def loaded_by(statement: str) -> set[str]:
    """Heavy packages in a fresh process after the statement."""
    code = f"import sys; {statement}; print(*[m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "statement", ["import anticipate", "import anticipate.serving", "from anticipate import Scorer"]
)
def test_a_service_loads_nothing_heavy(statement):
    assert loaded_by(statement) == set()


def test_importing_the_package_loads_not_even_numpy():
    code = "import sys, anticipate; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"


def test_the_public_face_is_lazy_and_complete():
    import anticipate

    for name in anticipate.__all__:
        assert getattr(anticipate, name) is not None
    assert set(anticipate.__all__) <= set(dir(anticipate))
    with pytest.raises(AttributeError, match="no attribute 'Oracle'"):
        _ = anticipate.Oracle


def test_a_server_and_its_workers_load_nothing_that_trains():
    """Neither the command nor what each worker imports; pandas is 80 MB a worker."""
    allowed = {"scipy", "fastapi", "pydantic", "uvicorn"}
    start = "from anticipate.__main__ import main; import anticipate.serving.http.server"

    assert loaded_by(start) <= allowed
    assert loaded_by("from anticipate.__main__ import main") == set()
