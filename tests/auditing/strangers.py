"""Backwards in the styles of courses, posts and notebooks, with all that people leave around a gradient.

Each base is right; a fault is a line of it in another text, which ends in `#!`.
"""

from __future__ import annotations

from tests.auditing.cases import ATTENTION, RMS_NORM, Case, dense_net

SOFTMAX_DEEP = """
index n : N
index d : D
index h : H
index c : C
input X[n,d]
target Y[n,c]
param W1[d,h], b1[h], W2[h,c], b2[c]
u[n,h] = sum(d, X[n,d]*W1[d,h]) + b1[h]
z[n,h] = relu(u[n,h])
a[n,c] = sum(h, z[n,h]*W2[h,c]) + b2[c]
p[n,c] = softmax(c, a[n,c])
loss E = -1/size(n)*sum(n, c, Y[n,c]*log(p[n,c]))
fact sum(c, Y[n,c]) == 1
"""
NOTEBOOK = """
#!/usr/bin/env python
# coding: utf-8

# In[1]:

import numpy as np
import pandas as pd
import matplotlib.pyplot as plt
from tqdm import tqdm
get_ipython().run_line_magic('matplotlib', 'inline')

# In[2]:

data = pd.read_csv('train.csv').values
np.random.shuffle(data)
X_train, Y_train = data[:, 1:], np.eye(10)[data[:, 0]]

# In[3]:

def init_params():
    W1 = np.random.rand(784, 10) - 0.5
    b1 = np.random.rand(10) - 0.5
    W2 = np.random.rand(10, 10) - 0.5
    b2 = np.random.rand(10) - 0.5
    return W1, b1, W2, b2

def ReLU(Z):
    return np.maximum(Z, 0)

def softmax(Z):
    A = np.exp(Z - Z.max(axis=1, keepdims=True))
    return A/A.sum(axis=1, keepdims=True)

def forward_prop(W1, b1, W2, b2, X):
    Z1 = X.dot(W1) + b1
    A1 = ReLU(Z1)
    Z2 = A1.dot(W2) + b2
    A2 = softmax(Z2)
    return Z1, A1, Z2, A2

def ReLU_deriv(Z):
    return Z > 0

def backward_prop(W1, b1, W2, b2, X, Y):
    m = X.shape[0]
    Z1, A1, Z2, A2 = forward_prop(W1, b1, W2, b2, X)
    dZ2 = A2 - Y
    dW2 = 1/m*A1.T.dot(dZ2)
    db2 = 1/m*np.sum(dZ2, axis=0)
    dZ1 = dZ2.dot(W2.T)*ReLU_deriv(Z1)
    dW1 = 1/m*X.T.dot(dZ1)
    db1 = 1/m*np.sum(dZ1, axis=0)
    return dW1, db1, dW2, db2

# In[4]:

W1, b1, W2, b2 = init_params()
losses = []
for i in tqdm(range(100000)):
    dW1, db1, dW2, db2 = backward_prop(W1, b1, W2, b2, X_train, Y_train)
    W1 -= 0.1*dW1
    losses.append(0)

# In[5]:

plt.plot(losses)
plt.show()
"""
TWO_LAYER = """
import numpy as np
from past.builtins import xrange


class TwoLayerNet(object):
    def __init__(self, input_size, hidden_size, output_size, std=1e-4):
        self.params = {}
        self.params['W1'] = std*np.random.randn(input_size, hidden_size)
        self.params['b1'] = np.zeros(hidden_size)
        self.params['W2'] = std*np.random.randn(hidden_size, output_size)
        self.params['b2'] = np.zeros(output_size)

    def loss(self, X, y=None, reg=0.0):
        W1, b1 = self.params['W1'], self.params['b1']
        W2, b2 = self.params['W2'], self.params['b2']
        N, D = X.shape
        hidden = np.maximum(0, X.dot(W1) + b1)
        scores = hidden.dot(W2) + b2
        if y is None:
            return scores
        exp_scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        probs = exp_scores/np.sum(exp_scores, axis=1, keepdims=True)
        loss = np.sum(-np.log(probs[range(N), y]))/N
        loss += 0.5*reg*(np.sum(W1*W1) + np.sum(W2*W2))

        grads = {}
        dscores = probs
        dscores[range(N), y] -= 1
        dscores /= N
        grads['W2'] = np.dot(hidden.T, dscores) + reg*W2
        grads['b2'] = np.sum(dscores, axis=0)
        dhidden = np.dot(dscores, W2.T)
        dhidden[hidden <= 0] = 0
        grads['W1'] = np.dot(X.T, dhidden) + reg*W1
        grads['b1'] = np.sum(dhidden, axis=0)
        return loss, grads

    def train(self, X, y, num_iters=100, batch_size=200, verbose=False):
        for it in xrange(num_iters):
            idx = np.random.choice(np.arange(X.shape[0]), batch_size)
            loss, grads = self.loss(X[idx], y=y[idx])
            for name in self.params:
                self.params[name] -= 1e-3*grads[name]
        return loss

    def predict(self, X):
        return np.argmax(np.maximum(0, X.dot(self.params['W1']) + self.params['b1']), axis=1)


if __name__ == '__main__':
    net = TwoLayerNet(4, 10, 3)
    net.train(np.random.randn(1000, 4), np.random.randint(3, size=1000))
"""
CACHES = """
import numpy as np
import h5py

train = h5py.File('datasets/train_catvnoncat.h5', 'r')
train_x = np.array(train['train_set_x'][:])
learning_rate = 0.0075

def sigmoid(Z):
    A = 1/(1 + np.exp(-Z))
    return A, Z

def relu(Z):
    A = np.maximum(0, Z)
    return A, Z

def linear_forward(A, W, b):
    Z = np.dot(W, A) + b
    return Z, (A, W, b)

def linear_activation_forward(A_prev, W, b, activation):
    Z, linear_cache = linear_forward(A_prev, W, b)
    A, activation_cache = sigmoid(Z) if activation == 'sigmoid' else relu(Z)
    return A, (linear_cache, activation_cache)

def L_model_forward(X, parameters):
    caches = []
    A = X
    L = len(parameters)//2
    for l in range(1, L):
        A, cache = linear_activation_forward(A, parameters['W' + str(l)], parameters['b' + str(l)], 'relu')
        caches.append(cache)
    AL, cache = linear_activation_forward(A, parameters['W' + str(L)], parameters['b' + str(L)], 'sigmoid')
    caches.append(cache)
    return AL, caches

def linear_backward(dZ, cache):
    A_prev, W, b = cache
    m = A_prev.shape[1]
    dW = 1/m*np.dot(dZ, A_prev.T)
    db = 1/m*np.sum(dZ, axis=1, keepdims=True)
    dA_prev = np.dot(W.T, dZ)
    return dA_prev, dW, db

def relu_backward(dA, cache):
    Z = cache
    dZ = np.array(dA, copy=True)
    dZ[Z <= 0] = 0
    return dZ

def sigmoid_backward(dA, cache):
    Z = cache
    s = 1/(1 + np.exp(-Z))
    dZ = dA*s*(1 - s)
    return dZ

def linear_activation_backward(dA, cache, activation):
    linear_cache, activation_cache = cache
    if activation == 'relu':
        dZ = relu_backward(dA, activation_cache)
    else:
        dZ = sigmoid_backward(dA, activation_cache)
    return linear_backward(dZ, linear_cache)

def L_model_backward(AL, Y, caches):
    grads = {}
    L = len(caches)
    dAL = -(np.divide(Y, AL) - np.divide(1 - Y, 1 - AL))
    dA_prev, dW, db = linear_activation_backward(dAL, caches[L - 1], 'sigmoid')
    grads['dA' + str(L - 1)], grads['dW' + str(L)], grads['db' + str(L)] = dA_prev, dW, db
    for l in reversed(range(L - 1)):
        dA_prev, dW, db = linear_activation_backward(grads['dA' + str(l + 1)], caches[l], 'relu')
        grads['dA' + str(l)] = dA_prev
        grads['dW' + str(l + 1)] = dW
        grads['db' + str(l + 1)] = db
    return grads

def update_parameters(parameters, grads, learning_rate):
    for l in range(len(parameters)//2):
        parameters['W' + str(l + 1)] -= learning_rate*grads['dW' + str(l + 1)]
    return parameters

costs = []
for i in range(2500):
    AL, caches = L_model_forward(train_x, parameters)
    grads = L_model_backward(AL, train_y, caches)
"""
CACHES_MODEL = """
index n : N
index d : D
index h : H
index c : C
input X[n,d]
target Y[n,c]
param W1[d,h], b1[h], W2[h,c], b2[c]
u[n,h] = sum(d, X[n,d]*W1[d,h]) + b1[h]
z[n,h] = relu(u[n,h])
a[n,c] = sum(h, z[n,h]*W2[h,c]) + b2[c]
AL[n,c] = sigmoid(a[n,c])
loss E = -1/size(n)*sum(n, c, Y[n,c]*log(AL[n,c]) + (1 - Y[n,c])*log(1 - AL[n,c]))
"""
ONE_SAMPLE_MODEL = """
index i : I
index j : J
index k : K
input x[i]
target y[k]
param W1[j,i], b1[j], W2[k,j], b2[k]
z1[j] = sum(i, W1[j,i]*x[i]) + b1[j]
a1[j] = sigmoid(z1[j])
z2[k] = sum(j, W2[k,j]*a1[j]) + b2[k]
a2[k] = sigmoid(z2[k])
loss C = 1/2*sum(k, (a2[k] - y[k])^2)
"""
LISTS = '''
"""
network.py
~~~~~~~~~~
A module to implement the stochastic gradient descent learning algorithm.
"""
import random

import numpy as np


class Network(object):

    def __init__(self, sizes):
        self.num_layers = len(sizes)
        self.sizes = sizes
        self.biases = [np.random.randn(y, 1) for y in sizes[1:]]
        self.weights = [np.random.randn(y, x) for x, y in zip(sizes[:-1], sizes[1:])]

    def feedforward(self, a):
        for b, w in zip(self.biases, self.weights):
            a = sigmoid(np.dot(w, a) + b)
        return a

    def SGD(self, training_data, epochs, mini_batch_size, eta):
        for j in range(epochs):
            random.shuffle(training_data)
            for x, y in training_data:
                nabla_b, nabla_w = self.backprop(x, y)
                self.weights = [w - eta*nw for w, nw in zip(self.weights, nabla_w)]

    def backprop(self, x, y):
        nabla_b = [np.zeros(b.shape) for b in self.biases]
        nabla_w = [np.zeros(w.shape) for w in self.weights]
        activation = x
        activations = [x]
        zs = []
        for b, w in zip(self.biases, self.weights):
            z = np.dot(w, activation) + b
            zs.append(z)
            activation = sigmoid(z)
            activations.append(activation)
        delta = self.cost_derivative(activations[-1], y)*sigmoid_prime(zs[-1])
        nabla_b[-1] = delta
        nabla_w[-1] = np.dot(delta, activations[-2].transpose())
        for l in range(2, self.num_layers):
            z = zs[-l]
            sp = sigmoid_prime(z)
            delta = np.dot(self.weights[-l + 1].transpose(), delta)*sp
            nabla_b[-l] = delta
            nabla_w[-l] = np.dot(delta, activations[-l - 1].transpose())
        return (nabla_b, nabla_w)

    def cost_derivative(self, output_activations, y):
        return output_activations - y


def sigmoid(z):
    return 1.0/(1.0 + np.exp(-z))

def sigmoid_prime(z):
    return sigmoid(z)*(1 - sigmoid(z))
'''
LAYERS = """
import numpy as np
from abc import ABC, abstractmethod


class Layer(ABC):
    @abstractmethod
    def forward(self, x): ...

    @abstractmethod
    def backward(self, grad_output): ...


class Dense(Layer):
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_in, n_out)*np.sqrt(2/n_in)
        self.b = np.zeros(n_out)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, grad_output):
        self.grad_W = self.x.T @ grad_output
        self.grad_b = grad_output.sum(axis=0)
        return grad_output @ self.W.T


class Sigmoid(Layer):
    def forward(self, x):
        self.out = 1/(1 + np.exp(-x))
        return self.out

    def backward(self, grad_output):
        return grad_output*self.out*(1 - self.out)


class MSE:
    def __call__(self, pred, target):
        self.diff = pred - target
        return 0.5*np.sum(self.diff**2)/len(pred)

    def backward(self):
        return self.diff/len(self.diff)


class Network:
    def __init__(self, n_in, n_hidden, n_out):
        self.layers = [Dense(n_in, n_hidden), Sigmoid(), Dense(n_hidden, n_out)]
        self.criterion = MSE()

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, x, t):
        loss = self.criterion(self.forward(x), t)
        grad = self.criterion.backward()
        for layer in reversed(self.layers):
            grad = layer.backward(grad)
        return loss


def main():
    import argparse
    parser = argparse.ArgumentParser()
    parser.add_argument('--epochs', type=int, default=100)
    args = parser.parse_args()
    net = Network(2, 3, 1)


if __name__ == '__main__':
    main()
"""
CHARS_MODEL = """
index t : T
index v : V
index h, k : H
input ids[t] in V
target labels[t] in V
param Wxh[h,v], Whh[h,k], Why[v,h], bh[h], by[v]
const h0[h]
hs[t,h] = tanh(Wxh[h,ids[t]] + sum(k, Whh[h,k]*where(t == 0, h0[k], hs[t-1,k])) + bh[h])
ys[t,v] = sum(h, Why[v,h]*hs[t,h]) + by[v]
ps[t,v] = softmax(v, ys[t,v])
loss E = -sum(t, log(ps[t,labels[t]]))
"""
CHARS = '''
"""
Minimal character-level RNN.
"""
import numpy as np

data = open('input.txt', 'r').read()
chars = list(set(data))
data_size, vocab_size = len(data), len(chars)
hidden_size = 100
seq_length = 25
learning_rate = 1e-1

Wxh = np.random.randn(hidden_size, vocab_size)*0.01
Whh = np.random.randn(hidden_size, hidden_size)*0.01
Why = np.random.randn(vocab_size, hidden_size)*0.01
bh = np.zeros((hidden_size, 1))
by = np.zeros((vocab_size, 1))

def lossFun(inputs, targets, hprev):
    vocab_size = len(by)
    xs, hs, ys, ps = {}, {}, {}, {}
    hs[-1] = np.copy(hprev)
    loss = 0
    for t in range(len(inputs)):
        xs[t] = np.zeros((vocab_size, 1))
        xs[t][inputs[t]] = 1
        hs[t] = np.tanh(np.dot(Wxh, xs[t]) + np.dot(Whh, hs[t-1]) + bh)
        ys[t] = np.dot(Why, hs[t]) + by
        ps[t] = np.exp(ys[t])/np.sum(np.exp(ys[t]))
        loss += -np.log(ps[t][targets[t], 0])
    dWxh, dWhh, dWhy = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(Why)
    dbh, dby = np.zeros_like(bh), np.zeros_like(by)
    dhnext = np.zeros_like(hs[0])
    for t in reversed(range(len(inputs))):
        dy = np.copy(ps[t])
        dy[targets[t]] -= 1
        dWhy += np.dot(dy, hs[t].T)
        dby += dy
        dh = np.dot(Why.T, dy) + dhnext
        dhraw = (1 - hs[t]*hs[t])*dh
        dbh += dhraw
        dWxh += np.dot(dhraw, xs[t].T)
        dWhh += np.dot(dhraw, hs[t-1].T)
        dhnext = np.dot(Whh.T, dhraw)
    for dparam in [dWxh, dWhh, dWhy, dbh, dby]:
        np.clip(dparam, -5, 5, out=dparam)
    return loss, dWxh, dWhh, dWhy, dbh, dby, hs[len(inputs)-1]

n, p = 0, 0
while True:
    loss, dWxh, dWhh, dWhy, dbh, dby, hprev = lossFun(inputs, targets, hprev)
    p += seq_length
'''
STEP = """
import argparse
import sys
import numpy as np

LR = 0.1

def sigmoid(z):
    return 1/(1 + np.exp(-z))

def train_step(params, x, t, lr=LR):
    W1, b1, W2, b2 = (params[k] for k in ('W1', 'b1', 'W2', 'b2'))
    B = x.shape[0]
    h = sigmoid(x @ W1 + b1)
    out = h @ W2 + b2
    loss = ((out - t)**2).sum()/(2*B)
    dout = (out - t)/B
    dW2 = h.T @ dout
    db2 = dout.sum(axis=0)
    dh = dout @ W2.T
    du = dh*h*(1 - h)
    dW1 = x.T @ du
    db1 = du.sum(axis=0)
    params['W1'] -= lr*dW1
    params['b1'] -= lr*db1
    params['W2'] -= lr*dW2
    params['b2'] -= lr*db2
    return loss

def main(argv=None):
    parser = argparse.ArgumentParser()
    parser.add_argument('--steps', type=int, default=10000)
    args = parser.parse_args(argv)
    for step in range(args.steps):
        print(train_step({}, None, None))

if __name__ == '__main__':
    sys.exit(main())
"""
OWN_STEP = """
import numpy as np

class NeuralNetwork:
    def __init__(self, x, t):
        self.input = x
        self.W1 = np.random.rand(self.input.shape[1], 4)
        self.b1 = np.zeros(4)
        self.W2 = np.random.rand(4, t.shape[1])
        self.b2 = np.zeros(t.shape[1])
        self.t = t
        self.output = np.zeros(t.shape)

    def feedforward(self):
        self.layer1 = 1/(1 + np.exp(-(self.input @ self.W1 + self.b1)))
        self.output = self.layer1 @ self.W2 + self.b2

    def backprop(self):
        error = (self.output - self.t)/len(self.t)
        d_W2 = np.dot(self.layer1.T, error)
        d_b2 = error.sum(axis=0)
        d_layer1 = np.dot(error, self.W2.T)*self.layer1*(1 - self.layer1)
        d_W1 = np.dot(self.input.T, d_layer1)
        d_b1 = d_layer1.sum(axis=0)
        self.W1 -= d_W1
        self.b1 -= d_b1
        self.W2 -= d_W2
        self.b2 -= d_b2

X = np.array([[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]])
y = np.array([[0], [1], [1], [0]])
nn = NeuralNetwork(X, y)
for i in range(1500):
    nn.feedforward()
    nn.backprop()
print(nn.output)
"""
GLOBALS = """
import numpy as np

X = np.array([[0.05, 0.10]])
T = np.array([[0.01, 0.99]])
W1 = np.random.randn(2, 3)
b1 = np.zeros(3)
W2 = np.random.randn(3, 2)
b2 = np.zeros(2)
lr = 0.5

def sigmoid(x):
    return 1/(1 + np.exp(-x))

def forward(x):
    global z1, y
    z1 = sigmoid(np.dot(x, W1) + b1)
    y = np.dot(z1, W2) + b2
    return y

def backward(x, t):
    global W1, b1, W2, b2
    B = len(x)
    delta2 = (y - t)/B
    delta1 = np.dot(delta2, W2.T)*z1*(1 - z1)
    dW2 = np.dot(z1.T, delta2)
    db2 = np.sum(delta2, axis=0)
    dW1 = np.dot(x.T, delta1)
    db1 = np.sum(delta1, axis=0)
    W2 = W2 - lr*dW2
    b2 = b2 - lr*db2
    W1 = W1 - lr*dW1
    b1 = b1 - lr*db1

for epoch in range(1000000):
    forward(X)
    backward(X, T)
"""
LOGISTIC_MODEL = """
index n : N
index d : D
input X[n,d]
target Y[n]
param w[d], b
A[n] = sigmoid(sum(d, w[d]*X[n,d]) + b)
loss J = -1/size(n)*sum(n, Y[n]*log(A[n]) + (1 - Y[n])*log(1 - A[n]))
"""
LOGISTIC = """
import numpy as np
import scipy.io

def sigmoid(z):
    return 1/(1 + np.exp(-z))

def propagate(w, b, X, Y):
    m = X.shape[1]
    A = sigmoid(np.dot(w.T, X) + b)
    cost = -1/m*np.sum(Y*np.log(A) + (1 - Y)*np.log(1 - A))
    dw = 1/m*np.dot(X, (A - Y).T)
    db = 1/m*np.sum(A - Y)
    grads = {"dw": dw, "db": db}
    return grads, cost

def optimize(w, b, X, Y, num_iterations=100, learning_rate=0.009):
    for i in range(num_iterations):
        grads, cost = propagate(w, b, X, Y)
        w = w - learning_rate*grads["dw"]
        b = b - learning_rate*grads["db"]
    return {"w": w, "b": b}, grads, cost
"""
EINSUM = """
import math
import numpy as np
from numpy import einsum

def attention(Q, K, V):
    scale = 1/math.sqrt(Q.shape[-1])
    a = einsum('td,sd->ts', Q, K)*scale
    e = np.exp(a - a.max(-1, keepdims=True))
    P = e/e.sum(-1, keepdims=True)
    return einsum('ts,se->te', P, V), (Q, K, V, P, scale)

def attention_bwd(grad_output, saved):
    Q, K, V, P, scale = saved
    dV = einsum('ts,te->se', P, grad_output)
    dP = einsum('te,se->ts', grad_output, V)
    dS = P*(dP - (dP*P).sum(-1, keepdims=True))
    dQ = einsum('ts,sd->td', dS, K)*scale
    dK = einsum('ts,td->sd', dS, Q)*scale
    return dQ, dK, dV
"""
REG = SOFTMAX_DEEP.replace("loss E =", "const reg\nloss E =").replace(
    "log(p[n,c]))", "log(p[n,c])) + 1/2*reg*(sum(d, h, W1[d,h]^2) + sum(h, c, W2[h,c]^2))"
)


