"""The rules of duplicate lines: probabilities by hand, what clears a line, and the laws."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from anticipate.columns import EVENTS
from anticipate.kernels import rules as kernel
from anticipate.kernels.clicks import QuickRates
from anticipate.kernels.events import PURCHASE_CODE
from anticipate.kernels.gap_learning import whole_table
from anticipate.kernels.owned import Lines, undone_times
from anticipate.kernels.repeats import COLUMNS, RepeatItems, RepeatModel, by_law_alone
from anticipate.kernels.rules import ItemRules, Tables
from anticipate.log import InteractionLog

START = pd.Timestamp("2025-01-01T12:00", tz="UTC")
DAY = pd.Timedelta(days=1)
ITEMS = ("ebook", "lamp", "print", "tea")
EBOOK, LAMP, PRINT, TEA = range(4)
# Within the hour 1 in 100 purchases is followed by a slip, 2 in 100 by a wish, both after 10
# minutes on average: P = 1/3 at any minute.
QUICK = QuickRates(0.01, 10.0, 0.02, 10.0)
# k = 1, A = 1, B = 30, pi = 1/2: rate in the day after c days, see the first test.
GAPS = whole_table(1.0, 1.0, 30.0, np.full(5, 0.5), n_items=4)
FLAT = RepeatModel(np.tile([0.0, 1.0], (len(COLUMNS), 1)), np.zeros((len(COLUMNS), 2)), np.zeros(1))


def item_rules(**changes):
    columns = {
        "mistake_rate": np.full(5, 0.001),  # a day owned, beside a model of the law alone
        "substitute_rate": np.full(5, 1.5),  # odds, beside a flat model: P = 3/5
        "consumable": np.array([False, False, False, True, False]),
        "lifetime_days": np.array([np.nan, 100.0, np.nan, np.nan, np.nan]),
        "usual_quantity": np.ones(5),
        "substitutes": np.array([[PRINT], [-1], [EBOOK], [-1], [-1]], dtype=np.int32),
    }
    return ItemRules(**{**columns, **changes})


def tables_of(rules=None, *, quick=QUICK, accepted_share=0.5):
    return Tables(
        gaps=GAPS,
        rules=item_rules() if rules is None else rules,
        items=RepeatItems(*np.zeros((4, 5))),
        own=by_law_alone(),
        other=FLAT,
        quick=quick,
        accepted_share=accepted_share,
    )


def events_of(rows):
    """Events of (customer, item, days since START, more columns) and what came back."""
    table = pd.DataFrame(
        [
            {"customer_id": who, "item_id": what, "timestamp": START + days * DAY, **more}
            for who, what, days, more in rows
        ]
    )
    table = pd.concat([table, pd.DataFrame(columns=["quantity", "gift", "event", "order_id"])])
    names = {name: name for name in ("quantity", "gift", "event", "order_id")}
    table = table.astype({"gift": object}).assign(
        event=table["event"].fillna("purchase"),
        gift=table["gift"].eq(True),
        quantity=pd.to_numeric(table["quantity"]).fillna(1.0),
        order_id=table["order_id"].fillna("o").astype(str),
    )
    people = pd.DataFrame({"customer_id": ["ann", "bob"]})
    things = pd.DataFrame({"item_id": list(ITEMS)})
    end = START + 4000 * DAY
    log = InteractionLog.from_frame(
        table, customers=people, items=things, closed_until=end, **names
    )
    history = log.as_of(end)
    return history.events, undone_times(history.events, history.returns)


def line(item=EBOOK, days=400.0, *, customer=0, quantity=1.0, gift=False):
    at = int((START + days * DAY).value // 1000)
    return customer, item, at, quantity, gift


def check(rows, *lines, objects=(False, False), rules=None, **learned):
    events, undone_at = events_of(rows)
    columns = [np.array(column) for column in zip(*lines, strict=True)]
    return kernel.check_lines(
        events,
        undone_at,
        Lines(*columns),
        tables=tables_of(rules, **learned),
        objects=np.array(objects),
    )


def bought(item="ebook", days=0.0, who="ann", **more):
    return who, item, days, more


def wish_rate(c):
    """pi (S(c) - S(c + 1)) / (pi S(c) + 1 - pi), S(t) = 30 / (30 + t)."""
    now, later = 30 / (30 + c), 30 / (31 + c)
    return 0.5 * (now - later) / (0.5 * now + 0.5)


# -- by hand -------------------------------------------------------------------------


def test_what_is_owned_is_a_mistake_by_the_ratio_of_two_rates():
    """P = r / (r + w): r = .0001 mistakes and w = wish_rate(400) wishes a day."""
    found = check([bought()], line(), rules=item_rules(mistake_rate=np.full(5, 1e-4)))

    assert kernel.KINDS[found.kind[0]] == "already_owned"
    assert found.probability[0] == pytest.approx(1e-4 / (1e-4 + wish_rate(400)), rel=1e-6)
    assert found.row[0] == 0


def test_a_closed_gap_speaks_beside_the_items():
    """Visits 40 d apart: A = 1/2 + 10/11, B = 30/2 + 10/11 * 40, S(t) = (B / (B + t))^A, 360 d
    since. The first was sent back: no longer owned, but it had been a visit."""
    back = [bought(order_id="1"), bought(days=3, order_id="1", event="return")]
    A, B = 1 / 2 + 10 / 11, 15 + 400 / 11
    now, later = (B / (B + 360)) ** A, (B / (B + 361)) ** A
    wishes = 0.5 * (now - later) / (0.5 * now + 0.5)

    for rows in ([bought(), bought(days=40)], [*back, bought(days=40)]):
        found = check(rows, line())
        assert found.probability[0] == pytest.approx(0.001 / (0.001 + wishes), rel=1e-6)


def test_a_second_click_is_a_mistake_by_the_ratio_of_two_shares():
    """Equal means: 1/100 against 2/100, five minutes later."""
    found = check([bought()], line(days=5 / 1440))

    assert kernel.KINDS[found.kind[0]] == "double_submit"
    assert found.probability[0] == pytest.approx(1 / 3)


def test_slips_are_quicker_than_wishes():
    """Means 1 and 10 minutes: at once 10 times as dense, after an hour e^-54 times that."""
    quick = QuickRates(0.01, 1.0, 0.01, 10.0)
    chances = [
        check([bought()], line(days=minutes / 1440), quick=quick).probability[0]
        for minutes in (0.1, 5, 59)
    ]

    assert chances[0] == pytest.approx(10 / (10 + np.exp(0.09)), rel=1e-3)
    assert chances[0] > chances[1] > chances[2]


def test_another_edition_of_what_is_owned():
    """Odds 3/2 with a flat model."""
    found = check([bought("print")], line(EBOOK))

    assert kernel.KINDS[found.kind[0]] == "substitute_owned"
    assert found.probability[0] == pytest.approx(0.6)
    assert found.row[0] == 0


def test_the_latest_purchase_speaks():
    found = check([bought(), bought(days=30), bought("print", 60)], line())

    assert found.row[0] == 1


def test_where_the_item_itself_is_owned_its_own_rate_speaks():
    """Both editions are owned: .001 a day of the item's own, not odds of 3/2."""
    found = check([bought(), bought("print", 60)], line())

    assert kernel.KINDS[found.kind[0]] == "already_owned"
    assert found.probability[0] == pytest.approx(0.001 / (0.001 + wish_rate(400)), rel=1e-6)
    assert found.row[0] == 0


