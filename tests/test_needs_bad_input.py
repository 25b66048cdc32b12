"""Next needs and timing on thin, odd, hostile and huge input: an answer, or one clear error."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.utils import check_random_state

from anticipate import Anticipator, InteractionLog
from anticipate.churn import ChurnModel
from anticipate.exceptions import (
    ColumnError,
    CutoffError,
    EmptyHistoryError,
    FilteredOutWarning,
    IdTypeError,
    MinimumDataWarning,
    ParameterError,
)
from anticipate.guards import DuplicateGuard
from anticipate.log import History
from anticipate.needs import NextNeedRanker, answers, selection
from anticipate.needs.samples import sample_slice
from anticipate.needs.slices import slices_of
from anticipate.needs.source import Clock
from anticipate.serving import Scorer
from anticipate.testing import check_no_leak
from anticipate.testing.compare import difference
from anticipate.timing import PurchaseTimer

CUTOFF = "2024-07-01"
TARGETS = ["horizon", "next_basket"]
START = pd.Timestamp("2024-01-01", tz="UTC")
COLUMNS = ("event", "value", "known_at")


def shop(n_customers: int = 25, n_items: int = 15, *, days: float = 200, per: int = 20, seed=0):
    """Purchases of customers with four favourites each, text ids."""
    rng = np.random.default_rng(seed)
    n = n_customers * per
    customer = rng.integers(0, n_customers, n)
    favourites = rng.integers(0, n_items, (n_customers, 4))
    item = np.where(
        rng.random(n) < 0.6,
        favourites[customer, rng.integers(0, 4, n)],
        (rng.random(n) ** 2 * n_items).astype(np.int64),
    )
    return pd.DataFrame(
        {
            "customer_id": [f"c{code:03}" for code in customer],
            "item_id": [f"i{code:03}" for code in item],
            "timestamp": START + pd.to_timedelta(np.sort(rng.random(n)) * days, unit="D"),
            "event": "purchase",
        }
    )


def with_words(rows: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Ratings, wishes and returns beside the purchases."""
    rng = np.random.default_rng(seed)
    rated = rows.sample(frac=0.3, random_state=seed).assign(event="rating")
    rated = rated.assign(value=rng.integers(1, 6, len(rated)).astype(float))
    wished = rows.sample(frac=0.1, random_state=seed + 1).assign(event="wish")
    wished = wished.assign(item_id=np.roll(wished["item_id"].to_numpy(), 3))
    back = rows.sample(frac=0.05, random_state=seed + 2).assign(event="return")
    later = [
        part.assign(timestamp=part["timestamp"] + pd.Timedelta("2D")) for part in (rated, back)
    ]
    return pd.concat([rows, *later, wished], ignore_index=True)


def log_of(rows: pd.DataFrame, **options: Any) -> InteractionLog:
    named = {name: name for name in COLUMNS if name in rows}
    return InteractionLog.from_frame(rows, timezone="UTC", **named, **options)


def history_of(rows: pd.DataFrame, cutoff: str = CUTOFF, **options: Any) -> History:
    return log_of(rows, closed_until="2024-09-01", **options).as_of(cutoff)


def fitted(history: History, target: str = "horizon", **options: Any) -> NextNeedRanker:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MinimumDataWarning)
        return NextNeedRanker(target, random_state=0, **options).fit(history)  # type: ignore[arg-type]


def timed(history: History) -> PurchaseTimer:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MinimumDataWarning)
        return PurchaseTimer().fit(history)


def ask_everything(model: NextNeedRanker, history: History) -> pd.DataFrame:
    """Lists, reasons, ratings, arrays and pickles; any warning is an error."""
    found = model.recommend(history, n=5)
    assert found["score"].between(0, 1).all()
    assert not found.duplicated(["customer_id", "item_id"]).any()
    told = model.explain(history, found.head(8))
    assert told["reason"].map(len).gt(0).all()
    assert len(model.expected_rating(history, found)) == len(found)
    for again in (NextNeedRanker.from_arrays(model.to_arrays()), pickle.loads(pickle.dumps(model))):
        assert difference(found, again.recommend(history, n=5)) is None
    return found


