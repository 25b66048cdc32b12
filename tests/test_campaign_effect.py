"""What a campaign changed: by hand, in simulation, overrides, and what cannot be measured."""

from __future__ import annotations

import json
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

from anticipate import InteractionLog
from anticipate.churn import contract_outcomes
from anticipate.exceptions import (
    AnticipateWarning,
    ColumnError,
    CutoffError,
    IdTypeError,
    NoMeasurableEffectWarning,
    ParameterError,
)
from anticipate.retention.effect import CampaignEffect, MeasuredGain, campaign_effect
from anticipate.retention.effect_numbers import NO_EFFECT, mean_difference, share_difference
from anticipate.retention.uplift import TLearner

START, DAYS = pd.Timestamp("2025-02-01", tz="UTC"), 30


def make_log(rows: list[tuple[Any, ...]], **options: Any) -> InteractionLog:
    names = ["customer_id", "item_id", "timestamp", "event", "price", "reason"]
    given = {"event": "event", "price": "price", "reason": "reason", "timezone": "UTC"}
    frame = pd.DataFrame(rows, columns=names)
    return InteractionLog.from_frame(frame, **given | {"closed_until": "2025-06-01"} | options)


def order(who: Any, day: str, price: float = 10.0) -> tuple[Any, ...]:
    return (who, "tea", day, "purchase", price, None)


def contact(who: Any, day: str, reason: str | None = None) -> tuple[Any, ...]:
    return (who, None, day, "contacted", None, reason)


def make_plan(levels: list[str | None], held: list[bool], ids: list[Any]) -> pd.DataFrame:
    """``levels``: assigned, or of a held-out customer the level they would have had."""
    level = [None if h else name for name, h in zip(levels, held, strict=True)]
    would_be = [name if h else None for name, h in zip(levels, held, strict=True)]
    plan = pd.DataFrame(
        {"level": level, "holdout": held, "would_be": would_be,
         "cost": [0.0 if name is None else 2.0 for name in level]},
        index=pd.Index(ids, name="customer_id"),
    )  # fmt: skip
    plan.attrs["as_of"] = START
    return plan


def simulated(
    n: int, seed: int, *, effect: float, held: float = 0.3
) -> tuple[pd.DataFrame, InteractionLog]:
    """P(back) = .4, with Premium .4 + effect; one in five of the plan has no level."""
    rng = np.random.default_rng(seed)
    ids = [f"C{i:05}" for i in range(n)]
    levels = rng.choice(np.array(["Basic", "Premium", None], dtype=object), n, p=[0.4, 0.4, 0.2])
    held_out = (rng.random(n) < held) & (levels != None)  # noqa: E711 (elementwise)
    chance = 0.4 + effect * ((levels == "Premium") & ~held_out)
    back = rng.random(n) < chance
    rows = [order(who, "2025-01-01") for who in ids]
    rows += [order(who, "2025-02-11", 20.0) for who, came in zip(ids, back, strict=True) if came]
    return make_plan(levels.tolist(), held_out.tolist(), ids), make_log(rows)


def small() -> tuple[pd.DataFrame, list[tuple[Any, ...]]]:
    """20 treated, 12 of whom return; 10 held out, 3 of whom return; one without a level."""
    ids = [f"C{i:02}" for i in range(31)]
    plan = make_plan(["Basic"] * 30 + [None], [False] * 20 + [True] * 10 + [False], ids)
    rows = [order(who, "2025-01-01") for who in ids]
    rows += [order(who, "2025-02-20", 10.0) for who in [*ids[:12], *ids[20:23], ids[30]]]
    return plan, rows


def test_shares_differ_by_newcombes_published_interval():
    """Newcombe 1998, table II, method 10, 95 %: 56/70 − 48/80 = .2, from .0524 to .3339."""
    found = share_difference(np.arange(70) < 56, np.arange(80) < 48, 0.95)

    assert found == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


def test_means_differ_by_welchs_interval():
    """1 … 10 and 2, 4 … 20: −5.5; s² = 55/60 + 220/60 = 4.583, 13.24 d.f., t(.95) = 1.7689."""
    first, second = np.arange(1.0, 11), np.arange(2.0, 21, 2)
    found = mean_difference(first, second, 0.9)
    half = 1.7689 * np.sqrt(275 / 60)

    assert found == pytest.approx((-5.5, -5.5 - half, -5.5 + half), abs=1e-3)


