"""Contributions: what pushes the log-odds of leaving, by theme; Shapley values by hand and laws."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from random_contracts import gym
from random_contracts import log_of as contracts_of
from random_shops import bought, day, log_of, quick, shop
from scipy.special import logit

from anticipate.churn import ChurnModel
from anticipate.churn.candidates import BTYD, CANDIDATES
from anticipate.churn.contracts.candidates import CANDIDATES as HAZARDS
from anticipate.churn.contributions import (
    FEATURES,
    OTHER,
    contributions,
    contributions_of,
    middle,
    themes_of,
)
from anticipate.features import feature_table
from anticipate.log import History

FEW = [0, 17, 311]  # customers


@pytest.fixture(scope="module")
def history() -> History:
    return shop(400).as_of("2024-10-01")


@pytest.fixture(scope="module")
def model(history: History) -> ChurnModel:
    with pytest.MonkeyPatch.context() as patch:
        order = sorted(CANDIDATES, key=lambda name: name != "blend")  # so that there are members
        patch.setattr("anticipate.churn.choice.rank", lambda *_, **__: order)
        return ChurnModel(60, random_state=0).fit(history)


@pytest.fixture(scope="module")
def members() -> History:
    return gym(200).as_of(day(550))


@pytest.fixture(scope="module")
def contracts(members: History) -> ChurnModel:
    return quick(members, horizon_days=60, mode="contract", random_state=0)


def forced(model: ChurnModel, chosen: str) -> ChurnModel:
    """The same fit, as if another candidate had won."""
    learned = model.learned_
    copy = ChurnModel.from_arrays(model.to_arrays())
    members = None if chosen == BTYD else learned.members
    copy.learned_ = copy.learned_._replace(chosen=chosen, members=members)
    return copy


# -- by hand -----------------------------------------------------------------------


def test_a_linear_score_gives_each_theme_its_coefficients_times_the_distance():
    """2 a + 3 b - c from (1, 1, 1) to (4, 0, 3); a and c one theme: 2·3 - 2 = 4, 3·(-1) = -3."""
    coefficients = np.array([2.0, 3.0, -1.0])
    found = contributions(
        lambda table: (table * coefficients).sum(axis=1),
        np.array([[4.0, 0.0, 3.0], [1.0, 1.0, 1.0]]),
        np.ones(3),
        ["first", "second", "first"],
    )

    assert found["first"] == pytest.approx([4, 0])
    assert found["second"] == pytest.approx([-3, 0])


def test_a_product_of_two_themes_is_shared_half_and_half():
    """3 · 4 from (0, 0): 6 each. From (1, 2), 12 - 2 = 10: (4 + 8) / 2 = 6 and (2 + 6) / 2 = 4."""
    table = np.array([[3.0, 4.0]])

    def product(table: np.ndarray) -> np.ndarray:
        return table[:, 0] * table[:, 1]

    origin = contributions(product, table, np.zeros(2), ["a", "b"])
    moved = contributions(product, table, np.array([1.0, 2.0]), ["a", "b"])

    assert [origin["a"][0], origin["b"][0]] == pytest.approx([6, 6])
    assert [moved["a"][0], moved["b"][0]] == pytest.approx([6, 4])


def test_three_themes_share_what_they_do_only_together():
    """1 if all three are 1: a third each; a theme that the score never reads gets 0."""
    found = contributions(
        lambda table: table[:, :3].prod(axis=1), np.ones((1, 4)), np.zeros(4), list("abcd")
    )

    assert [found[theme][0] for theme in "abcd"] == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0])


def test_rows_that_the_score_does_not_describe_keep_theirs_in_the_start():
    """Row 1 has log-odds 7 of its own; row 0 starts from the reference's 10 and adds 2."""
    start, shares = contributions_of(
        lambda table: table[:, 0] + 10,
        np.array([[2.0], [np.nan]]),
        np.zeros(1),
        ["a"],
        log_odds=np.array([0.0, 7.0]),
        described=np.array([True, False]),
    )

    assert start.tolist() == [10, 7]
    assert shares["a"].tolist() == [2, 0]


def test_the_middle_customer_is_the_median_of_what_is_known():
    """1, 3, unknown: 2. Known of nobody: unknown, not 0."""
    table = np.array([[1.0, np.nan], [3.0, np.nan], [np.nan, np.nan]])

    np.testing.assert_array_equal(middle(table), [2.0, np.nan])
    np.testing.assert_array_equal(middle(np.empty((0, 2))), [np.nan, np.nan])


