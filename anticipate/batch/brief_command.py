"""``anticipate brief``: one customer's brief, as JSON or as a page.

Reads  a bundle, what came since, an id.
Gives  files, whole or not at all; without one JSON on the standard output.
Never  a brief that the library would not give in a notebook.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from .._checks import check_writable_parent
from ..exceptions import ParameterError
from ..serving import Scorer
from ..serving.brief import brief_card
from ..suggestions import LANGUAGES
from .arguments import add_bundle_source, add_events, parse_ids, read_later
from .output import write_whole


def add_brief(command: argparse.ArgumentParser) -> None:
    """Options, and what runs them."""
    add_events(command, optional=True)
    add_bundle_source(command)
    command.add_argument("--customer", required=True, metavar="ID")
    command.add_argument("--language", choices=LANGUAGES, default="en")
    command.add_argument("--html", metavar="FILE", help="a page to read or print")
    command.add_argument("--out", metavar="FILE", help=".json (default without --html: print it)")
    command.set_defaults(run=brief)


def brief(arguments: argparse.Namespace) -> None:
    _check_files(arguments)
    scorer = Scorer.load(arguments.bundle, verify=arguments.verify)
    (customer_id,) = parse_ids([arguments.customer], scorer.customer_ids()[:1])
    found = scorer.brief(
        customer_id,
        as_of=arguments.as_of,
        recent=read_later(arguments, scorer),
        language=arguments.language,
    )
    text = json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    if arguments.html is not None:
        _write(arguments.html, brief_card(found))
    if arguments.out is not None:
        _write(arguments.out, text)
    if arguments.out is None and arguments.html is None:
        sys.stdout.write(_encodable(text))


def _check_files(arguments: argparse.Namespace) -> None:
    for path in (arguments.html, arguments.out):
        if path is not None:
            check_writable_parent(path)
    if arguments.out is not None and Path(arguments.out).suffix.lower() != ".json":
        raise ParameterError(f"--out: {Path(arguments.out).name} must end in .json.")


def _write(path: str, text: str) -> None:
    def write(file: Path) -> None:
        file.write_bytes(_encodable(text).encode())

    write_whole(Path(path), write)


def _encodable(text: str) -> str:
    """Half a pair of surrogates, which no file can hold, as its JSON escape."""
    return text.encode("utf-8", "backslashreplace").decode()
