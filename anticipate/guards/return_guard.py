"""The chance that a cart line comes back, and advice where it is worth a word.

Reads  a History to learn from; cart lines and a History to review.
Gives  the same lines with a verdict, kind, probability, reason, evidence and options.
Never  drops or blocks a line; lets a customer's own returns decide what that customer is told.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from .._checks import check_option, check_positive
from ..exceptions import MinimumDataWarning
from ..kernels.costliest import saving
from ..kernels.ids import build_id_index, ids_at
from ..kernels.return_reasons import KeptPairs
from ..kernels.return_risk import (
    ItemReturns,
    LineFacts,
    RiskModel,
    columns_used,
    is_worth_saying,
    risk_columns,
    risk_log_odds,
)
from ..log import History, check_history
from ..log.ids import lookup_codes
from ..log.objections import objectors
from ..suggestions.return_words import CUSTOMER, STAFF
from .bought import check_bought
from .lines import read_lines
from .return_learning import LEVELS, Speaking, learn_risks
from .return_pairs import align_pairs, kept_pairs
from .return_rows import align, closed_lines, item_returns, kinds_of, prices, slices
from .return_words import Judged, with_advice

Array = NDArray[Any]


class ReturnGuard(BaseEstimator):  # type: ignore[misc]
    """P(a line is returned or cancelled within ``return_window_days``), calibrated.

    Three nested models: ``cart`` (item and cart alone: for those who object to profiling),
    ``customer`` (and what the customer usually buys), ``staff`` (and the customer's own share
    of returns). Customers are answered from the first two alone.

    Parameters
    ----------
    return_window_days : float, default=60
        A line counts as returned if any piece of it came back this soon (> 0).
    cost_return, cost_annoyance : float, default=1.0
        What an avoided return is worth, and a needless word costs (> 0): warnings pay where
        ``cost_return * P > cost_annoyance * (1 - P)``.
    least_lift : float, default=2.0
        A warning needs a chance this many times the item's own share.
    random_state : None
        Kept for all models' common face: nothing here is random.

    Attributes
    ----------
    report_ : dict
        ``n_lines`` and ``n_returned`` (closed windows), ``return_share``, ``slices``,
        ``speaks`` and ``silent_because``, ``threshold``, ``n_warned``, ``precision`` and
        ``precision_low`` (newest past slice, not used to choose), ``levels`` (per model:
        ``columns``, ``auc``, ``auc_item_share``, ``slope``, ``calibration_error``,
        ``coefficients``), ``missing``.
    cutoff_ : Timestamp or DatetimeIndex

    Notes
    -----
    A warning is said only if on the newest closed slice the lower 90 % bound of its precision
    lay above break-even; else the guard stays silent and ``report_`` says why. Lines of one
    customer at the same instant are one cart. Own past: what was known before each line.

    Examples
    --------
    >>> from anticipate import load_example
    >>> history = load_example("bookshop").as_of("2025-03-01")
    >>> guard = ReturnGuard().fit(history)
    >>> cart = pd.DataFrame({"customer_id": ["C042"], "item_id": ["B-1984-ebook"]})
    >>> bool(0 < guard.review(cart, history)["probability"].iloc[0] < 0.5)
    True
    """

    models_: dict[str, RiskModel]
    items_: ItemReturns
    pairs_: KeptPairs
    threshold_: float
    item_ids_: Array
    report_: dict[str, Any]
    cutoff_: Any

    def __init__(
        self,
        *,
        return_window_days: float = 60.0,
        cost_return: float = 1.0,
        cost_annoyance: float = 1.0,
        least_lift: float = 2.0,
        random_state: int | None = None,
    ) -> None:
        self.return_window_days = return_window_days
        self.cost_return = cost_return
        self.cost_annoyance = cost_annoyance
        self.least_lift = least_lift
        self.random_state = random_state

    def fit(self, history: History, timing: Any = None) -> Self:
        """Learn shares, models and when to speak, from lines whose window is closed.

        Parameters
        ----------
        history : History
        timing : None
            Not used; all guards are fitted alike.

        Raises
        ------
        EmptyHistoryError
            If nobody bought anything (those who object to profiling do not count).

        Warns
        -----
        MinimumDataWarning
            If too few lines came back to learn more than each item's share.
        """
        check_history(history)
        for name in ("return_window_days", "cost_return", "cost_annoyance", "least_lift"):
            check_positive(name, getattr(self, name))
        events, days = history.events, float(self.return_window_days)
        check_bought(history)
        closed = closed_lines(history, days)
        past = slices(history, days)
        cost = self.cost_annoyance / (self.cost_return + self.cost_annoyance)
        learned = learn_risks(past, Speaking(cost, float(self.least_lift)))
        self.models_, self.threshold_ = learned.models, learned.threshold
        self.items_ = item_returns(history, days)
        self.pairs_ = kept_pairs(events, closed, kinds_of(history.items).thing)
        self.item_ids_, self.cutoff_ = history.item_ids, history.cutoff
        missing = [] if "levels" in learned.report else [str(learned.report["silent_because"])]
        self.report_ = {
            "n_lines": len(closed.row),
            "n_returned": int(closed.returned.sum()),
            "return_share": float(self.items_.share[-1]),
            "slices": [(len(one.returned), int(one.returned.sum())) for one in past],
            **learned.report,
            "missing": [f"returns: {sentence}." for sentence in missing],
        }
        for sentence in self.report_["missing"]:
            warnings.warn(sentence, MinimumDataWarning, stacklevel=2)
        return self

    def review(
        self, cart: pd.DataFrame, history: History, *, audience: str = CUSTOMER
    ) -> pd.DataFrame:
        """The cart's lines with a verdict each.

        Parameters
        ----------
        cart : DataFrame
            ``customer_id, item_id`` and optionally ``timestamp`` (default: the cutoff),
            ``quantity, price, gift``; any number of customers, other columns are kept.
        history : History
            What these customers did before; of it, what was known before each line.
        audience : {"customer", "staff"}
            ``"staff"``: ``probability`` knows the customer's own returns, and ``evidence`` of
            every line holds all reasons, each with its ``audience``. The verdict is the same.

        Returns
        -------
        DataFrame
            The same lines, order and index, with ``verdict`` ("warn" or "pass"), ``kind``
            ("return_risk"), ``probability`` (that any of it comes back in the window),
            and for warnings ``reason``, ``evidence`` (list of dict: code, audience, facts,
            text; the first is the reason) and ``options`` (at least two).

        Raises
        ------
        ColumnError, IdTypeError, TimeError, BadRowsError, ParameterError
        """
        check_is_fitted(self, "models_")
        check_option("audience", audience, (CUSTOMER, STAFF))
        read, price = read_lines(cart, history), prices(cart)
        items = align(self.items_, self.item_ids_, history.item_ids)
        levels = LEVELS if audience == STAFF else LEVELS[:-1]
        facts = LineFacts(
            read.history.events, read.lines, price, items=items, kinds=kinds_of(history.items)
        )
        X = risk_columns(facts, columns_used(*(self.models_[level] for level in levels)))
        chances = {level: expit(risk_log_odds(self.models_[level], X)) for level in levels}
        objects = objectors(read.history)[read.lines.customer]
        shown = np.where(objects, chances["cart"], chances["customer"])
        judged = Judged(
            warn=is_worth_saying(shown, facts.share, self.threshold_, self.least_lift),
            probability=np.where(objects, shown, chances["staff"]) if audience == STAFF else shown,
            objects=objects,
            facts=facts,
            pairs=self.pairs_,
            pair_code=lookup_codes(read.item_ids, self.item_ids_),
        )
        return with_advice(cart, read, judged, audience=audience)

    def saving(self, probability: Array, kind: Any = None) -> Array:
        """Expected net money of a warning, (n,): ``cost_return * P - cost_annoyance * (1 - P)``.

        ``kind`` is not used: this guard knows one.
        """
        return saving(np.asarray(probability), self.cost_return, self.cost_annoyance)

    def item_table(self, item_ids: Array, items: pd.DataFrame | None = None) -> dict[str, Array]:
        """What is known of these items, for a bundle.

        Parameters
        ----------
        item_ids : array of shape (n_items,), sorted
        items : DataFrame of n_items rows, optional
            Their attributes; without, each is a thing of its own and of no category.

        Returns
        -------
        dict
            ``share, log_price, log_quantity`` (n_items + 1,), the last row for items never seen;
            ``thing, category`` (n_items,); ``pairs.kept, pairs.back, pairs.n``.
        """
        check_is_fitted(self, "models_")
        table = pd.DataFrame(index=range(len(item_ids))) if items is None else items
        pairs = align_pairs(self.pairs_, lookup_codes(self.item_ids_, item_ids))
        return {
            **align(self.items_, self.item_ids_, item_ids)._asdict(),
            **kinds_of(table)._asdict(),
            **{f"pairs.{name}": array for name, array in pairs._asdict().items()},
        }

    def to_arrays(self) -> dict[str, Array]:
        """The fitted state as plain arrays."""
        check_is_fitted(self, "models_")
        models = {
            f"{level}.{name}": array
            for level in LEVELS
            for name, array in self.models_[level]._asdict().items()
        }
        index = {f"ids.{name}": array for name, array in build_id_index(self.item_ids_).items()}
        settings = [
            self.return_window_days, self.cost_return, self.cost_annoyance, self.least_lift,
            self.threshold_,
        ]  # fmt: skip
        return {
            **models,
            **self.items_._asdict(),
            **{f"pairs.{name}": array for name, array in self.pairs_._asdict().items()},
            "settings": np.array(settings, dtype=np.float64),
            **index,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Self:
        """The guard that ``to_arrays`` was called on, bit for bit; without its report."""
        window, cost, annoyance, lift, threshold = (float(one) for one in arrays["settings"])
        guard = cls(return_window_days=window, cost_return=cost, cost_annoyance=annoyance,
                    least_lift=lift)  # fmt: skip
        guard.models_ = {
            level: RiskModel(*(np.asarray(arrays[f"{level}.{f}"]) for f in RiskModel._fields))
            for level in LEVELS
        }
        guard.items_ = ItemReturns(*(np.asarray(arrays[f]) for f in ItemReturns._fields))
        guard.pairs_ = KeptPairs(*(np.asarray(arrays[f"pairs.{f}"]) for f in KeptPairs._fields))
        guard.threshold_ = threshold
        index = {n.removeprefix("ids."): a for n, a in arrays.items() if n.startswith("ids.")}
        guard.item_ids_ = ids_at(index, np.arange(len(guard.items_.share) - 1))
        guard.report_ = {}
        return guard
