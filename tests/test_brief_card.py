"""The card: whole, escaped, readable by anyone, in two languages."""

from __future__ import annotations

import json
import string
from html.parser import HTMLParser

import pytest
from brief_shop import CUTOFF, ITEMS, bought, log_of, row, story

from anticipate.exceptions import ParameterError
from anticipate.serving import Scorer
from anticipate.serving.brief import brief_card
from anticipate.serving.brief.card_words import LABELS
from anticipate.suggestions import LANGUAGES
from anticipate.suggestions.brief_words import SENTENCES, WORDS, brief_sentence, brief_text

NOW = "2025-03-20T10:00"
HOSTILE = "<script>alert('1')</script>&\"\x00\u202e"
VOID = {"meta", "br"}


class Reader(HTMLParser):
    """Checks that every tag is closed in order; keeps texts and attributes."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.text, self.attributes = [], [], "", {}

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.setdefault(tag, []).append(dict(attrs))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def read(page):
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    return reader


@pytest.fixture(scope="module")
def scorer(bookshop_model, tmp_path_factory):
    rows = [*story("mina"), *story("private"), bought(HOSTILE, "2025-03-01", "vase", HOSTILE)]
    items = ITEMS.assign(name=ITEMS["name"].where(ITEMS["item_id"] != "vase", HOSTILE))
    folder = tmp_path_factory.mktemp("card") / "b"
    return Scorer.load(bookshop_model.save(folder, history=log_of(rows, items=items).as_of(CUTOFF)))


@pytest.fixture(scope="module")
def brief(scorer):
    return scorer.brief("mina", as_of=NOW)


def test_a_card_stands_alone_and_is_small(brief):
    page = brief_card(brief)
    found = read(page)

    assert page.startswith("<!DOCTYPE html>")
    assert not {"script", "link", "img", "iframe", "object", "form"} & set(found.tags)
    assert "url(" not in page
    assert "http" not in page
    assert len(page.encode()) < 20_000


def test_a_card_tells_what_matters(brief):
    text = read(brief_card(brief)).text

    for said in (
        "Customer mina", "2025-03-20 10:00", "Asia/Seoul", "Segment: current",
        "no answer is recorded for 6 day(s)", "Channel phone", "a re-check is due",
        "sent back on 2025-01-20 (damaged)", "Green tea: bought every 30 days",
        "answered on 2025-03-10", "112.00",
    ):  # fmt: skip
        assert said in text


def test_a_card_can_be_read_aloud(brief):
    """One first heading, a heading for each part, tables with headed rows and columns."""
    found = read(brief_card(brief, language="ko"))

    assert found.attributes["html"] == [{"lang": "ko"}]
    assert found.tags.count("h1") == 1
    assert found.tags.count("h2") == found.tags.count("section")
    assert {one["scope"] for one in found.attributes["th"]} == {"row", "col"}
    assert "title" in found.tags


def test_hostile_names_are_text_and_nothing_else(scorer):
    row_ = row(HOSTILE, "complaint", "2025-03-19", HOSTILE, reason=HOSTILE, channel=HOSTILE,
               order_id=HOSTILE)  # fmt: skip
    for language in LANGUAGES:
        brief = scorer.brief(HOSTILE, as_of=NOW, recent=[row_])
        page = brief_card(brief, language=language)
        found = read(page)

        assert "script" not in found.tags
        assert "<script" not in page
        assert "\x00" not in page
        assert "<script>alert('1')</script>&\"\ufffd" in found.text
        assert set().union(*(one.keys() for many in found.attributes.values() for one in many)) <= {
            "lang", "charset", "name", "content", "class", "datetime", "aria-label", "scope"
        }  # fmt: skip


def test_half_a_surrogate_pair_does_not_stop_a_page(brief):
    told = {**brief, "customer_id": "a\ud800b"}

    assert "a\ufffdb" in brief_card(told)
    brief_card(told).encode()


def test_a_card_of_parsed_json_is_the_same_in_either_language(scorer, brief):
    again = json.loads(json.dumps(brief))
    korean = scorer.brief("mina", as_of=NOW, language="ko")

    assert brief_card(again) == brief_card(brief)
    assert brief_card(again, language="ko") == brief_card(korean) != brief_card(brief)
    assert brief_card(korean, language="en") == brief_card(brief)
    with pytest.raises(ParameterError, match="language"):
        brief_card(brief, language="fr")


def test_what_is_withheld_is_said_with_its_reason(scorer):
    text = read(brief_card(scorer.brief("private", as_of=NOW))).text

    assert "objects to profiling" in text
    assert "Segment" not in text


def test_a_card_of_nobody_is_a_card(scorer):
    found = read(brief_card(scorer.brief("nobody", as_of=NOW)))

    assert "Nothing is known of this customer yet." in found.text
    assert "table" not in found.tags


def test_labels_and_words_are_there_in_both_languages():
    assert set(LABELS["en"]) == set(LABELS["ko"])
    assert all(set(WORDS[name]) == set(LANGUAGES) for name in WORDS)


@pytest.mark.parametrize("code", SENTENCES)
def test_every_sentence_has_both_languages_with_the_same_facts_and_no_haste(code):
    fields = {
        language: {
            name for _, name, _, _ in string.Formatter().parse(SENTENCES[code][language]) if name
        }
        for language in LANGUAGES
    }
    haste = ("hurry", "urgent", "immediately", "now or", "last chance", "limited", "must ")

    assert fields["en"] == fields["ko"]
    assert not any(word in SENTENCES[code]["en"].lower() for word in haste)


def test_a_sentence_is_said_again_from_its_facts():
    said = brief_sentence("was_rated_low", {"item": "Tea", "since": "2025-01-01", "value": 1.5})

    assert said["text"] == "Tea: rated 1.5 on 2025-01-01"
    assert brief_text(said, "ko") == "Tea: 2025-01-01에 1.5점으로 평가"
    unsaid = brief_sentence("did_contact", {"about": None}, "ko")
    assert unsaid["text"] == "문의 (내용 기재 없음)"
