"""The documentation's own part: examples, and what every refusal looks like.

Reads  nothing but this file.
Gives  OpenAPI 3.1 with ``application/problem+json`` and both ways to show a key.
Never  a real customer: examples are of the embedded bookshop.
"""

from __future__ import annotations

from collections.abc import Collection
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI

from .problems import MEDIA_TYPE, ProblemDetails

_SCHEMA = {"$ref": "#/components/schemas/ProblemDetails"}
_SECURITY = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}
_AS_OF = "2025-03-01T10:00Z"


def _example(summary: str, **value: Any) -> dict[str, Any]:
    return {"summary": summary, "value": {**value, "as_of": _AS_OF}}


_VIEW = {
    "customer_id": "C042",
    "item_id": "B-mars-3-print",
    "timestamp": "2025-03-01T09:58Z",
    "event": "view",
}
_ASK = {
    "one": _example("one customer", customer_id="C042"),
    "many": _example("many customers", customer_ids=["C042", "C001"]),
}
EXAMPLES: dict[str, Any] = {
    "suggest": {
        "one": _example("one customer, with a cart", customer_id="C042", cart=["B-1984-ebook"]),
        "recent": _example("what happened since", customer_id="C042", recent=[_VIEW], n=5),
        "many": _example("many customers", customer_ids=["C042", "C001"], audience="staff"),
    },
    "check_cart": {
        "one": _example(
            "one cart", customer_id="C042", cart=[{"item_id": "B-1984-ebook", "quantity": 1}]
        ),
        "many": _example("many carts", carts=[{"customer_id": "C042", "cart": ["B-1984-ebook"]}]),
    },
    "churn": _ASK,
    "brief": _ASK,
}


def problem_replies(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What FastAPI is told of refusals."""
    content = {MEDIA_TYPE: {"schema": _SCHEMA}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": content}
        for status in statuses
    }


def complete(app: FastAPI, *, open_paths: Collection[str] | None) -> None:
    """Add to FastAPI's schema what it cannot know: the shape of refusals, and the keys.

    ``open_paths``: what needs no key; None where nothing does.
    """
    make = app.openapi

    def openapi() -> dict[str, Any]:
        schema = make()
        parts = schema.setdefault("components", {})
        if "ProblemDetails" not in parts.setdefault("schemas", {}):
            template = "#/components/schemas/{model}"
            details = ProblemDetails.model_json_schema(ref_template=template)
            parts["schemas"].update(details.pop("$defs"), ProblemDetails=details)
            if open_paths is not None:
                parts["securitySchemes"] = _SECURITY
                for path in schema["paths"].keys() - set(open_paths):
                    for operation in schema["paths"][path].values():
                        operation["security"] = [{name: []} for name in _SECURITY]
        return schema

    app.openapi = openapi  # type: ignore[method-assign]
