"""Contents that no save writes are refused by the file's name, whatever their hashes say."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bundle_forging import forge, generation, put, replace_array, smuggled
from numpy.typing import NDArray

from anticipate import Anticipator, Scorer
from anticipate.anticipator.state import PARTS as STORED_PARTS
from anticipate.batch import main
from anticipate.bundle import open_bundle
from anticipate.exceptions import BundleError
from anticipate.kernels.ids import build_id_index
from anticipate.serving.checks import content_faults, parts
from anticipate.serving.checks.models import PARTS
from anticipate.serving.checks.schema import GROUPS
from anticipate.serving.checks.texts import index_faults, is_text, texts_ascend

Array = NDArray[Any]
Change = Callable[[Array], Array]
NEVER = np.iinfo(np.int64).max
DAY = 86_400_000_000
TREES = "model_part_churn__members.boosted."


@pytest.fixture(scope="module")
def contents(bookshop_bundle: Path) -> tuple[dict[str, Any], dict[str, Array]]:
    return open_bundle(bookshop_bundle)


@pytest.fixture
def bundle(bookshop_bundle: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bookshop_bundle, tmp_path / "b"))


def first(values: Array, value: Any) -> Array:
    """The same with another first value."""
    changed = values.copy()
    changed.reshape(-1)[0] = value
    return changed


def last(values: Array, value: Any) -> Array:
    changed = values.copy()
    changed.reshape(-1)[-1] = value
    return changed


def swapped(values: Array) -> Array:
    """The first two places exchanged."""
    return values[[1, 0, *range(2, len(values))]]


def test_a_saved_bundle_has_no_faults(contents: Any):
    assert list(content_faults(*contents, True)) == []
    assert list(content_faults(*contents, False)) == []


def test_parts_are_those_that_are_stored():
    assert tuple(STORED_PARTS) == PARTS


# -- one array at a time: the array, what is done to it, what is said of it ----------

VALUES: list[tuple[str, Change, str]] = [
    # offsets
    ("candidates__offsets", lambda a: first(a, 1), "begin at 0"),
    ("candidates__offsets", lambda a: last(a, a[-1] + 1), "begin at 0"),
    ("events__offsets", swapped, "ascend|begin at 0"),
    ("events__offsets", lambda a: np.sort(a)[[0, 2, 1, *range(3, len(a))]], "ascend"),
    ("neighbours__offsets", lambda a: last(a, 0), "begin at 0"),
    ("holdings__offsets", lambda a: first(a, -1), "begin at 0"),
    ("item_names__offsets", lambda a: a * 0, "begin at 0"),
    # codes
    ("candidates__item", lambda a: first(a, 159), "outside the 159 n items"),
    ("candidates__item", lambda a: first(a, -1), "outside"),
    ("candidates__because", lambda a: last(a, -2), "outside"),
    ("candidates__source", lambda a: first(a, 11), "outside"),
    ("newcomers__source", lambda a: first(a, -1), "outside"),
    ("newcomers__item", lambda a: first(a, 2**31 - 1), "outside"),
    ("neighbours__item", lambda a: last(a, 159), "outside"),
    ("events__item", lambda a: first(a, 159), "outside"),
    ("events__order", lambda a: last(a, 10**6), "outside"),
    ("events__channel", lambda a: first(a, 4), "outside"),
    ("events__reason", lambda a: first(a, 12), "outside"),
    ("events__event", lambda a: first(a, 18), "outside"),
    ("events__event_id", lambda a: first(a, -2), "codes from -1"),
    ("model_guard__substitutes", lambda a: first(a, 159), "outside"),
    ("model_fit_guard__alternatives", lambda a: first(a, -2), "outside"),
    ("model_return_guard__thing", lambda a: first(a, 319), "outside"),
    # events
    ("events__timestamp", lambda a: last(a, 1740787200000000), "before the cutoff"),
    ("events__timestamp", lambda a: first(a, -(2**63)), "before the cutoff"),
    ("events__timestamp", lambda a: first(a, a[1] + 1), "sorted within"),
    ("events__day", lambda a: first(a, a[0] + 2), "days"),
    ("events__day", lambda a: first(a, 2**31 - 1), "days"),
    ("events__undone_at", lambda a: first(a, NEVER - 1), "never"),
    ("events__quantity", lambda a: first(a, np.nan), "from 0 on"),
    ("events__quantity", lambda a: a * 0, "no pieces"),
    ("events__price", lambda a: first(a, np.inf), "finite"),
    ("events__price", lambda a: -a, "less than nothing"),
    ("events__item", lambda a: a * 0 - 1, "without the item"),
    ("events__gift", lambda a: first(a.view(np.uint8), 2).view(bool), "other than 0 and 1"),
    ("customer__flags", lambda a: first(a, 4), "flags"),
    ("habits__last_cart", lambda a: first(a, NEVER), "before the cutoff"),
    ("habits__n_owned", lambda a: first(a, -1), "counts"),
    ("habits__n_repeats", lambda a: a + 10**6, "more repeats"),
    # pairs of customer and item
    ("holdings__last_row", lambda a: first(a, 10**6), "past its customer"),
    ("holdings__kept_row", lambda a: last(a, 10**6), "past its customer"),
    ("holdings__first_row", lambda a: a + 10**6, "points behind last_row"),
    ("holdings__n_visits", lambda a: first(a, 0), "from 1 on"),
    ("holdings__item", lambda a: a[::-1], "ascend"),
    # what was learned
    ("candidates__log_odds", lambda a: first(a, np.nan), "numbers"),
    ("candidates__fact", lambda a: first(a, np.inf), "counts"),
    ("neighbours__weight", lambda a: first(a, np.inf), "numbers"),
    ("prior__log_odds", lambda a: first(a, -np.inf), "numbers"),
    ("churn__offset", lambda a: first(a, np.nan), "numbers"),
    ("churn__offset_later", lambda a: last(a, np.nan), "numbers"),
    ("model_churn__parameters", lambda a: first(a, 7), "buy-till-you-die"),
    ("model_churn__parameters", lambda a: a * np.nan, "buy-till-you-die"),
    ("model_timer__shape", lambda a: first(a, 0), "above 0"),
    ("model_timer__next_share", lambda a: first(a, 1.5), "shares"),
    ("model_guard__speaking", lambda a: a * np.nan, "infinity for never"),
    ("model_guard__speaking", lambda a: first(a, -1), "infinity for never"),
    ("model_guard__quick", lambda a: first(a, np.nan), "above 0"),
    ("model_guard__own_knots", lambda a: a[:, ::-1], "ascend"),
    ("model_guard__accepted_share", lambda a: first(a, 1.0), "below 1"),
    ("model_guard__consumable", lambda a: first(a.view(np.uint8), 255).view(bool), "0 and 1"),
    ("model_return_guard__settings", lambda a: last(a, np.nan), "infinity for never"),
    ("model_return_guard__cart.scale", lambda a: a * 0, "above 0"),
    ("model_return_guard__share", lambda a: first(a, 0), "shares"),
    ("model_fit_guard__slip.threshold", lambda a: a * np.nan, "infinity for never"),
    ("model_fit_guard__price", lambda a: last(a, 1.0), "last row"),
    # ids
    ("customers__codes", lambda a: first(a, a[1]), "once"),
    ("customers__hashes", lambda a: a[::-1], "not sorted"),
    ("items__hashes", lambda a: np.sort(a + np.uint64(1)), "not those of its ids"),
    ("items__bytes", lambda a: a[::-1], "sorted|hashes"),
    ("orders__bytes", lambda a: first(a, 255), "UTF-8"),
    ("item_names__bytes", lambda a: first(a, 0x80), "UTF-8"),
    # trees
    (TREES + "children", lambda a: first(a, 0), "upwards"),
    (TREES + "children", lambda a: first(a, 10**9), "outside their tree"),
    (TREES + "children", lambda a: first(a, -1), "outside their tree"),
    (TREES + "feature", lambda a: first(a, 10**6), "past n_features"),
    (TREES + "threshold", lambda a: first(a, np.nan), "not a number"),
    (TREES + "value", lambda a: first(a, np.inf), "not finite"),
    (TREES + "tree_offsets", swapped, "divide"),
    ("model_part_guard__ids.codes", lambda a: first(a, 7), "once"),
    ("model_part_needs__cart_pairs_items", lambda a: first(a, -1), "below 0"),
    ("model_part_needs__cart_pairs_offsets", lambda a: last(a, 0), "begin at 0"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "change", "word"), VALUES, ids=[f"{n}-{w}" for n, _, w in VALUES])
def test_wrong_values_are_a_fault_of_their_array(
    contents: Any, name: str, change: Change, word: str
):
    manifest, arrays = contents
    found = next(content_faults(manifest, {**arrays, name: change(arrays[name])}, True))

    assert found[0] == name
    assert any(one in found[1] for one in word.split("|"))


SHAPES: list[tuple[str, Change, str]] = [
    ("candidates__item", lambda a: a.astype(np.int64), "dtype <i8"),
    ("events__timestamp", lambda a: a.astype(np.float64), "dtype <f8"),
    ("events__timestamp", lambda a: a[:-1], "shape"),
    ("events__value", lambda a: a[:2], "shape"),
    ("candidates__fact", lambda a: a[:-1], "shape"),
    ("customer__flags", lambda a: np.append(a, a[:1]), "shape"),
    ("model_guard__next_share", lambda a: a[:, :4], "shape"),
    ("model_timer__shape", lambda a: a[:, None], "shape"),
    ("model_churn__parameters", lambda a: a[:15], "shape"),
    ("items__codes", lambda a: a[:-1], "shape"),
]


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize(("name", "change", "word"), SHAPES, ids=[f"{n}-{w}" for n, _, w in SHAPES])
def test_types_and_shapes_are_seen_by_structure_too(
    contents: Any, name: str, change: Change, word: str, full: bool
):
    manifest, arrays = contents
    found = next(content_faults(manifest, {**arrays, name: change(arrays[name])}, full))

    assert found[0] == name or word == "shape"  # of two lengths that differ one is named
    assert word in found[1]


def test_every_array_of_a_scorer_is_needed(contents: Any):
    """A group may be missing as a whole where the table says so, never one array of it."""
    manifest, arrays = contents
    alone = {group.prefix for group in GROUPS if group.optional and len(group.forms[0]) == 1}
    for name in arrays:
        if not name.startswith(("model_part_", *alone)):
            rest = {other: array for other, array in arrays.items() if other != name}
            assert next(content_faults(manifest, rest, False), None) is not None, name


def test_an_array_that_is_never_stored_is_named(contents: Any):
    manifest, arrays = contents
    for name in ("evil", "events__evil", "model_part_evil__x", "model_guard__evil"):
        found = next(content_faults(manifest, {**arrays, name: np.zeros(3)}, False))
        assert found == (name, found[1])


@pytest.mark.parametrize(
    "change",
    [
        {"cutoff_us": "2025-03-01"},
        {"cutoff_us": 2**70},
        {"timezone": "../../etc/passwd"},
        {"timezone": 3},
        {"horizon_days": -1},
        {"horizon_days": 1e300},
        {"n_customers": 2**40},
        {"n_customers": True},
        {"n_events": -1},
        {"event_names": ["buy"]},
        {"event_names": None},
        {"sources": []},
        {"sources": ["a", "a"]},
        {"popular_window_days": "30"},
        {"benefits": {"nothing": [1, 0]}},
        {"golden": [{"request": {"customer_id": []}, "answer": []}]},
        {"golden": {}},
    ],
    ids=str,
)
def test_a_manifest_that_cannot_be_meant_is_a_fault(contents: Any, change: dict[str, Any]):
    manifest, arrays = contents
    name, problem = next(content_faults({**manifest, **change}, arrays, False))

    assert name == "manifest"
    assert repr(next(iter(change))) in problem


# -- packed text and indexes, against Python's own order ------------------------------


def packed(raws: list[bytes]) -> tuple[Array, Array]:
    offsets = np.cumsum([0, *map(len, raws)], dtype=np.int64)
    return offsets, np.frombuffer(b"".join(raws), dtype=np.uint8)


def test_texts_ascend_as_bytes_do(monkeypatch: pytest.MonkeyPatch):
    """Random texts, many with common beginnings, zeros and prefixes; parts of three rows."""
    monkeypatch.setattr(parts, "ROWS", 3)
    rng = np.random.default_rng(0)
    seen = {True: 0, False: 0}
    for _ in range(500):
        letters = [b"ab", b"a\0", b"\0\xff"][rng.integers(3)]
        sizes = rng.choice([0, 1, 2, 7, 8, 9, 16, 17], size=rng.integers(8))
        raws = [bytes(rng.choice(list(letters), size).tolist()) for size in sizes]
        raws = [b"x" * 300 + raw for raw in raws] if rng.random() < 0.2 else raws
        raws = sorted(set(raws)) if rng.random() < 0.6 else sorted(raws)
        ascend = raws == sorted(set(raws))
        seen[ascend] += 1
        assert texts_ascend(*packed(raws)) is ascend
        assert texts_ascend(*packed(raws[::-1])) is (len(raws) < 2)
    assert min(seen.values()) > 20


def test_a_letter_cut_in_two_is_no_text():
    whole = "커피".encode()

    assert is_text(*packed([whole[:3], whole[3:]]))
    assert not is_text(*packed([whole[:2], whole[2:]]))
    assert not is_text(*packed([b"\xff"]))
    assert not is_text(*packed([b"", "\ud800".encode("utf-8", "surrogatepass"), b""]))


@pytest.mark.parametrize(
    "ids", [[], [7], [-3, 0, 2**62], ["a"], ["a", "b", "커피"], list(range(40_000))]
)
def test_indexes_as_they_are_built_have_no_faults(ids: list[Any]):
    assert list(index_faults(build_id_index(ids))) == []


def test_whole_numbers_out_of_order_are_a_fault():
    assert next(index_faults({"ids": np.array([1, 3, 2])}))[0] == "ids"
    assert next(index_faults({"ids": np.array([1, 1])}))[0] == "ids"


# -- through the door ----------------------------------------------------------------


def refused(root: Path, name: str, verify: Any = "full") -> str:
    """The message, which names the file."""
    with pytest.raises(BundleError, match=name.replace(".", r"\.")) as caught:
        Scorer.load(root, verify=verify)
    return str(caught.value)


@pytest.mark.parametrize("name", ["candidates__item", TREES + "children", "model_guard__speaking"])
def test_a_forged_array_is_refused_though_all_hashes_are_right(bundle: Path, name: str):
    values = open_bundle(bundle)[1][name]
    put(bundle, name, first(values, -7))

    assert "who wrote it" in refused(bundle, f"{name}.npy")


def test_an_intact_copy_loads(bundle: Path, contents: Any):
    """The forging itself breaks nothing."""
    put(bundle, "events__item", contents[1]["events__item"].copy())

    assert Scorer.load(bundle).suggest("C042", as_of="2025-03-02") is not None


def test_a_pickle_is_refused_and_never_run(bundle: Path, tmp_path: Path):
    for number, content in enumerate(smuggled(tmp_path / "trace").values()):
        root = Path(shutil.copytree(bundle, tmp_path / str(number)))
        for declared in ({}, {"dtype": "|O", "shape": [1]}):
            replace_array(root, "model_timer__shape", content, **declared)
            for verify in ("full", "structure"):
                refused(root, "model_timer__shape.npy", verify)
            with pytest.raises(BundleError):
                Anticipator.load(root)
    assert not (tmp_path / "trace").exists()


def test_a_golden_answer_that_differs_is_refused(bundle: Path):
    forge(bundle, lambda m: m["golden"][0]["answer"].pop())

    refused(bundle, "manifest.json", "structure")


def test_a_part_that_does_not_fit_together_is_refused(
    bundle: Path, contents: Any, capsys: pytest.CaptureFixture[str]
):
    """Reading a part back knows what its arrays mean, so it finds more."""
    put(bundle, "model_part_needs__shifts", np.zeros(3))

    with pytest.raises(BundleError, match="model_part_needs__"):
        Anticipator.load(bundle)
    assert main(["bundle", "verify", str(bundle)]) == 2
    assert "model_part_needs__" in capsys.readouterr().err


def test_a_scorer_under_structure_does_not_read_parts_of_training(bundle: Path):
    file = generation(bundle) / f"{TREES}value.npy"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)

    assert Scorer.load(bundle, verify="structure") is not None
    refused(bundle, f"{TREES}value.npy")
    with pytest.raises(BundleError, match="another SHA-256"):
        Anticipator.load(bundle, verify="structure")


def test_errors_hold_no_content(bundle: Path, contents: Any):
    ids = json.dumps(contents[0]["golden"])
    put(bundle, "customers__bytes", contents[1]["customers__bytes"][::-1].copy())
    said = refused(bundle, "customers__bytes.npy")

    assert "C042" not in said
    assert ids not in said
