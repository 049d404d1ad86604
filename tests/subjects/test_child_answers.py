"""A child that was taken over answers whatever it likes: nothing of it is taken for more than it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.subjects.child_answers import Answer, WrongAnswerError, answers
from assay.subjects.pickles.asking import Reader
from assay.subjects.pickles.limits import Limits
from assay.subjects.pickles.listening import listen
from assay.subjects.pickles.records import Event, PickleRecord
from fixtures.hostile_child import child


def told(raw: bytes | str, path: Path, most: int = 64 << 20) -> PickleRecord:
    """What a reader whose child answers `raw` makes of a clean pickle."""
    path.write_bytes(b"\x80\x04N.")
    reader = Reader(Limits(seconds=30), "")
    reader._child = child(raw, most)
    try:
        with path.open("rb") as file:
            return reader.read(file.fileno(), 0, 4, probe=False, walk=False)
    finally:
        reader.close()


WRONG: dict[str, bytes | str] = {
    "no JSON": b"no json",
    "bytes that are no text": b"\xff\xfe",
    "deep": "b'[' * 1000000",
    "a long number": "b'[\"kind\",null,' + b'9' * 100000 + b']'",
    "an object": b'{"kind": 1}',
    "a number": b"7",
    "nothing": b"[]",
    "no place": b'["kind"]',
    "a kind that is a number": b'[1,null,"pickle"]',
    "a kind that is not known": b'["believe me",null,"x"]',
    "a place that is a text": b'["kind","0","pickle"]',
    "a place before the file": b'["kind",-1,"pickle"]',
    "no fields": b'["limit",null]',
    "one field of two": b'["end",4,"c"]',
    "a field that is a list": b'["kind",0,["pickle"]]',
    "a field that is nothing": b'["end",4,"c",null]',
    "a depth that is a text": b'["stream",0,0,"deep"]',
    "a size that is none": b'["storage",null,"0","many"]',
    "a trace of one field": b'["kind",0,"pickle"]\n["trace",null,"x"]',
    "a trace of no places": b'["kind",0,"pickle"]\n["trace",null,"x","here imports os"]',
    "the process itself": b'["ready",null,"again"]',
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_answer_makes_a_reading_incomplete(name: str, tmp_path: Path) -> None:
    record = told(WRONG[name], tmp_path / "a.pkl")
    assert record.is_pickle
    (reason,) = record.incomplete
    assert reason.count("the reading process answered what it should not") == 2


def test_an_answer_without_end_makes_a_reading_incomplete(tmp_path: Path) -> None:
    record = told("b'x' * 200000", tmp_path / "a.pkl", most=100_000)
    assert record.is_pickle
    assert "it answered more than 100,000 bytes" in record.incomplete[0]


def test_too_many_events_are_a_wrong_answer() -> None:
    events = [Event("frame", None, ("",))] * 1_000_000
    with pytest.raises(WrongAnswerError):
        listen([Answer("frame", None, [""])], events)


def test_an_ordinary_answer_is_read(tmp_path: Path) -> None:
    lines = (
        b'["stream",0,0,0]', b'["kind",0,"pickle"]', b'["global",3,"os","system"]',
        b'["trace",null,"os.system","3 GLOBAL imports os.system"]', b'["end",4,"c",""]',
    )  # fmt: skip
    record = told(b"\n".join(lines), tmp_path / "a.pkl")
    assert (record.is_pickle, record.incomplete, record.machines) == (True, (), ("c",))
    assert record.of("global")[0].steps == ((3, "GLOBAL imports os.system"),)


def test_fields_are_taken_as_what_they_are() -> None:
    answer = Answer("tensor", None, ["name", 3, [0, 5], "rest"])
    assert (answer.text(4), answer.number(4), answer.numbers(6, 2)) == ("name", 3, (0, 5))
    with pytest.raises(WrongAnswerError):
        answer.finish()
    assert answer.texts() == ("rest",)
    answer.finish()


@pytest.mark.parametrize(
    ("field", "take"),
    [
        ("long", lambda answer: answer.text(3)),
        (1, lambda answer: answer.text(3)),
        (3, lambda answer: answer.number(3)),
        (-1, lambda answer: answer.number(3)),
        (True, lambda answer: answer.number(3)),
        (1.0, lambda answer: answer.number(3)),
        ([1, 2], lambda answer: answer.numbers(9, 1)),
        ([True], lambda answer: answer.numbers(9, 1)),
        ("12", lambda answer: answer.numbers(9, 2)),
        ({"a": 1}, lambda answer: answer.texts()),
    ],
)
def test_a_field_of_another_form_is_a_wrong_answer(field: object, take: object) -> None:
    with pytest.raises(WrongAnswerError):
        take(Answer("tensor", None, [field]))  # type: ignore[operator]
    with pytest.raises(WrongAnswerError):
        Answer("tensor", None, []).text(9)


def test_what_follows_the_last_line_is_not_read() -> None:
    process = child(b'["one",null]\n["done",null]\nno json')
    process.start()
    process.send("go", 2)
    assert [answer.kind for answer in answers(process)] == ["one"]
    process.close()
