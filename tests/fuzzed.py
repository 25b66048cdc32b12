"""What is fuzzed: files and manifests changed at random, and what may come of them."""

from __future__ import annotations

import copy
import io
import json
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
from bundle_forging import forge, generation

from anticipate import InteractionLog
from anticipate.exceptions import AnticipateError
from anticipate.serving import Scorer

Edit = tuple[int, bytes]


def valid_files() -> dict[str, bytes]:
    """A small log, as CSV and as Parquet."""
    table = pd.DataFrame(
        {
            "customer_id": [f"c{i % 5}" for i in range(40)],
            "item_id": [f"i{i % 7}" for i in range(40)],
            "timestamp": pd.date_range("2025-01-01", periods=40, freq="7h", tz="UTC"),
            "quantity": [1.0, 2.0] * 20,
        }
    )
    parquet = io.BytesIO()
    table.to_parquet(parquet)
    return {".csv": table.to_csv(index=False).encode(), ".parquet": parquet.getvalue()}


def edited(content: bytes, edits: list[Edit], cut: int) -> bytes:
    """Bytes written over at some places, and the end cut off."""
    changed = bytearray(content)
    for place, put in edits:
        at = place % (len(changed) + 1)
        changed[at : at + len(put)] = put
    return bytes(changed[: len(changed) - cut % (len(changed) + 1)] if cut else changed)


def read(content: bytes, suffix: str) -> bool:
    """Whether it is a log; what is none must be told in the library's own words."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file = Path(folder) / f"events{suffix}"
        file.write_bytes(content)
        try:
            return InteractionLog.read(file, on_bad_rows="quarantine").n_events >= 0
        except AnticipateError:
            return False


class Forged:
    """A bundle whose manifest is changed again and again, all hashes made right each time."""

    def __init__(self, bundle: Path, scratch: Path) -> None:
        self.root = scratch / "forged.bundle"
        shutil.copytree(bundle, self.root)
        self.manifest = json.loads((generation(self.root) / "manifest.json").read_text())
        self.n_leaves = len(places(self.manifest))

    def load(self, changes: list[tuple[int, Any]]) -> bool:
        """Whether it opens and answers; else it must be refused in the library's own words."""
        manifest = copy.deepcopy(self.manifest)
        every = places(manifest)
        for number, value in changes:
            parent, key = every[number % len(every)]
            parent[key] = value

        def put(current: dict[str, Any]) -> None:
            current.clear()
            current.update(manifest)

        forge(self.root, put)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                scorer = Scorer.load(self.root, verify="structure")
                scorer.suggest("C042", as_of="2025-03-02T10:00Z")
            except AnticipateError:
                return False
        return True


def places(tree: Any) -> list[tuple[Any, Any]]:
    """Every value of a JSON document as its parent and key."""
    pairs = tree.items() if isinstance(tree, dict) else enumerate(tree)
    found = []
    for key, value in list(pairs):
        found.append((tree, key))
        if isinstance(value, (dict, list)):
            found += places(value)
    return found
