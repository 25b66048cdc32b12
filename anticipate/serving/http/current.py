"""The bundle in use: opened, followed, replaced without a restart.

Reads  the file ``CURRENT`` of a bundle's folder, every few seconds.
Gives  one scorer at a time; a question takes it once and is answered by it alone.
Never  a bad bundle: it is told of and counted, and the one in use goes on.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Literal, NamedTuple

from ...bundle.layout import Pointer, read_pointer
from ...exceptions import AnticipateError, BundleError
from ..scorer import Scorer
from .faults import LOG, where
from .metrics import Metrics

RETRY_SECONDS = 60.0  # a bad bundle is looked at again: it may still be on its way here


class InUse(NamedTuple):
    """A scorer and the generation it was opened from."""

    scorer: Scorer
    generation: str


class CurrentBundle:
    """Follows ``CURRENT``; ``in_use`` is one attribute, so a reader sees the old or the new."""

    def __init__(
        self, path: str | Path, verify: Literal["full", "structure"], metrics: Metrics
    ) -> None:
        self.path, self.verify, self.metrics = Path(path), verify, metrics
        self.in_use: InUse | None = None
        self._pointer: Pointer | None = None
        self._refused: tuple[Pointer | None, float] | None = None  # which, and when

    async def follow(self, seconds: float) -> None:
        """Look every ``seconds``; the loop goes on meanwhile."""
        while True:
            await asyncio.to_thread(self.refresh)
            await asyncio.sleep(seconds)

    def refresh(self) -> None:
        """Open what ``CURRENT`` names, if that is not in use yet."""
        pointer: Pointer | None = None
        try:
            pointer = read_pointer(self.path)
            if pointer == self._pointer or self._was_refused(pointer):
                return
            self._open(pointer)
        except Exception as error:  # whatever a bad bundle does, the service goes on
            if not self._was_refused(pointer):
                self._refuse(pointer, error)

    def _open(self, pointer: Pointer) -> None:
        started = time.perf_counter()
        try:
            scorer = Scorer.load(self.path, verify=self.verify, sha256=pointer.sha256)
        except BundleError:
            if read_pointer(self.path) == pointer:
                raise
            return  # replaced meanwhile; the next look opens the newer one
        self.in_use, self._pointer = InUse(scorer, pointer.generation), pointer
        self._refused = None
        self.metrics.opened(scorer.cutoff_us / 1e6)
        seconds = time.perf_counter() - started
        LOG.info("bundle %s in use, opened in %.2f s", pointer.generation, seconds)

    def _was_refused(self, pointer: Pointer | None) -> bool:
        if self._refused is None or self._refused[0] != pointer:
            return False
        return time.monotonic() - self._refused[1] < RETRY_SECONDS

    def _refuse(self, pointer: Pointer | None, error: Exception) -> None:
        self._refused = (pointer, time.monotonic())
        self.metrics.refused()
        old = "none is in use" if self.in_use is None else f"{self.in_use.generation} goes on"
        said = str(error) if isinstance(error, AnticipateError) else where(error)
        LOG.error("bundle refused, %s: %s", old, said)
