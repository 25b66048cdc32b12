"""The command line: what it prints, writes, refuses, and never leaves half-done."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pandas as pd
import pytest

from anticipate import __version__
from anticipate.batch import main
from anticipate.batch.arguments import reading_account
from anticipate.log import InteractionLog

COLUMNS = ["--event", "event", "--quantity", "quantity", "--price", "price", "--order-id",
           "order_id", "--timezone", "UTC"]  # fmt: skip


@pytest.fixture(scope="module")
def orders(bookshop, tmp_path_factory):
    file = tmp_path_factory.mktemp("orders") / "orders.parquet"
    bookshop.to_pandas().to_parquet(file)
    return str(file)


def run(capsys, *arguments):
    status = main([str(one) for one in arguments])
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def test_version(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--version"])

    assert stopped.value.code == 0
    assert __version__ in capsys.readouterr().out


def test_every_command_has_help(capsys):
    for command in ("demo", "train", "evaluate", "suggest", "rank-at-risk", "brief", "bundle"):
        with pytest.raises(SystemExit) as stopped:
            main([command, "--help"])
        assert stopped.value.code == 0
        assert command in capsys.readouterr().out


def test_suggest_writes_a_table(capsys, bookshop_bundle, tmp_path):
    out = tmp_path / "s.csv"
    status, _, _ = run(
        capsys, "suggest", "--bundle", bookshop_bundle, "--as-of", "2025-03-01", "--customer",
        "C042", "C001", "--n", 2, "--out", out,
    )  # fmt: skip

    table = pd.read_csv(out)
    assert status == 0
    assert set(table.customer_id) <= {"C042", "C001"}
    assert table.columns.tolist()[:4] == ["customer_id", "as_of", "rank", "kind"]


def test_rows_set_aside_are_told_not_swallowed():
    """Three rows, one without a customer, two of them the same line."""
    rows = {"customer_id": ["a", "a", None], "item_id": ["x"] * 3, "timestamp": ["2025-01-01"] * 3}
    log = InteractionLog.from_frame(pd.DataFrame(rows), timezone="UTC", on_bad_rows="quarantine")

    told = reading_account(log)

    assert told.startswith("2 of 3 rows used; set aside: 1 with no customer; met: ")
    assert "1 identical rows" in told


def test_rank_at_risk_with_later_events(capsys, bookshop_bundle, orders, tmp_path):
    out = tmp_path / "risk.json"
    status, _, _ = run(
        capsys, "rank-at-risk", orders, *COLUMNS, "--bundle", bookshop_bundle, "--as-of",
        "2025-03-29", "--top", 7, "--out", out,
    )  # fmt: skip

    rows = json.loads(out.read_text(encoding="utf-8"))
    assert status == 0
    assert len(rows) == 7
    assert rows[0]["rank"] == 1


def test_evaluate_a_bundle_prints_and_writes_json_and_html(
    capsys, bookshop_bundle, orders, tmp_path
):
    status, out, _ = run(
        capsys, "evaluate", orders, *COLUMNS, "--closed-until", "2025-07-01", "--cutoff",
        "2025-03-01", "--bundle", bookshop_bundle, "--json", tmp_path / "r.json", "--html",
        tmp_path / "r.html",
    )  # fmt: skip

    assert status == 0
    assert "churn" in out.lower()
    assert json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert (
        (tmp_path / "r.html").read_text(encoding="utf-8").lstrip().lower().startswith("<!doctype")
    )


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["train", "nowhere.csv", "--out", "b"], "no CSV or Parquet"),
        (["suggest", "--bundle", "nowhere", "--as-of", "2025-03-01"], "nowhere"),
    ],
)
def test_bad_input_is_one_line_and_status_two(capsys, monkeypatch, tmp_path, arguments, word):
    monkeypatch.chdir(tmp_path)
    status, _, err = run(capsys, *arguments)

    assert status == 2
    assert err.count("\n") == 1
    assert err.startswith("anticipate: ")
    assert word in err
    assert list(tmp_path.iterdir()) == []


def test_a_first_line_with_no_name_of_ours_is_not_repeated(capsys, tmp_path):
    """Where there is no header it is a customer's; the columns missing are named."""
    (tmp_path / "o.csv").write_text("who,what,ts\n1,2,2025-01-01\n", encoding="utf-8")
    status, _, err = run(
        capsys, "train", tmp_path / "o.csv", "--timezone", "UTC", "--out", tmp_path / "b"
    )

    assert status == 2
    assert "'timestamp'" in err
    assert "among its 3" in err
    assert "'ts'" not in err
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("out", ["missing/folder/s.csv", "s.xlsx"])
def test_an_output_that_cannot_be_written_is_refused_before_the_work(
    capsys, bookshop_bundle, tmp_path, out
):
    status, _, err = run(
        capsys,
        *("suggest", "--bundle", bookshop_bundle, "--as-of", "2025-03-01", "--out", tmp_path / out),
    )

    assert status == 2
    assert "s." in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("command", "word"),
    [
        (["train", "o.csv", "--timezone", "UTC", "--out", "locked/b"], "may write into"),
        (["train", "o.csv", "--timezone", "UTC", "--out", "o.csv"], "it is a file"),
        (["evaluate", "o.csv", "--timezone", "UTC", "--cutoff", "2025-01-01", "--json",
          "locked/r.json"], "may write into"),
        (["evaluate", "o.csv", "--timezone", "UTC", "--cutoff", "2025-01-01", "--html", "locked"],
         "it is a folder"),
        (["suggest", "--bundle", "nowhere", "--as-of", "2025-03-01", "--out", "locked/s.csv"],
         "may write into"),
    ],
)  # fmt: skip
def test_an_unwritable_output_folder_is_told_before_anything_is_read(
    capsys, tmp_path, monkeypatch, command, word
):
    """Root may write anywhere, so the system's answer is played here."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "locked").mkdir()
    (tmp_path / "o.csv").write_text("not even a table", encoding="utf-8")
    monkeypatch.setattr("os.access", lambda path, _: "locked" not in str(path))
    status, _, err = run(capsys, *command)

    assert (status, err.count("\n")) == (2, 1)
    assert word in err
    assert sorted(one.name for one in tmp_path.rglob("*")) == ["locked", "o.csv"]


def test_naive_times_of_later_events_are_read_in_the_bundles_timezone(
    capsys, bookshop_bundle, tmp_path
):
    """09:00 without a timezone is 09:00 UTC, the bundle's: the coffee counts as bought."""
    row = "customer_id,item_id,timestamp\nC042,K-coffee-beans,2025-03-02 09:00\n"
    (tmp_path / "o.csv").write_text(row, encoding="utf-8")
    asked = ("--bundle", bookshop_bundle, "--customer", "C042", "--n", 1)

    status, after, err = run(
        capsys, "suggest", tmp_path / "o.csv", *asked, "--as-of", "2025-03-02T09:01Z"
    )
    _, before, _ = run(
        capsys, "suggest", tmp_path / "o.csv", *asked, "--as-of", "2025-03-02T09:00Z"
    )

    assert (status, err) == (0, "")
    assert "K-coffee-beans" in before
    assert "K-coffee-beans" not in after


