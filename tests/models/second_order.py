"""Hessian-vector products: a derivation's own system, differentiated once more, before its judges."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeAlias

import autograd.numpy as anp
import numpy as np
from autograd import grad

from symbackprop.pipeline import Model, ModelDerivation
from symbackprop.semantics.evaluation import evaluate
from symbackprop.semantics.naive import Array
from symbackprop.systems.system import System
from tests.models.autograd_oracle import loss_of
from tests.models.classics import small_sample
from tests.models.judges import assert_close
from tests.models.step_checker import total_gradient

Loss: TypeAlias = Callable[[Mapping[str, Array], dict[str, Array]], Any]
STEP = 1e-5


def directional(derivation: ModelDerivation) -> str:
    """Statements of a direction v_W for each gradient grad_W, and of the slope H of the loss along them."""
    declarations, terms = [], []
    for name, gradient in derivation.derivation.gradients.items():
        names = [index.name for index in gradient.indices]
        at = f"[{','.join(names)}]" if names else ""
        declarations.append(f"const v_{name}{at}")
        product = f"v_{name}{at}*{gradient.tensor}{at}"
        terms.append(f"sum({', '.join(names)}, {product})" if names else product)
    return "\n".join((*declarations, f"loss H = {' + '.join(terms)}"))


def hessian_product(first: ModelDerivation) -> ModelDerivation:
    """The derivation of the Hessian times the direction, by all that `first` is by."""
    return first.as_system(directional(first)).derive(wrt=list(first.derivation.wrt))


def judge_hessian_product(
    model: Model,
    wrt: list[str] | None = None,
    sizes: Mapping[str, int] | None = None,
    rtol: float = 1e-7,
    *,
    by_autograd: bool = True,
    unrolled: Loss | None = None,
) -> ModelDerivation:
    """Hold it against central differences of the gradient by a complex step, and HIPS autograd twice.

    The emitted module is verified, and held against the same; returned is the second derivation. `unrolled`
    is the loss for autograd where the oracle cannot follow a recurrence.
    """
    first = model.derive(wrt)
    second = hessian_product(first)
    system = second.derivation.model
    values, sizes = small_sample(system, sizes)
    wanted = first.derivation.wrt
    loss = partial(unrolled, values) if unrolled else loss_of(model.system, values, sizes)
    expected = _by_autograd(loss, values, wanted) if by_autograd else {}
    known = evaluate(second.derivation.as_system(), values, sizes)
    differences = _by_differences(model.system, values, sizes, wanted)
    module = second.module()
    parameters = {name: values[name] for name in module.PARAMETERS}
    others = {name: array for name, array in values.items() if name not in parameters}
    _, found = module.value_and_grad(parameters, **others)
    for name in wanted:
        equation = second.derivation.gradients[name].tensor
        if by_autograd:
            assert_close(known[equation], expected[name], f"equation of {name} and autograd", rtol)
        assert_close(known[equation], differences[name], f"equation of {name} and differences", 1e-5)
        assert_close(found[name], known[equation], f"module's {name}", rtol)
    return second


def _by_autograd(
    loss: Callable[[dict[str, Array]], Any], values: Mapping[str, Array], wanted: tuple[str, ...]
) -> dict[str, Array]:
    slopes = grad(loss)

    def along(chosen: dict[str, Array]) -> Array:
        gradients = slopes(chosen)
        return sum(anp.sum(gradients[name] * values[f"v_{name}"]) for name in wanted)

    return grad(along)({name: np.asarray(values[name], dtype=float) for name in wanted})


def _by_differences(
    system: System, values: Mapping[str, Array], sizes: Mapping[str, int], wanted: tuple[str, ...]
) -> dict[str, Array]:
    """The quotient of the first gradient on either side, along the direction; a complex step gives it."""
    own = {name: array for name, array in values.items() if not name.startswith("v_")}
    ahead, behind = (
        {**own, **{name: own[name] + step * values[f"v_{name}"] for name in wanted}} for step in (STEP, -STEP)
    )
    return {
        name: (total_gradient(system, ahead, sizes, name) - total_gradient(system, behind, sizes, name))
        / (2 * STEP)
        for name in wanted
    }
