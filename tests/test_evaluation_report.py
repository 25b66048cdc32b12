"""Sections and the report: graded rows, groups, the terminal, JSON, HTML, pictures."""

from __future__ import annotations

import doctest
import importlib
import json
import math
import pkgutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from anticipate import evaluation as ev
from anticipate.evaluation import files, plots
from anticipate.exceptions import MissingExtraError, OutputError, ParameterError
from anticipate.log import InteractionLog
from anticipate.outcomes import temporal_split

NAN = math.nan
CUTOFF = pd.Timestamp("2025-03-01", tz="UTC")
ROWS = [
    ("ann", "tea", "2025-01-01"), ("ann", "tea", "2025-01-31"), ("ann", "ink", "2025-02-10"),
    ("bob", "jam", "2025-01-15"), ("bob", "jam", "2025-02-14"),
    ("eve", "tea", "2024-06-01"),
    ("ann", "tea", "2025-03-03"), ("ann", "oil", "2025-03-03"), ("bob", "jam", "2025-03-11"),
    ("new", "tea", "2025-03-04"),
]  # fmt: skip


@pytest.fixture(scope="module")
def split():
    frame = pd.DataFrame(ROWS, columns=["customer_id", "item_id", "timestamp"])
    people = pd.DataFrame({"customer_id": ["ann", "bob", "eve"], "city": ["Oslo", "Rome", "Rome"]})
    log = InteractionLog.from_frame(
        frame, timezone="UTC", closed_until="2025-04-01", customers=people
    )
    return temporal_split(log, CUTOFF, 30)


def lists(**items: list[str]) -> pd.DataFrame:
    rows = [(who, item, at) for who, row in items.items() for at, item in enumerate(row, start=1)]
    return pd.DataFrame(rows, columns=["customer_id", "item_id", "rank"])


def by_customer(**values: object) -> pd.Series:
    return pd.Series(values).rename_axis("customer_id")


def dates(**days: float) -> pd.DataFrame:
    due = CUTOFF + pd.to_timedelta(pd.Series(days), unit="D")
    early, late = due - pd.Timedelta(days=3), due + pd.Timedelta(days=3)
    table = pd.DataFrame({"due": due, "due_low": early, "due_high": late})
    return table.rename_axis("customer_id")


@pytest.fixture(scope="module")
def report(split) -> ev.Report:
    """A whole report of three customers."""
    history, outcomes = split
    groups = ev.customer_groups(history, ["city"])
    ours = lists(ann=["tea", "oil"], bob=["jam"])
    needs = ev.needs_baselines(history, n=10)
    p_churn = by_customer(ann=0.1, bob=0.3, eve=0.9)
    churn = {"flat": by_customer(ann=0.4, bob=0.3, eve=0.4)}
    timing = dates(ann=5, bob=9, eve=NAN).assign(p_within_7d=[0.6, 0.2, 0.1])
    carts = ev.injected_carts(outcomes, share=1.0)
    warned = ev.warning_baselines(carts, history)
    sections = (
        ev.evaluate_needs(ours, history, outcomes, baselines=needs, groups=groups),
        ev.evaluate_suggestions(ours, history, outcomes, baselines=needs, groups=groups),
        ev.evaluate_churn(
            p_churn.to_frame("p_churn"), history, outcomes, baselines=churn, groups=groups
        ),
        ev.evaluate_timing(
            timing, history, outcomes, baselines=ev.timing_baselines(history), groups=groups
        ),
        ev.evaluate_guard(warned["bought before"], baselines=warned, groups=groups),
        ev.evaluate_stability(p_churn, p_churn),
        ev.evaluate_reasons(pd.DataFrame({"fact": ["n"], "stated": [1], "recomputed": [1]})),
    )
    return ev.Report(sections, CUTOFF, {"horizon": "30 days", "customers": 3})


# -- rows --------------------------------------------------------------------------


def test_a_mean_row_compares_the_same_customers():
    """Ours applies to two of three: (1 + 0) / 2 against (0 + 0) / 2 and (1 + 0) / 2."""
    row = ev.mean_row(
        "hit",
        np.array([1.0, 0.0, NAN]),
        {"a": np.array([0.0, 0.0, 1.0]), "b": np.array([1.0, 0.0, 1.0])},
        better="higher",
        meaning="",
    )

    assert (row.ours, row.baseline_name, row.baseline, row.n) == (0.5, "b", 0.5, 2)
    assert (row.grade, row.improvement) == ("D", 0.0)


@pytest.mark.parametrize(("last", "chance"), [(1.0, False), (3.0, True)])
def test_a_difference_within_two_standard_errors_may_be_chance(last, chance):
    """Differences 1 1 1 1: no doubt. 1 1 1 and -1: mean 1/2, two errors 2 · 1 / 2 = 1."""
    theirs = np.array([2.0, 2.0, 2.0, 4.0 - last + 0.0])
    ours = np.array([1.0, 1.0, 1.0, 2.0])
    row = ev.mean_row("e", ours, {"plain": theirs}, better="lower", meaning="")

    assert row.within_chance is chance


