"""What each layer and loss computes, once more: short NumPy with nothing of symbackprop in it.

A reference takes the layer's input, its parameters (and other inputs) by the names of its file, and its
options; a loss takes output and target.
"""

import itertools
from types import SimpleNamespace as Namespace

import numpy as np
from scipy.special import erf, expit, log_softmax, softmax, xlogy


def layer_norm(x, axes, eps=1e-5):
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps)


def channels(v):
    return v[:, None, None]


def convolve(x, kernel, o):
    """The cross-correlation of (..., M, I, J) with (E, M, R, S), position by position; 1-d has J = S = 1."""
    pads = [(0, 0)] * (x.ndim - 2) + [(o.padding, o.padding)] * 2
    if kernel.shape[-1] == 1 and x.shape[-1] == 1:
        pads[-1] = (0, 0)
    x = np.pad(x, pads)
    reach = [o.dilation * (size - 1) + 1 for size in kernel.shape[2:]]
    out = [(x.shape[axis - 2] - reach[axis]) // o.stride + 1 for axis in (0, 1)]
    y = np.zeros((*x.shape[:-3], kernel.shape[0], *out))
    for p, q in itertools.product(*map(range, out)):
        rows = p * o.stride + o.dilation * np.arange(kernel.shape[2])
        columns = q * o.stride + o.dilation * np.arange(kernel.shape[3])
        window = x[..., rows, :][..., columns]
        y[..., p, q] = np.einsum("...mrs,emrs->...e", window, kernel)
    return y


def conv2d(x, p, o):
    if o.groups == 1:
        y = convolve(x, p.W, o)
    else:
        y = np.concatenate(
            [convolve(part, kernel, o) for part, kernel in zip(np.split(x, o.groups, 1), p.W, strict=True)], 1
        )
    return y + channels(p.b) if o.bias else y


def conv1d(x, p, o):
    return conv2d(x[..., None], Namespace(W=p.W[..., None], b=getattr(p, "b", None)), o)[..., 0]


def depthwise_conv2d(x, p, o):
    parts = [convolve(x[:, [c]], p.W[c][None, None], o) for c in range(x.shape[1])]
    return np.concatenate(parts, 1) + channels(p.b)


def transposed_conv2d(x, p, o):
    (n, _, rows, columns), kernel = x.shape, p.W.shape[-2:]
    y = np.zeros((n, p.W.shape[1], (rows - 1) * o.stride + kernel[0], (columns - 1) * o.stride + kernel[1]))
    for i, j in np.ndindex(rows, columns):
        a, b = i * o.stride, j * o.stride
        y[:, :, a : a + kernel[0], b : b + kernel[1]] += np.einsum("nc,cors->nors", x[:, :, i, j], p.W)
    if o.padding:
        y = y[:, :, o.padding : -o.padding]
        y = y[..., o.padding : -o.padding] if kernel[1] > 1 else y
    return y + channels(p.b) if o.bias else y


def transposed_conv1d(x, p, o):
    return transposed_conv2d(x[..., None], Namespace(W=p.W[..., None], b=p.b), o)[..., 0]


def pooled(x, o, reduce, axes):
    """Reduce windows of the last one or two axes."""
    windows = np.lib.stride_tricks.sliding_window_view(x, (o.kernel,) * axes, tuple(range(-axes, 0)))
    kept = (..., *[slice(None, None, o.stride)] * axes, *[slice(None)] * axes)
    return reduce(windows[kept], axis=tuple(range(-axes, 0)))


def group_norm(x, p, o):
    grouped = x.reshape(x.shape[0], o.groups, -1)
    return layer_norm(grouped, -1).reshape(x.shape) * channels(p.gamma) + channels(p.beta)


def attend(q, k, v, causal):
    """(..., T, D) each."""
    scores = q @ np.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1])
    if causal:
        scores = np.where(np.tri(scores.shape[-1], dtype=bool), scores, -np.inf)
    return softmax(scores, axis=-1) @ v


def attention(x, p, o):
    return attend(x @ p.W_q.T, x @ p.W_k.T, x @ p.W_v.T, o.causal)


def multi_head_attention(x, p, o):
    heads = [attend(x @ q.T, x @ k.T, x @ v.T, o.causal) for q, k, v in zip(p.W_q, p.W_k, p.W_v, strict=True)]
    return sum(head @ p.W_o[:, number].T for number, head in enumerate(heads))


def grouped_query_attention(x, p, o):
    """Attention with several heads, keys and values repeated for those that share them."""
    queries, outputs = np.concatenate(p.W_q), np.concatenate([*np.moveaxis(p.W_o, 1, 0)], axis=1)
    keys, values = (np.repeat(each, o.heads, axis=0) for each in (p.W_k, p.W_v))
    return multi_head_attention(x, Namespace(W_q=queries, W_k=keys, W_v=values, W_o=outputs), o)


