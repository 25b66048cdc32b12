"""Every array that a scorer reads: its type, its shape, what must hold of its values.

Reads  nothing; a table.
Gives  ``GROUPS``: of each purpose the arrays that are stored together. A new array is one line
       here and one in ``docs/bundle.md``, which a test holds against each other.
Never  a model part ``model_part_*``: ``serving.checks.models`` knows them by their shape.

A shape is written as words: ``"n_items + 1, 5"``. A word that the manifest does not fix takes
its number from the first array that has it; ``?`` is any number, ``n_events or 1`` a column that
may be stored as one value.
"""

from __future__ import annotations

from typing import NamedTuple

from ...kernels.fit import COLUMNS as SLIP_COLUMNS
from ...kernels.fit import KINDS as FIT_KINDS
from ...kernels.fit import WIDTH
from ...kernels.next_gap import VISIT_EDGES
from ...kernels.repeats import COLUMNS as REPEAT_COLUMNS
from ...kernels.return_risk import COLUMNS as RISK_COLUMNS
from .rules import (
    ANYTHING,
    AT_LEAST_0,
    AT_LEAST_1,
    COUNT,
    FINITE,
    FINITE_OR_UNKNOWN,
    POSITIVE,
    POSITIVE_OR_UNKNOWN,
    ROW,
    ROW_OR_NONE,
    SHARE,
    SHARE_ABOVE_0,
    SHARE_WITHIN,
    THRESHOLD,
    Codes,
    Flags,
    Numbers,
    Offsets,
    Rule,
)

MOST = 32  # candidates a customer has


class Stored(NamedTuple):
    """One array."""

    dtype: str
    shape: str
    rule: Rule


class Group(NamedTuple):
    """Arrays stored together under ``prefix``: those of one of the forms, all or none."""

    prefix: str
    forms: tuple[dict[str, Stored], ...]
    optional: bool = False


def _index(name: str) -> Group:
    """Ids and their codes: whole numbers, or text."""
    text = {
        "bytes": Stored("|u1", "?", ANYTHING),
        "codes": Stored("<i4", name, ANYTHING),
        "hashes": Stored("<u8", name, ANYTHING),
        "offsets": Stored("<i8", f"{name} + 1", ANYTHING),
    }
    whole = {"ids": Stored("<i8 or <u8", name, ANYTHING)}
    return Group(f"{name.removeprefix('n_')}__", (text, whole))


def _group(prefix: str, optional: bool = False, **arrays: Stored) -> Group:
    return Group(prefix, (arrays,), optional)


def _needs(size: str) -> dict[str, Stored]:
    return {
        "because": Stored("<i4", size, Codes("n_items", -1)),
        "fact": Stored("<f8", size, COUNT),
        "item": Stored("<i4", size, Codes("n_items")),
        "log_odds": Stored("<f8", size, FINITE),
        "source": Stored("|i1", size, Codes("n_sources")),
    }


def _whole(size: str = "1") -> Stored:
    return Stored("<f8", size, FINITE)


def _by_item(rule: Rule, more: str = "") -> Stored:
    return Stored("<f8", f"n_items + 1{more}", rule)


_GAPS = {
    "next_share": _by_item(SHARE_ABOVE_0, f", {len(VISIT_EDGES)}"),
    "prior_scale_days": _by_item(POSITIVE),
    "prior_shape": _by_item(POSITIVE),
    "shape": _by_item(POSITIVE),
}
_ORDERS = {name: stored._replace(shape=stored.shape.replace("n_items + 1", "n_order_rows"))
           for name, stored in _GAPS.items()}  # fmt: skip
