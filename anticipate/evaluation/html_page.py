"""A report as a page for people who decide: verdicts first, numbers and pictures below.

Reads  a Report's sections.
Gives  self-contained HTML: readable in light and dark, by screen readers, and on paper.
Never  a script, or a style, font or picture from outside; colour alone never says anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

import pandas as pd

from ..exceptions import MissingExtraError
from .grading import GRADES
from .html_style import STYLE
from .plots import section_pictures
from .sections import GroupRow, MetricRow, Section
from .terminal import fact_text, number_text, percent_text

About = Mapping[str, str | int | float]
_SURE = "the difference may be chance: it is within two standard errors"


def page_html(sections: Iterable[Section], cutoff: pd.Timestamp, about: About) -> str:
    """The whole page.

    Parameters
    ----------
    sections : iterable of Section
        In the order shown.
    cutoff : Timestamp
        When everything was predicted.
    about : mapping
        Facts shown under the title.

    Returns
    -------
    str
        An HTML 5 document.
    """
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Evaluation at {cutoff:%Y-%m-%d}</title>\n</head>\n<body class='page'>\n"
        f"{page_fragment(sections, cutoff, about)}\n</body>\n</html>\n"
    )


def page_fragment(sections: Iterable[Section], cutoff: pd.Timestamp, about: About) -> str:
    """The page's content with its style, for a notebook.

    Parameters
    ----------
    sections, cutoff, about
        As in ``page_html``.

    Returns
    -------
    str
        One ``<div>``.
    """
    parts = list(sections)
    return "\n".join(
        [
            f"<style>{STYLE}</style>",
            '<div class="anticipate-report"><main>',
            _header(parts, cutoff, about),
            *(_section(section) for section in parts),
            _footer(),
            "</main></div>",
        ]
    )


def _header(sections: list[Section], cutoff: pd.Timestamp, about: About) -> str:
    facts = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>"
        for name, value in (fact_text(*fact) for fact in about.items())
    )
    cards = "".join(_card(section) for section in sections)
    return (
        "<header><h1>How good are the answers?</h1>"
        f"<p>Everything was predicted as of <strong>{cutoff:%Y-%m-%d %H:%M %Z}</strong> and is "
        "judged by what happened afterwards, beside the best plain rule that knew the same."
        f"</p><dl class='facts'>{facts}</dl></header><nav class='cards'>{cards}</nav>"
    )


def _card(section: Section) -> str:
    row = section.headline
    return (
        f"<a class='card' href='#section-{escape(section.name)}'>{_badge(row)}"
        f"<span class='what'>{escape(section.title)}</span>"
        f"<span class='said'>{escape(_verdict(row))}<br>{escape(_figures(row))}</span></a>"
    )


def _verdict(row: MetricRow) -> str:
    """The headline in words: better or worse than what, by how much, and is that sure."""
    if not row.grade:
        return row.meaning
    gained = percent_text(abs(row.improvement)).lstrip("+")
    rule = f"the best plain rule ({row.baseline_name})"
    if row.improvement == 0:
        return f"as good as {rule}"
    text = f"{gained} {'better' if row.improvement > 0 else 'worse'} than {rule}"
    return f"{text}, which may be chance" if row.within_chance else text


def _figures(row: MetricRow) -> str:
    ours = f"{row.metric} {number_text(row.ours, row.baseline)}"
    if row.baseline_name is None:
        return ours
    return f"{ours} against {number_text(row.baseline, row.ours)}"


def _badge(row: MetricRow) -> str:
    if not row.grade:
        return "<span class='grade none' title='not compared with a plain rule'>&ndash;</span>"
    hint = GRADES[row.grade] + (f"; {_SURE}" if row.within_chance else "")
    sure = "<sup>~</sup>" if row.within_chance else ""
    return (
        f"<span class='grade {row.grade}' title='{escape(hint)}'>"
        f"<span class='hidden'>grade </span>{row.grade}{sure}</span>"
    )


def _section(section: Section) -> str:
    notes = "".join(f"<p class='note'>{escape(_sentence(note))}</p>" for note in section.notes)
    beside = " class='beside'" if len(section.curves) == 1 else ""
    return (
        f"<section id='section-{escape(section.name)}'><h2>{escape(section.title)}</h2>"
        f"{notes}<div{beside}>{_pictures(section)}{_metrics(section)}</div>"
        f"{_groups(section.groups)}</section>"
    )


def _pictures(section: Section) -> str:
    if not section.curves:
        return ""
    try:
        pictures = section_pictures(section)
    except MissingExtraError as error:
        return f"<p class='note'>No pictures here: {escape(str(error))}</p>"
    figures = "".join(
        f"<figure>{picture}<figcaption>{_caption(picture)}</figcaption></figure>"
        for picture in pictures
    )
    return f"<div class='pictures'>{figures}</div>"


def _caption(picture: str) -> str:
    """The picture's own title and description, already escaped."""
    title = picture.split("<title", 1)[1].split(">", 1)[1].split("</title>", 1)[0]
    text = picture.split("<desc", 1)[1].split(">", 1)[1].split("</desc>", 1)[0]
    return f"<strong>{title}.</strong> {text}"


def _metrics(section: Section) -> str:
    body = "".join(
        f"<tr><th scope='row'>{escape(row.metric)}<small>{escape(row.meaning)}</small></th>"
        f"{_numbers(row)}</tr>"
        for row in section.rows
    )
    return _table("Measure", body, caption=f"{section.title}: all measures")


def _groups(groups: tuple[GroupRow, ...]) -> str:
    tables = []
    for grouping in dict.fromkeys(group.grouping for group in groups):
        rows = [group for group in groups if group.grouping == grouping]
        body = "".join(
            f"<tr><th scope='row'>{escape(group.level)}</th>{_numbers(group.row)}</tr>"
            for group in rows
        )
        title = f"{rows[0].row.metric} by {grouping}"
        table = _table(grouping, body, caption=title)
        tables.append(f"<details><summary>{escape(title)}</summary>{table}</details>")
    return "".join(tables)


def _numbers(row: MetricRow) -> str:
    base = "" if row.baseline_name is None else number_text(row.baseline, row.ours)
    name = escape(row.baseline_name or "")
    graded = _badge(row) if row.grade else ""
    return (
        f"<td class='n'>{number_text(row.ours, row.baseline)}</td>"
        f"<td class='n'>{base}<small>{name}</small></td>"
        f"<td class='n'>{percent_text(row.improvement)}</td>"
        f"<td class='g'>{graded}</td><td class='n'>{row.n:,}</td>"
    )


def _table(first: str, body: str, *, caption: str) -> str:
    heads = "".join(
        f"<th scope='col'{style}>{name}</th>"
        for name, style in (
            (escape(first), ""),
            ("Ours", " class='n'"),
            ("Best plain rule", " class='n'"),
            ("Better by", " class='n'"),
            ("Grade", " class='g'"),
            ("n", " class='n'"),
        )
    )
    return (
        f"<div class='scroll'><table><caption class='hidden'>{escape(caption)}</caption>"
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _footer() -> str:
    grades = "; ".join(f"<strong>{letter}</strong> {text}" for letter, text in GRADES.items())
    return (
        f"<footer><p>Grades: {grades}. <strong>~</strong> {_SURE}. <strong>n</strong> counts the "
        "customers, pairs, cart lines or warnings behind a number. A grade speaks of this window "
        "and this data only.</p></footer>"
    )


def _sentence(note: str) -> str:
    return f"{note[:1].upper()}{note[1:]}{'' if note.endswith('.') else '.'}"