def test_a_row_that_is_not_compared_has_no_grade():
    row = ev.number_row("slope", 0.9, {"plain": 0.5}, better="none", n=3, meaning="")

    assert (row.grade, row.baseline_name, math.isnan(row.improvement)) == ("", None, True)


def test_groups_keep_their_order_and_name_the_unknown():
    groups = pd.DataFrame(
        {"size": pd.Categorical(["big", "small", None], categories=["small", "big"])},
        index=["a", "b", "c"],
    )
    found = ev.group_rows(
        groups, np.array(["a", "b", "b", "c"]), "m", np.array([1.0, 2, 4, 8]), {},
        better="lower", meaning="",
    )  # fmt: skip

    assert [(g.level, g.row.ours) for g in found] == [("small", 3), ("big", 1), ("unknown", 8)]


# -- sections ----------------------------------------------------------------------


def test_needs_are_judged_on_customers_of_the_history_who_bought(report):
    """ann: tea and oil of tea, oil; bob: jam. new was not in the history, eve bought nothing."""
    needs = report["needs"]

    assert (needs["Recall@10"].ours, needs["Recall@10"].n) == (1.0, 2)
    assert needs["Repeat recall@10"].n == 2
    assert (needs["New recall@10"].ours, needs["New recall@10"].n) == (1.0, 1)
    assert needs["Repeat share@10"].ours == pytest.approx((1 / 2 + 1) / 2)


def test_the_best_baseline_stands_in_the_row(report):
    """Nobody can know oil, so both rules find (1/2 + 1) / 2; at 1 place only own frequency."""
    row = report["needs"].headline
    first = report["needs"].curves["recall_by_rank"].iloc[0]

    assert (row.baseline, row.grade) == (0.75, "A")
    assert first["own frequency"] == 0.75
    assert first["popularity"] < 0.75


def test_an_entry_without_an_item_takes_its_place(split):
    history, outcomes = split
    table = lists(ann=["x", "tea"], bob=["jam", "y"]).replace({"item_id": {"x": None}})

    section = ev.evaluate_suggestions(table, history, outcomes, baselines={}, k=1)

    assert section["Hit@1"].ours == 1 / 2


def test_churn_is_no_purchase_in_the_window(report):
    """eve left: losses -ln .9, -ln .7, -ln .9."""
    row = report["churn"].headline
    expected = -(math.log(0.9) + math.log(0.7) + math.log(0.9)) / 3

    assert row.ours == pytest.approx(expected)
    assert row.grade == "A"
    assert report["churn"]["AUC"].ours == 1.0
    assert "precision@1" in [row.metric.lower() for row in report["churn"].rows]


def test_a_customer_one_side_left_out_is_left_out_for_all(split):
    history, outcomes = split
    p = by_customer(ann=0.1, bob=0.3).to_frame("p_churn")
    other = {"plain": by_customer(ann=0.2, bob=NAN, eve=0.5)}

    section = ev.evaluate_churn(p, history, outcomes, baselines=other)

    assert section.headline.n == 1
    assert section.notes[0].startswith("1 of 3")


def test_a_constant_probability_has_no_gains_curve(split):
    history, outcomes = split
    p = by_customer(ann=0.1, bob=0.3, eve=0.9)
    rules = {"flat": p * 0 + 0.5, "half": p / 2}

    section = ev.evaluate_churn(p.to_frame("p_churn"), history, outcomes, baselines=rules)

    assert section.curves["gains"].columns.tolist() == ["contacted", "ours", "half"]


def test_timing_counts_those_who_did_not_return(report):
    """ann due 5, came 2; bob due 9, came 10; eve never, never: (3 + 1 + 0) / 3."""
    timing = report["timing"]

    assert timing["MAE clipped"].ours == pytest.approx(4 / 3)
    assert timing["Coverage 80 %"].ours == 1.0
    # Widths 6, 6 and 0, nothing missed.
    assert timing["Winkler 80 %"].ours == pytest.approx(4)
    assert "score MAE clipped 16.00" in timing.notes[1]  # never: 28, 20 and 0 off


def test_timing_chances_stand_beside_the_base_rate(report):
    """ann came within 7 days: -ln .6 -ln .8 -ln .9 against a third for each."""
    row = report["timing"]["Log-loss 7 d"]

    assert row.ours == pytest.approx(-(math.log(0.6) + math.log(0.8) + math.log(0.9)) / 3)
    assert row.baseline == pytest.approx(-(math.log(1 / 3) + 2 * math.log(2 / 3)) / 3)


