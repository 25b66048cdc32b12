"""Bundles: a fitted model and its customers' states as plain arrays in a folder.

Reads  a manifest (JSON) and named arrays.
Gives  the same back, memory-mapped, or refuses with the name of the damaged file.
Never  pickle, a clock, code from a file, a half-written bundle.

    path/CURRENT                    the generation's name and the manifest's SHA-256
    path/gen-<16 hex>/manifest.json what the caller gave, versions, one entry per array
    path/gen-<16 hex>/<name>.npy    one array

A save writes a new generation beside the old one and flips ``CURRENT`` with ``os.replace``;
the generation before stays until the next save, for readers that are still opening it.
"""

from .npy import let_go
from .reader import bundle_info, open_bundle
from .strings import pack_strings, unpack_strings
from .writer import write_bundle

__all__ = ["bundle_info", "let_go", "open_bundle", "pack_strings", "unpack_strings", "write_bundle"]
