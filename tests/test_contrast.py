"""Past carts beside what they might have repeated, and the model that tells them apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from anticipate.guards import contrast
from anticipate.guards.bought import bought_of
from anticipate.guards.contrast import (
    DRAWS,
    N_WINDOWS,
    WINDOW_SHARE,
    Examples,
    examples,
    windows,
)
from anticipate.guards.items import substitutes
from anticipate.guards.repeat_items import repeat_items
from anticipate.guards.repeat_learning import (
    FEWEST,
    KNOTS,
    fit_model,
    is_enough,
    learn_repeats,
)
from anticipate.kernels.gap_learning import whole_table
from anticipate.kernels.repeats import COLUMNS, repeat_log_odds
from anticipate.kernels.rules import ItemRules
from anticipate.log import InteractionLog

START, DAYS = pd.Timestamp("2025-01-01T12:00", tz="UTC"), 160
DAY = 86_400_000_000


def history_of(rows, *, items=None, days=DAYS):
    """Rows of (customer, item, day, more); days are counted from START."""
    table = pd.DataFrame(
        [
            {"customer_id": who, "item_id": what, "timestamp": START + pd.Timedelta(day, "D"),
             "event": "purchase", "quantity": 1.0, "gift": False, **more}
            for who, what, day, more in rows
        ]
    )  # fmt: skip
    end = START + pd.Timedelta(days, "D")
    log = InteractionLog.from_frame(
        table, event="event", quantity="quantity", gift="gift", closed_until=end, items=items
    )
    return log.as_of(end)


def buys(who, what, day, **more):
    return who, what, day, more


def rules_of(history, **changes):
    n = history.n_items + 1
    columns = {
        "mistake_rate": np.zeros(n), "substitute_rate": np.zeros(n),
        "consumable": np.zeros(n, dtype=bool), "lifetime_days": np.full(n, np.nan),
        "usual_quantity": np.ones(n), "substitutes": substitutes(history.items),
    }  # fmt: skip
    return ItemRules(**{**columns, **changes})


def draw(history, seed=0, **changes):
    gaps = whole_table(1.0, 1.0, 30.0, np.full(5, 0.5), n_items=history.n_items)
    return examples(
        bought_of(history), gaps=gaps, rules=rules_of(history, **changes), category=None,
        rng=np.random.default_rng(seed),
    )  # fmt: skip


# Day 0 of the log is bought by nobody of interest; windows are of 20 of the 160 days each.
FIRST_DAY = DAYS - N_WINDOWS * DAYS * WINDOW_SHARE  # of the oldest window
STARTER = buys("zoe", "z", 0)


# -- by hand -------------------------------------------------------------------------


def test_windows_are_the_newest_part_in_equal_spans():
    """160 days: eighths of 20 days. 16 days: weeks, of which two begin after the first event.
    Ten years: 60 days each."""
    for days, width, n in ((160, 20, N_WINDOWS), (16, 7, 2), (3650, 60, N_WINDOWS)):
        spans = windows(bought_of(history_of([STARTER], days=days)))
        end = int((START + pd.Timedelta(days, "D")).value // 1000)
        expected = [(end - (k + 1) * width * DAY, end - k * width * DAY) for k in range(n)][::-1]
        assert spans == expected


def test_a_cart_and_what_it_might_have_repeated():
    """Owned a and b; the cart of day 150 holds a, which is real, and c, which was not owned.
    Draws are of b alone: a stands in the cart. Real a stands beside c, a draw beside both."""
    rows = [STARTER, buys("ann", "a", 10), buys("ann", "b", 20.5)]
    history = history_of([*rows, buys("ann", "a", 150), buys("ann", "c", 150)])
    events, n_draws = bought_of(history).events, []
    for seed in range(40):
        found = draw(history, seed)
        items = history.item_ids[found.item].tolist()
        assert items == ["a"] + ["b"] * found.is_draw.sum()
        assert found.is_draw.tolist() == [False] + [True] * (len(items) - 1)
        assert events.timestamp[found.row[0]] == events.timestamp[events.customer == 0].max()
        assert (found.row[1:] == -1).all()
        assert history.item_ids[events.item[found.source]].tolist() == items
        assert set(found.window.tolist()) == {N_WINDOWS - 1}
        n_draws.append(len(items) - 1)
        X = dict(zip(COLUMNS, found.X, strict=True))
        assert X["age_days"] == pytest.approx(np.log([140.5] + [130.0] * n_draws[-1]))
        assert X["cart_lines"] == pytest.approx(np.log([2.0] + [3.0] * n_draws[-1]))
        assert X["cart_repeats"] == pytest.approx(np.log([0.5 / 2] + [1.5 / 2] * n_draws[-1]))

    assert set(n_draws) == {0, 1, 2}
    assert np.mean(n_draws) == pytest.approx(1.0, abs=0.35)  # each of two draws is b or a


def test_what_a_rule_clears_is_no_example():
    """A gift, a second click, a restock, the customer's first cart, a batch buyer's line."""
    once = [STARTER, buys("ann", "a", 10)]
    assert (~draw(history_of([*once, buys("ann", "a", 150)])).is_draw).sum() == 1
    cases = {
        "gift": [*once, buys("ann", "a", 150, gift=True)],
        "second click": [STARTER, buys("ann", "a", 150), buys("ann", "a", 150 + 5 / 1440)],
        "restock": [*once, buys("ann", "a", 150, quantity=3.0)],
        "first cart": [STARTER, buys("ann", "a", 150)],
        "batches": [*once, buys("ann", "a", 10.1), buys("ann", "a", 20), buys("ann", "a", 150)],
        "sent back": [*once, buys("ann", "a", 12, event="return"), buys("ann", "a", 150)],
    }
    for name, rows in cases.items():
        real = draw(history_of(rows)).take(~draw(history_of(rows)).is_draw)
        assert real.row.tolist() == [], name


def test_an_item_twice_in_a_cart_is_one_line():
    rows = [STARTER, buys("ann", "a", 10), buys("ann", "a", 150), buys("ann", "a", 150)]
    found = draw(history_of(rows))

    assert (~found.is_draw).sum() == 1
    assert found.X[COLUMNS.index("cart_lines"), 0] == 0.0


def test_of_what_is_owned_an_edition_may_be_drawn_too():
    items = pd.DataFrame({"item_id": ["e", "p"], "work_id": ["w", "w"]})
    rows = [STARTER, buys("ann", "e", 10), buys("ann", "c", 150)]
    history = history_of(rows, items=items)
    seen = set()
    for seed in range(20):
        found = draw(history, seed)
        seen |= set(zip(history.item_ids[found.item], found.is_other.tolist(), strict=True))

    assert seen == {("e", False), ("p", True)}


def test_shares_and_rates_of_repeats():
    """By day 100 two of three bought a again (one of them what came back later: still a visit),
    nobody b. Whole: (2 + .05) / (4 + 1) of pairs; a: (2 + 10 * .41) / (3 + 10)."""
    rows = [buys("ann", "a", 0), buys("ann", "a", 40), buys("bob", "a", 0), buys("bob", "a", 50),
            buys("bob", "a", 120, event="return"), buys("cid", "a", 0), buys("cid", "b", 90),
            buys("cid", "a", 130)]  # fmt: skip
    bought = bought_of(history_of(rows))
    found = repeat_items(bought, 2, None, int((START + pd.Timedelta(100, "D")).value // 1000))
    share_a, share_b = (2 + 4.1) / 13, (0 + 4.1) / 11

    logits = [np.log(p / (1 - p)) for p in (share_a, share_b, 0.41)]
    assert found.repeat_log_odds == pytest.approx(logits)
    assert found.log_buyers == pytest.approx(np.log([4, 2, 1]))
    assert found.log_recent == pytest.approx(np.log([2.5, 1.5, 0.5]))  # days 40, 50; day 90
    whole = (2 + 1e-3) / (300 + 10 + 1)  # later visits over days since the first
    assert np.exp(found.again_log_rate[2]) == pytest.approx(whole)
    assert np.exp(found.again_log_rate[0]) == pytest.approx((2 + 3) / (300 + 3 / whole))


# -- law -----------------------------------------------------------------------------


def random_shop(seed, *, n=240, n_items=9):
    """Everybody owns some of nine items, three works of three editions; one cart each later."""
    rng = np.random.default_rng(seed)
    items = pd.DataFrame(
        {"item_id": [f"i{k}" for k in range(n_items)], "work_id": [f"w{k % 3}" for k in range(9)]}
    )
    rows = [STARTER]
    for c in range(n):
        own = rng.choice(n_items, rng.integers(1, 5), replace=False)
        cart = rng.choice(n_items, rng.integers(1, 4), replace=False)
        at = float(rng.integers(FIRST_DAY, DAYS))
        rows += [buys(f"c{c:03d}", f"i{k}", float(rng.integers(1, FIRST_DAY - 1))) for k in own]
        rows += [buys(f"c{c:03d}", f"i{k}", at) for k in cart]
    return history_of(rows, items=items)


@pytest.fixture(scope="module")
def shop():
    history = random_shop(0)
    bought = bought_of(history)
    return history, bought.events, draw(history), windows(bought)[0][0]


@pytest.mark.parametrize("is_other", [False, True], ids=["the same item", "another edition"])
def test_no_draw_stands_in_its_cart(shop, is_other):
    """Each customer has one cart in the windows."""
    _, events, found, start = shop
    late = events.timestamp >= start
    in_cart = set(zip(events.customer[late].tolist(), events.item[late].tolist(), strict=True))
    draws = found.take(found.is_draw & (found.is_other == is_other))
    drawn = set(zip(events.customer[draws.source].tolist(), draws.item.tolist(), strict=True))

    assert len(drawn) > 50
    assert not drawn & in_cart


def test_all_lines_are_of_what_was_owned_before(shop):
    history, events, found, start = shop
    other = substitutes(history.items)
    owned = events.item[found.source]

    assert (events.timestamp[found.source] < start).all()
    assert (owned == found.item)[~found.is_other].all()
    covers = (other[found.item] == owned[:, None]).any(axis=1)
    assert covers[found.is_other].all()
    real = found.take(~found.is_draw)
    assert (events.item[real.row] == real.item).all()
    assert (events.customer[real.row] == events.customer[real.source]).all()
    assert (events.timestamp[real.row] >= start).all()
    for kind in (True, False):
        assert {False, True} == set(found.is_draw[found.is_other == kind].tolist())


def test_a_cart_has_at_most_its_draws(shop):
    _, events, found, _ = shop
    own = found.take(found.is_draw & ~found.is_other)

    assert np.bincount(events.customer[own.source]).max() <= DRAWS


def test_tables_are_of_the_windows_start(shop):
    """Buyers and lines of the last weeks, as they stood when each window began."""
    history, _, found, _ = shop
    bought = bought_of(history)
    for number, (start, _) in enumerate(windows(bought)):
        mine = found.take(found.window == number)
        known = repeat_items(bought, history.n_items, None, start)
        for name, column in (("item_buyers", known.log_buyers), ("item_recent", known.log_recent)):
            np.testing.assert_array_equal(mine.X[COLUMNS.index(name)], column[mine.item])
        assert len(mine.row) > 20


def test_what_happened_later_changes_no_earlier_example():
    """The log of the first window alone, and with 60 days of purchases after it."""
    whole = random_shop(4)
    edge = windows(bought_of(whole))[0][1]
    cut = whole.to_pandas()
    cut = cut[cut["timestamp"] < pd.Timestamp(edge, unit="us", tz="UTC")]
    rows = [(r.customer_id, r.item_id, (r.timestamp - START) / pd.Timedelta(1, "D"), {})
            for r in cut.itertuples()]  # fmt: skip
    items = whole.items.reset_index(names="item_id")
    early = draw(history_of(rows, items=items))
    late = draw(whole)
    late = late.take(late.window == 0)

    assert len(early.row) > 20
    assert set(early.window.tolist()) == {0}
    for name in ("X", "is_draw", "item", "is_other"):
        np.testing.assert_array_equal(getattr(early, name), getattr(late, name))


def test_examples_of_the_same_seed_are_the_same():
    one, same, other = (draw(random_shop(1), seed) for seed in (0, 0, 1))

    np.testing.assert_array_equal(one.X, same.X)
    assert one.X.shape != other.X.shape or (one.X != other.X).any()


def test_of_many_carts_some_are_left_out(monkeypatch):
    monkeypatch.setattr(contrast, "MOST_CARTS", 5)
    history = random_shop(2)
    found = draw(history)
    customer = bought_of(history).events.customer[found.source]

    for number in range(N_WINDOWS):
        assert 1 < len(set(customer[found.window == number].tolist())) <= 5


def test_a_history_without_purchases_has_no_examples():
    found = draw(history_of([buys("ann", "a", 3, event="view")]))

    assert found.X.shape == (len(COLUMNS), 0)
    assert not is_enough(found)


# -- telling real repeats from draws ---------------------------------------------------


def planted(column, slope, *, n=6000, seed=0):
    """As many real lines as draws at half weight; one column tells them apart."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(len(COLUMNS), n))
    odds = DRAWS * np.exp(slope * X[column])  # a draw counts half
    is_draw = rng.random(n) < odds / (1 + odds)
    row = np.where(is_draw, -1, 0)
    window = rng.integers(0, 4, n)
    return Examples(X, is_draw, row, np.zeros(n, int), row, np.zeros(n, bool), window)


