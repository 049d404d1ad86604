"""No false alarm: five hundred files that real libraries write pass."""

from __future__ import annotations

import importlib
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from assay.core.report import Status
from fixtures.keras_corpus import write_keras
from fixtures.onnx_corpus import write_onnx, write_sklearn_onnx
from fixtures.scanning import scan
from fixtures.science_corpus import write_installed, write_science
from fixtures.training_corpus import write_checkpoint_parts, write_training

LEAST = 500
DTYPES = [
    "f2",
    "f4",
    "f8",
    "i1",
    "i2",
    "i4",
    "i8",
    "u1",
    "u2",
    "u4",
    "u8",
    "?",
    "c8",
    "c16",
    "S5",
    "U5",
    ">f4",
    "M8[s]",
]
SHAPES: list[tuple[int, ...]] = [(), (7,), (0, 3), (4, 5)]


def arrays() -> dict[str, np.ndarray[Any, Any]]:
    rng = np.random.default_rng(0)
    return {
        f"{number}-{len(shape)}-{int(np.prod(shape))}": (rng.random(shape) * 9).astype("f8").astype(dtype)
        for number, dtype in enumerate(DTYPES)
        for shape in SHAPES
    }


def write_numpy(folder: Path) -> None:
    made: Any = arrays()
    for name, array in made.items():
        np.save(folder / f"{name}.npy", array)
    np.save(folder / "objects.npy", np.array([{"a": 1}, None, "text"], dtype=object))
    np.savez(folder / "plain.npz", **made)
    np.savez_compressed(folder / "packed.npz", **made)
    for number, (name, array) in enumerate(made.items()):
        (folder / f"{name}.pkl").write_bytes(pickle.dumps({name: array, "note": "x"}, number % 6))


def write_safetensors(folder: Path) -> None:
    for name, array in arrays().items():
        if array.dtype.kind in "fiub" and array.dtype.isnative:
            save_file(
                {"weight": np.ascontiguousarray(array)}, folder / f"{name}.safetensors", {"format": "np"}
            )


def write_joblib(folder: Path) -> None:
    joblib = pytest.importorskip("joblib")
    for number, (name, array) in enumerate(arrays().items()):
        if number % 4 == 0:
            joblib.dump({name: array, "l": [array, 1]}, folder / f"{name}.joblib", compress=number % 3)
    for method in ("zlib", "gzip", "bz2", "xz", "lzma"):
        joblib.dump({"w": np.arange(500.0)}, folder / f"{method}.joblib", compress=(method, 3))


def write_torch(folder: Path) -> None:
    torch = pytest.importorskip("torch")
    kinds = (torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.int8, torch.int64, torch.bool)
    for zipped in (True, False):
        for number, kind in enumerate(kinds):
            state = {"w": torch.ones(3, 4).to(kind), "nested": {"b": [torch.zeros(2).to(kind)]}, "epoch": 3}
            torch.save(state, folder / f"{number}-{zipped}.pt", _use_new_zipfile_serialization=zipped)
        layers = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.GRU(4, 2))
        for name in ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad"):
            optimizer = getattr(torch.optim, name)(layers[0].parameters(), lr=0.1)
            layers[0](torch.ones(1, 3)).sum().backward()
            optimizer.step()
            saved = {"model": layers.state_dict(), "optimizer": optimizer.state_dict()}
            torch.save(saved, folder / f"{name}-{zipped}.ckpt", _use_new_zipfile_serialization=zipped)


ESTIMATORS = """
linear_model LinearRegression Ridge Lasso LogisticRegression SGDClassifier ElasticNet Perceptron
tree DecisionTreeClassifier DecisionTreeRegressor ExtraTreeClassifier
ensemble RandomForestClassifier GradientBoostingClassifier AdaBoostClassifier IsolationForest
ensemble HistGradientBoostingClassifier ExtraTreesRegressor BaggingClassifier
svm SVC LinearSVC SVR
neighbors KNeighborsClassifier NearestNeighbors
naive_bayes GaussianNB MultinomialNB
cluster KMeans DBSCAN
decomposition PCA TruncatedSVD
preprocessing StandardScaler MinMaxScaler RobustScaler
neural_network MLPClassifier
"""


def estimators() -> Iterator[Any]:
    pytest.importorskip("sklearn")
    for line in ESTIMATORS.strip().splitlines():
        package, *names = line.split()
        module = importlib.import_module(f"sklearn.{package}")
        yield from (getattr(module, name)() for name in names)


def write_sklearn(folder: Path) -> None:
    joblib = pytest.importorskip("joblib")
    rng = np.random.default_rng(0)
    features, labels = rng.random((40, 3)), np.arange(40) % 2
    for estimator in estimators():
        fitted = estimator.fit(features, labels)
        name = type(estimator).__name__
        (folder / f"{name}.pkl").write_bytes(pickle.dumps(fitted))
        joblib.dump(fitted, folder / f"{name}.joblib", compress=len(name) % 2)


def write_hdf5(folder: Path) -> None:
    h5py = pytest.importorskip("h5py")
    for name, array in arrays().items():
        if array.dtype.kind in "fiub" and array.ndim == 1:
            with h5py.File(folder / f"{name}.h5", "w") as file:
                group = file.create_group("layer")
                group.create_dataset("kernel:0", data=array, compression="gzip" if len(array) else None)
                file.attrs["layer_names"] = ["layer"]


# Each with the least number of files that it writes.
WRITERS: dict[str, tuple[Callable[[Path], None], int]] = {
    "numpy": (write_numpy, 140),
    "safetensors": (write_safetensors, 40),
    "joblib": (write_joblib, 20),
    "torch": (write_torch, 20),
    "training": (write_training, 90),
    "checkpoint-parts": (write_checkpoint_parts, 1),
    "sklearn": (write_sklearn, 60),
    "science": (write_science, 80),
    "installed": (write_installed, 40),
    "hdf5": (write_hdf5, 10),
    "onnx": (write_onnx, 30),
    "sklearn-onnx": (write_sklearn_onnx, 6),
    "keras": (write_keras, 28),
}


@pytest.mark.filterwarnings("ignore")  # of the libraries: nothing converges on forty rows
@pytest.mark.parametrize("library", WRITERS)
def test_what_real_libraries_write_passes(library: str, tmp_path: Path) -> None:
    write, least = WRITERS[library]
    write(tmp_path)
    report = scan(tmp_path)
    assert [(f.rule, f.severity.value, str(f.location), f.message) for f in report.findings] == []
    assert report.coverage.skipped == ()
    assert report.status is Status.PASS
    assert report.coverage.examined >= least


def test_the_corpus_is_large_enough() -> None:
    assert sum(least for _, least in WRITERS.values()) >= LEAST