def test_the_table_is_the_sum_by_hand():
    """12/20 − 3/10 = .3; spend 6 − 3 = 3 each, 60 in all; cost 20 · 2 = 40; net 20."""
    plan, rows = small()
    effect = campaign_effect(plan, make_log(rows), horizon_days=DAYS)
    row = effect.table.loc["all"]

    assert (row["n_treated"], row["n_holdout"]) == (20, 10)
    assert (row["retained_treated"], row["retained_holdout"]) == (0.6, 0.3)
    assert row[["gain", "customers_gained"]].tolist() == pytest.approx([0.3, 6])
    assert row[["spend_gain", "spend_gained", "cost", "net"]].tolist() == [3, 60, 40, 20]
    assert row["net_low"] == pytest.approx(20 * row["spend_gain_low"] - 40)
    assert effect.table.loc["Basic"].tolist() == row.tolist()


def test_only_the_window_counts():
    """An order just before the start and one at the window's end retain nobody."""
    plan, rows = small()
    rows += [order("C15", "2025-01-31T23:59:59"), order("C16", "2025-03-03T00:00")]

    effect = campaign_effect(plan, make_log(rows), horizon_days=DAYS)
    assert effect.table.loc["all", "retained_treated"] == 0.6
    later = campaign_effect(plan, make_log(rows), horizon_days=DAYS + 1)
    assert later.table.loc["all", "retained_treated"] == 0.65


def test_a_known_effect_is_covered_about_as_often_as_said():
    """400 campaigns, 210 treated and 90 held out: 90 % intervals hold +.15, or 0, in 360 ± 18.

    Money is skewed (exponential, mean 20), the same in both arms.
    """
    held, empty, poor = 0, 0, 0
    for seed in range(400):
        rng = np.random.default_rng(seed)
        treated, untreated, other = rng.random(210) < 0.55, rng.random(90) < 0.4, rng.random(90)
        found = share_difference(treated, untreated, 0.9)
        held += found.low <= 0.15 <= found.high
        empty += share_difference(rng.random(210) < 0.4, other < 0.4, 0.9).verdict == NO_EFFECT
        spend = mean_difference(rng.exponential(20, 210), rng.exponential(20, 90), 0.9)
        poor += spend.verdict == NO_EFFECT

    assert all(342 <= count <= 378 for count in (held, empty, poor))


def test_no_effect_is_called_so_and_a_large_one_is_not():
    plan, log = simulated(3000, 4, effect=0.2)
    effect = campaign_effect(plan, log, horizon_days=DAYS)

    assert effect.table.loc["Premium", ["verdict", "spend_verdict"]].tolist() == ["gain", "gain"]
    assert effect.table.loc["Basic", "verdict"] == "no measurable effect"
    assert "no measurable effect" in effect.text()
    with pytest.warns(NoMeasurableEffectWarning, match="Basic"):
        assert not effect.uplift("Basic").measurable


def test_row_order_types_and_the_place_of_ids_do_not_matter():
    plan, log = simulated(800, 5, effect=0.1)
    expected = campaign_effect(plan, log, horizon_days=DAYS)
    shuffled = plan.sample(frac=1.0, random_state=1)
    levels = pd.CategoricalDtype(["Premium", "Basic", "Never"])
    typed = plan.astype({"level": levels, "would_be": "string"}).reset_index()
    before = typed.copy()

    for other in (shuffled, typed):
        found = campaign_effect(other, log, horizon_days=DAYS, as_of="2025-02-01")
        pd.testing.assert_frame_equal(found.table, expected.table)
        assert found.to_dict() == expected.to_dict()
    pd.testing.assert_frame_equal(typed, before)


def test_what_staff_did_otherwise_is_counted_and_moves_nobody():
    """C00–C17 as planned, C18 and C19 not, C03 with Premium's, C20 though held out, C30 unplanned.

    Contacts before the start and after the window are no part of the campaign.
    """
    plan, rows = small()
    plan.loc["C19", "level"] = "Premium"
    plain = campaign_effect(plan, make_log(rows), horizon_days=DAYS)
    rows += [contact(f"C{i:02}", "2025-02-03", "Basic") for i in range(18)]
    rows += [contact("C03", "2025-02-04", "Premium"), contact("C03", "2025-02-05", "Premium")]
    rows += [contact("C20", "2025-02-04"), contact("C30", "2025-02-04", "newsletter")]
    rows += [contact("C21", "2025-01-31"), contact("C18", "2025-04-01")]
    effect = campaign_effect(plan, make_log(rows), horizon_days=DAYS)

    assert effect.overrides == {
        "n_override_contacted_holdout": 1,
        "n_override_contacted_unplanned": 1,
        "n_not_carried_out": 2,
        "n_other_level": 1,
    }
    pd.testing.assert_frame_equal(effect.table, plain.table)
    assert "1 held out, but contacted" in effect.text()
    assert set(plain.overrides.values()) == {None}
    assert "not known" in plain.text()


def test_many_overrides_are_warned_about():
    plan, rows = small()
    rows += [contact(f"C{i:02}", "2025-02-03") for i in range(22)]

    with pytest.warns(AnticipateWarning, match="contacted_holdout: 2 of 10"):
        campaign_effect(plan, make_log(rows), horizon_days=DAYS)


