"""An explanation as JSON: formulas in the model language, costs as formulas and as numbers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TypeAlias

import numpy as np

from symbackprop.explanation.chain_rule import Factor, Product
from symbackprop.explanation.explanation import Explanation
from symbackprop.explanation.programs.computations import Span
from symbackprop.explanation.programs.polynomials import Polynomial
from symbackprop.explanation.reuse import Reused
from symbackprop.explanation.saying import shape_text
from symbackprop.explanation.storage import Kept
from symbackprop.explanation.ways import Way
from symbackprop.languages.language import Language
from symbackprop.languages.phrases import text_in
from symbackprop.systems.printing import equation_text, text

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


def explanation_json(explanation: Explanation) -> str:
    """Everything that the page says, and the module that it speaks of."""
    ways, sizes = explanation.ways, explanation.ways.sizes
    content: Json = {
        "model": explanation.name,
        "loss": explanation.derivation.system.loss,
        "wrt": list(explanation.derivation.wrt),
        "sizes": dict(sizes),
        "products": [_product(product) for product in explanation.chain_rule.products],
        "reused": [_reused(explanation, reused) for reused in explanation.reused],
        "kept": [_kept(explanation, kept) for kept in explanation.kept],
        "backward": [
            {
                "through": each.consumer.tensor,
                "to": each.tensor,
                "reads_output": each.reads_output,
                "reads_input": each.reads_input,
            }
            for each in explanation.backwards
        ],
        "parameters": _count(ways.parameters, sizes),
        "operations_of_loss": _count(ways.loss, sizes),
        "ways": [_way(way, sizes) for way in ways.ways],
        "instance": _instance(explanation),
        "module": explanation.computations.module.text,
    }
    return json.dumps(content, indent=2) + "\n"


def _lines(spans: Iterable[Span]) -> Json:
    return [{"first": span.first, "last": span.last, "code": span.code} for span in spans]


def _count(polynomial: Polynomial, sizes: Mapping[str, int]) -> Json:
    return {"formula": text(polynomial.expression), "value": polynomial.at(sizes)}


def _product(product: Product) -> Json:
    holder = product.computed_as
    return {
        "derivative": text(product.adjoint.total),
        "terms": [[text(factor) for factor in chain] for chain in product.terms],
        "value": text(product.value),
        "shape": [index.axis.name for index in product.indices],
        "computed_as": holder.equation.tensor if holder else product.is_given,
        "is_its_own": product.is_its_own,
        "is_equal": product.is_equal,
        "lines": _lines(product.spans),
        "factors": [_factor(factor) for factor in product.factors],
    }


def _factor(factor: Factor) -> Json:
    tied = (*factor.ties, *factor.among, *factor.fixed)
    return {
        "equation": equation_text(factor.local.consumer),
        "derivative": text(factor.derivative),
        "value": text(factor.value),
        "shape": shape_text(factor.upper),
        "contributes": [f"{text(tie.upper)} = {text(tie.lower)}" for tie in tied],
        "summed": [index.name for index in factor.summed],
        "not_zero": "0" if factor.is_zero else text(Polynomial.elements(factor.stored).expression),
    }


def _reused(explanation: Explanation, reused: Reused) -> Json:
    sizes = explanation.ways.sizes
    return {
        "name": reused.name,
        "derivative": text(reused.adjoint.total) if reused.adjoint else None,
        "lines": _lines(reused.spans),
        "read_by": [reader.line.name for reader in reused.readers],
        "operations": _count(reused.once, sizes),
        "saved": _count(reused.saved, sizes),
    }


def _kept(explanation: Explanation, kept: Kept) -> Json:
    sizes = explanation.ways.sizes
    return {
        "name": kept.name,
        "elements": _count(kept.elements, sizes),
        "bytes": _count(kept.bytes, sizes),
        "recomputing": _count(kept.recomputing, sizes),
        "read_by": [reader.line.name for reader in kept.readers],
    }


def _way(way: Way, sizes: Mapping[str, int]) -> Json:
    operations, note = _count(way.operations, sizes), text_in(way.note, Language.ENGLISH)
    return {"name": way.name, "operations": operations, "seconds": way.seconds, "note": note}


def _instance(explanation: Explanation) -> Json:
    instance = explanation.instance
    if instance is None:
        return None
    values: dict[str, Json] = {name: np.asarray(each).tolist() for name, each in instance.values.items()}
    return {"sizes": dict(instance.sizes), "values": values}
