"""Takes from the child all it does not need: files, network, processes, memory, time."""

from __future__ import annotations

import fcntl
import os
import platform
import resource
import select
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# read write close fstat lseek mmap mprotect munmap brk sigaction sigprocmask sigreturn pread64 mremap madvise
# getpid sendto recvfrom sendmsg recvmsg exit exit_group futex fcntl clock_gettime getrusage setrlimit
# getrandom newfstatat sigaltstack gettid sched_yield rseq; of this process alone: prlimit64 tgkill
_ALLOWED = {
    "x86_64": (0xC000003E, (0, 1, 3, 5, 8, 9, 10, 11, 12, 13, 14, 15, 17, 25, 28, 39, 44, 45, 46, 47, 60, 231,
                            202, 72, 228, 98, 160, 318, 262, 131, 186, 24, 334), (302, 234)),
    "aarch64": (0xC00000B7, (63, 64, 57, 80, 62, 222, 226, 215, 214, 134, 135, 139, 67, 216, 233, 172, 206,
                             207, 211, 212, 93, 94, 98, 25, 113, 165, 164, 278, 79, 132, 178, 124, 293),
                (261, 131)),
}  # fmt: skip
_EPERM = 1


def end_with_parent(descriptor: int) -> None:
    """End this process once the other end of a pipe is closed, which its parent alone holds.

    The kernel says so by SIGIO, which ends a process that does not ask for it, also in the midst of C code.
    """
    fcntl.fcntl(descriptor, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) | os.O_ASYNC)
    poll = select.poll()
    poll.register(descriptor, select.POLLHUP)
    if poll.poll(0):  # closed before that was asked for
        os._exit(1)


def limits() -> None:
    """No file may be written, few opened, no process started, no core left."""
    for name, value in (("FSIZE", 0), ("NOFILE", 32), ("CORE", 0), ("NPROC", 0)):
        kind = getattr(resource, "RLIMIT_" + name, None)
        if kind is not None:
            resource.setrlimit(kind, (value, value))


def job_limits(memory: int, seconds: int) -> None:
    """Bound what the next job may add to address space (bytes) and processor time."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    spent = int(used.ru_utime + used.ru_stime) + 1
    for kind, value in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CPU, spent + seconds)):
        try:
            resource.setrlimit(kind, (value, resource.getrlimit(kind)[1]))
        except (OSError, ValueError):
            continue  # this platform has no such limit; the parent's clock still holds


@contextmanager
def processor_time(seconds: int) -> Iterator[None]:
    """Bound the processor time of what is done inside; the process ends where that is used up."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
    until = int(used.ru_utime + used.ru_stime) + 1 + seconds
    if soft == resource.RLIM_INFINITY or until < soft:
        resource.setrlimit(resource.RLIMIT_CPU, (until, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def seccomp() -> str:
    """Refuse every system call but those that reading and answering need; says what could not be done."""
    if sys.platform != "linux" or platform.machine() not in _ALLOWED:
        return "no seccomp on this platform"
    import ctypes  # noqa: PLC0415  only where it is used

    architecture, calls, guarded = _ALLOWED[platform.machine()]
    program = [(0x20, 0, 0, 4), (0x15, 1, 0, architecture), (0x06, 0, 0, 0x80000000), (0x20, 0, 0, 0)]
    end = len(program) + 5 * len(guarded) + len(calls) + 1  # where the call is allowed
    for number in guarded:
        # Of this process alone: its first argument is 0 or the process's own number.
        program += [(0x15, 0, 4, number), (0x20, 0, 0, 16)]
        program += [
            (0x15, end - len(program) - 1 - index, 0, pid) for index, pid in enumerate((0, os.getpid()))
        ]
        program.append((0x06, 0, 0, 0x00050000 | _EPERM))
    for number in calls:
        program.append((0x15, end - len(program) - 1, 0, number))
    program += [(0x06, 0, 0, 0x00050000 | _EPERM), (0x06, 0, 0, 0x7FFF0000)]
    packed = b"".join(struct.pack("HBBI", *step) for step in program)
    code = ctypes.create_string_buffer(packed, len(packed))

    class Filter(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_void_p))

    libc = ctypes.CDLL(None, use_errno=True)
    prctl = libc.prctl
    fprog = Filter(len(program), ctypes.addressof(code))
    if prctl(38, 1, 0, 0, 0) or prctl(22, 2, ctypes.byref(fprog), 0, 0):
        return f"seccomp refused by the kernel (errno {ctypes.get_errno()})"
    return ""
