"""Whom to contact, from the command line: a ranking in parts, a plan of levels, what is refused."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import logit

from anticipate.batch import contact_plan, main, output
from anticipate.bundle import open_bundle
from anticipate.exceptions import ParameterError
from anticipate.kernels.churn import GammaGamma, parameters_from_array, parameters_to_array
from anticipate.log import InteractionLog
from anticipate.log.objections import objectors
from anticipate.retention import ContactPlan, Level, read_plan
from anticipate.retention.limits import Limits, known_limits
from anticipate.serving import Scorer, moments, ranking
from anticipate.serving.moments import churn_and_limits

NOW, LATER = "2025-03-01", "2025-03-08"
LEVELS = ("--levels", "plan.toml")
PLAN = """
[plan]
budget = {budget}
holdout = 0.3
cool_down_days = 14
{more}
[[level]]
name = "Basic"
cost = 0.5
save_probability = 0.05
[[level]]
name = "Premium"
cost = 4.0
save_probability = 0.3
channel = "phone"
"""


@pytest.fixture(scope="module")
def scorer(bookshop_bundle):
    return Scorer.load(bookshop_bundle, verify="structure")


@pytest.fixture
def ask(capsys, bookshop_bundle, tmp_path, monkeypatch):
    """Run the command in this process and an empty folder: status, what was printed and told."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments, as_of=LATER):
        where = ("--bundle", bookshop_bundle, "--as-of", as_of, "--verify", "structure")
        status = main([str(one) for one in ("rank-at-risk", *arguments, *where)])
        return status, *capsys.readouterr()

    return run


def write_plan(more="", budget="40.0"):
    Path("plan.toml").write_text(PLAN.format(more=more, budget=budget), encoding="utf-8")
    return "plan.toml"


def write_people(scorer, **columns):
    """Attributes of every customer, with these columns."""
    table = pd.DataFrame({"customer_id": scorer.customer_ids(), **columns})
    table.to_csv("people.csv", index=False)
    return "people.csv"


@pytest.mark.parametrize("wanted", [
    {"top": 20},
    {"top": 10_000, "explain": True},
    {"budget": 35, "cost": 2.5, "save_probability": 0.4},
    {"budget": 0, "cost": 1},
])  # fmt: skip
def test_the_size_of_the_parts_changes_no_bit(scorer, monkeypatch, wanted):
    whole = scorer.rank_at_risk(as_of=LATER, **wanted)
    monkeypatch.setattr(ranking, "PART", 7)
    in_parts = scorer.rank_at_risk(as_of=LATER, **wanted)

    pd.testing.assert_frame_equal(in_parts, whole, check_exact=True)


def test_equals_of_different_parts_stand_in_the_order_of_their_ids(bookshop_bundle, monkeypatch):
    """Without prices P(churn) ranks; an offset of 1,000 makes it exactly 1 for everybody."""
    manifest, arrays = open_bundle(bookshop_bundle, verify="structure")
    known = parameters_from_array(arrays["model_churn__parameters"])
    unpriced = known._replace(spend=GammaGamma(*[np.nan] * 3))
    certain = np.full(len(arrays["churn__offset"]), 1000.0)
    arrays |= {"model_churn__parameters": parameters_to_array(unpriced),
               "churn__offset": certain, "churn__offset_later": certain}  # fmt: skip
    monkeypatch.setattr(ranking, "PART", 7)
    table = Scorer(manifest, arrays).rank_at_risk(as_of=NOW, top=50)

    assert (len(table), table.p_churn.min()) == (50, 1)
    assert table.customer_id.is_monotonic_increasing


def test_explained_rows_add_up_and_state_what_the_log_says(scorer, bookshop_history):
    table = scorer.rank_at_risk(as_of=NOW, top=30, explain=True).set_index("customer_id")
    parts = table.log_odds_pattern + table.log_odds_rest
    bought = bookshop_history.to_pandas().query("event == 'purchase'")
    days = bought.timestamp.dt.floor("D").groupby(bought.customer_id)
    silent = pd.Timestamp(NOW, tz="UTC") - days.max()

    assert parts.to_numpy() == pytest.approx(logit(table.p_churn).to_numpy(), abs=1e-9)
    assert (table.n_purchases == days.nunique()[table.index]).all()
    assert (table.silent_days == silent.dt.days[table.index]).all()
    assert list(table)[:7] == list(scorer.rank_at_risk(as_of=NOW, top=1))[1:]


READ = {
    "csv": pd.read_csv,
    "parquet": pd.read_parquet,
    "json": lambda file: pd.DataFrame(json.loads(file.read_text(encoding="utf-8"))),
}


