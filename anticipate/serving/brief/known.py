"""One customer at one moment, as the parts of a brief see them.

Reads  the store, a moment of one request, the language.
Gives  names, days and sentences; what was bought for themselves and kept.
Never  a gift or something sent back as owned.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...kernels.complaints import match_resolved
from ...kernels.events import PURCHASE_CODE, Events
from ...kernels.offers import OwnState, own_state
from ...kernels.rules import ItemRules, table_row
from ...suggestions.brief_words import Sentence, brief_sentence
from ..instants import to_datetime
from ..moment import Moment
from ..names import item_name, item_name_and_id
from ..store import Store

Array = NDArray[Any]
DAY = 86_400_000_000
OFTEN = 3  # bought on so many days, a thing is one that is used up
# Log-odds of 1/4: used up, too, is what every fourth buyer bought on two days or more.
OFTEN_AGAIN = float(np.log(1 / 3))


@dataclass(frozen=True)
class Kept:
    """k things bought for themselves and kept, the latest first; all (k,)."""

    item: Array  # codes
    row: Array  # the latest purchase's event row
    own: OwnState  # of these purchases alone; its rows count from the first of them
    used_up: Array  # bool: bought again and again, rather than owned
    worn_out: Array  # bool: older than the shop says it lasts

    def where(self, mask: Array) -> Kept:
        own = OwnState(*(column[mask] for column in self.own))
        return Kept(self.item[mask], self.row[mask], own, self.used_up[mask], self.worn_out[mask])


@dataclass(frozen=True)
class Known:
    """What the parts share."""

    store: Store
    moment: Moment
    language: str

    @property
    def events(self) -> Events:
        return self.moment.events

    @property
    def as_of(self) -> int:
        return int(self.moment.as_of[0])

    @property
    def profiling(self) -> bool:
        """Objects to it."""
        return bool(self.moment.profiling[0])

    @property
    def marketing(self) -> bool:
        return bool(self.moment.marketing[0])

    def say(self, code: str, **facts: Any) -> Sentence:
        return brief_sentence(code, facts, self.language)

    def at(self, instant: int) -> str:
        """ISO 8601 in the shop's timezone."""
        return to_datetime(instant, self.store.timezone).isoformat()

    def day(self, instant: int) -> str:
        """The shop's calendar day, "2025-03-01"."""
        return to_datetime(instant, self.store.timezone).date().isoformat()

    def day_of(self, row: int) -> str:
        return self.day(int(self.events.timestamp[row]))

    def days_since(self, row: int) -> int:
        """Calendar days in the shop's timezone."""
        return int(self.moment.day[0]) - int(self.events.day[row])

    def item_id(self, code: int) -> Any:
        return self.moment.words["items"].id(int(code))

    def name(self, code: int) -> str | None:
        return None if code < 0 else item_name(self.store, self.moment, int(code))

    def name_and_id(self, code: int) -> str:
        return item_name_and_id(self.store, self.moment, int(code))

    def order(self, row: int) -> Any:
        return self.moment.words["orders"].id(int(self.events.order[row]))

    def topic(self, row: int) -> Any:
        return self.moment.words["reasons"].id(int(self.events.reason[row]))

    def channel(self, row: int) -> Any:
        return self.moment.words["channels"].id(int(self.events.channel[row]))

    def about(self, row: int) -> str | None:
        """Topic and item of an event, as far as it names them."""
        parts = (self.topic(row), self.name(int(self.events.item[row])))
        return ", ".join(str(part) for part in parts if part is not None) or None

    def rows_of(self, code: int) -> Array:
        return np.flatnonzero(self.events.event == code)

    @cached_property
    def complaints(self) -> tuple[Array, Array]:
        """Their rows, and when each was resolved."""
        return match_resolved(self.events)

    @cached_property
    def rules(self) -> ItemRules | None:
        """What the shop says of its items; None in a bundle without guards."""
        guard = self.store.guard
        return None if guard is None else guard.tables.rules

    def substitutes(self, code: int) -> list[int]:
        """Items whose owner does not need this one."""
        if self.rules is None or len(self.rules.substitutes) == 0:
            return []
        row = table_row(np.array([code]), len(self.rules.consumable) - 1)
        return [one for one in self.rules.substitutes[row[0]].tolist() if one >= 0]

    @cached_property
    def kept_rows(self) -> Array:
        """Purchases for themselves of which something was kept, ascending."""
        bought = (self.events.event == PURCHASE_CODE) & ~self.events.gift
        return np.flatnonzero(bought & (self.moment.undone_at > self.as_of))

    @cached_property
    def kept(self) -> Kept:
        """Each thing once."""
        rows = self.kept_rows
        events = self.events.take(rows)
        item = np.unique(events.item).astype(np.int64)
        own = own_state(events, np.zeros(len(item), np.int64), item)
        latest = np.zeros(len(item), np.int64)
        latest[item.searchsorted(events.item)] = rows  # in time order: the latest stays
        used_up, worn_out = self._nature(item, own)
        order = np.lexsort((item, -self.events.timestamp[latest]))
        return Kept(item, latest, own, used_up, worn_out).where(order)

    def _nature(self, item: Array, own: OwnState) -> tuple[Array, Array]:
        """Used up, and worn out. What the shop calls consumable is used up; so is, unless it
        has a lifetime or other editions, what this or other customers buy again and again.
        """
        often = own.n_visits >= OFTEN
        if self.rules is None or self.store.guard is None:
            return often, np.zeros(len(item), bool)
        rules, items = self.rules, self.store.guard.tables.items
        row = table_row(item, len(rules.consumable) - 1)
        lifetime = rules.lifetime_days[row]
        lasts = np.isfinite(lifetime) | (rules.substitutes[row] >= 0).any(axis=1)
        often = often | (items.repeat_log_odds[row] >= OFTEN_AGAIN)
        used_up = rules.consumable[row] | (often & ~lasts)
        age_days = (self.as_of - own.last) / DAY
        return used_up, ~used_up & (age_days >= lifetime)

    @cached_property
    def owned(self) -> Kept:
        """Things that last and are not worn out."""
        return self.kept.where(~self.kept.used_up & ~self.kept.worn_out)
