"""What HTTP refuses, and that no refusal and no log says what was submitted."""

from __future__ import annotations

import json
import logging

import pytest
from http_app import AS_OF, client_of, problem_of

from anticipate.exceptions import BundleError
from anticipate.serving.http import answers, body, route

SECRET = "Zaphod-4711"
KEY = "k" * 32
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def client(bookshop_bundle):
    with client_of(bookshop_bundle) as made:
        yield made


def sent(client, text, path="/v1/suggest", **headers):
    return client.post(path, content=text, headers={**JSON, **headers})


def question(**more):
    return json.dumps({"customer_id": "C042", "as_of": AS_OF, **more})


@pytest.mark.parametrize(
    ("more", "location"),
    [
        ({"customer_id": True}, "/customer_id"),
        ({"customer_id": 1.5}, "/customer_id"),
        ({"customer_id": ""}, "/customer_id"),
        ({"customer_id": SECRET * 30}, "/customer_id"),
        ({"customer_id": 2**64}, "/customer_id"),
        ({"customer_id": -(2**63) - 1}, "/customer_id"),
        ({"customer_id": None}, "/customer_id"),
        ({"customer_id": [SECRET]}, "/customer_id"),
        ({"n": 0}, "/n"),
        ({"n": 33}, "/n"),
        ({"n": "3"}, "/n"),
        ({"n": 3.0}, "/n"),
        ({"n": True}, "/n"),
        ({"audience": SECRET}, "/audience"),
        ({"language": "de"}, "/language"),
        ({"as_of": 20250301}, "/as_of"),
        ({"as_of": "1" * 65}, "/as_of"),
        ({"cart": SECRET}, "/cart"),
        ({"cart": [SECRET] * 501}, "/cart"),
        ({"cart": ["a", {"item_id": "b", "quantity": 0}]}, "/cart/1/quantity"),
        ({"cart": [{"item_id": "b", "quantity": "2"}]}, "/cart/0/quantity"),
        ({"cart": [{"item_id": "b", "price": -1}]}, "/cart/0/price"),
        ({"cart": [{"item_id": "b", "gift": "yes"}]}, "/cart/0/gift"),
        ({"cart": [{"quantity": 1}]}, "/cart/0/item_id"),
        ({"cart": [[SECRET]]}, "/cart/0"),
        ({"cart": [{"item_id": "b", SECRET: 1}]}, "/cart/0"),
        ({"recent": [{"customer_id": "C042"}]}, "/recent/0/timestamp"),
        ({"recent": [{"customer_id": "C042", "timestamp": AS_OF, SECRET: 1}]}, "/recent/0"),
        ({"recent": [{}] * 1001}, "/recent"),
        ({"recent": {"customer_id": SECRET}}, "/recent"),
        ({"customer_ids": [SECRET]}, ""),
        ({SECRET: SECRET}, ""),
    ],
)
def test_a_wrong_value_is_named_by_its_place_alone(client, more, location):
    told = problem_of(sent(client, question(**more)), 422)

    assert location in [fault["location"] for fault in told["errors"]]
    assert all(fault["message"] for fault in told["errors"])
    assert SECRET not in json.dumps(told)


@pytest.mark.parametrize(
    ("path", "whole"),
    [
        ("/v1/suggest", {"customer_ids": []}),
        ("/v1/suggest", {"customer_ids": ["a"] * 1001}),
        ("/v1/suggest", {"customer_ids": ["a"], "cart": ["b"]}),
        ("/v1/suggest", {}),
        ("/v1/check-cart", {"customer_id": "C042"}),
        ("/v1/check-cart", {"customer_id": "C042", "cart": []}),
        ("/v1/check-cart", {"carts": []}),
        ("/v1/check-cart", {"carts": [{"customer_id": "a", "cart": ["b"] * 501}]}),
        ("/v1/check-cart", {"carts": [{"customer_id": "a", "cart": ["b"] * 500}] * 21}),
        ("/v1/churn", {"customer_id": "a", "cart": []}),
        ("/v1/brief", {"customer_ids": "abc"}),
    ],
)
def test_too_few_and_too_many_are_refused(client, path, whole):
    problem_of(sent(client, json.dumps({"as_of": AS_OF, **whole}), path), 422)


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"customer_id": 42}, "the known ids are text"),
        ({"as_of": "soon " + SECRET}, "as_of is not ISO 8601"),
        ({"as_of": "2025-02-28T23:59Z"}, "before the bundle's cutoff"),
        ({"recent": [{"customer_id": SECRET, "timestamp": SECRET}]}, "row 0: timestamp"),
        ({"recent": [{"customer_id": SECRET, "timestamp": AS_OF, "event": SECRET}]}, "row 0"),
        ({"recent": [{"customer_id": 1, "timestamp": AS_OF, "event": "search"}]}, "row 0"),
        ({"recent": [{"customer_id": SECRET, "timestamp": AS_OF}]}, "has no item_id"),
        ({"cart": [1]}, "line 0"),
    ],
)
def test_what_the_library_refuses_is_told_in_its_own_words(client, more, word):
    told = problem_of(sent(client, question(**more)), 422)

    assert word in told["detail"]
    assert SECRET not in json.dumps(told)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (b"", "no JSON"),
        (b'{"customer_id": ' + SECRET.encode(), "no JSON"),
        (b'{"customer_id": "C042", "customer_id": "%s"}' % SECRET.encode(), "stands twice"),
        (b'{"%s": 1, "%s": 2}' % (SECRET.encode(), SECRET.encode()), "stands twice"),
        (b'{"customer_id": "\xff"}', "no JSON"),
        (b'{"customer_id": "\\ud800"}', "no JSON"),
        (b'{"cart": [{"item_id": "a", "price": NaN}]}', "no JSON"),
        (b'{"cart": [{"item_id": "a", "price": Infinity}]}', "no JSON"),
        (b'{"n": ' + b"9" * 5000 + b"}", "no JSON"),
        (b'{"cart": ' + b"[" * 100_000, "no JSON"),
        (b"\xef\xbb\xbf{}", "no JSON"),
        (b"{} {}", "no JSON"),
    ],
)
def test_what_is_no_json_is_told_by_its_place(client, text, word):
    told = problem_of(sent(client, text), 400)

    assert word in told["detail"]
    assert SECRET not in json.dumps(told)


