"""Names for parts that are read again: contractions that stand twice, gated ones, values of functions."""

from __future__ import annotations

import pytest

from symbackprop.derivation.driver import derive
from symbackprop.derivation.parts.repeated import with_named_parts
from symbackprop.derivation.replaying import replayed
from symbackprop.language.model import parse_system
from symbackprop.systems.printing import equation_text
from tests.models.judges import judge

GATED = (
    "index n : N\nindex i : I\nindex j : J\ninput x[n,i], t[n,i]\nparam G[j,i], U[j,i], D[i,j]\n"
    "loss E = 1/2*sum(n, i, (sum(j, D[i,j]*silu(sum(i, G[j,i]*x[n,i]))*sum(i, U[j,i]*x[n,i])) - t[n,i])^2)"
)
COUNTS = (
    "index n : N\nindex f : F\ninput x[n,f], c[n]\nparam w[f], b\n"
    "loss E = sum(n, exp(sum(f, x[n,f]*w[f]) + b) - c[n]*(sum(f, x[n,f]*w[f]) + b))"
)
HINGES = (
    "index n : N\nindex f : F\ninput x[n,f], c[n]\nparam w[f], b\n"
    "loss E = sum(n, c[n]*relu(sum(f, x[n,f]*w[f]) - b) + relu(b - sum(f, x[n,f]*w[f])))"
)
SMOOTH = (
    "index n : N\ninput d[n]\nparam u[n], s\ny[n] = u[n]*(1 + tanh(s*u[n]^2))\n"
    "loss E = 1/2*sum(n, (y[n] - d[n])^2)"
)
RATIONAL = (
    "index n : N\ninput x[n], d[n]\nparam v, c\nloss E = 1/2*sum(n, (v*x[n]/(x[n]^2 + c^2 + 1) - d[n])^2)"
)
LOGITS = (
    "index n : N\nindex k : K\nindex f : F\ninput x[n,f], d[n,k]\nparam w[k,f]\nfact sum(k, d[n,k]) == 1\n"
    "loss E = -sum(n, k, d[n,k]*(sum(f, w[k,f]*x[n,f]) - log(sum(k, exp(sum(f, w[k,f]*x[n,f]))))))"
)
TEMPERATURE = (
    "index n : N\nindex k : K\ninput d[n,k], x[n,k]\nparam w[k], tau\nfact sum(k, d[n,k]) == 1\n"
    "loss E = -sum(n, k, d[n,k]*log(softmax(k, exp(-tau)*w[k]*x[n,k])))"
)
OVERLAP = (
    "index n : N\ninput d[n]\nparam p[n]\nI = sum(n, p[n]*d[n])\nA = sum(n, p[n])\nB = sum(n, d[n]^2)\n"
    "loss E = 1 - 2*I/(A + B + 0.5)"
)
UNION = (
    "index n : N\ninput g[n], h[n]\nparam p[n]\n"
    "loss E = 1 - sum(n, p[n]*h[n]*g[n])/(sum(n, p[n]*h[n]) + sum(n, g[n]) - sum(n, p[n]*h[n]*g[n]))"
)
MIXTURE = (
    "index n : N\nindex k : K\ninput x[n]\nparam m[k], a[k], s\n"
    "loss E = -sum(n, log(sum(k, a[k]^2*exp(-(x[n] - m[k])^2*s^2))))"
)
CENTRED = (
    "index b : B\nindex c : C\ninput x[b,c], d[b,c]\nparam g[c]\n"
    "func scored(b, u) = (\n  m = mean(b, u)\n  s = sqrt(mean(b, (u - m)^2))\n  (u - m)/s\n)\n"
    "y[b,c] = scored(b, g[c]*x[b,c] + x[b,c]^3)\nloss E = sum(b, c, (y[b,c] - d[b,c])^2)"
)
NAMES = {
    "a gate": (GATED, {"u_E[n,j] = sum(i, U[j,i]*x[n,i])"}),
    "a contraction that stands twice": (COUNTS, {"u_E[n] = sum(f, x[n,f]*w[f]) + b"}),
    "once with the other sign": (HINGES, {"u_E[n] = sum(f, x[n,f]*w[f]) - b"}),
    "a value that the derivative is written by": (SMOOTH, {"tanh_y[n] = tanh(s*u[n]^2)"}),
    "logits beside their log-sum-exp": (LOGITS, {"u_E[n,k] = sum(f, w[k,f]*x[n,f])"}),
    "logits over a temperature": (TEMPERATURE, {"u_E[n,k] = exp(-tau)*w[k]*x[n,k]"}),
    "a distance in a softmax": (
        "index n : N\nindex k : K\nindex f : F\ninput x[n,f]\nparam c[k,f]\n"
        "loss E = sum(n, k, softmax(k, -1/2*norm(f, x[n,f] - c[k,f]))^2)",
        {"norm_E[n,k] = sqrt(sum(f, (x[n,f] - c[k,f])^2))"},
    ),
    "a squared distance that a softmax is of": (
        "index n : N\nindex k : K\nindex f : F\ninput x[n,f]\nparam c[k,f]\n"
        "loss E = sum(n, k, softmax(k, -sum(f, (x[n,f] - c[k,f])^2))^2)",
        {"u_E[n,k] = -sum(f, (x[n,f] - c[k,f])^2)"},
    ),
    "logits over a temperature, summed over another index": (
        "index n : N\nindex j, k : K\ninput x[n,k]\nparam w[k], tau\n"
        "p[n,k] = exp(exp(-tau)*w[k]*x[n,k])/(1 + sum(j, exp(exp(-tau)*w[j]*x[n,j])))\n"
        "loss E = sum(n, k, p[n,k])",
        {"u_p[n,k] = exp(-tau)*w[k]*x[n,k]"},
    ),
    "logits of an index that the sum reads": (
        "index n : N\nindex j, k : K\ninput x[n,k], m[k,j]\nparam w[k], tau\n"
        "p[n,k] = exp(exp(-tau)*w[k]*x[n,k])/(1 + sum(j, m[k,j]*exp(exp(-tau)*w[j]*x[n,j])))\n"
        "loss E = sum(n, k, p[n,k])",
        set(),
    ),
    "a distance in an exponential that stands once": (
        "index n : N\nindex k : K\nindex f : F\ninput x[n,f]\nparam c[k,f]\n"
        "loss E = sum(n, log(sum(k, exp(-norm(f, x[n,f] - c[k,f])))))",
        set(),
    ),
    "what its own mean is taken off": (CENTRED, {"u_y[b,c] = g[c]*x[b,c] + x[b,c]^3"}),
    "a function's value that its own sum is taken off": (
        "index i : I\nparam a[i]\nloss E = sum(i, (tanh(a[i]) - sum(i, tanh(a[i])))^3)",
        {"tanh_E[i] = tanh(a[i])"},
    ),
    "a product that its own mean is taken off": (
        "index i : I\nparam a[i], w\nloss E = sum(i, (w*a[i] - mean(i, w*a[i]))^3)",
        set(),
    ),
    "what another mean is taken off, or its own is added to": (
        "index i : I\nparam a[i]\n"
        "loss E = sum(i, ((a[i] + 1) - mean(i, a[i] + 2))^3 + ((a[i] + 1) + mean(i, a[i] + 1))^3)",
        set(),
    ),
    "a quotient, and the sum below it": (OVERLAP, {"u_E = A + B + 1/2", "q_E = 2*I/u_E"}),
    "a quotient of what has got names": (
        UNION,
        {
            "u_E = sum(n, p[n]*h[n]*g[n])",
            "u_E_2 = sum(n, p[n]*h[n]) + sum(n, g[n]) - u_E",
            "q_E = u_E/u_E_2",
        },
    ),
    # Near-misses: read once; the argument is a product; nothing moves; a kernel that may be reassociated.
    "a contraction that stands once": (
        "index n : N\nindex f : F\ninput x[n,f]\nparam w[f], b\nloss E = sum(n, b^2*sum(f, x[n,f]*w[f]))",
        set(),
    ),
    "what is exponentiated twice, as one": (
        "index t, s : T\nindex d : D\nparam q[t,d]\ninput w[t,s], k[t,d]\n"
        "loss E = sum(t, s, w[t,s]*softmax(s, where(s <= t, sum(d, q[t,d]*k[s,d]), -1e9)))",
        set(),
    ),
    "a function of a product": (
        "index n : N\nparam u[n], s\nloss E = sum(n, u[n]*tanh(s*u[n]))",
        set(),
    ),
    "a quotient by another parameter": (
        "index n : N\ninput x[n], d[n]\nparam v[n], c\nloss E = sum(n, d[n]*v[n]*x[n]/(x[n] + c + 1))",
        set(),
    ),
    "what no parameter moves": (
        "index n : N\nindex f : F\ninput x[n,f], w[f]\nparam b\n"
        "loss E = sum(n, b*sum(f, x[n,f]*w[f]) + b^2*(sum(f, x[n,f]*w[f]) + 1))",
        set(),
    ),
    "keys and values that may be contracted first": (
        "index m, n : N\nindex d : D\nindex e : E\nparam q[m,d], k[n,d], v[n,e]\n"
        "loss E = sum(m, e, sum(n, v[n,e]*sum(d, q[m,d]*k[n,d]))^2)",
        set(),
    ),
    "what is read at other steps alone": (
        "index t : T\nindex h, g : H\ninput x[t,h]\nparam U[h,g]\n"
        "z[t,h] = where(t == 0, x[t,h], sum(g, U[h,g]*z[t-1,g])*sum(g, U[h,g]*z[t-1,g]))\n"
        "loss E = sum(t, h, z[t,h])",
        set(),
    ),
}


