"""Forgetting customers: no byte of them stays, nobody else's answer moves, no moment breaks it."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from renamed_shop import renamed_history, renamed_model

from anticipate import Anticipator, Scorer
from anticipate.anticipator.forget import Forgotten, forget_customers
from anticipate.bundle import open_bundle, write_bundle
from anticipate.bundle.disk import only_writer
from anticipate.exceptions import BundleError, IdTypeError, OutputError
from anticipate.needs.sources import EVERY
from anticipate.needs.tables import Tables
from anticipate.serving import by_customer
from anticipate.serving.by_customer import CUSTOMERS, TEXTS, Kind, rows_of, unknown_arrays
from anticipate.serving.checks.rules import ANYTHING, Codes, Offsets
from anticipate.serving.checks.schema import Group, Stored

AS_OF = "2025-03-09T12:00Z"
GONE = (0, 7, 133, -1)  # the first, two within, the last: the sources refer to all but the first
CART = ["B-1984-ebook", {"item_id": "K-coffee-beans", "quantity": 3, "price": 9.0}]


@pytest.fixture(scope="module")
def shop(bookshop_history):
    return renamed_history(bookshop_history)


@pytest.fixture(scope="module")
def shop_model(bookshop_model, bookshop_history, shop):
    return renamed_model(bookshop_model, bookshop_history, shop)


@pytest.fixture(scope="module")
def saved(shop_model, tmp_path_factory):
    return shop_model.save(tmp_path_factory.mktemp("renamed") / "shop.bundle")


@pytest.fixture
def bundle(saved, tmp_path):
    return shutil.copytree(saved, tmp_path / "shop.bundle")


@pytest.fixture(scope="module")
def gone(shop):
    return shop.customer_ids[list(GONE)].tolist()


@pytest.fixture(scope="module")
def forgetful(saved, gone, tmp_path_factory):
    """A copy of the bundle that forgot the customers; one id was given twice, three are unknown."""
    path = shutil.copytree(saved, tmp_path_factory.mktemp("forgotten") / "shop.bundle")
    given = [*gone, gone[0], "unknown 1", "unknown 2", "unknown 3"]
    return path, forget_customers(path, given)


@pytest.fixture(scope="module")
def before_and_after(saved, forgetful):
    """The scorer of the bundle, and that of a copy which forgot the customers."""
    return Scorer.load(saved), Scorer.load(forgetful[0])


@pytest.fixture(scope="module")
def recent(shop):
    """Of every fourth customer, and of one nobody knows: purchases, views, complaints, returns."""
    ids = [*shop.customer_ids[::4].tolist(), "somebody new"]
    rows = pd.DataFrame({"customer_id": np.repeat(ids, 3)})
    rows["item_id"] = np.resize(["K-coffee-beans", "B-1984-ebook", "K-tea-earl"], len(rows))
    rows["event"] = np.resize(["purchase", "view", "complaint", "return", "resolved"], len(rows))
    rows["timestamp"] = pd.Timestamp("2025-03-03T10:00Z") + pd.to_timedelta(
        np.arange(len(rows)), unit="min"
    )
    rows["order_id"] = [f"new order {number}" for number in range(len(rows))]
    rows["reason"] = np.resize(["damaged", "a topic nobody named before"], len(rows))
    return rows


def without_filled_in(manifest):
    """As ``write_bundle`` wants it."""
    own = ("files", "format_version", "libraries")
    return {name: value for name, value in manifest.items() if name not in own}


def bytes_below(path):
    return {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}


def secrets_of(history, ids):
    """Ids, and what only these customers' rows hold: orders, event ids, topics, channels."""
    table = history.to_pandas()
    own = table["customer_id"].isin(ids)
    words = {
        name: set(table.loc[own, name].dropna()) - set(table.loc[~own, name].dropna())
        for name in ("order_id", "event_id", "reason", "channel")
    }
    level = history.customers["level"]
    words["level"] = set(level[ids]) - set(level.drop(ids))
    assert all(words.values())
    return set(ids).union(*words.values()), words


def test_no_byte_of_the_forgotten_is_left(bundle, shop, gone):
    """Not in the generation in use, nor in older ones, nor in what a crashed save left."""
    manifest, arrays = open_bundle(bundle)
    golden = json.dumps(manifest["golden"]).replace('"~"', f'"{gone[-1]}~"')  # as once saved
    write_bundle(bundle, without_filled_in(manifest) | {"golden": json.loads(golden)}, arrays)
    crashed = bundle / ".anticipate-tmp-0123456789abcdef" / "generation"
    shutil.copytree(next(bundle.glob("gen-*")), crashed)
    secrets, words = secrets_of(shop, gone)
    stored = secrets - words["event_id"]  # no bundle holds their text
    content = b"".join(bytes_below(bundle).values())
    assert all(secret.encode() in content for secret in stored)

    forget_customers(bundle, gone)

    content = b"".join(bytes_below(bundle).values())
    assert not [secret for secret in secrets if secret.encode() in content]
    tails = {secret[-12:].encode() for secret in secrets}
    assert not any(tail in content for tail in tails)
    names = sorted(entry.name for entry in bundle.iterdir())
    assert names == ["CURRENT", (bundle / "CURRENT").read_text().split()[0]]
    others = secrets_of(shop, shop.customer_ids[[14, 21]].tolist())
    assert all(kept.encode() in content for kept in others[0] - others[1]["event_id"])


