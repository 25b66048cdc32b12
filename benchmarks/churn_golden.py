"""Published values on CDNOW's sample, 39 weeks, and what three packages find.

Reads  the sample, exact weeks (days / 7); Gamma-Gamma on the repeaters with a known spend.
Gives  parameters, log-likelihood and expectations beside the published ones.
Source Fader, Hardie and Lee 2005 (BG/NBD, and its spreadsheet's E[X(t)]); Batislam et al. 2007
       (MBG/NBD); Fader, Hardie and Lee 2005, "A note on implementing the Pareto/NBD model";
       Fader and Hardie 2013, note 025 (Gamma-Gamma).

Ours carries a weak prior, worth one customer: its parameters lie off the maximum by up to .2 %.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from churn_samples import cdnow_sample, in_weeks
from peers.btyd_outside import run_peer

LL_GOAL, SHARE_GOAL = 0.01, 0.01


class Published(NamedTuple):
    """Parameters in the model's order, log-likelihood, E[X(t)] by age, one customer's E[X]."""

    parameters: dict[str, float]
    log_likelihood: float
    expected: dict[float, float] | None = None
    ask: tuple[float, ...] = ()  # x, t_x, T, horizon
    answer: tuple[float, ...] = ()  # E[X], P(alive) if published


GOLDEN = {
    "BG/NBD": Published(
        {"r": 0.2425945, "alpha": 4.4136, "a": 0.79292, "b": 2.42589}, -9582.429,
        {0.1429: 0.0078, 1: 0.0532, 3: 0.1506, 31.8571: 1.0405, 32: 1.0437, 78: 1.8576},
        (2, 30.43, 38.86, 39), (1.226,),
    ),
    "MBG/NBD": Published({"r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614}, -9582.136),
    "Pareto/NBD": Published(
        {"r": 0.5532, "alpha": 10.576, "s": 0.6063, "beta": 11.671}, -9594.976,
        ask=(26, 30.86, 31, 52), answer=(25.46, 0.9979),
    ),
    "Gamma-Gamma": Published({"p": 6.25, "q": 3.74, "v": 15.44}, -4055.92),
}  # fmt: skip
PEERS = ("lifetimes", "pymc-marketing")


def run(*, with_peers: bool = True) -> None:
    sample = in_weeks(cdnow_sample())
    for model, published in GOLDEN.items():
        given = given_to(model, sample)
        found = {"ours": run_peer("ours", "fit", given | questions(published))}
        if with_peers:
            found |= {peer: run_peer(peer, "fit", given) for peer in PEERS}
        print(f"\n{model}, {len(given['x']):,} customers; goals: log-likelihood within {LL_GOAL}, "
              f"parameters within {SHARE_GOAL:.0%}")  # fmt: skip
        print(f"{'':16}{'published':>12}" + "".join(f"{name:>26}" for name in found))
        show_parameters(published, found)
        show_answers(published, found["ours"])


def given_to(model: str, sample: Mapping[str, Any]) -> dict[str, Any]:
    if model != "Gamma-Gamma":
        return {key: sample[key] for key in ("x", "t_x", "T")} | {"model": model, "repeats": 1}
    paying = (sample["x"] > 0) & (sample["m"] > 0)
    return {key: sample[key][paying] for key in ("x", "m")} | {"model": model, "repeats": 1}


def questions(published: Published) -> dict[str, Any]:
    ages = {"ages": np.array(list(published.expected))} if published.expected else {}
    return ages | ({"ask": np.array(published.ask, dtype=float)} if published.ask else {})


def show_parameters(published: Published, found: dict[str, dict[str, Any] | None]) -> None:
    for name, truth in published.parameters.items():
        cells = [compare(value_of(answer, name), truth) for answer in found.values()]
        print(f"{name:16}{truth:12.5f}" + "".join(f"{cell:>26}" for cell in cells))
    truth, cells = published.log_likelihood, []
    for answer in found.values():
        value = np.nan if answer is None else float(answer.get("log_likelihood", np.nan))
        passed = verdict(abs(value - truth) <= LL_GOAL)
        cells.append("" if np.isnan(value) else f"{value:.4f} {value - truth:+.4f} {passed}")
    print(f"{'log-likelihood':16}{truth:12.3f}" + "".join(f"{cell:>26}" for cell in cells))


def show_answers(published: Published, ours: dict[str, Any] | None) -> None:
    if ours is None:
        return
    asked = {f"E[X({age:g})]": truth for age, truth in (published.expected or {}).items()}
    answers = list(ours.get("expected", ()))
    if published.ask:
        x, t_x, age, horizon = published.ask
        labels = (f"E[X({horizon:g}) | {x:g}, {t_x:g}, {age:g}]", "P(alive) of the same")
        asked |= dict(zip(labels, published.answer, strict=False))
        answers += [ours["asked"], ours["asked_alive"]]
    for (label, truth), value in zip(asked.items(), answers, strict=False):
        print(f"{label:28}{truth:9.4f}{compare(float(value), truth):>26}")


def value_of(answer: dict[str, Any] | None, name: str) -> float:
    if answer is None:
        return np.nan
    return dict(zip(answer["names"].tolist(), answer["parameters"].tolist(), strict=True))[name]


def compare(value: float, truth: float) -> str:
    off = value / truth - 1
    return "" if np.isnan(value) else f"{value:.5f} {off:+.2%} {verdict(abs(off) <= SHARE_GOAL)}"


def verdict(passed: bool) -> str:
    return "ok" if passed else "OFF"