def answer(event, days, item="tea", who="ann"):
    return bought(item, days, who, event=f"warning_{event}")


def test_answers_of_a_customer_move_its_odds():
    """Share 1/2: 2 accepted make odds (2 + 2) / 2 = 2 times, 2 dismissed half of those of most."""
    plain = check([bought()], line()).probability[0]
    odds = plain / (1 - plain)

    for event, times in (("accepted", 2.0), ("dismissed", 0.5)):
        rows = [bought(), answer(event, 20), answer(event, 30)]
        found = check(rows, line())
        assert found.probability[0] == pytest.approx(times * odds / (1 + times * odds), rel=1e-9)
        assert check([bought(), answer(event, 20, who="bob")], line()).probability[0] == plain


def test_a_dismissed_warning_is_not_said_again_for_180_days():
    """Of that item, of either kind; second clicks are asked about all the same."""
    rows = [bought(), bought("print"), answer("dismissed", 100, "ebook")]
    found = check(rows, line(days=280), line(days=280.01), line(PRINT, 200), line(TEA, 250))

    assert found.probability[0] == found.probability[3] == 0
    assert found.probability[1] > 0
    assert found.probability[2] > 0
    click = check([*rows, bought(days=200)], line(days=200 + 5 / 1440))
    assert click.probability[0] == pytest.approx(1 / 3)


# -- what clears a line ----------------------------------------------------------------


def bought_back(event, pieces=1.0):
    return [
        bought(order_id="1", quantity=1.0),
        bought(days=3, order_id="1", event=event, quantity=pieces),
    ]