def windowed_attention(x, p, o):
    y = np.zeros_like(x)
    places = list(itertools.product(range(o.window), repeat=2))
    for i, j in itertools.product(range(0, x.shape[1], o.window), range(0, x.shape[2], o.window)):
        part = x[:, i : i + o.window, j : j + o.window]
        window = part.reshape(len(x), len(places), -1)
        for head, (q, k, v) in enumerate(zip(p.W_q, p.W_k, p.W_v, strict=True)):
            scores = (window @ q.T) @ (window @ k.T).swapaxes(1, 2) / np.sqrt(len(q))
            for (one, (a, b)), (other, (r, s)) in itertools.product(enumerate(places), repeat=2):
                scores[:, one, other] += p.B[head, a - r + o.window - 1, b - s + o.window - 1]
            attended = softmax(scores, axis=-1) @ (window @ v.T) @ p.W_o[:, head].T
            y[:, i : i + o.window, j : j + o.window] += attended.reshape(part.shape)
    return y


def patch_embedding(x, p, o):
    rows, columns = (range(0, size, o.kernel) for size in x.shape[2:])
    patches = [x[:, :, i : i + o.kernel, j : j + o.kernel] for i in rows for j in columns]
    return np.stack([np.einsum("ncrs,dcrs->nd", patch, p.W) + p.b for patch in patches], 1)