@pytest.mark.parametrize("levels", [False, True])
def test_csv_parquet_and_json_hold_the_same_table(ask, monkeypatch, levels):
    """Written in parts of 7 rows, so that a part may lack what another has."""
    monkeypatch.setattr(output, "PART", 7)
    monkeypatch.setattr(contact_plan, "PART", 7)
    options = ["--levels", write_plan(), "--everybody"] if levels else ["--explain", "--top", 30]
    found = []
    for suffix, read in READ.items():
        assert ask(*options, "--out", f"out.{suffix}")[0] == 0
        table = read(Path(f"out.{suffix}"))
        table["as_of"] = pd.to_datetime(table["as_of"], utc=True).astype("datetime64[us, UTC]")
        found.append(table.astype(object).where(table.notna(), None))

    assert len(found[0]) > 14
    pd.testing.assert_frame_equal(found[1], found[0])
    pd.testing.assert_frame_equal(found[2], found[0])


def planned(ask, *arguments, **keywords):
    status, out, err = ask("--levels", *arguments, **keywords)
    assert status == 0, err
    return pd.read_csv(StringIO(out)), err


def test_the_plan_is_that_of_a_notebook(ask, bookshop_model, bookshop_history):
    """At the bundle's cutoff both know the same: events stored are limits, too."""
    table, told = planned(ask, write_plan(), as_of=NOW)
    plan = read_plan(write_plan())
    theirs = plan.assign(bookshop_model.churn_.predict(bookshop_history), bookshop_history)
    ours = table.set_index("customer_id")
    chosen = theirs[theirs["level"].notna() | theirs["holdout"]].loc[ours.index]

    assert len(ours) == plan.report_["n_contacted"] + plan.report_["n_held_out"]
    for name in ("level", "net_value", "cost", "holdout", "would_be"):
        assert ours[name].tolist() == pytest.approx(chosen[name].tolist(), nan_ok=True)
    assert f"spent {plan.report_['spent']:,.2f} on {plan.report_['n_contacted']}" in told
    assert 3 <= told.count("\n") <= 6


def test_the_most_net_value_comes_first_and_the_held_out_cost_nothing(ask):
    table, _ = planned(ask, write_plan())
    contacted, held_out = table[table["level"].notna()], table[table["holdout"]]

    assert table["rank"].tolist() == list(range(1, len(contacted) + len(held_out) + 1))
    assert contacted["net_value"].is_monotonic_decreasing
    assert set(contacted["evidence"]) == {"assumed"}
    assert 0 < contacted["cost"].sum() <= 40
    assert len(held_out)
    assert not held_out[["cost", "net_value", "expected_saved_value"]].to_numpy().any()
    assert held_out["level"].isna().all()


def test_everybody_stands_in_the_long_table_but_who_objects(ask, scorer):
    """One objects by the bundle's flags, one by the file; both are counted, neither listed."""
    everybody, _ = planned(ask, write_plan(), "--everybody")
    ids = scorer.customer_ids()
    flagged = set(ids) - set(everybody["customer_id"])
    first = everybody["customer_id"][0]
    file = write_people(scorer, objects_to=np.where(ids == first, "profiling", None))
    table, told = planned(ask, write_plan(), "--everybody", "--customers", file)

    assert flagged
    assert set(table["customer_id"]) == set(ids) - flagged - {first}
    assert everybody["reason"].notna().all()
    assert "profiling" in told


def test_the_limits_of_a_bundle_are_those_of_its_history(scorer, bookshop_history, monkeypatch):
    """Contacts and open complaints that the bundle stores count, in parts of any size."""
    monkeypatch.setattr(moments, "PART", 7)
    table, ours = churn_and_limits(scorer, as_of=NOW)
    theirs = known_limits(bookshop_history, 90)

    assert table.index.tolist() == bookshop_history.customer_ids.tolist()
    assert theirs.n_contacts.any()
    assert all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))


def test_a_contact_since_the_bundle_counts(ask):
    first = planned(ask, write_plan())[0]["customer_id"][0]
    row = f"customer_id,item_id,event,timestamp\n{first},,contacted,2025-03-05\n"
    Path("day.csv").write_text(row, encoding="utf-8")
    table, _ = planned(ask, write_plan(), "--everybody", "day.csv", "--event", "event")
    reason = table.set_index("customer_id")["reason"]
    assert reason[first] == "last contacted 3 day(s) ago; 14 days must lie between"


