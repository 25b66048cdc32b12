"""A shop whose every id and value is a canary, and all that a call tells when it goes wrong."""

from __future__ import annotations

import logging
import sys
import traceback
import warnings
from collections.abc import Callable
from typing import Any

import pandas as pd

from anticipate.log import InteractionLog

MARK = "Zaphod-4711"  # stands in every id and value of the caller's own making
DAY = pd.Timedelta(days=1)
START = pd.Timestamp("2024-01-01T12:00")
CUTOFF, AS_OF = "2024-05-01", "2024-05-02T10:00Z"
EVENTS = {"event": "event", "quantity": "quantity", "price": "price", "order_id": "order_id",
          "event_id": "event_id", "value": "value", "gift": "gift", "channel": "channel",
          "reason": "reason", "known_at": "known_at"}  # fmt: skip


def rows(n_customers: int = 6, n_each: int = 12) -> pd.DataFrame:
    """Purchases of every customer, eleven days apart; each cell that may be text is a canary."""
    return pd.DataFrame(
        {
            "customer_id": f"{MARK}-c{who}",
            "item_id": f"{MARK}-i{(who * 7 + turn) % 6}",
            "timestamp": START + (11 * turn + who) * DAY,
            "event": "purchase",
            "quantity": 1.0,
            "price": 5.0 + turn,
            "order_id": f"{MARK}-o{who}-{turn}",
            "event_id": f"{MARK}-e{who}-{turn}",
            "value": None,
            "gift": False,
            "channel": f"{MARK}-web",
            "reason": f"{MARK}-why",
            "known_at": START + (11 * turn + who) * DAY,
        }
        for who in range(n_customers)
        for turn in range(n_each)
    )


def items() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "item_id": [f"{MARK}-i{n}" for n in range(6)],
            "name": [f"{MARK} name {n}" for n in range(6)],
            "category": f"{MARK} kind",
            "price": 5.0,
        }
    )


def customers() -> pd.DataFrame:
    ids = [f"{MARK}-c{n}" for n in range(6)]
    return pd.DataFrame({"customer_id": ids, "segment": f"{MARK} group"})


def log_of(table: Any = None, **options: Any) -> InteractionLog:
    table = rows() if table is None else table
    named = {ours: theirs for ours, theirs in EVENTS.items() if theirs in table}
    return InteractionLog.from_frame(table, **{"timezone": "UTC", **named, **options})


def all_told(call: Callable[[], Any], caplog: Any, capsys: Any = None) -> tuple[str, Any]:
    """Traceback with its causes, warnings, log records and stderr of a call; and its error."""
    caplog.set_level(logging.DEBUG)
    caplog.clear()
    error: BaseException | None = None
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            call()
        except (Exception, SystemExit) as found:
            error = found
    texts = [str(one.message) for one in warned] + [one.getMessage() for one in caplog.records]
    texts += [str(one.__dict__.get("exc_text") or "") for one in caplog.records]
    if error is not None:
        texts += traceback.format_exception(error)
        texts += [repr(error)]
    if capsys is not None:
        sys.stderr.flush()
        texts.append(capsys.readouterr().err)
    return "\n".join(texts), error
