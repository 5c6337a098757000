"""A fifth set, of other functions and other slips, committed before the naming was run on it.

Each wrong VJP is the right one with a slip in its text, as a student or a bug report has it; some have two.
"""

import numpy as np

import tinygrad_cnn as tg
from tests.gradcheck.mistakes.case import Cached, Mistake, OfTensors, normal, positive, slip, start
from tinygrad_cnn.autograd import Function

start()


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


# ---- assignments of courses: a forward with a cache ----------------------------------------------------------------------


def affine_relu_forward(x, w, b):
    a = x.reshape(x.shape[0], -1) @ w + b
    return np.maximum(0, a), (x, w, a)


def affine_relu_backward(dout, cache):
    x, w, a = cache
    da = dout * (a > 0)
    dx = (da @ w.T).reshape(x.shape)
    dw = x.reshape(x.shape[0], -1).T @ da
    db = np.sum(da, axis=0)
    return dx, dw, db


def batchnorm_forward(x, gamma, beta):
    xmu = x - x.mean(axis=0)
    sqrtvar = np.sqrt(np.mean(xmu**2, axis=0) + 1e-5)
    ivar = 1.0 / sqrtvar
    xhat = xmu * ivar
    return gamma * xhat + beta, (xhat, gamma, xmu, ivar, sqrtvar)


def batchnorm_backward(dout, cache):
    xhat, gamma, xmu, ivar, sqrtvar = cache
    N, D = dout.shape
    dbeta = np.sum(dout, axis=0)
    dgamma = np.sum(dout * xhat, axis=0)
    dxhat = dout * gamma
    divar = np.sum(dxhat * xmu, axis=0)
    dxmu1 = dxhat * ivar
    dsqrtvar = -1.0 / (sqrtvar**2) * divar
    dvar = 0.5 * 1.0 / sqrtvar * dsqrtvar
    dsq = 1.0 / N * np.ones((N, D)) * dvar
    dxmu2 = 2 * xmu * dsq
    dx1 = dxmu1 + dxmu2
    dmu = -1.0 * np.sum(dxmu1 + dxmu2, axis=0)
    dx2 = 1.0 / N * np.ones((N, D)) * dmu
    dx = dx1 + dx2
    return dx, dgamma, dbeta


