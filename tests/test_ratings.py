"""Expected ratings, and what dislikes and likes say of items alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from anticipate.log import History, InteractionLog
from anticipate.needs import rating_fit
from anticipate.needs.dislikes import Opinions, liking_columns
from anticipate.needs.rating_fit import latest, learn_ratings, rating_errors, similar_by_rating
from anticipate.needs.ratings import DOUBT, Rated, Ratings, fit_baseline
from anticipate.needs.shoppers import Codes
from anticipate.needs.signals import Signals, rating_middle

NO_CUSTOMER_PART = 1e12  # pseudo-ratings that leave nothing of a customer's deviation


def history_of(rows: list[tuple[Any, ...]], *, at: int = 100) -> History:
    """A history before day ``at`` of (customer, item, day, value or event) rows."""
    table = pd.DataFrame(rows, columns=["customer_id", "item_id", "day", "what"])
    told = table["what"].map(lambda what: isinstance(what, str))
    table["event"] = table["what"].where(told, "rating")
    table["value"] = pd.to_numeric(table["what"].where(~told))
    table["timestamp"] = pd.Timestamp("2025-01-01 12:00") + pd.to_timedelta(table["day"], "D")
    end = pd.Timestamp("2025-01-01 12:00") + pd.Timedelta(days=at)
    log = InteractionLog.from_frame(
        table.drop(columns=["day", "what"]), timezone="UTC", event="event", value="value",
        closed_until=end,
    )  # fmt: skip
    return log.as_of(end)


def rated_in(history: History) -> Rated:
    return Rated.of(history, Codes.of(history.item_ids, history.item_ids))


def ratings_of(customer: Any, item: Any, value: Any, *, n_items: int, n_customers: int) -> Rated:
    """Ratings at as many moments as there are, in the order given, sorted as a batch has them."""
    customer, item, value = np.asarray(customer), np.asarray(item), np.asarray(value, float)
    order = np.lexsort((item, customer))
    offsets = np.searchsorted(customer[order], np.arange(n_customers + 1))
    return Rated(n_items, offsets, item[order], value[order], order)


def clusters(seed: int = 0, n_customers: int = 400, n_items: int = 60, each: int = 25) -> Rated:
    """3.5 + item's and customer's deviations (sd .5) + .8 where tastes agree, else - .8; sd .4."""
    rng = np.random.default_rng(seed)
    customer = np.repeat(np.arange(n_customers), each)
    item = np.concatenate([rng.permutation(n_items)[:each] for _ in range(n_customers)])
    taste = np.where(customer % 2 == item % 2, 0.8, -0.8)
    deviation = rng.normal(0, 0.5, n_items)[item] + rng.normal(0, 0.5, n_customers)[customer]
    value = 3.5 + deviation + taste + rng.normal(0, 0.4, len(item))
    moment = rng.permutation(len(item))
    order = np.lexsort((item, customer))
    offsets = np.searchsorted(customer[order], np.arange(n_customers + 1))
    return Rated(n_items, offsets, item[order], value[order], moment[order])


# -- by hand --------------------------------------------------------------------------


def test_the_latest_rating_of_a_pair_counts():
    """a rates x 2, then 5; b's comment without a value and c's purchase say nothing."""
    history = history_of([("a", "x", 9, 5), ("a", "x", 3, 2), ("a", "w", 4, 1),
                          ("b", "x", 5, np.nan), ("c", "x", 6, "purchase")])  # fmt: skip

    rated = rated_in(history)

    assert history.item_ids[rated.item].tolist() == ["w", "x"]
    assert rated.value.tolist() == [1.0, 5.0]
    assert rated.offsets.tolist() == [0, 2, 2, 2]
    assert rated.at(np.array([0, 1]), np.array([1, 1])).tolist() == pytest.approx(
        [5.0, np.nan], nan_ok=True
    )


def test_deviations_of_items_are_shrunken_by_pseudo_ratings():
    """x is rated 5, 5 and y 2: mean 4. One pseudo-rating: b_x = 2 / (2 + 1), b_y = -2 / (1 + 1)."""
    rated = ratings_of([0, 1, 2], [0, 0, 1], [5, 5, 2], n_items=2, n_customers=3)

    model = fit_baseline(rated, 2, 1.0, NO_CUSTOMER_PART)

    assert model.scale.tolist() == [4.0, 2.0, 5.0]
    assert model.item_bias.tolist() == pytest.approx([2 / 3, -1.0, 0.0])


def test_a_customer_is_folded_in_from_their_own_ratings():
    """They give x 3 where 14/3 is expected: (3 - 14/3) / (1 + 1) = -5/6. So y: 4 - 1 - 5/6."""
    rated = ratings_of([0, 1, 2], [0, 0, 1], [5, 5, 2], n_items=2, n_customers=3)
    model = fit_baseline(rated, 2, 1.0, NO_CUSTOMER_PART)
    model = model._replace(shrinkage=np.array([1.0, 1.0, np.nan]))

    newcomer = ratings_of([0], [0], [3], n_items=2, n_customers=1)

    expected = model.expected(newcomer, np.array([0, 0]), np.array([1, 0]))
    assert expected.tolist() == pytest.approx([13 / 6, 3.0])  # x they rated: as they rated it


def test_items_are_alike_where_the_baseline_leaves_the_same():
    """x leaves 1, 2 and y 2, 1 of the same two customers, and 2 of a third who rated y alone.

    (1*2 + 2*1) / (sqrt(1 + 4) * sqrt(4 + 1 + 4)) = 4 / (3 sqrt 5), two co-raters shrunken by
    two: half of it.
    """
    rated = ratings_of([0, 0, 1, 1, 2], [0, 1, 0, 1, 1], [0] * 5, n_items=2, n_customers=3)
    left = np.array([1.0, 2.0, 2.0, 1.0, 2.0])

    similar = similar_by_rating(rated, left, 2, 2.0)

    wanted = 2 / (3 * np.sqrt(5))
    assert similar.toarray().tolist() == pytest.approx(
        np.array([[0, wanted], [wanted, 0], [0, 0]]), rel=1e-6
    )


def test_a_neighbour_lifts_by_what_the_baseline_left_of_it():
    """Left of the neighbour's rating: 5 - 3 = 2. Similarity .7 against the doubt: 2 * .7 / 1."""
    similar = csr_matrix(np.array([[0, 1 - DOUBT], [1 - DOUBT, 0], [0, 0]], dtype=np.float32))
    model = Ratings.nothing(2)._replace(
        scale=np.array([3.0, 1.0, 5.0]), shrinkage=np.array([1.0, NO_CUSTOMER_PART, 1.0]),
        similar=similar,
    )  # fmt: skip
    rated = ratings_of([1], [1], [5], n_items=3, n_customers=2)

    expected = model.expected(rated, np.array([1, 0, 1]), np.array([0, 0, 2]))

    assert expected.tolist() == pytest.approx([3 + 2 * 0.7, 3.0, 3.0])


