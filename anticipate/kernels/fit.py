"""Is there a better-suited item, and is this number of pieces meant?

Reads  one or many customers' events, cart lines with prices, tables by item.
Gives  per line: which of the two may be said, its probability, the alternative, usual pieces.
Never  an alternative that costs more than the line, stands in the cart or is known to the
       customer; one for a gift, or for who objects to marketing.

Usual pieces of item i for a customer, as logarithms of pieces:
    h = (sum_own + W_OWN (m_i + r)) / (n_own + W_OWN),   r = sum_all(log q - m) / (n_all + W_ALL)
m the items' means, r how much more than usual this customer takes, own the lines of item i.
P(slip) is an additive log-odds of a few columns of log q - h, for lines far above h only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .events import Events
from .fit_past import MILLIONTHS, FitPast, find_past
from .owned import Lines

Array = NDArray[Any]
Floats = NDArray[np.float64]
KINDS = (None, "better_fit", "quantity_slip")
NONE, BETTER_FIT, QUANTITY_SLIP = range(len(KINDS))
TWO = np.int8(QUANTITY_SLIP)
WIDTH = 4  # alternatives kept by item
W_OWN = 1.0  # lines that speak for what is usual elsewhere
FAR_ABOVE = 2.5  # times the usual pieces: below it no slip is looked for
MOST_OVER = 7.0  # bound of log q - h
PRICE_SLACK = 1.0 + 1e-9
SAME_THING = 1.0 / 3.0  # of the price: what costs less is another kind of thing
COLUMNS = ("log_over", "log_pieces", "log_n_own")


class FitItems(NamedTuple):
    """By item, (n_items + 1, ...); the last row speaks for items never seen."""

    log_pieces: Floats  # mean log pieces of a line, whole millionths
    price: Floats  # usual price per piece; NaN unknown
    share: Floats  # of its lines that came back, shrunken
    n_lines: Floats  # bought
    n_kept: Floats  # of them, not sent back
    alternatives: Array  # int32 (n_items + 1, 4), best first; -1 none
    chance: Floats  # (n_items + 1, 4): P(item comes back) - P(alternative does), calibrated
    moved: Floats  # (n_items + 1, 4): customers who went over to it

    @classmethod
    def from_mapping(cls, arrays: Mapping[str, Array]) -> FitItems:
        return cls(*(np.asarray(arrays[name]) for name in cls._fields))


class SlipModel(NamedTuple):
    """Log-odds that nearly all pieces come back, and the chances from which to speak."""

    coefficient: Floats  # (3,): ``COLUMNS``
    intercept: Floats  # (1,)
    threshold: Floats  # (3,): by kind, inf = silent; the first is never read


class FitTables(NamedTuple):
    """All that ``check_fit`` knows beside the customer."""

    items: FitItems
    slip: SlipModel


class FitFindings(NamedTuple):
    """Per line, (n,)."""

    kind: Array  # int8, position in KINDS
    probability: Floats  # 0 where kind is NONE
    alternative: Array  # int64 item code, -1 none
    usual: Floats  # whole pieces, at least 1
    row: Array  # int64: the customer's latest line of this item, -1 none
    warn: Array  # bool: from its kind's threshold on


class Looked(NamedTuple):
    """What both kinds are judged by, (n,)."""

    line: Array  # the item's row of the table
    pieces: Floats  # log
    habit: Floats  # log of the usual pieces
    usual: Floats  # whole pieces
    far: Array  # bool: pieces far above the usual
    n_own: Array  # own earlier lines of the item
    row: Array  # the latest of them
    has: Array  # bool: there is an alternative
    place: Array  # its column in the item's row


def check_fit(
    events: Events,
    returned: Array,
    lines: Lines,
    price: Floats,
    *,
    tables: FitTables,
    objects: Array,
    marketing: Array,
) -> FitFindings:
    """Which lines may have a better alternative, or pieces that are not meant.

    Parameters
    ----------
    events : Events
        Of customers 0..m-1; only what was known before a line counts for it.
    returned : array of shape (n_events,)
        Pieces of each purchase that came back (``ReturnMatch.returned``).
    lines : Lines
    price : array of shape (n,)
        Per piece, NaN unknown: the item's usual price stands in.
    tables : FitTables
    objects, marketing : bool arrays of shape (m,)
        Objects to profiling: nothing of the own past is used. To marketing: no better fit.

    Returns
    -------
    FitFindings
        Independent of other customers and of the order of lines. Where both kinds may be said,
        the slip comes first unless the better fit alone passes its threshold.
    """
    looked = look(
        events, returned, lines, price, items=tables.items, objects=objects, marketing=marketing
    )
    model, line = tables.slip, looked.line
    p_slip = slip_chance(model, looked)
    p_fit = tables.items.chance[line, looked.place] * looked.has
    _, least_fit, least_slip = model.threshold.tolist()  # plain numbers are faster
    slips, fits = p_slip >= least_slip, p_fit >= least_fit
    slip = looked.far & (slips | ~fits)
    fit = (p_fit > 0) & ~slip
    return FitFindings(
        kind=fit + slip * TWO,
        probability=np.where(slip, p_slip, p_fit),
        alternative=np.where(fit, tables.items.alternatives[line, looked.place], -1),
        usual=looked.usual,
        row=looked.row,
        warn=(slip & slips) | (fit & fits),
    )


def look(
    events: Events,
    returned: Array,
    lines: Lines,
    price: Floats,
    *,
    items: FitItems,
    objects: Array,
    marketing: Array,
) -> Looked:
    """Columns of pieces, and the first alternative that may be named."""
    line = np.minimum(lines.item, len(items.price) - 1)
    asked = items.alternatives[line]
    past = find_past(
        events, returned, lines, log_pieces=items.log_pieces, asked=asked, objects=objects
    )
    pieces, habit = np.log(lines.quantity), _habit(past, items.log_pieces[line])
    usual = np.maximum(np.rint(np.exp(habit)), 1.0)
    limit = np.where(np.isnan(price), items.price[line], price) * PRICE_SLACK
    closed = lines.gift | marketing[lines.customer] | past.dismissed
    limit, other = limit[:, None], items.price[asked]  # of -1 NaN: never at most the limit
    able = (other <= limit) & (other >= SAME_THING * limit) & ~(past.barred | closed[:, None])
    return Looked(
        line,
        pieces,
        habit,
        usual,
        far=(lines.quantity >= FAR_ABOVE * usual) & ~past.dismissed,
        n_own=past.n_own,
        row=past.row,
        has=np.asarray(able.any(axis=1)),
        place=able.argmax(axis=1),
    )


def _habit(past: FitPast, usual: Floats) -> Floats:
    """Logarithm of the usual pieces; ``usual`` of the item, in millionths."""
    return (past.own + W_OWN * (usual + past.more)) / ((past.n_own + W_OWN) * MILLIONTHS)


def slip_chance(model: SlipModel, looked: Looked) -> Floats:
    """P that nearly all pieces come back; 0 where the number is not far above the usual."""
    if not looked.far.any():
        return np.zeros(len(looked.far))
    total: Any = model.intercept.item()
    for weight, column in zip(model.coefficient.tolist(), slip_columns(looked), strict=True):
        total = total + weight * column
    return looked.far / (1.0 + np.exp(-total))


def slip_columns(looked: Looked) -> tuple[Floats, ...]:
    """``COLUMNS``, (n,) each."""
    over = np.minimum(looked.pieces - looked.habit, MOST_OVER)
    return over, looked.pieces, np.log(looked.n_own + 1.0)


class Offer(NamedTuple):
    """What a better fit is offered with; the line's own item first."""

    shares: tuple[float, float]  # that came back
    prices: tuple[float, float]
    evidence: dict[str, Any]  # all of it by name, JSON-ready


def offer_of(items: FitItems, item: int, other: int, price: float) -> Offer:
    """Of the alternative ``other`` to ``item``; ``price`` is the line's, NaN: the usual one."""
    shares = (float(items.share[item]), float(items.share[other]))
    prices = (float(items.price[item] if np.isnan(price) else price), float(items.price[other]))
    place = int(np.flatnonzero(items.alternatives[item] == other)[0])
    evidence = {
        "price": prices[1],
        "return_share": shares[1],
        "n_bought": int(items.n_lines[other]),
        "n_kept": int(items.n_kept[other]),
        "n_moved": int(items.moved[item, place]),
        "instead_of": {"price": prices[0], "return_share": shares[0]},
    }
    return Offer(shares, prices, evidence)
