"""What the README and docs/serving.md show of HTTP: as typed, with the answers they show."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from itertools import pairwise
from typing import Any

import pytest
from http_app import wait_until
from test_http_server import Running
from test_readme import README, ROOT, blocks_of

from anticipate.__main__ import main
from anticipate.serving.http import body, questions, route, server

SERVING = (ROOT / "docs" / "serving.md").read_text(encoding="utf-8")
NEEDS_CURL = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


@pytest.fixture(scope="module")
def served(bookshop_bundle, tmp_path_factory):
    """The command as both pages type it, but for the port, which may be taken here."""
    folder = tmp_path_factory.mktemp("docs")
    shutil.copytree(bookshop_bundle, folder / "bookshop.bundle")
    for page in (README, SERVING):
        assert "anticipate serve bookshop.bundle --port 8080\n" in page
    running = Running(folder / "bookshop.bundle")
    wait_until(running.is_ready)
    yield running
    running.process.kill()
    running.process.communicate()


def curls_of(page: str) -> list[tuple[str, str]]:
    """Each ``curl`` and the ``json`` block after it."""
    blocks = blocks_of(page)
    return [
        (code[code.index("curl ") :], shown)
        for (language, code), (following, shown) in pairwise(blocks)
        if language == "sh" and "curl " in code and following == "json"
    ]


def same(one: Any, other: Any) -> bool:
    """As JSON; numbers between machines, and a bundle's name, are not of one bit."""
    if isinstance(one, dict) and isinstance(other, dict):
        pairs = ((one[name], other.get(name)) for name in one if name != "bundle")
        return one.keys() == other.keys() and all(same(*pair) for pair in pairs)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return one == pytest.approx(other, rel=1e-8)
    return type(one) is type(other) and one == other


@NEEDS_CURL
@pytest.mark.parametrize(("page", "count"), [(README, 1), (SERVING, 5)], ids=["readme", "serving"])
def test_every_curl_answers_what_is_shown(served, page, count):
    shown = curls_of(page)
    for command, answer in shown:
        words = shlex.split(command.replace("localhost:8080", f"127.0.0.1:{served.port}"))
        done = subprocess.run(words, capture_output=True, text=True, check=True, encoding="utf-8")
        assert same(json.loads(answer), json.loads(done.stdout)), done.stdout

    assert len(shown) == count


def test_the_app_of_the_page_can_be_made(bookshop_bundle, tmp_path, monkeypatch):
    shutil.copytree(bookshop_bundle, tmp_path / "bookshop.bundle")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for language, code in blocks_of(SERVING):
        if language == "python":
            exec(compile(code, "serving.md", "exec"), names)

    assert names["app"].title == "anticipate"


def test_the_numbers_of_the_page_are_those_of_the_code():
    """Limits that the page names, where the code has them."""
    said = {
        f"{questions.MOST_CUSTOMERS:,}": "(≤ {}, ≤ 10,000 lines together)",
        f"{questions.MOST_LINES_TOGETHER:,}": "≤ {} lines together",
        f"{questions.MOST_LINES}": "`cart` (≤ {} lines)",
        f"{questions.MOST_RECENT:,} ": "≤ {}rows",
        f"{body.MOST_SECONDS:g}": "the body did not arrive within {} s",
        f"{body.MOST_BYTES // 2**20}": "more than {} MiB",
        f"{route.MOST_WAITING}": "{} batches wait",
        f"{server.HEAD_SECONDS:g} ": "{}s for a head",
        f"{server.KEEP_ALIVE_SECONDS}": "{} s idle",
        f"{server.READ_SECONDS:g}": "dropped {} s after",
        f"{server.FINISH_SECONDS} ": "up to {}s, and the exit",
    }
    for number, words in said.items():
        assert words.format(number) in SERVING

    rows = re.search(r"columns of a log\]\(contracts.md\): `([\w ]+)`", SERVING)
    assert set(rows[1].split()) == set(questions.Row.__annotations__)


def test_every_flag_of_the_page_is_one(capsys):
    with pytest.raises(SystemExit):
        main(["serve", "--help"])
    known = set(re.findall(r"--[a-z-]+", capsys.readouterr().out))

    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", SERVING)) <= known
