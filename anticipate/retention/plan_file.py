"""A contact plan written down: TOML in, ``ContactPlan`` out.

Reads  a file with one ``[plan]`` table and one ``[[level]]`` table per service level.
Gives  the plan they describe.
Never  a key that is silently ignored: an unknown one is an error.

    [plan]
    budget = 5000.0
    holdout = 0.05
    cool_down_days = 30

    [[level]]
    name = "Basic"
    cost = 0.5
    save_probability = 0.05
    channel = "email"
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..exceptions import ParameterError, ReadError
from .levels import Level
from .plan import ContactPlan
from .settings import check_levels, check_settings

_LEVEL_KEYS = ("name", "cost", "save_probability", "channel", "capacity")
_PLAN_KEYS = (
    "budget", "capacity", "eligible", "max_contacts", "contact_window_days", "cool_down_days",
    "holdout", "objective", "rank_by", "channel_column", "random_state",
)  # fmt: skip
MOST_BYTES, MOST_DOTS = 2**16, 100  # of a file, and of a line: the parser's time is their square
_PLACE = re.compile(r"at line \d+, column \d+|at end of document")


def read_plan(path: str | Path) -> ContactPlan:
    """The plan that a TOML file describes.

    Parameters
    ----------
    path : str or Path
        ``[plan]`` (optional): keys as :class:`ContactPlan`'s keywords; ``eligible`` is the name
        of a customers' attribute. ``[[level]]``, one or more: ``name, cost, save_probability``
        and, if wanted, ``channel, capacity``.

    Raises
    ------
    ReadError
        If there is no such file, or it is no TOML.
    ParameterError
        If a key is unknown, missing, or of a value that a plan cannot have: the message names
        the file and the key.
    """
    file = Path(path)
    found = _parsed(file)
    _check_keys(file, "the file", found, ("plan", "level"))
    settings, levels = found.get("plan", {}), found.get("level", [])
    if not isinstance(settings, Mapping):
        raise ParameterError(f"{file.name}: plan must be a table, [plan].")
    if not isinstance(levels, list) or not levels:
        raise ParameterError(f"{file.name}: no level. Add a [[level]] with name and cost.")
    _check_keys(file, "[plan]", settings, _PLAN_KEYS)
    if not isinstance(settings.get("eligible", ""), str):
        raise ParameterError(f"{file.name}: [plan] eligible must be a column's name, as text.")
    plan = ContactPlan([_level(file, i, one) for i, one in enumerate(levels, 1)], **settings)
    try:
        check_settings(plan)
        check_levels(plan.levels)
    except ParameterError as error:
        raise ParameterError(f"{file.name}: [plan] {error}") from None
    return plan


def _parsed(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise ReadError(f"cannot read {str(file)!r}: {error.strerror}. Name a TOML file.") from None
    if len(content) > MOST_BYTES:
        raise ReadError(f"{file.name}: more than {MOST_BYTES:,} bytes; a plan has fewer.")
    for number, line in enumerate(content.split(b"\n"), start=1):
        if line.count(b".") > MOST_DOTS:
            raise ReadError(f"{file.name}: line {number} has more dots than a line of a plan.")
    try:
        return tomllib.loads(content.decode("utf-8"))
    except UnicodeDecodeError:
        raise ReadError(f"{file.name}: not TOML: it is not UTF-8 text.") from None
    except (ValueError, RecursionError) as error:
        place = found[0] if (found := _PLACE.search(str(error))) else "somewhere"
        raise ReadError(f"{file.name}: not TOML ({place}).") from None


def _level(file: Path, number: int, table: Any) -> Level:
    where = f"[[level]] {number}"
    if not isinstance(table, Mapping):
        raise ParameterError(f"{file.name}: {where} must be a table.")
    _check_keys(file, where, table, _LEVEL_KEYS)
    missing = [key for key in ("name", "cost", "save_probability") if key not in table]
    if missing:
        raise ParameterError(f"{file.name}: {where} has no {missing}; found {sorted(table)}.")
    try:
        return Level(**table)
    except ParameterError as error:
        raise ParameterError(f"{file.name}: {where}: {error}") from None


def _check_keys(file: Path, where: str, table: Mapping[str, Any], known: tuple[str, ...]) -> None:
    unknown = sorted(set(table) - set(known))
    if unknown:
        raise ParameterError(
            f"{file.name}: {where} has unknown key(s) {unknown}; known are {sorted(known)}."
        )
