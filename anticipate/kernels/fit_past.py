"""What customers themselves did before their cart lines: pieces they take, items they know.

Reads  events of any customers, what of them came back, cart lines, alternatives asked for.
Gives  per line: counts and sums of own lines, the last one of the item, which alternatives are
       known to the customer already.
Never  an event at or after a line or not known by then; a float sum over a past: logarithms of
       pieces are whole millionths, so that sums are exact alone, in a batch and on both roads.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .answers import DISMISSED_CODE
from .events import PURCHASE_CODE, Events
from .owned import Lines
from .returns import CANCEL_CODE, RETURN_CODE

Array = NDArray[Any]
Floats = NDArray[np.float64]
RATING_CODE, NOT_INTERESTED_CODE = 9, 11  # in columns.EVENTS; held by a test
MILLIONTHS = 1e6
W_ALL = 3.0  # lines that say that a customer takes as many pieces as others
NEARLY_ALL = 0.8  # of a line's pieces: from there on it came back as a whole
_KNOWN = np.zeros(128, dtype=bool)  # by event code: whoever did this knows the item already
_KNOWN[[PURCHASE_CODE, RETURN_CODE, CANCEL_CODE, RATING_CODE, NOT_INTERESTED_CODE]] = True


class FitPast(NamedTuple):
    """Of each line's customer, known before the line; (n,) but for ``barred``."""

    more: Floats  # log pieces above the items' usual, mean of own kept lines, shrunken; millionths
    n_own: Array  # own kept lines of the line's item
    own: Floats  # their log pieces, summed; millionths
    row: Array  # int64: the latest of them, -1 none
    dismissed: Array  # bool: a warning of this item was dismissed
    barred: Array  # bool (n, w): alternatives in the cart, bought, sent back, rated or refused


def log_millionths(pieces: Floats) -> Floats:
    """Logarithm in whole millionths; as float64, whose sums of whole numbers are exact."""
    return np.asarray(np.rint(np.log(pieces) * MILLIONTHS))


def find_past(
    events: Events,
    returned: Array,
    lines: Lines,
    *,
    log_pieces: Floats,
    asked: Array,
    objects: Array,
) -> FitPast:
    """The past of each line. ``log_pieces`` (n_items + 1,) millionths; ``asked`` (n, w) codes.

    Items at or past the table's last row have no past of their own. Who objects has none.
    """
    if events.n_customers == 1 and _is_one_cart_after(events, lines.timestamp):
        return _of_one_cart(events, returned, lines.item, log_pieces, asked, not objects[0])
    return _of_many(events, returned, lines, log_pieces=log_pieces, asked=asked, objects=objects)


def _is_one_cart_after(events: Events, timestamp: Array) -> bool:
    """All lines at one instant, all events known before it."""
    if not len(timestamp):
        return False
    first, n = int(timestamp[0]), events.n
    if n and events.timestamp[n - 1] >= first:  # rows are sorted by time within a customer
        return False
    if n and events.known_at is not events.timestamp and events.known_at.max() >= first:
        return False
    return bool((timestamp == first).all())


def _of_one_cart(
    events: Events,
    returned: Array,
    asked_item: Array,
    log_pieces: Floats,
    asked: Array,
    personal: bool,
) -> FitPast:
    """The short road: one customer, one cart, all events before it. Tables instead of sorting."""
    n, last = len(asked_item), len(log_pieces) - 1
    item = np.minimum(asked_item, last)
    known = np.zeros(last + 1, dtype=bool)
    if not (personal and events.n):
        known[item] = True
        zero, none = np.zeros(n), np.zeros(n, dtype=bool)
        return FitPast(zero, zero, zero, np.full(n, -1), none, known[asked])
    kind, quantity, before = events.event, events.quantity, np.minimum(events.item, last)
    known[np.where(_KNOWN.take(kind), before, last)] = True
    known[last] = False
    known[item] = True
    slot = np.zeros(last + 1, dtype=np.uint8 if n < 256 else np.int32)  # cleared each time
    slot[item] = np.arange(1, n + 1)
    slot[last] = 0  # items never seen have no past of their own
    mine = slot[item]
    rows = ((kind == PURCHASE_CODE) & (returned < NEARLY_ALL * quantity)).nonzero()[0]
    bought = before.take(rows)
    pieces, where = log_millionths(quantity.take(rows)), slot.take(bought)
    own = where.nonzero()[0]
    place = where[own]
    latest = np.full(n + 1, -1)
    latest[place] = rows[own]  # ascending: the latest stays
    refused = (kind == DISMISSED_CODE).nonzero()[0]
    dismissed = np.zeros(n, dtype=bool)
    if len(refused):
        dismissed = (item[:, None] == before[refused]).any(axis=1) & (item < last)
    extra = np.add.reduce(pieces - log_pieces.take(bought))
    return FitPast(
        np.full(n, extra / (len(rows) + W_ALL)),
        np.bincount(place, minlength=n + 1)[mine],
        np.bincount(place, pieces[own], minlength=n + 1)[mine],
        latest[mine],
        dismissed,
        known[asked],
    )


