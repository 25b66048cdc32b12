"""Files: CSV and Parquet, one, many, damaged."""

from __future__ import annotations

import gzip
import os
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from anticipate.exceptions import ColumnError, IdTypeError, MissingExtraError, ReadError
from anticipate.log import InteractionLog
from anticipate.readers import find_files, read_attributes, read_table, whole_ids

HEADER = "customer_id,item_id,timestamp\n"
ROW = "1,2,2025-01-01\n"
FRAME = pd.DataFrame({"customer_id": [5], "item_id": [6], "timestamp": ["2025-01-02"]})


@pytest.fixture
def write(tmp_path):
    """Write a file into a fresh folder; give its path."""

    def write(name: str, content: str | bytes | pd.DataFrame):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, pd.DataFrame):
            content.to_parquet(path)
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def read(path, **options) -> InteractionLog:
    return InteractionLog.read(path, **({"timezone": "UTC"} | options))


def ids(log: InteractionLog) -> list:
    return log.vocabulary.customer_ids.tolist()


# -- CSV -----------------------------------------------------------------------------------


def test_a_csv_is_read(write):
    log = read(write("a.csv", HEADER + ROW + "3,4,2025-01-02\n"))

    assert (len(log), ids(log)) == (2, [1, 3])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bom.csv", ("\ufeff" + HEADER + ROW).encode()),
        ("crlf.csv", (HEADER + ROW).replace("\n", "\r\n").encode()),
        ("quoted.csv", b'"customer_id","item_id","timestamp"\n"1","2","2025-01-01"\n'),
        ("tab.tsv", (HEADER + ROW).replace(",", "\t").encode()),
        ("packed.csv.gz", gzip.compress((HEADER + ROW).encode(), mtime=0)),
        ("packed.tsv.gz", gzip.compress((HEADER + ROW).replace(",", "\t").encode(), mtime=0)),
        ("index.csv", b",customer_id,item_id,timestamp\n0,1,2,2025-01-01\n"),
        ("trailing.csv", b"customer_id,item_id,timestamp\n1,2,2025-01-01,\n"),
        ("A.CSV", (HEADER + ROW).encode()),
    ],
)
def test_common_forms_of_csv(write, name, content):
    log = read(write(name, content))

    assert ids(log) == [1]
    assert log.vocabulary.item_ids.tolist() == [2]


def test_semicolons_and_decimal_commas(write):
    path = write("a.csv", "customer_id;item_id;timestamp;price\n1;2;2025-01-01;1,50\n")
    log = read(path, sep=";", decimal=",", price="price")

    assert log.to_pandas()["price"].tolist() == [1.5]


def test_another_encoding_is_read_where_it_is_named(write):
    path = write("a.csv", (HEADER + "Müller,2,2025-01-01\n").encode("latin-1"))

    assert ids(read(path, encoding="latin-1")) == ["Müller"]


@pytest.mark.parametrize("n_before", [0, 300_000])
def test_a_wrong_encoding_is_named_with_the_line_and_without_its_content(write, n_before):
    path = write("a.csv", (HEADER + ROW * n_before + "Müller,2,2025-01-01\n").encode("latin-1"))

    with pytest.raises(
        ReadError, match=rf"a\.csv is not utf-8 in line {n_before + 2};.*encoding="
    ) as e:
        read(path)
    assert "ller" not in str(e.value)


def test_utf_16_is_no_utf_8(write):
    with pytest.raises(ReadError, match="not utf-8 in line 1"):
        read(write("a.csv", (HEADER + ROW).encode("utf-16")))


@pytest.mark.parametrize(
    ("content", "kept"),
    [
        ("7\n8\n", [7, 8]),
        ("007\n7\n", ["007", "7"]),
        ("7.0\n8\n", ["7.0", "8"]),
        ("-0\n0\n", ["-0", "0"]),
        ("-5\n8\n", [-5, 8]),
        ("A7\n8\n", ["8", "A7"]),
        ("7\nNA\n8\n", [7, 8]),
        ("1234567890123456789\n18446744073709551615\n", [1234567890123456789, 2**64 - 1]),
    ],
)
def test_ids_are_numbers_only_where_all_are_written_as_one(write, content, kept):
    lines = "".join(f"{one},2,2025-01-01\n" for one in content.split())

    assert ids(read(write("a.csv", HEADER + lines), on_bad_rows="quarantine")) == kept


def test_ids_longer_than_64_bits_say_so(write):
    with pytest.raises(IdTypeError, match="64 bits"):
        read(write("a.csv", HEADER + "99999999999999999999,2,2025-01-01\n"))


