"""What customers answered: odds by hand, quarters, what was dismissed, and the laws."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from test_habits import lines_of
from test_rules import EBOOK, LAMP, TEA, answer, bought, events_of, line

from anticipate.columns import EVENTS
from anticipate.guards.answered import accepted_share, answers_of, item_factors
from anticipate.guards.tables import learn_tables
from anticipate.kernels.answers import ACCEPTED_CODE, DISMISSED_CODE, find_answers
from anticipate.log import InteractionLog

START = pd.Timestamp("2025-01-01T12:00", tz="UTC")
DAY = pd.Timedelta(1, "D")
MUG = 1


def answers(rows, *lines, share=0.5):
    return find_answers(events_of(rows)[0], lines_of(*lines), share)


def yes(days, item="tea", who="ann"):
    return answer("accepted", days, item, who)


def no(days, item="tea", who="ann"):
    return answer("dismissed", days, item, who)


# -- by hand -------------------------------------------------------------------------


def test_the_odds_of_a_customers_answers():
    """Everybody's share 1/4: with 3 yes and 1 no (3 + 1) / (1 + 3) = 1, three times 1/3."""
    found = answers([yes(1), yes(2), yes(3), no(4)], line(), share=0.25)

    assert found.log_odds[0] == pytest.approx(np.log(3.0))


def test_only_answers_before_the_line_count():
    """Yes on days 1 and 2: none, one, one, both of them before the line."""
    at = (1, 1.5, 2, 2.5)
    found = answers([yes(1), yes(2)], *(line(days=d) for d in at))

    assert found.log_odds == pytest.approx(np.log([1, 3 / 2, 3 / 2, 2]))
    assert found.n_lately.tolist() == [0, 1, 1, 2]


def test_a_quarter_is_a_quarter_of_a_year():
    """365.25 / 4 = 91.3125 days, inclusive: of answers on days 0, 10, 90 at day 91.3 all three
    are within it, then two, one and none."""
    rows = [yes(0), no(10), yes(90)]
    found = answers(rows, *(line(days=d) for d in (91.3125, 91.4, 101.4, 182)))

    assert found.n_lately.tolist() == [3, 2, 1, 0]


def test_a_dismissed_warning_of_this_item_is_remembered_180_days():
    rows = [no(100, "ebook"), no(100, "tea", "bob")]
    asked = [line(days=d) for d in (100, 100.01, 280, 280.01)]
    found = answers(rows, *asked, line(LAMP, 150), line(TEA, 150), line(TEA, 150, customer=1))

    assert found.dismissed.tolist() == [False, True, True, False, False, False, True]


def test_the_latest_answer_about_an_item_speaks():
    """No on day 100, yes on day 150: the warning was right after all."""
    found = answers([no(100, "ebook"), yes(150, "ebook")], line(days=120), line(days=200))

    assert found.dismissed.tolist() == [True, False]


# -- what a guard makes of them --------------------------------------------------------


def guard_tables(rows, **options):
    """Tables of ann's answers; fifty others own a mug and a cup each."""
    others = [(f"c{i}", item, START, "purchase") for i in range(50) for item in ("mug", "cup")]
    items = pd.DataFrame({"item_id": ["cup", "mug", "pot"], "work_id": [None, "w", "w"]})
    table = pd.DataFrame([*others, *rows], columns=["customer_id", "item_id", "timestamp", "event"])
    end = START + 300 * DAY
    log = InteractionLog.from_frame(table, event="event", closed_until=end, items=items, **options)
    history = log.as_of(end)
    return learn_tables(history, None, 0).tables.rules, answers_of(history)


def ann(event, minutes_before, item="cup"):
    """A purchase by ann, and her answer to a warning so much later; four times."""
    rows = []
    for week in range(4):
        at = START + (100 + 7 * week) * DAY
        rows += [("ann", item, at - pd.Timedelta(minutes_before, "min"), "purchase"),
                 ("ann", item, at, f"warning_{event}")]  # fmt: skip
    return rows


def test_answers_are_about_what_was_owned_then():
    """The first answer of four comes before the item was bought at all."""
    first = ("ann", "cup", START + DAY, "warning_dismissed")
    _, found = guard_tables([first, *ann("accepted", 1440)])

    assert found.accepted.tolist() == [False, True, True, True, True]
    assert found.own.tolist() == [False, True, True, True, True]
    yes, n = found.counts(3, own=True)
    assert yes.tolist() == n.tolist() == [4, 0, 0]
    assert found.counts(3, own=False)[1].tolist() == [1, 0, 0]


