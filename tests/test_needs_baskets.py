"""Sources made of baskets: TIFU, customers alike, neighbours' next baskets, what follows."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from anticipate.log import History, InteractionLog
from anticipate.needs import follows, next_baskets, references, tifu, up_cf
from anticipate.needs.follows import Follows
from anticipate.needs.next_baskets import NextBaskets, split_at
from anticipate.needs.references import References, best_and_own, best_entries, highest
from anticipate.needs.shoppers import Codes, Shoppers, shoppers_of
from anticipate.needs.source import Clock, ItemFacts, View
from anticipate.needs.tifu import Tifu, tifu_vectors
from anticipate.needs.up_cf import AlikeLately

SOURCES = (Tifu, AlikeLately, NextBaskets, Follows)
TARGETS = ("next_basket", "horizon")
KNOWN = [f"i{item:02d}" for item in range(31)]  # the last one nobody buys
START = pd.Timestamp("2025-01-01 12:00")


def log_of(rows: list[tuple[Any, Any, int]]) -> InteractionLog:
    table = pd.DataFrame(rows, columns=["customer_id", "item_id", "day"])
    table["timestamp"] = START + pd.to_timedelta(table["day"], "D")
    return InteractionLog.from_frame(
        table, timezone="UTC", closed_until=START + pd.Timedelta(days=200)
    )


def as_of(log: InteractionLog, day: int) -> History:
    return log.as_of(START + pd.Timedelta(days=day))


def view_of(history: History, target: str = "next_basket", items: Any = None) -> View:
    known = history.item_ids if items is None else np.asarray(items, dtype=object)
    shoppers = shoppers_of(history, Codes.of(known, history.item_ids), target)
    traits = pd.DataFrame(index=range(shoppers.n))
    return View(shoppers, Clock.of(target, 20.0), np.asarray(history.customer_ids), traits)


def baskets_view(baskets: dict[str, str], target: str = "next_basket") -> View:
    """{"ann": "ab c"}: a and b, the next day c; the cutoff is day 100."""
    rows = [
        (who, item, 100 - len(days.split()) + day)
        for who, days in baskets.items()
        for day, basket in enumerate(days.split())
        for item in basket
    ]
    return view_of(as_of(log_of(rows), 100), target)


def learned(source: Any, view: View, seed: int = 0) -> Any:
    return source.learn(view, facts(view.shoppers.n_known), np.random.RandomState(seed))


def facts(n: int) -> ItemFacts:
    return ItemFacts(np.full(n, -1), np.full(n, np.nan))


def nobody(n_known: int) -> View:
    clock = Clock.of("next_basket", 20.0)
    ids = np.array(["eve"], dtype=object)
    return View(Shoppers.nobody(n_known), clock, ids, pd.DataFrame(index=[0]))


def random_view(target: str, seed: int = 0, n: int = 40) -> View:
    draw = np.random.default_rng(seed)
    rows = [
        (f"c{who:03d}", f"i{item:02d}", int(day))
        for who in range(n)
        for day in draw.choice(60, size=draw.integers(1, 9), replace=False)
        for item in np.unique((draw.pareto(1.0, size=draw.integers(1, 5)) * 4).astype(int) % 30)
    ]
    return view_of(as_of(log_of(rows), 61), target, KNOWN)


def same(left: csr_matrix, right: csr_matrix) -> bool:
    return all(
        np.array_equal(getattr(left, part), getattr(right, part))
        for part in ("indptr", "indices", "data")
    )


# -- by hand --------------------------------------------------------------------------


def test_tifu_vectors_decay_by_basket_and_by_group():
    """Five baskets in two groups: two early, three late ones (the remainder is late).

    a in the first and the last: (.9^4 / 2 * .5 + 1 / 3) / 2. b in the third: .9^2 / 3 / 2.
    """
    view = baskets_view({"ann": "a c b c a"})

    vectors = tifu_vectors(view.shoppers, 2, 0.9, 0.5).toarray()

    assert vectors[0, :2] == pytest.approx([(0.9**4 / 2 * 0.5 + 1 / 3) / 2, 0.9**2 / 6])


def test_fewer_baskets_than_groups_are_a_group_each():
    """Two baskets: a in the earlier (.9 * .5 / 2), b in the later (1 / 2)."""
    view = baskets_view({"ann": "a b"})

    assert tifu_vectors(view.shoppers, 7, 0.9, 0.5).toarray()[0] == pytest.approx([0.225, 0.5])


def test_equal_cells_go_to_the_lower_column():
    near = np.array([[1, 3, 1, 1], [0, 0, 0, 2], [-np.inf, -5, -np.inf, -np.inf]], np.float32)

    assert highest(near, 2).toarray().tolist() == [[1, 3, 0, 0], [0, 0, 0, 2], [0, -5, 0, 0]]
    assert highest(near, 2).indices.tolist() == [0, 1, 0, 3, 1]
    assert highest(near, 9).indices.tolist() == [0, 1, 2, 3, 0, 1, 2, 3, 1]


def test_the_best_items_stay_and_the_own_ones():
    """Two best of 5, 2, 2, 1: the first two; the last is the customer's own."""
    scores = csr_matrix(np.array([[5.0, 2.0, 2.0, 1.0]]))
    own = csr_matrix(np.array([[0.0, 0.0, 0.0, 1.0]]))

    assert best_and_own(scores, own, 2).toarray().tolist() == [[5, 2, 0, 1]]
    assert best_entries(scores, 2).toarray().tolist() == [[5, 2, 0, 0]]
    assert best_entries(scores, 9).toarray().tolist() == scores.toarray().tolist()


