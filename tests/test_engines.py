"""The streamed engine: partitions that no customer shares give the log in memory, bit for bit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from anticipate.engines import (
    customer_hash,
    hash_bucket,
    partition_events,
    sampled,
    streamed_features,
)
from anticipate.engines import spill as spilling
from anticipate.exceptions import (
    BadRowsError,
    ColumnError,
    IdTypeError,
    OutputError,
    ParameterError,
    ReadError,
)
from anticipate.features import FeatureBuilder
from anticipate.log import InteractionLog

CUTOFF = "2024-06-01"
OPTIONS = {"timezone": "Europe/Berlin", "event": "event", "quantity": "quantity",
           "amount": "amount", "order_id": "order", "known_at": "known",
           "negative_quantity": "return"}  # fmt: skip


def shop(seed: int, n: int = 900, *, text: bool = False) -> pd.DataFrame:
    """Rows with ties on customer and time; customer 0 has a tenth of them."""
    rng = np.random.default_rng(seed)
    who = np.where(rng.random(n) < 0.1, 0, rng.integers(1, 30, n))
    day = np.datetime64("2024-01-01T09:00", "us") + rng.integers(0, 170, n) * np.timedelta64(1, "D")
    pieces = rng.integers(1, 4, n) * np.where(rng.random(n) < 0.1, -1, 1)
    rows = pd.DataFrame({
        "customer_id": [f"K{one}" for one in who] if text else who,
        "item_id": rng.integers(0, 30, n), "timestamp": day,
        "event": rng.choice(["purchase", "purchase", "view"], n), "quantity": pieces.astype(float),
        "amount": rng.integers(1, 999, n) / 7 * pieces, "order": rng.integers(0, 400, n),
        "known": day + rng.integers(0, 3, n) * np.timedelta64(9, "h"),
    })  # fmt: skip
    rows.loc[rows["event"] == "view", ["quantity", "amount"]] = [1.0, np.nan]
    return rows


def write(folder, rows: pd.DataFrame, n_files: int = 3):
    folder.mkdir()
    for number in range(n_files):
        rows.iloc[number::n_files].to_parquet(folder / f"{number}.parquet", row_group_size=100)
    return folder


def together(files, key: str) -> pd.DataFrame:
    table = pd.concat([pd.read_parquet(file) for file in files], ignore_index=True)
    return table.sort_values(key).set_index(key)


@pytest.mark.parametrize(("n_partitions", "text"), [(1, False), (5, True), (40, False)])
def test_features_are_those_in_memory(tmp_path, n_partitions, text):
    """40 partitions of 30 customers: some are empty; one customer has a tenth of the rows."""
    rows = shop(n_partitions, text=text)
    expected = InteractionLog.from_frame(rows, **OPTIONS).as_of(CUTOFF)
    events = write(tmp_path / "events", rows)
    parts = partition_events(events, tmp_path / "w", n_partitions=n_partitions, **OPTIONS)

    found = together(streamed_features(parts, CUTOFF, tmp_path / "out"), "customer_id")

    pd.testing.assert_frame_equal(
        found, FeatureBuilder().fit_transform(expected), check_exact=True, check_index_type=False
    )


def test_features_of_pairs_are_those_in_memory(tmp_path):
    """The gaps of an item are those of all customers, whichever partition they are in."""
    rows = shop(21)
    events = write(tmp_path / "events", rows)
    parts = partition_events(events, tmp_path / "w", n_partitions=6, **OPTIONS)
    history = InteractionLog.from_frame(rows, **OPTIONS).as_of(CUTOFF)

    files = streamed_features(parts, CUTOFF, tmp_path / "out", level="pair")

    found = together(files, ["customer_id", "item_id"])
    expected = FeatureBuilder("pair").fit_transform(history)
    assert found.index.tolist() == expected.index.tolist()
    assert np.array_equal(found.to_numpy(), expected.to_numpy(), equal_nan=True)
    assert np.isfinite(found["overdue_ratio"]).all()


def test_features_of_items_are_those_in_memory(tmp_path):
    rows = shop(7)
    events = write(tmp_path / "events", rows)
    parts = partition_events(events, tmp_path / "w", key="item_id", n_partitions=4, **OPTIONS)
    history = InteractionLog.from_frame(rows, **OPTIONS).as_of(CUTOFF)

    files = streamed_features(parts, CUTOFF, tmp_path / "out", level="item")

    expected = FeatureBuilder("item").fit_transform(history)
    pd.testing.assert_frame_equal(together(files, "item_id"), expected, check_exact=True)
    with pytest.raises(ParameterError, match="by item_id"):
        streamed_features(parts, CUTOFF, tmp_path / "out")


def test_every_partition_holds_whole_customers_and_all_rows_are_kept(tmp_path):
    rows = shop(1)
    parts = partition_events(
        write(tmp_path / "events", rows), tmp_path / "w", n_partitions=5, **OPTIONS
    )
    logs = [parts.log(number) for number in range(5)]

    assert sum(map(len, logs)) == len(rows) == parts.report["rows_read"] == parts.counts.sum()
    for number, log in enumerate(logs):
        ids = log.vocabulary.customer_ids
        assert hash_bucket(ids, 5).tolist() == [number] * len(ids)


def test_other_files_of_the_same_rows_give_the_same(tmp_path):
    """The rows in reverse, in five files in place of three."""
    rows = shop(2)
    outs = []
    for name, table, n_files in (("a", rows, 3), ("b", rows.iloc[::-1], 5)):
        events = write(tmp_path / name, table, n_files)
        parts = partition_events(events, tmp_path / "w", n_partitions=4, **OPTIONS)
        outs.append(streamed_features(parts, CUTOFF, tmp_path / f"out-{name}"))

    for one, other in zip(*outs, strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_listed_customers_stand_in_their_own_partition_only(tmp_path):
    rows, listed = shop(3), pd.DataFrame({"customer_id": [1, 900, 901], "segment": list("xyz")})
    parts = partition_events(write(tmp_path / "events", rows), tmp_path / "w", n_partitions=4,
                             customers=listed, **OPTIONS)  # fmt: skip
    ids = [parts.history(number, CUTOFF).customer_ids for number in range(4)]
    whole = InteractionLog.from_frame(rows, customers=listed, **OPTIONS).as_of(CUTOFF)

    assert sorted(np.concatenate(ids).tolist()) == whole.customer_ids.tolist()


def test_ids_of_several_widths_and_of_csv_are_one_kind(tmp_path):
    """int32, int64 and the digits of a CSV are the same customers."""
    folder = tmp_path / "events"
    folder.mkdir()
    rows = shop(4)[["customer_id", "item_id", "timestamp"]]
    a, b, csv = rows[:300], rows[300:600].copy(), rows[600:]
    b["customer_id"] = b["customer_id"].astype(np.int32)
    a.to_parquet(folder / "a.parquet")
    b.to_parquet(folder / "b.parquet")
    csv.to_csv(folder / "c.csv", index=False)
    parts = partition_events(folder, tmp_path / "w", n_partitions=3, timezone="UTC")

    found = together(streamed_features(parts, CUTOFF, tmp_path / "out"), "customer_id")

    log = InteractionLog.from_frame(rows, timezone="UTC")
    expected = FeatureBuilder().fit_transform(log.as_of(CUTOFF))
    pd.testing.assert_frame_equal(found, expected, check_exact=True)


def test_text_and_numbers_in_one_column_are_refused(tmp_path):
    write(tmp_path / "events", shop(5), 1)
    shop(5, text=True).to_parquet(tmp_path / "events" / "z.parquet")

    with pytest.raises(IdTypeError, match="customer_id: text in one file"):
        partition_events(tmp_path / "events", tmp_path / "w", **OPTIONS)


@pytest.mark.parametrize("keep", [40, -2000])
def test_a_damaged_file_is_named_or_set_aside_whole(tmp_path, keep):
    """Cut off near the start and near the end."""
    events = write(tmp_path / "events", shop(6))
    file = events / "1.parquet"
    file.write_bytes(file.read_bytes()[:keep])

    with pytest.raises(ReadError, match=r"1\.parquet"):
        partition_events(events, tmp_path / "w", **OPTIONS)
    parts = partition_events(events, tmp_path / "w", on_bad_rows="quarantine", **OPTIONS)
    assert parts.report["files_set_aside"] == ["1.parquet"]
    assert parts.report["rows_read"] == 600


def test_a_damaged_page_is_found_while_reading(tmp_path):
    """The footer is whole, the data are not: all of the file is set aside."""
    events = write(tmp_path / "events", shop(6))
    file = events / "1.parquet"
    raw = bytearray(file.read_bytes())
    raw[4:2000] = b"\xff" * 1996
    file.write_bytes(raw)

    parts = partition_events(events, tmp_path / "w", on_bad_rows="quarantine", **OPTIONS)

    assert parts.report["files_set_aside"] == ["1.parquet"]
    assert parts.counts.sum() == 600


def test_bad_rows_are_counted_with_the_first_file_and_row(tmp_path):
    rows = shop(8)
    rows["customer_id"] = rows["customer_id"].astype("Int64")
    rows.loc[[4, 13], "customer_id"] = pd.NA  # the second file's rows 1 and 4
    events = write(tmp_path / "events", rows)

    with pytest.raises(BadRowsError, match=r"2 with no customer \(the first: 1\.parquet, row 1\)"):
        partition_events(events, tmp_path / "w", **OPTIONS)
    parts = partition_events(events, tmp_path / "w", on_bad_rows="quarantine", **OPTIONS)
    assert parts.report["rejected"] == {"no customer": 2}


def test_a_missing_column_is_named_with_its_file(tmp_path):
    write(tmp_path / "events", shop(9))
    shop(9).drop(columns="amount").to_parquet(tmp_path / "events" / "z.parquet")

    with pytest.raises(ColumnError, match=r"z\.parquet: no column \['amount'\]"):
        partition_events(tmp_path / "events", tmp_path / "w", **OPTIONS)


def test_a_run_that_stopped_goes_on_to_the_same_bytes(tmp_path, monkeypatch):
    """Stopped at the third piece, what is done is not done again, and nothing differs."""
    events = write(tmp_path / "events", shop(10), 5)
    whole = partition_events(events, tmp_path / "whole", n_partitions=3, **OPTIONS)
    judge, done = spilling.judge, []

    def stops(*args, **options):
        done.append(1)
        if len(done) == 3:
            raise KeyboardInterrupt
        return judge(*args, **options)

    monkeypatch.setattr(spilling, "judge", stops)
    with pytest.raises(KeyboardInterrupt):
        partition_events(events, tmp_path / "w", n_partitions=3, **OPTIONS)
    again = partition_events(events, tmp_path / "w", n_partitions=3, **OPTIONS)

    assert len(done) == 6  # two done, one stopped, three left
    names = sorted(file.name for file in whole.folder.iterdir())
    assert sorted(file.name for file in again.folder.iterdir()) == names
    for name in names:
        assert (again.folder / name).read_bytes() == (whole.folder / name).read_bytes()


def test_other_settings_do_not_take_up_an_old_run(tmp_path):
    events = write(tmp_path / "events", shop(11))
    folders = {
        partition_events(events, tmp_path / "w", n_partitions=n, **OPTIONS).folder for n in (2, 3)
    }

    assert len(folders) == 2


def test_a_full_disk_is_one_clear_line(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pa.ipc, "new_file", full)
    with pytest.raises(OutputError, match=r"No space left .* finished parts are kept"):
        partition_events(write(tmp_path / "events", shop(12)), tmp_path / "w", **OPTIONS)


def test_a_customer_too_large_for_the_memory_is_refused(tmp_path):
    """90 of 900 events at 400 bytes need 36 kB; 20 kB are given."""
    events = write(tmp_path / "events", shop(13))

    with pytest.raises(ParameterError, match="largest partition holds"):
        partition_events(events, tmp_path / "w", memory=20_000, **OPTIONS)
    with pytest.raises(ParameterError, match="no size"):
        partition_events(events, tmp_path / "w", memory="much", **OPTIONS)


def test_no_rows_at_all_are_empty_partitions(tmp_path):
    pq.write_table(pa.Table.from_pandas(shop(14)[:0]), tmp_path / "none.parquet")
    parts = partition_events(tmp_path / "none.parquet", tmp_path / "w", n_partitions=2, **OPTIONS)

    assert [len(parts.log(number)) for number in range(2)] == [0, 0]


def test_hashes_are_spread_seeded_and_fixed():
    """Text of digits is placed as the number; a larger sample holds the smaller one."""
    ids = np.arange(50_000)
    counts = np.bincount(hash_bucket(ids, 8))
    texts = np.array(["7", "-3", "007", "7.0", "x"], dtype=object)

    assert counts.min() > 6000
    assert (customer_hash(texts[:2]) == customer_hash(np.array([7, -3]))).all()
    assert len(set(customer_hash(texts).tolist())) == 5
    assert (hash_bucket(ids, 8) != hash_bucket(ids, 8, seed=1)).any()
    small, large = sampled(ids, 0.1), sampled(ids, 0.3)
    assert (large >= small).all()
    assert 4500 < small.sum() < 5500
    assert sampled(ids, 1.0).all()
