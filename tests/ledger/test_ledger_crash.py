from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from assay.ledger import EntryKind, Keyring, Ledger

Make = Callable[..., bytes]
KILLS = 50
APPENDS = 1_000

# Acknowledges each append on stdout once it returned; the envelopes come signed from outside.
WRITER = """
import sys
from pathlib import Path
from assay.ledger import EntryKind, Ledger
envelopes = Path(sys.argv[2]).read_bytes().splitlines()
with Ledger.open(sys.argv[1]) as ledger:
    print("ready", flush=True)
    while line := sys.stdin.readline():
        for envelope in envelopes[: int(line)]:
            print(ledger.append(EntryKind.EVIDENCE, envelope).index, flush=True)
"""

# Forks one victim per line it reads, so that fifty of them cost one start of Python.
NURSERY = """
import os, sys
from pathlib import Path
from assay.ledger import EntryKind, Ledger, keys, keyring, verification
envelopes = Path(sys.argv[2]).read_bytes().splitlines()
for line in iter(sys.stdin.readline, ""):
    child = os.fork()
    if child:
        print("pid", child, flush=True)
        os.waitpid(child, 0)
        print("gone", flush=True)
        continue
    with Ledger.open(sys.argv[1]) as ledger:
        for envelope in envelopes:
            os.write(1, b"%d\\n" % ledger.append(EntryKind.EVIDENCE, envelope).index)
    os._exit(0)
"""


def test_killed_fifty_times_amid_a_thousand_appends_nothing_acknowledged_is_lost(
    tmp_path: Path, make: Make, ring: Keyring
) -> None:
    path, source = tmp_path / "ledger.db", tmp_path / "envelopes"
    source.write_bytes(b"\n".join(make(f"{number:064x}") for number in range(APPENDS)))
    chance = random.Random(20)
    acknowledged = 0
    command = [sys.executable, "-c", NURSERY, str(path), str(source)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as nursery:
        assert nursery.stdin
        assert nursery.stdout
        for _ in range(KILLS):
            nursery.stdin.write("next\n")
            nursery.stdin.flush()
            last = kill_one(nursery.stdout, after=chance.randrange(0, 40))
            with Ledger.open(path) as ledger:
                size = ledger.head().size
                # One append may be on disk that the kill kept from being acknowledged, and no more than one.
                assert last is None or last + 1 <= size <= last + 2
                acknowledged = max(acknowledged, -1 if last is None else last)
                assert size > acknowledged
                assert ledger.get(acknowledged).index == acknowledged if size else True
        nursery.stdin.close()
    with Ledger.open(path) as ledger:
        found = ledger.verify(ring)
        assert found.problems == ()
        assert found.size > acknowledged > KILLS
        entries = [entry.envelope for entry in ledger.entries()]
    # Every victim began with the first envelope: the log is a row of such beginnings, in order, without gaps.
    expected = source.read_bytes().splitlines()
    starts = [index for index, envelope in enumerate(entries) if envelope == expected[0]]
    for start, stop in zip(starts, [*starts[1:], len(entries)], strict=True):
        assert entries[start:stop] == expected[: stop - start]


def kill_one(output: object, *, after: int) -> int | None:
    """Read until `after` appends were acknowledged, kill, and return the last index acknowledged."""
    import os  # noqa: PLC0415  only here
    import signal  # noqa: PLC0415  only here

    lines = iter(output.readline, "")  # type: ignore[attr-defined]
    victim, last, killed = 0, None, False
    for line in lines:
        word = line.strip()
        if word == "gone":
            return last
        if word.startswith("pid"):
            victim = int(word.split()[1])
        else:
            last, after = int(word), after - 1
        if victim and after <= 0 and not killed:
            os.kill(victim, signal.SIGKILL)
            killed = True
    raise AssertionError("the nursery died")


def test_many_processes_write_at_once(tmp_path: Path, make: Make, ring: Keyring) -> None:
    path, source = tmp_path / "ledger.db", tmp_path / "envelopes"
    source.write_bytes(b"\n".join(make(f"{number:064x}") for number in range(25)))
    command = [sys.executable, "-c", WRITER, str(path), str(source)]
    writers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(5)
    ]
    for writer in writers:
        assert writer.stdout
        assert writer.stdout.readline() == "ready\n"
    acknowledged: list[int] = []
    for writer in writers:
        assert writer.stdin
        writer.stdin.write("25\n")
        writer.stdin.flush()
    for writer in writers:
        assert writer.stdin
        assert writer.stdout
        indexes = [int(writer.stdout.readline()) for _ in range(25)]
        assert indexes == sorted(indexes)
        acknowledged += indexes
        writer.communicate()
        assert writer.returncode == 0
    assert sorted(acknowledged) == list(range(125))
    with Ledger.open(path) as ledger:
        found = ledger.verify(ring)
    assert (found.size, found.problems) == (125, ())


def test_threads_share_one_ledger(ledger: Ledger, make: Make, ring: Keyring) -> None:
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  only here

    envelopes = [make(f"{number:064x}") for number in range(60)]
    with ThreadPoolExecutor(6) as pool:
        receipts = list(pool.map(lambda envelope: ledger.append(EntryKind.EVIDENCE, envelope), envelopes))
    assert sorted(receipt.index for receipt in receipts) == list(range(60))
    assert ledger.verify(ring).problems == ()
    for receipt, envelope in zip(receipts, envelopes, strict=True):
        assert ledger.get(receipt.index).envelope == envelope
