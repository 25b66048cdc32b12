"""A better-suited item at no higher price, and numbers of pieces that may not be meant.

Reads  a History to learn from; cart lines and a History to review.
Gives  the same lines with a verdict, kind, probability, reason, evidence and options.
Never  drops, changes or blocks a line; names what costs more or the customer already knows;
       speaks where words would not have paid on past lines.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import logit
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from .._checks import check_option, check_positive
from ..columns import MARKETING
from ..exceptions import MinimumDataWarning
from ..kernels.fit import (
    COLUMNS,
    KINDS,
    QUANTITY_SLIP,
    FitItems,
    FitTables,
    SlipModel,
    check_fit,
)
from ..kernels.ids import build_id_index, ids_at
from ..log import History, check_history
from ..log.objections import objectors
from .bought import check_bought
from .costs import Costs
from .fit_items import Fits, align_items, fit_items
from .fit_learning import Learned, Line, learn_slips, learn_swaps, with_chances
from .fit_rows import fit_slices, slip_share_of
from .fit_wording import with_words
from .lines import read_lines
from .return_rows import prices

Array = NDArray[Any]


class FitGuard(BaseEstimator):  # type: ignore[misc]
    """Two kinds of advice, each with a calibrated probability.

    ``better_fit``: an item of the same category or work (without categories: of the same
    buyers, or bought after the item was sent back) comes back less often, by more than chance
    explains, costs at most as much, and people go over to it rather than from it.
    ``probability`` = P(the item comes back) - P(the alternative does): the share of returns that
    the swap avoids. Not named: what the customer bought, sent back, rated or refused before, what
    is in the cart or no longer sold; nothing for gifts or for who objects to marketing.
    ``quantity_slip``: at least 2.5 times the pieces that are usual for this customer and item.
    ``probability`` = P(at least four fifths of the pieces come back).

    Parameters
    ----------
    window_days : float, default=60
        What comes back this soon counts (> 0).
    cost_slip, cost_misfit, cost_annoyance : float, default=1.0
        What an avoided slip or return is worth, and a needless word costs (> 0).
    random_state : None
        Kept for all models' common face: nothing here is random.

    Attributes
    ----------
    report_ : dict
        ``n_items_with_alternative``, ``n_slices``, ``missing``; under ``better_fit`` and
        ``quantity_slip``: ``n_lines``, ``n_hits``, ``learned``, ``speaks``,
        ``silent_because``; where learned ``auc``, ``slope``, ``calibration_error``,
        ``coefficients``, ``came_true``; where a threshold was tried ``threshold``, ``n_warned``,
        ``precision``, ``precision_low``, ``break_even``, ``net_money``, ``net_money_low``.
    cutoff_ : Timestamp or DatetimeIndex

    Notes
    -----
    A kind speaks only if on the newest closed slice, not used to choose its threshold, the lower
    90 % bound of its net money was positive. That i's buyers would keep j as j's own buyers do is
    assumed; the difference of shares is lowered by a line learned on both. Fewer pieces than
    usual are never called a slip. Returns are taken as known at the history's cutoff.

    Examples
    --------
    >>> from anticipate import load_example
    >>> history = load_example("bookshop").as_of("2025-03-01")
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", MinimumDataWarning)
    ...     guard = FitGuard().fit(history)
    >>> cart = pd.DataFrame({"customer_id": ["C042"], "item_id": ["T-green"], "quantity": [24]})
    >>> guard.review(cart, history)["kind"].tolist()
    ['quantity_slip']
    """

    items_: FitItems
    slip_: SlipModel
    item_ids_: Array
    report_: dict[str, Any]
    cutoff_: Any

    def __init__(
        self,
        *,
        window_days: float = 60.0,
        cost_slip: float = 1.0,
        cost_misfit: float = 1.0,
        cost_annoyance: float = 1.0,
        random_state: int | None = None,
    ) -> None:
        self.window_days = window_days
        self.cost_slip = cost_slip
        self.cost_misfit = cost_misfit
        self.cost_annoyance = cost_annoyance
        self.random_state = random_state

    def fit(self, history: History, timing: Any = None) -> Self:
        """Learn alternatives, usual pieces, chances and when to speak.

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
            If too little came back to learn a kind's chances.
        """
        check_history(history)
        for name in ("window_days", "cost_slip", "cost_misfit", "cost_annoyance"):
            check_positive(name, getattr(self, name))
        check_bought(history)
        days = float(self.window_days)
        fits = fit_items(history, days)
        past = fit_slices(history, days) if fits.knows_returns else []  # nothing to learn from
        swaps = learn_swaps(past, self._costs("better_fit"), prior=float(fits.items.share[-1]))
        slip_share = slip_share_of(history, days)
        slips = learn_slips(past, self._costs("quantity_slip"), prior=slip_share)
        line = slips.line or Line(np.zeros(len(COLUMNS)), float(logit(slip_share)))
        self.items_ = with_chances(fits, swaps)
        self.slip_ = SlipModel(
            coefficient=line.coefficient,
            intercept=np.array([line.intercept]),
            threshold=np.array([np.inf, swaps.threshold, slips.threshold]),
        )
        self.item_ids_, self.cutoff_ = history.item_ids, history.cutoff
        kinds = {"better_fit": _explained(fits, swaps), "quantity_slip": slips.report}
        self.report_ = {
            "n_items_with_alternative": int((fits.items.alternatives[:, 0] >= 0).sum()),
            "n_slices": len(past),
            **kinds,
            "missing": [
                f"{name}: {one['silent_because']}."
                for name, one in kinds.items()
                if not one["learned"]
            ],
        }
        for sentence in self.report_["missing"]:
            warnings.warn(sentence, MinimumDataWarning, stacklevel=2)
        return self

    def review(self, cart: pd.DataFrame, history: History) -> pd.DataFrame:
        """The cart's lines with a verdict each.

        Parameters
        ----------
        cart : DataFrame
            ``customer_id, item_id`` and optionally ``timestamp`` (default: the cutoff),
            ``quantity, price, gift``; any number of customers, other columns are kept.
        history : History
            What these customers did before; of it, what was known before each line.

        Returns
        -------
        DataFrame
            The same lines, order and index, with ``verdict`` ("warn" or "pass"), ``kind`` (what
            might be said, else None), ``probability`` (0 where nothing might), and for warnings
            ``reason``, ``evidence`` (list of one dict) and ``options`` (at least two).
            Evidence of a better fit: ``item_id, price, return_share, n_bought, n_kept,
            n_moved, instead_of`` (``price, return_share``); of a slip: ``item_id, pieces,
            usual`` and, of the customer's latest line of it, ``date, order_id, pieces_then``.

        Raises
        ------
        ColumnError, IdTypeError, TimeError, BadRowsError
        """
        check_is_fitted(self, "items_")
        read, price = read_lines(cart, history), prices(cart)
        items = align_items(self.items_, self.item_ids_, history.item_ids)
        found = check_fit(
            read.history.events,
            read.history.returns.returned,
            read.lines,
            price,
            tables=FitTables(items, self.slip_),
            objects=objectors(read.history),
            marketing=objectors(read.history, MARKETING),
        )
        return with_words(cart, read, found, price, items)

    def saving(self, probability: Any, kind: str) -> Array:
        """Expected net money of a warning: ``cost * P - cost_annoyance * (1 - P)``.

        Parameters
        ----------
        probability : float or array
        kind : {"better_fit", "quantity_slip"}
        """
        check_option("kind", kind, tuple(name for name in KINDS if name))
        return self._costs(kind).saving(probability)

    def item_table(self, item_ids: Array, items: pd.DataFrame | None = None) -> dict[str, Array]:
        """All tables by item, aligned with another sorted vocabulary; one more row for others.

        Parameters
        ----------
        item_ids : array of shape (n,)
        items : DataFrame, optional
            Not used; all guards are asked alike.

        Returns
        -------
        dict of arrays of n + 1 rows
            The fields of ``kernels.fit.FitItems``.
        """
        check_is_fitted(self, "items_")
        return dict(align_items(self.items_, self.item_ids_, item_ids)._asdict())

    def to_arrays(self) -> dict[str, Array]:
        """The fitted state as plain arrays."""
        check_is_fitted(self, "items_")
        index = {f"ids.{name}": array for name, array in build_id_index(self.item_ids_).items()}
        settings = [self.window_days, self.cost_slip, self.cost_misfit, self.cost_annoyance]
        return {
            **self.items_._asdict(),
            **{f"slip.{name}": array for name, array in self.slip_._asdict().items()},
            "settings": np.array(settings, dtype=np.float64),
            **index,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Self:
        """The guard that ``to_arrays`` was called on, bit for bit; without its report."""
        days, slip, misfit, annoyance = (float(one) for one in arrays["settings"])
        guard = cls(window_days=days, cost_slip=slip, cost_misfit=misfit, cost_annoyance=annoyance)
        guard.items_ = FitItems.from_mapping(arrays)
        guard.slip_ = SlipModel(*(np.asarray(arrays[f"slip.{f}"]) for f in SlipModel._fields))
        index = {n.removeprefix("ids."): a for n, a in arrays.items() if n.startswith("ids.")}
        guard.item_ids_ = ids_at(index, np.arange(len(guard.items_.share) - 1))
        guard.report_ = {}
        return guard

    def _costs(self, kind: str) -> Costs:
        mistake = self.cost_slip if kind == KINDS[QUANTITY_SLIP] else self.cost_misfit
        return Costs(float(mistake), float(self.cost_annoyance))


def _explained(fits: Fits, learned: Learned) -> dict[str, Any]:
    if fits.knows_returns:
        return learned.report
    because = "no line of a closed window came back: the log does not tell what fits better"
    return {**learned.report, "silent_because": because}
