"""Windows, shifts, digits and lookups: each before every judge, in the form that a person would find."""

import pytest

from symbackprop.systems.printing import text as shown
from tests.models.judges import judge

QUADRATIC = "loss E = 1/2*sum({i}, (y[{i}] - d[{i}])^2)\n"
CONVOLUTION = """
index n : N = 2
index o : O = 3
index c : C = 2
index i : I = {image}
index a : A = {out}
index r : R = {kernel}
input x[n,c,i]
target d[n,o,a]
param W[o,c,r], b[o]
y[n,o,a] = sum(c, r, W[o,c,r]*pad(x[n,c,{position}])) + b[o]
loss E = 1/2*sum(n, o, a, (y[n,o,a] - d[n,o,a])^2)
"""

# image, output, kernel, position
WINDOWS = {
    "plain": (7, 5, 3, "a+r"),
    "same padding": (5, 5, 3, "a+r-1"),
    "stride": (8, 4, 3, "2*a+r-1"),
    "stride that does not divide": (7, 3, 2, "3*a+r"),
    "stride as long as the kernel": (6, 3, 2, "2*a+r"),
    "stride as long as the kernel, image longer": (7, 3, 2, "2*a+r"),
    "padding larger than the kernel": (3, 9, 2, "a+r-4"),
    "dilation": (7, 3, 3, "a+2*r"),
    "stride and dilation": (9, 3, 2, "3*a+2*r"),
    "both even: gaps": (9, 3, 2, "4*a+2*r"),
    "kernel of one": (5, 5, 1, "a+r"),
    "flipped": (7, 5, 3, "6-a-r"),
    "image of one": (1, 1, 3, "a+r-1"),
}


@pytest.mark.parametrize("name", WINDOWS)
def test_convolution(name: str) -> None:
    image, out, kernel, position = WINDOWS[name]
    model = CONVOLUTION.format(image=image, out=out, kernel=kernel, position=position)
    judge(model, ["W", "b", "x"])


def test_the_adjoint_of_a_window_is_a_window() -> None:
    plain = CONVOLUTION.format(image=7, out=5, kernel=3, position="a+r")
    gradients = judge(plain, ["W", "x"]).gradients
    assert shown(gradients["x"].expression) == "sum(o, r, W[o,c,r]*pad(delta_y[n,o,i - r]))"
    assert shown(gradients["W"].expression) == "sum(n, a, delta_y[n,o,a]*x[n,c,a + r])"
    strided = CONVOLUTION.format(image=8, out=4, kernel=3, position="2*a+r-1")
    gradients = judge(strided, ["x"]).gradients
    assert shown(gradients["x"].expression) == "sum(o, a, (y[n,o,a] - d[n,o,a])*pad(W[o,c,i - 2*a + 1]))"