def test_neighbours_are_the_nearest_others():
    """From (1, 0): (1, 0) is at 0, (0, 0.5) at sqrt(1.25), (3, 0) at 2, one's own left out.

    By angle (1, 0) and (3, 0) are equally near, (0, 0.5) not at all.
    """
    rows = np.array([[1, 0], [0, 0.5], [3, 0], [1, 0]], dtype=np.float32)
    held = References.of(csr_matrix(rows), np.array([4, 5, 6]), np.array([0, 0, 1, 2]))
    one = csr_matrix(np.array([[1.0, 0.0]]))

    for_six, for_four = (held.products(one, np.array([who])) for who in (6, 4))

    assert held.near_in_space(for_six, 2).indices.tolist() == [0, 1]
    assert held.near_in_space(for_four, 1).indices.tolist() == [3]
    assert held.near_in_angle(for_four, 9).indices.tolist() == [2, 3]
    assert held.near_in_angle(for_six, 9).indices.tolist() == [0, 2]
    assert held.near_in_angle(for_six, 9).data.tolist() == [1.0, 1.0]


def test_tifu_adds_own_and_neighbours_by_length_of_the_past():
    """Ann: one basket, alpha = 1 / 51; her only neighbour's vector is (a: 1, b: 1)."""
    view = baskets_view({"ann": "a", "bob": "ab"})

    scores = learned(Tifu, view).score(view).toarray()

    assert scores[0] == pytest.approx([1.0, 50 / 51])
    assert scores[1] == pytest.approx([1.0, 1 / 51])


def test_customers_alike_lend_their_late_baskets():
    """Ann shares a with bob (1 item of 3) and all of hers with cat.

    Near in angle: 1 / 3^.25 and 1 / 1; bob's share of c in his last three baskets is 1 / 3.
    """
    view = baskets_view({"ann": "a", "bob": "a b c", "cat": "a"})
    source = learned(AlikeLately, view)

    alike = source.alike(view)
    bob = 3**-0.25 / (3**-0.25 + 1)

    assert alike[0].toarray()[0] == pytest.approx([0, bob, 1 - bob])
    assert source.score(view).toarray()[0] == pytest.approx([bob / 3 + 1 - bob, bob / 3, bob / 3])
    assert source.share(alike, np.array([0, 0]), np.array([0, 2])).tolist() == [1.0, 0.5]


def test_an_item_bought_long_ago_counts_for_likeness_but_not_lately():
    """Bob's a is six baskets back: no late basket has it, yet he and ann are alike by it."""
    view = baskets_view({"ann": "a", "bob": "a b b b b b"})
    source = learned(AlikeLately, view)

    assert source.score(view)[0].toarray()[0].tolist() == [0.0, 1.0]
    assert source.share(source.alike(view), np.array([0]), np.array([0])).tolist() == [1.0]


def test_a_split_gives_what_was_and_what_came_next():
    view = baskets_view({"ann": "a ab c", "bob": "b"})

    before, came_next = split_at(view.shoppers, 1.0, view.clock)

    assert came_next.toarray().tolist() == [[0, 0, 1], [0, 1, 0]]
    assert before.item.tolist() == [0, 1]
    assert before.offsets.tolist() == [0, 2, 2]
    assert before.visit_back.tolist() == [2, 1, 1]
    assert before.n_baskets.tolist() == [2, 0]


def test_neighbours_next_baskets_say_what_comes_after_a_past_like_this():
    """Bob, cat and dan had a, then bought b, c and b; for bob only cat and dan count."""
    view = baskets_view({"ann": "a", "bob": "a b", "cat": "a c", "dan": "a b"})

    scores = learned(NextBaskets, view).score(view).toarray()

    assert scores[0] == pytest.approx([0, 2 / 3, 1 / 3])
    assert scores[1] == pytest.approx([0, 1 / 2, 1 / 2])


