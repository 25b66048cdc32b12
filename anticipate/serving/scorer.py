"""The small scoring API: six questions to a bundle, no state between them.

Reads  a bundle (or arrays in memory), and what is recent as the caller tells it.
Gives  suggestions, cart checks, churn columns, rankings, a brief.
Never  writes, learns, reads the clock, or remembers a request. Safe to share by threads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from numpy.typing import NDArray

from .._checks import check_count, check_option
from ..suggestions import Suggestion, order_suggestions
from ..suggestions.order import check_benefits, sorts_needs_by_chance
from .asking import ask, ask_in_parts, customers_of
from .candidates import find_candidates
from .care import find_open, follow_ups, has_follow_up, is_open, may_show
from .cart import CartLine, read_cart
from .cart_check import check_carts
from .checks import open_checked
from .golden import replay, stranger_id
from .leaving import churn_at, is_leaving, leaving
from .moment import Moment
from .offers import make_offers
from .store import Store

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[Any]
MOST = 32  # candidates a customer has in the bundle
AUDIENCES = ("customer", "staff")


class Scorer:
    """Answers from a bundle, in the moment.

    Examples
    --------
    >>> from anticipate import Anticipator, Scorer, load_example
    >>> history = load_example("bookshop").as_of("2025-03-01")  # doctest: +SKIP
    >>> Anticipator(random_state=0).fit(history).save("shop.bundle")  # doctest: +SKIP
    >>> scorer = Scorer.load("shop.bundle")  # doctest: +SKIP
    >>> scorer.suggest("C042", cart=["B-1984-ebook"], as_of="2025-03-01T10:00Z")  # doctest: +SKIP
    """

    def __init__(
        self,
        manifest: Mapping[str, Any],
        arrays: Mapping[str, Array],
        *,
        benefits: Mapping[str, tuple[float, float]] | None = None,
    ) -> None:
        self._store = Store(manifest, arrays)
        check_benefits(benefits)
        self.benefits = check_benefits({**(manifest.get("benefits") or {}), **(benefits or {})})
        self._sorts_by_chance = sorts_needs_by_chance(self.benefits)

    @classmethod
    def load(
        cls,
        path: str | Path,
        verify: Literal["full", "structure"] = "full",
        sha256: str | None = None,
        *,
        benefits: Mapping[str, tuple[float, float]] | None = None,
    ) -> Scorer:
        """Open a bundle; nothing is copied into memory that need not be.

        Parameters
        ----------
        path : str or Path
            Folder written by ``Anticipator.save``.
        verify : {"full", "structure"}
            ``"full"`` reads every byte; ``"structure"`` is for workers after
            ``anticipate bundle verify``.
        sha256 : str, optional
            The manifest's expected hash.
        benefits : mapping kind -> (benefit, cost), optional
            Replaces entries of the table that orders suggestions.

        Raises
        ------
        BundleError
            If anything is damaged, foreign or from a newer version; the file is named.
        """
        manifest, arrays = open_checked(path, verify, sha256)
        scorer = cls(manifest, arrays)
        replay(scorer, manifest.get("golden", ()))  # with the table that it was saved with
        return scorer if benefits is None else cls(manifest, arrays, benefits=benefits)

    def customer_ids(self) -> Array:
        """Ids of all customers the bundle knows (n_customers,), sorted."""
        return self._store.all_customers()

    @property
    def manifest(self) -> Mapping[str, Any]:
        return self._store.manifest

    @property
    def horizon_days(self) -> float:
        return self._store.horizon_days

    @property
    def cutoff_us(self) -> int:
        """The bundle's cutoff, microseconds UTC."""
        return self._store.cutoff

    @property
    def has_text_ids(self) -> bool:
        """Whether the customers' ids are text; else whole numbers, or there is no customer."""
        return self._store.n_customers > 0 and self._store.has_text_ids

    def stranger(self) -> tuple[Any, list[Any]]:
        """An id that no customer has, and three items of the bundle, to try it with."""
        items = self._store.group("newcomers")["item"][:3]
        overlay = self._store.overlays()["items"]
        ids = [overlay.id(int(code)) for code in items]
        return stranger_id(self._store.customers), ids

    def suggest(
        self,
        customer_id: Any,
        *,
        as_of: Any,
        cart: Iterable[Any] = (),
        recent: Any = None,
        n: int = 3,
        audience: str = "customer",
    ) -> list[Suggestion]:
        """At most n suggestions for one customer, highest expected net benefit first.

        Parameters
        ----------
        customer_id : int or str, the log's type
            An unknown one gets an answer from cart and session, else what newcomers need.
        as_of : datetime-like
            The moment; at or after the bundle's cutoff.
        cart : iterable of item ids or mappings (item_id, quantity, price, gift)
            At most 10,000 lines; ``price`` is per piece.
        recent : InteractionLog, table or mappings, optional
            What happened since the bundle was made.
        n : int, 1 to 32
        audience : {"customer", "staff"}
            Staff see both kinds; a customer never sees churn, value or segment.

        Raises
        ------
        CutoffError
            If ``as_of`` lies before the bundle's cutoff.
        """
        _check(n, audience)
        moment = ask(self._store, [customer_id], as_of, recent)
        lines = read_cart(cart, moment.words["items"])
        return self._answers(moment, [lines], n, audience)[0]

    def check_cart(
        self,
        customer_id: Any,
        cart: Iterable[Any],
        *,
        as_of: Any,
        recent: Any = None,
        audience: str = "customer",
    ) -> list[Suggestion]:
        """The guards alone: of each line at most one warning, that of its costliest mistake.

        Lines of the same item share one. Arguments and order as in ``suggest``. Staff also read
        which of the customer's own past speaks for a return; the warnings do not depend on it.
        """
        check_option("audience", audience, AUDIENCES)
        moment = ask(self._store, [customer_id], as_of, recent)
        lines = read_cart(cart, moment.words["items"])
        return order_suggestions(
            check_carts(self._store, moment, [lines], audience)[0], self.benefits
        )

    def suggest_many(
        self,
        customer_ids: Iterable[Any] | None = None,
        *,
        as_of: Any,
        recent: Any = None,
        n: int = 3,
        audience: str = "staff",
    ) -> pd.DataFrame:
        """Suggestions of many customers (None: all) as one table.

        Returns
        -------
        DataFrame
            ``customer_id, as_of, rank, kind, item_id, probability, due, reason_code, reason``;
            customers in the order given, the same id may repeat; ``as_of`` is one instant or
            one per id.
        """
        from .answer_rows import answer_rows
        from .tables import suggestion_table

        _check(n, audience)
        store, ids = self._store, customers_of(self._store, customer_ids)
        return suggestion_table(
            (moment, answer_rows(store, moment, n, audience, self.benefits))
            for moment in ask_in_parts(store, ids, as_of, recent)
        )

    def churn(
        self, customer_ids: Iterable[Any] | None = None, *, as_of: Any, recent: Any = None
    ) -> pd.DataFrame:
        """``ChurnModel.predict``'s columns at a moment, indexed by customer_id."""
        from .tables import CHURN_PART, churn_frames

        store, ids = self._store, customers_of(self._store, customer_ids)
        return churn_frames(store, ask_in_parts(store, ids, as_of, recent, CHURN_PART))

    def rank_at_risk(
        self,
        *,
        as_of: Any,
        recent: Any = None,
        top: int = 500,
        budget: float | None = None,
        cost: float | None = None,
        save_probability: float | None = None,
        explain: bool = False,
    ) -> pd.DataFrame:
        """Customers at risk, most to save first; departed ones and objectors are left out.

        All customers are gone through in parts; memory is that of one part and the list.

        Parameters
        ----------
        budget, cost : float, in the log's currency
            What all contacts may cost together, and one; a budget needs a cost.
        save_probability : float in [0, 1], optional
            That a contact keeps a leaver: your assumption. Without it the ranking is by
            ``value_at_risk``, in a log without prices by ``p_churn``.
        explain : bool, default=False
            Add the facts behind each row.

        Returns
        -------
        DataFrame
            ``customer_id, as_of, rank, p_churn, value_at_risk, expected_saved_value, segment,
            reason``. With ``explain`` also ``log_odds_pattern`` (of leaving, by when and how
            often was bought alone), ``log_odds_rest`` (what everything else adds; together they
            are ``logit(p_churn)``), ``silent_days, usual_gap_days, n_purchases``.
        """
        from ..retention.ranking import check_ranking
        from .ranking import PART, Wanted, rank_frame

        check_ranking(top, budget, cost, save_probability)
        moments = ask_in_parts(self._store, customers_of(self._store, None), as_of, recent, PART)
        wanted = Wanted(top, budget, cost, save_probability)
        return rank_frame(self._store, moments, wanted, explain=explain)

    def brief(
        self, customer_id: Any, *, as_of: Any, recent: Any = None, language: str = "en"
    ) -> dict[str, Any]:
        """What staff should see before the customer arrives: JSON-ready, not for their own eyes.

        Keys as in docs/brief.md; sentences in ``"en"`` or ``"ko"``; ``brief.brief_card``: a page.
        """
        from .brief import make_brief

        moment = ask(self._store, [customer_id], as_of, recent)
        suggestions = self._answers(moment, [[]], MOST, "customer")[0]
        return make_brief(self._store, moment, suggestions, language)

    def _answers(
        self, moment: Moment, carts: list[list[CartLine]], n: int, audience: str
    ) -> list[list[Suggestion]]:
        """Suggestions of each request of a moment."""
        store = self._store
        found = find_candidates(store, moment, [[line.item for line in cart] for cart in carts])
        matters = find_open(moment)
        withheld = is_open(matters) | moment.marketing
        most = n if self._sorts_by_chance else len(found.offers.item)
        offers = make_offers(store, moment, found, most, ~withheld)
        warnings = check_carts(store, moment, carts, audience)
        shown = [one + other for one, other in zip(warnings, offers, strict=True)]
        if audience == "staff":
            table = churn_at(store, moment)
            for i, waits in enumerate(has_follow_up(matters)):
                shown[i] += follow_ups(store, moment, matters, i) if waits else []
            for i, leaves in enumerate(is_leaving(moment, table)):
                shown[i] += [leaving(moment, table, i)] if leaves else []
        allowed = (
            [one for one in mine if may_show(one, audience, wait)]
            for mine, wait in zip(shown, withheld.tolist(), strict=True)
        )
        return [order_suggestions(mine, self.benefits)[:n] for mine in allowed]


def _check(n: int, audience: str) -> None:
    check_count("n", n, most=MOST)
    check_option("audience", audience, AUDIENCES)
