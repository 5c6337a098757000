"""A sixth set, of other functions and other slips, committed before the naming was run on it.

As in the fifth, each wrong VJP is the right one with a slip in its text, and some have two. Here are courses that put
examples in columns, unrolled and implicit derivatives, filters and likelihoods in loops, geometry, and `Op`s.
"""

import numpy as np

import tinygrad_cnn as tg
from tests.gradcheck.mistakes.case import Cached, Mistake, OfTensors, normal, positive, slip, start
from tinygrad_cnn.autograd import Function
from tinygrad_cnn.ops import Op

start()


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


# ---- assignments of courses: a forward with a cache ----------------------------------------------------------------------

PETALS = np.array([[1.0, 0.0, 1.0, 1.0, 0.0]])


def planar_forward(X, W1, b1, W2, b2):
    A1 = np.tanh(np.dot(W1, X) + b1)
    A2 = sigmoid(np.dot(W2, A1) + b2)
    cost = -np.sum(PETALS * np.log(A2) + (1 - PETALS) * np.log(1 - A2)) / X.shape[1]
    return cost, (X, W1, A1, W2, A2)


def planar_backward(dcost, cache):
    X, W1, A1, W2, A2 = cache
    m = X.shape[1]
    dZ2 = dcost * (A2 - PETALS)
    dW2 = np.dot(dZ2, A1.T) / m
    db2 = np.sum(dZ2, axis=1, keepdims=True) / m
    dZ1 = np.dot(W2.T, dZ2) * (1 - np.power(A1, 2))
    dW1 = np.dot(dZ1, X.T) / m
    db1 = np.sum(dZ1, axis=1, keepdims=True) / m
    dX = np.dot(W1.T, dZ1) / m
    return dX, dW1, db1, dW2, db2


def spatial_batchnorm_forward(x, gamma, beta):
    N, C, H, W = x.shape
    flat = x.transpose(0, 2, 3, 1).reshape(-1, C)
    std = np.sqrt(flat.var(axis=0) + 1e-5)
    xn = (flat - flat.mean(axis=0)) / std
    return (gamma * xn + beta).reshape(N, H, W, C).transpose(0, 3, 1, 2), (xn, gamma, std)


def spatial_batchnorm_backward(dout, cache):
    xn, gamma, std = cache
    N, C, H, W = dout.shape
    d = dout.transpose(0, 2, 3, 1).reshape(-1, C)
    dgamma = (d * xn).sum(axis=0)
    dbeta = d.sum(axis=0)
    dxn = d * gamma
    dx = (dxn - dxn.mean(axis=0) - xn * (dxn * xn).mean(axis=0)) / std
    return dx.reshape(N, H, W, C).transpose(0, 3, 1, 2), dgamma, dbeta


def im2col(x, FH, FW):
    N, C, H, W = x.shape
    OH, OW = H - FH + 1, W - FW + 1
    col = np.zeros((N, C, FH, FW, OH, OW))
    for i in range(FH):
        for j in range(FW):
            col[:, :, i, j] = x[:, :, i : i + OH, j : j + OW]
    return col.transpose(0, 4, 5, 1, 2, 3).reshape(N * OH * OW, -1)


def conv_col_forward(x, w, b):
    N, _, H, W = x.shape
    FN, _, FH, FW = w.shape
    col = im2col(x, FH, FW)
    out = col @ w.reshape(FN, -1).T + b
    return out.reshape(N, H - FH + 1, W - FW + 1, FN).transpose(0, 3, 1, 2), (x.shape, col, w)


def conv_col_backward(dout, cache):
    shape, col, w = cache
    FN, C, FH, FW = w.shape
    N, _, OH, OW = dout.shape
    flat = dout.transpose(0, 2, 3, 1).reshape(-1, FN)
    db = flat.sum(axis=0)
    dw = (col.T @ flat).T.reshape(FN, C, FH, FW)
    dcol = (flat @ w.reshape(FN, -1)).reshape(N, OH, OW, C, FH, FW).transpose(0, 3, 4, 5, 1, 2)
    dx = np.zeros(shape)
    for i in range(FH):
        for j in range(FW):
            dx[:, :, i : i + OH, j : j + OW] += dcol[:, :, i, j]
    return dx, dw, db


CAPTIONS = np.array([[1, 0, 2], [2, 1, 0]])
SPOKEN = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0]])


def temporal_loss_forward(h, w, b):
    N, T, D = h.shape
    probs = softmax(h.reshape(N * T, D) @ w + b)
    picked = probs[np.arange(N * T), CAPTIONS.reshape(-1)]
    return -np.sum(SPOKEN.reshape(-1) * np.log(picked)) / N, (h, w, probs)


def temporal_loss_backward(dloss, cache):
    h, w, probs = cache
    N, T, D = h.shape
    ds = probs.copy()
    ds[np.arange(N * T), CAPTIONS.reshape(-1)] -= 1
    ds *= dloss / N
    ds *= SPOKEN.reshape(-1)[:, None]
    dw = h.reshape(N * T, D).T @ ds
    db = ds.sum(axis=0)
    return (ds @ w.T).reshape(N, T, D), dw, db


def text_cnn_forward(x, w, b):
    N, T, _ = x.shape
    a = np.stack([x[:, t : t + 2].reshape(N, -1) @ w + b for t in range(T - 1)], axis=1)
    return a.max(axis=1), (x, w, a.argmax(axis=1))


def text_cnn_backward(dout, cache):
    x, w, best = cache
    N, F = dout.shape
    dx, dw, db = np.zeros_like(x), np.zeros_like(w), np.zeros(F)
    for n in range(N):
        for f in range(F):
            t = best[n, f]
            dx[n, t : t + 2] += dout[n, f] * w[:, f].reshape(2, -1)
            dw[:, f] += dout[n, f] * x[n, t : t + 2].reshape(-1)
            db[f] += dout[n, f]
    return dx, dw, db


def encoder_forward(x, w1, w2, gamma):
    r = np.maximum(0, x @ w1)
    s = x + r @ w2
    std = np.sqrt(s.var(axis=1, keepdims=True) + 1e-5)
    xhat = (s - s.mean(axis=1, keepdims=True)) / std
    return gamma * xhat, (x, w1, w2, gamma, r, xhat, std)


def encoder_backward(dout, cache):
    x, w1, w2, gamma, r, xhat, std = cache
    dgamma = (dout * xhat).sum(axis=0)
    d = dout * gamma
    ds = (d - d.mean(axis=1, keepdims=True) - xhat * (d * xhat).mean(axis=1, keepdims=True)) / std
    dw2 = r.T @ ds
    dr = ds @ w2.T
    da = dr * (r > 0)
    dw1 = x.T @ da
    dx = ds + da @ w1.T
    return dx, dw1, dw2, dgamma