@pytest.mark.parametrize("text", [b"[1]", b'"a"', b"1", b"null"])
def test_a_body_that_is_no_object(client, text):
    assert "one JSON object" in problem_of(sent(client, text), 422)["detail"]


@pytest.mark.parametrize("place", ["", "cart", "recent"])
def test_a_body_of_many_fields_is_refused_before_each_becomes_a_fault(client, monkeypatch, place):
    """A hundred thousand unknown ones would hold up all others for a second."""
    monkeypatch.setattr(route, "of_validation", None)
    many = {f"{SECRET}{number}": 1 for number in range(route.MOST_FIELDS + 1)}
    asked = question(**({place: [many]} if place else many))

    assert "more than 20 fields" in problem_of(sent(client, asked), 422)["detail"]


def test_a_moment_before_the_calendar_is_before_the_cutoff(client):
    told = problem_of(sent(client, question(as_of="0001-01-01T00:00:00+23:59")), 422)

    assert "before the bundle's cutoff" in told["detail"]
    assert "0001" not in told["detail"]


def test_a_number_past_all_bounds_is_no_number(client):
    """1e999 reads as infinity."""
    told = problem_of(
        sent(client, '{"customer_id":"a","cart":[{"item_id":"b","price":1e999}]}'), 422
    )

    assert told["errors"][0]["location"] == "/cart/0/price"


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/xml", "application/json; charset=latin-1", ""]
)
def test_only_json_is_read(client, kind):
    problem_of(sent(client, question(), **{"content-type": kind}), 415)
    problem_of(sent(client, question(), **{"content-encoding": "gzip"}), 415)


def test_json_may_say_its_charset(client):
    kind = 'Application/JSON; charset="UTF-8"'
    assert sent(client, question(), **{"content-type": kind}).status_code == 200


def test_a_large_body_is_refused_by_its_declared_size_and_by_its_real_one(client):
    large = b" " * (body.MOST_BYTES + 1)
    problem_of(sent(client, large), 413)
    problem_of(sent(client, iter([large[:600_000], large[:600_000]])), 413)  # chunked
    whole = question().encode()
    assert sent(client, whole.ljust(body.MOST_BYTES)).status_code == 200


def test_other_paths_and_methods(client):
    problem_of(client.get("/v2/suggest"), 404)
    problem_of(client.get("/v1/suggest/"), 404)
    wrong = client.get("/v1/suggest")
    problem_of(wrong, 405)
    assert wrong.headers["allow"] == "POST"
    problem_of(client.post("/healthz"), 405)
    problem_of(client.delete("/v1/brief"), 405)


@pytest.mark.parametrize("kind", [RuntimeError, BundleError])
def test_an_error_nobody_meant_says_nothing(client, monkeypatch, caplog, kind):
    """Nor does a bundle found damaged as late as this: the caller cannot mend it."""

    def broken(*_):
        raise kind(SECRET)

    monkeypatch.setattr(answers, "suggest", broken)
    with caplog.at_level(logging.DEBUG):
        told = problem_of(sent(client, question()), 500)

    assert set(told) == {"type", "title", "status"}
    assert f"{kind.__name__} at " in caplog.text
    assert SECRET not in caplog.text


def test_the_log_has_templates_and_no_customer(client, caplog):
    with caplog.at_level(logging.DEBUG):
        sent(client, question(customer_id=SECRET))
        sent(client, question(n=SECRET))
        client.get(f"/{SECRET}", params={"customer": SECRET})
        client.request(SECRET, "/v1/suggest")

    lines = [one.getMessage() for one in caplog.records if one.name == "anticipate.serve"]
    assert [line.split()[:3] for line in lines] == [
        ["POST", "/v1/suggest", "200"], ["POST", "/v1/suggest", "422"],
        ["GET", "unknown", "404"], ["other", "/v1/suggest", "405"],
    ]  # fmt: skip
    assert SECRET not in " ".join(lines)
    assert "gen-" in lines[0]
