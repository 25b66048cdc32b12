"""The load: a wrong answer, a lost generation or a failing server cannot pass unseen."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="the extra serve is not installed")

from anticipate.bundle.layout import read_pointer
from anticipate.serving import Scorer

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(scope="module")
def part():
    """``part("clients")`` is benchmarks/load_clients.py; its siblings are importable."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        yield lambda name: importlib.import_module(f"load_{name}" if name else "load")


@pytest.fixture
def load(part):
    question = part("questions").Question(b"", 0, {"gen-a": {"x": 1}, "gen-b": {"x": 2}})
    return part("clients").Load(0, [question], [], 0.0)


def told(load, status: int, **answer) -> dict[str, int]:
    body = json.dumps({"as_of": "2025-03-01", **answer}).encode()
    load.check(load.questions[0], status, body)
    return dict(load.tally.violations)


def test_the_answer_of_the_generation_named_is_right(load):
    assert told(load, 200, bundle="gen-a", x=1) == {}
    assert told(load, 200, bundle="gen-b", x=2) == {}
    assert load.tally.counts["right answers"] == 2


def test_another_generations_answer_is_wrong(load):
    assert told(load, 200, bundle="gen-a", x=2) == {"wrong answer": 1}


def test_a_generation_that_was_never_saved_is_told(load):
    assert told(load, 200, bundle="gen-c", x=1) == {"a generation that was never saved": 1}


def test_a_refusal_of_a_good_question_is_told(load):
    assert told(load, 503, detail="busy") == {"status 503 to a good question: busy": 1}


def test_questions_have_the_scorers_own_answers_and_mix_all_kinds(part, bookshop_bundle):
    generation = read_pointer(bookshop_bundle).generation
    scorer = Scorer.load(bookshop_bundle)
    questions = part("questions").make_questions({generation: scorer}, 60)
    paths = {one.request.split(b" ", 2)[1] for one in questions}
    asked = [json.loads(one.request[one.n_head :]) for one in questions]
    some = next(i for i, body in enumerate(asked) if "cart" in body and "n" not in body)

    assert paths == {b"/v1/suggest", b"/v1/check-cart", b"/v1/brief", b"/v1/churn"}
    assert any("customer_ids" in body for body in asked)
    assert questions[some].answers[generation]["customer_id"] == asked[some]["customer_id"]


@pytest.mark.slow
def test_twenty_seconds_of_load_do_no_harm(part, bookshop, bookshop_model):
    """Two cutoffs in turn, every 5 seconds; memory is judged by ``make load`` alone."""
    later = bookshop.as_of("2025-03-08")
    saves = [bookshop_model.save, lambda folder: bookshop_model.save(folder, history=later)]
    result = part("").run(saves, seconds=20, refresh_seconds=5, workers=2)
    rows = dict(result.rows)

    assert result.violations == {}
    assert rows["wrong answers"] == 0
    assert rows["bundles saved meanwhile"] >= 1
    assert not rows["right answers"].startswith("0 ")
