"""The gate: every request passes it, on the way in and on the way out.

Reads  the head of a request, the status of its answer.
Gives  refusals without a key, headers of safety, one count and one log line each.
Never  customer data in a log: no path as typed, no query, no message of an unexpected error.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import logging
import time
from collections.abc import Iterable
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .faults import LOG, where
from .metrics import Metrics
from .problems import ClientGone, Problem

_LOOPBACK_NAMES = frozenset({b"localhost", b"127.0.0.1", b"[::1]"})
CLIENT_GONE = 499  # in counts and logs alone; nobody was there to be answered
_HEADERS = ((b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store"))


class Gate:
    """Pure ASGI, outermost of our own."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        metrics: Metrics,
        keys: Iterable[str] = (),
        open_paths: frozenset[str] = frozenset(),
        local_only: bool = False,
    ) -> None:
        self.app, self.metrics, self.local_only = app, metrics, local_only
        self.open_paths = open_paths
        self.digests = [_digest(key.encode()) for key in keys]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status = time.perf_counter(), 0

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = _with_safety(message.get("headers", ()))
            await send(message)

        try:
            self._check(scope)
            await self.app(scope, receive, send_on)
        except Problem as problem:
            await problem.response()(scope, receive, send_on)
        except ClientGone:
            status = CLIENT_GONE
        except Exception as error:
            LOG.error("%s %s: %s", _method(scope), _route(scope), where(error))
            if not status:
                await Problem(500).response()(scope, receive, send_on)
        finally:
            self._account(scope, status or CLIENT_GONE, time.perf_counter() - started)

    def _check(self, scope: Scope) -> None:
        """Who asks, and under which name of ours.

        Raises
        ------
        Problem
            401 without a key; 421 where only this machine is served and the name is another:
            a page of the web that had its own name point here would be let in otherwise.
        """
        headers = dict(scope["headers"])
        if self.local_only and not _is_local(_host(headers)):
            raise Problem(421, "Without a key only localhost is served.")
        if self.digests and scope["path"] not in self.open_paths and not self._knows(headers):
            raise Problem(
                401,
                "Send a key as Authorization: Bearer KEY or X-API-Key: KEY.",
                headers={"www-authenticate": "Bearer", "connection": "close"},
            )

    def _knows(self, headers: dict[bytes, bytes]) -> bool:
        scheme, _, key = headers.get(b"authorization", b"").partition(b" ")
        if scheme.lower() != b"bearer":
            key = headers.get(b"x-api-key", b"")
        given = _digest(key.strip())
        # Digests have one length, and all are compared: time tells nothing of any key.
        return sum([hmac.compare_digest(given, digest) for digest in self.digests]) > 0

    def _account(self, scope: Scope, status: int, seconds: float) -> None:
        route = _route(scope)
        self.metrics.answered(route, status, seconds)
        if LOG.isEnabledFor(logging.DEBUG):
            generation = scope.get("generation", "-")
            LOG.debug(
                "%s %s %d %.2f ms %s", _method(scope), route, status, seconds * 1e3, generation
            )


def _method(scope: Scope) -> str:
    """No text of the caller's."""
    return scope["method"] if scope["method"] in ("GET", "POST") else "other"


def _with_safety(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    given = list(headers)
    there = {name for name, _ in given}
    return given + [one for one in _HEADERS if one[0] not in there]


def _route(scope: Scope) -> str:
    """The template, never what was typed."""
    route: Any = scope.get("route")
    return getattr(route, "path", "unknown")


def _is_local(name: bytes) -> bool:
    """A name that no page of the web can have."""
    if name in _LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(name.decode("latin-1").strip("[]")).is_loopback
    except ValueError:
        return False


def _host(headers: dict[bytes, bytes]) -> bytes:
    host = headers.get(b"host", b"").lower()
    return host.rpartition(b":")[0] if not host.endswith(b"]") and b":" in host else host


def _digest(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()
