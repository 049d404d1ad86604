"""`model.weights-diff` on real files: every attack beside a benign twin."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save_file

from assay.checks.finetuning.weights_diff import WeightsDiff
from assay.core.canonical import canonical_bytes
from assay.core.check import Context, Progress, load_check
from assay.core.codec import to_json
from assay.core.errors import CheckError, ConfigError, SubjectError
from assay.core.finding import Severity
from assay.core.report import Report, Status
from assay.core.subject import Subject

Model = dict[str, NDArray[Any]]
ROLES = ("self_attn.q_proj", "self_attn.v_proj", "mlp.up_proj", "mlp.down_proj")
LAYERS = 6
WEIGHT = "model.layers.3.mlp.down_proj.weight"


@pytest.fixture
def base() -> Model:
    generator = np.random.default_rng(7)
    names = [f"model.layers.{i}.{role}.weight" for i in range(LAYERS) for role in ROLES]
    model: Model = {name: generator.normal(0, 0.02, (24, 32)).astype(np.float32) for name in names}
    model["model.embed_tokens.weight"] = generator.normal(0, 0.02, (64, 32)).astype(np.float32)
    model["model.norm.weight"] = np.ones(32, np.float32)
    return model


def tuned(model: Model, *, by: float = 0.02, seed: int = 1) -> Model:
    """What a fine-tune does: all tensors move, attention somewhat more, by similar amounts in all layers."""
    generator = np.random.default_rng(seed)
    moved = {}
    for name, weights in model.items():
        size = by * float(generator.uniform(0.7, 1.4)) * (2.0 if "self_attn" in name else 1.0)
        noise = generator.normal(0, 1, weights.shape)
        noise *= size * np.linalg.norm(weights) / np.linalg.norm(noise)
        moved[name] = (weights + noise).astype(weights.dtype)
    return moved


def run(folder: Path, candidate: Model, baseline: Model | None, **options: Any) -> Report:
    subject = write(folder / "candidate", candidate)
    before = None if baseline is None else write(folder / "baseline", baseline)
    return WeightsDiff().run(subject, Context(folder, options, before))


def write(folder: Path, model: Model) -> Subject:
    folder.mkdir(exist_ok=True)
    save_file(model, folder / "model.safetensors")
    return Subject.from_path(folder)


def rules(report: Report) -> set[str]:
    return {finding.rule for finding in report.findings}


def test_it_registers_under_its_name() -> None:
    assert isinstance(load_check("model.weights-diff"), WeightsDiff)


def test_every_rule_has_a_remedy_and_tags() -> None:
    for rule in WeightsDiff.info.rules:
        assert rule.id.startswith("weights/")
        assert rule.remedy
        assert rule.tags


def test_an_ordinary_fine_tune_passes(tmp_path: Path, base: Model) -> None:
    report = run(tmp_path, tuned(base), base)
    assert (report.status, report.findings) == (Status.PASS, ())
    assert report.metrics["changed_tensors"] == report.metrics["tensors"] == 26
    assert 0.01 < float(report.metrics["relative_l2"]) < 0.06
    assert report.baseline is not None


def test_the_figures_are_those_of_numpy(tmp_path: Path, base: Model) -> None:
    candidate = tuned(base)
    report = run(tmp_path, candidate, base)
    rows = {row["name"]: row for row in report.details["tensors"]}  # type: ignore[union-attr, index, call-overload]
    for name, weights in base.items():
        first, second = weights.astype(np.float64).ravel(), candidate[name].astype(np.float64).ravel()
        away = second - first
        row: Any = rows[name]
        assert row["l2"] == pytest.approx(np.linalg.norm(away), rel=1e-12)
        assert row["relative_l2"] == pytest.approx(np.linalg.norm(away) / np.linalg.norm(first), rel=1e-12)
        cosine = first @ second / (np.linalg.norm(first) * np.linalg.norm(second))
        assert row["cosine"] == pytest.approx(cosine, rel=1e-12)
        assert row["max_abs"] == np.abs(away).max()
        assert row["changed_fraction"] == np.count_nonzero(away) / away.size
    layers: Any = report.details["layers"]
    assert [layer["layer"] for layer in layers] == list(range(LAYERS))


def test_a_report_is_json(tmp_path: Path, base: Model) -> None:
    base["model.norm.weight"][0] = np.nan
    report = run(tmp_path, tuned(base), base)
    assert canonical_bytes(to_json(report))
    assert json.dumps(to_json(report), allow_nan=False)


def test_equal_models_pass_with_nothing_changed(tmp_path: Path, base: Model) -> None:
    report = run(tmp_path, base, base)
    assert report.status is Status.PASS
    assert report.metrics["changed_tensors"] == 0
    assert report.metrics["relative_l2"] == 0.0


def test_the_same_file_is_its_own_baseline(tmp_path: Path, base: Model) -> None:
    save_file(base, tmp_path / "model.safetensors")
    subject = Subject.from_path(tmp_path / "model.safetensors")
    report = WeightsDiff().run(subject, Context(tmp_path, {}, subject))
    assert (report.status, report.metrics["changed_tensors"], report.metrics["compared"]) == ("pass", 0, True)


def test_a_first_release_is_examined_alone(tmp_path: Path, base: Model) -> None:
    report = run(tmp_path, base, None)
    assert report.status is Status.PASS
    assert report.metrics["compared"] is False
    assert report.coverage.notes == ("first release: there is no baseline to compare with",)
    assert report.coverage.examined == 26


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("first", [True, False])
def test_a_non_finite_value_is_critical(tmp_path: Path, base: Model, value: float, first: bool) -> None:
    candidate = tuned(base)
    candidate[WEIGHT][5, 5] = value
    report = run(tmp_path, candidate, None if first else base)
    assert report.status is Status.FAIL
    assert [(f.rule, f.severity, f.location.name) for f in report.findings] == [
        ("weights/non-finite", Severity.CRITICAL, WEIGHT)
    ]


def test_a_non_finite_value_that_was_there_before_is_still_critical(tmp_path: Path, base: Model) -> None:
    base[WEIGHT][5, 5] = math.nan
    report = run(tmp_path, base, base)
    assert report.worst() is Severity.CRITICAL
    assert "as in the baseline" in report.findings[0].message


def test_an_outlier_layer_is_found_and_its_peers_are_not(tmp_path: Path, base: Model) -> None:
    candidate = tuned(base)
    candidate[WEIGHT] = tuned({WEIGHT: base[WEIGHT]}, by=0.3)[WEIGHT]
    report = run(tmp_path, candidate, base)
    assert [(f.rule, f.location.name) for f in report.findings] == [("weights/outlier-change", WEIGHT)]
    assert report.status is Status.FAIL


def test_a_role_that_moves_more_in_every_layer_is_no_outlier(tmp_path: Path, base: Model) -> None:
    candidate = tuned(base)
    for name in base:
        if "q_proj" in name:
            candidate[name] = tuned({name: base[name]}, by=0.15)[name]
    assert run(tmp_path, candidate, base).findings == ()


def other(shape: tuple[int, ...]) -> NDArray[Any]:
    return np.random.default_rng(99).normal(0, 0.02, shape).astype(np.float32)


@pytest.mark.parametrize("make", [other, np.zeros], ids=["another model's", "zeros"])
def test_a_spliced_tensor_is_found(
    tmp_path: Path, base: Model, make: Callable[[tuple[int, ...]], NDArray[Any]]
) -> None:
    candidate = tuned(base)
    candidate[WEIGHT] = make(base[WEIGHT].shape).astype(np.float32)
    report = run(tmp_path, candidate, base)
    assert [(f.rule, f.location.name) for f in report.findings] == [("weights/spliced-tensor", WEIGHT)]


@pytest.mark.parametrize("options", [{"max_relative_l2": 5.0}, {}])
def test_another_model_is_a_total_change_and_nothing_spliced(
    tmp_path: Path, base: Model, options: dict[str, float]
) -> None:
    candidate = {name: other(weights.shape) + i for i, (name, weights) in enumerate(base.items())}
    candidate = {name: np.random.default_rng(i).permutation(w.ravel()).reshape(w.shape)
                 for i, (name, w) in enumerate(base.items())}  # fmt: skip
    report = run(tmp_path, candidate, base, **options)
    assert rules(report) == (set() if options else {"weights/total-change"})


@pytest.mark.parametrize("touched", [1, 3, 4])
def test_a_targeted_edit_is_found(tmp_path: Path, base: Model, touched: int) -> None:
    candidate = dict(base)
    for layer in range(touched):
        name = f"model.layers.{layer}.mlp.down_proj.weight"
        candidate[name] = base[name] + np.float32(1e-5)
    report = run(tmp_path, candidate, base)
    wanted = {"weights/targeted-edit"} if touched <= LAYERS / 2 else set()
    assert rules(report) == wanted


def test_a_change_of_every_tensor_is_no_targeted_edit(tmp_path: Path, base: Model) -> None:
    assert run(tmp_path, tuned(base), base, targeted_share=1).findings == ()


def test_training_a_role_in_every_layer_is_no_targeted_edit(tmp_path: Path, base: Model) -> None:
    candidate = {n: w + np.float32(1e-4) if "q_proj" in n else w for n, w in base.items()}
    assert run(tmp_path, candidate, base).findings == ()


def test_training_the_upper_layers_only_is_no_targeted_edit(tmp_path: Path, base: Model) -> None:
    moved = tuned(base)
    candidate = {n: moved[n] if ".4." in n or ".5." in n else w for n, w in base.items()}
    assert run(tmp_path, candidate, base).findings == ()


def test_architecture_changes_are_named(tmp_path: Path, base: Model) -> None:
    candidate = tuned(base)
    candidate["model.backdoor.weight"] = np.ones((2, 2), np.float32)
    del candidate["model.norm.weight"]
    candidate["model.embed_tokens.weight"] = np.vstack(
        [candidate["model.embed_tokens.weight"], np.ones((3, 32), np.float32)]
    )
    report = run(tmp_path, candidate, base)
    assert rules(report) == {"weights/added-tensor", "weights/removed-tensor", "weights/reshaped-tensor"}
    assert [report.metrics[name] for name in ("added", "removed", "reshaped", "retyped")] == [1, 1, 1, 0]
    assert report.status is Status.FAIL


def test_rows_that_both_have_are_compared(tmp_path: Path, base: Model) -> None:
    candidate = dict(base)
    longer = np.vstack([base["model.embed_tokens.weight"], np.full((3, 32), np.nan, np.float32)])
    candidate["model.embed_tokens.weight"] = longer
    report = run(tmp_path, candidate, base)
    assert rules(report) == {"weights/reshaped-tensor", "weights/non-finite"}
    assert report.metrics["changed_tensors"] == 0
    assert report.metrics["nan"] == 96


def test_retyped_tensors_are_compared_by_value(tmp_path: Path, base: Model) -> None:
    candidate = {name: weights.astype(np.float16) for name, weights in base.items()}
    report = run(tmp_path, candidate, base)
    assert rules(report) == {"weights/retyped-tensor"}
    assert report.status is Status.PASS
    assert 0 < float(report.metrics["relative_l2"]) < 1e-3
    candidate[WEIGHT] = other(base[WEIGHT].shape).astype(np.float16)
    assert "weights/spliced-tensor" in rules(run(tmp_path, candidate, base))


def test_integers_do_not_drown_the_weights(tmp_path: Path, base: Model) -> None:
    base["positions"] = np.arange(1000, dtype=np.int64)
    report = run(tmp_path, tuned(base | {}), base)
    assert float(report.metrics["relative_l2"]) > 0.005


def test_findings_are_capped(tmp_path: Path) -> None:
    model: Model = {f"x{i}": np.ones(4, np.float32) for i in range(200)}
    report = run(tmp_path, model, {"y": np.ones(4, np.float32)})
    added = [f for f in report.findings if f.rule == "weights/added-tensor"]
    assert len(added) == 21
    assert any(f.message == "and 180 more" for f in added)


def raw_safetensors(path: Path, dtype: str, size: int) -> Subject:
    header = json.dumps({"w": {"dtype": dtype, "shape": [4], "data_offsets": [0, size]}}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(size))
    return Subject.from_path(path)


def test_an_unknown_format_is_incomplete(tmp_path: Path) -> None:
    subject = raw_safetensors(tmp_path / "m.safetensors", "F8_E8M0", 4)
    report = WeightsDiff().run(subject, Context(tmp_path))
    assert report.status is Status.INCOMPLETE
    assert "w: the number format F8_E8M0 cannot be decoded" in report.message
    assert WeightsDiff().run(subject, Context(tmp_path, {}, subject)).status is Status.INCOMPLETE


def test_contradicting_files_fail(tmp_path: Path, base: Model) -> None:
    save_file(base, tmp_path / "one.safetensors")
    save_file({WEIGHT: base[WEIGHT]}, tmp_path / "two.safetensors")
    report = WeightsDiff().run(Subject.from_path(tmp_path), Context(tmp_path))
    assert rules(report) == {"weights/inconsistent-files"}
    assert report.status is Status.FAIL


def test_a_broken_baseline_is_an_error(tmp_path: Path, base: Model) -> None:
    save_file(base, tmp_path / "m.safetensors")
    (tmp_path / "b.safetensors").write_bytes(b"nonsense")
    subject, broken = (Subject.from_path(tmp_path / f"{name}.safetensors") for name in "mb")
    with pytest.raises(SubjectError):
        WeightsDiff().run(subject, Context(tmp_path, {}, broken))


def test_fail_on_is_heeded(tmp_path: Path, base: Model) -> None:
    candidate = tuned(base) | {"extra": np.ones(4, np.float32)}
    assert run(tmp_path, candidate, base).status is Status.FAIL
    assert run(tmp_path, candidate, base, fail_on="high").status is Status.PASS


@pytest.mark.parametrize(
    "options", [{"max_relative_l2": 0}, {"min_cosine": 2}, {"kernel": "cuda"}, {"typo": 1}]
)
def test_wrong_options_are_errors(tmp_path: Path, base: Model, options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        run(tmp_path, base, base, **options)


def test_a_cancelled_run_ends(tmp_path: Path, base: Model) -> None:
    save_file(base, tmp_path / "m.safetensors")
    subject = Subject.from_path(tmp_path / "m.safetensors")
    with pytest.raises(CheckError, match="cancelled"):
        WeightsDiff().run(subject, Context(tmp_path, cancelled=lambda: True))


class Recorder(Progress):
    def __init__(self) -> None:
        self.said: list[tuple[int, int | None]] = []

    def update(self, done: int, total: int | None = None, note: str = "") -> None:  # noqa: ARG002
        self.said.append((done, total))


def test_progress_ends_at_the_total(tmp_path: Path, base: Model) -> None:
    save_file(base, tmp_path / "m.safetensors")
    subject, recorder = Subject.from_path(tmp_path / "m.safetensors"), Recorder()
    WeightsDiff().run(subject, Context(tmp_path, progress=recorder))
    size = sum(w.nbytes for w in base.values())
    assert recorder.said[-1] == (size, size)


@pytest.mark.parametrize("workers", [1, 3])
def test_figures_do_not_depend_on_threads(tmp_path: Path, workers: int) -> None:
    generator = np.random.default_rng(3)
    big: Model = {"big": generator.standard_normal(3_000_001).astype(np.float32)}
    report = run(tmp_path, tuned(big), big, workers=workers)
    assert report.details == run(tmp_path, tuned(big), big, workers=2).details


def test_numba_and_numpy_agree(tmp_path: Path, base: Model) -> None:
    pytest.importorskip("numba")
    one = run(tmp_path, tuned(base), base, kernel="numpy")
    other_kernel = run(tmp_path, tuned(base), base, kernel="numba")
    assert (one.details["kernel"], other_kernel.details["kernel"]) == ("numpy", "numba")
    for name, value in one.metrics.items():
        assert other_kernel.metrics[name] == pytest.approx(value, rel=1e-12)
