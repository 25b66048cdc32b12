"""The cart's duplicates on line: what the bundle stores gives what would be counted anew."""

from __future__ import annotations

import copy

import numpy as np
import pandas as pd
import pytest

from anticipate import load_example
from anticipate.anticipator.state import make_state
from anticipate.guards import DuplicateGuard
from anticipate.serving import Scorer

ALL = ("double_submit", "already_owned", "substitute_owned")
NOW = "2025-03-02T10:00Z"
OWNED, OTHER = "B-1984-print", "B-1984-ebook"  # of the story's customer


@pytest.fixture(scope="module")
def history(bookshop_history):
    return bookshop_history


@pytest.fixture(scope="module")
def guard(history):
    return DuplicateGuard(kinds=ALL, cost_annoyance=0.01).fit(history)


def scorer_with(guard, model, history):
    """The bookshop's model with another guard; the model itself is left as it is."""
    model = copy.copy(model)
    model.guard_ = guard
    return Scorer(*make_state(model, history))


@pytest.fixture(scope="module")
def scorer(guard, bookshop_model, history):
    return scorer_with(guard, bookshop_model, history)


def duplicates(scorer, customer, cart, *recent):
    rows = [{"customer_id": customer, "timestamp": "2025-03-01T12:00Z", **row} for row in recent]
    found = scorer.check_cart(customer, cart, as_of=NOW, recent=rows or None)
    return [one.to_dict() for one in found if one.kind == "duplicate_purchase"]


def test_a_view_since_then_changes_no_warning(scorer, history):
    """With recent events everything is counted anew: the answer is the same to the bit."""
    n_warned = 0
    for customer in history.customer_ids[:60].tolist():
        bought = history.select([customer]).to_pandas()
        cart = bought[bought["event"] == "purchase"]["item_id"].drop_duplicates().head(5).tolist()
        if not cart:
            continue
        stored = duplicates(scorer, customer, cart)
        assert duplicates(scorer, customer, cart, {"event": "view", "item_id": OTHER}) == stored
        n_warned += len(stored)

    assert n_warned > 20


def test_a_return_of_today_clears_the_warning_at_once(scorer):
    assert duplicates(scorer, "C042", [OTHER])

    back = {"event": "return", "item_id": OWNED}
    assert duplicates(scorer, "C042", [OTHER], back) == []


def test_a_purchase_of_today_is_owned_at_once(scorer):
    new = next(iter({"D-lamp", "D-press", "D-stand"} - set(bought_by("C042"))))
    assert duplicates(scorer, "C042", [new]) == []

    found = duplicates(scorer, "C042", [new], {"event": "purchase", "item_id": new})
    assert [one["reason"]["code"] for one in found] == ["already_owned"]
    assert pd.Timestamp(found[0]["evidence"][0]["date"]) == pd.Timestamp("2025-03-01T12:00Z")


def test_an_answer_of_today_is_heeded_at_once(scorer):
    waved = {"event": "warning_dismissed", "item_id": OTHER}

    assert duplicates(scorer, "C042", [OTHER], waved) == []


def test_where_only_second_clicks_speak_they_are_said_as_ever(
    scorer, guard, bookshop_model, history
):
    """The work of the other kinds is spared: second clicks are the same to the bit."""
    quiet = copy.deepcopy(guard)
    quiet.speaking_.thresholds[2:] = np.inf
    clicks = scorer_with(quiet, bookshop_model, history)
    again = {"event": "purchase", "item_id": "D-lamp", "timestamp": "2025-03-02T09:57Z"}
    cart = ["D-lamp", OTHER, "K-coffee-beans"]
    every = duplicates(scorer, "C042", cart, again)
    said = duplicates(clicks, "C042", cart, again)

    assert [one["reason"]["code"] for one in said] == ["double_submit"]
    assert said == [one for one in every if one["reason"]["code"] == "double_submit"]
    assert len(every) == 2


def bought_by(customer):
    events = load_example("bookshop").as_of("2025-03-01").select([customer]).to_pandas()
    return events[events["event"] == "purchase"]["item_id"].tolist()
