"""The scorer: laws, moments, recent events, and what is never shown."""

from __future__ import annotations

import json
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from anticipate.exceptions import (
    AnticipateWarning,
    BadRowsError,
    ColumnError,
    CutoffError,
    IdTypeError,
    ParameterError,
    TimeError,
)
from anticipate.serving import Scorer
from anticipate.suggestions import CUSTOMER_KINDS, SELLING_KINDS

NOW = "2025-03-01T00:00Z"
LATER = "2025-03-08T10:00Z"


@pytest.fixture(scope="module")
def scorer(bookshop_bundle):
    return Scorer.load(bookshop_bundle)


def kinds(suggestions):
    return [one.kind for one in suggestions]


def test_at_the_cutoff_the_scorer_is_the_anticipator(bookshop_model, bookshop_history, scorer):
    """Same customer, same moment, no recent: equal to the last bit, cart or not."""
    for cart in ((), ["B-1984-ebook"], ["K-coffee-beans", "K-coffee-beans"]):
        for id_ in ["C042", *bookshop_history.customer_ids[::40]]:
            for audience in ("customer", "staff"):
                ours = scorer.suggest(id_, as_of=NOW, cart=cart, n=9, audience=audience)
                theirs = bookshop_model.suggest(
                    bookshop_history, id_, cart=cart, n=9, audience=audience
                )
                assert ours == theirs


def test_one_customer_alone_is_the_same_in_a_batch(scorer, bookshop_history):
    ids = bookshop_history.customer_ids[::9].tolist()
    for as_of in (NOW, LATER):
        table = scorer.suggest_many(ids, as_of=as_of, n=5)
        for id_ in ids[::5]:
            rows = table[table.customer_id == id_]
            alone = scorer.suggest(id_, as_of=as_of, n=5, audience="staff")
            assert rows.probability.tolist() == [one.probability for one in alone]
            assert rows.kind.tolist() == kinds(alone)
            assert rows.reason.tolist() == [one.reason.text() for one in alone]


def test_many_customers_may_repeat_with_an_instant_each(scorer):
    table = scorer.suggest_many(["C042", "C042"], as_of=[NOW, LATER], n=2)

    assert table.as_of.drop_duplicates().tolist() == [pd.Timestamp(NOW), pd.Timestamp(LATER)]
    with pytest.raises(ParameterError, match="2 instants for 1 customers"):
        scorer.suggest_many(["C042"], as_of=[NOW, LATER])


def test_the_owned_edition_is_warned_about_with_evidence_and_a_choice(scorer):
    found = scorer.suggest("C042", as_of="2025-03-01T10:00Z", cart=["B-1984-ebook"])

    warning = next(one for one in found if one.kind == "duplicate_purchase")
    assert warning.reason.code == "substitute_owned"
    assert warning.evidence[0]["item_id"] == "B-1984-print"
    assert len(warning.options) >= 2
    json.dumps([one.to_dict() for one in found])


def test_check_cart_speaks_of_the_cart_alone(scorer):
    found = scorer.check_cart("C042", ["B-1984-ebook"], as_of="2025-03-01T10:00Z")

    assert {one.item_id for one in found} == {"B-1984-ebook"}
    assert scorer.check_cart("C042", [], as_of=NOW) == []


def test_customers_never_see_what_is_for_staff(scorer, bookshop_history):
    table = scorer.suggest_many(as_of=NOW, n=32, audience="customer")

    assert set(table.kind) <= set(CUSTOMER_KINDS)
    staff = scorer.suggest_many(as_of=NOW, n=32)
    assert {"churn_risk", "win_back"} & set(staff.kind)


def test_what_was_just_bought_falls(scorer):
    """The top need, bought a minute ago, is less probable than before."""
    first = scorer.suggest("C042", as_of=NOW, n=1)[0]
    bought = [{"customer_id": "C042", "item_id": first.item_id, "timestamp": "2025-03-01T09:00Z"}]

    after = scorer.suggest("C042", as_of="2025-03-01T09:01Z", n=32, recent=bought)

    now = {one.item_id: one.probability for one in after}
    assert now.get(first.item_id, 0.0) < first.probability


def test_refusing_or_returning_an_item_lowers_it_and_a_wish_raises_it(scorer):
    first = scorer.suggest("C042", as_of=NOW, n=1)[0]
    at = "2025-03-01T09:00Z"
    row = {"customer_id": "C042", "item_id": first.item_id, "timestamp": "2025-03-01T08:00Z"}

    def probability(event):
        found = scorer.suggest("C042", as_of=at, n=32, recent=[{**row, "event": event}])
        return {one.item_id: one.probability for one in found}.get(first.item_id, 0.0)

    plain = probability("view")
    assert probability("not_interested") < plain
    assert probability("wish") > plain