def time_everything(history: History) -> pd.DataFrame:
    timer = timed(history)
    assert timer.predict_pairs(history).filter(like="p_within").stack().between(0, 1).all()
    return timer.predict(history)


# -- thin and lopsided logs ---------------------------------------------------------------


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    "rows",
    [
        shop(1, 8),
        shop(30, 1),
        shop(30, 8, days=0.9),
        shop(30, 8).assign(timestamp=START),
        pd.concat([shop(20, 8)] * 3, ignore_index=True),
    ],
    ids=["one customer", "one item", "one day", "one instant", "every event three times"],
)
def test_thin_logs_are_answered(rows: pd.DataFrame, target: str):
    history = history_of(rows)

    found = ask_everything(fitted(history, target), history)

    assert set(found["customer_id"]) == set(rows["customer_id"])
    assert len(time_everything(history)) == rows["customer_id"].nunique()


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("per", [20, 40])
def test_an_item_that_everybody_buys_every_time_leaves_nothing_to_weigh(per: int, target: str):
    """All candidates of all windows were bought: plain rates are near one and stay."""
    history = history_of(shop(30, 1, per=per))

    model = fitted(history, target)

    assert model.report_["new"]["chosen"] == "rate"
    assert model.recommend(history, n=1)["score"].median() > 0.8


def test_sources_are_judged_by_rows_that_tell_something(monkeypatch: pytest.MonkeyPatch):
    """The first rows looked at hold too few purchases to judge by, though others hold enough."""
    monkeypatch.setattr(selection, "CHECK_ROWS", 5)

    assert fitted(history_of(shop())).report_["sources"] == ["repeats", "popular"]


def test_a_shop_where_all_came_back_has_no_own_items_left():
    rows = shop(10, 8)
    back = rows.assign(event="return", timestamp=rows["timestamp"] + pd.Timedelta("1h"))
    history = history_of(pd.concat([rows, back], ignore_index=True))

    found = ask_everything(fitted(history), history)

    assert not set(found["source"]) & {"repeat", "bought_before"}


def test_returns_alone_and_times_before_the_first_event_are_nothing_to_learn_from():
    for model in (NextNeedRanker(), PurchaseTimer()):
        for history in (
            history_of(shop().assign(event="return")),
            history_of(shop(), "2020-01-01"),
        ):
            with pytest.raises(EmptyHistoryError, match="before the cutoff"):
                model.fit(history)


def test_a_history_before_the_first_event_is_answered_by_a_fitted_model():
    early = history_of(shop(), "2020-01-01")
    model, timer = fitted(history_of(shop())), timed(history_of(shop()))

    found = model.recommend(early, customers=["~nobody"], n=3)

    assert found["source"].tolist() == ["newcomer"] * 3
    assert len(model.recommend(early)) == 0
    assert len(model.explain(early, found)) == 3
    assert timer.predict(early, customers=["~nobody"])["due"].isna().all()


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [([-5.0, 2.0], -5, 2), ([3.0], 3, 3), ([1.0, np.nan, 5.0], 1, 5), ([1e300, -1], -1, 1e300)],
    ids=["below zero", "constant", "some missing", "huge"],
)  # fmt: skip
def test_expected_ratings_stay_on_any_scale(values: list[float], low: float, high: float):
    rows = shop()
    rated = rows.sample(frac=0.4, random_state=1).assign(event="rating")
    rated["value"] = np.random.default_rng(0).choice(values, len(rated))
    history = history_of(pd.concat([rows, rated], ignore_index=True))
    model = fitted(history)

    expected = model.expected_rating(history, ask_everything(model, history))

    assert expected.between(low, high).all()


# -- ids, attributes, times ---------------------------------------------------------------


