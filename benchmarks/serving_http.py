"""Throughput of the HTTP service beside a FastAPI echo that checks the same request.

Reads  a bundle (default: trained on the bookshop); ``wrk`` from the system's packages.
Gives  requests a second, p50 and p99 of ``POST /v1/suggest`` (one customer, a cart of 2, recent
       of 3) and of the echo, round about, with one and with many connections, and the ratio.
Never  different terms: both run under the same uvicorn settings in one worker, get the same
       bodies, and answer with as many bytes.

    python benchmarks/serving_http.py [--bundle FOLDER] [--rounds 5] [--seconds 4]

The echo is an async FastAPI endpoint with the same pydantic model as its ordinary body
parameter; it returns a dictionary, as FastAPI users do. ``fast echo`` returns bytes made
beforehand: what no service that answers anything can reach. Goal: >= 60 % of the echo.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import psutil
from fastapi import Body, FastAPI, Response

from anticipate import Anticipator, load_example
from anticipate.serving import Scorer
from anticipate.serving.http.questions import Suggest
from anticipate.serving.http.server import make_worker, run_server

N_BODIES, CONNECTIONS, SEED = 500, 16, 0
CUTOFF, GOAL = "2025-03-01", 0.6
SERVERS = ("anticipate", "echo", "fast echo")
ROW = "{:<14}{:>12}{:>10}{:>10}{:>10}{:>10}{:>10}"
LUA = """
local bodies, n = {}, 0
for line in io.lines("%s") do n = n + 1; bodies[n] = line end
local i = 0
request = function()
  i = i %% n + 1
  return wrk.format("POST", "/v1/suggest", {["Content-Type"] = "application/json"}, bodies[i])
end
"""


class Measured(NamedTuple):
    per_second: float
    p50: float  # ms
    p99: float
    cpu_ms: float  # of the server, a request


def main() -> None:
    arguments = _arguments()
    if arguments.serve:
        serve(arguments.serve, arguments.bundle, arguments.size)
        return
    if shutil.which("wrk") is None:
        sys.exit("serving_http needs wrk: apt-get install wrk.")
    with tempfile.TemporaryDirectory() as scratch:
        bundle = arguments.bundle or _bookshop(Path(scratch) / "bundle")
        scorer = Scorer.load(bundle, verify="structure")
        bodies = make_bodies(scorer)
        script = _script(Path(scratch), bodies)
        size = _show_scorer(scorer, bodies)
        for connections in (1, CONNECTIONS):
            show(bundle, script, size, connections, arguments)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bundle", default="")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--serve", choices=SERVERS, help=argparse.SUPPRESS)
    parser.add_argument("--size", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


def _bookshop(folder: Path) -> Path:
    Anticipator(random_state=0).fit(load_example("bookshop").as_of(CUTOFF)).save(folder)
    return folder


def make_bodies(scorer: Scorer) -> list[str]:
    """Random customers; cart and recent are of items that customers of the bundle bought."""
    rng = np.random.default_rng(SEED)
    ids, cutoff = scorer.customer_ids().tolist(), np.datetime64(scorer.cutoff_us, "us")
    items = _items(scorer)
    bodies = []
    for _ in range(N_BODIES):
        customer = ids[rng.integers(len(ids))]
        cart = [items[i] for i in rng.integers(0, len(items), 2)]
        recent = [
            {
                "customer_id": customer,
                "item_id": items[rng.integers(len(items))],
                "timestamp": f"{cutoff + np.timedelta64(int(minutes), 'm')}Z",
                "event": event,
            }
            for minutes, event in zip(
                rng.integers(1, 500, 3), ("view", "cart", "purchase"), strict=True
            )
        ]
        as_of = f"{cutoff + np.timedelta64(10, 'h')}Z"
        body = {"customer_id": customer, "as_of": as_of, "cart": cart, "recent": recent}
        bodies.append(json.dumps(body))
    return bodies


def _items(scorer: Scorer) -> list[Any]:
    """Ids of what a hundred customers are suggested."""
    as_of = np.datetime64(scorer.cutoff_us, "us").item()
    table = scorer.suggest_many(scorer.customer_ids()[:100], as_of=f"{as_of}Z", n=32)
    return sorted(table["item_id"].dropna().unique().tolist())


def _show_scorer(scorer: Scorer, bodies: list[str]) -> int:
    """The same questions in process; gives an answer's usual size."""
    asked = [json.loads(body) for body in bodies]
    for one in asked:
        scorer.suggest(**one)
    started = time.thread_time()
    found = [scorer.suggest(**one) for one in asked]
    ms = 1e3 * (time.thread_time() - started) / len(asked)
    sizes = [len(json.dumps([one.to_dict() for one in each])) + 100 for each in found]
    size = round(statistics.mean(sizes))
    print(f"Scorer.suggest in process: {ms:.3f} ms of CPU; an answer has about {size:,} bytes")
    return size


