"""The scorer over HTTP: the same answers as in process, for one and for many."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta

import pytest
from http_app import AS_OF, client_of, problem_of

from anticipate import Scorer
from anticipate.serving.http import replies
from anticipate.serving.http.openapi import EXAMPLES

RECENT = [
    {"customer_id": "C042", "item_id": "K-coffee-beans", "timestamp": "2025-03-01T09:00Z",
     "quantity": 1, "price": 12.5, "order_id": "N1", "event_id": "e1", "gift": False},
    {"customer_id": "C001", "item_id": "B-mars-3-print", "timestamp": "2025-03-01T09:30Z",
     "event": "view"},
]  # fmt: skip
IDS = ["C042", "nobody", "C001", "C042"]


@pytest.fixture(scope="module")
def client(bookshop_bundle):
    with client_of(bookshop_bundle) as made:
        yield made


@pytest.fixture(scope="module")
def scorer(bookshop_bundle):
    return Scorer.load(bookshop_bundle)


def asked(client, path, **body):
    response = client.post(f"/v1/{path}", json={"as_of": AS_OF, **body})
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json"
    return response.json()


def as_json(value):
    """What the value is once it went through JSON; NaN is null there."""
    if isinstance(value, float) and math.isnan(value):
        return None
    return json.loads(json.dumps(value))


@pytest.mark.parametrize("audience", ["customer", "staff"])
def test_one_customer_is_answered_as_in_process(client, scorer, audience):
    cart = ["B-1984-ebook", {"item_id": "K-coffee-beans", "quantity": 2, "price": 9.5}]
    answer = asked(client, "suggest", customer_id="C042", cart=cart, recent=RECENT, n=5,
                   audience=audience, language="ko")  # fmt: skip
    expected = scorer.suggest("C042", as_of=AS_OF, cart=cart, recent=RECENT, n=5, audience=audience)

    assert answer["customer_id"] == "C042"
    assert answer["as_of"] == AS_OF
    assert answer["bundle"].startswith("gen-")
    assert answer["suggestions"] == [as_json(one.to_dict("ko")) for one in expected]
    assert len(answer["suggestions"]) >= 3


def test_many_customers_are_answered_in_the_order_given(client, scorer):
    """Ids repeat, and one is not known; each as if asked alone."""
    answer = asked(client, "suggest", customer_ids=IDS, recent=RECENT, audience="staff")

    assert [one["customer_id"] for one in answer["results"]] == IDS
    for one in answer["results"]:
        alone = scorer.suggest(one["customer_id"], as_of=AS_OF, recent=RECENT, audience="staff")
        assert one["suggestions"] == [as_json(each.to_dict()) for each in alone]


def test_more_customers_than_are_scored_together(client, scorer):
    """200 customers in parts of 64: nobody is lost at a seam."""
    ids = scorer.customer_ids()[:200].tolist()
    results = asked(client, "suggest", customer_ids=ids, n=1)["results"]

    assert [one["customer_id"] for one in results] == ids
    for position in (0, 63, 64, 127, 128, 199):
        alone = scorer.suggest(ids[position], as_of=AS_OF, n=1)
        assert results[position]["suggestions"] == [as_json(one.to_dict()) for one in alone]


def test_a_cart_is_checked_as_in_process(client, scorer):
    cart = [{"item_id": "B-1984-ebook", "quantity": 1, "gift": False}, "K-coffee-beans"]
    answer = asked(client, "check-cart", customer_id="C042", cart=cart)
    expected = scorer.check_cart("C042", cart, as_of=AS_OF)

    assert answer["warnings"] == [as_json(one.to_dict()) for one in expected]
    assert answer["warnings"][0]["kind"] == "duplicate_purchase"
    assert len(answer["warnings"][0]["options"]) >= 2


def test_many_carts_are_checked_each_for_its_own_customer(client, scorer):
    carts = [
        {"customer_id": id_, "cart": ["B-1984-ebook"] * lines}
        for id_, lines in (("C001", 1), ("C042", 2), ("nobody", 1))
    ]
    answer = asked(client, "check-cart", carts=carts, audience="staff")

    for asked_, one in zip(carts, answer["results"], strict=True):
        alone = scorer.check_cart(
            asked_["customer_id"], asked_["cart"], as_of=AS_OF, audience="staff"
        )
        assert one["customer_id"] == asked_["customer_id"]
        assert one["warnings"] == [as_json(each.to_dict()) for each in alone]
    assert answer["results"][1]["warnings"] != []


def test_more_carts_than_are_checked_together(client):
    """100 carts in parts of 64: only the one at place 70 holds a mistake."""
    carts = [{"customer_id": "C042", "cart": ["nothing we know"]} for _ in range(100)]
    carts[70]["cart"] = ["B-1984-ebook"]
    results = asked(client, "check-cart", carts=carts)["results"]

    assert [len(one["warnings"]) for one in results] == [int(n == 70) for n in range(100)]


def test_churn_has_the_columns_of_the_table(client, scorer):
    table = scorer.churn(IDS, as_of=AS_OF, recent=RECENT)
    answer = asked(client, "churn", customer_ids=IDS, recent=RECENT)
    one = asked(client, "churn", customer_id="C042", recent=RECENT)

    expected = [
        {"customer_id": id_, **{name: as_json(value) for name, value in row.items()}}
        for id_, row in zip(IDS, table.to_dict("records"), strict=True)
    ]
    assert answer["results"] == expected
    assert {name: one[name] for name in expected[0]} == expected[0]


def test_a_brief_is_the_scorers_for_one_and_for_many(client, scorer):
    one = asked(client, "brief", customer_id="C042", recent=RECENT, language="ko")
    many = asked(client, "brief", customer_ids=IDS, recent=RECENT)["results"]
    korean = as_json(scorer.brief("C042", as_of=AS_OF, recent=RECENT, language="ko"))

    assert {name: one[name] for name in korean} == korean
    assert many == [as_json(scorer.brief(id_, as_of=AS_OF, recent=RECENT)) for id_ in IDS]


def test_null_is_as_good_as_nothing(client):
    """Clients that write every field send null for those they have no value of."""
    bare = asked(client, "suggest", customer_id="C042")
    nulls = asked(client, "suggest", customer_id="C042", cart=None, recent=None)
    row = {**RECENT[0], "channel": None, "known_at": None, "price": None}
    line = {"item_id": "B-1984-ebook", "quantity": None, "price": None, "gift": None}

    assert nulls == bare
    assert asked(client, "suggest", customer_id="C042", recent=[row], cart=[line])


def test_without_as_of_the_clock_is_asked(bookshop_bundle):
    moment = datetime(2025, 3, 2, 8, 30, tzinfo=UTC)
    with client_of(bookshop_bundle, clock=lambda: moment) as client:
        answer = client.post("/v1/suggest", json={"customer_id": "C042"}).json()

    assert answer["as_of"] == "2025-03-02T08:30:00+00:00"


def test_a_clock_before_the_cutoff_is_told(bookshop_bundle):
    with client_of(bookshop_bundle, clock=lambda: datetime(2024, 1, 1, tzinfo=UTC)) as client:
        told = problem_of(client.post("/v1/churn", json={"customer_id": "C042"}), 422)

    assert "the clock says 2024-01-01" in told["detail"]


@pytest.mark.parametrize(("days", "stale"), [(30, False), (31, True)])
def test_far_past_the_horizon_is_answered_and_said_at_the_door(bookshop_bundle, days, stale):
    """No warning is raised or kept for each request; ``/readyz`` says that the bundle is old."""
    moment = datetime(2025, 3, 1, tzinfo=UTC) + timedelta(days)
    with client_of(bookshop_bundle, clock=lambda: moment) as client:
        assert client.post("/v1/suggest", json={"customer_id": "C042"}).status_code == 200
        assert client.get("/readyz").json()["stale"] is stale


REPLIES = {
    ("suggest", "one"): replies.Suggested,
    ("suggest", "recent"): replies.Suggested,
    ("suggest", "many"): replies.SuggestedMany,
    ("check_cart", "one"): replies.Checked,
    ("check_cart", "many"): replies.CheckedMany,
    ("churn", "one"): replies.Churn,
    ("churn", "many"): replies.ChurnMany,
    ("brief", "one"): replies.Brief,
    ("brief", "many"): replies.BriefMany,
}


@pytest.mark.parametrize(("question", "example"), REPLIES)
def test_the_documented_examples_get_the_documented_answers(client, question, example):
    body = EXAMPLES[question][example]["value"]
    response = client.post(f"/v1/{question.replace('_', '-')}", json=body)

    assert response.status_code == 200, response.text
    REPLIES[question, example].model_validate_json(response.content, strict=True)


def test_every_documented_example_is_tried():
    assert set(REPLIES) == {(path, name) for path, each in EXAMPLES.items() for name in each}
