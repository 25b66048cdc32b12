"""Filters of next needs: masks, one of each, varied lists; what is left out stays out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from anticipate import InteractionLog
from anticipate.exceptions import (
    FilteredOutWarning,
    IdTypeError,
    MinimumDataWarning,
    ParameterError,
)
from anticipate.log import History
from anticipate.needs import NextNeedRanker
from anticipate.needs.diversity import Likeness, varied
from anticipate.needs.profiles import csr_of
from anticipate.needs.shoppers import Codes

CUTOFF = "2025-03-01"


@pytest.fixture(scope="module")
def ranker(bookshop_history: History) -> NextNeedRanker:
    return NextNeedRanker(random_state=0).fit(bookshop_history)


def small_log(pairs: list[tuple[Any, Any]], items: pd.DataFrame | None = None) -> History:
    """Purchases of (customer, item) on one day in 2025."""
    rows = pd.DataFrame(pairs, columns=["customer_id", "item_id"])
    rows["timestamp"] = "2025-01-02"
    options = {} if items is None else {"items": items}
    log = InteractionLog.from_frame(rows, timezone="UTC", closed_until="2025-01-05", **options)
    return log.as_of("2025-01-05")


def plain(history: History) -> NextNeedRanker:
    """A ranker of too little data: scores are plain rates."""
    with pytest.warns(MinimumDataWarning):
        return NextNeedRanker(random_state=0).fit(history)


def wide_shop() -> History:
    """400 items of one category that sell well; three categories of three that do not."""
    big = [(f"c{i % 20:02}", f"big-{i % 400:03}") for i in range(1200)]
    small = [("c00", f"{kind}-{i}") for kind in ("rare", "odd", "lone") for i in range(3)]
    names = sorted({item for _, item in big + small})
    items = pd.DataFrame({"item_id": names, "category": [name.split("-")[0] for name in names]})
    return small_log(big + small, items)


def lists(found: pd.DataFrame) -> dict[Any, list[Any]]:
    return found.groupby("customer_id", sort=False)["item_id"].apply(list).to_dict()


# -- by hand ----------------------------------------------------------------------------


def test_the_next_item_is_probable_and_unlike_those_before_it():
    """d = 1/2, r = 1, 3/4, 1/2, a and b one work: 3/8 - 1/2 < 1/4 - 0, so c is second."""
    codes = Codes.of(np.array(["a", "b", "c"], object), np.array(["a", "b", "c"], object))
    work = np.array([0, 0, -1])
    likeness = Likeness(work, np.full(3, -1), np.empty(0, np.int64), np.empty(0), codes.n_known)
    score = np.array([0.8, 0.6, 0.4])

    order = varied(np.array([0, 3]), np.arange(3), score, likeness, 0.5, 3)

    assert order.tolist() == [0, 2, 1]


def test_likeness_is_one_for_a_work_else_the_larger_of_cosine_and_category():
    """a, b one work; a, c one category (1/2) and cosine 3/4 from c to a; a, d nothing known."""
    items = pd.DataFrame(
        {"item_id": list("abcd"), "work_id": ["w", "w", "v", None], "category": [*"kkk", None]}
    )
    history = small_log([("x", item) for item in "abcd"], items)
    table = csr_of(np.array([2]), np.array([0]), np.array([0.75]), (4, 4))
    alike = Likeness.of(history, Codes.of(history.item_ids, history.item_ids), table)

    found = alike(np.array([0, 0, 0, 1]), np.array([1, 2, 3, 2]))

    assert found.tolist() == [1, 3 / 4, 0, 1 / 2]


def test_a_price_is_the_listed_one_else_the_mean_paid():
    """tea is listed at 5 though paid 1; jam was paid 4 and 8, so 6; mug: nobody knows."""
    rows = {
        "customer_id": ["x", "y", "x", "y"],
        "item_id": ["tea", "jam", "jam", "mug"],
        "timestamp": ["2025-01-02"] * 4,
        "price": [1.0, 4.0, 8.0, None],
    }
    items = pd.DataFrame({"item_id": ["tea", "jam"], "price": [5.0, None]})
    log = InteractionLog.from_frame(
        rows, timezone="UTC", price="price", items=items, closed_until="2025-01-05"
    )
    history = log.as_of("2025-01-05")
    ranker = plain(history)

    found = {
        limit: set(ranker.recommend(history, max_price=limit)["item_id"]) for limit in (5, 6, 100)
    }

    assert found == {5: {"tea"}, 6: {"jam", "tea"}, 100: {"jam", "tea"}}


# -- edges ------------------------------------------------------------------------------


def test_a_catalogue_of_one_item_answers_with_it():
    history = small_log([("x", "tea"), ("y", "tea")])
    ranker = plain(history)

    found = ranker.recommend(history, customers=["x", "new"], one_per=None, diversity=0.5)

    assert found["item_id"].tolist() == ["tea", "tea"]
    assert found["score"].between(0, 1, inclusive="neither").all()


def test_who_bought_everything_has_repeats_and_nothing_new():
    history = small_log([("x", "jam"), ("x", "tea"), ("y", "tea")])
    ranker = plain(history)

    again = ranker.recommend(history, customers=["x"])
    with pytest.warns(FilteredOutWarning, match="exclude_bought leaves 0"):
        new = ranker.recommend(history, customers=["x"], exclude_bought=True)

    assert set(again["item_id"]) == {"jam", "tea"}
    assert len(new) == 0
    assert lists(ranker.recommend(history, exclude_bought=True)) == {"y": ["jam"]}


def test_tied_scores_come_by_item_id():
    """Four items, one buyer each on one day: to a stranger all are the same."""
    history = small_log([("w", "d"), ("x", "b"), ("y", "c"), ("z", "a")])
    ranker = plain(history)

    found = ranker.recommend(history, customers=["stranger"])
    mixed = ranker.recommend(history, customers=["stranger"], diversity=0.5)

    assert found["score"].nunique() == 1
    assert found["item_id"].tolist() == mixed["item_id"].tolist() == ["a", "b", "c", "d"]


def test_items_without_a_category_stand_for_themselves():
    """Half of six items have one: a, b are k, c is l; d, e, f none. The best of k, and the rest."""
    items = pd.DataFrame({"item_id": list("abcdef"), "category": ["k", "k", "l", None, None, None]})
    history = small_log([("x", item) for item in "abcdef"] + [("y", "b")], items)
    ranker = plain(history)

    found = ranker.recommend(history, customers=["stranger"], one_per="category")

    assert found["item_id"].tolist() == ["b", "c", "d", "e", "f"]


def test_unseen_items_among_the_allowed_do_nothing(
    ranker: NextNeedRanker, bookshop_history: History
):
    some = ["K-coffee-beans", "K-tea-earl"]

    found = ranker.recommend(bookshop_history, allowed=[*some, "never seen"])
    with pytest.warns(FilteredOutWarning, match="allowed leaves 0"):
        nothing = ranker.recommend(bookshop_history, allowed=["never seen"])

    pd.testing.assert_frame_equal(found, ranker.recommend(bookshop_history, allowed=some))
    assert len(nothing) == 0


def test_nothing_left_names_each_filter_and_what_it_leaves(
    ranker: NextNeedRanker, bookshop_history: History
):
    told = r"allowed leaves 1, blocked leaves 158, max_price leaves \d+, all masks 0"
    with pytest.warns(FilteredOutWarning, match=told):
        found = ranker.recommend(
            bookshop_history, allowed=["K-cocoa"], blocked=["K-cocoa"], max_price=1000
        )

    assert found.columns.tolist() == ["customer_id", "item_id", "score", "rank", "source"]
    assert len(found) == 0


@pytest.mark.parametrize("name", ["allowed", "blocked", "in_stock"])
@pytest.mark.parametrize("given", ["K-cocoa", [1, 2], [None], 7])
def test_ids_of_a_wrong_type_are_refused(
    ranker: NextNeedRanker, bookshop_history: History, name: str, given: Any
):
    with pytest.raises(IdTypeError, match=name):
        ranker.recommend(bookshop_history, **{name: given})


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("max_price", 0), ("max_price", -1.0), ("max_price", "5"), ("max_price", float("nan")),
        ("one_per", "name"), ("diversity", 1), ("diversity", -0.1), ("diversity", "much"),
    ],
)  # fmt: skip
def test_values_out_of_range_are_refused(
    ranker: NextNeedRanker, bookshop_history: History, name: str, given: Any
):
    with pytest.raises(ParameterError, match=name):
        ranker.recommend(bookshop_history, **{name: given})


def test_one_per_needs_the_column():
    history = small_log([("x", "tea")], pd.DataFrame({"item_id": ["tea"], "category": ["k"]}))
    ranker = plain(history)

    with pytest.raises(ParameterError, match="no column 'work_id'"):
        ranker.recommend(history, one_per="work_id")


@pytest.mark.filterwarnings("ignore::anticipate.exceptions.MinimumDataWarning")
def test_topics_are_allowed_and_blocked_but_have_no_price(bookshop_history: History):
    ranker = NextNeedRanker(target_event="contact", random_state=0).fit(bookshop_history)

    found = ranker.recommend(bookshop_history, blocked=["advice"], diversity=0.3)

    assert set(found["topic"]) == {"account", "invoice", "order_status"}
    for name, given in (("max_price", 5.0), ("one_per", "category"), ("in_stock", ["invoice"])):
        with pytest.raises(ParameterError, match=f"{name} is about items"):
            ranker.recommend(bookshop_history, **{name: given})


# -- laws -------------------------------------------------------------------------------


def test_filters_that_leave_everything_change_no_bit(
    ranker: NextNeedRanker, bookshop_history: History
):
    free = ranker.recommend(bookshop_history)
    every = bookshop_history.item_ids

    for wanted in ({"blocked": []}, {"in_stock": every}, {"max_price": 1e9}, {"diversity": 0.0}):
        found = ranker.recommend(bookshop_history, **wanted)
        pd.testing.assert_frame_equal(free, found, check_exact=True)


def test_lists_are_full_and_hold_nothing_that_was_filtered_out(
    ranker: NextNeedRanker, bookshop_history: History
):
    """Each mask, and all together: exactly the items that pass all, ten of them for everybody."""
    prices = bookshop_history.items["price"].astype(float)
    blocked = set(ranker.recommend(bookshop_history, n=1)["item_id"])
    stock = set(bookshop_history.item_ids[::2])
    passing = set(prices.index[prices <= 12]) & stock - blocked

    found = ranker.recommend(
        bookshop_history, n=200, blocked=sorted(blocked), in_stock=sorted(stock), max_price=12
    )
    short = ranker.recommend(
        bookshop_history, blocked=sorted(blocked), in_stock=sorted(stock), max_price=12
    )

    assert all(set(items) == passing for items in lists(found).values())
    assert {len(items) for items in lists(short).values()} == {min(10, len(passing))}


@pytest.mark.parametrize("column", ["category", "work_id"])
@pytest.mark.parametrize("exclude_bought", [False, True])
def test_one_of_each_is_the_best_of_each(
    ranker: NextNeedRanker, bookshop_history: History, column: str, exclude_bought: bool
):
    """Against the first of each in the whole ranking."""
    value = bookshop_history.items[column]
    value = value.fillna(pd.Series(value.index, value.index))
    some = bookshop_history.select(bookshop_history.customer_ids[::4])
    every = ranker.recommend(some, n=200, exclude_bought=exclude_bought)
    first = every[~every.assign(v=every["item_id"].map(value)).duplicated(["customer_id", "v"])]

    found = ranker.recommend(some, n=20, exclude_bought=exclude_bought, one_per=column)

    assert lists(found) == {who: items[:20] for who, items in lists(first).items()}


def test_no_long_category_hides_the_others():
    """The best of a big category fill the pool; c00 has the best sellers of the small ones."""
    history = wide_shop()
    ranker = plain(history)

    for exclude_bought in (False, True):
        found = ranker.recommend(history, one_per="category", exclude_bought=exclude_bought)
        kinds = found["item_id"].str.split("-").str[0].groupby(found["customer_id"]).agg(set)
        full = {"big", "rare", "odd", "lone"}
        expected = {"big"} if exclude_bought else full  # c00 has all of the small ones
        assert kinds["c00"] == expected
        assert all(kinds.drop("c00") == full)


def test_what_is_left_of_a_group_is_found_behind_what_was_bought():
    """x has the two best sellers of the rare category: the third is asked for."""
    items = pd.DataFrame({"item_id": [f"big-{i:03}" for i in range(400)] + ["r-1", "r-2", "r-3"]})
    items["category"] = items["item_id"].str.split("-").str[0]
    pairs = [(f"c{i % 9}", f"big-{i % 400:03}") for i in range(1600)]
    rare = [("x", "r-1"), ("c1", "r-1"), ("x", "r-2")]
    history = small_log(pairs + rare, items)

    found = plain(history).recommend(
        history, customers=["x"], one_per="category", exclude_bought=True
    )

    assert sorted(found["item_id"].str[0]) == ["b", "r"]
    assert "r-3" in found["item_id"].tolist()


@pytest.mark.parametrize(
    "wanted",
    [{"diversity": 0.4}, {"one_per": "category"}, {"one_per": "work_id", "diversity": 0.7}],
)
def test_shorter_lists_are_heads_and_customers_alone_have_the_bits_of_the_batch(
    ranker: NextNeedRanker, bookshop_history: History, wanted: dict[str, Any]
):
    some = ["C042", "C001", "C101"]
    part = bookshop_history.select([*bookshop_history.customer_ids[::5], *some])
    long = ranker.recommend(part, n=32, **wanted)
    short = ranker.recommend(part, n=5, **wanted)
    alone = pd.concat(
        [ranker.recommend(bookshop_history.select([one]), n=32, **wanted) for one in some]
    )

    head = long[long["rank"] <= 5].reset_index(drop=True)
    mine = long.set_index("customer_id").loc[some].reset_index()
    pd.testing.assert_frame_equal(short, head, check_exact=True)
    pd.testing.assert_frame_equal(alone.reset_index(drop=True), mine, check_exact=True)


def test_more_diversity_more_categories_and_the_same_probabilities(
    ranker: NextNeedRanker, bookshop_history: History
):
    """Ten items span more categories and no two editions; each keeps its own probability."""
    free = ranker.recommend(bookshop_history, n=64)
    spread = ranker.recommend(bookshop_history, diversity=0.6)
    category = bookshop_history.items["category"]

    def n_categories(found: pd.DataFrame) -> float:
        head = found[found["rank"] <= 10]
        return float(head["item_id"].map(category).groupby(head["customer_id"]).nunique().mean())

    both = spread.merge(free, on=["customer_id", "item_id"])
    assert n_categories(spread) > n_categories(free) + 1
    assert both["score_x"].tolist() == both["score_y"].tolist()
    assert len(both) == len(spread)
    assert spread.groupby("customer_id")["rank"].agg(list).map(tuple).unique().tolist() == [
        tuple(range(1, 11))
    ]
