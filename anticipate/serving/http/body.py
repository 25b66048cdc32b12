"""The body: read within a size and a time, then parsed once.

Reads  the request as it streams in.
Gives  one JSON object.
Never  more than a megabyte, a wait past ten seconds, NaN, or a key that stands twice.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from typing import Any

from jiter import from_json
from starlette.types import Receive, Scope

from .problems import ClientGone, Problem

MOST_BYTES = 2**20
MOST_SECONDS = 10.0
_CLOSE = {"connection": "close"}  # the rest of the body is not waited for
_PLACE = re.compile(r" at (line \d+ column \d+)$")


async def read_json(scope: Scope, receive: Receive, seconds: float = MOST_SECONDS) -> Any:
    """The body's value.

    Raises
    ------
    Problem
        415 not JSON by its type, 413 too large, 408 too slow, 400 no JSON.
    ClientGone
        If the connection ends first.
    """
    _check_headers(scope["headers"])
    try:
        async with asyncio.timeout(seconds):
            body = await _read(receive)
    except TimeoutError:
        raise Problem(
            408, f"The body did not arrive within {seconds:g} seconds.", headers=_CLOSE
        ) from None
    try:
        return from_json(body, allow_inf_nan=False, catch_duplicate_keys=True)
    except ValueError as error:
        raise Problem(400, _what_is_wrong(str(error))) from None


async def _read(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk = message.get("body", b"")
        if len(body) + len(chunk) > MOST_BYTES:
            raise _too_large()
        if not message.get("more_body", False) and not body:
            return bytes(chunk)  # the usual case: one piece
        body += chunk
        if not message.get("more_body", False):
            return bytes(body)


def _check_headers(headers: Iterable[tuple[bytes, bytes]]) -> None:
    kind = b""
    for name, value in headers:
        if name == b"content-type":
            kind = value
        elif name == b"content-length" and _number(value) > MOST_BYTES:
            raise _too_large()
        elif name == b"content-encoding" and value.lower() != b"identity":
            raise Problem(415, "Send the body without content-encoding.", headers=_CLOSE)
    if kind != b"application/json" and not _is_json(kind):
        raise Problem(415, "Send JSON with content-type: application/json.", headers=_CLOSE)


def _is_json(kind: bytes) -> bool:
    media, _, rest = kind.partition(b";")
    charset = rest.strip().lower().replace(b'"', b"")
    return media.strip().lower() == b"application/json" and charset in (b"", b"charset=utf-8")


def _too_large() -> Problem:
    return Problem(413, f"The body may have at most {MOST_BYTES} bytes.", headers=_CLOSE)


def _what_is_wrong(said: str) -> str:
    """The parser's place, not its words: they may hold a key of the body."""
    place = found[1] if (found := _PLACE.search(said)) else "its start"
    if said.startswith("Detected duplicate key"):
        return f"The body has a key that stands twice in one object ({place})."
    return f"The body is no JSON ({place})."


def _number(value: bytes) -> int:
    """Of a header; a long one is large, and is not worth reading."""
    return int(value[:20]) if value[:20].isdigit() else 0