_LOG_ORDERS = {
    "kept": Stored("<f8", "n_order_rows", SHARE),
    "mean_gaps": Stored("<f8", "n_order_rows", POSITIVE),
    "mean_log": Stored("<f8", "n_order_rows", FINITE_OR_UNKNOWN),
    "next_share": _ORDERS["next_share"],
    "sd_gaps": Stored("<f8", "n_order_rows", POSITIVE),
    "sd_log": Stored("<f8", "n_order_rows", POSITIVE),
}
_LINES = {
    f"{kind}_{name}": Stored("<f8", shape, FINITE)
    for kind in ("own", "other")
    for name, shape in (
        ("intercept", "1"),
        ("knots", f"{len(REPEAT_COLUMNS)}, n_knots_{kind}"),
        ("values", f"{len(REPEAT_COLUMNS)}, n_knots_{kind}"),
    )
}
_N_RISK = str(len(RISK_COLUMNS))
_RISKS = {
    f"{level}.{name}": Stored("<f8", shape, FINITE if shape == "1" else ANYTHING)
    for level in ("cart", "customer")
    for name, shape in (
        ("centre", _N_RISK),
        ("coefficient", _N_RISK),
        ("fill", _N_RISK),
        ("intercept", "1"),
        ("scale", _N_RISK),
    )
}