@pytest.mark.parametrize("name", NAMES)
def test_what_gets_a_name(name: str) -> None:
    model, names = NAMES[name]
    system = parse_system(model)
    named = with_named_parts(system)
    assert {equation_text(each) for each in named.equations if each.tensor not in system.tensors} == names
    assert with_named_parts(named) == named


CENTROIDS = (
    "index n : N\nindex k, j : K\nindex f : F\ninput x[n,f]\nparam c[k,f]\n"
    "q[n,k] = exp(-sum(f, (x[n,f] - c[k,f])^2))/sum(j, exp(-sum(f, (x[n,f] - c[j,f])^2)))\n"
    "y[n,f] = sum(k, q[n,k]*c[k,f])\nloss E = sum(n, f, (x[n,f] - y[n,f])^2)"
)
FORMS = {
    CENTROIDS: [
        "delta_u_q[n,k] = q[n,k]*(delta_q[n,k] - sum(k', delta_q[n,k']*q[n,k']))",
        "grad_c[k,f] = 2*sum(n, delta_u_q[n,k]*(x[n,f] - c[k,f])) + sum(n, delta_y[n,f]*q[n,k])",
    ],
    GATED: [
        "grad_D[i,j] = sum(n, r_E[n,i]*silu(u_E_2[n,j])*u_E[n,j])",
        "grad_U[j,i] = sum(n, delta_u_E[n,j]*x[n,i])",
        "grad_G[j,i] = sum(n, delta_u_E_2[n,j]*x[n,i])",
    ],
    COUNTS: [
        "delta_u_E[n] = exp(u_E[n]) - c[n]",
        "grad_w[f] = sum(n, delta_u_E[n]*x[n,f])",
        "grad_b = sum(n, delta_u_E[n])",
    ],
    HINGES: [
        "delta_u_E[n] = c[n]*where(u_E[n] > 0, 1, 0) - where(u_E[n] < 0, 1, 0)",
        "grad_w[f] = sum(n, delta_u_E[n]*x[n,f])",
        "grad_b = -sum(n, delta_u_E[n])",
    ],
    SMOOTH: ["grad_s = sum(n, delta_tanh_y[n]*u[n]^2*(1 - tanh_y[n]^2))"],
    RATIONAL: [
        "r_E[n] = v*x[n]/(x[n]^2 + c^2 + 1) - d[n]",
        "grad_v = sum(n, r_E[n]*x[n]/(x[n]^2 + c^2 + 1))",
        "grad_c = -2*sum(n, r_E[n]*x[n]/(x[n]^2 + c^2 + 1)^2)*v*c",
    ],
    TEMPERATURE: [
        "delta_u_E[n,k] = exp(u_E[n,k])/sum(k', exp(u_E[n,k'])) - d[n,k]",
        "grad_w[k] = sum(n, delta_u_E[n,k]*x[n,k])*exp(-tau)",
        "grad_tau = -sum(n, k, delta_u_E[n,k]*u_E[n,k])",
    ],
    CENTRED: [
        "s_y[c] = sqrt(1/size(b)*sum(b, (u_y[b,c] - 1/size(b)*sum(b, u_y[b,c]))^2))",
        "grad_g[c] = sum(b, (delta_y[b,c] - sum(b', delta_y[b',c])/size(b) "
        "- sum(b', delta_y[b',c]*y[b',c])*y[b,c]/size(b))*x[b,c])/s_y[c]",
    ],
    OVERLAP: ["grad_p[n] = (q_E - 2*d[n])/u_E"],
    UNION: ["grad_p[n] = h[n]*(q_E - (q_E + 1)*g[n])/u_E_2"],
    MIXTURE: [
        "u_E[n,k] = -(x[n] - m[k])^2*s^2",
        "u_E_2[n] = sum(k, a[k]^2*exp(u_E[n,k]))",
        "grad_m[k] = 2*sum(n, delta_u_E[n,k]*(x[n] - m[k]))*s^2",
    ],
    LOGITS: [
        "delta_u_E[n,k] = exp(u_E[n,k])/sum(k', exp(u_E[n,k'])) - d[n,k]",
        "grad_w[k,f] = sum(n, delta_u_E[n,k]*x[n,f])",
    ],
}


@pytest.mark.parametrize("model", FORMS)
def test_the_gradient_in_names(model: str) -> None:
    derivation = derive(parse_system(model))
    found = [equation_text(each) for each in (*derivation.system.equations, *derivation.equations)]
    assert [each for each in FORMS[model] if each not in found] == [], found


@pytest.mark.parametrize("model", FORMS)
def test_before_every_judge_and_replayed(model: str) -> None:
    assert sum(replayed(judge(model)).values()) > 0
