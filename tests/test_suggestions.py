"""Suggestions: order, reasons, templates."""

from __future__ import annotations

import json
import pickle
import string
from datetime import UTC, datetime

import pytest

from anticipate.exceptions import ParameterError
from anticipate.suggestions import (
    BENEFITS,
    KINDS,
    LANGUAGES,
    Reason,
    Suggestion,
    expected_benefit,
    order_suggestions,
)
from anticipate.suggestions.order import check_benefits
from anticipate.suggestions.templates import TEMPLATES


def need(item, probability, kind="next_need", **more):
    return Suggestion(
        kind, "customer", "c", item, probability, None, Reason("newcomer", {"item": item}), **more
    )


def test_order_is_probability_times_benefit_minus_cost():
    """duplicate .5·5 − 1 = 1.5, need .9·1 − 0 = .9, need .2: the warning first."""
    warning = Suggestion(
        "duplicate_purchase", "customer", "c", "x", 0.5, None, Reason("newcomer", {"item": "x"}),
        options=("keep", "remove"),
    )  # fmt: skip
    ranked = order_suggestions([need("a", 0.2), warning, need("b", 0.9)])

    assert [one.item_id for one in ranked] == ["x", "b", "a"]
    assert expected_benefit(warning) == pytest.approx(1.5)


def test_one_entry_per_item_and_ties_by_item():
    ranked = order_suggestions([need("b", 0.5), need("a", 0.5), need("a", 0.4, "restock_due")])

    assert [(one.kind, one.item_id) for one in ranked] == [("next_need", "a"), ("next_need", "b")]


def test_a_replaced_benefit_changes_the_order():
    table = check_benefits({"restock_due": (3.0, 0.0)})

    ranked = order_suggestions([need("a", 0.5), need("b", 0.2, "restock_due")], table)

    assert [one.item_id for one in ranked] == ["b", "a"]  # .6 against .5


def test_unknown_kinds_are_refused():
    with pytest.raises(ParameterError, match="unknown kinds"):
        check_benefits({"discount": (1.0, 0.0)})
    with pytest.raises(ParameterError, match="kind must be one of"):
        need("a", 0.5, "discount")


def test_a_warning_without_two_options_is_refused():
    with pytest.raises(ParameterError, match="two options"):
        need("a", 0.5, "duplicate_purchase", options=("remove",))


def test_every_kind_has_a_benefit():
    assert set(BENEFITS) == set(KINDS)


@pytest.mark.parametrize("code", TEMPLATES)
def test_every_template_has_both_languages_with_the_same_facts(code):
    fields = {
        language: {
            name for _, name, _, _ in string.Formatter().parse(TEMPLATES[code][language]) if name
        }
        for language in LANGUAGES
    }

    assert set(TEMPLATES[code]) == set(LANGUAGES)
    assert fields["en"] == fields["ko"]


@pytest.mark.parametrize("code", TEMPLATES)
def test_no_wording_hurries(code):
    words = ("hurry", "only today", "last chance", "limited", "now or never", "left in stock")

    assert not any(word in TEMPLATES[code]["en"].lower() for word in words)


def test_reason_text_writes_numbers_and_dates_plainly():
    """Whole from 10 on, one decimal below, dates as days."""
    reason = Reason("repeat", {"item": "tea", "gap_days": 20.96, "days_since_last": 3.26})
    recheck = Reason("recheck", {"resolved_on": datetime(2025, 2, 3, 9, tzinfo=UTC)})

    assert reason.text() == "tea: bought every 21 days, last 3.3 days ago"
    assert recheck.text().startswith("resolved on 2025-02-03")
    assert "3.3일 전" in reason.text("ko")


def test_reason_refuses_unknown_codes_and_languages():
    with pytest.raises(ParameterError, match="unknown reason code"):
        Reason("because")
    with pytest.raises(ParameterError, match="language must be"):
        Reason("newcomer", {"item": "a"}).text("fr")


def test_to_dict_is_json_ready_and_pickles():
    one = Suggestion(
        "restock_due", "customer", 7, 9, 0.25, datetime(2025, 3, 3, tzinfo=UTC),
        Reason("newcomer", {"item": "tea"}), evidence=({"order_id": "o1"},),
    )  # fmt: skip

    found = json.loads(json.dumps(one.to_dict()))

    assert found["due"] == "2025-03-03T00:00:00+00:00"
    assert found["evidence"] == [{"order_id": "o1"}]
    assert pickle.loads(pickle.dumps(one)) == one
