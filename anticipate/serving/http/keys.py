"""Keys: who may ask.

Reads  a file, one key a line; lines that are empty or start with ``#`` are left out.
Gives  the keys.
Never  a key in a message, nor one short enough to be guessed.
"""

from __future__ import annotations

import os
import re
import stat
import warnings
from pathlib import Path

from ...exceptions import AnticipateWarning, ParameterError, ReadError

SHORTEST = 16
_KEY = re.compile(r"[!-~]+")  # what a header can carry


def read_keys(file: str | Path) -> tuple[str, ...]:
    """The keys of a file, at least one.

    Raises
    ------
    ReadError
        If it cannot be read.
    ParameterError
        If it holds no key, or one that is short or not plain ASCII; the line is named.
    """
    path = Path(file)
    try:
        lines = path.read_text(encoding="ascii").splitlines()
        mode = path.stat().st_mode
    except OSError as error:
        raise ReadError(f"cannot read the key file {str(path)!r}: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise ParameterError(f"{path}: keys are plain ASCII without spaces.") from None
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO) & ~stat.S_IRGRP:
        warnings.warn(
            f"{path} may be read by others or written by the group; chmod 640 it, or less.",
            AnticipateWarning,
            stacklevel=2,
        )
    keys = []
    for number, line in enumerate(lines, start=1):
        key = line.strip()
        if not key or key.startswith("#"):
            continue
        if len(key) < SHORTEST or not _KEY.fullmatch(key):
            raise ParameterError(
                f"{path}: line {number}: a key has at least {SHORTEST} characters of plain ASCII, "
                "no spaces; make one: openssl rand -hex 32"
            )
        keys.append(key)
    if not keys:
        raise ParameterError(f"{path} holds no key; make one: openssl rand -hex 32")
    return tuple(keys)