@pytest.mark.parametrize(
    "number",
    [
        lambda c: 2**63 - 1 - c,
        lambda c: c - 20,
        lambda c: np.uint64(2**64 - 1) - c.astype("uint64"),
    ],
    ids=["largest int64", "below zero", "largest uint64"],
)
def test_whole_number_ids_come_back_as_they_were(number: Any):
    rows = shop()
    for name in ("customer_id", "item_id"):
        rows[name] = number(rows[name].str[1:].astype(np.int64))
    history = history_of(rows)

    found = ask_everything(fitted(history), history)

    assert set(found["item_id"]) <= set(rows["item_id"])
    assert found["item_id"].dtype == rows["item_id"].dtype
    assert len(time_everything(history)) == rows["customer_id"].nunique()


def test_text_ids_may_hold_any_character():
    odd = [
        "a\nb",
        "%3D=",
        "\x00x",
        "x\x00",
        "😀",
        "日本",
        "  lead",
        "e\u0301",
        "\u202e",
        "{item}",
        "','",
    ]
    rows = shop()
    rows["item_id"] = [odd[int(one[1:]) % len(odd)] + one for one in rows["item_id"]]
    rows["customer_id"] = [odd[int(one[1:]) % len(odd)] + one for one in rows["customer_id"]]
    history = history_of(rows)

    found = ask_everything(fitted(history), history)

    assert set(found["item_id"]) <= set(rows["item_id"])


@pytest.mark.parametrize(
    "categories",
    [["a", None], [None], ["a", 1, 2.5, None], [True, False], ["", " "]],
    ids=["half missing", "all missing", "mixed", "booleans", "blank"],
)
def test_categories_of_any_kind_are_learned_and_filtered_by(categories: list[Any]):
    rows = shop()
    ids = sorted(rows["item_id"].unique())
    kinds = [categories[n % len(categories)] for n in range(len(ids))]
    items = pd.DataFrame({"item_id": ids, "category": pd.Series(kinds, dtype=object)})
    history = history_of(rows, items=items)
    model = fitted(history)

    ask_everything(model, history)
    found = model.recommend(history, n=5, one_per="category", diversity=0.5)

    of = dict(zip(ids, kinds, strict=True))
    named = found.assign(kind=found["item_id"].map(of)).dropna(subset="kind")
    assert not named.duplicated(["customer_id", "kind"]).any()


def test_attributes_of_any_kind_are_read_and_only_few_valued_ones_make_groups():
    rows = shop()
    ids = [*sorted(rows["customer_id"].unique()), "new"]
    n, odd = len(ids), np.arange(len(ids)) % 2 == 1
    table = {
        "customer_id": ids, "flag": odd, "age": np.where(odd, np.nan, 20), "name": ids,
        "none": None, "born": START, "mixed": [1 if one else "x" for one in odd],
        "lists": [[1] if one else None for one in odd], "inf": np.where(odd, np.inf, -np.inf),
        "kind": pd.Categorical(["a" if one else None for one in odd]),
        "maybe": pd.array([True if one else None for one in odd], dtype="boolean"),
        "whole": pd.array([1 if one else None for one in odd], dtype="Int64"), "a=b%": "=%",
        "objects_to": ["profiling" if k % 7 == 0 else None for k in range(n)],
    }  # fmt: skip
    history = history_of(rows, customers=pd.DataFrame(table))

    found = ask_everything(fitted(history), history)

    assert (found["customer_id"] == "new").sum() == 5


@pytest.mark.parametrize("days", [1e-9, 0.01, 400, 1e6])
def test_any_horizon_that_a_calendar_holds_is_answered(days: float):
    history = history_of(shop(15, 8))

    ask_everything(fitted(history, horizon_days=days), history)


@pytest.mark.parametrize("days", [0, -1, np.nan, np.inf, "30", None, True, 1e8, 1e18])
def test_other_horizons_are_refused(days: Any):
    with pytest.raises(ParameterError, match="horizon_days"):
        NextNeedRanker(horizon_days=days).fit(history_of(shop(5, 5)))


