"""Bundles changed on purpose: as damage, or as forgery with every hash made right again."""

from __future__ import annotations

import hashlib
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anticipate.bundle import npy as npy_module

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
