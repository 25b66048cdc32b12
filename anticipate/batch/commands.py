"""What each command does: a few lines over the library.

Reads  parsed arguments.
Gives  files, tables on the standard output, lines of account on stderr.
Never  a result that the library would not give in a notebook.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .._checks import check_writable_folder, check_writable_parent
from ..anticipator import Anticipator
from ..bundle import bundle_info
from ..log import History, InteractionLog
from ..serving import Scorer
from .arguments import parse_ids, read_events, read_later, reading_account, say
from .output import check_output, write_table, write_whole
from .progress import show_steps


def train(arguments: argparse.Namespace) -> None:
    check_writable_folder(arguments.out)
    log = read_events(arguments)
    history = log.as_of(arguments.cutoff) if arguments.cutoff else everything(log)
    model = _fit(arguments, history)
    model.save(arguments.out)
    say(f"{log!r}")
    say(reading_account(log))
    say(f"bundle {arguments.out}: {history.n_customers} customers, {history.n_items} items")


def evaluate(arguments: argparse.Namespace) -> None:
    for path in (arguments.json, arguments.html):
        if path is not None:
            check_writable_parent(path)
    if arguments.bundle:
        model = Anticipator.load(arguments.bundle)
        log = read_events(arguments, timezone=bundle_info(arguments.bundle)["timezone"])
    else:
        log = read_events(arguments)
        model = _fit(arguments, log.as_of(arguments.cutoff))
    with show_steps("evaluate"):
        report = model.evaluate(log, arguments.cutoff, groups=tuple(arguments.groups))
    if arguments.json is not None:
        text = report.to_json()
        write_whole(Path(arguments.json), lambda file: _write_text(file, text))
    if arguments.html is not None:
        report.to_html(arguments.html)
    say(reading_account(log))
    sys.stdout.write(f"{report}\n")


def suggest(arguments: argparse.Namespace) -> None:
    check_output(arguments.out)
    scorer = Scorer.load(arguments.bundle, verify=arguments.verify)
    ids = parse_ids(arguments.customer, scorer.customer_ids()) if arguments.customer else None
    recent = read_later(arguments, scorer)
    with show_steps("suggest"):
        table = scorer.suggest_many(
            ids, as_of=arguments.as_of, recent=recent, n=arguments.n, audience=arguments.audience
        )
    write_table(table, arguments.out)


def everything(log: InteractionLog) -> History:
    """All that the log holds, up to where it is complete."""
    last = int(log.events.timestamp.max()) + 1 if log.n_events else log.end_us
    return log.before(max(last, log.end_us))


def _fit(arguments: argparse.Namespace, history: History) -> Anticipator:
    model = Anticipator(
        arguments.horizon_days,
        arguments.churn_horizon_days,
        random_state=arguments.random_state,
        n_jobs=arguments.n_jobs,
    )
    with show_steps("train"):
        return model.fit(history)


def _write_text(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")