def pool_reshape_forward(x):
    N, C, H, W = x.shape
    windows = x.reshape(N, C, H // 2, 2, W // 2, 2)
    out = windows.max(axis=3).max(axis=4)
    return out, (windows, out)


def pool_reshape_backward(dout, cache):
    windows, out = cache
    N, C, OH, OW = dout.shape
    mask = windows == out[:, :, :, None, :, None]
    dwindows = dout[:, :, :, None, :, None] * mask
    dwindows = dwindows / mask.sum(axis=(3, 5), keepdims=True)
    return dwindows.reshape(N, C, 2 * OH, 2 * OW)


PLANAR = (normal(2, 5), normal(3, 2), normal(3, 1), normal(1, 3), normal(1, 1))
SPATIAL = (normal(2, 3, 2, 2), positive(3), normal(3))
COLUMNS = (normal(2, 2, 4, 4), normal(3, 2, 2, 2), normal(3))
CAPTIONED = (normal(2, 3, 2), normal(2, 3), normal(3))
TEXT = (normal(2, 4, 2), normal(4, 3), normal(3))
ENCODER = (normal(4, 3), normal(3, 3), normal(3, 3), positive(3))
RESHAPED = (normal(1, 2, 4, 4),)
COURSES = [
    Cached("planar: dW1 not averaged", planar_forward, slip(planar_backward, "np.dot(dZ1, X.T) / m", "np.dot(dZ1, X.T)"), PLANAR, r"`m`|X\.shape|\b5\b|divi|averag|mean"),
    Cached("planar: sigmoid' for tanh'", planar_forward, slip(planar_backward, "(1 - np.power(A1, 2))", "A1 * (1 - A1)"), PLANAR, r"tanh|power|squar|sigmoid|A1 \*|\*\*"),
    Cached("planar: the cost's gradient forgotten", planar_forward, slip(planar_backward, "dcost * (A2", "(A2"), PLANAR, r"dcost|incoming|cotangent|upstream|`g`"),
    Cached("spatial: flattened without the transpose", spatial_batchnorm_forward, slip(spatial_batchnorm_backward, "dout.transpose(0, 2, 3, 1).reshape", "dout.reshape"), SPATIAL, r"transpos|order|axes|reshape|permut"),
    Cached("spatial: rows and columns put back exchanged", spatial_batchnorm_forward, slip(spatial_batchnorm_backward, ".transpose(0, 3, 1, 2)", ".transpose(0, 3, 2, 1)"), SPATIAL, r"transpos|order|axes|exchang|permut"),
    Cached("spatial: mean before gamma", spatial_batchnorm_forward, slip(spatial_batchnorm_backward, "dxn - dxn.mean(axis=0)", "dxn - d.mean(axis=0)"), SPATIAL, r"gamma|`dxn"),
    Cached("columns: dw not turned", conv_col_forward, slip(conv_col_backward, "(col.T @ flat).T.reshape", "(col.T @ flat).reshape"), COLUMNS, r"transpos|\.T\b|order|reshape"),
    Cached("columns: kernel's rows and columns exchanged", conv_col_forward, slip(conv_col_backward, "dcol[:, :, i, j]", "dcol[:, :, j, i]"), COLUMNS, r"exchang|transpos|index|swap|other turn"),
    Cached("columns: assigned", conv_col_forward, slip(conv_col_backward, "j : j + OW] +=", "j : j + OW] ="), COLUMNS, r"overwrit|assign|added|last"),
    Cached("captions: averaged over the words, too", temporal_loss_forward, slip(temporal_loss_backward, "dloss / N", "dloss / (N * T)"), CAPTIONED, r"\bT\b|\b3\b|times too small|divi"),
    Cached("captions: words read down the columns", temporal_loss_forward, slip(temporal_loss_backward, "CAPTIONS.reshape(-1)", "CAPTIONS.T.reshape(-1)"), CAPTIONED, r"CAPTIONS|order|transpos|label"),
    Cached("captions: pauses counted, db averaged", temporal_loss_forward, slip(temporal_loss_backward, "    ds *= SPOKEN.reshape(-1)[:, None]\n", "", "ds.sum(axis=0)", "ds.mean(axis=0)"), CAPTIONED, r"SPOKEN|mask|mean|averag|\b6\b"),
    Cached("text: windows assigned", text_cnn_forward, slip(text_cnn_backward, "dx[n, t : t + 2] +=", "dx[n, t : t + 2] ="), TEXT, r"overwrit|assign|added|last"),
    Cached("text: best place of the first filter", text_cnn_forward, slip(text_cnn_backward, "best[n, f]", "best[n, 0]"), TEXT, r"first|maxim|argmax|best|index"),
    Cached("text: window turned in dw", text_cnn_forward, slip(text_cnn_backward, "x[n, t : t + 2].reshape", "x[n, t : t + 2].T.reshape"), TEXT, r"transpos|order|\.T\b|reshape"),
    Cached("encoder: skip before the norm", encoder_forward, slip(encoder_backward, "dx = ds + da", "dx = dout + da"), ENCODER, r"`ds`|path|norm|std|mean|term|left out"),
    Cached("encoder: dw2 before the norm", encoder_forward, slip(encoder_backward, "r.T @ ds", "r.T @ d"), ENCODER, r"`ds`|norm|std|term|left out"),
    Cached("encoder: mask of the gradient, w1 not turned", encoder_forward, slip(encoder_backward, "(r > 0)", "(dr > 0)", "da @ w1.T", "da @ w1"), ENCODER, r"mask|> 0|np\.maximum|w1\.T|transpos"),
    Cached("pool: maxima of the columns", pool_reshape_forward, slip(pool_reshape_backward, "== out[:, :, :, None, :, None]", "== windows.max(axis=3, keepdims=True)"), RESHAPED, r"mask|maxim|axis|==|`out"),
    Cached("pool: averaged over the window", pool_reshape_forward, slip(pool_reshape_backward, "mask.sum(axis=(3, 5), keepdims=True)", "4"), RESHAPED, r"\b4\b|mean|averag"),
]  # fmt: skip


# ---- networks ------------------------------------------------------------------------------------------------------------

CONTEXT = np.array([[0, 1], [2, 1], [1, 3], [3, 0], [2, 2]])
AFTER = np.array([1, 0, 3, 2, 1])


def ninja(C, W1, gain, W2):
    hprebn = C[CONTEXT].reshape(5, -1) @ W1
    bndiff = hprebn - hprebn.sum(0) / 5
    bnvar = (bndiff**2).sum(0) / 4
    bnraw = bndiff * (bnvar + 1e-5) ** -0.5
    logits = np.tanh(gain * bnraw) @ W2
    counts = np.exp(logits - logits.max(1, keepdims=True))
    probs = counts / counts.sum(1, keepdims=True)
    return -np.log(probs[np.arange(5), AFTER]).mean()


def ninja_vjp(g, C, W1, gain, W2):
    emb = C[CONTEXT].reshape(5, -1)
    hprebn = emb @ W1
    bndiff = hprebn - hprebn.sum(0) / 5
    bnvar = (bndiff**2).sum(0) / 4
    bnvar_inv = (bnvar + 1e-5) ** -0.5
    bnraw = bndiff * bnvar_inv
    h = np.tanh(gain * bnraw)
    logits = h @ W2
    counts = np.exp(logits - logits.max(1, keepdims=True))
    counts_sum = counts.sum(1, keepdims=True)
    probs = counts / counts_sum
    dlogprobs = np.zeros_like(probs)
    dlogprobs[np.arange(5), AFTER] = -g / 5
    dprobs = dlogprobs / probs
    dcounts_sum_inv = (counts * dprobs).sum(1, keepdims=True)
    dcounts = dprobs / counts_sum
    dcounts += -(counts_sum**-2) * dcounts_sum_inv
    dlogits = counts * dcounts
    dh = dlogits @ W2.T
    dW2 = h.T @ dlogits
    dhpreact = (1 - h**2) * dh
    dgain = (bnraw * dhpreact).sum(0)
    dbnraw = gain * dhpreact
    dbndiff = bnvar_inv * dbnraw
    dbnvar_inv = (bndiff * dbnraw).sum(0)
    dbnvar = -0.5 * (bnvar + 1e-5) ** -1.5 * dbnvar_inv
    dbndiff += 2 * bndiff / 4 * dbnvar
    dhprebn = dbndiff - dbndiff.sum(0) / 5
    demb = (dhprebn @ W1.T).reshape(5, 2, 2)
    dW1 = emb.T @ dhprebn
    dC = np.zeros_like(C)
    for k in range(5):
        for j in range(2):
            dC[CONTEXT[k, j]] += demb[k, j]
    return dC, dW1, dgain, dW2


LETTERS = np.array([0, 2, 0])
FOLLOW = np.array([2, 1, 1])


def char_rnn(Wxh, Whh, Why, bh, by):
    h, loss = np.zeros(3), 0.0
    for t in range(3):
        h = np.tanh(Wxh[:, LETTERS[t]] + Whh @ h + bh)
        e = np.exp(Why @ h + by)
        loss -= np.log(e[FOLLOW[t]] / e.sum())
    return loss


def char_rnn_vjp(g, Wxh, Whh, Why, bh, by):
    hs, ps = {-1: np.zeros(3)}, {}
    for t in range(3):
        hs[t] = np.tanh(Wxh[:, LETTERS[t]] + Whh @ hs[t - 1] + bh)
        e = np.exp(Why @ hs[t] + by)
        ps[t] = e / e.sum()
    dWxh, dWhh, dWhy = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(Why)
    dbh, dby = np.zeros_like(bh), np.zeros_like(by)
    dhnext = np.zeros(3)
    for t in reversed(range(3)):
        dy = np.copy(ps[t])
        dy[FOLLOW[t]] -= 1
        dy = g * dy
        dWhy += np.outer(dy, hs[t])
        dby += dy
        dh = Why.T @ dy + dhnext
        dhraw = (1 - hs[t] * hs[t]) * dh
        dbh += dhraw
        dWxh[:, LETTERS[t]] += dhraw
        dWhh += np.outer(dhraw, hs[t - 1])
        dhnext = Whh.T @ dhraw
    return dWxh, dWhh, dWhy, dbh, dby


INTERCEPT = np.array([1.0, 0.0, 0.0, 1.0, 1.0])


def logistic_cost(theta, X):
    h = sigmoid(X @ theta)
    m = len(X)
    cost = -(INTERCEPT @ np.log(h) + (1 - INTERCEPT) @ np.log(1 - h)) / m
    return cost + 0.8 / (2 * m) * (theta[1:] @ theta[1:])


def logistic_cost_vjp(g, theta, X):
    m = len(X)
    error = sigmoid(X @ theta) - INTERCEPT
    grad = X.T @ error / m
    grad[1:] += 0.8 / m * theta[1:]
    return g * grad, g * np.outer(error, theta) / m


def feature(x):
    return np.where(x > 0, x + 1, np.exp(x))


def linear_attention(q, k, v):
    fq, fk = feature(q), feature(k)
    return (fq @ (fk.T @ v)) / (fq @ fk.sum(axis=0))[:, None]


def linear_attention_vjp(g, q, k, v):
    fq, fk = feature(q), feature(k)
    s, z = fk.T @ v, fk.sum(axis=0)
    n, d = fq @ s, (fq @ z)[:, None]
    dn = g / d
    dd = -(g * n).sum(axis=1) / d[:, 0] ** 2
    dfq = dn @ s.T + np.outer(dd, z)
    dfk = v @ (fq.T @ dn).T + fq.T @ dd
    dv = fk @ (fq.T @ dn)
    dq = dfq * np.where(q > 0, 1, np.exp(q))
    dk = dfk * np.where(k > 0, 1, np.exp(k))
    return dq, dk, dv


LAG = np.arange(4)[:, None] - np.arange(4)


def retention(q, k, v, gamma):
    decay = np.where(LAG >= 0, gamma ** np.maximum(LAG, 0), 0)
    return (q @ k.T * decay) @ v


def retention_vjp(g, q, k, v, gamma):
    decay = np.where(LAG >= 0, gamma ** np.maximum(LAG, 0), 0)
    s = q @ k.T
    dp = g @ v.T
    ds = dp * decay
    slope = np.where(LAG > 0, LAG * gamma ** np.maximum(LAG - 1, 0), 0)
    dgamma = (dp * s * slope).sum()
    return ds @ k, ds.T @ q, (s * decay).T @ g, np.asarray(dgamma)


def quiet_softmax(z):
    e = np.exp(z)
    return e / (1 + e.sum(axis=1, keepdims=True))


def quiet_softmax_vjp(g, z):
    e = np.exp(z)
    p = e / (1 + e.sum(axis=1, keepdims=True))
    total = (g * p).sum(axis=1)[:, None]
    return p * (g - total)


def cosine_attention(q, k, v, tau):
    qh = q / np.sqrt((q**2).sum(axis=1, keepdims=True))
    kh = k / np.sqrt((k**2).sum(axis=1, keepdims=True))
    return softmax(tau * qh @ kh.T) @ v


def cosine_attention_vjp(g, q, k, v, tau):
    nq = np.sqrt((q**2).sum(axis=1, keepdims=True))
    nk = np.sqrt((k**2).sum(axis=1, keepdims=True))
    qh, kh = q / nq, k / nk
    s = qh @ kh.T
    p = softmax(tau * s)
    dp = g @ v.T
    dz = p * (dp - (dp * p).sum(axis=1, keepdims=True))
    dqh = tau * dz @ kh
    dkh = tau * dz.T @ qh
    dq = (dqh - qh * (dqh * qh).sum(axis=1, keepdims=True)) / nq
    dk = (dkh - kh * (dkh * kh).sum(axis=1, keepdims=True)) / nk
    dtau = (dz * s).sum()
    return dq, dk, p.T @ g, np.asarray(dtau)


def experts(x, wg, w):
    p = softmax(x @ wg)
    return np.einsum("ne,nd,edf->nf", p, x, w)


def experts_vjp(g, x, wg, w):
    p = softmax(x @ wg)
    h = np.einsum("nd,edf->enf", x, w)
    dp = np.einsum("nf,enf->ne", g, h)
    dh = np.einsum("nf,ne->enf", g, p)
    dz = p * (dp - (dp * p).sum(axis=1, keepdims=True))
    dx = dz @ wg.T + np.einsum("enf,edf->nd", dh, w)
    dw = np.einsum("nd,enf->edf", x, dh)
    return dx, x.T @ dz, dw


SOURCE = np.array([0, 1, 2, 2, 3, 2])
GOAL = np.array([1, 2, 0, 3, 2, 1])
ARRIVING = np.bincount(GOAL)


def neighbours(x, ws, wn):
    total = np.zeros_like(x)
    np.add.at(total, GOAL, x[SOURCE])
    return np.tanh(x @ ws + total / ARRIVING[:, None] @ wn)


def neighbours_vjp(g, x, ws, wn):
    total = np.zeros_like(x)
    np.add.at(total, GOAL, x[SOURCE])
    mean = total / ARRIVING[:, None]
    y = np.tanh(x @ ws + mean @ wn)
    d = g * (1 - y**2)
    back = d @ wn.T / ARRIVING[:, None]
    dx = d @ ws.T
    np.add.at(dx, SOURCE, back[GOAL])
    return dx, x.T @ d, mean.T @ d


def edge_attention(x, a, b):
    raw = x[SOURCE] @ a + x[GOAL] @ b
    e = np.exp(np.where(raw > 0, raw, 0.2 * raw))
    total = np.zeros(4)
    np.add.at(total, GOAL, e)
    out = np.zeros_like(x)
    np.add.at(out, GOAL, (e / total[GOAL])[:, None] * x[SOURCE])
    return out


def edge_attention_vjp(g, x, a, b):
    raw = x[SOURCE] @ a + x[GOAL] @ b
    e = np.exp(np.where(raw > 0, raw, 0.2 * raw))
    total = np.zeros(4)
    np.add.at(total, GOAL, e)
    alpha = e / total[GOAL]
    dalpha = (g[GOAL] * x[SOURCE]).sum(axis=1)
    along = np.zeros(4)
    np.add.at(along, GOAL, dalpha * alpha)
    draw = alpha * (dalpha - along[GOAL]) * np.where(raw > 0, 1, 0.2)
    dx = np.zeros_like(x)
    np.add.at(dx, SOURCE, alpha[:, None] * g[GOAL] + np.outer(draw, a))
    np.add.at(dx, GOAL, np.outer(draw, b))
    return dx, draw @ x[SOURCE], draw @ x[GOAL]


OUTSIDE = 1
NEGATIVE = np.array([0, 3, 3])


def negative_sampling(centre, outside):
    loss = -np.log(sigmoid(outside[OUTSIDE] @ centre))
    for k in NEGATIVE:
        loss -= np.log(sigmoid(-outside[k] @ centre))
    return loss


def negative_sampling_vjp(g, centre, outside):
    d = sigmoid(outside[OUTSIDE] @ centre) - 1
    dcentre = d * outside[OUTSIDE]
    doutside = np.zeros_like(outside)
    doutside[OUTSIDE] = d * centre
    for k in NEGATIVE:
        s = sigmoid(outside[k] @ centre)
        dcentre = dcentre + s * outside[k]
        doutside[k] += s * centre
    return g * dcentre, g * doutside


TOGETHER = np.array([[5.0, 1.0, 2.0], [1.0, 7.0, 3.0], [2.0, 3.0, 4.0]])
WEIGHT = np.minimum((TOGETHER / 4) ** 0.75, 1)


def glove(w, v, b, c):
    d = w @ v.T + b[:, None] + c - np.log(TOGETHER)
    return (WEIGHT * d**2).sum()


def glove_vjp(g, w, v, b, c):
    d = w @ v.T + b[:, None] + c - np.log(TOGETHER)
    e = 2 * g * WEIGHT * d
    db, dc = e.sum(axis=1), e.sum(axis=0)
    return e @ v, e.T @ w, db, dc


def factorisation(x, w, v):
    return x @ w + 0.5 * ((x @ v) ** 2 - x**2 @ v**2).sum(axis=1)


def factorisation_vjp(g, x, w, v):
    s = x @ v
    dx = g[:, None] * (w + s @ v.T - x * (v**2).sum(axis=1))
    dv = x.T @ (g[:, None] * s) - v * (g @ x**2)[:, None]
    return dx, x.T @ g, dv


def cross_net(x, w1, w2, b):
    first = x * (x @ w1)[:, None] + b + x
    return x * (first @ w2)[:, None] + b + first


def cross_net_vjp(g, x, w1, w2, b):
    first = x * (x @ w1)[:, None] + b + x
    d2 = (g * x).sum(axis=1)
    dfirst = g + np.outer(d2, w2)
    d1 = (dfirst * x).sum(axis=1)
    dx = g * (first @ w2)[:, None] + dfirst * (x @ w1)[:, None] + dfirst + np.outer(d1, w1)
    db = (g + dfirst).sum(axis=0)
    return dx, x.T @ d1, first.T @ d2, db


def local_response(x):
    s = np.zeros_like(x)
    for c in range(x.shape[1]):
        s[:, c] = (x[:, max(0, c - 1) : c + 2] ** 2).sum(axis=1)
    return x / (2 + 0.5 * s) ** 0.75


def local_response_vjp(g, x):
    s = np.zeros_like(x)
    for c in range(x.shape[1]):
        s[:, c] = (x[:, max(0, c - 1) : c + 2] ** 2).sum(axis=1)
    d = 2 + 0.5 * s
    t = g * x / d**1.75
    dx = g / d**0.75
    for c in range(x.shape[1]):
        dx[:, c] -= 0.75 * x[:, c] * t[:, max(0, c - 1) : c + 2].sum(axis=1)
    return dx


def filter_response(x, gamma, eps, tau):
    xhat = x / np.sqrt((x**2).mean(axis=1, keepdims=True) + eps)
    return np.maximum(gamma * xhat, tau)


def filter_response_vjp(g, x, gamma, eps, tau):
    r = ((x**2).mean(axis=1, keepdims=True) + eps) ** -0.5
    y = gamma * x * r
    d = g * (y > tau)
    dtau = (g * (y <= tau)).sum(axis=0)
    dxhat = d * gamma
    inner = (dxhat * x).sum(axis=1, keepdims=True) * r**3
    dx = dxhat * r - x * inner / x.shape[1]
    deps = np.asarray(-0.5 * inner.sum())
    return dx, (d * x * r).sum(axis=0), deps, dtau


def response_norm(x, gamma, beta):
    size = np.sqrt((x**2).sum(axis=1, keepdims=True))
    return gamma * x * size / (size.mean(axis=2, keepdims=True) + 0.1) + beta + x


def response_norm_vjp(g, x, gamma, beta):
    size = np.sqrt((x**2).sum(axis=1, keepdims=True))
    m = size.mean(axis=2, keepdims=True) + 0.1
    d = g * gamma
    dn = (d * x).sum(axis=1, keepdims=True)
    dsize = dn / m - (dn * size).sum(axis=2, keepdims=True) / m**2 / x.shape[2]
    dx = g + d * size / m + dsize * x / size
    return dx, (g * x * size / m).sum(axis=(0, 1)), g.sum(axis=(0, 1))


def dynamic_tanh(x, alpha, gamma, beta):
    return gamma * np.tanh(alpha * x) + beta


def dynamic_tanh_vjp(g, x, alpha, gamma, beta):
    t = np.tanh(alpha * x)
    d = g * gamma * (1 - t**2)
    return d * alpha, np.asarray((d * x).sum()), (g * t).sum(axis=0), g.sum(axis=0)


def spatial_gate(x, a, b):
    s = sigmoid(a * x.mean(axis=1, keepdims=True) + b * x.max(axis=1, keepdims=True))
    return x * s


def spatial_gate_vjp(g, x, a, b):
    m, top = x.mean(axis=1, keepdims=True), x.max(axis=1, keepdims=True)
    s = sigmoid(a * m + b * top)
    dz = (g * x).sum(axis=1, keepdims=True) * s * (1 - s)
    dx = g * s + dz * a / x.shape[1] + dz * b * (x == top)
    return dx, np.asarray((dz * m).sum()), np.asarray((dz * top).sum())


def edge_padded(x, w):
    p = np.concatenate([x[:1], x, x[-1:]])
    return w[0] * p[:-2] + w[1] * p[1:-1] + w[2] * p[2:]


def edge_padded_vjp(g, x, w):
    p = np.concatenate([x[:1], x, x[-1:]])
    dp = np.zeros_like(p)
    for i in range(3):
        dp[i : i + len(x)] += w[i] * g
    dw = np.array([p[i : i + len(x)] @ g for i in range(3)])
    dx = dp[1:-1].copy()
    dx[0] += dp[0]
    dx[-1] += dp[-1]
    return dx, dw


def maxout(x, w, b):
    return (x @ w + b).reshape(len(x), 3, 2).max(axis=2)


def maxout_vjp(g, x, w, b):
    z = (x @ w + b).reshape(len(x), 3, 2)
    left = z[:, :, 0] >= z[:, :, 1]
    dz = np.stack([g * left, g * (1 - left)], axis=2).reshape(len(x), 6)
    return dz @ w.T, x.T @ dz, dz.sum(axis=0)


def simple_unit(x, w, wf, wr):
    u, f, r = x @ w, sigmoid(x @ wf), sigmoid(x @ wr)
    c, out = np.zeros(3), np.zeros_like(u)
    for t in range(len(x)):
        c = f[t] * c + (1 - f[t]) * u[t]
        out[t] = r[t] * np.tanh(c) + (1 - r[t]) * x[t]
    return out


def simple_unit_vjp(g, x, w, wf, wr):
    u, f, r = x @ w, sigmoid(x @ wf), sigmoid(x @ wr)
    cs = [np.zeros(3)]
    for t in range(len(x)):
        cs.append(f[t] * cs[-1] + (1 - f[t]) * u[t])
    du, df, dr, dx = np.zeros_like(u), np.zeros_like(u), np.zeros_like(u), np.zeros_like(x)
    dc = np.zeros(3)
    for t in reversed(range(len(x))):
        h = np.tanh(cs[t + 1])
        dr[t] = g[t] * (h - x[t])
        dx[t] = g[t] * (1 - r[t])
        dc = dc + g[t] * r[t] * (1 - h**2)
        df[t] = dc * (cs[t] - u[t])
        du[t] = dc * (1 - f[t])
        dc = dc * f[t]
    df = df * f * (1 - f)
    dr = dr * r * (1 - r)
    dx = dx + du @ w.T + df @ wf.T + dr @ wr.T
    return dx, x.T @ du, x.T @ df, x.T @ dr


def equilibrium(w, x):
    z = np.zeros(3)
    for _ in range(40):
        z = np.tanh(w @ z + x)
    return z


def equilibrium_vjp(g, w, x):
    z = equilibrium(w, x)
    s = 1 - z**2
    jacobian = s[:, None] * w
    u = np.linalg.solve(np.eye(3) - jacobian.T, g)
    return np.outer(s * u, z), s * u


XA, YA, XB, YB = normal(4, 3), normal(4), normal(4, 3), normal(4)


def adapted(w):
    fast = w - 0.1 * (2 * XA.T @ (XA @ w - YA) / 4)
    return ((XB @ fast - YB) ** 2).mean()


def adapted_vjp(g, w):
    fast = w - 0.05 * XA.T @ (XA @ w - YA)
    dfast = 2 * g * XB.T @ (XB @ fast - YB) / 4
    return dfast - 0.05 * XA.T @ (XA @ dfast)


def thresholded(a, y, lam):
    z = np.zeros(4)
    for _ in range(2):
        u = z - 0.2 * a.T @ (a @ z - y)
        z = np.sign(u) * np.maximum(np.abs(u) - lam, 0)
    return z


def thresholded_vjp(g, a, y, lam):
    us, zs = [], [np.zeros(4)]
    for _ in range(2):
        us.append(zs[-1] - 0.2 * a.T @ (a @ zs[-1] - y))
        zs.append(np.sign(us[-1]) * np.maximum(np.abs(us[-1]) - lam, 0))
    da, dy, dlam, dz = np.zeros_like(a), np.zeros_like(y), 0.0, g
    for t in reversed(range(2)):
        passed = np.abs(us[t]) > lam
        dlam -= (dz * np.sign(us[t]) * passed).sum()
        du = dz * passed
        r = a @ zs[t] - y
        back = a @ du
        da -= 0.2 * (np.outer(r, du) + np.outer(back, zs[t]))
        dy += 0.2 * back
        dz = du - 0.2 * a.T @ back
    return da, dy, np.asarray(dlam)


def sparsemax(z):
    p = np.zeros_like(z)
    for i in range(len(z)):
        s = np.sort(z[i])[::-1]
        k = np.sum(1 + np.arange(1, len(s) + 1) * s > np.cumsum(s))
        p[i] = np.maximum(z[i] - (s[:k].sum() - 1) / k, 0)
    return p


def sparsemax_vjp(g, z):
    s = sparsemax(z) > 0
    mean = (g * s).sum(axis=1, keepdims=True) / s.sum(axis=1, keepdims=True)
    return s * (g - mean)


def dueling(h, wv, wa):
    a = h @ wa
    return h @ wv + a - a.mean(axis=1, keepdims=True)


def dueling_vjp(g, h, wv, wa):
    da = g - g.mean(axis=1, keepdims=True)
    dv = g.sum(axis=1, keepdims=True)
    return dv @ wv.T + da @ wa.T, h.T @ dv, h.T @ da


def gated_conv(x, wf, wg):
    p = np.concatenate([np.zeros((2, 2)), x])
    return np.tanh(p[:-2] @ wf[0] + p[2:] @ wf[1]) * sigmoid(p[:-2] @ wg[0] + p[2:] @ wg[1])


def gated_conv_vjp(g, x, wf, wg):
    p = np.concatenate([np.zeros((2, 2)), x])
    t = np.tanh(p[:-2] @ wf[0] + p[2:] @ wf[1])
    s = sigmoid(p[:-2] @ wg[0] + p[2:] @ wg[1])
    da = g * s * (1 - t**2)
    db = g * t * s * (1 - s)
    dp = np.zeros_like(p)
    dp[:-2] += da @ wf[0].T + db @ wg[0].T
    dp[2:] += da @ wf[1].T + db @ wg[1].T
    dwf = np.stack([p[:-2].T @ da, p[2:].T @ da])
    dwg = np.stack([p[:-2].T @ db, p[2:].T @ db])
    return dp[2:], dwf, dwg


def complex_score(hr, hi, rr, ri, tr, ti):
    return (rr * (hr * tr + hi * ti) + ri * (hr * ti - hi * tr)).sum(axis=1)


def complex_score_vjp(g, hr, hi, rr, ri, tr, ti):
    g = g[:, None]
    dhr, dhi = g * (rr * tr + ri * ti), g * (rr * ti - ri * tr)
    drr, dri = g * (hr * tr + hi * ti), g * (hr * ti - hi * tr)
    dtr, dti = g * (rr * hr - ri * hi), g * (rr * hi + ri * hr)
    return dhr, dhi, drr, dri, dtr, dti


NINJA = (normal(4, 2), normal(4, 3), positive(3), normal(3, 4))
CHARS = (normal(3, 3), normal(3, 3) / 2, normal(3, 3), normal(3), normal(3))
RETAINED = (normal(4, 2), normal(4, 2), normal(4, 3), np.array(0.8))
COSINE = (normal(4, 3), normal(4, 3), normal(4, 2), np.array(1.5))
EDGES = (normal(4, 3), normal(3), normal(3))
GLOVE = (normal(3, 2), normal(3, 2), normal(3), normal(3))
MACHINE = (normal(4, 3), normal(3), normal(3, 2))
CROSSED = (normal(4, 3), normal(3), normal(3), normal(3))
RESPONSE = (normal(3, 4), positive(4), np.array(0.3), np.array([-0.3, 0.2, -0.5, 0.4]))
GLOBAL = (normal(2, 4, 3), positive(3), normal(3))
GATE = (normal(2, 3, 4), np.array(0.7), np.array(-1.2))
SIMPLE = (normal(4, 3), normal(3, 3), normal(3, 3), normal(3, 3))
SPARSE = (normal(3, 4), 2 * normal(3), np.array(0.1))
DUEL = (normal(4, 3), normal(3, 1), normal(3, 4))
WAVE = (normal(5, 2), normal(2, 2, 2), normal(2, 2, 2))
NETWORKS = [
    Mistake("ninja: root's power", ninja, slip(ninja_vjp, "** -1.5", "** -0.5"), NINJA, r"power|exponent|\*\*|-1\.5|1\.5|bnvar"),
    Mistake("ninja: counts assigned", ninja, slip(ninja_vjp, "dcounts += -(counts_sum**-2)", "dcounts = -(counts_sum**-2)"), NINJA, r"overwrit|assign|added|path|term|held constant"),
    Mistake("ninja: variance without Bessel", ninja, slip(ninja_vjp, "2 * bndiff / 4", "2 * bndiff / 5"), NINJA, r"\b4\b|\b5\b|n - 1"),
    Mistake("ninja: embedding assigned", ninja, slip(ninja_vjp, "dC[CONTEXT[k, j]] +=", "dC[CONTEXT[k, j]] ="), NINJA, r"overwrit|assign|added|repeat|last"),
    Mistake("ninja: mean's 5, gain forgotten", ninja, slip(ninja_vjp, "dbndiff.sum(0) / 5", "dbndiff.sum(0)", "gain * dhpreact", "dhpreact"), NINJA, r"\b5\b|mean|divi|\bgain\b"),
    Mistake("char rnn: carried before tanh'", char_rnn, slip(char_rnn_vjp, "Whh.T @ dhraw", "Whh.T @ dh"), CHARS, r"tanh|`dhraw`|hs\[t\]"),
    Mistake("char rnn: state before in dWhy", char_rnn, slip(char_rnn_vjp, "np.outer(dy, hs[t])", "np.outer(dy, hs[t - 1])"), CHARS, r"\bturn|state|before|hs\[t\]|step|`h`"),
    Mistake("char rnn: letter for its successor", char_rnn, slip(char_rnn_vjp, "dy[FOLLOW[t]] -= 1", "dy[LETTERS[t]] -= 1"), CHARS, r"FOLLOW|LETTERS|label|index"),
    Mistake("char rnn: repeated letter assigned", char_rnn, slip(char_rnn_vjp, "dWxh[:, LETTERS[t]] +=", "dWxh[:, LETTERS[t]] ="), CHARS, r"overwrit|assign|added|repeat|last|first"),
    Mistake("logistic: intercept penalised", logistic_cost, slip(logistic_cost_vjp, "grad[1:] += 0.8 / m * theta[1:]", "grad += 0.8 / m * theta"), (normal(3), normal(5, 3)), r"theta\[1:\]|first|slice|0\.8|penalty|regular"),
    Mistake("logistic: penalty not averaged", logistic_cost, slip(logistic_cost_vjp, "0.8 / m *", "0.8 *"), (normal(3), normal(5, 3)), r"`m`|\b5\b|len\(X\)|divi|penalty|0\.8"),
    Mistake("linear attention: normaliser's path to the keys", linear_attention, slip(linear_attention_vjp, " + fq.T @ dd", ""), (normal(4, 2), normal(4, 2), normal(4, 3)), r"path|held constant|term|fk\.sum"),
    Mistake("linear attention: dv of the queries", linear_attention, slip(linear_attention_vjp, "dv = fk @", "dv = fq @"), (normal(4, 2), normal(4, 2), normal(4, 3)), r"`f[kq]`|feature\([kq]\).*(place of|for `)|`q`.*`k`|`k`.*`q`"),
    Mistake("linear attention: feature's value for its slope", linear_attention, slip(linear_attention_vjp, "np.where(q > 0, 1, np.exp(q))", "np.where(q > 0, q + 1, np.exp(q))"), (normal(4, 2), normal(4, 2), normal(4, 3)), r"q \+ 1|x \+ 1|branch|where|feature"),
    Mistake("retention: power not lowered", retention, slip(retention_vjp, "np.maximum(LAG - 1, 0)", "np.maximum(LAG, 0)"), RETAINED, r"power|exponent|- 1|\*\*"),
    Mistake("retention: decay not turned, forgotten in dk", retention, slip(retention_vjp, "(s * decay).T @ g", "(s * decay) @ g", "ds.T @ q", "dp.T @ q"), RETAINED, r"transpos|\.T\b|decay|`ds`|where"),
    Mistake("quiet: 1 forgotten", quiet_softmax, slip(quiet_softmax_vjp, "(1 + e.sum(axis=1, keepdims=True))", "e.sum(axis=1, keepdims=True)"), (normal(3, 3),), r"\b1\b"),
    Mistake("quiet: row of sums for the column", quiet_softmax, slip(quiet_softmax_vjp, "(g * p).sum(axis=1)[:, None]", "(g * p).sum(axis=1)"), (normal(3, 3),), r"keepdims|axis|axes|broadcast|transpos|None|row|column"),
    Mistake("cosine: keys by the length of the queries", cosine_attention, slip(cosine_attention_vjp, "/ nk\n    dtau", "/ nq\n    dtau"), COSINE, r"`nk`|`nq`|k ?\*\* ?2|q ?\*\* ?2"),
    Mistake("cosine: queries not projected, tau forgotten", cosine_attention, slip(cosine_attention_vjp, "(dqh - qh * (dqh * qh).sum(axis=1, keepdims=True))", "dqh", "tau * dz.T", "dz.T"), COSINE, r"held constant|path|term|tau"),
    Mistake("experts: mean of the experts", experts, slip(experts_vjp, "(dp * p).sum(axis=1", "(dp * p).mean(axis=1"), (normal(4, 3), normal(3, 2), normal(2, 3, 2)), r"mean|\b2\b|should be (a|the) sum"),
    Mistake("experts: gate's path of x", experts, slip(experts_vjp, "dz @ wg.T + ", ""), (normal(4, 3), normal(3, 2), normal(2, 3, 2)), r"path|held constant|term|x @ wg"),
    Mistake("neighbours: edges turned round", neighbours, slip(neighbours_vjp, "SOURCE, back[GOAL]", "GOAL, back[SOURCE]"), (normal(4, 2), normal(2, 3), normal(2, 3)), r"SOURCE|GOAL|exchang|transpos|direction"),
    Mistake("neighbours: divided by those who leave", neighbours, slip(neighbours_vjp, "wn.T / ARRIVING[:, None]", "wn.T / np.bincount(SOURCE)[:, None]"), (normal(4, 2), normal(2, 3), normal(2, 3)), r"ARRIVING|bincount|count|divi"),
    Mistake("edge attention: sums of the sources", edge_attention, slip(edge_attention_vjp, "np.add.at(along, GOAL", "np.add.at(along, SOURCE"), EDGES, r"SOURCE|GOAL|index|sum"),
    Mistake("edge attention: slope 0, db of the sources", edge_attention, slip(edge_attention_vjp, "np.where(raw > 0, 1, 0.2)", "(raw > 0)", "draw @ x[GOAL]", "draw @ x[SOURCE]"), EDGES, r"0\.2|slope|branch|SOURCE|GOAL"),
    Mistake("negative sampling: repeats counted once", negative_sampling, slip(negative_sampling_vjp, "for k in NEGATIVE", "for k in np.unique(NEGATIVE)"), (normal(3), normal(4, 3)), r"repeat|twice|unique|once|NEGATIVE|last|\bturn"),
    Mistake("negative sampling: sign of the true word", negative_sampling, slip(negative_sampling_vjp, "sigmoid(outside[OUTSIDE] @ centre) - 1", "1 - sigmoid(outside[OUTSIDE] @ centre)"), (normal(3), normal(4, 3)), r"sign|- 1|negat"),
    Mistake("glove: biases exchanged", glove, slip(glove_vjp, "e.sum(axis=1), e.sum(axis=0)", "e.sum(axis=0), e.sum(axis=1)"), GLOVE, r"axis|exchang|swap"),
    Mistake("glove: weight squared", glove, slip(glove_vjp, "WEIGHT * d", "WEIGHT**2 * d"), GLOVE, r"WEIGHT|squar|power|too many"),
    Mistake("factorisation: own pairs kept", factorisation, slip(factorisation_vjp, " - x * (v**2).sum(axis=1)", ""), MACHINE, r"path|held constant|term|x\*\*2|x ?\*\* ?2"),
    Mistake("factorisation: own pairs not squared", factorisation, slip(factorisation_vjp, "(g @ x**2)", "(g @ x)"), MACHINE, r"squar|power|exponent|\*\*|x \* x"),
    Mistake("cross: bias of one layer", cross_net, slip(cross_net_vjp, "(g + dfirst).sum", "dfirst.sum"), CROSSED, r"path|term|held constant|g \+ dfirst"),
    Mistake("cross: first layer skipped in dw2", cross_net, slip(cross_net_vjp, "first.T @ d2", "x.T @ d2"), CROSSED, r"first|`x`|`x.T`"),
    Mistake("local response: own channel alone", local_response, slip(local_response_vjp, "t[:, max(0, c - 1) : c + 2].sum(axis=1)", "t[:, c]"), (normal(2, 5),), r"between elements|\bsum\b|neighbour|diagonal|term|path"),
    Mistake("local response: power", local_response, slip(local_response_vjp, "d**1.75", "d**0.75"), (normal(2, 5),), r"power|exponent|\*\*|1\.75|0\.75|divi|`d`"),
    Mistake("filter response: threshold of the wrong side", filter_response, slip(filter_response_vjp, "y <= tau", "y > tau"), RESPONSE, r"inverse|mask|exchang|side|<=|> tau"),
    Mistake("filter response: eps forgotten", filter_response, slip(filter_response_vjp, "np.asarray(-0.5 * inner.sum())", "np.zeros_like(eps)"), RESPONSE, r"zero|path|held constant|left out|missing|no gradient|not used"),
    Mistake("filter response: count, half of eps", filter_response, slip(filter_response_vjp, "inner / x.shape[1]", "inner", "-0.5 * inner", "-inner"), RESPONSE, r"\b4\b|mean|shape|count|0\.5|half|\b2\b"),
    Mistake("global response: mean constant", response_norm, slip(response_norm_vjp, " - (dn * size).sum(axis=2, keepdims=True) / m**2 / x.shape[2]", ""), GLOBAL, r"mean|held constant|path|term"),
    Mistake("global response: divided by the places", response_norm, slip(response_norm_vjp, "x.shape[2]", "x.shape[1]"), GLOBAL, r"shape|\b3\b|\b4\b|axis|mean"),
    Mistake("dynamic tanh: alpha forgotten, averaged", dynamic_tanh, slip(dynamic_tanh_vjp, "d * alpha", "d", "(d * x).sum()", "(d * x).mean()"), (normal(3, 4), np.array(0.8), positive(4), normal(4)), r"`?alpha`? (is )?(missing|left out)|with `?alpha|factor `?alpha|mean|averag|\b12\b"),
    Mistake("spatial gate: maximum to all", spatial_gate, slip(spatial_gate_vjp, "dz * b * (x == top)", "dz * b"), GATE, r"maxim|==|mask|all elements|everywhere"),
    Mistake("spatial gate: count of the mean", spatial_gate, slip(spatial_gate_vjp, "dz * a / x.shape[1]", "dz * a"), GATE, r"mean|\b3\b|shape|count|divi"),
    Mistake("edges: padded as with zeros", edge_padded, slip(edge_padded_vjp, "    dx[0] += dp[0]\n    dx[-1] += dp[-1]\n", ""), (normal(6), normal(3)), r"path|term|edge|\bpad|\bends?\b|x\[:1\]|x\[-1:\]|held constant"),
    Mistake("edges: reflected", edge_padded, slip(edge_padded_vjp, "dx[0] += dp[0]", "dx[1] += dp[0]"), (normal(6), normal(3)), r"off by|index|shift|first|\bends?\b|x\[:1\]|dx\[0\]"),
    Mistake("maxout: pieces exchanged", maxout, slip(maxout_vjp, ">=", "<="), (normal(4, 3), normal(3, 6), normal(6)), r"inverse|exchang|mask|side|<=|maxim"),
    Mistake("maxout: pieces side by side", maxout, slip(maxout_vjp, "axis=2)", "axis=1)"), (normal(4, 3), normal(3, 6), normal(6)), r"order|transpos|axis|axes|reshape"),
    Mistake("simple unit: memory alone in df", simple_unit, slip(simple_unit_vjp, "(cs[t] - u[t])", "cs[t]"), SIMPLE, r"1 - f|path|term|u\[t\]|held constant"),
    Mistake("simple unit: carried with the other weight", simple_unit, slip(simple_unit_vjp, "dc = dc * f[t]", "dc = dc * (1 - f[t])"), SIMPLE, r"1 - f|`f|f\[t\]|carr|complement"),
    Mistake("simple unit: new memory, skip of the gate", simple_unit, slip(simple_unit_vjp, "(cs[t] - u[t])", "(cs[t + 1] - u[t])", "(h - x[t])", "h"), SIMPLE, r"\bturn|cs\[t\]|state|path|term|1 - r|x\[t\]|held constant"),
    Mistake("equilibrium: one step only", equilibrium, slip(equilibrium_vjp, "np.linalg.solve(np.eye(3) - jacobian.T, g)", "g"), (normal(3, 3) / 4, normal(3)), r"held constant|path|last|one step|\bturn|solve|w @ z"),
    Mistake("equilibrium: jacobian not turned", equilibrium, slip(equilibrium_vjp, "jacobian.T", "jacobian"), (normal(3, 3) / 4, normal(3)), r"transpos|\.T\b"),
    Mistake("adapted: first order", adapted, slip(adapted_vjp, " - 0.05 * XA.T @ (XA @ dfast)", ""), (normal(3),), r"held constant|path|term|XA"),
    Mistake("adapted: loss at the old weights", adapted, slip(adapted_vjp, "XB @ fast", "XB @ w"), (normal(3),), r"fast|`w` is used|for `w`|w - 0\.1"),
    Mistake("thresholded: negative values lost", thresholded, slip(thresholded_vjp, "np.abs(us[t]) > lam", "us[t] > lam"), SPARSE, r"np\.abs|mask|sign|passed"),
    Mistake("thresholded: sign of the threshold's", thresholded, slip(thresholded_vjp, "dz * np.sign(us[t]) * passed", "dz * passed"), SPARSE, r"sign"),
    Mistake("thresholded: one factor, dy assigned", thresholded, slip(thresholded_vjp, "(np.outer(r, du) + np.outer(back, zs[t]))", "np.outer(r, du)", "dy +=", "dy ="), SPARSE, r"path|term|held constant|overwrit|assign|added|a @ z"),
    Mistake("sparsemax: divided by all", sparsemax, slip(sparsemax_vjp, "s.sum(axis=1, keepdims=True)", "s.shape[1]"), (normal(3, 4),), r"count|support|shape|\b4\b|mean|divi|s\.sum"),
    Mistake("dueling: mean's path", dueling, slip(dueling_vjp, "da = g - g.mean(axis=1, keepdims=True)", "da = g"), DUEL, r"mean|held constant|path|term"),
    Mistake("dueling: dv averaged", dueling, slip(dueling_vjp, "dv = g.sum(", "dv = g.mean("), DUEL, r"mean|averag|\b4\b|should be a sum"),
    Mistake("gated conv: the wrong end cut off", gated_conv, slip(gated_conv_vjp, "return dp[2:]", "return dp[:-2]"), WAVE, r"off by|pad|shift|start|slice|\[2:\]|\b2\b"),
    Mistake("gated conv: neighbours for every other", gated_conv, slip(gated_conv_vjp, "dp[:-2] +=", "dp[1:-1] +="), WAVE, r"off by|dilat|shift|slice|\[:-2\]|index"),
    Mistake("complex: sign of the conjugate", complex_score, slip(complex_score_vjp, "rr * hr - ri * hi", "rr * hr + ri * hi"), tuple(normal(3, 2) for _ in range(6)), r"sign|must be -|difference"),
]  # fmt: skip


# ---- losses and statistics -----------------------------------------------------------------------------------------------


def concordance(x, y):
    a, b, shift = x - x.mean(), y - y.mean(), x.mean() - y.mean()
    return 2 * (a * b).mean() / ((a**2).mean() + (b**2).mean() + shift**2)


def concordance_vjp(g, x, y):
    a, b, shift = x - x.mean(), y - y.mean(), x.mean() - y.mean()
    top = 2 * (a * b).mean()
    bottom = (a**2).mean() + (b**2).mean() + shift**2
    dtop = g / bottom
    dbottom = -g * top / bottom**2
    dx = (2 * dtop * b + 2 * dbottom * (a + shift)) / len(x)
    dy = (2 * dtop * a + 2 * dbottom * (b - shift)) / len(x)
    return dx, dy


def signal_to_noise(e, s):
    t = (e @ s) / (s @ s) * s
    n = e - t
    return 10 * np.log10((t @ t) / (n @ n))


def signal_to_noise_vjp(g, e, s):
    a = (e @ s) / (s @ s)
    t = a * s
    n = e - t
    c = 10 / np.log(10)
    dn = -2 * g * c * n / (n @ n)
    dt = 2 * g * c * t / (t @ t) - dn
    da = dt @ s
    de = dn + da * s / (s @ s)
    ds = a * dt + da * e / (s @ s) - 2 * da * a * s / (s @ s)
    return de, ds


PARTS = np.where(np.eye(3) == 1, 1.0, 0.1)


def twins(a, b):
    za, zb = (a - a.mean(axis=0)) / a.std(axis=0), (b - b.mean(axis=0)) / b.std(axis=0)
    return (PARTS * (za.T @ zb / len(a) - np.eye(3)) ** 2).sum()


def twins_vjp(g, a, b):
    za, zb = (a - a.mean(axis=0)) / a.std(axis=0), (b - b.mean(axis=0)) / b.std(axis=0)
    dc = 2 * g * PARTS * (za.T @ zb / len(a) - np.eye(3)) / len(a)
    dza, dzb = zb @ dc.T, za @ dc
    da = (dza - dza.mean(axis=0) - za * (dza * za).mean(axis=0)) / a.std(axis=0)
    db = (dzb - dzb.mean(axis=0) - zb * (dzb * zb).mean(axis=0)) / b.std(axis=0)
    return da, db


def captions_and_images(a, b, s):
    z = np.exp(s) * a @ b.T
    n = np.arange(len(a))
    return -(np.log(softmax(z)[n, n]).mean() + np.log(softmax(z.T)[n, n]).mean()) / 2


def captions_and_images_vjp(g, a, b, s):
    z = np.exp(s) * a @ b.T
    n = len(a)
    dz = g * (softmax(z) + softmax(z.T).T - 2 * np.eye(n)) / (2 * n)
    return np.exp(s) * dz @ b, np.exp(s) * dz.T @ a, np.asarray((dz * z).sum())


def soft_warping(d):
    n, m = d.shape
    r = np.full((n + 1, m + 1), 1e3)
    r[0, 0] = 0
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            ways = np.exp(-r[i - 1, j - 1]) + np.exp(-r[i - 1, j]) + np.exp(-r[i, j - 1])
            r[i, j] = d[i - 1, j - 1] - np.log(ways)
    return r[n, m]


def soft_warping_vjp(g, d):
    n, m = d.shape
    r = np.full((n + 1, m + 1), 1e3)
    r[0, 0] = 0
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            ways = np.exp(-r[i - 1, j - 1]) + np.exp(-r[i - 1, j]) + np.exp(-r[i, j - 1])
            r[i, j] = d[i - 1, j - 1] - np.log(ways)
    dr, dd = np.zeros_like(r), np.zeros_like(d)
    dr[n, m] = g
    for i in range(n, 0, -1):
        for j in range(m, 0, -1):
            dd[i - 1, j - 1] = dr[i, j]
            whole = np.exp(d[i - 1, j - 1] - r[i, j])
            for p, q in ((i - 1, j - 1), (i - 1, j), (i, j - 1)):
                dr[p, q] += dr[i, j] * np.exp(-r[p, q]) / whole
    return dd


SEEN = np.array([0, 1, 1, 0])


def hidden_chain(pi, a, b):
    alpha = pi * b[:, SEEN[0]]
    for o in SEEN[1:]:
        alpha = (alpha @ a) * b[:, o]
    return np.log(alpha.sum())


def hidden_chain_vjp(g, pi, a, b):
    alphas = [pi * b[:, SEEN[0]]]
    for o in SEEN[1:]:
        alphas.append((alphas[-1] @ a) * b[:, o])
    da, db = np.zeros_like(a), np.zeros_like(b)
    beta = g / alphas[-1].sum() * np.ones(3)
    for t in reversed(range(1, 4)):
        db[:, SEEN[t]] += beta * (alphas[t - 1] @ a)
        d = beta * b[:, SEEN[t]]
        da += np.outer(alphas[t - 1], d)
        beta = a @ d
    db[:, SEEN[0]] += beta * pi
    return beta * b[:, SEEN[0]], da, db


def kalman(y, q, r):
    m, p, fit = 0.0, 1.0, 0.0
    for t in range(len(y)):
        p = p + q
        s = p + r
        v = y[t] - m
        fit = fit - 0.5 * (np.log(s) + v**2 / s)
        m = m + p / s * v
        p = (1 - p / s) * p
    return fit


def kalman_vjp(g, y, q, r):
    m, p, kept = 0.0, 1.0, []
    for t in range(len(y)):
        p = p + q
        kept.append((m, p))
        k = p / (p + r)
        m = m + k * (y[t] - m)
        p = (1 - k) * p
    dy, dq, dr, dm, dp = np.zeros_like(y), 0.0, 0.0, 0.0, 0.0
    for t in reversed(range(len(y))):
        m, p = kept[t]
        s, v = p + r, y[t] - m
        k = p / s
        dk = dm * v - dp * p
        dv = dm * k - g * v / s
        ds = -0.5 * g * (1 / s - v**2 / s**2) - dk * p / s**2
        dp = dp * (1 - k) + dk / s + ds
        dy[t] = dv
        dm = dm - dv
        dr += ds
        dq += dp
    return dy, np.asarray(dq), np.asarray(dr)


def volatility(x, w, a, b):
    v, loss = 1.0, 0.0
    for t in range(len(x)):
        if t > 0:
            v = w + a * x[t - 1] ** 2 + b * v
        loss = loss + 0.5 * (np.log(v) + x[t] ** 2 / v)
    return loss


def volatility_vjp(g, x, w, a, b):
    vs = [1.0]
    for t in range(1, len(x)):
        vs.append(w + a * x[t - 1] ** 2 + b * vs[-1])
    dx, dw, da, db, dv = np.zeros_like(x), 0.0, 0.0, 0.0, 0.0
    for t in reversed(range(len(x))):
        dv = dv + 0.5 * g * (1 / vs[t] - x[t] ** 2 / vs[t] ** 2)
        dx[t] += g * x[t] / vs[t]
        if t > 0:
            dw += dv
            da += dv * x[t - 1] ** 2
            db += dv * vs[t - 1]
            dx[t - 1] += 2 * a * dv * x[t - 1]
            dv = dv * b
    return dx, np.asarray(dw), np.asarray(da), np.asarray(db)


LIFE = np.array([0.6, 2.1, 1.4, 0.9, 2.7])
DIED = np.array([1.0, 0.0, 1.0, 1.0, 0.0])


def weibull(shape, scale):
    z = LIFE / scale
    return -(DIED * (np.log(shape / scale) + (shape - 1) * np.log(z)) - z**shape).sum()


def weibull_vjp(g, shape, scale):
    z = LIFE / scale
    dshape = (z**shape * np.log(z) - DIED * (1 / shape + np.log(z))).sum()
    dscale = (DIED * shape / scale - shape * z**shape / scale).sum()
    return np.asarray(g * dshape), np.asarray(g * dscale)


LOUD = positive(3, 4)


def saito(w, h):
    q = LOUD / (w @ h)
    return (q - np.log(q) - 1).sum()


def saito_vjp(g, w, h):
    p = w @ h
    dp = g * (1 / p - LOUD / p**2)
    return dp @ h.T, w.T @ dp


def kernel(a, b):
    return np.exp(-0.5 * ((a[:, None] - b[None]) ** 2).sum(axis=2))


def discrepancy(x, y):
    return kernel(x, x).mean() + kernel(y, y).mean() - 2 * kernel(x, y).mean()


def discrepancy_vjp(g, x, y):
    kxx, kyy, kxy = kernel(x, x), kernel(y, y), kernel(x, y)
    n, m = len(x), len(y)
    dx = (kxx @ x - kxx.sum(axis=1)[:, None] * x) / n**2
    dx -= (kxy @ y - kxy.sum(axis=1)[:, None] * x) / (n * m)
    dy = (kyy @ y - kyy.sum(axis=1)[:, None] * y) / m**2
    dy -= (kxy.T @ x - kxy.sum(axis=0)[:, None] * y) / (n * m)
    return 2 * g * dx, 2 * g * dy


def welch(x, y):
    return (x.mean() - y.mean()) / np.sqrt(x.var(ddof=1) / len(x) + y.var(ddof=1) / len(y))


def welch_vjp(g, x, y):
    n, m = len(x), len(y)
    s = np.sqrt(x.var(ddof=1) / n + y.var(ddof=1) / m)
    k = g * (x.mean() - y.mean()) / s**3
    dx = g / (n * s) - k * (x - x.mean()) / (n * (n - 1))
    dy = -g / (m * s) - k * (y - y.mean()) / (m * (m - 1))
    return dx, dy


def trend(x, a, c):
    level, slope = x[0], x[1] - x[0]
    out = np.zeros(len(x) - 1)
    for t in range(1, len(x)):
        new = a * x[t] + (1 - a) * (level + slope)
        slope = c * (new - level) + (1 - c) * slope
        level = new
        out[t - 1] = level + slope
    return out


def trend_vjp(g, x, a, c):
    states = [(x[0], x[1] - x[0])]
    for t in range(1, len(x)):
        level, slope = states[-1]
        new = a * x[t] + (1 - a) * (level + slope)
        states.append((new, c * (new - level) + (1 - c) * slope))
    dx, da, dc, dlevel, dslope = np.zeros_like(x), 0.0, 0.0, 0.0, 0.0
    for t in reversed(range(1, len(x))):
        level, slope = states[t - 1]
        new = states[t][0]
        dlevel, dslope = dlevel + g[t - 1], dslope + g[t - 1]
        dnew = dlevel + c * dslope
        dc += dslope * (new - level - slope)
        da += dnew * (x[t] - level - slope)
        dx[t] += a * dnew
        dlevel, dslope = (1 - a) * dnew - c * dslope, (1 - a) * dnew + (1 - c) * dslope
    dx[0] += dlevel - dslope
    dx[1] += dslope
    return dx, np.asarray(da), np.asarray(dc)


def advantages(r, v):
    delta = r + 0.9 * v[1:] - v[:-1]
    out = np.zeros_like(r)
    carried = 0.0
    for t in reversed(range(len(r))):
        carried = delta[t] + 0.72 * carried
        out[t] = carried
    return out


def advantages_vjp(g, r, v):
    dr, dv = np.zeros_like(r), np.zeros_like(v)
    carried = 0.0
    for t in range(len(r)):
        carried = g[t] + 0.72 * carried
        dr[t] = carried
        dv[t] -= carried
        dv[t + 1] += 0.9 * carried
    return dr, dv


BREEDS = np.array([1, 0, 2, 1])


def generalised(z):
    p = softmax(z)[np.arange(4), BREEDS]
    return ((1 - p**0.7) / 0.7).mean()


def generalised_vjp(g, z):
    p = softmax(z)
    own = p[np.arange(4), BREEDS][:, None]
    return g * own**0.7 * (p - np.eye(3)[BREEDS]) / len(z)


SOLVED = np.array([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0], [1.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
ASKED = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0], [0.0, 1.0, 1.0], [1.0, 0.0, 1.0]])