@pytest.mark.parametrize("column", [0, 1, 9])
@pytest.mark.parametrize("slope", [1.0, -1.5])
def test_a_column_that_separates_gets_the_slope(column, slope):
    """Within a quarter of it between the outer knots; all other slopes are below .12."""
    found = planted(column, slope)
    model = learn_repeats(found, np.zeros(len(found.row), dtype=bool))
    slopes = np.array(
        [np.polyfit(at[1:-1], of[1:-1], 1)[0] for at, of in zip(*model[:2], strict=True)]
    )

    assert slopes[column] == pytest.approx(slope, rel=0.25)
    assert np.abs(np.delete(slopes, column)).max() < 0.12
    at_zero = repeat_log_odds(model, np.zeros((len(COLUMNS), 1)))
    assert at_zero[0] == pytest.approx(0.0, abs=0.25)


def test_what_was_undone_is_not_learned_as_wanted():
    """Among real lines those of large values were sent back: without them the slope is gone."""
    found = planted(3, 0.0)
    found.X[3] += 3.0 * ((np.arange(len(found.row)) % 2 == 0) & ~found.is_draw)
    undone = (found.X[3] > 1.5) & ~found.is_draw
    with_, without = (
        learn_repeats(found, flags).values[3] for flags in (np.zeros_like(undone), undone)
    )

    assert with_[-2] - with_[1] < -0.5
    assert abs(without[-2] - without[1]) < 0.3