def test_channels_and_entitled_levels_come_from_the_file(ask, scorer):
    n = len(scorer.customer_ids())
    file = write_people(
        scorer,
        objects_to=["phone"] * (n // 2) + [None] * (n - n // 2),
        service=["Premium" if i % 3 else "Basic" for i in range(n)],
    )
    table, _ = planned(ask, write_plan('eligible = "service"'), "--customers", file)
    bought = pd.read_csv(file).set_index("customer_id").loc[table["customer_id"]].reset_index()
    level = table["level"].fillna(table["would_be"])
    assert set(level.dropna()) == {"Basic", "Premium"}
    assert (level.dropna() == bought["service"][level.notna()]).all()
    assert not (bought["objects_to"][table["level"] == "Premium"] == "phone").any()


@pytest.mark.parametrize(("more", "budget", "columns", "why"), [
    ("", 40, {"objects_to": "marketing"}, "marketing "),
    ('eligible = "service"', 40, {"service": None}, "not_eligible "),
    ("", 0, {}, "budget 0.00, spent 0.00 on 0 of"),
])  # fmt: skip
def test_where_nobody_may_be_contacted_nobody_is(ask, scorer, more, budget, columns, why):
    file = write_people(scorer, **columns)
    table, told = planned(ask, write_plan(more, budget), "--customers", file)

    assert list(table)[:4] == ["customer_id", "as_of", "rank", "level"]
    assert table["level"].isna().all()
    assert len(table) == 0 or budget == 0
    assert why in told


def test_departed_customers_go_to_a_list_of_their_own(ask):
    table, told = planned(ask, write_plan(), "--win-back", "gone.csv")
    gone = pd.read_csv("gone.csv")

    assert len(gone)
    assert not set(gone["customer_id"]) & set(table["customer_id"])
    assert gone["score"].is_monotonic_decreasing
    assert f"to win back: {len(gone)}" in told


@pytest.mark.parametrize(("options", "more", "words"), [
    ([*LEVELS, "--top", 5], "", ["--top", "--levels"]),
    ([*LEVELS, "--save-probability", 0.1, "--explain"], "", ["--save-probability, --explain"]),
    (LEVELS, "cheap = true", ["plan.toml", "cheap"]),
    (LEVELS, 'eligible = "service"', ["eligible", "'service'", "--customers FILE"]),
    (LEVELS, 'channel_column = "way"', ["channel_column", "'way'"]),
    ([*LEVELS, "--out", "no/where.csv"], "", ["no folder"]),
    ([*LEVELS, "--win-back", "gone.xlsx"], "", ["--win-back", ".parquet"]),
    ([*LEVELS, "--out", "a.csv", "--win-back", "a.csv"], "", ["same file"]),
    ([*LEVELS, "--customers", "nobody.csv"], "", ["nobody.csv"]),
    (["--levels", "nowhere.toml"], "", ["nowhere.toml"]),
    (["--everybody", "--win-back", "w.csv"], "", ["--everybody, --win-back"]),
    (["--customers", "c.csv"], "", ["--customers"]),
    (["--top", 0], "", ["top"]),
])  # fmt: skip
def test_what_cannot_be_is_one_line_and_no_file(ask, options, more, words):
    write_plan(more)
    status, out, err = ask(*options)

    assert (status, out, err.count("\n")) == (2, "", 1)
    assert all(word in err for word in words)
    assert [one.name for one in Path().iterdir()] == ["plan.toml"]


def test_customers_of_another_kind_of_id_are_refused(ask):
    pd.DataFrame({"customer_id": [1, 2]}).to_parquet("people.parquet")
    write_plan()
    status, _, err = ask(*LEVELS, "--customers", "people.parquet")

    assert (status, err.count("\n"), "are text" in err) == (2, 1, True)


@pytest.mark.filterwarnings("ignore::anticipate.exceptions.NoHoldoutWarning")
def test_limits_known_already_count_beside_the_customers_words():
    """a was contacted yesterday by the limits given, b objects in the log, c is free."""
    rows = pd.DataFrame({"customer_id": list("abc"), "item_id": "x", "timestamp": "2025-01-01"})
    said = pd.DataFrame({"customer_id": list("abc"), "objects_to": [None, {"marketing"}, 7]})
    log = InteractionLog.from_frame(rows, timezone="UTC", customers=said, closed_until=NOW)
    history, no = log.as_of(NOW), np.zeros(3, dtype=bool)
    churn = pd.DataFrame(
        {"p_churn": 0.5, "value_at_risk": 90.0, "expected_value": 50.0, "segment": "at_risk"},
        index=pd.Index(list("cba"), name="customer_id"),
    )
    plan = ContactPlan([Level("Basic", 1, 0.1)], cool_down_days=14, holdout=1e-9)
    limits = Limits(no, no, no, no, np.array([0, 0, 1]), np.array([np.inf, np.inf, 1.0]))
    found = plan.assign(churn, history, limits=limits)

    assert found["reason_code"].tolist() == ["chosen", "marketing", "cool_down"]
    assert objectors(history, "marketing").tolist() == [False, True, False]
    with pytest.raises(ParameterError, match="limits must be arrays"):
        plan.assign(churn, history, limits=Limits(*(one[:2] for one in limits)))
