"""The app: routes, gate and life cycle put together.

Reads  a bundle's folder and a few choices.
Gives  an ASGI app, FastAPI's own with its OpenAPI.
Never  documentation unless asked for, nor a key in it.
"""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Literal

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from ...exceptions import FutureCutoffWarning
from .current import CurrentBundle
from .gate import Gate
from .metrics import Metrics
from .openapi import complete
from .problems import Problem
from .routes import add_health, add_questions
from .service import Service, now
from .staff_page import page_routes


def make_app(
    bundle: str | Path,
    *,
    verify: Literal["full", "structure"] = "structure",
    refresh_seconds: float = 5.0,
    keys: Iterable[str] = (),
    local_only: bool = False,
    docs: bool = False,
    page: bool = True,
    clock: Callable[[], datetime] = now,
) -> FastAPI:
    """An ASGI app that answers from a bundle and follows its ``CURRENT``.

    Parameters
    ----------
    bundle : str or Path
        Folder written by ``Anticipator.save``; opened, and reopened, off the event loop.
    verify : {"structure", "full"}
        How each generation is checked before it is used.
    refresh_seconds : float
        How often ``CURRENT`` is looked at.
    keys : iterable of str
        Whoever asks must show one of them; none: whoever reaches the port may ask.
    local_only : bool
        Answer only under the names of this machine itself (``localhost``).
    docs : bool
        Serve ``/openapi.json`` and ``/docs``.
    page : bool
        Serve the staff page at ``/``.
    clock : callable
        The time where a question has no ``as_of``.
    """
    metrics = Metrics()
    current = CurrentBundle(bundle, verify, metrics)
    service = Service(current, clock)

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        # Each distinct text of a warning would be kept for ever; /readyz says "stale" instead.
        warnings.simplefilter("ignore", FutureCutoffWarning)
        follower = asyncio.create_task(current.follow(refresh_seconds))
        try:
            yield
        finally:
            follower.cancel()
            with suppress(asyncio.CancelledError):
                await follower
            service.threads.close()

    app = FastAPI(
        title="anticipate",
        lifespan=life,
        openapi_url="/openapi.json" if docs else None,
        docs_url="/docs" if docs else None,
        redoc_url=None,
        redirect_slashes=False,
        # Traces and logs of FastAPI's own would carry paths as typed and messages of errors.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.service = service
    add_questions(app, service)
    add_health(app, service, metrics)
    open_paths = {"/healthz", "/readyz"} | ({"/openapi.json", "/docs"} if docs else set())
    if page:
        routes = page_routes()
        app.router.routes.extend(routes)
        open_paths |= {route.path for route in routes}
    app.add_exception_handler(HTTPException, _protocol_problem)
    known = tuple(keys)
    complete(app, open_paths=open_paths if known else None)
    app.add_middleware(
        Gate,
        metrics=metrics,
        keys=known,
        open_paths=frozenset(open_paths),
        local_only=local_only,
    )
    return app


async def _protocol_problem(request: Request, error: Exception) -> Response:
    """404 and 405 in the same form as every other refusal."""
    assert isinstance(error, HTTPException)
    raise Problem(error.status_code, headers=dict(error.headers or {}))
