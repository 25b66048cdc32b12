"""The leak law, for every public feature, table and model.

Whatever happens at or after the cutoff, or is not yet known at it, changes nothing; nor does
row order; and one customer alone is answered as in a batch, bit for bit.
"""

from __future__ import annotations

import pandas as pd
import pytest

from anticipate import Anticipator, Scorer
from anticipate.anticipator.state import make_state
from anticipate.churn import ChurnModel
from anticipate.evaluation import (
    churn_baselines,
    customer_groups,
    mean_gap_pair_dates,
    needs_baselines,
    timing_baselines,
    warning_baselines,
)
from anticipate.features import FeatureBuilder
from anticipate.guards import DuplicateGuard, FitGuard
from anticipate.kernels.pairs import find_pairs
from anticipate.needs import NextNeedRanker
from anticipate.outcomes import label_outcomes
from anticipate.testing import check_history_model, check_no_leak, random_log
from anticipate.testing.answers import cart_of
from anticipate.timing import PurchaseTimer

CUTOFF = pd.Timestamp("2024-10-14T14:03Z")  # in the middle of a day, minutes after a purchase


@pytest.fixture(scope="module")
def log():
    return random_log(0)


@pytest.fixture(scope="module")
def numbered():
    """Whole numbers as ids, local days, more customers."""
    return random_log(1, n_customers=30, text_ids=False, timezone="Europe/Berlin")


@pytest.fixture(scope="module")
def large():
    """Enough past rows for every candidate model to be trained and compared."""
    return random_log(2, n_customers=150)


# -- tables --------------------------------------------------------------------------------


def outcome_tables(history):
    """Labels of a window that closed before the cutoff."""
    found = label_outcomes(history, history.cutoff - pd.Timedelta(days=40), 30)
    return {
        "customers": found.customers,
        "pairs": found.pairs,
        "lines": found.lines,
        "codes": found.bought_codes(),
    }


def plain_rules(history):
    """What our numbers are compared with, and the groups they are reported by."""
    return {
        "groups": customer_groups(history, ["segment"]),
        "dates of pairs": mean_gap_pair_dates(history),
        **{f"needs: {name}": table for name, table in needs_baselines(history, n=10).items()},
        **{f"timing: {name}": table for name, table in timing_baselines(history).items()},
        **{f"churn: {name}": one for name, one in churn_baselines(history, 30).items()},
        **{
            f"warnings: {name}": table
            for name, table in warning_baselines(cart_of(history), history).items()
        },
    }


