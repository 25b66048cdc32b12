"""What ``recent`` promises: it speaks at once, each event once, in any order, never of later."""

from __future__ import annotations

import random

import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from anticipate import columns as c
from anticipate.anticipator.state import make_state
from anticipate.log import InteractionLog
from anticipate.serving import Scorer
from anticipate.suggestions import SELLING_KINDS

CUTOFF, AS_OF = pd.Timestamp("2025-03-01", tz="UTC"), pd.Timestamp("2025-03-08T10:00Z")
HOUR, NOON = pd.Timedelta(hours=1), pd.Timestamp("2025-03-05T12:00Z")
CUSTOMERS = ("C042", "nobody")
ITEMS = ("B-1984-print", "B-mars-1-print", "B-mars-2-print", "K-coffee-beans", "K-ink", "new-item")
CART = ("B-1984-ebook", "K-ink")
KINDS = (
    c.PURCHASE, c.VIEW, c.CART, c.RETURN, c.CANCEL, c.CONTACT, c.COMPLAINT, c.RESOLVED, c.RATING,
    c.WISH, c.NOT_INTERESTED, c.WARNING_DISMISSED,
)  # fmt: skip
OPTIONAL = {
    c.EVENT_ID: st.sampled_from(("e1", "e2", "e3")),
    c.QUANTITY: st.integers(1, 4),
    c.PRICE: st.sampled_from((9.5, 20.0)),
    c.ORDER: st.sampled_from(("o-new-1", "o-new-2")),
    c.VALUE: st.integers(1, 5),
    c.GIFT: st.booleans(),
    c.REASON: st.sampled_from(("late", "broken")),
}
FEW, MANY = settings(max_examples=8), settings(max_examples=200)


def times(first, last):
    """Whole hours, so that ties are common."""
    return st.integers(0, round((last - first) / HOUR)).map(lambda hour: first + hour * HOUR)


def lists_of_rows(when, **optional):
    """Rows of contract names; ids of few, so that rows meet."""
    row = st.fixed_dictionaries(
        {
            c.CUSTOMER: st.sampled_from(CUSTOMERS),
            c.ITEM: st.sampled_from(ITEMS),
            c.EVENT: st.sampled_from(KINDS),
            c.TIMESTAMP: when,
        },
        optional={**OPTIONAL, **optional},
    )
    return st.lists(row, max_size=7)


ANY_TIME = times(CUTOFF - 48 * HOUR, AS_OF + 48 * HOUR)
ANY_ROWS = lists_of_rows(ANY_TIME, known_at=ANY_TIME)
USED_ROWS = lists_of_rows(times(CUTOFF, AS_OF - HOUR))
SEEDS = st.integers(0, 2**16)


@pytest.fixture(scope="module")
def scorer(bookshop_bundle):
    return Scorer.load(bookshop_bundle)


def answers(scorer, recent):
    """What is said of the customers, as text: floats by their shortest exact digits."""
    said = []
    for id_ in CUSTOMERS:
        asked = {"as_of": AS_OF, "recent": recent}
        shown = scorer.suggest(id_, cart=CART, n=12, audience="staff", **asked)
        said += [[one.to_dict() for one in shown], scorer.brief(id_, **asked)]
    return repr(said)


def row_of(item_id, event=c.PURCHASE, at=NOON, **more):
    return {"customer_id": "C042", "item_id": item_id, "event": event, "timestamp": at, **more}


def chances(scorer, *rows, customer_id="C042", as_of=AS_OF, cart=()):
    """Probability of each item offered."""
    asked = {"as_of": as_of, "recent": list(rows), "cart": cart, "n": 32}
    shown = scorer.suggest(customer_id, audience="staff", **asked)
    return {one.item_id: one.probability for one in shown if one.kind in SELLING_KINDS}


# --- each event once, in any order, never of later ---


def order_is_nothing(scorer, rows, seed):
    shuffled = random.Random(seed).sample(rows, len(rows))

    assert answers(scorer, shuffled) == answers(scorer, rows)


def repeats_are_nothing(scorer, rows, seed):
    """Under one event_id the row known first counts, wherever and however often it stands."""
    named = [row for row in rows if c.EVENT_ID in row]
    again = random.Random(seed).choices(named, k=3) if named else []
    tagged = [{**row, c.EVENT_ID: number} for number, row in enumerate(rows)]

    assert answers(scorer, [*again, *rows]) == answers(scorer, rows)
    assert answers(scorer, [*tagged, *tagged[::-1]]) == answers(scorer, tagged)


