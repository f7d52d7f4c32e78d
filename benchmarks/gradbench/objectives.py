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
    """A function: of which model, its arguments from the JSON, and its result as JSON.

    `bound` makes what is timed, which reads the arguments whenever it is called.
    """

    model: str
    prepare: Callable[[Any], Any]
    bound: Callable[[ModuleType, Any], Callable[[], Any]]
    answer: Callable[[Any], Any]


def generated(model: str) -> ModuleType:
    """The module of a model of this folder, held against its equations."""
    return load(FOLDER / f"{model}.model").derive().module(fast=True)


def value(module: ModuleType, arguments: Arguments) -> Callable[[], Any]:
    """The loss."""
    params, others = arguments
    step: Callable[[], Any] = module.bind_loss(params, *others)
    return step


def gradient(module: ModuleType, arguments: Arguments) -> Callable[[], Any]:
    """The gradients, by name, in memory that the next call writes over."""
    params, others = arguments
    step = module.bind(params, *others)
    return lambda: step()[1]


def output(module: ModuleType, arguments: Arguments) -> Callable[[], Any]:
    """What the loss reads."""
    params, others = arguments
    return lambda: module.forward(params, *others)


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


@dataclass(frozen=True)
class Packed:
    """The triangles as they are given, where they lie in square matrices, and the arguments with these."""

    triangles: Array
    rows: npt.NDArray[np.intp]
    columns: npt.NDArray[np.intp]
    arguments: Arguments

    def unpack(self) -> None:
        """Put the triangles into the square matrices."""
        self.arguments[0]["L"][:, self.rows, self.columns] = self.triangles


def gmm_arguments(given: Any) -> Packed:
    """The square matrices are zeros yet."""
    params = {name: array(given[name]) for name in ("alpha", "mu", "q")}
    components, size = params["mu"].shape
    square = np.zeros((components, size, size))
    others = (array(given["x"]), array(given["m"]), array(given["gamma"]))
    packed = array(given["l"]).reshape(components, -1)
    return Packed(packed, *below_diagonal(size), ({**params, "L": square}, others))


def gmm_value(module: ModuleType, packed: Packed) -> Callable[[], Any]:
    """The loss."""
    loss = value(module, packed.arguments)

    def run() -> Any:
        packed.unpack()
        return loss()

    return run


def gmm_gradient(module: ModuleType, packed: Packed) -> Callable[[], dict[str, Array]]:
    """The gradients, that of the triangle packed."""
    step = gradient(module, packed.arguments)

    def run() -> dict[str, Array]:
        packed.unpack()
        gradients = step()
        triangles = gradients["L"][:, packed.rows, packed.columns]
        return {**{name: gradients[name] for name in ("alpha", "mu", "q")}, "l": triangles}

    return run


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

    def arguments(self) -> Arguments:
        """Of each observation, along the last axis; z, the last, weights the two errors."""
        cameras = self.cameras[self.camera]
        params = {name: np.ascontiguousarray(cameras[:, place].T) for name, place in CAMERA.items()}
        others = (np.ascontiguousarray(self.features.T), np.ones(2))
        points = np.ascontiguousarray(self.points[self.point].T)
        return {**params, "x": points, "w": self.weights.copy()}, others

    def gather(self, arguments: Arguments) -> None:
        """Write the observations' cameras, points and weights into their arguments."""
        params, _ = arguments
        cameras = self.cameras[self.camera]
        for name, place in CAMERA.items():
            params[name][...] = cameras[:, place].T
        params["x"][...] = self.points[self.point].T
        params["w"][...] = self.weights


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


def ba_errors(module: ModuleType, given: Observations) -> Callable[[], tuple[Array, Array]]:
    """Of projections and of weights."""
    arguments = given.arguments()
    projected = output(module, arguments)

    def run() -> tuple[Array, Array]:
        given.gather(arguments)
        return projected().T, 1 - given.weights**2

    return run


def ba_jacobian(module: ModuleType, given: Observations) -> Callable[[], Sparse]:
    """Rows of the projections' errors, two an observation, then those of the weights' errors.

    The next call writes over them.
    """
    arguments = given.arguments()
    step = gradient(module, arguments)
    count = len(given.weights)
    jacobian = Sparse(np.empty(3 * count + 1, np.intp), np.empty(31 * count, np.intp), np.empty(31 * count))

    def run() -> Sparse:
        given.gather(arguments)
        _write_values(jacobian.values, given, arguments, step)
        _write_places(jacobian, given)
        return jacobian

    return run


def _write_values(values: Array, given: Observations, arguments: Arguments, step: Callable[[], Any]) -> None:
    """The derivatives of each observation's two errors by its camera, its point and its weight."""
    _, (_, z) = arguments
    count = len(given.weights)
    blocks, columns = values[: 30 * count].reshape(count, 2, 15), np.empty((15, count))
    for row in range(2):
        z[...] = np.arange(2) == row
        gradients = step()
        for name, place in {**CAMERA, "x": slice(11, 14), "w": 14}.items():
            columns[place] = gradients[name]
        blocks[:, row] = columns.T
    np.multiply(given.weights, -2.0, out=values[30 * count :])


def _write_places(jacobian: Sparse, given: Observations) -> None:
    """Where the rows start, and the columns of all values."""
    count, cameras = len(given.weights), given.cameras.size
    weights = cameras + given.points.size + np.arange(count)
    blocks = jacobian.columns[: 30 * count].reshape(count, 2, 15)
    blocks[:, :, :11] = (11 * given.camera[:, None] + np.arange(11))[:, None]
    blocks[:, :, 11:14] = (cameras + 3 * given.point[:, None] + np.arange(3))[:, None]
    blocks[:, :, 14] = weights[:, None]
    jacobian.columns[30 * count :] = weights
    jacobian.rows[: 2 * count] = np.arange(2 * count) * 15
    jacobian.rows[2 * count :] = 30 * count + np.arange(count + 1)


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
        "objective": Function("gmm", gmm_arguments, gmm_value, float),
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
