"""Odd but possible questions to the scorer: what must not leak, grow or count twice."""

from __future__ import annotations

import warnings
from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from anticipate import columns as c
from anticipate.exceptions import BadRowsError, CutoffError, FutureCutoffWarning
from anticipate.serving import Scorer
from anticipate.serving.instants import to_datetime, to_microseconds
from anticipate.suggestions import BENEFITS

AS_OF = pd.Timestamp("2025-03-08T10:00Z")
HOUR = pd.Timedelta(hours=1)


@pytest.fixture(scope="module")
def scorer(bookshop_bundle):
    return Scorer.load(bookshop_bundle)


def chances(scorer, *rows, **asked):
    asked = {"as_of": AS_OF, "n": 32, "audience": "staff", "recent": list(rows), **asked}
    return {one.item_id: one.probability for one in scorer.suggest("C042", **asked)}


def row(event=c.PURCHASE, at=AS_OF - HOUR, item="B-mars-1-print", **more):
    return {c.CUSTOMER: "C042", c.ITEM: item, c.EVENT: event, c.TIMESTAMP: at, **more}


def test_an_instant_before_the_calendar_is_cut_to_its_start():
    before = to_microseconds("0001-01-01T00:00:00+23:59", "UTC")

    assert to_datetime(before).replace(tzinfo=None) == datetime.min
    assert to_datetime(10**18).replace(tzinfo=None) == datetime.max


def test_moments_before_the_cutoff_are_refused_without_being_repeated(scorer):
    for as_of in ("0001-01-01T00:00:00+23:59", "1987-06-05T04:03Z"):
        with pytest.raises(CutoffError, match="as_of lies before the bundle's cutoff 2025") as told:
            scorer.suggest("C042", as_of=as_of)
        assert "1987" not in str(told.value)


def test_a_stale_bundle_warns_with_one_text_for_all_moments(scorer):
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", FutureCutoffWarning)
        for day in range(5):
            scorer.suggest("C042", as_of=AS_OF + pd.Timedelta(days=200 + day))

    assert len(told) == 5
    assert len({str(one.message) for one in told}) == 1


def test_an_array_of_one_instant_is_an_instant(scorer):
    one = np.array("2025-03-08T10:00", dtype="M8[us]")

    assert scorer.suggest("C042", as_of=one) == scorer.suggest("C042", as_of=AS_OF)


def test_what_the_bundle_holds_is_not_counted_again_by_its_event_id(scorer):
    """A row from before the cutoff, and its copy that came later: neither says anything new."""
    at = AS_OF - pd.Timedelta(days=20)
    old = row(item="K-coffee-beans", at=at, event_id="e1")
    again = {**old, c.KNOWN_AT: AS_OF - HOUR}

    assert chances(scorer, again, old) == chances(scorer)
    assert chances(scorer, again) != chances(scorer)


@pytest.mark.parametrize("regret", [c.NOT_INTERESTED, c.CANCEL])
def test_what_was_refused_after_all_draws_nothing(scorer, regret):
    """As if the view had not been; the same holds of what was bought and cancelled."""
    first = row(c.VIEW if regret == c.NOT_INTERESTED else c.PURCHASE)
    refusal = row(regret, AS_OF - HOUR / 2)
    seen, after, alone = (chances(scorer, *rows) for rows in ([first], [first, refusal], [refusal]))

    assert seen["B-mars-2-print"] > alone.get("B-mars-2-print", 0.0)
    assert after.get("B-mars-2-print") == alone.get("B-mars-2-print")
    both = after.keys() & alone.keys() - {first[c.ITEM]}  # the last of 32 may differ
    assert {id_: after[id_] for id_ in both} == {id_: alone[id_] for id_ in both}


def test_no_number_is_no_quantity(scorer):
    with pytest.raises(BadRowsError, match="recent: row 0: quantity must be finite"):
        chances(scorer, row(quantity="nan"))


@pytest.mark.parametrize("audience", ["customer", "staff"])
def test_the_first_of_one_is_the_first_of_all_whatever_is_worth_more(bookshop_bundle, audience):
    """A re-stock is worth a twentieth, a next need less than nothing to whom it is improbable."""
    table = {**BENEFITS, "restock_due": (0.05, 0.0), "next_need": (1.0, 0.02)}
    scorer = Scorer.load(bookshop_bundle, benefits=table)
    many = {n: scorer.suggest_many(as_of=AS_OF, n=n, audience=audience) for n in (1, 32)}
    first = many[32][many[32]["rank"] == 1].reset_index(drop=True)

    pd.testing.assert_frame_equal(many[1], first)
    for id_ in first.customer_id[::20]:
        asked = {"as_of": AS_OF, "audience": audience}
        assert scorer.suggest(id_, n=1, **asked) == scorer.suggest(id_, n=32, **asked)[:1]


def test_churn_in_parts_is_churn_at_once(scorer, monkeypatch):
    whole = scorer.churn(as_of=AS_OF)
    monkeypatch.setattr("anticipate.serving.tables.CHURN_PART", 7)

    pd.testing.assert_frame_equal(scorer.churn(as_of=AS_OF), whole)