def answers(skill, sharp, hard):
    p = sigmoid(sharp * (skill[:, None] - hard))
    return -(ASKED * (SOLVED * np.log(p) + (1 - SOLVED) * np.log(1 - p))).sum()


def answers_vjp(g, skill, sharp, hard):
    d = skill[:, None] - hard
    e = g * ASKED * (sigmoid(sharp * d) - SOLVED)
    return e @ sharp, (e * d).sum(axis=0), -sharp * e.sum(axis=0)


MOMENTS = np.array([0.4, 1.1, 1.5, 3.2])


def shocks(mu, alpha, beta):
    a, total = 0.0, 0.0
    for i in range(4):
        if i > 0:
            a = np.exp(-beta * (MOMENTS[i] - MOMENTS[i - 1])) * (1 + a)
        total = total + np.log(mu + alpha * a)
    return total - 5.0 * mu - alpha / beta * (1 - np.exp(-beta * (5.0 - MOMENTS))).sum()


def shocks_vjp(g, mu, alpha, beta):
    a, slope = 0.0, 0.0
    left = 5.0 - MOMENTS
    e = np.exp(-beta * left)
    dmu, dalpha = -5.0, -(1 - e).sum() / beta
    dbeta = alpha * (1 - e).sum() / beta**2 - alpha * (left * e).sum() / beta
    for i in range(4):
        if i > 0:
            gap = MOMENTS[i] - MOMENTS[i - 1]
            slope = np.exp(-beta * gap) * (slope - gap * (1 + a))
            a = np.exp(-beta * gap) * (1 + a)
        rate = mu + alpha * a
        dmu += 1 / rate
        dalpha += a / rate
        dbeta += alpha * slope / rate
    return np.asarray(g * dmu), np.asarray(g * dalpha), np.asarray(g * dbeta)


