"""A brief as a small page: to read in ten seconds, on a screen or on paper.

Reads  a brief, as ``Scorer.brief`` gives it or as it came back from JSON.
Gives  one self-contained HTML document.
Never  a script, a file from outside, or a word of the log that is not escaped; colour alone
       never says anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from ..._checks import check_option
from ...suggestions import LANGUAGES
from ...suggestions.brief_words import as_sentence, brief_text, word
from .card_words import LABELS, STYLE

Entry = Mapping[str, Any]
_OWNED = ("is_owned", "is_covered")
OWNED_NAMED, EVENTS_SHOWN = 8, 12
_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def brief_card(brief: Entry, *, language: str | None = None) -> str:
    """The brief as HTML.

    Parameters
    ----------
    brief : mapping
    language : {"en", "ko"}, optional
        None: the brief's own.

    Returns
    -------
    str
        An HTML 5 document of a few kilobytes: no script, nothing from outside, UTF-8.
    """
    spoken = str(brief["language"]) if language is None else language
    check_option("language", spoken, LANGUAGES)
    return _Card(brief, spoken).document()


class _Card:
    """The parts of one card."""

    def __init__(self, brief: Entry, language: str) -> None:
        self._brief, self._language, self._label = brief, language, LABELS[language]

    def document(self) -> str:
        title = f"{self._label['brief']}: {_text(self._brief['customer_id'])}"
        return (
            f'<!DOCTYPE html>\n<html lang="{self._language}">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n"
            f"<body>\n<main>\n{self._body()}\n</main>\n</body>\n</html>\n"
        )

    def _body(self) -> str:
        brief = self._brief
        parts = (
            self._header(),
            self._matters(),
            '<div class="columns">',
            self._list("ahead", [*brief["withheld_because"], *self._needs()]),
            self._list("likely_to_go_wrong", brief["likely_to_go_wrong"]),
            self._not_offered(),
            self._list("uses", self._uses()),
            self._list("owns", self._owned()),
            self._relation(),
            "</div>",
            self._timeline(),
        )
        return "\n".join(part for part in parts if part)

    def _header(self) -> str:
        brief, label = self._brief, self._label
        story = "".join(f"<li>{_prose(as_sentence(self._say(one)))}</li>" for one in brief["story"])
        at = str(brief["as_of"])
        when = f'<time datetime="{_text(at)}">{_text(at[:16].replace("T", " "))}</time>'
        return (
            f'<header>\n<p class="when">{when} ({_text(brief["timezone"])})</p>\n'
            f"<h1>{label['customer']} {_text(brief['customer_id'])}</h1>\n{self._tags()}"
            f'<ul class="story" aria-label="{label["story"]}">{story}</ul>\n</header>'
        )

    def _tags(self) -> str:
        relation, label = self._brief["relation"], self._label
        tags = [(label[f"objects_{use}"], "mark") for use in self._brief["objects_to"]]
        for name in ("segment", "value_band", "level"):
            if relation[name] is not None:
                said = word({"value_band": "band"}.get(name, name), relation[name], self._language)
                tags.append((f"{label[name]}: {said}", "plain"))
        if not tags:
            return ""
        items = "".join(f'<li class="{kind}">{_text(tag)}</li>' for tag, kind in tags)
        return f'<ul class="tags">{items}</ul>\n'

    def _matters(self) -> str:
        """What is open, framed; and the re-checks."""
        entries = [*self._brief["open"], *self._brief["rechecks"]]
        items = "".join(
            f"<li><strong>{_prose(as_sentence(self._say(one)))}</strong> "
            f"{_prose(as_sentence(self._say(one['what_to_do'])))}{self._where(one)}</li>"
            for one in entries
        )
        if not items:
            return ""
        return f'<section class="open"><h2>{self._label["open"]}</h2><ul>{items}</ul></section>'

    def _where(self, one: Entry) -> str:
        """Order, channel and our last contact, as far as they are known."""
        parts = [
            f"{self._label[name]} {one[name]}"
            for name in ("order_id", "channel", "contacted_on")
            if one[name] is not None
        ]
        return f" <small>{_dated('; '.join(parts))}</small>" if parts else ""

    def _needs(self) -> Iterable[Entry]:
        for one in self._brief["ahead"]:
            percent = f"{round(100 * one['probability'])} %"
            due = "" if one["due"] is None else f"; {self._label['due']} {one['due']}"
            yield {**one, "note": f"{percent}{due}"}
        if self._brief["next_purchase"] is not None:
            yield self._brief["next_purchase"]

    def _uses(self) -> list[Entry]:
        return [
            one if one["due"] is None else {**one, "note": f"{self._label['due']} {one['due']}"}
            for one in self._brief["uses"]
        ]

    def _owned(self) -> list[Entry]:
        label = self._label["order_id"]
        return [
            one if one["order_id"] is None else {**one, "note": f"{label} {one['order_id']}"}
            for one in self._brief["owns"]
        ]

    def _not_offered(self) -> str:
        """What they said no to, each; what they own, in one line."""
        entries = self._brief["do_not_offer"]
        said = [one for one in entries if one["code"] not in _OWNED]
        owned = [str(one["facts"]["item"]) for one in entries if one["code"] in _OWNED]
        more = f"; +{len(owned) - OWNED_NAMED}" if len(owned) > OWNED_NAMED else ""
        named = "; ".join(owned[:OWNED_NAMED])
        note = f"{self._label['owned']}: {named}{more}" if owned else None
        return self._list("do_not_offer", said, note)

    def _list(self, name: str, entries: Iterable[Entry], note: str | None = None) -> str:
        items = "".join(
            f"<li>{_prose(self._say(one))}"
            + (f" <small>{_dated(one['note'])}</small>" if "note" in one else "")
            + "</li>"
            for one in entries
        )
        if not items and note is None:
            return ""
        listed = f"<ul>{items}</ul>" if items else ""
        below = f"<p><small>{_text(note)}</small></p>" if note else ""
        return f"<section><h2>{self._label[name]}</h2>{listed}{below}</section>"

    def _relation(self) -> str:
        relation, label = self._brief["relation"], self._label
        facts = [
            (label[name], relation[name])
            for name in ("customer_since", "n_purchase_days", "last_purchase")
            if relation[name]
        ]
        for name in ("spend_12_months", "expected_value"):
            if relation[name] is not None:
                title = label[name].format(days=relation["horizon_days"])
                facts.append((title, f"{relation[name]:,.2f}"))
        rows = "".join(f"<div><dt>{t}</dt><dd>{_text(said)}</dd></div>" for t, said in facts)
        reason = relation["reason"]
        below = f"<p><small>{_prose(as_sentence(self._say(reason)))}</small></p>" if reason else ""
        if not rows and not below:
            return ""
        return f"<section><h2>{label['relation']}</h2><dl>{rows}</dl>{below}</section>"

    def _timeline(self) -> str:
        label, entries = self._label, self._brief["timeline"][:EVENTS_SHOWN]
        rows = "".join(
            f'<tr><th scope="row"><time datetime="{_text(one["at"])}">{_text(one["date"])}</time>'
            f"</th><td>{_prose(self._say(one))}{self._answered(one)}</td>"
            f"<td>{_text(_or_none(one['order_id']))}</td><td>{_text(_or_none(one['channel']))}</td>"
            "</tr>"
            for one in entries
        )
        if not rows:
            return ""
        heads = "".join(
            f'<th scope="col">{label[name]}</th>'
            for name in ("date", "event", "order_id", "channel")
        )
        return (
            f"<section><h2>{label['timeline']}</h2><table><thead><tr>{heads}</tr></thead>"
            f"<tbody>{rows}</tbody></table></section>"
        )

    def _answered(self, one: Entry) -> str:
        if one["answered_on"] is None:
            return ""
        return f" <small>{self._label['answered_on']} {_dated(one['answered_on'])}</small>"

    def _say(self, one: Entry) -> str:
        return brief_text(one, self._language)


def _or_none(value: Any) -> Any:
    return "" if value is None else value


def _prose(value: Any) -> str:
    """A sentence, with a capital letter."""
    said = str(value)
    return _dated(f"{said[:1].upper()}{said[1:]}")


def _dated(value: Any) -> str:
    """Escaped, with dates marked so that no line ends within one."""
    return _DATE.sub(r"<time>\g<0></time>", _text(value))


def _text(value: Any) -> str:
    """Escaped; characters that no page may hold are replaced."""
    return escape(_NO_TEXT.sub("\ufffd", str(value)))
