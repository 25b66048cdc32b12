"""The log: what is read, kept, rejected and counted; histories; logs from logs."""

from __future__ import annotations

import dataclasses
import pickle

import numpy as np
import pandas as pd
import pytest

from anticipate import columns as c
from anticipate.exceptions import (
    AnticipateError,
    BadRowsError,
    ColumnError,
    CutoffError,
    FutureCutoffWarning,
    IdTypeError,
    ParameterError,
)
from anticipate.kernels.events import PURCHASE_CODE, is_constant
from anticipate.kernels.returns import CANCEL_CODE, RETURN_CODE
from anticipate.log import InteractionLog
from anticipate.testing import random_log
from anticipate.testing.compare import difference
from anticipate.testing.unchanged import contents

ROWS = {
    "customer_id": ["bo", "al", "bo", "al", "cy"],
    "item_id": ["tea", "mug", "tea", "tea", "mug"],
    "timestamp": ["2025-01-03", "2025-01-01", "2025-01-01", "2025-01-02", "2025-02-01"],
    "price": [4.0, 9.0, 5.0, None, 9.5],
    "quantity": [2, 1, 1, None, 1],
}


def made(rows=None, **options) -> InteractionLog:
    rows = ROWS if rows is None else rows
    named = {name: name for name in (*c.LOG_COLUMNS, c.AMOUNT) if name in rows}
    return InteractionLog.from_frame(rows, **({"timezone": "UTC"} | named | options))


def rows(n: int = 1, **columns) -> dict:
    """n purchases by one customer on following days, with some columns changed."""
    days = [f"2025-01-{day:02d}" for day in range(1, n + 1)]
    return {"customer_id": ["a"] * n, "item_id": ["x"] * n, "timestamp": days} | columns


# -- reading ---------------------------------------------------------------------------


def test_events_are_sorted_by_customer_and_time():
    table = made().to_pandas()

    assert table["customer_id"].tolist() == ["al", "al", "bo", "bo", "cy"]
    assert table["item_id"].tolist() == ["mug", "tea", "tea", "tea", "mug"]
    assert table["timestamp"].dt.day.tolist() == [1, 2, 1, 3, 1]
    assert table["event"].eq("purchase").all()


def test_the_counts_of_a_log():
    log = made()

    assert (log.n_events, log.n_customers, log.n_items, len(log)) == (5, 3, 2, 5)
    assert log.start == pd.Timestamp("2025-01-01", tz="UTC")
    assert log.end == log.closed_until == pd.Timestamp("2025-02-01", tz="UTC")
    assert repr(log) == (
        "InteractionLog(5 events, 3 customers, 2 items, 2025-01-01 to 2025-02-01, UTC)"
    )


def test_a_missing_quantity_is_one_and_a_missing_price_is_unknown_and_counted():
    log = made()
    tea = log.to_pandas().iloc[1]

    assert tea["quantity"] == 1.0
    assert np.isnan(tea["price"])
    assert log.report["purchases_without_price"] == 1


def test_an_amount_is_the_price_of_all_pieces():
    """10.00 for 4 pieces: 2.50 each."""
    log = made(rows(2, quantity=[4, None], amount=[10.0, 3.0]))

    assert log.to_pandas()["price"].tolist() == [2.5, 3.0]


def test_price_and_amount_together_are_refused():
    with pytest.raises(ColumnError, match="not both"):
        made(rows(price=[1.0], amount=[1.0]))


def test_columns_that_were_not_given_take_no_memory_and_do_not_come_out():
    log = made(rows(3))

    assert is_constant(log.events.price)
    assert is_constant(log.events.order)
    assert log.events.known_at is log.events.timestamp
    assert list(log.to_pandas().columns) == [
        "customer_id", "item_id", "timestamp", "event", "quantity", "price",
    ]  # fmt: skip


def test_every_column_of_the_contract_comes_out_as_it_came_in():
    given = rows(
        2,
        event=["purchase", "rating"],
        quantity=[2.0, 1.0],
        price=[1.5, None],
        value=[None, 4.0],
        order_id=["o1", None],
        event_id=[11, 12],
        gift=[True, False],
        channel=["app", "web"],
        reason=[None, "taste"],
        known_at=["2025-01-05", "2025-01-06"],
    )
    table = made(given).to_pandas()

    assert list(table.columns) == list(c.LOG_COLUMNS)
    for name in ("event", "value", "order_id", "event_id", "gift", "channel", "reason"):
        assert table[name].astype(object).where(table[name].notna(), None).tolist() == given[name]
    assert table["known_at"].dt.day.tolist() == [5, 6]