DRAWN = normal(3, 2)


def squashed_policy(mu, log_std):
    a = np.tanh(mu + np.exp(log_std) * DRAWN)
    return (-0.5 * DRAWN**2 - log_std - np.log(1 - a**2 + 0.01)).sum(axis=1)


def squashed_policy_vjp(g, mu, log_std):
    a = np.tanh(mu + np.exp(log_std) * DRAWN)
    du = 2 * g[:, None] * a * (1 - a**2) / (1 - a**2 + 0.01)
    return du, du * np.exp(log_std) * DRAWN - g[:, None]


def similarity(x, y):
    a, b = x - x.mean(), y - y.mean()
    light = (2 * x.mean() * y.mean() + 0.01) / (x.mean() ** 2 + y.mean() ** 2 + 0.01)
    return light * (2 * (a * b).mean() + 0.03) / ((a**2).mean() + (b**2).mean() + 0.03)


def similarity_vjp(g, x, y):
    mx, my, n = x.mean(), y.mean(), len(x)
    a, b = x - mx, y - my
    p, q = 2 * mx * my + 0.01, mx**2 + my**2 + 0.01
    u, v = 2 * (a * b).mean() + 0.03, (a**2).mean() + (b**2).mean() + 0.03
    s = 2 * g * p * u / (q * v) / n
    return s * (my / p - mx / q + b / u - a / v), s * (mx / p - my / q + a / u - b / v)


