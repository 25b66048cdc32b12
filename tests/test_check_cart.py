"""One call checks a cart: what each guard says, one warning a line, and what nobody may read."""

from __future__ import annotations

import copy
import json
import math
import warnings

import numpy as np
import pandas as pd
import pytest
from coat_shops import coat_shop, remade
from test_fit_guard import ITEMS as SHOES
from test_fit_guard import PEOPLE as WALKERS
from test_fit_guard import log_of, shop_rows

import anticipate as an
from anticipate import exceptions as wrong
from anticipate.anticipator.state import load_models, make_state
from anticipate.guards import FitGuard, ReturnGuard, review_cart
from anticipate.guards.items import substitutes
from anticipate.kernels.costliest import BETTER_FIT, saving
from anticipate.serving import Scorer, cart_check
from anticipate.serving.asking import ask
from anticipate.serving.cart import read_cart
from anticipate.serving.cart_returns import judge_returns
from anticipate.serving.verdicts import Verdicts
from anticipate.suggestions import Reason, Suggestion

NOW, LATER = "2025-12-31", "2026-01-03T10:00Z"
COATS = ["coat-l", "coat-s"]


@pytest.fixture(scope="module")
def history():
    return coat_shop()


@pytest.fixture(scope="module")
def model(history):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", wrong.MinimumDataWarning)  # few customers to compare
        model = an.Anticipator(random_state=0).fit(history)
    model.return_guard_ = ReturnGuard(return_window_days=20, cost_return=2.0).fit(history)
    return model


@pytest.fixture(scope="module")
def scorer(model, history):
    return Scorer(*make_state(model, history))


def without(scorer, *groups):
    """The same bundle without these guards' tables."""
    store = scorer._store
    arrays = {
        f"{group}__{name}": array
        for group, own in store._groups.items()
        for name, array in own.items()
        if group not in groups
    }
    return Scorer(store.manifest, arrays)


@pytest.fixture(scope="module")
def returns_only(scorer):
    return without(scorer, "guard")


def told(suggestions):
    return [one.to_dict() for one in suggestions]


def risks(scorer, cart, customer="c001", **options):
    found = scorer.check_cart(customer, cart, as_of=options.pop("as_of", LATER), **options)
    return [one for one in found if one.kind == "return_risk"]


def test_two_sizes_in_a_cart_are_warned_of_with_a_choice(returns_only):
    (one,) = risks(returns_only, COATS)

    assert (one.item_id, one.audience, one.reason.code) == ("coat-l", "customer", "others_kept")
    assert one.reason.facts["kept"] == "coat-s"
    assert [e["code"] for e in one.evidence] == ["others_kept", "several_of_one", "often_returned"]
    assert len(one.options) == 3
    assert "keep all" in one.options[0]
    json.dumps(one.to_dict())
    assert "coat-s" in one.reason.text("ko")


def test_the_scorer_says_what_the_notebooks_review_says(returns_only, model, history):
    """Same chances bit for bit, same verdicts and reasons, for many customers at once."""
    guard, ids = model.return_guard_, [*history.customer_ids[::3].tolist(), "c007", "nobody"]
    for cart in (COATS, ["mug", "sock", "coat-s"], ["new", "coat-l", "mug"]):
        lines = pd.DataFrame([(id_, item) for id_ in ids for item in cart],
                             columns=["customer_id", "item_id"])  # fmt: skip
        table = guard.review(lines.assign(price=9.5), history)
        moment = ask(returns_only._store, ids, NOW, None)
        asked = [{"item_id": item, "price": 9.5} for item in cart]
        carts = [read_cart(asked, moment.words["items"]) for _ in ids]
        rows = cart_check.side_by_side(carts, moment.as_of)
        found = judge_returns(returns_only._store, moment, rows)
        shown = table["probability"].to_numpy()

        assert found.warn.tolist() == (table["verdict"] == "warn").tolist()
        assert found.saving.tolist() == guard.saving(shown).tolist()
        warned = np.flatnonzero(found.warn)
        said = [found.write(i, "customer") for i in warned.tolist()]
        assert [one.probability for one in said] == shown[warned].tolist()
        assert [one.reason.text() for one in said] == table["reason"].iloc[warned].tolist()
        assert [list(one.evidence) for one in said] == table["evidence"].iloc[warned].tolist()