def test_transitions_are_directed_and_shrunk():
    """a comes before b in two baskets with a, c right after, b two before: lag 2 counts .7.

    a -> b: (1 + 1) / (2 + 20) / 2^.1; b -> c 1 / (1 + 20); a -> c .7 / (2 + 20).
    """
    view = baskets_view({"ann": "a b c", "bob": "a b"})

    after = learned(Follows, view).after.toarray()

    assert after[0] == pytest.approx([0, 2 / 22 / 2**0.1, 0.7 / 22])
    assert after[1] == pytest.approx([0, 0, 1 / 21])
    assert not after[2].any()


def test_the_last_basket_speaks_most_and_the_reason_is_its_item():
    """Cat's last basket is d, the one before a: c weighs 1, a a half; both lead to b."""
    view = baskets_view({"ann": "a b", "bob": "d b", "cat": "a d", "eve": "c"})
    source = learned(Follows, view)
    after, cat = source.after.toarray(), 2

    assert source.score(view).toarray()[cat, 1] == pytest.approx(after[3, 1] + after[0, 1] / 2)
    assert source.because(view, np.array([cat, cat]), np.array([1, 2])).tolist() == [3, -1]


def test_of_two_reasons_the_first_item_is_named():
    view = baskets_view({"ann": "bd c", "cat": "bd", "eve": "a"})

    assert learned(Follows, view).because(view, np.array([1]), np.array([2])).tolist() == [1]


def test_nothing_follows_from_one_customer_to_the_next(monkeypatch: pytest.MonkeyPatch):
    """Two baskets each count: bob's d comes right after ann's b in the table."""
    monkeypatch.setattr(follows, "N_BASKETS", 2)
    view = baskets_view({"ann": "a b", "bob": "c d e"})

    after = learned(Follows, view).after.toarray()

    assert np.argwhere(after > 0).tolist() == [[0, 1], [3, 4]]


def test_items_of_a_large_basket_speak_less():
    """Half of the square root: b follows a; ann has a alone, bob among four."""
    view = baskets_view({"ann": "a", "bob": "acde", "cat": "a b"})

    scores = learned(Follows, view).score(view).toarray()

    assert scores[1, 1] == pytest.approx(scores[0, 1] / 2)


# -- edges ----------------------------------------------------------------------------


@pytest.mark.parametrize("source", SOURCES)
def test_nothing_learned_gives_no_scores(source: Any):
    for n_known in (0, 3):
        fitted = learned(source, nobody(n_known))
        again = source.from_arrays(fitted.to_arrays(), n_known)

        assert fitted.score(nobody(n_known)).shape == (1, n_known)
        assert again.score(nobody(n_known)).nnz == 0


@pytest.mark.parametrize("source", SOURCES)
def test_who_has_bought_nothing_known_gets_an_empty_row(source: Any):
    fitted = learned(source, random_view("next_basket"))
    stranger = view_of(as_of(log_of([("zed", "zzz", 3), ("zed", "i00", 4)]), 9), items=KNOWN)
    only_strange = view_of(as_of(log_of([("zed", "zzz", 3)]), 9), items=KNOWN)

    assert fitted.score(nobody(31)).nnz == 0
    assert fitted.score(only_strange).nnz == 0
    assert 0 < fitted.score(stranger).nnz <= 31


@pytest.mark.parametrize("source", SOURCES)
def test_no_customers_give_no_rows(source: Any):
    view = random_view("next_basket")

    empty = learned(source, view).score(view.take(np.empty(0, dtype=np.int64)))

    assert empty.shape == (0, view.shoppers.n_known)


def test_one_customer_alone_has_no_neighbour():
    view = baskets_view({"ann": "a b"})

    assert learned(AlikeLately, view).score(view).nnz == 0
    assert learned(NextBaskets, view).score(view).nnz == 0
    assert learned(Tifu, view).score(view).nnz == 2  # her own


def test_references_are_capped_and_seeded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(references, "N_REFERENCES", 7)
    view = random_view("next_basket")

    for source in (Tifu, AlikeLately, NextBaskets):
        first, again, other = (learned(source, view, seed) for seed in (1, 1, 2))

        assert len(first.references.owner) == 7
        assert first.references.ids.tolist() == again.references.ids.tolist()
        assert first.references.ids.tolist() != other.references.ids.tolist()


def test_past_the_cap_a_sample_of_lines_is_learned(monkeypatch: pytest.MonkeyPatch):
    view = random_view("next_basket")
    whole = learned(Follows, view).after
    monkeypatch.setattr(follows, "N_LINES", 60)
    monkeypatch.setattr(follows, "BASKET_SIZE", 2)

    some, again = learned(Follows, view).after, learned(Follows, view).after

    assert 0 < some.nnz < whole.nnz
    assert same(some, again)


