"""The server: uvicorn around the app, with a deadline for slow heads and a drain.

Reads  a bound socket and a way to make the app.
Gives  answers until SIGTERM; then what is in flight, and an end without an error.
Never  an access log: addresses and paths are the proxy's business.

On SIGTERM ``/readyz`` turns 503 and everything is answered as before for ``drain_seconds``, so
that a load balancer sees it; then no connection is taken any more and the rest is finished.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from fastapi import FastAPI
from uvicorn import Config, Server
from uvicorn.config import STARTUP_FAILURE
from uvicorn.protocols.http.auto import AutoHTTPProtocol
from uvicorn.supervisors import Multiprocess

from .app import make_app
from .faults import LOG
from .service import Service

LINE = "%(asctime)s %(levelname)s %(name)s: %(message)s"
HEAD_SECONDS = 10.0  # to send a request's head
KEEP_ALIVE_SECONDS = 15
READ_SECONDS = 30.0  # to read the rest of an answer, once the connection is to end
FINISH_SECONDS = 30  # for what is in flight
SWITCH_SECONDS = 0.0005  # how long a batch's thread may keep the loop from its turn
START_SECONDS = 30  # a worker that does not answer its parent for so long is replaced


class PatientProtocol(AutoHTTPProtocol):  # type: ignore[valid-type,misc]
    """uvicorn's, with deadlines for heads that come, and answers that are read, too slowly.

    uvicorn's own timer ends with the first byte, so a byte now and then would keep a
    connection for ever; and closing waits until all is read, which may be never.
    """

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._rest()
        super().connection_lost(exc)

    def _watch(self) -> None:
        """Between two requests the clock runs from the next one's first byte."""
        if self.cycle is not None and not self.cycle.response_complete:
            self._rest()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(HEAD_SECONDS, self._too_late)

    def _rest(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_late(self) -> None:
        self._deadline = None
        if self.cycle is None or self.cycle.response_complete:
            self.timeout_keep_alive_handler()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self.loop.call_later(READ_SECONDS, self.transport.abort)


def run_server(
    make: Callable[[], FastAPI], listener: socket.socket, *, workers: int, log_level: str
) -> None:
    """Serve until a signal ends it.

    Parameters
    ----------
    make : callable
        Makes the app; called in each worker, so it must pickle.
    """
    config = Config(
        make,
        factory=True,
        http=PatientProtocol,
        ws="none",
        workers=workers,
        log_config=None,
        log_level=log_level,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=FINISH_SECONDS,
        timeout_worker_healthcheck=START_SECONDS,
    )
    set_up_log(log_level)
    if workers > 1:
        supervisor = Multiprocess(config, sockets=[listener])
        supervisor.run()
        if any(worker.exitcode == STARTUP_FAILURE for worker in supervisor.processes):
            sys.exit(1)
        return
    signal.signal(signal.SIGTERM, _end)  # uvicorn raises it once more when all is finished
    Server(config).run(sockets=[listener])


def make_worker(bundle: str, *, log_level: str, drain_seconds: float, **choices: Any) -> FastAPI:
    """The app of one worker, its log and its way to end; ``choices`` are ``make_app``'s."""
    set_up_log(log_level)
    sys.setswitchinterval(SWITCH_SECONDS)
    app = make_app(bundle, **choices)
    _drain_on_sigterm(app.state.service, drain_seconds)
    return app


def set_up_log(level: str) -> None:
    """Lines on stderr: ours and uvicorn's from ``level`` on, other libraries' warnings."""
    logging.basicConfig(format=LINE)
    for name in (LOG.name, "uvicorn"):
        logging.getLogger(name).setLevel(level.upper())


def _drain_on_sigterm(service: Service, seconds: float) -> None:
    """Before uvicorn hears a SIGTERM, be seen as not ready for a while.

    A second signal ends it at once.
    """
    before: Any = signal.getsignal(signal.SIGTERM)
    loop = asyncio.get_running_loop()

    def begin(number: int, frame: FrameType | None) -> None:
        if service.draining:
            before(number, frame)
            return
        service.draining = True
        loop.call_soon_threadsafe(loop.call_later, seconds, before, number, frame)

    signal.signal(signal.SIGTERM, begin)


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)
