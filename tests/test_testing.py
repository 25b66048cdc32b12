"""The testing kit: random logs, the leak check, the laws of models; and that they catch."""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from anticipate import columns as c
from anticipate.exceptions import EmptyHistoryError, ParameterError
from anticipate.kernels.events import ROW_COLUMNS
from anticipate.kernels.segments import segment_sum
from anticipate.log import InteractionLog, build
from anticipate.log.ids import lookup_codes
from anticipate.testing import check_history_model, check_no_leak, random_log
from anticipate.testing.compare import difference
from anticipate.testing.futures import everything_else, other_futures
from anticipate.testing.leaks import history_of
from anticipate.testing.unchanged import contents

CUTOFF = pd.Timestamp("2024-10-01", tz="UTC")


class Toy(BaseEstimator):
    """Score of a customer: the popularity of what they bought, summed. Keeps every law."""

    def __init__(self, strength: float = 1.0) -> None:
        self.strength = strength

    def fit(self, history):
        bought = history.purchases
        if bought.n == 0:
            raise EmptyHistoryError("no purchase lies before the cutoff.")
        counts = np.bincount(bought.item, minlength=history.n_items)
        self.item_codes_ = history.item_ids
        self.popularity_ = np.append(np.log1p(counts), 0.0) * self.strength
        return self

    def predict(self, history, *, customers=None):
        check_is_fitted(self)
        if customers is not None:
            wanted = list(customers)
            return self.predict(history.select(wanted)).loc[wanted]
        table = self.popularity_[np.append(lookup_codes(history.item_ids, self.item_codes_), -1)]
        score = segment_sum(table[history.purchases.item], history.purchases.offsets)
        index = pd.Index(history.customer_ids, name="customer_id")
        return pd.DataFrame({"score": score}, index=index)

    def to_arrays(self):
        codes = np.frombuffer("\n".join(self.item_codes_).encode(), np.uint8)
        return {"ids": codes, "popularity": self.popularity_}

    @classmethod
    def from_arrays(cls, arrays):
        made = cls()
        made.item_codes_ = np.array(arrays["ids"].tobytes().decode().split("\n"), dtype=object)
        made.popularity_ = arrays["popularity"]
        return made


class SilentUnfitted(Toy):
    def predict(self, history, *, customers=None):
        if not hasattr(self, "popularity_"):
            return pd.DataFrame({"customer_id": history.customer_ids, "score": 0.0})
        return super().predict(history, customers=customers)


class GivesNothingBack(Toy):
    def fit(self, history):
        super().fit(history)


class ChangesParameters(Toy):
    def fit(self, history):
        super().fit(history)
        self.strength = 2.0
        return self


class Unseeded(Toy):
    def fit(self, history):
        super().fit(history)
        self.popularity_ = self.popularity_ + np.random.random()  # noqa: NPY002
        return self


class ChangesInput(Toy):
    def fit(self, history):
        history.items["seen"] = True
        return super().fit(history)


class ComparesCustomers(Toy):
    """Scores relative to the others in the batch."""

    def predict(self, history, *, customers=None):
        table = super().predict(history, customers=customers)
        return table - (table.mean() if len(table) > 1 else 0.0)


class AlignsByPlace(Toy):
    """Answers of customers=[...] in the history's order under the caller's names."""

    def predict(self, history, *, customers=None):
        table = super().predict(history, customers=customers)
        if customers is not None:
            table = table.loc[sorted(table.index)].set_axis(table.index, axis=0)
        return table


class RefusesStrangers(Toy):
    def predict(self, history, *, customers=None):
        if customers is not None and not set(customers) <= set(history.customer_ids):
            raise KeyError("unknown customer")
        return super().predict(history, customers=customers)


class RefusesEmpty(Toy):
    def predict(self, history, *, customers=None):
        if not history.n_customers:
            raise IndexError("nobody")
        return super().predict(history, customers=customers)


class BreaksOnEmptyFit(Toy):
    def fit(self, history):
        history.customer_ids[0]
        return super().fit(history)


class LosesBits(Toy):
    def to_arrays(self):
        return super().to_arrays() | {"popularity": self.popularity_.astype(np.float32)}