# -- laws -----------------------------------------------------------------------------


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("source", SOURCES)
def test_scores_keep_the_contract(source: Any, target: str):
    view = random_view(target)
    before = {f.name: np.copy(getattr(view.shoppers, f.name)) for f in fields(Shoppers)}

    fitted = learned(source, view)
    scores = fitted.score(view)

    assert scores.shape == (view.shoppers.n, view.shoppers.n_known)
    assert scores.dtype == np.float64
    assert scores.has_sorted_indices
    assert scores.nnz
    assert np.isfinite(scores.data).all()
    assert (scores.data > 0).all()
    assert isinstance(scores, csr_matrix)
    for name, was in before.items():
        assert np.array_equal(was, getattr(view.shoppers, name))


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("source", SOURCES)
def test_a_customer_alone_has_the_bits_of_the_batch(
    source: Any, target: str, monkeypatch: pytest.MonkeyPatch
):
    for module in (tifu, up_cf):
        monkeypatch.setattr(module, "N_NEIGHBOURS", 6)
    monkeypatch.setattr(next_baskets, "N_IN_SPACE", 6)
    monkeypatch.setattr(references, "N_BEST", 4)
    view = random_view(target)
    fitted = learned(source, view)
    whole = fitted.score(view)
    monkeypatch.setattr(references, "_BLOCK", 3)

    assert same(fitted.score(view), whole)
    order = np.random.default_rng(1).permutation(view.shoppers.n)
    assert same(fitted.score(view.take(order)), whole[order])
    for one in range(view.shoppers.n):
        assert same(fitted.score(view.take(np.array([one]))), whole[one])


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("source", SOURCES)
def test_arrays_bring_back_the_same_bits(source: Any, target: str):
    view = random_view(target)
    fitted = learned(source, view)
    arrays = fitted.to_arrays()

    again = source.from_arrays(arrays, view.shoppers.n_known)

    assert all(isinstance(a, np.ndarray) and a.dtype != object for a in arrays.values())
    assert same(again.score(view), fitted.score(view))
    assert again.to_arrays().keys() == arrays.keys()


@pytest.mark.parametrize("source", SOURCES[:3])
def test_a_customer_is_no_neighbour_of_their_own(source: Any):
    """Under another id the same past finds itself among the references; under its own not."""
    view = random_view("next_basket")
    fitted = learned(source, view)
    ids = np.array([f"x{who}" for who in view.ids], dtype=object)
    others = View(view.shoppers, view.clock, ids, view.traits)

    assert not same(fitted.score(view), fitted.score(others))


@pytest.mark.parametrize("target", TARGETS)
def test_a_split_is_the_history_as_of_the_earlier_moment(target: str):
    """Everybody's last basket is on day 50, some have one on day 45 too."""
    draw = np.random.default_rng(3)
    rows = [
        (f"c{who}", f"i{item}", int(day))
        for who in range(12)
        for day in [*draw.choice(30, size=4, replace=False), 45, 50]
        for item in range(9)
        if draw.random() < 0.2
    ]
    rows += [(f"c{who}", "i8", day) for who in range(12) for day in (0, 50)]
    log = log_of(rows)
    late = view_of(as_of(log, 60), target)
    moment = 50 if target == "next_basket" else 40
    early = view_of(as_of(log, moment), target, items=as_of(log, 60).item_ids)

    before, came_next = split_at(late.shoppers, late.clock.horizon, late.clock)

    assert came_next.nnz == len({(c, i) for c, i, day in rows if day >= moment})
    for field in fields(Shoppers):
        was, now = getattr(early.shoppers, field.name), getattr(before, field.name)
        assert np.asarray(now).tolist() == pytest.approx(np.asarray(was).tolist()), field.name


def test_earlier_moments_come_in_until_there_are_enough(monkeypatch: pytest.MonkeyPatch):
    view = baskets_view({"ann": "a b c", "bob": "a c"})

    assert learned(NextBaskets, view).references.owner.tolist() == [0, 0, 1]
    monkeypatch.setattr(next_baskets, "N_ENOUGH", 1)
    assert learned(NextBaskets, view).references.owner.tolist() == [0, 1]


def test_the_reason_explains_every_score():
    view = random_view("next_basket")
    source = learned(Follows, view)
    scores = source.score(view)
    customer = np.repeat(np.arange(view.shoppers.n), np.diff(scores.indptr))

    reasons = source.because(view, customer, scores.indices)

    assert (reasons >= 0).all()
    own = set(zip(view.shoppers.customer.tolist(), view.shoppers.item.tolist(), strict=True))
    assert set(zip(customer.tolist(), reasons.tolist(), strict=True)) <= own
