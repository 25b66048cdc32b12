"""The candidate sources there are, in the order in which they speak.

Reads  nothing.
Gives  ``EVERY`` source class by the name of its column; the reason each one gives.
Never  a closed-form part: popularity and own repeats are always there and not listed.
"""

from __future__ import annotations

from .affinity import Affinity
from .collaborative import BM25, Cosine
from .ease import Ease
from .factors import Factors
from .follows import Follows
from .next_baskets import NextBaskets
from .source import Source
from .tifu import Tifu
from .traits import Traits
from .up_cf import AlikeLately

_LISTED: tuple[type[Source], ...] = (
    Follows, Cosine, BM25, Ease, NextBaskets, AlikeLately, Tifu, Factors, Affinity, Traits,
)  # fmt: skip
EVERY: dict[str, type[Source]] = {source.name: source for source in _LISTED}

# Where a candidate may come from, as ``recommend`` and the bundle say it; append only.
SOURCES = (
    "repeat", "bought_before", "goes_with", "people_like_you", "popular", "wished", "viewed",
    "newcomer", "follows", "category", "group",
)  # fmt: skip
CODE = {name: code for code, name in enumerate(SOURCES)}
REASON = {
    "follows": "follows",
    "cosine": "goes_with",
    "bm25": "goes_with",
    "ease": "goes_with",
    "next_baskets": "people_like_you",
    "up_cf": "people_like_you",
    "tifu": "people_like_you",
    "factors": "people_like_you",
    "affinity": "category",
    "traits": "group",
}