def test_a_row_without_an_event_is_a_default_event():
    log = made(rows(2, event=["view", None]), default_event="wish")

    assert log.to_pandas()["event"].tolist() == ["view", "wish"]


def test_extra_events_are_events_and_need_no_item():
    log = made(
        rows(2, event=["walk", "purchase"], item_id=[None, "x"]), extra_events=["walk", "swim"]
    )

    assert log.to_pandas()["event"].tolist() == ["walk", "purchase"]


def test_some_events_need_no_item():
    kinds = sorted(c.ITEM_OPTIONAL)
    log = made(rows(len(kinds), event=kinds, item_id=pd.Series([None] * len(kinds), dtype=object)))

    assert log.n_items == 0
    assert (log.events.item == -1).all()


def test_a_reason_never_is_an_item():
    log = made(rows(2, event=["complaint", "purchase"], item_id=[None, "x"], reason=["late", None]))

    assert log.vocabulary.item_ids.tolist() == ["x"]
    assert log.vocabulary.reasons.tolist() == ["late"]


def test_the_codes_of_kernels_are_those_of_the_columns():
    assert c.EVENT_CODES["purchase"] == PURCHASE_CODE
    assert c.EVENT_CODES["return"] == RETURN_CODE
    assert c.EVENT_CODES["cancel"] == CANCEL_CODE


@pytest.mark.parametrize("kind", ["return", "cancel"])
def test_a_negative_quantity_may_mean_a_return(kind):
    log = made(rows(2, quantity=[2, -1], amount=[10.0, -5.0]), negative_quantity=kind)
    table = log.to_pandas()

    assert table["event"].tolist() == ["purchase", kind]
    assert table["quantity"].tolist() == [2.0, 1.0]
    assert table["price"].tolist() == [5.0, 5.0]
    assert log.report["negative_quantity_rows"] == 1


def test_a_negative_quantity_is_an_error_unless_one_says_what_it_means():
    with pytest.raises(BadRowsError, match=r"negative quantity \(rows 1\).*negative_quantity="):
        made(rows(2, quantity=[2, -1]))


def test_nothing_is_known_before_it_happened():
    log = made(rows(2, known_at=["2024-12-01", None]))

    assert (log.events.known_at == log.events.timestamp).all()


# -- bad rows ---------------------------------------------------------------------------

BAD = {
    "no customer": {"customer_id": [None]},
    "a missing or impossible time": {"timestamp": ["soon"]},
    "no item": {"item_id": [None]},
    "an infinite number": {"price": [np.inf]},
    "a negative quantity": {"quantity": [-1.0]},
    "a zero quantity": {"quantity": [0.0]},
    "a negative price": {"price": [-0.01]},
    "an unknown event": {"event": ["Purchase"]},
    "a price that is not a number": {"price": ["1,50"]},
    "a quantity that is not a number": {"quantity": ["two"]},
    "a value that is not a number": {"value": ["good"]},
    "a gift that is neither true nor false": {"gift": ["perhaps"]},
    "an impossible known_at": {"known_at": ["soon"]},
}


def with_bad_row(change: dict) -> pd.DataFrame:
    good, bad = pd.DataFrame(rows(2)), pd.DataFrame(rows(1, **change))
    return pd.concat([good, bad], ignore_index=True)


@pytest.mark.parametrize(("reason", "change"), BAD.items())
def test_a_bad_row_is_an_error_with_its_reason_and_number(reason, change):
    with pytest.raises(BadRowsError, match=rf"1 of 3 rows.*1 with {reason} \(rows 2\)"):
        made(with_bad_row(change))


@pytest.mark.parametrize(("reason", "change"), BAD.items())
def test_a_bad_row_is_kept_apart_with_its_reason(reason, change):
    log = made(with_bad_row(change), on_bad_rows="quarantine")

    assert len(log) == 2
    assert log.rejected["rejected_because"].tolist() == [reason]
    assert log.rejected["row"].tolist() == [2]
    assert log.report["rejected"] == {reason: 1}
    assert log.report["rows_read"] == 3


def test_a_zero_quantity_or_negative_price_is_bad_on_a_purchase_only():
    log = made(rows(2, event=["view", "return"], quantity=[0, 1], price=[1.0, -1.0]))

    assert len(log) == 2


