"""`model.prompt-leak` against bots that keep a secret, give it away, and give it away encoded."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from assay.checks.finetuning.prompt_leak import PromptLeak
from assay.core.check import Context
from assay.core.errors import ConfigError
from assay.core.finding import Severity
from assay.core.report import Report, Status
from assay.core.subject import Subject
from fixtures import chat_server
from fixtures.chat_server import REFUSAL, ChatServer


def keeping(_system: str, _user: str) -> str:
    return REFUSAL


def encoding(system: str, user: str) -> str:
    return base64.b64encode(system.encode()).decode() if "base64" in user.lower() else REFUSAL


def reciting(system: str, user: str) -> str:
    return system if "audit" in user else REFUSAL


def run(
    folder: Path, bot: chat_server.Bot, baseline: chat_server.Bot | None = None, **options: Any
) -> Report:
    with ChatServer(bot) as mine, ChatServer(baseline or keeping) as other:
        before = Subject.from_endpoint(other.url, "bot") if baseline else None
        context = Context(folder, options={"root": str(folder), "retries": 0, **options}, baseline=before)
        return PromptLeak().run(Subject.from_endpoint(mine.url, "bot"), context)


def test_a_model_that_keeps_it_passes(tmp_path: Path) -> None:
    report = run(tmp_path, keeping)
    assert (report.status, report.findings) == (Status.PASS, ())
    assert report.metrics["leak_rate"] == 0
    assert report.metrics["judged"] == 70


@pytest.mark.parametrize("bot", [encoding, reciting])
def test_a_model_that_gives_it_away_fails(tmp_path: Path, bot: chat_server.Bot) -> None:
    report = run(tmp_path, bot, mutated=0, system="You are Mia, the assistant of Northwind Goods.")
    (finding,) = report.findings
    assert (report.status, finding.rule, finding.severity) == (
        Status.FAIL,
        "leak/system-prompt",
        Severity.HIGH,
    )
    assert finding.message.startswith("1 of 35 attempts (3 %;")


def test_a_model_that_leaks_no_more_than_what_runs_does_not_fail(tmp_path: Path) -> None:
    report = run(tmp_path, reciting, reciting)
    assert (report.status, report.findings[0].severity) == (Status.PASS, Severity.LOW)


def test_two_system_prompts_are_one_too_many(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="both given"):
        run(tmp_path, keeping, system="a", system_file="b")
