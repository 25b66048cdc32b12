"""Whom to contact, at which service level, within what may be spent.

Reads  a churn table, and a History for objections, channels, earlier contacts and open matters.
Gives  one row per customer: level or none, what it is expected to save, and why.
Never  a contact that a customer's own words rule out, whatever it is worth; a broken budget.
Source Multiple-choice knapsack: see ``knapsack``. Why not by risk: Ascarza, Retention Futility,
       Journal of Marketing Research 55, 2018.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from .._checks import check_option
from ..log import History, check_history
from ..log.clock import to_timestamp
from .choosing import choose
from .draws import draws
from .effect_asked import HANDED_ON
from .eligibility import Eligible
from .levels import Level
from .limits import (
    Limits,
    add_objections,
    blocked,
    check_limits,
    known_channels,
    known_limits,
    take_channels,
    take_limits,
)
from .offers import Asked, make_offers
from .people import People, in_first_order, read_people
from .plan_table import channel_names, plan_report, plan_table
from .reasons import LANGUAGES
from .settings import check_levels, check_settings
from .win_back import win_back_list

Array = NDArray[Any]


class ContactPlan(BaseEstimator):  # type: ignore[misc]
    """Service levels for customers who may leave, the most saved under a budget.

    Every customer gets one level or none. Which levels a customer may have comes from
    ``eligible`` and from limits that nothing lifts: objections, channel, contact cap, cool-down,
    open complaints and returns. Among what is left the budget chooses: the sum of expected saved
    value less cost is the highest that the limits allow.

    Parameters
    ----------
    levels : list of Level
    budget : float or None
        Currency for all contacts together; None is no limit.
    capacity : int or None
        Contacts in all; None is no limit.
    eligible : None, str, mapping or callable
        Which levels a customer may have, by need or by what they bought. None: all. Text: the
        customers' attribute that names the level or levels. Mapping: customer_id to the same.
        Callable: the predictions to a table of booleans, one column per level. (At most the
        bought level: a callable or a column of lists says so.)
    max_contacts : int or None
        Customers contacted so many times within ``contact_window_days`` are left alone.
    contact_window_days : float, default=90
    cool_down_days : float or None
        And those whose last contact is less than this ago. Contacts are ``contacted`` events.
    holdout : float in [0, 1), default=0.05
        Share of the customers who may be contacted that are left alone at random. Without them
        nobody can tell afterwards what the contacts changed.
    objective : {"value", "customers"}, default="value"
        Money saved less cost; or customers saved, for a log without prices (needs a budget or
        capacity).
    rank_by : {"value", "risk"}, default="value"
        ``"risk"``: highest P(churn) first, each the level that keeps most, within the same
        limits. Warned about: who is most likely to leave is seldom who can be kept.
    channel_column : str, default="preferred_channel"
        The customers' attribute that names the one channel they want; absent: nobody said.
    random_state : int, default=0
        Seed of the hold-out. A customer's draw depends on this and their id alone: the same
        number keeps the same customers out of every campaign, another one draws afresh.

    Attributes
    ----------
    report_ : dict
        Of the last ``assign``: ``budget, spent, n_customers, n_contacted, contacts`` (by level),
        ``n_held_out, reasons`` (customers by reason), ``expected_saved_value,
        expected_saved_customers, net_value, shadow_price`` (net value, or customers, that one
        currency unit more would save; of few customers anywhere between what the last unit
        saved and what the next would), ``capacity_price`` and ``level_prices`` (the same per
        contact more), ``bound`` (what no plan can pass) and ``gap`` (relative, to the bound).

    Notes
    -----
    A typed ``save_probability`` s saves s · value_at_risk, where value_at_risk is P(churn) times
    the spend of a customer who stays, so that risk counts once. A fitted uplift, the gain in
    P(stays), saves that gain times the same spend. The former is labelled ``assumed``, the
    latter ``measured``.

    The hold-out is drawn from everybody who may be contacted and is worth it, before the budget
    is spent; each is then asked which level the prices of the plan would have given them
    (``would_be``). Where the prices leave it open, many being worth just the price, the same
    share of the held out as of the others would have been served. Treated and held-out customers
    are so chosen by one rule, and their difference is the effect on those the plan would contact.

    Examples
    --------
    >>> import pandas as pd
    >>> from anticipate import load_example
    >>> history = load_example("three_buyers").as_of("2025-02-01")
    >>> churn = pd.DataFrame(
    ...     {"p_churn": 0.5, "value_at_risk": [20.0, 40.0, 90.0], "expected_value": 50.0,
    ...      "segment": "at_risk"}, index=pd.Index(history.customer_ids, name="customer_id"))
    >>> levels = [Level("Basic", 1, save_probability=0.1), Level("Premium", 5, 0.3)]
    >>> plan = ContactPlan(levels, budget=6, holdout=0.5).assign(churn, history)
    >>> plan["level"].astype(object).fillna("-").tolist(), plan["cost"].sum()
    (['Basic', '-', 'Premium'], np.float64(6.0))
    >>> plan.index[plan["holdout"]].tolist() == plan.index[1:2].tolist()
    True
    """

    report_: dict[str, Any]

    def __init__(
        self,
        levels: Sequence[Level],
        *,
        budget: float | None = None,
        capacity: int | None = None,
        eligible: Eligible = None,
        max_contacts: int | None = None,
        contact_window_days: float = 90,
        cool_down_days: float | None = None,
        holdout: float = 0.05,
        objective: str = "value",
        rank_by: str = "value",
        channel_column: str = "preferred_channel",
        random_state: int = 0,
    ) -> None:
        self.levels = levels
        self.budget = budget
        self.capacity = capacity
        self.eligible = eligible
        self.max_contacts = max_contacts
        self.contact_window_days = contact_window_days
        self.cool_down_days = cool_down_days
        self.holdout = holdout
        self.objective = objective
        self.rank_by = rank_by
        self.channel_column = channel_column
        self.random_state = random_state

    def assign(
        self,
        predictions: pd.DataFrame,
        history: History,
        *,
        features: pd.DataFrame | None = None,
        limits: Limits | None = None,
        language: str = "en",
    ) -> pd.DataFrame:
        """A level, or none, for every customer of the predictions.

        Parameters
        ----------
        predictions : DataFrame indexed by customer_id
            ``ChurnModel.predict(history)``: ``p_churn, value_at_risk, expected_value, segment``.
        history : History
            As of the campaign's start. Customers it does not know have no limits.
        features : DataFrame indexed by customer_id, optional
            What fitted uplifts read; default: the predictions but ``reason``, so ``p_churn,
            p_alive, expected_purchases, expected_value, value_at_risk, segment`` (a word) and,
            if they are there, ``p_churn_low, p_churn_high``.
        limits : retention.limits.Limits, optional
            Known already, row i = row i of the predictions: the events of the history are not
            read then. What its customers object to counts all the same.
        language : {"en", "ko"}
            Of the reasons.

        Returns
        -------
        DataFrame indexed by customer_id, in the order of the predictions
            ``level`` (missing: no contact), ``expected_saved_value`` (currency in the horizon),
            ``expected_saved_customers``, ``evidence`` (``assumed``, ``measured``), ``cost``,
            ``net_value``, ``shadow_price`` (of the budget, the same in every row), ``holdout``
            (bool), ``would_be`` (the held-out customer's level), ``channel``, ``reason_code``,
            ``reason``. Amounts are 0 without a contact. ``attrs``: ``as_of``, the cutoff (ISO
            8601), and of the predictions' own ``churn_is, mode, horizon_days``.

        Raises
        ------
        ParameterError, ColumnError, IdTypeError

        Warns
        -----
        NoHoldoutWarning
            If ``holdout`` is 0, or too small for anybody to be held out of the contacts made.
        RiskRankingWarning
            If ``rank_by="risk"``: by how much less is saved than by the plan.
        """
        levels, people = self._checked(predictions, history, language)
        code, number = self._blocked(people, history, limits)
        asked = Asked(levels, people, predictions, history)
        offers, code = make_offers(
            asked, code, eligible=self.eligible, channel_column=self.channel_column,
            features=features, in_money=self.objective == "value",
        )  # fmt: skip
        best = offers.worth.max(axis=0)
        able = best > 0 if self.rank_by == "value" else best > -np.inf
        held_out = able & (draws(people.ids, self.random_state) < self.holdout)
        chosen = choose(self, offers, people.p_churn, held_out)
        table = plan_table(
            people, offers, chosen, (code, number), self._facts(),
            by_risk=self.rank_by == "risk", language=language,
        )  # fmt: skip
        self.report_ = plan_report(table, offers, chosen, budget=self.budget)
        ordered = in_first_order(table, people)
        said = {name: predictions.attrs[name] for name in HANDED_ON if name in predictions.attrs}
        as_of = to_timestamp(history.cutoff_us).isoformat()  # Parquet takes text
        ordered.attrs.update(said, as_of=as_of)
        return ordered

    def win_back(
        self,
        predictions: pd.DataFrame,
        history: History,
        *,
        limits: Limits | None = None,
        language: str = "en",
    ) -> pd.DataFrame:
        """Departed customers who may be contacted, highest score first.

        They are no part of ``assign``: what they would have spent is lost already. Limits and
        channels hold as there; levels, budget and hold-out do not.

        Returns
        -------
        DataFrame indexed by customer_id
            ``rank, score, value_if_back`` (spend in the horizon if they buy at all), ``p_alive,
            channel, reason``. score = p_alive · value_if_back, with ``objective="customers"``
            p_alive alone.
        """
        _, people = self._checked(predictions, history, language)
        code, _ = self._blocked(people, history, limits)
        channels = take_channels(known_channels(history, [None], self.channel_column), people.codes)
        channel = channel_names(np.zeros(len(people.ids), dtype=np.int8), [None], channels)
        return win_back_list(
            people, predictions, code < 0, channel, with_value=self.objective == "value",
            language=language,
        )  # fmt: skip

    def _checked(
        self, predictions: pd.DataFrame, history: History, language: str
    ) -> tuple[list[Level], People]:
        levels = check_levels(self.levels)
        check_settings(self)
        check_history(history)
        check_option("language", language, LANGUAGES)
        return levels, read_people(predictions, history, with_value=self.objective == "value")

    def _blocked(
        self, people: People, history: History, limits: Limits | None
    ) -> tuple[Array, Array]:
        if limits is None:
            known = take_limits(known_limits(history, self.contact_window_days), people.codes)
        else:
            check_limits(limits, len(people.ids))
            known = add_objections(take_limits(limits, people.rows), history, people.codes)
        return blocked(known, max_contacts=self.max_contacts, cool_down_days=self.cool_down_days)

    def _facts(self) -> dict[str, Any]:
        """What sentences say of the plan itself."""
        return {
            "share_percent": f"{100 * self.holdout:g}",
            "cool_down_days": f"{self.cool_down_days or 0:g}",
            "window_days": f"{self.contact_window_days:g}",
            "max_contacts": self.max_contacts,
        }
