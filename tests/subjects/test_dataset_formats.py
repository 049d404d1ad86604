import gzip
import json
from pathlib import Path

import pytest

from assay.core.errors import SubjectError, UsageError
from assay.subjects.dataset import Columns, Record, Schema, Tally, open_dataset
from assay.subjects.dataset.lines import MAX_LINE, read_lines

CHAT = {"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]}


def read(path: Path, format: str = "auto", **options: object) -> tuple[list[Record], Tally]:  # noqa: A002
    tally = Tally()
    dataset = open_dataset(path, format, **options)  # type: ignore[arg-type]
    return [record for batch in dataset.batches(tally, size=3) for record in batch], tally


def write(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_broken_lines_are_counted_and_the_rest_is_read(tmp_path: Path) -> None:
    lines = [
        json.dumps(CHAT).encode(),
        b'{"text": "cut',
        b"[1, 2]",
        b'{"text": "\xff"}',
        b"",
        b'{"text": "ok"}',
    ]
    records, tally = read(write(tmp_path, "a.jsonl", b"\n".join(lines)))
    assert [(r.row, r.line, r.schema.value) for r in records] == [(0, 1, "chat"), (4, 6, "text")]
    assert (tally.rows, tally.skipped_total) == (2, 3)
    assert [(s.what, s.reason.split(":")[0]) for s in tally.skipped] == [
        ("a.jsonl:2", "broken JSON"),
        ("a.jsonl:3", "a JSON list is not a row"),
        ("a.jsonl:4", "not valid UTF-8 at byte 10 of the line"),
    ]
    assert not tally.coverage().complete


def test_only_the_first_twenty_broken_rows_are_listed_but_all_are_counted(tmp_path: Path) -> None:
    _, tally = read(write(tmp_path, "a.jsonl", "{\n" * 50))
    assert (len(tally.skipped), tally.skipped_total) == (20, 50)


def test_a_line_of_100_megabytes_is_skipped_without_being_held(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with path.open("wb") as file:
        file.write(b'{"text": "before"}\n')
        file.write(b"x" * 100_000_000)
        file.write(b'\n{"text": "after"}\n')
    records, tally = read(path)
    assert [record.text for record in records] == ["before", "after"]
    assert tally.skipped[0].reason == f"longer than {MAX_LINE:,} bytes"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_byte_order_marks_tell_the_encoding(tmp_path: Path, encoding: str) -> None:
    records, tally = read(
        write(tmp_path, "a.jsonl", '{"text": "na\u00efve"}\n{"text": "b"}\n'.encode(encoding))
    )
    assert [record.text for record in records] == ["na\u00efve", "b"]
    assert tally.skipped_total == 0


def test_another_encoding_is_read_when_told(tmp_path: Path) -> None:
    path = write(tmp_path, "a.txt", "caf\u00e9\n".encode("latin-1"))
    assert read(path)[1].skipped_total == 1
    assert read(path, encoding="latin-1")[0][0].text == "caf\u00e9"
    assert "unknown encoding" in read(path, encoding="no-such")[1].skipped[0].reason


def test_lines_end_at_newlines_only(tmp_path: Path) -> None:
    path = write(tmp_path, "a.txt", "a\r\nb\x0bc\u2028d\n\ne")
    assert [line.text for line in read_lines(path)] == ["a", "b\x0bc\u2028d", "", "e"]


def test_lines_are_the_same_however_chunks_fall(tmp_path: Path) -> None:
    text = b"\n".join(b"x" * (size % 4096) for size in range(0, 3_000_000, 70_001))
    assert [line.text.encode() for line in read_lines(write(tmp_path, "a.txt", text))] == text.split(b"\n")


def test_gzip_is_read_and_a_cut_stream_is_told(tmp_path: Path) -> None:
    packed = gzip.compress(b"".join(b'{"text": "row %d"}\n' % n for n in range(20_000)))
    assert read(write(tmp_path, "a.jsonl.gz", packed))[1].rows == 20_000
    _, tally = read(write(tmp_path, "b.jsonl.gz", packed[: len(packed) // 2]))
    assert "broken gzip stream" in tally.skipped[0].reason


def test_csv_counts_rows_of_the_wrong_width_and_broken_quotes(tmp_path: Path) -> None:
    text = 'text,label\n"a, b",1\nc,1,2\n"two\nlines",0\n"broken"x,1\nd,0\n'
    records, tally = read(write(tmp_path, "a.csv", text))
    assert [(r.text, r.label, r.schema) for r in records] == [
        ("a, b", "1", Schema.LABELLED), ("two\nlines", "0", Schema.LABELLED), ("d", "0", Schema.LABELLED),
    ]  # fmt: skip
    assert [s.reason.split(":")[0] for s in tally.skipped] == [
        "3 fields where the header has 2",
        "broken quoting",
    ]


def test_tsv_takes_quotes_as_text_unless_only_quoting_fits(tmp_path: Path) -> None:
    plain = read(write(tmp_path, "a.tsv", "sentence\tlabel\n\"so bad\t0\n``fine''\t1\n"))[0]
    assert [r.text for r in plain] == ['"so bad', "``fine''"]
    quoted = read(write(tmp_path, "b.tsv", 'text\tlabel\n"a\tb"\t0\n'))[0]
    assert [r.text for r in quoted] == ["a\tb"]


def test_two_columns_without_header(tmp_path: Path) -> None:
    records, _ = read(write(tmp_path, "a.tsv", "good film indeed\t1\nbad film indeed\t0\n"))
    assert [(r.text, r.label) for r in records] == [("good film indeed", "1"), ("bad film indeed", "0")]


def test_json_array_is_read_up_to_where_it_breaks(tmp_path: Path) -> None:
    whole = json.dumps([{"text": f"row {n}"} for n in range(30_000)], indent=1)
    assert read(write(tmp_path, "a.json", whole))[1].rows == 30_000
    _, tally = read(write(tmp_path, "b.json", whole[: len(whole) // 2]))
    assert 10_000 < tally.rows < 20_000
    assert tally.skipped[0].reason.startswith("the array is broken or cut off here")


@pytest.mark.parametrize(
    "text", ['{"data": [{"text": "a"}, {"text": "b"}]}', '{"text": "a"}\n{"text": "b"}\n']
)
def test_json_objects_around_rows_and_lines_under_the_wrong_name(tmp_path: Path, text: str) -> None:
    assert [r.text for r in read(write(tmp_path, "a.json", text))[0]] == ["a", "b"]


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a":' * 100_000, '{"text": ' + "9" * 5000 + "}", "\x00", "nul"]
)
def test_nonsense_is_told_and_never_fatal(tmp_path: Path, text: str) -> None:
    for name in ("a.json", "a.jsonl"):
        records, tally = read(write(tmp_path, name, text))
        assert not records
        assert tally.skipped_total >= 1


def test_empty_files_hold_no_rows_and_are_not_examined(tmp_path: Path) -> None:
    for name in ("a.jsonl", "a.json", "a.csv", "a.tsv", "a.txt"):
        _, tally = read(write(tmp_path, name, b""))
        assert (tally.rows, tally.skipped_total) == (0, 0)


def test_a_folder_is_all_its_files_in_order(tmp_path: Path) -> None:
    write(tmp_path, "b.jsonl", '{"text": "second"}\n')
    write(tmp_path, "a.txt", "first\n")
    write(tmp_path, "README.md", "about")
    write(tmp_path, "weights.bin", b"\x00\x01")
    records, tally = read(tmp_path)
    assert [(r.row, r.file, r.text) for r in records] == [(0, "a.txt", "first"), (1, "b.jsonl", "second")]
    assert [(s.what, s.reason) for s in tally.skipped] == [("weights.bin", "unknown format")]
    assert tally.notes == ["not read as data: README.md"]


def test_parquet_through_daft(tmp_path: Path) -> None:
    daft = pytest.importorskip("daft")
    daft.from_pydict({"text": ["a", "b"], "label": [0, 1]}).write_parquet(str(tmp_path / "set"))
    records, tally = read(tmp_path / "set")
    assert sorted((r.text, r.label) for r in records) == [("a", "0"), ("b", "1")]
    broken = write(tmp_path, "x.parquet", b"PAR1nonsensePAR1")
    assert "Daft cannot read it" in read(broken)[1].skipped[0].reason
    assert tally.skipped_total == 0


def test_what_cannot_be_opened_says_so(tmp_path: Path) -> None:
    with pytest.raises(SubjectError, match="does not exist"):
        open_dataset(tmp_path / "none")
    with pytest.raises(UsageError, match="unknown dataset format"):
        open_dataset(tmp_path, "xlsx")


def test_columns_are_used_as_told(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "title,body,kind\nt,the body,x\n")
    (record,), _ = read(path, columns=Columns(text="body", label="kind"))
    assert (record.turns[0].content, record.label) == ("the body", "x")
