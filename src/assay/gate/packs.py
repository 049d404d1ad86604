"""Policy packs: folders of Rego with a name, settings and tests.

A pack is a folder with `*.rego`, tests in `*_test.rego`, data in `*.json` or `*.yaml`, and `pack.yaml`:

```yaml
name: our-rules            # package assay.our_rules; the folder's name if left out
title: What our team asks  # one line
extends: [baseline]        # packs whose rules these rules use
settings: {limit: 3}       # data.settings["our-rules"]; assay.yaml overrides them in policy.data.our-rules
```
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.core.canonical import canonical_digest
from assay.core.digest import sha256_file
from assay.core.errors import ConfigError
from assay.gate.engine import Module
from assay.gate.rego_source import check_modules

BUILTIN = Path(__file__).with_name("packs")
MAX_FILES = 200
MAX_BYTES = 1 << 20
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
GROWING = frozenset({"required", "never_waived"})
_KEYS = {"name": str, "title": str, "extends": list, "settings": dict}


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack, read.

    Attributes:
        name: as assay.yaml names it.
        title: one line for people.
        folder: where it lies.
        modules: its own Rego, without tests.
        tests: its `*_test.rego`.
        extends: packs whose modules and settings it needs, read.
        settings: its defaults.
        files: data files, by stem; policies read `data.files.STEM`.
        digests: relative path to SHA-256, of everything that has a say.
    """

    name: str
    title: str
    folder: Path
    modules: tuple[Module, ...]
    tests: tuple[Module, ...]
    extends: tuple[Pack, ...]
    settings: Mapping[str, Any]
    files: Mapping[str, Any]
    digests: Mapping[str, str]

    @property
    def package(self) -> str:
        """Its Rego package."""
        return f"assay.{package_name(self.name)}"

    def closure(self) -> dict[str, Pack]:
        """This pack and all that it extends, by name, what is extended first."""
        found: dict[str, Pack] = {}
        for parent in self.extends:
            found.update(parent.closure())
        return {**found, self.name: self}

    def all_modules(self) -> tuple[Module, ...]:
        """The Rego of this pack and of what it extends."""
        return tuple(module for pack in self.closure().values() for module in pack.modules)

    def data(self, user: Mapping[str, Any]) -> dict[str, Any]:
        """The base document `data` for this pack.

        Args:
            user: `policy.data` of assay.yaml. A key that is a pack's name overrides that pack's settings;
                the lists `required` and `never_waived` only grow by it.

        Raises:
            ConfigError: it overrides a setting that the pack does not have, or with another type.
        """
        packs = self.closure().values()
        settings = {pack.name: _overridden(pack, user) for pack in packs}
        files: dict[str, Any] = {}
        for pack in packs:
            twice = sorted(set(files) & set(pack.files))
            if twice:
                raise ConfigError(f"data file {twice[0]!r} stands in two packs", subject=pack.name)
            files.update(pack.files)
        return {"settings": settings, "files": files, "user": dict(user)}


def package_name(name: str) -> str:
    """A pack's name as Rego can write it: dots and hyphens become underscores."""
    return re.sub(r"[.-]", "_", name)


def builtin_names() -> list[str]:
    """Names of the packs that ship with Assay."""
    return sorted(path.parent.name for path in BUILTIN.glob("*/pack.yaml"))


def load_packs(names: Sequence[str], *, root: Path | None = None) -> tuple[Pack, ...]:
    """Read packs.

    Args:
        names: a built-in pack's name, or a folder's path (with a slash, or relative to `root`).
        root: folder that relative paths start from; the working folder if None.

    Raises:
        ConfigError: one does not exist, cannot be read or is not a pack.
    """
    packs = tuple(load_pack(name, root=root) for name in names)
    twice = [pack.name for number, pack in enumerate(packs) if pack.name in {p.name for p in packs[:number]}]
    if twice:
        raise ConfigError(f"policy.packs names {twice[0]!r} twice", remedy="Name each pack once.")
    return packs


def load_pack(name: str, *, root: Path | None = None) -> Pack:
    """Read one pack; see `load_packs`."""
    if name in builtin_names():
        return _read(BUILTIN / name, ())
    folder = ((root or Path.cwd()) / Path(name).expanduser()).absolute()
    if not folder.is_dir():
        raise ConfigError(
            f"there is no policy pack {name!r}",
            subject=str(folder),
            remedy=f"Name a built-in pack ({', '.join(builtin_names())}) or a folder with *.rego in it.",
        )
    return _read(folder, ())


def policy_digest(packs: Sequence[Pack], settings: Mapping[str, Any]) -> str:
    """SHA-256 over every file of the packs and over what the project sets.

    Args:
        packs: those that decide.
        settings: the document's `settings`: they too decide what passes.
    """
    files = {f"{n}/{f}": d for pack in packs for n, p in pack.closure().items() for f, d in p.digests.items()}
    return canonical_digest(
        {"files": files, "packs": [pack.name for pack in packs], "settings": dict(settings)}
    )


def overridden(packs: Sequence[Pack], user: Mapping[str, Any]) -> list[str]:
    """The settings of `packs` that `policy.data` overrides: `PACK.SETTING`, sorted."""
    closure = {name: pack for top in packs for name, pack in top.closure().items()}
    found = ((pack, user.get(name)) for name, pack in closure.items())
    return sorted(
        f"{pack.name}.{key}"
        for pack, own in found
        if isinstance(own, Mapping)
        for key in pack.settings
        if key in own
    )


