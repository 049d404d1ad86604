"""Layers and roles read off names, and standing among peers."""

from __future__ import annotations

import numpy as np
import pytest

from assay.checks.finetuning.weights_diff.names import Place, place
from assay.checks.finetuning.weights_diff.peers import Change, standings


@pytest.mark.parametrize(
    ("name", "role", "stack", "layer"),
    [
        ("model.layers.12.mlp.up_proj.weight", "model.layers.*.mlp.up_proj.weight", "model.layers", 12),
        ("h.0.attn.c_attn.bias", "h.*.attn.c_attn.bias", "h", 0),
        ("0.weight", "*.weight", "", 0),
        ("layers.3.experts.17.w1", "layers.*.experts.*.w1", "layers", 3),
        (
            "bert/encoder/layer_11/output/kernel",
            "bert/encoder/layer_*/output/kernel",
            "bert/encoder/layer",
            11,
        ),
        ("down_blocks.1.resnets.0.conv1.weight", "down_blocks.*.resnets.*.conv1.weight", "down_blocks", 1),
        ("lm_head.weight", "lm_head.weight", "", None),
        ("conv2d.weight", "conv2d.weight", "", None),
        ("x." + "9" * 50, "x." + "9" * 50, "", None),
    ],
)
def test_names_give_role_and_layer(name: str, role: str, stack: str, layer: int | None) -> None:
    assert place(name) == Place(role, stack, layer)


def model(layers: int, sizes: dict[str, float], seed: int = 0) -> list[Change]:
    generator = np.random.default_rng(seed)
    return [
        Change(f"{role}.{i}", role, True, size * float(np.exp(generator.normal(0, 0.2))), 0.999)
        for role, size in sizes.items()
        for i in range(layers)
    ]


def scaled(changes: list[Change], name: str, by: float) -> list[Change]:
    return [
        Change(c.name, c.role, c.matrix, c.relative_l2 * (by if c.name == name else 1), c.cosine)
        for c in changes
    ]


@pytest.mark.parametrize("layers", [4, 12, 80])
@pytest.mark.parametrize("seed", range(20))
def test_roles_that_differ_in_size_hide_no_outlier_and_make_none(layers: int, seed: int) -> None:
    changes = model(layers, {"q": 1e-2, "v": 5e-2, "up": 1e-3}, seed)
    assert max(s.z for s in standings(changes).values()) < 6
    found = standings(scaled(changes, "up.1", 30))
    assert [name for name, s in found.items() if s.z > 6] == ["up.1"]


def test_a_role_of_its_own_is_held_against_all_others() -> None:
    changes = [*model(4, {"q": 1e-2, "v": 2e-2}), Change("head", "head", True, 2e-2, 0.999)]
    assert standings(changes)["head"].z < 6
    assert standings(scaled(changes, "head", 100))["head"].z > 6


def test_without_peers_there_is_no_standing() -> None:
    alone = [Change("a", "a", True, 1.0, 0.1), Change("b", "b", True, 1e-5, 0.9)]
    assert standings(alone) == {}
    assert standings([]) == {}


def test_equal_changes_have_no_outlier() -> None:
    changes = [Change(f"q.{i}", "q", True, 1e-2, 1.0) for i in range(8)]
    assert {s.z for s in standings(changes).values()} == {0.0}
