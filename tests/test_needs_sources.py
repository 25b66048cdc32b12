"""What every candidate source promises, whichever it is: one contract, tried on all of them."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from anticipate.log import History, InteractionLog
from anticipate.needs import factors as factors_file
from anticipate.needs.facts import item_facts, traits_of
from anticipate.needs.shoppers import Codes, Shoppers, shoppers_of
from anticipate.needs.source import Clock, Source, View
from anticipate.needs.sources import EVERY
from anticipate.testing import random_log
from anticipate.testing.compare import difference
from anticipate.testing.futures import full_table, remade

TARGETS = ("horizon", "next_basket")
PERIOD = 30.0


def view_of(history: History, target: str, known: Any = None) -> View:
    """Everybody of a history, as a model that knows these items sees them."""
    codes = Codes.of(history.item_ids if known is None else known, history.item_ids)
    shoppers = shoppers_of(history, codes, target)
    return View(shoppers, Clock.of(target, PERIOD), history.customer_ids, traits_of(history))


def learn(name: str, history: History, target: str) -> Source:
    seed = np.random.RandomState(0)
    return EVERY[name].learn(view_of(history, target), item_facts(history), seed)


def given_by(view: View, facts: Any) -> dict[str, Any]:
    """All that a source reads, without what is derived from it on demand."""
    shoppers = {one.name: getattr(view.shoppers, one.name) for one in fields(Shoppers)}
    shoppers["n_known"] = np.array(shoppers["n_known"])
    return shoppers | {"traits": view.traits, "ids": view.ids} | facts._asdict()


def parts(scores: csr_matrix) -> dict[str, Any]:
    return {name: getattr(scores, name) for name in ("data", "indices", "indptr")}


def own_pairs(shoppers: Shoppers) -> set[tuple[int, int]]:
    return set(zip(shoppers.customer.tolist(), shoppers.item.tolist(), strict=True))


def stacked(rows: list[csr_matrix]) -> dict[str, Any]:
    """Parts of one-row matrices as if they were one."""
    ends = np.cumsum([0, *(row.nnz for row in rows)])
    whole = {name: np.concatenate([getattr(row, name) for row in rows]) for name in ("data",)}
    whole["indices"] = np.concatenate([row.indices for row in rows])
    return whole | {"indptr": ends.astype(rows[0].indptr.dtype)}


@pytest.fixture(scope="module", autouse=True)
def factors_of_few():
    """So that a small log has factors too."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("LEAST_CUSTOMERS", 20), ("LEAST_ITEMS", 10), ("N_FACTORS", 8)):
            patch.setattr(factors_file, name, value)
        yield


@pytest.fixture(scope="module")
def log() -> InteractionLog:
    return random_log(5, n_customers=90, n_items=30)


@pytest.fixture(scope="module")
def history(log: InteractionLog) -> History:
    return log.as_of(log.start + (log.end - log.start) * 0.75)


@pytest.fixture(scope="module")
def models(history: History) -> dict[tuple[str, str], Source]:
    """Each source learned for each target, once."""
    return {(name, to): learn(name, history, to) for name in EVERY for to in TARGETS}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", EVERY)
