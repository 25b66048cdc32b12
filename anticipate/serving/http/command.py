"""``anticipate serve``: the scorer over HTTP.

Reads  the arguments, a key file.
Gives  a server until it is told to stop.
Never  an open port without a key, nor a traceback for a port in use.
"""

from __future__ import annotations

import argparse
import contextlib
import ipaddress
import os
import socket
import sys
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial

from ..._checks import check_count
from ..._command_line import Parser, run
from ...bundle import bundle_info
from ...exceptions import MissingExtraError, OutputError, ParameterError

LEVELS = ("debug", "info", "warning", "error")


def add_serving(command: argparse.ArgumentParser) -> None:
    command.add_argument("bundle", metavar="FOLDER")
    command.add_argument("--host", default="127.0.0.1", help="another one needs a key")
    command.add_argument("--port", type=int, default=8080, help="0: a free one")
    command.add_argument("--workers", type=int, default=1, help="processes (default: 1)")
    command.add_argument("--api-key-file", metavar="FILE", help="one key a line, 16 characters up")
    command.add_argument("--verify", choices=("full", "structure"), default="structure")
    command.add_argument("--refresh-seconds", type=float, default=5.0, help="look at CURRENT")
    command.add_argument(
        "--drain-seconds", type=float, default=0.0, help="not ready, still answering, on SIGTERM"
    )
    command.add_argument("--docs", action="store_true", help="serve /docs and /openapi.json")
    command.add_argument("--no-page", action="store_true", help="no staff page at /")
    command.add_argument("--log-level", choices=LEVELS, default="info")
    command.set_defaults(run=serve)


def serve_main(argv: Sequence[str]) -> int:
    """``anticipate serve`` alone, without the other commands and what they load."""
    parser = Parser(prog="anticipate serve", description="Answer over HTTP.")
    add_serving(parser)
    return run(parser, argv)


def serve(arguments: argparse.Namespace) -> None:
    check_count("--workers", arguments.workers, most=256)
    check_count("--port", arguments.port, least=0, most=65535)
    for name in ("refresh_seconds", "drain_seconds"):
        if not 0 <= getattr(arguments, name) <= 86_400:
            raise ParameterError(f"--{name.replace('_', '-')} must be from 0 to 86400.")
    bundle_info(arguments.bundle)  # a wrong folder is told now, not by every worker
    with _counts_of_all(arguments.workers):
        try:
            from .keys import read_keys
            from .server import make_worker, run_server
        except ImportError as error:
            raise MissingExtraError(
                f"serving needs {error.name}: pip install 'anticipate-needs[serve]'."
            ) from None
        keys = read_keys(arguments.api_key_file) if arguments.api_key_file else ()
        _check_host(arguments.host, keys)
        make = partial(
            make_worker,
            os.path.abspath(arguments.bundle),
            log_level=arguments.log_level,
            drain_seconds=arguments.drain_seconds,
            verify=arguments.verify,
            refresh_seconds=max(arguments.refresh_seconds, 0.1),
            keys=keys,
            local_only=not keys,
            docs=arguments.docs,
            page=not arguments.no_page,
        )
        with _listen(arguments.host, arguments.port) as listener:
            sys.stderr.write(f"anticipate: serving at http://{_name(listener)}\n")
            sys.stderr.flush()
            run_server(make, listener, workers=arguments.workers, log_level=arguments.log_level)


@contextlib.contextmanager
def _counts_of_all(workers: int) -> Iterator[None]:
    """Where several workers count together, for /metrics; named before the library is imported."""
    if workers == 1:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="anticipate-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        try:
            yield
        finally:
            del os.environ["PROMETHEUS_MULTIPROC_DIR"]


def _check_host(host: str, keys: tuple[str, ...]) -> None:
    if keys or host == "localhost":
        return
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise ParameterError(
            f"--host {host} may be reached from other machines: give --api-key-file FILE, or "
            "stay at 127.0.0.1."
        )


def _listen(host: str, port: int) -> socket.socket:
    """A bound socket; workers share it."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        listener = socket.socket(family, kind, protocol)
        try:
            if os.name == "posix":
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(2048)
            listener.set_inheritable(True)
        except BaseException:
            listener.close()
            raise
    except OSError as error:
        raise OutputError(f"cannot listen at {host}:{port}: {error.strerror}.") from None
    return listener


def _name(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