def _read(folder: Path, children: tuple[str, ...]) -> Pack:
    manifest = _manifest(folder)
    name = str(manifest.get("name", folder.name))
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{name!r} cannot be a pack's name", subject=str(folder), remedy="Set `name`.")
    if name in builtin_names() and folder.parent != BUILTIN:
        raise ConfigError(
            f"{name!r} is the name of a built-in pack", subject=str(folder), remedy="Set `name`."
        )
    if name in children:
        raise ConfigError(f"packs extend each other: {' → '.join((*children, name))}", subject=str(folder))
    sources = [Module(str(path.relative_to(folder)), _source(path)) for path in _listed(folder, ".rego")]
    if not any(not _is_test(module) for module in sources):
        raise ConfigError("holds no *.rego file", subject=str(folder), remedy="See docs/policy.md.")
    check_modules(sources, f"assay.{package_name(name)}")
    data = _listed(folder, ".json", ".yaml", ".yml")
    files = [path for path in data if path.name != "pack.yaml"]
    parents = tuple(_parent(str(item), folder, (*children, name)) for item in manifest.get("extends", []))
    labelled = tuple(Module(f"{name}/{module.name}", module.source) for module in sources)
    return Pack(
        name=name,
        title=str(manifest.get("title", "")),
        folder=folder,
        modules=tuple(module for module in labelled if not _is_test(module)),
        tests=tuple(module for module in labelled if _is_test(module)),
        extends=parents,
        settings=manifest.get("settings", {}),
        files=_data_files(files),
        digests=_digests(folder, [*_listed(folder, ".rego"), *data]),
    )


def _parent(name: str, folder: Path, children: tuple[str, ...]) -> Pack:
    if name in builtin_names():
        return _read(BUILTIN / name, children)
    path = folder / name
    if not path.is_dir():
        raise ConfigError(f"extends {name!r}, which does not exist", subject=str(folder))
    return _read(path, children)


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / "pack.yaml"
    manifest = _parse(path) if path.is_file() else {}
    if not isinstance(manifest, dict):
        raise ConfigError("is not a mapping of keys", subject=str(path))
    for key, value in manifest.items():
        if key not in _KEYS:
            raise ConfigError(f"unknown key {key!r}", subject=str(path), remedy=f"Known: {', '.join(_KEYS)}.")
        if not isinstance(value, _KEYS[key]):
            raise ConfigError(f"{key} must be a {_KEYS[key].__name__}", subject=str(path))
    return manifest


def _data_files(paths: Sequence[Path]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path in paths:
        if path.stem in found:
            raise ConfigError(f"data file {path.stem!r} stands twice", subject=str(path))
        found[path.stem] = _parse(path)
    return found


def _digests(folder: Path, paths: Sequence[Path]) -> dict[str, str]:
    kept = [path for path in paths if not path.name.endswith("_test.rego")]
    return {path.relative_to(folder).as_posix(): sha256_file(path).sha256 for path in kept}


def _is_test(module: Module) -> bool:
    return module.name.endswith("_test.rego")


def _listed(folder: Path, *suffixes: str) -> list[Path]:
    found = sorted(path for path in folder.iterdir() if path.suffix in suffixes and path.is_file())
    if len(found) > MAX_FILES:
        raise ConfigError(f"holds more than {MAX_FILES} files", subject=str(folder))
    return found


def _source(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
        text = raw.decode("utf-8")
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", subject=str(path)) from error
    except UnicodeDecodeError as error:
        raise ConfigError("is not UTF-8 text", subject=str(path)) from error
    if len(raw) > MAX_BYTES or "\0" in text:
        raise ConfigError("is larger than 1 MB, or holds a NUL", subject=str(path))
    return text


def _parse(path: Path) -> Any:
    text = _source(path)
    try:
        if path.suffix == ".json":
            return json.loads(text)
        return _plain_yaml(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"cannot be parsed: {str(error)[:300]}", subject=str(path)) from error


def _plain_yaml(text: str) -> Any:
    import yaml  # noqa: PLC0415  start-up

    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.SafeLoader)):
            raise ValueError("aliases are not allowed")
        # Through JSON, so that dates and the like are refused here and not by the engine.
        return json.loads(json.dumps(yaml.safe_load(text), allow_nan=False))
    except (yaml.YAMLError, TypeError) as error:
        raise ValueError(str(error)) from error


def _overridden(pack: Pack, user: Mapping[str, Any]) -> dict[str, Any]:
    own = user.get(pack.name, {})
    if not isinstance(own, Mapping):
        raise ConfigError(f"policy.data.{pack.name} must be a mapping", remedy="Correct assay.yaml.")
    for key, value in own.items():
        if key not in pack.settings:
            known = ", ".join(pack.settings) or "none"
            raise ConfigError(f"pack {pack.name} has no setting {key!r}", remedy=f"Its settings: {known}.")
        if _kind(value) != _kind(pack.settings[key]):
            raise ConfigError(f"policy.data.{pack.name}.{key} must be a {_kind(pack.settings[key])}")
    return {**pack.settings, **{key: _grown(pack, key, value) for key, value in own.items()}}


def _grown(pack: Pack, key: str, value: Any) -> Any:
    default = pack.settings[key]
    if key not in GROWING or not isinstance(default, list):
        return value
    return [*default, *(item for item in value if item not in default)]


def _kind(value: object) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "number"
    return type(value).__name__
