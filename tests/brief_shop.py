"""One customer's story by hand, for the tests of the brief. Times are the shop's, in Seoul."""

from __future__ import annotations

import pandas as pd

from anticipate.log import InteractionLog

TIMEZONE = "Asia/Seoul"
CUTOFF = "2025-03-18"
COLUMNS = ["customer_id", "item_id", "timestamp", "event", "quantity", "price", "value",
           "order_id", "gift", "channel", "reason"]  # fmt: skip
OPTIONS = {name: name for name in COLUMNS[3:]}
ITEMS = pd.DataFrame(
    {
        "item_id": ["tea", "lamp", "lamp-2", "book-p", "book-e", "box", "vase", "rug", "bulb"],
        "name": ["Green tea", "Lamp", "Lamp, white", "The Book", "The Book", "Gift box", "Vase",
                 "Rug", "Bulb"],
        "category": ["food", "light", "light", "book", "book", "food", "home", "home", "light"],
        "work_id": [None, None, None, "book", "book", None, None, None, None],
        "consumable": [True, False, False, False, False, False, False, False, False],
        "lifetime_days": [None, None, None, None, None, None, None, None, 30.0],
    }
)  # fmt: skip
CUSTOMERS = pd.DataFrame(
    {"customer_id": ["mina", "private", "quiet"], "objects_to": [None, "profiling", "marketing"]}
)


def row(customer, event, when, item=None, **more):
    return {"customer_id": customer, "event": event, "timestamp": when, "item_id": item, **more}


def bought(customer, when, item, order, price=10.0, **more):
    more = {"channel": "web", **more}
    return row(customer, "purchase", when, item, order_id=order, price=price, **more)


def story(who="mina"):
    """Bought, returned, complained, resolved, dismissed a warning, wrote twice without answer."""
    return [
        bought(who, "2024-03-01T10:00", "rug", "o0", price=300.0),  # more than a year ago
        bought(who, "2025-01-01T10:00", "tea", "o1", quantity=2.0),
        bought(who, "2025-01-02T00:30", "lamp", "o2", price=50.0),  # 2 January in Seoul, 1 in UTC
        bought(who, "2025-01-02T00:30", "vase", "o2", price=30.0),
        bought(who, "2025-01-10T10:00", "box", "o3", price=20.0, gift=True),
        bought(who, "2025-01-15T10:00", "bulb", "o4", price=None),  # lasts 30 days
        row(who, "return", "2025-01-20T10:00", "vase", order_id="o2", reason="damaged"),
        bought(who, "2025-01-31T10:00", "tea", "o5"),
        row(who, "view", "2025-02-01T10:00", "lamp-2"),
        bought(who, "2025-02-02T10:00", "book-p", "o6", price=12.0),
        row(who, "warning_dismissed", "2025-02-03T10:00", "lamp-2", channel="web"),
        row(who, "complaint", "2025-03-05T10:00", "lamp", order_id="o2", reason="flicker",
            channel="phone"),
        row(who, "resolved", "2025-03-10T10:00", "lamp", order_id="o2"),
        row(who, "contact", "2025-03-14T10:00", "tea", order_id="o7", reason="delivery",
            channel="web"),
        row(who, "contact", "2025-03-16T10:00", "tea", order_id="o7", reason="delivery",
            channel="phone"),
        row(who, "rating", "2025-03-17T10:00", "rug", value=2.0),
    ]  # fmt: skip


def log_of(rows, *, timezone=TIMEZONE, items=ITEMS, customers=CUSTOMERS, **options):
    frame = pd.DataFrame(rows, columns=COLUMNS)
    return InteractionLog.from_frame(
        frame, **OPTIONS, timezone=timezone, items=items, customers=customers,
        closed_until="2026-01-01", **options,
    )  # fmt: skip
