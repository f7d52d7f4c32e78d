"""Ten models in whose modules faults are planted, small and of every kind."""

MODELS = {
    "two_layers": """
index b : B
index i : I
index j : J
index k : K
input x[b,i]
target d[b,k]
param W1[j,i], b1[j], W2[k,j], b2[k]
u[b,j] = sum(i, W1[j,i]*x[b,i]) + b1[j]
z[b,j] = sigmoid(u[b,j])
y[b,k] = sum(j, W2[k,j]*z[b,j]) + b2[k]
loss E = 1/2*mean(b, sum(k, (y[b,k] - d[b,k])^2))
""",
    "softmax_cross_entropy": """
index b : B
index k, l : K
index i : I
input x[b,i]
target d[b,k]
param W[k,i], a[k]
u[b,k] = sum(i, W[k,i]*x[b,i]) + a[k]
p[b,k] = exp(u[b,k])/sum(l, exp(u[b,l]))
loss E = -mean(b, sum(k, d[b,k]*log(p[b,k])))
""",
    "layer_norm": """
index b : B
index c : C
input x[b,c]
const g[b,c], eps
param s[c], a[c]
mu[b] = mean(c, x[b,c])
r[b] = sqrt(mean(c, (x[b,c] - mu[b])^2) + eps^2)
n[b,c] = (x[b,c] - mu[b])/r[b]
y[b,c] = s[c]*n[b,c] + a[c]
loss E = sum(b, c, g[b,c]*y[b,c])
""",
    "attention": """
index t, s : T
index e : D
index f : F
input x[t,f]
const g[t,e]
param Q[e,f], K[e,f], V[e,f]
q[t,e] = sum(f, Q[e,f]*x[t,f])
k[t,e] = sum(f, K[e,f]*x[t,f])
v[t,e] = sum(f, V[e,f]*x[t,f])
S[t,s] = sum(e, q[t,e]*k[s,e])/sqrt(size(e))
P[t,s] = exp(S[t,s])/sum(s, exp(S[t,s]))
O[t,e] = sum(s, P[t,s]*v[s,e])
loss E = sum(t, e, g[t,e]*tanh(O[t,e]))
""",
    "convolution": """
index n : N
index o : O
index c : C
index i, a : I
index r : R = 3
input x[n,c,i]
target d[n,o,a]
param W[o,c,r], h[o]
y[n,o,a] = tanh(sum(c, r, W[o,c,r]*pad(x[n,c,a+r-1])) + h[o])
loss E = 1/2*mean(n, sum(o, a, (y[n,o,a] - d[n,o,a])^2))
""",
    "gated_recurrence": """
index n : N
index t : T
index q : Q
index j, k : J
input x[n,t,q], h0[n,j], c0[n,j]
const g[n,t,j]
param W[j,q], U[j,k], b[j], V[j,q], R[j,k], a[j]
p[n,t,j] = where(t == 0, h0[n,j], h[n,t-1,j])
f[n,t,j] = sigmoid(sum(q, W[j,q]*x[n,t,q]) + sum(k, U[j,k]*p[n,t,k]) + b[j])
e[n,t,j] = tanh(sum(q, V[j,q]*x[n,t,q]) + sum(k, R[j,k]*p[n,t,k]) + a[j])
c[n,t,j] = f[n,t,j]*where(t == 0, c0[n,j], c[n,t-1,j]) + (1 - f[n,t,j])*e[n,t,j]
h[n,t,j] = f[n,t,j]*tanh(c[n,t,j])
loss E = sum(n, t, j, g[n,t,j]*h[n,t,j])
""",
    "embedding": """
index n : N
index e, f : E
index v : V
input ids[n] in V
const g[n,e]
param C[v,e], M[e,f]
y[n,e] = tanh(sum(f, M[e,f]*C[ids[n],f]))
loss L = mean(n, sum(e, g[n,e]*y[n,e]))
""",
    "relu_with_ties": """
index b : B
index i : I
index j : J
index k : K
input x[b,i]
target d[b,k]
param W[j,i], a[j], V[k,j]
u[b,j] = sum(i, W[j,i]*x[b,i]) + a[j]
z[b,j] = relu(u[b,j])
m[b] = max(j, z[b,j])
y[b,k] = sum(j, V[k,j]*abs(z[b,j] - 1)) + max(m[b], x[b,0])
loss E = 1/2*mean(b, sum(k, (y[b,k] - d[b,k])^2))
""",
    "log_determinant": """
index i, j, k : I
param X[i,j], M[i,k]
A[i,j] = sum(k, M[i,k]*X[k,j])
loss E = logdet(A) + 1/2*sum(i, j, inv(X)[i,j])
""",
    "least_squares": """
index b : B
index i : I
input X[b,i]
target y[b]
param w[i]
const lam
r[b] = sum(i, X[b,i]*w[i]) - y[b]
loss E = 1/2*mean(b, r[b]^2) + lam/2*sum(i, w[i]^2)
""",
}
