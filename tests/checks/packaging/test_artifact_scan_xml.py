"""XML that fetches, grows or runs is found; graphs and models as converters write them pass."""

# ruff: noqa: E501  what is fed to the scan reads best as one line

from __future__ import annotations

from pathlib import Path

import pytest

from assay.core.report import Status
from fixtures.scanning import formats_of, found, scan, scan_bytes
from fixtures.xml_attacks import IR, PMML, attacks

BENIGN = {
    "openvino_model.xml": IR,
    "model.pmml": PMML,
    "plain.xml": "<annotation><object><name>dog</name></object></annotation>",
    "image.svg": '<?xml version="1.0"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" '
    '"http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd" [<!ENTITY ns "http://www.w3.org/2000/svg">]>'
    '<svg xmlns="&ns;"><path d="M0 0"/></svg>',
    "Info.plist": '<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" '
    '"http://www.apple.com/DTDs/PropertyList-1.0.dtd"><plist version="1.0"><dict/></plist>',
    "page.html": "<!DOCTYPE html><html><script>render()</script></html>",
    "fragment.html": '<div><script>render()</script><a onclick="go()">x</a></div>',
    "latin.xml": '<?xml version="1.0" encoding="ISO-8859-1"?><a>b</a>',
    "README.md": "<div><b>Model</b></div>",
    "schema.xml": '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="a"/></xs:schema>',
}


@pytest.mark.parametrize("name", BENIGN)
def test_ordinary_documents_pass(name: str, tmp_path: Path) -> None:
    report = scan_bytes(tmp_path, name, BENIGN[name])
    assert (report.status, found(report)) == (Status.PASS, set()), report


@pytest.mark.parametrize("name", attacks())
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_attacks_are_found_in_every_encoding(name: str, encoding: str, tmp_path: Path) -> None:
    text, rule, severity = attacks()[name]
    report = scan_bytes(tmp_path, "model.xml", text.encode(encoding))
    assert (rule, severity) in found(report), report
    assert report.status is Status.FAIL


def test_xml_may_be_utf_16_without_a_mark(tmp_path: Path) -> None:
    text = "<?xml version='1.0' encoding='utf-16'?>" + attacks()["external entity"][0]
    for encoding in ("utf-16-le", "utf-16-be"):
        report = scan_bytes(tmp_path, "model.xml", text.encode(encoding))
        assert ("xml/external-entity", "high") in found(report)
    assert (
        scan_bytes(tmp_path, "a.xml", "<?xml version='1.0'?><a/>".encode("utf-16-le")).status is Status.PASS
    )


@pytest.mark.parametrize(
    "text",
    [
        "<?xml version='1.0' encoding='UTF-7'?><a>+ADw-</a>",
        "<?xml version='1.0' encoding='cp037'?><a/>",
        "<?xml version='1.0' encoding='nonsense'?><a/>",
        "<?xml version='1.0'?><a>",
        "<?xml version='1.0'?>" + "<a>" * 2000 + "</a>" * 2000,
        "<!DOCTYPE a [<!ENTITY % p 'x'> %p;]><a/>",
        "<!DOCTYPE a [",
    ],
)
def test_what_cannot_be_read_is_not_clean(text: str, tmp_path: Path) -> None:
    assert scan_bytes(tmp_path, "model.xml", text).status is Status.INCOMPLETE


def test_no_prefix_passes_as_xml(tmp_path: Path) -> None:
    for length in range(1, len(IR.rstrip()), 41):
        assert scan_bytes(tmp_path, "model.xml", IR[:length]).status is not Status.PASS, length


def test_findings_name_the_place_and_what_would_happen(tmp_path: Path) -> None:
    (finding,) = scan_bytes(tmp_path, "m.xml", attacks()["custom layer"][0]).findings
    assert (
        finding.message
        == "Layer 'm' would need a native library for 'Evil' of 'extension', which OpenVINO does not define."
    )


WEIGHTS = b"\1\x80\xff\xfe" * 6 + b"\7\7\xfd"


def test_weights_beside_a_graph_are_what_its_constants_say(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model.xml").write_text(IR)
    weights = folder / "model.bin"
    weights.write_bytes(WEIGHTS)
    assert (scan(folder).status, found(scan(folder))) == (Status.PASS, set())
    assert "numbers" in formats_of(scan(folder))
    weights.write_bytes(WEIGHTS + b"!")  # a byte of no constant
    assert scan(folder).status is Status.INCOMPLETE
    weights.write_bytes(WEIGHTS[:-2])
    assert found(scan(folder)) == {("graph/external-data-range", "high")}
    weights.write_bytes(b"cos\nsystem\n(S'id'\ntR.".ljust(len(WEIGHTS), b"\0"))
    assert ("pickle/dangerous-global", "critical") in found(scan(folder))


def test_weights_under_another_name_are_not_claimed(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model.xml").write_text(IR)
    (folder / "other.bin").write_bytes(WEIGHTS)
    assert scan(folder).status is Status.INCOMPLETE
