"""Churn probabilities, judged by who bought nothing in the window.

Reads  ``ChurnModel.predict``'s table, plain baselines' probabilities, the Outcomes.
Gives  a Section: log-loss, skill, ranking, calibration; reliability and gains curves.
Never  P(alive): it is no churn probability. A customer whom one side left out is left out
       for both, and counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from .._checks import check_columns, check_numbers
from ..log import History
from ..outcomes import Outcomes
from . import calibration
from . import probability_metrics as metrics
from .sections import Better, GroupRow, MetricRow, Section, group_rows, mean_row, number_row

Floats = npt.NDArray[np.float64]
CHURN_COLUMN = "p_churn"


def evaluate_churn(
    predictions: pd.DataFrame,
    history: History,
    outcomes: Outcomes,
    *,
    baselines: Mapping[str, pd.Series],
    groups: pd.DataFrame | None = None,
    top: int = 500,
) -> Section:
    """Probability of no purchase in the window against what came.

    Parameters
    ----------
    predictions : DataFrame
        Indexed by customer_id, with ``p_churn`` in [0, 1].
    history : History
        As of the cutoff: its customers are judged.
    outcomes : Outcomes
        Of the churn horizon after it; ``customers["purchased"]`` is read.
    baselines : mapping of str to Series
        Probabilities of churn by plain rules, indexed by customer_id.
    groups : DataFrame or None
        See ``customer_groups``.
    top : int, default=500
        Length of the list of those at risk; see ``list_length``.

    Returns
    -------
    Section
        Named ``"churn"``; headline ``Log-loss``; curves ``reliability`` and ``gains``.
    """
    check_columns("churn", (CHURN_COLUMN,), predictions.columns, hint="See ChurnModel.predict.")
    left = ~outcomes.customers["purchased"].astype(bool)
    sides = pd.DataFrame({"": predictions[CHURN_COLUMN], **baselines}).reindex(left.index)
    sides = sides[sides.index.isin(history.customer_ids)].dropna()
    y = left.loc[sides.index].to_numpy(dtype=bool)
    ours, others = _split(sides)
    losses = {name: metrics.log_losses(y, p) for name, p in others.items()}
    meaning = "surprise at what came, per customer (nats)"
    headline = mean_row(
        "Log-loss", metrics.log_losses(y, ours), losses, better="lower", meaning=meaning
    )
    return Section(
        name="churn",
        title="Who is leaving",
        rows=(headline, *_rows(y, ours, others, list_length(y.size, top))),
        groups=_groups(groups, sides.index, y, ours, others),
        curves=_curves(y, ours, others),
        notes=(_judged(y, len(left)),),
    )


def list_length(n_customers: int, top: int = 500) -> int:
    """Length of the list of those at risk that says something about this many customers.

    Parameters
    ----------
    n_customers : int
        Customers to choose from.
    top : int, default=500
        Length wanted.

    Returns
    -------
    int
        ``top``, or a tenth of the customers when ``top`` would be more than half of them:
        a list that holds everybody cannot be wrong.

    Examples
    --------
    >>> list_length(10_000), list_length(400)
    (500, 40)
    """
    return top if 2 * top <= n_customers else max(n_customers // 10, 1)


def _split(sides: pd.DataFrame) -> tuple[Floats, dict[str, Floats]]:
    ours, *others = (check_numbers(str(name), sides[name]) for name in sides.columns)
    return ours, dict(zip(map(str, sides.columns[1:]), others, strict=True))


def _rows(
    y: npt.NDArray[np.bool_], ours: Floats, others: Mapping[str, Floats], top: int
) -> list[MetricRow]:
    n = y.size
    specs: list[tuple[str, Callable[..., float], Better, str]] = [
        ("Brier skill", metrics.brier_skill, "higher", "share of the base rate's error removed"),
        ("AUC", metrics.auc, "higher", "chance that a leaver is ranked above one who stayed"),
        ("Lift top 10 %", metrics.lift_at_top, "higher", "leavers in the top tenth, times average"),
        (
            f"Precision@{top}",
            lambda y, p: metrics.precision_at_n(y, p, top),
            "higher",
            f"share of leavers among the {top} most at risk",
        ),
        (
            "Calibration error",
            calibration.expected_calibration_error,
            "none",  # one probability for all would win it
            "mean gap between said and seen, 15 equal bins",
        ),
    ]
    rows = [
        number_row(
            name,
            measure(y, ours),
            {baseline: measure(y, p) for baseline, p in others.items()},
            better=better,
            n=n,
            meaning=meaning,
        )
        for name, measure, better, meaning in specs
    ]
    slope, intercept = metrics.calibration_line(y, ours)
    said = number_row(
        "Calibration slope", slope, {}, better="none", n=n, meaning="1 is right, below: too extreme"
    )
    offset = number_row(
        "Calibration intercept", intercept, {}, better="none", n=n, meaning="0 is right"
    )
    return [*rows, said, offset]


def _groups(
    groups: pd.DataFrame | None,
    customers: pd.Index,
    y: npt.NDArray[np.bool_],
    ours: Floats,
    others: Mapping[str, Floats],
) -> tuple[GroupRow, ...]:
    if groups is None:
        return ()
    losses = {name: metrics.log_losses(y, p) for name, p in others.items()}
    return group_rows(
        groups,
        customers,
        "Log-loss",
        metrics.log_losses(y, ours),
        losses,
        better="lower",
        meaning="surprise at what came, per customer (nats)",
    )


def _curves(
    y: npt.NDArray[np.bool_], ours: Floats, others: Mapping[str, Floats]
) -> dict[str, pd.DataFrame]:
    gains = calibration.gains_table(y, ours).rename(columns={"found": "ours"})
    for name, p in others.items():
        if np.ptp(p) > 0:  # one probability for all ranks nobody: the line of chance
            gains[name] = calibration.gains_table(y, p)["found"]
    return {"reliability": calibration.reliability_table(y, ours), "gains": gains}


def _judged(y: npt.NDArray[np.bool_], n_all: int) -> str:
    rate = f"{y.mean():.0%}" if y.size else "none"
    return (
        f"{y.size:,} of {n_all:,} customers have a probability of every side; "
        f"{rate} of them bought nothing in the window"
    )
