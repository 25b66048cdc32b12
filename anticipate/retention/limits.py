"""Who may be contacted, and through which channel: limits that no value can lift.

Reads  objections, channel preferences and earlier contacts, as of a history's cutoff.
Gives  arrays: one reason code per customer, one mask of levels per customer.
Never  an exception for a valuable customer; a contact at or after the cutoff.

``known_limits`` reads them of a History. ``recent_contacts``, ``blocked`` and
``allowed_channels`` are arrays to arrays, for a service that has no History.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..columns import (
    CONTACTED,
    EVENT_CODES,
    MARKETING,
    MICROSECONDS_PER_DAY,
    OBJECTS_TO,
    PROFILING,
)
from ..exceptions import ParameterError
from ..kernels.care import open_matters
from ..kernels.events import Events
from ..log import History
from ..log.objections import names_use
from .answers import distinct
from .reasons import CODES

Array = NDArray[Any]
_CONTACTED = EVENT_CODES[CONTACTED]


class Limits(NamedTuple):
    """What is known of n customers."""

    profiling: Array  # bool (n,): objects to it
    marketing: Array  # bool (n,)
    open_complaint: Array  # bool (n,)
    open_return: Array  # bool (n,)
    n_contacts: Array  # int64 (n,), in the window
    days_since_contact: Array  # float64 (n,), inf if there was none


class Channels(NamedTuple):
    """What n customers want of m channels."""

    names: tuple[str, ...]  # the m channels: of the levels, and those preferred
    preferred: Array  # int (n,): position in names, -1 where nothing is said
    refused: Array  # bool (m, n)


def known_limits(history: History, window_days: float) -> Limits:
    """What the history says, row i = customer code i."""
    matters = open_matters(history.events, history.cutoffs)
    n_contacts, days_since = recent_contacts(history.events, history.cutoffs, window_days)
    profiling, marketing = objections(history, [PROFILING, MARKETING])
    return Limits(
        profiling, marketing,
        matters.complaint >= 0, matters.returned >= 0, n_contacts, days_since,
    )  # fmt: skip


def known_channels(history: History, levels: list[str | None], column: str) -> Channels:
    """Preferences and objections, row i = customer code i.

    Parameters
    ----------
    levels : list of K channels
        Of the levels; None for a level that goes by the customer's own channel.
    column : str
        Of the customers' attributes: the one channel they want. Absent: nobody said.
    """
    own = [name for name in dict.fromkeys(levels) if name is not None]
    preferred, wanted = np.full(history.n_customers, -1), list[Any]()
    if column in history.customers.columns:
        preferred, wanted = distinct(history.customers[column])
    # The preferred ones come first, so that codes of preferences are places among all.
    names = tuple(dict.fromkeys([*map(str, wanted), *own]))
    return Channels(names, preferred, objections(history, names))


def objections(history: History, uses: Sequence[str]) -> Array:
    """Who objects to each of m uses or channels, bool (m, n_customers)."""
    if OBJECTS_TO not in history.customers.columns:
        return np.zeros((len(uses), history.n_customers), dtype=bool)
    place, answers = distinct(history.customers[OBJECTS_TO])
    asked = [*answers, None]  # -1, nothing said, is the last
    table = np.array([[names_use(one, use) for one in asked] for use in uses], dtype=bool)
    return table.reshape(len(uses), len(asked))[:, place]


def recent_contacts(events: Events, as_of: Array, window_days: float) -> tuple[Array, Array]:
    """Contacts in ``[as_of - window, as_of)`` and days since the last one.

    Parameters
    ----------
    events : Events
        All before the customers' instants.
    as_of : int64 array of shape (m,), microseconds UTC
    window_days : float

    Returns
    -------
    (int64 array, float64 array) of shape (m,)
        ``inf`` days where there was no contact ever.
    """
    n = events.n_customers
    rows = np.flatnonzero(events.event == _CONTACTED)
    who, when = events.customer[rows], events.timestamp[rows]
    days = (as_of[who] - when) / MICROSECONDS_PER_DAY
    since = np.full(n, np.inf)
    since[who] = days  # rows are in time order: the latest stays
    return np.bincount(who[days <= window_days], minlength=n), since


def blocked(
    limits: Limits, *, max_contacts: int | None, cool_down_days: float | None
) -> tuple[Array, Array]:
    """Why a customer may not be contacted at all, and the number that the reason states.

    Returns
    -------
    (int8 array, int64 array) of shape (n,)
        Position in ``reasons.REASONS``, -1 where nothing stands against it; days or contacts.
    """
    code = np.full(len(limits.profiling), -1, dtype=np.int8)
    number = np.zeros(len(code), dtype=np.int64)
    if cool_down_days is not None:
        early = limits.days_since_contact < cool_down_days
        code[early] = CODES["cool_down"]
        number[early] = limits.days_since_contact[early]
    if max_contacts is not None:
        full = limits.n_contacts >= max_contacts
        code[full] = CODES["max_contacts"]
        number[full] = limits.n_contacts[full]
    for name in ("open_return", "open_complaint", "marketing", "profiling"):
        code[getattr(limits, name)] = CODES[name]
    return code, number


def allowed_channels(channels: Channels, levels: list[str | None]) -> Array:
    """Which of K levels each customer's channels allow, bool (K, n).

    A level is refused if the customer wants another channel, or objects to this one. A level
    without a channel goes by the customer's own, or in any way they do not object to.
    """
    allowed = np.ones((len(levels), len(channels.preferred)), dtype=bool)
    for k, name in enumerate(levels):
        if name is not None:
            place = channels.names.index(name)
            other = (channels.preferred >= 0) & (channels.preferred != place)
            allowed[k] = ~(other | channels.refused[place])
    return allowed


def take_limits(limits: Limits, codes: Array) -> Limits:
    """Of these customer codes; -1, never seen, has no limit."""
    nothing = (False, False, False, False, 0, np.inf)
    return Limits(*(np.append(a, b)[codes] for a, b in zip(limits, nothing, strict=True)))


def check_limits(limits: Limits, n: int) -> None:
    """Refuse limits that are not those of n customers."""
    shapes = {np.shape(one) for one in limits}
    if shapes != {(n,)}:
        raise ParameterError(
            f"limits must be arrays of shape ({n},), row i of the predictions; got "
            f"{sorted(shapes)}."
        )


def add_objections(limits: Limits, history: History, codes: Array) -> Limits:
    """The limits, and what the history's customers object to; -1, never seen, says nothing."""
    said = objections(history, [PROFILING, MARKETING])
    profiling, marketing = np.append(said, np.zeros((2, 1), dtype=bool), axis=1)[:, codes]
    return limits._replace(
        profiling=limits.profiling | profiling, marketing=limits.marketing | marketing
    )


def take_channels(channels: Channels, codes: Array) -> Channels:
    """Of these customer codes; -1, never seen, has said nothing."""
    never = np.zeros((len(channels.refused), 1), dtype=bool)
    return Channels(
        channels.names,
        np.append(channels.preferred, -1)[codes],
        np.concatenate((channels.refused, never), axis=1)[:, codes],
    )
