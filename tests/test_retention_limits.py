"""Who may be contacted, and how: objections, channels, caps, cool-down, open matters, need."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from anticipate.exceptions import ColumnError, ParameterError
from anticipate.kernels.events import Events
from anticipate.log import InteractionLog
from anticipate.retention import ContactPlan, Level
from anticipate.retention.limits import (
    Limits,
    allowed_channels,
    blocked,
    known_channels,
    known_limits,
    recent_contacts,
)
from anticipate.retention.reasons import CODES

# Plans of a few customers hold nobody out.
pytestmark = pytest.mark.filterwarnings("ignore::anticipate.exceptions.NoHoldoutWarning")

CUTOFF = "2025-03-01"
BASIC = Level("Basic", 1, save_probability=0.1)
PREMIUM = Level("Premium", 5, save_probability=0.3)


def history(rows=(), *, n=4, cutoff=CUTOFF, **attributes):
    """Customers a, b, c, … with a purchase each on 1 January, further events and attributes."""
    ids = [chr(ord("a") + i) for i in range(n)]
    first = [(one, "x", "2025-01-01", "purchase") for one in ids]
    columns = ["customer_id", "item_id", "timestamp", "event"]
    frame = pd.DataFrame([*first, *rows], columns=columns)
    customers = pd.DataFrame({"customer_id": ids, **attributes})
    log = InteractionLog.from_frame(
        frame, event="event", timezone="UTC", customers=customers, closed_until="2026-01-01"
    )
    return log.as_of(cutoff)


def predictions(n=4, value=100.0, p_churn=0.5, segment="at_risk"):
    ids = pd.Index([chr(ord("a") + i) for i in range(n)], name="customer_id")
    return pd.DataFrame(
        {"p_churn": p_churn, "p_alive": 0.6, "value_at_risk": value, "expected_value": value,
         "segment": segment}, index=ids,
    )  # fmt: skip


def reasons(plan, history, table=None):
    table = predictions(history.n_customers) if table is None else table
    return plan.assign(table, history)["reason_code"].tolist()


def plan(*levels, **keywords):
    return ContactPlan(list(levels) or [BASIC], **{"holdout": 1e-9, **keywords})


# -- by hand ---------------------------------------------------------------------------


def test_contacts_are_counted_in_the_window_and_since_the_last():
    """From 1 March: 1 February is 28 days ago, 1 December 90, 30 November 91."""
    found = history(
        [("a", None, "2025-02-01", "contacted"), ("a", None, "2024-12-01", "contacted"),
         ("b", None, "2024-11-30", "contacted")], n=3,
    )  # fmt: skip

    n_contacts, days = recent_contacts(found.events, found.cutoffs, 90)

    assert n_contacts.tolist() == [2, 0, 0]
    assert days.tolist() == [28, 91, np.inf]


def test_a_contact_at_the_cutoff_is_not_known():
    found = history([("a", None, CUTOFF, "contacted")], n=1)

    assert known_limits(found, 90).n_contacts.tolist() == [0]


def test_cool_down_ends_after_its_last_day():
    """Contacted 28 and 27 days ago, cool-down 28 days."""
    rows = [("a", None, "2025-02-01", "contacted"), ("b", None, "2025-02-02", "contacted")]
    found = history(rows, n=2)
    table = plan(cool_down_days=28).assign(predictions(2), found)

    assert table["reason_code"].tolist() == ["chosen", "cool_down"]
    assert table["reason"].iloc[1] == "last contacted 27 day(s) ago; 28 days must lie between"


def test_who_was_contacted_often_enough_is_left_alone():
    found = history([("a", None, "2025-02-01", "contacted")] * 2, n=2)
    table = plan(max_contacts=2, contact_window_days=60).assign(predictions(2), found)

    assert table["reason_code"].tolist() == ["max_contacts", "chosen"]
    assert table["reason"].iloc[0] == "contacted 2 time(s) in 60 days; 2 are allowed"


def test_an_open_complaint_and_an_open_return_come_before_an_offer():
    found = history(
        [("a", "x", "2025-02-20", "complaint"), ("b", "x", "2025-02-20", "return"),
         ("c", "x", "2025-02-20", "complaint"), ("c", "x", "2025-02-22", "resolved")],
    )  # fmt: skip

    assert reasons(plan(), found) == ["open_complaint", "open_return", "chosen", "chosen"]


def test_a_customer_may_want_one_channel_and_refuse_another():
    """a wants e-mail, b refuses the phone, c wants a channel that no level has, d says nothing."""
    found = history(
        preferred_channel=["email", None, "fax", None], objects_to=[None, "phone", None, None]
    )
    channels = known_channels(found, ["email", "phone", None], "preferred_channel")

    allowed = allowed_channels(channels, ["email", "phone", None])

    assert allowed.tolist() == [
        [True, True, False, True],
        [False, False, False, True],
        [True, True, True, True],
    ]


def test_a_level_without_a_channel_goes_by_the_customers_own():
    """b prefers the phone and objects to it: by which way is left open."""
    found = history(
        n=3, preferred_channel=["email", "phone", None], objects_to=[None, "phone", None]
    )
    table = plan().assign(predictions(3), found)

    assert table["channel"].astype(object).where(table["channel"].notna(), None).tolist() == [
        "email", None, None,
    ]  # fmt: skip
    assert table["level"].tolist() == ["Basic"] * 3


def test_no_level_through_an_accepted_channel_is_told():
    levels = [Level("Letter", 1, save_probability=0.2, channel="post")]
    found = history(n=2, preferred_channel=["email", "post"])

    assert reasons(plan(*levels), found) == ["channel", "chosen"]


def test_the_strongest_reason_is_told():
    """Objection to profiling before marketing before departed before an open complaint."""
    found = history(
        [("c", "x", "2025-02-20", "complaint")],
        objects_to=["profiling, marketing", ["marketing"], None, None],
    )
    table = predictions(segment=["departed", "departed", "departed", "prospective"])

    assert reasons(plan(), found, table) == ["profiling", "marketing", "departed", "prospective"]


# -- eligibility -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "eligible",
    [
        "service",
        {"a": "Basic", "b": ["Basic", "Premium"], "c": "Premium"},
        lambda table: pd.DataFrame(
            {"Premium": [False, True, True, False], "Basic": [True, True, False, False]},
            index=table.index,
        ),
    ],
    ids=["column", "mapping", "function"],
)
def test_a_level_is_given_only_to_those_entitled(eligible):
    """Premium is worth more to everybody; a may not have it, d has no level at all."""
    found = history(service=["Basic", "Basic, Premium", "Premium", None])
    table = plan(BASIC, PREMIUM, eligible=eligible).assign(predictions(), found)

    assert table["level"].tolist()[:3] == ["Basic", "Premium", "Premium"]
    assert table["reason_code"].iloc[3] == "not_eligible"


@pytest.mark.parametrize(
    ("eligible", "error", "match"),
    [
        ("service_level", ColumnError, "no attribute 'service_level'"),
        ("service", ParameterError, r"names none of the levels \['Basic'\] in any of its 1"),
        (lambda table: table[["p_churn"]], ParameterError, "columns"),
        (lambda table: table.assign(Basic=0.5), ParameterError, "booleans"),
        (7, ParameterError, "got int"),
    ],
)
def test_an_entitlement_that_says_nothing_is_refused(eligible, error, match):
    found = history(n=1, service=["Gold"])

    with pytest.raises(error, match=match):
        plan(eligible=eligible).assign(predictions(1), found)


def test_nobody_eligible_is_an_empty_plan():
    found = history(service=["Basic", "Basic", "Basic", "Basic"])
    the_plan = plan(PREMIUM, BASIC, eligible=lambda table: pd.DataFrame(
        False, index=table.index, columns=["Basic", "Premium"]), budget=10)  # fmt: skip

    table = the_plan.assign(predictions(), found)

    assert table["level"].isna().all()
    assert the_plan.report_["spent"] == the_plan.report_["expected_saved_value"] == 0
    assert the_plan.report_["reasons"] == {"not_eligible": 4}


# -- laws ------------------------------------------------------------------------------


@pytest.mark.parametrize("rank_by", ["value", "risk"])
def test_who_objects_is_never_contacted_whatever_the_value(rank_by):
    """Nor held out, nor on the win-back list."""
    found = history(objects_to=["profiling", "marketing", None, None])
    table = predictions(value=[1e9, 1e9, 1.0, 100.0])
    the_plan = plan(PREMIUM, budget=5)
    if rank_by == "risk":
        the_plan.set_params(rank_by="risk")
        with pytest.warns(UserWarning, match="rank_by='risk'"):
            answer = the_plan.assign(table, found)
    else:
        answer = the_plan.assign(table, found)
    departed = table.assign(segment="departed")

    assert answer.loc[["a", "b"], "level"].isna().all()
    assert not answer.loc[["a", "b"], "holdout"].any()
    assert answer["level"].notna().any()
    assert the_plan.win_back(departed, found).index.tolist() == ["d", "c"]


def test_the_arrays_need_no_history():
    """What a service would do: its own events and facts, the same rules."""
    made = history([("a", None, "2025-02-25", "contacted")], n=2)
    events = made.events
    assert isinstance(events, Events)
    n_contacts, days = recent_contacts(events, made.cutoffs, 90)
    nothing = np.zeros(2, dtype=bool)
    facts = Limits(nothing, np.array([False, True]), nothing, nothing, n_contacts, days)

    code, number = blocked(facts, max_contacts=None, cool_down_days=7)

    assert code.tolist() == [CODES["cool_down"], CODES["marketing"]]
    assert number[0] == 4


def test_a_customer_whom_the_history_does_not_know_has_no_limits():
    found = history(n=2, objects_to=["marketing", None])

    assert reasons(plan(), found, predictions(3)) == ["marketing", "chosen", "chosen"]
