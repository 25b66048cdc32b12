"""The special functions of ``scipy.special``, loaded when the first formula needs one.

Reads  nothing.
Gives  ``special.betainc`` and so on, by name.
Never  a cost at import: loading them takes twice as long as NumPy, and a service that only
       imports the scorer has not asked for a formula yet.
"""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    import scipy.special

    found = getattr(scipy.special, name)
    globals()[name] = found  # from now on an ordinary name of this module
    return found
