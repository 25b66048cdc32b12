"""The import law: which part of the library may import which and how long a file may be."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1] / "anticipate"
FREE = {"columns", "exceptions", "_checks", "_command_line", "_version"}  # anyone may import these
MODEL = {"log", "features", "kernels", "suggestions", "evaluation", "outcomes"}
ALL = {"*"}
ALLOWED: dict[str, set[str]] = {
    "__init__": ALL,
    "__main__": ALL,
    "_version": set(),
    "columns": set(),
    "exceptions": set(),
    "_checks": {"exceptions", "columns"},
    "_command_line": {"exceptions"},
    "kernels": set(),
    "log": {"kernels"},
    "readers": {"kernels", "log"},
    "outcomes": {"log", "kernels"},
    "features": {"log", "kernels"},
    "needs": MODEL,
    "timing": MODEL,
    "churn": MODEL,
    "guards": MODEL,
    "evaluation": {"log", "outcomes", "kernels"},
    "bundle": set(),
    "suggestions": {"kernels"},
    "retention": {"log", "kernels", "outcomes"},
    "serving": {"kernels", "bundle", "suggestions", "retention"},
    "anticipator": {
        "log", "outcomes", "features", "kernels", "suggestions", "needs", "timing", "churn",
        "guards", "retention", "evaluation", "bundle", "serving",
    },
    "datasets": {"log", "bundle", "_simulator"},
    "_simulator": set(),
    "testing": {"log", "bundle", "kernels"},
    "engines": {
        "log", "readers", "outcomes", "features", "kernels", "suggestions", "needs", "timing",
        "churn", "guards", "retention", "evaluation", "bundle", "serving", "anticipator",
    },
    "batch": ALL,
}  # fmt: skip
# Third-party packages that only one place may import.
ONLY_IN = {"implicit": {"needs/collaborative.py", "needs/factors.py"}}
KERNELS_MAY_IMPORT = {"numpy", "scipy", *sys.stdlib_module_names}
# Logs know how to be read: the reader is reached from the log's own constructor.
EXTRA = {"log": {"readers"}, "readers": {"log"}}


def part_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports_of(path: Path) -> set[str]:
    """Absolute dotted names that a file imports, relative imports resolved."""
    package = ("anticipate", *path.relative_to(ROOT).parent.parts)
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            stem = ".".join([*base, *((node.module or "").split(".") if node.module else [])])
            names = {f"{stem}.{alias.name}" for alias in node.names}
            found |= names if stem == "anticipate" else {stem}
    return found


def own_parts(path: Path) -> set[str]:
    ours = {name for name in imports_of(path) if name.split(".")[0] == "anticipate"}
    return {name.split(".")[1] for name in ours if "." in name}


FILES = sorted(ROOT.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_a_part_imports_only_what_the_law_allows(path: Path):
    part = part_of(path)
    assert part in ALLOWED, f"{part} is a new room: name it in ALLOWED"
    allowed = ALLOWED[part] | FREE | {part} | EXTRA.get(part, set())

    assert "*" in allowed or own_parts(path) <= allowed


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_guarded_packages_stay_in_their_one_place(path: Path):
    roots = {name.split(".")[0] for name in imports_of(path)}
    for package, places in ONLY_IN.items():
        assert package not in roots or path.relative_to(ROOT).as_posix() in places


@pytest.mark.parametrize("path", sorted((ROOT / "kernels").glob("*.py")), ids=lambda p: p.name)
def test_kernels_are_numpy_and_scipy_special_only(path: Path):
    names = {name for name in imports_of(path) if not name.startswith("anticipate")}

    assert {name.split(".")[0] for name in names} <= KERNELS_MAY_IMPORT
    assert all(name == "scipy.special" for name in names if name.startswith("scipy"))


def test_no_file_is_past_three_hundred_lines():
    long = {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in FILES
    }

    assert {name: lines for name, lines in long.items() if lines > 300} == {}


def test_the_law_sees_a_forbidden_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A kernel that imports the log must be caught, absolute or relative."""
    monkeypatch.setattr("tests.test_architecture.ROOT", tmp_path, raising=False)
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    (tmp_path / "kernels").mkdir()
    bad = tmp_path / "kernels" / "bad.py"
    bad.write_text("from ..log import History\nimport anticipate.features.builder\n")

    assert own_parts(bad) == {"log", "features"}
