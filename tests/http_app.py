"""The app of a bundle and a client for it, as the tests on HTTP share them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from starlette.testclient import TestClient

from anticipate.serving.http.app import make_app

AS_OF = "2025-03-01T10:00:00+00:00"
ADDRESS = "http://localhost"


@contextmanager
def client_of(bundle: Any, **choices: Any) -> Iterator[TestClient]:
    """A client whose app has its bundle open."""
    with TestClient(make_app(bundle, **choices), base_url=ADDRESS) as client:
        wait_until(lambda: client.get("/readyz").status_code == 200)
        yield client


def wait_until(done: Any, seconds: float = 60.0) -> None:
    """Look again and again; the limit is only there so that nothing hangs."""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise TimeoutError("it did not happen")
        time.sleep(0.02)


def problem_of(response: Any, status: int) -> dict[str, Any]:
    """The problem document of a refusal, its form checked."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = response.json()
    assert told["status"] == status
    assert told["type"] == "about:blank"
    assert set(told) <= {"type", "title", "status", "detail", "errors"}
    return told
