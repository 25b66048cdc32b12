"""``docs/bundle.md`` is true: its tables and a real bundle say the same, both ways."""

from __future__ import annotations

import ast
import fnmatch
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from anticipate.bundle import bundle_info, open_bundle
from anticipate.bundle.layout import FORMAT_VERSION
from anticipate.kernels.ids import _PRIME
from anticipate.serving.checks.schema import GROUPS

DOC = (Path(__file__).parents[1] / "docs" / "bundle.md").read_text(encoding="utf-8")
VOCABULARIES = ("customers", "items", "orders", "channels", "reasons")


class Row(NamedTuple):
    names: list[str]
    dtypes: list[str]
    rest: list[str]


def section(title: str) -> str:
    return re.split(r"^## ", DOC.split(f"\n## {title}\n")[1], flags=re.MULTILINE)[0]


def rows(text: str) -> Iterator[Row]:
    """Rows of the tables in a text: the words in backticks of the first two columns, the rest."""
    for line in text.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]
        if len(cells) > 2 and cells[0].startswith("`"):
            words = [re.findall(r"`([^`]+)`", cell.replace("\\|", "|")) for cell in cells[:2]]
            yield Row(words[0], words[1], cells[2:])


def documented() -> dict[str, tuple[list[str], str]]:
    """Array name -> dtypes and shape, of the scorer's arrays."""
    found = {}
    for part in section("Arrays of the scorer").split("\n### ")[1:]:
        heading = part.splitlines()[0]
        prefixes = re.findall(r"`([a-z_]+__)`", heading)
        for names, dtypes, (shape, *_) in rows(part):
            for name in names:
                places = [""] if "__" in name else prefixes
                for prefix in places:
                    word = prefix.removesuffix("__")
                    own = re.sub(r"\bn\b", f"n_{word}", shape) if word in VOCABULARIES else shape
                    assert prefix + name not in found, f"{prefix + name} stands there twice"
                    found[prefix + name] = (dtypes, own)
    return found


def test_the_table_is_that_of_the_checks():
    """Every array, its dtype and its shape."""
    stored = {
        group.prefix + name: (one.dtype.split(" or "), one.shape)
        for group in GROUPS
        for form in group.forms
        for name, one in form.items()
    }

    assert documented() == stored


def test_a_bundle_holds_what_is_documented_and_nothing_else(bookshop_bundle: Path):
    arrays = {n: a for n, a in open_bundle(bookshop_bundle)[1].items() if "model_part_" not in n}
    known = documented()
    optional = tuple(group.prefix for group in GROUPS if group.optional)
    other_form = {f"{word}__ids" for word in VOCABULARIES}

    assert arrays.keys() <= known.keys()
    assert {n for n in known if not n.startswith(optional)} - other_form <= arrays.keys()
    for name, array in arrays.items():
        assert array.dtype.str in known[name][0], name


def test_every_array_of_a_part_is_of_a_documented_kind(bookshop_bundle: Path):
    kinds = list(rows(section("Model parts")))
    for name, array in open_bundle(bookshop_bundle)[1].items():
        if name.startswith("model_part_"):
            kind = next(k for k in kinds if any(fnmatch.fnmatchcase(name, one) for one in k.names))
            assert array.dtype.str in kind.dtypes, f"{name} is taken for {kind.names}"


def test_the_manifests_keys_are_documented(bookshop_bundle: Path):
    keys = {name for row in rows(section("manifest.json")) for name in row.names}

    assert bundle_info(bookshop_bundle).keys() == keys


@pytest.mark.parametrize("file", ["CURRENT", "manifest.json"])
def test_small_files_are_written_as_documented(bookshop_bundle: Path, file: str):
    pointer = (bookshop_bundle / "CURRENT").read_bytes()
    name, digest = pointer.decode("ascii").split()
    assert pointer == f"{name} {digest}\n".encode()
    assert name == f"gen-{digest[:16]}"
    assert len(pointer) == 86
    if file == "manifest.json":
        raw = (bookshop_bundle / name / file).read_bytes()
        plain: Any = json.loads(raw)
        assert raw == json.dumps(plain, indent=1, sort_keys=True).encode("ascii") + b"\n"


def test_numbers_in_the_text_are_those_of_the_code():
    assert f"describes format {FORMAT_VERSION} " in DOC
    assert f"modulo {_PRIME} (`{_PRIME:X}`)" in DOC


def test_content_begins_where_it_is_documented(bookshop_bundle: Path):
    """Magic, version, length, header; then nothing but values."""
    folder = bookshop_bundle / (bookshop_bundle / "CURRENT").read_text().split()[0]
    for name, declared in bundle_info(bookshop_bundle)["files"].items():
        raw = (folder / f"{name}.npy").read_bytes()
        start = 10 + int.from_bytes(raw[8:10], "little")
        shape = tuple(declared["shape"])
        header = {"descr": declared["dtype"], "fortran_order": False, "shape": shape}
        assert raw[:8] == b"\x93NUMPY\x01\x00"
        assert start % 64 == 0
        assert ast.literal_eval(raw[10:start].decode()) == header
        assert len(raw) == declared["size"]