test_the_order_of_rows_changes_no_bit = FEW(given(rows=ANY_ROWS, seed=SEEDS)(order_is_nothing))
test_repeated_event_ids_change_no_bit = FEW(given(rows=ANY_ROWS, seed=SEEDS)(repeats_are_nothing))


@pytest.mark.slow
@MANY
@given(rows=ANY_ROWS, seed=SEEDS)
def test_order_and_repeats_change_no_bit_in_many_tries(scorer, rows, seed):
    order_is_nothing(scorer, rows, seed)
    repeats_are_nothing(scorer, rows, seed)


@FEW
@given(rows=USED_ROWS, others=USED_ROWS, days=st.integers(0, 5))
def test_rows_of_later_or_known_later_are_not_looked_at(scorer, rows, others, days):
    """At ``as_of`` is later, too."""
    at = AS_OF + pd.Timedelta(days=days)
    later = [{**row, c.TIMESTAMP: at} for row in others]
    later += [{**row, c.KNOWN_AT: at} for row in others]
    later = [{name: row[name] for name in row if name != c.EVENT_ID} for row in later]

    assert answers(scorer, [*later, *rows]) == answers(scorer, rows)


@FEW
@given(rows=USED_ROWS)
def test_rows_that_the_bundle_holds_are_not_counted_twice(scorer, bookshop_history, rows):
    held = bookshop_history.select(["C042"]).to_pandas().tail(40)
    given_again = held.drop(columns=c.EVENT_ID, errors="ignore").to_dict("records")

    assert answers(scorer, [*given_again, *rows]) == answers(scorer, rows)


# --- a history split between bundle and recent is the whole, by closed formulas ---


@pytest.mark.parametrize("days", [1, 21])
def test_what_is_owned_open_or_warned_of_is_that_of_the_whole(bookshop_model, bookshop, days):
    later = CUTOFF + pd.Timedelta(days=days)
    split, whole = (scorer_of(bookshop_model, bookshop, at) for at in (CUTOFF, later))
    since = bookshop.between(CUTOFF, later)
    table = since.to_pandas()
    active = table.customer_id.unique()[:6].tolist()

    for id_ in [*active, "C042", "nobody"]:
        mine = table[table.customer_id == id_]
        recent = mine.to_dict("records")
        ours = split.brief(id_, as_of=later, recent=recent)
        theirs = whole.brief(id_, as_of=later)
        for part in ("owns", "open", "do_not_offer"):
            assert ours[part] == theirs[part]
        cart = [*CART, "K-coffee-beans", *mine.item_id.dropna().unique()[:2]]
        asked = {"as_of": later, "audience": "staff"}
        assert split.check_cart(id_, cart, recent=recent, **asked) == whole.check_cart(
            id_, cart, **asked
        )


