"""Options that several commands share; column flags mirror ``InteractionLog.from_frame``.

Reads  parsed arguments.
Gives  an ``InteractionLog``; ids in the type of a bundle.
Never  a flag that means something else than the keyword of the same name.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from .. import columns as c
from ..exceptions import ParameterError
from ..log import InteractionLog
from ..readers import read_keyed, whole_ids
from ..serving import Scorer

_COLUMN_FLAGS = ("event", "quantity", "price", "amount", "order_id", "event_id", "value", "gift",
                 "channel", "reason", "known_at")  # fmt: skip
_CSV_FLAGS = ("sep", "decimal", "encoding")


def add_events(command: argparse.ArgumentParser, *, optional: bool = False) -> None:
    """Where the events are and how to read them."""
    what = "CSV or Parquet: a file, a folder or a glob"
    if optional:
        what += "; what came since the bundle was made"
    command.add_argument("events", nargs="?" if optional else None, help=what)
    add_columns(command)


def add_columns(command: argparse.ArgumentParser) -> None:
    """How to read events, wherever they are."""
    columns = command.add_argument_group("columns (names in your files)")
    for name in (c.CUSTOMER, c.ITEM, c.TIMESTAMP):
        columns.add_argument(_flag(name), default=name, metavar="COLUMN")
    for name in _COLUMN_FLAGS:
        columns.add_argument(_flag(name), metavar="COLUMN")
    reading = command.add_argument_group("reading")
    reading.add_argument(
        "--timezone", help="of naive times, e.g. Europe/Berlin (default: that of the bundle)"
    )
    reading.add_argument("--default-event", default=c.PURCHASE)
    reading.add_argument("--extra-events", nargs="*", default=())
    reading.add_argument(
        "--negative-quantity", choices=("error", "return", "cancel"), default="error"
    )
    reading.add_argument("--on-bad-rows", choices=("raise", "quarantine"), default="raise")
    reading.add_argument("--closed-until", help="up to here nothing is missing")
    reading.add_argument("--items", metavar="FILE", help="attributes of items")
    reading.add_argument("--customers", metavar="FILE", help="attributes of customers")
    for name in _CSV_FLAGS:
        reading.add_argument(_flag(name), help="of CSV files")


def add_training(command: argparse.ArgumentParser) -> None:
    learning = command.add_argument_group("learning")
    learning.add_argument("--horizon-days", type=float, default=30.0)
    learning.add_argument("--churn-horizon-days", type=float, default=90.0)
    learning.add_argument("--random-state", type=int, default=0)
    learning.add_argument("--n-jobs", type=int)


def add_bundle_source(command: argparse.ArgumentParser) -> None:
    command.add_argument("--bundle", required=True, metavar="FOLDER")
    command.add_argument("--as-of", required=True, help="the moment asked about")
    command.add_argument("--verify", choices=("full", "structure"), default="full")


def add_output(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--out", metavar="FILE", help=".csv, .parquet or .json (default: print CSV)"
    )


def add_json_html(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", metavar="FILE")
    command.add_argument("--html", metavar="FILE")


def read_events(
    arguments: argparse.Namespace, *, timezone: str | None = None, text_ids: Iterable[str] = ()
) -> InteractionLog:
    """The log of the files named, by the flags given; ``timezone`` where no flag names one.

    ``text_ids``: ids that are text in the bundle, so a CSV's digits are not numbers either.
    """
    options: dict[str, Any] = {
        name: getattr(arguments, name)
        for name in (c.CUSTOMER, c.ITEM, c.TIMESTAMP, *_COLUMN_FLAGS, "timezone", "default_event",
                     "extra_events", "negative_quantity", "on_bad_rows", "closed_until", "items",
                     "customers")
    }  # fmt: skip
    options["timezone"] = options["timezone"] or timezone
    csv = _csv_options(arguments)
    return InteractionLog.read(arguments.events, text_ids=text_ids, **options, **csv)


def read_later(arguments: argparse.Namespace, scorer: Scorer) -> InteractionLog | None:
    """What came since the bundle was made, its ids in the bundle's kind; None without a file."""
    if arguments.events is None:
        return None
    text = [c.CUSTOMER] if scorer.has_text_ids else []
    text += [c.ITEM] if any(isinstance(one, str) for one in scorer.stranger()[1]) else []
    log = read_events(arguments, timezone=scorer.manifest["timezone"], text_ids=text)
    if log.report["rejected"]:
        say(reading_account(log))
    return log


def log_of_customers(arguments: argparse.Namespace, scorer: Scorer) -> InteractionLog:
    """No event, but what ``--customers`` says of the customers, if there is such a file."""
    table = None
    if arguments.customers is not None:
        table = read_keyed(arguments.customers, c.CUSTOMER, **_csv_options(arguments))
        if not scorer.has_text_ids:
            table = whole_ids(table, [c.CUSTOMER])
    rows = {c.CUSTOMER: [], c.ITEM: [], c.TIMESTAMP: np.empty(0, "M8[us]")}
    timezone = arguments.timezone or scorer.manifest["timezone"]
    return InteractionLog.from_frame(pd.DataFrame(rows), timezone=timezone, customers=table)


def reading_account(log: InteractionLog) -> str:
    """One line: how many rows are used, how many were set aside and why, what else was met."""
    report = dict(log.report)
    kept, read = report.pop("rows_kept"), report.pop("rows_read")
    aside = [f"{count:,} with {why}" for why, count in report.pop("rejected").items()]
    met = [f"{count:,} {name.replace('_', ' ')}" for name, count in report.items() if count]
    parts = [f"{kept:,} of {read:,} rows used"]
    parts += ["set aside: " + ", ".join(aside)] if aside else []
    return "; ".join(parts + (["met: " + ", ".join(met)] if met else []))


def parse_ids(texts: list[str], known: Any, option: str = "--customer") -> list[Any]:
    """Ids typed on a command line, in the type of the bundle's ids."""
    if len(known) == 0 or isinstance(known[0], str):
        return texts
    try:
        return [int(text) for text in texts]
    except ValueError:
        raise ParameterError(f"{option}: the bundle's ids are whole numbers; give such.") from None


def say(line: str) -> None:
    """An account goes to stderr: the standard output is for tables."""
    sys.stderr.write(line + "\n")


def _csv_options(arguments: argparse.Namespace) -> dict[str, Any]:
    csv = {name: getattr(arguments, name) for name in _CSV_FLAGS if getattr(arguments, name)}
    csv = {name: "\t" if value == r"\t" else value for name, value in csv.items()}
    for name in ("sep", "decimal"):
        if len(csv.get(name, ".")) != 1:
            raise ParameterError(f"--{name} must be one character.")
    return csv


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
