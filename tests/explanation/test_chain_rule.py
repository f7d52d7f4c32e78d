from functools import cache

import numpy as np
import pytest

from symbackprop import load
from symbackprop.explanation.chain_rule import ChainRule
from symbackprop.explanation.programs.computations import Computations
from symbackprop.explanation.programs.contractions import contractions_in
from symbackprop.explanation.programs.polynomials import Polynomial
from symbackprop.explanation.saying import (
    computed_where,
    contraction_remark,
    contributing,
    numbers_that_matter,
)
from symbackprop.explanation.sections import product_expression
from symbackprop.explanation.text import remark_text
from symbackprop.lesson.text import formula_text
from symbackprop.notation.expressions import Index
from symbackprop.semantics.naive import NaiveEvaluator
from symbackprop.targets.numpy.module import numpy_module
from tests.explanation.explained import EXAMPLES, computations_of, explained


@cache
def products_of(name):
    return {product.adjoint.tensor: product for product in explained(name).chain_rule.products}


@pytest.mark.parametrize(
    ("tensor", "product", "code"),
    [
        ("y", "dE/dy", "delta2 = y - d"),
        ("u2", "(dE/dy)(dy/du2)", "delta2 = y - d"),
        ("W2", "(dE/dy)(dy/du2)(du2/dW2)", "grad_W2 = delta2.T @ z1"),
        ("W1", "(dE/dy)(dy/du2)(du2/dz1)(dz1/du1)(du1/dW1)", "grad_W1 = delta1.T @ x"),
    ],
)
def test_which_line_computes_which_product(tensor, product, code):
    found = products_of("seed")[tensor]
    assert formula_text(product_expression(found)) == product
    assert [span.code for span in found.spans] == [code]


def test_a_product_without_an_array_says_where_it_is():
    assert products_of("seed")["y"].is_equal and not products_of("seed")["y"].is_its_own
    assert products_of("seed")["z1"].is_factor and not products_of("seed")["z1"].is_equal
    assert products_of("seed")["u1"].is_its_own
    products = explained("classics/batch_norm_input_alone").chain_rule.products
    given = {each.adjoint.tensor: each for each in products}
    assert given["y"].is_given == "g" and given["y"].computed_as is None


def test_of_a_choice_nothing_contributes_and_no_line_computes_it():
    products = {each.adjoint.tensor: each for each in explained("nearest").chain_rule.products}
    (factor,) = products["r"].factors
    assert remark_text(contributing(factor)) == "nothing contributes" and not factor.summed
    assert remark_text(computed_where(products["r"], ())) == "it is 0, so that no line has to compute it"
    assert not products["r"].spans and products["x"].spans


def test_several_paths_are_a_sum():
    shown = formula_text(product_expression(products_of("recurrent")["h"]))
    assert shown == "(dE/du[t + 1])(du[t + 1]/dh[t]) + (dE/dy)(dy/dh[t])"


@pytest.mark.parametrize(
    ("tensor", "said", "numbers"),
    [
        ("u2", "only b' = b and k' = k contribute", "B^2*K^2 numbers, at most B*K of them other than 0"),
        (
            "W2",
            "only k' = k contributes; every b contributes, so the chain rule sums over b",
            "B*J*K^2 numbers, at most B*J*K of them other than 0",
        ),
        (
            "z1",
            "only b' = b contributes; every k contributes, so the chain rule sums over k",
            "B^2*J*K numbers, at most B*J*K of them other than 0",
        ),
    ],
)
def test_which_index_survives(tensor, said, numbers):
    (factor,) = products_of("seed")[tensor].factors
    assert remark_text(contributing(factor)) == said
    assert remark_text(numbers_that_matter(factor)).endswith(numbers)