DAMAGED = {
    "empty": (b"", ReadError, "empty"),
    "no such column": (b"customer_id,sku,timestamp,x\n1,2,3,4\n", ColumnError,
                       r"no column \['item_id'\]; found .'customer_id', 'sku', 'timestamp', 'x'"),
    "a column twice": (b"customer_id,item_id,timestamp,item_id\n1,2,2025-01-01,9\n", ColumnError,
                       "twice"),
    "another separator": (b"customer_id;item_id;timestamp\n1;2;2025-01-01\n", ColumnError,
                          "among its 1.*sep="),
    "no name of ours": (b"Jane Doe,7 Elm Street,2025-01-01\n", ColumnError,
                        r"no column \[.*\] among its 3\. Say how yours are named"),
    "no header": (b"00001,19970101,11.77\n00002,19970102,12\n", ReadError, "line holds numbers"),
    "surplus fields": ((HEADER + "1,2,2025-01-01,9\n").encode(), ReadError, "more fields"),
    "surplus fields in one row": ((HEADER + ROW + "3,Doe, Jo,2025-01-01\n").encode(), ReadError,
                                  "Expected 3 fields in line 3, saw 4"),
    "an open quote": ((HEADER + '"1,2,2025-01-01\n').encode(), ReadError, "inside string"),
    "cut-off gzip": (gzip.compress((HEADER + ROW * 99).encode())[:-20], ReadError, "cut off"),
    "no gzip": (b"hello", ReadError, "damaged"),
}  # fmt: skip


@pytest.mark.parametrize("case", DAMAGED)
def test_a_bad_csv_is_one_clear_error_with_the_file(write, case):
    content, error, words = DAMAGED[case]
    name = "a.csv.gz" if "gzip" in case else "a.csv"

    with pytest.raises(error, match=words) as caught:
        read(write(name, content))

    text = str(caught.value)
    assert name in text
    assert "11.77" not in text
    assert "Doe" not in text


def test_an_unknown_encoding_is_named(write):
    with pytest.raises(ReadError, match="no such encoding"):
        read(write("a.csv", HEADER + ROW), encoding="utf-99")


def test_a_csv_of_a_header_only_is_an_empty_log(write):
    assert len(read(write("a.csv", HEADER))) == 0


def test_columns_nobody_asked_for_may_hold_anything(write):
    junk = ["1"] * 30_000 + ["a", "", "2025-13-99"]  # read in pieces, pandas would warn of it
    rows = "".join(f"1,2,2025-01-01,{one}\n" for one in junk)

    assert len(read(write("a.csv", HEADER.strip() + ",junk\n" + rows))) == 30_003


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_a_file_one_may_not_read(write):
    path = write("a.csv", HEADER + ROW)
    path.chmod(0)

    with pytest.raises(ReadError, match="PermissionError"):
        read(path)


# -- Parquet ----------------------------------------------------------------------------------


def test_parquet_is_read_and_keeps_its_types(write):
    text = FRAME.assign(customer_id="7")

    assert ids(read(write("a.parquet", FRAME))) == [5]
    assert ids(read(write("b.parquet", text))) == ["7"]


def test_large_ids_beside_nulls_lose_no_digit(tmp_path):
    big = {
        "customer_id": pa.array([2**60 + 1, None], pa.int64()),
        "item_id": pa.array([2**63 + 1, None], pa.uint64()),
        "timestamp": ["2025-01-01"] * 2,
    }
    pq.write_table(pa.table(big), tmp_path / "a.parquet")
    log = read(tmp_path / "a.parquet", on_bad_rows="quarantine")

    assert ids(log) == [2**60 + 1]
    assert log.vocabulary.item_ids.tolist() == [2**63 + 1]