def test_whole_number_ids_leave_no_byte_either(bookshop_model, bookshop_history, tmp_path):
    """An id of 60 random bits, as eight bytes and as digits; the last one names the golden rows."""
    history = renamed_history(bookshop_history, whole=True)
    path = renamed_model(bookshop_model, bookshop_history, history).save(tmp_path / "b")
    gone = history.customer_ids[list(GONE)]
    forms = [
        form for id_ in gone.tolist() for form in (id_.to_bytes(8, "little"), str(id_).encode())
    ]
    assert forms[0] in b"".join(bytes_below(path).values())

    assert forget_customers(path, gone).n_forgotten == 4

    content = b"".join(bytes_below(path).values())
    assert not any(form in content for form in forms)
    assert (
        Scorer.load(path).customer_ids().tolist() == np.delete(history.customer_ids, GONE).tolist()
    )


def test_everybody_else_is_answered_with_the_same_bits(before_and_after, shop, gone, recent):
    before, after = before_and_after
    others = [id_ for id_ in shop.customer_ids.tolist() if id_ not in gone]
    assert after.customer_ids().tolist() == others
    for moment in ({"as_of": AS_OF}, {"as_of": AS_OF, "recent": recent}):
        many = [scorer.suggest_many(others[::2], **moment) for scorer in (before, after)]
        pd.testing.assert_frame_equal(*many, check_exact=True)
        churns = [scorer.churn(others, **moment) for scorer in (before, after)]
        pd.testing.assert_frame_equal(*churns, check_exact=True)
        for id_ in others[::16]:
            told = [all_about(scorer, id_, moment) for scorer in (before, after)]
            assert told[0] == told[1]


def all_about(scorer, id_, moment):
    """Suggestions to staff and customer, a cart checked and the brief, as one text."""
    found = [
        one.to_dict()
        for audience in ("customer", "staff")
        for one in (
            *scorer.suggest(id_, cart=CART, n=9, audience=audience, **moment),
            *scorer.check_cart(id_, CART, audience=audience, **moment),
        )
    ]
    return json.dumps([found, scorer.brief(id_, **moment)])


def test_the_forgotten_are_answered_like_anyone_unknown(before_and_after, gone, recent):
    before, after = before_and_after
    for id_ in gone:
        rows = recent.head(4)
        for moments in (
            [{"as_of": AS_OF}] * 2,
            [{"as_of": AS_OF, "recent": rows.assign(customer_id=who)} for who in (id_, "no one")],
        ):
            told = [
                all_about(after, who, moment).replace(who, "no one")
                for who, moment in zip((id_, "no one"), moments, strict=True)
            ]
            assert told[0] == told[1]
            assert told[0] != all_about(before, id_, moments[0]).replace(id_, "no one")


def test_ids_are_counted_never_named(forgetful, shop, gone):
    """Four of seven ids are known; their events are those of the history. Again: nobody is left."""
    path, told = forgetful
    n_events = int(shop.to_pandas()["customer_id"].isin(gone).sum())
    assert told == Forgotten(7, 4, n_events)
    manifest, arrays = open_bundle(path)
    assert manifest["n_customers"] == shop.n_customers - 4
    assert manifest["n_events"] == shop.n_events - n_events == arrays["events__offsets"][-1]

    before = bytes_below(path)
    assert forget_customers(path, gone) == Forgotten(4, 0, 0)
    assert bytes_below(path) == before


def test_the_models_have_no_reference_of_the_forgotten(forgetful, shop, gone):
    """Loaded again they rank anyone, whom they forgot too."""
    model = Anticipator.load(forgetful[0])
    sources = model.needs_.fitted_.tables.sources
    remembering = [one.references for one in sources.values() if hasattr(one, "references")]
    assert len(remembering) == 3
    for references in remembering:
        assert len(references.ids) > 100
        assert not set(references.ids) & set(gone)
        assert references.owner.max() == len(references.ids) - 1
    asked = [gone[1], shop.customer_ids[1]]
    assert set(model.needs_.recommend(shop, customers=asked)["customer_id"]) == set(asked)


def test_a_bundle_that_forgot_everybody_still_answers(bundle, shop):
    assert forget_customers(bundle, shop.customer_ids).n_forgotten == shop.n_customers

    scorer = Scorer.load(bundle)
    assert len(scorer.customer_ids()) == 0
    assert scorer.suggest("anyone", as_of=AS_OF)
    assert len(scorer.churn(as_of=AS_OF)) == 0
    assert Anticipator.load(bundle).needs_.recommend(shop, customers=shop.customer_ids[:2]).size
    assert forget_customers(bundle, ["anyone"]) == Forgotten(1, 0, 0)


# -- what is refused ----------------------------------------------------------------


