"""Which arrays of a bundle have rows of customers, and of what kind.

Reads  the table of arrays (``serving.checks.schema``), and names of model parts' arrays.
Gives  for each name its ``Rows``; None for one that this version does not know.
Never  a guess: what forgets customers stops at an array that is not known here.

What a scorer reads is told from its shape: an axis of ``n_customers``, or of the things that
offsets by customer divide. Of model parts every field is listed, those about items or the shop
too: that is how an array of customers' rows cannot slip past.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import NamedTuple

from .checks.rules import Codes, Offsets
from .checks.schema import GROUPS, Stored

CUSTOMERS = "customers"  # the id index; an id's rank is the customer's code
TEXTS = ("bytes", "codes", "hashes", "ids", "offsets")  # of an id index, or of packed texts
_BOUNDS = "n_customers + 1"


class Kind(Enum):
    """How an array's rows belong to customers."""

    INDEX = "the customers' ids"
    ONE_EACH = "a row for each customer"
    OFFSETS = "where each customer's run of rows begins"
    RUNS = "a run of rows for each customer"
    WORDS = "texts that only rows of customers name, by code"
    REFERENCES = "rows of a model's reference customers, with their ids"
    NONE = "about items or the shop"


_OF_CUSTOMERS = (Kind.ONE_EACH, Kind.RUNS)


class Rows(NamedTuple):
    """Of one array."""

    kind: Kind
    runs: str = ""  # the array with its offsets
    words: str = ""  # the group of the texts that its values are codes of; of texts, their own


def rows_of(name: str) -> Rows | None:
    """What an array's rows are; None of an unknown one.

    Examples
    --------
    >>> rows_of("churn__offset").kind, rows_of("events__order").runs, rows_of("diary__bytes")
    (<Kind.ONE_EACH: 'a row for each customer'>, 'events__offsets', None)
    """
    found = _READ.get(name)
    if found is None:
        found = next((rows for pattern, rows in _PARTS if pattern.fullmatch(name)), None)
    return found


def unknown_arrays(names: Iterable[str]) -> list[str]:
    """Names of which nothing is known, sorted."""
    return sorted(name for name in names if rows_of(name) is None)


def _read_by_scorers() -> dict[str, Rows]:
    """The table of arrays, told apart: first rows of customers, then the texts they name."""
    every = [
        (group.prefix.removesuffix("__"), name, stored)
        for group in GROUPS
        for form in group.forms
        for name, stored in form.items()
    ]
    runs, texts = {}, {}
    for group, name, stored in every:
        if name == "offsets" and isinstance(stored.rule, Offsets) and stored.shape == _BOUNDS:
            runs[stored.rule.of] = f"{group}__{name}"
        elif name == "offsets":
            texts[stored.shape.removesuffix(" + 1")] = group
    told = {f"{group}__{name}": (group, name, _told(group, name, stored, runs, texts))
            for group, name, stored in every}  # fmt: skip
    named = {rows.words for _, _, rows in told.values() if rows.kind in _OF_CUSTOMERS}
    found = {full: _with_texts(*one, named) for full, one in told.items()}
    return {name: rows for name, rows in found.items() if rows is not None}


def _told(
    group: str, name: str, stored: Stored, runs: dict[str, str], texts: dict[str, str]
) -> Rows:
    """By its first axis and by what its values are codes of."""
    if group == CUSTOMERS and name in TEXTS:
        return Rows(Kind.INDEX)
    axis = stored.shape.partition(", ")[0].removesuffix(" or 1")
    kinds = {"n_customers": Kind.ONE_EACH, _BOUNDS: Kind.OFFSETS}
    kind = Kind.RUNS if axis in runs else kinds.get(axis, Kind.NONE)
    of = stored.rule.of if isinstance(stored.rule, Codes) else ""
    words = CUSTOMERS if of == "n_customers" else texts.get(of, "")
    return Rows(kind, runs.get(axis, ""), "" if of == "n_items" else words)


