"""Health of a bundle: what did not change is left alone, what did is named."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from anticipate.anticipator.health import bundle_health, make_reference
from anticipate.anticipator.health.advice import NOT_YET, NOW, Dates, advise
from anticipate.anticipator.health.drift import drift_table, find_active, usual_window
from anticipate.anticipator.health.outcomes import FEW, OPEN, RIGHT, WRONG, Judged, judge
from anticipate.anticipator.health.windows import DAY, Known
from anticipate.bundle import bundle_info, open_bundle, write_bundle
from anticipate.datasets import make_log
from anticipate.evaluation.drift_metrics import population_stability
from anticipate.exceptions import BundleError, CutoffError, EmptyHistoryError, IdTypeError
from anticipate.log import InteractionLog

CUTOFF, MONTH = "2025-03-01", "2025-04-01"
COLUMNS = ("event", "quantity", "price", "value", "order_id", "reason")


def log_of(table, **options):
    names = {name: name for name in COLUMNS if name in table}
    return InteractionLog.from_frame(table, **names, **({"closed_until": MONTH} | options))


@pytest.fixture(scope="module")
def since(bookshop):
    """A month of events after the bundle's cutoff, as a table."""
    table = bookshop.between(CUTOFF, MONTH).to_pandas()
    return table[["customer_id", "item_id", "timestamp", *COLUMNS]]


@pytest.fixture(scope="module")
def health(bookshop_bundle, since):
    return bundle_health(bookshop_bundle, log_of(since))


def flagged(health):
    return set(health.drift.name[health.drift.verdict != "none"])


# --- by hand ---


def test_the_index_is_the_sum_over_bins():
    """(.75 - .5) ln 1.5 + (.25 - .5) ln .5 = .275, half a row more in each bin."""
    drift = population_stability([1000, 1000], [1500, 500], level=0.99)

    assert drift.psi == pytest.approx(0.25 * np.log(1.5) + 0.25 * np.log(2), abs=1e-3)
    assert drift.by_chance == pytest.approx(6.635 * (1 / 2000 + 1 / 2000), rel=1e-3)


def test_bins_with_few_rows_are_joined_and_no_row_is_no_number():
    """5 + 4 rows join their neighbour: (25, 75) against (25, 75)."""
    assert population_stability([25, 5, 70], [25, 4, 71], level=0.99).psi == 0.0
    assert population_stability([5, 5], [5, 4], level=0.99).psi == 0.0
    assert np.isnan(population_stability([10, 10], [0, 0], level=0.99).psi)


def test_a_window_is_judged_by_sum_and_by_slope():
    """1,000 customers told 30 %: 300 is right, 400 is not; 95 % chance says 10 of 200 stay."""
    p, who = np.full(1000, 0.3), np.arange(1000)

    assert judged(p, np.arange(1000) < 300, who).verdict == RIGHT
    wrong = judged(p, np.arange(1000) < 400, who)
    assert wrong.verdict == WRONG
    assert wrong.ratio == pytest.approx(4 / 3)
    assert judged(p[:40], np.arange(40) < 30, who[:40]).verdict == FEW


def test_a_slope_is_wrong_though_the_sum_is_right():
    """200 of 500 told 10 % and 300 of 500 told 90 % did it: ln(9/4) over ln 81 is .18."""
    p, y = np.repeat([0.1, 0.9], 500), np.arange(1000) % 500 < np.repeat([200, 300], 500)
    row = judged(p, y, np.arange(1000))

    assert row.ratio == pytest.approx(1.0)
    assert row.slope == pytest.approx(np.log(9 / 4) / np.log(81), abs=1e-3)
    assert row.slope_high < 1
    assert row.verdict == WRONG


