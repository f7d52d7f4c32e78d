"""A derivation is a system: it is printed and read back, evaluated, differentiated again."""

import re
from pathlib import Path

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad

from symbackprop.derivation.adjoint_names import adjoint_names, layer_names
from symbackprop.derivation.driver import derive
from symbackprop.errors import DerivationError, LanguageError, NotationError, SymbackpropError
from symbackprop.language.model import parse_system
from symbackprop.layers.loading import load_system
from symbackprop.pipeline import Model, load, loads
from symbackprop.semantics.evaluation import evaluate
from symbackprop.systems.printing import equation_text, system_text
from symbackprop.systems.system import System
from tests.models.autograd_oracle import loss_of
from tests.models.classics import small_sample
from tests.models.judges import assert_close
from tests.models.second_order import directional, hessian_product, judge_hessian_product

EXAMPLES = Path(__file__).parents[2] / "examples"
CLASSICS = sorted((EXAMPLES / "classics").glob("*.model"))

LOGISTIC = """
index n : N
index i : I
input x[n,i]
target d[n]
param w[i], b
u[n] = sum(i, w[i]*x[n,i]) + b
p[n] = sigmoid(u[n])
loss E = -mean(n, d[n]*log(p[n]) + (1 - d[n])*log(1 - p[n]))
"""
RNN = """
index n : N
index t : T
index i : I
index j, k : J
input x[n,t,i]
target d[n,j]
param W[j,i], U[j,k], h0[j]
u[n,t,j] = sum(i, W[j,i]*x[n,t,i]) + where(t == 0, sum(k, U[j,k]*h0[k]), sum(k, U[j,k]*h[n,t-1,k]))
h[n,t,j] = tanh(u[n,t,j])
loss E = 1/2*sum(n, j, (h[n,size(t) - 1,j] - d[n,j])^2)
"""
SOFTMAX = """
index b : B
index i : I
index k : K
input x[b,i]
target d[b,k]
param W[k,i]
fact sum(k, d[b,k]) == 1
u[b,k] = sum(i, W[k,i]*x[b,i])
p[b,k] = exp(u[b,k])/sum(k, exp(u[b,k]))
loss E = -sum(b, k, d[b,k]*log(p[b,k]))
"""
DEFINITE = """
index i, j : I
param P[i,j], m[i]
const x[i]
fact positive_definite(P)
loss E = 1/2*logdet(P) + 1/2*sum(i, j, (x[i] - m[i])*inv(P)[i,j]*(x[j] - m[j]))
"""
SYMMETRIC = """
index i, j : I
const A[i,j]
param x[i]
fact A[i,j] == A[j,i]
q = sum(i, j, x[i]*A[i,j]*x[j])
loss E = q^2
"""
LOOKUP = """
index n : N
index v : V
index e : D
index k : K
input ids[n] in V
target d[n] in K
param C[v,e], W[k,e]
u[n,k] = sum(e, W[k,e]*C[ids[n],e])
p[n,k] = exp(u[n,k])/sum(k, exp(u[n,k]))
loss E = -sum(n, log(p[n,d[n]]))
"""
POOLED = """
index n : N
index p : P = 4
index v : V = 2
index q : Q = 6
param x[n,q], w[q]
z[n,q] = tanh(w[q]*x[n,q])
y[n,p] = max(v, where(2*p + v < size(q), z[n,2*p+v]^2, 0))
loss E = sum(n, p, y[n,p]^2)
"""
SEED = (EXAMPLES / "seed.model").read_text()


def assert_reads_back(system: System) -> None:
    """The text gives the system again, pads written with their bounds in the order of the axes."""
    again = parse_system(system.source, system.name)
    assert system_text(again) == system.source == system_text(system)
    assert (again.axes, dict(again.tensors)) == (system.axes, dict(system.tensors))
    assert (again.facts, again.positive_definite) == (system.facts, system.positive_definite)
    assert again.loss is system.loss is None