@pytest.mark.parametrize("within", [7, "7", (0,), (-1,), (np.nan,)])
def test_days_ahead_are_a_list_of_days(within: Any):
    history = history_of(shop(10, 5))

    with pytest.raises(ParameterError, match="within_days"):
        timed(history).predict(history, within_days=within)


@pytest.mark.parametrize("target", TARGETS)
def test_news_that_all_came_late_leave_no_closed_window(target: str):
    """Known from June 15 on: at the cutoff two weeks later every window before looks empty."""
    rows = shop()
    known = pd.Timestamp("2024-06-15", tz="UTC")
    rows["known_at"] = rows["timestamp"].where(rows["timestamp"] > known, known)
    history = history_of(rows)

    found = ask_everything(fitted(history, target), history)

    assert set(found["customer_id"]) == set(rows["customer_id"])
    with pytest.raises(EmptyHistoryError, match="before the cutoff"):
        fitted(history_of(rows, "2024-06-15"))


# -- questions about something else ----------------------------------------------------------


@pytest.fixture(scope="module")
def history() -> History:
    return history_of(with_words(shop()))


@pytest.fixture(scope="module")
def ranker(history: History) -> NextNeedRanker:
    return fitted(history)


def test_an_earlier_history_and_another_shop_are_answered(ranker: NextNeedRanker):
    rows = with_words(shop())
    elsewhere = history_of(rows.assign(item_id="z" + rows["item_id"]))

    ask_everything(ranker, history_of(rows, "2024-02-01"))
    found = ask_everything(ranker, elsewhere)

    strange = found["item_id"].str.startswith("z")
    assert set(found["source"][strange]) <= {"repeat", "bought_before", "wished", "viewed"}
    assert set(found["customer_id"]) == set(elsewhere.customer_ids)


def test_ids_of_another_type_are_refused(ranker: NextNeedRanker):
    rows = shop()
    for name in ("customer_id", "item_id"):
        other = history_of(rows.assign(**{name: rows[name].str[1:].astype(np.int64)}))
        with pytest.raises(IdTypeError, match=name):
            ranker.recommend(other)


def test_one_and_all_places_of_a_list(ranker: NextNeedRanker, history: History):
    one, every = (ranker.recommend(history, n=n) for n in (1, 10_000))

    assert difference(one, every[every["rank"] == 1]) is None
    assert (every.groupby("customer_id").size() == history.n_items).all()
    for n in (0, -1, 1.5, "3", None, True):
        with pytest.raises(ParameterError, match="n must be"):
            ranker.recommend(history, n=n)


def test_nobody_asked_for_is_an_empty_table_with_the_right_columns(
    ranker: NextNeedRanker, history: History
):
    for wishes in ({}, {"exclude_bought": True}, {"diversity": 0.5}, {"allowed": ["i001"]}):
        found = ranker.recommend(history, customers=[], **wishes)
        assert found.columns.tolist() == ["customer_id", "item_id", "score", "rank", "source"]
        assert len(found) == len(ranker.explain(history, found)) == 0
    timer = timed(history)
    assert len(timer.predict(history, customers=[])) == 0
    assert len(timer.predict_pairs(history, customers=[])) == 0


def test_nothing_left_after_filters_is_no_row_and_names_the_filter(
    ranker: NextNeedRanker, history: History
):
    for name in ("allowed", "in_stock"):
        with pytest.warns(FilteredOutWarning, match=f"{name} leaves 0"):
            assert ranker.recommend(history, **{name: ["never seen"]}).empty


def test_rows_that_lack_their_fact_are_refused(ranker: NextNeedRanker, history: History):
    """New items said to be wished for, by customers who never did."""
    rows = ranker.recommend(history, n=20)
    told = rows["source"].isin(["repeat", "bought_before", "wished", "viewed"])
    new = rows[~told].assign(source="wished")
    assert len(new)

    with pytest.raises(ParameterError, match="wished for"):
        ranker.explain(history, new)
    with pytest.raises(ColumnError, match="item_id"):
        ranker.expected_rating(history, new[["customer_id"]])


