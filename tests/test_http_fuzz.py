"""Anything may be sent: it becomes a question, or a problem that repeats nothing of it."""

from __future__ import annotations

import asyncio
import json
import math
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from anticipate.serving.http import questions
from anticipate.serving.http.body import read_json
from anticipate.serving.http.problems import MOST_SHOWN, Problem, of_validation

KINDS = [
    TypeAdapter(kind)
    for kind in (questions.Suggest, questions.Check, questions.Churn, questions.Brief)
]
MARK = "Zaphod-4711"  # stands in everything of the caller's own making
NAMES = sorted(
    {*questions.Row.__annotations__, *questions.Line.__annotations__}
    | {name for kind in (questions.SuggestOne, questions.SuggestMany, questions.CheckMany)
       for name in kind.model_fields}
)  # fmt: skip
texts = st.text(max_size=8).map(lambda text: text + MARK)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
keys = st.sampled_from(NAMES) | texts


def made_of(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=5),
        max_leaves=20,
    )


def read(content: bytes) -> Any:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": content, "more_body": False}

    scope = {"headers": [(b"content-type", b"application/json")]}
    return asyncio.run(read_json(scope, receive))


@settings(max_examples=60)
@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: text.encode("utf-8")))
def test_any_bytes_are_json_or_a_problem(content):
    try:
        value = read(content)
    except Problem as problem:
        status = problem.status
    else:
        status = 200 if value == json.loads(content) else None
    assert status in (200, 400)


@settings(max_examples=100)
@given(st.dictionaries(keys, made_of(scalars), max_size=6))
def test_any_object_is_a_question_or_a_problem_that_repeats_nothing(value):
    for kind in KINDS:
        try:
            kind.validate_python(value)
        except ValidationError as error:
            problem = of_validation(error)
            told = problem.response().body.decode()
            assert problem.status == 422
            assert 1 <= len(problem.errors) <= MOST_SHOWN
            assert MARK not in told
            for fault in problem.errors:
                steps = fault.location.split("/")[1:]
                assert all(step.isdigit() or step in NAMES for step in steps)


@settings(max_examples=40)
@given(made_of(scalars.filter(lambda one: not isinstance(one, float) or math.isfinite(one))))
def test_what_is_read_is_what_was_written(value):
    assert read(json.dumps(value).encode()) == value