class StoresObjects(Toy):
    def to_arrays(self):
        return super().to_arrays() | {"ids": self.item_codes_}


class LosesStateInPickle(Toy):
    def __getstate__(self):
        return super().__getstate__() | {"popularity_": self.popularity_ * 2}


class ImpossibleProbability(Toy):
    def predict(self, history, *, customers=None):
        return super().predict(history, customers=customers).rename(columns={"score": "p_score"})


BROKEN = [
    (SilentUnfitted, "unfitted"),
    (GivesNothingBack, "fit: it must return"),
    (ChangesParameters, "parameters"),
    (Unseeded, "seed"),
    (ChangesInput, "input"),
    (ComparesCustomers, "history of one"),
    (AlignsByPlace, "order of customers"),
    (RefusesStrangers, "unknown customer must be answered"),
    (RefusesEmpty, "must be answered"),
    (BreaksOnEmptyFit, "empty: fit"),
    (LosesBits, "arrays: from_arrays"),
    (StoresObjects, "no array of plain numbers"),
    (LosesStateInPickle, "pickle"),
    (ImpossibleProbability, "bounds"),
]


@pytest.fixture(scope="module")
def log():
    return random_log(0)


@pytest.fixture
def spied(monkeypatch):
    """Histories that remember the whole log they were cut from: a back door to the future."""
    as_of = InteractionLog.as_of

    def remembering(self, cutoff):
        history = as_of(self, cutoff)
        object.__setattr__(history, "whole", self)
        return history

    monkeypatch.setattr(InteractionLog, "as_of", remembering)


# -- random_log --------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_log_and_another_seed_another():
    first, again, other = random_log(3), random_log(3), random_log(4)

    assert difference(first.to_pandas(), again.to_pandas()) is None
    assert difference(first.to_pandas(), other.to_pandas()) is not None


def test_a_random_log_holds_a_bit_of_everything(log):
    table, history = log.to_pandas(), log.as_of(CUTOFF)

    assert set(table["event"]) == set(c.EVENTS)
    assert set(table.columns) == set(c.LOG_COLUMNS) - {c.EVENT_ID}
    assert (table["known_at"] > table["timestamp"]).any()
    assert log.report["identical_rows"] > 10
    assert table.duplicated(["customer_id", "timestamp"]).any()
    assert table["price"].isna().any()
    assert (table["quantity"] > 1).any()
    assert history.returns.n_unmatched > 0
    assert (history.returns.returned > 0).any()
    assert (np.diff(history.events.offsets) == 0).any()  # listed, without events
    assert set(history.items) == {
        "category", "price", "work_id", "lifetime_days", "consumable",
    }  # fmt: skip
    assert history.customers["objects_to"].notna().any()
    assert history.customers["segment"].isna().any()  # with events, not listed
    assert len(log.item_attributes.ids) > log.n_items  # some change on a day


def test_random_ids_may_be_sparse_whole_numbers_and_times_local():
    log = random_log(1, text_ids=False, timezone="Asia/Seoul", n_customers=5)

    assert log.vocabulary.customer_ids.dtype == np.int64
    assert log.timezone == "Asia/Seoul"


@pytest.mark.parametrize("size", [{"n_customers": 2, "n_items": 2, "n_days": 2}, {"n_items": 2}])
def test_random_logs_may_be_tiny(size):
    assert random_log(0, **size).n_events > 0


def test_a_random_log_needs_two_customers():
    with pytest.raises(ParameterError, match="n_customers"):
        random_log(n_customers=1)


# -- futures -----------------------------------------------------------------------------


def test_other_futures_are_really_other_and_the_past_is_the_same(log):
    """The log's own law: whatever is done to the future, the history keeps every bit."""
    expected = contents(history_of(log, CUTOFF))
    past = int(log.as_of(CUTOFF).n_events)

    for name, other in other_futures(log, CUTOFF).items():
        now = contents(history_of(other, CUTOFF))
        for part in ("events", "vocabulary", "items", "customers", "attributes", "returns"):
            assert difference(expected[part], now[part], what=part) is None, name
        assert len(other) != len(log) or "attributes" in name or "changing" in name
    assert len(other_futures(log, CUTOFF)["deleting all that came later"]) == past
    assert difference(log.to_pandas(), everything_else(log, CUTOFF).to_pandas())


