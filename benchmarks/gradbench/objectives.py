"""GradBench's modules: what each computes by generated NumPy, and its inputs and outputs as JSON.

A module of GradBench is a few functions of one input (evals/NAME/README.md of gradbench/gradbench).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from symbackprop.pipeline import load

FOLDER = Path(__file__).resolve().parent
Array: TypeAlias = npt.NDArray[np.float64]
Arguments: TypeAlias = tuple[dict[str, Array], tuple[Any, ...]]


@dataclass(frozen=True)
class Function:
    """A function: of which model, its arguments from the JSON, what is timed, and its result as JSON."""

    model: str
    prepare: Callable[[Any], Any]
    compute: Callable[[ModuleType, Any], Any]
    answer: Callable[[Any], Any]


def generated(model: str) -> ModuleType:
    """The module of a model of this folder, held against its equations."""
    return load(FOLDER / f"{model}.model").derive().module()


def value(module: ModuleType, arguments: Arguments) -> Any:
    """The loss."""
    params, others = arguments
    return module.loss(params, *others)


def gradient(module: ModuleType, arguments: Arguments) -> Any:
    """The gradients, by name."""
    params, others = arguments
    return module.grad(params, *others)


def output(module: ModuleType, arguments: Arguments) -> Any:
    """What the loss reads."""
    params, others = arguments
    return module.forward(params, *others)


def array(numbers: Any) -> Array:
    """JSON's numbers as float64."""
    return np.array(numbers, dtype=np.float64)


def listed(result: Any) -> Any:
    """An array as JSON."""
    return result.tolist()


def one(name: str) -> Callable[[Any], Any]:
    """The gradient of one tensor, flat, as JSON."""
    return lambda gradients: gradients[name].reshape(-1).tolist()