def test_dictionary_columns_and_decimals(write, tmp_path):
    table = pa.table(
        {
            "customer_id": pa.array(["b", None, "a"]).dictionary_encode(),
            "item_id": [1, 2, 3],
            "timestamp": pa.array([0, 1, 2], pa.timestamp("ms", tz="Europe/Berlin")),
            "price": pa.array(["1.25", None, "3.5"]).cast(pa.decimal128(9, 2)),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    log = InteractionLog.read(tmp_path / "a.parquet", price="price", on_bad_rows="quarantine")

    assert log.to_pandas()[["customer_id", "price"]].values.tolist() == [["a", 3.5], ["b", 1.25]]


@pytest.mark.parametrize("harm", ["cut off", "in the middle", "empty", "text"])
def test_a_damaged_parquet_is_one_clear_error(write, tmp_path, harm):
    whole = write("whole.parquet", pd.concat([FRAME] * 50)).read_bytes()
    content = {
        "cut off": whole[: len(whole) // 2],
        "in the middle": whole[:20] + b"\0" * 80 + whole[100:],
        "empty": b"",
        "text": (HEADER + ROW).encode(),
    }[harm]

    with pytest.raises(ReadError, match=r"a\.parquet cannot be read as Parquet"):
        read(write("a.parquet", content))


def test_a_parquet_without_a_column_names_what_it_has(write):
    with pytest.raises(ColumnError, match=r"a\.parquet: no column \['price'\]; found"):
        read(write("a.parquet", FRAME), price="price")


def test_parquet_without_pyarrow_names_the_extra(write, monkeypatch):
    path = write("a.parquet", FRAME)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)

    with pytest.raises(MissingExtraError, match=r"anticipate-needs\[parquet\]"):
        read(path)


# -- folders and globs ----------------------------------------------------------------------------


def test_a_folder_of_csv_and_parquet_is_one_log(write, tmp_path):
    write("days/a.csv", HEADER + ROW)
    write("days/b.parquet", FRAME)
    write("days/c.csv.gz", gzip.compress((HEADER + "9,2,2025-01-03\n").encode()))
    write("days/notes.txt", "not data")

    assert ids(read(tmp_path / "days")) == [1, 5, 9]


def test_a_glob_and_its_order(write, tmp_path):
    for name in ("b.csv", "a.csv"):
        write(f"days/{name}", HEADER + ROW)

    assert [file.name for file in find_files(tmp_path / "days" / "*.csv")] == ["a.csv", "b.csv"]
    assert len(read(str(tmp_path / "**" / "*.csv"))) == 2


def test_a_file_whose_name_looks_like_a_glob(write):
    assert len(read(write("sales[2025].csv", HEADER + ROW))) == 1


@pytest.mark.parametrize("path", ["nothing.csv", "nothing*.csv", "."])
def test_nothing_to_read_says_so(tmp_path, path):
    with pytest.raises(ReadError, match="no CSV or Parquet file"):
        read(tmp_path / path)


def test_a_file_of_a_folder_that_lacks_a_column_is_named(write, tmp_path):
    write("days/a.csv", HEADER + ROW)
    write("days/b.csv", "customer_id,sku,timestamp\n1,2,2025-01-01\n")

    with pytest.raises(ColumnError, match=r"b\.csv: no column"):
        read(tmp_path / "days")


def test_ids_of_several_files_agree_on_one_type(write, tmp_path):
    """In one file all ids are numbers, in the other not: all stay text."""
    write("days/a.csv", HEADER + ROW)
    write("days/b.csv", HEADER + "X1,2,2025-01-01\n")

    assert ids(read(tmp_path / "days")) == ["1", "X1"]


def test_text_ids_of_parquet_keep_those_of_csv_text(write, tmp_path):
    write("days/a.csv", HEADER + ROW)
    write("days/b.parquet", FRAME.assign(customer_id="7"))

    assert ids(read(tmp_path / "days")) == ["1", "7"]


def test_numbers_of_parquet_beside_text_of_csv_raise(write, tmp_path):
    write("days/a.csv", HEADER + "007,2,2025-01-01\n")
    write("days/b.parquet", FRAME)

    with pytest.raises(IdTypeError, match="customer_id"):
        read(tmp_path / "days")


# -- attributes ----------------------------------------------------------------------------------


def test_attributes_may_be_files_and_agree_with_the_events(write):
    """'02' makes the events' items text; 2 in the table of items is the text '2' then."""
    events = write("events.csv", HEADER + "1,02,2025-01-01\n")
    items = write("items.csv", "item_id,price\n2,3.5\n02,4.5\n")
    people = write("people.csv", "customer_id,segment\n1,club\n")
    log = read(events, items=items, customers=str(people), closed_until="2025-02-01")
    history = log.as_of("2025-01-15")

    assert history.items["price"].to_dict() == {"02": 4.5, "2": 3.5}
    assert history.customers["segment"].to_dict() == {1: "club"}


def test_attributes_agree_with_renamed_columns(write):
    events = write("events.csv", "who,what,when\n1,2,2025-01-01\n")
    items = write("items.csv", "item_id,price\n2,3.5\nA,4.5\n")
    log = read(events, customer_id="who", item_id="what", timestamp="when", items=items)

    assert log.vocabulary.item_ids.tolist() == ["2"]


def test_missing_attribute_files_are_named(write):
    with pytest.raises(ReadError, match=r"nope\.csv"):
        read(write("a.csv", HEADER + ROW), items="nope.csv")


def test_read_table_and_read_attributes(write):
    path = write("a.csv", "item_id,price\n1,2.5\n,3.5\n")

    assert read_table(path, text=["item_id"])["item_id"].tolist()[0] == "1"
    assert str(read_attributes(path, "item_id")["item_id"].dtype) == "Int64"
    with pytest.raises(ReadError, match="no file"):
        read_table("nope.csv")


def test_whole_ids_leaves_the_given_table_alone():
    table = pd.DataFrame({"a": ["1", None], "b": ["1", "x"]})
    whole = whole_ids(table, ["a", "b", "c"])

    assert table["a"].tolist()[0] == "1"
    assert whole["a"].tolist()[0] == 1
    assert whole["b"].tolist() == ["1", "x"]
    assert np.array_equal(whole.index, table.index)


def test_options_of_from_frame_pass_through_and_unknown_ones_do_not(write):
    path = write("a.csv", HEADER.strip() + ",n\n1,2,2025-01-01,-3\n")

    assert read(path, quantity="n", negative_quantity="return").events.event.tolist() == [4]
    with pytest.raises(TypeError, match="quantty"):
        read(path, quantty="n")