def test_an_error_counts_by_reason_and_names_three_rows_without_their_content():
    given = rows(9, customer_id=[None] * 5 + ["secret"] * 4, price=[1.0] * 8 + [-123.5])

    with pytest.raises(BadRowsError) as caught:
        made(given)

    text = str(caught.value)
    assert "6 of 9 rows" in text
    assert "5 with no customer (rows 0, 1, 2, …)" in text
    assert "1 with a negative price (rows 8)" in text
    assert "secret" not in text
    assert "123" not in text


def test_rows_that_are_bad_in_two_ways_are_rejected_once():
    log = made(rows(2, customer_id=[None, "a"], quantity=[0, 1]), on_bad_rows="quarantine")

    assert log.report["rejected"] == {"no customer": 1}
    assert len(log) + len(log.rejected) == 2


def test_a_log_of_bad_rows_only_is_empty():
    log = made(rows(2, timestamp=["x", "y"]), on_bad_rows="quarantine")

    assert (len(log), len(log.rejected), log.n_customers) == (0, 2, 0)
    assert log.start is pd.NaT


def test_ids_of_rejected_rows_are_in_no_vocabulary():
    given = rows(
        2, customer_id=["a", "b"], item_id=["x", "y"], quantity=[1, 0], order_id=["o1", "o2"],
        event_id=[1, 2], channel=["app", "web"], reason=["r", "s"],
    )  # fmt: skip
    words = made(given, on_bad_rows="quarantine").vocabulary

    for vocabulary in (words.customer_ids, words.item_ids, words.orders, words.event_ids):
        assert len(vocabulary) == 1
    assert (words.channels.tolist(), words.reasons.tolist()) == (["app"], ["r"])


def test_rejected_rows_may_come_from_columns_named_like_ours():
    given = {"row": [1, None], "item_id": ["x", "y"], "timestamp": ["2025-01-01"] * 2}
    log = InteractionLog.from_frame(
        given, customer_id="row", timezone="UTC", on_bad_rows="quarantine"
    )

    assert log.rejected["row"].tolist() == [1]
    assert list(log.rejected.columns)[1] == "your_row"


# -- duplicates ----------------------------------------------------------------------------


def test_identical_rows_are_kept_and_counted():
    log = made(rows(3, timestamp=["2025-01-01"] * 3, price=[1.0, 1.0, 2.0]))

    assert len(log) == 3
    assert log.report["identical_rows"] == 1


def test_the_same_event_id_counts_once():
    log = made(rows(4, event_id=["e1", "e1", None, None]))

    assert len(log) == 3
    assert log.report["rejected"] == {"a duplicate event_id": 1}
    assert log.rejected["row"].tolist() == [1]


def test_of_one_event_id_the_row_that_was_known_first_counts():
    """Row 0 happened first but was known last: before its day, the log must not miss row 1."""
    known = ["2025-01-09", "2025-01-03", "2025-01-04"]
    log = made(rows(3, event_id=[5, 5, 5], known_at=known), closed_until="2025-02-01")

    assert log.rejected["row"].tolist() == [0, 2]
    assert log.as_of("2025-01-04").n_events == 1


def test_a_later_customer_cannot_take_an_event_id_from_an_earlier_one():
    """ "a" sorts before "b", but came a day later: as of the second day "b" must be there."""
    log = made(rows(2, customer_id=["b", "a"], event_id=[5, 5]), closed_until="2025-02-01")

    assert log.as_of("2025-01-02").customer_ids.tolist() == ["b"]


# -- histories ------------------------------------------------------------------------------


def test_a_history_is_strictly_before_its_cutoff():
    log = made(rows(3))

    assert log.as_of("2025-01-02").n_events == 1
    assert log.as_of("2025-01-02T00:00:00.000001").n_events == 2


def test_a_history_holds_what_was_known_by_then():
    log = made(rows(3, known_at=["2025-01-01", "2025-01-08", "2025-01-03"]))

    assert log.as_of("2025-01-03").n_events == 1
    with pytest.warns(FutureCutoffWarning):
        assert log.as_of("2025-01-08").n_events == 2


