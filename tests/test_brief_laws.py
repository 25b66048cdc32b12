"""The brief's laws: nothing later counts, order and repetition say nothing, one rule each."""

from __future__ import annotations

import json

import numpy as np
import pytest

from anticipate import columns as c
from anticipate.kernels import care, complaints, open_rows
from anticipate.serving import Scorer
from anticipate.serving.brief import brief_card
from anticipate.testing import random_log

NOW, LATER = "2025-03-01T00:00Z", "2025-03-08T10:00Z"


@pytest.fixture(scope="module")
def scorer(bookshop_bundle):
    return Scorer.load(bookshop_bundle)


def customers(scorer, step):
    return scorer.customer_ids()[::step].tolist()


def test_codes_are_those_of_the_columns():
    assert c.EVENT_CODES[c.CONTACT] == open_rows.CONTACT_CODE
    assert c.EVENT_CODES[c.CONTACTED] == open_rows.CONTACTED_CODE


def test_open_rows_follow_the_rules_that_withhold():
    """The latest open complaint, return and re-check are those of ``care``; a resolution is
    found where ``complaints`` finds it.
    """
    for seed in range(3):
        log = random_log(seed)
        history = log.as_of(log.start + (log.end - log.start) * 0.8)
        events, at = history.events, history.cutoffs
        found, known = open_rows.open_rows(events, at), care.open_matters(events, at)

        for rows, latest in zip(
            (found.complaints, found.returns, found.rechecks), known, strict=True
        ):
            expected = np.full(history.n_customers, -1)
            expected[events.customer[rows]] = rows
            assert (expected == latest).all()
        rows, resolved_at = complaints.match_resolved(events)
        answers = [open_rows.answer_row(events, row) for row in rows.tolist()]
        ours = [events.timestamp[one] if one >= 0 else complaints.NEVER for one in answers]
        assert ours == resolved_at.tolist()


def test_contacts_are_open_until_answered_about_the_same():
    """No contact that a later resolved or contacted may be about is open, and no other is not."""
    n_open = 0
    for seed in range(3):
        log = random_log(seed)
        history = log.as_of(log.end)
        events = history.events
        found = set(open_rows.open_rows(events, history.cutoffs).contacts.tolist())
        for row in np.flatnonzero(events.event == open_rows.CONTACT_CODE).tolist():
            age = history.cutoffs[events.customer[row]] - events.timestamp[row]
            is_answered = any(
                _answers(events, row, other)
                for other in np.flatnonzero(events.customer == events.customer[row]).tolist()
            )
            assert (row in found) == (age <= 30 * care.DAY and not is_answered)
        n_open += len(found)
    assert n_open


def _answers(events, row, other):
    names = ["item", "order"]
    if events.event[other] == open_rows.CONTACTED_CODE:
        names.append("reason")
    elif events.event[other] != care.RESOLVED_CODE:
        return False
    pairs = [(getattr(events, name)[row], getattr(events, name)[other]) for name in names]
    same = all(ours == theirs or min(ours, theirs) < 0 for ours, theirs in pairs)
    return same and events.timestamp[other] >= events.timestamp[row]


def test_nothing_at_or_after_the_moment_or_not_yet_known_counts(scorer):
    row = {"customer_id": "C042", "item_id": "K-coffee-beans", "reason": "late"}
    late = [
        {**row, "event": event, "timestamp": LATER} for event in ("purchase", "complaint", "return")
    ]
    unknown = [{**one, "timestamp": "2025-03-02", "known_at": LATER} for one in late]
    plain = scorer.brief("C042", as_of=LATER)

    assert scorer.brief("C042", as_of=LATER, recent=late + unknown) == plain
    assert scorer.brief("C042", as_of="2025-03-08T10:00:01Z", recent=late) != plain


def test_row_order_and_repeated_event_ids_change_nothing(scorer):
    base = {"customer_id": "C042", "timestamp": "2025-03-02", "item_id": "K-ink"}
    rows = [
        {**base, "event": event, "event_id": f"e{event}", "reason": topic, "order_id": "new"}
        for event, topic in (
            ("purchase", None), ("complaint", "late"), ("contact", "late"), ("return", None)
        )
    ]  # fmt: skip
    once = scorer.brief("C042", as_of=LATER, recent=rows)

    assert scorer.brief("C042", as_of=LATER, recent=rows[::-1]) == once
    assert scorer.brief("C042", as_of=LATER, recent=[*rows, *rows]) == once
    assert len(once["open"]) == 3


