"""The whole: next needs, dates, churn and warnings from one history, in one call.

Reads  a History.
Gives  suggestions with reasons, an evaluation beside plain baselines, a bundle for the scorer.
Never  an answer by another road than the scorer's: ``suggest`` runs the same code on arrays
       in memory that a service runs on a bundle.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from .._checks import check_count, check_positive
from ..bundle import open_bundle, write_bundle
from ..churn import ChurnModel
from ..evaluation import Report
from ..exceptions import CutoffError, EmptyHistoryError, MinimumDataWarning, ParameterError
from ..guards import DuplicateGuard, FitGuard, ReturnGuard
from ..log import History, InteractionLog, check_history
from ..log.clock import Instant, to_microseconds, to_timestamp
from ..needs import NextNeedRanker
from ..serving import Scorer
from ..serving.checks import content_faults
from ..serving.golden import golden_rows
from ..suggestions import Suggestion
from ..suggestions.order import check_benefits
from ..timing import PurchaseTimer
from .health.reference import make_reference
from .report import evaluate
from .state import PARTS, load_models, make_state

_LOG = logging.getLogger("anticipate")


class Anticipator(BaseEstimator):  # type: ignore[misc]
    """Learns what each customer needs next and when, who is leaving, what to warn about.

    Parameters
    ----------
    horizon_days : float, default=30
        Needs and dates are foreseen this far.
    churn_horizon_days : float, default=90
        Churn = no purchase in this many days.
    benefits : mapping kind -> (benefit, cost), optional
        Replaces entries of ``anticipate.suggestions.BENEFITS``, which orders suggestions.
    guards : mapping, optional
        Unfitted guards in place of the default ones: ``guard`` (a ``DuplicateGuard``),
        ``returns`` (``ReturnGuard``), ``fit`` (``FitGuard``), such as
        ``{"guard": DuplicateGuard(cost_duplicate=4)}``. They are cloned.
    random_state : int, optional
    n_jobs : int, optional
        Parts trained side by side (threads; joblib's meaning).

    Attributes
    ----------
    needs_, timing_, churn_, guard_, return_guard_, fit_guard_ : fitted parts
    cutoff_ : Timestamp
        Nothing at or after it was seen.
    report_ : dict
        What each part learned, which candidate won and by how much.

    Examples
    --------
    >>> import anticipate as an
    >>> log = an.load_example("bookshop")
    >>> model = an.Anticipator(random_state=0)
    >>> model = model.fit(log.as_of("2025-03-01"))  # doctest: +SKIP
    >>> model.suggest(log.as_of("2025-03-01"), "C042")  # doctest: +SKIP
    """

    def __init__(
        self,
        horizon_days: float = 30,
        churn_horizon_days: float = 90,
        *,
        benefits: Mapping[str, tuple[float, float]] | None = None,
        guards: Mapping[str, Any] | None = None,
        random_state: int | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.horizon_days = horizon_days
        self.churn_horizon_days = churn_horizon_days
        self.benefits = benefits
        self.guards = guards
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, history: History, y: None = None) -> Anticipator:
        """Train every part on internal slices of the history.

        Raises
        ------
        EmptyHistoryError
            If there is no purchase before the cutoff.
        """
        check_history(history)
        _check_settings(self.random_state, self.n_jobs)
        horizon = check_positive("horizon_days", self.horizon_days)
        churn_horizon = check_positive("churn_horizon_days", self.churn_horizon_days)
        check_benefits(self.benefits)
        if history.n_purchases == 0:
            raise EmptyHistoryError(
                f"no purchase before {to_timestamp(history.cutoff_us)}; take a later cutoff, or "
                "check which events are purchases."
            )
        seed = self.random_state
        parts = {
            "needs": NextNeedRanker(horizon_days=horizon, random_state=seed),
            "timing": PurchaseTimer(),
            "churn": ChurnModel(horizon_days=churn_horizon, random_state=seed),
            "guard": DuplicateGuard(random_state=seed),
            "returns": ReturnGuard(random_state=seed),
            "fit": FitGuard(random_state=seed),
            **_given_guards(self.guards),
        }
        # The parts limit BLAS by themselves; side by side they would restore each other's limit.
        with threadpool_limits(1, "blas"):
            fitted = Parallel(n_jobs=self.n_jobs, prefer="threads")(
                delayed(_fit_part)(name, part, history, step, len(parts))
                for step, (name, part) in enumerate(parts.items(), start=1)
            )
        for name, part in zip(parts, fitted, strict=True):
            setattr(self, PARTS[name][0], part)
        self.history_: History | None = history
        self.cutoff_ = to_timestamp(history.cutoff_us)
        self.report_ = {name: part.report_ for name, part in zip(parts, fitted, strict=True)}
        return self

    def suggest(
        self,
        history: History,
        customer_id: Any,
        *,
        cart: Iterable[Any] = (),
        n: int = 3,
        audience: str = "customer",
    ) -> list[Suggestion]:
        """Suggestions for one customer as of ``history.cutoff``; see ``Scorer.suggest``."""
        self._check_asked(history)
        scorer = self._scorer(history.select([customer_id]))
        at = to_timestamp(history.cutoff_us)
        return scorer.suggest(customer_id, as_of=at, cart=cart, n=n, audience=audience)

    def suggest_many(
        self,
        history: History,
        customer_ids: Iterable[Any] | None = None,
        *,
        n: int = 3,
        audience: str = "staff",
    ) -> pd.DataFrame:
        """Suggestions of many customers as one table; see ``Scorer.suggest_many``."""
        self._check_asked(history)
        at = to_timestamp(history.cutoff_us)
        return self._scorer(history).suggest_many(customer_ids, as_of=at, n=n, audience=audience)

    def evaluate(
        self, log: InteractionLog, cutoff: Instant, *, groups: Iterable[str] = ()
    ) -> Report:
        """Score this fitted model at a cutoff, beside the plain baselines; nothing is refitted.

        Parameters
        ----------
        log : InteractionLog
            Must be closed to the cutoff + the longer horizon.
        cutoff : datetime-like
            At or after ``cutoff_``. Models and baselines both see events up to it.
        groups : iterable of str
            Columns of the customers table to report apart.

        Raises
        ------
        CutoffError
            If the cutoff lies before ``cutoff_`` (labels were seen in training), or the
            window is not closed.
        """
        check_is_fitted(self, "needs_")
        if to_microseconds(cutoff, log.timezone) < to_microseconds(self.cutoff_, "UTC"):
            raise CutoffError(
                f"this model saw events up to {self.cutoff_}; judging it at an earlier cutoff "
                "would grade it on its own training. Take a later cutoff or fit on less."
            )
        groups = (groups,) if isinstance(groups, str) else tuple(groups)
        return evaluate(self, log, cutoff, groups)

    def save(self, path: str | Path, history: History | None = None) -> Path:
        """Write a bundle for ``Scorer.load``.

        Parameters
        ----------
        path : str or Path
            A folder; an older bundle in it is replaced in one step.
        history : History, optional
            Customers' states are taken from it (default: the history of ``fit``); a later one
            refreshes them without training again and sets the bundle's cutoff.
        """
        check_is_fitted(self, "needs_")
        served = self._history(history)
        manifest, arrays = make_state(self, served, with_models=True)
        scorer = Scorer(manifest, arrays)
        manifest["reference"] = make_reference(served, scorer, self.timing_)
        manifest["golden"] = golden_rows(scorer)
        return write_bundle(path, manifest, arrays)

    @classmethod
    def load(
        cls, path: str | Path, *, verify: Literal["full", "structure"] = "full"
    ) -> Anticipator:
        """The fitted parts of a bundle, to evaluate, or to save with a later history."""
        manifest, arrays = open_bundle(path, verify=verify, check=content_faults)
        model = cls(**manifest["parameters"])
        for attribute, part in load_models(arrays).items():
            setattr(model, attribute, part)
        model.cutoff_ = to_timestamp(int(manifest["trained_until_us"]))
        model.report_ = dict(manifest["report"])
        model.history_ = None
        return model

    def _scorer(self, history: History) -> Scorer:
        check_is_fitted(self, "needs_")
        return Scorer(*make_state(self, history), benefits=self.benefits)

    def _check_asked(self, history: History) -> None:
        """A history to answer from: it must not end before what training saw.

        An empty one knows of nobody, so everyone in it is a newcomer at any time.
        """
        check_history(history)
        check_is_fitted(self, "needs_")
        if history.n_events and history.cutoff_us < to_microseconds(self.cutoff_, "UTC"):
            raise CutoffError(
                f"the history ends before {to_timestamp(history.cutoff_us)}, the model saw "
                f"events up to {self.cutoff_}; give a history that ends later."
            )

    def _history(self, given: History | None) -> History:
        history = given if given is not None else self.history_
        if given is not None:
            check_history(given)
        if history is None:
            raise EmptyHistoryError(
                "a loaded model has no history of its own; give one: save(path, history=...)."
            )
        self._check_asked(history)
        return history


def _given_guards(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """The user's guards, cloned."""
    known = {"guard": DuplicateGuard, "returns": ReturnGuard, "fit": FitGuard}
    if given is not None and not isinstance(given, Mapping):
        raise ParameterError("guards must be a mapping name -> guard.")
    for name, guard in (given or {}).items():
        if name not in known:
            raise ParameterError(f"guards: {name!r} is none of {list(known)}.")
        if not isinstance(guard, known[name]):
            raise ParameterError(f"guards: {name} must be a {known[name].__name__}.")
    return {name: clone(guard) for name, guard in (given or {}).items()}


def _check_settings(random_state: Any, n_jobs: Any) -> None:
    if random_state is not None:
        check_count("random_state", random_state, least=0, most=2**32 - 1)
    if n_jobs is not None and n_jobs == 0:
        raise ParameterError("n_jobs must not be 0; 1 is one after another, -1 all cores.")


def _fit_part(name: str, part: Any, history: History, step: int, total: int) -> Any:
    _LOG.info("learning %s", name, extra={"step": (step, total)})
    if name == "guard":
        return part.fit(history, timing=PurchaseTimer())
    if name == "fit":  # most shops see too few slips of pieces to learn them; its report says so
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", MinimumDataWarning)
            return part.fit(history)
    return part.fit(history)