def test_item_dates_are_judged_per_pair(split):
    """Pairs of the history: ann ink, ann tea, bob jam, eve tea."""
    history, outcomes = split
    rules = ev.timing_baselines(history, per_item=True)

    section = ev.evaluate_timing(rules["mean gap"], history, outcomes, baselines=rules)

    assert (section.name, section.headline.n) == ("item_timing", 4)
    # tea due Mar 2, came Mar 3: 1. jam due Mar 16, came Mar 11: 5. ink (gap of all, 30 days)
    # due Mar 12, never: 19. eve's tea overdue, never: 30.
    assert section.headline.ours == pytest.approx((1 + 5 + 19 + 30) / 4)


def test_a_guard_is_judged_at_an_equal_number_of_false_alarms():
    """Ours catches both above the good line's .5, the rule one of two."""
    kinds = ["double_submit", "already_owned", None]
    table = pd.DataFrame(
        {"customer_id": 1, "injected_kind": kinds, "verdict": ["warn", "pass", "warn"]}
    )
    ours, rule = (table.assign(probability=p) for p in ([0.9, 0.8, 0.5], [0.9, 0.1, 0.5]))

    section = ev.evaluate_guard(ours, baselines={"rule": rule})

    assert (section.headline.ours, section.headline.baseline) == (1.0, 0.5)
    assert section["Caught as set"].ours == 1 / 2
    assert section["False alarms /1000"].ours == 1000
    kinds = {group.level: group.row.baseline for group in section.groups}
    assert kinds == {"already_owned": 0.0, "double_submit": 1.0}


def test_a_list_of_everybody_says_nothing():
    assert [ev.list_length(n) for n in (0, 3, 999, 1000)] == [1, 1, 99, 500]


def test_facts_are_compared_as_what_they_are():
    facts = pd.DataFrame(
        {
            "fact": list("abcdef"),
            "stated": [0.1 + 0.2, "x", None, CUTOFF, [1, 2], 3],
            "recomputed": [0.3, "x", NAN, CUTOFF, [1, 2], 4],
        }
    )
    section = ev.evaluate_reasons(facts)

    assert [(row.metric, row.ours) for row in section.rows] == [("Facts true", 5 / 6), ("f", 0)]


def test_nothing_bought_gives_a_section_without_numbers(split):
    """A window without events: no target, no grade, and still a page."""
    frame = pd.DataFrame(ROWS[:6], columns=["customer_id", "item_id", "timestamp"])
    log = InteractionLog.from_frame(frame, timezone="UTC", closed_until="2025-04-01")
    history, outcomes = temporal_split(log, CUTOFF, 30)
    needs = ev.evaluate_needs(
        lists(ann=["tea"]), history, outcomes, baselines=ev.needs_baselines(history)
    )
    guard = ev.evaluate_guard(
        ev.injected_carts(outcomes).assign(verdict="pass", probability=0.0), baselines={}
    )
    text = str(ev.Report((needs, guard), CUTOFF))

    assert needs.headline.grade == guard.headline.grade == ""
    assert "nan" not in text
    json.loads(ev.Report((needs, guard), CUTOFF).to_json())


# -- forms -------------------------------------------------------------------------


def test_the_terminal_table_is_narrow_and_plain(report):
    text = str(report)

    assert max(map(len, text.splitlines())) <= 100
    assert text.isascii()
    for word in ("Recall@10", "popularity", "by history length"):
        assert word in text
    assert text.index("MAE clipped") < text.index("Winkler")


def test_json_has_no_nan(report, tmp_path):
    path = tmp_path / "report.json"
    text = report.to_json(path)

    def refuse(name: str) -> float:
        raise AssertionError(name)

    found = json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)
    assert found == json.loads(text) == report.to_dict()
    assert found["sections"]["needs"]["metrics"][0]["grade"] == "A"


def test_an_infinite_improvement_is_no_json_number():
    row = ev.number_row("m", 1.0, {"zero": 0.0}, better="higher", n=1, meaning="")
    report = ev.Report((ev.Section("s", "S", (row,)),), CUTOFF)

    assert report.to_dict()["sections"]["s"]["metrics"][0]["improvement"] is None
    assert "> 1000 %" in str(report)


def test_the_frame_holds_every_number(report):
    frame = report.to_frame(groups=True)

    assert set(frame["section"]) == {section.name for section in report}
    assert frame.loc[frame["grouping"] == "city", "level"].isin(["Oslo", "Rome"]).all()
    assert len(report.to_frame()) == sum(len(section.rows) for section in report)