def groupnorm_forward(x, gamma, beta):
    N, C, H = x.shape
    grouped = x.reshape(N, 2, C // 2 * H)
    mean = grouped.mean(axis=2, keepdims=True)
    ivar = 1 / np.sqrt(grouped.var(axis=2, keepdims=True) + 1e-5)
    xhat = ((grouped - mean) * ivar).reshape(x.shape)
    return gamma * xhat + beta, (xhat, ivar, gamma)


def groupnorm_backward(dout, cache):
    xhat, ivar, gamma = cache
    N, C, H = dout.shape
    m = C // 2 * H
    dxhat = (dout * gamma).reshape(N, 2, m)
    xg = xhat.reshape(N, 2, m)
    total = dxhat.sum(axis=2, keepdims=True)
    along = (dxhat * xg).sum(axis=2, keepdims=True)
    dx = ivar / m * (m * dxhat - total - xg * along)
    dgamma = (dout * xhat).sum(axis=(0, 2)).reshape(C, 1)
    dbeta = dout.sum(axis=(0, 2)).reshape(C, 1)
    return dx.reshape(N, C, H), dgamma, dbeta


def conv_forward_naive(x, w, b):
    N, _, H, W = x.shape
    F, _, KH, KW = w.shape
    xp = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    out = np.zeros((N, F, (H + 2 - KH) // 2 + 1, (W + 2 - KW) // 2 + 1))
    for n in range(N):
        for f in range(F):
            for i in range(out.shape[2]):
                for j in range(out.shape[3]):
                    window = xp[n, :, 2 * i : 2 * i + KH, 2 * j : 2 * j + KW]
                    out[n, f, i, j] = np.sum(window * w[f]) + b[f]
    return out, (xp, w)


def conv_backward_naive(dout, cache):
    xp, w = cache
    N, F, OH, OW = dout.shape
    _, _, KH, KW = w.shape
    dxp, dw, db = np.zeros_like(xp), np.zeros_like(w), np.zeros(F)
    for n in range(N):
        for f in range(F):
            db[f] += dout[n, f].sum()
            for i in range(OH):
                for j in range(OW):
                    window = xp[n, :, 2 * i : 2 * i + KH, 2 * j : 2 * j + KW]
                    dw[f] += window * dout[n, f, i, j]
                    dxp[n, :, 2 * i : 2 * i + KH, 2 * j : 2 * j + KW] += w[f] * dout[n, f, i, j]
    return dxp[:, :, 1:-1, 1:-1], dw, db


def max_pool_forward_naive(x):
    N, C, H, W = x.shape
    out = np.zeros((N, C, H - 1, W - 1))
    for n in range(N):
        for c in range(C):
            for i in range(H - 1):
                for j in range(W - 1):
                    out[n, c, i, j] = np.max(x[n, c, i : i + 2, j : j + 2])
    return out, x


def max_pool_backward_naive(dout, cache):
    x = cache
    dx = np.zeros_like(x)
    N, C, OH, OW = dout.shape
    for n in range(N):
        for c in range(C):
            for i in range(OH):
                for j in range(OW):
                    window = x[n, c, i : i + 2, j : j + 2]
                    p, q = np.unravel_index(np.argmax(window), (2, 2))
                    dx[n, c, i + p, j + q] += dout[n, c, i, j]
    return dx


KEEP = np.array([[1.0, 0.0, 1.0, 1.0], [1.0, 1.0, 0.0, 1.0], [0.0, 1.0, 1.0, 1.0]])


def dropout_forward(x, w):
    return x @ w * KEEP / 0.7, (x, w)


def dropout_backward(dout, cache):
    x, w = cache
    dh = dout * KEEP / 0.7
    return dh @ w.T, x.T @ dh


AFFINE = (normal(2, 2, 3), normal(6, 3), normal(3))
BATCH = (normal(4, 3), positive(3), normal(3))
GROUP = (normal(2, 4, 3), positive(4, 1), normal(4, 1))
CONV = (normal(2, 1, 5, 5), normal(2, 1, 3, 3), normal(2))
POOL = (normal(2, 1, 3, 4),)
DROPOUT = (normal(3, 2), normal(2, 4))
COURSES = [
    Cached("affine relu: mask of the gradient", affine_relu_forward, slip(affine_relu_backward, "(a > 0)", "(dout > 0)"), AFFINE, r"mask|> 0|np\.maximum|relu"),
    Cached("affine relu: put back in another order", affine_relu_forward, slip(affine_relu_backward, ".reshape(x.shape)", '.reshape(x.shape, order="F")'), AFFINE, r"order|reshape"),
    Cached("batch norm: root not squared", batchnorm_forward, slip(batchnorm_backward, "(sqrtvar**2)", "sqrtvar"), BATCH, r"sqrtvar|squar|power|divi"),
    Cached("batch norm: xhat for xmu", batchnorm_forward, slip(batchnorm_backward, "dxhat * xmu", "dxhat * xhat"), BATCH, r"xmu|xhat"),
    Cached("batch norm: returned in another order", batchnorm_forward, slip(batchnorm_backward, "return dx, dgamma, dbeta", "return dx, dbeta, dgamma"), BATCH, r"exchang|order|swap"),
    Cached("batch norm: 2 of the square forgotten", batchnorm_forward, slip(batchnorm_backward, "2 * xmu * dsq", "xmu * dsq"), BATCH, r"\b2\b|half|twice"),
    Cached("batch norm: sign, and mean forgotten", batchnorm_forward, slip(batchnorm_backward, "-1.0 / (sqrtvar", "1.0 / (sqrtvar", "dx = dx1 + dx2", "dx = dx1"), BATCH, r"sign|dmu|mean|dx2|held constant|path|term"),
    Cached("group norm: sums for means", groupnorm_forward, slip(groupnorm_backward, "ivar / m * (m * dxhat", "ivar * (dxhat"), GROUP, r"mean|`m`|count|divi|\b6\b"),
    Cached("group norm: deviation twice", groupnorm_forward, slip(groupnorm_backward, "ivar / m", "ivar**2 / m"), GROUP, r"ivar|squar|power|twice|sqrt|deviation"),
    Cached("group norm: channels grouped otherwise", groupnorm_forward, slip(groupnorm_backward, "(dout * gamma).reshape", "(dout * gamma).transpose(1, 0, 2).reshape"), GROUP, r"transpos|order|axes|reshape"),
    Cached("conv: rows and columns exchanged in dw", conv_forward_naive, slip(conv_backward_naive, "window * dout[n, f, i, j]", "window * dout[n, f, j, i]"), CONV, r"exchang|transpos|index|rows|swap"),
    Cached("conv: stride of the columns forgotten", conv_forward_naive, slip(conv_backward_naive, "dxp[n, :, 2 * i : 2 * i + KH, 2 * j : 2 * j + KW] +=", "dxp[n, :, 2 * i : 2 * i + KH, j : j + KW] +="), CONV, r"stride|2 \* j|step"),
    Cached("conv: dw assigned, db averaged", conv_forward_naive, slip(conv_backward_naive, "dw[f] +=", "dw[f] =", "dout[n, f].sum()", "dout[n, f].mean()"), CONV, r"overwrit|assign|added|mean|averag"),
    Cached("max pool: row and column exchanged", max_pool_forward_naive, slip(max_pool_backward_naive, "i + p, j + q", "i + q, j + p"), POOL, r"exchang|transpos|index|place|swap"),
    Cached("max pool: assigned", max_pool_forward_naive, slip(max_pool_backward_naive, "j + q] +=", "j + q] ="), POOL, r"overwrit|assign|added"),
    Cached("dropout: mask of the sign", dropout_forward, slip(dropout_backward, "dout * KEEP", "dout * (x @ w > 0)"), DROPOUT, r"mask|KEEP"),
]  # fmt: skip


# ---- networks ------------------------------------------------------------------------------------------------------------

TARGET = np.array([2, 0, 1, 2])


def svm_loss(w, x):
    loss = 0.0
    for i in range(len(x)):
        scores = x[i] @ w
        for j in range(w.shape[1]):
            if j != TARGET[i]:
                loss += np.maximum(0, scores[j] - scores[TARGET[i]] + 1)
    return loss / len(x) + 0.1 * np.sum(w * w)


def svm_loss_vjp(g, w, x):
    dw, dx = np.zeros_like(w), np.zeros_like(x)
    for i in range(len(x)):
        scores = x[i] @ w
        for j in range(w.shape[1]):
            if j == TARGET[i]:
                continue
            if scores[j] - scores[TARGET[i]] + 1 > 0:
                dx[i] += w[:, j] - w[:, TARGET[i]]
                dw[:, j] += x[i]
                dw[:, TARGET[i]] -= x[i]
    dx /= len(x)
    dw /= len(x)
    dw += 0.2 * w
    return g * dw, g * dx


def two_layer(x, w1, b1, w2, b2):
    h = np.maximum(0, x @ w1 + b1)
    p = softmax(h @ w2 + b2)
    return -np.log(p[np.arange(len(x)), TARGET]).mean() + 0.05 * ((w1**2).sum() + (w2**2).sum())


def two_layer_vjp(g, x, w1, b1, w2, b2):
    n = len(x)
    h = np.maximum(0, x @ w1 + b1)
    ds = softmax(h @ w2 + b2)
    ds[np.arange(n), TARGET] -= 1
    ds *= g / n
    dw2 = h.T @ ds + 0.1 * g * w2
    db2 = ds.sum(axis=0)
    dh = ds @ w2.T
    dh[h <= 0] = 0
    dw1 = x.T @ dh + 0.1 * g * w1
    db1 = dh.sum(axis=0)
    return dh @ w1.T, dw1, db1, dw2, db2


def lstm_step(x, h, c, wx, wh, b):
    i, f, o, u = np.split(x @ wx + h @ wh + b, 4, axis=1)
    new = sigmoid(f) * c + sigmoid(i) * np.tanh(u)
    return sigmoid(o) * np.tanh(new), new


def lstm_step_vjp(g, x, h, c, wx, wh, b):
    dh, dnext = g
    i, f, o, u = np.split(x @ wx + h @ wh + b, 4, axis=1)
    i, f, o, u = sigmoid(i), sigmoid(f), sigmoid(o), np.tanh(u)
    t = np.tanh(f * c + i * u)
    dc = dnext + dh * o * (1 - t**2)
    di = dc * u * i * (1 - i)
    df = dc * c * f * (1 - f)
    do = dh * t * o * (1 - o)
    du = dc * i * (1 - u**2)
    da = np.concatenate([di, df, do, du], axis=1)
    return da @ wx.T, da @ wh.T, dc * f, x.T @ da, h.T @ da, da.sum(axis=0)


def additive_attention(h, q, wh, wq, v):
    a = softmax(np.tanh(h @ wh + q @ wq) @ v)
    return a @ h


def additive_attention_vjp(g, h, q, wh, wq, v):
    t = np.tanh(h @ wh + q @ wq)
    a = softmax(t @ v)
    da = h @ g
    de = a * (da - a @ da)
    dz = np.outer(de, v) * (1 - t**2)
    dh = np.outer(a, g) + dz @ wh.T
    dq = wq @ dz.sum(axis=0)
    dwq = np.outer(q, dz.sum(axis=0))
    return dh, dq, h.T @ dz, dwq, t.T @ de


REL = np.arange(4)[:, None] - np.arange(4)[None, :] + 3


def relative_bias(q, k, table):
    return softmax(q @ k.T / np.sqrt(q.shape[1]) + table[REL])


def relative_bias_vjp(g, q, k, table):
    p = softmax(q @ k.T / np.sqrt(q.shape[1]) + table[REL])
    ds = p * (g - (g * p).sum(axis=1, keepdims=True))
    dtable = np.zeros_like(table)
    np.add.at(dtable, REL, ds)
    s = np.sqrt(k.shape[1])
    return ds @ k / s, ds.T @ q / s, dtable


def packed_qkv(x, w):
    q, k, v = np.split(x @ w, 3, axis=1)
    return softmax(q @ k.T) @ v


def packed_qkv_vjp(g, x, w):
    q, k, v = np.split(x @ w, 3, axis=1)
    p = softmax(q @ k.T)
    dv = p.T @ g
    dp = g @ v.T
    ds = p * (dp - (dp * p).sum(axis=1, keepdims=True))
    dq = ds @ k
    dk = ds.T @ q
    d = np.concatenate([dq, dk, dv], axis=1)
    return d @ w.T, x.T @ d


def multi_query(q, k, v):
    return softmax(q @ k.T) @ v


def multi_query_vjp(g, q, k, v):
    p = softmax(q @ k.T)
    dp = g @ v.T
    ds = p * (dp - (dp * p).sum(axis=-1, keepdims=True))
    dk = np.swapaxes(ds, 1, 2) @ q
    dv = np.swapaxes(p, 1, 2) @ g
    return ds @ k, dk.sum(axis=0), dv.sum(axis=0)


def bidirectional(x, w, u, v, r):
    T = len(x)
    ahead, back = np.zeros((T + 1, 3)), np.zeros((T + 1, 3))
    for t in range(T):
        ahead[t + 1] = np.tanh(w * x[t] + u * ahead[t])
    for t in reversed(range(T)):
        back[t] = np.tanh(v * x[t] + r * back[t + 1])
    return np.concatenate([ahead[1:], back[:-1]], axis=1)


def bidirectional_vjp(g, x, w, u, v, r):
    T = len(x)
    both = bidirectional(x, w, u, v, r)
    ahead = np.concatenate([np.zeros((1, 3)), both[:, :3]])
    back = np.concatenate([both[:, 3:], np.zeros((1, 3))])
    dx = np.zeros_like(x)
    dw, du, dv, dr = np.zeros(3), np.zeros(3), np.zeros(3), np.zeros(3)
    carry = np.zeros(3)
    for t in reversed(range(T)):
        d = (g[t, :3] + carry) * (1 - ahead[t + 1] ** 2)
        dx[t] += d * w
        dw += d * x[t]
        du += d * ahead[t]
        carry = d * u
    carry = np.zeros(3)
    for t in range(T):
        d = (g[t, 3:] + carry) * (1 - back[t] ** 2)
        dx[t] += d * v
        dv += d * x[t]
        dr += d * back[t + 1]
        carry = d * r
    return dx, dw, du, dv, dr


WORDS = np.array([2, 0, 2, 1])
NEXT = np.array([0, 2, 1, 2])


def tied_model(e, w):
    p = softmax(np.tanh(e[WORDS] @ w) @ e.T)
    return -np.log(p[np.arange(4), NEXT]).mean()


def tied_model_vjp(g, e, w):
    h = np.tanh(e[WORDS] @ w)
    dz = softmax(h @ e.T)
    dz[np.arange(4), NEXT] -= 1
    dz *= g / 4
    de = dz.T @ h
    da = (dz @ e) * (1 - h**2)
    np.add.at(de, WORDS, da @ w.T)
    return de, e[WORDS].T @ da


def siamese(x, y, w):
    d = np.tanh(x @ w) - np.tanh(y @ w)
    return np.sqrt((d**2).sum(axis=1) + 0.01)


def siamese_vjp(g, x, y, w):
    a, b = np.tanh(x @ w), np.tanh(y @ w)
    d = a - b
    n = np.sqrt((d**2).sum(axis=1) + 0.01)
    dd = g[:, None] * d / n[:, None]
    da = dd * (1 - a**2)
    db = -dd * (1 - b**2)
    return da @ w.T, db @ w.T, x.T @ da + y.T @ db


def autoencoder(x, w, b, c):
    return sigmoid(x @ w + b) @ w.T + c


def autoencoder_vjp(g, x, w, b, c):
    h = sigmoid(x @ w + b)
    dh = g @ w
    dz = dh * h * (1 - h)
    dw = x.T @ dz + g.T @ h
    return dz @ w.T, dw, dz.sum(axis=0), g.sum(axis=0)


TWO_LAYER = (normal(4, 3), normal(3, 4), normal(4), normal(4, 3), normal(3))
LSTM = (normal(2, 2), normal(2, 3), normal(2, 3), normal(2, 12) / 2, normal(3, 12) / 2, normal(12) / 2)
ADDITIVE = (normal(4, 3), normal(3), normal(3, 2), normal(3, 2), normal(2))
RELATIVE = (normal(4, 3), normal(4, 3), normal(7))
QKV = (normal(3, 2), normal(2, 9))
QUERY = (normal(2, 4, 2), normal(4, 2), normal(4, 4))
BOTH = (normal(4, 3), normal(3), normal(3), normal(3), normal(3))
NETWORKS = [
    Mistake("svm: penalty averaged, too", svm_loss, slip(svm_loss_vjp, "    dw /= len(x)\n    dw += 0.2 * w\n", "    dw += 0.2 * w\n    dw /= len(x)\n"), (normal(2, 3), normal(4, 2)), r"0\.2|0\.1|regular|penalty|len\(x\)|\b4\b"),
    Mistake("svm: own class outside of the if", svm_loss, slip(svm_loss_vjp, "                dw[:, TARGET[i]] -= x[i]", "            dw[:, TARGET[i]] -= x[i]"), (normal(2, 3), normal(4, 2)), r"margin|mask|condition|np\.maximum|\bif\b"),
    Mistake("two layers: w2 updated first", two_layer, slip(two_layer_vjp, "dh = ds @ w2.T", "w2 = w2 - 0.1 * dw2\n    dh = ds @ w2.T"), TWO_LAYER, r"`w2|w2\.T|w2 "),
    Mistake("two layers: decay of the bias, too", two_layer, slip(two_layer_vjp, "db1 = dh.sum(axis=0)", "db1 = dh.sum(axis=0) + 0.1 * g * b1"), TWO_LAYER, r"b1|decay|penalty|regular"),
    Mistake("two layers: 1 taken off after the division", two_layer, slip(two_layer_vjp, "    ds[np.arange(n), TARGET] -= 1\n    ds *= g / n\n", "    ds *= g / n\n    ds[np.arange(n), TARGET] -= 1\n"), TWO_LAYER, r"divi|/ n|len|label|TARGET|one.hot|-= 1|\b4\b|mean"),
    Mistake("two layers: no mask, decay halved", two_layer, slip(two_layer_vjp, "    dh[h <= 0] = 0\n", "", "0.1 * g * w1", "0.05 * g * w1"), TWO_LAYER, r"mask|np\.maximum|0\.1\b|0\.05|\b2\b"),
    Mistake("lstm step: tanh' with the square outside", lstm_step, slip(lstm_step_vjp, "(1 - u**2)", "(1 - u) ** 2"), LSTM, r"squar|power|1 - u|\*\*"),
    Mistake("lstm step: cell without the output's path", lstm_step, slip(lstm_step_vjp, "dc * f,", "dnext * f,"), LSTM, r"path|`dc`|held constant|term"),
    Mistake("lstm step: gates put together in another order", lstm_step, slip(lstm_step_vjp, "[di, df, do, du]", "[di, df, du, do]"), LSTM, r"order|exchang|swap|concatenate"),
    Mistake("lstm step: one factor of sigmoid'", lstm_step, slip(lstm_step_vjp, "t * o * (1 - o)", "t * (1 - o)"), LSTM, r"`o`|sigmoid"),
    Mistake("lstm step: o and f forgotten", lstm_step, slip(lstm_step_vjp, "dh * o * (1 - t**2)", "dh * (1 - t**2)", "c * f * (1 - f)", "c * (1 - f)"), LSTM, r"`o`|`f`|sigmoid"),
    Mistake("additive: dwq averaged", additive_attention, slip(additive_attention_vjp, "np.outer(q, dz.sum(axis=0))", "np.outer(q, dz.mean(axis=0))"), ADDITIVE, r"mean|averag|should be a sum"),
    Mistake("additive: dv before the tanh", additive_attention, slip(additive_attention_vjp, "t.T @ de", "(h @ wh + q @ wq).T @ de"), ADDITIVE, r"tanh|`t`"),
    Mistake("additive: dq of the last place", additive_attention, slip(additive_attention_vjp, "wq @ dz.sum(axis=0)", "wq @ dz[-1]"), ADDITIVE, r"last|sum"),
    Mistake("relative: repeats overwritten", relative_bias, slip(relative_bias_vjp, "np.add.at(dtable, REL, ds)", "dtable[REL] += ds"), RELATIVE, r"add|overwrit|repeat|assigned"),
    Mistake("relative: the other way round", relative_bias, slip(relative_bias_vjp, "REL, ds", "REL.T, ds"), RELATIVE, r"transpos|REL|order|revers"),
    Mistake("relative: root of the length", relative_bias, slip(relative_bias_vjp, "np.sqrt(k.shape[1])", "np.sqrt(k.shape[0])"), RELATIVE, r"sqrt|scale|shape|1\.73|factor"),
    Mistake("relative: dq not scaled, dk not transposed", relative_bias, slip(relative_bias_vjp, "ds @ k / s", "ds @ k", "ds.T @ q", "ds @ q"), RELATIVE, r"sqrt|1\.73|transpos|scale|ds\.T"),
    Mistake("packed: sum not weighted", packed_qkv, slip(packed_qkv_vjp, "(dp * p).sum", "dp.sum"), QKV, r"`p`|softmax|weight|multiplied"),
    Mistake("packed: dp with the keys", packed_qkv, slip(packed_qkv_vjp, "g @ v.T", "g @ k.T"), QKV, r"`v`|v\.T|`k`|np\.split"),
    Mistake("multi query: dv of the first head", multi_query, slip(multi_query_vjp, "dv.sum(axis=0)", "dv[0]"), QUERY, r"first|sum|head"),
    Mistake("multi query: p not transposed", multi_query, slip(multi_query_vjp, "np.swapaxes(p, 1, 2)", "p"), QUERY, r"transpos|swapaxes"),
    Mistake("multi query: dk averaged, not transposed", multi_query, slip(multi_query_vjp, "dk.sum(axis=0)", "dk.mean(axis=0)", "np.swapaxes(ds, 1, 2)", "ds"), QUERY, r"transpos|swapaxes|mean|averag"),
    Mistake("bidirectional: same direction twice", bidirectional, slip(bidirectional_vjp, "for t in range(T):", "for t in reversed(range(T)):"), BOTH, r"direction|revers|order|carry|time"),
    Mistake("bidirectional: dx assigned", bidirectional, slip(bidirectional_vjp, "dx[t] += d * v", "dx[t] = d * v"), BOTH, r"overwrit|assign|added|path"),
    Mistake("bidirectional: dr of the new state", bidirectional, slip(bidirectional_vjp, "dr += d * back[t + 1]", "dr += d * back[t]"), BOTH, r"turn|step|state|back\[t \+ 1\]"),
    Mistake("bidirectional: carry not set back", bidirectional, slip(bidirectional_vjp, "    carry = np.zeros(3)\n    for t in range", "    for t in range"), BOTH, r"carry|start|zero|left over|first loop"),
    Mistake("tied: embedding's own path forgotten", tied_model, slip(tied_model_vjp, "    np.add.at(de, WORDS, da @ w.T)\n", ""), (normal(3, 4), normal(4, 4) / 2), r"path|WORDS|term|held constant"),
    Mistake("tied: repeats overwritten", tied_model, slip(tied_model_vjp, "np.add.at(de, WORDS, da @ w.T)", "de[WORDS] += da @ w.T"), (normal(3, 4), normal(4, 4) / 2), r"repeat|overwrit|assigned|added|add\.at"),
    Mistake("tied: output's path forgotten", tied_model, slip(tied_model_vjp, "de = dz.T @ h", "de = np.zeros_like(e)"), (normal(3, 4), normal(4, 4) / 2), r"path|e\.T|term|held constant"),
    Mistake("tied: not averaged, tanh' without the square", tied_model, slip(tied_model_vjp, "g / 4", "g", "(1 - h**2)", "(1 - h)"), (normal(3, 4), normal(4, 4) / 2), r"\b4\b|mean|squar|\*\*|h \* h"),
    Mistake("siamese: first path of w alone", siamese, slip(siamese_vjp, "x.T @ da + y.T @ db", "x.T @ da"), (normal(3, 2), normal(3, 2), normal(2, 3)), r"path|y\.T|y @ w|term|held constant"),
    Mistake("siamese: root left out", siamese, slip(siamese_vjp, "d / n[:, None]", "d / n[:, None] ** 2"), (normal(3, 2), normal(3, 2), normal(2, 3)), r"root|sqrt|power|divi|squar|`n`"),
    Mistake("siamese: sign and tanh' of the first", siamese, slip(siamese_vjp, "-dd * (1 - b**2)", "dd * (1 - a**2)"), (normal(3, 2), normal(3, 2), normal(2, 3)), r"sign|1 - b|`b`|y @ w"),
    Mistake("autoencoder: decoder's part turned", autoencoder, slip(autoencoder_vjp, "g.T @ h", "h.T @ g"), (normal(4, 3), normal(3, 3), normal(3), normal(3)), r"transpos|g\.T|h\.T"),
    Mistake("autoencoder: incoming gradient lost", autoencoder, slip(autoencoder_vjp, "dz = dh * h", "dz = h"), (normal(4, 3), normal(3, 3), normal(3), normal(3)), r"`dh`|`g`|incoming|g @ w|cotangent"),
]  # fmt: skip


# ---- losses and statistics -----------------------------------------------------------------------------------------------


def gaussian_kl(m1, l1, m2, l2):
    return 0.5 * (l2 - l1 + (np.exp(l1) + (m1 - m2) ** 2) / np.exp(l2) - 1).sum()


def gaussian_kl_vjp(g, m1, l1, m2, l2):
    d = m1 - m2
    v = np.exp(l2)
    dm1 = g * d / v
    dm2 = -dm1
    dl1 = 0.5 * g * (np.exp(l1) / v - 1)
    dl2 = 0.5 * g * (1 - (np.exp(l1) + d**2) / v)
    return dm1, dl1, dm2, dl2


def mixture(x, a, m, s):
    z = (x[:, None] - m) / s
    return np.log((softmax(a) * np.exp(-0.5 * z**2) / s).sum(axis=1)).sum()


def mixture_vjp(g, x, a, m, s):
    z = (x[:, None] - m) / s
    p = softmax(a) * np.exp(-0.5 * z**2) / s
    r = p / p.sum(axis=1, keepdims=True)
    dx = -g * (r * z / s).sum(axis=1)
    da = g * (r - softmax(a)).sum(axis=0)
    dm = g * (r * z / s).sum(axis=0)
    ds = g * (r * (z**2 - 1) / s).sum(axis=0)
    return dx, da, dm, ds


COUNTS = np.array([0.0, 3.0, 0.0, 1.0, 2.0])


def zero_inflated(rate, p):
    zero = np.log(p + (1 - p) * np.exp(-rate))
    more = np.log(1 - p) - rate + COUNTS * np.log(rate)
    return -np.where(COUNTS == 0, zero, more).sum()


def zero_inflated_vjp(g, rate, p):
    e = np.exp(-rate)
    q = p + (1 - p) * e
    drate = np.where(COUNTS == 0, (1 - p) * e / q, 1 - COUNTS / rate)
    dp = np.where(COUNTS == 0, (e - 1) / q, 1 / (1 - p))
    return g * drate, g * dp


EVENT = np.array([1.0, 0.0, 1.0, 1.0, 0.0])


def cox(t):
    risk = np.cumsum(np.exp(t)[::-1])[::-1]
    return -(EVENT * (t - np.log(risk))).sum()


def cox_vjp(g, t):
    e = np.exp(t)
    risk = np.cumsum(e[::-1])[::-1]
    w = EVENT / risk
    return (-g * (EVENT - e * np.cumsum(w)),)


def chain_field(x, a):
    s = x[0]
    for t in range(1, len(x)):
        s = x[t] + np.log(np.exp(s[:, None] + a).sum(axis=0))
    return np.log(np.exp(s).sum())


def chain_field_vjp(g, x, a):
    ss = [x[0]]
    for t in range(1, len(x)):
        ss.append(x[t] + np.log(np.exp(ss[-1][:, None] + a).sum(axis=0)))
    dx, da = np.zeros_like(x), np.zeros_like(a)
    ds = g * softmax(ss[-1])
    for t in reversed(range(1, len(x))):
        dx[t] = ds
        w = np.exp(ss[t - 1][:, None] + a)
        w = w / w.sum(axis=0) * ds
        da += w
        ds = w.sum(axis=1)
    dx[0] = ds
    return dx, da


USERS = np.array([0, 1, 0])
LIKED = np.array([1, 1, 2])
OTHER = np.array([0, 2, 1])


def preference(u, v):
    d = (u[USERS] * (v[LIKED] - v[OTHER])).sum(axis=1)
    return np.log(1 + np.exp(-d)).sum()


def preference_vjp(g, u, v):
    d = (u[USERS] * (v[LIKED] - v[OTHER])).sum(axis=1)
    s = -g * sigmoid(-d)[:, None]
    du, dv = np.zeros_like(u), np.zeros_like(v)
    np.add.at(du, USERS, s * (v[LIKED] - v[OTHER]))
    np.add.at(dv, LIKED, s * u[USERS])
    np.add.at(dv, OTHER, -s * u[USERS])
    return du, dv


GRADES = np.array([0, 2, 1, 1])


def ordinal(f, cuts):
    edges = np.concatenate([[-20.0], cuts, [20.0]])
    p = sigmoid(edges[GRADES + 1] - f) - sigmoid(edges[GRADES] - f)
    return -np.log(p).mean()


def ordinal_vjp(g, f, cuts):
    edges = np.concatenate([[-20.0], cuts, [20.0]])
    high, low = sigmoid(edges[GRADES + 1] - f), sigmoid(edges[GRADES] - f)
    dp = -g / (high - low) / len(f)
    dhigh = dp * high * (1 - high)
    dlow = -dp * low * (1 - low)
    dedges = np.zeros(4)
    np.add.at(dedges, GRADES + 1, dhigh)
    np.add.at(dedges, GRADES, dlow)
    return -(dhigh + dlow), dedges[1:-1]


def biweight(r):
    u = 1 - (r / 1.5) ** 2
    return np.where(np.abs(r) <= 1.5, 0.375 * (1 - u**3), 0.375).sum()


def biweight_vjp(g, r):
    u = 1 - (r / 1.5) ** 2
    return (g * np.where(np.abs(r) <= 1.5, r * u**2, 0),)


def jensen_shannon(p, q):
    m = (p + q) / 2
    return 0.5 * (p * np.log(p / m)).sum() + 0.5 * (q * np.log(q / m)).sum()


def jensen_shannon_vjp(g, p, q):
    m = (p + q) / 2
    dp = 0.5 * g * np.log(p / m)
    dq = 0.5 * g * np.log(q / m)
    return dp, dq


FACES = np.array([1, 3, 0])


def angular_margin(c):
    t = c.copy()
    t[np.arange(3), FACES] = np.cos(np.arccos(c[np.arange(3), FACES]) + 0.3)
    return -np.log(softmax(4.0 * t)[np.arange(3), FACES]).mean()


def angular_margin_vjp(g, c):
    rows = np.arange(3)
    t = c.copy()
    t[rows, FACES] = np.cos(np.arccos(c[rows, FACES]) + 0.3)
    dt = softmax(4.0 * t)
    dt[rows, FACES] -= 1
    dt *= 4.0 * g / 3
    own = c[rows, FACES]
    slope = np.sin(np.arccos(own) + 0.3) / np.sqrt(1 - own**2)
    dt[rows, FACES] *= slope
    return (dt,)


def trimmed(x):
    return np.sort(x)[1:-1].mean()


def trimmed_vjp(g, x):
    order = np.argsort(x)
    d = np.zeros_like(x)
    d[order[1:-1]] = g / (len(x) - 2)
    return (d,)


def gini(x):
    n = len(x)
    w = 2 * np.arange(1, n + 1) - n - 1
    return (w * np.sort(x)).sum() / (n * x.sum())


def gini_vjp(g, x):
    n = len(x)
    w = 2 * np.arange(1, n + 1) - n - 1
    order = np.argsort(x)
    s = x[order]
    ds = g * (w / s.sum() - (w * s).sum() / s.sum() ** 2) / n
    dx = np.zeros_like(x)
    dx[order] = ds
    return (dx,)


TEACHER = normal(3, 4)


def distilled(z):
    q = softmax(TEACHER / 3.0)
    return 9.0 * (q * (np.log(q) - np.log(softmax(z / 3.0)))).sum() / len(z)


def distilled_vjp(g, z):
    q = softmax(TEACHER / 3.0)
    p = softmax(z / 3.0)
    return (9.0 * g * (p - q) / 3.0 / len(z),)


CHOSEN = np.array([2, 0, 1])
ADVANTAGE = np.array([0.7, -1.2, 0.4])


def actor(z):
    p = softmax(z)
    entropy = -(p * np.log(p)).sum(axis=1)
    return -(ADVANTAGE * np.log(p[np.arange(3), CHOSEN]) + 0.1 * entropy).mean()


def actor_vjp(g, z):
    p = softmax(z)
    entropy = -(p * np.log(p)).sum(axis=1, keepdims=True)
    d = ADVANTAGE[:, None] * (p - np.eye(4)[CHOSEN])
    d += 0.1 * p * (np.log(p) + entropy)
    return (g * d / len(z),)


def moments(x):
    return x.mean(axis=0), x.var(axis=0, ddof=1)


def moments_vjp(g, x):
    gm, gv = g
    n = len(x)
    return (gm / n + gv * 2 * (x - x.mean(axis=0)) / (n - 1),)


SEGMENT = np.array([0, 2, 0, 1, 2, 2])
MEMBERS = np.bincount(SEGMENT)


def segment_mean(x):
    total = np.zeros((3, 2))
    np.add.at(total, SEGMENT, x)
    return total / MEMBERS[:, None]


def segment_mean_vjp(g, x):
    return ((g / MEMBERS[:, None])[SEGMENT],)


UNEQUAL = (np.array([0.9, 0.4, 1.7, 0.6, 1.2]),)
GAUSSIANS = (normal(4), normal(4) / 2, normal(4), normal(4) / 2)
MIXTURE = (normal(5), normal(2), normal(2), positive(2))
ZEROS = (positive(5), np.array([0.2, 0.4, 0.3, 0.1, 0.25]))
FIELD = (normal(4, 3), normal(3, 3))
RANKED = (normal(2, 3), normal(3, 3))
GRADED = (normal(4), np.array([-0.6, 0.9]))
RESIDUALS = (np.array([0.3, -1.1, 2.4, 0.8, -1.9]),)
SHARES = (np.array([0.1, 0.5, 0.4]), np.array([0.3, 0.2, 0.5]))
COSINES = (np.array([[0.3, 0.5, -0.2, 0.1], [-0.4, 0.2, 0.6, 0.35], [0.15, -0.5, 0.4, 0.7]]),)
LOSSES = [
    Mistake("gaussian kl: logarithm of the deviation", gaussian_kl, slip(gaussian_kl_vjp, "np.exp(l2)", "np.exp(2 * l2)"), GAUSSIANS, r"\b2\b|np\.exp|`v`"),
    Mistake("gaussian kl: dl2 without the means", gaussian_kl, slip(gaussian_kl_vjp, "(np.exp(l1) + d**2) / v", "np.exp(l1) / v"), GAUSSIANS, r"\*\* ?2|term|path|m1 - m2|held constant|`d"),
    Mistake("gaussian kl: the logarithm's own term", gaussian_kl, slip(gaussian_kl_vjp, "(np.exp(l1) / v - 1)", "(np.exp(l1) / v)"), GAUSSIANS, r"- 1|path|term|held constant|l2 - l1"),
    Mistake("mixture: not normalised", mixture, slip(mixture_vjp, "r = p / p.sum(axis=1, keepdims=True)", "r = p"), MIXTURE, r"log|divi|normal|p\.sum"),
    Mistake("mixture: softmax of the weights forgotten", mixture, slip(mixture_vjp, "(r - softmax(a))", "r"), MIXTURE, r"softmax|term|path|between elements"),
    Mistake("mixture: ds of the square alone", mixture, slip(mixture_vjp, "(z**2 - 1)", "z**2"), MIXTURE, r"- 1|/ s|term|path|held constant"),
    Mistake("mixture: normalised over the points", mixture, slip(mixture_vjp, "p.sum(axis=1, keepdims=True)", "p.sum(axis=0, keepdims=True)"), MIXTURE, r"axis"),
    Mistake("zero inflated: exp forgotten in dp", zero_inflated, slip(zero_inflated_vjp, "(e - 1) / q", "-1 / q"), ZEROS, r"exp|`e`|term|path|held constant"),
    Mistake("zero inflated: log left out", zero_inflated, slip(zero_inflated_vjp, "(1 - p) * e / q", "(1 - p) * e"), ZEROS, r"log|`q`|divi|1 - p"),
    Mistake("zero inflated: count not divided, exp squared", zero_inflated, slip(zero_inflated_vjp, "COUNTS / rate", "COUNTS", "(1 - p) * e / q", "(1 - p) * e**2 / q"), ZEROS, r"`?rate`?|divi|log|exp|`e`|power"),
    Mistake("cox: censored, too", cox, slip(cox_vjp, "EVENT / risk", "1 / risk"), (normal(5),), r"EVENT|mask"),
    Mistake("cox: own time alone", cox, slip(cox_vjp, "np.cumsum(w)", "w"), (normal(5),), r"cumsum|diagonal|between elements|sum"),
    Mistake("chain field: wrong axis in the weights", chain_field, slip(chain_field_vjp, "w / w.sum(axis=0) * ds", "w / w.sum(axis=1) * ds"), FIELD, r"axis"),
    Mistake("chain field: score of the new place", chain_field, slip(chain_field_vjp, "ss[t - 1][:, None]", "ss[t][:, None]"), FIELD, r"turn|step|ss\[t - 1\]|place after"),
    Mistake("chain field: last transition only", chain_field, slip(chain_field_vjp, "da += w", "da = w"), FIELD, r"overwrit|assign|added|turn"),
    Mistake("chain field: softmax forgotten, wrong axis", chain_field, slip(chain_field_vjp, "g * softmax(ss[-1])", "g * np.ones(3)", "ds = w.sum(axis=1)", "ds = w.sum(axis=0)"), FIELD, r"softmax|log|exp|axis"),
    Mistake("preference: sigmoid of d", preference, slip(preference_vjp, "sigmoid(-d)", "sigmoid(d)"), RANKED, r"sign|sigmoid|-d"),
    Mistake("preference: other forgotten for the user", preference, slip(preference_vjp, "s * (v[LIKED] - v[OTHER])", "s * v[LIKED]"), RANKED, r"OTHER|term|path"),
    Mistake("preference: other forgotten, sigmoid'", preference, slip(preference_vjp, "    np.add.at(dv, OTHER, -s * u[USERS])\n", "", "sigmoid(-d)", "sigmoid(-d) * sigmoid(d)"), RANKED, r"OTHER|term|path|sigmoid"),
    Mistake("ordinal: thresholds shifted", ordinal, slip(ordinal_vjp, "dedges[1:-1]", "dedges[:2]"), GRADED, r"off|index|shift|slice|\[1:-1\]|place"),
    Mistake("ordinal: lower threshold forgotten", ordinal, slip(ordinal_vjp, "    np.add.at(dedges, GRADES, dlow)\n", ""), GRADED, r"path|term|edges\[GRADES\]|held constant|dlow"),
    Mistake("biweight: cubed", biweight, slip(biweight_vjp, "u**2", "u**3"), RESIDUALS, r"power|exponent|\*\*|squar|cube|`u`"),
    Mistake("biweight: outliers, too", biweight, slip(biweight_vjp, "np.where(np.abs(r) <= 1.5, r * u**2, 0)", "r * u**2"), RESIDUALS, r"mask|where|branch"),
    Mistake("jensen shannon: 1 too many", jensen_shannon, slip(jensen_shannon_vjp, "np.log(p / m)", "(np.log(p / m) + 1)"), SHARES, r"\+ 1|`m`|held constant|path|p \+ q|term"),
    Mistake("jensen shannon: the other for the middle", jensen_shannon, slip(jensen_shannon_vjp, "np.log(p / m)", "np.log(p / q)"), SHARES, r"`m`|\(p \+ q\)|`q`"),
    Mistake("angular: margin forgotten", angular_margin, slip(angular_margin_vjp, "    dt[rows, FACES] *= slope\n", ""), COSINES, r"margin|arccos|slope|cos"),
    Mistake("angular: scale forgotten", angular_margin, slip(angular_margin_vjp, "4.0 * g / 3", "g / 3"), COSINES, r"\b4(\.0)?\b"),
    Mistake("angular: slope for all classes", angular_margin, slip(angular_margin_vjp, "dt[rows, FACES] *= slope", "dt *= slope[:, None]"), COSINES, r"FACES|slope|arccos|class|elements"),
    Mistake("trimmed: divided by all", trimmed, slip(trimmed_vjp, "(len(x) - 2)", "len(x)"), (normal(6),), r"len|count|\b4\b|\b6\b|mean|divi|1\.5"),
    Mistake("trimmed: in the order of the places", trimmed, slip(trimmed_vjp, "d[order[1:-1]]", "d[1:-1]"), (normal(6),), r"sort|order"),
    Mistake("gini: the inverse order", gini, slip(gini_vjp, "dx[order] = ds", "dx = ds[order]"), UNEQUAL, r"order|sort|invers|permut"),
    Mistake("gini: sum a constant", gini, slip(gini_vjp, "(w / s.sum() - (w * s).sum() / s.sum() ** 2)", "(w / s.sum())"), UNEQUAL, r"held constant|\.sum\(\)|path|term"),
    Mistake("gini: order and count", gini, slip(gini_vjp, "dx[order] = ds", "dx = ds[order]", "** 2) / n", "** 2)"), UNEQUAL, r"order|sort|`n`|\b5\b"),
    Mistake("distilled: temperature forgotten", distilled, slip(distilled_vjp, "(p - q) / 3.0", "(p - q)"), (normal(3, 4),), r"\b3(\.0)?\b"),
    Mistake("distilled: student without temperature", distilled, slip(distilled_vjp, "softmax(z / 3.0)", "softmax(z)"), (normal(3, 4),), r"\b3(\.0)?\b|temperature"),
    Mistake("actor: entropy's mean forgotten", actor, slip(actor_vjp, "(np.log(p) + entropy)", "np.log(p)"), (normal(3, 4),), r"entropy|sum|between elements|softmax|term"),
    Mistake("actor: advantage on the choice alone", actor, slip(actor_vjp, "ADVANTAGE[:, None] * (p - np.eye(4)[CHOSEN])", "p - ADVANTAGE[:, None] * np.eye(4)[CHOSEN]"), (normal(3, 4),), r"ADVANTAGE"),
    Mistake("moments: gradients exchanged", moments, slip(moments_vjp, "gm, gv = g", "gv, gm = g"), (normal(4, 2),), r"exchang|order|swap"),
    Mistake("segment: divided by all", segment_mean, slip(segment_mean_vjp, "(g / MEMBERS[:, None])[SEGMENT]", "g[SEGMENT] / len(x)"), (normal(6, 2),), r"MEMBERS|count|len|\b6\b"),
    Mistake("segment: sorted", segment_mean, slip(segment_mean_vjp, ")[SEGMENT]", ")[np.sort(SEGMENT)]"), (normal(6, 2),), r"order|sort|SEGMENT"),
]  # fmt: skip


# ---- matrices, signals and physics -----------------------------------------------------------------------------------------


def cholesky(a):
    return np.linalg.cholesky(a @ a.T + np.eye(3))


def cholesky_vjp(g, a):
    lower = np.linalg.cholesky(a @ a.T + np.eye(3))
    p = np.tril(lower.T @ g)
    p -= 0.5 * np.diag(np.diag(p))
    back = np.linalg.inv(lower)
    s = back.T @ p @ back
    return ((s + s.T) @ a,)


def normal_density(x, m, low):
    z = np.linalg.solve(low, x - m)
    return -0.5 * (z * z).sum() - np.log(np.diag(low)).sum()


def normal_density_vjp(g, x, m, low):
    z = np.linalg.solve(low, x - m)
    y = np.linalg.solve(low.T, z)
    dl = np.outer(y, z) - np.diag(1 / np.diag(low))
    return -g * y, g * y, g * dl


def cube(a):
    return a @ a @ a


def cube_vjp(g, a):
    t = a.T
    return (g @ t @ t + t @ g @ t + t @ t @ g,)


def matrix_root(s):
    n = np.trace(s)
    a = s / n
    return 0.5 * a @ (3 * np.eye(3) - a) * np.sqrt(n)


def matrix_root_vjp(g, s):
    n = np.trace(s)
    a = s / n
    y = 0.5 * a @ (3 * np.eye(3) - a)
    dy = g * np.sqrt(n)
    dn = 0.5 * (g * y).sum() / np.sqrt(n)
    da = 0.5 * (dy @ (3 * np.eye(3) - a).T - a.T @ dy)
    dn -= (da * s).sum() / n**2
    return (da / n + dn * np.eye(3),)


def modes(a):
    return np.linalg.eigvalsh(a + a.T)


def modes_vjp(g, a):
    _, v = np.linalg.eigh(a + a.T)
    return (2 * v @ np.diag(g) @ v.T,)


def kronecker(a, b):
    return np.kron(a, b)


def kronecker_vjp(g, a, b):
    blocks = g.reshape(2, 2, 2, 3)
    return np.einsum("ikjl,kl->ij", blocks, b), np.einsum("ikjl,ij->kl", blocks, a)


def substitution(low, b):
    x = np.zeros_like(b)
    for i in range(len(b)):
        x[i] = (b[i] - low[i, :i] @ x[:i]) / low[i, i]
    return x


def substitution_vjp(g, low, b):
    x = substitution(low, b)
    dx, dl, db = g.copy(), np.zeros_like(low), np.zeros_like(b)
    for i in reversed(range(len(b))):
        db[i] = dx[i] / low[i, i]
        dl[i, :i] -= db[i] * x[:i]
        dl[i, i] -= db[i] * x[i]
        dx[:i] -= db[i] * low[i, :i]
    return dl, db


def ridge_fit(x, y):
    return np.linalg.solve(x.T @ x + 0.5 * np.eye(2), x.T @ y)


def ridge_fit_vjp(g, x, y):
    a = x.T @ x + 0.5 * np.eye(2)
    w = np.linalg.solve(a, x.T @ y)
    u = np.linalg.solve(a, g)
    dx = np.outer(y, u) - x @ (np.outer(u, w) + np.outer(w, u))
    return dx, x @ u


def sinkhorn(c):
    k = np.exp(-c)
    for _ in range(2):
        k = k / k.sum(axis=1, keepdims=True)
        k = k / k.sum(axis=0, keepdims=True)
    return k


def sinkhorn_vjp(g, c):
    steps = [np.exp(-c)]
    for t in range(4):
        steps.append(steps[-1] / steps[-1].sum(axis=(t + 1) % 2, keepdims=True))
    d = g
    for t in reversed(range(4)):
        axis = (t + 1) % 2
        s = steps[t].sum(axis=axis, keepdims=True)
        d = d / s - (d * steps[t]).sum(axis=axis, keepdims=True) / s**2
    return (-d * steps[0],)


def power_iteration(a, v):
    for _ in range(2):
        v = a @ v
        v = v / np.sqrt((v * v).sum())
    return v


def power_iteration_vjp(g, a, v):
    us, vs = [], [v]
    for _ in range(2):
        us.append(a @ vs[-1])
        vs.append(us[-1] / np.sqrt((us[-1] ** 2).sum()))
    da, dv = np.zeros_like(a), g
    for t in reversed(range(2)):
        n = np.sqrt((us[t] ** 2).sum())
        du = (dv - vs[t + 1] * (vs[t + 1] @ dv)) / n
        da += np.outer(du, vs[t])
        dv = a.T @ du
    return da, dv


def fft_conv(x, k):
    return np.fft.irfft(np.fft.rfft(x) * np.fft.rfft(k), n=6)


def fft_conv_vjp(g, x, k):
    f = np.fft.rfft(g)
    dx = np.fft.irfft(f * np.conj(np.fft.rfft(k)), n=6)
    dk = np.fft.irfft(f * np.conj(np.fft.rfft(x)), n=6)
    return dx, dk


def spectrum(x):
    f = np.fft.rfft(x)
    return f.real**2 + f.imag**2


def spectrum_vjp(g, x):
    w = np.array([2.0, 1.0, 1.0, 2.0])
    return (6 * np.fft.irfft(w * g * np.fft.rfft(x), n=6),)


def grid_sample(image, u, v):
    H, W = image.shape
    x, y = (u + 1) / 2 * (W - 1), (v + 1) / 2 * (H - 1)
    i, j = np.floor(y).astype(int), np.floor(x).astype(int)
    a, b = y - i, x - j
    top = (1 - b) * image[i, j] + b * image[i, j + 1]
    low = (1 - b) * image[i + 1, j] + b * image[i + 1, j + 1]
    return (1 - a) * top + a * low


def grid_sample_vjp(g, image, u, v):
    H, W = image.shape
    x, y = (u + 1) / 2 * (W - 1), (v + 1) / 2 * (H - 1)
    i, j = np.floor(y).astype(int), np.floor(x).astype(int)
    a, b = y - i, x - j
    d = np.zeros_like(image)
    np.add.at(d, (i, j), g * (1 - a) * (1 - b))
    np.add.at(d, (i, j + 1), g * (1 - a) * b)
    np.add.at(d, (i + 1, j), g * a * (1 - b))
    np.add.at(d, (i + 1, j + 1), g * a * b)
    right = (1 - a) * (image[i, j + 1] - image[i, j]) + a * (image[i + 1, j + 1] - image[i + 1, j])
    down = (1 - b) * (image[i + 1, j] - image[i, j]) + b * (image[i + 1, j + 1] - image[i, j + 1])
    du = g * right * (W - 1) / 2
    dv = g * down * (H - 1) / 2
    return d, du, dv


def growth_rate(y, r):
    return r * y * (1 - y / 2)


def runge_kutta(y, r):
    k1 = growth_rate(y, r)
    k2 = growth_rate(y + 0.15 * k1, r)
    k3 = growth_rate(y + 0.15 * k2, r)
    k4 = growth_rate(y + 0.3 * k3, r)
    return y + 0.05 * (k1 + 2 * k2 + 2 * k3 + k4)


def runge_kutta_vjp(g, y, r):
    k1 = growth_rate(y, r)
    y2 = y + 0.15 * k1
    y3 = y + 0.15 * growth_rate(y2, r)
    y4 = y + 0.3 * growth_rate(y3, r)
    dk4 = 0.05 * g
    d4 = dk4 * r * (1 - y4)
    dk3 = 0.1 * g + 0.3 * d4
    d3 = dk3 * r * (1 - y3)
    dk2 = 0.1 * g + 0.15 * d3
    d2 = dk2 * r * (1 - y2)
    dk1 = 0.05 * g + 0.15 * d2
    d1 = dk1 * r * (1 - y)
    dr = dk1 * y * (1 - y / 2) + dk2 * y2 * (1 - y2 / 2) + dk3 * y3 * (1 - y3 / 2) + dk4 * y4 * (1 - y4 / 2)
    return g + d1 + d2 + d3 + d4, dr


def heat(u, r):
    u = u.copy()
    for _ in range(3):
        u[1:-1] += r * (u[2:] - 2 * u[1:-1] + u[:-2])
    return u


def heat_vjp(g, u, r):
    us = [u]
    for _ in range(3):
        v = us[-1].copy()
        v[1:-1] += r * (v[2:] - 2 * v[1:-1] + v[:-2])
        us.append(v)
    d, dr = g, 0.0
    for t in reversed(range(3)):
        v = us[t]
        dr += (d[1:-1] * (v[2:] - 2 * v[1:-1] + v[:-2])).sum()
        inner = r * d[1:-1]
        new = d.copy()
        new[2:] += inner
        new[1:-1] -= 2 * inner
        new[:-2] += inner
        d = new
    return d, np.asarray(dr)


def gravity(p, m):
    d = p[None] - p[:, None]
    r2 = (d**2).sum(axis=2, keepdims=True) + 0.1
    return (m[None, :, None] * d / r2**1.5).sum(axis=1)


def gravity_vjp(g, p, m):
    d = p[None] - p[:, None]
    r2 = (d**2).sum(axis=2, keepdims=True) + 0.1
    gm = g[:, None] * m[None, :, None]
    dd = gm / r2**1.5 - 3 * d * (gm * d).sum(axis=2, keepdims=True) / r2**2.5
    dp = dd.sum(axis=0) - dd.sum(axis=1)
    dm = (g[:, None] * d / r2**1.5).sum(axis=(0, 2))
    return dp, dm


def planck(x, t):
    return x**3 / (np.exp(x / t) - 1)


def planck_vjp(g, x, t):
    e = np.exp(x / t)
    n = e - 1
    dx = g * (3 * x**2 / n - x**3 * e / (t * n**2))
    dt = g * x**4 * e / (t**2 * n**2)
    return dx, dt


def kepler(m, e):
    a = m
    for _ in range(8):
        a = a - (a - e * np.sin(a) - m) / (1 - e * np.cos(a))
    return a


def kepler_vjp(g, m, e):
    a = kepler(m, e)
    dm = g / (1 - e * np.cos(a))
    return dm, dm * np.sin(a)


def hill(x, k, n):
    return x**n / (k**n + x**n)


def hill_vjp(g, x, k, n):
    y = x**n / (k**n + x**n)
    dx = g * n * y * (1 - y) / x
    dk = -g * n * y * (1 - y) / k
    dn = g * y * (1 - y) * np.log(x / k)
    return dx, dk, dn


def epidemic(s, i, beta, gamma):
    for _ in range(3):
        new = 0.1 * beta * s * i
        s, i = s - new, i + new - 0.1 * gamma * i
    return s, i


def epidemic_vjp(g, s, i, beta, gamma):
    ds, di = g
    states = [(s, i)]
    for _ in range(3):
        new = 0.1 * beta * s * i
        s, i = s - new, i + new - 0.1 * gamma * i
        states.append((s, i))
    dbeta, dgamma = np.zeros_like(beta), np.zeros_like(gamma)
    for s, i in reversed(states[:-1]):
        dnew = di - ds
        dbeta += 0.1 * dnew * s * i
        dgamma -= 0.1 * di * i
        ds = ds + 0.1 * beta * dnew * i
        di = di * (1 - 0.1 * gamma) + 0.1 * beta * dnew * s
    return ds, di, dbeta, dgamma


def recursive_filter(x, a, b):
    y = np.zeros_like(x)
    for t in range(len(x)):
        y[t] = b[0] * x[t]
        if t > 0:
            y[t] += b[1] * x[t - 1] - a * y[t - 1]
    return y


def recursive_filter_vjp(g, x, a, b):
    y = recursive_filter(x, a, b)
    dx, da, db, dy = np.zeros_like(x), np.zeros_like(a), np.zeros_like(b), g.copy()
    for t in reversed(range(len(x))):
        dx[t] += b[0] * dy[t]
        db[0] += dy[t] * x[t]
        if t > 0:
            dx[t - 1] += b[1] * dy[t]
            db[1] += dy[t] * x[t - 1]
            dy[t - 1] -= a * dy[t]
            da -= dy[t] * y[t - 1]
    return dx, da, db


def running_max(x):
    return np.maximum.accumulate(x)


def running_max_vjp(g, x):
    d = np.zeros_like(x)
    best = 0
    for t in range(len(x)):
        if x[t] > x[best]:
            best = t
        d[best] += g[t]
    return (d,)


def sinc(x):
    return np.sin(x) / x


def sinc_vjp(g, x):
    return (g * (np.cos(x) / x - np.sin(x) / x**2),)


def refraction(t, n):
    return np.arcsin(np.sin(t) / n)


def refraction_vjp(g, t, n):
    u = np.sin(t) / n
    d = g / np.sqrt(1 - u**2)
    return d * np.cos(t) / n, -d * u / n


def curvature(x):
    return (np.diff(x, n=2) ** 2).sum()


def curvature_vjp(g, x):
    c = 2 * g * np.diff(x, n=2)
    d = np.zeros_like(x)
    d[:-2] += c
    d[1:-1] -= 2 * c
    d[2:] += c
    return (d,)


def smooth_variation(x):
    dy, dx = x[1:, :-1] - x[:-1, :-1], x[:-1, 1:] - x[:-1, :-1]
    return np.sqrt(dx**2 + dy**2 + 0.01).sum()


def smooth_variation_vjp(g, x):
    dy, dx = x[1:, :-1] - x[:-1, :-1], x[:-1, 1:] - x[:-1, :-1]
    n = np.sqrt(dx**2 + dy**2 + 0.01)
    gx, gy = g * dx / n, g * dy / n
    d = np.zeros_like(x)
    d[1:, :-1] += gy
    d[:-1, 1:] += gx
    d[:-1, :-1] -= gx + gy
    return (d,)


def contraction(x, t, y):
    return np.einsum("bi,ijk,bj->bk", x, t, y)


def contraction_vjp(g, x, t, y):
    dx = np.einsum("bk,ijk,bj->bi", g, t, y)
    dt = np.einsum("bi,bj,bk->ijk", x, y, g)
    dy = np.einsum("bk,ijk,bi->bj", g, t, x)
    return dx, dt, dy


LOWER = np.array([[1.3, 0.0, 0.0], [0.4, 0.9, 0.0], [-0.7, 0.2, 1.6]])
DENSITY = (normal(3), normal(3), LOWER)
ORBIT = (np.array([0.4, 1.3, 2.6]), np.array([0.1, 0.3, 0.25]))
SAMPLED = (normal(3, 4), np.array([-0.6, 0.1, 0.75]), np.array([0.35, -0.45, 0.6]))
SICK = (positive(3), positive(3), positive(3), positive(3))
STEPPED = (positive(3), positive(3))
ROD = (normal(6), np.array(0.3))
HILL = (positive(4), positive(4), positive(4))
SCIENCE = [
    Mistake("cholesky: diagonal not halved", cholesky, slip(cholesky_vjp, "    p -= 0.5 * np.diag(np.diag(p))\n", ""), (normal(3, 3),), r"0\.5|half|halv|diag"),
    Mistake("cholesky: one factor of a", cholesky, slip(cholesky_vjp, "(s + s.T) @ a", "s @ a"), (normal(3, 3),), r"transpos|symmet|s\.T|path|twice|term"),
    Mistake("cholesky: inverse on the wrong side", cholesky, slip(cholesky_vjp, "back.T @ p @ back", "back @ p @ back.T"), (normal(3, 3),), r"transpos|\.T|order"),
    Mistake("density: outer transposed", normal_density, slip(normal_density_vjp, "np.outer(y, z)", "np.outer(z, y)"), DENSITY, r"transpos|order|outer|exchang"),
    Mistake("density: determinant forgotten", normal_density, slip(normal_density_vjp, " - np.diag(1 / np.diag(low))", ""), DENSITY, r"log|diag|term|path|held constant"),
    Mistake("density: solved with l", normal_density, slip(normal_density_vjp, "solve(low.T, z)", "solve(low, z)"), DENSITY, r"transpos|low\.T"),
    Mistake("cube: as of numbers", cube, slip(cube_vjp, "g @ t @ t + t @ g @ t + t @ t @ g", "3 * t @ t @ g"), (normal(3, 3),), r"order|term|commut|path|\b3\b"),
    Mistake("matrix root: transposed at the end", matrix_root, slip(matrix_root_vjp, "da / n +", "da.T / n +"), (normal(3, 3) + 2 * np.eye(3),), r"transpos|\.T"),
    Mistake("matrix root: trace a constant", matrix_root, slip(matrix_root_vjp, "    dn -= (da * s).sum() / n**2\n", ""), (normal(3, 3) + 2 * np.eye(3),), r"trace|held constant|path|term|norm"),
    Mistake("matrix root: order of the factors, half of the root", matrix_root, slip(matrix_root_vjp, "- a.T @ dy", "- dy @ a.T", "dn = 0.5 *", "dn ="), (normal(3, 3) + 2 * np.eye(3),), r"order|transpos|commut|0\.5|\b2\b|a\.T"),
    Mistake("modes: vectors transposed", modes, slip(modes_vjp, "v @ np.diag(g) @ v.T", "v.T @ np.diag(g) @ v"), (normal(3, 3),), r"transpos|order|v\.T"),
    Mistake("kronecker: axes of the blocks", kronecker, slip(kronecker_vjp, "ikjl,kl->ij", "ijkl,kl->ij"), (normal(2, 2), normal(2, 3)), r"axes|order|transpos|einsum|exchang"),
    Mistake("substitution: diagonal not divided", substitution, slip(substitution_vjp, "dl[i, i] -= db[i] * x[i]", "dl[i, i] -= dx[i] * x[i]"), (LOWER, normal(3)), r"low\[i, i\]|divi|`db"),
    Mistake("substitution: same order as forward", substitution, slip(substitution_vjp, "reversed(range(len(b)))", "range(len(b))"), (LOWER, normal(3)), r"revers|order|direction|last"),
    Mistake("ridge fit: x in the inverse forgotten", ridge_fit, slip(ridge_fit_vjp, " - x @ (np.outer(u, w) + np.outer(w, u))", ""), (normal(4, 2), normal(4)), r"held constant|path|x\.T @ x|term"),
    Mistake("ridge fit: one of the two", ridge_fit, slip(ridge_fit_vjp, "(np.outer(u, w) + np.outer(w, u))", "np.outer(u, w)"), (normal(4, 2), normal(4)), r"term|symmet|path|transpos|x\.T|held constant"),
    Mistake("ridge fit: penalty left out of the backward", ridge_fit, slip(ridge_fit_vjp, "x.T @ x + 0.5 * np.eye(2)", "x.T @ x"), (normal(4, 2), normal(4)), r"0\.5|np\.eye"),
    Mistake("sinkhorn: sums constant", sinkhorn, slip(sinkhorn_vjp, "d = d / s - (d * steps[t]).sum(axis=axis, keepdims=True) / s**2", "d = d / s"), (normal(3, 3),), r"sum|held constant|path|normal|term"),
    Mistake("power iteration: length constant", power_iteration, slip(power_iteration_vjp, "(dv - vs[t + 1] * (vs[t + 1] @ dv)) / n", "dv / n"), (normal(3, 3), normal(3)), r"norm|held constant|sqrt|path|term"),
    Mistake("power iteration: outer transposed", power_iteration, slip(power_iteration_vjp, "np.outer(du, vs[t])", "np.outer(vs[t], du)"), (normal(3, 3), normal(3)), r"transpos|order|exchang|outer"),
    Mistake("fft: not conjugated", fft_conv, slip(fft_conv_vjp, "np.conj(np.fft.rfft(k))", "np.fft.rfft(k)"), (normal(6), normal(6)), r"conj|revers|direction|flip"),
    Mistake("fft: dk conjugated the wrong way", fft_conv, slip(fft_conv_vjp, "f * np.conj(np.fft.rfft(x))", "np.conj(f) * np.fft.rfft(x)"), (normal(6), normal(6)), r"conj|revers|direction|flip"),
    Mistake("spectrum: length forgotten", spectrum, slip(spectrum_vjp, "6 * np", "np"), (normal(6),), r"\b6\b|times too small"),
    Mistake("spectrum: ends not doubled", spectrum, slip(spectrum_vjp, "[2.0, 1.0, 1.0, 2.0]", "[1.0, 1.0, 1.0, 1.0]"), (normal(6),), r"\b2\b|doubl|twice|half|first|ends"),
    Mistake("grid: corners aligned otherwise", grid_sample, slip(grid_sample_vjp, "right * (W - 1) / 2", "right * W / 2"), SAMPLED, r"W - 1|shape|1\.5|\b3\b|\b4\b|factor"),
    Mistake("grid: down and right exchanged", grid_sample, slip(grid_sample_vjp, "return d, du, dv", "return d, dv, du"), SAMPLED, r"exchang|swap|order"),
    Mistake("grid: weights of a corner", grid_sample, slip(grid_sample_vjp, "(i + 1, j), g * a * (1 - b)", "(i + 1, j), g * (1 - a) * b"), SAMPLED, r"corner|a \* \(1 - b\)|weight|exchang|1 - b|1 - a"),
    Mistake("runge kutta: half step for the last", runge_kutta, slip(runge_kutta_vjp, "0.3 * d4", "0.15 * d4"), STEPPED, r"0\.3|0\.15|\b2\b"),
    Mistake("runge kutta: third stage forgotten", runge_kutta, slip(runge_kutta_vjp, "dk2 = 0.1 * g + 0.15 * d3", "dk2 = 0.1 * g"), STEPPED, r"path|held constant|term|d3"),
    Mistake("runge kutta: slope at the start", runge_kutta, slip(runge_kutta_vjp, "d3 = dk3 * r * (1 - y3)", "d3 = dk3 * r * (1 - y)"), STEPPED, r"y3|`y`|y \+ 0\.15"),
    Mistake("heat: r of the step after", heat, slip(heat_vjp, "v = us[t]", "v = us[t + 1]"), ROD, r"turn|after|us\[t\]|step"),
    Mistake("heat: left neighbour forgotten", heat, slip(heat_vjp, "        new[:-2] += inner\n", ""), ROD, r"path|term|:-2|neighbour|held constant"),
    Mistake("heat: ends lost", heat, slip(heat_vjp, "new = d.copy()", "new = np.zeros_like(d)\n        new[1:-1] = d[1:-1]"), ROD, r"path|end|border|edge|first|term|held constant|1:-1"),
    Mistake("heat: sign and 2 of the middle", heat, slip(heat_vjp, "new[1:-1] -= 2 * inner", "new[1:-1] += inner"), ROD, r"sign|\b2\b|u\[1:-1\]|new\[1:-1\]"),
    Mistake("gravity: 3 halves", gravity, slip(gravity_vjp, "- 3 * d", "- 1.5 * d"), (normal(3, 2), positive(3)), r"\b2\b|1\.5|\b3\b|half"),
    Mistake("gravity: own place forgotten", gravity, slip(gravity_vjp, "dd.sum(axis=0) - dd.sum(axis=1)", "dd.sum(axis=0)"), (normal(3, 2), positive(3)), r"path|term|held constant|p\[:, None\]"),
    Mistake("gravity: dm of the other body", gravity, slip(gravity_vjp, "axis=(0, 2)", "axis=(1, 2)"), (normal(3, 2), positive(3)), r"axis|axes"),
    Mistake("planck: t of the exponent", planck, slip(planck_vjp, "(t * n**2)", "n**2"), (positive(4), positive(4)), r"`t`"),
    Mistake("kepler: cosine for sine", kepler, slip(kepler_vjp, "dm * np.sin(a)", "dm * np.cos(a)"), ORBIT, r"sin|cos"),
    Mistake("hill: log of x alone", hill, slip(hill_vjp, "np.log(x / k)", "np.log(x)"), HILL, r"`k`|log|term|path|k ?\*\* ?n"),
    Mistake("hill: denominator constant", hill, slip(hill_vjp, "dx = g * n * y * (1 - y) / x", "dx = g * n * y / x"), HILL, r"1 - y|path|held constant|term"),
    Mistake("hill: sign of dk, dx not divided", hill, slip(hill_vjp, "dk = -g", "dk = g", "(1 - y) / x", "(1 - y)"), HILL, r"sign|`x`|divi"),
    Mistake("epidemic: the healthy forgotten", epidemic, slip(epidemic_vjp, "dnew = di - ds", "dnew = di"), SICK, r"`?ds`?|path|term|held constant|s - new"),
    Mistake("epidemic: recovery forgotten", epidemic, slip(epidemic_vjp, "di * (1 - 0.1 * gamma)", "di"), SICK, r"gamma|path|term|held constant"),
    Mistake("epidemic: states of the step after", epidemic, slip(epidemic_vjp, "states[:-1]", "states[1:]"), SICK, r"turn|state|after|step"),
    Mistake("filter: da of the outer gradient", recursive_filter, slip(recursive_filter_vjp, "da -= dy[t] * y", "da -= g[t] * y"), (normal(5), np.array(0.6), normal(2)), r"`dy|path|time|later|held constant|carried"),
    Mistake("filter: da of the input", recursive_filter, slip(recursive_filter_vjp, "da -= dy[t] * y[t - 1]", "da -= dy[t] * x[t - 1]"), (normal(5), np.array(0.6), normal(2)), r"`y|y\[t - 1\]|`x"),
    Mistake("running max: new records only", running_max, slip(running_max_vjp, "d[best] += g[t]", "d[t] += g[t] * (best == t)"), (np.array([0.3, -0.2, 1.1, 0.9, 0.2, 1.4]),), r"maximum|earlier|later|path|best|between elements"),
    Mistake("sinc: sign", sinc, slip(sinc_vjp, "/ x - np", "/ x + np"), (positive(5),), r"sign"),
    Mistake("refraction: root forgotten", refraction, slip(refraction_vjp, "np.sqrt(1 - u**2)", "(1 - u**2)"), (normal(4), positive(4) + 1), r"root|sqrt|power"),
    Mistake("refraction: arctan for arcsin", refraction, slip(refraction_vjp, "np.sqrt(1 - u**2)", "(1 + u**2)"), (normal(4), positive(4) + 1), r"sqrt|root|sign|arcsin|1 - u"),
    Mistake("curvature: middle once", curvature, slip(curvature_vjp, "2 * c\n", "c\n"), (normal(6),), r"\b2\b"),
    Mistake("curvature: square's 2 and a sign", curvature, slip(curvature_vjp, "c = 2 * g", "c = g", "d[1:-1] -=", "d[1:-1] +="), (normal(6),), r"\b2\b|sign"),
    Mistake("variation: corner of the rows alone", smooth_variation, slip(smooth_variation_vjp, "-= gx + gy", "-= gx"), (normal(3, 4),), r"path|term|gy|held constant"),
    Mistake("variation: as if each alone", smooth_variation, slip(smooth_variation_vjp, "g * dx / n", "g * np.sign(dx)"), (normal(3, 4),), r"sqrt|np\.sign|`n`|dx / n|divi"),
    Mistake("contraction: axes exchanged", contraction, slip(contraction_vjp, "bk,ijk,bj->bi", "bk,jik,bj->bi"), (normal(2, 3), normal(3, 3, 2), normal(2, 3)), r"transpos|axes|order|exchang|einsum"),
    Mistake("contraction: dt with the factors exchanged", contraction, slip(contraction_vjp, "x, y, g", "y, x, g"), (normal(2, 3), normal(3, 3, 2), normal(2, 3)), r"exchang|transpos|order|swap|axes"),
]  # fmt: skip


# ---- functions of Tensors with a rule of one's own -------------------------------------------------------------------------


def own(forward, backward):
    """A `Function` of these two."""
    return type("Own", (Function,), {"forward": staticmethod(forward), "backward": staticmethod(backward)}).apply


def root_forward(ctx, x):
    y = x.sqrt()
    ctx.save_for_backward(x, y)
    return y


def root_backward(ctx, g):
    y = ctx.saved_tensors[1]
    return g * 0.5 / y


def in_a_norm(root):
    """Rows of length one, by a root of one's own."""
    return lambda x: x / root((x * x).sum(1, keepdim=True))


def soft_forward(ctx, x):
    e = x.exp()
    p = e / e.sum(1, keepdim=True)
    ctx.save_for_backward(p)
    return p


def soft_backward(ctx, g):
    (p,) = ctx.saved_tensors
    return p * (g - (g * p).sum(1, keepdim=True))


def in_a_layer(soft):
    """A linear layer, then a softmax of one's own."""
    return lambda x, w: soft(x @ w)


LABELS = tg.tensor(np.eye(3)[TARGET], dtype=tg.float64)


def entropy_forward(ctx, z):
    e = z.exp()
    p = e / e.sum(1, keepdim=True)
    ctx.save_for_backward(p)
    return -(LABELS * p.log()).sum() / len(z)


def entropy_backward(ctx, g):
    (p,) = ctx.saved_tensors
    return g * (p - LABELS) / len(p)


def gate_forward(ctx, a, b):
    s = 1 / (1 + (-b).exp())
    ctx.save_for_backward(a, s)
    return a * s


def gate_backward(ctx, g):
    a, s = ctx.saved_tensors
    da = g * s
    db = g * a * s * (1 - s)
    return da, db


def linear_forward(ctx, x, w):
    ctx.save_for_backward(x, w)
    return x @ w


def linear_backward(ctx, g):
    x, w = ctx.saved_tensors
    return g @ w.T, x.T @ g


def used_twice(linear):
    """Two layers that share their weight."""
    return lambda x, w: linear(linear(x, w).tanh(), w)


def scale_forward(ctx, x, s, b):
    ctx.save_for_backward(x, s)
    return x * s + b


def scale_backward(ctx, g):
    x, s = ctx.saved_tensors
    return g * s, (g * x).sum(), g.sum(0)


def tensors(*arrays):
    return tuple(tg.tensor(a, dtype=tg.float64, requires_grad=True) for a in arrays)


OWN = [
    OfTensors("own root: half forgotten", in_a_norm(own(root_forward, slip(root_backward, "g * 0.5 / y", "g / y"))), None, tensors(normal(3, 4)), r"0\.5|\b2\b"),
    OfTensors("own root: of the input", in_a_norm(own(root_forward, slip(root_backward, "[1]", "[0]"))), None, tensors(normal(3, 4)), r"sqrt|`x`|`y`|root"),
    OfTensors("own softmax: axis", in_a_layer(own(soft_forward, slip(soft_backward, ".sum(1, ", ".sum(0, "))), None, tensors(normal(4, 2), normal(2, 3)), r"axis|dim"),
    OfTensors("own softmax: sum forgotten", in_a_layer(own(soft_forward, slip(soft_backward, "(g - (g * p).sum(1, keepdim=True))", "g"))), None, tensors(normal(4, 2), normal(2, 3)), r"between elements|diagonal|sum|term|held constant"),
    OfTensors("own entropy: incoming gradient forgotten", own(entropy_forward, slip(entropy_backward, "g * (p", "(p")), None, tensors(normal(4, 3)), r"`g`|incoming|grad_output|cotangent|upstream"),
    OfTensors("own entropy: labels divided alone", own(entropy_forward, slip(entropy_backward, "(p - LABELS) / len(p)", "(p - LABELS / len(p))")), None, tensors(normal(4, 3)), r"len|\b4\b|divi|mean"),
    OfTensors("own gate: returned in another order", own(gate_forward, slip(gate_backward, "return da, db", "return db, da")), None, tensors(normal(3, 2), normal(3, 2)), r"exchang|order|swap"),
    OfTensors("own linear: w not transposed", used_twice(own(linear_forward, slip(linear_backward, "g @ w.T", "g @ w"))), None, tensors(normal(4, 3), normal(3, 3)), r"transpos|\.T"),
    OfTensors("own linear: both transposed otherwise", used_twice(own(linear_forward, slip(linear_backward, "g @ w.T, x.T @ g", "g @ w, g.T @ x"))), None, tensors(normal(4, 3), normal(3, 3)), r"transpos|\.T"),
    OfTensors("own scale: ds averaged", own(scale_forward, slip(scale_backward, "(g * x).sum()", "(g * x).mean()")), None, tensors(normal(3, 2), np.array(1.7), normal(2)), r"mean|averag|\b6\b"),
    OfTensors("own scale: ds of the incoming gradient", own(scale_forward, slip(scale_backward, "(g * x).sum()", "g.sum()")), None, tensors(normal(3, 2), np.array(1.7), normal(2)), r"`x`"),
]  # fmt: skip

TABLES = [*NETWORKS, *LOSSES, *SCIENCE]
RIGHT = [
    (f, v, next(m.inputs for m in TABLES if m.function is f))
    for f, v in (
        (svm_loss, svm_loss_vjp), (two_layer, two_layer_vjp), (lstm_step, lstm_step_vjp),
        (additive_attention, additive_attention_vjp), (relative_bias, relative_bias_vjp), (packed_qkv, packed_qkv_vjp),
        (multi_query, multi_query_vjp), (bidirectional, bidirectional_vjp), (tied_model, tied_model_vjp),
        (siamese, siamese_vjp), (autoencoder, autoencoder_vjp), (gaussian_kl, gaussian_kl_vjp),
        (mixture, mixture_vjp), (zero_inflated, zero_inflated_vjp), (cox, cox_vjp), (chain_field, chain_field_vjp),
        (preference, preference_vjp), (ordinal, ordinal_vjp), (biweight, biweight_vjp),
        (jensen_shannon, jensen_shannon_vjp), (angular_margin, angular_margin_vjp), (trimmed, trimmed_vjp),
        (gini, gini_vjp), (distilled, distilled_vjp), (actor, actor_vjp), (moments, moments_vjp),
        (segment_mean, segment_mean_vjp), (cholesky, cholesky_vjp), (normal_density, normal_density_vjp),
        (cube, cube_vjp), (matrix_root, matrix_root_vjp), (modes, modes_vjp), (kronecker, kronecker_vjp),
        (substitution, substitution_vjp), (ridge_fit, ridge_fit_vjp), (sinkhorn, sinkhorn_vjp),
        (power_iteration, power_iteration_vjp), (fft_conv, fft_conv_vjp), (spectrum, spectrum_vjp),
        (grid_sample, grid_sample_vjp), (runge_kutta, runge_kutta_vjp), (heat, heat_vjp), (gravity, gravity_vjp),
        (planck, planck_vjp), (kepler, kepler_vjp), (hill, hill_vjp), (epidemic, epidemic_vjp),
        (recursive_filter, recursive_filter_vjp), (running_max, running_max_vjp), (sinc, sinc_vjp),
        (refraction, refraction_vjp), (curvature, curvature_vjp), (smooth_variation, smooth_variation_vjp),
        (contraction, contraction_vjp),
    )
]  # fmt: skip
CACHED_RIGHT = [
    (affine_relu_forward, affine_relu_backward, AFFINE),
    (batchnorm_forward, batchnorm_backward, BATCH),
    (groupnorm_forward, groupnorm_backward, GROUP),
    (conv_forward_naive, conv_backward_naive, CONV),
    (max_pool_forward_naive, max_pool_backward_naive, POOL),
    (dropout_forward, dropout_backward, DROPOUT),
]
OWN_RIGHT = [
    (in_a_norm(own(root_forward, root_backward)), tensors(normal(3, 4))),
    (in_a_layer(own(soft_forward, soft_backward)), tensors(normal(4, 2), normal(2, 3))),
    (own(entropy_forward, entropy_backward), tensors(normal(4, 3))),
    (own(gate_forward, gate_backward), tensors(normal(3, 2), normal(3, 2))),
    (used_twice(own(linear_forward, linear_backward)), tensors(normal(4, 3), normal(3, 3))),
    (own(scale_forward, scale_backward), tensors(normal(3, 2), np.array(1.7), normal(2))),
]

MISTAKES = [*COURSES, *NETWORKS, *LOSSES, *SCIENCE, *OWN]