def test_each_customers_latest_ratings_are_held_out_until_a_tenth_is():
    """Ratings of a: 1st to 11th moment, b: 12th, c: 13th and 14th. A tenth of 14 is 2.

    Of a two could go, of b none, of c the last; the latest two of these are the 14th and 11th.
    """
    customer = [0] * 11 + [1] + [2] * 2
    rated = ratings_of(customer, np.arange(14), [3] * 14, n_items=14, n_customers=3)

    assert np.flatnonzero(latest(rated)).tolist() == [10, 13]


def test_errors_stand_beside_those_of_plain_means():
    """Learned: x 5, 3 and y 1 of a, b, a: mean 3, x 4, y 1, a 3, b 3. Then b gives y 2.

    Item's mean: 1 - 2. User and item: 1 + 0 - 2. Mean: 3 - 2.
    """
    train = ratings_of([0, 1, 0], [0, 0, 1], [5, 3, 1], n_items=2, n_customers=2)
    after = ratings_of([1], [1], [2], n_items=2, n_customers=2)
    model = fit_baseline(train, 2, 1e12, 1e12)

    errors = rating_errors(model, train, train, after)

    assert errors == pytest.approx(
        {"n_judged": 1, "rmse": 1, "rmse_mean": 1, "rmse_item_mean": 1,
         "rmse_user_and_item_means": 1}
    )  # fmt: skip


