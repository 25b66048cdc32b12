"""No error, warning or log record tells an id, an event or a cell of what was given.

Every id and value of the shop of ``told.py`` holds a canary. Whatever is done wrong with them,
the traceback with its causes, the warnings, the log (at DEBUG) and stderr must not hold it.
"""

from __future__ import annotations

import json
import logging
import warnings

import numpy as np
import pandas as pd
import pytest
from http_app import client_of
from told import AS_OF, CUTOFF, MARK, all_told, customers, items, log_of, rows

import anticipate as an
from anticipate.__main__ import main
from anticipate.anticipator.forget import forget_customers
from anticipate.churn import ChurnClassifier, ParetoNBDModel, purchase_summary
from anticipate.evaluation import auc, evaluate_stability, match_lists
from anticipate.exceptions import AnticipateError
from anticipate.features import FeatureBuilder
from anticipate.outcomes import label_outcomes
from anticipate.retention import ContactPlan, Level, TLearner, campaign_effect, qini
from anticipate.serving import Scorer

HALF = f"{MARK}\ud800"  # half a pair of surrogates
HUGE = 10**400
# Cells that cannot be what a column holds; not every one is wrong in every column.
CELLS = {"text": MARK, "half": HALF}
RARE = {"list": [MARK], "bytes": MARK.encode(), "number": 4711.25, "huge": HUGE, "true": True,
        "nothing": None}  # fmt: skip


def often(some, more):
    """Those tried each time, and those of the long series."""
    fast = [pytest.param(one, id=name) for name, one in some.items()]
    return fast + [pytest.param(one, id=name, marks=pytest.mark.slow) for name, one in more.items()]


EVERY_CELL = pytest.mark.parametrize("cell", often(CELLS, RARE))
PREDICTED = ("p_churn", "p_alive", "value_at_risk", "expected_value", "segment")


@pytest.fixture(scope="module")
def log():
    return log_of(items=items(), customers=customers(), closed_until="2024-12-31")


@pytest.fixture(scope="module")
def history(log):
    return log.as_of(CUTOFF)


@pytest.fixture(scope="module")
def model(history):
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        fitted = an.Anticipator(random_state=0).fit(history)
    assert MARK not in str([str(one.message) for one in told])
    return fitted


@pytest.fixture(scope="module")
def bundle(model, tmp_path_factory):
    return model.save(tmp_path_factory.mktemp("private") / "shop.bundle")


@pytest.fixture(scope="module")
def scorer(bundle):
    return Scorer.load(bundle)


@pytest.fixture
def silent(caplog, capsys):
    """Runs a call and sees to it that nothing tells the canary; gives the error, if any."""

    def check(call, *, fails=None):
        told, error = all_told(call, caplog, capsys)
        assert MARK not in told
        if fails is not None:
            assert isinstance(error, fails), f"{type(error).__name__}: {error}"
        return error

    return check


def with_cell(table, name, value, row=1):
    """The table, a copy, with another value in one cell."""
    changed = table.copy()
    column = list(changed[name]) if name in changed else [None] * len(changed)
    column[row] = value
    changed[name] = pd.Series(column, dtype=object, index=changed.index)
    return changed


def write(folder, name, text):
    file = folder / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


@EVERY_CELL
@pytest.mark.parametrize("name", rows(1, 1).columns)
def test_no_cell_of_an_event_is_told(silent, name, cell):
    table = with_cell(rows(2, 3), name, cell)
    silent(lambda: log_of(table), fails=(AnticipateError, type(None)))
    if cell == MARK:
        silent(lambda: log_of(table, on_bad_rows="quarantine"), fails=(AnticipateError, type(None)))


@EVERY_CELL
def test_no_cell_of_an_attribute_is_told(silent, cell):
    for name in ("item_id", "name", "price", "valid_from", "lifetime_days", "contains"):
        silent(lambda name=name: log_of(items=with_cell(items(), name, cell)).as_of(CUTOFF).items)
    for name in ("customer_id", "valid_from", "objects_to", "contract_end"):
        table = with_cell(customers(), name, cell)
        silent(lambda table=table: log_of(customers=table).as_of(CUTOFF).customers)
    silent(lambda: log_of(items=pd.concat([items(), items()])), fails=AnticipateError)


