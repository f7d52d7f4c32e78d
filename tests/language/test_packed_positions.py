"""Packed positions, (h e), and named blocks, A = (i f o g)*H: what they expand to, and what is refused."""

import pytest

from symbackprop.derivation.driver import derive
from symbackprop.errors import LanguageError, NotationError, SymbackpropError
from symbackprop.language.model import parse_system, with_statements
from symbackprop.systems.printing import equation_text, system_text, text

MODEL = """
index n : N
index h : H
index e : E
index d : D = H*E
index a : A = (i f o g)*H
index c : C = (q k v)*H*E
input x[n,d], u[n,a], p[n,c], w[h], s[e]
y[n] = {}
loss L = sum(n, y[n])
"""


def read(formula: str) -> str:
    (y, _) = parse_system(MODEL.format(formula)).equations
    return text(y.expression)


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("sum(h, e, x[n,(h e)])", "sum(h, e, x[n,h*size(e) + e])"),
        ("sum(h, u[n,(i h)])", "sum(h, u[n,h])"),
        ("sum(h, u[n,(g h)])", "sum(h, u[n,3*size(h) + h])"),
        ("sum(d, p[n,(k d)])", "sum(d, p[n,size(d) + d])"),
        ("sum(h, e, p[n,(v h e)])", "sum(h, e, p[n,2*size(h)*size(e) + h*size(e) + e])"),
        ("sum(e, h, x[n,(e h)])", "sum(e, h, x[n,e*size(h) + h])"),
    ],
)
def test_a_packed_position_is_affine(written: str, means: str) -> None:
    assert read(written) == means


def test_the_text_of_a_system_reads_back() -> None:
    system = parse_system(MODEL.format("sum(h, u[n,(g h)])"))
    again = parse_system(system_text(system))
    assert again.equations == system.equations
    shown = ["D = H*E", "A = (i f o g)*H", "C = (q k v)*H*E"]
    assert [relation.text for relation in again.relations] == shown
    assert again.blocks == system.blocks == {"A": ("i", "f", "o", "g"), "C": ("q", "k", "v")}


@pytest.mark.parametrize(
    "size", ["(p q)*(H + 1)", "(p q)*H/2", "(p q r)", "(p q)*2*H", "(p q)*H^2", "(p q)*floor(H/2)"]
)
def test_the_names_of_blocks_stay_with_the_text_of_a_derivation(size: str) -> None:
    text = f"index h : H\nindex a : A = {size}\nparam x[a]\ninput w[h]\n"
    whole = derive(parse_system(text + "loss L = sum(a, x[a]^3) + sum(h, w[h])\n")).as_system()
    again = parse_system(system_text(whole))
    assert again.axes == whole.axes and again.blocks == whole.blocks and again.relations == whole.relations
    assert with_statements(whole, "y[h] = 1").blocks == whole.blocks


@pytest.mark.parametrize(
    ("written", "cause"),
    [
        ("sum(h, x[n,(h h)])", "(h h) counts H^2 places, but axis D has H*E"),
        ("sum(h, e, u[n,(h e)])", "(h e) counts H*E places, but axis A has 4*H"),
        ("sum(e, u[n,(f e)])", "(f e) counts 4*E places, but axis A has 4*H"),
        ("sum(h, x[n,(f h)])", "'f' is a block of axis A"),
        ("sum(h, u[n,(h f)])", "'f' is a block of axis A"),
        ("sum(h, x[n,(h e)])", "index not summed: 'e'"),
        ("sum(h, x[n,(h z)])", "unknown index 'z'"),
        ("sum(h, u[n,(z h)])", "axis A has no block 'z'"),
        ("sum(h, x[n,(z h)])", "unknown index 'z'"),
        ("sum(h, e, 2*(h e))", "(h e) packs indices, and is a whole position of a tensor"),
        ("sum(h, e, x[n,(h e)+1])", "(h e) packs indices, and is a whole position of a tensor"),
        ("sum(h, u[n,f])", "unknown index 'f'"),
    ],
)
def test_what_is_refused(written: str, cause: str) -> None:
    with pytest.raises(NotationError) as caught:
        read(written)
    assert cause in str(caught.value) and caught.value.remedy


@pytest.mark.parametrize(
    ("written", "remedy"),
    [
        ("x[n,(k (h e))]", "write (k h e)"),
        ("x[n,((k h) e)] + 1", "write (k h e)"),
        ("x[n,(k (h' e) l)]", "write (k h' e l)"),
        ("exp(h e) (k l)", "write a product with '*'"),
    ],
)
def test_brackets_inside_packed_indices(written: str, remedy: str) -> None:
    with pytest.raises(LanguageError) as caught:
        read(written)
    assert remedy in str(caught.value.remedy)


@pytest.mark.parametrize(
    ("declared", "cause"),
    [
        ("index a : A = (n f)*H", "'n' is an index, and cannot name a block of axis A"),
        ("index a : A = (f f)*H", "'f' is a block already, and cannot name a block of axis A"),
        ("index a : A = (f sum)*H", "'sum' is a function of the language"),
        ("index a : A = H*(f g)", "named in front of the size that they share"),
    ],
)
def test_block_names_are_refused(declared: str, cause: str) -> None:
    with pytest.raises(SymbackpropError) as caught:
        parse_system(f"index n : N\nindex h : H\n{declared}\ninput x[n,h], y[a]\nloss L = sum(n, h, x[n,h])")
    assert cause in str(caught.value)


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("z[n,(h e)] = x[n,(h e)]", "z[n,d] = x[n,d]"),
        ("z[n,(h e)] = w[h]*x[n,(h e)]", "z[n,d] = w[floor(d/size(e))]*x[n,d]"),
        ("z[n,(h e)] = s[e]", "z[n,d] = s[mod(d, size(e))]"),
        ("z[n,(h e)] = sum(h, x[n,(h e)])", "z[n,d] = sum(h, x[n,h*size(e) + mod(d, size(e))])"),
        ("z[n,(h e)] = w[h]*sum(d, x[n,d])", "z[n,d] = w[floor(d/size(e))]*sum(d, x[n,d])"),
    ],
)
def test_a_packed_left_side_is_read_by_its_digits(written: str, means: str) -> None:
    system = parse_system(MODEL.format("sum(h, w[h])") + written + "\n")
    (equation,) = [each for each in system.equations if each.tensor == "z"]
    assert equation_text(equation) == means


@pytest.mark.parametrize(
    ("written", "cause"),
    [
        ("z[n,(h n)] = w[h]", "(h n) counts H*N places, as no axis does"),
        ("z[n,(e h)] = 1\nindex b : B = E*H", "(e h) counts E*H places, as D and B do"),
        ("z[n,(h f)] = w[h]", "unknown index 'f'"),
        ("z[n,(h e)] = w[d]", "index not summed: 'd'"),
        ("input z[n,(h e)]", "plain index"),
    ],
)
def test_packed_left_sides_that_are_refused(written: str, cause: str) -> None:
    with pytest.raises(NotationError) as caught:
        parse_system(MODEL.format("sum(h, w[h])") + written + "\n")
    assert cause in str(caught.value) and caught.value.remedy


def test_the_remedy_for_two_axes_of_one_size_is_in_the_models_own_names() -> None:
    text = "index g : G\nindex v : V\nindex k : K = G*V\nindex c : C = G*V\nparam w[g,v]\nu[(g v)] = w[g,v]\n"
    with pytest.raises(NotationError) as raised:
        parse_system(text)
    assert str(raised.value.remedy).endswith("floor(k/size(v)) and mod(k, size(v))")