def test_returns_low_ratings_and_not_interested_speak_against_high_ratings_for():
    """a brought m back, gave n 1 and o 5, is not interested in p; q 1, then bought again."""
    history = history_of([
        ("a", "m", 1, "purchase"), ("a", "m", 5, "return"), ("a", "n", 6, 1), ("a", "o", 7, 5),
        ("a", "p", 8, "not_interested"), ("a", "q", 9, 1), ("a", "q", 20, "purchase"),
        ("b", "n", 9, 5), ("b", "m", 10, 3),
    ])  # fmt: skip
    codes, middle = Codes.of(history.item_ids, history.item_ids), rating_middle(history)

    said = Opinions.of(Signals.of(history, codes, middle), Rated.of(history, codes), middle)

    assert middle == 3
    assert codes.ids[said.item].tolist() == ["m", "n", "o", "p", "n"]
    assert said.likes.tolist() == [False, False, True, False, True]
    assert said.offsets.tolist() == [0, 4, 5]


def test_a_better_rating_takes_the_place_of_a_low_one():
    history = history_of([("a", "n", 1, 1), ("a", "n", 2, 5), ("a", "o", 3, 5), ("a", "o", 4, 1)])
    codes = Codes.of(history.item_ids, history.item_ids)

    said = Opinions.of(Signals.of(history, codes, 3.0), Rated.of(history, codes), 3.0)

    assert said.likes.tolist() == [True, False]


def test_likes_and_dislikes_are_carried_over_to_items_alike():
    """Item 2 is .5 like 0 (disliked), .25 like 1 (disliked) and .125 like 3 (liked)."""
    similar = np.zeros((4, 4), dtype=np.float32)
    similar[[0, 1, 3], 2] = 0.5, 0.25, 0.125
    offsets, likes = np.array([0, 0, 3]), np.array([False, False, True])
    said = Opinions(offsets, np.array([0, 1, 3]), likes)

    columns = liking_columns(said, csr_matrix(similar), np.array([0, 1, 1]), np.array([2, 2, 9]))

    assert columns["disliked_alike"].tolist() == [0.0, 0.75, 0.0]
    assert columns["liked_alike"].tolist() == [0.0, 0.125, 0.0]


# -- edges ----------------------------------------------------------------------------


def test_without_ratings_nothing_is_expected():
    history = history_of([("a", "x", 1, "purchase")])
    rated = rated_in(history)

    model = learn_ratings(rated, history.n_items)

    assert np.isnan(model.expected(rated, np.array([0, 0]), np.array([0, 1]))).all()
    assert model.report == {}
    assert Ratings.from_arrays(model.to_arrays()).report == {}


def test_unknown_items_and_customers_get_the_mean_and_what_is_known():
    """Two ratings are too few to choose settings by: the cautious ones hold."""
    model = learn_ratings(ratings_of([0, 1], [0, 0], [5, 5], n_items=1, n_customers=2), 1)

    expected = model.expected(Rated.none(2), np.array([0, 0]), np.array([0, 1]))

    assert expected.tolist() == [5.0, 5.0]
    assert model.report == {"item_shrinkage": 120.0, "customer_shrinkage": 50.0}


def test_ratings_of_items_the_model_does_not_know_tell_of_the_customer_alone():
    """Mean 3 and no item part: a 5 for something unknown, shrunken by one: (5 - 3) / 2."""
    model = Ratings.nothing(1)._replace(
        scale=np.array([3.0, 1.0, 5.0]), shrinkage=np.array([1.0, 1.0, np.nan])
    )
    rated = ratings_of([0], [2], [5], n_items=3, n_customers=1)

    assert model.expected(rated, np.array([0, 0]), np.array([0, 1])).tolist() == [4.0, 4.0]


def test_what_lies_beyond_the_scale_is_cut_off():
    model = Ratings.nothing(1)._replace(
        scale=np.array([3.0, 1.0, 5.0]), shrinkage=np.ones(3), item_bias=np.array([4.0, -4.0])
    )

    expected = model.expected(Rated.none(2), np.array([0, 0]), np.array([0, 1]))

    assert expected.tolist() == [5.0, 1.0]


