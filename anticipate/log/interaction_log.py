"""The log: every interaction that was recorded, checked and sorted once.

Reads  tables of any kind, through ``from_frame`` and ``read``.
Gives  histories (``as_of``) and windows (``between``); new logs, never changed ones.
Never  an event out of order, an id of a changed type, a row dropped in silence.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from .. import columns as c
from ..exceptions import CutoffError, FutureCutoffWarning
from ..kernels.events import Events
from .attributes import Attributes
from .build import Mapping, build_log
from .clock import Instant, to_microseconds, to_timestamp
from .history import History, history_from
from .ids import check_ids
from .table import events_to_pandas
from .vocabulary import Vocabulary


@dataclass(frozen=True, eq=False)
class InteractionLog:
    """Checked events of all customers; made by ``from_frame`` or ``read``.

    Attributes
    ----------
    n_events, n_customers, n_items : int
    start, end : Timestamp (UTC)
        First and last event.
    closed_until : Timestamp (UTC)
        Up to here nothing is missing; by default the last timestamp. Outcomes are counted
        in windows that end by then.
    rejected : DataFrame
        Rows set aside by ``on_bad_rows="quarantine"``, with ``rejected_because``.
    report : dict
        Rows read, kept, rejected by reason, and what had to be decided, counted.

    Examples
    --------
    >>> import anticipate as an
    >>> log = an.load_example("three_buyers")
    >>> log.n_customers
    3
    """

    events: Events
    vocabulary: Vocabulary
    timezone: str
    item_attributes: Attributes
    customer_attributes: Attributes
    closed_until_us: int | None
    rejected: pd.DataFrame
    report: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        customer_id: str = c.CUSTOMER,
        item_id: str = c.ITEM,
        timestamp: str = c.TIMESTAMP,
        event: str | None = None,
        quantity: str | None = None,
        price: str | None = None,
        amount: str | None = None,
        order_id: str | None = None,
        event_id: str | None = None,
        value: str | None = None,
        gift: str | None = None,
        channel: str | None = None,
        reason: str | None = None,
        known_at: str | None = None,
        timezone: str | None = None,
        default_event: str = c.PURCHASE,
        extra_events: Iterable[str] = (),
        negative_quantity: str = "error",
        closed_until: Instant | None = None,
        items: Any = None,
        customers: Any = None,
        on_bad_rows: str = "raise",
    ) -> InteractionLog:
        """Check and sort a table of interactions.

        Parameters
        ----------
        frame : pandas, polars or Arrow table, or mapping of arrays
            One row per event. Not changed.
        customer_id, item_id, timestamp, event, ... : str
            Names of the caller's columns. ``price`` is per piece, ``amount`` the line's total:
            give one. Without ``event`` every row is a ``default_event``.
        timezone : str, optional
            IANA name in which naive times, cutoffs and calendar days are read. Needed unless
            all timestamps name theirs (then UTC).
        negative_quantity : {"error", "return", "cancel"}
            What a purchase of a negative quantity means.
        closed_until : datetime-like, optional
            Up to here the log is complete.
        items, customers : table, optional
            Attributes keyed by item_id or customer_id, optionally with ``valid_from``.
        on_bad_rows : {"raise", "quarantine"}
            Quarantined rows are kept in ``log.rejected`` with their reason.

        Raises
        ------
        ColumnError, BadRowsError, IdTypeError, TimeError
            With what was wrong, what was seen and what to do.

        Examples
        --------
        >>> import pandas as pd
        >>> from anticipate import InteractionLog
        >>> rows = pd.DataFrame(
        ...     {"who": [1, 1, 2], "what": ["tea", "tea", "mug"],
        ...      "ts": ["2025-01-02", "2025-01-16", "2025-01-03"]})
        >>> log = InteractionLog.from_frame(
        ...     rows, customer_id="who", item_id="what", timestamp="ts", timezone="UTC")
        >>> log.n_events, log.n_items
        (3, 2)
        """
        names = {
            c.CUSTOMER: customer_id, c.ITEM: item_id, c.TIMESTAMP: timestamp, c.EVENT: event,
            c.QUANTITY: quantity, c.PRICE: price, c.AMOUNT: amount, c.ORDER: order_id,
            c.EVENT_ID: event_id, c.VALUE: value, c.GIFT: gift, c.CHANNEL: channel,
            c.REASON: reason, c.KNOWN_AT: known_at,
        }  # fmt: skip
        mapping = Mapping(
            names, timezone, default_event, extra_events, negative_quantity,
            closed_until, items, customers, on_bad_rows,
        )  # fmt: skip
        return cls(**build_log(frame, mapping))

    @classmethod
    def read(cls, path: str | Path, **options: Any) -> InteractionLog:
        """Read CSV or Parquet: a file, a folder of them, or a glob; options as ``from_frame``.

        For CSV also ``sep``, ``decimal`` and ``encoding``.
        """
        from ..readers import read_log  # the reader needs this class: one late import

        return read_log(path, cls, **options)

    def __repr__(self) -> str:
        span = f"{self.start:%Y-%m-%d} to {self.end:%Y-%m-%d}" if self.n_events else "empty"
        return (
            f"InteractionLog({self.n_events} events, {self.n_customers} customers, "
            f"{self.n_items} items, {span}, {self.timezone})"
        )

    def __len__(self) -> int:
        return self.events.n

    @property
    def n_events(self) -> int:
        return self.events.n

    @property
    def n_customers(self) -> int:
        return len(self.vocabulary.customer_ids)

    @property
    def n_items(self) -> int:
        return len(self.vocabulary.item_ids)

    @property
    def start(self) -> pd.Timestamp:
        return to_timestamp(int(self.events.timestamp.min())) if self.n_events else pd.NaT  # type: ignore[return-value]

    @property
    def end(self) -> pd.Timestamp:
        return to_timestamp(int(self.events.timestamp.max())) if self.n_events else pd.NaT  # type: ignore[return-value]

    @property
    def end_us(self) -> int:
        """Where closed windows must end: ``closed_until``, else the last timestamp."""
        if self.closed_until_us is not None:
            return self.closed_until_us
        return int(self.events.timestamp.max()) if self.n_events else 0

    @property
    def closed_until(self) -> pd.Timestamp:
        return to_timestamp(self.end_us)

    def as_of(self, cutoff: Instant) -> History:
        """What was known before ``cutoff`` (exclusive); naive cutoffs are in the log's timezone.

        O(n). Shares the log's arrays where nothing lies after the cutoff, else copies the rows.

        Warns
        -----
        FutureCutoffWarning
            If the cutoff lies past the end of the log: silence after it is not absence.
        """
        at = to_microseconds(cutoff, self.timezone)
        if at > self.end_us and (self.n_events or self.closed_until_us is not None):
            warnings.warn(
                f"cutoff {to_timestamp(at)} lies past the end of the log ({self.closed_until}); "
                "customers will look silent. Say closed_until=... if the log is complete.",
                FutureCutoffWarning,
                stacklevel=2,
            )
        return self.before(at)

    def before(self, at: int) -> History:
        """``as_of`` for microseconds UTC, without the warning."""
        closed = None if self.closed_until_us is None else min(self.closed_until_us, at)
        attributes = (self.item_attributes, self.customer_attributes)
        return history_from(self.events, self.vocabulary, at, self.timezone, attributes, closed)

    def between(self, start: Instant, end: Instant) -> InteractionLog:
        """Events with ``start <= timestamp < end``, as a new log."""
        first = to_microseconds(start, self.timezone, "start")
        last = to_microseconds(end, self.timezone, "end")
        if last < first:
            raise CutoffError(f"between: end {end} lies before start {start}; swap them.")
        inside = (self.events.timestamp >= first) & (self.events.timestamp < last)
        from .remake import cut_log

        return InteractionLog(**cut_log(self, inside, min(last, self.end_us)))

    def extend(self, more: InteractionLog) -> InteractionLog:
        """This log and another one together, sorted anew; same event_id counts once."""
        from .remake import merge_logs  # keeps the module order top to bottom

        return InteractionLog(**merge_logs(self, more))

    def erase(self, customer_ids: Iterable[Any]) -> InteractionLog:
        """A new log without these customers: their events, attributes and rejected rows."""
        from .remake import erase_customers

        gone = check_ids(customer_ids, self.vocabulary.customer_ids, c.CUSTOMER)
        return InteractionLog(**erase_customers(self, gone))

    def to_pandas(self) -> pd.DataFrame:
        """The events as a new table with the contract's column names, times in UTC."""
        return events_to_pandas(self.events, self.vocabulary)