@pytest.mark.parametrize("path", [*CLASSICS, *sorted(EXAMPLES.glob("*.model"))], ids=lambda path: path.stem)
def test_every_derivation_reads_back_from_its_text(path: Path) -> None:
    system = load_system(path)
    parameters = [tensor.name for tensor in system.tensors.values() if tensor.role.value == "param"]
    others = [each.name for each in system.tensors.values() if each.role.value == "input" and not each.values]
    assert_reads_back(derive(system, parameters or others).as_system())


MODELS = {
    "seed": (SEED, {}),
    "seed of size 1": (SEED, {"B": 1, "I": 1, "J": 1, "K": 1}),
    "logistic regression": (LOGISTIC, {}),
    "logistic regression of one sample": (LOGISTIC, {"N": 1, "I": 1}),
    "softmax and cross-entropy": (SOFTMAX, {}),
    "softmax over one class": (SOFTMAX, {"B": 2, "I": 2, "K": 1}),
    "symmetric": (SYMMETRIC, {}),
    "lookup": (LOOKUP, {}),
}


@pytest.mark.parametrize("name", MODELS)
def test_hessian_vector_products(name: str) -> None:
    source, sizes = MODELS[name]
    judge_hessian_product(loads(source), None, sizes or None)


@pytest.mark.parametrize("sizes", [{"N": 2, "T": 3, "I": 2, "J": 4}, {"N": 1, "T": 1, "I": 1, "J": 1}])
def test_the_hessian_of_a_recurrent_network(sizes: dict[str, int]) -> None:
    def unrolled(given: dict[str, np.ndarray], chosen: dict[str, np.ndarray]) -> np.ndarray:
        h = anp.tile(chosen["h0"], (sizes["N"], 1))
        for t in range(sizes["T"]):
            h = anp.tanh(anp.dot(given["x"][:, t], chosen["W"].T) + anp.dot(h, chosen["U"].T))
        return 0.5 * anp.sum((h - given["d"]) ** 2)

    second = judge_hessian_product(loads(RNN), None, sizes, unrolled=unrolled)
    names = [equation.tensor for equation in second.derivation.equations]
    assert {"H_delta_u", "H_u", "grad_H_W", "grad_H_U", "grad_H_h0"} <= set(names)


@pytest.mark.parametrize("source", [DEFINITE, POOLED], ids=["positive definite", "maximum over windows"])
def test_second_derivatives_through_matrices_and_maxima(source: str) -> None:
    judge_hessian_product(loads(source))


def test_a_fact_on_what_is_differentiated_by_is_used_only_afterwards() -> None:
    """p - d is the gradient where the fact holds; its derivative by d lacks that of sum(k, d[b,k])*p."""
    first = loads(SOFTMAX).derive()
    whole = first.as_system("const v[k,i]\nloss H = sum(k, i, v[k,i]*grad_W[k,i])")
    assert "sum(k, d[b,k])" not in whole.derive(["W"]).result_text()
    mixed = whole.derive(["d"])
    values, sizes = small_sample(mixed.derivation.model)
    loss = loss_of(first.model.system, values, sizes)

    def slope(chosen: dict[str, np.ndarray]) -> np.ndarray:
        slopes = grad(lambda inner: loss({**chosen, **inner}))({"W": values["W"]})
        return anp.sum(slopes["W"] * values["v"])

    found = evaluate(mixed.derivation.as_system(), values, sizes)
    assert_close(found["grad_H_d"], grad(slope)({"d": values["d"]})["d"], "d, in the gradient by W")
    third = whole.derive(["W"]).as_system("loss G = sum(k, i, v[k,i]*grad_H_W[k,i])").derive(["d"])
    assert "d" in third.gradients and "sum(k, d[b,k])" not in third.result_text()