CLEARED = {
    "nothing bought": ([bought("lamp")], line()),
    "by somebody else": ([bought(who="bob")], line()),
    "the line is a gift": ([bought()], line(gift=True)),
    "a gift minutes later": ([bought()], line(days=1 / 1440, gift=True)),
    "the earlier one was given away": ([bought(gift=True)], line()),
    "the earlier one was returned": (bought_back("return"), line()),
    "the earlier one was cancelled": (bought_back("cancel"), line()),
    "only looked at": ([bought(event="view")], line()),
    "past its lifetime": ([bought("lamp")], line(LAMP, days=100)),
    "a consumable that is due": ([bought("tea")], line(TEA, days=20)),
    "a restock": ([bought()], line(quantity=3)),
    "bought in batches": ([bought(), bought(days=0.1), bought(days=40)], line()),
    "another number of pieces minutes later": ([bought()], line(days=1 / 1440, quantity=2)),
    "in batches minutes later": (
        [bought(), bought(days=0.1), bought(days=40)], line(days=40 + 1 / 1440)
    ),
    "a consumable's other edition": ([bought("print")], line(EBOOK)),
    "bought only afterwards": ([bought(days=500)], line()),
    "the other edition was returned": (
        [bought("print", order_id="1"), bought("print", 3, order_id="1", event="return")], line()
    ),
    "the other edition was given away": ([bought("print", gift=True)], line()),
    "the other edition is somebody else's": ([bought("print", who="bob")], line()),
    "a gift of another edition": ([bought("print")], line(gift=True)),
    "a restock of another edition": ([bought("print")], line(quantity=3)),
    "the other edition is worn out": ([bought("print")], line()),
}  # fmt: skip


@pytest.mark.parametrize("case", CLEARED)
def test_what_clears_a_line(case):
    rows, one = CLEARED[case]
    rules = item_rules()
    if case == "a consumable's other edition":
        rules = item_rules(consumable=np.array([True, False, True, True, False]))
    if case == "the other edition is worn out":
        rules = item_rules(lifetime_days=np.array([np.nan, 100, 400, np.nan, np.nan]))
    found = check(rows, one, rules=rules)

    assert found.probability[0] == 0
    assert kernel.KINDS[found.kind[0]] is None
    assert found.row[0] == -1


def test_the_same_lines_without_what_clears_them_are_mistakes():
    """So that each clearing case fails for its own reason."""
    assert check([bought("lamp")], line(LAMP, days=20)).probability[0] > 0
    assert check([bought("tea")], line(TEA, days=2)).probability[0] > 0
    assert check([bought()], line(quantity=2)).probability[0] > 0
    assert check([bought(), bought(days=40)], line()).probability[0] > 0


def test_each_rule_clears_at_its_edge():
    """Tea is due when a tenth of its gaps would be over, 30 / (30 + c) < .9: after 3.33 days. A
    lamp is worn out on day 100; a restock is of three times the usual pieces."""
    edges = {
        "due": ("tea", line(TEA, days=3.33), line(TEA, days=3.34)),
        "worn out": ("lamp", line(LAMP, days=99.99), line(LAMP, days=100)),
        "restock": ("ebook", line(quantity=2.99), line(quantity=3)),
    }
    for name, (item, inside, outside) in edges.items():
        assert check([bought(item)], inside).probability[0] > 0, name
        assert check([bought(item)], outside).probability[0] == 0, name


def test_an_hour_parts_a_second_click_from_a_forgotten_repeat():
    for minutes, kind in ((60, "double_submit"), (60.01, "already_owned")):
        found = check([bought()], line(days=minutes / 1440))
        assert kernel.KINDS[found.kind[0]] == kind


def test_a_partly_returned_line_is_still_owned():
    rows = [
        bought(order_id="1", quantity=2.0),
        bought(days=3, order_id="1", event="return", quantity=1.0),
    ]

    assert check(rows, line()).probability[0] > 0


def test_what_is_sent_back_only_later_is_owned_at_the_line():
    rows = [bought(order_id="1"), bought(days=500, order_id="1", event="return")]
    found = check(rows, line(days=499), line(days=500), line(days=501))

    assert found.probability[0] == pytest.approx(0.001 / (0.001 + wish_rate(499)), rel=1e-6)
    assert found.probability[1:].tolist() == [0, 0]


def test_who_objects_to_profiling_is_asked_about_second_clicks_only():
    later, click = line(), line(days=5 / 1440)
    found = check([bought(), bought("print")], later, click, objects=(True, False))

    assert found.probability.tolist() == [0, pytest.approx(1 / 3)]


# -- carts of one review ---------------------------------------------------------------


def test_lines_minutes_apart_are_two_clicks():
    """The later line points to the earlier one, which stays clear."""
    found = check([bought("lamp")], line(days=1.0), line(days=1.0 + 5 / 1440))

    assert [kernel.KINDS[kind] for kind in found.kind] == [None, "double_submit"]
    assert found.probability[1] == pytest.approx(1 / 3)
    assert found.line.tolist() == [-1, 0]
    assert found.row.tolist() == [-1, -1]


