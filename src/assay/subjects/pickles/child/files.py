"""How the C unpickler is given its bytes.

Three machines read a pickle in the field: C from bytes, C from a file, and pure Python. They part ways
only where an opcode crosses the end of a FRAME (CPython issue 154848): C from a file drops what is left
of the frame, the others do not. `WholeFile` makes C read as from bytes; `FrameFile` makes it read as
from a file and notices when it drops something.
"""

from __future__ import annotations

FRAME = 0x95


class BoundaryReachedError(Exception):
    """The unpickler asked for more than the stream that was to be read."""


def _fill(target: memoryview, chunk: memoryview) -> int:
    target[: len(chunk)] = chunk
    return len(chunk)


class WholeFile:
    """A file whose `peek` gives all that is left, which is what `pickle.loads` sees."""

    def __init__(self, view: memoryview, start: int, end: int, find: object) -> None:
        self._view = view
        self._find = find
        self.position = start
        self._end = end

    def peek(self, _size: int) -> memoryview:
        """All that is left."""
        return self._view[self.position : self._end]

    def read(self, size: int) -> memoryview:
        """The next `size` bytes, fewer at the end."""
        start = self.position
        self.position = min(start + size, self._end)
        return self._view[start : self.position]

    def readinto(self, target: memoryview) -> int:
        """Fill `target` with the next bytes, which C asks for where an object's bytes are many."""
        return _fill(target, self.read(len(target)))

    def readline(self) -> memoryview:
        """Up to and with the next newline."""
        start = self.position
        at = self._find(b"\n", start, self._end)  # type: ignore[operator]
        self.position = at + 1 if at >= 0 else self._end
        return self._view[start : self.position]


class FrameFile:
    """A file without `peek`, as `io.BytesIO` is one, that watches for dropped ends of frames.

    After it has read a frame, C asks the file again only when the frame is used up. If nothing is left
    over, that is for the next opcode: one byte. Anything else means that bytes were dropped.
    """

    def __init__(self, view: memoryview, start: int, end: int, find: object) -> None:
        self._view = view
        self._find = find
        self.position = start
        self._end = end
        self._after_frame = False
        self._header = 0
        self._length = -1
        self.violated = False
        self.closed = False

    def read(self, size: int) -> memoryview:
        """The next `size` bytes, fewer at the end."""
        if self.closed:
            raise BoundaryReachedError
        if self._after_frame:
            self._after_frame = False
            self.violated |= size != 1
        start = self.position
        self.position = min(start + size, self._end)
        chunk = self._view[start : self.position]
        if self._header:
            self._follow_header(chunk, size)
        elif size == 1 and len(chunk) == 1 and chunk[0] == FRAME:
            self._header = 1
        return chunk

    def _follow_header(self, chunk: memoryview, size: int) -> None:
        if self._header == 1 and size == 8:  # noqa: PLR2004  FRAME's argument
            self._header, self._length = 2, int.from_bytes(chunk, "little")
        elif self._header == 2 and size == self._length:  # noqa: PLR2004
            self._header, self._after_frame = 0, True
        else:
            self._header = int(size == 1 and len(chunk) == 1 and chunk[0] == FRAME)

    def readinto(self, target: memoryview) -> int:
        """Fill `target` with the next bytes, none of which is an opcode."""
        chunk = self.read(len(target))
        self._header = 0
        return _fill(target, chunk)

    def readline(self) -> memoryview:
        """Up to and with the next newline."""
        if self.closed:
            raise BoundaryReachedError
        self.violated |= self._after_frame
        self._after_frame = False
        self._header = 0
        start = self.position
        at = self._find(b"\n", start, self._end)  # type: ignore[operator]
        self.position = at + 1 if at >= 0 else self._end
        return self._view[start : self.position]