def test_a_derivation_read_from_its_text_is_not_differentiated_by_what_a_fact_is_about() -> None:
    """Its equations are those that the fact has simplified: no step back behind it is left."""
    text = loads(SOFTMAX).derive().as_system().text()
    assert "fact sum(k, d[b,k]) == 1 in grad_W\n" in text
    again = loads(f"{text}const v[k,i]\nloss H = sum(k, i, v[k,i]*grad_W[k,i])")
    with pytest.raises(
        DerivationError, match=r"'grad_W' has been simplified by the fact sum\(k, d"
    ) as caught:
        again.derive(["d"])
    assert "as_system" in str(caught.value)
    by_parameter = loads(SOFTMAX).derive().as_system("const v[k,i]\nloss H = sum(k, i, v[k,i]*grad_W[k,i])")
    assert again.derive(["W"]).result_text() == by_parameter.derive(["W"]).result_text()
    other = loads(f"{text}loss H = sum(b, k, p[b,k]*d[b,k])")
    assert "d" in other.derive(["d"]).gradients


@pytest.mark.parametrize(("source", "wrt"), [(SYMMETRIC, "A"), (DEFINITE, "P")])
def test_nor_by_a_matrix_that_is_symmetric_by_a_fact(source: str, wrt: str) -> None:
    first = loads(source).derive(["x"] if wrt == "A" else ["m"])
    statements = directional(first)
    assert wrt in first.as_system(statements).derive([wrt]).gradients
    with pytest.raises(DerivationError, match="has been simplified by the fact"):
        loads(f"{first.as_system().text()}{statements}").derive([wrt])


def test_a_fact_names_equations_that_there_are() -> None:
    with pytest.raises(NotationError, match="unknown tensor 'grad_V'"):
        loads(SOFTMAX.replace("== 1", "== 1 in grad_V"))
    with pytest.raises(NotationError, match="'d' has no equation"):
        loads(SOFTMAX.replace("== 1", "== 1 in d"))
    system = loads(SOFTMAX.replace("== 1", "== 1 in p, u")).system
    assert system.facts[0].users == ("p", "u") and system.facts == loads(SOFTMAX).system.facts


def test_facts_and_integer_tensors_stay() -> None:
    whole = loads(DEFINITE).derive().as_system().system
    assert [each.tensor for each in whole.positive_definite] == ["P"]
    second = hessian_product(loads(SYMMETRIC).derive())
    assert str(second.gradients["x"]).endswith("+ 4*sum(j, v_x[j]*A[i,j])*q")
    assert loads(LOOKUP).derive().as_system().system.tensors["ids"].values.name == "V"


def test_the_seeds_hessian_reads_like_a_paper() -> None:
    """H_delta1 and H_u2 are Pearlmutter's R{u1} and R{u2} - R{d}: the tangents along the direction."""
    second = hessian_product(loads(SEED).derive())
    forms = [equation_text(each) for each in second.derivation.equations]
    assert "H_delta1[b,j] = sum(i, v_W1[j,i]*x[b,i]) + v_b1[j]" in forms
    assert [form.split("[")[0] for form in forms] == [
        "H_delta1", "H_u2", "grad_H_W2", "grad_H_b2", "H_u1", "grad_H_W1", "grad_H_b1",
    ]  # fmt: skip


def test_a_third_round_has_names_of_its_own() -> None:
    model = loads("param w, a\nu = tanh(w*a)\nloss E = u^2 + u^3")
    second = model.derive().as_system("const v\nloss H = v*grad_w").derive()
    third = second.as_system("const r\nloss G = r*grad_H_w").derive(wrt=["w"])
    names = {each.tensor for each in third.derivation.equations}
    assert "grad_G_w" in names and not any(re.search("delta_delta|_$|grad_grad|H_H_", name) for name in names)
    again = parse_system(third.derivation.as_system().source)
    assert parse_system(system_text(again)).equations == again.equations
    values = {"w": 0.3, "a": 0.7, "v": 1.0, "r": 1.0}
    _, found = third.module().value_and_grad({"w": 0.3, "a": 0.7}, v=1.0, r=1.0)

    def loss(w: float) -> float:
        return anp.tanh(w * values["a"]) ** 2 + anp.tanh(w * values["a"]) ** 3

    assert float(found["w"]) == pytest.approx(float(grad(grad(grad(loss)))(0.3)), rel=1e-10)


