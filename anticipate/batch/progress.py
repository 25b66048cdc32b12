"""Progress on a terminal: bars for long work, silence in a pipe.

Reads  steps that the library logs.
Gives  a bar on stderr.
Never  a line in a file or a pipe.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tqdm import tqdm


class _Steps(logging.Handler):
    """Moves a bar by one for each logged step of the library."""

    def __init__(self, bar: tqdm[None]) -> None:
        super().__init__(logging.INFO)
        self._bar = bar

    def emit(self, record: logging.LogRecord) -> None:
        step, total = getattr(record, "step", (None, None))
        if step is not None:
            self._bar.total = total
            self._bar.set_description(record.getMessage())
            self._bar.update(step - self._bar.n)


@contextmanager
def show_steps(title: str) -> Iterator[None]:
    """A bar that follows the library's own account of its steps."""
    logger = logging.getLogger("anticipate")
    with tqdm(desc=title, disable=not sys.stderr.isatty(), leave=False, unit="step") as bar:
        handler = _Steps(bar)
        before = logger.level
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        try:
            yield
        finally:
            logger.removeHandler(handler)
            logger.setLevel(before)