def test_other_futures_of_whole_number_ids_keep_their_type():
    log = random_log(2, text_ids=False, n_customers=6)

    for other in other_futures(log, CUTOFF).values():
        assert other.vocabulary.customer_ids.dtype == np.int64


# -- check_no_leak -----------------------------------------------------------------------


def spend(history):
    bought = history.purchases
    value = np.nan_to_num(np.asarray(bought.price)) * bought.quantity
    return pd.Series(segment_sum(value, bought.offsets), index=history.customer_ids)


def test_a_function_of_the_history_does_not_leak(log):
    check_no_leak(spend, log, CUTOFF)


def own_cut(log, cutoff, *, by="timestamp", strict=True):
    table = log.to_pandas()
    past = table[by] < cutoff if strict else table[by] <= cutoff
    return table[past & (table["known_at"] < cutoff)].groupby("customer_id")["quantity"].sum()


def test_a_function_that_cuts_right_by_itself_passes(log):
    check_no_leak(lambda log, at: own_cut(log, at).to_dict(), log, CUTOFF, takes="log")


@pytest.mark.parametrize(
    ("compute", "law"),
    [
        (lambda log, at: log.n_events, "deleting"),
        (lambda log, at: int(log.to_pandas()["timestamp"].lt(at).sum()), "leak: "),  # known_at
        (lambda log, at: int(log.to_pandas()["known_at"].le(at).sum()), "leak: "),  # at the cutoff
        (lambda log, at: log.item_attributes.table["price"].sum(), "attributes"),
        (lambda log, at: np.random.random(), "random"),  # noqa: NPY002
    ],
)
def test_a_function_that_sees_what_it_should_not_is_caught(log, compute, law):
    with pytest.raises(AssertionError, match=law):
        check_no_leak(compute, log, CUTOFF, takes="log")


def test_a_function_that_depends_on_row_order_is_caught(log, monkeypatch):
    """A log that breaks ties by where a row stood: the last price of a tie is a matter of luck."""
    by_time = lambda customer, timestamp, rest: np.lexsort((timestamp, customer))  # noqa: E731
    monkeypatch.setattr(build, "total_order", by_time)

    with pytest.raises(AssertionError, match=r"row order|random|leak"):
        check_no_leak(lambda history: history.to_pandas(), log, CUTOFF)


def test_takes_is_checked(log):
    with pytest.raises(ParameterError, match="takes"):
        check_no_leak(spend, log, CUTOFF, takes="frame")


# -- check_history_model -----------------------------------------------------------------


def test_an_honest_model_passes(log):
    before = contents(log.as_of(CUTOFF))
    check_history_model(Toy(), log)

    assert difference(before, contents(log.as_of(CUTOFF))) is None


def test_an_honest_model_passes_with_a_question_of_its_own(log):
    check_history_model(Toy(), log, predict=lambda m, h, who: m.predict(h, customers=who).score)


@pytest.mark.parametrize(("model", "law"), BROKEN, ids=lambda x: getattr(x, "__name__", ""))
def test_a_broken_model_is_caught(log, model, law):
    with pytest.raises(AssertionError, match=law):
        check_history_model(model(), log)


class Peeking(Toy):
    """Reaches behind the history for the whole log, in fit or when asked."""

    def __init__(self, strength: float = 1.0, when: str = "fit") -> None:
        super().__init__(strength)
        self.when = when

    def fit(self, history):
        super().fit(history)
        if self.when == "fit" and hasattr(history, "whole"):
            self.popularity_ = self.popularity_ + history.whole.n_events
        return self

    def predict(self, history, *, customers=None):
        table = super().predict(history, customers=customers)
        if self.when == "predict" and hasattr(history, "whole"):
            table["score"] += history.whole.n_items
        return table


@pytest.mark.usefixtures("spied")
@pytest.mark.parametrize("when", ["fit", "predict"])
def test_a_model_that_sees_the_future_is_caught(log, when):
    with pytest.raises(AssertionError, match="leak"):
        check_history_model(Peeking(when=when), log)


class Tables(Toy):
    """Rows of a history as they stand, so that any tie shows."""

    def predict(self, history, *, customers=None):
        check_is_fitted(self)
        table = (history if customers is None else history.select(customers)).to_pandas()
        return table[["customer_id", "item_id", "price"]]


