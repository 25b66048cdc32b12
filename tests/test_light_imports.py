"""What importing costs: a service must not load what it does not use."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("scipy", "sklearn", "implicit", "matplotlib", "pyspark", "pandas", "duckdb", "pyarrow")


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