def test_what_is_printed_does_not_hang_on_the_locale(tmp_path, bookshop_bundle):
    """A Korean id on a terminal that speaks ASCII."""
    ask = ["suggest", "--bundle", str(bookshop_bundle), "--as-of", "2025-03-01", "--customer", "책"]
    done = subprocess.run(
        [sys.executable, "-m", "anticipate", *ask],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "책,2025-03-01" in done.stdout.decode("utf-8")


def test_a_failed_write_leaves_no_partial_file(capsys, bookshop_bundle, tmp_path, monkeypatch):
    def fail(self, file, **_):
        file.write_text("half", encoding="utf-8")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", fail)
    status, _, err = run(
        capsys, "suggest", "--bundle", bookshop_bundle, "--as-of", "2025-03-01", "--customer",
        "C042", "--out", tmp_path / "s.csv",
    )  # fmt: skip

    assert status == 2
    assert "No space left" in err
    assert list(tmp_path.iterdir()) == []


def test_later_events_are_read_in_the_bundles_kind_of_ids(capsys, bookshop_bundle, tmp_path):
    """The bookshop's ids are text, so a day's file of digits alone holds text, too."""
    day = "customer_id,item_id,timestamp\n1001,77,2025-03-02\n1002,78,2025-03-02\n"
    (tmp_path / "day.csv").write_text(day, encoding="utf-8")
    status, out, err = run(
        capsys,
        *("suggest", tmp_path / "day.csv", "--bundle", bookshop_bundle, "--as-of", "2025-03-03"),
        *("--customer", "1001", "C042"),
    )

    assert status == 0, err
    assert "\n1001," in out
