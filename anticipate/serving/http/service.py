"""The service behind the routes: which scorer, which moment, which thread.

Reads  the bundle in use and, where no ``as_of`` is given, the clock: here and nowhere else.
Gives  each question's answer as JSON; what is not known (NaN) is null.
Never  two bundles in one answer.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from pydantic_core import to_json

from ...exceptions import AnticipateError, BundleError, CutoffError
from ..instants import to_datetime, to_microseconds
from ..scorer import Scorer
from . import answers
from .current import CurrentBundle, InUse
from .problems import Problem
from .questions import Brief, Check, Churn, Suggest
from .route import Answered, Threads

LIGHT_ROWS = 32  # cart lines and recent rows of one customer that the loop may look at
Answering = Callable[[Scorer, Any, datetime], answers.Answer]


def now() -> datetime:
    return datetime.now(UTC)


class Service:
    """Answers questions from the bundle in use."""

    def __init__(self, current: CurrentBundle, clock: Callable[[], datetime] = now) -> None:
        self.current, self.clock = current, clock
        self.threads = Threads()
        self.draining = False

    async def suggest(self, asked: Suggest) -> Answered:
        return await self._answer(answers.suggest, asked)

    async def check_cart(self, asked: Check) -> Answered:
        return await self._answer(answers.check_cart, asked)

    async def churn(self, asked: Churn) -> Answered:
        return await self._answer(answers.churn, asked)

    async def brief(self, asked: Brief) -> Answered:
        return await self._in_thread(answers.brief, self.in_use(), asked)  # of one, too: it is long

    def in_use(self) -> InUse:
        """The bundle in use.

        Raises
        ------
        Problem
            503 before the first one is open.
        """
        if self.current.in_use is None:
            raise Problem(503, "No bundle is open yet; ask again.", headers={"retry-after": "1"})
        return self.current.in_use

    def is_stale(self, scorer: Scorer) -> bool:
        """Whether the clock is past what the bundle answers for."""
        return self.clock() > to_datetime(scorer.cutoff_us + round(scorer.horizon_days * 864e8))

    async def _answer(self, answer: Answering, asked: Any) -> Answered:
        use = self.in_use()
        if _is_light(asked):
            return self._encoded(answer, use, asked)
        return await self._in_thread(answer, use, asked)

    async def _in_thread(self, answer: Answering, use: InUse, asked: Any) -> Answered:
        return await self.threads.run(lambda: self._encoded(answer, use, asked))

    def _encoded(self, answer: Answering, use: InUse, asked: Any) -> Answered:
        try:
            as_of = self._moment(use.scorer, asked.as_of)
            found = answer(use.scorer, asked, as_of)
        except BundleError:  # ours to mend, not the caller's
            raise
        except AnticipateError as error:  # its message counts rows and names columns, no more
            raise Problem(422, str(error)) from None
        told = {"as_of": as_of.isoformat(), "bundle": use.generation, **found}
        return Answered(to_json(told, inf_nan_mode="null"), use.generation)

    def _moment(self, scorer: Scorer, given: str | None) -> datetime:
        if given is not None:
            return to_datetime(to_microseconds(given, scorer.manifest["timezone"]))
        moment, cutoff = self.clock(), to_datetime(scorer.cutoff_us)
        if moment < cutoff:
            raise CutoffError(
                f"no as_of was given, and the clock says {moment.isoformat()}, before the "
                f"bundle's cutoff {cutoff.isoformat()}; give as_of, or mend the clock."
            )
        return moment


def _is_light(asked: Any) -> bool:
    """One customer, and not much to read: quicker than the way to a thread."""
    if not hasattr(asked, "customer_id"):
        return False
    return len(getattr(asked, "cart", None) or ()) + len(asked.recent or ()) <= LIGHT_ROWS
