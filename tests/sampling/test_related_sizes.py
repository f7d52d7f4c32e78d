"""Sizes that are drawn obey the relations, differ where they may, and are 1 once where they may be."""

import pytest

from symbackprop.errors import VerificationError
from symbackprop.integers.solving import worked_out
from symbackprop.language.model import parse_system
from symbackprop.sampling.rounds import rounds_of_sizes
from symbackprop.sampling.small_axes import model_sizes, with_small_axes

HEADS = """
index t : T
index s : S = T + 1
index o : D
index h : H
index e : Eh = D/H
index r : R = D/2
const x[t,o], w[h], z[s]
y[t,h,e] = x[t,size(e)*h+e]*w[h]*z[t]
"""


@pytest.mark.parametrize(
    "text",
    [
        HEADS,
        HEADS.replace("D\n", "D = 8\n", 1),
        HEADS.replace("index h : H", "index h : H = 8"),
        "index n : N\nindex k : K\nindex a : A = floor((N - K)/2) + 1\nconst x[n], w[k]\ny[a] = x[2*a]",
        "index m : M\nindex p : P = M*(M + 1)/2\nconst x[p], w[m]\ny[m] = x[m+0]*w[m]",
    ],
)
def test_sizes_of_all_rounds_obey(text: str) -> None:
    system = parse_system(text)
    rounds, _ = rounds_of_sizes(system)
    for each in rounds:
        assert worked_out(system.relations, each.sizes) == each.sizes
        assert all(each.sizes[axis.name] == axis.size for axis in system.axes if axis.size)
    first = rounds[0].sizes
    free = [axis.name for axis in system.axes if axis.size is None]
    assert min(first[name] for name in free) > 1


def test_sizes_differ_as_far_as_relations_allow() -> None:
    sizes = model_sizes(parse_system(HEADS.replace("index r : R = D/2\n", "")))
    assert len(set(sizes.values())) == len(sizes)


def test_an_axis_that_is_read_further_grows_with_what_follows_from_it() -> None:
    system = parse_system(
        "index t : T\nindex s : S = T + 1\nindex a : A = 5\nconst x[t], z[s]\ny[a] = x[a]\n".replace(
            "x[a]", "x[a+1]"
        )
    )
    sizes = model_sizes(system)
    assert sizes["T"] == 6 and sizes["S"] == 7


def test_large_sizes_become_small_together() -> None:
    model = HEADS.replace("D\n", "D = 512\n", 1).replace("index h : H", "index h : H = 8")
    unread = model.replace("x[t,size(e)*h+e]", "1")
    sizes = {axis.name: axis.size for axis in with_small_axes(parse_system(unread)).axes}
    assert sizes == {"T": None, "S": None, "D": None, "H": 8, "Eh": None, "R": None}
    kept = {axis.name: axis.size for axis in with_small_axes(parse_system(model)).axes}
    assert kept["D"] == 512 and kept["Eh"] == 64 and kept["R"] == 256


def test_relations_that_no_small_sizes_obey_are_said() -> None:
    system = parse_system("index t : T\nindex s : S = T/1000\nconst x[t]\ny[s] = x[s]")
    assert model_sizes(system) == {"T": 2000, "S": 2}
    system = parse_system("index t : T\nindex s : S = (T*T + T + 1)/2\nconst x[t]\ny[t] = x[t]")
    with pytest.raises(VerificationError, match="no sizes up to 8 obey the relations between T, S"):
        model_sizes(system)


@pytest.mark.parametrize("position", ["sum(m, where(m < n, m, 0))", "prod(m, where(m < n, m + 1, 1))", "n^2"])
def test_positions_that_grow_with_their_own_axis_need_no_end_of_places(position: str) -> None:
    """Four more axes: the sizes are looked over as often as there are any."""
    text = "index n, m : N\nindex j : J\nindex k : K\nindex l : L\nindex h : H\nparam w[n], v[j,k,l,h]\n"
    sizes = model_sizes(parse_system(f"{text}loss E = sum(n, w[{position}]) + sum(j, k, l, h, v[j,k,l,h])\n"))
    assert max(sizes.values()) < 1000


def test_an_axis_has_room_for_positions_along_others() -> None:
    text = "index n : N\nindex k : K\nindex l : L\nparam w[n], v[k], u[l]\n"
    sizes = model_sizes(parse_system(f"{text}loss E = sum(n, v[3*n + 100]*w[n]) + sum(k, u[2*k])\n"))
    assert sizes["K"] == 3 * (sizes["N"] - 1) + 101 and sizes["L"] == 2 * (sizes["K"] - 1) + 1
