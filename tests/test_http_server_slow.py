"""Long series on a real server: several workers, a refresh, and clients that dawdle."""

from __future__ import annotations

import os
import re
import socket
import threading
import time

import pytest
from http_app import wait_until
from test_http_bundle import put
from test_http_server import HEAD, QUESTION, running, status_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them"),
]
RELOADS = r"anticipate_bundle_reloads_total"
PATIENCE = 40.0  # the server waits 10 s, and machines may be busy


def total(metrics: bytes, name: str) -> float:
    """Sum of a counter's samples."""
    return sum(float(value) for value in re.findall(rf"^{name}\S* (\S+)$", metrics.decode(), re.M))


def test_two_workers_count_together_refresh_and_drain(
    bookshop, bookshop_bundle, bookshop_model, tmp_path
):
    """Twenty answers are twenty in /metrics, whoever is asked; both workers take the new bundle."""
    later = bookshop_model.save(tmp_path / "later.bundle", history=bookshop.as_of("2025-03-08"))
    folder = tmp_path / "shop.bundle"
    put(bookshop_bundle, folder)
    options = ("--workers", "2", "--refresh-seconds", "0.2", "--drain-seconds", "0.5")
    with running(folder, *options) as server:
        wait_until(lambda: total(server.get("/metrics")[1], RELOADS) == 2)
        for _ in range(20):
            assert server.suggest()[0] == 200
        told = server.get("/metrics")[1]
        assert total(told, r'anticipate_requests_total\{route="/v1/suggest",status="200"\}') == 20

        put(later, folder)
        wait_until(lambda: total(server.get("/metrics")[1], RELOADS) == 4)
        assert (
            b"anticipate_bundle_cutoff_timestamp_seconds 1.741392e+09" in server.get("/metrics")[1]
        )
        assert server.suggest()[0] == 422  # asked of a moment before the new cutoff
        code, log = server.stop()

    assert code == 0
    assert "Traceback" not in log
    assert log.count("Finished server process") == 2


def test_slow_heads_and_slow_bodies_are_not_waited_for(bookshop_bundle):
    """A byte a second keeps no connection; others are answered meanwhile."""
    with running(bookshop_bundle) as server:
        address = ("127.0.0.1", server.port)
        ended: dict[str, float] = {}

        def drip(name: str, start: bytes) -> None:
            began = time.monotonic()
            with socket.create_connection(address) as slow:
                slow.settimeout(1.0)
                slow.sendall(start)
                while time.monotonic() - began < PATIENCE:
                    try:
                        slow.sendall(b"x")
                        if not slow.recv(4096):
                            break
                    except TimeoutError:
                        continue
                    except OSError:
                        break
            ended[name] = time.monotonic() - began

        def stall() -> None:
            with socket.create_connection(address) as slow:
                slow.sendall(HEAD + QUESTION[:5])
                ended["status"] = status_of(slow)

        starts = {
            "silent head": b"",
            "slow head": b"POST /v1/suggest HTTP/1.1\r\nX-Slow: ",
            "slow body": HEAD.replace(b"%d" % len(QUESTION), b"1000000"),
            "body nobody reads": b"GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n",
        }
        threads = [threading.Thread(target=drip, args=one) for one in starts.items()]
        threads.append(threading.Thread(target=stall))
        for thread in threads:
            thread.start()
        assert server.suggest()[0] == 200
        for thread in threads:
            thread.join()

    assert ended.pop("status") == 408
    assert set(ended) == set(starts)
    assert max(ended.values()) < PATIENCE


def test_a_client_that_leaves_half_way_costs_nothing(bookshop_bundle):
    with running(bookshop_bundle, "--log-level", "debug") as server:
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", server.port)) as gone:
                gone.sendall(HEAD + QUESTION[:5])
        assert server.suggest()[0] == 200
        wait_until(lambda: b'status="499"} 20.0' in server.get("/metrics")[1])
        code, log = server.stop()

    assert code == 0
    assert "Traceback" not in log
