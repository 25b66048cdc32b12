"""What broke when the serving side was attacked: odd inputs, orders of rows, wrong flags."""

from __future__ import annotations

import json
import os
import re
import stat
import warnings

import numpy as np
import pandas as pd
import pytest

import anticipate as an
from anticipate.anticipator.state import make_state
from anticipate.batch import main
from anticipate.exceptions import (
    BadRowsError,
    ColumnError,
    IdTypeError,
    ParameterError,
)
from anticipate.serving import Scorer
from anticipate.testing import random_log

NOW, LATER = "2025-03-01", "2025-03-08"
BOUGHT = {"customer_id": "C042", "item_id": "K-coffee-beans", "timestamp": "2025-03-02"}


@pytest.fixture(scope="module")
def scorer(bookshop_bundle):
    return Scorer.load(bookshop_bundle)


@pytest.fixture(scope="module")
def abroad():
    """A small shop in London with integer ids, no prices, and a horizon under a week."""
    log = random_log(3, n_customers=30, n_items=12, n_days=200, timezone="Europe/London")
    table = log.to_pandas().drop(columns=["price", "known_at"])
    names = [name for name in table.columns if name not in ("customer_id", "item_id", "timestamp")]
    table = table.assign(
        customer_id=table["customer_id"].str[1:].astype("Int64"),
        item_id=table["item_id"].str[1:].astype("Int64"),
    )
    log = an.InteractionLog.from_frame(
        table, timezone="Europe/London", **{name: name for name in names}
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", an.exceptions.AnticipateWarning)
        return an.Anticipator(3, 30, random_state=0).fit(log.as_of("2024-06-01"))


@pytest.fixture(scope="module")
def abroad_bundle(abroad, tmp_path_factory):
    return abroad.save(tmp_path_factory.mktemp("abroad") / "b")


def suggest(scorer, **given):
    return scorer.suggest("C042", **{"as_of": LATER, "n": 9, "audience": "staff", **given})


def test_a_short_horizon_saves_and_loads_without_a_warning(abroad_bundle):
    """Golden rows ask within the horizon, here 3 days; warnings are errors."""
    Scorer.load(abroad_bundle)


def test_another_benefit_table_loads_and_reorders(bookshop_bundle):
    """A warning made worthless no longer comes first; the bundle is sound all the same."""
    usual = Scorer.load(bookshop_bundle)
    quiet = Scorer.load(bookshop_bundle, benefits={"duplicate_purchase": (0, 100)})
    first = [
        one.suggest("C042", as_of=NOW, cart=["B-1984-ebook"])[0].kind for one in (usual, quiet)
    ]

    assert first == ["duplicate_purchase", "next_need"]


def test_a_bundles_own_benefits_stay_beside_replaced_ones(bookshop_model, bookshop_history):
    manifest, arrays = make_state(bookshop_model, bookshop_history)
    manifest["benefits"] = {"win_back": (7, 1)}
    scorer = Scorer(manifest, arrays, benefits={"next_need": (2, 0)})

    assert scorer.benefits["win_back"] == (7.0, 1.0)
    assert scorer.benefits["next_need"] == (2.0, 0.0)


@pytest.mark.parametrize(
    "benefits",
    [{"next_need": 3}, {"next_need": (1, 2, 3)}, {"next_need": ("a", 0)},
     {"next_need": (np.nan, 0)}, {"gold": (1, 0)}, [1]],
)  # fmt: skip
def test_a_benefit_table_that_is_none_is_refused(bookshop_bundle, benefits):
    with pytest.raises(ParameterError, match="benefits"):
        Scorer.load(bookshop_bundle, benefits=benefits)


@pytest.mark.parametrize("ids", ["C042", 7, {"C042": 1}, pd.DataFrame({"customer_id": ["C042"]})])
def test_one_id_or_a_table_is_no_list_of_customers(scorer, ids):
    for ask in (scorer.suggest_many, scorer.churn):
        with pytest.raises(ParameterError, match="customer_ids"):
            ask(ids, as_of=NOW)


def test_as_of_may_be_any_sequence(scorer):
    at = pd.DatetimeIndex([NOW, LATER])
    found = scorer.churn(["C042", "C042"], as_of=at)

    assert found.p_churn.tolist() == scorer.churn(["C042"] * 2, as_of=[NOW, LATER]).p_churn.tolist()


def test_answers_are_json_ready_for_numpy_ids(abroad_bundle):
    scorer = Scorer.load(abroad_bundle)
    id_ = np.int64(scorer.customer_ids()[0])

    json.dumps([one.to_dict() for one in scorer.suggest(id_, as_of="2024-06-01")])
    json.dumps(scorer.brief(id_, as_of="2024-06-01"))


def test_suggestions_can_be_kept_in_a_set(scorer):
    found = suggest(scorer)

    assert len({*found, *suggest(scorer)}) == len(found)


@pytest.mark.parametrize(
    ("line", "error"),
    [(None, ColumnError), (np.nan, ColumnError), ({"item_id": pd.NA}, ColumnError),
     (True, IdTypeError), (["a"], IdTypeError),
     ({"item_id": "a", "gift": "perhaps"}, BadRowsError)],
)  # fmt: skip
def test_odd_cart_lines_are_refused_by_number(scorer, line, error):
    with pytest.raises(error, match="line 1"):
        scorer.check_cart("C042", ["B-1984-ebook", line], as_of=NOW)


@pytest.mark.parametrize("gift", [np.nan, None, "false", 0, np.False_])
def test_what_is_no_gift_is_warned_about(scorer, gift):
    """NaN and the word "false" are true for Python; they are no gift."""
    line = {"item_id": "B-1984-ebook", "gift": gift, "quantity": None}

    assert scorer.check_cart("C042", [line], as_of=NOW)


def test_an_endless_cart_and_a_table_are_refused(scorer):
    def endless():
        while True:
            yield "B-1984-ebook"

    for cart in (endless(), pd.DataFrame({"item_id": ["B-1984-ebook"]})):
        with pytest.raises(ParameterError, match="cart"):
            scorer.check_cart("C042", cart, as_of=NOW)


def test_recent_tables_of_any_kind_say_the_same(scorer):
    polars, arrow = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    table = pd.DataFrame([BOUGHT, {**BOUGHT, "item_id": None, "event": "search"}])
    expected = suggest(scorer, recent=[BOUGHT])

    for recent in (table, polars.from_pandas(table), arrow.Table.from_pandas(table)):
        assert suggest(scorer, recent=recent) == expected


@pytest.mark.parametrize("column", ["item_id", "order_id", "gift", "quantity", "known_at", "event"])
def test_a_missing_value_of_recent_is_an_absent_one(scorer, column):
    row = {**BOUGHT, "event": "search"} if column == "item_id" else BOUGHT
    without = {name: value for name, value in row.items() if name != column}

    for missing in (None, np.nan, pd.NaT, pd.NA):
        assert suggest(scorer, recent=[{**row, column: missing}]) == suggest(
            scorer, recent=[without]
        )


@pytest.mark.parametrize(
    ("column", "value", "error"),
    [
        ("customer_id", 42, IdTypeError),
        ("customer_id", True, IdTypeError),
        ("customer_id", ["C042"], IdTypeError),
        ("customer_id", np.nan, ColumnError),
        ("item_id", 42, IdTypeError),
        ("order_id", ["a"], IdTypeError),
        ("event_id", ["a"], IdTypeError),
        ("event", ["purchase"], BadRowsError),
        ("gift", "perhaps", BadRowsError),
        ("quantity", -1, BadRowsError),
        ("quantity", 0, BadRowsError),
        ("price", -1, BadRowsError),
        ("known_at", "soon", an.exceptions.TimeError),
    ],
)
def test_odd_recent_values_are_refused_by_row(scorer, column, value, error):
    """Ids of another type would else match nobody, in silence."""
    with pytest.raises(error, match="row 1"):
        suggest(scorer, recent=[BOUGHT, {**BOUGHT, column: value}])


def test_whole_numbers_beside_missing_ones_stay_ids(abroad_bundle):
    """pandas makes floats of an integer column with a hole; 7.0 is 7 again."""
    scorer = Scorer.load(abroad_bundle)
    rows = pd.DataFrame(
        {
            "customer_id": [1, 1],
            "item_id": [7.0, np.nan],
            "event": ["purchase", "search"],
            "timestamp": ["2024-06-02", "2024-06-02"],
        }
    )
    brief = scorer.brief(1, as_of="2024-06-03", recent=rows)

    assert brief["owns"][0]["item_id"] == 7


def test_unseen_ids_of_one_instant_do_not_depend_on_row_order(scorer):
    """Three complaints of one instant about things the bundle does not know."""
    rows = [
        {**BOUGHT, "event": "complaint", "item_id": f"new{i}", "reason": f"topic{i}"}
        for i in range(3)
    ]
    rows += [{**BOUGHT, "item_id": f"new{i}"} for i in range(3)]

    assert suggest(scorer, recent=rows[::-1]) == suggest(scorer, recent=rows)
    briefs = [scorer.brief("C042", as_of=LATER, recent=order) for order in (rows, rows[::-1])]
    assert briefs[0] == briefs[1]


def test_of_one_event_id_the_row_known_first_counts(scorer):
    """A second copy that becomes known only later must not hide the first."""
    first = {**BOUGHT, "timestamp": "2025-03-03", "event_id": "e"}
    copy = {**BOUGHT, "event_id": "e", "known_at": "2025-03-20"}

    assert suggest(scorer, recent=[copy, first]) == suggest(scorer, recent=[first])


def test_rows_that_a_log_holds_before_the_cutoff_are_not_looked_at(scorer):
    """A whole log may be given; an event of its own before the cutoff is no concern."""
    table = pd.DataFrame([BOUGHT, {**BOUGHT, "timestamp": "2024-05-01", "event": "gamble"}])
    log = an.InteractionLog.from_frame(
        table.fillna({"event": "purchase"}), event="event", timezone="UTC", extra_events=["gamble"]
    )

    assert suggest(scorer, recent=log) == suggest(scorer, recent=[BOUGHT])


def test_dates_told_to_people_are_the_shops_days(abroad_bundle):
    """Half past midnight of 2 June in London is 23:30 of 1 June UTC."""
    scorer = Scorer.load(abroad_bundle)
    row = {"customer_id": 10**6, "item_id": 1, "timestamp": "2024-06-02T00:30", "reason": "late"}
    rows = [row, {**row, "event": "complaint"}]
    brief = scorer.brief(10**6, as_of="2024-06-03", recent=rows)

    assert brief["owns"][0]["last_bought"] == brief["relation"]["customer_since"] == "2024-06-02"
    assert "of 2024-06-02 (late, 1)" in brief["open"][0]["text"]


def test_a_brief_does_not_offer_what_it_says_not_to_offer(scorer):
    first = scorer.brief("C042", as_of=LATER)["ahead"][0]["item_id"]
    no = {**BOUGHT, "item_id": first, "event": "not_interested"}
    brief = scorer.brief("C042", as_of=LATER, recent=[no])

    assert first in [one["item_id"] for one in brief["do_not_offer"]]
    assert first not in [one["item_id"] for one in brief["ahead"]]


def test_what_is_saved_cannot_be_said_without_prices(abroad_bundle):
    """An empty table would look like: nobody is worth keeping."""
    scorer = Scorer.load(abroad_bundle)

    assert len(scorer.rank_at_risk(as_of="2024-06-01"))
    with pytest.raises(ParameterError, match="no price is known"):
        scorer.rank_at_risk(as_of="2024-06-01", save_probability=0.5)


def test_a_budget_pays_for_as_many_as_it_is_a_multiple_of_the_cost(scorer):
    """0.3 // 0.1 is 2 in floating point; three contacts are paid for."""
    assert len(scorer.rank_at_risk(as_of=NOW, budget=0.3, cost=0.1)) == 3


def test_the_whole_refuses_a_log_where_a_history_is_needed(bookshop, bookshop_model):
    calls = [
        lambda: an.Anticipator().fit(bookshop),
        lambda: bookshop_model.suggest(bookshop, "C042"),
        lambda: bookshop_model.suggest_many(bookshop),
        lambda: bookshop_model.save("nowhere", bookshop),
    ]
    for call in calls:
        with pytest.raises(ParameterError, match="as_of"):
            call()


@pytest.mark.parametrize(
    "settings", [{"random_state": -1}, {"random_state": "x"}, {"n_jobs": 0}, {"benefits": [1]}]
)
def test_wrong_settings_are_refused_before_the_work(bookshop_history, settings):
    with pytest.raises(ParameterError, match=next(iter(settings))):
        an.Anticipator(**settings).fit(bookshop_history)


# -- the command line


def run(capsys, *arguments):
    try:
        status = main([str(one) for one in arguments])
    except SystemExit as stopped:
        status = stopped.code
    printed = capsys.readouterr()
    return status, printed.out, printed.err


@pytest.mark.parametrize(
    ("flags", "word"),
    [
        (["--customer"], "--customer"),  # an empty variable of a shell must not mean all
        (["--n", "x"], "--n"),
        (["--frobnicate"], "unrecognized"),
    ],
)
def test_wrong_flags_are_one_line_and_status_two(capsys, bookshop_bundle, flags, word):
    status, out, err = run(capsys, "suggest", "--bundle", bookshop_bundle, "--as-of", NOW, *flags)

    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    assert word in err


@pytest.mark.parametrize("flags", [["--sep", ";;"], ["--decimal", ",,"]])
def test_csv_flags_of_two_characters_are_one_line(capsys, bookshop_bundle, tmp_path, flags):
    (tmp_path / "o.csv").write_text("customer_id,item_id,timestamp\n", encoding="utf-8")
    status, _, err = run(
        capsys, "suggest", tmp_path / "o.csv", "--bundle", bookshop_bundle, "--as-of", NOW, *flags
    )

    assert status == 2
    assert "one character" in err


def test_a_full_disk_behind_the_standard_output_is_one_line(capsys, bookshop_bundle, monkeypatch):
    def fail(self, file, **_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", fail)
    status, _, err = run(
        capsys, "suggest", "--bundle", bookshop_bundle, "--as-of", NOW, "--customer", "C042"
    )

    assert status == 2
    assert err.count("\n") == 1


@pytest.mark.skipif(os.name == "nt", reason="modes of POSIX")
def test_results_may_be_read_by_whom_the_umask_allows(capsys, bookshop_bundle, tmp_path):
    out = tmp_path / "s.csv"
    before = os.umask(0o022)
    try:
        run(
            capsys, "suggest", "--bundle", bookshop_bundle, "--as-of", NOW, "--customer", "C042",
            "--out", out,
        )  # fmt: skip
    finally:
        os.umask(before)

    assert stat.S_IMODE(out.stat().st_mode) == 0o644


def test_inspect_prints_the_hash_that_load_can_pin(capsys, bookshop_bundle):
    _, out, _ = run(capsys, "bundle", "inspect", bookshop_bundle)

    (sha256,) = re.findall(r"\b[0-9a-f]{64}\b", out)
    Scorer.load(bookshop_bundle, sha256=sha256)
