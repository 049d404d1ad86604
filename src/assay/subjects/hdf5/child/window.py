"""A region of a mapped file, as a file that h5py can read and that has no path."""

from __future__ import annotations

import mmap


class Window:
    """Just enough of a file for h5py's `fileobj` driver; nothing can be written to it."""

    def __init__(self, data: mmap.mmap | bytes, start: int, end: int) -> None:
        self._view = memoryview(data)
        self._start = start
        self._end = end
        self._at = 0

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move to an offset, counted from the region's start, the present place or its end."""
        base = (0, self._at, self._end - self._start)[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        """The present place."""
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:
        """Fill `buffer`; what lies past the end stays as it is."""
        start = self._start + self._at
        count = max(0, min(len(buffer), self._end - start))
        buffer[:count] = self._view[start : start + count]
        self._at += count
        return count

    def read(self, size: int = -1) -> bytes:
        """The next `size` bytes, fewer at the end."""
        start = self._start + self._at
        stop = self._end if size < 0 else min(self._end, start + size)
        self._at += max(0, stop - start)
        return bytes(self._view[start:stop])

    def write(self, _data: object) -> int:
        """Refuse.

        Raises:
            PermissionError: always.
        """
        raise PermissionError("the file is only read")

    def truncate(self, _size: int | None = None) -> int:
        """Refuse.

        Raises:
            PermissionError: always.
        """
        raise PermissionError("the file is only read")

    def flush(self) -> None:
        """Nothing is held back."""
