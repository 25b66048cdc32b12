"""``anticipate bundle``: what each action prints, writes and refuses."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from anticipate.batch import main
from anticipate.batch.id_files import read_ids
from anticipate.bundle import bundle_info
from anticipate.exceptions import ColumnError, ParameterError, ReadError


def run(capsys, *arguments):
    status = main(["bundle", *(str(one) for one in arguments)])
    printed = capsys.readouterr()
    return status, printed.out, printed.err


@pytest.fixture
def bundle(bookshop_bundle, tmp_path):
    return shutil.copytree(bookshop_bundle, tmp_path / "copy")


def generation(root):
    return root / (root / "CURRENT").read_text().split()[0]


def test_every_action_has_help(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["bundle", "--help"])
    assert stopped.value.code == 0
    listed = capsys.readouterr().out
    for action in ("inspect", "verify", "diff", "forget"):
        assert action in listed
        with pytest.raises(SystemExit) as stopped:
            main(["bundle", action, "--help"])
        assert stopped.value.code == 0


def test_inspect_tells_what_it_holds(capsys, bookshop_bundle, tmp_path):
    status, out, _ = run(capsys, "inspect", bookshop_bundle)
    assert status == 0
    assert "292 customers, 159 items" in out
    assert "churn.model" in out

    file = tmp_path / "inspected.json"
    assert run(capsys, "inspect", bookshop_bundle, "--json", file) == (0, "", "")
    status, printed, _ = run(capsys, "inspect", bookshop_bundle, "--json", "-")
    found = json.loads(printed)
    assert json.loads(file.read_text(encoding="utf-8")) == found
    assert found["sha256"] == (bookshop_bundle / "CURRENT").read_text().split()[1]
    assert found["n_files"] > 10
    assert found["bytes"] > 10_000


def test_verify_names_the_damaged_file(capsys, bundle):
    status, out, _ = run(capsys, "verify", bundle)
    assert status == 0
    assert "whole" in out

    damaged = generation(bundle) / "churn__offset.npy"
    content = bytearray(damaged.read_bytes())
    content[-1] ^= 1
    damaged.write_bytes(content)
    status, out, err = run(capsys, "verify", bundle)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "churn__offset.npy" in err


def test_diff_prints_and_writes(capsys, bookshop_bundle, bundle, tmp_path):
    assert run(capsys, "diff", bookshop_bundle, bundle)[1].startswith("the same bundle")
    assert run(capsys, "forget", bundle, "--customers", "C042")[0] == 0

    status, out, _ = run(capsys, "diff", bookshop_bundle, bundle)
    assert status == 0
    assert "292 -> 291: 0 added, 1 removed" in out
    file = tmp_path / "d.json"
    assert run(capsys, "diff", bookshop_bundle, bundle, "--json", file) == (0, "", "")
    assert json.loads(file.read_text(encoding="utf-8"))["counts"]["customers"]["removed"] == 1


def test_forget_counts_and_names_nobody(capsys, bundle, tmp_path):
    """Two of three are known; the third is not echoed; then nobody is left to forget."""
    (tmp_path / "gone.txt").write_text("C042\n\nC001\nNOBODY-9\n", encoding="utf-8")
    status, out, err = run(capsys, "forget", bundle, "--customers", tmp_path / "gone.txt")

    assert (status, err) == (0, "")
    assert "2 customers forgotten, with " in out
    assert "1 of 3 ids are not in the bundle" in out
    assert "load the bundle again" in out
    assert not any(id_ in out for id_ in ("C042", "C001", "NOBODY-9"))
    assert bundle_info(bundle)["n_customers"] == 290

    status, out, _ = run(capsys, "forget", bundle, "--customers", "C042", "C001")
    assert status == 0
    assert "0 customers forgotten" in out
    assert "2 of 2 ids are not in the bundle" in out


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["verify", "nowhere"], "nowhere"),
        (["inspect", "nowhere"], "nowhere"),
        (["inspect", "nowhere", "--json", "missing/i.json"], "no folder"),
        (["diff", "nowhere", "elsewhere"], "nowhere"),
        (["diff", "nowhere", "elsewhere", "--json", "missing/d.json"], "no folder"),
        (["forget", "nowhere", "--customers", "C042"], "nowhere"),
    ],
)
def test_bad_input_is_one_line_and_status_two(capsys, monkeypatch, tmp_path, arguments, word):
    monkeypatch.chdir(tmp_path)
    status, out, err = run(capsys, *arguments)

    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("anticipate: ")
    assert word in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [[], ["shred", "b"], ["forget", "b"], ["diff", "b"]])
def test_wrong_arguments_are_one_line_and_status_two(capsys, arguments):
    with pytest.raises(SystemExit) as stopped:
        main(["bundle", *arguments])
    err = capsys.readouterr().err
    assert (stopped.value.code, err.count("\n")) == (2, 1)
    assert "--help" in err


# -- ids from files --------------------------------------------------------------------


def test_ids_of_files_have_the_bundles_type(tmp_path):
    """007 is text for a bundle of text ids; 7 and 8 are whole numbers for one of those."""
    (tmp_path / "a.csv").write_text("customer_id,note\n007,x\n8,y\n", encoding="utf-8")
    (tmp_path / "b.txt").write_text("\ufeff7\r\n8\r\n", encoding="utf-8")
    pd.DataFrame({"who": np.array([7, 8])}).to_parquet(tmp_path / "c.parquet")

    def read(name, column="customer_id", *, is_text):
        return read_ids([str(tmp_path / name)], column, is_text=is_text)

    assert read("a.csv", is_text=True) == ["007", "8"]
    assert read("a.csv", "note", is_text=True) == ["x", "y"]
    assert read("b.txt", is_text=True) == ["7", "8"]
    assert read("b.txt", is_text=False) == [7, 8]
    assert read("c.parquet", "who", is_text=False) == [7, 8]
    assert read_ids(["7", "8"], "", is_text=False) == [7, 8]
    assert read_ids(["7", "8"], "", is_text=True) == ["7", "8"]


@pytest.mark.parametrize(
    ("name", "content", "error", "word"),
    [
        ("secret-id.csv", None, ReadError, "no file"),
        ("a.csv", "C042-SECRET\nC043-SECRET\n", ColumnError, "none of its 1 columns"),
        ("a.csv", "customer_id\n", ParameterError, "names nobody"),
        ("a.txt", " \n", ParameterError, "names nobody"),
        ("a.txt", "C042-SECRET\n", ParameterError, "whole numbers"),
        ("a.txt", "\udcff", ReadError, "UTF-8"),
    ],
)
def test_a_file_that_is_no_list_is_refused_without_its_content(
    tmp_path, name, content, error, word
):
    if content is not None:
        (tmp_path / name).write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(error, match=word) as refused:
        read_ids([str(tmp_path / name)], "customer_id", is_text=False)
    assert "SECRET" not in str(refused.value)


def test_a_file_stands_alone(tmp_path):
    with pytest.raises(ParameterError, match="alone"):
        read_ids(["a.csv", "C042"], "customer_id", is_text=True)