def below_diagonal(size: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Rows and columns of what lies below the diagonal of a square matrix, column by column."""
    columns, rows = np.triu_indices(size, 1)
    return rows, columns


# gmm: GradBench packs what lies below the diagonal; packing and unpacking are timed.


def gmm_arguments(given: Any) -> Arguments:
    """The triangle stays packed: `l`."""
    params = {name: array(given[name]) for name in ("alpha", "mu", "q")}
    packed = array(given["l"]).reshape(given["k"], -1)
    return {**params, "l": packed}, (array(given["x"]), float(given["m"]), float(given["gamma"]))


def gmm_unpacked(arguments: Arguments) -> Arguments:
    """The triangle in square matrices: `L`."""
    params, others = arguments
    k, d = params["mu"].shape
    square = np.zeros((k, d, d))
    square[:, *below_diagonal(d)] = params["l"]
    return {**{name: params[name] for name in ("alpha", "mu", "q")}, "L": square}, others


def gmm_gradient(module: ModuleType, arguments: Arguments) -> dict[str, Array]:
    """The gradients, that of the triangle packed."""
    gradients = gradient(module, gmm_unpacked(arguments))
    rows, columns = below_diagonal(gradients["mu"].shape[1])
    packed = gradients["L"][:, rows, columns]
    return {**{name: gradients[name] for name in ("alpha", "mu", "q")}, "l": packed}


# kmeans, llsq, lse, det


def kmeans_arguments(given: Any) -> Arguments:
    """Centroids and points."""
    return {"c": array(given["centroids"])}, (array(given["points"]),)


def llsq_arguments(given: Any) -> Arguments:
    """Coefficients, and points from -1 to 1."""
    size = given["n"]
    return {"x": array(given["x"])}, (-1 + np.arange(size) * 2 / (size - 1),)


def lse_arguments(given: Any) -> Arguments:
    """Exponents."""
    return {"x": array(given["x"])}, ()


def det_arguments(given: Any) -> Arguments:
    """A matrix, given row by row."""
    return {"A": array(given["A"]).reshape(given["ell"], given["ell"])}, ()


# lstm: a layer has a row of weights and one of biases, each of four gates.


def lstm_arguments(given: Any) -> Arguments:
    """Weights and biases apart, hidden states and cells apart."""
    main, extra, state = (array(given[name]) for name in ("main_params", "extra_params", "state"))
    layers, width = len(main) // 2, extra.shape[1]
    params = {"w": main.reshape(layers, 2, 4, width), "v": extra}
    return params, (array(given["sequence"]), np.ascontiguousarray(state[0::2]), state[1::2].copy())


def lstm_answer(gradients: Mapping[str, Array]) -> Any:
    """One gradient after the other."""
    return np.concatenate([gradients[name].reshape(-1) for name in ("w", "v")]).tolist()


# ba: every observation has a camera of eleven numbers, a point and a weight.

CAMERA: Mapping[str, Any] = {
    "rotation": slice(0, 3),
    "centre": slice(3, 6),
    "focal": 6,
    "principal": slice(7, 9),
    "distortion": slice(9, 11),
}


@dataclass(frozen=True)
class Observations:
    """All cameras, points and weights, and which ones an observation has."""

    cameras: Array
    points: Array
    weights: Array
    features: Array
    camera: npt.NDArray[np.intp]
    point: npt.NDArray[np.intp]

    def arguments(self, z: tuple[float, float]) -> Arguments:
        """Of each observation; z weights the two errors."""
        cameras = self.cameras[self.camera]
        params = {name: np.ascontiguousarray(cameras[:, place]) for name, place in CAMERA.items()}
        return {**params, "x": self.points[self.point], "w": self.weights}, (self.features, array(z))


@dataclass(frozen=True)
class Sparse:
    """A matrix by rows: where each starts, columns and values."""

    rows: npt.NDArray[np.intp]
    columns: npt.NDArray[np.intp]
    values: Array


def ba_observations(given: Any) -> Observations:
    """GradBench repeats one camera, one point and one weight."""
    cameras, points, count = given["n"], given["m"], given["p"]
    places = np.arange(count)
    return Observations(
        np.tile(array(given["cam"]), (cameras, 1)),
        np.tile(array(given["x"]), (points, 1)),
        np.full(count, float(given["w"])),
        np.tile(array(given["feat"]), (count, 1)),
        places % cameras,
        places % points,
    )


def ba_errors(module: ModuleType, given: Observations) -> tuple[Array, Array]:
    """Of projections and of weights."""
    return output(module, given.arguments((1.0, 1.0))), 1 - given.weights**2


def ba_jacobian(module: ModuleType, given: Observations) -> Sparse:
    """Rows of the projections' errors, two an observation, then those of the weights' errors."""
    count, cameras = len(given.weights), given.cameras.size
    values = np.empty((count, 2, 15))
    for row, z in enumerate(((1.0, 0.0), (0.0, 1.0))):
        gradients = gradient(module, given.arguments(z))
        for name, place in {**CAMERA, "x": slice(11, 14), "w": 14}.items():
            values[:, row, place] = gradients[name]
    columns = np.empty((count, 2, 15), dtype=np.intp)
    columns[:, :, :11] = (11 * given.camera[:, None] + np.arange(11))[:, None]
    columns[:, :, 11:14] = (cameras + 3 * given.point[:, None] + np.arange(3))[:, None]
    weights = cameras + given.points.size + np.arange(count)
    columns[:, :, 14] = weights[:, None]
    rows = np.concatenate([np.arange(2 * count) * 15, 30 * count + np.arange(count + 1)])
    all_values = np.concatenate([values.reshape(-1), -2 * given.weights])
    return Sparse(rows, np.concatenate([columns.reshape(-1), weights]), all_values)


def ba_errors_answer(errors: tuple[Array, Array]) -> Any:
    """The first observation's, and how often they come."""
    projections, weights = errors
    return {
        "reproj_error": {"elements": projections[0].tolist(), "repeated": len(projections)},
        "w_err": {"element": float(weights[0]), "repeated": len(weights)},
    }


def ba_jacobian_answer(jacobian: Sparse) -> Any:
    """The first thirty numbers and the last."""
    parts = {"rows": jacobian.rows, "cols": jacobian.columns, "vals": jacobian.values}
    return {name: [*part[:30].tolist(), part[-1].item()] for name, part in parts.items()}


MODULES: Mapping[str, Mapping[str, Function]] = {
    "gmm": {
        "objective": Function("gmm", gmm_arguments, lambda m, a: value(m, gmm_unpacked(a)), float),
        "jacobian": Function(
            "gmm",
            gmm_arguments,
            gmm_gradient,
            lambda all_: {name: each.tolist() for name, each in all_.items()},
        ),
    },
    "kmeans": {
        "cost": Function("kmeans", kmeans_arguments, value, float),
        "dir": Function("kmeans_newton", kmeans_arguments, output, listed),
    },
    "llsq": {
        "primal": Function("llsq", llsq_arguments, value, float),
        "gradient": Function("llsq", llsq_arguments, gradient, one("x")),
    },
    "lse": {
        "primal": Function("lse", lse_arguments, value, float),
        "gradient": Function("lse", lse_arguments, gradient, one("x")),
    },
    "det": {
        "primal": Function("det", det_arguments, value, float),
        "gradient": Function("det", det_arguments, gradient, one("A")),
    },
    "lstm": {
        "objective": Function("lstm", lstm_arguments, value, float),
        "jacobian": Function("lstm", lstm_arguments, gradient, lstm_answer),
    },
    "ba": {
        "objective": Function("ba", ba_observations, ba_errors, ba_errors_answer),
        "jacobian": Function("ba", ba_observations, ba_jacobian, ba_jacobian_answer),
    },
}
