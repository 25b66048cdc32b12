"""pymc-marketing's maximum a posteriori; runs in an environment of its own.

    python btyd_pymc_run.py fit given.npz found.npz

The first fit of a process compiles; ``wall`` is the best of the later ones. Its priors are its
defaults. Gamma-Gamma is the model of individual transactions' means.
"""

from __future__ import annotations

import logging
import sys
import time
import warnings

import numpy as np
import pandas as pd

logging.disable(logging.CRITICAL)
warnings.simplefilter("ignore")

from pymc_marketing import clv  # noqa: E402

KINDS = {
    "BG/NBD": (clv.BetaGeoModel, ("r", "alpha", "a", "b")),
    "MBG/NBD": (clv.ModifiedBetaGeoModel, ("r", "alpha", "a", "b")),
    "Pareto/NBD": (clv.ParetoNBDModel, ("r", "alpha", "s", "beta")),
    "Gamma-Gamma": (clv.GammaGammaModel, ("p", "q", "v")),
}


def table(given: dict) -> pd.DataFrame:
    columns = {"customer_id": np.arange(len(given["x"])), "frequency": given["x"].astype(int)}
    if "m" in given:
        columns["monetary_value"] = given["m"]
    else:
        columns |= {"recency": given["t_x"], "T": given["T"]}
    return pd.DataFrame(columns)


def main() -> None:
    _, _, source, target = sys.argv
    with np.load(source) as loaded:
        given = {name: loaded[name] for name in loaded.files}
    kind, names = KINDS[str(given["model"])]
    data, times = table(given), []
    for _ in range(1 + int(given["repeats"])):
        wall, cpu = time.perf_counter(), time.process_time()
        model = kind(data=data)
        model.fit(method="map", progressbar=False)
        times.append((time.perf_counter() - wall, time.process_time() - cpu))
    posterior = model.idata.posterior
    parameters = [float(posterior[name].mean()) for name in names]
    warm = np.min(times[1:], axis=0)
    np.savez(
        target, names=np.array(names), parameters=np.array(parameters), wall=warm[0], cpu=warm[1],
        first=times[0][0],
    )  # fmt: skip


if __name__ == "__main__":
    main()