def test_a_column_of_one_value_says_nothing_and_hurts_nothing():
    found = planted(1, 1.0)
    found.X[5] = 2.0
    model = learn_repeats(found, np.zeros(len(found.row), dtype=bool))

    assert (np.diff(model.knots, axis=1) > 0).all()
    assert model.knots.shape == (len(COLUMNS), KNOTS)
    moved = np.zeros((len(COLUMNS), 3))
    moved[5] = [-50.0, 2.0, 50.0]
    assert np.ptp(repeat_log_odds(model, moved)) == 0.0


def test_a_smaller_shrink_leaves_less():
    found = planted(1, 1.0)
    weight = np.where(found.is_draw, 1 / DRAWS, 1.0)
    spread = [np.ptp(fit_model(found.X, found.is_draw, weight, c).values[1]) for c in (3.0, 1e-4)]

    assert spread[1] < 0.5 * spread[0]


def test_a_hundred_of_both_are_enough():
    found = planted(0, 0.0, n=3 * FEWEST)
    draws, real = (np.flatnonzero(found.is_draw == flag)[:FEWEST] for flag in (True, False))
    rows = np.concatenate([draws, real])

    assert len(rows) < 2 * FEWEST or is_enough(found.take(rows))
    assert not is_enough(found.take(rows[1:]))