CHAIN = (positive(3), positive(3, 3), positive(3, 2))
TRACKED = (normal(4), np.array(0.3), np.array(0.5))
RETURNS = (normal(5), np.array(0.2), np.array(0.3), np.array(0.5))
SEASON = (normal(5), np.array(0.6), np.array(0.3))
LOSSES = [
    Mistake("concordance: means' difference", concordance, slip(concordance_vjp, "(a + shift)", "a"), (normal(5), normal(5) + 1), r"shift|path|term|held constant"),
    Mistake("concordance: its sign in dy", concordance, slip(concordance_vjp, "(b - shift)", "(b + shift)"), (normal(5), normal(5) + 1), r"sign|must be -|difference"),
    Mistake("signal: natural logarithm", signal_to_noise, slip(signal_to_noise_vjp, "10 / np.log(10)", "10"), (normal(5), normal(5)), r"log|2\.30|0\.43"),
    Mistake("signal: noise's path", signal_to_noise, slip(signal_to_noise_vjp, "/ (t @ t) - dn", "/ (t @ t)"), (normal(5), normal(5)), r"path|term|held constant|`dn`|e - t"),
    Mistake("signal: length constant", signal_to_noise, slip(signal_to_noise_vjp, " - 2 * da * a * s / (s @ s)", ""), (normal(5), normal(5)), r"path|term|held constant|s @ s"),
    Mistake("twins: dc not turned, parts forgotten", twins, slip(twins_vjp, "zb @ dc.T", "zb @ dc", "PARTS * ", ""), (normal(4, 3), normal(4, 3)), r"transpos|\.T\b|PARTS"),
    Mistake("captions and images: columns not turned back", captions_and_images, slip(captions_and_images_vjp, "softmax(z.T).T", "softmax(z.T)"), (normal(3, 2), normal(3, 2), np.array(0.4)), r"transpos|\.T\b"),
    Mistake("captions and images: exp of the scale", captions_and_images, slip(captions_and_images_vjp, "(dz * z).sum()", "(dz * (a @ b.T)).sum()"), (normal(3, 2), normal(3, 2), np.array(0.4)), r"exp|scale|1\.49"),
    Mistake("warping: assigned", soft_warping, slip(soft_warping_vjp, "dr[p, q] +=", "dr[p, q] ="), (positive(3, 4),), r"overwrit|assign|added|last"),
    Mistake("warping: cost left out of the weights", soft_warping, slip(soft_warping_vjp, "np.exp(d[i - 1, j - 1] - r[i, j])", "np.exp(-r[i, j])"), (positive(3, 4),), r"`d|d\[i - 1|whole|ways|divi|term"),
    Mistake("chain: not turned", hidden_chain, slip(hidden_chain_vjp, "beta = a @ d", "beta = a.T @ d"), CHAIN, r"transpos|\.T\b|direction"),
    Mistake("chain: repeated sign assigned", hidden_chain, slip(hidden_chain_vjp, "db[:, SEEN[t]] +=", "db[:, SEEN[t]] ="), CHAIN, r"overwrit|assign|added|repeat|last"),
    Mistake("kalman: mean not carried", kalman, slip(kalman_vjp, "dm = dm - dv", "dm = -dv"), TRACKED, r"path|term|held constant|carried|`?dm|added|overwrit"),
    Mistake("kalman: gain's path of the variance", kalman, slip(kalman_vjp, "dm * v - dp * p", "dm * v"), TRACKED, r"path|term|held constant|1 - p / s|p / s"),
    Mistake("kalman: square of the surprise, sign of its variance", kalman, slip(kalman_vjp, "(1 / s - v**2 / s**2)", "(1 / s + v / s**2)"), TRACKED, r"sign|squar|power|\*\*|`v"),
    Mistake("volatility: variance of the day itself", volatility, slip(volatility_vjp, "dv * vs[t - 1]", "dv * vs[t]"), RETURNS, r"\bturn|vs\[t - 1\]|before|step|state"),
    Mistake("volatility: return assigned", volatility, slip(volatility_vjp, "dx[t] +=", "dx[t] ="), RETURNS, r"overwrit|assign|added|path"),
    Mistake("weibull: censored, too", weibull, slip(weibull_vjp, "DIED * shape / scale", "shape / scale"), (np.array(1.3), np.array(1.7)), r"DIED|mask"),
    Mistake("weibull: logarithm of the power", weibull, slip(weibull_vjp, "z**shape * np.log(z)", "z**shape"), (np.array(1.3), np.array(1.7)), r"log"),
    Mistake("saito: not squared", saito, slip(saito_vjp, "LOUD / p**2", "LOUD / p"), (positive(3, 2), positive(2, 4)), r"squar|power|exponent|divi|`p`|w @ h"),
    Mistake("discrepancy: sums of the other axis", discrepancy, slip(discrepancy_vjp, "kxy.sum(axis=0)", "kxy.sum(axis=1)"), (normal(4, 2), normal(4, 2)), r"axis"),
    Mistake("welch: n for n - 1, sign", welch, slip(welch_vjp, "(n * (n - 1))", "n**2", "dy = -g", "dy = g"), (normal(5), normal(4)), r"n - 1|\b4\b|\b5\b|sign|ddof"),
    Mistake("trend: slope's path of the level", trend, slip(trend_vjp, "dnew = dlevel + c * dslope", "dnew = dlevel"), SEASON, r"path|term|held constant|dslope|new - level"),
    Mistake("trend: first slope of the start", trend, slip(trend_vjp, "dx[0] += dlevel - dslope", "dx[0] += dlevel"), SEASON, r"path|term|held constant|x\[0\]|dslope|first"),
    Mistake("advantages: same direction", advantages, slip(advantages_vjp, "for t in range(len(r))", "for t in reversed(range(len(r)))"), (normal(4), normal(5)), r"revers|direction|order|first|last"),
    Mistake("advantages: next value not discounted", advantages, slip(advantages_vjp, "0.9 * carried", "carried"), (normal(4), normal(5)), r"0\.9"),
    Mistake("generalised: power of the slope", generalised, slip(generalised_vjp, "own**0.7", "own**-0.3"), (normal(4, 3),), r"power|exponent|\*\*|own|0\.7|softmax|too many|divi"),
    Mistake("answers: sharpness, unasked", answers, slip(answers_vjp, "e @ sharp", "e.sum(axis=1)", "g * ASKED *", "g *"), (normal(4), positive(3), normal(3)), r"`?sharp`? (is )?(missing|left out)|with `?sharp|factor `?sharp|ASKED|mask"),
    Mistake("shocks: earlier excitement constant", shocks, slip(shocks_vjp, "(slope - gap * (1 + a))", "(-gap * (1 + a))"), (np.array(0.6), np.array(0.5), np.array(1.2)), r"path|term|held constant|carried|slope|\bturn"),
    Mistake("policy: entropy's own term", squashed_policy, slip(squashed_policy_vjp, " - g[:, None]", ""), (normal(3, 2), normal(3, 2) / 2), r"path|term|held constant|- log_std|g\[:, None\]"),
    Mistake("similarity: variance of y", similarity, slip(similarity_vjp, " + a / u - b / v)", " + a / u)"), (positive(5), positive(5)), r"path|term|held constant|b ?\*\* ?2|`v`"),
]  # fmt: skip