@pytest.mark.filterwarnings("ignore::anticipate.exceptions.MinimumDataWarning")
def test_unseen_items_in_a_cart_change_nothing_in_notebook_and_service(tmp_path):
    history = history_of(shop())
    model = Anticipator(random_state=0).fit(history)
    scorer = Scorer.load(model.save(tmp_path / "b"))

    for who in ("c001", "~nobody"):
        plain = [one.item_id for one in model.suggest(history, who, n=5)]
        here = model.suggest(history, who, cart=["never seen"], n=5)
        there = scorer.suggest(who, as_of=f"{CUTOFF}T00:00Z", cart=["never seen"], n=5)
        assert [one.item_id for one in here] == plain
        assert [one.to_dict() for one in here] == [one.to_dict() for one in there]


# -- processes, seeds, later histories ---------------------------------------------------------


def test_two_processes_give_the_bits_of_one(
    ranker: NextNeedRanker, history: History, monkeypatch: pytest.MonkeyPatch
):
    twice = fitted(history, n_jobs=2)
    monkeypatch.setattr(answers, "FEW", 1)

    assert difference(ranker.to_arrays(), twice.to_arrays()) is None
    for customers in (None, ["c001"], ["~x", "c001"], []):
        found = twice.recommend(history, customers=customers)
        assert difference(found, ranker.recommend(history, customers=customers)) is None


def test_a_generator_seeds_once_and_the_global_one_is_left_alone(history: History):
    before = pickle.dumps(check_random_state(None))
    first, second = (
        clone(NextNeedRanker(random_state=np.random.RandomState(3))).fit(history) for _ in range(2)
    )

    assert difference(first.recommend(history), second.recommend(history)) is None
    assert pickle.dumps(check_random_state(None)) == before


def test_parameters_may_be_numbers_of_numpy_and_survive_arrays(history: History):
    model = NextNeedRanker(horizon_days=np.float32(20.5), random_state=np.int64(3)).fit(history)

    again = NextNeedRanker.from_arrays(model.to_arrays())

    assert (again.horizon_days, again.random_state) == (20.5, 3)


def test_a_model_from_arrays_is_updated_like_the_one_it_was_made_of():
    rows = with_words(shop())
    model = fitted(history_of(rows, "2024-05-01"))
    again = NextNeedRanker.from_arrays(model.to_arrays())

    for one in (model, again):
        one.update(history_of(rows))

    assert difference(model.to_arrays(), again.to_arrays()) is None


def test_an_update_never_goes_back(history: History):
    """The weights saw what came after the earlier cutoff; the model stays as it was."""
    model = fitted(history)
    before = model.to_arrays()

    with pytest.raises(CutoffError, match="later history"):
        model.update(history.as_of("2024-05-01"))
    assert difference(before, model.to_arrays()) is None


# -- leaks and privacy -----------------------------------------------------------------------


@pytest.mark.parametrize("target", TARGETS)
def test_nothing_later_changes_lists_reasons_ratings_or_arrays(target: str):
    rows = with_words(shop())
    late = np.random.default_rng(9).integers(0, 60, len(rows)) * (np.arange(len(rows)) % 5 == 0)
    rows["known_at"] = rows["timestamp"] + pd.to_timedelta(late, unit="D")

    def everything(history: History) -> dict[str, Any]:
        model = fitted(history, target, horizon_days=20)
        found = model.recommend(history, n=3)
        told = model.explain(history, found.iloc[::5]).astype(str)
        return {"told": told, "found": found, "rating": model.expected_rating(history, found)} | {
            "arrays": json.dumps({k: v.tolist() for k, v in model.to_arrays().items()})
        }

    check_no_leak(everything, log_of(rows), "2024-06-01")


