"""Byte code is read by a walk of our own, and compared with its source."""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import marshal
import sys
from pathlib import Path
from types import CodeType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.errors import AssayError, LimitError, SubjectError
from assay.subjects.bytecode import read_code, read_header, source_hash
from assay.subjects.bytecode.vocabulary import foreign, vocabulary

VERSION = sys.version_info[:2]
MAGIC = int.from_bytes(importlib.util.MAGIC_NUMBER[:2], "little")
LIBRARY = Path(ast.__file__).parent
SOURCES = [
    "argparse.py",
    "ast.py",
    "dataclasses.py",
    "enum.py",
    "typing.py",
    "asyncio/tasks.py",
    "json/decoder.py",
]
# As Python 2.7 writes `import os; os.system(u"id")`: interned names, a reference to one of them, no flags.
PYTHON_2 = (
    b"c" + b"\0\0\0\0" * 2 + b"\1\0\0\0" + b"@\0\0\0" + b"s\1\0\0\0d" + b"(\2\0\0\0" + b"i\xff\xff\xff\xff"
    + b"u\2\0\0\0id" + b"(\2\0\0\0" + b"t\2\0\0\0os" + b"t\6\0\0\0system" + b"(\0\0\0\0" * 3
    + b"s\4\0\0\0x.py" + b"R\0\0\0\0" + b"\1\0\0\0" + b"s\0\0\0\0"
)  # fmt: skip


@given(st.binary(max_size=200))
def test_the_hash_is_that_of_python(source: bytes) -> None:
    if VERSION >= (3, 11):
        assert source_hash(source, MAGIC, (3, 11)) == importlib.util.source_hash(source)
    # The test vector of SipHash-2-4's authors has another key; two rounds must differ from one all the same.
    assert source_hash(source, MAGIC, (3, 7)) != source_hash(source, MAGIC, (3, 11))


@pytest.mark.parametrize("name", SOURCES)
def test_all_code_of_a_module_is_read(name: str) -> None:
    source = (LIBRARY / name).read_text("utf-8")
    code = compile(source, name, "exec")
    data = marshal.dumps(code)
    codes, end = read_code(data, 0, len(data), VERSION)
    assert end == len(data)
    expected = sorted((one.co_name, one.co_names) for one in nested(code))
    assert sorted((one.name.rpartition(".")[2], one.names) for one in codes) == expected
    names = {name for one in codes for name in (*one.names, *one.variables)}
    texts = {text for one in codes for text in one.texts} | {
        constant.decode("latin-1") for one in codes for constant in one.data
    }
    known = vocabulary(ast.parse(source))
    assert list(foreign(names, texts, known)) == []
    assert list(foreign(names | {"shellcode"}, texts | {"curl evil.example"}, known)) != []


def nested(code: CodeType) -> list[CodeType]:
    return [code, *(inner for one in code.co_consts if isinstance(one, CodeType) for inner in nested(one))]


def test_python_2() -> None:
    codes, end = read_code(PYTHON_2, 0, len(PYTHON_2), (2, 7))
    assert end == len(PYTHON_2)
    assert (codes[0].names, codes[0].texts, codes[0].name) == (("os", "system"), ("id",), "os")


def test_nothing_is_followed_without_end() -> None:
    with pytest.raises(LimitError):
        read_code(b")\1" * 10_000, 0, 20_000, VERSION)
    for data in (b"r\0\0\0\0", b"(\xff\xff\xff\x7f", b"s\xff\xff\xff\xff", b"?", b"N", b""):
        with pytest.raises(SubjectError):
            read_code(data, 0, len(data), VERSION)


@given(st.integers(0, 400), st.integers(0, 255), st.sampled_from([(2, 7), (3, 6), (3, 8), (3, 11), (3, 14)]))
def test_damage_ends_in_order(at: int, value: int, version: tuple[int, int]) -> None:
    data = bytearray(marshal.dumps(compile("import os\ndef f(x): return os.sep + 'a' * x\n", "x", "exec")))
    data[at % len(data)] = value
    with contextlib.suppress(AssayError):
        read_code(bytes(data), 0, len(data), version)


@pytest.mark.parametrize(
    ("head", "version", "by_hash", "checked", "size", "start"),
    [
        (b"\xa7\x0d\r\n" + bytes(8) + b"\5\0\0\0", (3, 11), False, True, 5, 16),
        (b"\xa7\x0d\r\n\1\0\0\0" + bytes(8), (3, 11), True, False, None, 16),
        (b"\xa7\x0d\r\n\3\0\0\0" + bytes(8), (3, 11), True, True, None, 16),
        (b"\x33\x0d\r\n" + bytes(4) + b"\7\0\0\0" + bytes(4), (3, 6), False, True, 7, 12),
        (b"\x03\xf3\r\n" + bytes(12), (2, 7), False, True, None, 8),
        (b"\xff\x7f\r\n" + bytes(12), None, False, True, None, 8),
    ],
)
def test_header(
    head: bytes,
    version: object,
    by_hash: bool,
    checked: bool,
    size: int | None,
    start: int,
) -> None:
    header = read_header(head)
    told = (header.version, header.by_hash, header.checked, header.size, header.start)
    assert told == (version, by_hash, checked, size, start)
