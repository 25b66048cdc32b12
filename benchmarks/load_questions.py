"""What the load asks: questions whose right answer is known, and requests that must be refused.

Reads  the scorers of the generations that will be served.
Gives  ``Question`` (its answer by generation) and ``Bad`` (the statuses it may end with).
Never  the code that answers over HTTP: answers come from the scorer's own methods.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from anticipate.serving import Scorer

CANARY = "canary-7f3a91"  # stands in bad bodies; no answer may repeat it
MIX = {"suggest": 0.6, "check-cart": 0.15, "brief": 0.1, "churn": 0.1, "many": 0.05}
_HEAD = (
    "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: {n}\r\n\r\n"
)


class Question(NamedTuple):
    """A valid request and its answer, by generation."""

    request: bytes
    n_head: int  # bytes of the head
    answers: dict[str, Any]


class Bad(NamedTuple):
    """A request to refuse."""

    name: str
    request: bytes
    statuses: frozenset[int]
    may_cut: bool = False  # refused before it was read: the connection may be reset


def post(path: str, body: bytes, kind: str = "application/json") -> tuple[bytes, int]:
    """A whole request and how long its head is."""
    head = _HEAD.format(path=path, kind=kind, n=len(body)).encode()
    return head + body, len(head)


# -- questions


def make_questions(scorers: Mapping[str, Scorer], n: int, seed: int = 0) -> list[Question]:
    """Each asked of every scorer beforehand, so that comparing costs little under load."""
    rng, shop = np.random.default_rng(seed), _Shop(scorers)
    names = rng.choice(list(MIX), n, p=list(MIX.values())).tolist()
    return [_question(shop, rng, name) for name in names]


class _Shop:
    """Ids to ask with, and the moment: after the latest cutoff."""

    def __init__(self, scorers: Mapping[str, Scorer]) -> None:
        self.scorers = scorers
        one = next(iter(scorers.values()))
        self.customers = one.customer_ids().tolist()
        self.cutoff = np.datetime64(max(each.cutoff_us for each in scorers.values()), "us")
        self.as_of = self.at(600)
        table = one.suggest_many(self.customers[:200], as_of=self.as_of, n=32)
        self.items = sorted(table["item_id"].dropna().unique().tolist())

    def at(self, minutes: int) -> str:
        return f"{self.cutoff + np.timedelta64(int(minutes), 'm')}Z"

    def some(self, rng: np.random.Generator, column: list[Any], n: int) -> list[Any]:
        return [column[i] for i in rng.integers(0, len(column), n)]


def _question(shop: _Shop, rng: np.random.Generator, name: str) -> Question:
    body: dict[str, Any] = {"as_of": shop.as_of}
    if name == "many":
        body["customer_ids"] = shop.some(rng, shop.customers, 40)
    else:
        body["customer_id"] = shop.some(rng, shop.customers, 1)[0]
        body["recent"] = list(_recent(shop, rng, body["customer_id"]))
    if name in ("suggest", "check-cart"):
        body["cart"] = list(_cart(shop, rng))
        body["audience"] = "staff" if rng.random() < 0.5 else "customer"
    path = "suggest" if name == "many" else name
    answers = {
        generation: json.loads(json.dumps(_answer(scorer, name, body)))
        for generation, scorer in shop.scorers.items()
    }
    return Question(*post(f"/v1/{path}", json.dumps(body).encode()), answers)


def _recent(shop: _Shop, rng: np.random.Generator, customer: Any) -> Iterator[dict[str, Any]]:
    events = ("view", "cart", "purchase", "wish", "complaint", "not_interested")
    for number in range(int(rng.integers(0, 4))):
        yield {
            "customer_id": customer,
            "item_id": shop.some(rng, shop.items, 1)[0],
            "timestamp": shop.at(rng.integers(1, 599)),
            "event": events[rng.integers(len(events))],
            "event_id": f"E{number}",
        }


def _cart(shop: _Shop, rng: np.random.Generator) -> Iterator[Any]:
    for item in shop.some(rng, shop.items, int(rng.integers(1, 4))):
        quantity = float(rng.integers(1, 30))
        yield item if rng.random() < 0.5 else {"item_id": item, "quantity": quantity, "price": 9.5}


def _answer(scorer: Scorer, name: str, body: dict[str, Any]) -> dict[str, Any]:
    """As the service should say it, moment and generation aside."""
    if name == "many":
        return {"results": [
            _answer(scorer, "suggest", {"customer_id": id_, "as_of": body["as_of"]})
            for id_ in body["customer_ids"]
        ]}  # fmt: skip
    if name == "suggest":
        found = [one.to_dict() for one in scorer.suggest(**body)]
        return {"customer_id": body["customer_id"], "suggestions": found}
    if name == "check-cart":
        found = [one.to_dict() for one in scorer.check_cart(**body)]
        return {"customer_id": body["customer_id"], "warnings": found}
    if name == "churn":
        table = scorer.churn([body["customer_id"]], as_of=body["as_of"], recent=body["recent"])
        return {
            name: None if isinstance(value, float) and math.isnan(value) else value
            for name, value in table.reset_index().to_dict("records")[0].items()
        }
    brief = scorer.brief(**body)
    return {name: value for name, value in brief.items() if name != "as_of"}


# -- requests to refuse


def bad_requests() -> list[Bad]:
    return [*_bad_json(), *_bad_values(), *_bad_protocol()]


def _bad(name: str, path: str, body: Any, *statuses: int) -> Bad:
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Bad(name, post(f"/v1/{path}", body)[0], frozenset(statuses))


def _bad_json() -> list[Bad]:
    infinite = b'{"customer_id": 1, "cart": [{"item_id": 1, "quantity": Infinity}]}'
    twice = b'{"customer_id": "a", "customer_id": "canary-7f3a91"}'
    return [
        _bad("NaN", "suggest", b'{"customer_id": "canary-7f3a91", "n": NaN}', 400),
        _bad("infinity", "check-cart", infinite, 400),
        _bad("a number past all", "suggest", b'{"customer_id": "x", "n": 1e999}', 400, 422),
        _bad("broken JSON", "suggest", b'{"customer_id": "canary-7f3a91", ', 400),
        _bad("no JSON", "brief", b"canary-7f3a91", 400),
        _bad("nothing", "churn", b"", 400),
        _bad("no UTF-8", "suggest", b'{"customer_id": "\xff\xfe"}', 400),
        _bad("half a character", "suggest", rb'{"customer_id": "\ud800"}', 400, 422),
        _bad("a key twice", "suggest", twice, 400),
        _bad("deep lists", "suggest", b'{"customer_id": ' + b"[" * 100_000, 400),
        _bad("deep objects", "suggest", b'{"a":' * 50_000, 400),
    ]


def _bad_values() -> list[Bad]:
    one = {"customer_id": CANARY}
    row = {**one, "timestamp": "2099-01-01T00:00Z", "event": CANARY}
    minus = {"item_id": "a", "quantity": -1}
    return [
        _bad("a list", "suggest", [one], 422),
        _bad("another type", "suggest", {"customer_id": [CANARY]}, 422),
        _bad("true as an id", "brief", {"customer_id": True}, 422),
        _bad("an unknown field", "suggest", {**one, CANARY: 1}, 422),
        _bad("too many wanted", "suggest", {**one, "n": 33}, 422),
        _bad("no customer", "churn", {}, 422),
        _bad("a negative quantity", "check-cart", {**one, "cart": [minus]}, 422),
        _bad("a long cart", "check-cart", {**one, "cart": ["a"] * 501}, 422),
        _bad("too many customers", "churn", {"customer_ids": ["a"] * 1001}, 422),
        _bad("before the cutoff", "suggest", {**one, "as_of": "1999-01-01T00:00Z"}, 422),
        _bad("no time", "suggest", {**one, "as_of": CANARY}, 422),
        _bad("an unknown event", "suggest", {**one, "recent": [row]}, 422),
    ]


def _bad_protocol() -> list[Bad]:
    large = json.dumps({"customer_id": CANARY, "cart": ["x" * 200] * 8_000}).encode()
    chunk = b"%x\r\n%b\r\n" % (2**16, b"x" * 2**16)
    chunked = (
        b"POST /v1/suggest HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 20 + b"0\r\n\r\n"
    )
    get = b"GET /v1/suggest HTTP/1.1\r\nHost: localhost\r\n\r\n"
    return [
        Bad("too large", post("/v1/suggest", large)[0], frozenset({413}), may_cut=True),
        Bad("too large, in chunks", chunked, frozenset({413}), may_cut=True),
        Bad("no content type", post("/v1/suggest", b"{}", "text/plain")[0], frozenset({415})),
        Bad("GET", get, frozenset({405})),
        Bad("an unknown path", post(f"/v1/{CANARY}", b"{}")[0], frozenset({404})),
        Bad("no HTTP", b"\x16\x03\x01 canary-7f3a91\r\n\r\n", frozenset({400}), may_cut=True),
    ]