def of(name: str, model: str, base: str, *faults: tuple[str, str, str], **more: object) -> list[Case]:
    """The base, and each fault of it."""
    cases = [Case(name, model, base, **more)]  # type: ignore[arg-type]
    for old, new, kind in faults:
        assert base.count(old) == 1, (name, old, base.count(old))
        cases.append(Case(f"{name}, {new}", model, base.replace(old, f"{new} #!"), (kind,), **more))  # type: ignore[arg-type]
    return cases


CASES = [
    *of("notebook", SOFTMAX_DEEP, NOTEBOOK,
        ("db2 = 1/m*np.sum(dZ2, axis=0)", "db2 = 1/m*np.sum(dZ2)", "axis"),
        ("dZ2 = A2 - Y", "dZ2 = 2*(A2 - Y)", "factor")),
    *of("two-layer net", REG, TWO_LAYER,
        ("grads['b1'] = np.sum(dhidden, axis=0)", "grads['b1'] = np.mean(dhidden, axis=0)", "factor"),
        convention="as labels"),
    *of("caches", CACHES_MODEL, CACHES,
        ("dAL = -(np.divide(Y, AL) - np.divide(1 - Y, 1 - AL))",
         "dAL = -(np.divide(Y, AL) + np.divide(1 - Y, 1 - AL))", "sign"),
        convention="batch last"),
    *of("lists", ONE_SAMPLE_MODEL, LISTS,
        ("nabla_b[-l] = delta", "nabla_b[-l] = sp", "wrong value"),
        ("return output_activations - y", "return y - output_activations", "sign")),
    *of("layers", dense_net(), LAYERS,
        ("self.grad_b = grad_output.sum(axis=0)", "self.grad_b = grad_output.mean(axis=0)", "factor"),
        ("return grad_output*self.out*(1 - self.out)", "return grad_output*self.out", "another derivative"),
        target="Network"),
    Case("characters", CHARS_MODEL, CHARS, ("precision",), given={"hprev": "h0"}, verdict="imprecise"),
    *of("characters", CHARS_MODEL, CHARS,
        ("dh = np.dot(Why.T, dy) + dhnext", "dh = np.dot(Why.T, dy)", "missing term"),
        given={"hprev": "h0"})[1:],
    *of("step", dense_net(), STEP,
        ("dh = dout @ W2.T", "dh = dout @ W2.T*2", "factor"),
        ("db1 = du.sum(axis=0)", "db1 = dh.sum(axis=0)", "wrong value")),
    *of("own step", dense_net(), OWN_STEP,
        ("d_layer1 = np.dot(error, self.W2.T)*self.layer1*(1 - self.layer1)",
         "d_layer1 = np.dot(error, self.W2.T)*(1 - self.layer1)", "another derivative")),
    *of("globals", dense_net(), GLOBALS,
        ("delta1 = np.dot(delta2, W2.T)*z1*(1 - z1)", "delta1 = np.dot(delta2, W2.T)*(1 - z1**2)",
         "another derivative"),
        ("dW2 = np.dot(z1.T, delta2)", "dW2 = -np.dot(z1.T, delta2)", "sign")),
    *of("logistic regression", LOGISTIC_MODEL, LOGISTIC,
        ("dw = 1/m*np.dot(X, (A - Y).T)", "dw = 1/m*np.dot(X, (Y - A).T)", "sign"),
        ("db = 1/m*np.sum(A - Y)", "db = np.sum(A - Y)", "factor"), convention="batch last"),
    *of("einsum", ATTENTION, EINSUM,
        ("dS = P*(dP - (dP*P).sum(-1, keepdims=True))", "dS = P*(dP - (dP*P).sum(-2, keepdims=True))",
         "axis"),
        ("dK = einsum('ts,td->sd', dS, Q)*scale", "dK = einsum('ts,td->sd', dS, Q)", "factor"),
        ("dV = einsum('ts,te->se', P, grad_output)",
         "dV = einsum('st,te->se', P, grad_output)", "transpose")),
]  # fmt: skip
LINEAR_RELU = """
index n : N
index i : I
index o : O
input x[n,i]
param W[o,i], b[o]
u[n,o] = sum(i, W[o,i]*x[n,i]) + b[o]
y[n,o] = relu(u[n,o])
"""
AUTOGRAD = """
import torch
import torch.nn.functional as F
from torch.autograd import Function
from torch.utils.data import DataLoader

class LinearReLU(Function):
    @staticmethod
    def forward(ctx, input, weight, bias=None):
        output = input.mm(weight.t())
        if bias is not None:
            output += bias
        ctx.save_for_backward(input, weight, output)
        ctx.has_bias = bias is not None
        return output.clamp(min=0)

    @staticmethod
    def backward(ctx, grad_output):
        input, weight, output = ctx.saved_tensors
        grad_input = grad_weight = grad_bias = None
        grad = grad_output.clone()
        grad[output < 0] = 0
        if ctx.needs_input_grad[0]:
            grad_input = grad.mm(weight)
        if ctx.needs_input_grad[1]:
            grad_weight = grad.t().mm(input)
        if ctx.has_bias and ctx.needs_input_grad[2]:
            grad_bias = grad.sum(dim=0)
        return grad_input, grad_weight, grad_bias

model = torch.nn.Sequential()
"""
RMS_JAX = """
from functools import partial
import jax
import jax.numpy as jnp

@jax.custom_vjp
def rms_norm(x, g, eps):
    return rms_fwd(x, g, eps)[0]

def rms_fwd(x, g, eps):
    r = jnp.sqrt(jnp.mean(x**2, axis=-1, keepdims=True) + eps)
    return g*x/r, (x, g, r)

def rms_bwd(res, ct):
    x, g, r = res
    xn = x/r
    dxn = ct*g
    dx = (dxn - xn*jnp.mean(dxn*xn, axis=-1, keepdims=True))/r
    dg = jnp.sum(ct*xn, axis=0)
    return dx, dg, None

rms_norm.defvjp(rms_fwd, rms_bwd)
"""
CASES += [
    *of("autograd function", LINEAR_RELU, AUTOGRAD,
        ("grad_bias = grad.sum(dim=0)", "grad_bias = grad.sum(dim=1)", "axis"),
        ("grad_weight = grad.t().mm(input)", "grad_weight = grad.mm(input)", "transpose"),
        ("grad_weight = grad.t().mm(input)", "grad_weight = input.t().mm(grad)", "transpose"),
        ("grad_input = grad.mm(weight)", "grad_input = grad_output.mm(weight)", "wrong value")),
    *of("custom_vjp", RMS_NORM, RMS_JAX,
        ("dx = (dxn - xn*jnp.mean(dxn*xn, axis=-1, keepdims=True))/r",
         "dx = (dxn + xn*jnp.mean(dxn*xn, axis=-1, keepdims=True))/r", "sign")),
]  # fmt: skip
