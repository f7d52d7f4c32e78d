"""Axes that count through others, D = H*E: before every judge, in the form of the model with axes apart."""

import pytest

from symbackprop.derivation.driver import derive
from symbackprop.derivation.result import Derivation
from symbackprop.emission.loading import load_module
from symbackprop.errors import NotationError
from symbackprop.integers.bounds import unproved_bounds
from symbackprop.language.model import parse_expression, parse_system
from symbackprop.lowering.programs import lower
from symbackprop.schedule.driver import ScheduleSource, schedule_of
from symbackprop.schedule.replaying import replayed
from symbackprop.systems.printing import text as shown
from tests.models.classics import small_sample
from tests.models.judges import assert_close, judge
from tests.models.step_checker import total_gradient
from tests.programs import numpy_source

HEADS = """
index t, s : T
index h : H
index e : E
index o : D = H*E
input x[t,o]
const heads[h]
param v[t,o]
S[h,t,s] = sum(e, x[t,h*size(e)+e]*v[s,h*size(e)+e])
P[h,t,s] = exp(S[h,t,s])/sum(s, exp(S[h,t,s]))
y[t,o] = sum(s, P[floor(o/size(e)),t,s]*v[s,o])
loss L = 1/2*sum(t, o, y[t,o]^2)
"""
GROUPED_QUERIES = """
index t, s : T
index g : G
index r : R
index h : H = G*R
index e : E
input q[t,h,e]
param k[t,g,e]
y[h,t,s] = sum(e, q[t,h,e]*k[s,floor(h/size(r)),e])
loss L = 1/2*sum(h, t, s, y[h,t,s]^2)
"""
EVERY_SECOND = """
index g : G
index r : R
index h : H = G*R
input x[h], a[g]
param w[r]
y[h] = w[mod(h, size(r))]*x[h]
loss L = 1/2*sum(h, y[h]^2) + sum(g, a[g])
"""


HEAD_SIZES = {"T": 2, "H": 2, "E": 2, "D": 4}
GROUP_SIZES = {"T": 2, "G": 2, "R": 2, "H": 4, "E": 1}


def forms_of(derivation: Derivation) -> dict[str, str]:
    return {equation.tensor: shown(equation.expression) for equation in derivation.equations}


def test_the_sum_over_a_packed_axis_is_the_sum_over_a_heads_own() -> None:
    forms = forms_of(judge(HEADS, ["v"], sizes=HEAD_SIZES, steps=False))
    assert forms["delta_P"] == "sum(e, y[t,h*size(e) + e]*v[s,h*size(e) + e])"


def test_the_heads_of_a_group_are_summed_over() -> None:
    forms = forms_of(judge(GROUPED_QUERIES, ["k"], sizes=GROUP_SIZES))
    assert forms["grad_k"] == "sum(r, s, y[g*size(r) + r,s,t]*q[s,g*size(r) + r,e])"


def test_the_lower_digit_is_given() -> None:
    assert forms_of(judge(EVERY_SECOND, ["w"]))["grad_w"] == "sum(g, y[g*size(r) + r]*x[g*size(r) + r])"


def test_an_axis_that_no_relation_packs_keeps_its_delta() -> None:
    unrelated = EVERY_SECOND.replace("H = G*R", "H")
    assert "delta(mod(h, size(r)),r)" in forms_of(derive(parse_system(unrelated), ["w"]))["grad_w"]


WINDOWED = """
index t : T = N*W
index n : N
index w, v : W
const windows[n]
param u[t]
y[(n w)] = sum(v, cos(w + 2*v)*u[(n v)])
loss L = sum(t, y[t]^2)
"""
GROUPED_KEYS = """
index g : G
index r : R
index h : H = G*R
index e : E
index k : K = G*E
const groups[g], c[h,e]
param u[k]
y[h] = sum(e, c[h,e]*u[floor(h/size(r))*size(e) + e])
loss L = sum(h, y[h]^2)
"""


def test_a_window_sums_over_its_own_places() -> None:
    """The delta of two floors leaves nothing of the other windows: floor(t/size(w))*size(w) + w lies in T."""
    forms = forms_of(judge(WINDOWED, ["u"], sizes={"T": 6, "N": 3, "W": 2}, steps=False))
    assert forms["grad_u"] == ("2*sum(w, y[floor(t/size(w))*size(w) + w]*cos(w + 2*mod(t, size(w))))")


def test_keys_of_a_group_sum_over_the_heads_of_it() -> None:
    forms = forms_of(judge(GROUPED_KEYS, ["u"], sizes={"G": 2, "R": 3, "H": 6, "E": 2, "K": 4}, steps=False))
    assert "delta(" not in forms["grad_u"] and "floor(k/size(e))*size(r) + r" in forms["grad_u"]


