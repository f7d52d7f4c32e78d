"""Forms as a person writes them: one sum of a difference, branches that agree, conditions on the variable."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from symbackprop.algebra.arrangement import ARRANGE
from symbackprop.derivation.driver import derive
from symbackprop.derivation.result import Derivation
from symbackprop.emission.loading import load_module
from symbackprop.language.model import parse_system
from symbackprop.lesson.rulebook.examples import parsed
from symbackprop.notation.expressions import Where
from symbackprop.pipeline import loads
from symbackprop.presentation.cancelled_divisors import CANCELLED_DIVISORS
from symbackprop.presentation.compared_multiples import MULTIPLES_COMPARED
from symbackprop.presentation.comparisons import NUMBERS_ON_THE_RIGHT
from symbackprop.presentation.gathered_terms import GATHER_TERMS, ONE_DIVISOR
from symbackprop.presentation.gathering import OPPOSITE_SUMS
from symbackprop.presentation.one_condition import MASKS_OF_ONE_CONDITION
from symbackprop.rules.symmetry import is_symmetric
from symbackprop.semantics.evaluation import evaluate
from symbackprop.systems.printing import equation_text, text
from tests.models.classics import small_sample
from tests.models.judges import judge
from tests.models.step_checker import check_every_step, total_gradient

FORMS = {
    "a third of a fit and a penalty": (
        "index n : N\nindex k : K\ninput x[n], B[n,k]\nparam c[k], l\n"
        "loss E = 1/6*sum(n, (x[n] - sum(k, B[n,k]*c[k]))^2) + 5*exp(l)*sum(k, c[k]^2)",
        "grad_c[k] = 1/3*sum(n, (sum(k', B[n,k']*c[k']) - x[n])*B[n,k]) + 10*exp(l)*c[k]",
    ),
    "a sum of all before": (
        "index t, s : T\nindex b : B\ninput y[b,t]\nparam v[b,t]\n"
        "c[b,t] = sum(s, where(s <= t, v[b,s]^2, 0))\nloss E = sum(b, t, sin(c[b,t])*y[b,t])",
        "grad_v[b,t] = 2*sum(s, where(t <= s, cos(c[b,s])*y[b,s], 0))*v[b,t]",
    ),
    "a root with a factor that is learnt": (
        "index n : N\ninput q[n]\nparam w[n], g\nr = sum(n, (q[n] - w[n])^2) + 0.1\n"
        "loss E = exp(g)*sqrt(r) + sum(n, w[n])",
        "grad_w[n] = exp(g)*(w[n] - q[n])/sqrt(r) + 1",
    ),
    "two quotients of exponentials": (
        "index n : N\ninput x[n], y[n]\nparam u[n]\nr[n] = (5*exp(u[n]) - 1)/(5*exp(u[n]) + 1)\n"
        "loss E = sum(n, (r[n] - x[n])^2 + y[n]/(exp(2*u[n]) + 3))",
        "grad_u[n] = 20*(r[n] - x[n])*exp(u[n])/(5*exp(u[n]) + 1)^2 - 2*y[n]*exp(2*u[n])/(exp(2*u[n]) + 3)^2",
    ),
    "a gate by cases": (
        "index t : T\nindex j : J\ninput y[t,j]\nparam z[t,j], b\n"
        "f[t,j] = where(t == 0, 0, exp(b + z[t-1,j] - z[t,j]))\n"
        "loss E = sum(t, j, y[t,j]*f[t,j]^2 + cos(f[t,j]))",
        "grad_b = sum(t, j, delta_f[t,j]*f[t,j])",
    ),
    "a quotient in its own derivative": (
        "index n : N\ninput y[n], x[n]\nparam l, b\nv[n] = l*x[n]\ng[n] = (exp(v[n]) - 1)/v[n]\n"
        "loss E = sum(n, (y[n] - b*g[n])^2)",
        "grad_l = 2*sum(n, (b*g[n] - y[n])*(exp(v[n]) - g[n])*x[n]/v[n])*b",
    ),
    "a saturation beside a softplus": (
        "index n : N\ninput x[n], y[n]\nparam u[n], b\n"
        "loss E = sum(n, x[n]*exp(u[n])/(b + 4*exp(u[n])) + y[n]*log(1 + exp(-2*u[n])))",
        "grad_b = -sum(n, x[n]*exp(u[n])/(b + 4*exp(u[n]))^2)",
    ),
    "springs between pairs": (
        "index n, m : N\nparam p[n], w[n,m], s\n"
        "loss E = s*sum(n, m, where(n != m, w[n,m]*(p[n] - p[m])^2, 0))",
        "grad_p[n] = 2*s*sum(m, where(m != n, (p[n] - p[m])*(w[n,m] + w[m,n]), 0))",
    ),
    "a where around a sum with its condition": (
        "index n : N\nindex k : K\nparam x[n,k]\ninput q[n]\n"
        "loss E = sum(n, where(q[n] > 0, sum(k, where(q[n] != 0, x[n,k]^3/q[n], 0))^2, 0))",
        "grad_x[n,k] = 6*where(q[n] > 0, sum(k', x[n,k']^3/q[n])*x[n,k]^2/q[n], 0)",
    ),
    "a root of a learnt order": (
        "index n : N\nindex k : K\ninput a[n,k]\nparam x[n], p\nloss E = sum(n, sum(k, a[n,k]*x[n]^2)^(1/p))",
        "grad_x[n] = 2*(sum(k, a[n,k])*x[n]^2)^(1/p - 1)*sum(k, a[n,k])*x[n]/p",
    ),
    "cases by a label": (
        "index n : N\ninput v[n]\nparam m[n], b\n"
        "q[n] = where(v[n] == 0, exp(m[n]), where(v[n] == 1, tanh(m[n] - b), where(v[n] == 2, m[n]*b, 1)))\n"
        "loss E = 1/2*sum(n, q[n]^2)",
        "grad_b = sum(n, q[n]*where(v[n] == 1, -(1 - q[n]^2), where(v[n] == 2, m[n], 0)))",
    ),
    "the scale of a mixture by densities": (
        "index n : N\nindex k : K\ninput x[n]\nparam m[k], s[k], w[k]\n"
        "g[n,k] = exp(-(x[n] - m[k])^2/(2*s[k]^2))/(s[k]*sqrt(2*pi))\n"
        "loss E = -sum(n, log(sum(k, softmax(k, w[k])*g[n,k])))",
        "grad_s[k] = sum(n, delta_u_g[n,k]*((x[n] - m[k])^2 - s[k]^2))/s[k]^3",
    ),
    "the weights of a mixture by densities": (
        "index n : N\nindex k : K\ninput x[n]\nparam m[k], w[k]\n"
        "g[n,k] = exp(-(x[n] - m[k])^2)\np[k] = softmax(k, w[k])\nq[n] = sum(k, p[k]*g[n,k])\n"
        "loss E = -sum(n, log(q[n]))",
        "grad_w[k] = p[k]*(sum(n, delta_q[n]*g[n,k]) + size(n))",
    ),
    "likelihoods of censored counts": (
        "index n : N\ninput z[n], c[n]\nparam m[n]\n"
        "l[n] = where(c[n] > 0, log(sigmoid(-m[n])), m[n]*z[n] - exp(m[n]))\nloss E = -mean(n, l[n])",
        "grad_m[n] = where(c[n] > 0, sigmoid(m[n]), exp(m[n]) - z[n])/size(n)",
    ),
    "probabilities of the first and the last": (
        "index n : N\nindex l : L\nparam u[n,l]\np[n,l] = softmax(l, u[n,l])\n"
        "loss E = -sum(n, log(p[n,0]) + 2*log(p[n,size(l)-1]))",
        "grad_u[n,l] = 3*p[n,l] - delta(0,l) - 2*delta(size(l) - 1,l)",
    ),
    "a matrix stated entry by entry": (
        "index i, j : D = 2\ninput A[i,j]\nparam a, b, c\n"
        "K[i,j] = where(i == 0 and j == 0, a, where(i == 0 and j == 1, b, where(i == 1 and j == 0, b, c)))\n"
        "loss E = sum(i, j, A[i,j]*exp(K[i,j]))",
        "grad_b = delta_K[0,1] + delta_K[1,0]",
    ),
    "a skew matrix by its vector": (
        "index i, j : D = 3\ninput A[i,j]\nparam w[i]\n"
        "K[i,j] = where(i == 0 and j == 1, -w[2], where(i == 1 and j == 0, w[2],"
        " where(i == 2 and j == 0, w[1], 0)))\nloss E = sum(i, j, A[i,j]*sin(K[i,j]))",
        "grad_w[i] = A[2,0]*cos(K[2,0])*delta(1,i) + (A[1,0]*cos(K[1,0]) - A[0,1]*cos(K[0,1]))*delta(2,i)",
    ),
    "a first state that all samples share": (
        "index n : N\nindex t : T\ninput x[n,t]\nparam h0, a\n"
        "h[n,t] = where(t == 0, h0, tanh(a*h[n,t-1] + x[n,t]))\nloss E = 1/2*sum(n, t, h[n,t]^2)",
        "grad_h0 = sum(n, pad(delta_h[n,0]))",
    ),
    "a packed triangle": (
        "index i, j : D\nindex p : P = D*(D-1)/2\ninput A[i,j]\nparam L[p]\n"
        "K[i,j] = where(j < i, L[i*(i-1)/2 + j], 0)\nloss E = sum(i, j, A[i,j]*exp(K[i,j]))",
        "grad_L[p] = sum(i, where(p - i*(i - 1)/2 < i and p - i*(i - 1)/2 >= 0,"
        " A[i,p - i*(i - 1)/2]*exp(K[i,p - i*(i - 1)/2]), 0))",
    ),
    "a pairwise ranking by one weight": (
        "index b : B\nindex f : F\ninput x[b,f], z[b,f]\nparam w[f]\n"
        "s[b] = sum(f, w[f]*x[b,f])\nr[b] = sum(f, w[f]*z[b,f])\n"
        "loss E = sum(b, softplus(r[b] - s[b]))",
        "grad_w[f] = sum(b, sigmoid(r[b] - s[b])*(z[b,f] - x[b,f]))",
    ),
    "a matrix and its transpose stay two products": (
        "index i, j : I\ninput A[i,j]\nparam x[i]\nloss E = sum(i, j, x[i]*A[i,j]*x[j])",
        "grad_x[i] = sum(j, A[i,j]*x[j]) + sum(j, x[j]*A[j,i])",
    ),
    "a decay that the source is scaled with": (
        "index t : T\ninput x[t], c[t]\nparam a\n"
        "h[t] = where(t == 0, x[t], tanh(a)*h[t-1] + tanh(a)*c[t])\n"
        "loss E = 1/2*sum(t, h[t]^2)",
        "grad_a = sum(t, delta_h[t]*where(t != 0, h[t - 1] + c[t], 0))*(1 - tanh(a)^2)",
    ),
    "a clipped quotient of probabilities": (
        "index n : N\ninput q[n], a[n]\nparam u[n]\nconst e\nr[n] = exp(u[n] - q[n])\n"
        "loss E = -sum(n, min(r[n]*a[n], min(max(r[n], 1 - e), 1 + e)*a[n]))",
        "grad_u[n] = -a[n]*where(r[n]*a[n] <= min(max(r[n], 1 - e), 1 + e)*a[n], 1, 0)*r[n]",
    ),
    "queries and keys of several heads in one axis": (
        "index h : H\nindex e : E\nindex p : P = 2*H*E\ninput w[h,e], v[h,e]\nparam u[p]\n"
        "q[h,e] = u[h*size(e) + e]\nk[h,e] = u[size(h)*size(e) + h*size(e) + e]\n"
        "loss E = sum(h, e, w[h,e]*q[h,e]^2 + v[h,e]*k[h,e])",
        "grad_u[p] = where(p >= size(e)*size(h), v[floor(p/size(e)) - size(h),mod(p, size(e))],"
        " 2*w[floor(p/size(e)),mod(p, size(e))]*q[floor(p/size(e)),mod(p, size(e))])",
    ),
    "a rounding that is compared otherwise": (
        "index s : S\nindex e : E\ninput w[s], z[e]\nparam u[s]\n"
        "loss E = sum(s, where(floor(s/2) <= size(e), w[s]*u[s], 0)) + sum(e, z[e])",
        "grad_u[s] = where(floor(s/2) <= size(e), w[s], 0)",
    ),
    "points that repel one another": (
        "index a, b : N\nindex d : D\nparam x[a,d], k[a]\n"
        "loss E = 1/2*sum(a, b, where(a != b, k[a]*k[b]/(sum(d, (x[a,d] - x[b,d])^2) + 1), 0))",
        "grad_x[a,d] = -2*k[a]"
        "*sum(b, where(b != a, k[b]*(x[a,d] - x[b,d])/(sum(d', (x[a,d'] - x[b,d'])^2) + 1)^2, 0))",
    ),
    "scores under a causal mask that fills": (
        "index t, s : T\nindex d : D\nparam q[t,d], k[t,d]\ninput v[t,d], w[t,d]\n"
        "a[t,s] = softmax(s, where(s <= t, sum(d, q[t,d]*k[s,d]), -1e9))\n"
        "loss E = sum(t, d, w[t,d]*sum(s, a[t,s]*v[s,d]))",
        "grad_k[t,d] = sum(s, where(t <= s, delta_u_a[s,t], 0)*q[s,d])",
    ),
    "pairs counted once": (
        "index a, b : N\nindex d : D\nparam x[a,d], k[a]\ninput w\n"
        "s[a,b] = sum(d, (x[a,d] - x[b,d])^2) + w^2\n"
        "loss E = sum(a, sum(b, where(a < b, k[a]*k[b]*log(s[a,b]), 0)))",
        "grad_k[a] = sum(b, where(a != b, k[b]*log(s[a,b]), 0))",
    ),
    "pairs of rotors counted once": (
        "index a, b : N\nparam x[a], k[a]\nloss E = sum(a, b, where(b < a, k[a]*k[b]*cos(x[a] - x[b]), 0))",
        "grad_x[a] = -k[a]*sum(b, where(a != b, k[b]*sin(x[a] - x[b]), 0))",
    ),
    "coupled rotors": (
        "index i, j : N\nparam u[i]\ninput J[i,j]\nloss E = 1/2*sum(i, j, J[i,j]*sin(u[j] - u[i])^2)",
        "grad_u[i] = sum(j, (J[j,i] + J[i,j])*sin(u[i] - u[j])*cos(u[i] - u[j]))",
    ),
    "a second difference": (
        "index t : T\nparam h[t]\n"
        "loss E = sum(t, where(t > 0 and t + 1 < size(t), (h[t+1] - 2*h[t] + h[t-1])^2, 0))",
        "grad_h[t] = 2*(where(t > 1, h[t] - 2*h[t - 1] + h[t - 2], 0)"
        " + where(t + 2 < size(t), h[t + 2] - 2*h[t + 1] + h[t], 0)"
        " - 2*where(t > 0 and t + 1 < size(t), h[t + 1] - 2*h[t] + h[t - 1], 0))",
    ),
    "a quantile loss of two multiples": (
        "index n : N\nindex k : K\ninput q[k], y[n]\nparam m[n,k]\n"
        "loss E = sum(n, k, max(q[k]*(y[n] - m[n,k]), (q[k] - 1)*(y[n] - m[n,k])))",
        "grad_m[n,k] = where(y[n] - m[n,k] < 0, 1, 0) - q[k]",
    ),
    "Huber's loss of a clipped difference": (
        "index n : N\ninput y[n]\nconst d\nparam m[n]\n"
        "loss E = sum(n, 1/2*clip(m[n] - y[n], -d, d)^2"
        " + d*(abs(m[n] - y[n]) - abs(clip(m[n] - y[n], -d, d))))",
        "grad_m[n] = where(m[n] - y[n] <= d and m[n] - y[n] >= -d, m[n] - y[n], d*sign(m[n] - y[n]))",
    ),
    "a quantile loss": (
        "index n : N\ninput y[n]\nparam m[n]\nr[n] = y[n] - m[n]\nloss E = sum(n, max(0.9*r[n], -0.1*r[n]))",
        "grad_m[n] = where(r[n] >= 0, -9/10, 1/10)",
    ),
    "multiples of two values compared": (
        "index n : N\ninput y[n]\nparam m[n]\nloss E = sum(n, max(3*y[n], 2*m[n]))",
        "grad_m[n] = 2*where(3*y[n] < 2*m[n], 1, 0)",
    ),
    "Huber's loss of a clipped residual": (
        "index n : N\ninput x[n], y[n]\nconst d\nparam w\nr[n] = w*x[n] - y[n]\n"
        "c[n] = clip(r[n], -d, d)\nloss E = sum(n, c[n]*(r[n] - c[n]/2))",
        "grad_w = sum(n, c[n]*x[n])",
    ),
    "Huber's loss of a clipped distance": (
        "index n : N\ninput x[n], y[n]\nparam w\nr[n] = w*x[n] - y[n]\n"
        "q[n] = min(abs(r[n]), 1)\nloss E = sum(n, 1/2*q[n]^2 + abs(r[n]) - q[n])",
        "grad_w = sum(n, q[n]*sign(r[n])*x[n])",
    ),
    "a clipped value beside the mask of another": (
        "index n : N\ninput x[n], y[n]\nconst d\nparam w\nr[n] = w*x[n]\nc[n] = min(r[n], d)\n"
        "loss E = sum(n, c[n]*(y[n] - c[n]/2))",
        "delta_r[n] = (y[n] - c[n])*where(r[n] <= d, 1, 0)",
    ),
    "a unit by the hyperbolic tangent": (
        "index n : N\ninput g[n]\nparam u[n]\n"
        "loss E = sum(n, g[n]*u[n]/2*(1 + tanh(sqrt(2/pi)*(u[n] + 0.044715*u[n]^3))))",
        "grad_u[n] = 1/2*g[n]*(tanh_E[n] + 1)*(u[n]*sqrt(2/pi)*(1 - tanh_E[n])*(0.134145*u[n]^2 + 1) + 1)",
    ),
    "a rotation by an angle": (
        "index i : D\ninput v[i], g[i], c[i], a\nparam n[i], t\n"
        "r[i] = cos(t)*v[i] + sin(t)*c[i] + (1 - cos(t))*a*n[i]\nloss E = sum(i, g[i]*r[i]) + sum(i, n[i])^2",
        "grad_n[i] = g[i]*(1 - cos(t))*a + 2*sum(i', n[i'])",
    ),
    "guards of one recurrence": (
        "index t : T\nindex s : S = T + 1\nindex j, k : J\ninput d[t,j]\nparam U[j,k], c[j]\n"
        "h[s,j] = where(s == 0, c[j], tanh(sum(k, U[j,k]*h[s-1,k])))\nloss E = sum(t, j, d[t,j]*h[t+1,j])",
        "delta_h[s,j] = where(s + 1 < size(s), sum(k, U[k,j]*delta_u_h[s + 1,k]), 0)"
        " + where(s >= 1, d[s - 1,j], 0)",
    ),
    "a pad by itself": (
        "index t : T\ninput x[t], g[t]\nparam w\nloss E = sum(t, g[t]*w*(pad(x[t-1]) + x[t]))",
        "grad_w = sum(t, g[t]*(pad(x[t - 1]) + x[t]))",
    ),
    "a hard sigmoid": (
        "index n : N\ninput g[n]\nparam y[n]\nloss E = sum(n, g[n]*max(0, min(1, (y[n] + 1)/2)))",
        "grad_y[n] = 1/2*g[n]*where(y[n] > -1 and y[n] < 1, 1, 0)",
    ),
    "an interpolation that starts from nothing": (
        "index t : T\ninput x[t], c[t]\nparam z[t]\n"
        "s[t] = where(t == 0, z[t]*c[t], (1 - z[t])*s[t-1] + z[t]*c[t])\n"
        "loss E = 1/2*sum(t, (s[t] - x[t])^2)",
        "grad_z[t] = delta_s[t]*(c[t] - pad(s[t - 1]))",
    ),
    "a unit without a name for its argument": (
        "index n : N\nindex c : C\ninput x[n,c], g[n,c]\nparam a, b\ny[n,c] = relu(a*x[n,c] + b)\n"
        "loss E = sum(n, c, g[n,c]*y[n,c]^2 + g[n,c]*y[n,c])",
        "grad_b = sum(n, c, delta_y[n,c]*where(y[n,c] > 0, 1, 0))",
    ),
    "the overlap of two intervals": (
        "index n : N\ninput l[n], r[n], g[n]\nparam m[n], h\n"
        "o[n] = max(0, min(m[n] + h/2, r[n]) - max(m[n] - h/2, l[n]))\nloss E = sum(n, g[n]*o[n])",
        "grad_m[n] = g[n]*(where(o[n] > 0 and m[n] + 1/2*h <= r[n], 1, 0)"
        " - where(o[n] > 0 and m[n] - 1/2*h >= l[n], 1, 0))",
    ),
    "what may be undefined stays under its mask": (
        "index k : K\ninput x[k], q\nparam w\np = log(q)\nloss E = sum(k, where(x[k] > 0, p*x[k]*w, 0))",
        "grad_w = sum(k, where(x[k] > 0, p*x[k], 0))",
    ),
    "one divisor of all terms": (
        "index n : N\ninput y[n], k\nparam x[n]\nm = mean(n, x[n])\nv = mean(n, (x[n] - m)^2)\n"
        "c = mean(n, (x[n] - m)*(y[n] - k))\nloss E = log(1 + v)*c",
        "grad_x[n] = (delta_m + 2*c*(x[n] - m)/(1 + v) + delta_c*(y[n] - k))/size(n)",
    ),
    "a divisor of some terms stays with them": (
        "index n : N\ninput a[n], b[n], g[n]\nparam x[n]\n"
        "loss E = sum(n, g[n]*(a[n]*sin(x[n])/b[n] + x[n]^3))",
        "grad_x[n] = g[n]*(a[n]*cos(x[n])/b[n] + 3*x[n]^2)",
    ),
    "weights of both ends times a matrix": (
        "index i, j : N\nindex h : H\nindex d : D\nparam x[i,d], s[h]\ninput w[h,i,j]\n"
        "e[h,i,j] = sum(d, (x[i,d] - x[j,d])^2)*exp(s[h])\nloss E = sum(h, i, j, w[h,i,j]*e[h,i,j]^2)",
        "grad_x[i,d] = 2*sum(h, j, (delta_e[h,i,j] + delta_e[h,j,i])*exp(s[h])*(x[i,d] - x[j,d]))",
    ),
    "a hinge of roots": (
        "index n : N\nindex d : D\nparam a[n,d]\ninput p[n,d], q[n,d]\n"
        "s[n] = norm(d, a[n,d] - p[n,d]) - norm(d, a[n,d] + q[n,d])\nloss E = sum(n, relu(s[n]))",
        "grad_a[n,d] = where(s[n] > 0, (a[n,d] - p[n,d])/sqrt(sum(d', (a[n,d'] - p[n,d'])^2))"
        " - (a[n,d] + q[n,d])/sqrt(sum(d', (a[n,d'] + q[n,d'])^2)), 0)",
    ),
    "points that two sets pull by roots": (
        "index i, j : N\nindex k : K\nindex d : D\nparam x[i,d]\ninput q[k,d], w[k]\n"
        "loss E = sum(i, k, w[k]*norm(d, q[k,d] - x[i,d]))"
        " - sum(i, j, sqrt(1 + sum(d, (x[i,d] - x[j,d])^2)))",
        "grad_x[i,d] = -(2*sum(j, (x[i,d] - x[j,d])/sqrt(1 + sum(d', (x[i,d'] - x[j,d'])^2)))"
        " + sum(k, w[k]*(q[k,d] - x[i,d])/sqrt(sum(d', (q[k,d'] - x[i,d'])^2))))",
    ),
    "roots of products of one difference": (
        "index i, j : N\nindex d : D\nparam x[i,d]\ninput w[d]\n"
        "r[i,j] = 1 + sum(d, w[d]*(x[j,d] - x[i,d])*(x[j,d] - x[i,d]))\n"
        "loss E = sum(i, j, log(r[i,j]))",
        "grad_x[i,d] = 4*w[d]*sum(j, (x[i,d] - x[j,d])/r[i,j])",
    ),
    "a hinge of two roots from one end": (
        "index n : N\nindex d : D\ninput a[n,d], q[n,d]\nparam p[n,d]\n"
        "s[n] = norm(d, a[n,d] - p[n,d]) - norm(d, a[n,d] - q[n,d])\nloss E = sum(n, max(0, 1 + s[n]))",
        "grad_p[n,d] = -where(s[n] > -1, 1/sqrt(sum(d', (a[n,d'] - p[n,d'])^2)), 0)*(a[n,d] - p[n,d])",
    ),
    "a weighted entropy of two outcomes": (
        "index n : N\nparam u[n]\ninput t[n], a, b\nq[n] = sigmoid(u[n])\n"
        "loss E = -sum(n, a*t[n]*(1 - q[n])*log(q[n]) + b*(1 - t[n])*q[n]*log(1 - q[n]))",
        "grad_u[n] = a*t[n]*(1 - q[n])*(q[n]*log(q[n]) - (1 - q[n]))"
        " + b*(1 - t[n])*q[n]*(q[n] - (1 - q[n])*log(1 - q[n]))",
    ),
    "chances of having stayed until then": (
        "index n : N\nindex t, s : T\nparam u[n,t]\ninput w[n,t]\nq[n,t] = sigmoid(u[n,t])\n"
        "l[n,t] = sum(s, where(s < t, log(1 - q[n,s]), 0))\n"
        "loss E = sum(n, t, w[n,t]*(l[n,t] + log(q[n,t])))",
        "grad_u[n,t] = w[n,t]*(1 - q[n,t]) - q[n,t]*sum(s, where(t < s, w[n,s], 0))",
    ),
    "a logistic loss of three times the margin": (
        "index n : N\nparam u[n]\ninput y[n]\nloss E = sum(n, log(1 + exp(-3*y[n]*u[n])))",
        "grad_u[n] = -3*y[n]*sigmoid(-3*y[n]*u[n])",
    ),
    "a logistic curve of four times the value": (
        "index n : N\nparam u[n]\ninput d[n]\nloss E = sum(n, d[n]/(1 + exp(-4*u[n])))",
        "grad_u[n] = 4*d[n]*sigmoid(4*u[n])*(1 - sigmoid(4*u[n]))",
    ),
    "a logistic loss at a temperature": (
        "index n : N\nparam u[n]\ninput d[n]\nloss E = sum(n, d[n]*log(1 + exp(0.7*u[n])))",
        "grad_u[n] = 7/10*d[n]*sigmoid(7/10*u[n])",
    ),
    "e^u beside its square": (
        "index n : N\nparam u[n]\ninput d[n]\nloss E = sum(n, d[n]*log(1 + exp(u[n]) + exp(2*u[n])))",
        "grad_u[n] = d[n]*(exp(u[n]) + 2*exp(2*u[n]))/(1 + exp(u[n]) + exp(2*u[n]))",
    ),
    "rows that are gathered stay as typed": (
        "index v : V\nindex b : B\nindex e : E\ninput ids[b] in V\ninput q[b,e], w[b]\nparam C[v,e]\n"
        "loss E = sum(b, e, w[b]*softplus(C[ids[b],e] - q[b,e]))",
        "grad_C[v,e] = sum(b, w[b]*delta(ids[b],v)*sigmoid(C[ids[b],e] - q[b,e]))",
    ),
    "a gathered row that the sum is free of": (
        "index v : V\nindex b : B\nindex e : E\ninput ids[b] in V\ninput w[b]\nparam C[v,e]\n"
        "loss E = sum(b, e, w[b]*tanh(C[ids[b],e]))",
        "grad_C[v,e] = sum(b, w[b]*delta(ids[b],v))*(1 - tanh(C[v,e])^2)",
    ),
    "two values that one guard admits": (
        "index t : T\nindex b : B\ninput v[b,t], u[b,t], k[b]\nparam g\nr = sigmoid(g)\n"
        "a[b,t] = r*where(t < size(t) - 1, v[b,t+1], 0) + where(t < size(t) - 1, r*k[b]*u[b,t+1], 0)\n"
        "loss E = 1/2*sum(b, t, a[b,t]^2)",
        "grad_g = sum(b, t, a[b,t]*where(t < size(t) - 1, v[b,t + 1] + k[b]*u[b,t + 1], 0))*r*(1 - r)",
    ),
    "logarithms under one condition": (
        "index n : N\ninput z[n], w[n]\nparam k\n"
        "loss E = sum(n, where(z[n] > 0, w[n]*z[n]^k - k*log(z[n]), 0))",
        "grad_k = sum(n, where(z[n] > 0, log(z[n])*(w[n]*z[n]^k - 1), 0))",
    ),
    "a logistic density": (
        "index n : N\nparam u[n]\ninput w[n]\nq[n] = sigmoid(u[n])\n"
        "loss E = -sum(n, log(q[n]*(1 - q[n]))) + 0*sum(n, w[n])",
        "grad_u[n] = 2*q[n] - 1",
    ),
    "a mean that several equations read": (
        "index n : N\nparam a[n], b[n]\nc[n] = a[n]^2*b[n]\nd[n] = a[n]*c[n] + b[n]\n"
        "e[n] = d[n]^2*c[n] + d[n]\nloss E = mean(n, e[n])",
        "delta_d[n] = (2*d[n]*c[n] + 1)/size(n)",
    ),
    "a power under a condition": (
        "index n : N\ninput z[n]\nparam k\nr[n] = abs(z[n])\n"
        "t[n] = where(r[n] > 0.5, r[n]^(-1/exp(k)), 0)\n"
        "loss E = sum(n, t[n])",
        "grad_k = sum(n, where(r[n] > 1/2, log(r[n])*t[n]*exp(-k), 0))",
    ),
    "a power by a size": (
        "index n : N\nparam u[n]\ninput c[n]\nloss E = sum(n, c[n]*(u[n]^2 + 1)^(1/size(n)))",
        "grad_u[n] = 2*c[n]*(u[n]^2 + 1)^(1/size(n) - 1)*u[n]/size(n)",
    ),
    "a matrix across a vector, entry by entry": (
        "index n : N\nindex i, j : D = 3\ninput v[n,i], d[n,j]\nparam a, b, c\n"
        "K[i,j] = where(i == 0 and j == 1, -c, 0) + where(i == 0 and j == 2, b, 0)"
        " + where(i == 1 and j == 0, c, 0) + where(i == 1 and j == 2, -a, 0)"
        " + where(i == 2 and j == 0, -b, 0) + where(i == 2 and j == 1, a, 0)\n"
        "u[i,j] = exp(K[i,j])\nloss E = 1/2*sum(n, i, (sum(j, u[i,j]*v[n,j]) - d[n,i])^2)",
        "grad_b = delta_K[0,2] - delta_K[2,0]",
    ),
    "a shear and a scale in one matrix": (
        "index n : N\nindex i, j : D = 3\ninput v[n,i,j]\nparam h[n], s[n]\n"
        "M[n,i,j] = where(i == 0 and j == 0, s[n]^2, 0) + where(i == 0 and j == 1, s[n]*h[n], 0)"
        " + where(i == 1 and j == 0, -s[n]*h[n], 0) + where(i == 1 and j == 1, s[n]^2 - h[n], 0)\n"
        "loss E = 1/2*sum(n, i, j, v[n,i,j]*M[n,i,j]^3)",
        "grad_h[n] = s[n]*(delta_M[n,0,1] - delta_M[n,1,0]) - delta_M[n,1,1]",
    ),
    "depths by their spread about a mean": (
        "index n : N\nindex i : I\ninput x[n,i], d[n,i]\nparam a, k\ng[n,i] = sinh(a*x[n,i]) - d[n,i]\n"
        "loss E = sum(n, sqrt(mean(i, g[n,i]^2) - tanh(k)*mean(i, g[n,i])^2 + 1))",
        "grad_a = sum(n, i, (g[n,i] - tanh(k)*sum(i', g[n,i'])/size(i))*cosh(a*x[n,i])*x[n,i]/s_E[n])"
        "/size(i)",
    ),
    "a value over one and its size": (
        "index n : N\ninput d[n]\nparam u[n]\nloss E = sum(n, d[n]*u[n]/(2 + abs(u[n])))",
        "grad_u[n] = 2*d[n]/(abs(u[n]) + 2)^2",
    ),
    "a size times its sign": (
        "index n : N\ninput d[n]\nparam u[n]\nloss E = 1/3*sum(n, d[n]*abs(u[n])^3 + abs(u[n])^2)",
        "grad_u[n] = 1/3*u[n]*(3*d[n]*abs(u[n]) + 2)",
    ),
    "one start stated in two ways": (
        "index t : T\ninput x[t]\nparam c[t], w\n"
        "loss E = sum(t, exp(c[t]*where(2 <= t, sin(w), 0)*where(t > 1, x[t-2], 0)))",
        "grad_c[t] = exp(c[t]*where(t >= 2, sin(w)*x[t - 2], 0))*where(t >= 2, sin(w)*x[t - 2], 0)",
    ),
    "what two later steps read": (
        "index t : T\ninput x[t]\nparam a\n"
        "h[t] = where(t >= 2, a*h[t-2]*cos(h[t-1]), 0) + x[t]\nloss E = sum(t, h[t]^2)",
        "delta_h[t] = a*(where(t + 2 < size(t), delta_h[t + 2]*cos(h[t + 1]), 0)"
        " - where(t + 1 < size(t) and t >= 1, delta_h[t + 1]*h[t - 1], 0)*sin(h[t])) + 2*h[t]",
    ),
    "a matrix of which one entry is left to the last case": (
        "index n : N\nindex i : D = 2\nindex j : F = 3\ninput A[n,i,j]\nparam u[n], v[n]\n"
        "K[n,i,j] = where(i == 1 and j == 2, u[n]*v[n], where(i == 0 and j == 1, 2*v[n],"
        " where(i == 0 and j == 0, 1 - u[n], where(i == 0 and j == 2, 0,"
        " where(i == 1 and j == 0, u[n], u[n]^2 + v[n])))))\n"
        "loss E = 1/2*sum(n, i, j, A[n,i,j]*K[n,i,j]^2)",
        "grad_u[n] = delta_K[n,1,2]*v[n] + delta_K[n,1,0] + 2*delta_K[n,1,1]*u[n] - delta_K[n,0,0]",
    ),
    "two shares under one mask": (
        "index n : N\nindex i : I\ninput x[n,i], y[n]\nparam w[i], a\ns[n] = sum(i, w[i]*x[n,i])\n"
        "loss E = sum(n, where(y[n] > 0, a*cos(s[n]) - a*y[n], tanh(s[n])))",
        "grad_a = sum(n, where(y[n] > 0, cos(s[n]) - y[n], 0))",
    ),
    "an overlap of intervals": (
        "index n : N\ninput c[n], d[n]\nparam a[n], b_[n]\n"
        "L_[n] = max(min(b_[n], d[n]) - max(a[n], c[n]), 0)\nloss E = 1/2*sum(n, L_[n]^2)",
        "grad_a[n] = -delta_u_L[n]*where(a[n] >= c[n], 1, 0)",
    ),
    "places that a condition counts": (
        "index n : N\nindex a : A\nindex r : R\nindex c : C\nindex b : B = 3*A + 2*R - 4\n"
        "input x[n,c,a]\ntarget d[n,b]\nparam w[c,r], g[r]\n"
        "y[n,b] = sum(c, a, r, where(b + 1 == 3*a + 2*r, x[n,c,a]*w[c,r]*tanh(g[r]), 0))\n"
        "loss E = 1/2*sum(n, b, (y[n,b] - d[n,b])^2)",
        "grad_w[c,r] = sum(n, a, x[n,c,a]*pad(delta_y[n,3*a + 2*r - 1]))*tanh(g[r])",
    ),
    "a bin's edges in fractions": (
        "index n : N\ninput x[n], w[n]\nparam m, s\nh[n] = normcdf((x[n] + 1/4 - m)/s)\n"
        "l[n] = normcdf((x[n] - 1/4 - m)/s)\nloss E = -sum(n, w[n]*log(h[n] - l[n]))",
        "grad_s = sum(n, delta_l[n]*(exp(-1/2*(1/4 + m - x[n])^2/s^2)*(1/4 + m - x[n])"
        " + exp(-1/2*(x[n] + 1/4 - m)^2/s^2)*(x[n] + 1/4 - m)))/(sqrt(2*pi)*s^2)",
    ),
    "a kink inside the other branch": (
        "index n : N\ninput x[n], g[n]\nparam w, b\ns[n] = w*x[n] + b\n"
        "z[n] = where(s[n] >= 0, s[n]^2, b*sin(min(s[n], 0)))\nloss E = sum(n, g[n]*z[n])",
        "delta_s[n] = g[n]*where(s[n] >= 0, 2*s[n], b*cos(s[n]))",
    ),
    "half of an odd place is no place": (
        "index a : A\nindex b : B\nparam s[a]\ninput w[b]\n"
        "y[b] = sum(a, where(b == a/2, s[a], 0))\nloss E = sum(b, w[b]*y[b]^2)",
        "grad_s[a] = 2*sum(b, where(b == 1/2*a, w[b]*y[b], 0))",
    ),
    "a density by a power of its width": (
        "index n : N\nindex k : K\nindex d : D\ninput x[n,k,d]\nparam h[k]\n"
        "q[n,k] = exp(-sum(d, abs(x[n,k,d]))/h[k]^2)/h[k]^size(d)\nloss E = sum(n, log(sum(k, q[n,k])))",
        "grad_h[k] = sum(n, delta_q[n,k]*q[n,k]*(2*sum(d, abs(x[n,k,d]))/h[k]^2 - size(d))/h[k])",
    ),
    "every third place": (
        "index a : A\nindex r : R\nindex p : P = 3*A + R - 2\ninput w[r], d[p]\nparam x[a]\n"
        "y[p] = sum(r, where(mod(p - r, 3) == 0 and p >= r and p - r < 3*size(a),"
        " x[floor((p - r)/3)]*w[r], 0))\n"
        "loss E = 1/2*sum(p, (y[p] - d[p])^2)",
        "grad_x[a] = sum(r, delta_y[r + 3*a]*w[r])",
    ),
    "a weight beside a mask": (
        "index k, j : K\ninput g[k]\nparam b[k]\nloss E = sum(k, j, where(j < k, tanh(b[j])*g[k], 0))",
        "grad_b[k] = sum(j, where(k < j, g[j], 0))*(1 - tanh(b[k])^2)",
    ),
}


@cache
def derived(name: str) -> Derivation:
    return derive(parse_system(FORMS[name][0]))


@pytest.mark.parametrize("name", FORMS)
def test_form(name: str) -> None:
    assert FORMS[name][1] in [equation_text(equation) for equation in derived(name).equations]


@pytest.mark.parametrize("name", FORMS)
def test_the_judges_agree(name: str) -> None:
    beyond_autograd = ("t-1]", "[s-1", "log(z[n])")  # loops, and what is undefined behind a mask
    if not any(part in FORMS[name][0] for part in beyond_autograd):
        judge(FORMS[name][0], derivation=derived(name))
        return
    derivation = derived(name)
    values, sizes = small_sample(derivation.model)
    known = evaluate(derivation.as_system(), values, sizes)
    for tensor, equation in derivation.gradients.items():
        stepped = total_gradient(derivation.model, values, sizes, tensor)
        np.testing.assert_allclose(known[equation.tensor], stepped, rtol=1e-8, atol=1e-9)
    assert check_every_step(derivation, values, sizes) > 0


@pytest.mark.parametrize(
    ("typed", "form"),
    [
        ("where(0.5*c != 0, x[i], 0)", "c != 0"),
        ("where(-3*c >= 0, x[i], 0)", "c <= 0"),
        ("where(c >= 0, x[i], 0)", None),
        ("where(0.5*c != 1, x[i], 0)", None),
        ("where(c*(x[i] - h0) >= (c - 1)*(x[i] - h0), x[i], 0)", "x[i] - h0 >= 0"),
        ("where((c - 2)*x[i] >= c*x[i], x[i], 0)", "x[i] <= 0"),
        ("where(c*(x[i] - h0) >= (c - h0)*(x[i] - h0), x[i], 0)", None),
        ("where(c*(x[i] - h0) >= (c - 1)*(x[i] + h0), x[i], 0)", None),
    ],
)
def test_multiples_compared_with_0(typed: str, form: str | None) -> None:
    where = parsed(typed)
    assert isinstance(where, Where)
    found = MULTIPLES_COMPARED.apply(where.condition)
    assert (found and text(found)) == form


@pytest.mark.parametrize(
    ("typed", "form"),
    [
        (
            "sum(i, i2, x[i]*(x[i2] - c)) + h0 - 2*sum(i2, i, x[i2]*(c - x[i]))",
            "3*sum(i, i2, x[i]*(x[i2] - c)) + h0",
        ),
        ("c*sum(i, tanh(x[i] - c)) + c*sum(i2, tanh(c - x[i2]))", "0"),
        ("c*sum(i, tanh(x[i] - c)) + c*sum(j, tanh(c - y[j]))", None),
        ("c*sum(i, x[i] - c) + 3*h0*sum(i, c - x[i])", None),
        (
            "c*sum(i, x[i] - c) + 3*h0*sum(i, c - x[i]) - 2*h0*sum(i2, x[i2] - c)",
            "c*sum(i, x[i] - c) + 5*h0*sum(i, c - x[i])",
        ),
    ],
)
def test_sums_that_are_opposite(typed: str, form: str | None) -> None:
    found = OPPOSITE_SUMS.apply(parsed(typed))
    assert (found and text(found)) == form


@pytest.mark.parametrize(
    ("typed", "form"),
    [
        (
            "c*where(x[i] > 0, 1, 0) - 2*c*where(y[j] > 0, 1, 0)",
            "c*(where(x[i] > 0, 1, 0) - 2*where(y[j] > 0, 1, 0))",
        ),
        ("2*c*x[0] - y[j] - 2*c*x[1]", "2*c*(x[0] - x[1]) - y[j]"),
        ("c*x[0]*y[j] - y[j]*x[2]*c", "c*y[j]*(x[0] - x[2])"),
        ("2*tanh(c)^h0*x[i] + tanh(c)^h0*y[j]", "tanh(c)^h0*(2*x[i] + y[j])"),
        ("c*x[0]*y[j] + 3*y[j]*x[2]*c", None),
        ("c*x[0] - c*x[i]", None),
        ("c*x[0] - c*y[1]", None),
        ("c*x[0] - h0*x[1]", None),
        ("c*where(x[i] > 0, 1, 0) - c*where(i > 0, 1, 0)", None),
        ("c*where(x[i] > 0, 1, 0) - c*where(y[j] > 0, y[j], 0)", None),
        ("c*where(x[i] > 0, 1, 0) - h0*where(y[j] > 0, 1, 0)", None),
    ],
)
def test_masks_and_entries_with_a_factor_in_common(typed: str, form: str | None) -> None:
    found = GATHER_TERMS.apply(parsed(typed))
    assert (found and text(found)) == form


@pytest.mark.parametrize(
    ("typed", "form"),
    [
        ("(c - x[i])/abs(x[i] - c)", "-(x[i] - c)/abs(x[i] - c)"),
        (
            "sum(i2, y[j]*(x[i2] - x[i])/sqrt((x[i] - x[i2])^2 + 1))",
            "-sum(i2, y[j]*(x[i] - x[i2])/sqrt((x[i] - x[i2])^2 + 1))",
        ),
        ("(c - x[i])/(x[i] + c)", None),
        ("(c - x[i])*abs(x[i] - c)", None),
        ("(c - x[i])/sum(i2, abs(x[i2] - x[i]))", None),
        ("(c - x[i])/(abs(x[i] - c) + abs(c - x[i]))", None),
    ],
)
def test_a_difference_over_what_is_of_its_opposite(typed: str, form: str | None) -> None:
    found = ARRANGE.apply(parsed(typed))
    assert (found and text(found)) == form


@pytest.mark.parametrize(
    ("typed", "form"),
    [
        ("x[i]/c^3 - h0/c^2", "(x[i]/c - h0)/c^2"),
        ("x[i]/size(j) - c*sum(j, y[j])/size(j)^2", "(x[i] - c*sum(j, y[j])/size(j))/size(j)"),
        ("x[i]/(c*h0) + 1/(c*h0)", "(x[i] + 1)/(c*h0)"),
        ("c^h0*x[i]/(1 - c)^h0 + c^h0/(1 - c)^h0", "(c^h0*x[i] + c^h0)/(1 - c)^h0"),
        ("x[i]/c^2 - h0/c + 1", None),
        ("x[i]/exp(c) - h0/exp(c)", None),
        ("sum(j, y[j]^2)/size(j) - sum(j, y[j])^2/size(j)^2", None),  # both are means
    ],
)
def test_a_divisor_of_all_terms(typed: str, form: str | None) -> None:
    found = ONE_DIVISOR.apply(parsed(typed))
    assert (found and text(found)) == form


@pytest.mark.parametrize(
    ("typed", "is_alike"),
    [
        ("(x[i] - x[j])*(x[i] - x[j])", True),
        ("(x[i] - x[j])*(y[i] - y[j])", True),
        ("(x[i] - x[j])*(y[i] + y[j])", False),
        ("(x[i] - x[j])*abs(y[i] - y[j])", False),
    ],
)
def test_products_of_differences_are_symmetric(typed: str, is_alike: bool) -> None:
    system = parse_system(f"index i, j : N\nparam x[i], y[i]\na[i,j] = {typed}\nloss E = sum(i, j, a[i,j]^3)")
    assert is_symmetric(system.definitions["a"], {}) == is_alike


@pytest.mark.parametrize(
    ("typed", "form"),
    [
        ("c*h0*(x[i]/c - y[j]/h0)", "x[i]*h0 - y[j]*c"),
        ("c^2*(x[i]/c - y[j]/c^2 + w[t])", "x[i]*c - y[j] + w[t]*c^2"),
        ("c*sum(j, y[j]*where(y[j] > 0, 1/c, 0))", "sum(j, y[j]*where(y[j] > 0, 1, 0))"),
        ("c*(x[i] - h0*(sum(j, y[j]/c) + w[t]))", "x[i]*c - h0*(sum(j, y[j]) + w[t]*c)"),
        ("x[i]*sum(j, where(y[j] > 0, 1/x[i], 2))", "sum(j, where(y[j] > 0, 1, 2*x[i]))"),
        ("c*(x[i]/c + y[j] + w[t])", None),
        ("x[i]*sum(i, 1/x[i])", None),
        ("exp(c)*(x[i]/exp(c) + y[j])", None),
        ("2*(x[i]/2 + y[j])", None),
        ("c*(x[i]/h0 + y[j]/w[t])", None),
    ],
)
def test_divisors_that_a_factor_cancels(typed: str, form: str | None) -> None:
    found = CANCELLED_DIVISORS.apply(parsed(typed))
    assert (found and text(found)) == form


@pytest.mark.parametrize(
    ("typed", "form"),
    [
        ("where(c > 1, x[i], 0) + h0*where(c > 1, x[i]^2, 0)", "where(c > 1, x[i] + h0*x[i]^2, 0)"),
        (
            "2*sum(j, where(y[j] > c, log(y[j])*c, 0)) - sum(j2, where(y[j2] > c, log(y[j2]), 0))",
            "2*sum(j, where(y[j] > c, log(y[j])*(c - 1/2), 0))",
        ),
        ("where(c > 1, x[i], 0) + h0*where(c >= 1, x[i]^2, 0)", None),
        ("where(c > 1, h0, 0)*x[i] - where(c > 1, c, 0)*x[i]^2", None),
        ("where(c > 1, x[i], 0) + where(c > 1, 1, 0)*h0", None),
        ("sum(j, where(y[j] > c, y[j]^2, 0)) - h0*sum(j2, where(y[j2] > c, y[j2], 0))", None),
    ],
)
def test_masks_of_one_condition(typed: str, form: str | None) -> None:
    found = MASKS_OF_ONE_CONDITION.apply(parsed(typed))
    assert (found and text(found)) == form


@pytest.mark.parametrize(
    ("typed", "form"),
    [
        ("-(1 - 2*tanh(c))", "2*tanh(c) - 1"),
        ("-(1 - tanh(c))", None),
        ("-(1 - 2*tanh(c))*x[i]", None),
    ],
)
def test_a_number_taken_off_a_multiple(typed: str, form: str | None) -> None:
    found = ARRANGE.apply(parsed(typed))
    assert (found and text(found)) == form


@pytest.mark.parametrize(
    ("typed", "form"),
    [
        ("where(x[i] + 3 <= 6, c, 0)", "where(x[i] <= 3, c, 0)"),
        ("where(1 - x[i] > 0, c, 0)", "where(x[i] < 1, c, 0)"),
        ("where(x[i] - 0.1 > 0, c, 0)", "where(x[i] > 1/10, c, 0)"),
        ("where(0.3 - x[i] >= 0.1, c, 0)", "where(x[i] <= 1/5, c, 0)"),
        ("where(x[i] + 100 >= 0.5, c, 0)", "where(x[i] >= -199/2, c, 0)"),
        # In float32 the difference is 1, and the other side would be taken at x = 1.
        ("where(1 - x[i] >= 1e-9, c, 0)", None),
        ("where(x[i] + 2 > 1e-7, c, 0)", None),
    ],
)
def test_numbers_go_to_the_right_where_the_bound_keeps_its_digits(typed: str, form: str | None) -> None:
    where = parsed(typed)
    assert isinstance(where, Where)
    found = NUMBERS_ON_THE_RIGHT.apply(where.condition)
    assert (found and text(Where(found, where.chosen, where.otherwise))) == form


def test_a_clamped_branch_passes_nothing_in_float32() -> None:
    model = "index n : N\nparam s[n]\nloss E = sum(n, log(max(4 - s[n]^2, 1e-8)))\n"
    module = load_module(loads(model).derive().to_numpy(), "clamped")
    _, gradients = module.value_and_grad({"s": np.array([2.0, -2.0, 1.0], np.float32)})
    np.testing.assert_allclose(gradients["s"], [0.0, 0.0, -2 / 3], rtol=1e-6)


@pytest.mark.parametrize(
    ("typed", "form"),
    [
        ("(y[j] - c)/(c*(c - 1))", "(c - y[j])/(c*(1 - c))"),
        ("(y[j] - c)*h0/(c*(c - 1))", "(c - y[j])*h0/(c*(1 - c))"),
        ("(y[j] - c)/(c*(h0 - 1))", None),
        ("(y[j] - c)/(size(i)*(size(i) - 1))", None),
        ("h0/(c*(c - 1))", None),
    ],
)
def test_what_is_left_of_1_is_divided_by(typed: str, form: str | None) -> None:
    found = ARRANGE.apply(parsed(typed))
    assert (found and text(found)) == form
