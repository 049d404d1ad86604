"""`hf://` against a server that speaks the Hub's API, and against ones that lie."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assay.core.errors import LimitError, SubjectError
from assay.sources.addresses import address_of
from assay.sources.fetching import fetched
from assay.sources.web import Web
from assay.sources.workspace import Bounds, Workspace
from fixtures.hub_server import COMMIT, HubRepository, HubServer
from fixtures.refusals import refusal

FILES = {
    "README.md": b"---\nlicense: mit\n---\n",
    "config.json": b"{}",
    "onnx/model.onnx": b"o" * 100,
    "weights.bin": b"w" * 3_000_000,
    "empty.txt": b"",
}
Entry = dict[str, Any]


def repository(**changes: Any) -> HubRepository:
    made = HubRepository(dict(FILES), {"weights.bin", "onnx/model.onnx"})
    return dataclasses.replace(made, **changes)


def hub(monkeypatch: pytest.MonkeyPatch, given: HubRepository | None = None, **settings: Any) -> HubServer:
    server = HubServer({"acme/bot": given or repository()}, **settings)
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setattr("assay.sources.web.PAUSE", 0.0)
    return server


def left_behind(cache: Path) -> list[str]:
    return [path.name for path in cache.iterdir() if path.name != "lock"]


def test_a_repository_comes_whole_and_pinned(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    with hub(monkeypatch), fetched("hf://acme/bot@v1") as found:
        assert found.name == f"hf://acme/bot@{COMMIT}"
        assert found.path.parts[-3:] == ("models--acme--bot", "snapshots", COMMIT)
        there = {p.relative_to(found.path).as_posix(): p for p in found.path.rglob("*") if p.is_file()}
        assert {name: path.read_bytes() for name, path in there.items()} == FILES
        assert cache.stat().st_mode & 0o777 == 0o700
        assert found.subject().name == found.name
    assert left_behind(cache) == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("hf://acme/bot/weights.bin", {""}),
        ("hf://acme/bot@main/onnx", {"model.onnx"}),
        ("hf://acme/bot@refs/pr/1/config.json", {""}),
        ("hf://acme/bot@refs%2Fpr%2F1/config.json", {""}),
    ],
)
def test_a_part_of_a_repository(name: str, expected: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with hub(monkeypatch) as server, fetched(name) as found:
        paths = [found.path] if found.path.is_file() else list(found.path.rglob("*"))
        assert {path.relative_to(found.path).as_posix().strip(".") for path in paths} == expected
        assert len([path for path, _ in server.requests if "/resolve/" in path]) == 1
        assert found.name.startswith(f"hf://acme/bot@{COMMIT}/")


def test_the_token_goes_to_the_hub_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    with HubServer({"acme/bot": repository()}) as network:
        elsewhere = f"{network.url}/cdn/acme/bot/weights.bin"
        given = repository(files={"weights.bin": FILES["weights.bin"]}, location=elsewhere)
        with hub(monkeypatch, given, token="hf_secret") as server:
            assert "HF_TOKEN" in refusal("hf://acme/bot").remedy
            monkeypatch.setenv("HF_TOKEN", "hf_secret")
            with fetched("hf://acme/bot") as found:
                assert (found.path / "weights.bin").read_bytes() == FILES["weights.bin"]
            assert [key for _, key in server.requests[1:]] == ["Bearer hf_secret"] * 3
            assert [key for _, key in network.requests] == [None]


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (lambda content: content[:-1], "ended after"),
        (lambda content: content + b"x", "is longer than"),
        (lambda content: b"x" + content[1:], "is not the one that the source states"),
    ],
)
@pytest.mark.parametrize("file", ["weights.bin", "README.md"])
def test_bytes_that_are_not_what_the_api_said(
    file: str,
    change: Callable[[bytes], bytes],
    cause: str,
    monkeypatch: pytest.MonkeyPatch,
    cache: Path,
) -> None:
    def content(name: str, whole: bytes) -> bytes:
        return change(whole) if name == file else whole

    with hub(monkeypatch, repository(content=content)):
        assert cause in refusal("hf://acme/bot").cause
    assert left_behind(cache) == []


@pytest.mark.parametrize(
    "name", ["../escape", "/etc/x", "a/../../x", "a//b", "a\\b", "a\nb", "x" * 300, ".", "a/./b", "nul\0"]
)
def test_names_that_leave_the_folder(name: str, monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    def entry(made: Entry) -> Entry:
        return {**made, "path": name} if made["path"] == "config.json" else made

    with hub(monkeypatch, repository(entry=entry)) as server:
        assert "cannot be kept or leaves the folder" in refusal("hf://acme/bot").cause
        assert not [path for path, _ in server.requests if "/resolve/" in path]
    assert left_behind(cache) == []


@pytest.mark.parametrize(
    "change",
    [
        {"oid": ""},
        {"size": None},
        {"size": -1},
        {"size": True},
        {"lfs": {}},
        {"lfs": {"oid": "0" * 64}},
        {"lfs": "x"},
        {"type": "commit"},
    ],
)
def test_a_file_that_could_not_be_verified_is_refused(change: Entry, monkeypatch: pytest.MonkeyPatch) -> None:
    def entry(made: Entry) -> Entry:
        return {**made, **change} if made["path"] == "config.json" else made

    with hub(monkeypatch, repository(entry=entry)):
        assert "does not answer as the Hub does" in refusal("hf://acme/bot").cause


@pytest.mark.parametrize("twin", ["config.json", "config.json/x"])
def test_two_files_in_one_place(twin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def entry(made: Entry) -> Entry:
        return {**made, "path": twin} if made["path"] == "README.md" else made

    with hub(monkeypatch, repository(entry=entry)):
        assert "have the same place" in refusal("hf://acme/bot").cause


@pytest.mark.parametrize(
    ("bounds", "cause"),
    [(Bounds(bytes=1_000_000), "1,000,000 are allowed"), (Bounds(files=2), "more than 2 files")],
)
def test_bounds_hold_before_anything_is_fetched(
    bounds: Bounds, cause: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hub(monkeypatch) as server:
        error = refusal("hf://acme/bot", bounds=bounds)
        assert isinstance(error, LimitError)
        assert cause in error.cause
        assert not [path for path, _ in server.requests if "/resolve/" in path]


def test_a_server_that_stops_in_the_middle_is_left(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    with hub(monkeypatch) as server:
        server.hang_at = "weights.bin"
        error = refusal("hf://acme/bot", bounds=Bounds(seconds=1.0))
    assert isinstance(error, LimitError)
    assert "within 1 seconds" in error.cause
    assert left_behind(cache) == []


def test_a_busy_server_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with hub(monkeypatch) as server:
        server.failing = 2
        with fetched("hf://acme/bot/config.json") as found:
            assert found.path.read_bytes() == b"{}"
        server.failing = 3
        assert "answers 503" in refusal("hf://acme/bot").cause


@pytest.mark.parametrize(
    ("location", "cause"),
    [
        ("http://169.254.169.254/latest/meta-data/", "not public"),
        ("http://[::ffff:a9fe:a9fe]/latest/meta-data/", "not public"),
        ("http://10.0.0.1/x", "not public"),
        ("ftp://127.0.0.1/x", "not as safe"),
        ("http://user:pass@127.0.0.1/x", "not as safe"),
        ("http://127.0.0.1:port/", "Invalid URL"),
    ],
)
def test_redirects_to_where_no_download_lies(
    location: str, cause: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hub(monkeypatch, repository(location=location)):
        error = refusal("hf://acme/bot/weights.bin")
    assert cause in error.cause


def test_a_name_that_resolves_to_the_inside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with HubServer({"acme/bot": repository()}) as inside, hub(monkeypatch) as server:
        url = f"{inside.url.replace('127.0.0.1', 'localhost')}/cdn/acme/bot/config.json"
        workspace = Workspace(tmp_path, Bounds(), source="hf://acme/bot")
        with Web(server.url, "", workspace, {}) as web:
            assert b"".join(web.content(url)) == b"{}"
        with Web(server.url, "", workspace, {}) as web:
            web._home = address_of("18.1.1.1")  # as if the hub were a public one
            with pytest.raises(SubjectError, match="not public"):
                list(web.content(url))
        assert len(inside.requests) == 1


def test_redirects_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    given = repository()
    with hub(monkeypatch, given):
        given.location = f"/acme/bot/resolve/{COMMIT}/weights.bin"
        assert "more than 5 times" in refusal("hf://acme/bot/weights.bin").cause


@pytest.mark.parametrize("name", ["hf://acme/none", "hf://acme/bot@v9"])
def test_what_is_not_there(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with hub(monkeypatch):
        assert "answers 404: Repository not found" in refusal(name).cause
        assert "holds no files" in refusal("hf://acme/bot/nothing.bin").cause


def test_a_server_that_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assay.sources.web.PAUSE", 0.0)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    error = refusal("hf://acme/bot")
    assert isinstance(error, SubjectError)
    assert "the connection to 127.0.0.1 failed" in error.cause


@pytest.mark.parametrize("endpoint", ["ftp://x", "nonsense", "http://user:pw@127.0.0.1"])
def test_an_endpoint_that_is_none(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", endpoint)
    assert "HF_ENDPOINT" in refusal("hf://acme/bot").cause


def test_the_old_name_of_a_repository_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    with hub(monkeypatch, repository(id="other/bot")), fetched("hf://acme/bot/config.json") as found:
        assert found.notes == ("acme/bot is called other/bot on the hub",)