class Page(HTMLParser):
    """Counts tags, collects ids, references and attributes that load something."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.refs: list[str] = []
        self.loads: list[str] = []
        self.feed(text)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.open = self.open[:-1] if tag not in ("meta", "br") else self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag not in ("meta", "br"):
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if name in ("href", "xlink:href", "src"):
                self.refs.append(value)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_whole_and_needs_nothing_else(report, tmp_path):
    path = report.to_html(tmp_path / "report.html")
    text = path.read_text(encoding="utf-8")
    page = Page(text)

    assert page.open == []
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    assert len(page.ids) == len(set(page.ids))
    assert all(ref.startswith("#") and ref[1:] in page.ids for ref in page.refs)
    assert "@import" not in text
    assert "url(http" not in text
    assert "prefers-color-scheme:dark" in text


def test_every_picture_has_a_name_and_a_description(report):
    drawn = [svg for section in report for svg in plots.section_pictures(section)]

    assert len(drawn) == 4
    for svg in drawn:
        root = ET.fromstring(svg)
        ids = {node.get("id"): node for node in root.iter()}
        labels = [ids[name].text for name in root.get("aria-labelledby").split()]
        assert root.get("role") == "img"
        assert all(labels)
        assert "<metadata" not in svg


def test_the_same_report_gives_the_same_bytes(report, tmp_path):
    one, two = (report.to_html(tmp_path / name).read_bytes() for name in ("1.html", "2.html"))

    assert one == two


def test_what_stands_in_the_data_cannot_write_the_page(tmp_path):
    """A group named like a script stays text."""
    evil = "<script>alert(1)</script>"
    row = ev.number_row(evil, 1.0, {evil: 0.5}, better="higher", n=1, meaning=evil)
    groups = (ev.GroupRow(evil, evil, row),)
    curve = pd.DataFrame({"rank": [1, 2], "ours": [0.1, 0.2], evil: [0.1, 0.1]})
    section = ev.Section("needs", evil, (row,), groups, {"recall_by_rank": curve}, (evil,))

    report = ev.Report((section,), CUTOFF, {evil: evil})

    assert "<script" not in report.to_html(tmp_path / "r.html").read_text(encoding="utf-8")


def test_without_matplotlib_the_page_says_how_to_get_pictures(report, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)

    text = report.to_html(tmp_path / "r.html").read_text(encoding="utf-8")

    assert "anticipate-needs[plot]" in text
    assert "<svg" not in text
    with pytest.raises(MissingExtraError, match="plot"):
        report.plot()


def test_the_figure_holds_all_pictures(report):
    figure = report.plot()

    titles = [ax.get_title(loc="left") for ax in figure.axes]
    assert titles == ["Recall by rank", "Reliability", "Gains of the at-risk list", "Timing errors"]


def test_a_notebook_shows_the_report(report):
    html = report._repr_html_()

    assert html.count("<svg") == 4
    assert "<html" not in html


@pytest.mark.parametrize("folder", ["absent", "file.txt"])
def test_an_unwritable_folder_is_one_clear_error(report, tmp_path, folder):
    (tmp_path / "file.txt").write_text("not a folder")
    with pytest.raises(OutputError, match="cannot write r"):
        report.to_json(tmp_path / folder / "r.json")


def test_a_failed_write_leaves_the_old_file_and_no_part(report, tmp_path, monkeypatch):
    path = tmp_path / "r.json"
    path.write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "replace", full)
    with pytest.raises(OutputError, match="No space left"):
        report.to_json(path)

    assert [p.name for p in tmp_path.iterdir()] == ["r.json"]
    assert path.read_text() == "old"


def test_unknown_names_are_answered_with_the_known_ones(report):
    with pytest.raises(KeyError, match="needs"):
        report["nedes"]
    with pytest.raises(KeyError, match="Recall@10"):
        report["needs"]["recall"]


def test_matplotlib_loads_for_pictures_only():
    """Metrics, baselines and tables in a fresh process."""
    code = "import sys, anticipate.evaluation; sys.exit('matplotlib' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_bad_arguments_are_refused(split):
    history, outcomes = split
    with pytest.raises(ParameterError, match="k must"):
        ev.evaluate_needs(lists(), history, outcomes, baselines={}, k=0)


MODULES = [
    name for _, name, _ in pkgutil.iter_modules(ev.__path__, prefix="anticipate.evaluation.")
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_the_docstrings_run(name):
    failed, _ = doctest.testmod(importlib.import_module(name))

    assert failed == 0


def test_every_public_function_has_an_example_or_is_shown_here():
    """A metric without an example is not taught."""
    parts = ("_metrics", "grading", "calibration")
    for name in (name for name in MODULES if any(part in name for part in parts)):
        module = importlib.import_module(name)
        for key, thing in vars(module).items():
            if callable(thing) and not key.startswith("_") and thing.__module__ == name:
                assert ">>>" in (thing.__doc__ or ""), f"{name}.{key}"


def test_the_public_names_exist():
    assert sorted(ev.__all__) == list(ev.__all__)
    assert all(hasattr(ev, name) for name in ev.__all__)
    assert Path(ev.__file__).parent.joinpath("html_style.py").exists()