def pixel_shuffle(x, p, o):
    n, c, rows, columns = x.shape
    squares = x.reshape(n, c // o.factor**2, o.factor, o.factor, rows, columns).transpose(0, 1, 4, 2, 5, 3)
    return squares.reshape(n, c // o.factor**2, rows * o.factor, columns * o.factor)


def pixel_unshuffle(x, p, o):
    n, _, rows, columns = x.shape
    parts = [x[:, :, a :: o.factor, b :: o.factor] for a in range(o.factor) for b in range(o.factor)]
    return np.stack(parts, 2).reshape(n, -1, rows // o.factor, columns // o.factor)


def transformer_block(x, p, o):
    z = x + multi_head_attention(layer_norm(x, -1) * p.gamma_a + p.beta_a, p, o)
    hidden = gelu((layer_norm(z, -1) * p.gamma_f + p.beta_f) @ p.W_f.T + p.b_f)
    return z + hidden @ p.W_g.T + p.b_g


def gelu(u):
    return u * (1 + erf(u / np.sqrt(2))) / 2


def gated(gate):
    def reference(x, p, o):
        if not o.bias:
            return (x @ p.W.T) * gate(x @ p.V.T)
        return (x @ p.W.T + p.b) * gate(x @ p.V.T + p.c)

    return reference


def highway(x, p, o):
    gate = expit(x @ p.V.T + p.c)
    return gate * np.tanh(x @ p.W.T + p.b) + (1 - gate) * x


def stepwise(step, states):
    """Run a cell over the steps of a sequence (N, T, I), from zeros, and keep the first of its states."""

    def reference(x, p, o):
        state = [np.zeros((x.shape[0], o.units))] * states
        kept = []
        for t in range(x.shape[1]):
            state = step(x[:, t], *state, p)
            kept.append(state[0])
        return np.stack(kept, 1)

    return reference


def rnn_step(x, h, p):
    return [np.tanh(x @ p.W.T + h @ p.U.T + p.b)]


def lstm_step(x, h, c, p):
    def into(gate):
        return sum((x @ getattr(p, f"W_{gate}").T, h @ getattr(p, f"U_{gate}").T, getattr(p, f"b_{gate}")))

    c = expit(into("f")) * c + expit(into("i")) * np.tanh(into("g"))
    return [expit(into("o")) * np.tanh(c), c]


def gru_step(x, h, p):
    z = expit(x @ p.W_z.T + h @ p.U_z.T + p.b_z)
    r = expit(x @ p.W_r.T + h @ p.U_r.T + p.b_r)
    return [z * h + (1 - z) * np.tanh(x @ p.W_g.T + (r * h) @ p.U_g.T + p.b_g)]


def sinusoidal_positions(x, p, o):
    time, feature = np.arange(x.shape[-2])[:, None], np.arange(x.shape[-1])
    angle = time / 10000.0 ** ((feature - feature % 2) / x.shape[-1])
    return x + np.where(feature % 2, np.cos(angle), np.sin(angle))


def dense(x, p, o):
    return x @ (p.W.T if o.layout == "out,in" else p.W) + (p.b if o.bias else 0)


LAYERS = {
    "dense": dense,
    "elementwise": lambda x, p, o: np.sin(x),
    "leaky_relu": lambda x, p, o: np.maximum(x, o.slope * x),
    "prelu": lambda x, p, o: np.maximum(x, 0) + p.a * np.minimum(x, 0),
    "elu": lambda x, p, o: np.where(x > 0, x, o.alpha * (np.exp(x) - 1)),
    "selu": lambda x, p, o: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * (np.exp(x) - 1)),
    "swish": lambda x, p, o: x / (1 + np.exp(-p.beta * x)),
    "softsign": lambda x, p, o: x / (1 + np.abs(x)),
    "softmax": lambda x, p, o: softmax(x, axis=-1),
    "log_softmax": lambda x, p, o: log_softmax(x, axis=-1),
    "dropout": lambda x, p, o: np.where(p.mask != 0, p.mask * x / o.keep, 0),
    "batch_norm": lambda x, p, o: layer_norm(x, 0, o.eps) * p.gamma + p.beta,
    "batch_norm2d": lambda x, p, o: layer_norm(x, (0, 2, 3)) * channels(p.gamma) + channels(p.beta),
    "instance_norm2d": lambda x, p, o: layer_norm(x, (2, 3)) * channels(p.gamma) + channels(p.beta),
    "group_norm2d": group_norm,
    "layer_norm": lambda x, p, o: (
        layer_norm(x, -1) * (p.gamma if o.affine else 1) + (p.beta if o.affine else 0)
    ),
    "rms_norm": lambda x, p, o: p.g * x / np.sqrt((x**2).mean(-1, keepdims=True) + o.eps),
    "attention": attention,
    "multi_head_attention": multi_head_attention,
    "grouped_query_attention": grouped_query_attention,
    "windowed_attention": windowed_attention,
    "patch_embedding": patch_embedding,
    "pixel_shuffle": pixel_shuffle,
    "pixel_unshuffle": pixel_unshuffle,
    "transformer_block": transformer_block,
    "glu": gated(expit),
    "reglu": gated(lambda u: np.maximum(u, 0)),
    "geglu": gated(gelu),
    "swiglu": gated(lambda u: u * expit(u)),
    "highway": highway,
    "residual_block": lambda x, p, o: x + np.maximum(x @ p.W_f.T + p.b_f, 0) @ p.W_g.T + p.b_g,
    "conv1d": conv1d,
    "conv2d": conv2d,
    "depthwise_conv2d": depthwise_conv2d,
    "transposed_conv1d": transposed_conv1d,
    "transposed_conv2d": transposed_conv2d,
    "max_pool1d": lambda x, p, o: pooled(x, o, np.max, 1),
    "max_pool2d": lambda x, p, o: pooled(x, o, np.max, 2),
    "average_pool1d": lambda x, p, o: pooled(x, o, np.mean, 1),
    "average_pool2d": lambda x, p, o: pooled(x, o, np.mean, 2),
    "global_average_pool2d": lambda x, p, o: x.mean((-1, -2)),
    "embedding": lambda x, p, o: p.C[x],
    "embedding_bag": lambda x, p, o: p.C[x].mean(1),
    "positional_embedding": lambda x, p, o: x + p.P,
    "sinusoidal_positions": sinusoidal_positions,
    "flatten": lambda x, p, o: x.reshape(*x.shape[: x.ndim - o.axes], -1),
    "last_step": lambda x, p, o: x[..., -1, :],
    "mean_step": lambda x, p, o: x.mean(-2),
    "rnn": stepwise(rnn_step, 1),
    "lstm": stepwise(lstm_step, 2),
    "gru": stepwise(gru_step, 1),
}


def huber(y, d, o):
    r = np.abs(y - d)
    return np.minimum(r, o.threshold) ** 2 / 2 + o.threshold * np.maximum(r - o.threshold, 0)


def multiclass_hinge(y, d, o):
    right = y[d == 1][:, None]
    return np.where(d == 1, 0, np.maximum(0, 1 + y - right)).sum(-1)


# Each gives a value for every example or element; the loss is their sum, or mean.
LOSSES = {
    "half_squared_error": lambda y, d, o: (y - d) ** 2 / 2,
    "squared_error": lambda y, d, o: (y - d) ** 2,
    "mean_squared_error": lambda y, d, o: (y - d) ** 2,
    "absolute_error": lambda y, d, o: np.abs(y - d),
    "huber": huber,
    "log_cosh": lambda y, d, o: np.log(np.cosh(y - d)),
    "cross_entropy": lambda y, d, o: -(d * log_softmax(y, axis=-1)).sum(-1),
    "integer_cross_entropy": lambda y, d, o: -log_softmax(y, axis=-1)[np.arange(len(d)), d],
    "binary_cross_entropy": lambda y, d, o: -d * np.log(expit(y)) - (1 - d) * np.log(expit(-y)),
    "kl_divergence": lambda y, d, o: (xlogy(d, d) - d * log_softmax(y, axis=-1)).sum(-1),
    "hinge": lambda y, d, o: np.maximum(0, 1 - d * y),
    "squared_hinge": lambda y, d, o: np.maximum(0, 1 - d * y) ** 2,
    "multiclass_hinge": multiclass_hinge,
    "poisson": lambda y, d, o: np.exp(y) - d * y,
}