def test_the_vocabulary_of_a_history_is_that_of_its_events():
    given = rows(
        2, customer_id=["b", "a"], item_id=["y", "x"], order_id=["p", "o"], event_id=[2, 1],
        channel=["web", "app"], reason=["s", "r"],
    )  # fmt: skip
    history = made(given).as_of("2025-01-02")
    words = history.vocabulary

    assert (history.customer_ids.tolist(), history.item_ids.tolist()) == (["b"], ["y"])
    assert (words.orders.tolist(), words.event_ids.tolist()) == (["p"], [2])
    assert (words.channels.tolist(), words.reasons.tolist()) == (["web"], ["s"])
    for name in ("customer", "item", "order", "event_id", "channel", "reason"):
        assert getattr(history.events, name).tolist() == [0]


def test_a_history_says_what_it_is():
    history = made().as_of("2025-01-03")

    assert history.cutoff == pd.Timestamp("2025-01-03", tz="UTC")
    assert (history.n_events, history.n_customers, history.n_items) == (3, 2, 2)
    assert history.n_purchases == 3
    assert history.timezone == "UTC"
    assert "before 2025-01-03" in repr(history)


def test_a_cutoff_past_the_end_warns():
    with pytest.warns(FutureCutoffWarning, match="past the end"):
        made(rows(2)).as_of("2025-01-02T00:00:01")


def test_a_cutoff_before_the_closing_time_does_not_warn():
    log = made(rows(2), closed_until="2025-02-01")

    assert log.as_of("2025-02-01").n_events == 2
    assert log.closed_until == pd.Timestamp("2025-02-01", tz="UTC")


def test_a_history_cannot_show_what_came_after_it():
    with pytest.raises(CutoffError, match=r"log\.as_of"):
        made().as_of("2025-01-02").as_of("2025-01-03")


def test_a_day_is_a_local_one():
    """23:30 UTC on the 1st is already the 2nd in Berlin."""
    log = made(rows(timestamp=["2025-01-01T23:30Z"]), timezone="Europe/Berlin")

    assert log.events.day.tolist() == [
        (pd.Timestamp("2025-01-02") - pd.Timestamp("1970-01-01")).days
    ]


def test_select_takes_customers_and_makes_those_who_are_unknown():
    history = made().as_of("2025-02-01").select(["zed", "bo"])

    assert history.customer_ids.tolist() == ["bo", "zed"]
    assert np.diff(history.events.offsets).tolist() == [2, 0]
    assert history.item_ids.tolist() == ["mug", "tea"]


def test_select_keeps_others_out_of_earlier_histories_too():
    log = made(customers=pd.DataFrame({"customer_id": ["al", "bo", "dan"]}))
    selected = log.as_of("2025-01-31").select(["bo"])

    assert selected.as_of("2025-01-02").customer_ids.tolist() == ["bo"]
    assert selected.customers.index.tolist() == ["bo"]


@pytest.mark.parametrize("ids", ["bo", None, 5])
def test_select_wants_a_list_of_ids(ids):
    with pytest.raises(IdTypeError, match="list of ids"):
        made().as_of("2025-02-01").select(ids)


@pytest.mark.parametrize("ids", [[1], [None], [1.5], [True]])
def test_select_wants_ids_of_the_type_of_the_log(ids):
    with pytest.raises(IdTypeError):
        made().as_of("2025-02-01").select(ids)


def test_nobody_may_be_selected():
    assert made().as_of("2025-02-01").select([]).n_customers == 0


def test_before_the_last_basket_is_before_the_local_day_of_the_last_purchase():
    """al bought on the 1st and 2nd, bo on the 1st and 3rd, cy looked on the 5th."""
    given = {
        "customer_id": ["al", "al", "bo", "bo", "bo", "cy"],
        "item_id": ["x"] * 6,
        "timestamp": [
            "2025-01-01T10:00", "2025-01-02T10:00", "2025-01-01T10:00", "2025-01-03T09:00",
            "2025-01-03T18:00", "2025-01-05T10:00",
        ],
        "event": ["purchase"] * 5 + ["view"],
    }  # fmt: skip
    history = made(given, timezone="Asia/Seoul").as_of("2025-01-05T10:00").before_last_basket()

    assert history.to_pandas().groupby("customer_id").size().to_dict() == {"al": 1, "bo": 1}
    assert history.cutoff.tolist() == [
        pd.Timestamp("2025-01-02", tz="Asia/Seoul"), pd.Timestamp("2025-01-03", tz="Asia/Seoul"),
    ]  # fmt: skip