def test_a_model_on_a_log_that_depends_on_row_order_is_caught(log, monkeypatch):
    check_history_model(Tables(), log)
    by_time = lambda customer, timestamp, rest: np.lexsort((timestamp, customer))  # noqa: E731
    monkeypatch.setattr(build, "total_order", by_time)

    with pytest.raises(AssertionError, match=r"row order|seed"):
        check_history_model(Tables(), log)


def test_a_log_that_shows_events_at_the_cutoff_is_caught(log, monkeypatch):
    def known_by(events, cutoffs, at):
        return np.asarray(events.timestamp <= at)

    monkeypatch.setattr("anticipate.log.history._known_before", known_by)

    with pytest.raises(AssertionError, match="leak"):
        check_history_model(Toy(), log, cutoff=CUTOFF)


class Guard(Toy):
    """Warns of an item that the customer has bought before."""

    def review(self, cart, history):
        check_is_fitted(self)
        bought = history.to_pandas().query("event == 'purchase'")
        owned = set(zip(bought["customer_id"], bought["item_id"], strict=True))
        lines = zip(cart["customer_id"], cart["item_id"], strict=True)
        verdict = ["warn" if line in owned else "pass" for line in lines]
        return cart.assign(verdict=verdict, options=[["keep", "drop"]] * len(cart))


def test_a_guard_is_asked_with_a_cart_of_known_and_unknown_customers(log):
    check_history_model(Guard(), log)


class DropsLines(Guard):
    def review(self, cart, history):
        lines = super().review(cart, history)
        return lines if history.n_customers > 1 else lines[lines["verdict"] == "warn"]


def test_a_guard_that_answers_one_customer_otherwise_is_caught(log):
    with pytest.raises(AssertionError, match="batch"):
        check_history_model(DropsLines(), log)


def test_a_model_without_a_known_method_needs_a_question(log):
    with pytest.raises(TypeError, match="predict="):
        check_history_model(BaseEstimator(), log)


def test_the_global_random_state_is_left_alone(log):
    np.random.seed(7)  # noqa: NPY002
    expected = np.random.random()  # noqa: NPY002
    np.random.seed(7)  # noqa: NPY002
    check_history_model(Toy(), log)

    assert np.random.random() == expected  # noqa: NPY002


def test_warnings_of_ours_are_not_errors_of_the_model(log):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_history_model(Toy(), log, cutoff="2025-03-01")  # past the end


# -- compare -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (np.array([0.0]), np.array([-0.0])),
        (np.array([1.0]), np.array([1])),
        (np.array([0.1 + 0.2]), np.array([0.3])),
        (pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [1, 2]})),
        (pd.DataFrame({"a": [1]}), pd.DataFrame({"b": [1]})),
        (pd.DataFrame({"a": ["x"]}), pd.DataFrame({"a": [None]})),
        ({"a": [1.0]}, {"a": [1.5]}),
        ([1, 2], [1]),
        ("x", "y"),
    ],
)
def test_differences_are_seen(first, second):
    assert difference(first, second) is not None


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (np.array([np.nan]), np.array([-np.nan])),
        (pd.DataFrame({"a": [pd.NaT]}), pd.DataFrame({"a": [None]})),
        (pd.Series([1.0]), pd.Series([1.0])),
        ({"a": [None, "x"]}, {"a": [np.nan, "x"]}),
    ],
)
def test_equal_answers_are_equal(first, second):
    assert difference(first, second) is None


def test_a_difference_names_the_place_and_never_the_content():
    first = pd.DataFrame({"customer_id": ["ann"], "score": [0.5]})

    text = difference(first, first.assign(score=0.25))

    assert text == "the answer differs in column 'score', row 0 (1 rows differ)"


def test_contents_are_copies_of_everything(log):
    history = log.as_of(CUTOFF)
    held = contents(history)

    assert set(held["events"]) == {*ROW_COLUMNS, "offsets"}
    assert set(held["vocabulary"]) == {f.name for f in dataclasses.fields(history.vocabulary)}
    assert not np.shares_memory(held["events"]["item"], history.events.item)