def test_answers_of_one_customer_are_one_surprise():
    """All ten needs of 40 customers came: the interval is ten times wider than of 400 people."""
    p, y = np.full(400, 0.1), np.arange(400) < 60
    alone, together = (judged(p, y, who) for who in (np.arange(400), np.arange(400) // 10))

    assert alone.verdict == WRONG
    assert together.high - together.said > 2.5 * (alone.high - alone.said)


def judged(p, y, who):
    return judge("needs", "bought", 0, p, y, who)


def test_the_rules_of_a_refit():
    day = pd.Timestamp("2025-01-01", tz="UTC")
    dates = Dates(
        day + pd.Timedelta(days=40), day, day, pd.Timedelta(days=30), pd.Timedelta(days=90)
    )
    old = dates._replace(as_of=day + pd.Timedelta(days=180))
    soon = dates._replace(as_of=day + pd.Timedelta(days=160))
    wrong = Judged("churn", "bought again", day, 900, 300.0, 500.0, 260.0, 340.0, verdict=WRONG)
    columns = ["kind", "name", "before", "now", "drift", "by_chance", "n", "verdict"]
    none, some, great = (
        pd.DataFrame([("fact", "price", 9.0, 12.0, drift, 0.05, 900, verdict)], columns=columns)
        for drift, verdict in ((0.02, "none"), (0.15, "some"), (0.4, "great"))
    )

    assert advise(dates, [], none).when == NOT_YET
    assert advise(dates, [wrong], none).text == NOW
    assert "300 were expected" in advise(dates, [wrong], none).reasons[0]
    assert advise(dates, [], great).text == NOW
    assert advise(dates, [], some).text == "by 2025-03-12"
    assert advise(old, [], none).text == NOW
    assert advise(soon, [], none).text == "by 2025-06-30"
    assert "save it again" in advise(dates, [], none).notes[0]


# --- what did not change is left alone ---


def test_an_unchanged_shop_is_healthy(health):
    assert health.refit == "not yet"
    assert health.window_days == 28
    assert flagged(health) == set()
    assert {"price", "events_a_day", "local_hour"} <= set(health.drift.name)
    assert dict(zip(health.judged.name, health.judged.verdict, strict=True))["needs"] == RIGHT
    json.dumps(health.to_dict(), allow_nan=False)
    assert all(len(line) <= 100 for line in str(health).splitlines())


def test_scores_are_compared_while_the_bundle_answers_for_them(bookshop_bundle, since, health):
    """Its horizon is 30 days; a day later it is to be saved again."""
    fresh = bundle_health(bookshop_bundle, log_of(since), "2025-03-30")
    scores = {"p_churn", "top_need", "days_to_next_purchase"}

    assert scores <= set(fresh.drift.name)
    assert flagged(fresh) == set()
    assert not scores & set(health.drift.name)
    assert "save it again" in health.notes[0]


def test_windows_that_are_open_say_when_they_close(health):
    rows = health.judged.set_index("name")

    assert rows.verdict[["churn", "warnings"]].tolist() == [OPEN, OPEN]
    assert rows.closes["churn"] == pd.Timestamp("2025-05-30", tz="UTC")


def test_a_file_that_overlaps_the_bundle_says_the_same(bookshop_bundle, bookshop, since, health):
    before = bookshop.between(bookshop.start, CUTOFF).to_pandas()[list(since.columns)]

    again = bundle_health(bookshop_bundle, log_of(pd.concat([since, before])))

    assert again.to_dict() == health.to_dict()


def test_row_order_and_the_zone_of_aware_times_change_nothing(bookshop_bundle, since, health):
    shuffled = since.sample(frac=1, random_state=0)
    abroad = shuffled.assign(timestamp=shuffled.timestamp.dt.tz_convert("Asia/Seoul"))

    assert bundle_health(bookshop_bundle, log_of(abroad)).to_dict() == health.to_dict()


def test_a_few_days_are_too_few(bookshop_bundle, since):
    early = bundle_health(bookshop_bundle, log_of(since), "2025-03-04")

    assert early.refit == "not yet"
    assert early.window_days is None
    assert set(early.judged.verdict) == {OPEN}
    assert "from 2025-03-08 on" in early.notes[0]


@pytest.mark.slow
@pytest.mark.parametrize("days", [7, 28, 60])
def test_unchanged_shops_are_seldom_flagged(days):
    """Sixty checks: at most one in a hundred by chance, and three of sixty hardly ever."""
    n_flagged = sum(
        bool((facts_moved(make_log(600, random_state=seed), at, days).verdict != "none").any())
        for seed in range(30)
        for at in ("2024-09-02", "2025-03-01")
    )

    assert n_flagged <= 3


def facts_moved(log, at, days):
    history = log.as_of(at)
    reference = make_reference(history, None, None)
    now = log.before(history.cutoff_us + days * DAY)
    active = find_active(now, usual_window(reference, now, history.cutoff_us))
    events = history.events
    known = Known(
        history.customer_ids[np.unique(events.customer)],
        history.item_ids[np.unique(events.item[events.item >= 0])],
    )
    return drift_table(reference, now, active, known, {})


# --- what changed is named ---


def test_dearer_goods_are_found(bookshop_bundle, since):
    found = bundle_health(bookshop_bundle, log_of(since.assign(price=3 * since.price)))

    assert found.refit == "now"
    assert (
        {"price", "basket_value", "spend"} <= flagged(found) <= {"price", "basket_value", "spend"}
    )
    assert any("price" in reason for reason in found.reasons)


def test_times_read_in_another_zone_are_found(bookshop_bundle, since):
    """The file's naive times are UTC; whoever reads them as Seoul's is nine hours off."""
    naive = since.assign(timestamp=since.timestamp.dt.tz_localize(None))
    naive = naive[naive.timestamp >= "2025-03-02"]
    wrong = log_of(naive, timezone="Asia/Seoul")

    assert "local_hour" in flagged(bundle_health(bookshop_bundle, wrong))


def test_a_feed_that_broke_is_found(bookshop_bundle, since):
    """From 5 March on only one event in five arrives."""
    lost = (since.timestamp >= "2025-03-05") & (np.arange(len(since)) % 5 > 0)

    assert "events_a_day" in flagged(bundle_health(bookshop_bundle, log_of(since[~lost])))


def test_a_file_that_begins_late_is_told(bookshop_bundle, since):
    late = since[since.timestamp >= "2025-03-12"]

    found = bundle_health(bookshop_bundle, log_of(late))

    assert "what lies between is missing" in found.notes[0]
    assert found.window_days == 14


def test_another_crowd_is_found(bookshop_bundle, since):
    """Everybody is new, and so is what they do it with."""
    strange = since.assign(
        customer_id="new-" + since.customer_id, item_id="new-" + since.item_id.astype("str")
    )

    found = bundle_health(bookshop_bundle, log_of(strange))

    assert found.unknown == {"customers": 1.0, "items": 1.0}
    assert {"new_customer", "share_of_new_items"} <= flagged(found)


def test_a_score_that_is_off_is_found(bookshop_bundle, since, tmp_path):
    """All log-odds of needs two too high."""
    manifest, arrays = open_bundle(bookshop_bundle)
    own = ("files", "format_version", "libraries")
    manifest = {name: part for name, part in manifest.items() if name not in own}
    higher = {**arrays, "candidates__log_odds": arrays["candidates__log_odds"] + 2.0}
    found = bundle_health(write_bundle(tmp_path / "b", manifest, higher), log_of(since))

    needs = found.judged.set_index("name").loc["needs"]
    assert needs.verdict == WRONG
    assert needs.ratio < 0.8
    assert found.refit == "now"
    assert any(reason.startswith("needs") for reason in found.reasons)


# --- what cannot be read ---


def test_no_event_since_the_cutoff_is_an_error(bookshop_bundle, since, bookshop):
    for log in (log_of(since[:0], timezone="UTC"), bookshop.between("2024-01-01", "2024-06-01")):
        with pytest.raises(EmptyHistoryError, match="at or after the bundle's cutoff"):
            bundle_health(bookshop_bundle, log)


@pytest.mark.parametrize("as_of", ["2025-02-28", "2025-04-02"])
def test_a_moment_outside_of_what_is_known_is_an_error(bookshop_bundle, since, as_of):
    with pytest.raises(CutoffError, match="as_of"):
        bundle_health(bookshop_bundle, log_of(since), as_of)


@pytest.mark.parametrize("column", ["customer_id", "item_id"])
def test_ids_of_another_kind_are_an_error(bookshop_bundle, since, column):
    numbers = pd.factorize(since[column])[0]

    with pytest.raises(IdTypeError, match=column):
        bundle_health(bookshop_bundle, log_of(since.assign(**{column: numbers})))


def test_a_bundle_without_a_reference_says_what_to_do(bookshop_bundle, since, tmp_path):
    manifest, arrays = open_bundle(bookshop_bundle)
    own = ("files", "format_version", "libraries", "reference")
    older = {name: part for name, part in manifest.items() if name not in own}

    with pytest.raises(BundleError, match="Save it again"):
        bundle_health(write_bundle(tmp_path / "b", older, arrays), log_of(since))


# --- the reference ---


def test_the_reference_is_small_and_tells_of_nobody(bookshop_bundle, bookshop_history):
    text = json.dumps(bundle_info(bookshop_bundle)["reference"], indent=1, allow_nan=False)

    assert len(text) < 50_000
    assert not any(id_ in text for id_ in bookshop_history.customer_ids)
    assert not any(id_ in text for id_ in bookshop_history.item_ids)


def test_few_customers_are_not_told_of(bookshop_history):
    few = bookshop_history.select(bookshop_history.customer_ids[:40])

    assert make_reference(few, None, None) == {"windows": {}, "facts": {}, "scores": {}}