# ---- geometry, matrices, signals and physics -------------------------------------------------------------------------------


def volume(sigma, colour):
    alpha = 1 - np.exp(-0.4 * sigma)
    through = np.exp(-0.4 * (np.cumsum(sigma) - sigma))
    return (through * alpha) @ colour


def volume_vjp(g, sigma, colour):
    e = np.exp(-0.4 * sigma)
    through = np.exp(-0.4 * (np.cumsum(sigma) - sigma))
    w = through * (1 - e)
    dw = colour @ g
    behind = np.cumsum((w * dw)[::-1])[::-1] - w * dw
    return 0.4 * (through * e * dw - behind), np.outer(w, g)


def rotated(v, k, t):
    c, s = np.cos(t), np.sin(t)
    return v * c + np.cross(k, v) * s + k * (k @ v) * (1 - c)


def rotated_vjp(g, v, k, t):
    c, s = np.cos(t), np.sin(t)
    dv = g * c + np.cross(g, k) * s + k * (k @ g) * (1 - c)
    dk = np.cross(v, g) * s + ((k @ v) * g + (k @ g) * v) * (1 - c)
    dt = g @ (np.cross(k, v) * c - v * s + k * (k @ v) * s)
    return dv, dk, np.asarray(dt)


def mirrored(x, v):
    return x - 2 * v * (v @ x) / (v @ v)


def mirrored_vjp(g, x, v):
    n = v @ v
    dx = g - 2 * v * (v @ g) / n
    dv = -2 * ((v @ x) * g + (v @ g) * x) / n + 4 * v * (v @ x) * (v @ g) / n**2
    return dx, dv


def cayley(s):
    a = s - s.T
    return np.linalg.solve(np.eye(3) + a, np.eye(3) - a)


def cayley_vjp(g, s):
    a = s - s.T
    q = np.linalg.solve(np.eye(3) + a, np.eye(3) - a)
    da = -np.linalg.solve((np.eye(3) + a).T, g) @ (np.eye(3) + q).T
    return da - da.T


def orthogonalised(a):
    q = np.zeros((3, 3))
    for j in range(3):
        v = a[:, j] - q[:, :j] @ (q[:, :j].T @ a[:, j])
        q[:, j] = v / np.sqrt(v @ v)
    return q


def orthogonalised_vjp(g, a):
    q = orthogonalised(a)
    dq, da = g.copy(), np.zeros_like(a)
    for j in reversed(range(3)):
        r = q[:, :j].T @ a[:, j]
        v = a[:, j] - q[:, :j] @ r
        dv = (dq[:, j] - q[:, j] * (q[:, j] @ dq[:, j])) / np.sqrt(v @ v)
        dr = -q[:, :j].T @ dv
        da[:, j] = dv + q[:, :j] @ dr
        dq[:, :j] += np.outer(a[:, j], dr) - np.outer(dv, r)
    return da


def rayleigh(x, a):
    return (x @ a @ x) / (x @ x)


def rayleigh_vjp(g, x, a):
    n = x @ x
    dx = ((a + a.T) @ x - 2 * (x @ a @ x) / n * x) / n
    return g * dx, g * np.outer(x, x) / n


def horner(c, x):
    y = np.zeros_like(x)
    for k in reversed(range(4)):
        y = y * x + c[k]
    return y


def horner_vjp(g, c, x):
    ys = [np.zeros_like(x)]
    for k in reversed(range(4)):
        ys.append(ys[-1] * x + c[k])
    dc, dx, d = np.zeros_like(c), np.zeros_like(x), g
    for k in range(4):
        dc[k] = d.sum()
        dx += d * ys[3 - k]
        d = d * x
    return dc, dx


def thomas(a, b, c, d):
    n = len(b)
    u, y, x = np.zeros(n), np.zeros(n), np.zeros(n)
    u[0], y[0] = c[0] / b[0], d[0] / b[0]
    for i in range(1, n):
        m = b[i] - a[i - 1] * u[i - 1]
        y[i] = (d[i] - a[i - 1] * y[i - 1]) / m
        if i < n - 1:
            u[i] = c[i] / m
    x[n - 1] = y[n - 1]
    for i in reversed(range(n - 1)):
        x[i] = y[i] - u[i] * x[i + 1]
    return x


def thomas_vjp(g, a, b, c, d):
    x = thomas(a, b, c, d)
    dd = thomas(c, b, a, g)
    return -dd[1:] * x[:-1], -dd * x, -dd[:-1] * x[1:], dd


def camera(p, f):
    return f * p[:, :2] / p[:, 2:]


def camera_vjp(g, p, f):
    flat, z = p[:, :2], p[:, 2:]
    dflat = f * g / z
    dz = -(f * g * flat).sum(axis=1, keepdims=True) / z**2
    return np.concatenate([dflat, dz], axis=1), np.asarray((g * flat / z).sum())


def chamfer(x, y):
    d = ((x[:, None] - y[None]) ** 2).sum(axis=2)
    return d.min(axis=1).mean() + d.min(axis=0).mean()


def chamfer_vjp(g, x, y):
    d = ((x[:, None] - y[None]) ** 2).sum(axis=2)
    i, j = d.argmin(axis=1), d.argmin(axis=0)
    e, f = 2 * g * (x - y[i]) / len(x), 2 * g * (y - x[j]) / len(y)
    dx, dy = e.copy(), f.copy()
    np.add.at(dx, j, -f)
    np.add.at(dy, i, -e)
    return dx, dy


NEAR = np.exp(-0.5 * (np.arange(5)[:, None] - np.arange(5)) ** 2)


def bilateral(x):
    w = NEAR * np.exp(-0.5 * (x[:, None] - x) ** 2)
    return w @ x / w.sum(axis=1)


def bilateral_vjp(g, x):
    w = NEAR * np.exp(-0.5 * (x[:, None] - x) ** 2)
    s = w.sum(axis=1)
    y = w @ x / s
    dw = (g / s)[:, None] * (x - y[:, None])
    d = -dw * w * (x[:, None] - x)
    return w.T @ (g / s) + d.sum(axis=1) - d.sum(axis=0)


def haar(x):
    details = []
    for _ in range(2):
        details.insert(0, (x[::2] - x[1::2]) / np.sqrt(2))
        x = (x[::2] + x[1::2]) / np.sqrt(2)
    return np.concatenate([x, *details])


def haar_vjp(g, x):
    low = g[:2]
    for high in (g[2:4], g[4:]):
        d = np.zeros(2 * len(low))
        d[::2] = (low + high) / np.sqrt(2)
        d[1::2] = (low - high) / np.sqrt(2)
        low = d
    return low


def companded(x, mu):
    return np.sign(x) * np.log(1 + mu * np.abs(x)) / np.log(1 + mu)


def companded_vjp(g, x, mu):
    a, top = np.abs(x), np.log(1 + mu)
    dx = g * mu / ((1 + mu * a) * top)
    dmu = g * np.sign(x) * (a / ((1 + mu * a) * top) - np.log(1 + mu * a) / (top**2 * (1 + mu)))
    return dx, np.asarray(dmu.sum())


