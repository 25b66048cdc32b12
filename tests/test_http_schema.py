"""Schemathesis against the app: what ``/openapi.json`` says is what happens, thousands of times."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from http_app import AS_OF, client_of

LEAST_CASES, LEAST_ANSWERED = 2_000, 300
QUESTIONS = ("/v1/suggest", "/v1/check-cart", "/v1/churn", "/v1/brief")
CONFIG: dict[str, Any] = {
    "seed": 4,
    "request-timeout": 300,
    "generation": {"max-examples": 120, "deterministic": True, "database": "none"},
    # The schema cannot say which ids, times and events a bundle knows.
    "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", "400", "422"]}},
}


@pytest.fixture(scope="module")
def documented(bookshop_bundle):
    with client_of(bookshop_bundle, docs=True) as client:
        yield client


def test_every_refusal_is_documented_as_a_problem(documented):
    schema = documented.get("/openapi.json").json()
    kinds = Counter(
        kind
        for operations in schema["paths"].values()
        for operation in operations.values()
        for status, reply in operation["responses"].items()
        if status != "200"
        for kind in reply["content"]
    )

    assert set(kinds) == {"application/problem+json"}
    assert set(schema["paths"]) == {*QUESTIONS, "/healthz", "/readyz", "/metrics"}
    assert "HTTPValidationError" not in schema["components"]["schemas"]
    assert "securitySchemes" not in schema["components"]


def test_a_key_is_documented_where_one_is_needed(bookshop_bundle):
    with client_of(bookshop_bundle, docs=True, keys=["k" * 16]) as client:
        schema = client.get("/openapi.json").json()
    needed = {
        path for path, operations in schema["paths"].items()
        for operation in operations.values() if "security" in operation
    }  # fmt: skip

    assert needed == {*QUESTIONS, "/metrics"}
    assert set(schema["components"]["securitySchemes"]) == {"bearer", "key"}


@pytest.mark.slow
def test_thousands_of_requests_without_a_failure(bookshop_bundle):
    """All of schemathesis' checks; where a body may be answered, it is made to fit the bundle."""
    from schemathesis import engine, openapi
    from schemathesis.config import SchemathesisConfig

    statuses: Counter[int] = Counter()
    failures: list[str] = []
    with client_of(bookshop_bundle, docs=True) as client:
        config = SchemathesisConfig.from_dict(CONFIG)
        schema = openapi.from_asgi("/openapi.json", client.app, config=config)
        schema.hook("map_body")(_fitting)
        for event in engine.from_schema(schema).execute():
            kind = type(event).__name__
            if kind in ("NonFatalError", "FatalError"):
                failures.append(
                    f"{kind}: {event.__dict__ if hasattr(event, '__dict__') else event}"
                )
            if kind == "ScenarioFinished":
                failures += _failed(event.recorder)
                statuses.update(
                    one.response.status_code for one in event.recorder.interactions.values()
                )

    assert failures == []
    assert statuses.total() >= LEAST_CASES
    assert statuses[200] >= LEAST_ANSWERED
    assert set(statuses) <= {200, 400, 405, 413, 415, 422}


def _failed(recorder: Any) -> list[str]:
    return [
        f"{check.name}: {check.failure_info.failure.message}\n{check.failure_info.code_sample}"
        for checks in recorder.checks.values()
        for check in checks
        if check.failure_info is not None
    ]


def _fitting(context: Any, body: Any) -> Any:
    """Times that are times, events that are known: else hardly a body would reach the scorer."""
    if not isinstance(body, dict):
        return body
    fitted = dict(body)
    if isinstance(body.get("as_of"), str):
        fitted["as_of"] = AS_OF
    if isinstance(body.get("recent"), list):
        fitted["recent"] = [_fitting_row(row, n) for n, row in enumerate(body["recent"])]
    return fitted


def _fitting_row(row: Any, number: int) -> Any:
    if not isinstance(row, dict):
        return row
    fitted = dict(row)
    for name, value in (("timestamp", "2025-03-01T09:00Z"), ("known_at", "2025-03-01T09:30Z")):
        if isinstance(row.get(name), str):
            fitted[name] = value
    if isinstance(row.get("event"), str):
        fitted["event"] = ("view", "purchase", "return", "complaint", "rating")[number % 5]
    return fitted
