"""What a bundle holds for the brief alone: levels of service, bands of value, the law of orders."""

from __future__ import annotations

import copy

import numpy as np
import pandas as pd
import pytest
from brief_shop import CUTOFF, bought, log_of

from anticipate.anticipator.brief_state import brief_arrays
from anticipate.anticipator.forget import forget_customers
from anticipate.bundle import open_bundle
from anticipate.kernels.log_gap import LogGapTable
from anticipate.serving import Scorer

NOW = "2025-03-01T00:00Z"
SAID = {"a": "gold", "b": "골드", "c": ["gold", "basic"], "d": 2.0, "e": None, "f": "", "g": "gold"}
LEVELS = {"a": "gold", "b": "골드", "c": "basic, gold", "d": "2", "e": None, "f": None, "g": "gold"}


def levels_of(folder):
    scorer = Scorer.load(folder)
    return {id_: scorer.brief(id_, as_of=CUTOFF)["relation"]["level"] for id_ in SAID}


def test_levels_are_those_of_the_customers_table_also_once_others_are_forgotten(
    bookshop_model, tmp_path
):
    """Text as it is, lists between commas, whole numbers without a point; a stranger has none."""
    said = pd.Series(list(SAID.values()), dtype=object)
    table = pd.DataFrame({"customer_id": list(SAID), "level": said})
    rows = [bought(id_, "2025-03-01", "tea", "o1") for id_ in SAID]
    history = log_of(rows, customers=table).as_of(CUTOFF)
    folder = bookshop_model.save(tmp_path / "b", history=history)

    assert levels_of(folder) == LEVELS
    forget_customers(folder, ["b", "c"])
    assert levels_of(folder) == {**LEVELS, "b": None, "c": None}


def test_bands_of_value_divide_buyers_at_half_and_four_fifths(bookshop_bundle, bookshop_history):
    """Of those who bought and do not object: by their place among the expected values."""
    scorer = Scorer.load(bookshop_bundle)
    table = scorer.churn(as_of=NOW)
    objects = bookshop_history.customers["objects_to"].astype(str) == "profiling"
    buyers = table[(table.segment != "prospective") & ~objects.reindex(table.index)]
    ranks = buyers.expected_value.rank(pct=True)

    for id_ in table.index[::12]:
        band = scorer.brief(id_, as_of=NOW)["relation"]["value_band"]
        rank = ranks.get(id_, np.nan)
        near = min(abs(rank - 0.5), abs(rank - 0.8)) < 0.01
        expected = ("low", "middle", "high")[int(rank > 0.5) + int(rank > 0.8)]
        assert near or band == (None if np.isnan(rank) else expected)


def test_without_buyers_there_are_no_bands(bookshop_model):
    history = log_of([], customers=None).as_of(CUTOFF)
    found = brief_arrays(bookshop_model.churn_, bookshop_model.timing_, history)

    assert {name.split("__")[0] for name in found} == {"model_next_order"}


LOG_NORMAL = LogGapTable(*(np.array([one]) for one in (3.0, 2.0, 0.7, 4.0, 0.9)),
                         np.array([[0.5, 0.6, 0.7, 0.9, 0.99]]))  # fmt: skip


@pytest.mark.parametrize("law", [None, LOG_NORMAL], ids=["as learned", "log-normal"])
def test_the_next_purchase_is_the_timers(bookshop_model, bookshop_history, bookshop_bundle, law):
    timer = copy.copy(bookshop_model.timing_)
    manifest, arrays = open_bundle(bookshop_bundle, verify="structure")
    if law is not None:
        timer.customer_table_ = law
        arrays = {n: a for n, a in arrays.items() if not n.startswith("model_next_order")}
        arrays |= {f"model_next_order__{name}": a for name, a in law._asdict().items()}
    scorer = Scorer(manifest, arrays)
    table = timer.predict(bookshop_history)[["due", "due_low", "due_high"]]
    told = set()
    for id_, *dates in table.iloc[::8].itertuples():
        found = scorer.brief(id_, as_of=NOW)["next_purchase"]
        expected = [None if pd.isna(when) else when.strftime("%Y-%m-%d") for when in dates]
        if expected[0] is None:
            assert found is None
        else:
            assert [found["due"], found["low"], found["high"]] == expected
            told.add(found["code"])
    assert told == {"next_order", "next_order_or_never"}
