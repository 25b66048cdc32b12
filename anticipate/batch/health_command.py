"""``anticipate bundle health``: is the bundle still right, and when to fit again.

Reads  a bundle's folder, a file of what came since.
Gives  a text, or JSON; exit status 1 where a new fit is advised now, else 0.
Never  an id of a customer or an item in what is printed.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

from ..anticipator.health import bundle_health
from ..anticipator.health.advice import NOW
from ..serving import Scorer
from .arguments import add_columns, read_later
from .bundle_commands import add_json, check_json, write_json
from .progress import show_steps

FIT_AGAIN = 1  # exit status


def add_health(to: Any) -> None:
    command = to.add_parser(
        "health",
        help="drift, calibration of closed windows, when to fit again",
        description="Exit status: 0 nothing to do now, 1 fit again now, 2 bad input.",
    )
    command.add_argument("bundle", metavar="FOLDER")
    command.add_argument(
        "--events", required=True, metavar="FILE",
        help="all that came since the bundle's cutoff, CSV or Parquet: a file, a folder or a glob",
    )  # fmt: skip
    command.add_argument("--as-of", help="the moment of the check (default: the end of the events)")
    command.add_argument("--verify", choices=("full", "structure"), default="full")
    add_columns(command)
    add_json(command)
    command.set_defaults(run=health)


def health(arguments: argparse.Namespace) -> int:
    check_json(arguments)
    log = read_later(arguments, Scorer.load(arguments.bundle, verify=arguments.verify))
    assert log is not None  # the file is required
    with show_steps("health"):
        found = bundle_health(arguments.bundle, log, arguments.as_of, verify="structure")
    if not write_json(found.to_dict(), arguments):
        sys.stdout.write(f"{found}\n")
    return FIT_AGAIN if found.advice.when == NOW else 0