def test_an_open_complaint_puts_care_before_the_next_sale(scorer):
    complaint = {
        "customer_id": "C042",
        "event": "complaint",
        "timestamp": "2025-03-02",
        "reason": "late",
    }
    resolved = {"customer_id": "C042", "event": "resolved", "timestamp": "2025-03-03"}

    open_ = scorer.suggest("C042", as_of="2025-03-04", recent=[complaint], audience="staff", n=9)
    closed = scorer.suggest(
        "C042", as_of="2025-03-04", recent=[complaint, resolved], audience="staff", n=9
    )
    recheck = scorer.suggest(
        "C042", as_of="2025-03-10", recent=[complaint, resolved], audience="staff", n=9
    )

    assert open_[0].kind == "follow_up"
    assert not set(kinds(open_)) & set(SELLING_KINDS)
    assert scorer.suggest("C042", as_of="2025-03-04", recent=[complaint]) == []
    assert "follow_up" not in kinds(closed)
    assert set(kinds(closed)) & set(SELLING_KINDS)
    assert recheck[0].reason.code == "recheck"


def test_recent_row_order_and_repeated_event_ids_change_nothing(scorer):
    rows = [
        {
            "customer_id": "C042",
            "item_id": "K-coffee-beans",
            "timestamp": "2025-03-02",
            "event_id": "e1",
        },
        {
            "customer_id": "C042",
            "item_id": "B-mars-3-print",
            "timestamp": "2025-03-02",
            "event": "wish",
        },
        {"customer_id": "C041", "item_id": "B-mars-1-print", "timestamp": "2025-03-03"},
    ]
    once = scorer.suggest("C042", as_of=LATER, recent=rows, n=9)

    assert scorer.suggest("C042", as_of=LATER, recent=rows[::-1], n=9) == once
    assert scorer.suggest("C042", as_of=LATER, recent=[rows[0], *rows], n=9) == once
    assert scorer.suggest("C042", as_of=LATER, recent=pd.DataFrame(rows), n=9) == once


def test_recent_rows_of_other_times_are_not_used(scorer):
    before = {"customer_id": "C042", "item_id": "K-coffee-beans", "timestamp": "2025-02-27"}
    after = {**before, "timestamp": "2025-03-09"}
    unknown_yet = {**before, "timestamp": "2025-03-02", "known_at": "2025-03-09"}
    plain = scorer.suggest("C042", as_of=LATER, n=9)

    for row in (before, after, unknown_yet):
        assert scorer.suggest("C042", as_of=LATER, recent=[row], n=9) == plain
    late_known = {**before, "known_at": "2025-03-02"}
    assert scorer.suggest("C042", as_of=LATER, recent=[late_known], n=9) != plain


def test_recent_may_be_a_log(scorer, bookshop):
    log = bookshop.between("2025-03-01", "2025-03-08")

    table = scorer.suggest_many(["C042", "C001"], as_of=LATER, recent=log)

    assert len(table)


def test_an_unknown_customer_is_answered_and_marked(scorer):
    found = scorer.suggest("nobody", as_of=NOW)

    assert found
    assert {one.reason.code for one in found} == {"newcomer"}


def test_an_unknown_customer_with_a_cart_hears_what_goes_with_it(scorer):
    found = scorer.suggest("nobody", as_of=NOW, cart=["B-mars-1-print"], n=9)

    assert "B-mars-1-print" not in [one.item_id for one in found]
    assert "goes_with_cart" in [one.reason.code for one in found]


def test_objectors_are_left_in_peace(scorer, bookshop_history):
    objections = bookshop_history.customers["objects_to"].dropna().astype(str)
    profiling = objections[objections == "profiling"].index
    marketing = objections[objections == "marketing"].index
    assert len(profiling)
    assert len(marketing)

    sold = scorer.suggest_many(list(marketing), as_of=NOW, n=9)
    ranked = scorer.rank_at_risk(as_of=NOW, top=1000)

    assert not set(sold.kind) & set(SELLING_KINDS)
    assert not set(ranked.customer_id) & {*profiling, *marketing}
    for id_ in profiling:
        assert {one.reason.code for one in scorer.suggest(id_, as_of=NOW)} <= {"newcomer"}


def test_churn_at_the_cutoff_is_the_models_own(scorer, bookshop_model, bookshop_history):
    ours = scorer.churn(as_of=NOW)
    theirs = bookshop_model.churn_.predict(bookshop_history)

    pd.testing.assert_frame_equal(ours, theirs.loc[ours.index], check_exact=True)


def test_silence_raises_churn(scorer):
    ids = ["C042"]
    now, later = (scorer.churn(ids, as_of=at).p_churn.iloc[0] for at in (NOW, "2025-03-30"))

    assert later > now


