"""Running one command: parse, run, and turn every error on purpose into one line.

Reads  the arguments.
Gives  an exit status: 0 done (or what the command returned: 1 of an ailing bundle), 2 bad
       input (one clear line on stderr), 130 interrupted.
Never  a traceback for what the user can mend, nor a heavy import: a server starts from here.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
import warnings
from collections.abc import Sequence
from typing import NoReturn

from .exceptions import AnticipateError, AnticipateWarning


def run(parser: argparse.ArgumentParser, argv: Sequence[str] | None = None) -> int:
    """Parse and call what the parser set as ``run``."""
    arguments = parser.parse_args(argv)
    _speak_utf8()
    with warnings.catch_warnings():
        warnings.showwarning = _one_line  # type: ignore[assignment]
        warnings.simplefilter("always", AnticipateWarning)
        try:
            status = arguments.run(arguments)
            sys.stdout.flush()
        except BrokenPipeError:
            _stop_writing()
            return 0
        except (AnticipateError, OSError, MemoryError) as error:
            sys.stderr.write(f"anticipate: {_line(error) or type(error).__name__}\n")
            return 2
        except KeyboardInterrupt:
            return 130
    return status or 0


class Parser(argparse.ArgumentParser):
    """Wrong arguments are one line, too: the usage is long, and ``--help`` shows it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {_line(message)}; see {self.prog} --help\n")


def _speak_utf8() -> None:
    """Names of items are of any script; what is printed must not hang on the locale."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8")


def _one_line(message: Warning | str, category: type[Warning], *_: object) -> None:
    sys.stderr.write(f"anticipate: {category.__name__}: {_line(message)}\n")


def _line(message: object) -> str:
    return " ".join(str(message).split())


def _stop_writing() -> None:
    """Nobody reads on; without this the interpreter would complain at its end."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
