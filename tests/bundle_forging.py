"""Bundles changed on purpose: as damage, or as forgery with every hash made right again."""

from __future__ import annotations

import hashlib
import json
import pickle
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anticipate.bundle import npy as npy_module
from anticipate.kernels.ids import build_id_index, ids_at
from anticipate.serving.checks.schema import GROUPS

Array = NDArray[Any]
OBJECT = "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"


def generation(root: Path) -> Path:
    return root / (root / "CURRENT").read_text().split()[0]


def change_byte(file: Path, position: int = -1, bit: int = 0) -> None:
    content = bytearray(file.read_bytes())
    content[position] ^= 1 << bit
    file.write_bytes(content)


def forge(root: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """Change the manifest, and the hashes and names that depend on it."""
    folder = generation(root)
    manifest = json.loads((folder / "manifest.json").read_text())
    change(manifest)
    raw = json.dumps(manifest).encode()
    (folder / "manifest.json").write_bytes(raw)
    digest = hashlib.sha256(raw).hexdigest()
    folder.rename(root / f"gen-{digest[:16]}")
    (root / "CURRENT").write_bytes(f"gen-{digest[:16]} {digest}\n".encode())


def vouch(root: Path, name: str, **declared: Any) -> None:
    """Make the manifest declare a file as it now is."""
    content = (generation(root) / f"{name}.npy").read_bytes()
    entry = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content), **declared}
    forge(root, lambda m: m["files"].setdefault(name, {}).update(entry))


def replace_array(root: Path, name: str, content: bytes, **declared: Any) -> None:
    """Put other bytes in an array's place, with a manifest that vouches for them."""
    (generation(root) / f"{name}.npy").write_bytes(content)
    vouch(root, name, **declared)


def put(root: Path, name: str, values: Array) -> None:
    """Put another array in an array's place, or beside the others, all hashes right."""
    content = b"".join(bytes(piece) for piece in npy_module.pieces(np.ascontiguousarray(values)))
    replace_array(root, name, content, dtype=values.dtype.str, shape=list(values.shape))


def npy(header: str, content: bytes = b"") -> bytes:
    padded = header.encode() + b" " * (118 - len(header) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded + content


class Payload:
    """Makes a file when it is unpickled."""

    def __init__(self, trace: Path):
        self.trace = trace

    def __reduce__(self) -> Any:
        return Path.touch, (self.trace,)


def smuggled(trace: Path) -> dict[str, bytes]:
    """Pickles that would make the file ``trace``: as an array of objects, and raw."""
    pickled = pickle.dumps(Payload(trace))
    return {"objects": npy(OBJECT, pickled), "raw": pickled}


def flip(file: Path, position: int, bit: int) -> None:
    """Turn one bit in place; once more turns it back."""
    with file.open("r+b") as handle:
        handle.seek(position)
        byte = handle.read(1)[0]
        handle.seek(position)
        handle.write(bytes([byte ^ (1 << bit)]))


def tiled(
    manifest: dict[str, Any], arrays: dict[str, Array], times: int
) -> tuple[dict[str, Any], dict[str, Array]]:
    """The same customers so many times under new ids, without parts of training."""
    rows = ("n_customers", "n_events or 1", "n_candidates", "n_holdings")
    shapes = {g.prefix + n: one.shape for g in GROUPS for f in g.forms for n, one in f.items()}
    ids = [
        f"{id_}-{turn:05d}"
        for id_ in ids_at(
            {n[11:]: a for n, a in arrays.items() if n.startswith("customers__")},
            np.arange(manifest["n_customers"]),
        )
        for turn in range(times)
    ]
    found = {}
    for name, array in arrays.items():
        if name.startswith(("model_part_", "customers__")):
            continue
        shape = shapes[name]
        if shape == "n_customers + 1":
            counts = np.repeat(np.diff(array), times)
            found[name] = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
        elif shape not in rows or (shape == "n_events or 1" and len(array) == 1):
            found[name] = array
        elif shape == "n_customers":
            found[name] = np.repeat(array, times)
        else:
            offsets = arrays[name.split("__")[0] + "__offsets"]
            found[name] = np.concatenate(
                [np.tile(array[a:b], times) for a, b in pairwise(offsets.tolist())]
            )
    index = build_id_index(sorted(ids))
    found |= {f"customers__{name}": array for name, array in index.items()}
    n = {name: manifest[name] * times for name in ("n_customers", "n_events")}
    own = {k: v for k, v in manifest.items() if k not in ("files", "format_version", "libraries")}
    return {**own, **n}, found
