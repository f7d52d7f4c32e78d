"""Random models of index arithmetic and lookups: windows, shifts, digits, gathers, maxima over windows."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.models.whole_language.names import extremum_over

AXES = {"A": ("a", "p"), "B": ("b", "q"), "C": ("c", "r")}
# tensor's name to the axes that it is read at
TENSORS = {"x": ("A", "B"), "w": ("C",), "v": ("A",), "t": ("B", "C")}
LOOKUPS = {"A": "ids[b]", "C": "nums[a]"}


@st.composite
def model_texts(draw: st.DrawFn) -> str:
    """A model with declared small sizes and a loss."""
    sizes = {axis: draw(st.integers(1, 4)) for axis in AXES}
    lines = [f"index {', '.join(names)} : {axis} = {sizes[axis]}" for axis, names in AXES.items()]
    lines += ["input ids[b] in A, nums[a] in C", "param x[a,b], w[c], v[a], t[b,c]"]
    lines[3] = "input ids[b] in A\ninput nums[a] in C"
    first = f"y[a,b] = {draw(equations(('a', 'b'), 'c', sizes))}"
    second = f"z[c] = {draw(equations(('c',), 'p', sizes))}"
    last = "loss E = sum(a, b, y[a,b]^2)/7 + sum(c, z[c]*w[c]) + sum(a, b, y[a,b]*" + (
        f"{draw(reads('y', ('A', 'B'), ('a', 'b'), sizes))})"
    )
    return "\n".join([*lines, first, second, last]) + "\n"


@st.composite
def equations(draw: st.DrawFn, free: tuple[str, ...], bound: str, sizes: dict[str, int]) -> str:
    """A right-hand side over the free indices."""
    inside = (*free, bound)
    names = sorted(TENSORS)
    factors = [
        draw(reads(name, TENSORS[name], inside, sizes))
        for name in draw(st.lists(st.sampled_from(names), min_size=1, max_size=3))
    ]
    body = "*".join(factors)
    form = draw(st.sampled_from(["sum", "sum", "max", "tanh", "where"]))
    match form:
        case "sum":
            return f"sum({bound}, {body})"
        case "max":
            return extremum_over("max", bound, body)
        case "tanh":
            return f"sum({bound}, tanh({body}))"
    condition = f"{draw(affine(inside))} >= {draw(st.integers(-1, 2))}"
    return f"sum({bound}, where({condition}, {body}, 1/3))"


@st.composite
def reads(
    draw: st.DrawFn, name: str, axes: tuple[str, ...], inside: tuple[str, ...], sizes: dict[str, int]
) -> str:
    """An element of a tensor that is 0 outside."""
    return f"pad({name}[{','.join(draw(positions(axis, inside, sizes)) for axis in axes)}])"


@st.composite
def positions(draw: st.DrawFn, axis: str, inside: tuple[str, ...], sizes: dict[str, int]) -> str:
    """A position on the axis, made of indices that are in sight."""
    own = [name for name in AXES[axis] if name in inside]
    kinds = ["affine", "affine", "floor", "mod", "constant", *(["plain"] * 4 if own else [])]
    if axis in LOOKUPS and LOOKUPS[axis][-2] in inside:
        kinds += ["lookup", "lookup"]
    match draw(st.sampled_from(kinds)):
        case "plain":
            return draw(st.sampled_from(own))
        case "lookup":
            return LOOKUPS[axis]
        case "constant":
            return str(draw(st.integers(0, sizes[axis] - 1)))
        case "floor":
            return f"floor(({draw(affine(inside))})/{draw(st.integers(2, 3))})"
        case "mod":
            return f"mod({draw(affine(inside))}, {sizes[axis]})"
    return draw(affine(inside))


@st.composite
def affine(draw: st.DrawFn, inside: tuple[str, ...]) -> str:
    """k*i + l*j + n."""
    chosen = draw(st.lists(st.sampled_from(sorted(inside)), min_size=1, max_size=2, unique=True))
    terms = [f"{draw(st.sampled_from([1, 1, 1, -1, 2, 3]))}*{index}" for index in chosen]
    return f"{' + '.join(terms)} + {draw(st.integers(-2, 3))}".replace("+ -", "- ")