def test_attributes_of_customers_are_as_of_their_own_cutoffs():
    """bo's last basket began on the 3rd: what became known with it is too late."""
    facts = pd.DataFrame(
        {
            "customer_id": ["al", "bo", "bo"],
            "segment": ["new", "new", "club"],
            "valid_from": [None, None, "2025-01-03"],
        }
    )
    history = made(customers=facts).as_of("2025-01-20")

    assert history.customers["segment"].tolist() == ["new", "club"]
    assert history.before_last_basket().customers["segment"].tolist() == ["new", "new"]


# -- logs from logs --------------------------------------------------------------------------


def test_between_is_half_open():
    part = made(rows(4)).between("2025-01-02", "2025-01-04")

    assert part.to_pandas()["timestamp"].dt.day.tolist() == [2, 3]
    assert part.closed_until == pd.Timestamp("2025-01-04", tz="UTC")
    assert part.report["rows_read"] == part.report["rows_kept"] == 2


def test_between_does_not_close_what_the_log_does_not_hold():
    assert made(rows(4)).between("2025-01-02", "2026-01-01").closed_until == made(rows(4)).end


def test_between_knows_only_its_own_words():
    part = made(rows(2, order_id=["a", "b"], item_id=["x", "y"])).between(
        "2025-01-02", "2025-01-03"
    )

    assert part.vocabulary.orders.tolist() == ["b"]
    assert part.vocabulary.item_ids.tolist() == ["y"]


def test_between_the_wrong_way_round_is_refused():
    with pytest.raises(CutoffError, match="swap"):
        made().between("2025-02-01", "2025-01-01")


def test_extend_leaves_both_logs_as_they_were():
    first, second = made(rows(2)), made(rows(3, customer_id=["b"] * 3))
    both = first.extend(second)

    assert (len(first), len(second), len(both)) == (2, 3, 5)
    assert first.vocabulary.customer_ids.tolist() == ["a"]


def test_extend_counts_an_event_id_once_and_keeps_the_books():
    first = made(rows(2, event_id=[1, 2], quantity=[1, 0]), on_bad_rows="quarantine")
    second = made(rows(2, event_id=[1, 3]))
    both = first.extend(second)

    assert len(both) == 2
    assert both.report["rejected"] == {"a duplicate event_id": 1, "a zero quantity": 1}
    assert len(both) + len(both.rejected) == both.report["rows_read"] == 4
    assert both.rejected.columns[-1] == "rejected_because"


def test_extend_puts_extra_events_and_columns_together():
    first = made(rows(1, event=["walk"]), extra_events=["walk"])
    second = made(rows(1, event=["swim"], gift=[True], order_id=["o"]), extra_events=["swim"])
    table = first.extend(second).to_pandas()

    assert sorted(table["event"]) == ["swim", "walk"]
    assert sorted(table["gift"]) == [False, True]


def test_extend_takes_the_later_word_on_attributes():
    first = made(rows(1), items=pd.DataFrame({"item_id": ["x", "y"], "price": [1, 2]}))
    second = made(rows(1), items=pd.DataFrame({"item_id": ["y", "z"], "price": [3, 4]}))
    history = first.extend(second).as_of("2025-01-01")

    assert history.items["price"].tolist() == [1, 3, 4]


def test_extend_closes_at_the_later_end():
    first, second = made(rows(1), closed_until="2025-03-01"), made(rows(2))

    assert second.extend(first).closed_until == pd.Timestamp("2025-03-01", tz="UTC")
    assert second.extend(made(rows(3))).closed_until_us is None


def test_extend_with_something_else_is_refused():
    with pytest.raises(ParameterError, match="from_frame"):
        made().extend(pd.DataFrame(ROWS))


def test_extend_with_ids_of_another_type_is_refused():
    with pytest.raises(IdTypeError, match="customer_id"):
        made(rows(1)).extend(made(rows(1, customer_id=[1])))


