"""What an attacker tried on the guards, and what held afterwards."""

import numpy as np
import pandas as pd
import pytest

import anticipate as an
from anticipate.exceptions import BadRowsError
from anticipate.guards import DuplicateGuard
from anticipate.guards.items import MOST_SUBSTITUTES, lifetime_days, substitutes
from anticipate.guards.return_rows import kinds_of
from anticipate.kernels.return_reasons import KeptPairs, reasons_of

pytestmark = pytest.mark.filterwarnings("ignore::anticipate.exceptions.MinimumDataWarning")
SPOKEN = ["double_submit", "already_owned", "substitute_owned"]


def shop(start, rows, **tables):
    """Purchases and returns: (customer, item, day, event)."""
    frame = pd.DataFrame(rows, columns=["customer_id", "item_id", "day", "event"])
    days = pd.to_timedelta(frame.pop("day"), unit="D")
    frame["timestamp"] = pd.Timestamp(start, tz="UTC") + days
    end = pd.Timestamp(start, tz="UTC") + pd.Timedelta(days=400)
    log = an.InteractionLog.from_frame(frame, event="event", closed_until=end, **tables)
    return log.as_of(end)


def random_purchases(n, days, letter):
    rng = np.random.default_rng(0)
    return [
        (f"{letter}{rng.integers(20)}", f"i{rng.integers(5)}", rng.uniform(*days), "purchase")
        for _ in range(n)
    ]


def test_an_older_half_of_objectors_alone_leaves_nothing_to_try_and_nothing_breaks():
    objectors = pd.DataFrame(
        {"customer_id": [f"o{i}" for i in range(20)], "objects_to": "profiling"}
    )
    rows = [*random_purchases(60, (0, 150), "o"), *random_purchases(60, (290, 330), "n")]
    history = shop("2024-01-01", [*rows, ("n1", "i1", 399, "return")], customers=objectors)

    guard = DuplicateGuard(random_state=0).fit(history)

    because = guard.report_["kinds"]["already_owned"]["silent_because"]
    assert because == "the history is too short to try warnings on past carts"


@pytest.mark.parametrize("start", ["1950-01-01", "2024-01-01"])
def test_what_never_came_back_did_not_before_1970_either(start):
    """One return in 601 rows, so at most one repeat was undone; an overflow made it all of them."""
    rows = [*random_purchases(600, (0, 390), "n"), ("n1", "i1", 399, "return")]

    guard = DuplicateGuard(random_state=0).fit(shop(start, rows))

    assert guard.report_["n_undone"] <= 1


def test_a_gift_is_read_by_its_words_as_in_a_log():
    """Text that says no is no gift; the scorer reads it so, too."""
    history = an.load_example("bookshop").as_of("2025-03-01")
    guard = DuplicateGuard(kinds=SPOKEN, random_state=0).fit(history)
    cart = pd.DataFrame({"customer_id": "C042", "item_id": "B-1984-ebook"}, index=range(4))

    reviewed = guard.review(cart.assign(gift=["false", "no", None, "Yes"]), history)

    assert reviewed["verdict"].tolist() == ["warn", "warn", "warn", "pass"]
    with pytest.raises(BadRowsError, match=r"gift .* \(rows \[0\]\)"):
        guard.review(cart.assign(gift=["perhaps", "no", "no", "no"]), history)


def test_attributes_that_can_be_no_ids_are_left_out():
    """Row 0 names infinity, half an item, a table and itself; row 1 is covered by item 2."""
    items = pd.DataFrame({"covered_by": [[np.inf, 1.5, [1], {}, 0], "2", {"a": 1}]}, index=range(3))

    assert substitutes(items).tolist() == [[-1], [2], [-1], [-1]]


def test_what_lasts_for_ever_has_no_lifetime():
    items = pd.DataFrame({"lifetime_days": [np.inf, 5.0, -1.0]})

    assert np.isnan(lifetime_days(items)).tolist() == [True, False, True, True]


def test_the_first_substitutes_are_kept_of_any_number():
    """Twelve editions in box 12, which is none: each keeps the first eight others."""
    works = ["w"] * 12 + [None]
    items = pd.DataFrame({"work_id": works, "contains": [None] * 12 + ["3"]}, index=range(13))

    table = substitutes(items)

    assert table[0].tolist() == list(range(1, MOST_SUBSTITUTES + 1))
    assert table[11].tolist() == list(range(MOST_SUBSTITUTES))
    assert (table[12] == -1).all()


def test_a_family_of_many_thousands_is_no_work():
    """All of 30,000 items say the same work and contain the first: squares would take minutes."""
    n = 30_000
    items = pd.DataFrame({"work_id": "unknown", "contains": 0}, index=range(n))

    assert substitutes(items)[-2].tolist() == list(range(MOST_SUBSTITUTES))


def test_items_without_a_category_are_of_no_kind():
    items = pd.DataFrame({"category": ["tea", None, "tea", np.nan]})

    codes = kinds_of(items).category

    assert codes[0] == codes[2] >= 0
    assert codes[[1, 3]].tolist() == [-1, -1]


def test_each_other_edition_of_a_cart_is_looked_up_once(monkeypatch):
    """A thousand lines of two editions: one look-up for the line, not one a line."""
    from types import SimpleNamespace

    from anticipate.kernels import return_reasons

    n, asked = 1000, []
    monkeypatch.setattr(return_reasons, "mostly_kept", lambda *args: asked.append(args))
    item, zero = np.arange(n) % 2, np.zeros(n, dtype=np.int64)
    facts = SimpleNamespace(
        lines=SimpleNamespace(customer=zero, timestamp=zero, item=item),
        counts=(zero + n, zero + n, zero),
        items=SimpleNamespace(share=np.array([0.1, 0.1, 0.1])),
        row=item, whole=0.1, thing=zero, category=zero - 1,
    )  # fmt: skip
    pairs = KeptPairs(zero[:0], zero[:0], zero[:0])

    list(reasons_of(0, facts, pairs, pair_code=item, objects=True, own=False))

    assert len(asked) == 1