GROUPS = (
    *(_index(name) for name in ("n_customers", "n_items", "n_orders", "n_channels", "n_reasons")),
    Group(
        "candidates__",
        (
            {
                "offsets": Stored("<i8", "n_customers + 1", Offsets("n_candidates", MOST)),
                **_needs("n_candidates"),
            },
        ),
    ),
    Group("newcomers__", (_needs("n_newcomers"),)),
    _group(
        "neighbours__",
        item=Stored("<i4", "n_neighbours", Codes("n_items")),
        offsets=Stored("<i8", "n_items + 1", Offsets("n_neighbours")),
        weight=Stored("<f8", "n_neighbours", FINITE),
    ),
    _group("prior__", log_odds=_by_item(FINITE)),
    _group(
        "churn__",
        offset=Stored("<f8", "n_customers", FINITE),
        offset_later=Stored("<f8", "n_customers", FINITE),
    ),
    _group("customer__", flags=Stored("|u1", "n_customers", Numbers(0, 3, "flags from 0 to 3"))),
    _group(
        "events__",
        channel=Stored("<i2", "n_events or 1", Codes("n_channels", -1)),
        day=Stored("<i4", "n_events or 1", ANYTHING),
        event=Stored("|i1", "n_events or 1", Codes("n_event_names")),
        event_id=Stored("<i4", "n_events or 1", Numbers(-1, 2**31, "codes from -1 on")),
        gift=Stored("|b1", "n_events or 1", Flags()),
        item=Stored("<i4", "n_events or 1", Codes("n_items", -1)),
        offsets=Stored("<i8", "n_customers + 1", Offsets("n_events")),
        order=Stored("<i4", "n_events or 1", Codes("n_orders", -1)),
        price=Stored("<f8", "n_events or 1", FINITE_OR_UNKNOWN),
        quantity=Stored("<f8", "n_events or 1", AT_LEAST_0),
        reason=Stored("<i4", "n_events or 1", Codes("n_reasons", -1)),
        timestamp=Stored("<i8", "n_events or 1", ANYTHING),
        undone_at=Stored("<i8", "n_events or 1", ANYTHING),
        value=Stored("<f8", "n_events or 1", FINITE_OR_UNKNOWN),
    ),
    _group(
        "habits__",
        last_cart=Stored("<i8", "n_customers", ANYTHING),
        n_later=Stored("<i8", "n_customers", COUNT),
        n_owned=Stored("<i8", "n_customers", COUNT),
        n_repeats=Stored("<i8", "n_customers", COUNT),
    ),
    _group(
        "holdings__",
        first_row=Stored("<i4", "n_holdings", ROW),
        in_batches=Stored("|b1", "n_holdings", Flags()),
        item=Stored("<i4", "n_holdings", Codes("n_items")),
        kept_first_row=Stored("<i4", "n_holdings", ROW_OR_NONE),
        kept_row=Stored("<i4", "n_holdings", ROW_OR_NONE),
        kept_visit_row=Stored("<i4", "n_holdings", ROW_OR_NONE),
        kept_visits=Stored("<i4", "n_holdings", AT_LEAST_1),
        last_row=Stored("<i4", "n_holdings", ROW),
        log_odds=Stored("<f8", "n_holdings", FINITE),
        n_visits=Stored("<i4", "n_holdings", AT_LEAST_1),
        offsets=Stored("<i8", "n_customers + 1", Offsets("n_holdings")),
    ),
    _group(
        "item_names__",
        optional=True,
        bytes=Stored("|u1", "n_name_bytes", ANYTHING),
        offsets=Stored("<i8", "n_items + 1", Offsets("n_name_bytes")),
    ),
    _group(
        "levels__",
        optional=True,
        bytes=Stored("|u1", "n_level_bytes", ANYTHING),
        code=Stored("<i4", "n_customers", Codes("n_levels", -1)),
        offsets=Stored("<i8", "n_levels + 1", Offsets("n_level_bytes")),
    ),
    _group("value__", optional=True, edges=Stored("<f8", "2", AT_LEAST_0)),
    Group("model_next_order__", (_ORDERS, _LOG_ORDERS), optional=True),
    Group("model_timer__", (_GAPS,)),
    _group("model_churn__", parameters=Stored("<f8", "16", ANYTHING)),
    _group(
        "model_guard__",
        optional=True,
        accepted_share=Stored("<f8", "1", SHARE_WITHIN),
        again_log_rate=_by_item(FINITE),
        consumable=Stored("|b1", "n_items + 1", Flags()),
        lifetime_days=_by_item(POSITIVE_OR_UNKNOWN),
        log_buyers=_by_item(FINITE),
        log_recent=_by_item(FINITE),
        mistake_rate=_by_item(POSITIVE),
        quick=Stored("<f8", "4", POSITIVE),
        repeat_log_odds=_by_item(FINITE),
        repeat_share=_by_item(SHARE),
        shadow=Stored("|b1", "1", Flags()),
        speaking=Stored("<f8", "7", THRESHOLD),
        substitute_rate=_by_item(POSITIVE),
        substitutes=Stored("<i4", "n_items + 1, ?", Codes("n_items", -1)),
        usual_quantity=_by_item(POSITIVE),
        **_GAPS,
        **_LINES,
    ),
    Group(
        "model_return_guard__",
        (
            {
                "category": Stored("<i8", "n_items", Numbers(-1, 2**31, "codes from -1 on")),
                "log_price": _by_item(FINITE_OR_UNKNOWN),
                "log_quantity": _by_item(FINITE),
                "pairs.back": Stored("<i8", "n_kept_pairs", Codes("n_items")),
                "pairs.kept": Stored("<i8", "n_kept_pairs", Codes("n_items")),
                "pairs.n": Stored("<i8", "n_kept_pairs", COUNT),
                "settings": Stored("<f8", "5", THRESHOLD),
                "share": _by_item(SHARE_WITHIN),
                "thing": Stored("<i8", "n_items", Codes("n_things", -1)),
                **_RISKS,
            },
        ),
        optional=True,
    ),
    Group(
        "model_fit_guard__",
        (
            {
                "alternatives": Stored("<i4", f"n_items + 1, {WIDTH}", Codes("n_items", -1)),
                "chance": _by_item(FINITE, f", {WIDTH}"),
                "log_pieces": _by_item(FINITE),
                "moved": _by_item(COUNT, f", {WIDTH}"),
                "n_kept": _by_item(COUNT),
                "n_lines": _by_item(COUNT),
                "price": _by_item(FINITE_OR_UNKNOWN),
                "settings": Stored("<f8", "4", AT_LEAST_0),
                "share": _by_item(SHARE),
                "slip.coefficient": _whole(str(len(SLIP_COLUMNS))),
                "slip.intercept": _whole(),
                "slip.threshold": Stored("<f8", str(len(FIT_KINDS)), THRESHOLD),
            },
        ),
        optional=True,
    ),
)