def test_no_id_asked_for_is_told(silent, log, history, model, scorer):
    for ids in (
        [f"{MARK}?"],
        [MARK, 5],
        [HALF],
        [[MARK]],
        [None, MARK],
        MARK,
        {MARK: 1},
        [MARK, 1.5],
    ):
        for ask in (
            history.select,
            log.erase,
            lambda ids: model.needs_.recommend(history, customers=ids),
            lambda ids: model.needs_.recommend(history, allowed=ids),
            lambda ids: model.timing_.predict_pairs(history, customers=ids),
            lambda ids: model.churn_.predict(history, customers=ids),
            lambda ids: model.suggest_many(history, ids),
            lambda ids: scorer.suggest_many(ids, as_of=AS_OF),
            lambda ids: scorer.churn(ids, as_of=AS_OF),
            lambda ids: scorer.suggest(ids, as_of=AS_OF),
            lambda ids: scorer.brief(ids, as_of=AS_OF),
            lambda ids: scorer.check_cart(MARK, ids, as_of=AS_OF),
            lambda ids: scorer.suggest(MARK, recent=ids, as_of=AS_OF),
            lambda ids: scorer.rank_at_risk(recent=ids, as_of=AS_OF),
        ):
            silent(lambda ask=ask, ids=ids: ask(ids), fails=(AnticipateError, type(None)))
    silent(lambda: log.as_of(MARK), fails=AnticipateError)
    silent(lambda: scorer.suggest(MARK, as_of=MARK), fails=AnticipateError)
    silent(lambda: scorer.suggest(MARK, as_of=[MARK]), fails=AnticipateError)


@EVERY_CELL
def test_no_recent_row_and_no_line_of_a_cart_is_told(silent, history, model, scorer, cell):
    row = {"customer_id": MARK, "item_id": MARK, "timestamp": "2024-05-02T09:00Z"}
    for name in rows(1, 1).columns:
        recent = [row, row | {name: cell}]
        silent(lambda recent=recent: scorer.suggest(MARK, recent=recent, as_of=AS_OF))
        silent(lambda recent=recent: scorer.churn([MARK], recent=recent, as_of=AS_OF))
    cart = pd.DataFrame({"customer_id": [f"{MARK}-c1", MARK], "item_id": [f"{MARK}-i1", MARK]})
    for name in ("item_id", "quantity", "price", "gift"):
        line = {"item_id": MARK, name: cell}
        silent(lambda line=line: scorer.check_cart(MARK, [line], as_of=AS_OF))
        lines = with_cell(cart, name, cell)
        silent(lambda lines=lines: model.fit_guard_.review(lines, history))


@EVERY_CELL
def test_no_cell_of_a_table_that_is_judged_is_told(silent, log, history, model, cell):
    outcomes, churn = label_outcomes(log, CUTOFF, 7), model.churn_.predict(history)
    plan = ContactPlan([Level("A", 1, 0.9)], holdout=0.3)
    needs = model.needs_.recommend(history)
    for name in PREDICTED:
        table = with_cell(churn, name, cell)
        silent(lambda table=table: plan.assign(table, history))
        silent(lambda table=table: plan.win_back(table, history))
    for name in needs.columns:
        table = with_cell(needs, name, cell)
        silent(lambda table=table: model.needs_.explain(history, table))
        silent(lambda table=table: match_lists(table, outcomes.pairs))
    summary = purchase_summary(history)
    for name in summary.columns:
        table = with_cell(summary, name, cell)
        silent(lambda table=table: ParetoNBDModel().fit(table))
    n = np.arange(40)
    X, y, treated = pd.DataFrame({"a": n / 40, "b": n % 3}), n % 2, n // 2 % 2
    learner, classifier = TLearner().fit(X, y, treated), ChurnClassifier().fit(X, y)
    wrong, column = with_cell(X, "a", cell), [*y[:-1], cell]
    for call in (
        lambda: TLearner().fit(X, column, treated),
        lambda: TLearner().fit(X, y, column),
        lambda: learner.predict_uplift(wrong),
        lambda: qini(column, X["a"], treated),
        lambda: qini(y, column, treated),
        lambda: auc(y, column),
        lambda: classifier.predict(wrong),
        lambda: ChurnClassifier().fit(wrong, y),
        lambda: evaluate_stability(churn["p_churn"], with_cell(churn, "p_churn", cell)["p_churn"]),
    ):
        silent(call, fails=(ValueError, TypeError) if isinstance(cell, (str, list)) else None)


def test_no_customer_of_a_plan_is_told(silent, log, history, model):
    churn = model.churn_.predict(history)
    level = Level("A", 1, 0.9)
    for eligible in ("segment", {f"{MARK}-c1": MARK}, {5: "A"}, lambda table: MARK):
        plan = ContactPlan([level], holdout=0.3, eligible=eligible)
        silent(lambda plan=plan: plan.assign(churn, history), fails=AnticipateError)
    plan = ContactPlan([level], holdout=0.3).assign(churn, history)
    asked = {"horizon_days": 7, "as_of": CUTOFF}
    some = pd.Series([True], index=[f"{MARK}-c1"])
    silent(lambda: campaign_effect(plan, log, retained=some, **asked), fails=AnticipateError)
    silent(lambda: campaign_effect(plan.rename(str.lower), log, **asked))
    silent(lambda: ContactPlan([level]).assign(pd.concat([churn, churn]), history))
    silent(lambda: FeatureBuilder().fit(rows()), fails=AnticipateError)
    silent(lambda: model.evaluate(log, CUTOFF, groups=["segment"]))