class TestSource:
    def test_scores_are_positive_finite_float64_in_sorted_rows(self, name, target, history, models):
        view = view_of(history, target)

        found = models[name, target].score(view)

        assert isinstance(found, csr_matrix)
        assert found.shape == (history.n_customers, history.n_items)
        assert found.data.dtype == np.float64
        assert np.isfinite(found.data).all()
        assert (found.data > 0).all()
        assert found.nnz > 0
        row = np.repeat(np.arange(found.shape[0]), np.diff(found.indptr))
        assert (np.diff(row * np.int64(found.shape[1]) + found.indices) > 0).all()

    def test_a_customer_alone_has_the_bits_of_the_batch(self, name, target, history, models):
        view, source = view_of(history, target), models[name, target]

        alone = [source.score(view.take(np.array([who]))) for who in range(history.n_customers)]

        assert difference(stacked(alone), parts(source.score(view)), what=name) is None

    def test_the_order_of_customers_does_not_matter(self, name, target, history, models):
        """Shuffled, and some of them twice."""
        view, source = view_of(history, target), models[name, target]
        some = np.random.default_rng(1).integers(0, history.n_customers, 120)

        found = source.score(view.take(some))

        assert difference(parts(source.score(view)[some]), parts(found), what=name) is None

    def test_plain_arrays_bring_back_the_same_bits(self, name, target, history, models):
        view, source = view_of(history, target), models[name, target]
        arrays = source.to_arrays()

        again = type(source).from_arrays(arrays, history.n_items)

        assert all(isinstance(array, np.ndarray) for array in arrays.values())
        assert all(array.dtype != object for array in arrays.values())
        assert difference(arrays, again.to_arrays(), what=name) is None
        expected, found = (parts(model.score(view)) for model in (source, again))
        assert difference(expected, found, what=name) is None

    def test_what_it_is_given_stays_unchanged(self, name, target, history):
        view, facts = view_of(history, target), item_facts(history)
        before = deepcopy(given_by(view, facts))

        EVERY[name].learn(view, facts, np.random.RandomState(0)).score(view)

        assert difference(before, given_by(view, facts), what=name) is None

    def test_a_score_leaves_the_model_unchanged(self, name, target, history, models):
        source = models[name, target]
        before = deepcopy(source.to_arrays())

        source.score(view_of(history, target).take(np.arange(5)))

        assert difference(before, source.to_arrays(), what=name) is None

    def test_no_customers_get_no_rows(self, name, target, history, models):
        nobody = view_of(history, target).take(np.arange(0))

        assert models[name, target].score(nobody).shape == (0, history.n_items)

    def test_who_did_nothing_and_is_not_described_gets_an_empty_row(
        self, name, target, history, models
    ):
        traits = view_of(history, target).traits.iloc[:1].copy()
        traits[:] = None
        clock, ids = Clock.of(target, PERIOD), np.array(["~"], dtype=object)
        for described in (traits, traits[[]]):
            view = View(Shoppers.nobody(history.n_items), clock, ids, described)

            found = models[name, target].score(view)

            assert (found.shape, found.nnz) == ((1, history.n_items), 0)

    def test_nothing_to_learn_from_scores_nothing_new(self, name, target, history):
        """Nobody at all; then customers of whom none bought anything: own items at most."""
        view, facts = view_of(history, target), item_facts(history)
        nobody = view.take(np.arange(0))
        idle = view.take(np.flatnonzero(view.shoppers.n_baskets == 0))
        assert idle.shoppers.n > 0
        for some in (nobody, idle):
            source = EVERY[name].learn(some, facts, np.random.RandomState(0))

            again = type(source).from_arrays(source.to_arrays(), history.n_items)

            for model in (source, again):
                row, item = model.score(view).nonzero()
                pairs = zip(row.tolist(), item.tolist(), strict=True)
                assert set(pairs) <= own_pairs(view.shoppers)

    def test_items_it_does_not_know_count_for_nothing(self, name, target, history, models):
        """The same purchases beside one of a strange item: a row of the same items.

        The strange purchase moves the clock of baskets, not the items; its code is no column.
        """
        known = history.item_ids
        strange = np.where(np.arange(history.n_items) % 5 == 0, "~", "") + known.astype(str)
        renamed = view_of(history, target, np.sort(strange.astype(object)))
        source = models[name, target]
        assert (renamed.shoppers.item >= renamed.shoppers.n_known).any()

        found = source.score(renamed)

        assert found.shape == (history.n_customers, history.n_items)
        assert found.indices.max(initial=0) < history.n_items
        assert np.isfinite(found.data).all()
        assert (found.data > 0).all()

    def test_learning_does_not_depend_on_the_order_of_rows(self, name, target, log, history):
        shuffled = remade(log, full_table(log).sample(frac=1.0, random_state=7))

        again = learn(name, shuffled.as_of(history.cutoff), target)

        expected = learn(name, history, target).to_arrays()
        assert difference(expected, again.to_arrays(), what=name) is None


def test_whose_likes_are_unlike_score_unlike(history: History, models: Any):
    """No source says the same of everybody."""
    for (name, target), source in models.items():
        found = source.score(view_of(history, target)).toarray()
        assert len(np.unique(found, axis=0)) > 2, name


def test_what_is_known_of_a_view_follows_the_customers_taken(history: History):
    view, some = view_of(history, "horizon"), np.array([7, 2])

    part = view.take(some)

    assert part.ids.tolist() == view.ids[some].tolist()
    assert part.traits.index.tolist() == view.traits.index[some].tolist()
    assert part.shoppers.n_baskets.tolist() == view.shoppers.n_baskets[some].tolist()
    assert (part.profiles != view.profiles[some]).nnz == 0


def test_the_clock_counts_days_or_baskets():
    assert Clock.of("horizon", 14.0) == Clock("horizon", 14.0, 14.0)
    assert Clock.of("next_basket", 14.0) == Clock("next_basket", 1.0, 1.0)
