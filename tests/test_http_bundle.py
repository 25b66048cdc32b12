"""The bundle behind HTTP: waited for, followed, swapped whole; and what the metrics tell."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from pathlib import Path

import pytest
from http_app import AS_OF, client_of, problem_of, wait_until
from starlette.testclient import TestClient

from anticipate import Scorer
from anticipate.bundle.layout import CURRENT, read_pointer
from anticipate.serving.http import answers
from anticipate.serving.http import current as current_module
from anticipate.serving.http.app import make_app
from anticipate.serving.http.current import CurrentBundle
from anticipate.serving.http.metrics import Metrics
from anticipate.serving.http.problems import Problem
from anticipate.serving.http.route import MOST_WAITING, Threads

LATER = "2025-03-08T10:00:00+00:00"  # after the cutoffs of both generations


@pytest.fixture(scope="module")
def later_bundle(bookshop_model, bookshop, tmp_path_factory):
    """The same model, a week of history more."""
    path = tmp_path_factory.mktemp("later") / "shop.bundle"
    return bookshop_model.save(path, history=bookshop.as_of("2025-03-08"))


def put(source: Path, folder: Path) -> str:
    """Copy a generation and flip ``CURRENT`` to it, as a deployment does; its name."""
    folder.mkdir(exist_ok=True)
    name = read_pointer(source).generation
    if not (folder / name).exists():
        shutil.copytree(source / name, folder / name)
    shutil.copy(source / CURRENT, folder / "next")
    os.replace(folder / "next", folder / CURRENT)
    return name


def ask(client, **more):
    body = {"customer_id": "C042", "as_of": LATER, "n": 5, **more}
    return client.post("/v1/suggest", json=body)


def refresh(client) -> None:
    client.app.state.service.current.refresh()


def test_before_a_bundle_is_there_all_but_life_is_refused(bookshop_bundle, tmp_path):
    folder = tmp_path / "shop.bundle"
    with TestClient(make_app(folder)) as client:
        assert client.get("/healthz").json() == {"status": "alive"}
        for refused in (client.get("/readyz"), ask(client)):
            problem_of(refused, 503)
            assert refused.headers["retry-after"] == "1"

        name = put(bookshop_bundle, folder)
        refresh(client)

        ready = client.get("/readyz").json()
        assert (ready["bundle"], ready["cutoff"]) == (name, "2025-03-01T00:00:00+00:00")
        assert ask(client).json()["bundle"] == name


def test_a_new_generation_is_found_without_a_restart(bookshop_bundle, later_bundle, tmp_path):
    folder = tmp_path / "shop.bundle"
    old = put(bookshop_bundle, folder)
    with client_of(folder, refresh_seconds=0.05) as client:
        assert ask(client).json()["bundle"] == old
        new = put(later_bundle, folder)
        wait_until(lambda: ask(client).json()["bundle"] == new)
        assert client.get("/readyz").json()["cutoff"] == "2025-03-08T00:00:00+00:00"
        told = problem_of(ask(client, as_of=AS_OF), 422)

    assert "before the bundle's cutoff" in told["detail"]


@pytest.mark.parametrize("verify", ["structure", "full"])
def test_a_bad_generation_is_counted_and_the_old_one_goes_on(
    bookshop_bundle, later_bundle, tmp_path, verify, caplog
):
    folder = tmp_path / "shop.bundle"
    old = put(bookshop_bundle, folder)
    with client_of(folder, verify=verify) as client:
        before = ask(client).json()
        new = put(later_bundle, folder)
        victim = next((folder / new).glob("events__*.npy"))
        victim.write_bytes(victim.read_bytes()[:-1])
        refresh(client)
        refresh(client)  # not tried again at once

        assert ask(client).json() == before
        assert client.get("/readyz").json()["bundle"] == old
        assert 'reloads_total{result="failed"} 1.0' in client.get("/metrics").text
        assert f"{old} goes on" in caplog.text
        assert victim.name in caplog.text

        shutil.copy(later_bundle / new / victim.name, victim)  # it was still on its way
        client.app.state.service.current._refused = None
        refresh(client)
        assert ask(client).json()["bundle"] == new


def test_whatever_a_bundle_does_the_service_follows_on(
    bookshop_bundle, later_bundle, tmp_path, monkeypatch, caplog
):
    """An error that no one foresaw ends neither the service nor its watch."""
    folder = tmp_path / "shop.bundle"
    old = put(bookshop_bundle, folder)
    with client_of(folder) as client:
        with monkeypatch.context() as patch:
            patch.setattr(Scorer, "load", lambda *_, **__: {}["what a customer said"])
            put(later_bundle, folder)
            refresh(client)
        assert ask(client).json()["bundle"] == old
        assert "KeyError at " in caplog.text
        assert "what a customer said" not in caplog.text

        monkeypatch.setattr(current_module, "RETRY_SECONDS", 0.0)
        refresh(client)
        assert ask(client).json()["bundle"] != old


def test_a_bundle_replaced_while_it_is_opened_counts_as_no_failure(
    bookshop_bundle, later_bundle, tmp_path, monkeypatch
):
    folder, metrics, load = tmp_path / "shop.bundle", Metrics(), Scorer.load
    put(bookshop_bundle, folder)
    current = CurrentBundle(folder, "structure", metrics)

    def slow_load(*path, **options):
        put(later_bundle, folder)
        return load(*path, **options)

    monkeypatch.setattr(Scorer, "load", slow_load)
    current.refresh()
    assert current.in_use is None
    current.refresh()

    assert current.in_use.generation == read_pointer(later_bundle).generation
    assert b'reloads_total{result="failed"} 0.0' in metrics.text()


@pytest.mark.parametrize("many", [False, True])
def test_a_bundle_swapped_while_an_answer_is_made_is_not_in_it(
    bookshop_bundle, later_bundle, tmp_path, monkeypatch, many
):
    folder = tmp_path / "shop.bundle"
    old = put(bookshop_bundle, folder)
    suggest = answers.suggest

    def suggest_and_swap(*asked):
        found = suggest(*asked)
        put(later_bundle, folder)
        client.app.state.service.current.refresh()
        return found

    with client_of(folder, refresh_seconds=3600) as client:
        before = client.post("/v1/suggest", json=_question(many)).json()
        monkeypatch.setattr(answers, "suggest", suggest_and_swap)
        during = client.post("/v1/suggest", json=_question(many)).json()
        after = client.post("/v1/suggest", json=_question(many)).json()

    assert before == during
    assert (before["bundle"], after["bundle"]) == (old, read_pointer(later_bundle).generation)


def test_each_answer_is_of_one_whole_bundle(bookshop_bundle, later_bundle, tmp_path):
    """Two generations take turns while four threads ask; every answer is that of its bundle."""
    folder = tmp_path / "shop.bundle"
    expected = {}
    for source in (later_bundle, bookshop_bundle):
        name = put(source, folder)
        found = Scorer.load(folder).suggest("C042", as_of=LATER, n=5)
        expected[name] = [one.to_dict() for one in found]
    first, second = expected
    assert expected[first] != expected[second]
    wrong, seen, over = [], set(), threading.Event()

    with client_of(folder, refresh_seconds=3600) as client:

        def watch(many: bool) -> None:
            while not over.is_set():
                answer = client.post("/v1/suggest", json=_question(many)).json()
                result = answer["results"][0] if many else answer
                seen.add(answer["bundle"])
                if result["suggestions"] != expected[answer["bundle"]]:
                    wrong.append(answer["bundle"])

        threads = [threading.Thread(target=watch, args=(many,)) for many in (True, False) * 2]
        for thread in threads:
            thread.start()
        for source in (later_bundle, bookshop_bundle) * 2:
            put(source, folder)
            refresh(client)
        over.set()
        for thread in threads:
            thread.join()

    assert wrong == []
    assert seen == set(expected)


def _question(many: bool) -> dict[str, object]:
    who = {"customer_ids": ["C042"]} if many else {"customer_id": "C042"}
    return {**who, "as_of": LATER, "n": 5}


def test_the_metrics_tell_routes_statuses_and_times_and_no_customer(bookshop_bundle):
    with client_of(bookshop_bundle) as client:
        for _ in range(3):
            assert ask(client).status_code == 200
        ask(client, n=99)
        client.get("/C042?customer=C042")
        told = client.get("/metrics")

    assert told.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = told.text.splitlines()
    assert 'anticipate_requests_total{route="/v1/suggest",status="200"} 3.0' in lines
    assert 'anticipate_requests_total{route="/v1/suggest",status="422"} 1.0' in lines
    assert 'anticipate_requests_total{route="unknown",status="404"} 1.0' in lines
    assert 'anticipate_request_seconds_count{route="/v1/suggest"} 4.0' in lines
    assert 'anticipate_bundle_reloads_total{result="ok"} 1.0' in lines
    assert "anticipate_bundle_cutoff_timestamp_seconds 1.7407872e+09" in lines
    assert "C042" not in told.text


def test_draining_is_not_ready_and_still_answers(bookshop_bundle):
    with client_of(bookshop_bundle) as client:
        client.app.state.service.draining = True
        problem_of(client.get("/readyz"), 503)
        assert client.get("/healthz").status_code == 200
        assert ask(client).status_code == 200


def test_batches_that_pile_up_are_refused_before_the_memory_is_full():
    async def pile_up():
        threads, release = Threads(), threading.Event()
        waiting = [asyncio.create_task(threads.run(release.wait)) for _ in range(MOST_WAITING)]
        await asyncio.sleep(0)
        with pytest.raises(Problem) as refused:
            await threads.run(release.wait)
        release.set()
        await asyncio.gather(*waiting)
        assert await threads.run(lambda: 7) == 7
        threads.close()
        return refused.value

    problem = asyncio.run(pile_up())

    assert (problem.status, problem.headers) == (503, {"retry-after": "1"})
