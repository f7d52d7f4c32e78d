"""A mask of two axes under a sum stands on the factor that has these, so that the sum is one of matrices."""

from __future__ import annotations

import symbackprop as sb
from symbackprop.lowering.programs import lower
from tests.models.judges import judge
from tests.programs import numpy_source

PACKED_HEADS = (
    "index t, s : T\nindex h : H\nindex e : E\nindex d : D = H*E\n"
    "index p : P = (q k v)*D\nparam z[t,p], w[h]\n"
    "a[h,t,s] = softmax(s, where(s <= t, sum(e, z[t,(q h e)]*z[s,(k h e)]), -1e9))\n"
    "y[t,(h e)] = sum(s, a[h,t,s]*z[s,(v h e)])\nloss L = sum(t, d, y[t,d]^2) + sum(h, w[h])\n"
)


def test_the_mask_of_packed_heads_is_on_the_scores() -> None:
    sizes = {"T": 3, "H": 2, "E": 2, "D": 4, "P": 12}
    derivation = judge(PACKED_HEADS, sizes=sizes, steps=False)
    source = numpy_source(lower(derivation))
    assert source.count("np.where(s_up_to_t, delta_u_a, 0.0)") == 2
    assert "[:, None, None, :]" not in source


def test_a_mask_stays_on_what_may_be_undefined() -> None:
    model = (
        "index t, s : T\nindex d : D\nparam g[t,s], f[s,d]\nz[s,d] = {}(f[s,d])\n"
        "y[t,d] = sum(s, where(s <= t, g[t,s]*z[s,d], 0))\nloss L = sum(t, d, y[t,d]^2)\n"
    )
    sources = [sb.loads(model.format(name)).derive(["g"]).to_numpy() for name in ("sin", "log")]
    assert [", g, 0.0) @ z" in source for source in sources] == [True, False]