def test_a_gift_between_two_clicks_hides_neither():
    """The second line for oneself repeats the first; a gift repeats and is repeated by none."""
    times = [1.0, 1.0 + 5 / 1440, 1.0 + 10 / 1440]
    lines = [line(days=at, gift=at == times[1]) for at in times]
    found = check([bought("lamp")], *lines)

    assert found.probability.tolist() == [0, 0, pytest.approx(1 / 3)]
    assert found.line.tolist() == [-1, -1, 0]


def test_an_item_twice_in_one_cart_passes():
    found = check([bought("lamp")], line(), line(), line(TEA, days=401))

    assert found.probability.tolist() == [0, 0, 0]


def test_lines_hours_apart_are_not_the_same_click():
    found = check([bought("lamp")], line(days=1.0), line(days=1.2))

    assert found.probability.tolist() == [0, 0]


# -- edge and law ----------------------------------------------------------------------


def test_items_that_nobody_knows_are_answered():
    """Codes outside the table; each only like itself."""
    found = check([bought()], line(-1), line(9), line(9, days=400 + 5 / 1440), line(10))

    assert found.probability[[0, 1, 3]].tolist() == [0, 0, 0]
    assert kernel.KINDS[found.kind[2]] == "double_submit"


def test_a_customer_without_events_has_no_mistakes():
    assert check([bought()], line(customer=1)).probability.tolist() == [0]


def random_case(seed):
    rng = np.random.default_rng(seed)
    n = 80
    rows = [
        bought(
            ITEMS[rng.integers(4)], float(rng.integers(0, 4000) / 10), who=("ann", "bob")[i % 2],
            quantity=float(rng.integers(1, 3)), gift=bool(rng.random() < 0.1),
            event="return" if rng.random() < 0.1 else "purchase",
        )
        for i in range(n)
    ]  # fmt: skip
    lines = [
        line(
            int(rng.integers(-1, 6)), float(rng.integers(3900, 4200) / 10),
            customer=int(rng.integers(2)), quantity=float(rng.integers(1, 4)),
            gift=bool(rng.random() < 0.1),
        )
        for _ in range(60)
    ]  # fmt: skip
    return rows, lines


@pytest.mark.parametrize("seed", range(3))
def test_a_line_is_judged_the_same_in_any_order(seed):
    rows, lines = random_case(seed)
    order = np.random.default_rng(seed).permutation(len(lines))
    straight = check(rows, *lines)
    mixed = check(rows, *(lines[i] for i in order))

    np.testing.assert_array_equal(straight.probability[order], mixed.probability)
    np.testing.assert_array_equal(straight.kind[order], mixed.kind)
    np.testing.assert_array_equal(straight.row[order], mixed.row)
    assert (straight.probability > 0).any()


def test_a_customer_alone_is_judged_as_in_a_batch():
    rows, lines = random_case(5)
    mine = [one for one in lines if one[0] == 0]
    together = check(rows, *lines)
    alone = check([row for row in rows if row[0] == "ann"], *mine)
    own = np.array([one[0] == 0 for one in lines])

    np.testing.assert_array_equal(together.probability[own], alone.probability)
    np.testing.assert_array_equal(together.kind[own], alone.kind)


def later_events():
    """After day 430, past the last line of a random case, by every kind of event that counts."""
    return {
        "purchases": [bought(item, 450.0 + i) for i, item in enumerate(ITEMS)],
        "returns": [
            bought(item, 460.0 + i, who, event="return", quantity=2.0)
            for i, item in enumerate(ITEMS * 3)
            for who in ("ann", "bob")
        ],
        "answers": [
            answer(event, 470.0 + i, item)
            for i, item in enumerate(ITEMS)
            for event in ("accepted", "dismissed")
        ],
    }


@pytest.mark.parametrize("kind", later_events())
@pytest.mark.parametrize("seed", [6, 7])
def test_later_events_change_nothing(seed, kind):
    """Lines within the history are judged by what lay before each."""
    rows, lines = random_case(seed)
    before, after = check(rows, *lines), check(rows + later_events()[kind], *lines)

    for name in ("probability", "kind", "n_lately"):
        np.testing.assert_array_equal(getattr(before, name), getattr(after, name))


def test_pieces_of_a_batch_that_come_back_later_leave_it_a_batch():
    """Two a day, one more: bought in batches on day 100, whatever is sent back on day 200."""
    rows = [bought(order_id="1"), bought(days=0.1, order_id="2"), bought(days=40)]
    later = bought(days=200, order_id="2", event="return")

    assert check(rows, line(days=100)).probability[0] == 0
    assert check([*rows, later], line(days=100)).probability[0] == 0
    assert check([*rows, later], line(days=300)).probability[0] > 0


def test_the_kernels_purchase_is_the_logs():
    assert EVENTS[PURCHASE_CODE] == "purchase"