@pytest.mark.parametrize("target", TARGETS)
def test_columns_of_the_newest_slice_do_not_know_its_labels(target: str):
    """Shuffle what is bought in the newest window (the last baskets): only labels change."""
    rows = shop(days=180)
    if target == "horizon":
        first = pd.Timestamp(CUTOFF, tz="UTC") - pd.Timedelta("30D")
    else:
        first = rows.groupby("customer_id")["timestamp"].transform("max").dt.floor("D")
    newest = rows["timestamp"] >= first
    other = rows.copy()
    other.loc[newest, "item_id"] = np.roll(rows["item_id"][newest].to_numpy(), 1)
    clock = Clock.of(target, 30)

    samples = [
        sample_slice(
            slices_of(history_of(table), clock)[-1], clock, 10**6, np.random.RandomState(0)
        )
        for table in (rows, other)
    ]

    for kind in ("tail", "own", "new", "newcomers"):
        first_rows, second_rows = (getattr(one, kind) for one in samples)
        for column in ("table", "said", "customer", "item"):
            found = difference(getattr(first_rows, column), getattr(second_rows, column))
            assert found is None, (kind, column)
    assert (samples[0].own.bought != samples[1].own.bought).any()


def with_objectors() -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    rows = with_words(shop())
    ids = sorted(rows["customer_id"].unique())
    words = ["profiling" if n % 6 == 0 else None for n in range(len(ids))]
    table = pd.DataFrame({"customer_id": ids, "segment": "a", "objects_to": words})
    return rows, table, [one for one, word in zip(ids, words, strict=True) if word]


@pytest.mark.parametrize("target", TARGETS)
def test_what_is_learned_is_as_if_objectors_had_never_been(target: str):
    rows, table, objectors = with_objectors()
    without = rows[~rows["customer_id"].isin(objectors)]
    others = table[~table["customer_id"].isin(objectors)]

    first, second = history_of(rows, customers=table), history_of(without, customers=others)

    assert difference(fitted(first, target).to_arrays(), fitted(second, target).to_arrays()) is None
    assert difference(timed(first).to_arrays(), timed(second).to_arrays()) is None


def test_where_all_object_there_is_nothing_to_learn_and_the_error_says_why():
    rows, table, _ = with_objectors()
    history = history_of(rows, customers=table.assign(objects_to="profiling"))

    for model in (NextNeedRanker(), PurchaseTimer()):
        with pytest.raises(EmptyHistoryError, match="object to profiling"):
            model.fit(history)


@pytest.mark.parametrize("target", TARGETS)
def test_who_objects_is_told_rated_and_timed_like_nobody(target: str):
    rows, table, objectors = with_objectors()
    history = history_of(rows, customers=table)
    model = fitted(history, target)
    asked = [*objectors, "~nobody"]
    pairs = pd.MultiIndex.from_product([asked, history.item_ids], names=["customer_id", "item_id"])

    told = model.explain(history, model.recommend(history, customers=asked))
    rated = pairs.to_frame(index=False)
    rated["rating"] = model.expected_rating(history, rated)
    due = timed(history).predict(history, customers=asked)

    for whole in (told.astype(str), rated):
        parts = [part.drop(columns="customer_id") for _, part in whole.groupby("customer_id")]
        assert all(difference(parts[-1], part) is None for part in parts)
    assert len(due.drop_duplicates()) == 1


def test_counts_in_sentences_leave_objectors_out():
    """Three had jam, one of them objects: two are told of."""
    rows = pd.DataFrame(
        [(who, "jam", "2024-06-20") for who in "abc"] + [("d", "tea", "2024-06-21")],
        columns=["customer_id", "item_id", "timestamp"],
    )
    table = pd.DataFrame(
        {"customer_id": list("abcd"), "objects_to": [None, None, "profiling", None]}
    )
    history = history_of(rows, customers=table)
    model = fitted(history, "next_basket")

    told = model.explain(history, model.recommend(history, customers=["d"]))

    assert told.set_index("item_id")["reason"]["jam"].startswith("jam: bought by 2 customer(s)")


