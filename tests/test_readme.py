"""The README's code runs, and prints what it shows."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from anticipate.batch.main import build_parser

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CHURN = (ROOT / "docs" / "churn.md").read_text(encoding="utf-8")
GUARDS = (ROOT / "docs" / "guards.md").read_text(encoding="utf-8")


def blocks_of(page: str) -> list[tuple[str, str]]:
    return re.findall(r"^```(\w+)\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL)


BLOCKS = blocks_of(README)
PLAN = next(text for language, text in blocks_of(CHURN) if language == "toml")


@pytest.fixture(scope="module")
def workplace(tmp_path_factory, bookshop):
    """A folder with the files that the README's commands name."""
    folder = tmp_path_factory.mktemp("readme")
    bookshop.to_pandas().to_parquet(folder / "orders.parquet")
    (folder / "plan.toml").write_text(PLAN, encoding="utf-8")
    return folder


def run_python(code: str, names: dict[str, object]) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(code, "README.md", "exec"), names)
    return out.getvalue()


def test_python_blocks_print_what_the_readme_shows(workplace, monkeypatch):
    """A ``text`` block after a ``python`` block is its output, to the letter."""
    monkeypatch.chdir(workplace)
    names: dict[str, object] = {}
    shown = 0
    for (language, code), (following, text) in zip(BLOCKS, [*BLOCKS[1:], ("", "")], strict=True):
        if language == "python":
            printed = run_python(code, names)
            if following == "text":
                assert printed.rstrip() == text.rstrip()
                shown += 1

    assert shown >= 2


def test_real_output_stands_within_the_first_ten_lines_of_code():
    first = next(i for i, (language, _) in enumerate(BLOCKS) if language == "python")

    assert BLOCKS[first + 1][0] == "text"
    assert len(BLOCKS[first][1].strip().splitlines()) <= 10


def commands_typed() -> list[list[str]]:
    """Every ``anticipate ...`` line of the ``sh`` blocks, in order."""
    lines = [
        line.split("#")[0].strip()
        for language, code in BLOCKS
        if language == "sh"
        for line in code.replace("\\\n", " ").splitlines()
    ]
    commands = [shlex.split(line) for line in lines if line.startswith("anticipate ")]
    return [one for one in commands if one[1] != "serve"]  # test_http_docs.py asks it


def test_commands_are_understood_as_typed():
    """Each names a command and options that it has; the long series runs them."""
    commands = commands_typed()
    for _, *arguments in commands:
        build_parser().parse_args(arguments)

    assert len(commands) >= 3


@pytest.mark.slow
def test_commands_run_as_typed(workplace):
    commands = commands_typed()
    for command in commands:
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=workplace,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONWARNINGS": "default"},
        )
        assert done.returncode == 0, done.stderr

    assert len(commands) >= 3


def test_the_page_on_churn_shows_code_that_runs(bookshop_history):
    """Its plan stays within its budget, and contacts somebody."""
    names: dict[str, object] = {"history": bookshop_history}
    for language, code in blocks_of(CHURN):
        if language == "python":
            run_python(code, names)

    assert 0 < names["contacts"]["cost"].sum() <= 500


@pytest.mark.slow
def test_the_page_on_guards_shows_code_that_runs(tmp_path, monkeypatch):
    """Its sums are right: doubt .80, break-even .80 / 7.80, 7 * .30 - .80 * .70 = 1.54."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for language, code in blocks_of(GUARDS):
        if language == "python":
            run_python(code, names)

    assert names["reviewed"]["verdict"].tolist() == ["warn", "pass"]
    assert names["guard"].report_["kinds"]["double_submit"]["threshold"] == pytest.approx(
        0.1026, abs=1e-4
    )
    assert names["guard"].saving(0.30) == pytest.approx(1.54)
    assert (names["looked"]["verdict"] == "pass").all()
    assert names["ledger"].loc["all", "n_lines"] == names["looked"]["reason"].notna().sum() > 0
    assert [one.reason.code for one in names["found"]] == ["substitute_owned"]
    assert names["scorer"].check_cart("nobody", ["B-1984-ebook"], as_of="2025-03-02") == []
    columns = set(
        re.findall(r"`(\w+)`", GUARDS.split("| column | meaning |")[1].split("In `net")[0])
    )
    assert columns <= set(names["ledger"].columns)


def test_the_two_commands_are_the_makefiles():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in ("demo", "test"):
        assert f"make {target}" in README
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE)


def test_the_table_of_names_is_the_public_face():
    import anticipate

    table = set(re.findall(r"^\| `(\w+)` \|", README, flags=re.MULTILINE))

    assert table == {name for name in anticipate.__all__ if not name.startswith("__")}