def test_a_step_of_a_recurrence_survives_at_one_earlier_place():
    at_next_step, at_the_end = products_of("recurrent")["h"].factors
    assert remark_text(contributing(at_next_step)).startswith(
        "only n' = n and t' - 1 = t contribute; every j'"
    )
    assert "only the places with t = size(t) - 1 are read" in remark_text(contributing(at_the_end))
    assert remark_text(numbers_that_matter(at_next_step)).endswith(
        "J^2*N^2*T^2 numbers, at most J^2*N*T of them other than 0"
    )


@pytest.mark.parametrize(
    ("name", "wrt", "said", "numbers"),
    [
        (
            "embedding",
            "C",
            "only e' = e contributes; of n and t those with ids[n,t] = v contribute",
            "D^2*N*T*V numbers, at most D*N*T of them other than 0",
        ),
        (
            "convolution",
            "x",
            "only n' = n contributes; of a those with a + r - 1 = i contribute; every o contributes, so the "
            "chain rule sums over o",
            "C*I^2*N^2*O numbers, at most C*I*N*O*R of them other than 0",
        ),
        (
            "convolution",
            "W",
            "only o' = o contributes; every n and a contribute, so the chain rule sums over n and a",
            "C*I*N*O^2*R numbers, at most C*I*N*O*R of them other than 0",
        ),
    ],
)
def test_of_a_lookup_and_of_a_window_several_places_contribute(name, wrt, said, numbers):
    derived = load(EXAMPLES / "classics" / f"{name}.model").derive([wrt])
    computations = Computations.of(numpy_module(derived.program).printed())
    (factor,) = ChainRule(derived.derivation, computations).products[-1].factors
    assert remark_text(contributing(factor)) == said
    assert remark_text(numbers_that_matter(factor)).endswith(numbers)


@pytest.mark.parametrize("name", ["seed", "recurrent", "branches", "shifted"])
def test_no_more_numbers_of_a_jacobian_differ_from_0_than_is_said(name):
    explanation = explained(name)
    sizes, values = explanation.instance.sizes, explanation.instance.values
    evaluator = NaiveEvaluator(values, sizes)
    for product in explanation.chain_rule.products:
        for factor in product.factors:
            lower = tuple(index for index in factor.lower if isinstance(index, Index))
            whole = evaluator.array(factor.value, (*factor.upper_indices, *lower))
            assert whole.size == (Polynomial.elements(factor.upper_indices) * Polynomial.elements(lower)).at(
                sizes
            )
            assert np.count_nonzero(whole) <= Polynomial.elements(factor.stored).at(sizes)


def test_a_factor_in_which_every_index_counts_has_no_ties():
    (factor,) = products_of("seed")["y"].factors
    assert contributing(factor) == () and numbers_that_matter(factor) == ()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "grad_W2",
            "[k,b] @ [b,j] -> [k,j]: delta2 is stored as [b,k] and transposed, so that b stands beside b; "
            "b is summed; k and j survive",
        ),
        ("delta1", "[b,k] @ [k,j] -> [b,j]: k is summed; b and j survive"),
        ("grad_b2", "[b,k] -> [k]: b is summed; k survives"),
    ],
)
def test_every_transpose_and_every_sum_is_explained(name, said):
    (line,) = explained("seed").computations.by_name[name].lines
    (contraction,) = contractions_in(line)
    assert remark_text(contraction_remark(contraction)) == said


def test_an_operand_without_a_name_is_transposed_too():
    computations = computations_of(
        "index n : N\nindex j : J\ninput x[n,j], y[n]\nparam w[j]\n"
        "z[j] = w[j]*sum(n, exp(x[n,j])*y[n])\nloss E = sum(j, z[j]^2)"
    )
    said = [
        remark_text(contraction_remark(contraction))
        for each in computations.items
        for line in each.lines
        for contraction in contractions_in(line)
    ]
    assert any(
        "an operand is worked out as [n,j] and transposed, so that n stands beside n" in one for one in said
    )


def test_an_element_wise_line_contracts_nothing():
    (line,) = explained("seed").computations.by_name["z1"].lines
    assert contractions_in(line) == ()
