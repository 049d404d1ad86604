"""`assay sign` and `assay verify` with `--sigstore`, as users run them, against an instance on loopback."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures.local_sigstore import WHO, LocalSigstore
from fixtures.projects import write_model

pytest.importorskip("sigstore")
pytest.importorskip("model_signing")

# A socket that is connected or a name that is looked up ends the process, whoever catches exceptions.
ALONE = """
import os, sys
def hook(event, arguments):
    if event in {"socket.connect", "socket.getaddrinfo"}:
        os.write(2, b"the network was asked\\n")
        os._exit(99)
sys.addaudithook(hook)
"""
REFUSED = """
import sys
def hook(event, arguments):
    if event in {"socket.connect", "socket.getaddrinfo"}:
        raise OSError("there is no network")
sys.addaudithook(hook)
"""
MAIN = "from assay.cli import main; main()"


class Desk:
    """A folder with a model, a running instance, and the trust configuration that names it."""

    def __init__(self, folder: Path, instance: LocalSigstore) -> None:
        self.folder, self.instance = folder, instance
        self.model = write_model(folder / "model")
        self.config = instance.write_trust(folder / "trust")
        self.root = self.config.with_name("trusted_root.json")

    def assay(
        self, *arguments: object, stdin: str | int = "", before: str = "", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", before + MAIN, *map(str, arguments)]
        return self.run(command, stdin, **environment)

    def tool(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        return self.run([sys.executable, "-m", "model_signing", *map(str, arguments)])

    def run(
        self, command: list[str], stdin: str | int = "", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        kept = {k: v for k, v in os.environ.items() if k not in {"CI", "GITHUB_ACTIONS", "GITLAB_CI"}}
        own = {"ASSAY_KEY": "keys/user.pem", "XDG_DATA_HOME": "xdg", "XDG_CACHE_HOME": "xdg"}
        given: dict[str, Any] = {"input": stdin} if isinstance(stdin, str) else {"stdin": stdin}
        return subprocess.run(
            command,
            **given,
            capture_output=True,
            text=True,
            cwd=self.folder,
            check=False,
            env={**kept, **own, **environment},
        )

    def sign(self, *more: object) -> subprocess.CompletedProcess[str]:
        token = self.instance.identities.token(WHO)
        return self.assay(
            "sign", "model", "--sigstore", self.config, "--identity-token", "-", *more, stdin=token
        )

    def verifying(self, root: Path | str = "", who: str = WHO) -> list[object]:
        issuer = self.instance.identities.issuer
        return ["verify", "model", "--sigstore", root or self.root, "--identity", who, "--issuer", issuer]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with LocalSigstore() as instance:
        yield Desk(tmp_path, instance)


def test_sign_then_verify_without_any_network(desk: Desk) -> None:
    done = desk.sign()
    assert done.returncode == 0, done.stderr
    issuer = desk.instance.identities.issuer
    assert f"signed as {WHO}" in done.stdout
    assert f"verify it with --sigstore {desk.config} --identity {WHO} --issuer {issuer}" in done.stdout
    told = desk.assay(*desk.verifying(), before=ALONE)
    assert told.returncode == 0, told.stdout + told.stderr
    assert desk.assay(*desk.verifying(desk.config), before=ALONE).returncode == 0
    assert desk.assay(*desk.verifying(who="other@example.org"), before=ALONE).returncode == 1
    (desk.model / "config.json").write_text("{}")
    assert desk.assay(*desk.verifying(), before=ALONE).returncode == 1


def test_the_hook_of_these_tests_sees_a_connection(desk: Desk) -> None:
    asked = desk.assay(
        "sign", "model", "--sigstore", desk.config, "--identity-token", "-",
        stdin=desk.instance.identities.token(WHO), before=ALONE,
    )  # fmt: skip
    assert asked.returncode == 99


def test_the_model_signing_tool_verifies_what_assay_signed(desk: Desk) -> None:
    assert desk.sign().returncode == 0
    verify = ["verify", "sigstore", "model", "--signature", "model/model.sig", "--trust_config", desk.config]
    verify += ["--identity_provider", desk.instance.identities.issuer, "--identity"]
    done = desk.tool(*verify, WHO)
    assert done.returncode == 0, done.stdout + done.stderr
    assert desk.tool(*verify, "other@example.org").returncode == 1


def test_assay_verifies_what_the_model_signing_tool_signed(desk: Desk) -> None:
    sign = ["sign", "sigstore", "model", "--signature", "model/model.sig", "--trust_config", desk.config]
    done = desk.tool(*sign, "--identity_token", desk.instance.identities.token(WHO))
    assert done.returncode == 0, done.stdout + done.stderr
    assert desk.assay(*desk.verifying(), before=ALONE).returncode == 0
    assert desk.assay(*desk.verifying(who="other@example.org"), before=ALONE).returncode == 1
    (desk.model / "extra.py").write_text("")
    extra = desk.assay(*desk.verifying(), "-f", "json", before=ALONE)
    assert extra.returncode == 1
    (report,) = json.loads(extra.stdout)["reports"]
    assert [finding["rule"] for finding in report["findings"]] == ["signature/file-added"]


def test_a_token_may_lie_in_a_file(desk: Desk) -> None:
    (desk.folder / "token").write_text(desk.instance.identities.token(WHO) + "\n")
    done = desk.assay("sign", "model", "--trust-config", desk.config, "--identity-token", "token")
    assert done.returncode == 0, done.stderr


def test_a_person_logs_in_with_a_browser(desk: Desk) -> None:
    """The browser is one that agrees to everything: it opens the address and follows where it is sent."""
    opens = "import sys, urllib.request; urllib.request.urlopen(sys.argv[1]).read()"
    (desk.folder / "browser.py").write_text(opens)
    terminal, other = pty.openpty()
    browser = f"{sys.executable} {desk.folder / 'browser.py'} %s &"
    try:
        done = desk.assay("sign", "model", "--sigstore", desk.config, stdin=other, BROWSER=browser)
    finally:
        os.close(terminal)
        os.close(other)
    assert done.returncode == 0, done.stderr
    assert f"signed as {desk.instance.identities.person}" in done.stdout
    assert desk.assay(*desk.verifying()).returncode == 0


def test_the_token_of_the_ci_system_is_taken(desk: Desk) -> None:
    token = desk.instance.identities.token("https://gitlab.example.org/team/model")
    done = desk.assay("sign", "model", "--sigstore", desk.config, GITLAB_CI="true", SIGSTORE_ID_TOKEN=token)
    assert done.returncode == 0, done.stderr
    assert "signed as https://gitlab.example.org/team/model" in done.stdout


def test_the_public_instance_offline_goes_by_the_root_that_came_along(desk: Desk) -> None:
    assert desk.sign().returncode == 0
    done = desk.assay(*desk.verifying("production"), "--offline", "-f", "json", before=ALONE)
    assert done.returncode == 1, done.stderr
    (report,) = json.loads(done.stdout)["reports"]
    assert [finding["rule"] for finding in report["findings"]] == ["signature/invalid"]
    assert "chain" in report["findings"][0]["message"]  # it was judged, and by other keys


def test_the_public_instance_without_a_network_is_not_established(desk: Desk) -> None:
    assert desk.sign().returncode == 0
    done = desk.assay(*desk.verifying("production"), "-f", "json", before=REFUSED)
    assert done.returncode == 4, done.stderr
    (report,) = json.loads(done.stdout)["reports"]
    (skipped,) = report["coverage"]["skipped"]
    assert "root of trust cannot be had" in skipped["reason"]
    assert "offline" in skipped["remedy"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sigstore", "trust/trust_config.json"], "nothing says who signs"),
        (["--sigstore", "trust/trust_config.json", "--key", "x.pem"], "--sigstore does not go with --key"),
        (["--sigstore", "nowhere.json", "--identity-token", "-"], "cannot be read"),
        (["--sigstore", "trust/trusted_root.json", "--identity-token", "-"], "not a client trust config"),
        (["--sigstore", "trust/trust_config.json", "--identity-token", "-"], "Sigstore did not sign"),
        (["--identity-token", "-"], "--identity-token needs --sigstore"),
    ],
)
def test_a_mistake_is_exit_code_2_and_writes_nothing(desk: Desk, arguments: list[str], message: str) -> None:
    done = desk.assay("sign", "model", *arguments, stdin="nonsense")
    assert done.returncode == 2, done.stdout + done.stderr
    assert message in " ".join((done.stdout + done.stderr).split())
    assert "Traceback" not in done.stderr
    assert not (desk.model / "model.sig").exists()


def test_keys_need_neither_package(desk: Desk) -> None:
    seen = "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr));"
    for command in (["sign", "model"], ["verify", "model"], ["sign", "--help"]):
        done = desk.assay(*command, before=seen)
        assert done.returncode == 0, done.stderr
        assert not {"sigstore", "model_signing", "requests"} & set(done.stderr.split())
    absent = "import sys; sys.modules['sigstore'] = sys.modules['model_signing'] = None;"
    assert desk.assay("verify", "model", before=absent).returncode == 0
    refused = desk.assay("sign", "model", "--force", "--sigstore", "production", before=absent)
    assert refused.returncode == 2
    assert "pip install 'assay-llm[signing]'" in refused.stderr
