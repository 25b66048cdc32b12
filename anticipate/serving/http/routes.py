"""The routes: four questions, three looks from outside.

Reads  the service.
Gives  FastAPI's routes with examples, so that ``/openapi.json`` is made from what runs.
Never  logic of its own.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, FastAPI
from fastapi.responses import PlainTextResponse, Response

from ..instants import to_datetime
from . import replies
from .metrics import MEDIA_TYPE, Metrics
from .openapi import EXAMPLES, problem_replies
from .problems import Problem
from .questions import Brief, Check, Churn, Suggest
from .route import QuestionRoute
from .service import Service

_REFUSALS = (400, 401, 408, 413, 415, 421, 422, 500, 503)


def add_questions(app: FastAPI, service: Service) -> None:
    """``POST /v1/…``."""
    router = APIRouter(route_class=QuestionRoute, responses=problem_replies(*_REFUSALS))

    @router.post("/v1/suggest", summary="What to suggest, with reasons")
    async def suggest(
        asked: Annotated[Suggest, Body(openapi_examples=EXAMPLES["suggest"])],
    ) -> replies.Suggested | replies.SuggestedMany:
        return await service.suggest(asked)  # type: ignore[return-value]

    @router.post("/v1/check-cart", summary="What is likely a mistake in a cart")
    async def check_cart(
        asked: Annotated[Check, Body(openapi_examples=EXAMPLES["check_cart"])],
    ) -> replies.Checked | replies.CheckedMany:
        return await service.check_cart(asked)  # type: ignore[return-value]

    @router.post("/v1/churn", summary="Who is leaving; for staff")
    async def churn(
        asked: Annotated[Churn, Body(openapi_examples=EXAMPLES["churn"])],
    ) -> replies.Churn | replies.ChurnMany:
        return await service.churn(asked)  # type: ignore[return-value]

    @router.post("/v1/brief", summary="What staff should see before the customer arrives")
    async def brief(
        asked: Annotated[Brief, Body(openapi_examples=EXAMPLES["brief"])],
    ) -> replies.Brief | replies.BriefMany:
        return await service.brief(asked)  # type: ignore[return-value]

    app.router.routes.extend(router.routes)


def add_health(app: FastAPI, service: Service, metrics: Metrics) -> None:
    """``GET /healthz``, ``/readyz``, ``/metrics``."""

    @app.get("/healthz", summary="The process is alive", responses=problem_replies(421, 500))
    async def healthz() -> replies.Health:
        return replies.Health(status="alive")

    @app.get("/readyz", summary="A bundle is open", responses=problem_replies(421, 500, 503))
    async def readyz() -> replies.Ready:
        if service.draining:
            raise Problem(503, "Shutting down.")
        use = service.in_use()
        cutoff = to_datetime(use.scorer.cutoff_us).isoformat()
        return replies.Ready(
            status="ready",
            bundle=use.generation,
            cutoff=cutoff,
            stale=service.is_stale(use.scorer),
        )

    @app.get(
        "/metrics",
        summary="Numbers for Prometheus",
        response_class=PlainTextResponse,
        responses=problem_replies(401, 421, 500),
    )
    async def numbers() -> Any:
        return Response(metrics.text(), media_type=MEDIA_TYPE)