def test_many_carts_at_once_are_judged_as_each_alone(scorer):
    ids, carts = ["c001", "c007", "c001", "nobody"], [COATS, COATS, ["mug"], ["sock", *COATS]]
    moment = ask(scorer._store, ids, [LATER, LATER, NOW, LATER], None)
    coded = [read_cart(cart, moment.words["items"]) for cart in carts]
    together = cart_check.check_carts(scorer._store, moment, coded, "staff")

    for i, (id_, cart) in enumerate(zip(ids, carts, strict=True)):
        own = ask(scorer._store, [id_], NOW if i == 2 else LATER, None)
        coded = [read_cart(cart, own.words["items"])]
        assert cart_check.check_carts(scorer._store, own, coded, "staff")[0] == together[i]


def test_at_the_cutoff_the_scorer_is_the_anticipator(scorer, model, history):
    for id_ in ("c001", "c007", "nobody"):
        ours = scorer.suggest(id_, as_of=NOW, cart=COATS, n=9, audience="staff")
        assert ours == model.suggest(history, id_, cart=COATS, n=9, audience="staff")


def test_own_returns_change_nothing_that_customers_read(returns_only):
    """Told on line, in any number: the same sentences, chances and verdicts to the last bit."""
    rng = np.random.default_rng(0)
    for customer in ("c001", "c033", "c007", "nobody"):
        before = told(risks(returns_only, [*COATS, "mug"], customer))
        for _ in range(5):
            rows = [
                {"customer_id": customer, "item_id": item, "event": event,
                 "timestamp": f"2026-01-0{day}"}
                for item, event, day in zip(
                    rng.choice(["coat-l", "coat-s", "mug", "sock"], 12),
                    rng.choice(["return", "cancel"], 12), rng.integers(1, 4, 12), strict=True)
            ]  # fmt: skip
            assert told(risks(returns_only, [*COATS, "mug"], customer, recent=rows)) == before
            assert "own_returns" not in str(before)


def test_own_returns_of_the_log_change_nothing_that_customers_read(model, history, returns_only):
    """The same models, served with a history in which nobody ever sent anything back."""
    innocent = remade(history.to_pandas().query("event == 'purchase'"))
    other = without(Scorer(*make_state(model, innocent)), "guard")
    for id_ in history.customer_ids[::5].tolist():
        assert told(risks(other, COATS, id_)) == told(risks(returns_only, COATS, id_))


def test_staff_read_more_and_the_verdict_is_the_same(returns_only, history):
    seen = set()
    for id_ in history.customer_ids[::5].tolist():
        public, staff = (risks(returns_only, COATS, id_, audience=a) for a in ("customer", "staff"))
        assert [(s.item_id, s.probability, s.reason, s.options) for s in staff] == [
            (s.item_id, s.probability, s.reason, s.options) for s in public
        ]
        seen |= {(e["code"], s.audience) for s in staff for e in s.evidence}
        assert {e["audience"] for s in public for e in s.evidence} <= {"customer"}
        assert {s.audience for s in public} <= {"customer"}
    assert ("own_returns", "staff") in seen
    assert ("own_returns", "customer") not in seen


def test_who_objects_is_told_of_item_and_cart_alone(returns_only):
    """c007 objects to profiling: told what a stranger is told."""

    def facts(one):
        return {**one.to_dict(), "customer_id": None}

    assert list(map(facts, risks(returns_only, COATS, "c007", audience="staff"))) == list(
        map(facts, risks(returns_only, COATS, "c007"))
    )
    assert "first_of_kind" not in str(told(risks(returns_only, COATS, "c007")))


