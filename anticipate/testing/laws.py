"""The laws of a model of histories, as one check.

Reads  an unfitted model and a log.
Gives  nothing, or an ``AssertionError`` with the law that was broken and where.
Never  a tolerance; a change of the model or the log that it was given.
"""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from ..exceptions import AnticipateError, AnticipateWarning
from ..log import History, InteractionLog
from ..log.clock import Instant, to_microseconds, to_timestamp
from .answers import Answer, Predict, as_tables, default_predict, rows_of
from .compare import difference
from .futures import everything_else, full_table, other_futures, remade, shuffled
from .leaks import history_of
from .unchanged import contents

N_ALONE = 8  # customers that are asked for alone


@dataclass(frozen=True)
class Case:
    """A model on trial: how to ask it, what it was given, what it answered."""

    model: Any  # unfitted
    fitted: Any
    predict: Predict
    log: InteractionLog
    cutoff: pd.Timestamp
    history: History
    answer: Answer

    def ask(self, fitted: Any, history: History, customers: Iterable[Any] | None = None) -> Answer:
        return as_tables(self.predict(fitted, history, customers))

    def fit_and_ask(self, log: InteractionLog) -> Answer:
        history = history_of(log, self.cutoff)
        return self.ask(clone(self.model).fit(history), history)


def check_history_model(
    model: Any,
    log: InteractionLog,
    *,
    predict: Predict | None = None,
    cutoff: Instant | None = None,
) -> None:
    """Check that a model of histories keeps the laws that make its scores trustworthy.

    Unfitted it raises ``NotFittedError``; ``fit`` returns the model; the same seed gives the
    same answer; row order is irrelevant; so are events at or after the cutoff, or not yet known
    at it; one customer alone is answered as in a batch, bit for bit; unknown customers and an
    empty history are answered; what it is given stays unchanged; ``to_arrays``/``from_arrays``
    (where it has them) and pickle keep every bit; ``get_params``, ``clone`` and ``repr`` work.

    Parameters
    ----------
    model : estimator
        Unfitted, with ``fit(history)``. A clone of it is fitted about six times.
    log : InteractionLog
        With events on both sides of the cutoff, e.g. ``random_log()``. It is not changed.
    predict : callable, optional
        How to ask: ``predict(fitted, history, customers)``, ``customers`` None for all, gives a
        table with ``customer_id`` as column or index, or a mapping of such. Default: all of
        ``recommend``, ``predict``, ``predict_pairs``, ``review`` (of a cart that the check
        makes) and ``transform`` that the model has.
    cutoff : datetime-like, optional
        Default: where three quarters of the log's time have passed.

    Raises
    ------
    AssertionError
        With the first law that was broken and where.

    Examples
    --------
    >>> from anticipate.features import FeatureBuilder
    >>> from anticipate.testing import random_log
    >>> check_history_model(FeatureBuilder(level="customer"), random_log(0))
    """
    at = log.start + (log.end - log.start) * 0.75 if cutoff is None else cutoff
    at = to_timestamp(to_microseconds(at, log.timezone))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AnticipateWarning)
        for law in _BEFORE_FIT:
            law(model, predict or default_predict(model), history_of(log, at))
        case = _case(model, remade(log, full_table(log)), predict or default_predict(model), at)
        for check in _LAWS:
            check(case)


def _case(model: Any, log: InteractionLog, predict: Predict, cutoff: pd.Timestamp) -> Case:
    history = history_of(log, cutoff)
    before = contents(history)
    parameters = repr(model.get_params())
    fitted = clone(model)
    if fitted.fit(history) is not fitted:
        raise AssertionError("fit: it must return the model itself")
    answer = as_tables(predict(fitted, history, None))
    _expect_same(before, contents(history), "input: fit or predict changes the history")
    if repr(fitted.get_params()) != parameters:
        raise AssertionError("parameters: fit changes the constructor's arguments")
    return Case(model, fitted, predict, log, cutoff, history, answer)


def _unfitted_raises(model: Any, predict: Predict, history: History) -> None:
    try:
        predict(clone(model), history, None)
    except NotFittedError:
        return
    raise AssertionError("unfitted: it must raise sklearn's NotFittedError")


def _parameters_survive(model: Any, predict: Predict, history: History) -> None:
    twin = clone(model)
    if repr(twin.get_params()) != repr(model.get_params()) or not repr(model):
        raise AssertionError("parameters: clone changes them")
    twin.set_params(**model.get_params(deep=False))


def _same_seed_same_answer(case: Case) -> None:
    state = np.random.get_state()  # noqa: NPY002  the global one must play no part
    np.random.seed(12345)  # noqa: NPY002
    try:
        again = case.fit_and_ask(case.log)
    finally:
        np.random.set_state(state)  # noqa: NPY002
    _expect_same(case.answer, again, "seed: a second fit on the same history answers differently")
    asked = case.ask(case.fitted, case.history)
    _expect_same(case.answer, asked, "seed: asked twice, it answers differently")


def _row_order_is_irrelevant(case: Case) -> None:
    found = case.fit_and_ask(shuffled(case.log))
    _expect_same(case.answer, found, "row order: giving the rows in another order changes it")


def _the_future_is_irrelevant(case: Case) -> None:
    """All changes at once; only if that shows, one by one to name the culprit."""
    everything = everything_else(case.log, case.cutoff)
    at_once = difference(case.answer, case.fit_and_ask(everything))
    futures = other_futures(case.log, case.cutoff)
    deleting = next(iter(futures))
    for change, log in futures.items() if at_once else [(deleting, futures[deleting])]:
        law = f"leak: {change} changes the answer"
        _expect_same(case.answer, case.fit_and_ask(log), law)
    if at_once:
        raise AssertionError(f"leak: changing the future changes the answer: {at_once}")
    asked = case.ask(case.fitted, history_of(everything, case.cutoff))
    _expect_same(case.answer, asked, "leak: when asked, it sees what came later")