def test_items_the_model_cannot_name_teach_of_the_mean_alone():
    """Of x 5 and two unknown ones 2 and 2 the mean is 3, and unseen items stay average."""
    rated = ratings_of([0, 1, 2], [0, 1, 2], [5, 2, 2], n_items=3, n_customers=3)

    model = fit_baseline(rated, 1, 1.0, NO_CUSTOMER_PART)

    assert model.item_bias.tolist() == pytest.approx([1.0, 0.0])


def test_no_pairs_and_no_opinions_are_answered():
    model = learn_ratings(clusters(each=3), 60)
    none = np.empty(0, dtype=np.int64)
    similar = csr_matrix((60, 60), dtype=np.float32)

    assert model.expected(clusters(each=3), none, none).tolist() == []
    assert liking_columns(Opinions.none(), similar, none, none)["liked_alike"].tolist() == []
    one = liking_columns(Opinions.none(), similar, np.array([0]), np.array([5]))
    assert one["disliked_alike"].tolist() == [0.0]


def test_equal_ratings_have_no_low_ones_and_expect_themselves():
    rated = ratings_of([0, 0, 1], [0, 1, 0], [4, 4, 4], n_items=2, n_customers=2)

    assert learn_ratings(rated, 2).expected(rated, np.array([1]), np.array([1])).tolist() == [4.0]


def test_a_large_catalogue_stays_sparse():
    """300,000 items: 90 billion entries if it were dense."""
    rng = np.random.default_rng(0)
    key = np.unique(rng.integers(0, 300, 5000) * 300_000 + rng.integers(0, 300_000, 5000))
    customer, item = np.divmod(key, 300_000)
    value = rng.integers(1, 6, len(key))
    rated = ratings_of(customer, item, value, n_items=300_000, n_customers=300)

    similar = similar_by_rating(rated, rated.value - 3, 300_000, 20.0)

    assert similar.shape == (300_001, 300_000)
    assert np.diff(similar.indptr).max() <= rating_fit.N_SIMILAR


# -- laws -----------------------------------------------------------------------------


def test_tastes_in_clusters_are_found_beyond_user_and_item_means():
    """The noise alone has .4: what remains above it is what 25 ratings each cannot tell."""
    rated = clusters()
    held = latest(rated)
    before, after = rated.keep(~held), rated.keep(held)

    model = learn_ratings(before, 60)
    errors = rating_errors(model, before, before, after)

    assert errors["rmse_item_mean"] > errors["rmse_user_and_item_means"] > 0.8
    assert errors["rmse"] < 0.7 * errors["rmse_user_and_item_means"]
    assert "neighbour_shrinkage" in model.report
    assert model.report["rmse"] == pytest.approx(errors["rmse"], abs=0.06)


def test_noise_is_not_learned():
    """Nothing can be known: ours stay within a hundredth of the mean, plain means do not."""
    noise = clusters(1, each=8)
    rng = np.random.default_rng(3)
    rated = noise._replace(value=rng.integers(1, 6, noise.n).astype(float))
    held = latest(rated)

    model = learn_ratings(rated.keep(~held), 60)
    errors = rating_errors(model, rated.keep(~held), rated.keep(~held), rated.keep(held))

    assert errors["rmse"] < errors["rmse_mean"] + 0.01
    assert errors["rmse"] < errors["rmse_user_and_item_means"] - 0.1


def test_the_baseline_solves_its_penalised_least_squares():
    rated = clusters(2, 40, 12, 6)
    model = fit_baseline(rated, 12, 5.0, 4.0)
    bias, _ = model.fold_in(rated)

    design = np.zeros((rated.n, 52))
    design[np.arange(rated.n), rated.item] = 1
    design[np.arange(rated.n), 12 + rated.customer] = 1
    penalty = np.diag([5.0] * 12 + [4.0] * 40)
    exact = np.linalg.solve(design.T @ design + penalty, design.T @ (rated.value - model.scale[0]))

    assert np.append(model.item_bias[:12], bias) == pytest.approx(exact, abs=1e-3)


def test_a_customer_alone_is_the_same_bits_as_in_the_batch():
    rated = clusters(4, 120, 40, 15)
    model = learn_ratings(rated, 40)
    customer, item = np.divmod(np.arange(120 * 42), 42)  # two items unknown to the model
    wide = rated._replace(n_items=42)

    batch = model.expected(wide, customer, item)

    assert model.similar.nnz
    for one in (0, 17, 119):
        alone = model.expected(wide.take(np.array([one])), np.zeros(42, np.int64), np.arange(42))
        assert alone.tobytes() == batch[customer == one].tobytes()


