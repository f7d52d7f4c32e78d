"""A whole GPT block: its derivation in the form of the papers, every step checked, and its module."""

from __future__ import annotations

from symbackprop.derivation.driver import derive
from symbackprop.language.model import parse_system
from symbackprop.systems.printing import equation_text
from tests.models.judges import judge

BLOCK = """
index n : N
index t, s : T
index v : V
index e, e2 : D
index a : HEADS
index k : K
index m : M
input ids[n,t] in V
target label[n,t] in V
param C[v,e], P[t,e], Wq[a,k,e], Wk[a,k,e], Wv[a,k,e], Wo[e,a,k]
param g1[e], b1[e], g2[e], b2[e], W1[m,e], c1[m], W2[e,m], c2[e], Wout[v,e]
x0[n,t,e] = C[ids[n,t],e] + P[t,e]
mu1[n,t] = mean(e, x0[n,t,e])
s1[n,t] = sqrt(mean(e, (x0[n,t,e] - mu1[n,t])^2) + 1e-5)
h1[n,t,e] = (x0[n,t,e] - mu1[n,t])/s1[n,t]
z1[n,t,e] = g1[e]*h1[n,t,e] + b1[e]
Q[n,a,t,k] = sum(e, Wq[a,k,e]*z1[n,t,e])
Ky[n,a,s,k] = sum(e, Wk[a,k,e]*z1[n,s,e])
Va[n,a,s,k] = sum(e, Wv[a,k,e]*z1[n,s,e])
S[n,a,t,s] = sum(k, Q[n,a,t,k]*Ky[n,a,s,k])/sqrt(size(k))
A[n,a,t,s] = where(s <= t, exp(S[n,a,t,s]), 0)/sum(s, where(s <= t, exp(S[n,a,t,s]), 0))
O[n,a,t,k] = sum(s, A[n,a,t,s]*Va[n,a,s,k])
x1[n,t,e] = x0[n,t,e] + sum(a, k, Wo[e,a,k]*O[n,a,t,k])
mu2[n,t] = mean(e, x1[n,t,e])
s2[n,t] = sqrt(mean(e, (x1[n,t,e] - mu2[n,t])^2) + 1e-5)
h2[n,t,e] = (x1[n,t,e] - mu2[n,t])/s2[n,t]
z2[n,t,e] = g2[e]*h2[n,t,e] + b2[e]
u[n,t,m] = sum(e, W1[m,e]*z2[n,t,e]) + c1[m]
q[n,t,m] = gelu(u[n,t,m])
x2[n,t,e] = x1[n,t,e] + sum(m, W2[e,m]*q[n,t,m]) + c2[e]
l[n,t,v] = sum(e, Wout[v,e]*x2[n,t,e])
p[n,t,v] = exp(l[n,t,v])/sum(v, exp(l[n,t,v]))
loss E = -mean(n, t, log(p[n,t,label[n,t]]))
"""
SMALL = {"N": 2, "T": 3, "V": 4, "D": 2, "HEADS": 2, "K": 1, "M": 3}


def test_a_gpt_block_before_the_judges() -> None:
    derivation = judge(BLOCK, ["C", "Wq", "Wk", "Wv", "Wo", "W1", "g1", "b2"], sizes=SMALL)
    assert len(derivation.steps) > 100


def test_a_gpt_block_reads_as_in_the_papers() -> None:
    """Logits (Bishop 4.109), attention (FlashAttention, B.2), layer norm, residuals, embedding."""
    equations = [equation_text(equation) for equation in derive(parse_system(BLOCK)).equations]
    for published in (
        "delta_l[n,t,v] = (p[n,t,v] - delta(label[n,t],v))/(size(n)*size(t))",
        "delta_S[n,a,t,s] = A[n,a,t,s]*(delta_A[n,a,t,s] - sum(s', delta_A[n,a,t,s']*A[n,a,t,s']))",
        "grad_Wv[a,k,e] = sum(n, s, delta_Va[n,a,s,k]*z1[n,s,e])",
        "grad_C[v,e] = sum(n, t, delta0[n,t,e]*delta(ids[n,t],v))",
        "grad_P[t,e] = sum(n, delta0[n,t,e])",
    ):
        assert published in equations