def test_the_reference_of_an_unknown_contract_end_is_unknown():
    """Nobody's end is known: the middle contract does not end today, and all are like it."""
    rows = [(customer, 0, "subscribe") for customer in range(5)]
    history = contracts_of(rows).as_of(day(100))
    model = quick(history, horizon_days=60, mode="contract")

    assert np.isnan(model.learned_.reference[-2:]).all()
    assert (model.contributions(history).drop(columns="reference") == 0).all(axis=None)


# -- edge --------------------------------------------------------------------------


def test_every_feature_that_a_theme_names_exists():
    """A feature renamed elsewhere would slip into the rest unseen."""
    known = set(feature_table("customer").index)
    named = [name for names in FEATURES.values() for name in names]

    assert set(named) <= known
    assert len(named) == len(set(named))
    assert set(themes_of(sorted(known))) == {*FEATURES, OTHER}


def test_newcomers_have_all_in_the_reference(model: ChurnModel, history: History):
    """An id never seen: its one number is the logit of its p_churn."""
    row = model.contributions(history, customers=[99_999]).loc[99_999]
    p = model.predict(history, customers=[99_999]).loc[99_999, "p_churn"]

    assert row["reference"] == pytest.approx(logit(p))
    assert (row.drop("reference") == 0).all()


@pytest.mark.parametrize("mode", ["inactivity", "contract"])
def test_nobody_asked_for_gives_the_columns_and_no_row(
    model: ChurnModel, history: History, contracts: ChurnModel, members: History, mode: str
):
    fitted, asked = (model, history) if mode == "inactivity" else (contracts, members)
    empty = fitted.contributions(asked, customers=[])

    assert len(empty) == 0
    assert empty.columns.tolist() == fitted.contributions(asked, customers=[3]).columns.tolist()


def test_objectors_are_explained_like_strangers():
    said = pd.DataFrame({"customer_id": [1], "objects_to": ["profiling"]})
    rows = [*bought(1, 0, 10, 20), *bought(2, 5, 30), *bought(3, 7)]
    history = log_of(rows, customers=said).as_of(day(90))
    table = quick(history).contributions(history, customers=[1, 77])

    assert table.loc[1].tolist() == table.loc[77].tolist()


# -- law ---------------------------------------------------------------------------


@pytest.mark.parametrize("chosen", CANDIDATES)
def test_rows_sum_to_the_log_odds_whichever_candidate_was_chosen(
    model: ChurnModel, history: History, chosen: str
):
    """And the candidate that reads one theme only credits that one."""
    one = forced(model, chosen)
    table = one.contributions(history, customers=range(0, 400, 4))
    p = one.predict(history, customers=range(0, 400, 4))["p_churn"]
    read = table.columns[(table != 0).any()].tolist()

    np.testing.assert_allclose(table.sum(axis=1), logit(p), rtol=1e-9, atol=1e-9)
    if chosen == BTYD:
        assert read == ["reference", "buying_pattern"]
    if chosen == "hiatus":
        assert read == ["reference", "silence"]


@pytest.mark.parametrize("chosen", HAZARDS)
def test_rows_sum_to_the_log_odds_under_contract(
    contracts: ChurnModel, members: History, chosen: str
):
    """Open, closed, never: whichever hazard was chosen."""
    one = ChurnModel.from_arrays(contracts.to_arrays())
    one.learned_.hazard.report_["model"] = chosen
    asked = [*range(0, 200, 5), 9999]
    table = one.contributions(members, customers=asked)
    p = one.predict(members, customers=asked)["p_churn"]

    np.testing.assert_allclose(table.sum(axis=1), logit(p), rtol=1e-9, atol=1e-9)
    assert (table["contract"] != 0).any()


@pytest.mark.parametrize("chosen", ["btyd", "blend"])
def test_one_customer_alone_is_the_same_as_in_the_batch(
    model: ChurnModel, history: History, chosen: str
):
    """Bit for bit; a block boundary lies among them."""
    one = forced(model, chosen)
    batch = one.contributions(history)
    for customer in FEW:
        alone = one.contributions(history, customers=[customer])
        pd.testing.assert_frame_equal(alone, batch.loc[[customer]], check_exact=True)


def test_one_contract_alone_is_the_same_as_in_the_batch(contracts: ChurnModel, members: History):
    """Bit for bit."""
    batch = contracts.contributions(members)
    for customer in (0, 17, 111):
        alone = contracts.contributions(members, customers=[customer])
        pd.testing.assert_frame_equal(alone, batch.loc[[customer]], check_exact=True)


def test_order_and_repetition_of_customers_are_kept(model: ChurnModel, history: History):
    table = model.contributions(history, customers=[17, 3, 17])

    assert table.index.tolist() == [17, 3, 17]
    assert table.iloc[0].tolist() == table.iloc[2].tolist()