def test_ids_of_another_type_are_refused(bundle):
    before = bytes_below(bundle)
    with pytest.raises(IdTypeError, match="text"):
        forget_customers(bundle, [1, 2])
    assert bytes_below(bundle) == before


def test_an_array_that_the_table_does_not_know_stops_it(bundle, gone):
    manifest, arrays = open_bundle(bundle)
    extended = {**arrays, "model_part_needs__diary": np.zeros(3)}
    write_bundle(bundle, without_filled_in(manifest), extended)
    before = bytes_below(bundle)

    with pytest.raises(BundleError, match=r"cannot tell.*model_part_needs__diary"):
        forget_customers(bundle, gone)
    assert bytes_below(bundle) == before


def test_a_damaged_bundle_is_refused_by_the_files_name(bundle, gone):
    file = next(bundle.glob("gen-*/events__price.npy"))
    file.write_bytes(file.read_bytes()[:-1] + b"\1")
    with pytest.raises(BundleError, match=r"events__price\.npy"):
        forget_customers(bundle, gone)


def test_a_second_writer_is_turned_away(bundle, gone):
    with only_writer(bundle), pytest.raises(OutputError, match="another process"):
        forget_customers(bundle, gone)


# -- the table of arrays --------------------------------------------------------------


def test_every_array_of_a_bundle_is_listed_with_its_rows(saved):
    """By customer: one row each, or runs; of what is about items, none is as long as customers."""
    manifest, arrays = open_bundle(saved)
    n, n_events = manifest["n_customers"], manifest["n_events"]
    assert unknown_arrays(arrays) == []
    for name, array in arrays.items():
        kind, runs, _ = rows_of(name)
        if kind is Kind.ONE_EACH:
            assert len(array) == n, name
        elif kind is Kind.OFFSETS:
            assert array.shape == (n + 1,), name
        elif kind is Kind.RUNS:
            assert len(array) in (arrays[runs][-1], 1), name
        elif kind is Kind.NONE:
            assert not {n, n + 1, n_events, n_events + 1} & set(array.shape), name
        elif kind is Kind.INDEX:
            assert name in {f"{CUSTOMERS}__{text}" for text in TEXTS}
    named = {name: rows_of(name).words for name in arrays if rows_of(name).kind is not Kind.WORDS}
    coded = {name: words for name, words in named.items() if words}
    assert coded == {
        "events__channel": "channels",
        "events__order": "orders",
        "events__reason": "reasons",
        "levels__code": "levels",
    }
    texts = {rows_of(name).words for name in arrays if rows_of(name).kind is Kind.WORDS}
    assert texts == set(coded.values())


def told_by(monkeypatch, *groups):
    """What the table of arrays would say with these groups beside its own."""
    monkeypatch.setattr(by_customer, "GROUPS", (*by_customer.GROUPS, *groups))
    monkeypatch.setattr(by_customer, "_READ", by_customer._read_by_scorers())
    return rows_of


def test_a_new_array_is_told_by_its_shape(monkeypatch):
    """Runs of notes by customer, whose texts only they name; a friend would be someone's code."""
    notes = {
        "offsets": Stored("<i8", "n_customers + 1", Offsets("n_notes")),
        "topic": Stored("<i4", "n_notes", Codes("n_topics")),
        "friend": Stored("<i4", "n_notes", Codes("n_customers")),
        "seen": Stored("<f8", "n_customers, 3", ANYTHING),
    }
    topics = {
        "offsets": Stored("<i8", "n_topics + 1", Offsets("n_topic_bytes")),
        "bytes": Stored("|u1", "n_topic_bytes", ANYTHING),
        "of_items": Stored("<i4", "n_items", Codes("n_topics")),
    }
    told = told_by(monkeypatch, Group("notes__", (notes,)), Group("topics__", (topics,)))

    assert told("notes__offsets") == (Kind.OFFSETS, "", "")
    assert told("notes__topic") == (Kind.RUNS, "notes__offsets", "topics")
    assert told("notes__seen") == (Kind.ONE_EACH, "", "")
    assert told("topics__bytes") == told("topics__offsets") == (Kind.WORDS, "", "topics")
    assert told("notes__friend") is None  # nobody would follow the codes
    assert told("topics__of_items") is None
    assert told("events__order") == (Kind.RUNS, "events__offsets", "orders")


def test_every_array_of_every_source_is_listed(shop_model, shop):
    """Those that training left out, too: what one learns of single customers is a reference."""
    clock = shop_model.needs_.fitted_.tables.clock
    tables, _ = Tables.learn(shop, clock, np.random.RandomState(0))
    assert set(tables.sources) == set(EVERY)
    arrays = {f"model_part_needs__tables_{name}": a for name, a in tables.to_arrays().items()}

    assert unknown_arrays(arrays) == []
    own = {name: rows_of(f"model_part_needs__tables_source.{name}.owner") for name in EVERY}
    remembering = {name for name in EVERY if hasattr(EVERY[name], "without")}
    assert {name for name in EVERY if own[name]} == remembering
    for name, array in arrays.items():
        if rows_of(name).kind is Kind.NONE:
            assert not {shop.n_customers, shop.n_customers + 1} & set(array.shape), name
