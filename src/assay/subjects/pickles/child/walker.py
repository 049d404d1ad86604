"""The streaming opcode machine: a true stack and memo in pure Python over inert values.

It runs where the C machine stopped, and goes on where a real machine would raise: what follows an error
may be reached by another version or another loader. Memory is bounded by bounding stack, memo and kept
container items; strings and bytes are views of the data.
"""

from __future__ import annotations

from collections.abc import Callable

from .opcodes import OPCODES, BrokenStreamError, Find, argument
from .recorder import looks_like_pickle
from .symbols import UNKNOWN, Bytes, Call, Global, Items, Persistent, describe, name_of
from .walk import Walk, WalkLimitError, WalkRecorder

MAX_STACK = 2_000_000
MAX_MEMO = 4_000_000
KEEP_ITEMS = 64


class Walker:
    """Walks one stream.

    Args:
        view: the data. `find` is its `bytes.find`.
        recorder: told what is met, with offsets.
        keep: how many items of each container to keep; more is needed to read state dicts.
    """

    def __init__(self, view: memoryview, find: Find, recorder: WalkRecorder, keep: int = KEEP_ITEMS) -> None:
        self._view = view
        self._find = find
        self._recorder = recorder
        self._keep = keep
        self._stack: list[object] = []
        self._marks: list[int] = []
        self._memo: dict[int, object] = {}
        self._at = self._end = 0
        self._resume = 0  # where to go on, if not at the next byte
        self.walk = Walk(0)
        self._handlers: dict[int, Callable[[object], None]] = {
            code: getattr(self, "_op_" + name.lower())
            for code, (name, _) in OPCODES.items()
            if name != "STOP"
        }

    def run(self, start: int, end: int) -> Walk:
        """Walk from `start` to a STOP, to `end`, or to what no machine can read.

        Raises:
            WalkLimitError: it grew beyond its bounds.
        """
        walk, view, find, at = self.walk, self._view, self._find, start
        self._end = end
        while at < end:
            code = view[at]
            self._at = at
            known = OPCODES.get(code)
            if known is None:
                walk.problem = walk.problem or f"byte {code:#04x} at {at} is no opcode"
                break
            walk.steps += 1
            try:
                value, at = argument(view, find, known[1], at + 1, end)
            except BrokenStreamError as error:
                walk.problem = walk.problem or f"{known[0]} at {self._at}: {error}"
                break
            if code == 0x2E:  # noqa: PLR2004  STOP
                walk.stopped = True
                walk.result = self._pop()
                if not walk.problem:
                    self._recorder.confirm()
                break
            self._handlers[code](value)
            if self._resume:
                at, self._resume = self._resume, 0
            if len(self._stack) > MAX_STACK or len(self._memo) > MAX_MEMO:
                raise WalkLimitError
        walk.end = at
        return walk

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

    # -- containers

    def _bounded(self, items: list[object]) -> list[object]:
        return items if len(items) <= self._keep else items[: self._keep]

    def _op_empty_tuple(self, _: object) -> None:
        self._push(())

    def _op_tuple(self, _: object) -> None:
        self._push(tuple(self._bounded(self._pop_mark())))

    def _op_tuple1(self, _: object) -> None:
        self._push((self._pop(),))

    def _op_tuple2(self, _: object) -> None:
        second, first = self._pop(), self._pop()
        self._push((first, second))

    def _op_tuple3(self, _: object) -> None:
        third, second, first = self._pop(), self._pop(), self._pop()
        self._push((first, second, third))

    def _op_empty_list(self, _: object) -> None:
        self._push(Items("list"))

    def _op_empty_dict(self, _: object) -> None:
        self._push(Items("dict"))

    def _op_empty_set(self, _: object) -> None:
        self._push(Items("set"))

    def _collect(self, kind: str) -> None:
        self._push(Items(kind, self._bounded(self._pop_mark())))

    def _op_list(self, _: object) -> None:
        self._collect("list")

    def _op_dict(self, _: object) -> None:
        self._collect("dict")

    def _op_frozenset(self, _: object) -> None:
        self._collect("set")

    def _add(self, items: list[object], how: str) -> None:
        target = self._top()
        if isinstance(target, Items | Call):
            target.items.extend(items[: max(0, self._keep - len(target.items))])
        elif isinstance(target, Global):
            self._recorder.mutated(target, items, how, self._at)
        elif not isinstance(target, Persistent):
            self._complain(f"{how} on something that takes no items")

    def _op_append(self, _: object) -> None:
        self._add([self._pop()], "APPEND")

    def _op_appends(self, _: object) -> None:
        self._add(self._pop_mark(), "APPENDS")

    def _op_additems(self, _: object) -> None:
        self._add(self._pop_mark(), "ADDITEMS")

    def _op_setitem(self, _: object) -> None:
        value, key = self._pop(), self._pop()
        self._add([key, value], "SETITEM")

    def _op_setitems(self, _: object) -> None:
        self._add(self._pop_mark(), "SETITEMS")

    # -- what imports and calls

    def _op_global(self, value: object) -> None:
        module, name = (part.decode("utf-8", "backslashreplace") for part in value)  # type: ignore[attr-defined]
        self._push(self._recorder.imported(module, name, self._at))

    def _op_stack_global(self, _: object) -> None:
        name, module = self._pop(), self._pop()
        if isinstance(name, str) and isinstance(module, str):
            self._push(self._recorder.imported(module, name, self._at))
            return
        self._recorder.computed(f"{describe(module)} + {describe(name)}", self._at)
        self._push(Global("?", "?"))

    def _op_inst(self, value: object) -> None:
        marked = bool(self._marks)
        args = self._pop_mark()
        module, name = (part.decode("utf-8", "backslashreplace") for part in value)  # type: ignore[attr-defined]
        named = self._recorder.imported(module, name, self._at)
        if marked:
            self._call(named, tuple(args), "INST")
        else:  # C refuses it unseen, pure Python has imported it by then: neither comes to the call
            self._push(UNKNOWN)

    def _op_obj(self, _: object) -> None:
        items = self._pop_mark()
        self._call(items[0] if items else UNKNOWN, tuple(items[1:]), "OBJ")

    def _op_reduce(self, _: object) -> None:
        args, function = self._pop(), self._pop()
        self._call(function, args if isinstance(args, tuple) else (args,), "REDUCE")

    def _op_newobj(self, _: object) -> None:
        args, cls = self._pop(), self._pop()
        self._call(cls, args if isinstance(args, tuple) else (args,), "NEWOBJ")

    def _op_newobj_ex(self, _: object) -> None:
        kwargs, args, cls = self._pop(), self._pop(), self._pop()
        self._call(cls, (*(args if isinstance(args, tuple) else (args,)), kwargs), "NEWOBJ_EX")

    def _call(self, function: object, args: tuple[object, ...], how: str) -> None:
        if isinstance(function, Global):
            self._recorder.called(function, args, how, self._at)
        else:
            self._recorder.computed_call(name_of(function), args, self._at)
        for value in args:
            if isinstance(value, Bytes) and not value.text and looks_like_pickle(value.raw):
                self._recorder.inside(value.raw)
        self._push(Call(function, tuple(args[: self._keep])))

    def _op_build(self, _: object) -> None:
        state = self._pop()
        target = self._top()
        if isinstance(target, Global):
            self._recorder.mutated(target, [state], "BUILD", self._at)
        elif isinstance(target, Call):
            target.state = state
            if isinstance(state, Bytes) and looks_like_pickle(state.raw):
                self._recorder.inside(state.raw)

    def _extension(self, value: object) -> None:
        self._recorder.extension(int(value), self._at)  # type: ignore[call-overload]
        self._push(Global("?", "?"))

    _op_ext1 = _op_ext2 = _op_ext4 = _extension

    def _op_persid(self, value: object) -> None:
        self._push(Persistent(bytes(value).decode("latin-1")))  # type: ignore[call-overload]

    def _op_binpersid(self, _: object) -> None:
        pid = self._pop()
        self._recorder.persistent(pid)
        self._push(Persistent(pid))

    def _op_proto(self, value: object) -> None:
        if int(value) > 5:  # type: ignore[call-overload]  # noqa: PLR2004
            self._complain(f"protocol {value}")

    def _op_frame(self, _: object) -> None:
        """Frames change nothing here: this machine reads as C does from bytes."""