def test_accepted_warnings_raise_the_rate_of_their_kind():
    """Of forgotten repeats where the item was owned a day, of other editions where it was not;
    seen on the mug, whose own answers there are none of."""
    plain, _ = guard_tables([])
    own, _ = guard_tables(ann("accepted", 1440))
    other, _ = guard_tables([row for row in ann("accepted", 1440) if row[3] != "purchase"])

    assert own.mistake_rate[MUG] > 1.1 * plain.mistake_rate[MUG]
    assert own.substitute_rate[MUG] == pytest.approx(plain.substitute_rate[MUG], rel=1e-9)
    assert other.substitute_rate[MUG] > 1.1 * plain.substitute_rate[MUG]
    assert other.mistake_rate[MUG] == pytest.approx(plain.mistake_rate[MUG], rel=1e-9)


def test_accepted_second_clicks_tell_nothing_of_forgotten_repeats():
    """The cup was bought five minutes before: it was no forgotten repeat, nor another edition."""
    bought_only, _ = guard_tables([row for row in ann("accepted", 5) if row[3] == "purchase"])
    clicked, _ = guard_tables(ann("accepted", 5))

    for name in ("mistake_rate", "substitute_rate"):
        before, after = getattr(bought_only, name)[MUG], getattr(clicked, name)[MUG]
        assert after == pytest.approx(before, rel=1e-9), name


def test_answers_of_who_objects_to_profiling_teach_nothing():
    rows = [("ann", "cup", START + DAY, "warning_accepted")]
    people = pd.DataFrame({"customer_id": ["ann"], "objects_to": ["profiling"]})
    _, known = guard_tables(rows)
    _, objected = guard_tables(rows, customers=people)

    assert known.accepted.tolist() == [True]
    assert objected.accepted.tolist() == []
    assert accepted_share(objected) == 0.5


def test_an_item_whose_warnings_are_accepted_is_likelier_a_mistake():
    """3 of 3 about the cup, 0 of 1 about the mug: everybody's share is (3 + 1) / (4 + 2) = 2/3, the
    cup's odds (3 + 8/3) / (4/3), the mug's (8/3) / (1 + 4/3), both over 2."""
    rows = [("ann", "cup", START + day * DAY, "warning_accepted") for day in (1, 2, 3)]
    _, found = guard_tables([*rows, ("ann", "mug", START + DAY, "warning_dismissed")])
    factors = item_factors(found, 3)

    assert accepted_share(found) == pytest.approx(2 / 3)
    assert factors == pytest.approx([17 / 4 / 2, 8 / 7 / 2, 1.0, 1.0])


# -- edge and law ----------------------------------------------------------------------


def test_without_answers_there_is_nothing_to_say():
    assert answers([bought()], line()) is None


def test_a_customer_without_answers_is_like_everybody():
    """Exactly: what others answered moves no bit of a customer's own odds."""
    for share in (0.5, 0.1, 1 / 3, 0.987654321):
        found = answers([yes(1), no(2)], line(customer=1), share=share)
        assert found.log_odds.tolist() == [0.0]
        assert found.n_lately.tolist() == [0]


@pytest.mark.parametrize("item", [-1, 9, EBOOK])
def test_items_that_nobody_knows_were_never_dismissed(item):
    assert answers([no(1)], line(item)).dismissed.tolist() == [False]


def test_a_customer_alone_is_answered_as_in_a_batch():
    rng = np.random.default_rng(0)
    rows = [
        answer(rng.choice(["accepted", "dismissed"]), float(rng.integers(0, 400)),
               rng.choice(["tea", "lamp", "ebook"]), rng.choice(["ann", "bob"]))
        for _ in range(60)
    ]  # fmt: skip
    asked = [line(int(rng.integers(4)), float(rng.integers(0, 500)), customer=int(rng.integers(2)))
             for _ in range(50)]  # fmt: skip
    own = np.array([one[0] == 0 for one in asked])
    together = answers(rows, *asked)
    alone = answers([r for r in rows if r[0] == "ann"], *(one for one in asked if one[0] == 0))

    for whole, part in zip(together, alone, strict=True):
        np.testing.assert_array_equal(whole[own], part)


def test_the_kernels_codes_are_the_logs():
    assert EVENTS[ACCEPTED_CODE] == "warning_accepted"
    assert EVENTS[DISMISSED_CODE] == "warning_dismissed"