def oscillators(t, w, k):
    return t + 0.1 * (w + k / 4 * np.sin(t - t[:, None]).sum(axis=1))


def oscillators_vjp(g, t, w, k):
    d = t - t[:, None]
    pull = 0.1 * k / 4 * g[:, None] * np.cos(d)
    dk = 0.1 / 4 * (g[:, None] * np.sin(d)).sum()
    return g + pull.sum(axis=0) - pull.sum(axis=1), 0.1 * g, np.asarray(dk)


def leapfrog(x, p, k):
    p = p - 0.1 * (x**3 + k * x)
    x = x + 0.2 * p
    return x, p - 0.1 * (x**3 + k * x)


def leapfrog_vjp(g, x, p, k):
    gx, gp = g
    half = p - 0.1 * (x**3 + k * x)
    new = x + 0.2 * half
    dnew = gx - 0.1 * gp * (3 * new**2 + k)
    dhalf = gp + 0.2 * dnew
    dx = dnew - 0.1 * dhalf * (3 * x**2 + k)
    dk = -0.1 * (gp * new).sum() - 0.1 * (dhalf * x).sum()
    return dx, dhalf, np.asarray(dk)


def burgers(u):
    for _ in range(2):
        u = u - 0.2 * u * (u - np.roll(u, 1))
    return u


def burgers_vjp(g, u):
    us = [u]
    for _ in range(2):
        us.append(us[-1] - 0.2 * us[-1] * (us[-1] - np.roll(us[-1], 1)))
    d = g
    for u in reversed(us[:-1]):
        d = d - 0.2 * d * (2 * u - np.roll(u, 1)) + np.roll(0.2 * d * u, -1)
    return d


def bent(u):
    out = np.zeros_like(u)
    out[1:-1] = u[2:] - 2 * u[1:-1] + u[:-2]
    return out


def string(u, c):
    before = u
    for _ in range(3):
        u, before = 2 * u - before + c**2 * bent(u), u
    return u


def string_vjp(g, u, c):
    us = [u, u]
    for _ in range(3):
        us.append(2 * us[-1] - us[-2] + c**2 * bent(us[-1]))
    d, e, dc = g, np.zeros_like(u), 0.0
    for t in reversed(range(3)):
        dc += 2 * c * (d * bent(us[t + 1])).sum()
        inner = c**2 * d[1:-1]
        new = e + 2 * d
        new[2:] += inner
        new[1:-1] -= 2 * inner
        new[:-2] += inner
        d, e = new, -d
    return d + e, np.asarray(dc)


def inhibited(s, i, vm, km, ki):
    return vm * s / (km * (1 + i / ki) + s)


def inhibited_vjp(g, s, i, vm, km, ki):
    d = km * (1 + i / ki) + s
    ds = g * vm * (d - s) / d**2
    dd = -g * vm * s / d**2
    return ds, dd * km / ki, g * s / d, dd * (1 + i / ki), -dd * km * i / ki**2


def real_gas(t, v):
    return t / (v - 0.2) - 0.4 / (np.sqrt(t) * v * (v + 0.2))


def real_gas_vjp(g, t, v):
    dt = 1 / (v - 0.2) + 0.2 / (t**1.5 * v * (v + 0.2))
    dv = 0.4 * (2 * v + 0.2) / (np.sqrt(t) * v**2 * (v + 0.2) ** 2) - t / (v - 0.2) ** 2
    return g * dt, g * dv


def haversine(a, p, b, q):
    h = np.sin((b - a) / 2) ** 2 + np.cos(a) * np.cos(b) * np.sin((q - p) / 2) ** 2
    return 2 * np.arcsin(np.sqrt(h))


def haversine_vjp(g, a, p, b, q):
    s = np.sin((q - p) / 2) ** 2
    h = np.sin((b - a) / 2) ** 2 + np.cos(a) * np.cos(b) * s
    dh = g / np.sqrt(h * (1 - h))
    da = dh * (-0.5 * np.sin(b - a) - np.sin(a) * np.cos(b) * s)
    db = dh * (0.5 * np.sin(b - a) - np.cos(a) * np.sin(b) * s)
    dq = dh * 0.5 * np.cos(a) * np.cos(b) * np.sin(q - p)
    return da, -dq, db, dq


def resonance(e, m, w):
    return 1 / ((e**2 - m**2) ** 2 + m**2 * w**2)


def resonance_vjp(g, e, m, w):
    d = e**2 - m**2
    q = d**2 + m**2 * w**2
    de = -4 * g * e * d / q**2
    dm = g * (4 * m * d - 2 * m * w**2) / q**2
    dw = -2 * g * m**2 * w / q**2
    return de, np.asarray(dm.sum()), np.asarray(dw.sum())


def production(k, n, a, r):
    return (a * k**r + (1 - a) * n**r) ** (1 / r)


def production_vjp(g, k, n, a, r):
    s = a * k**r + (1 - a) * n**r
    y = s ** (1 / r)
    ds = g * y / (r * s)
    dk = ds * a * r * k ** (r - 1)
    dn = ds * (1 - a) * r * n ** (r - 1)
    da = (ds * (k**r - n**r)).sum()
    dr = (ds * (a * k**r * np.log(k) + (1 - a) * n**r * np.log(n)) - g * y * np.log(s) / r**2).sum()
    return dk, dn, np.asarray(da), np.asarray(dr)


def planar_flow(x, u, w, b):
    t = np.tanh(x @ w + b)
    return x + np.outer(t, u), np.log(np.abs(1 + (u @ w) * (1 - t**2)))


def planar_flow_vjp(g, x, u, w, b):
    gy, gl = g
    t = np.tanh(x @ w + b)
    a = 1 - t**2
    dd = gl / (1 + (u @ w) * a)
    duw = (dd * a).sum()
    dt = gy @ u - 2 * t * dd * (u @ w)
    dz = dt * a
    return gy + np.outer(dz, w), gy.T @ t + duw * w, x.T @ dz + duw * u, np.asarray(dz.sum())


def schulz(a):
    x = 0.5 * a.T
    for _ in range(2):
        x = 2 * x - x @ a @ x
    return x


def schulz_vjp(g, a):
    xs = [0.5 * a.T]
    for _ in range(2):
        xs.append(2 * xs[-1] - xs[-1] @ a @ xs[-1])
    da, d = np.zeros_like(a), g
    for x in reversed(xs[:-1]):
        da -= x.T @ d @ x.T
        d = 2 * d - d @ (a @ x).T - (x @ a).T @ d
    return da + 0.5 * d.T


PLACES = np.array([0.0, 0.7, 1.1, 2.3])
APART = (PLACES[:, None] - PLACES) ** 2


def evidence(y, scale, noise):
    k = np.exp(-0.5 * APART / scale**2) + noise**2 * np.eye(4)
    return 0.5 * y @ np.linalg.solve(k, y) + 0.5 * np.linalg.slogdet(k)[1]


def evidence_vjp(g, y, scale, noise):
    smooth = np.exp(-0.5 * APART / scale**2)
    k = smooth + noise**2 * np.eye(4)
    alpha = np.linalg.solve(k, y)
    dk = 0.5 * g * (np.linalg.inv(k) - np.outer(alpha, alpha))
    dscale = (dk * smooth * APART).sum() / scale**3
    dnoise = 2 * noise * np.trace(dk)
    return g * alpha, np.asarray(dscale), np.asarray(dnoise)


RAY = (positive(4), normal(4, 3))
TURNED = (normal(3), normal(3), np.array(0.8))
BAND = (normal(3), positive(4) + 3, normal(3), normal(4))
POINTS = (np.concatenate([normal(3, 2), positive(3, 1)], axis=1), np.array(1.5))
STRING = (normal(6), np.array(0.6))
ENZYME = (positive(3), positive(3), positive(3), positive(3), positive(3))
TOWNS = (np.array([0.4, -0.3, 0.9]), np.array([0.1, 1.2, -0.5]), np.array([0.7, 0.5, 0.2]), np.array([0.9, 0.3, 0.4]))
FLOW = (normal(4, 2), np.array([0.6, -0.4]), np.array([0.8, 0.9]), np.array(0.2))
GAUSSIAN = (normal(4), np.array(0.9), np.array(0.5))
SCIENCE = [
    Mistake("volume: not from behind", volume, slip(volume_vjp, "np.cumsum((w * dw)[::-1])[::-1]", "np.cumsum(w * dw)"), RAY, r"revers|direction|order|behind|cumsum"),
    Mistake("volume: own light behind itself", volume, slip(volume_vjp, "[::-1] - w * dw", "[::-1]"), RAY, r"- sigma|\bown\b|off by|term|path|`w \* dw`|cumsum"),
    Mistake("rotated: order of the cross product", rotated, slip(rotated_vjp, "np.cross(g, k)", "np.cross(k, g)"), TURNED, r"sign|order|exchang|cross|swap"),
    Mistake("rotated: one factor of the axis", rotated, slip(rotated_vjp, "((k @ v) * g + (k @ g) * v)", "(k @ v) * g"), TURNED, r"path|term|held constant|k @ v"),
    Mistake("mirrored: length constant", mirrored, slip(mirrored_vjp, " + 4 * v * (v @ x) * (v @ g) / n**2", ""), (normal(3), normal(3)), r"v @ v|held constant|path|term"),
    Mistake("mirrored: one of the two, 2 for 4", mirrored, slip(mirrored_vjp, "((v @ x) * g + (v @ g) * x)", "(v @ x) * g", "+ 4 * v", "+ 2 * v"), (normal(3), normal(3)), r"path|term|held constant|\b2\b|\b4\b|v @ x"),
    Mistake("cayley: plus the turned", cayley, slip(cayley_vjp, "da - da.T", "da + da.T"), (normal(3, 3) / 2,), r"sign|must be -|difference|s\.T"),
    Mistake("orthogonalised: earlier columns' lengths along", orthogonalised, slip(orthogonalised_vjp, "np.outer(a[:, j], dr) - np.outer(dv, r)", "-np.outer(dv, r)"), (normal(3, 3),), r"path|term|held constant|q\[:, :j\]\.T"),
    Mistake("rayleigh: as if symmetric", rayleigh, slip(rayleigh_vjp, "(a + a.T) @ x", "2 * a @ x"), (normal(3), normal(3, 3)), r"transpos|symmet|a\.T|path|term|twice"),
    Mistake("horner: value of the step after", horner, slip(horner_vjp, "ys[3 - k]", "ys[4 - k]"), (normal(4), normal(3)), r"\bturn|after|step|ys\[3 - k\]|`y`"),
    Mistake("thomas: same system", thomas, slip(thomas_vjp, "thomas(c, b, a, g)", "thomas(a, b, c, g)"), BAND, r"transpos|exchang|swap|`a`.*`c`|`c`.*`a`"),
    Mistake("thomas: off by one", thomas, slip(thomas_vjp, "-dd[1:] * x[:-1]", "-dd[:-1] * x[:-1]"), BAND, r"off by|shift|slice|\[1:\]|index"),
    Mistake("camera: depth not squared", camera, slip(camera_vjp, "z**2", "z"), POINTS, r"squar|power|divi|`z`|exponent|2:\]"),
    Mistake("chamfer: repeats overwritten", chamfer, slip(chamfer_vjp, "np.add.at(dx, j, -f)", "dx[j] -= f"), (normal(3, 2), normal(5, 2)), r"overwrit|repeat|assign|added|add\.at"),
    Mistake("bilateral: neighbours' weights", bilateral, slip(bilateral_vjp, " - d.sum(axis=0)", ""), (normal(5),), r"path|term|held constant|axis=0|d\.sum"),
    Mistake("haar: sign of the odd, root for the even", haar, slip(haar_vjp, "(low - high)", "(low + high)", "d[::2] = (low + high) / np.sqrt(2)", "d[::2] = low + high"), (normal(8),), r"sign|sqrt|1\.41|root|divi"),
    Mistake("companded: scale constant", companded, slip(companded_vjp, " - np.log(1 + mu * a) / (top**2 * (1 + mu))", ""), (normal(5), np.array(4.0)), r"path|term|held constant|np\.log\(1 \+ mu\)"),
    Mistake("oscillators: own phase", oscillators, slip(oscillators_vjp, " - pull.sum(axis=1)", ""), (normal(4), normal(4), np.array(0.9)), r"path|term|held constant|t\[:, None\]"),
    Mistake("leapfrog: force at the old place", leapfrog, slip(leapfrog_vjp, "3 * new**2", "3 * x**2"), (normal(3), normal(3), np.array(0.7)), r"`new`|x \+ 0\.2|`x` is used"),
    Mistake("burgers: rolled the same way", burgers, slip(burgers_vjp, "np.roll(0.2 * d * u, -1)", "np.roll(0.2 * d * u, 1)"), (normal(5),), r"direction|roll|revers|shift|transpos|-1"),
    Mistake("string: place before", string, slip(string_vjp, "d, e = new, -d", "d = new"), STRING, r"before|path|term|held constant|`e`|us\[-2\]"),
    Mistake("string: speed not doubled, place before", string, slip(string_vjp, "dc += 2 * c *", "dc += c *", "bent(us[t + 1])", "bent(us[t])"), STRING, r"\b2\b|turn|step|us\[t \+ 1\]|before"),
    Mistake("inhibited: half of the quotient, ki once", inhibited, slip(inhibited_vjp, "vm * (d - s) / d**2", "vm / d", "ki**2", "ki"), ENZYME, r"path|term|held constant|squar|power|divi"),
    Mistake("real gas: power of the temperature", real_gas, slip(real_gas_vjp, "t**1.5", "t**0.5"), (positive(3), positive(3) + 1), r"power|exponent|\*\*|divi|root|sqrt"),
    Mistake("haversine: root's slope", haversine, slip(haversine_vjp, "np.sqrt(h * (1 - h))", "np.sqrt(1 - h)"), TOWNS, r"sqrt|root|`h`|divi"),
    Mistake("resonance: width's mass", resonance, slip(resonance_vjp, " - 2 * m * w**2", ""), (positive(4), np.array(1.3), np.array(0.6)), r"path|term|held constant|m ?\*\* ?2|w ?\*\* ?2"),
    Mistake("production: exponent outside", production, slip(production_vjp, " - g * y * np.log(s) / r**2", ""), (positive(3), positive(3), np.array(0.4), np.array(0.6)), r"1 / r|path|term|held constant|log"),
    Mistake("flow: slope of the slope", planar_flow, slip(planar_flow_vjp, " - 2 * t * dd * (u @ w)", ""), FLOW, r"path|term|held constant|t ?\*\* ?2|np\.tanh"),
    Mistake("schulz: start not turned", schulz, slip(schulz_vjp, "0.5 * d.T", "0.5 * d"), (np.eye(3) + normal(3, 3) / 4,), r"transpos|\.T\b"),
    Mistake("evidence: sign of the fit", evidence, slip(evidence_vjp, "np.linalg.inv(k) - np.outer", "np.linalg.inv(k) + np.outer"), GAUSSIAN, r"sign|must be -|difference"),
    Mistake("evidence: scale once squared, noise halved", evidence, slip(evidence_vjp, "scale**3", "scale**2", "2 * noise", "noise"), GAUSSIAN, r"power|exponent|\*\*|\b2\b|divi"),
]  # fmt: skip


