"""What went wrong, as ``application/problem+json`` (RFC 9457).

Reads  errors of the body, of the library, of the protocol.
Gives  one document each: what is wrong, where, what to do.
Never  what was submitted: no value, no field name of the caller's own, no id.
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, to_json
from starlette.responses import Response

from .questions import A_LINE, AN_ID, MANY, ONE

MEDIA_TYPE = "application/problem+json"
MOST_SHOWN = 20
_TAGS = {ONE, MANY, AN_ID, A_LINE}


class Fault(BaseModel):
    """One thing that is wrong with the body."""

    location: str  # JSON Pointer (RFC 6901)
    message: str


class ProblemDetails(BaseModel):
    """An error (RFC 9457); ``errors`` only where the body is at fault."""

    type: str
    title: str
    status: int
    detail: str | None = None
    errors: list[Fault] | None = None


class Problem(Exception):
    """Ends a request with an answer of its own."""

    def __init__(
        self,
        status: int,
        detail: str | None = None,
        *,
        errors: Sequence[Fault] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.errors = status, detail, list(errors)
        self.headers = headers or {}

    def response(self) -> Response:
        details = ProblemDetails(
            type="about:blank",
            title=HTTPStatus(self.status).phrase,
            status=self.status,
            detail=self.detail,
            errors=self.errors or None,
        )
        body = to_json(details, exclude_none=True)
        return Response(body, self.status, self.headers, MEDIA_TYPE)


class ClientGone(Exception):
    """Nobody waits for the answer any more."""


def of_validation(error: ValidationError) -> Problem:
    """422: where and what; never the value nor an unknown field's name."""
    details = error.errors(include_url=False, include_context=False, include_input=False)
    faults = {(fault.location, fault.message): fault for fault in map(_fault, details)}
    count = error.error_count()
    detail = f"The body has {count} fault{'s' * (count > 1)}; see errors."
    return Problem(422, detail, errors=list(faults.values())[:MOST_SHOWN])


def _fault(one: ErrorDetails) -> Fault:
    place, message = one["loc"], one["msg"]
    if one["type"] == "extra_forbidden":  # the last step is a name of the caller's
        place, message = place[:-1], "a field that is not known here; leave it out"
    elif one["type"] in ("model_type", "model_attributes_type", "dict_type"):
        message = "Input should be an object"
    return Fault(location=_pointer(place), message=message)


def _pointer(place: Sequence[Any]) -> str:
    return "".join(f"/{step}" for step in place if step not in _TAGS)