# -- arrays ------------------------------------------------------------------------------------


def test_arrays_that_lack_one_or_are_cut_short_are_refused(ranker: NextNeedRanker):
    """Hashes speed up a look-up that nothing here makes."""
    arrays = ranker.to_arrays()
    for name in arrays:
        if name.endswith("hashes"):
            continue
        rest = {key: array for key, array in arrays.items() if key != name}
        with pytest.raises(ParameterError, match=r"arrays of a ranker|flat trees"):
            NextNeedRanker.from_arrays(rest)
        if not len(arrays[name]) or name.endswith((".here", "ids.bytes")):
            continue
        with pytest.raises(ParameterError, match=r"arrays of a ranker|flat trees"):
            NextNeedRanker.from_arrays(rest | {name: arrays[name][:-1]})


@pytest.mark.parametrize("value", [10**7, -1])
def test_codes_that_point_outside_are_refused_before_native_code_reads_them(
    ranker: NextNeedRanker, value: int
):
    arrays = ranker.to_arrays()
    codes = [name for name in arrays if name.endswith(("_items", "_offsets", "owner", "_order"))]
    codes = [name for name in codes if len(arrays[name]) and "tree" not in name]
    assert len(codes) > 5
    for name in codes:
        changed = arrays[name].copy()
        changed[len(changed) // 2] = value
        with pytest.raises(ParameterError, match="arrays of a ranker"):
            NextNeedRanker.from_arrays(arrays | {name: changed})


def test_arrays_of_a_timer_that_lack_one_or_are_cut_short_are_refused(history: History):
    arrays = timed(history).to_arrays()
    for name in arrays:
        if name in ("ids.hashes", "ids.bytes"):
            continue
        rest = {key: array for key, array in arrays.items() if key != name}
        for changed in (rest, rest | {name: arrays[name][:-1]}):
            with pytest.raises(ParameterError, match="arrays of a timer"):
                PurchaseTimer.from_arrays(changed)


# -- size --------------------------------------------------------------------------------------

_LARGE = """
import resource
import numpy as np
import pandas as pd
from anticipate import InteractionLog
from anticipate.needs import NextNeedRanker

rng = np.random.default_rng(0)
n_items, n = 300_000, 300_000
rows = pd.DataFrame({
    "customer_id": rng.integers(0, 20_000, n),
    "item_id": (rng.random(n) ** 2 * n_items).astype(np.int64),
    "timestamp": np.datetime64("2024-01-01", "us") + rng.integers(0, 335 * 86_400_000_000, n),
})
again = rows.sample(frac=0.2, random_state=0)
again["timestamp"] += pd.Timedelta("30D")
items = pd.DataFrame({"item_id": np.arange(n_items), "category": np.arange(n_items) % 3_000})
log = InteractionLog.from_frame(pd.concat([rows, again]), timezone="UTC", items=items)
history = log.as_of("2024-12-30")
ranker = NextNeedRanker(random_state=0).fit(history)
some = history.customer_ids[:1000]
assert len(ranker.recommend(history, customers=some)) == 10 * len(some)
found = ranker.recommend(history, customers=some[:100], one_per="category", diversity=0.3)
assert not found.duplicated(["customer_id", "item_id"]).any()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is in kilobytes on Linux only")
def test_a_catalogue_of_300_000_items_needs_no_square_of_them():
    """A dense square would be 360 GB; seen 1.6 GB."""
    command = [sys.executable, "-W", "error", "-c", _LARGE]

    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)

    assert done.returncode == 0, done.stderr[-2000:]
    assert float(done.stdout) < 3.0


@pytest.mark.parametrize("model", [NextNeedRanker, PurchaseTimer, ChurnModel, DuplicateGuard])
def test_a_log_without_as_of_is_refused_with_what_to_do(model: Any, bookshop: InteractionLog):
    with pytest.raises(ParameterError, match=r"got InteractionLog. Give log.as_of\(cutoff\)"):
        model().fit(bookshop)