TABLES = {
    "events": lambda history: history.to_pandas(),
    "customers": lambda history: history.customers,
    "items": lambda history: history.items,
    "returns": lambda history: vars(history.returns),
    "pairs": lambda history: find_pairs(history.purchases, history.n_items),
    "before the last basket": lambda history: history.before_last_basket().to_pandas(),
    "an earlier history": lambda history: history.as_of("2024-06-01").to_pandas(),
    "outcomes": outcome_tables,
    "plain rules": plain_rules,
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_a_table_of_a_history_does_not_see_the_future(log, table):
    check_no_leak(table, log, CUTOFF)


@pytest.mark.parametrize("level", ["customer", "pair", "item"])
def test_features_do_not_see_the_future(log, numbered, level):
    for one in (log, numbered):
        check_history_model(FeatureBuilder(level=level), one, cutoff=CUTOFF)


@pytest.mark.parametrize("level", ["customer", "pair"])
def test_features_before_the_last_basket_do_not_see_it(log, level):
    def features(history):
        return FeatureBuilder(level=level).fit(history).transform(history.before_last_basket())

    check_no_leak(features, log, CUTOFF)


# -- models ----------------------------------------------------------------------------------

LATE = ("double_submit", "already_owned")  # said without a proof, so that there is something to say
MODELS = {
    "next needs": NextNeedRanker(random_state=0),
    "next basket": NextNeedRanker(target="next_basket", random_state=0),
    "timing": PurchaseTimer(),
    "churn": ChurnModel(horizon_days=30, random_state=0),
    "duplicates": DuplicateGuard(cost_annoyance=0.01, kinds=LATE),
    "fit": FitGuard(window_days=20, cost_annoyance=0.001),
}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_a_model_keeps_the_laws(log, model):
    check_history_model(model, log, cutoff=CUTOFF)


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_a_model_of_local_days_keeps_the_laws(numbered, model):
    check_history_model(model, numbered, cutoff=CUTOFF)


@pytest.mark.parametrize("name", ["churn", "next needs"])
def test_a_model_trained_in_full_keeps_the_laws(large, name):
    """With enough customers for trees and candidates: same laws."""
    check_history_model(MODELS[name], large, cutoff=CUTOFF)


@pytest.mark.filterwarnings("ignore::anticipate.exceptions.AnticipateWarning")
def test_the_laws_are_tried_on_models_that_have_something_to_say(log, large):
    """Else they would hold of silence: warnings of two kinds, trees compared, every source."""
    history = log.as_of(CUTOFF)
    guard = MODELS["duplicates"].fit(history).review(cart_of(history), history)
    churn = ChurnModel(horizon_days=30, random_state=0).fit(large.as_of(CUTOFF))
    needs = NextNeedRanker(random_state=0).fit(history).recommend(history)
    whole = Anticipator(random_state=0).fit(history)

    assert {"double_submit", "already_owned"} <= set(guard["kind"][guard["verdict"] == "warn"])
    assert churn.report_["log_loss"]
    assert needs["source"].nunique() >= 2
    assert len(suggestions(whole, history, None)) > history.n_customers


def with_timer(model, history, customers):
    """The guard with a timer that it fits itself."""
    asked = cart_of(history, customers)
    return model.review(asked, history)


class TimedGuard(DuplicateGuard):
    def fit(self, history, timing=None):
        return super().fit(history, timing=PurchaseTimer())


def test_a_guard_with_a_timer_keeps_the_laws(log):
    check_history_model(
        TimedGuard(cost_annoyance=0.01, kinds=LATE), log, predict=with_timer, cutoff=CUTOFF
    )


# -- the whole ---------------------------------------------------------------------------------


def suggestions(model, history, customers):
    """All suggestions as one table: for both audiences, with a cart and without."""
    rows = []
    for customer in history.customer_ids if customers is None else customers:
        for audience, cart in (("customer", history.item_ids[1:3].tolist()), ("staff", [])):
            found = model.suggest(history, customer, cart=cart, n=5, audience=audience)
            rows += [
                {"customer_id": customer, "asked": audience, "rank": rank, "what": one.to_dict()}
                for rank, one in enumerate(found)
            ]
    return pd.DataFrame(rows, columns=["customer_id", "asked", "rank", "what"])


def everything_said(model, history, customers):
    """One by one, all at once, and the churn columns of the scorer."""
    said = suggestions(model, history, customers)
    scorer = Scorer(*make_state(model, history))
    return {
        "suggest": said,
        "suggest_many": model.suggest_many(history, customers, n=5),
        "churn": scorer.churn(customers, as_of=history.cutoff),
    }


@pytest.mark.filterwarnings("ignore::anticipate.exceptions.AnticipateWarning")
def test_one_customer_alone_is_answered_as_all_together():
    history = random_log(0, n_customers=12).as_of(CUTOFF)
    model = Anticipator(random_state=0).fit(history)
    together = suggestions(model, history, None)
    for customer in history.customer_ids[::4].tolist():
        own = together[together["customer_id"] == customer].reset_index(drop=True)
        pd.testing.assert_frame_equal(
            suggestions(model, history.select([customer]), [customer]), own, check_exact=True
        )


@pytest.mark.slow
def test_suggestions_keep_the_laws():
    """All of them; what a bundle stores is tried below, in every run."""
    few = random_log(0, n_customers=12)
    check_history_model(Anticipator(random_state=0), few, predict=everything_said, cutoff=CUTOFF)


@pytest.mark.filterwarnings("ignore::anticipate.exceptions.AnticipateWarning")
def test_nothing_that_is_stored_for_the_scorer_sees_the_future():
    """Every array of a bundle, and the ranking made of them."""

    def stored(history):
        model = Anticipator(random_state=0).fit(history)
        manifest, arrays = make_state(model, history, with_models=True)
        ranking = Scorer(manifest, arrays).rank_at_risk(as_of=history.cutoff)
        return {"manifest": manifest, "arrays": arrays, "ranking": ranking}

    check_no_leak(stored, random_log(0, n_customers=12), CUTOFF)
