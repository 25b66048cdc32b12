"""``anticipate COMMAND``: the commands and their options.

Reads  the arguments.
Gives  an exit status: 0 done, 2 bad input (one clear line on stderr), 130 interrupted.
Never  what a command does: that stands beside this file.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from .._command_line import Parser, run
from .._version import __version__
from ..serving.http.command import add_serving
from . import at_risk, commands, demo
from .arguments import add_bundle_source, add_events, add_json_html, add_output, add_training
from .brief_command import add_brief
from .bundle_commands import add_bundle
from .health_command import add_health


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; see ``anticipate --help``."""
    return run(build_parser(), argv)


def build_parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    parser = Parser(
        prog="anticipate",
        description="Next needs, churn risk and duplicate-purchase warnings, with reasons.",
    )
    parser.add_argument("--version", action="version", version=f"anticipate {__version__}")
    commands_ = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _demo(commands_)
    _train(commands_)
    _evaluate(commands_)
    _suggest(commands_)
    _rank_at_risk(commands_)
    _brief(commands_)
    _bundle(commands_)
    _serve(commands_)
    return parser


_Commands = argparse._SubParsersAction  # what argparse calls its own container


def _demo(to: _Commands[Parser]) -> None:
    command = to.add_parser("demo", help="the whole job on the embedded bookshop")
    command.set_defaults(run=demo.run)


def _train(to: _Commands[Parser]) -> None:
    command = to.add_parser("train", help="learn from files, write a bundle")
    add_events(command)
    add_training(command)
    command.add_argument("--cutoff", help="learn from what was known before (default: the end)")
    command.add_argument("--out", required=True, metavar="FOLDER", help="the bundle's folder")
    command.set_defaults(run=commands.train)


def _evaluate(to: _Commands[Parser]) -> None:
    command = to.add_parser("evaluate", help="how good, beside the plain baselines")
    add_events(command)
    add_training(command)
    command.add_argument("--cutoff", required=True, help="predict what happened from here on")
    command.add_argument("--bundle", metavar="FOLDER", help="score this one; else fit first")
    command.add_argument("--groups", nargs="*", default=(), help="columns of the customers table")
    add_json_html(command)
    command.set_defaults(run=commands.evaluate)


def _suggest(to: _Commands[Parser]) -> None:
    command = to.add_parser("suggest", help="suggestions for customers, with reasons")
    add_events(command, optional=True)
    add_bundle_source(command)
    command.add_argument("--customer", nargs="+", metavar="ID", help="only these customers")
    command.add_argument("--n", type=int, default=3, help="suggestions a customer (1 to 32)")
    command.add_argument("--audience", choices=("customer", "staff"), default="staff")
    add_output(command)
    command.set_defaults(run=commands.suggest)


def _rank_at_risk(to: _Commands[Parser]) -> None:
    command = to.add_parser(
        "rank-at-risk", help="customers at risk, by value at risk; or a plan of service levels"
    )
    add_events(command, optional=True)
    add_bundle_source(command)
    ranking = command.add_argument_group("a ranking")
    ranking.add_argument("--top", type=int, help=f"customers (default: {at_risk.TOP})")
    ranking.add_argument("--budget", type=float, help="what all contacts may cost together")
    ranking.add_argument("--cost", type=float, help="of one contact")
    ranking.add_argument("--save-probability", type=float, help="that a contact keeps a leaver")
    ranking.add_argument("--explain", action="store_true", help="add the facts behind each row")
    plan = command.add_argument_group(
        "or a plan", "Objections, channels and entitled levels come from --customers FILE."
    )
    plan.add_argument("--levels", metavar="FILE", help="a contact plan, TOML")
    plan.add_argument(
        "--everybody", action="store_true",
        help="also who is not contacted, and why; those who object are only counted",
    )  # fmt: skip
    plan.add_argument("--win-back", metavar="FILE", help="departed customers, best first")
    add_output(command)
    command.set_defaults(run=at_risk.rank_at_risk)


def _brief(to: _Commands[Parser]) -> None:
    add_brief(to.add_parser("brief", help="what staff should see of one customer, JSON or a page"))


def _bundle(to: _Commands[Parser]) -> None:
    what = "look into a bundle, verify it, compare, forget, ask for its health"
    add_health(add_bundle(to.add_parser("bundle", help=what)))


def _serve(to: _Commands[Parser]) -> None:
    add_serving(to.add_parser("serve", help="answer over HTTP (extra: serve)"))