def _of_many(
    events: Events,
    returned: Array,
    lines: Lines,
    *,
    log_pieces: Floats,
    asked: Array,
    objects: Array,
) -> FitPast:
    """The long road: any customers, any times."""
    n_items, at, who = len(log_pieces) - 1, lines.timestamp, lines.customer
    span = np.int64(n_items + 1)
    item = np.minimum(lines.item, n_items)
    all_items, time = (
        np.minimum(events.item, n_items),
        np.maximum(events.timestamp, events.known_at),
    )
    seen = ~objects[events.customer] if objects.any() else np.ones(events.n, dtype=bool)
    kept = seen & (events.event == PURCHASE_CODE) & (returned < NEARLY_ALL * events.quantity)
    rows = np.flatnonzero(kept)
    key = events.customer[rows] * span + all_items[rows]
    pieces = log_millionths(events.quantity[rows])
    extra = pieces - log_pieces[all_items[rows]]
    one = np.ones(len(rows))
    n_lines, extra_sum = sums_before(events.customer[rows], time[rows], [one, extra], who, at)
    line_key = who * span + item
    n_own, own = sums_before(key, time[rows], [one, pieces], line_key, at)
    new = item == n_items
    latest = np.where(new, -1, latest_before(key, time[rows], rows, line_key, at))
    answers = seen & (events.event == DISMISSED_CODE)
    answer_key = (events.customer * span + all_items)[answers]
    dismissed = is_before(answer_key, time[answers], line_key, at) & ~new
    knows = seen & _KNOWN[events.event]
    wide_key = (who[:, None] * span + asked).ravel()
    barred = is_before(
        (events.customer * span + all_items)[knows],
        time[knows],
        wide_key,
        np.repeat(at, asked.shape[1]),
    ).reshape(asked.shape)
    return FitPast(
        extra_sum / (n_lines + W_ALL), np.where(new, 0, n_own), np.where(new, 0, own), latest,
        dismissed, barred | _in_cart(lines, item, asked, span),
    )  # fmt: skip


def _in_cart(lines: Lines, item: Array, asked: Array, span: np.int64) -> Array:
    """Which alternatives stand in the line's own cart."""
    carts = np.unique(
        np.column_stack([lines.customer, lines.timestamp]), axis=0, return_inverse=True
    )
    cart = np.asarray(carts[1]).reshape(-1).astype(np.int64)
    return np.asarray(np.isin(cart[:, None] * span + asked, cart * span + item))


def is_before(key: Array, time: Array, asked: Array, at: Array) -> NDArray[np.bool_]:
    """Whether any event of the asked key lies strictly before."""
    if not len(key):
        return np.zeros(len(asked), dtype=bool)
    order = np.lexsort((time, key))
    ordered = key[order]
    place = np.minimum(ordered.searchsorted(asked), len(key) - 1)  # its earliest
    return np.asarray((ordered[place] == asked) & (time[order[place]] < at))


def sums_before(
    key: Array, time: Array, values: list[Floats], asked: Array, at: Array
) -> list[Floats]:
    """Sums of whole-numbered values of the asked key's events strictly before each question."""
    order, start = _road(key, time, asked, at)
    found = []
    for one in values:
        whole = np.zeros(len(order))
        whole[: len(key)] = one
        total = np.concatenate(([0.0], np.cumsum(whole[order])))
        found.append(_answers(order, total[:-1] - total[start], len(key)))
    return found


def latest_before(key: Array, time: Array, row: Array, asked: Array, at: Array) -> Array:
    """The largest row of the asked key's events strictly before each question; -1 none."""
    order, start = _road(key, time, asked, at)
    rows = np.full(len(order), -1, dtype=np.int64)
    rows[: len(key)] = row
    wide = np.int64(rows.max(initial=0)) + 2
    base = start.astype(np.int64) * wide  # later groups lie above all earlier ones
    best = np.maximum.accumulate(base + rows[order] + 1) - base - 1
    return _answers(order, best, len(key))


def _road(key: Array, time: Array, asked: Array, at: Array) -> tuple[Array, Array]:
    """Events and questions by (key, time), at one instant questions first; each group's start."""
    is_event = np.arange(len(key) + len(asked)) < len(key)
    keys = np.concatenate([key, asked])
    order = np.lexsort((is_event, np.concatenate([time, at]), keys))
    ordered, place = keys[order], np.arange(len(order))
    new = np.ones(len(order), dtype=bool)
    new[1:] = ordered[1:] != ordered[:-1]
    return order, np.maximum.accumulate(np.where(new, place, 0))


def _answers(order: Array, ordered: Array, n_events: int) -> Array:
    found = np.empty_like(ordered)
    found[order] = ordered
    return found[n_events:]