MODELS = {
    "conv2d with groups": """
index n : N = 2
index g : G = 2
index o : O = 2
index c : C = 2
index h : H = 4
index i, j : I = 4
index a, b : A = 2
index r, s : R = 3
input x[n,h,i,j]
target d[n,g,o,a,b]
param W[g,o,c,r,s]
y[n,g,o,a,b] = sum(c, r, s, W[g,o,c,r,s]*pad(x[n,2*g+c,2*a+r-1,2*b+s-1]))
""" + QUADRATIC.format(i="n,g,o,a,b"),
    "depthwise": """
index n : N = 2
index c : C = 3
index i, j : I = 5
index a, b : A = 4
index r, s : R = 2
input x[n,c,i,j]
target d[n,c,a,b]
param W[c,r,s]
y[n,c,a,b] = sum(r, s, W[c,r,s]*x[n,c,a+r,b+s])
""" + QUADRATIC.format(i="n,c,a,b"),
    "transposed convolution": """
index n : N = 2
index c : C = 3
index o : O = 2
index i : I = 4
index q : Q = 9
index r : R = 3
input x[n,c,i]
target d[n,o,q]
param W[c,o,r]
y[n,o,q] = sum(c, i, x[n,c,i]*pad(W[c,o,q-2*i]))
""" + QUADRATIC.format(i="n,o,q"),
    "average pool": """
index n : N = 2
index i, j : I = 6
index a, b : A = 3
index r, s : R = 2
input x[n,i,j]
target d[n,a,b]
y[n,a,b] = mean(r, s, x[n,2*a+r,2*b+s])
""" + QUADRATIC.format(i="n,a,b"),
    "max pool, overlapping": """
index n : N = 2
index i, j : I = 5
index a, b : A = 2
index r, s : R = 3
input x[n,i,j]
target d[n,a,b]
y[n,a,b] = max(r, s, x[n,2*a+r,2*b+s])
""" + QUADRATIC.format(i="n,a,b"),
    "max pool, side by side": """
index n : N = 2
index i, j : I = 6
index a, b : A = 3
index r, s : R = 2
input x[n,i,j]
target d[n,a,b]
y[n,a,b] = max(r, s, x[n,2*a+r,2*b+s])
""" + QUADRATIC.format(i="n,a,b"),
    "total variation": """
index i : I
input x[i]
loss E = sum(i, where(i < size(i) - 1, (x[i+1] - x[i])^2, 0))
""",
    "second differences": """
index i : I
input x[i]
y[i] = pad(x[i+1]) - 2*x[i] + pad(x[i-1])
loss E = sum(i, y[i]^4)
""",
    "replicated edge": """
index i : I
input x[i]
y[i] = x[max(i-1, 0)]*x[min(i+1, size(i)-1)]
loss E = sum(i, y[i]^2)
""",
    "reversed and constant positions": """
index i : I
index k : K = 3
input x[k,i]
y[i] = x[0,i]*x[2,size(i)-1-i]
loss E = sum(i, y[i]^2)
""",
    "circular": """
index i : I
input x[i]
y[i] = x[mod(i+1, size(i))]*x[i]
loss E = sum(i, y[i]^3)
""",
    "flatten": """
index n : N = 2
index c : C = 2
index i, j : I = 3
index f : F = 18
index k : K
input x[n,c,i,j]
target d[n,k]
param V[k,f]
flat[n,f] = x[n, floor(f/9), mod(floor(f/3), 3), mod(f, 3)]^2
y[n,k] = sum(f, V[k,f]*flat[n,f])
""" + QUADRATIC.format(i="n,k"),
    "group norm": """
index n : N = 2
index g : G = 2
index q : Q = 3
index c : C = 6
input x[n,c]
target d[n,c]
param gamma[c]
z[n,g,q] = x[n,size(q)*g+q]
mu[n,g] = mean(q, z[n,g,q])
var[n,g] = mean(q, (z[n,g,q] - mu[n,g])^2)
zh[n,g,q] = (z[n,g,q] - mu[n,g])/sqrt(var[n,g] + 1e-5)
y[n,c] = gamma[c]*zh[n,floor(c/3),mod(c,3)]
""" + QUADRATIC.format(i="n,c"),
    "upsampling": """
index i : I = 4
index q : Q = 8
input x[i]
target d[q]
y[q] = x[floor(q/2)]^2
""" + QUADRATIC.format(i="q"),
    "embedding": """
index n : N = 2
index t : T
index v : V
index e : D
input ids[n,t] in V
target d[n,t,e]
param C[v,e]
y[n,t,e] = tanh(C[ids[n,t],e])
""" + QUADRATIC.format(i="n,t,e"),
    "bag of words": """
index n : N = 2
index t : T
index v : V
index e : D
index k : K
input ids[n,t] in V
target d[n,k]
param C[v,e], W[k,e]
bag[n,e] = mean(t, C[ids[n,t],e])
y[n,k] = sum(e, W[k,e]*bag[n,e])
""" + QUADRATIC.format(i="n,k"),
    "cross-entropy of integer targets": """
index n : N = 2
index k : K
index i : I
input x[n,i]
target ids[n] in K
param W[k,i]
u[n,k] = sum(i, W[k,i]*x[n,i])
p[n,k] = exp(u[n,k])/sum(k, exp(u[n,k]))
loss E = -mean(n, log(p[n,ids[n]]))
""",
    "permutation": """
index i, j : I
input x[i], order[i] in I
param w[i]
y[i] = x[order[i]]*w[i]^2
loss E = sum(i, y[i]^2)
""",
    "labels compared": """
index n : N = 2
index k : K
input x[n,k]
target ids[n] in K
y[n] = sum(k, where(k == ids[n], 2, -1)*x[n,k]^2)
loss E = sum(n, y[n]^2)
""",
}  # fmt: skip
FORMS = {
    "average pool": {"x": "(y[n,floor(i/2),floor(j/2)] - d[n,floor(i/2),floor(j/2)])/size(r)^2"},
    "total variation": {
        "x": "2*(where(i >= 1, x[i] - x[i - 1], 0) - where(i < size(i) - 1, x[i + 1] - x[i], 0))"
    },
    "cross-entropy of integer targets": {"W": "sum(n, (p[n,k] - delta(ids[n],k))*x[n,i])/size(n)"},
}


@pytest.mark.parametrize("name", MODELS)
def test_model(name: str) -> None:
    wrt = None if "param" in MODELS[name] else ["x"]
    derivation = judge(MODELS[name], wrt)
    for tensor, form in FORMS.get(name, {}).items():
        assert shown(derivation.gradients[tensor].expression) == form


FOUND = {
    # where(a < size(b), y[ids[b],a], 0) was clipped and not masked
    "a guarded lookup in a shorter axis": """
index a, p : A = 4
index b : B = 2
index c : C = 2
input ids[b] in A
param w[c], v[a], t[b,c]
y[a,b] = sum(c, t[b,c]*v[a]*v[mod(c+2, 4)])
loss E = sum(a, b, y[a,b]^2)/7 + sum(c, w[c]) + sum(a, b, y[a,b]*pad(y[ids[b],a+0]))
""",
    # a position that is an index of another axis
    "axes of one element": """
index a, p : A = 1
index b : B = 1
index c : C = 1
param w[c], t[b,c]
y[a,b] = sum(c, pad(t[a+0,a+0]))
z[c] = sum(p, pad(t[c+0,c+0]))
loss E = sum(a, b, y[a,b]^2)/7 + sum(c, z[c]*w[c]) + sum(a, b, y[a,b]*pad(y[a,a+0]))
""",
    # nums was read at the solved position outside of its guard
    "a lookup at a moved position": """
index a, p : A = 4
index b : B = 4
index c : C = 1
input nums[a] in C
param v[a], t[b,c]
y[a,b] = pad(t[a+2*b+3,nums[a]])*pad(v[floor((1+2*b-a)/3)])
loss E = sum(a, b, y[a,b]^2)
""",
    # floor(-b/3) and floor(2*b/3) are no parts of a fold
    "quotients by what is no whole number": """
index a : A = 3
index b : B = 3
param x[a,b]
y[a,b] = pad(x[floor((-1*b)/3),b])*x[floor(2*b/3),a+0]
loss E = sum(a, b, y[a,b]^2)
""",
}  # fmt: skip


@pytest.mark.parametrize("name", FOUND)
def test_found_model(name: str) -> None:
    judge(FOUND[name])
