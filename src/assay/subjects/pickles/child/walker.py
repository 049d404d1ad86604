"""The streaming opcode machine: a true stack and memo in pure Python over inert values.

It runs where the C machine stopped, and goes on where a real machine would raise: what follows an error
may be reached by another version or another loader. Memory is bounded by bounding stack, memo and kept
container items; strings and bytes are views of the data.
"""

from __future__ import annotations

from collections.abc import Callable

from .opcodes import OPCODES, BrokenStreamError, Find, argument
from .recorder import looks_like_pickle
from .stack import MAX_STACK, StackMachine
from .symbols import UNKNOWN, Call, Global, Items, Persistent, as_latin1
from .walk import Walk, WalkLimitError, WalkRecorder

MAX_MEMO = 4_000_000
KEEP_ITEMS = 64


class Walker(StackMachine):
    """Walks one stream.

    Args:
        view: the data. `find` is its `bytes.find`.
        recorder: told what is met, with offsets.
        keep: how many items of each container to keep; more is needed to read state dicts.
    """

    def __init__(self, view: memoryview, find: Find, recorder: WalkRecorder, keep: int = KEEP_ITEMS) -> None:
        super().__init__()
        self._view = view
        self._find = find
        self._recorder = recorder
        self._keep = keep
        self._end = 0
        self._resume = 0  # where to go on, if not at the next byte
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
                self._put_aside([walk.result], "STOP")
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

    def _op_binbytes(self, value: object) -> None:
        super()._op_binbytes(value)
        self._look_inside(value)  # type: ignore[arg-type]

    _op_short_binbytes = _op_binbytes8 = _op_bytearray8 = _op_binbytes

    def _look_inside(self, raw: memoryview) -> None:
        if looks_like_pickle(raw):
            self._recorder.inside(raw)

    # -- containers

    def _bounded(self, items: list[object]) -> list[object]:
        return items if len(items) <= self._keep else items[: self._keep]

    def _op_empty_tuple(self, _: object) -> None:
        self._push(())

    def _put_aside(self, items: list[object], how: str) -> None:
        if self._recorder.watching:
            self._recorder.put_aside(items, how, self._at)

    def _op_tuple(self, _: object) -> None:
        items = self._pop_mark()
        self._put_aside(items, "TUPLE")
        self._push(tuple(self._bounded(items)))

    def _op_tuple1(self, _: object) -> None:
        items = [self._pop()]
        self._put_aside(items, "TUPLE1")
        self._push(tuple(items))

    def _op_tuple2(self, _: object) -> None:
        second, first = self._pop(), self._pop()
        self._put_aside([first, second], "TUPLE2")
        self._push((first, second))

    def _op_tuple3(self, _: object) -> None:
        third, second, first = self._pop(), self._pop(), self._pop()
        self._put_aside([first, second, third], "TUPLE3")
        self._push((first, second, third))

    def _op_empty_list(self, _: object) -> None:
        self._push(Items("list"))

    def _op_empty_dict(self, _: object) -> None:
        self._push(Items("dict"))

    def _op_empty_set(self, _: object) -> None:
        self._push(Items("set"))

    def _collect(self, kind: str) -> None:
        items, collected = self._pop_mark(), Items(kind)
        self._put_aside(items, kind.upper())
        if kind == "dict":
            self._recorder.keyed(items, self._at)
        collected.take(items, self._keep)
        self._push(collected)

    def _op_list(self, _: object) -> None:
        self._collect("list")

    def _op_dict(self, _: object) -> None:
        self._collect("dict")

    def _op_frozenset(self, _: object) -> None:
        self._collect("set")

    def _add(self, items: list[object], how: str) -> None:
        target = self._top()
        self._put_aside(items, how)
        if how.startswith("SETITEM"):
            self._recorder.keyed(items, self._at)
        if isinstance(target, Items):
            target.take(items, self._keep)
        elif isinstance(target, Call):
            target.items.extend(items[: max(0, self._keep - len(target.items))])
            self._recorder.items_set(target, items, how, self._at)
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
        self._push(self._recorder.imported(module, name, "GLOBAL", self._at))

    def _op_stack_global(self, _: object) -> None:
        name, module = self._pop(), self._pop()
        if isinstance(name, str) and isinstance(module, str):
            self._push(self._recorder.imported(module, name, "STACK_GLOBAL", self._at))
            return
        self._push(self._recorder.computed(module, name, self._at))

    def _op_inst(self, value: object) -> None:
        marked = bool(self._marks)
        args = self._pop_mark()
        module, name = (part.decode("utf-8", "backslashreplace") for part in value)  # type: ignore[attr-defined]
        named = self._recorder.imported(module, name, "INST", self._at)
        if marked:
            self._call(named, tuple(args), "INST")
        else:  # C refuses it unseen, pure Python has imported it by then: neither comes to the call
            self._push(UNKNOWN)

    def _op_obj(self, _: object) -> None:
        items = self._pop_mark()
        self._call(items[0] if items else UNKNOWN, tuple(items[1:]), "OBJ")

    def _op_reduce(self, _: object) -> None:
        args, function = self._pop(), self._pop()
        self._call(function, self._arguments(args), "REDUCE")

    def _op_newobj(self, _: object) -> None:
        args, cls = self._pop(), self._pop()
        self._call(cls, self._arguments(args), "NEWOBJ")

    def _op_newobj_ex(self, _: object) -> None:
        kwargs, args, cls = self._pop(), self._pop(), self._pop()
        keywords = not isinstance(kwargs, Items) or bool(kwargs.items)
        given = self._arguments(args)
        self._call(cls, (*given, kwargs) if keywords else given, "NEWOBJ_EX", keywords=keywords)

    def _arguments(self, args: object) -> tuple[object, ...]:
        """The arguments of a call; pure Python takes a list or a set for them, C does not."""
        if isinstance(args, tuple):
            return args
        if args is not UNKNOWN:
            self._complain("arguments that are no tuple")
        return tuple(args.items) if isinstance(args, Items) else (args,)

    def _call(self, function: object, args: tuple[object, ...], how: str, *, keywords: bool = False) -> None:
        kept = tuple(args[: self._keep])
        made = Call(function, kept, note=kept, at=self._at, how=how)
        if isinstance(function, Global):
            self._recorder.called(made, function, args, keywords=keywords)
        elif isinstance(function, Call):
            self._recorder.result_called(made, function, args)
        else:
            self._recorder.computed_call(made, args)
        rule = self._recorder.reading.rule(function)
        if rule is not None and rule.gives == "bytes" and kept:
            self._look_inside(memoryview(as_latin1(kept[0])))
        made_of = kept[0] if rule is not None and rule.makes and kept else None
        if isinstance(made_of, Global):
            self._push(Call(made_of, (), note=(), at=self._at, how=how))
        else:
            self._push(made)

    def _op_build(self, _: object) -> None:
        state = self._pop()
        target = self._top()
        if isinstance(target, Global):
            self._recorder.mutated(target, [state], "BUILD", self._at)
        elif isinstance(target, Call):
            self._put_aside([state], "BUILD")
            self._recorder.built(target, state, self._at)
            target.state = state

    def _op_ext1(self, value: object) -> None:
        how = OPCODES[self._view[self._at]][0]
        self._push(self._recorder.extension(int(value), how, self._at))  # type: ignore[call-overload]

    _op_ext2 = _op_ext4 = _op_ext1

    def _op_persid(self, value: object) -> None:
        pid = bytes(value).decode("latin-1")  # type: ignore[call-overload]
        self._recorder.persistent(pid, self._at)
        self._push(Persistent(pid))

    def _op_binpersid(self, _: object) -> None:
        pid = self._pop()
        self._recorder.persistent(pid, self._at)
        module = isinstance(pid, tuple) and len(pid) > 1 and pid[0] == "module"
        stands_for = pid[1] if module and isinstance(pid, tuple) else None
        # Of legacy torch: a class, with its source for comparison.
        self._push(stands_for if isinstance(stands_for, Global) else Persistent(pid))

    def _op_proto(self, value: object) -> None:
        if int(value) > 5:  # type: ignore[call-overload]  # noqa: PLR2004
            self._complain(f"protocol {value}")

    def _op_frame(self, _: object) -> None:
        """Frames change nothing here: this machine reads as C does from bytes."""