def test_opinions_of_one_are_the_same_bits_as_in_the_batch():
    rng = np.random.default_rng(0)
    similar = csr_matrix(np.where(rng.random((30, 30)) < 0.3, rng.random((30, 30)), 0), dtype="f4")
    offsets = np.arange(0, 101, 10)
    items = np.concatenate([np.sort(rng.permutation(32)[:10]) for _ in range(10)])
    said = Opinions(offsets, items, rng.random(100) < 0.5)
    customer, item = np.divmod(np.arange(320), 32)

    batch = liking_columns(said, similar, customer, item)

    for name, column in batch.items():
        one = said.take(np.array([7]))
        alone = liking_columns(one, similar, np.zeros(32, np.int64), np.arange(32))[name]
        assert alone.tobytes() == column[customer == 7].tobytes()
        assert (column >= 0).all()
        assert column.any()


def test_blocks_do_not_change_the_neighbours(monkeypatch):
    rated = clusters(5, 60, 30, 10)
    whole = similar_by_rating(rated, rated.value - 3.5, 30, 5.0)
    monkeypatch.setattr(rating_fit, "PRODUCT_ROWS", 40)

    parts = similar_by_rating(rated, rated.value - 3.5, 30, 5.0)

    assert whole.nnz
    assert (parts.indices.tolist(), parts.data.tolist()) == (
        whole.indices.tolist(), whole.data.tolist(),
    )  # fmt: skip


def test_of_busy_customers_the_latest_ratings_count(monkeypatch):
    """One customer rated 0, 1, 2, 3 in turn; two of theirs are looked at: 2 and 3."""
    monkeypatch.setattr(rating_fit, "WORK", 0)
    monkeypatch.setattr(rating_fit, "WIDTHS", (2,))
    rated = ratings_of([0] * 4, [0, 1, 2, 3], [5] * 4, n_items=4, n_customers=1)

    similar = similar_by_rating(rated, np.ones(4), 4, 1.0)

    assert sorted(zip(*map(list, similar.nonzero()), strict=True)) == [(2, 3), (3, 2)]


def test_arrays_bring_back_the_same_bits():
    rated = clusters(6, 100, 30, 15)
    model = learn_ratings(rated, 30)
    customer, item = np.divmod(np.arange(3000), 30)

    arrays = model.to_arrays()
    again = Ratings.from_arrays(arrays)

    assert all(array.dtype.kind in "if" for array in arrays.values())
    assert again.report == model.report
    both = [one.expected(rated, customer, item).tobytes() for one in (model, again)]
    assert both[0] == both[1]


def test_the_order_of_rows_does_not_matter():
    rng = np.random.default_rng(0)
    rows = [(f"c{int(c)}", f"i{int(i)}", int(d), int(v))
            for c, i, d, v in zip(rng.integers(0, 40, 900), rng.integers(0, 15, 900),
                                  rng.integers(0, 90, 900), rng.integers(1, 6, 900), strict=True)
            ]  # fmt: skip
    models = [learn_ratings(rated_in(history_of(some)), 15) for some in (rows, rows[::-1])]

    first, second = (model.to_arrays() for model in models)

    assert all(first[name].tobytes() == second[name].tobytes() for name in first)


def test_expected_ratings_stay_on_the_scale():
    rated = clusters(7)
    model = learn_ratings(rated, 60)
    customer, item = np.divmod(np.arange(400 * 60), 60)

    expected = model.expected(rated, customer, item)

    assert expected.min() >= rated.value.min()
    assert expected.max() <= rated.value.max()


def test_in_the_bookshop_expected_ratings_beat_item_means(bookshop_history):
    """646 ratings of 5 a book, mostly chance: the mean is as good as anything, and ours is near."""
    report = learn_ratings(rated_in(bookshop_history), bookshop_history.n_items).report

    assert report["n_judged"] >= 60
    assert report["rmse"] < 0.95 * report["rmse_item_mean"]
    assert report["rmse"] < 0.9 * report["rmse_user_and_item_means"]
    assert report["rmse"] < 1.01 * report["rmse_mean"]