@settings(max_examples=2)
@given(rows=USED_ROWS)
def test_random_rows_are_owned_and_open_as_in_the_whole(bookshop_model, bookshop, rows):
    """Rows of one instant and one event_id are left out: a log puts them in its own order."""
    unique = {(row[c.CUSTOMER], row[c.TIMESTAMP]): row for row in rows}
    rows = [{k: v for k, v in row.items() if k != c.EVENT_ID} for row in unique.values()]
    assume(rows)
    history = bookshop.between(bookshop.start, CUTOFF)
    more = InteractionLog.from_frame(
        pd.DataFrame(rows).astype({c.TIMESTAMP: "datetime64[us, UTC]"}), timezone="UTC",
        **{name: name for name in (c.EVENT, *OPTIONAL) if any(name in row for row in rows)},
    )  # fmt: skip
    split = scorer_of(bookshop_model, history, CUTOFF)
    whole = Scorer(*make_state(bookshop_model, history.extend(more).before(AS_OF.value // 1000)))

    for id_ in CUSTOMERS:
        ours, theirs = split.brief(id_, as_of=AS_OF, recent=rows), whole.brief(id_, as_of=AS_OF)
        for part in ("owns", "open", "do_not_offer"):
            assert ours[part] == theirs[part]
        asked = {"as_of": AS_OF, "audience": "staff"}
        assert split.check_cart(id_, CART, recent=rows, **asked) == whole.check_cart(
            id_, CART, **asked
        )


def scorer_of(model, log, at):
    return Scorer(*make_state(model, log.before(at.value // 1000)))


# --- it speaks at once ---


def test_an_open_complaint_turns_the_list_to_care_and_resolved_turns_it_back(scorer):
    complaint = row_of(None, c.COMPLAINT, reason="late")
    resolved = row_of(None, c.RESOLVED, NOON + HOUR)
    asked = {"as_of": AS_OF, "audience": "staff", "n": 12}

    open_ = scorer.suggest("C042", recent=[complaint], **asked)
    closed = scorer.suggest("C042", recent=[resolved, complaint], **asked)

    assert open_[0].kind == "follow_up"
    assert not {one.kind for one in open_} & set(SELLING_KINDS)
    assert {one.kind for one in closed} & set(SELLING_KINDS)
    assert scorer.suggest("C042", as_of=AS_OF, recent=[complaint]) == []


@pytest.mark.parametrize(
    ("event", "more"),
    [
        (c.NOT_INTERESTED, {}),
        (c.RATING, {"value": 1}),
        (c.RETURN, {}),
        (c.CANCEL, {}),
    ],
)
def test_what_was_disliked_falls_and_draws_nothing_with_it(scorer, event, more):
    """Every item offered; the return is resolved, so that selling goes on."""
    before = chances(scorer)
    done = row_of(None, c.RESOLVED, NOON + HOUR)
    for item in list(before)[:8]:
        after = chances(scorer, row_of(item, event, **more), done)

        assert after.get(item, 0.0) < before[item]
        others = before.keys() & after.keys() - {item}
        assert all(after[other] <= before[other] for other in others)


def test_neighbours_of_what_was_put_into_the_cart_rise(scorer):
    """The item in the cart pulls twice as much as the same item looked at."""
    before = chances(scorer, customer_id="nobody")
    seen = {**row_of("B-mars-1-print", c.VIEW, AS_OF - HOUR), "customer_id": "nobody"}
    looked = chances(scorer, seen, customer_id="nobody")
    carted = chances(scorer, customer_id="nobody", cart=["B-mars-1-print"])
    risen = [id_ for id_ in carted if looked.get(id_, 0.0) > before.get(id_, 0.0)]

    assert "B-mars-2-print" in risen
    assert all(carted[id_] > looked[id_] for id_ in risen)


def test_what_is_wished_for_or_bought_since_is_offered(scorer, bookshop_history):
    """Of items nobody thought of: a wish says since when, a purchase speaks by its own clock."""
    offered = chances(scorer)
    others = [id_ for id_ in bookshop_history.item_ids if id_ not in offered][:40]
    said = {"wish": set(), "buy": set(), "refused": set()}
    for new in others:
        wish, buy = row_of(new, c.WISH), row_of(new)
        refusal = row_of(new, c.NOT_INTERESTED, NOON + HOUR)
        for name, rows in {"wish": [wish], "buy": [buy], "refused": [wish, refusal]}.items():
            shown = scorer.suggest("C042", recent=rows, as_of=AS_OF, n=32, audience="staff")
            said[name] |= {one.reason.code for one in shown if one.item_id == new}

    assert "wished" in said["wish"]
    assert said["buy"] == {"bought_before"}
    assert said["refused"] == set()


@pytest.mark.parametrize(("hours", "draws"), [(23, True), (25, False)])
def test_only_a_day_of_browsing_is_a_session(scorer, hours, draws):
    before = chances(scorer, customer_id="nobody")
    at = AS_OF - hours * HOUR
    seen = {**row_of("B-mars-1-print", c.VIEW, at), "customer_id": "nobody"}
    after = chances(scorer, seen, customer_id="nobody")

    assert (after.get("B-mars-2-print", 0.0) > before.get("B-mars-2-print", 0.0)) is draws


def test_a_dismissed_warning_and_what_is_owned_reach_the_guards_at_once(scorer):
    owned = scorer.check_cart("C042", ["B-1984-ebook"], as_of=AS_OF)
    said = row_of("B-1984-ebook", c.WARNING_DISMISSED)
    bought = row_of("K-lamp", at=AS_OF - HOUR / 12)

    assert [one.kind for one in owned] == ["duplicate_purchase"]
    assert scorer.check_cart("C042", ["B-1984-ebook"], as_of=AS_OF, recent=[said]) == []
    assert scorer.check_cart("C042", ["K-lamp"], as_of=AS_OF) == []
    again = scorer.check_cart("C042", ["K-lamp"], as_of=AS_OF, recent=[bought])
    assert [one.reason.code for one in again] == ["double_submit"]