HEAD = "customer_id,item_id,timestamp\n"
ROW = f"{MARK},{MARK},2024-01-01\n"
FILES = {
    "no header": ROW * 2,
    "no time": HEAD + f"{MARK},{MARK},{MARK}\n",
}
RARE_FILES = {
    "no header, semicolons": ROW.replace(",", ";"),
    "a word": MARK,
    "a field too many": HEAD + ROW + ROW.replace("\n", f",{MARK}\n"),
    "an open quote": HEAD + f'"{ROW}',
    "Latin-1": (HEAD + ROW.replace("\n", "é\n")).encode("latin-1"),
    "a column twice": HEAD.replace("\n", ",timestamp\n") + ROW.replace("\n", f",{MARK}\n"),
}


@pytest.mark.parametrize("content", often(FILES, RARE_FILES))
def test_no_line_of_a_file_is_told(silent, bundle, tmp_path, content):
    file = write(tmp_path, "events.csv", content)
    fine = write(tmp_path, "fine.csv", HEAD + ROW)
    silent(lambda: an.InteractionLog.read(file, timezone="UTC"), fails=AnticipateError)
    silent(lambda: an.InteractionLog.read(fine, timezone="UTC", items=file))
    silent(lambda: an.InteractionLog.read(fine, timezone="UTC", customers=file))
    parquet = write(tmp_path, "events.parquet", content)
    silent(lambda: an.InteractionLog.read(parquet, timezone="UTC"), fails=AnticipateError)
    known = ["--bundle", str(bundle), "--as-of", AS_OF]
    plan = write(tmp_path, "plan.toml", '[[level]]\nname = "A"\ncost = 1\nsave_probability = 0.1\n')
    for words in (
        ["train", str(file), "--timezone", "UTC", "--out", str(tmp_path / "out")],
        ["rank-at-risk", str(file), *known],
        ["rank-at-risk", *known, "--levels", str(file)],
        ["rank-at-risk", *known, "--levels", str(plan), "--customers", str(file)],
        ["bundle", "health", str(bundle), "--events", str(file)],
    ):
        silent(lambda words=words: main(words))


def test_no_id_of_a_command_line_is_told(silent, bundle, tmp_path):
    known = ["--bundle", str(bundle), "--as-of", AS_OF]
    ids = write(tmp_path, "ids.csv", f"{MARK}\n{MARK}?\n")
    for words in (
        ["suggest", *known, "--customer", MARK, HALF],
        ["suggest", *known, "--customer", MARK, "--n", "0"],
        ["brief", *known, "--customer", MARK, "--out", str(tmp_path / "none" / "a.json")],
        ["bundle", "forget", str(bundle), "--customers", f"{MARK}?", HALF],
        ["bundle", "forget", str(bundle), "--customers", str(ids)],
    ):
        silent(lambda words=words: main(words))
    for unknown in ([f"{MARK}?"], [MARK, 5], [5], [HALF]):
        silent(lambda unknown=unknown: forget_customers(bundle, unknown))


def test_nothing_that_was_sent_is_told(silent, bundle):
    row = {"customer_id": MARK, "item_id": MARK, "timestamp": "2024-05-02T09:00Z"}
    asked = {"customer_id": f"{MARK}-c1", "as_of": AS_OF}
    bodies = [
        {"customer_id": MARK, "as_of": MARK}, {"customer_id": [MARK], MARK: MARK}, [MARK], MARK,
        asked | {"cart": [{MARK: MARK}]}, asked | {"cart": [5]}, asked | {"audience": MARK},
        *(asked | {"recent": [row | {name: cell}]}
          for name in rows(1, 1).columns for cell in (MARK, [MARK])),
    ]  # fmt: skip
    raw = [json.dumps(body) for body in bodies]
    raw += [f'{{"{MARK}":', f'{{"{MARK}":1,"{MARK}":2}}', '{"customer_id":"' + MARK + '\\ud800"}']
    refused = []
    with client_of(bundle) as client:
        for path in ("suggest", "check-cart", "churn", "brief", MARK):
            for body in raw:

                def send(path=path, body=body):
                    answer = client.post(f"/v1/{path}?{MARK}", content=body, headers={
                        "content-type": "application/json", "x-api-key": MARK})  # fmt: skip
                    if answer.status_code != 200:
                        refused.append(answer.status_code)
                        assert MARK not in answer.text + str(answer.headers)

                error = silent_of_service(silent, send)
                assert error is None
    assert set(refused) <= {400, 404, 422}


def silent_of_service(silent, send):
    """The client of the test logs its own addresses; the service must not."""
    logging.getLogger("httpx").setLevel(logging.CRITICAL)
    logging.getLogger("httpx2").setLevel(logging.CRITICAL)
    return silent(send)
