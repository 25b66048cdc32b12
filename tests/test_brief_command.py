"""``anticipate brief``: JSON, a page, and one clear line where something is wrong."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from anticipate.batch import main
from anticipate.serving import Scorer
from anticipate.serving.brief import brief_card

AS_OF = "2025-03-08T10:00Z"


def run(capsys, *arguments):
    status = main(["brief", *(str(one) for one in arguments)])
    printed = capsys.readouterr()
    return status, printed.out, printed.err


@pytest.fixture
def source(bookshop_bundle):
    return ["--bundle", bookshop_bundle, "--as-of", AS_OF, "--customer", "C042"]


@pytest.fixture(scope="module")
def brief(bookshop_bundle):
    return Scorer.load(bookshop_bundle).brief("C042", as_of=AS_OF)


def test_a_brief_is_printed_as_json(capsys, source, brief):
    status, out, _ = run(capsys, *source)

    assert status == 0
    assert json.loads(out) == brief


def test_a_brief_is_written_as_json_and_as_a_page(capsys, source, brief, tmp_path):
    out, page = tmp_path / "b.json", tmp_path / "b.html"
    status, printed, _ = run(capsys, *source, "--out", out, "--html", page, "--language", "ko")

    assert (status, printed) == (0, "")
    assert json.loads(out.read_text(encoding="utf-8"))["language"] == "ko"
    assert page.read_text(encoding="utf-8") == brief_card(brief, language="ko")


def test_later_events_are_heard(capsys, source, tmp_path):
    rows = {"customer_id": ["C042"], "timestamp": ["2025-03-05T10:00"], "event": ["complaint"],
            "item_id": ["K-ink"], "reason": ["late"]}  # fmt: skip
    pd.DataFrame(rows).to_csv(tmp_path / "later.csv", index=False)
    flags = ["--event", "event", "--reason", "reason"]

    status, out, _ = run(capsys, tmp_path / "later.csv", *flags, *source)

    assert status == 0
    assert json.loads(out)["open"][0]["topic"] == "late"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [(["--out", "b.csv"], "json"), (["--html", "no/such/folder/b.html"], "folder"),
     (["--as-of", "2025-02-01"], "cutoff")],
)  # fmt: skip
def test_what_cannot_be_done_is_one_line(capsys, source, arguments, word):
    status, out, err = run(capsys, *source, *arguments)

    assert status == 2
    assert out == ""
    assert len(err.splitlines()) == 1
    assert word in err
