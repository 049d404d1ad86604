"""For a library that opens files and starts threads of its own: it can reach no network and start no program.

seccomp refuses the calls by which it could; files cannot be written (`confine.limits` of the pickles' child).
"""

from __future__ import annotations

import ctypes
import platform
import resource
import struct
import sys

# socket connect bind listen accept accept4 socketpair(left out: event loops use it) execve execveat ptrace
# unlink unlinkat rename renameat renameat2 link linkat symlink symlinkat mkdir mkdirat rmdir chmod fchmodat
# truncate kill tkill(left out: threads) mount umount2 process_vm_writev bpf io_uring_setup
_REFUSED = {
    "x86_64": (0xC000003E, (41, 42, 49, 50, 43, 288, 59, 322, 101, 87, 263, 82, 264, 316, 86, 265, 88, 266,
                            83, 258, 84, 90, 268, 76, 62, 165, 166, 311, 321, 425)),
    "aarch64": (0xC00000B7, (198, 203, 200, 201, 202, 242, 221, 281, 117, 35, 38, 276, 37, 36, 34, 53, 45,
                             129, 40, 39, 271, 280, 425)),
}  # fmt: skip
_EPERM = 1


def refuse() -> str:
    """Refuse those calls from now on, in every thread of this process; says what could not be done."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform != "linux" or platform.machine() not in _REFUSED:
        return "no seccomp on this platform"
    architecture, calls = _REFUSED[platform.machine()]
    steps = [(0x20, 0, 0, 4), (0x15, 1, 0, architecture), (0x06, 0, 0, 0x80000000), (0x20, 0, 0, 0)]
    for at, number in enumerate(calls):
        steps.append((0x15, len(calls) - at, 0, number))
    steps += [(0x06, 0, 0, 0x7FFF0000), (0x06, 0, 0, 0x00050000 | _EPERM)]
    packed = b"".join(struct.pack("HBBI", *step) for step in steps)
    code = ctypes.create_string_buffer(packed, len(packed))

    class Filter(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_void_p))

    program = Filter(len(steps), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    number = {"x86_64": 317, "aarch64": 277}[platform.machine()]
    # With TSYNC: the library's import may have started threads.
    if libc.prctl(38, 1, 0, 0, 0) or libc.syscall(number, 1, 1, ctypes.byref(program)):
        return f"seccomp refused by the kernel (errno {ctypes.get_errno()})"
    return ""
