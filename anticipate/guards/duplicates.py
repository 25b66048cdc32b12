"""Warnings of purchases that repeat what the customer just ordered or already owns.

Reads  a History to learn from; cart lines and a History to review.
Gives  the same lines with a verdict, its kind, probability, reason, evidence and options.
Never  drops or blocks a line, or warns where a rule clears it (gift, due, worn out, restock).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from ..exceptions import MinimumDataWarning
from ..kernels.ids import build_id_index, ids_at
from ..kernels.owned import undone_times
from ..kernels.rules import Tables
from ..kernels.verdicts import Speaking, choose_warnings
from ..log import History, InteractionLog, check_history
from ..log.ids import lookup_codes
from ..log.objections import objectors
from .align import align_tables
from .bought import bought_of, check_bought
from .ledger import what_followed
from .lines import read_lines
from .looking_back import check_as_known
from .settings import read_costs, read_kinds
from .speaking import choose_speaking
from .tables import learn_tables
from .wording import with_words

Array = NDArray[Any]


class DuplicateGuard(BaseEstimator):  # type: ignore[misc]
    """P(this line is a mistake), by three kinds, and a warning where it is proved to pay.

    ``double_submit``: the same pieces of the same item again within the hour. ``already_owned``:
    a later repeat; real repeats on past carts are told from draws of what was owned by an
    additive model of the item's, the customer's and the cart's habits. ``substitute_owned``:
    another edition of the same work, or what contains or covers it, is owned. Never warned of:
    gifts; what was returned, cancelled or given away before; consumables that are due; what
    outlived its lifetime; unusual numbers of pieces; items this customer buys in batches.

    Parameters
    ----------
    cost_duplicate : float, default=1.0
        What a mistake made costs: refund, handling, trust lost (> 0), in any one unit.
    cost_annoyance : float, default=1.0
        What a wish doubted costs (> 0).
    margin, lost_sale_share : float, default=0.0 and 0.1
        What a wanted sale brings (>= 0), and the share of doubted ones that are lost. Warn iff
        ``cost_duplicate * P > (cost_annoyance + lost_sale_share * margin) * (1 - P)``.
    max_warnings_per_1000 : float, optional
        At most so many of 1,000 lines, shared by the kinds that speak, by the probabilities of
        past carts (> 0).
    max_warnings_per_quarter : int, optional, default=4
        Of one customer; warnings answered in the log and those of the same review count (>= 1).
    kinds : list of str, optional
        Kinds that may warn without a proof; None: those that paid on past carts.
    mode : {"warn", "shadow"}
        ``"shadow"``: kind and probability are filled, the reason wherever a warning would pay,
        of silent kinds too, without a cap or ceiling; the verdict is "pass".
    random_state : int, optional
        Seed of the draws; None is 0.

    Attributes
    ----------
    report_ : dict
        ``kinds``: per kind ``speaks, silent_because, threshold, n_warned, n_undone, n_answered,
        n_accepted, precision, precision_low, net_money, net_money_low`` on past carts.
        ``learned``: of ``already_owned`` and ``substitute_owned`` each ``from, n_examples,
        mistake_share`` (of past repeats). Also ``n_repeats, n_undone, n_answered, n_accepted,
        quick, timing, missing``.
    cutoff_ : Timestamp or DatetimeIndex

    Notes
    -----
    Nobody labels mistakes: see ``guards.learning`` for how returns stand in. A kind speaks only
    if the lower 90 % bound of its net money on past carts is positive. Lines of one customer at
    the same instant are one cart; an item that stands twice in it passes, the customer sees
    both. Lines minutes apart count as two carts.

    Examples
    --------
    >>> from anticipate import load_example
    >>> history = load_example("bookshop").as_of("2025-03-01")
    >>> guard = DuplicateGuard().fit(history)
    >>> cart = pd.DataFrame({"customer_id": ["C042"], "item_id": ["B-1984-ebook"]})
    >>> guard.review(cart, history)["verdict"].tolist()
    ['warn']
    """

    tables_: Tables
    speaking_: Speaking
    repeat_share_: Array
    item_ids_: Array
    report_: dict[str, Any]
    cutoff_: Any

    def __init__(
        self,
        *,
        cost_duplicate: float = 1.0,
        cost_annoyance: float = 1.0,
        margin: float = 0.0,
        lost_sale_share: float = 0.1,
        max_warnings_per_1000: float | None = None,
        max_warnings_per_quarter: int | None = 4,
        kinds: Iterable[str] | None = None,
        mode: str = "warn",
        random_state: int | None = None,
    ) -> None:
        self.cost_duplicate = cost_duplicate
        self.cost_annoyance = cost_annoyance
        self.margin = margin
        self.lost_sale_share = lost_sale_share
        self.max_warnings_per_1000 = max_warnings_per_1000
        self.max_warnings_per_quarter = max_warnings_per_quarter
        self.kinds = kinds
        self.mode = mode
        self.random_state = random_state

    def fit(self, history: History, timing: Any = None) -> Self:
        """Learn rates of mistakes and of wishes, and which kinds pay on past carts.

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
        costs, forced = read_costs(self), read_kinds(self)
        check_bought(history)
        learned = learn_tables(history, timing, self.random_state)
        self.tables_, self.repeat_share_ = learned.tables, learned.repeat_share
        self.item_ids_, self.cutoff_ = history.item_ids, history.cutoff
        most = self.max_warnings_per_quarter
        self.speaking_, kinds = choose_speaking(
            history,
            costs,
            told=bought_of(history).any_undone,
            forced=forced,
            most_per_1000=self.max_warnings_per_1000,
            most_per_quarter=None if most is None else float(most),
            random_state=self.random_state,
        )
        timer = "item gaps" if timing is None else type(timing).__name__
        self.report_ = {"kinds": kinds, **learned.report, "timing": timer}
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
            In shadow a line has its reason and passes.

        Raises
        ------
        ColumnError, IdTypeError, TimeError, BadRowsError
        """
        check_is_fitted(self, "tables_")
        read = read_lines(cart, history)
        tables = align_tables(self.tables_, self.item_ids_, history.item_ids, history.items)
        found = check_as_known(
            read.history.events,
            undone_times(read.history.events, read.history.returns),
            read.lines,
            tables=tables,
            objects=objectors(read.history),
        )
        shadow = self.mode == "shadow"
        speaking = read_costs(self).aloud if shadow else self.speaking_
        warn = choose_warnings(found, read.lines, speaking)
        shares = self._shares(history.item_ids)
        return with_words(cart, read, found, warn, tables=tables, shares=shares, shadow=shadow)

    def report(self, reviewed: pd.DataFrame, log: InteractionLog) -> pd.DataFrame:
        """What happened to reviewed lines afterwards, by kind, in lines and money.

        Parameters
        ----------
        reviewed : DataFrame
            Lines as ``review`` gave them, with ``timestamp``; in shadow or not.
        log : InteractionLog
            That goes on for 30 days or more after them.

        Returns
        -------
        DataFrame
            A row per kind of the lines that have a reason, and "all": ``n_lines, kept, returned,
            cancelled, bought_elsewhere, not_bought, open``, the same in ``money_*`` (price times
            pieces), ``net_money`` and ``net_money_expected`` at this guard's costs.
        """
        check_is_fitted(self, "tables_")
        return what_followed(reviewed, log, read_costs(self))

    def saving(self, probability: Any, kind: Any = None) -> Array:
        """Expected net money of a warning, by ``probability``; the same for every ``kind``."""
        return read_costs(self).saving(np.asarray(probability, dtype=np.float64))

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
        dict of arrays
            ``Tables.to_mapping()``, n + 1 rows by item, and ``repeat_share``: share of
            the item's buyers who bought it on two days or more.
        """
        check_is_fitted(self, "tables_")
        tables = align_tables(self.tables_, self.item_ids_, item_ids, items)
        return {**tables.to_mapping(), "repeat_share": self._shares(item_ids)}

    def to_arrays(self) -> dict[str, Array]:
        """The fitted state as plain arrays."""
        check_is_fitted(self, "tables_")
        index = {f"ids.{name}": array for name, array in build_id_index(self.item_ids_).items()}
        money = [self.cost_duplicate, self.cost_annoyance, self.margin, self.lost_sale_share]
        return {
            **self.tables_.to_mapping(),
            "repeat_share": self.repeat_share_,
            "speaking": self.speaking_.to_array(),
            "money": np.array(money, dtype=np.float64),
            "shadow": np.array([self.mode == "shadow"]),
            **index,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Self:
        """The guard that ``to_arrays`` was called on, bit for bit; without its report."""
        duplicate, annoyance, margin, lost = (float(one) for one in arrays["money"])
        guard = cls(
            cost_duplicate=duplicate,
            cost_annoyance=annoyance,
            margin=margin,
            lost_sale_share=lost,
            mode="shadow" if bool(arrays["shadow"][0]) else "warn",
        )
        guard.tables_ = Tables.from_mapping(arrays)
        guard.speaking_ = Speaking.from_array(arrays["speaking"])
        most = guard.speaking_.most_per_quarter
        guard.max_warnings_per_quarter = None if np.isinf(most) else int(most)
        guard.repeat_share_ = np.asarray(arrays["repeat_share"])
        index = {n.removeprefix("ids."): a for n, a in arrays.items() if n.startswith("ids.")}
        guard.item_ids_ = ids_at(index, np.arange(len(guard.repeat_share_) - 1))
        guard.report_ = {}
        return guard

    def _shares(self, item_ids: Array) -> Array:
        return np.asarray(self.repeat_share_[np.append(lookup_codes(item_ids, self.item_ids_), -1)])
