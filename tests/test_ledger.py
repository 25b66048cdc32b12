"""What happened to reviewed lines afterwards: fates and money by hand, and odd inputs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from anticipate.exceptions import ColumnError
from anticipate.guards import DuplicateGuard
from anticipate.guards.costs import Costs
from anticipate.guards.ledger import FATES, what_followed
from anticipate.log import InteractionLog

DAY = pd.Timedelta(1, "D")
NOON = pd.Timestamp("2025-03-01T12:00", tz="UTC")
COSTS = Costs(mistake=5.0, doubt=2.0)


def log_of(rows, days=100.0):
    """Rows of (customer, item, days since the review, event, order)."""
    table = pd.DataFrame(rows, columns=["customer_id", "item_id", "day", "event", "order_id"])
    table["timestamp"] = NOON + pd.to_timedelta(table.pop("day"), unit="D")
    return InteractionLog.from_frame(
        table, event="event", order_id="order_id", closed_until=NOON + days * DAY
    )


def buy(day=0.0, who="ann", item="mug", order="1", event="purchase"):
    return who, item, day, event, order


OWNED = buy(-50, order="0")


def reviewed(*lines, **columns):
    """Lines of (customer, item, kind); a kind of None has no reason."""
    table = pd.DataFrame(lines, columns=["customer_id", "item_id", "kind"], dtype=object)
    reasons = [None if kind is None else "a reason" for *_, kind in lines]
    reason = pd.Series(reasons, dtype=object)
    return table.assign(timestamp=NOON, reason=reason, **columns)


MUG = ("ann", "mug", "already_owned")


def fate_of(*rows, days=100.0):
    found = what_followed(reviewed(MUG), log_of([OWNED, *rows], days), COSTS).loc["all"]
    fates = [name for name in FATES if found[name]]
    assert found["n_lines"] == found[list(FATES)].sum() == 1
    return fates[0]


# -- by hand -------------------------------------------------------------------------

BACK, CANCELLED = (lambda day, event=event: buy(day, event=event) for event in ("return", "cancel"))
FATE_OF = {
    "bought and kept": ([buy()], "kept"),
    "bought later that day and kept": ([buy(0.9)], "kept"),
    "sent back": ([buy(), BACK(12)], "returned"),
    "sent back at the last moment": ([buy(), BACK(29.9)], "returned"),
    "sent back too late": ([buy(), BACK(30.1)], "kept"),
    "cancelled": ([buy(0.1), CANCELLED(0.2)], "cancelled"),
    "the owned one was sent back, not this": ([buy(), ("ann", "mug", 5, "return", "0")], "kept"),
    "bought a week later": ([buy(7)], "bought_elsewhere"),
    "bought after a month": ([buy(31)], "not_bought"),
    "never bought": ([], "not_bought"),
    "bought by somebody else": ([buy(who="bob")], "not_bought"),
    "another item": ([buy(item="cup")], "not_bought"),
    "the first purchase after the review": ([buy(), buy(20, order="2")], "kept"),
}


@pytest.mark.parametrize("case", FATE_OF)
def test_what_became_of_a_line(case):
    rows, fate = FATE_OF[case]

    assert fate_of(*rows) == fate


def test_a_line_whose_month_is_not_over_is_open():
    """Ten days on: neither kept nor left; what came back already has."""
    assert fate_of(days=10) == "open"
    assert fate_of(buy(), days=10) == "open"
    assert fate_of(buy(0.5), days=30.2) == "open"
    assert fate_of(buy(), BACK(5), days=10) == "returned"
    assert fate_of(buy(7), days=10) == "bought_elsewhere"


def test_lines_and_money_by_kind():
    """Two already owned: 3 mugs of 4.00 kept, a cup without a price returned; one substitute at
    7.50 not bought; a line without a reason is none. Net: a mistake 5, a wish -2."""
    table = reviewed(
        MUG, ("ann", "cup", "already_owned"), ("ann", "tea", "substitute_owned"),
        ("ann", "mug", None), quantity=[3.0, 1.0, np.nan, 1.0], price=[4.0, np.nan, 7.5, 9.0],
    )  # fmt: skip
    rows = [OWNED, buy(), buy(item="cup"), buy(9, item="cup", event="return")]
    found = what_followed(table, log_of(rows), COSTS)

    assert found.index.tolist() == ["already_owned", "substitute_owned", "all"]
    assert found["n_lines"].tolist() == [2, 1, 3]
    assert found["kept"].tolist() == [1, 0, 1]
    assert found["returned"].tolist() == [1, 0, 1]
    assert found["not_bought"].tolist() == [0, 1, 1]
    assert found["money_kept"].tolist() == [12.0, 0.0, 12.0]
    assert found["money_returned"].tolist() == [0.0, 0.0, 0.0]
    assert found["money_not_bought"].tolist() == [0.0, 7.5, 7.5]
    assert found["net_money"].tolist() == [3.0, 0.0, 3.0]


def test_bought_elsewhere_was_a_wish_and_cancelled_a_mistake():
    table = reviewed(MUG, ("ann", "cup", "already_owned"))
    rows = [buy(8), buy(0, item="cup"), buy(1, item="cup", event="cancel")]
    found = what_followed(table, log_of(rows), COSTS).loc["all"]

    assert found["net_money"] == 5.0 - 2.0


# -- edge ----------------------------------------------------------------------------


def test_without_doubted_lines_there_is_an_empty_row():
    found = what_followed(reviewed(("ann", "mug", None)), log_of([buy()]), COSTS)

    assert found.index.tolist() == ["all"]
    assert (found.loc["all"] == 0).all()


def test_strangers_and_new_items_were_not_bought():
    table = reviewed(("nobody", "mug", "already_owned"), ("ann", "new", "already_owned"))

    assert what_followed(table, log_of([buy()]), COSTS).loc["all", "not_bought"] == 2


def test_a_log_that_ends_at_the_review_leaves_every_line_open():
    """Its last event is the purchase itself; nobody gave a later end."""
    table = pd.DataFrame({"customer_id": ["ann"], "item_id": ["mug"], "timestamp": [NOON]})

    assert what_followed(reviewed(MUG), InteractionLog.from_frame(table), COSTS)["open"].all()


def test_lines_without_times_are_refused():
    with pytest.raises(ColumnError, match="timestamp"):
        what_followed(reviewed(MUG).drop(columns="timestamp"), log_of([buy()]), COSTS)


# -- law -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def followed(bookshop, bookshop_history):
    """Lines of the month after the fit, in shadow, and what followed them."""
    guard = DuplicateGuard(
        kinds=["double_submit", "already_owned", "substitute_owned"], mode="shadow",
        cost_annoyance=0.01,
    ).fit(bookshop_history)  # fmt: skip
    events = bookshop.as_of("2025-04-01").to_pandas()
    lines = events[(events["event"] == "purchase") & (events["timestamp"] >= "2025-03-01")]
    columns = ["customer_id", "item_id", "timestamp", "quantity", "price", "gift"]
    return guard, guard.review(lines[columns], bookshop.as_of("2025-04-01"))


def test_every_doubted_line_has_one_fate(followed, bookshop):
    guard, table = followed
    found = guard.report(table, bookshop)
    kinds = table.loc[table["reason"].notna(), "kind"].value_counts()

    assert (table["verdict"] == "pass").all()
    assert found["n_lines"].drop("all").to_dict() == kinds.to_dict()
    assert (found[list(FATES)].sum(axis=1) == found["n_lines"]).all()
    assert found.loc["all"].to_numpy() == pytest.approx(found.drop("all").sum().to_numpy())
    assert found.loc["all", "not_bought"] == 0  # they were all bought
    assert found.loc["all", "returned"] > 0


def test_the_order_and_index_of_lines_are_irrelevant(followed, bookshop):
    guard, table = followed
    before = table.copy(deep=True)
    mixed = table.sample(frac=1.0, random_state=0).set_index(np.zeros(len(table), dtype=int))

    pd.testing.assert_frame_equal(guard.report(table, bookshop), guard.report(mixed, bookshop))
    pd.testing.assert_frame_equal(table, before)


def test_an_unfitted_guard_reports_nothing(bookshop):
    with pytest.raises(NotFittedError):
        DuplicateGuard().report(reviewed(MUG), bookshop)