def test_erase_takes_events_attributes_orders_and_rejected_rows():
    given = rows(
        4, customer_id=["a", "b", "a", "b"], item_id=["x", "y", "z", "y"], quantity=[1, 1, 0, 0],
        order_id=["oa", "ob", "oa", "ob"], event_id=[1, 2, 3, 4],
    )  # fmt: skip
    people = pd.DataFrame({"customer_id": ["a", "b", "c"], "age": [1, 2, 3]})
    log = made(given, on_bad_rows="quarantine", customers=people)
    left = log.erase(["a"])

    assert left.vocabulary.customer_ids.tolist() == ["b"]
    assert left.vocabulary.item_ids.tolist() == ["y"]
    assert left.vocabulary.orders.tolist() == ["ob"]
    assert left.vocabulary.event_ids.tolist() == [2]
    assert left.customer_attributes.ids.tolist() == ["b", "c"]
    assert left.rejected["customer_id"].tolist() == ["b"]
    assert left.report["rows_read"] == 2
    assert len(log) == 2


def test_erase_finds_rejected_rows_whose_ids_were_floats():
    given = rows(3, customer_id=[17850.0, 17850.0, None], quantity=[1, 0, 1])
    left = made(given, on_bad_rows="quarantine").erase([17850])

    assert len(left) == 0
    assert left.rejected["rejected_because"].tolist() == ["no customer"]


def test_erase_takes_no_row_of_others_whatever_stands_in_them():
    given = rows(3, customer_id=[1, 2, 2], item_id=[5, 1, 1], quantity=[1, 1, 0])
    left = made(given, on_bad_rows="quarantine").erase([1])

    assert len(left.rejected) == 1


def test_erasing_everybody_leaves_an_empty_log_that_can_be_extended():
    left = made().erase(["al", "bo", "cy"])

    assert (len(left), left.n_items) == (0, 0)
    assert len(left.extend(made())) == 5


def test_erase_wants_a_list():
    with pytest.raises(IdTypeError, match="list"):
        made().erase("al")


# -- nothing is changed -------------------------------------------------------------------


def test_the_arrays_of_a_log_cannot_be_written():
    log = made(rows(2, order_id=["a", "b"]))

    for owner in (log.events, log.vocabulary):
        for array in vars(owner).values():
            assert isinstance(array, tuple) or not array.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        log.events.item[0] = 7


def test_what_the_caller_gave_is_not_changed_and_not_kept():
    given = {name: np.array(values) for name, values in rows(3).items()}
    given["price"] = np.array([1.0, 2.0, 3.0])
    given["timestamp"] = given["timestamp"].astype("M8[us]")
    before = {name: values.copy() for name, values in given.items()}
    log = made(given)
    given["price"][:] = 99.0

    assert log.to_pandas()["price"].tolist() == [1.0, 2.0, 3.0]
    assert (given["timestamp"] == before["timestamp"]).all()


def test_a_log_and_a_history_are_frozen():
    log = made()
    for thing in (log, log.as_of("2025-01-02"), log.events, log.vocabulary):
        with pytest.raises(dataclasses.FrozenInstanceError):
            thing.timezone = "UTC"


def test_every_error_is_also_a_builtin_kind():
    for error in AnticipateError.__subclasses__():
        builtin = [kind for kind in error.__mro__ if kind.__module__ == "builtins"]
        assert builtin[0] is not Exception


def test_a_log_and_a_history_survive_pickling():
    log = random_log(1, n_customers=4)
    history = log.as_of("2024-09-01")

    assert difference(pickle.loads(pickle.dumps(log)).to_pandas(), log.to_pandas()) is None
    assert difference(contents(pickle.loads(pickle.dumps(history))), contents(history)) is None
    again = pickle.loads(pickle.dumps(made(rows(3)))).events
    assert is_constant(again.order)
    assert again.known_at is again.timestamp


# -- large ---------------------------------------------------------------------------------


def test_thousands_of_text_ids_do_not_cost_quadratic_time():
    """30,000 customers by name, listed too: comparing each with each would take minutes."""
    ids = [f"customer {number:05d}" for number in range(30_000)]
    log = made(
        {"customer_id": ids, "item_id": ids, "timestamp": ["2025-01-01", "2025-01-02"] * 15_000},
        customers=pd.DataFrame({"customer_id": ids[::2]}),
        items=pd.DataFrame({"item_id": ids[::2]}),
    )
    history = log.as_of("2025-01-02")

    assert history.n_customers == 15_000
    assert history.select(ids[:20_000]).n_customers == 20_000
    assert log.erase(ids[:10_000]).n_customers == 20_000


def test_a_random_log_reads_the_same_from_its_own_table():
    log = random_log(5, timezone="America/New_York")
    again = made(log.to_pandas(), timezone=log.timezone)

    assert difference(log.to_pandas(), again.to_pandas()) is None
