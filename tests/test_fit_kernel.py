"""The kernel of better fits and slips: usual pieces, what may be named, both roads alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from anticipate.columns import EVENT_CODES
from anticipate.guards.fit_items import fit_items
from anticipate.guards.fit_near import neighbour_pairs, switches
from anticipate.kernels import fit_past
from anticipate.kernels.events import Events
from anticipate.kernels.fit import FitItems, FitTables, SlipModel, check_fit
from anticipate.kernels.fit_past import MILLIONTHS, find_past, log_millionths
from anticipate.kernels.owned import Lines
from anticipate.log import InteractionLog
from anticipate.testing import random_log

END = "2025-06-01"
AT = pd.Timestamp(END, tz="UTC").value // 1000
SILENT = np.array([np.inf, 0.0, 0.0])


def small_log(text, **options):
    """A row per bar: customer item day event [pieces price]; days of 2025."""
    rows = [one.split() for one in text.split("|")]
    rows = [[*row, *["1", "5"][len(row) - 4 :]] if len(row) < 6 else row for row in rows]
    names = ["customer_id", "item_id", "timestamp", "event", "quantity", "price"]
    table = pd.DataFrame(rows, columns=names).astype({"quantity": float, "price": float})
    table["timestamp"] = "2025-" + table["timestamp"]
    named = {name: name for name in ("event", "quantity", "price")}
    return InteractionLog.from_frame(table, timezone="UTC", closed_until=END, **named, **options)


def table_of(n_items, alternatives=(), price=None, usual=1.0):
    rows = np.full((n_items + 1, 4), -1, dtype=np.int32)
    for row, others in enumerate(alternatives):
        rows[row, : len(others)] = others
    price = np.full(n_items, 5.0) if price is None else np.array(price)
    one = np.full(n_items + 1, 0.1)
    pieces = np.full(n_items + 1, log_millionths(np.float64(usual)))
    chance = np.where(rows >= 0, 0.1, 0.0)
    return FitItems(pieces, np.append(price, np.nan), one, one, one, rows, chance, chance)


def lines_of(items, pieces=None, *, gift=False, customer=0, at=AT):
    n = len(items)
    pieces = np.ones(n) if pieces is None else np.asarray(pieces, dtype=np.float64)
    who = np.broadcast_to(np.asarray(customer), n).astype(np.int64)
    return Lines(who, np.asarray(items), np.full(n, at), pieces, np.full(n, gift))


def asked(history, lines, items, *, objects=False, marketing=False, price=None):
    model = SlipModel(np.array([1.0, 0.0, 0.0]), np.array([-2.0]), SILENT)
    everyone = np.ones(history.n_customers, dtype=bool)
    return check_fit(
        history.events,
        history.returns.returned,
        lines,
        np.full(len(lines.item), np.nan) if price is None else np.asarray(price),
        tables=FitTables(items, model),
        objects=everyone & objects,
        marketing=everyone & marketing,
    )


def test_usual_pieces_by_hand():
    """Item usual 1 (log 0). ann took 4 teas twice, one of 9 came back: more = 2 log 4 / (2 + 3),
    h = (2 log 4 + (0 + more)) / (2 + 1) = log 4 * .8 = 1.109, so 3; of coffee more alone: 1.74."""
    history = small_log(
        "ann tea 01-01 purchase 4 | ann tea 02-01 purchase 4 | ann tea 03-01 purchase 9 |"
        "ann tea 03-02 return 9 | ann coffee 03-03 view"
    ).as_of(END)
    found = asked(history, lines_of([1, 0, 0, 1], [12, 3, 12, 3]), table_of(2))

    assert found.usual.tolist() == [3, 2, 2, 3]
    assert found.kind.tolist() == [2, 0, 2, 0]
    odds = np.log(12) - 0.8 * np.log(4) - 2.0
    assert found.probability[0] == pytest.approx(1 / (1 + np.exp(-odds)), abs=1e-6)
    assert history.events.timestamp[found.row[0]] < pd.Timestamp("2025-03-01").value // 1000


def test_what_is_known_dearer_or_in_the_cart_is_not_named():
    """Of a: b was bought, c rated, d costs 6, e is free to name; with e in the cart, none."""
    history = small_log(
        "ann b 01-01 purchase | ann c 01-02 rating | ann a 01-03 view | ann d 01-04 view |"
        "ann e 01-05 view"
    ).as_of(END)
    items = table_of(5, [[1, 2, 3, 4]], price=[5, 5, 5, 6, 4])
    alone = asked(history, lines_of([0]), items)
    beside = asked(history, lines_of([0, 4]), items)
    dear = asked(history, lines_of([0]), items, price=[20.0])
    cheap = asked(history, lines_of([0]), items, price=[3.0])

    assert alone.alternative.tolist() == [4]
    assert beside.alternative.tolist() == [-1, -1]
    assert dear.alternative.tolist() == [-1]  # less than a third of its price: another thing
    assert cheap.alternative.tolist() == [-1]


def test_gifts_and_objections_are_left_alone():
    history = small_log("ann b 01-01 purchase | ann a 02-01 purchase 9").as_of(END)
    items = table_of(2, [[1]])
    gift = asked(history, lines_of([0], gift=True), items)
    no_marketing = asked(history, lines_of([0], [3]), items, marketing=True)
    no_past = asked(history, lines_of([0], [3]), items, objects=True)

    assert gift.kind.tolist() == [0]
    assert no_marketing.kind.tolist() == [0]  # three are few for ann
    assert no_past.kind.tolist() == [2]  # and many for the item
    assert no_past.row.tolist() == [-1]
    assert asked(history, lines_of([0]), items, objects=True).alternative.tolist() == [1]


def test_who_dismissed_a_warning_of_the_item_is_left_alone():
    history = small_log("ann a 01-01 purchase | ann a 02-01 warning_dismissed").as_of(END)

    assert asked(history, lines_of([0, 0], [9, 1]), table_of(1)).kind.tolist() == [0, 0]


def test_codes_of_events_are_those_of_the_contract():
    assert EVENT_CODES["rating"] == fit_past.RATING_CODE
    assert EVENT_CODES["not_interested"] == fit_past.NOT_INTERESTED_CODE
    assert EVENT_CODES["warning_dismissed"] == fit_past.DISMISSED_CODE


def with_dismissals(log):
    events = log.as_of(log.end).events
    kinds = events.event.copy()
    kinds[::11] = EVENT_CODES["warning_dismissed"]
    item = np.maximum(events.item, 0)
    return replace(events, event=np.where(events.item < 0, events.event, kinds), item=item)


@pytest.mark.parametrize("seed", range(6))
def test_the_short_road_gives_the_bits_of_the_long_one(seed):
    """Every customer alone with one cart after all events, against all in one batch."""
    log = random_log(seed)
    history, rng = log.as_of(log.end), np.random.default_rng(seed)
    events, n_items = with_dismissals(log), history.n_items
    returned = history.returns.returned
    table = rng.integers(-1, n_items, (n_items + 1, 4)).astype(np.int32)
    m, n = events.n_customers, 12
    pieces = np.rint(rng.random(n_items + 1) * MILLIONTHS)
    who = np.repeat(np.arange(m), n)
    items = rng.integers(0, n_items + 3, m * n)
    at = int(np.maximum(events.timestamp, events.known_at).max()) + 1
    lines = lines_of(items, customer=who, at=at)
    none = np.zeros(m, dtype=bool)
    asked_for = table[np.minimum(items, n_items)]
    whole = find_past(events, returned, lines, log_pieces=pieces, asked=asked_for, objects=none)
    for code in range(m):
        rows = slice(events.offsets[code], events.offsets[code + 1])
        mine = who == code
        alone = find_past(
            only(events, rows), returned[rows], lines_of(items[mine], at=at),
            log_pieces=pieces, asked=asked_for[mine], objects=none[:1],
        )  # fmt: skip
        shift = int(events.offsets[code])
        for name, ours, other in zip(whole._fields, alone, whole, strict=True):
            one, theirs = ours, other[mine]
            if name == "row":
                theirs = np.where(theirs >= 0, theirs - shift, -1)
            if name == "barred":  # where nothing is asked for, no answer is read
                one, theirs = (each[asked_for[mine] >= 0] for each in (one, theirs))
            np.testing.assert_array_equal(one, theirs, err_msg=name)


def only(events, rows):
    n = rows.stop - rows.start
    columns = {
        name: column[rows] if name != "offsets" else np.array([0, n])
        for name, column in vars(events).items()
    }
    columns["customer"] = np.zeros(n, dtype=np.int32)
    if events.known_at is events.timestamp:
        columns["known_at"] = columns["timestamp"]
    return Events(**columns)


def test_events_at_or_after_a_line_do_not_count():
    """Lines of March and April, one of them at the very instant of a purchase."""
    history = small_log(
        "ann a 03-01 purchase 8 | ann a 04-01 purchase 8 | ann b 04-01 purchase"
    ).as_of(END)
    march, april = (
        pd.Timestamp(day, tz="UTC").value // 1000 for day in ("2025-03-01", "2025-04-01")
    )
    lines = lines_of([0, 0, 0])._replace(timestamp=np.array([march, april, AT]))
    found = find_past(
        history.events, history.returns.returned, lines, log_pieces=np.zeros(3),
        asked=np.array([[1], [1], [1]]), objects=np.zeros(1, dtype=bool),
    )  # fmt: skip

    assert found.n_own.tolist() == [0, 1, 2]
    assert found.barred.ravel().tolist() == [False, False, True]
    assert found.row.tolist() == [-1, 0, 1]


def test_who_went_over_is_counted_once_a_customer():
    """ann a -> b on later days twice (once), bob sent a back, bought b; cid bought both at once;
    dan after 70 days."""
    history = small_log(
        "ann a 01-01 purchase | ann b 01-05 purchase | ann b 01-06 purchase |"
        "bob a 01-01 purchase | bob a 01-03 return | bob b 01-03 purchase |"
        "cid a 01-01 purchase | cid b 01-01 purchase |"
        "dan a 01-01 purchase | dan b 03-12 purchase"
    ).as_of(END)
    start, end, back = switches(history.events, np.zeros(2, dtype=np.int64), days=60.0)

    assert list(zip(start.tolist(), end.tolist(), back.tolist(), strict=True)) == [
        (0, 1, False), (0, 1, False), (0, 1, True)
    ]  # fmt: skip


def test_neighbours_are_items_of_the_same_buyers():
    """Six bought a and b, five c alone: cosine 6 / 6, half-weighted at 5 common buyers: 6 / 11."""
    rows = "|".join(f"p{k} {i} 01-01 purchase" for k in range(6) for i in "ab")
    rows += "|" + "|".join(f"q{k} c 01-01 purchase" for k in range(5))
    history = small_log(rows).as_of(END)
    start, end, like = neighbour_pairs(history.purchases, 3)

    assert (start.tolist(), end.tolist()) == ([0, 1], [1, 0])
    assert like.tolist() == pytest.approx([6 / 11, 6 / 11])


def test_alternatives_come_back_less_cost_no_more_and_are_still_sold():
    """boots come back from 20 of 60, shoes from none; sandals neither, but they cost more; clogs
    are sold no more. Nothing comes back less often than shoes."""
    rows = []
    for k in range(60):
        rows += [f"p{k} boots 03-{1 + k % 28:02d} purchase 1 10", f"q{k} shoes 04-15 purchase 1 9"]
        rows += [f"r{k} sandals 04-15 purchase 1 11"]
        if k < 20:
            rows += [f"p{k} boots 03-29 return 1 10", f"c{k} clogs 01-01 purchase 1 9"]
    names = ["boots", "clogs", "sandals", "shoes"]
    items = pd.DataFrame({"item_id": names, "category": "feet"})
    history = small_log("|".join(rows), items=items).as_of(END)
    fits = fit_items(history, 30.0)

    assert fits.items.alternatives[:, 0].tolist() == [3, -1, -1, -1, -1]
    assert fits.items.alternatives[0].tolist() == [3, -1, -1, -1]
    assert fits.items.price[:4].tolist() == pytest.approx([10, 9, 11, 9])
