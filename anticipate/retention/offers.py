"""What each level would save whom, and whom it may be offered.

Reads  levels, customers, their history, what fitted uplifts need.
Gives  arrays of levels by customers: saved, worth, allowed; why nothing is offered.
Never  a level to a customer who is not entitled to it or refuses its channel.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..exceptions import ParameterError
from ..log import History
from .eligibility import Eligible, eligible_levels
from .levels import Level
from .limits import Channels, allowed_channels, known_channels, take_channels
from .people import People
from .reasons import CODES

Array = NDArray[Any]


class Asked(NamedTuple):
    """What a plan is made of."""

    levels: list[Level]
    people: People
    predictions: pd.DataFrame
    history: History


class Offers(NamedTuple):
    """K levels for n customers."""

    levels: list[Level]
    costs: Array  # (K,)
    gain: Array  # (K, n): customers saved, so a gain in P(stays)
    saved: Array  # (K, n): currency
    worth: Array  # (K, n): what is maximised; -inf where it is not allowed
    channels: Channels

    def worth_of(self, level: Array) -> float:
        """The sum of what is maximised."""
        return float(picked(self.worth, level).sum())


def picked(values: Array, level: Array) -> Array:
    """The value of each customer's level, 0 for none: (K, n) to (n,)."""
    rows = np.flatnonzero(level >= 0)
    out = np.zeros(len(level))
    out[rows] = values[level[rows], rows]
    return out


def make_offers(
    asked: Asked,
    blocked: Array,
    *,
    eligible: Eligible,
    channel_column: str,
    features: pd.DataFrame | None,
    in_money: bool,
) -> tuple[Offers, Array]:
    """Savings and permissions, and the reason where nothing may be offered.

    Parameters
    ----------
    blocked : int8 array of shape (n,)
        Why a customer may not be contacted at all; -1 for no reason.
    in_money : bool
        Whether worth is saved value less cost, or customers saved.

    Returns
    -------
    (Offers, int8 array of shape (n,))
        The reasons, with those of eligibility, channel and segment; the strongest is told.
    """
    levels, people = asked.levels, asked.people
    own = [one.channel for one in levels]
    names = [one.name for one in levels]
    channels = take_channels(known_channels(asked.history, own, channel_column), people.codes)
    entitled = eligible_levels(eligible, names, people, asked.predictions, asked.history)
    allowed = entitled & allowed_channels(channels, own)
    code = blocked
    for name, holds in (
        ("channel", ~allowed.any(axis=0)),
        ("not_eligible", ~entitled.any(axis=0)),
        ("prospective", people.prospective),
        ("departed", people.departed),
    ):
        code = np.where(holds, np.maximum(code, CODES[name]), code).astype(np.int8)
    free = np.flatnonzero(code < 0)
    gain, saved = _savings(asked, free, features)
    costs = np.array([float(one.cost) for one in levels])
    worth = saved - costs[:, None] if in_money else gain.copy()
    worth[~(allowed & (code < 0))] = -np.inf
    return Offers(levels, costs, gain, saved, worth, channels), code


def _savings(asked: Asked, free: Array, features: pd.DataFrame | None) -> tuple[Array, Array]:
    """Customers and money that each level is expected to save, (K, n); 0 for the others."""
    people = asked.people
    gain = np.zeros((len(asked.levels), len(people.ids)))
    saved = np.zeros_like(gain)
    fitted = any(one.uplift is not None for one in asked.levels)
    if not len(free):
        return gain, saved
    seen = _features(asked, free, features) if fitted else asked.predictions
    for k, level in enumerate(asked.levels):
        gain[k, free] = level.gain(people.p_churn[free], seen)
        if level.save_probability is not None:
            saved[k, free] = level.save_probability * people.value_at_risk[free]
        else:
            saved[k, free] = gain[k, free] * people.value_if_active[free]
    return gain, saved


def _features(asked: Asked, free: Array, features: pd.DataFrame | None) -> pd.DataFrame:
    """The rows of those who may be contacted."""
    if features is None:
        rows = asked.people.rows[free]
        return asked.predictions.drop(columns="reason", errors="ignore").iloc[rows]
    ids = pd.Index(asked.people.ids[free])
    if not isinstance(features, pd.DataFrame) or features.index.has_duplicates:
        raise ParameterError(
            "features must be a DataFrame indexed by customer_id, one row per customer."
        )
    rows = features.index.get_indexer(ids)
    if (rows < 0).any():
        raise ParameterError(
            f"features: {int((rows < 0).sum())} of {len(ids)} customers have no row. Index it by "
            "customer_id."
        )
    return features.iloc[rows]
