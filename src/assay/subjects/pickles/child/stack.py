"""The stack, the memo and the plain values of the streaming machine."""

from __future__ import annotations

from .symbols import UNKNOWN, Bytes
from .walk import Walk, WalkLimitError

MAX_STACK = 2_000_000


class StackMachine:
    """What needs no more than stack, marks and memo."""

    def __init__(self) -> None:
        self._stack: list[object] = []
        self._marks: list[int] = []
        self._memo: dict[int, object] = {}
        self._at = 0
        self.walk = Walk(0)

    def _complain(self, what: str) -> None:
        self.walk.problem = self.walk.problem or f"{what} at {self._at}"

    def _push(self, value: object) -> None:
        self._stack.append(value)

    def _pop(self) -> object:
        floor = self._marks[-1] if self._marks else 0
        if len(self._stack) > floor:
            return self._stack.pop()
        if self._marks and self._stack:  # a real machine raises; pure Python before 3.? pops the mark
            self._complain("a value is taken from behind a mark")
        else:
            self._complain("the stack is empty")
        return UNKNOWN

    def _top(self) -> object:
        if self._stack:
            return self._stack[-1]
        self._complain("the stack is empty")
        return UNKNOWN

    def _pop_mark(self) -> list[object]:
        if not self._marks:
            self._complain("there is no mark")
            return []
        floor = self._marks.pop()
        items = self._stack[floor:]
        del self._stack[floor:]
        return items

    # -- stack and memo

    def _op_mark(self, _: object) -> None:
        if len(self._marks) > MAX_STACK:
            raise WalkLimitError
        self._marks.append(len(self._stack))

    def _op_pop(self, _: object) -> None:
        if self._marks and self._marks[-1] == len(self._stack):
            self._marks.pop()
        else:
            self._pop()

    def _op_pop_mark(self, _: object) -> None:
        self._pop_mark()

    def _op_dup(self, _: object) -> None:
        self._push(self._top())

    def _remember(self, key: int) -> None:
        if self._stack:
            self._memo[key] = self._stack[-1]
        else:
            self._complain("nothing to memoize")

    def _op_put(self, value: object) -> None:
        self._remember(self._integer(value))

    def _op_binput(self, value: object) -> None:
        self._remember(value)  # type: ignore[arg-type]

    _op_long_binput = _op_binput

    def _op_memoize(self, _: object) -> None:
        self._remember(len(self._memo))

    def _recall(self, key: int) -> None:
        if key not in self._memo:
            self._complain(f"memo {key} was never set")
        self._push(self._memo.get(key, UNKNOWN))

    def _op_get(self, value: object) -> None:
        self._recall(self._integer(value))

    def _op_binget(self, value: object) -> None:
        self._recall(value)  # type: ignore[arg-type]

    _op_long_binget = _op_binget

    # -- scalars

    def _integer(self, line: object) -> int:
        try:
            return int(bytes(line).strip().rstrip(b"L")[:40], 0)  # type: ignore[call-overload]
        except (ValueError, TypeError):
            self._complain("an integer that is none")
            return -1

    def _op_int(self, value: object) -> None:
        raw = bytes(value)  # type: ignore[call-overload]
        self._push({b"00": False, b"01": True}.get(raw) if raw in (b"00", b"01") else self._integer(raw))

    def _op_long(self, value: object) -> None:
        self._push(self._integer(value))

    def _op_float(self, value: object) -> None:
        try:
            self._push(float(bytes(value)[:400]))  # type: ignore[call-overload]
        except ValueError:
            self._complain("a float that is none")
            self._push(UNKNOWN)

    _op_binint = _op_binint1 = _op_binint2 = _op_binfloat = _push

    def _op_long1(self, value: object) -> None:
        self._push(int.from_bytes(value[:64], "little", signed=True))  # type: ignore[index]

    _op_long4 = _op_long1

    def _op_none(self, _: object) -> None:
        self._push(None)

    def _op_newtrue(self, _: object) -> None:
        self._push(True)  # noqa: FBT003

    def _op_newfalse(self, _: object) -> None:
        self._push(False)  # noqa: FBT003

    # -- text and bytes

    def _text(self, raw: memoryview, encoding: str) -> object:
        if len(raw) > 1 << 20:
            return Bytes(raw, text=True)
        try:
            return str(bytes(raw), encoding, "surrogatepass" if encoding == "utf-8" else "strict")
        except (UnicodeDecodeError, ValueError):
            self._complain("text that cannot be decoded")
            return Bytes(raw, text=True)

    def _op_string(self, value: object) -> None:
        raw = bytes(value).strip()  # type: ignore[call-overload]
        if len(raw) < 2 or raw[:1] != raw[-1:] or raw[:1] not in b"'\"":  # noqa: PLR2004
            self._complain("a STRING without quotes")
        else:
            raw = raw[1:-1]
        try:
            self._push(raw.decode("unicode_escape"))
        except (UnicodeDecodeError, ValueError):
            self._complain("a STRING that cannot be decoded")
            self._push(raw.decode("latin-1"))

    def _op_binstring(self, value: object) -> None:
        self._push(self._text(value, "latin-1"))  # type: ignore[arg-type]

    _op_short_binstring = _op_binstring

    def _op_unicode(self, value: object) -> None:
        self._push(self._text(value, "raw_unicode_escape"))  # type: ignore[arg-type]

    def _op_binunicode(self, value: object) -> None:
        self._push(self._text(value, "utf-8"))  # type: ignore[arg-type]

    _op_short_binunicode = _op_binunicode8 = _op_binunicode

    def _op_binbytes(self, value: object) -> None:
        self._push(Bytes(value))  # type: ignore[arg-type]

    _op_short_binbytes = _op_binbytes8 = _op_bytearray8 = _op_binbytes

    def _op_next_buffer(self, _: object) -> None:
        self._push(Bytes(memoryview(b"")))

    def _op_readonly_buffer(self, _: object) -> None:
        self._top()