def test_the_same_derivation_from_the_text_and_from_the_system() -> None:
    first = loads(LOGISTIC).derive()
    statements = directional(first)
    again = loads(f"{first.as_system().text()}{statements}").derive()
    assert again.result_text() == first.as_system(statements).derive().result_text()


def test_names_in_a_model_with_gradients_of_its_own() -> None:
    own = "index i : I\ninput grad_x[i]\nparam x[i], w\nu2[i] = tanh(x[i]*w)\n"
    model = loads(f"{own}loss E = sum(i, u2[i]^3*grad_x[i])")
    names = [each.tensor for each in model.derive().derivation.equations]
    assert names[-2:] == ["grad_E_x", "grad_E_w"] and all(re.match("E_|grad_E_", name) for name in names)
    assert adjoint_names(["delta", "w"], ["w"], "E", ["delta", "w", "E"]) == {
        "delta": "E_delta", "w": "grad_E_w",
    }  # fmt: skip
    assert adjoint_names(["y", "delta"], ["delta"], "E", ["y", "delta", "E"]) == {
        "y": "delta_y", "delta": "grad_delta",
    }  # fmt: skip
    assert adjoint_names(["u2"], [], "H", ["delta2", "H_u2"]) == {"u2": "H_u2_2"}
    assert adjoint_names(["a_", "pi_", "a"], [], "E", ["a", "a_", "pi_"]) == {
        "a_": "delta_a_2",
        "pi_": "delta_pi",
        "a": "delta_a",
    }


def test_short_names_are_for_deltas_with_a_number_of_their_own() -> None:
    assert layer_names({"u2": "delta_u2", "y": "delta_y"}, []) == {"delta_u2": "delta2"}
    assert layer_names({"u2": "delta_u2", "z2": "delta_z2"}, []) == {}
    assert layer_names({"u2": "delta_u2"}, ["delta2"]) == layer_names({"u2": "H_u2"}, []) == {}


def test_without_a_loss_there_is_a_remedy_and_statements_are_checked() -> None:
    first = load(EXAMPLES / "seed.model").derive()
    whole = first.as_system()
    assert isinstance(whole, Model) and whole.text() == whole.system.source
    with pytest.raises(DerivationError, match="has no loss") as caught:
        whole.derive()
    assert "as_system" in str(caught.value)
    with pytest.raises(NotationError, match="grad_W9"):
        first.as_system("loss H = grad_W9")
    with pytest.raises(LanguageError, match="remedy"):
        first.as_system("loss H = ")


def test_what_has_no_further_derivative_is_refused_with_a_remedy() -> None:
    model = loads("param w\nloss E = lgamma(w)")
    second = model.derive().as_system("loss H = grad_w").derive()
    with pytest.raises(DerivationError, match="polygamma") as caught:
        second.as_system("loss G = grad_H_w").derive()
    assert "remedy" in str(caught.value)


@pytest.mark.parametrize(
    ("statements", "message"),
    [
        (
            "const v[k,j]\nloss H = sum(k, j, v[k,j]*grad_W9[k,j])",
            r"^statements:2:27: unknown tensor 'grad_W9'",
        ),
        ("\nloss H = sum(k j)", r"^statements:2:16: expected an operator"),
        ("const W2[k]", r"^statements:1:7: .* a param at a place in the derived equations and a const here"),
        (
            "const v\nconst v[k]",
            r"^statements:2:7: the name 'v' is used twice: it is a const at statements:1:7",
        ),
    ],
)
def test_what_is_said_against_added_statements_counts_their_lines(statements: str, message: str) -> None:
    derivation = load(EXAMPLES / "seed.model").derive(["W2"])
    with pytest.raises(SymbackpropError, match=message) as raised:
        derivation.as_system(statements)
    assert raised.value.place is not None
    assert raised.value.place.text in statements