@pytest.mark.parametrize(
    ("relation", "is_inside"),
    [("T = N*W", True), ("T = 3*N*W", True), ("T = N + W", False), ("T = N*W + 1", False), ("T", False)],
)
def test_the_first_place_of_a_block_and_an_offset_lie_inside_where_blocks_fill_the_axis(
    relation: str, is_inside: bool
) -> None:
    model = f"index t : {relation}\nindex n : N\nindex w : W\nparam u[t], c[n,w]\nloss L = sum(t, u[t])"
    system = parse_system(model)
    position = parse_expression("floor(t/size(w))*size(w) + w", system)
    axis = next(index.axis for index in position.free_indices if index.name == "t")
    assert (not unproved_bounds(position, axis)) == is_inside


THIRDS = """
index t, s : T
index h : H
index e : E
index o : D = H*E
index a : A = (q k v)*H*E
const heads[h]
param w[o], u[t,a]
S[h,t,s] = sum(e, u[t,(q h e)]*u[s,(k h e)])
y[t,(h e)] = sum(s, S[h,t,s]*u[s,(v h e)])
loss L = sum(t, o, w[o]*y[t,o])
"""


def test_thirds_of_an_axis_split_into_heads_are_slices() -> None:
    """Queries, keys and values of one array, and its gradient: no index array, wherever a third begins."""
    derivation = judge(THIRDS, ["w", "u"], sizes={"T": 2, "H": 2, "E": 3, "D": 6, "A": 18}, steps=False)
    source = numpy_source(lower(derivation))
    assert "u[:, H * E : 2 * H * E]" in source and "u[:, 2 * H * E :]" in source
    for places in (":D", "D : 2 * D", "2 * D :"):
        assert f"grad_u[:, {places}] = " in source
    assert "grad_u_block =" not in source
    unwanted = ("arange", "scatter_add", "np.pad", "np.where", "minimum", "take", "clip")
    assert not any(word in source for word in unwanted)


@pytest.mark.parametrize(("model", "wrt"), [(HEADS, "v"), (GROUPED_QUERIES, "k")])
def test_packed_axes_are_views(model: str, wrt: str) -> None:
    source = numpy_source(lower(derive(parse_system(model), [wrt])))
    assert ".reshape(" in source
    assert not any(word in source for word in ("arange", "scatter_add", "np.pad", "minimum", "take"))


def test_a_digit_of_an_axis_that_is_shorter_is_looked_up() -> None:
    shorter = GROUPED_QUERIES.replace("H = G*R", "H = G*R - 1")
    source = numpy_source(lower(derive(parse_system(shorter), ["k"])))
    assert "arange(H)" in source


@pytest.mark.parametrize("size", ["G*R", "3*G*R", "3*G*R + 1"])
def test_digits_may_be_counted_through_again(size: str) -> None:
    again = (
        "index g : G\nindex r : R\nindex p : P = SIZE\ninput w[p]\nparam x[g,r]\n"
        "loss L = sum(p, w[p]*x[mod(floor(p/size(r)), size(g)),mod(p, size(r))]^2)\n"
    )
    source = numpy_source(lower(judge(again.replace("SIZE", size), ["x"], steps=False)))
    assert ("w.reshape(G, R)" in source) == (size == "G*R")


LSTM = """
index n : N
index t : T
index h, q : H
index a : A = 4*H
input x[n,t,a], dz[n,t,h]
param W[h,a]
u[t,n,a] = x[n,t,a] + sum(h, pad(z[t-1,n,h])*W[h,a])
c[t,n,q] = sigmoid(u[t,n,size(q)+q])*pad(c[t-1,n,q]) + sigmoid(u[t,n,q])*tanh(u[t,n,3*size(q)+q])
z[t,n,h] = sigmoid(u[t,n,2*size(h)+h])*tanh(c[t,n,h])
loss L = sum(n, t, h, dz[n,t,h]*z[t,n,h])
"""


def test_packed_gates_are_the_blocks_of_one_delta() -> None:
    derivation = derive(parse_system(LSTM), ["W"])
    schedule = schedule_of(derivation)
    assert replayed(schedule, ScheduleSource.of(derivation))
    stored = numpy_source(lower(derivation, schedule))
    values, sizes = small_sample(derivation.system, {"N": 1, "T": 2, "H": 1, "A": 4})
    found = load_module(stored, "packed").grad({"W": values["W"]}, values["x"], values["dz"])
    assert_close(found["W"], total_gradient(derivation.system, values, sizes, "W"), "packed gates")
    assert "np.pad" not in stored and "arange" not in stored
    for places in (":H", "H : 2 * H", "2 * H : 3 * H", "3 * H :"):
        assert f"delta_u[t, :, {places}] = " in stored
        assert f"(u[t, :, {places}])" in stored
    assert "delta_u_block =" not in stored


