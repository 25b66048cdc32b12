"""Embedded data, and a simulator whose truth is known.

Reads  files that are shipped with the library; a seed.
Gives  an ``InteractionLog``; tables of the truth; plain arrays for speed runs.
Never  the network, the clock, a file outside the library.
"""

from __future__ import annotations

from contextlib import ExitStack
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ._simulator import Frames, simulate
from .exceptions import ParameterError
from .log import InteractionLog

Seed = int | np.random.Generator | None
START, END = "2023-07-01", "2025-07-01"
# The embedded bookshop is make_log(**BOOKSHOP), to the byte.
BOOKSHOP: dict[str, Any] = {"n_customers": 320, "random_state": 0, "story": True}
_CLOSED_UNTIL = {"bookshop": END, "three_buyers": "2025-02-01"}
_TRUTH = ("customers", "accidental", "gaps")
_COLUMNS = ("event", "quantity", "price", "value", "order_id", "gift", "channel", "reason")
_MORE_COLUMNS = {"bookshop": (*_COLUMNS, "known_at"), "three_buyers": _COLUMNS[:3]}


def load_example(name: str = "bookshop") -> InteractionLog:
    """An embedded log, times in UTC.

    Parameters
    ----------
    name : {"bookshop", "three_buyers"}
        ``bookshop``: two simulated years of a shop for books, coffee, tea and lamps, with items
        and customers. ``three_buyers``: a table that can be read by eye.

    Raises
    ------
    ParameterError
        If there is no example of that name; the message lists them.

    Examples
    --------
    >>> load_example("three_buyers").n_customers
    3
    """
    _check_name(name, sorted(_CLOSED_UNTIL))
    with ExitStack() as files:
        path = {
            part: files.enter_context(resources.as_file(_find(f"{name}{part}.csv")))
            for part in (("", "_items", "_customers") if name == "bookshop" else ("",))
        }
        return InteractionLog.read(
            path[""],
            items=path.get("_items"),
            customers=path.get("_customers"),
            **_log_options(_MORE_COLUMNS[name], _CLOSED_UNTIL[name]),
        )


def load_example_truth(name: str = "bookshop") -> dict[str, pd.DataFrame]:
    """What is true of an embedded log (only ``bookshop`` has it) and no log could tell.

    Returns
    -------
    dict of DataFrame
        ``customers``: ``customer_id, signed_up, left`` (UTC; ``NaT`` = still there at the end),
        ``because`` ("complaint" or "own"), ``group, favourite`` (genre), ``visit_gap_days`` (mean
        days between two visits for books), ``ebook_share``.
        ``accidental``: purchase lines that nobody meant to make: ``customer_id, item_id, order_id,
        timestamp, kind`` ("double_submit", "already_owned", "substitute_owned", "quantity_slip"),
        ``repeats_order_id, undone`` (returned or cancelled within the log).
        ``gaps``: ``customer_id, item_id, mean_gap_days, gap_shape`` (of a gamma distribution),
        ``stopped`` (when the customer gave up the habit; ``NaT`` = not while a customer).

    Raises
    ------
    ParameterError
        If there is no truth of that name.

    Examples
    --------
    >>> sorted(load_example_truth())
    ['accidental', 'customers', 'gaps']
    """
    _check_name(name, ["bookshop"])
    return {part: _read_truth(_find(f"{name}_truth_{part}.csv")) for part in _TRUTH}


@overload
def make_log(
    n_customers: int = ...,
    *,
    start: str = ...,
    end: str = ...,
    random_state: Seed = ...,
    story: bool = ...,
    return_truth: Literal[False] = ...,
) -> InteractionLog: ...
@overload
def make_log(
    n_customers: int = ...,
    *,
    start: str = ...,
    end: str = ...,
    random_state: Seed = ...,
    story: bool = ...,
    return_truth: Literal[True],
) -> tuple[InteractionLog, dict[str, pd.DataFrame]]: ...
def make_log(
    n_customers: int = 300,
    *,
    start: str = START,
    end: str = END,
    random_state: Seed = 0,
    story: bool = False,
    return_truth: bool = False,
) -> InteractionLog | tuple[InteractionLog, dict[str, pd.DataFrame]]:
    """Simulate a bookshop whose truth is known.

    Customers come over the whole period, read by genre and series, buy coffee and tea in a
    rhythm of their own, return, cancel, rate, complain and leave; an open complaint makes
    leaving likely. Some purchases are mistakes. Same seed, same log.

    Parameters
    ----------
    n_customers : int, default=300
        Customers who sign up in the period (≥ 1); some never buy.
    start, end : str
        First instant, and the instant after the last, in UTC.
    random_state : int, Generator or None, default=0
    story : bool, default=False
        Put the hand-written customer C042 of the manual in the place of a simulated one; needs
        ``n_customers >= 42`` and a period within which that story lies.
    return_truth : bool, default=False
        Also give the truth, as ``load_example_truth`` does.

    Returns
    -------
    InteractionLog, or (InteractionLog, dict of DataFrame)

    Raises
    ------
    ParameterError
        If there is no customer, no day, or no room for the story.

    Notes
    -----
    About 40 events per customer in two years; 20,000 customers take some ten seconds.

    Examples
    --------
    >>> make_log(20, random_state=1).n_events > 100
    True
    """
    frames = _simulate(n_customers, start, end, random_state=random_state, story=story)
    log = InteractionLog.from_frame(
        frames.events,
        items=frames.items,
        customers=frames.customers,
        **_log_options(_MORE_COLUMNS["bookshop"], end),
    )
    return (log, frames.truth) if return_truth else log


