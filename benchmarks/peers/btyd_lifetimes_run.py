"""lifetimes; runs in an environment of its own, so it imports nothing of ours.

    python btyd_lifetimes_run.py job given.npz found.npz

Jobs: ``churn`` (probabilities at a horizon), ``fit`` (parameters and time of one model),
``predict`` (time of P(alive) + E[X]), ``summary`` (time from events to x, t_x, T), ``small``
(how many samples cannot be fitted).
"""

from __future__ import annotations

import sys
import time
import warnings

import numpy as np
import pandas as pd
from lifetimes import BetaGeoFitter, GammaGammaFitter, ModifiedBetaGeoFitter, ParetoNBDFitter
from lifetimes.utils import summary_data_from_transaction_data
from scipy.special import betaln, gammaln

FITTERS = {
    "BG/NBD": BetaGeoFitter, "MBG/NBD": ModifiedBetaGeoFitter, "Pareto/NBD": ParetoNBDFitter,
}  # fmt: skip


def churn(given: dict) -> dict:
    """BG/NBD: P(no purchase in the horizon) = exp(ll(x, t_x, T + H) - ll(x, t_x, T)); P(alive)."""
    x, t_x, T, H = given["x"], given["t_x"], given["T"], float(given["horizon"])
    fitter = fitted("BG/NBD", x, t_x, T)
    p = [float(fitter.params_[name]) for name in ("r", "alpha", "a", "b")]
    none = np.exp(log_likelihood(x, t_x, T + H, *p) - log_likelihood(x, t_x, T, *p))
    alive = np.asarray(fitter.conditional_probability_alive(x, t_x, T), dtype=float)
    return {"none": none, "alive": alive, "penalizer": fitter.penalizer_coef}


def fitted(name: str, x, t_x, T):
    """With a small penalty where the plain fit does not converge: what its documents advise."""
    for penalty in (0.0, 0.001, 0.01, 0.1):
        try:
            return FITTERS[name](penalizer_coef=penalty).fit(x, t_x, T)
        except Exception as error:  # its ConvergenceError, or whatever comes of a NaN
            failed = error
    raise failed


def log_likelihood(x, t_x, T, r, alpha, a, b) -> np.ndarray:
    """BG/NBD per customer, Fader, Hardie and Lee 2005, equation 6."""
    head = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
    alive = betaln(a, b + x) - betaln(a, b) - (r + x) * np.log(alpha + T)
    with np.errstate(divide="ignore", invalid="ignore"):
        gone = betaln(a + 1, b + x - 1) - betaln(a, b) - (r + x) * np.log(alpha + t_x)
    return head + np.logaddexp(alive, np.where(x > 0, gone, -np.inf))


def fit(given: dict) -> dict:
    """Best of ``repeats`` fits of one model, seconds and CPU seconds of that one."""
    name = str(given["model"])
    if name == "Gamma-Gamma":
        make = lambda: GammaGammaFitter().fit(given["x"], given["m"])  # noqa: E731
    else:
        make = lambda: FITTERS[name]().fit(given["x"], given["t_x"], given["T"])  # noqa: E731
    fitter, wall, cpu = best_of(make, int(given["repeats"]))
    parameters = np.array([float(v) for v in fitter.params_.to_numpy()])
    return {
        "parameters": parameters, "names": np.array(list(fitter.params_.index)),
        "wall": wall, "cpu": cpu, "log_likelihood": true_log_likelihood(fitter, name, given),
    }  # fmt: skip


def true_log_likelihood(fitter, name: str, given: dict) -> float:
    """Of the whole sample, nothing rescaled, by its own function at its own parameters."""
    values, x = fitter.params_.to_numpy(dtype=float), given["x"]
    ones = np.ones_like(x)
    if name == "Gamma-Gamma":  # takes logarithms, gives the mean loss
        loss = type(fitter)._negative_log_likelihood(np.log(values), x, given["m"], ones, 0.0)
        return -float(loss) * len(x)
    data = (x, given["t_x"], given["T"], ones, 0.0)
    if name == "Pareto/NBD":  # takes plain numbers, gives the summed loss
        return -float(type(fitter)._negative_log_likelihood(values, *data))
    return -float(type(fitter)._negative_log_likelihood(np.log(values), *data)) * len(x)


def predict(given: dict) -> dict:
    """P(alive) and E[X] of every customer, given the parameters."""
    fitter = BetaGeoFitter()
    fitter.params_ = pd.Series(given["parameters"], index=["r", "alpha", "a", "b"])
    x, t_x, T, H = given["x"], given["t_x"], given["T"], float(given["horizon"])

    def both():
        alive = fitter.conditional_probability_alive(x, t_x, T)
        number = fitter.conditional_expected_number_of_purchases_up_to_time(H, x, t_x, T)
        return np.asarray(alive), np.asarray(number)

    (alive, number), wall, cpu = best_of(both, int(given["repeats"]))
    return {"alive": alive, "number": number, "wall": wall, "cpu": cpu}


def summary(given: dict) -> dict:
    """Events to x, t_x, T."""
    events = pd.DataFrame({"customer": given["customer"], "date": given["date"]})
    end = pd.Timestamp(str(given["end"]))
    make = lambda: summary_data_from_transaction_data(  # noqa: E731
        events, "customer", "date", observation_period_end=end
    )
    table, wall, cpu = best_of(make, int(given["repeats"]))
    return {
        "x": table["frequency"].to_numpy(), "t_x": table["recency"].to_numpy(),
        "T": table["T"].to_numpy(), "wall": wall, "cpu": cpu,
    }  # fmt: skip


def small(given: dict) -> dict:
    """Per model and unit, the samples whose fit fails or is not finite."""
    found: dict = {}
    size = given["rows"].shape[0]
    for unit in given["units"]:
        for name in (*FITTERS, "Gamma-Gamma"):
            bad = [not finite_fit(name, given, i, float(unit)) for i in range(size)]
            found[f"{name}|{unit:g}"] = np.array(bad)
    return found


def finite_fit(name: str, given: dict, i: int, unit: float) -> bool:
    rows = given["rows"][i][: given["sizes"][i]]
    x, t_x, T, m = (given[k][rows] for k in ("x", "t_x", "T", "m"))
    try:
        if name == "Gamma-Gamma":
            keep = (x > 0) & (m > 0)
            fitter = GammaGammaFitter().fit(x[keep], m[keep])
        else:
            fitter = FITTERS[name]().fit(x, t_x / unit, T / unit)
    except Exception:
        return False
    return bool(np.isfinite(fitter.params_.to_numpy(dtype=float)).all())


def best_of(make, repeats: int):
    """The last result, and the least wall and the least CPU seconds of all runs."""
    runs = []
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        result = make()
        runs.append((time.perf_counter() - wall, time.process_time() - cpu))
    return (result, *np.min(runs, axis=0).tolist())


def main() -> None:
    warnings.simplefilter("ignore")
    job, source, target = sys.argv[1:4]
    jobs = {"churn": churn, "fit": fit, "predict": predict, "summary": summary, "small": small}
    with np.load(source) as given:
        arrays = {name: given[name] for name in given.files}
    np.savez(target, **jobs[job](arrays))


if __name__ == "__main__":
    main()
