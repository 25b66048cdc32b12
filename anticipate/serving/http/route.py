"""How a question travels: body to model, model to answer, answer to bytes.

Reads  the request, by hand: FastAPI's own road has no limit of size or time, echoes what was
       submitted and costs twice as much.
Gives  JSON, from the event loop for one customer, from a thread for many.
Never  a loop that waits for a batch.

FastAPI documents the route from the endpoint's annotations; ``QuestionRoute`` reads the same
ones, so documentation and check cannot differ.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar, get_type_hints

from fastapi.routing import APIRoute
from pydantic import TypeAdapter, ValidationError
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from .body import read_json
from .problems import Problem, of_validation

THREADS, MOST_WAITING = 2, 64
MOST_FIELDS = 20  # of one object: a question, a row or a line has fewer
Result = TypeVar("Result")


class Answered(NamedTuple):
    """JSON, and the bundle it comes from."""

    body: bytes
    generation: str


class QuestionRoute(APIRoute):
    """POST a question, get its answer; the endpoint is ``async (question) -> Answered``."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        hints = get_type_hints(endpoint, include_extras=True)
        self.question: TypeAdapter[Any] = TypeAdapter(hints["asked"])

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            raise HTTPException(405, headers={"Allow": "POST"})
        value = await read_json(scope, receive)
        if not isinstance(value, dict):
            raise Problem(422, "The body must be one JSON object.")
        _check_sizes(value)
        try:
            asked = self.question.validate_python(value)
        except ValidationError as error:
            raise of_validation(error) from None
        body, scope["generation"] = await self.endpoint(asked)
        length = b"%d" % len(body)
        headers = [(b"content-type", b"application/json"), (b"content-length", length)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _check_sizes(value: Any) -> None:
    """Refuse objects of more fields than any question has, before each becomes a fault."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if len(one) > MOST_FIELDS:
                raise Problem(422, f"An object has more than {MOST_FIELDS} fields; leave some out.")
            one = list(one.values())
        waiting += [inner for inner in one if isinstance(inner, (dict, list))]


class Threads:
    """A few threads for what takes long, and a bounded queue before them."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="batch")
        self._waiting = 0

    async def run(self, work: Callable[[], Result]) -> Result:
        """The work's result.

        Raises
        ------
        Problem
            503 where too many wait already.
        """
        if self._waiting >= MOST_WAITING:
            raise Problem(503, "Too many batches wait; ask again.", headers={"retry-after": "1"})
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
