"""``anticipate rank-at-risk``: whom to contact, as a ranking or as a plan of service levels.

Reads  a bundle, what came since, what a contact costs and saves, or a plan's file.
Gives  a table; of a plan also an account on stderr.
Never  two ways at once; an option that is silently ignored.
"""

from __future__ import annotations

import argparse

from ..exceptions import ParameterError
from ..serving import Scorer
from .arguments import read_later
from .contact_plan import contact_plan
from .output import check_output, write_table
from .progress import show_steps

TOP = 500
_OF_A_RANKING = ("top", "budget", "cost", "save_probability", "explain")
_OF_A_PLAN = ("everybody", "win_back")


def rank_at_risk(arguments: argparse.Namespace) -> None:
    check_output(arguments.out)
    if arguments.levels is None:
        _refuse(arguments, _OF_A_PLAN, "are a plan's: give --levels FILE, too")
        if arguments.customers is not None:
            raise ParameterError(
                "--customers: a ranking takes objections from the bundle alone. Save the bundle "
                "anew with these attributes, or give --levels FILE."
            )
        _ranking(arguments)
    else:
        _refuse(arguments, _OF_A_RANKING, "are a ranking's; --levels FILE says all of it")
        contact_plan(arguments)


def _ranking(arguments: argparse.Namespace) -> None:
    scorer = Scorer.load(arguments.bundle, verify=arguments.verify)
    recent = read_later(arguments, scorer)
    with show_steps("rank-at-risk"):
        table = scorer.rank_at_risk(
            as_of=arguments.as_of,
            recent=recent,
            top=TOP if arguments.top is None else arguments.top,
            budget=arguments.budget,
            cost=arguments.cost,
            save_probability=arguments.save_probability,
            explain=arguments.explain,
        )
    write_table(table, arguments.out)


def _refuse(arguments: argparse.Namespace, names: tuple[str, ...], why: str) -> None:
    given = [name for name in names if getattr(arguments, name) not in (None, False)]
    if given:
        flags = ", ".join("--" + name.replace("_", "-") for name in given)
        raise ParameterError(f"{flags} {why}.")
