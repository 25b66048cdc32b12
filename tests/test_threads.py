"""Threads share scorers while bundles are swapped: every answer is that of one whole bundle."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from threading import Event

import pytest

from anticipate.bundle import open_bundle, write_bundle
from anticipate.serving import Scorer

AS_OF = "2025-03-10T10:00Z"
CART = ("B-1984-ebook", "K-ink")
IDS = ("C001", "C042", "C107", "C200", "nobody")
THREADS = 8


class Service:
    """What a back end does: one attribute, replaced when a fresh bundle is there."""

    def __init__(self, scorer):
        self.scorer = scorer


@pytest.fixture(scope="module")
def bundles(bookshop_model, bookshop, tmp_path_factory):
    """Manifest and arrays of the same model at two moments."""
    folder = tmp_path_factory.mktemp("two")
    paths = [
        bookshop_model.save(folder / day, bookshop.as_of(day))
        for day in ("2025-03-01", "2025-03-08")
    ]
    return [open_bundle(path) for path in paths]


@pytest.fixture(scope="module")
def answers(bundles):
    """Whole answers of each bundle, asked alone."""
    return [{id_: ask(Scorer(*bundle), id_) for id_ in IDS} for bundle in bundles]


def ask(scorer, id_):
    """Three questions to one scorer, as one text: floats by their shortest exact digits."""
    rows = [{"customer_id": id_, "item_id": "K-ink", "timestamp": "2025-03-09", "event": "wish"}]
    asked = {"as_of": AS_OF, "recent": rows}
    shown = scorer.suggest(id_, cart=CART, n=5, audience="staff", **asked)
    warned = scorer.check_cart(id_, CART, **asked)
    churn = scorer.churn([id_], **asked).to_dict("list")
    return repr(([one.to_dict() for one in shown], [one.to_dict() for one in warned], churn))


def asked_while(work, question, n):
    """n answers of each of 8 threads while ``work`` runs again and again."""
    done = Event()

    def keep_working():
        while not done.is_set():
            work()

    def keep_asking(number):
        return [question(id_) for id_ in islice(cycle(IDS[number % len(IDS) :] + IDS), n)]

    with ThreadPoolExecutor(THREADS + 1) as pool:
        worker = pool.submit(keep_working)
        try:
            found = [one for part in pool.map(keep_asking, range(THREADS)) for one in part]
        finally:
            done.set()
        worker.result()
    return found


def swapped(bundles, n):
    scorers = cycle([Scorer(*bundle) for bundle in bundles])
    service = Service(next(scorers))

    def swap():
        service.scorer = next(scorers)

    return asked_while(swap, lambda id_: (id_, ask(service.scorer, id_)), n)


def saved_again(bundles, folder, n):
    """Two bundles saved into one folder in turn, loaded by every question anew."""
    own = ("files", "format_version", "libraries")
    contents = cycle(
        [
            ({name: part for name, part in manifest.items() if name not in own}, arrays)
            for manifest, arrays in bundles
        ]
    )
    write_bundle(folder, *next(contents))

    def save():
        write_bundle(folder, *next(contents))

    def question(id_):
        return id_, ask(Scorer.load(folder, verify="structure"), id_)

    return asked_while(save, question, n)


def test_two_bundles_answer_differently(answers):
    """Else the other tests would prove nothing."""
    assert all(answers[0][id_] != answers[1][id_] for id_ in IDS if id_ != "nobody")


def test_swapped_scorers_give_answers_of_one_whole_bundle(bundles, answers):
    found = swapped(bundles, 3)

    assert all(said in (answers[0][id_], answers[1][id_]) for id_, said in found)


def test_a_folder_saved_again_gives_answers_of_one_whole_bundle(bundles, answers, tmp_path):
    found = saved_again(bundles, tmp_path / "b", 1)

    assert all(said in (answers[0][id_], answers[1][id_]) for id_, said in found)


@pytest.mark.slow
def test_long_swaps_and_saves(bundles, answers, tmp_path):
    found = swapped(bundles, 60) + saved_again(bundles, tmp_path / "b", 10)

    assert {said for _, said in found} <= {said for one in answers for said in one.values()}
    for id_ in IDS:
        seen = {said for asked, said in found if asked == id_}
        assert seen == {answers[0][id_], answers[1][id_]}