def test_levels_held_out_at_different_shares_are_warned_about():
    levels, held = ["Basic"] * 200 + ["Premium"] * 200, [False] * 190 + [True] * 110 + [False] * 100
    ids = list(range(400))
    log = make_log([order(who, "2025-01-01") for who in ids])

    with pytest.warns(AnticipateWarning, match="not held out at one share"):
        campaign_effect(make_plan(levels, held, ids), log, horizon_days=DAYS)


def test_what_was_measured_feeds_the_next_plan():
    plan, log = simulated(1500, 6, effect=0.2)
    effect = campaign_effect(plan, log, horizon_days=DAYS)
    features = pd.DataFrame({"n": np.arange(1500.0)}, index=plan.index[::-1])
    gain = effect.uplift("Premium")
    X, y, treatment = effect.learning_table(features, level="Premium")
    theirs = effect.customers["level"] == "Premium"

    assert gain.predict_uplift(features).tolist() == [effect.table.loc["Premium", "gain"]] * 1500
    assert isinstance(gain, MeasuredGain)
    assert gain.measurable
    assert X.index.tolist() == effect.customers.index[theirs].tolist()
    assert y[treatment == 1].mean() - y[treatment == 0].mean() == pytest.approx(gain.gain)
    assert TLearner().fit(X, y, treatment).predict_uplift(X).shape == (len(X),)
    assert len(effect.learning_table(features)[1]) == len(effect.customers)
    with pytest.raises(ColumnError, match="no row"):
        effect.learning_table(features.head(10))
    with pytest.raises(ParameterError, match="no level 'Gold'"):
        effect.uplift("Gold")


def test_a_level_with_a_small_arm_is_not_measured_but_finite_in_json():
    plan, rows = small()
    plan.loc["C19", "level"] = "Premium"
    effect = campaign_effect(plan, make_log(rows), horizon_days=DAYS)
    told = json.loads(json.dumps(effect.to_dict(), allow_nan=False))

    assert effect.table.loc["Premium", "verdict"] == "not measured"
    assert told["levels"][2]["gain"] is None
    assert told["levels"][0]["n_treated"] == 20
    assert "too few" in effect.text()
    with pytest.raises(ParameterError, match="1 treated and 0 held out"):
        effect.uplift("Premium")


def test_a_plan_says_itself_which_window_was_meant():
    plan, rows = small()
    log = make_log(rows)
    plan.attrs["horizon_days"] = 30.0
    expected = campaign_effect(plan, log, horizon_days=DAYS)

    assert campaign_effect(plan, log).to_dict() == expected.to_dict()
    assert campaign_effect(plan, log, horizon_days=7).horizon_days == 7


def test_under_contract_whoever_stayed_is_said_and_payments_are_money():
    """10 of 20 treated renew for 30, 2 of 10 held out; nobody buys: purchases would call it 0.

    All but the last five of each arm stay: 15/20 − 5/10 = .25; 15 − 6 = 9 each.
    """
    ids = [f"C{i:02}" for i in range(30)]
    plan = make_plan(["Basic"] * 30, [False] * 20 + [True] * 10, ids)
    plan.attrs |= {"mode": "contract", "horizon_days": 30.0}
    rows = [(who, None, "2025-01-01", "subscribe", 30.0, None) for who in ids]
    rows += [(who, None, "2025-02-05", "renew", 30.0, None) for who in [*ids[:10], *ids[20:22]]]
    rows += [(who, None, "2025-02-10", "lapse", None, None) for who in [*ids[15:20], *ids[25:]]]
    log = make_log(rows)
    stayed = ~contract_outcomes(log, START, DAYS)["closed"]
    effect = campaign_effect(plan, log, retained=stayed.iloc[::-1])
    found = effect.table.loc["all"]

    assert (found["retained_treated"], found["retained_holdout"]) == (0.75, 0.5)
    assert (found["spend_gain"], found["gain"]) == (9, 0.25)
    assert "75.0% against 50.0% retained" in effect.text()
    assert effect.to_dict()["retained_is"] == "as given"
    with pytest.raises(ParameterError, match=r"contract_outcomes\(log, '2025-02-01.*', 30\)"):
        campaign_effect(plan, log)


def test_who_was_retained_may_be_said_without_contracts_too():
    plan, rows = small()
    retained = pd.Series(True, index=plan.index)
    effect = campaign_effect(plan, make_log(rows), horizon_days=DAYS, retained=retained)

    assert effect.table.loc["all", ["gain", "spend_gain"]].tolist() == [0, 3]


