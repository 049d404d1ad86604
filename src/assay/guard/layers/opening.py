"""The layers that a policy asks for, made ready."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from assay.core.errors import ConfigError
from assay.guard.layer import Layer
from assay.guard.layers.match import MatchLayer
from assay.guard.layers.normalise import NormaliseLayer
from assay.guard.layers.personal import PiiLayer
from assay.guard.match import MAX_IN_TRAFFIC, Matcher, everything
from assay.guard.policy import GuardPolicy, Switch
from assay.guard.rules import parse_rules

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
    own = [rule for path in policy.packs for rule in _pack(Path(path))]
    return Matcher((*everything().rules, *own), most=MAX_IN_TRAFFIC).compile()


def _pack(path: Path) -> Any:
    import yaml  # noqa: PLC0415  start-up

    try:
        with path.open("rb") as file:
            document = yaml.safe_load(file.read(MAX_PACK))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be read: {error}", subject=str(path)) from error
    if not isinstance(document, list) or not all(
        isinstance(one, dict) and "pattern" in one for one in document
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