def test_a_bundle_without_a_guards_tables_is_silent_of_it(scorer):
    both = without(scorer, "guard", "return_guard")

    assert both.check_cart("c001", [*COATS, "mug"], as_of=LATER) == []
    assert both.suggest("c001", as_of=LATER, cart=COATS)
    assert risks(without(scorer, "return_guard"), COATS) == []


def test_an_older_bundle_loads_answers_and_can_be_saved_again(model, history, tmp_path):
    model = an.Anticipator.load(model.save(tmp_path / "new"))
    model.return_guard_ = None
    again = an.Anticipator.load(model.save(tmp_path / "old", history))

    assert again.return_guard_ is None
    assert risks(Scorer.load(tmp_path / "old"), COATS) == []
    again.save(tmp_path / "once more", history)


def test_a_part_of_an_older_form_is_one_clear_error(model):
    arrays = {f"model_part_returns__{n}": a for n, a in model.return_guard_.to_arrays().items()}
    arrays = {name: array for name, array in arrays.items() if "settings" not in name}
    with pytest.raises(wrong.BundleError, match="'returns' lacks 'settings'"):
        load_models(arrays)


def test_the_return_guard_travels_with_the_bundle(model, history, tmp_path, scorer):
    folder = model.save(tmp_path / "b")
    again = an.Anticipator.load(folder)

    assert again.return_guard_.threshold_ == model.return_guard_.threshold_
    cart = [*COATS, "mug"]
    assert told(Scorer.load(folder).check_cart("c001", cart, as_of=LATER)) == told(
        scorer.check_cart("c001", cart, as_of=LATER)
    )
    assert not any("staff" in name for name in Scorer.load(folder)._store.group("return_guard"))


# -- several guards


def says(place, probability, cost, kind):
    """A guard that warns of every line."""

    def judge(store, moment, cart):
        n = len(cart.price)
        p = np.full(n, probability)

        def write(i, audience):
            return Suggestion(kind, "customer", moment.ids[0],
                              moment.words["items"].id(int(cart.lines.item[i])), probability, None,
                              Reason("newcomer", {"item": "it"}), options=("a", "b"))  # fmt: skip

        return Verdicts(p > 0, saving(p, cost, 1.0), np.full(n, place), write)

    return judge


def test_each_line_gets_the_warning_that_saves_most(returns_only, monkeypatch):
    """An avoided return saves 2 P - (1 - P); a fit that is surely better, its cost alone."""
    p = risks(returns_only, COATS)[0].probability
    worth = 2 * p - (1 - p)
    for cost, kinds in (
        (worth - 0.01, ["better_fit", "return_risk"]),
        (worth + 0.01, ["better_fit", "better_fit"]),
    ):
        fit = says(BETTER_FIT, 1.0, cost, "better_fit")
        monkeypatch.setattr(cart_check, "GUARDS", (fit, judge_returns))
        found = returns_only.check_cart("c001", COATS, as_of=LATER)
        assert sorted(one.kind for one in found) == kinds
        assert len({one.item_id for one in found}) == 2


def test_a_better_fit_waits_while_care_is_open_and_the_return_risk_speaks(
    returns_only, monkeypatch
):
    fit = says(BETTER_FIT, 1.0, 9.0, "better_fit")
    monkeypatch.setattr(cart_check, "GUARDS", (judge_returns, fit))
    complaint = {"customer_id": "c001", "event": "complaint", "timestamp": "2026-01-02"}
    open_ = returns_only.check_cart("c001", COATS, as_of=LATER, recent=[complaint])
    closed = returns_only.check_cart("c001", COATS, as_of=LATER)

    assert [one.kind for one in open_] == ["return_risk"]
    assert {one.kind for one in closed} == {"better_fit"}


# -- bad input


def test_unknown_items_and_repeated_lines_are_answered(scorer):
    cart = ["new", "coat-l", "new", "coat-l", "coat-s", "coat-l"]
    found = scorer.check_cart("c001", cart, as_of=LATER)

    assert len({one.item_id for one in found}) == len(found)
    assert scorer.check_cart("c001", ["new"], as_of=LATER) == []
    assert risks(scorer, cart)


