"""Forms that the algebra leaves as a person writes them: decimals, names of scalars, signs in front."""

from __future__ import annotations

import pytest

from symbackprop.derivation.driver import derive
from symbackprop.language.model import parse_system
from symbackprop.systems.printing import equation_text
from tests.models.judges import judge

FORMS = {
    "a quotient of two forms": (
        "index i, j : N\ninput A[i,j], B[i,j]\nparam x[i]\n"
        "a = sum(i, j, x[i]*A[i,j]*x[j])\nb = sum(i, j, x[i]*B[i,j]*x[j])\nloss E = a/b",
        "grad_x[i] = (sum(j, A[i,j]*x[j]) + sum(j, x[j]*A[j,i]) - E*(sum(j, B[i,j]*x[j])"
        " + sum(j, x[j]*B[j,i])))/b",
    ),
    "a mean over a spread": (
        "index n : N\nparam x[n]\nm = sum(n, x[n])\nq = sum(n, x[n]^2)\nr = m/q\nloss E = r^2",
        "grad_x[n] = delta_m - 2*delta_m*r*x[n]",
    ),
    "a scaled tanh with a twist": (
        "index b : B\ninput d[b]\nparam u[b]\n"
        "y[b] = 1.7159*tanh(0.6666*u[b] + 0.01234*u[b]^2) + 0.001*u[b]^2\nloss E = sum(b, d[b]*y[b])",
        "grad_u[b] = d[b]*(1.7159*(1 - tanh(0.6666*u[b] + 0.01234*u[b]^2)^2)*(0.6666 + 0.02468*u[b])"
        " + 0.002*u[b])",
    ),
    "a likelihood with a log-variance": (
        "index n : N\ninput t[n], m[n]\nparam s[n]\n"
        "loss E = sum(n, s[n]/2 + (t[n] - m[n])^2/(2*exp(s[n])))/size(n)",
        "grad_s[n] = 1/2*(1 - exp(-s[n])*(t[n] - m[n])^2)/size(n)",
    ),
    "a difference in a quotient beside another term": (
        "index b : B\nindex i : I\ninput t[b,i], x[b,i]\nconst r[i], d[i]\nparam g[i], a[i]\n"
        "m[i] = mean(b, x[b,i])\ns[i] = mean(b, (x[b,i] - m[i])^2) + 0.1\n"
        "y[b,i] = g[i]*((x[b,i] - m[i])/s[i]*r[i] + d[i]) + a[i]\n"
        "loss E = 1/2*sum(b, i, (y[b,i] - t[b,i])^2)",
        "grad_g[i] = sum(b, delta_y[b,i]*(x[b,i] - m[i]))*r[i]/s[i] + sum(b, delta_y[b,i])*d[i]",
    ),
    "a quotient by a root beside another term": (
        "index b : B\nindex i : I\ninput t[b,i], x[b,i]\nconst r[i], d[i]\nparam g[i], a[i]\n"
        "m[i] = mean(b, x[b,i])\ns[i] = sqrt(mean(b, (x[b,i] - m[i])^2) + 0.1)\n"
        "y[b,i] = g[i]*((x[b,i] - m[i])/s[i]*r[i] + d[i]) + a[i]\n"
        "loss E = 1/2*sum(b, i, (y[b,i] - t[b,i])^2)",
        "grad_g[i] = sum(b, delta_y[b,i]*(r[i]*xhat_y[b,i] + d[i]))",
    ),
    "a saturation whose quotients have a factor in common": (
        "index k : K\nparam h\ninput c[k], g, z[k]\nloss E = sum(k, z[k]*exp(g)*c[k]^2*h/(h + c[k]^2))",
        "grad_h = sum(k, z[k]*c[k]^4/(c[k]^2 + h)^2)*exp(g)",
    ),
    "a variance beside a norm": (
        "index i : I\nparam x[i]\nloss E = var(i, x[i]) + norm(i, x[i])",
        "grad_x[i] = x[i]/sqrt(sum(i', x[i']^2)) + 2*(x[i] - sum(i', x[i'])/size(i))/size(i)",
    ),
    "the norm of a scaled vector": (
        "index i : I\nparam a\ninput x[i]\nloss E = norm(i, a*x[i])",
        "grad_a = a*sum(i, x[i]^2)/E",
    ),
    "the norm of a quotient": (
        "index i : I\nparam s\ninput x[i], c\nloss E = norm(i, (x[i] - c)/s)",
        "grad_s = -E/s",
    ),
    "norms of quotients": (
        "index i : I\nindex b : B\nparam s[b]\ninput x[b,i], w[i]\n"
        "n[b] = norm(i, x[b,i]*w[i]/s[b])\nloss E = sum(b, n[b]^3 + n[b])",
        "grad_s[b] = -(3*n[b]^3 + n[b])/s[b]",
    ),
    # n[b]/s would be new: s may be 0.
    "norms of products": (
        "index i : I\nindex b : B\nparam s\ninput x[b,i]\nn[b] = norm(i, x[b,i]*s)\nloss E = sum(b, n[b]^3)",
        "grad_s = 3*sum(b, n[b]*sum(i, x[b,i]^2))*s",
    ),
    "the spread of scaled rows": (
        "index i : I\nindex b : B\nparam a[b]\ninput x[b,i]\n"
        "s[b] = sqrt(1 + sum(i, (x[b,i]*a[b])^2))\nloss E = sum(b, s[b])",
        "grad_a[b] = sum(i, x[b,i]^2)*a[b]/s[b]",
    ),
    "a softmax of the edges at each node": (
        "index e : D\nindex n : N = 3\ninput at[e] in N\ninput g[e]\nparam s[e]\n"
        "Z[n] = sum(e, delta(at[e],n)*exp(s[e]))\na[e] = exp(s[e])/Z[at[e]]\nloss E = sum(e, g[e]*a[e])",
        "grad_s[e] = a[e]*(g[e] - sum(e', g[e']*delta(at[e'],at[e])*a[e']))",
    ),
    "distances of all pairs": (
        "index b, c : B\nindex i : I\nparam a[b,i]\n"
        "loss E = sum(b, c, sqrt(1 + sum(i, (a[b,i] - a[c,i])^2)))",
        "grad_a[b,i] = 2*sum(c, (a[b,i] - a[c,i])/sqrt(1 + sum(i', (a[b,i'] - a[c,i'])^2)))",
    ),
    "distances of all pairs with a name": (
        "index b, c : B\nindex i : I\nparam a[b,i]\nd[b,c] = sqrt(1 + sum(i, (a[b,i] - a[c,i])^2))\n"
        "loss E = sum(b, c, d[b,c])",
        "grad_a[b,i] = 2*sum(c, (a[b,i] - a[c,i])/d[b,c])",
    ),
    "quotients of one denominator within another": (
        "index b : B\ninput k[b]\nparam a, u[b]\nr = exp(a)\nmu[b] = exp(u[b])\n"
        "loss E = -sum(b, r*log(r/(r + mu[b])) + k[b]*log(mu[b]/(r + mu[b])))",
        "grad_u[b] = r*(mu[b] - k[b])/(r + mu[b])",
    ),
    "quotients without a denominator in common": (
        "index b : B\nparam u[b]\ninput c[b], k[b]\n"
        "loss E = sum(b, c[b]*log(1 + u[b]^2) + k[b]*log(2 + u[b]^2))",
        "grad_u[b] = 2*u[b]*(c[b]/(u[b]^2 + 1) + k[b]/(u[b]^2 + 2))",
    ),
    "differences the same way round": (
        "index b : B\nindex i : I\ninput g[b,i]\nconst c[b], x[b,i]\nparam s[b,i]\n"
        "loss E = sum(b, sum(i, g[b,i]*(c[b] - x[b,i]))*sum(i, s[b,i]*(x[b,i] - c[b])))",
        "grad_s[b,i] = -sum(i', g[b,i']*(x[b,i'] - c[b]))*(x[b,i] - c[b])",
    ),
    "differences of other things": (
        "index b : B\nindex i : I\ninput g[b,i]\nconst a[b], c[b], x[b,i]\nparam s[b,i]\n"
        "loss E = sum(b, sum(i, g[b,i]*(c[b] - x[b,i]))*sum(i, s[b,i]*(x[b,i] - a[b])))",
        "grad_s[b,i] = sum(i', g[b,i']*(c[b] - x[b,i']))*(x[b,i] - a[b])",
    ),
    "differences within one tensor": (
        "index b, c : B\nindex i : I\ninput g[i]\nconst x[b,i]\nparam s[b,c,i]\n"
        "loss E = sum(b, c, sum(i, g[i]*(x[b,i] - x[c,i]))*sum(i, s[b,c,i]*(x[b,i] - x[c,i])))",
        "grad_s[b,c,i] = sum(i', g[i']*(x[b,i'] - x[c,i']))*(x[b,i] - x[c,i])",
    ),
    "the distance of a sum from 1": (
        "index i : I\nparam x[i]\nloss E = 1/2*(1 - sum(i, x[i]))^2",
        "grad_x[i] = sum(i', x[i']) - 1",
    ),
    "a slope from 1": (
        "index i : I\nparam x[i]\nloss E = -sum(i, tanh(x[i]))",
        "grad_x[i] = -(1 - tanh(x[i])^2)",
    ),
    "a softmax with its maximum taken off": (
        "index k : K\nparam u[k]\ninput d[k]\nfact sum(k, d[k]) == 1\nm = max(k, u[k])\n"
        "e[k] = exp(u[k] - m)\np[k] = e[k]/sum(k, e[k])\nloss E = -sum(k, d[k]*log(p[k]))",
        "grad_u[k] = p[k] - d[k]",
    ),
    # Only one of the two sums is known.
    "a sum of differences": (
        "index k : K\ninput u[k], d[k]\nparam s\np[k] = softmax(k, u[k])\nloss E = s*sum(k, p[k] - d[k])",
        "grad_s = sum(k, p[k] - d[k])",
    ),
    "the log of a slope of tanh, in pieces": (
        "index n : N\nparam u[n], m\na[n] = tanh(u[n])\n"
        "loss E = sum(n, m*a[n]^2 - 2*(log(2) - u[n] - softplus(-2*u[n])))",
        "grad_u[n] = 2*a[n]*(m*(1 - a[n]^2) + 1)",
    ),
    "a softplus of twice a value less it": (
        "index n : N\nparam u[n], m\nloss E = sum(n, m*u[n] + softplus(2*u[n]) - u[n])",
        "grad_u[n] = m + tanh(u[n])",
    ),
    "a sigmoid of once a value": (
        "index n : N\nparam u[n], m\nloss E = sum(n, m*u[n] + 2*softplus(u[n]) - u[n])",
        "grad_u[n] = m + 2*sigmoid(u[n]) - 1",
    ),
    "the logarithm of a size": (
        "index n : N\ninput w[n]\nparam u[n]\n"
        "loss E = sum(n, w[n]*log(max(abs(u[n]), 1e-3)) + log(abs(u[n])))",
        "grad_u[n] = w[n]*where(abs(u[n]) >= 0.001, 1/u[n], 0) + 1/u[n]",
    ),
    "a soft maximum, in the temperature's unit": (
        "index n : N\nindex k : K\nparam v[n,k], s\nloss E = sum(n, s*logsumexp(k, v[n,k]/s))",
        "grad_v[n,k] = exp(v[n,k]/s)/sum(k', exp(v[n,k']/s))",
    ),
    "a mean that is left one": (
        "index b : B\ninput x[b]\nparam q\nloss E = mean(b, q*x[b]*tanh(q*x[b] + exp(q*x[b])))",
        "grad_q = (q*sum(b, x[b]^2*(exp(q*x[b]) + 1)*(1 - tanh_E[b]^2)) + sum(b, x[b]*tanh_E[b]))/size(b)",
    ),
    "a count that is not 0": (
        "index n : N\ninput y[n]\nparam b[n]\n"
        "loss E = sum(n, exp(b[n]) - y[n]*b[n] + log(1 - exp(-exp(b[n]))))",
        "grad_b[n] = exp(b[n])/(1 - exp(-exp(b[n]))) - y[n]",
    ),
    "places in an order": (
        "index s, r : R\nparam u[r]\nloss E = -mean(r, u[r] - log(sum(s, where(s >= r, exp(u[s]), 0))))",
        "grad_u[r] = (sum(s, where(r >= s, exp(u[r]), 0)/sum(s', where(s' >= s, exp(u[s']), 0))) - 1)"
        "/size(s)",
    ),
    "a log-sigmoid in pieces": (
        "index n : N\nparam u[n]\nloss E = -sum(n, min(u[n], 0) - log(1 + exp(-abs(u[n]))))",
        "grad_u[n] = -sigmoid(-u[n])",
    ),
    "a log-sigmoid in branches": (
        "index n : N\nparam u[n]\ninput d[n]\n"
        "loss E = sum(n, d[n]*where(u[n] >= 0, -log1p(exp(-u[n])), u[n] - log(1 + exp(u[n]))))",
        "grad_u[n] = d[n]*sigmoid(-u[n])",
    ),
    "a softplus in branches": (
        "index n : N\nparam u[n]\ninput d[n]\n"
        "loss E = sum(n, where(u[n] > 0, u[n] + log1p(exp(-u[n])), log(exp(u[n]) + 1)) - u[n]*d[n])",
        "grad_u[n] = sigmoid(u[n]) - d[n]",
    ),
    "two logistic losses": (
        "index n : N\nparam u[n]\ninput y[n]\nloss E = sum(n, softplus(-u[n]*y[n]) + softplus(-u[n]))",
        "grad_u[n] = -y[n]*sigmoid(-u[n]*y[n]) - sigmoid(-u[n])",
    ),
    "stick breaking": (
        "index k, l : K\ninput d[k]\nparam b[k]\n"
        "q[k] = sigmoid(b[k])*prod(l, where(l < k, 1 - sigmoid(b[l]), 1))\nloss E = -sum(k, d[k]*log(q[k]))",
        "grad_b[k] = d[k]*(sigmoid(b[k]) - 1) + sum(l, where(k < l, d[l], 0))*sigmoid(b[k])",
    ),
    "no logistic loss": (
        "index n : N\nparam u[n]\nloss E = sum(n, log(2 + exp(-u[n])))",
        "grad_u[n] = -exp(-u[n])/(2 + exp(-u[n]))",
    ),
    # Cut off at 20, it is no softplus.
    "a softplus that is cut off": (
        "index n : N\nparam u[n]\nloss E = sum(n, where(u[n] > 20, u[n], log1p(exp(u[n]))))",
        "grad_u[n] = where(u[n] > 20, 1, sigmoid(u[n]))",
    ),
    "a residual that several gradients read": (
        "index i : V\nindex j : U\nindex k : K\ninput f[i,j], x[i,j]\nparam w[i,k], c[j,k], b[i], a[j]\n"
        "loss E = sum(i, j, f[i,j]*(sum(k, w[i,k]*c[j,k]) + b[i] + a[j] - x[i,j])^2)",
        "grad_b[i] = sum(j, delta_r_E[i,j])",
    ),
    "a residual that is read under a condition": (
        "index i : V\nindex k : K\ninput x[i], c[i,k]\nparam w[k], b\n"
        "loss E = sum(i, where(x[i] != 0, x[i]*(sum(k, w[k]*c[i,k]) + b - 1/x[i])^2, 0))",
        "grad_b = sum(i, delta_r_E[i])",
    ),
    "the responsibilities of a mixture": (
        "index n : N\nindex k : K\nindex d : D\ninput x[n,d]\nparam mu[k,d], a[k], s[k]\n"
        "loss E = -sum(n, log(sum(k, exp(a[k] - sum(d, (x[n,d] - mu[k,d])^2)/(2*s[k]^2)))))",
        "delta_u_E[n,k] = -exp(u_E[n,k])/sum(k', exp(u_E[n,k']))",
    ),
    "exponents that one gradient reads": (
        "index n : N\nindex k : K\ninput x[n]\nparam a[k]\nloss E = sum(n, log(sum(k, exp(a[k]*x[n]))))",
        "grad_a[k] = sum(n, exp(a[k]*x[n])*x[n]/sum(k', exp(a[k']*x[n])))",
    ),
    "a residual that one gradient reads": (
        "index i : V\nindex k : K\ninput x[i], c[i,k]\nparam w[k]\n"
        "loss E = 1/2*sum(i, (sum(k, w[k]*c[i,k]) - x[i])^2)",
        "grad_w[k] = sum(i, (sum(k', w[k']*c[i,k']) - x[i])*c[i,k])",
    ),
    "a step over a root and a small decimal": (
        "index i : I\nparam w[i]\ninput g[i]\nm[i] = 0.8*w[i] + 0.2*g[i]\n"
        "v[i] = 0.99*w[i]^2 + 0.003*g[i]^2\nloss E = sum(i, m[i]/(sqrt(v[i]) + 1e-7))",
        "grad_w[i] = 4/5/(sqrt(v[i]) + 1e-07) - 0.99*q_E[i]*w[i]/(v[i] + 1e-07*sqrt(v[i]))",
    ),
    "a decimal in front of one term": (
        "index i : I\nparam x[i]\ninput a[i], b[i]\nloss E = sum(i, 0.1*a[i]*x[i] + 0.001*b[i]*x[i]^2)",
        "grad_x[i] = 1/10*a[i] + 0.002*b[i]*x[i]",
    ),
    "an odds of squares": (
        "index n : N\nparam p[n]\ninput c[n]\nloss E = sum(n, c[n]*p[n]^2/(1 - p[n])^2)",
        "grad_p[n] = 2*c[n]*p[n]/(1 - p[n])^3",
    ),
    "a Fisher transform of a named correlation": (
        "index n : N\nparam a[n], b[n]\nq = sum(n, a[n]^2)\np = sum(n, b[n]^2)\n"
        "r = sum(n, a[n]*b[n])/sqrt(p*q)\nloss E = log((1 + r)/(1 - r))",
        "delta_r = 2/((1 - r)*(r + 1))",
    ),
    "a fraction in front of whole numbers": (
        "index n : N\nparam u[n]\ninput c[n]\ny[n] = tanh(u[n])\n"
        "loss E = sum(n, c[n]*(y[n]^2/4 + log(cosh(u[n]))))",
        "grad_u[n] = 1/2*c[n]*y[n]*(3 - y[n]^2)",
    ),
    "a log of a hyperbolic cosine": (
        "index i, j : N\nparam x[i]\nloss E = sum(i, j, log(cosh(x[i] - x[j])))",
        "grad_x[i] = 2*sum(j, tanh(x[i] - x[j]))",
    ),
    "a tangent": (
        "index n : N\ninput c[n]\nparam u[n]\nloss E = sum(n, c[n]*log(cos(u[n]^2/9)))",
        "grad_u[n] = -2/9*c[n]*u[n]*tan(1/9*u[n]^2)",
    ),
    "a value that stands beside its square": (
        "index n : N\ninput c[n]\nparam u[n]\nloss E = sum(n, c[n]*u[n]*tanh(log(1 + exp(u[n]))))",
        "grad_u[n] = c[n]*(u[n]*sigmoid(u[n])*(1 - tanh_E[n]^2) + tanh_E[n])",
    ),
    "an approximate error function": (
        "index b : B\ninput d[b]\nparam u[b]\nloss E = sum(b, d[b]*tanh(1.12837917*(u[b] + 0.08943*u[b]^3)))",
        "grad_u[b] = 1.12837917*d[b]*(1 - tanh(1.12837917*(u[b] + 0.08943*u[b]^3))^2)*(1 + 0.26829*u[b]^2)",
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_form(name: str) -> None:
    model, form = FORMS[name]
    forms = [equation_text(equation) for equation in derive(parse_system(model)).equations]
    assert form in forms
    judge(model)
