"""CDNOW as CSV: one item ``CD``, local dates, spend as the line's amount.

The file ships inside the package ``lifetimes`` and is read as a file, never imported.

    python benchmarks/cdnow_csv.py cdnow.csv
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pandas as pd


def read_cdnow() -> pd.DataFrame:
    """Customer, date, number of CDs and amount, separated by blanks."""
    spec = importlib.util.find_spec("lifetimes")
    if spec is None or spec.origin is None:
        raise SystemExit("install the bench extra first: it brings CDNOW's file.")
    file = Path(spec.origin).parent / "datasets" / "CDNOW_master.txt"
    rows = pd.read_csv(
        file, sep=r"\s+", skiprows=1, names=["customer_id", "date", "quantity", "amount"]
    )
    rows["timestamp"] = pd.to_datetime(rows.pop("date").astype(str), format="%Y%m%d")
    return rows.assign(item_id="CD")


def main() -> None:
    out = Path(sys.argv[1] if len(sys.argv) > 1 else "cdnow.csv")
    rows = read_cdnow()
    rows.to_csv(out, index=False)
    print(f"{out}: {len(rows)} transactions of {rows.customer_id.nunique()} customers")


if __name__ == "__main__":
    main()