@pytest.mark.parametrize(
    ("name", "value"),
    [("quantity", 0), ("quantity", -1), ("quantity", "two"), ("quantity", math.inf),
     ("price", -0.01), ("price", math.inf), ("price", -math.inf), ("price", "dear")],
)  # fmt: skip
def test_impossible_numbers_are_refused_by_line(scorer, name, value):
    cart = ["mug", {"item_id": "coat-l", name: value}]
    with pytest.raises(wrong.BadRowsError, match=f"line 1: {name}"):
        scorer.check_cart("c001", cart, as_of=LATER)


def test_a_missing_price_or_quantity_is_none(scorer):
    usual = told(scorer.check_cart("c001", COATS, as_of=LATER))
    for value in (None, math.nan, pd.NA):
        cart = [{"item_id": item, "price": value, "quantity": value} for item in COATS]
        assert told(scorer.check_cart("c001", cart, as_of=LATER)) == usual
    free = [{"item_id": item, "price": 0} for item in COATS]
    assert scorer.check_cart("c001", free, as_of=LATER) is not None


def test_a_moment_before_the_cutoff_is_refused(scorer):
    with pytest.raises(wrong.CutoffError, match="before the bundle's cutoff"):
        scorer.check_cart("c001", COATS, as_of="2025-12-30")


def test_ten_thousand_lines_are_checked_and_one_more_is_an_error(scorer):
    many = [f"new-{i}" for i in range(9_998)] + COATS

    assert {one.item_id for one in scorer.check_cart("c001", many, as_of=LATER)} >= {"coat-l"}
    with pytest.raises(wrong.ParameterError, match="10000 lines"):
        scorer.check_cart("c001", [*many, "mug"], as_of=LATER)


def test_a_warning_changes_no_cart(scorer):
    cart = [{"item_id": item, "quantity": 1} for item in COATS]
    before = json.dumps(cart)
    scorer.check_cart("c001", cart, as_of=LATER)

    assert json.dumps(cart) == before


def test_boxes_in_a_circle_and_items_that_cover_themselves_are_right():
    """a holds b and b holds a: each stands for the other; c covers itself: nothing does."""
    items = pd.DataFrame(
        {"contains": ["b|a", "a", None, "d"], "covered_by": [None, None, "c", "nowhere"]},
        index=list("abcd"),
    )
    assert substitutes(items).tolist() == [[1], [0], [-1], [-1], [-1]]


def test_a_shop_with_such_items_is_answered():
    rng = np.random.default_rng(1)
    items = pd.DataFrame({"item_id": list("abc"), "contains": ["b|a", "a", None],
                          "covered_by": [None, None, "c"]})  # fmt: skip
    day = pd.Timestamp("2025-01-01", tz="UTC")
    table = pd.DataFrame({
        "customer_id": [f"c{i}" for i in rng.integers(0, 40, 900)],
        "item_id": rng.choice(list("abc"), 900),
        "timestamp": day + pd.to_timedelta(rng.integers(0, 300, 900), "D"),
    })  # fmt: skip
    log = an.InteractionLog.from_frame(table, timezone="UTC", items=items)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        history = log.as_of("2025-12-01")
        scorer = Scorer(*make_state(an.Anticipator(random_state=0).fit(history), history))
        found = scorer.check_cart("c1", list("abc"), as_of="2025-12-01")

    assert {one.item_id for one in found} <= set("abc")


# -- the fit guard


