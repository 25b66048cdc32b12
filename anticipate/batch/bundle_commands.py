"""``anticipate bundle ACTION``: look into a bundle, prove it sound, compare two, forget customers.

Reads  a bundle's folder.
Gives  a summary, a verdict, a comparison; of ``forget`` a new generation.
Never  an id or a name of a customer in what is printed.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from .._checks import check_writable_parent
from ..anticipator import Anticipator
from ..anticipator.difference import compare_bundles
from ..anticipator.forget import forget_customers
from ..bundle import bundle_info
from ..bundle.generation import generation_info
from ..columns import CUSTOMER
from ..serving import Scorer
from .bundle_text import difference_text, summary_text
from .id_files import read_ids
from .output import write_whole
from .progress import show_steps


def add_bundle(command: argparse.ArgumentParser) -> Any:
    """The actions; each has its own options. More may be added to what is returned."""
    actions = command.add_subparsers(dest="action", required=True, metavar="ACTION")
    _inspect(actions)
    _verify(actions)
    _diff(actions)
    _forget(actions)
    return actions


def inspect(arguments: argparse.Namespace) -> None:
    check_json(arguments)
    found = described(Path(arguments.bundle))
    if not write_json(found, arguments):
        sys.stdout.write(summary_text(arguments.bundle, found))


def verify(arguments: argparse.Namespace) -> None:
    Scorer.load(arguments.bundle, verify="full")
    Anticipator.load(arguments.bundle, verify="structure")  # do the fitted parts fit together?
    sys.stdout.write(f"{arguments.bundle}: whole and sound\n")


def diff(arguments: argparse.Namespace) -> None:
    check_json(arguments)
    found = compare_bundles(arguments.old, arguments.new)
    if not write_json(found, arguments):
        sys.stdout.write(difference_text(found))


def forget(arguments: argparse.Namespace) -> None:
    is_text = "customers__ids" not in bundle_info(arguments.bundle)["files"]
    ids = read_ids(arguments.customers, arguments.customer_id, is_text=is_text)
    with show_steps("forget"):
        told = forget_customers(arguments.bundle, ids)
    unknown = told.n_given - told.n_forgotten
    lines = [f"{told.n_forgotten:,} customers forgotten, with {told.n_events:,} events"]
    if unknown:
        lines.append(f"{unknown:,} of {told.n_given:,} ids are not in the bundle")
    if told.n_forgotten:
        lines.append("what runs must load the bundle again: until then it reads the old one")
    sys.stdout.write("".join(f"{arguments.bundle}: {line}\n" for line in lines))


def described(root: Path) -> dict[str, Any]:
    """The manifest without golden rows and hashes of files, and what they come to."""
    sha256, manifest = generation_info(root)
    manifest.pop("golden", None)
    files = manifest.pop("files")
    sizes = {"n_files": len(files), "bytes": sum(file["size"] for file in files.values())}
    return {**manifest, "sha256": sha256, **sizes}  # the hash is what Scorer.load can pin


def add_json(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--json", metavar="FILE", help="all of it as JSON, in place of text; - prints it"
    )


def check_json(arguments: argparse.Namespace) -> None:
    """Refuse a file that cannot be written before the work."""
    if arguments.json not in (None, "-"):
        check_writable_parent(arguments.json)


def write_json(found: dict[str, Any], arguments: argparse.Namespace) -> bool:
    """To where ``--json`` says; False without it."""
    text = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
    if arguments.json == "-":
        sys.stdout.write(text)
    elif arguments.json is not None:
        write_whole(Path(arguments.json), lambda file: _write_text(file, text))
    return arguments.json is not None


def _inspect(to: Any) -> None:
    command = to.add_parser("inspect", help="what it holds and how it was made")
    command.add_argument("bundle", metavar="FOLDER")
    add_json(command)
    command.set_defaults(run=inspect)


def _verify(to: Any) -> None:
    command = to.add_parser("verify", help="read every byte; the damaged file is named")
    command.add_argument("bundle", metavar="FOLDER")
    command.set_defaults(run=verify)


def _diff(to: Any) -> None:
    command = to.add_parser("diff", help="what differs from one bundle to another, without ids")
    for name in ("old", "new"):
        command.add_argument(
            name, metavar=name.upper(), help="a bundle's folder, or a generation's in it"
        )
    add_json(command)
    command.set_defaults(run=diff)


def _forget(to: Any) -> None:
    command = to.add_parser(
        "forget",
        help="replace it by one without some customers",
        description="Needs as much free room as the bundle takes. The log is not touched: erase "
        "them there, too, or the next bundle has them again.",
    )
    command.add_argument("bundle", metavar="FOLDER")
    command.add_argument(
        "--customers", nargs="+", required=True, metavar="FILE|ID",
        help="a CSV or Parquet file with their ids, a .txt with one a line; or the ids themselves",
    )  # fmt: skip
    command.add_argument(
        "--customer-id", default=CUSTOMER, metavar="COLUMN", help="of ids in a CSV or Parquet file"
    )
    command.set_defaults(run=forget)


def _write_text(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")
