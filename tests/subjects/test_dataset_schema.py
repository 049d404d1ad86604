from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.subjects.dataset import Columns, Record, Schema
from assay.subjects.dataset.schema import Place, Unread, to_record

OPENAI = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
SHAREGPT = [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]


def record(fields: dict[str, Any]) -> Record:
    found = to_record(fields, Place(0, "", None), Columns(), Unread())
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("fields", "schema", "prompt", "response"),
    [
        ({"messages": OPENAI}, Schema.CHAT, "q", "a"),
        ({"conversations": SHAREGPT}, Schema.CHAT, "q", "a"),
        ({"instruction": "q", "input": "", "output": "a"}, Schema.INSTRUCTION, "q", "a"),
        ({"prompt": "q", "completion": "a"}, Schema.COMPLETION, "q", "a"),
        ({"question": "q", "answer": "a"}, Schema.COMPLETION, "q", "a"),
        ({"prompt": "q", "chosen": "a", "rejected": "b"}, Schema.PREFERENCE, "q", "a"),
        ({"text": "t", "label": 1}, Schema.LABELLED, "t", ""),
        ({"text": "t"}, Schema.TEXT, "t", ""),
    ],
)  # fmt: skip
def test_shapes_are_found_by_looking(
    fields: dict[str, Any], schema: Schema, prompt: str, response: str
) -> None:
    found = record(fields)
    assert (found.schema, found.prompt, found.response) == (schema, prompt, response)


def test_every_exchange_of_a_chat_is_told_with_what_was_given() -> None:
    roles = ["system", "user", "assistant", "tool", "user", "assistant"]
    found = record({"messages": [{"role": role, "content": f"{at}"} for at, role in enumerate(roles)]})
    assert found.exchanges() == (("1", "2"), ("3\n4", "5"))
    assert found.system == "0"


def test_nothing_that_is_text_escapes_the_record() -> None:
    fields = {
        "prompt": "p",
        "chosen": "c",
        "rejected": "r",
        "notes": "n",
        "nested": [{"deep": ["d"]}],
        "count": 3,
    }
    assert record(fields).text == "p\nc\nr\nn\nd"


def test_parts_that_are_not_text_are_told() -> None:
    unread = Unread()
    content = [{"type": "text", "text": "look"}, {"type": "image_url", "image_url": {}}]
    found = to_record(
        {"messages": [{"role": "user", "content": content}]}, Place(0, "", None), Columns(), unread
    )
    assert found is not None
    assert found.prompt == "look"
    assert unread == ["a chat turn holds a part that is not text (image_url)"]


json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
)
names = st.sampled_from(
    ["messages", "prompt", "text", "label", "chosen", "rejected", "instruction", "output", "input"]
)


@given(st.dictionaries(names, json_values, max_size=4))
def test_any_row_becomes_a_record_or_nothing(fields: dict[str, Any]) -> None:
    found = to_record(fields, Place(0, "", None), Columns(), Unread())
    assert found is None or found.text
