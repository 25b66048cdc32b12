"""Who may ask over HTTP: keys, this machine's own names, and what each answer's head says."""

from __future__ import annotations

import pytest
from http_app import client_of, problem_of
from starlette.testclient import TestClient
from test_http_refusals import question, sent

from anticipate.serving.http.app import make_app

KEY = "k" * 32


@pytest.fixture(scope="module")
def client(bookshop_bundle):
    with client_of(bookshop_bundle) as made:
        yield made


@pytest.fixture(scope="module")
def guarded(bookshop_bundle):
    with client_of(bookshop_bundle, keys=[KEY, "another-key-of-ours"]) as made:
        yield made


@pytest.mark.parametrize(
    "shown",
    [
        {"authorization": f"Bearer {KEY}"},
        {"authorization": f"bearer  {KEY}"},
        {"x-api-key": KEY},
        {"x-api-key": "another-key-of-ours"},
        {"authorization": "Basic abc", "x-api-key": KEY},
    ],
)
def test_a_key_opens(guarded, shown):
    assert sent(guarded, question(), **shown).status_code == 200


@pytest.mark.parametrize(
    "shown",
    [
        {},
        {"authorization": "Bearer"},
        {"authorization": f"Basic {KEY}"},
        {"authorization": KEY},
        {"x-api-key": KEY[:-1]},
        {"x-api-key": KEY + "k"},
        {"x-api-key": ""},
        {"authorization": "Bearer wrong", "x-api-key": KEY},
        {"x-api-key": "\u00e9".encode()},
    ],
)
def test_without_a_right_key_nothing_is_read_or_told(guarded, shown):
    for path in ("/v1/suggest", "/v1/check-cart", "/v1/churn", "/v1/brief", "/v1/none"):
        refused = sent(guarded, b"no json at all", path, **shown)
        problem_of(refused, 401)
        assert refused.headers["www-authenticate"] == "Bearer"
    problem_of(guarded.get("/metrics", headers=shown), 401)
    problem_of(guarded.get("/openapi.json", headers=shown), 401)


def test_health_and_the_page_need_no_key(guarded):
    for path in ("/healthz", "/readyz", "/"):
        assert guarded.get(path).status_code == 200


@pytest.fixture(scope="module")
def local(bookshop_bundle):
    with client_of(bookshop_bundle, local_only=True) as made:
        yield made


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8080", "127.0.0.1:1", "[::1]:80", "[::1]", "127.0.0.2"]
)
def test_this_machine_may_be_called_by_its_own_names(local, host):
    assert local.get("/healthz", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example:8080",
        "",
        "127.0.0.1.nip.io",
        "127.evil.example",
        "8.8.8.8",
    ],
)
def test_a_foreign_name_that_points_here_is_refused(local, host):
    """A page of the web could have its own name lead to this machine (DNS rebinding)."""
    problem_of(local.get("/healthz", headers={"host": host}), 421)
    problem_of(sent(local, question(), host=host), 421)


def test_documentation_only_where_asked_for(bookshop_bundle, client):
    for path in ("/docs", "/openapi.json", "/redoc"):
        problem_of(client.get(path), 404)
    documented = TestClient(make_app(bookshop_bundle, docs=True))
    assert documented.get("/openapi.json").json()["openapi"].startswith("3.1")
    assert documented.get("/docs").status_code == 200


def test_answers_are_not_stored_on_the_way_nor_guessed_at(client):
    for response in (sent(client, question()), sent(client, b"x"), client.get("/readyz")):
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-content-type-options"] == "nosniff"