@pytest.mark.parametrize("priced", ["none in the window", "none at all", "some"])
def test_unknown_prices_are_not_a_price_of_nothing(priced: str):
    """12 + 3 payments in the window; of "some", C00's has no price and counts as 0."""
    plan, rows = small()
    unknown = {"none in the window": rows[31:], "none at all": rows, "some": rows[31:32]}[priced]
    rows = [(*row[:4], None, None) if row in unknown else row for row in rows]
    effect = campaign_effect(plan, make_log(rows), horizon_days=DAYS)
    found, told = effect.table.loc["all"], effect.to_dict()["levels"][0]
    json.dumps(effect.to_dict(), allow_nan=False)

    assert found["gain"] == pytest.approx(0.3)
    if priced == "some":
        assert (found["n_unpriced"], told["spend_treated"]) == (1, 5.5)
        assert "without a price, counted as 0: 1 payment(s)" in effect.text()
        return
    assert found["spend_verdict"] == "not measured: no price is known"
    assert all(told[name] is None for name in ("spend_gain", "spend_treated", "net", "net_low"))
    assert "spend not measured: no price is known, of 15 payment(s); cost 40.00" in effect.text()


def test_without_prices_that_nobody_came_is_not_that_nobody_spent():
    plan, rows = small()
    quiet = [(*row[:4], None, None) for row in rows[:31]]
    effect = campaign_effect(plan, make_log(quiet), horizon_days=DAYS)

    assert effect.table.loc["all", "spend_verdict"] == "not measured: no price is known"
    assert (
        campaign_effect(plan, make_log(rows[:31]), horizon_days=DAYS).table.loc["all", "net"] == -40
    )


def test_contacts_after_the_campaigns_own_days_are_anothers():
    """C30, out of the plan, on the tenth day at 00:00, the end of ten days less one."""
    plan, rows = small()
    rows += [contact(f"C{i:02}", "2025-02-03") for i in range(20)] + [contact("C30", "2025-02-10")]
    effects = [
        campaign_effect(plan, make_log(rows), horizon_days=DAYS, contact_window_days=days)
        for days in (None, 9.5, 9)
    ]

    assert [it.overrides["n_override_contacted_unplanned"] for it in effects] == [1, 1, 0]


def test_erased_customers_are_counted_and_left_out():
    plan, rows = small()
    effect = campaign_effect(plan, make_log(rows).erase(["C00", "C29", "C30"]), horizon_days=DAYS)

    assert effect.n_unknown == 2
    assert effect.table.loc["all", ["n_treated", "n_holdout"]].tolist() == [19, 9]


def fails(plan: Any, **options: Any) -> CampaignEffect:
    log = make_log(small()[1], **options.pop("log", {}))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return campaign_effect(plan, log, **{"horizon_days": DAYS} | options)


def test_what_cannot_be_measured_is_one_clear_error():
    plan = small()[0]
    nameless = plan.copy()
    nameless.attrs = {}
    stayed = pd.Series(True, index=plan.index)
    unsure = stayed.astype("boolean").where(np.arange(31) > 0)
    for error, words, given, options in (
        (CutoffError, "not closed", plan, {"log": {"closed_until": "2025-02-28"}}),
        (CutoffError, "as_of", nameless, {}),
        (ParameterError, "horizon_days: the plan does not say", plan, {"horizon_days": None}),
        (ParameterError, "at most horizon_days", plan, {"contact_window_days": 31}),
        (ParameterError, "contact_window_days", plan, {"contact_window_days": 0}),
        (ParameterError, "True and False", plan, {"retained": [True]}),
        (ParameterError, "True and False", plan, {"retained": stayed.astype(float)}),
        (ParameterError, "neither", plan, {"retained": unsure}),
        (ParameterError, "two rows", plan, {"retained": pd.concat([stayed, stayed])}),
        (ParameterError, r"2 of 30 .* missing \(places \[0, 1\]", plan, {"retained": stayed[2:]}),
        (
            IdTypeError,
            "retained: the log's ids are text",
            plan,
            {"retained": stayed.reset_index(drop=True)},
        ),
        (ParameterError, "nobody was treated", plan.assign(level=None), {}),
        (ParameterError, "nobody held out", plan.assign(holdout=False), {}),
        (ParameterError, "two rows", pd.concat([plan, plan.head(1)]), {"as_of": START}),
        (ParameterError, "table of ContactPlan", [plan], {"as_of": START}),
        (ParameterError, "True or False", plan.assign(holdout=None), {}),
        (ParameterError, "confidence", plan, {"confidence": 1.0}),
        (ParameterError, "horizon_days", plan, {"horizon_days": 0}),
        (ColumnError, "would_be", plan.drop(columns="would_be"), {}),
        (IdTypeError, "text", plan.set_axis(range(31)), {}),
    ):
        with pytest.raises(error, match=words):
            fails(given, **options)
