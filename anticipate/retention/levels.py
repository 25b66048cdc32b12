"""Service levels: what a contact costs, and how it is known what it saves.

Reads  a name, a cost and either a typed probability or something fitted.
Gives  per customer the chance that this level keeps them, and how that is known.
Never  a guess passed off as a measurement: each answer is ``assumed`` or ``measured``.
"""

from __future__ import annotations

import math
import numbers
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._checks import as_float, check_count, check_numbers, check_probability
from ..exceptions import ParameterError

Array = NDArray[Any]
ASSUMED, MEASURED = "assumed", "measured"
EVERYBODY = "all"  # no level: everybody in a campaign


@dataclass(frozen=True)
class Level:
    """One way to serve a customer who may leave.

    Parameters
    ----------
    name : str
    cost : float
        Per contact, in the log's currency (>= 0).
    save_probability : float in [0, 1], optional
        Chance that this level keeps a customer who would leave otherwise: your assumption.
    uplift : object, optional
        Instead of it, something learned from an experiment: ``predict_uplift(X)`` gives the
        gain in P(stays) of each row of X, shape (n,). A fitted uplift learner, or
        ``CampaignEffect.uplift(level)``.
    channel : str, optional
        The channel this level uses. None: the customer's own.
    capacity : int, optional
        Contacts of this level, at most.

    Raises
    ------
    ParameterError
        If not exactly one of ``save_probability`` and ``uplift`` is given, or one is no number
        in its range.

    Examples
    --------
    >>> Level("Basic", cost=0.5, save_probability=0.05, channel="email").evidence
    'assumed'
    """

    name: str
    cost: float
    save_probability: float | None = None
    uplift: Any = None
    channel: str | None = None
    capacity: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip():
            raise ParameterError(f"level: name must be text; got {type(self.name).__name__}.")
        if self.name == EVERYBODY:
            raise ParameterError(
                f"level: {EVERYBODY!r} is the row of everybody in a campaign's effect; take "
                "another name."
            )
        where = f"level {self.name!r}"
        check_amount(f"{where}: cost", self.cost)
        if (self.save_probability is None) == (self.uplift is None):
            raise ParameterError(
                f"{where}: give either save_probability (your assumption) or uplift (something "
                "fitted), not both and not neither."
            )
        if self.save_probability is not None:
            check_probability(f"{where}: save_probability", self.save_probability)
        elif not callable(getattr(self.uplift, "predict_uplift", None)):
            raise ParameterError(
                f"{where}: uplift must have predict_uplift(X); got {type(self.uplift).__name__}."
            )
        if self.channel is not None and not (isinstance(self.channel, str) and self.channel):
            raise ParameterError(
                f"{where}: channel must be text or None; got {type(self.channel).__name__}."
            )
        if self.capacity is not None:
            check_count(f"{where}: capacity", self.capacity, least=0)

    @property
    def evidence(self) -> str:
        """How it is known what this level saves: ``"assumed"`` or ``"measured"``."""
        return ASSUMED if self.uplift is None else MEASURED

    def gain(self, p_churn: Array, features: pd.DataFrame) -> Array:
        """Gain in P(stays) of each customer, shape (n,).

        It cannot be more than P(leaves) was; it may be below 0, where people leave because
        they are contacted.
        """
        if self.save_probability is not None:
            return float(self.save_probability) * p_churn
        given = self.uplift.predict_uplift(features)
        gain = check_numbers(f"level {self.name!r}: what predict_uplift gives", given)
        if gain.shape != p_churn.shape or not np.isfinite(gain).all():
            raise ParameterError(
                f"level {self.name!r}: predict_uplift must give one finite number for each of "
                f"{len(p_churn)} customers; got shape {gain.shape}, "
                f"{int((~np.isfinite(gain)).sum())} not finite."
            )
        return np.minimum(gain, p_churn)


def check_amount(name: str, value: Any) -> float:
    """A finite number of currency units, not below 0."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        kind = type(value).__name__
        raise ParameterError(f"{name} must be a finite number, 0 or above; got {kind}.")
    number = as_float(value)
    if not math.isfinite(number) or number < 0:
        raise ParameterError(f"{name} must be a finite number, 0 or above; got {number:g}.")
    return number
