"""Identities of sigmoids beside what is left of 1, their products and powers, as records."""

from __future__ import annotations

from symbackprop.exponentials.complements import difference_of_powers
from symbackprop.exponentials.differences import difference_of_slopes
from symbackprop.exponentials.reciprocals import reciprocal_is_sigmoid, reciprocal_of_complement
from symbackprop.stability.softplus import (
    complement_of_power,
    complement_of_product,
    exponential_of_softplus,
    product_beside_exponential,
    product_of_complements,
)
from symbackprop.stability.stable_form import StableForm

# In the order in which `stability.identities` tries them.
SIGMOID_IDENTITIES: tuple[StableForm, ...] = (
    StableForm(
        "reciprocal is sigmoid",
        "1/(1 + exp(f)) = sigmoid(-f)",
        reciprocal_is_sigmoid,
        example="x[i]/(1 + exp(c))",
        near_miss="x[i]/(2 + exp(c))",
        decreases="weight",
    ),
    StableForm(
        "reciprocal of 1 - sigmoid",
        "1/(g*(1 - sigmoid(f))) = 1/(g*sigmoid(-f))",
        reciprocal_of_complement,
        example="x[i]/(1 - sigmoid(c))",
        near_miss="x[i]/(2 - sigmoid(c))",
        decreases="weight",
    ),
    StableForm(
        "exponential of softplus",
        "exp(-softplus(f))*g = sigmoid(-f)*g; exp(softplus(f)) = 1 + exp(f); expm1(softplus(f)) = exp(f)",
        exponential_of_softplus,
        example="exp(-softplus(c))",
        near_miss="exp(-2*softplus(c))",
        decreases="weight",
    ),
    StableForm(
        "difference of powers",
        "f^n*g - f^(n + 1)*g = f^n*(1 - f)*g, f a sigmoid or a mean of some",
        difference_of_powers,
        example="sigmoid(c) - sigmoid(c)^2",
        near_miss="sigmoid(c) - 2*sigmoid(c)^2",
        decreases="weight",
    ),
    StableForm(
        "difference of slopes",
        "(f*(1 - f) - g*(1 - g))*h/(f - g) = (1 - f - g)*h, f and g sigmoids",
        difference_of_slopes,
        example="(sigmoid(c)*(1 - sigmoid(c)) - sigmoid(h0)*(1 - sigmoid(h0)))/(sigmoid(c) - sigmoid(h0))",
        near_miss="(sigmoid(c)*(1 - sigmoid(c)) - sigmoid(h0)*(1 - sigmoid(h0)))/(sigmoid(c) + sigmoid(h0))",
        decreases="weight",
    ),
    StableForm(
        "product of complements",
        "prod(i, (1 - sigmoid(f))^g) = prod(i, sigmoid(-f)^g)",
        product_of_complements,
        example="prod(i, 1 - sigmoid(x[i]))",
        near_miss="prod(i, 2 - sigmoid(x[i]))",
        decreases="weight",
    ),
    StableForm(
        "complement of product",
        "1 - h*prod(i, sigmoid(f)^g) = 1 - exp(-sum(i, g*softplus(-f)) + log(h)), h up to three sigmoids",
        complement_of_product,
        example="1 - prod(i, sigmoid(x[i]))",
        near_miss="1 - prod(i, x[i])",
        decreases="weight",
    ),
    StableForm(
        "complement of power",
        "1 - sigmoid(f)^g = 1 - exp(-g*softplus(-f)), g no number; 1 - sigmoid(f)^g*sigmoid(h) as well",
        complement_of_power,
        example="1 - sigmoid(c)^exp(x[i])",
        near_miss="1 - sigmoid(c)^3",
        decreases="weight",
    ),
    StableForm(
        "product beside an exponential",
        "prod(i, sigmoid(f)^g)*exp(h + sum(i, g*softplus(-f))) = exp(h)",
        product_beside_exponential,
        example="prod(i, sigmoid(x[i]))*exp(c + sum(i, softplus(-x[i])))",
        near_miss="prod(i, sigmoid(x[i]))*exp(c + sum(i, softplus(x[i])))",
        decreases="weight",
    ),
)