GATE = """
index n : N
index h : H
index a : A = 2*H
input x[n,a]
param w[a]
u[n,a] = w[a]*x[n,a]
g[n,h] = tanh(u[n,size(h) + h])
loss L = sum(n, h, FACTOR*g[n,h]^2)
"""


def test_a_gate_in_a_block_has_its_derivative_by_its_name() -> None:
    sizes = {"N": 2, "H": 2, "A": 4}
    own = judge(GATE.replace("FACTOR*", ""), ["w"], sizes=sizes, steps=False)
    assert "tanh" not in "".join(forms_of(own).values())
    beside = judge(GATE.replace("FACTOR", "tanh(u[n,h])"), ["w"], sizes=sizes, steps=False)
    assert "tanh(u[n,a])" in "".join(forms_of(beside).values())  # the other block's


QUERIES_AND_VALUES = """
index t, s : T
index h : HEADS
index e : FEATURES
index a : A = (q v)*(H*E)
input dy[t,h,e]
param u[t,a]
P[h,t,s] = sum(e, u[t,(q h e)]*u[s,(q h e)])
y[t,h,e] = sum(s, P[h,t,s]*u[s,(v h e)])
loss L = sum(t, h, e, dy[t,h,e]*y[t,h,e])
"""


@pytest.mark.parametrize(("heads", "features"), [("H", "E"), ("H = 2", "E = 3")], ids=["sizes", "numbers"])
def test_a_block_of_heads_is_counted_by_head_and_feature(heads: str, features: str) -> None:
    text = QUERIES_AND_VALUES.replace("HEADS", heads).replace("FEATURES", features)
    source = numpy_source(lower(judge(text, ["u"], sizes={"T": 2, "H": 2, "E": 3, "A": 12}, steps=False)))
    assert "# grad_u_block_2[t,h,e] = sum(s, dy[s,h,e]*P[h,t,s])" in source
    assert not any(word in source for word in ("np.pad", "arange", "clip"))


NUMBERED_GATES = """
index t : T = 3
index n : N = 3
index h, l : H = 3
index a : A = 6
input x[t,n,a], dz[t,n,h]
param U[l,a]
u[t,n,a] = x[t,n,a] + sum(l, pad(z[t-1,n,l])*U[l,a])
z[t,n,h] = sigmoid(u[t,n,h+0])*tanh(u[t,n,h+3])
loss L = sum(t, n, h, dz[t,n,h]*z[t,n,h])
"""


def test_gates_of_a_declared_number_are_blocks_beside_axes_of_the_same_number() -> None:
    derivation = derive(parse_system(NUMBERED_GATES), ["U"])
    source = numpy_source(lower(derivation))
    values, sizes = small_sample(derivation.system)
    found = load_module(source, "numbered").grad({"U": values["U"]}, values["x"], values["dz"])
    assert_close(found["U"], total_gradient(derivation.system, values, sizes, "U"), "numbered gates")
    assert "delta_u[t, :, :3] = " in source and "delta_u[t, :, 3:] = " in source
    assert "np.pad" not in source and "arange" not in source


STATES_OF_PARENTS = """
index t : T
index s : S = T + 1
index n : N
input ids[n] in T
input jds[n] in S
param C[s], D[t]
loss L = sum(n, C[ids[n]]^2*C[jds[n]]*D[ids[n]])
"""


def test_values_of_an_axis_look_up_a_longer_one() -> None:
    forms = forms_of(judge(STATES_OF_PARENTS, ["C"], sizes={"T": 2, "S": 3, "N": 2}, steps=False))
    assert "delta(ids[n],s)" in forms["grad_C"]
    with pytest.raises(NotationError, match="outside axis T: the values of 'jds' are places of axis S"):
        parse_system(STATES_OF_PARENTS.replace("D[ids[n]]", "D[jds[n]]"))


PIXEL_SHUFFLE = """
index a, b : P
index r : R
index y, x : Y = P*R
index o : O
index c : C = O*R*R
input z[a,b], d[o,y,x], k[r]
param W[c]
v[o,y,x] = W[o*size(r)*size(r) + mod(y,size(r))*size(r) + mod(x,size(r))]*z[floor(y/size(r)),floor(x/size(r))]
loss L = 1/2*sum(o, y, x, (v[o,y,x] - d[o,y,x])^2)
"""


def test_three_digits_of_one_axis_are_solved_without_a_guard() -> None:
    sizes = {"P": 1, "R": 2, "Y": 2, "O": 2, "C": 8}
    form = forms_of(judge(PIXEL_SHUFFLE, ["W"], sizes=sizes))["grad_W"]
    assert form.startswith("sum(a, b, ") and form.endswith("*z[a,b])")
    assert not any(word in form for word in ("delta(", "where(", "pad("))