# ---- functions of Tensors with rules of one's own --------------------------------------------------------------------------


def own(forward, backward):
    """A `Function` of these two."""
    return type("Own", (Function,), {"forward": staticmethod(forward), "backward": staticmethod(backward)}).apply


def op(forward, **rules):
    """An `Op` of this forward rule and these derivatives."""
    return type(Op)("OwnOp", (Op,), {"forward": forward, **rules}).apply


def tensors(*arrays):
    return tuple(tg.tensor(a, dtype=tg.float64, requires_grad=True) for a in arrays)


def rms_forward(ctx, x):
    r = ((x * x).mean(1, keepdim=True) + 0.1).sqrt()
    ctx.save_for_backward(x, r)
    return x / r


def rms_backward(ctx, g):
    x, r = ctx.saved_tensors
    y = x / r
    return (g - y * (g * y).mean(1, keepdim=True)) / r


def after_a_layer(norm):
    """A linear layer, then a norm of one's own."""
    return lambda x, w: norm(x @ w)


def swish_forward(ctx, x, beta):
    s = 1 / (1 + (-beta * x).exp())
    ctx.save_for_backward(x, beta, s)
    return x * s


def swish_backward(ctx, g):
    x, beta, s = ctx.saved_tensors
    dx = g * (s + beta * x * s * (1 - s))
    dbeta = (g * x * x * s * (1 - s)).sum()
    return dx, dbeta


def used_twice(swish):
    """Two layers with the same swish."""
    return lambda x, beta, w: swish(swish(x, beta) @ w, beta)


def total_forward(ctx, x):
    e = x.exp()
    ctx.save_for_backward(e)
    return e.sum(1).log()


def total_backward(ctx, g):
    (e,) = ctx.saved_tensors
    return g.reshape(-1, 1) * e / e.sum(1, keepdim=True)


ALIVE = tg.tensor([[1.0, 1.0, 0.0], [1.0, 0.0, 0.0], [1.0, 1.0, 1.0]], dtype=tg.float64)


def alive_forward(ctx, x):
    return (x * ALIVE).sum(1) / ALIVE.sum(1)


def alive_backward(ctx, g):
    return (g / ALIVE.sum(1)).reshape(-1, 1) * ALIVE


def both_forward(ctx, a, b):
    ctx.save_for_backward(a, b)
    return a + b, a * b


def both_backward(ctx, gs, gp):
    a, b = ctx.saved_tensors
    return gs + gp * b, gs + gp * a


def mixed(both):
    """What is made of the sum and the product."""

    def f(a, b):
        s, p = both(a, b.exp())
        return s.tanh() * p

    return f


def scores_forward(ctx, q, k):
    ctx.save_for_backward(q, k)
    return q @ k.T * 0.5


def scores_backward(ctx, g):
    q, k = ctx.saved_tensors
    return 0.5 * g @ k, 0.5 * g.T @ q


def error_forward(ctx, x, t, w):
    ctx.save_for_backward(x, t, w)
    return (w * (x - t) ** 2).sum() / len(x)


def error_backward(ctx, g):
    x, t, w = ctx.saved_tensors
    d = g * 2 * w * (x - t) / len(x)
    return d, -d, g * ((x - t) ** 2).sum(0) / len(x)


def length(a, b):
    return np.sqrt(a * a + b * b)


def length_a(g, a, b):
    return g * a / np.sqrt(a * a + b * b)


def length_b(g, a, b):
    return g * b / np.sqrt(a * a + b * b)


def shares(x):
    return x / x.sum(axis=1, keepdims=True)


def shares_x(g, x):
    s = x.sum(axis=1, keepdims=True)
    return g / s - (g * x).sum(axis=1, keepdims=True) / s**2


def ripple(x):
    return x * np.exp(-x * x)


def ripple_x(g, x):
    return g * np.exp(-x * x) * (1 - 2 * x * x)


def layer(x, w, b):
    return x @ w + b


def layer_x(g, w):
    return g @ w.T


def layer_w(g, x):
    return x.T @ g


def layer_b(g):
    return g.sum(axis=0)


def table(u, v):
    return u[:, None] * v * v


def table_u(g, v):
    return (g * v * v).sum(axis=1)


def table_v(g, u, v):
    return 2 * v * (g * u[:, None]).sum(axis=0)


LAYERED = tensors(normal(4, 2), normal(2, 3))
SWISHED = tensors(normal(3, 2), np.array(1.4), normal(2, 2))
ERRORS = tensors(normal(4, 3), normal(4, 3), positive(3))
OWN = [
    OfTensors("own rms: sum for the mean", after_a_layer(own(rms_forward, slip(rms_backward, ".mean(1, keepdim=True)", ".sum(1, keepdim=True)"))), None, LAYERED, r"mean|\b3\b"),
    OfTensors("own rms: root constant", after_a_layer(own(rms_forward, slip(rms_backward, " - y * (g * y).mean(1, keepdim=True)", ""))), None, LAYERED, r"held constant|path|term|mean"),
    OfTensors("own swish: beta of the chain", used_twice(own(swish_forward, slip(swish_backward, "s + beta * x", "s + x"))), None, SWISHED, r"beta"),
    OfTensors("own swish: x once, averaged", used_twice(own(swish_forward, slip(swish_backward, "g * x * x", "g * x", ".sum()", ".mean()"))), None, SWISHED, r"`x`|mean|averag|\b6\b"),
    OfTensors("own total: logarithm left out", own(total_forward, slip(total_backward, " / e.sum(1, keepdim=True)", "")), None, tensors(normal(3, 4)), r"log|divi|e\.sum"),
    OfTensors("own alive: divided by all", own(alive_forward, slip(alive_backward, "g / ALIVE.sum(1)", "g / ALIVE.shape[1]")), None, tensors(normal(3, 3)), r"ALIVE|count|\b3\b|divi"),
    OfTensors("own both: the sum's gradient", mixed(own(both_forward, slip(both_backward, "gs + gp * a", "gp * a"))), None, tensors(normal(3, 2), normal(3, 2)), r"`gs`|path|term|held constant|a \+ b"),
    OfTensors("own scores: not turned", own(scores_forward, slip(scores_backward, "g.T @ q", "g @ q")), None, tensors(normal(3, 2), normal(3, 2)), r"transpos|\.T\b"),
    OfTensors("own error: 2 forgotten, averaged over all", own(error_forward, slip(error_backward, "g * 2 * w", "g * w", "sum(0) / len(x)", "sum(0) / x.numel()")), None, ERRORS, r"\b2\b|\b3\b|len|numel|mean|count"),
    OfTensors("own op length: b not squared", op(length, d_a=length_a, d_b=slip(length_b, "a * a + b * b", "a * a + b")), None, tensors(positive(4), positive(4)), r"squar|b \* b|power"),
    OfTensors("own op shares: columns", op(shares, d_x=slip(shares_x, "(g * x).sum(axis=1", "(g * x).sum(axis=0")), None, tensors(positive(3, 3)), r"axis"),
    OfTensors("own op ripple: 2 forgotten", op(ripple, d_x=slip(ripple_x, "2 * x * x", "x * x")), None, tensors(normal(5)), r"\b2\b"),
    OfTensors("own op layer: db averaged", op(layer, d_x=layer_x, d_w=layer_w, d_b=slip(layer_b, "g.sum(", "g.mean(")), None, tensors(normal(4, 2), normal(2, 3), normal(3)), r"mean|averag|\b4\b"),
    OfTensors("own op table: v not squared", op(table, d_u=slip(table_u, "g * v * v", "g * v"), d_v=table_v), None, tensors(normal(3), normal(4)), r"squar|`v`|v \* v|power"),
]  # fmt: skip

TABLES = [*NETWORKS, *LOSSES, *SCIENCE]
RIGHT = [
    (f, v, next(m.inputs for m in TABLES if m.function is f))
    for f, v in (
        (ninja, ninja_vjp), (char_rnn, char_rnn_vjp), (logistic_cost, logistic_cost_vjp),
        (linear_attention, linear_attention_vjp), (retention, retention_vjp), (quiet_softmax, quiet_softmax_vjp),
        (cosine_attention, cosine_attention_vjp), (experts, experts_vjp), (neighbours, neighbours_vjp),
        (edge_attention, edge_attention_vjp), (negative_sampling, negative_sampling_vjp), (glove, glove_vjp),
        (factorisation, factorisation_vjp), (cross_net, cross_net_vjp), (local_response, local_response_vjp),
        (filter_response, filter_response_vjp), (response_norm, response_norm_vjp), (dynamic_tanh, dynamic_tanh_vjp),
        (spatial_gate, spatial_gate_vjp), (edge_padded, edge_padded_vjp), (maxout, maxout_vjp),
        (simple_unit, simple_unit_vjp), (equilibrium, equilibrium_vjp), (adapted, adapted_vjp),
        (thresholded, thresholded_vjp), (sparsemax, sparsemax_vjp), (dueling, dueling_vjp),
        (gated_conv, gated_conv_vjp), (complex_score, complex_score_vjp), (concordance, concordance_vjp),
        (signal_to_noise, signal_to_noise_vjp), (twins, twins_vjp), (captions_and_images, captions_and_images_vjp),
        (soft_warping, soft_warping_vjp), (hidden_chain, hidden_chain_vjp), (kalman, kalman_vjp),
        (volatility, volatility_vjp), (weibull, weibull_vjp), (saito, saito_vjp), (discrepancy, discrepancy_vjp),
        (welch, welch_vjp), (trend, trend_vjp), (advantages, advantages_vjp), (generalised, generalised_vjp),
        (answers, answers_vjp), (shocks, shocks_vjp), (squashed_policy, squashed_policy_vjp),
        (similarity, similarity_vjp), (volume, volume_vjp), (rotated, rotated_vjp), (mirrored, mirrored_vjp),
        (cayley, cayley_vjp), (orthogonalised, orthogonalised_vjp), (rayleigh, rayleigh_vjp), (horner, horner_vjp),
        (thomas, thomas_vjp), (camera, camera_vjp), (chamfer, chamfer_vjp), (bilateral, bilateral_vjp),
        (haar, haar_vjp), (companded, companded_vjp), (oscillators, oscillators_vjp), (leapfrog, leapfrog_vjp),
        (burgers, burgers_vjp), (string, string_vjp), (inhibited, inhibited_vjp), (real_gas, real_gas_vjp),
        (haversine, haversine_vjp), (resonance, resonance_vjp), (production, production_vjp),
        (planar_flow, planar_flow_vjp), (schulz, schulz_vjp), (evidence, evidence_vjp),
    )
]  # fmt: skip
CACHED_RIGHT = [
    (planar_forward, planar_backward, PLANAR),
    (spatial_batchnorm_forward, spatial_batchnorm_backward, SPATIAL),
    (conv_col_forward, conv_col_backward, COLUMNS),
    (temporal_loss_forward, temporal_loss_backward, CAPTIONED),
    (text_cnn_forward, text_cnn_backward, TEXT),
    (encoder_forward, encoder_backward, ENCODER),
    (pool_reshape_forward, pool_reshape_backward, RESHAPED),
]
OWN_RIGHT = [
    (after_a_layer(own(rms_forward, rms_backward)), LAYERED),
    (used_twice(own(swish_forward, swish_backward)), SWISHED),
    (own(total_forward, total_backward), tensors(normal(3, 4))),
    (own(alive_forward, alive_backward), tensors(normal(3, 3))),
    (mixed(own(both_forward, both_backward)), tensors(normal(3, 2), normal(3, 2))),
    (own(scores_forward, scores_backward), tensors(normal(3, 2), normal(3, 2))),
    (own(error_forward, error_backward), ERRORS),
    (op(length, d_a=length_a, d_b=length_b), tensors(positive(4), positive(4))),
    (op(shares, d_x=shares_x), tensors(positive(3, 3))),
    (op(ripple, d_x=ripple_x), tensors(normal(5))),
    (op(layer, d_x=layer_x, d_w=layer_w, d_b=layer_b), tensors(normal(4, 2), normal(2, 3), normal(3))),
    (op(table, d_u=table_u, d_v=table_v), tensors(normal(3), normal(4))),
]

MISTAKES = [*COURSES, *NETWORKS, *LOSSES, *SCIENCE, *OWN]