def make_events(
    n_events: int,
    n_customers: int,
    n_items: int,
    *,
    random_state: Seed = 0,
    start: str = START,
    end: str = END,
) -> dict[str, NDArray[Any]]:
    """Plain random purchases in the order of time, for speed runs; nothing in them is learnable.

    Parameters
    ----------
    n_events, n_customers, n_items : int
        Numbers of rows, customers and items (≥ 1).

    Returns
    -------
    dict of ndarray of shape (n_events,)
        ``customer_id`` and ``item_id`` (int64; few customers buy much, few items sell much),
        ``timestamp`` (datetime64[us], UTC), ``quantity`` (1, 2 or 3) and ``price``.

    Notes
    -----
    Customers' shares are gamma (shape .5), items' shares fall as 1/rank (Zipf).

    Examples
    --------
    >>> len(make_events(1000, 50, 20)["price"])
    1000
    """
    if min(n_events, n_customers, n_items) < 1:
        raise ParameterError("make_events needs at least one event, one customer and one item.")
    rng = np.random.default_rng(random_state)
    appetite = rng.standard_gamma(0.5, size=n_customers) + 1e-9
    counts = rng.multinomial(n_events, appetite / appetite.sum())
    customer = rng.permutation(np.repeat(np.arange(n_customers), counts))
    popularity = np.cumsum(1.0 / np.arange(1.0, n_items + 1.0))
    item = np.searchsorted(popularity, rng.random(n_events) * popularity[-1], side="right")
    first, last = (int(_utc(moment).value // 1000) for moment in (start, end))
    price = np.round(rng.lognormal(2.0, 0.6, size=n_items), 2)
    return {
        "customer_id": customer,
        "item_id": item,
        "timestamp": np.sort(rng.integers(first, last, size=n_events)).astype("M8[us]"),
        "quantity": 1.0 + rng.binomial(2, 0.1, size=n_events),
        "price": price[item],
    }


def write_example(folder: str | Path) -> list[Path]:
    """Write the embedded bookshop anew, log and truth; the files come out the same to the byte.

    ``folder`` must exist; files of the same names are replaced. Gives the files' paths.
    """
    frames = _simulate(**BOOKSHOP, start=START, end=END)
    later = frames.events["known_at"] > frames.events["timestamp"]
    events = frames.events.assign(
        gift=frames.events["gift"].map({True: "1", False: ""}),
        known_at=frames.events["known_at"].where(later),  # empty = known at once
    )
    tables = {"": events, "_items": frames.items, "_customers": frames.customers}
    tables |= {f"_truth_{part}": frames.truth[part] for part in _TRUTH}
    paths = {Path(folder) / f"bookshop{part}.csv": table for part, table in tables.items()}
    for path, table in paths.items():
        text = table.to_csv(
            index=False, lineterminator="\n", float_format="%.8g", date_format="%Y-%m-%dT%H:%M:%SZ"
        )
        path.write_text(text, encoding="utf-8", newline="\n")
    return list(paths)


def _simulate(
    n_customers: int,
    start: str,
    end: str,
    *,
    random_state: Seed,
    story: bool,
) -> Frames:
    first, last = _utc(start), _utc(end)
    if n_customers < 1 or last - first < pd.Timedelta(days=1):
        raise ParameterError(
            f"make_log needs a customer and a day; got {n_customers} customers, {start} to {end}."
        )
    if story and (n_customers < 42 or first > _utc(START) or last < _utc(END)):
        raise ParameterError(
            f"the story of C042 needs 42 customers and {START} to {END}; "
            f"got {n_customers} customers, {start} to {end}. Or leave it out: story=False."
        )
    return simulate(n_customers, start=first, end=last, random_state=random_state, story=story)


def _log_options(columns: tuple[str, ...], closed_until: str) -> dict[str, Any]:
    named = {name: name for name in columns}
    return {**named, "timezone": "UTC", "closed_until": closed_until}


def _utc(moment: str) -> pd.Timestamp:
    read = pd.Timestamp(moment)
    return read.tz_localize("UTC") if read.tzinfo is None else read.tz_convert("UTC")


def _find(name: str) -> Traversable:
    """The installed file; in a checkout or an editable install, the one beside the package."""
    try:
        installed = resources.files("anticipate._data") / name
    except ModuleNotFoundError:
        installed = None
    if installed is not None and installed.is_file():
        return installed
    return Path(__file__).resolve().parents[1] / "datasets" / name


def _read_truth(file: Traversable) -> pd.DataFrame:
    with file.open("rb") as stream:
        table = pd.read_csv(stream)
    for name in {"signed_up", "left", "timestamp", "stopped"} & set(table.columns):
        table[name] = pd.to_datetime(table[name], utc=True).astype("datetime64[us, UTC]")
    return table


def _check_name(name: str, known: list[str]) -> None:
    if name not in known:
        raise ParameterError(f"no example {name!r}; there are {known}.")
