"""Pictures, sound, tables, documents, lists of packages: whole they pass; what rides on them is told."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from assay.checks.packaging.artifact_scan.options import ArtifactScanOptions
from assay.checks.packaging.artifact_scan.scanner import Scanner
from assay.core.report import Status
from assay.subjects.pickles.machine import MachinePool
from fixtures import media_files as media
from fixtures.scanning import formats_of, found, rules_of, scan_bytes

BAD = b"\x80\x02cos\nsystem\n(S'id'\ntR."
pytest.importorskip("PIL")
FILES: dict[str, tuple[Callable[[], bytes], str]] = {
    "a.png": (lambda: media.picture("PNG"), "png"),
    "a.jpg": (lambda: media.picture("JPEG"), "jpeg"),
    "a.gif": (lambda: media.picture("GIF"), "gif"),
    "a.webp": (lambda: media.picture("WEBP"), "webp"),
    "a.wav": (media.sound, "wav"),
    "a.ogg": (media.ogg, "ogg"),
    "a.mp3": (media.mp3, "mp3"),
    "a.mp4": (media.film, "mp4"),
    "a.flac": (media.flac, "flac"),
    "a.pdf": (lambda: media.PDF, "pdf"),
    "flax_model.msgpack": (media.flax, "msgpack"),
}


@pytest.mark.parametrize("name", sorted(FILES))
def test_whole_file_passes(name: str, tmp_path: Path) -> None:
    make, kind = FILES[name]
    report = scan_bytes(tmp_path, name, make())
    assert (report.status, formats_of(report), found(report)) == (Status.PASS, [kind], set()), report


@pytest.mark.parametrize("name", sorted(FILES))
def test_what_follows_is_told_and_examined(name: str, tmp_path: Path) -> None:
    report = scan_bytes(tmp_path, name, FILES[name][0]() + BAD)
    assert rules_of(report) == {"archive/trailing-data", "pickle/dangerous-global"}


@pytest.mark.parametrize("name", sorted(FILES))
def test_zip_behind_is_a_polyglot(name: str, tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("data.pkl", BAD)
    report = scan_bytes(tmp_path, name, FILES[name][0]() + out.getvalue())
    assert {"archive/polyglot", "archive/trailing-data", "pickle/dangerous-global"} <= rules_of(report)


@pytest.mark.parametrize("name", sorted(FILES))
def test_other_name_is_a_lie(name: str, tmp_path: Path) -> None:
    assert rules_of(scan_bytes(tmp_path, "m.pt", FILES[name][0]())) == {"artifact/lying-extension"}


@pytest.fixture(scope="module")
def scanner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scanner]:
    with MachinePool(size=1) as pool:
        yield Scanner(pool, ArtifactScanOptions(), tmp_path_factory.mktemp("workspace"))


@pytest.mark.parametrize("name", sorted(FILES))
def test_no_prefix_is_clean(name: str, scanner: Scanner, tmp_path: Path) -> None:
    content, file = FILES[name][0](), tmp_path / name
    size = len(content.rstrip()) if name == "a.pdf" else len(content)
    frames = {47 + 417 * count - 27 for count in range(1, 3)} if name == "a.mp3" else set()
    for length in range(1, size, max(1, size // 150)):
        file.write_bytes(content[:length])
        outcome = scanner.file(file, name)
        assert outcome.skipped or outcome.findings or length in frames, length


@pytest.mark.parametrize("kind", ["parquet", "feather"])
def test_cve_2023_47248_pickled_type_of_a_table(kind: str, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    good = scan_bytes(tmp_path, f"a.{kind}", media.table(kind))
    assert (good.status, found(good)) == (Status.PASS, set()), good
    bad = scan_bytes(tmp_path, f"a.{kind}", media.table(kind, pickled=True))
    assert found(bad) == {("arrow/pickled-type", "high")}
    assert scan_bytes(tmp_path, f"a.{kind}", media.table(kind)[:-1]).status is Status.INCOMPLETE


def test_png_texts_and_private_chunks_are_judged(tmp_path: Path) -> None:
    assert (
        scan_bytes(tmp_path, "a.png", media.png_with(b"tEXt", b"Comment\0made by hand")).status is Status.PASS
    )
    evil = media.png_with(b"tEXt", b"Comment\0{{ x.__class__.__mro__ }}")
    assert rules_of(scan_bytes(tmp_path, "a.png", evil)) == {"template/injection"}
    assert scan_bytes(tmp_path, "a.png", media.png_with(b"prVt", b"harmless")).status is Status.PASS
    hidden = scan_bytes(tmp_path, "a.png", media.png_with(b"prVt", BAD))
    assert rules_of(hidden) == {"pickle/dangerous-global"}


def test_flac_comments_and_private_blocks_are_judged(tmp_path: Path) -> None:
    evil = scan_bytes(tmp_path, "a.flac", media.flac(b"TITLE={{ x.__class__.__mro__ }}"))
    assert rules_of(evil) == {"template/injection"}
    plain = media.flac()
    block = b"\2" + len(BAD).to_bytes(3, "big")
    assert rules_of(scan_bytes(tmp_path, "a.flac", plain[:42] + block + BAD + plain[42:])) == {
        "pickle/dangerous-global"
    }


def test_png_with_a_wrong_checksum_is_not_clean(tmp_path: Path) -> None:
    content = bytearray(media.picture("PNG"))
    content[-30] ^= 1
    assert scan_bytes(tmp_path, "a.png", bytes(content)).status is Status.INCOMPLETE


@pytest.mark.parametrize(
    "content",
    [
        media.pdf_with(b"/OpenAction << /S /JavaScript /JS (app.alert(1)) >>"),
        media.pdf_with(b"/AA << /S /L#61unch >>"),
        media.pdf_with(b"/Names << /EmbeddedFiles 4 0 R >>"),
        media.packed_pdf(b"3 0 << /S /Launch /F (sh) >>"),
        media.PDF + media.pdf_with(b"/AA << /S /Launch >>")[9:],
    ],
)
def test_pdf_that_acts(content: bytes, tmp_path: Path) -> None:
    assert found(scan_bytes(tmp_path, "a.pdf", content)) == {("media/active-document", "medium")}


def test_pdf_that_does_not(tmp_path: Path) -> None:
    assert scan_bytes(tmp_path, "a.pdf", media.packed_pdf(b"3 0 << /S /GoTo >>")).status is Status.PASS
    assert scan_bytes(tmp_path, "a.pdf", media.pdf_with(b"/Launcher 1")).status is Status.PASS
    hidden = media.packed_pdf(b"3 0 << /S /Launch >>").replace(b"/ObjStm", b"/Obj#53tm")
    assert scan_bytes(tmp_path, "a.pdf", hidden).status is Status.INCOMPLETE
    between = scan_bytes(tmp_path, "a.pdf", media.PDF + BAD + b"%%EOF")
    assert rules_of(between) == {"archive/trailing-data", "pickle/dangerous-global", "pickle/trailing-data"}
    assert scan_bytes(tmp_path, "a.pdf", media.pdf_with(b"/Encrypt 5 0 R")).status is Status.INCOMPLETE


def test_flax_extension_types_and_bytes(tmp_path: Path) -> None:
    assert scan_bytes(tmp_path, "flax_model.msgpack", media.flax(extension=42)).status is Status.INCOMPLETE
    report = scan_bytes(tmp_path, "flax_model.msgpack", b"\x81\xa4data\xc4" + bytes([len(BAD)]) + BAD)
    assert rules_of(report) == {"pickle/dangerous-global"}


@pytest.mark.parametrize(
    ("line", "severity"),
    [
        ("--index-url http://mirror.example/simple", "medium"),
        ("--trusted-host mirror.example", "medium"),
        ("--extra-index-url https://mirror.example/simple", "low"),
        ("git+https://git.example/a/b.git@main", "low"),
        ("thing @ https://files.example/thing.whl", "low"),
    ],
)
def test_packages_from_elsewhere(line: str, severity: str, tmp_path: Path) -> None:
    report = scan_bytes(tmp_path, "requirements.txt", f"numpy==2.0\n{line}\n")
    assert found(report) == {("repository/package-source", severity)}


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt", "environment.yml"])
def test_packages_of_the_default_index_pass(name: str, tmp_path: Path) -> None:
    lines = {
        "environment.yml": "name: a\nchannels:\n  - conda-forge\ndependencies:\n  - pip:\n    - torch>=2\n",
    }.get(name, "# see http://docs.example\n--index-url https://pypi.org/simple\ntorch>=2  # git+https://x\n")
    report = scan_bytes(tmp_path, name, lines)
    assert (report.status, found(report)) == (Status.PASS, set()), report
    if name == "environment.yml":
        bad = scan_bytes(
            tmp_path, name, lines.replace("torch>=2", "--index-url http://mirror.example/simple")
        )
        assert found(bad) == {("repository/package-source", "medium")}
