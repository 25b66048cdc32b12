"""The id index: codes are ranks, types survive, equal hashes are told apart."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from anticipate.exceptions import IdTypeError, ParameterError
from anticipate.kernels import ids as ids_module
from anticipate.kernels.ids import build_id_index, id_at, ids_at, lookup, lookup_many

TEXTS = ["", "C1", "C10", "C2", "\x00", "née", "김철수", "🐻"]
VOCABULARIES = {
    "text": sorted(TEXTS),
    "int": [-5, 0, 7, 2**40, 2**63 - 1],
    "uint": [3, 2**63, 2**64 - 1],
}


@pytest.mark.parametrize("known", VOCABULARIES.values(), ids=VOCABULARIES.keys())
def test_a_code_is_the_rank_in_the_sorted_vocabulary(known: list[Any]):
    index = build_id_index(known)

    assert [lookup(index, id_) for id_ in known] == list(range(len(known)))
    assert lookup_many(index, known).tolist() == list(range(len(known)))
    assert [id_at(index, code) for code in range(len(known))] == known


def test_an_id_keeps_its_type():
    assert type(id_at(build_id_index(np.array([4, 9])), 1)) is int
    assert type(id_at(build_id_index(np.array(["4", "9"], dtype=object)), 1)) is str
    assert ids_at(build_id_index([4, 9]), np.array([1, 0, 1])).tolist() == [9, 4, 9]
    assert ids_at(build_id_index([4, 9]), np.array([], dtype=np.int32)).dtype == np.int64
    assert ids_at(build_id_index(["4", "9"]), np.array([1, 0])).tolist() == ["9", "4"]


def test_numpy_scalars_are_ids_too():
    assert lookup(build_id_index([4, 9]), np.int32(9)) == 1
    assert lookup(build_id_index(["4", "9"]), np.str_("9")) == 1


# -- edge --------------------------------------------------------------------------


def test_unknown_ids_have_code_minus_one():
    numbers, texts = build_id_index(VOCABULARIES["int"]), build_id_index(VOCABULARIES["text"])
    large = build_id_index(VOCABULARIES["uint"])

    assert [lookup(numbers, id_) for id_ in (-6, 1, 2**63, 2**70)] == [-1] * 4
    assert lookup_many(numbers, [1, 7, -6, 2**40 + 1, 2**70]).tolist() == [-1, 2, -1, -1, -1]
    assert lookup_many(numbers, np.array([1, 7, -6, 2**40])).tolist() == [-1, 2, -1, 3]
    assert lookup_many(numbers, np.array([2**63, 2**63 - 1], dtype=np.uint64)).tolist() == [-1, 4]
    assert [lookup(large, id_) for id_ in (-1, 4, 2**63 - 1)] == [-1] * 3
    assert lookup_many(large, np.array([-1, 3])).tolist() == [-1, 0]
    assert [lookup(texts, id_) for id_ in ("C", "C11", "C1\x00", "c1", "\x00\x00")] == [-1] * 5
    assert lookup_many(texts, ["C2", "C3"]).tolist() == [lookup(texts, "C2"), -1]


def test_an_empty_vocabulary_knows_nobody():
    index = build_id_index([])

    assert lookup(index, "C1") == -1
    assert lookup_many(index, ["C1", "C2"]).tolist() == [-1, -1]
    assert lookup_many(index, []).tolist() == []
    assert ids_at(index, np.array([], dtype=np.int64)).tolist() == []


def test_ids_of_equal_hash_are_told_apart(monkeypatch: pytest.MonkeyPatch):
    """With all hashes made 7, only the exact comparison is left."""
    monkeypatch.setattr(ids_module, "_hash", lambda raw: 7)
    known = [f"C{number:03d}" for number in range(50)]
    index = build_id_index(known)

    assert set(index["hashes"].tolist()) == {7}
    assert [lookup(index, id_) for id_ in known] == list(range(50))
    assert lookup(index, "C050") == -1


def test_another_type_is_refused():
    numbers, texts = build_id_index([1, 2]), build_id_index(["1", "2"])

    for wrong in ("1", 1.0, True, None):
        with pytest.raises(IdTypeError, match="integers"):
            lookup(numbers, wrong)  # type: ignore[arg-type]
    with pytest.raises(IdTypeError, match="text"):
        lookup(texts, 1)
    with pytest.raises(IdTypeError, match="text"):
        lookup_many(texts, np.array([1, 2]))
    with pytest.raises(IdTypeError, match="integers"):
        lookup_many(numbers, ["1"])
    with pytest.raises(IdTypeError, match="float64"):
        lookup_many(numbers, np.array([1.0]))


@pytest.mark.parametrize("mixed", [["a", 1], [1, "a"], [1.5], [True, 2], [2**64], [-1, 2**63]])
def test_a_mixed_vocabulary_is_refused(mixed: list[Any]):
    with pytest.raises(IdTypeError):
        build_id_index(mixed)


@pytest.mark.parametrize("wrong", [["b", "a"], ["a", "a"], [2, 1], [1, 1]])
def test_an_unsorted_vocabulary_is_refused(wrong: list[Any]):
    with pytest.raises(ParameterError, match="sorted"):
        build_id_index(wrong)


def test_a_code_out_of_range_is_refused():
    for index in (build_id_index(["a"]), build_id_index([1])):
        for code in (-1, 1):
            with pytest.raises(IndexError, match="holds 1"):
                id_at(index, code)
            with pytest.raises(IndexError, match="holds 1"):
                ids_at(index, np.array([code]))


# -- law ---------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_every_id_finds_itself_and_no_other(seed: int):
    rng = np.random.default_rng(seed)
    drawn = {"".join(map(chr, rng.integers(32, 0x2FF, rng.integers(1, 30)))) for _ in range(500)}
    known, unknown = sorted(drawn)[::2], sorted(drawn)[1::2]
    index = build_id_index(known)

    assert lookup_many(index, known).tolist() == list(range(len(known)))
    assert set(lookup_many(index, unknown).tolist()) == {-1}
    assert ids_at(index, np.arange(len(known))).tolist() == known


def test_the_order_of_text_is_that_of_python():
    """UTF-8 bytes and code points sort alike, also beyond 16 bits and for lone surrogates."""
    known = sorted(["z", "é", "\ud800", "\uffff", "\U0001f43b"])

    assert ids_at(build_id_index(known), np.arange(5)).tolist() == known


def test_text_that_counts_does_not_collide():
    """Modulo 2**61 - 1, byte 8 weighs 2**64 = 8 times byte 0: '80000000 0' met '00000000 1'."""
    known = sorted(f"{first}0000000{ninth}" for first in range(10) for ninth in range(10))

    assert len(np.unique(build_id_index(known)["hashes"])) == 100


def test_the_index_is_the_same_in_every_process():
    script = (
        "import hashlib; from anticipate.kernels.ids import build_id_index as build;"
        "index = build([f'C{i:04d}' for i in range(200)]);"
        "print(hashlib.sha256(b''.join(index[k].tobytes() for k in sorted(index))).hexdigest())"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert len(seen) == 1
