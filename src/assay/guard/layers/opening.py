"""The layers that a policy asks for, made ready."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from assay.core.errors import ConfigError
from assay.core.strict_yaml import read_yaml
from assay.guard.decoding import views
from assay.guard.layer import Layer
from assay.guard.layers.match import MatchLayer
from assay.guard.layers.normalise import NormaliseLayer
from assay.guard.layers.personal import PiiLayer
from assay.guard.match import MAX_IN_TRAFFIC, Matcher, everything
from assay.guard.policy import GuardPolicy, Switch
from assay.guard.rules import GuardRule, parse_rules, plain

CLASSIFY = "classify"
NAMES = ("normalise", "match", "pii", "yara", CLASSIFY, "moderation")
_NEEDED = ("onnxruntime", "tokenizers")
MAX_PACK = 1 << 22  # bytes


def open_layers(policy: GuardPolicy) -> tuple[list[Layer], dict[str, str]]:
    """The layers that look, cheapest first, and why the others do not.

    Raises:
        ConfigError: a layer is asked for and cannot be made.
    """
    opened: list[Layer] = []
    absent: dict[str, str] = {}
    for name, make in _makers(policy):
        if policy.layer(name).use is Switch.OFF:
            absent[name] = "switched off"
            continue
        try:
            opened.append(make())
        except _AbsentError as error:
            if policy.layer(name).use is Switch.ON:
                raise ConfigError(str(error), subject=f"guard.layers.{name}", remedy=error.remedy) from error
            absent[name] = f"{error}; {error.remedy}"
    return opened, absent


class _AbsentError(Exception):
    """What a layer needs is not installed."""

    remedy = "pip install 'assay-llm[guard]'"


def _makers(policy: GuardPolicy) -> Iterator[tuple[str, Any]]:
    yield "normalise", NormaliseLayer
    yield "match", lambda: MatchLayer(_matcher(policy))
    yield "pii", PiiLayer
    if policy.yara:
        yield "yara", lambda: _yara(policy)
    yield CLASSIFY, lambda: _classifier(policy)
    if policy.moderation_url:
        yield "moderation", lambda: _moderation(policy)


def _matcher(policy: GuardPolicy) -> Matcher:
    if not policy.packs:
        return everything()
    packs = {path: _pack(Path(path)) for path in policy.packs}
    known = {rule.id for rule in everything().rules}
    for path, rules in packs.items():
        for rule in rules:
            if rule.id in known:
                raise ConfigError("there are two rules of this id", subject=f"{path}: {rule.id}")
            known.add(rule.id)
    own = [rule for rules in packs.values() for rule in rules]
    matcher = Matcher((*everything().rules, *own), most=MAX_IN_TRAFFIC).compile()
    for path, rules in packs.items():
        for rule in rules:
            _require_examples(matcher, rule, path)
    return matcher


def _require_examples(matcher: Matcher, rule: GuardRule, path: str) -> None:
    """A rule that does not find what it is for would be a gap that nobody sees."""
    for wanted, texts in ((True, (rule.example, *rule.examples)), (False, _counter_examples(rule))):
        for text in texts:
            found = any(match.rule_id == rule.id for match in matcher.scan_views(views(plain(text))))
            if found is not wanted:
                said = "does not find its example" if wanted else "finds its counter-example"
                raise ConfigError(
                    f"{said} {text[:80]!r}",
                    subject=f"{path}: {rule.id}",
                    remedy="Correct the pattern, its literals, or the example.",
                )


def _counter_examples(rule: GuardRule) -> tuple[str, ...]:
    return (rule.counter_example, *rule.counter_examples)


def _pack(path: Path) -> tuple[GuardRule, ...]:
    document = read_yaml(path, limit=MAX_PACK)
    if not isinstance(document, list) or not all(
        isinstance(one, dict) and isinstance(one.get("pattern"), str) for one in document
    ):
        raise ConfigError(
            "is no list of rules with a pattern each", subject=str(path), remedy="See docs/guard.md."
        )
    return parse_rules(document, source=str(path))


def _yara(policy: GuardPolicy) -> Layer:
    from assay.guard.layers.yara import YaraLayer  # noqa: PLC0415  an extra

    return YaraLayer(Path(path) for path in policy.yara)


def _classifier(policy: GuardPolicy) -> Layer:
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise _AbsentError(f"the classifier needs {missing[0]}")
    from assay.guard.classify import Classifier, LocalClassifier  # noqa: PLC0415  an extra, and start-up

    if policy.classifier:
        return LocalClassifier(Path(policy.classifier), name=CLASSIFY)
    return Classifier()


def _moderation(policy: GuardPolicy) -> Layer:
    from assay.guard.classify import ModerationApi  # noqa: PLC0415  start-up

    key = os.environ.get(policy.moderation_key_env, "") if policy.moderation_key_env else ""
    return ModerationApi(policy.moderation_url, policy.moderation_model, key)
