"""The staff page's files: they load nothing else, run nothing inline, write no markup."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

pytest.importorskip("fastapi", reason="the extra serve is not installed")

from anticipate.kernels.churn import SEGMENTS
from anticipate.serving.http.staff_page import FILES, HEADERS, page_routes
from anticipate.suggestions import KINDS

FOLDER = files("anticipate.serving.http") / "page"
SCRIPTS = [name for name in FILES if name.endswith(".js")]


def read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def words() -> dict[str, dict[str, str]]:
    """The page's words by language."""
    text, found = read("words.js"), {}
    for language in ("en", "ko"):
        start = text.index(f"const {language} = {{")
        block = text[start : text.index("\n};", start)]
        found[language] = dict(re.findall(r'^  (\w+): "(.*)",$', block, flags=re.M))
    return found


def test_every_file_of_the_folder_is_served_and_no_other():
    routes = {route.path for route in page_routes()}

    assert {one.name for one in FOLDER.iterdir()} == set(FILES)
    assert routes == {"/", *(f"/{name}" for name in FILES if name != "index.html")}


def test_the_policy_admits_nothing_from_outside_and_nothing_inline():
    rules = dict(rule.split(maxsplit=1) for rule in HEADERS["Content-Security-Policy"].split("; "))

    assert rules.pop("default-src") == "'none'"
    assert set(rules.values()) == {"'self'", "'none'"}
    assert {"script-src", "style-src", "connect-src", "frame-ancestors"} <= set(rules)


@pytest.mark.parametrize("name", [*FILES])
def test_no_file_names_an_address_elsewhere(name):
    addresses = set(re.findall(r"(?:https?:)?//[\w.]+\.\w+[^\s\"']*", read(name)))

    assert addresses <= {"http://www.w3.org/2000/svg"}


def test_markup_has_no_script_style_or_handler_of_its_own():
    html = read("index.html")

    assert re.findall(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=", html) == []
    assert re.findall(r"action=|method=\"get\"", html) == []  # ids never go into an address


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_write_text_alone_and_store_nothing(name):
    forbidden = (
        "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(",
        "localStorage", "sessionStorage", "cookie", "location.", "location =", "history.",
    )  # fmt: skip

    assert [word for word in forbidden if word in read(name)] == []


def test_both_languages_have_the_same_words_with_the_same_facts():
    facts = {
        language: {key: sorted(re.findall(r"\{\w+\}", text)) for key, text in found.items()}
        for language, found in words().items()
    }

    assert facts["en"] == facts["ko"]
    assert len(facts["en"]) > 80


def test_every_kind_segment_and_word_of_the_page_has_its_word():
    known = set(words()["en"])
    marked = set(re.findall(r'data-word="(\w+)"', read("index.html")))
    asked = {key for name in SCRIPTS for key in re.findall(r'\bword\("(\w+)"', read(name))}

    assert set(KINDS) | set(SEGMENTS) | marked | asked <= known


def test_every_field_has_a_label():
    html = read("index.html")
    fields = set(re.findall(r'<input id="([\w-]+)"', html))

    assert fields == set(re.findall(r'<label for="([\w-]+)"', html))