def test_rank_at_risk_orders_by_value_and_leaves_out_the_departed(scorer):
    table = scorer.rank_at_risk(as_of=NOW, top=20)

    assert table["rank"].tolist() == list(range(1, len(table) + 1))
    assert table.value_at_risk.is_monotonic_decreasing
    assert not set(table.segment) & {"departed", "prospective"}
    assert table.expected_saved_value.isna().all()


def test_rank_at_risk_spends_no_more_than_the_budget(scorer):
    """Budget 35 at 10 a contact: 3 customers, each expected to save more than it costs."""
    table = scorer.rank_at_risk(as_of=NOW, budget=35, cost=10, save_probability=0.9)

    assert len(table) <= 3
    assert (table.expected_saved_value > 0).all()
    expected = 0.9 * table.value_at_risk - 10
    assert np.allclose(table.expected_saved_value, expected)


def test_rank_at_risk_refuses_a_budget_without_a_cost(scorer):
    with pytest.raises(ParameterError, match="what one contact costs"):
        scorer.rank_at_risk(as_of=NOW, budget=100)


def test_a_brief_is_json_and_tells_the_story(scorer):
    brief = scorer.brief("C042", as_of=NOW)

    json.dumps(brief)
    assert brief["known"]
    assert "B-1984-print" in [one["item_id"] for one in brief["owns"]]
    assert brief["relation"]["segment"] == "current"
    assert not scorer.brief("nobody", as_of=NOW)["known"]


def test_as_of_before_the_cutoff_is_refused_and_far_after_warned_about(scorer):
    with pytest.raises(CutoffError, match="before the bundle's cutoff"):
        scorer.suggest("C042", as_of="2025-02-28")
    with pytest.warns(AnticipateWarning, match="save a fresh bundle"):
        scorer.suggest("C042", as_of="2025-06-01")


@pytest.mark.parametrize(
    ("arguments", "error", "word"),
    [
        ({"customer_id": 42}, IdTypeError, "text"),
        ({"customer_id": "C042", "as_of": 7}, TimeError, "as_of"),
        ({"customer_id": "C042", "as_of": "soon"}, TimeError, "ISO 8601"),
        ({"customer_id": "C042", "n": 0}, ParameterError, "at least 1"),
        ({"customer_id": "C042", "n": 33}, ParameterError, "at most 32"),
        ({"customer_id": "C042", "audience": "press"}, ParameterError, "audience"),
        ({"customer_id": "C042", "cart": [{"quantity": 1}]}, ColumnError, "item_id"),
        (
            {"customer_id": "C042", "cart": [{"item_id": "a", "quantity": 0}]},
            BadRowsError,
            "quantity",
        ),
        ({"customer_id": "C042", "recent": 3}, ParameterError, "recent"),
        ({"customer_id": "C042", "recent": [{"item_id": "a"}]}, ColumnError, "row 0"),
        (
            {"customer_id": "C042", "recent": [{"customer_id": "C042", "timestamp": NOW}]},
            BadRowsError,
            "item_id",
        ),
    ],
)
def test_wrong_questions_get_one_clear_error(scorer, arguments, error, word):
    with pytest.raises(error, match=word):
        scorer.suggest(**{"as_of": NOW, **arguments})


def test_errors_never_show_a_customers_content(scorer):
    secret = "Mrs-Secret-4711"
    bad = {"customer_id": secret, "item_id": secret, "timestamp": secret, "event": secret}
    with pytest.raises(TimeError) as caught:
        scorer.suggest("C042", as_of=NOW, recent=[bad])

    assert secret not in str(caught.value)


def test_threads_share_one_scorer(scorer, bookshop_history):
    ids = bookshop_history.customer_ids[:60].tolist()
    alone = [scorer.suggest(id_, as_of=LATER, n=5, audience="staff") for id_ in ids]
    with ThreadPoolExecutor(8) as pool, warnings.catch_warnings():
        together = list(
            pool.map(lambda id_: scorer.suggest(id_, as_of=LATER, n=5, audience="staff"), ids)
        )

    assert together == alone


def test_a_dismissed_warning_is_not_repeated(scorer):
    """They said that they want it: the same cart passes from then on."""
    said = {
        "customer_id": "C042",
        "item_id": "B-1984-ebook",
        "event": "warning_dismissed",
        "timestamp": "2025-03-01T10:00Z",
    }
    later = "2025-03-02T10:00Z"

    assert scorer.check_cart("C042", ["B-1984-ebook"], as_of=later)
    assert scorer.check_cart("C042", ["B-1984-ebook"], as_of=later, recent=[said]) == []
    other = {**said, "item_id": "B-mars-1-print"}
    assert scorer.check_cart("C042", ["B-1984-ebook"], as_of=later, recent=[other])
