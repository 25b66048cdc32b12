"""Warnings of purchases that repeat what the customer just ordered or already owns.

Reads  a History to learn from; cart lines and a History to review.
Gives  the same lines with a verdict, its kind, probability, reason, evidence and options.
Never  drops or blocks a line, or warns where a rule clears it (gift, due, worn out, restock).
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from .._checks import check_positive
from ..exceptions import EmptyHistoryError, MinimumDataWarning
from ..kernels.gap_learning import gap_data, plain_table, refine_by_item
from ..kernels.ids import build_id_index, ids_at
from ..kernels.next_gap import GapTable
from ..kernels.pairs import find_pairs
from ..kernels.rules import ItemRules, QuickRates, check_lines, is_warning
from ..log import History, check_history
from ..log.ids import lookup_codes
from ..log.objections import objectors
from .bought import bought_of, kept_only
from .items import category_codes, is_consumable, lifetime_days, substitutes
from .learning import Learned, learn, repeat_shares, usual_quantities
from .lines import read_lines
from .wording import with_words

Array = NDArray[Any]
FEWEST_UNDONE = 10


class DuplicateGuard(BaseEstimator):  # type: ignore[misc]
    """P(this line is a mistake), by three kinds, and a warning where that costs more.

    ``double_submit``: the same pieces of the same item again within the hour. ``already_owned``:
    a later repeat; P = r / (r + w), r the rate of forgotten repeats per day owned, w the rate of
    wanted ones at this age, from the law of gaps. ``substitute_owned``: another edition of the
    same work, or what contains it, is owned. Never warned of: gifts; what was returned,
    cancelled or given away before; consumables that are due; what outlived its lifetime;
    unusual numbers of pieces; items this customer buys in batches.

    Parameters
    ----------
    cost_duplicate, cost_annoyance : float, default=1.0
        What a mistake made costs, and a wish doubted (> 0): warn iff
        ``cost_duplicate * P > cost_annoyance * (1 - P)``.
    random_state : None
        Kept for all models' common face: nothing here is random.

    Attributes
    ----------
    report_ : dict
        ``n_repeats``, ``n_undone`` (repeats sent back: the labels), ``mistakes_per_owned_year``,
        ``substitute_mistake_share``, ``quick`` (rates within the hour), ``timing``, ``missing``.
    cutoff_ : Timestamp or DatetimeIndex

    Notes
    -----
    Nobody labels mistakes: see ``guards.learning`` for how returns stand in. Lines of one
    customer at the same instant are one cart; an item that stands twice in it passes, the
    customer sees both. Lines minutes apart count as two carts.

    Examples
    --------
    >>> import warnings
    >>> from anticipate import load_example
    >>> history = load_example("bookshop").as_of("2025-03-01")
    >>> guard = DuplicateGuard().fit(history)
    >>> cart = pd.DataFrame({"customer_id": ["C042"], "item_id": ["B-1984-ebook"]})
    >>> guard.review(cart, history)["verdict"].tolist()
    ['warn']
    """

    gap_table_: GapTable
    rules_: ItemRules
    quick_: QuickRates
    repeat_share_: Array
    item_ids_: Array
    report_: dict[str, Any]
    cutoff_: Any

    def __init__(
        self,
        *,
        cost_duplicate: float = 1.0,
        cost_annoyance: float = 1.0,
        random_state: int | None = None,
    ) -> None:
        self.cost_duplicate = cost_duplicate
        self.cost_annoyance = cost_annoyance
        self.random_state = random_state

    def fit(self, history: History, timing: Any = None) -> Self:
        """Learn rates of mistakes and of wishes.

        Parameters
        ----------
        history : History
        timing : PurchaseTimer or None
            An unfitted one is cloned and fitted on what was kept; None: item gaps with common
            shapes.

        Raises
        ------
        EmptyHistoryError
            If nobody bought anything (those who object to profiling do not count).

        Warns
        -----
        MinimumDataWarning
            If fewer than 10 repeats were returned or cancelled.
        """
        check_history(history)
        check_positive("cost_duplicate", self.cost_duplicate)
        check_positive("cost_annoyance", self.cost_annoyance)
        bought, n_items = bought_of(history), history.n_items
        if bought.events.n == 0:
            raise EmptyHistoryError(
                "there is no purchase before the cutoff; the guard needs some. Take a later one."
            )
        learned = learn(bought, history.items)
        self.gap_table_ = _wishes(kept_only(history, bought), timing)
        self.rules_ = ItemRules(
            mistakes_per_day=learned.mistakes_per_day,
            substitute_mistake=learned.substitute_mistake,
            consumable=is_consumable(history.items),
            lifetime_days=lifetime_days(history.items),
            usual_quantity=usual_quantities(bought, n_items),
            substitutes=substitutes(history.items),
        )
        self.quick_ = learned.quick
        self.repeat_share_ = repeat_shares(bought, n_items)
        self.item_ids_, self.cutoff_ = history.item_ids, history.cutoff
        self.report_ = _report(learned, timing)
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
            What these customers did before.

        Returns
        -------
        DataFrame
            The same lines, order and index, with ``verdict`` ("warn" or "pass"), ``kind`` (the
            mistake it may be, else None), ``probability`` (of that mistake; 0 where nothing
            speaks for one), and for warnings ``reason``, ``evidence`` (list of dict: date,
            item_id, order_id) and ``options`` (at least two); None and empty lists elsewhere.

        Raises
        ------
        ColumnError, IdTypeError, TimeError, BadRowsError
        """
        check_is_fitted(self, "gap_table_")
        read = read_lines(cart, history)
        table = self.item_table(history.item_ids, items=history.items)
        found = check_lines(
            read.history.events,
            read.history.returns.returned,
            read.lines,
            gaps=GapTable.from_mapping(table),
            rules=ItemRules.from_mapping(table),
            quick=self.quick_,
            objects=objectors(read.history),
        )
        warn = is_warning(found.probability, self.cost_duplicate, self.cost_annoyance)
        return with_words(cart, read, found, warn, repeat_share=table["repeat_share"])

    def item_table(self, item_ids: Array, items: pd.DataFrame | None = None) -> dict[str, Array]:
        """All tables by item, aligned with another sorted vocabulary; one more row for others.

        Parameters
        ----------
        item_ids : array of shape (n,)
        items : DataFrame, optional
            Attributes of these items, row i = item i (``history.items``), newer than those of
            ``fit``. Without columns, or None: those of ``fit``.

        Returns
        -------
        dict of arrays of n + 1 rows
            The fields of ``GapTable`` and ``ItemRules``, and ``repeat_share``: share of the
            item's buyers who bought it on two days or more.
        """
        check_is_fitted(self, "gap_table_")
        rows = np.append(lookup_codes(item_ids, self.item_ids_), -1)
        known = {**self.gap_table_._asdict(), **self.rules_._asdict()}
        table = {name: column[rows] for name, column in known.items()}
        table["repeat_share"] = self.repeat_share_[rows]
        if items is not None and len(items.columns):
            table["consumable"] = is_consumable(items)
            table["lifetime_days"] = lifetime_days(items)
            table["substitutes"] = substitutes(items)
        else:
            place = np.append(lookup_codes(self.item_ids_, item_ids), -1)
            table["substitutes"] = place[table["substitutes"]].astype(np.int32)
        return table

    def to_arrays(self) -> dict[str, Array]:
        """The fitted state as plain arrays."""
        check_is_fitted(self, "gap_table_")
        index = {f"ids.{name}": array for name, array in build_id_index(self.item_ids_).items()}
        return {
            **self.gap_table_._asdict(),
            **self.rules_._asdict(),
            "repeat_share": self.repeat_share_,
            "quick": np.array(self.quick_),
            "costs": np.array([self.cost_duplicate, self.cost_annoyance], dtype=np.float64),
            **index,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Self:
        """The guard that ``to_arrays`` was called on, bit for bit; without its report."""
        duplicate, annoyance = (float(cost) for cost in arrays["costs"])
        guard = cls(cost_duplicate=duplicate, cost_annoyance=annoyance)
        guard.gap_table_ = GapTable.from_mapping(arrays)
        guard.rules_ = ItemRules.from_mapping(arrays)
        guard.quick_ = QuickRates(*(float(rate) for rate in arrays["quick"]))
        guard.repeat_share_ = np.asarray(arrays["repeat_share"])
        index = {n.removeprefix("ids."): a for n, a in arrays.items() if n.startswith("ids.")}
        guard.item_ids_ = ids_at(index, np.arange(len(guard.gap_table_.shape) - 1))
        guard.report_ = {}
        return guard


def _wishes(kept: History, timing: Any) -> GapTable:
    """The law of wanted repeats by item."""
    if timing is not None and kept.n_events:
        with warnings.catch_warnings():  # the timer's own minimum is told when it is fitted alone
            warnings.simplefilter("ignore", MinimumDataWarning)
            fitted = clone(timing).fit(kept)
        return GapTable.from_mapping(fitted.item_table(kept.item_ids))
    data = gap_data(find_pairs(kept.purchases, kept.n_items), kept.cutoffs)
    plain = plain_table(data, kept.n_items)
    return refine_by_item(data, plain, category_codes(kept.items))


def _report(learned: Learned, timing: Any) -> dict[str, Any]:
    missing = []
    if learned.n_undone < FEWEST_UNDONE:
        missing.append(
            f"duplicates: {learned.n_undone} of {learned.n_repeats} repeats were returned or "
            f"cancelled, fewer than {FEWEST_UNDONE}; what a mistake looks like is mostly assumed."
        )
    return {
        "n_repeats": learned.n_repeats,
        "n_undone": learned.n_undone,
        "mistakes_per_owned_year": float(learned.mistakes_per_day[-1] * 365.25),
        "substitute_mistake_share": float(learned.substitute_mistake[-1]),
        "quick": learned.quick._asdict(),
        "timing": "item gaps" if timing is None else type(timing).__name__,
        "missing": missing,
    }
