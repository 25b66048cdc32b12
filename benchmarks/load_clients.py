"""Clients of the load: good ones, slow ones, those that hang up, those that send nonsense.

Reads  questions and requests to refuse, an address.
Gives  a ``Tally``: how often what happened, and everything that should not have.
Never  an answer taken on trust.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from load_questions import CANARY, Bad, Question

TOO_LATE_SECONDS = 25.0  # for a server that gives slow clients 10
LOST = (OSError, asyncio.IncompleteReadError)
Client = Callable[["Load", random.Random], Awaitable[None]]


@dataclass
class Tally:
    """What happened."""

    counts: Counter[str] = field(default_factory=Counter)
    generations: Counter[str] = field(default_factory=Counter)
    violations: Counter[str] = field(default_factory=Counter)
    ms: list[float] = field(default_factory=list)  # of every tenth good answer


@dataclass
class Load:
    """One run: where to ask what until when."""

    port: int
    questions: list[Question]
    bad: list[Bad]
    until: float  # time.monotonic
    tally: Tally = field(default_factory=Tally)

    def goes_on(self) -> bool:
        return time.monotonic() < self.until

    def check(self, question: Question, status: int, body: bytes) -> None:
        """Right, wrong, or no answer at all; ``generation`` says whose answer it claims to be."""
        if status != 200:
            detail = json.loads(body).get("detail", "")
            self.tally.violations[f"status {status} to a good question: {detail}"] += 1
            return
        answer = json.loads(body)
        generation = answer.pop("bundle")
        answer.pop("as_of")
        self.tally.generations[generation] += 1
        if generation not in question.answers:
            self.tally.violations["a generation that was never saved"] += 1
        elif answer != question.answers[generation]:
            self.tally.violations["wrong answer"] += 1
        else:
            self.tally.counts["right answers"] += 1


class Connection:
    """HTTP/1.1 by hand, so that it can be slow, late or broken."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, load: Load) -> Connection:
        return cls(*await asyncio.open_connection("127.0.0.1", load.port))

    async def send(self, part: bytes) -> None:
        self.writer.write(part)
        await self.writer.drain()

    async def answer(self) -> tuple[int, bytes]:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        _, _, length = head.partition("\r\ncontent-length: ")
        size = int(length.partition("\r\n")[0]) if length else 0
        return int(head.split(" ", 2)[1]), await self.reader.readexactly(size)

    def cut(self) -> None:
        self.writer.transport.abort()


async def good(load: Load, rng: random.Random) -> None:
    """As a back end asks: one connection, one question after another."""
    connection = await Connection.open(load)
    for number in range(10**9):
        if not load.goes_on():
            break
        question, started = rng.choice(load.questions), time.perf_counter()
        try:
            await connection.send(question.request)
            status, body = await connection.answer()
        except LOST:
            load.tally.violations["a good connection was lost"] += 1
            connection = await Connection.open(load)
            continue
        if number % 10 == 0:
            load.tally.ms.append(1e3 * (time.perf_counter() - started))
        load.check(question, status, body)
        await asyncio.sleep(0)
    connection.cut()


async def slow(load: Load, rng: random.Random) -> None:
    """A good question in drips of a few bytes, within the time that is given."""
    question = rng.choice(load.questions)
    connection = await Connection.open(load)
    size = max(len(question.request) // 12, 1)
    for start in range(0, len(question.request), size):
        await connection.send(question.request[start : start + size])
        await asyncio.sleep(rng.random() * 0.6)
    load.check(question, *await connection.answer())
    load.tally.counts["slow clients answered"] += 1
    connection.cut()


async def stuck(load: Load, rng: random.Random) -> None:
    """A byte now and then, in the head or the body, and no end: it must be shown the door."""
    question = rng.choice(load.questions)
    connection = await Connection.open(load)
    in_head = b"POST /v1/suggest HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
    await connection.send(rng.choice([in_head, question.request[: question.n_head]]))
    drip = asyncio.ensure_future(_drip(connection))
    try:
        async with asyncio.timeout(TOO_LATE_SECONDS):
            status, _ = await connection.answer()
        if status != 408:
            load.tally.violations[f"status {status} to a body that never ends"] += 1
    except TimeoutError:
        load.tally.violations["a stuck connection was kept"] += 1
    except LOST:
        pass  # closed, as it should be
    finally:
        drip.cancel()
        connection.cut()
    load.tally.counts["stuck clients closed"] += 1


async def _drip(connection: Connection) -> None:
    while True:
        await connection.send(b"x")
        await asyncio.sleep(0.7)


async def hang_up(load: Load, rng: random.Random) -> None:
    """Gone in the head, in the body, or before the answer."""
    question = rng.choice(load.questions)
    connection = await Connection.open(load)
    await connection.send(question.request[: rng.randrange(1, len(question.request) + 1)])
    await asyncio.sleep(rng.random() * 0.02)
    connection.cut()
    load.tally.counts["connections cut"] += 1
    await asyncio.sleep(0.02)


async def nonsense(load: Load, rng: random.Random) -> None:
    """A request that must be refused, in words that do not repeat it."""
    bad = rng.choice(load.bad)
    connection = await Connection.open(load)
    try:
        async with asyncio.timeout(TOO_LATE_SECONDS):
            sending = asyncio.ensure_future(connection.send(bad.request))
            status, body = await connection.answer()
            await asyncio.gather(sending, return_exceptions=True)
        if status not in bad.statuses:
            load.tally.violations[f"status {status} to: {bad.name}"] += 1
        if CANARY.encode() in body:
            load.tally.violations[f"the body was repeated to: {bad.name}"] += 1
    except TimeoutError:
        load.tally.violations[f"no answer to: {bad.name}"] += 1
    except LOST:
        if not bad.may_cut:
            load.tally.violations[f"connection lost at: {bad.name}"] += 1
    finally:
        sending.cancel()
        connection.cut()
    load.tally.counts["bad requests refused"] += 1
    await asyncio.sleep(0.01)


CLIENTS: dict[Client, int] = {good: 6, slow: 4, stuck: 4, hang_up: 2, nonsense: 2}


async def run_clients(load: Load) -> Tally:
    """All of them at once, until the time is over."""

    async def again(client: Client, seed: int) -> None:
        rng = random.Random(seed)
        while load.goes_on():
            try:
                await client(load, rng)
            except LOST:
                load.tally.violations[f"{client.__name__}: connection lost"] += 1
                await asyncio.sleep(0.1)

    kinds = [client for client, n in CLIENTS.items() for _ in range(n)]
    await asyncio.gather(*(again(client, seed) for seed, client in enumerate(kinds)))
    return load.tally


def summary(tally: Tally, seconds: float) -> list[tuple[str, Any]]:
    """Rows of the table."""
    times = sorted(tally.ms) or [float("nan")]
    median, late = times[len(times) // 2], times[int(len(times) * 0.99)]
    right = tally.counts["right answers"]
    return [
        ("right answers", f"{right:,} ({right / seconds:,.0f} a second)"),
        ("wrong answers", tally.violations["wrong answer"]),
        ("median, 99 of 100 within", f"{median:.1f} ms, {late:.1f} ms"),
        *((name, f"{n:,}") for name, n in sorted(tally.counts.items()) if name != "right answers"),
        *((f"answered by {name}", f"{n:,}") for name, n in sorted(tally.generations.items())),
    ]  # fmt: skip
