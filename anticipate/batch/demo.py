"""``anticipate demo``: the whole job on the embedded bookshop, in one screen or two.

Reads  the data that ships with the package.
Gives  what customers need next, who is leaving, a warning in the moment, and how good it all
       is beside the plain baselines.
Never  the network or a file outside a temporary folder.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from ..anticipator import Anticipator
from ..datasets import load_example
from ..serving import Scorer
from ..suggestions import Suggestion
from .progress import show_steps

CUTOFF, MOMENT = "2025-03-01", "2025-03-01T10:00Z"
CUSTOMER, CART = "C042", ["B-1984-ebook"]


def run(_: argparse.Namespace) -> None:
    log = load_example("bookshop")
    history = log.as_of(CUTOFF)
    _say(f"The embedded bookshop (simulated): {log!r}")
    with show_steps("train"):
        model = Anticipator(random_state=0).fit(history)
    with tempfile.TemporaryDirectory() as folder:
        scorer = Scorer.load(model.save(Path(folder) / "bookshop.bundle"))
        _needs(scorer)
        _warning(scorer)
        _at_risk(scorer)
    _title(f"How good is it? Fitted before {CUTOFF}, judged by what came after")
    with show_steps("evaluate"):
        report = model.evaluate(log, CUTOFF)
    _say(str(report))
    _say("\nNext: the notebooks in notebooks/, or the README's three doors.")


def _needs(scorer: Scorer) -> None:
    _title(f"What does {CUSTOMER} need next?")
    _list(scorer.suggest(CUSTOMER, as_of=MOMENT, n=5))


def _warning(scorer: Scorer) -> None:
    _title(f"{CUSTOMER} puts {CART[0]} into the cart")
    found = scorer.check_cart(CUSTOMER, CART, as_of=MOMENT)
    _list(found)
    for one in found:
        _say("    the choice is theirs: " + "; ".join(one.options))


def _at_risk(scorer: Scorer) -> None:
    _title("Whom might we lose? The most value at risk first")
    table = scorer.rank_at_risk(as_of=MOMENT, top=5)
    for row in table.itertuples():
        _say(f"  {row.rank}. {row.customer_id}  p(churn) {row.p_churn:.2f}, "
             f"value at risk {row.value_at_risk:.2f}: {row.reason}")  # fmt: skip


def _list(suggestions: Iterable[Suggestion]) -> None:
    for one in suggestions:
        due = "" if one.due is None else f", due {one.due:%Y-%m-%d}"
        _say(f"  {one.kind} ({one.probability:.2f}{due}): {one.reason.text()}")


def _title(text: str) -> None:
    _say(f"\n{text}\n{'-' * len(text)}")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