def _script(folder: Path, bodies: list[str]) -> Path:
    lines, script = folder / "bodies.txt", folder / "load.lua"
    lines.write_text("\n".join(bodies) + "\n", encoding="utf-8")
    script.write_text(LUA % lines, encoding="utf-8")
    return script


# -- the servers


def serve(name: str, bundle: str, size: int) -> None:
    """One of SERVERS, in this process; its port is the first line printed."""
    make = partial(_echo, size, name == "fast echo")
    if name == "anticipate":
        make = partial(make_worker, bundle, log_level="error", drain_seconds=0.0, local_only=True)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(2048)
        print(listener.getsockname()[1], flush=True)
        run_server(make, listener, workers=1, log_level="error")


def _echo(size: int, fast: bool) -> FastAPI:
    app = FastAPI(telemetry=dict.fromkeys(("tracing", "metrics", "logs", "auto_configure"), False))
    filler = "x" * size
    made = json.dumps({"customer_id": "", "suggestions": filler}).encode()

    @app.post("/v1/suggest")
    async def echo(asked: Annotated[Suggest, Body()]) -> Any:
        if fast:
            return Response(made, media_type="application/json")
        return {"customer_id": asked.customer_id, "suggestions": filler}

    @app.get("/readyz")
    async def readyz() -> dict[str, str]:
        return {"status": "ready"}

    return app


class Server(NamedTuple):
    address: str
    process: psutil.Process

    def cpu_seconds(self) -> float:
        used = self.process.cpu_times()
        return used.user + used.system


@contextmanager
def _running(name: str, bundle: Path, size: int) -> Iterator[Server]:
    command = [sys.executable, __file__, "--serve", name, "--bundle", str(bundle)]
    process = subprocess.Popen([*command, "--size", str(size)], stdout=subprocess.PIPE, text=True)
    try:
        address = f"http://127.0.0.1:{process.stdout.readline().strip()}"
        _wait(address)
        yield Server(address, psutil.Process(process.pid))
    finally:
        process.terminate()
        process.wait()


def _wait(address: str) -> None:
    for _ in range(300):
        try:
            urllib.request.urlopen(f"{address}/readyz", timeout=5).close()
            return
        except OSError:
            time.sleep(0.1)
    sys.exit("a server did not become ready.")


# -- the load


def show(
    bundle: Path, script: Path, size: int, connections: int, arguments: argparse.Namespace
) -> None:
    """Round about, so that what else the machine does meets all alike."""
    found: dict[str, list[Measured]] = {name: [] for name in SERVERS}
    for _ in range(arguments.rounds):
        for name in SERVERS:
            with _running(name, bundle, size) as server:
                measure(server, script, connections, 1.0)  # warm
                found[name].append(measure(server, script, connections, arguments.seconds))
    print(f"\n{connections} connection(s), medians of {arguments.rounds} rounds")
    print(ROW.format("", "requests/s", "p50 ms", "p99 ms", "CPU ms", "of echo", "by CPU"))
    for name, rounds in found.items():
        cells = [f"{statistics.median(column):,.2f}" for column in zip(*rounds, strict=True)]
        shares = [f"{100 * share:.0f} %" for share in _of_echo(rounds, found["echo"])]
        print(ROW.format(name, *cells, *shares))
    for share, how in zip(
        _of_echo(found["anticipate"], found["echo"]), ("", " by CPU"), strict=True
    ):
        print(f"goal{how}: >= {GOAL:.0%} of the echo: {'met' if share >= GOAL else 'missed'}")


def _of_echo(mine: list[Measured], echo: list[Measured]) -> tuple[float, float]:
    """Ratios of throughput, and of what a request costs the server; median of the rounds."""
    pairs = list(zip(mine, echo, strict=True))
    return (
        statistics.median(a.per_second / b.per_second for a, b in pairs),
        statistics.median(b.cpu_ms / a.cpu_ms for a, b in pairs),
    )


def measure(server: Server, script: Path, connections: int, seconds: float) -> Measured:
    before = server.cpu_seconds()
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--latency"]
    command += ["--timeout", "30s", "-s", str(script)]
    done = subprocess.run(
        [*command, server.address], capture_output=True, text=True, check=True
    ).stdout
    if "Non-2xx" in done or "Socket errors" in done:
        sys.exit(f"answers failed:\n{done}")
    shares = {share: _ms(value) for share, value in re.findall(r"(\d+)%\s+([\d.]+\w+)", done)}
    per_second = float(re.findall(r"Requests/sec:\s+([\d.]+)", done)[0])
    n = int(re.findall(r"(\d+) requests in", done)[0])
    cpu_ms = 1e3 * (server.cpu_seconds() - before) / n
    return Measured(per_second, shares["50"], shares["99"], cpu_ms)


def _ms(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 1e-3, "ms": 1.0, "s": 1e3}[unit]


if __name__ == "__main__":
    main()