def test_a_week_told_is_a_week_stored(scorer, bookshop, bookshop_model, tmp_path):
    """What is fact is the same from a bundle that holds the week and from one that is told it."""
    stored = Scorer.load(bookshop_model.save(tmp_path / "b", history=bookshop.as_of("2025-03-08")))
    week = bookshop.between("2025-03-01", "2025-03-08")
    told = week.to_pandas()
    active = [id_ for id_ in dict.fromkeys(told["customer_id"]) if id_ in customers(scorer, 1)]
    facts = ("customer_since", "n_purchase_days", "last_purchase", "spend_12_months")
    parts = ("open", "rechecks", "owns", "n_owned", "uses", "do_not_offer", "timeline")
    for id_ in active[:15]:
        ours = scorer.brief(id_, as_of=LATER, recent=told[told["customer_id"] == id_])
        theirs = stored.brief(id_, as_of=LATER)

        for part in parts:
            assert ours[part] == theirs[part]
        assert [ours["relation"][name] for name in facts] == [
            theirs["relation"][name] for name in facts
        ]


@pytest.mark.parametrize("enough", [1, 7, 10_000])
def test_the_timeline_does_not_depend_on_how_many_rows_are_looked_at_first(
    scorer, monkeypatch, enough
):
    from anticipate.serving.brief import timeline

    ids = customers(scorer, 40)
    usual = [scorer.brief(id_, as_of=LATER)["timeline"] for id_ in ids]
    monkeypatch.setattr(timeline, "ENOUGH_ROWS", enough)

    assert [scorer.brief(id_, as_of=LATER)["timeline"] for id_ in ids] == usual


def test_every_brief_is_json_tells_a_story_and_offers_nothing_unwanted(scorer):
    for id_ in customers(scorer, 8):
        brief = scorer.brief(id_, as_of=LATER, language="ko" if id_ < "C1" else "en")

        assert json.loads(json.dumps(brief, allow_nan=False)) == brief
        assert 3 <= len(brief["story"]) <= 6
        unwanted = {one["item_id"] for one in brief["do_not_offer"]}
        assert not unwanted & {one["item_id"] for one in brief["ahead"]}
        assert not brief["ahead"] or not brief["withheld_because"]
        assert len(unwanted) == len(brief["do_not_offer"])
        assert len(brief_card(brief)) < 40_000


def test_troubles_state_what_the_tables_hold(scorer, bookshop_model):
    """Shares of returns are the guard's, chances of leaving the churn table's."""
    guard = bookshop_model.return_guard_
    shares = dict(zip(guard.item_ids_.tolist(), guard.items_.share.tolist(), strict=False))
    churn, told = scorer.churn(as_of=LATER), set()
    for id_ in customers(scorer, 5):
        brief = scorer.brief(id_, as_of=LATER)
        ahead = {f"{one['name']} ({one['item_id']})": one["item_id"] for one in brief["ahead"]}
        for one in brief["likely_to_go_wrong"]:
            facts = one["facts"]
            told.add(one["code"])
            if one["code"] == "often_sent_back":
                assert facts["return_percent"] == round(100 * shares[ahead[facts["item"]]])
                assert facts["return_percent"] >= 10
            if one["code"] == "may_leave":
                assert facts["segment"] == churn.segment[id_]
                assert facts["percent"] == round(100 * churn.p_churn[id_])
    assert {"often_sent_back", "may_leave"} <= told


def test_a_need_like_a_thing_rated_low_is_told(scorer, bookshop_history):
    """C042 may want the next Mars book; a book of the same category is rated 1."""
    row = {"customer_id": "C042", "timestamp": "2025-03-02", "event": "rating"}
    rated = {**row, "item_id": "B-1984-print", "value": 1.0}
    category = bookshop_history.items["category"]
    assert category["B-1984-print"] == category["B-mars-3-print"]

    found = scorer.brief("C042", as_of=LATER, recent=[rated])["likely_to_go_wrong"]
    (like, *_) = [one for one in found if one["code"] == "low_rating_like"]

    assert like["facts"] == {
        "item": "The Warlord of Mars (B-mars-3-print)",
        "rated": "Nineteen Eighty-Four (B-1984-print)", "value": 1.0, "since": "2025-03-02",
    }  # fmt: skip
    fair = scorer.brief("C042", as_of=LATER, recent=[{**rated, "value": 4.0}])
    assert "low_rating_like" not in [one["code"] for one in fair["likely_to_go_wrong"]]


def test_a_brief_agrees_with_the_suggestions_about_what_is_open(scorer):
    n_open = 0
    for id_ in customers(scorer, 4):
        brief = scorer.brief(id_, as_of=LATER)
        found = scorer.suggest(id_, as_of=LATER, audience="staff", n=32)
        told = {one.reason.code for one in found if one.kind == "follow_up"}

        kinds = {one["kind"] for one in brief["open"]}
        assert ("open_complaint" in told) == ("complaint" in kinds)
        assert ("open_return" in told) == ("return" in kinds and "complaint" not in kinds)
        n_open += bool(kinds)
    assert n_open