def _one_alone_is_as_in_a_batch(case: Case) -> None:
    for customer in _some(case.history.customer_ids):
        expected = rows_of(case.answer, customer)
        alone = rows_of(case.ask(case.fitted, case.history.select([customer])), customer)
        _expect_same(expected, alone, "batch: a customer in a history of one is answered otherwise")
        asked = case.ask(case.fitted, case.history, [customer])
        law = "batch: a customer asked for by customers=[...] is answered otherwise"
        _expect_same(expected, rows_of(asked, customer), law)
        _expect_nobody_else(asked, [customer])


def _order_of_customers_is_irrelevant(case: Case) -> None:
    asked = _some(case.history.customer_ids)[::-1]
    answer = case.ask(case.fitted, case.history, list(asked))
    for customer in asked:
        law = "batch: the order of customers=[...] changes an answer"
        _expect_same(rows_of(case.answer, customer), rows_of(answer, customer), law)
    _expect_nobody_else(answer, asked)


def _unknown_customers_are_answered(case: Case) -> None:
    ids = case.history.customer_ids
    text = len(ids) > 0 and isinstance(ids[0], str)
    stranger = "~nobody" if text else int(ids.max(initial=0)) + 1
    _without_error(lambda: case.ask(case.fitted, case.history, [stranger]), "an unknown customer")
    both = case.ask(case.fitted, case.history, [stranger, *ids[:1].tolist()])
    for customer in ids[:1]:
        law = "batch: an unknown customer changes the answer to a known one"
        _expect_same(rows_of(case.answer, customer), rows_of(both, customer), law)


def _empty_histories_are_answered(case: Case) -> None:
    early = case.log.start - pd.Timedelta(days=3650)
    listed = history_of(case.log, early)  # attributes alone may list customers and items
    for empty in (listed, listed.select([]), history_of(_without_attributes(case.log), early)):
        _without_error(partial(case.ask, case.fitted, empty), "an empty history")
        _learns_nothing(clone(case.model), empty)


def _without_attributes(log: InteractionLog) -> InteractionLog:
    nothing = [
        facts.rows(np.zeros(len(facts.ids), dtype=bool))
        for facts in (log.item_attributes, log.customer_attributes)
    ]
    return replace(log, item_attributes=nothing[0], customer_attributes=nothing[1])


def _learns_nothing(model: Any, empty: History) -> None:
    try:
        model.fit(empty)
    except AnticipateError:  # it says that there is nothing to learn from
        return
    except Exception as error:
        raise AssertionError(
            f"empty: fit on an empty history raises {type(error).__name__}; raise "
            "EmptyHistoryError, or learn nothing"
        ) from error


def _arrays_keep_every_bit(case: Case) -> None:
    if not hasattr(case.fitted, "to_arrays"):
        return
    arrays = case.fitted.to_arrays()
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "biufMm":
            raise AssertionError(f"arrays: {name!r} is no array of plain numbers")
    again = type(case.model).from_arrays({name: np.array(a) for name, a in arrays.items()})
    found = case.ask(again, case.history)
    _expect_same(case.answer, found, "arrays: from_arrays(to_arrays()) answers differently")
    _expect_same(dict(arrays), dict(again.to_arrays()), "arrays: there and back again they differ")


def _pickle_keeps_every_bit(case: Case) -> None:
    again = pickle.loads(pickle.dumps(case.fitted))
    found = case.ask(again, case.history)
    _expect_same(case.answer, found, "pickle: the model answers differently")


def _probabilities_are_between_0_and_1(case: Case) -> None:
    for name, table in case.answer.items():
        for column in table.columns:
            text = str(column)
            if text.startswith("p_") or text == "probability":
                values = table[column].to_numpy(dtype=np.float64)
                if ((values < 0) | (values > 1)).any():
                    raise AssertionError(f"bounds: {text!r} of {name!r} leaves [0, 1]")


_BEFORE_FIT = (_unfitted_raises, _parameters_survive)
_LAWS: tuple[Callable[[Case], None], ...] = (
    _same_seed_same_answer,
    _row_order_is_irrelevant,
    _the_future_is_irrelevant,
    _one_alone_is_as_in_a_batch,
    _order_of_customers_is_irrelevant,
    _unknown_customers_are_answered,
    _empty_histories_are_answered,
    _arrays_keep_every_bit,
    _pickle_keeps_every_bit,
    _probabilities_are_between_0_and_1,
)


def _some(ids: Any) -> Any:
    """A few ids from all over the range."""
    return ids[np.unique(np.linspace(0, len(ids) - 1, N_ALONE).astype(int))] if len(ids) else ids


def _expect_same(expected: Any, found: Any, law: str) -> None:
    where = difference(expected, found)
    if where:
        raise AssertionError(f"{law}: {where}")


def _expect_nobody_else(answer: Answer, asked: Iterable[Any]) -> None:
    asked = list(asked)
    for name, table in answer.items():
        if "customer_id" in table and not table["customer_id"].isin(asked).all():
            raise AssertionError(f"batch: {name!r} answers for customers nobody asked for")


def _without_error(ask: Callable[[], Any], whom: str) -> None:
    try:
        ask()
    except Exception as error:
        kind = type(error).__name__
        raise AssertionError(f"{whom} must be answered; it raised {kind}") from error