@pytest.fixture(scope="module")
def fits():
    """A shop where boots come back and shoes are kept; both guards speak in it."""
    history = log_of(shop_rows(), items=SHOES, customers=WALKERS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", wrong.MinimumDataWarning)
        model = an.Anticipator(random_state=0).fit(history)
        model.return_guard_ = ReturnGuard(return_window_days=20, least_lift=1.0).fit(history)
        model.fit_guard_ = FitGuard(window_days=20, cost_misfit=2.0).fit(history)
    return model, history, without(Scorer(*make_state(model, history)), "guard")


LINES = [{"item_id": "boots", "price": 60.0}, {"item_id": "scarf", "quantity": 10.0},
         {"item_id": "gloves"}, {"item_id": "new"}]  # fmt: skip


def test_the_scorer_says_what_the_notebook_says_of_several_guards(fits):
    """Of each line the same kind, chance to the last bit, sentence, evidence and choices."""
    model, history, scorer = fits
    guards, spoken = [model.return_guard_, model.fit_guard_], set()
    for id_ in ["c001", "c002", "nobody", *history.customer_ids[::20].tolist()]:
        table = review_cart(pd.DataFrame(LINES).assign(customer_id=id_), history, guards)
        table = table[table["verdict"] == "warn"].set_index("item_id")
        found = {one.item_id: one for one in scorer.check_cart(id_, LINES, as_of=NOW)}

        assert set(found) == set(table.index)
        for item, one in found.items():
            line = table.loc[item]
            assert (one.kind, one.probability) == (line["kind"], line["probability"])
            assert one.reason.text() == line["reason"]
            assert list(one.options) == line["options"]
            assert json.loads(json.dumps(one.to_dict()))["evidence"] == line["evidence"]
            spoken.add(one.kind)
    assert spoken == {"better_fit", "quantity_slip", "return_risk"}


def test_a_better_fit_is_a_selling_kind(fits):
    """Not to c002, who objects to marketing; not while a complaint is open."""
    _, _, scorer = fits
    complaint = {"customer_id": "nobody", "event": "complaint", "timestamp": "2026-01-02"}

    def kinds(id_, **options):
        return {one.kind for one in scorer.check_cart(id_, LINES, as_of=LATER, **options)}

    assert "better_fit" in kinds("nobody")
    assert "better_fit" not in kinds("nobody", recent=[complaint])
    assert "better_fit" not in kinds("c002")
    assert "quantity_slip" in kinds("nobody", recent=[complaint])


def test_all_guards_say_in_a_cart_check_what_they_say_in_a_notebook(
    bookshop_model, bookshop_history
):
    """Thresholds so low that they speak: same kind, chance to the last bit and sentence."""
    model, history = copy.copy(bookshop_model), bookshop_history
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", wrong.MinimumDataWarning)
        model.fit_guard_ = FitGuard().fit(history)
    model.return_guard_ = ReturnGuard(least_lift=1.0).fit(history)
    model.return_guard_.threshold_ = 0.05
    low = np.array([np.inf, 0.02, 0.02])
    model.fit_guard_.slip_ = model.fit_guard_.slip_._replace(threshold=low)
    scorer = Scorer(*make_state(model, history))
    guards = [model.guard_, model.return_guard_, model.fit_guard_]
    rng, spoken = np.random.default_rng(0), set()
    for id_ in history.customer_ids[::12].tolist():
        own = history.item_ids[history.select([id_]).events.item[-4:]]
        items = list(dict.fromkeys([*rng.choice(history.item_ids, 5).tolist(), *own]))
        cart = pd.DataFrame({"item_id": items, "quantity": rng.choice([1.0, 10.0], len(items))})
        found = scorer.check_cart(id_, cart.to_dict("records"), as_of=history.cutoff)
        table = review_cart(cart.assign(customer_id=id_), history, guards).set_index("item_id")
        table = table[table["verdict"] == "warn"]

        assert {one.item_id for one in found} == set(table.index)
        for one in found:
            line = table.loc[one.item_id]
            kind = one.reason.code if one.kind == "duplicate_purchase" else one.kind
            assert (kind, one.probability) == (line["kind"], line["probability"])
            assert one.reason.text() == line["reason"]
            spoken.add(one.kind)
    assert spoken == {"duplicate_purchase", "quantity_slip", "return_risk"}