def _with_texts(group: str, name: str, rows: Rows, named: set[str]) -> Rows | None:
    """None where codes would have to be followed that nothing here follows."""
    if rows.words == CUSTOMERS:
        return None
    if rows.kind is not Kind.NONE:
        return rows
    if group in named and name in TEXTS:
        return Rows(Kind.WORDS, words=group)
    return None if rows.words in named - {""} else Rows(Kind.NONE)


_INDEX = r"(bytes|codes|hashes|ids|offsets)"
_SPARSE = r"_(items|offsets|values)"
_LINEAR = r"(centre|coefficient|fill|intercept|scale)"
_TREES = r"(baseline|children|feature|missing_left|n_features|threshold|tree_offsets|value)"
_GAPS = r"(next_share|prior_scale_days|prior_shape|shape)"
_SOURCES = (
    rf"(affinity\.(band|bands|best{_SPARSE}|category|share|shelf)|(bm25|cosine)\.similar{_SPARSE}"
    rf"|ease\.(covers|weights{_SPARSE})|factors\.(items|penalty|vectors)|follows\.after{_SPARSE}"
    rf"|traits\.(shares{_SPARSE}|values\.{_INDEX})|[a-z0-9_]+\.here)"
)
_REFERENCES = (
    r"needs__tables_source\.(next_baskets|tifu|up_cf)\."
    rf"(by_item{_SPARSE}|came_next{_SPARSE}|ids\.{_INDEX}|lately{_SPARSE}|owner)"
)
_NOT_OF_CUSTOMERS = (
    rf"(fit|guard|returns|timing)__ids\.{_INDEX}",
    r"churn__(json|parameters|reference|describer\.mean_gap_days|spread\.(btyd|numbers))",
    r"churn__describer\.btyd\.(fit|parameters|regular|settings)",
    rf"churn__(members|spread\.\d+)\.((hiatus|logistic)\.{_LINEAR}|boosted\.{_TREES})",
    r"fit__(alternatives|chance|log_pieces|moved|n_kept|n_lines|price|settings|share)",
    r"fit__slip\.(coefficient|intercept|threshold)",
    rf"guard__({_GAPS}|(other|own)_(intercept|knots|values)|accepted_share|again_log_rate)",
    r"guard__(consumable|lifetime_days|log_buyers|log_recent|mistake_rate|money|quick)",
    r"guard__(repeat_log_odds|repeat_share|shadow|speaking|substitute_rate|substitutes)",
    r"guard__usual_quantity",
    r"returns__(log_price|log_quantity|pairs\.(back|kept|n)|settings|share)",
    rf"returns__(cart|customer|staff)\.{_LINEAR}",
    rf"timing__((customer\.)?({_GAPS}|kept|mean_gaps|mean_log|sd_gaps|sd_log)|report)",
    rf"needs__(new|own|tail)_(head|intercept|offset|weights|{_TREES})",
    rf"needs__(cart_pairs{_SPARSE}|cutoff|head|newcomer|shifts)",
    rf"needs__ratings_(item_bias|judged|scale|shrinkage|similar{_SPARSE})",
    rf"needs__tables_(alike{_SPARSE}|categories_(code|trend)|clock|items\.{_INDEX}|middle)",
    r"needs__tables_(n_items|next_basket|text_customers)",
    r"needs__tables_popular_(active|before|buyers|first_log_odds|last_sold|lately|log_odds)",
    r"needs__tables_popular_(order|recent|share)",
    r"needs__tables_repeats_(log_gap|log_gap_sd|rate|share|units)",
    rf"needs__tables_source\.{_SOURCES}",
)


def _parts() -> Iterator[tuple[re.Pattern[str], Rows]]:
    """Fitted parts, that training is taken up again with: ``model_part_*``."""
    for pattern in _NOT_OF_CUSTOMERS:
        yield re.compile(f"model_part_{pattern}"), Rows(Kind.NONE)
    yield re.compile(f"model_part_{_REFERENCES}"), Rows(Kind.REFERENCES)


_READ = _read_by_scorers()
_PARTS = tuple(_parts())
