"""The value of every op against a definition that shares nothing with it: loops, Python's math, extended precision."""

import itertools
import math
import operator

import mpmath
import numpy as np
import pytest
from hypothesis import given

import tinygrad_cnn  # noqa: F401  fills the registry
from tinygrad_cnn.core.op import registry
from tinygrad_cnn.gradcheck.strategies import samples

LONG = np.longdouble


def each(function):
    """An element-wise function of Python numbers."""

    def reference(*arrays, **options):
        shaped = np.broadcast_arrays(*arrays)
        out = np.empty(shaped[0].shape)
        for place in np.ndindex(out.shape):
            out[place] = function(*(a[place].item() for a in shaped), **options)
        return out

    return reference


def over(function):
    """A reduction given as a function of the list of what goes into one element."""

    def reference(x, *, axes, keepdim, **options):
        kept = [a for a in range(x.ndim) if a not in axes]
        out = np.empty([x.shape[a] for a in kept])
        for place in np.ndindex(out.shape):
            index = [slice(None)] * x.ndim
            for a, k in zip(kept, place, strict=True):
                index[a] = k
            out[place] = function(x[tuple(index)].ravel().tolist(), **options)
        return out.reshape([1 if a in axes else x.shape[a] for a in range(x.ndim)]) if keepdim else out

    return reference


def determinants(a):
    """Leibniz's sum over permutations, of each matrix."""
    n = a.shape[-1]
    out = np.zeros(a.shape[:-2])
    for place in np.ndindex(out.shape):
        for order in itertools.permutations(range(n)):
            swaps = sum(order[i] > order[j] for i in range(n) for j in range(i + 1, n))
            out[place] += (-1) ** swaps * math.prod(a[place][i, order[i]] for i in range(n))
    return out


def solved(a, b):
    """Cramer's rule, matrix by matrix, column by column."""
    lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a, b = np.broadcast_to(a, lead + a.shape[-2:]), np.broadcast_to(b, lead + b.shape[-2:])
    out = np.empty(b.shape)
    for *place, row, column in np.ndindex(out.shape):
        replaced = a[tuple(place)].copy()
        replaced[:, row] = b[tuple(place)][:, column]
        out[(*place, row, column)] = determinants(replaced) / determinants(a[tuple(place)])
    return out


def matrix_by_matrix(function):
    """A function of one matrix, a list of rows of Python numbers, applied to each of a stack."""

    def reference(a, **options):
        found = [function(a[place].tolist(), **options) for place in np.ndindex(a.shape[:-2])]
        return np.reshape(found, a.shape[:-2] + np.shape(found[0]))

    return reference


def triangular_solved(a, b, *, upper, unit):
    """Cramer's rule, of the triangle alone."""
    n = a.shape[-1]
    kept = np.array([[float(i < j if upper else i > j) for j in range(n)] for i in range(n)])
    return solved(a * kept + (np.eye(n) if unit else a * np.eye(n)), b)


def cholesky_factor(a):
    """Row by row (Banachiewicz)."""
    n = len(a)
    low = [[0.0] * n for _ in a]
    for i in range(n):
        for j in range(i + 1):
            rest = (a[i][j] + a[j][i]) / 2 - math.fsum(low[i][k] * low[j][k] for k in range(j))
            low[i][j] = math.sqrt(rest) if i == j else rest / low[j][j]
    return low


def jacobi(columns, other):
    """Turn pairs of columns until they are orthogonal, `other` with them (Hestenes); the columns in place."""
    for _ in range(40):
        for p, q in itertools.combinations(range(len(columns)), 2):
            mixed = math.fsum(u * v for u, v in zip(columns[p], columns[q], strict=True))
            if mixed == 0:
                continue
            t = (math.fsum(v * v for v in columns[q]) - math.fsum(u * u for u in columns[p])) / (2 * mixed)
            t = math.copysign(1, t) / (abs(t) + math.hypot(1, t))
            c = 1 / math.hypot(1, t)
            for m in (columns, other):
                pairs = list(zip(m[p], m[q], strict=True))
                m[p], m[q] = [c * (u - t * v) for u, v in pairs], [c * (v + t * u) for u, v in pairs]


def singular(a):
    """(rows of U, singular values, rows of V) by one-sided rotations, of the longer side's transpose."""
    if len(a) < len(a[0]):
        found = singular([list(row) for row in zip(*a, strict=True)])
        return [*found[len(a[0]) + 1 :], found[len(a[0])], *found[: len(a[0])]]
    columns = [list(column) for column in zip(*a, strict=True)]
    turns = np.eye(len(columns)).tolist()
    jacobi(columns, turns)
    sizes = [math.sqrt(math.fsum(v * v for v in column)) for column in columns]
    order = sorted(range(len(sizes)), key=lambda k: -sizes[k])
    u = [[columns[k][i] / sizes[k] for k in order] for i in range(len(a))]
    return [*u, [sizes[k] for k in order], *([turns[k][i] for k in order] for i in range(len(turns)))]


def eigen(a):
    """The eigenvectors above the row of eigenvalues: those of a matrix made positive by a multiple of 1."""
    n, shift = len(a), 1 + sum(abs(x) for row in a for x in row)
    whole = [[(a[i][j] + a[j][i]) / 2 + shift * (i == j) for j in range(n)] for i in range(n)]
    found = [row[::-1] for row in singular(whole)]
    return [*found[:n], [size - shift for size in found[n]]]


def gram_schmidt(a):
    """Qᵀ and R side by side."""
    q, r = [], [[0.0] * len(a[0]) for _ in range(min(len(a), len(a[0])))]
    for j, column in enumerate(zip(*a, strict=True)):
        rest = list(column)
        for k, u in enumerate(q):
            r[k][j] = math.fsum(x * y for x, y in zip(u, rest, strict=True))
            rest = [y - r[k][j] * x for x, y in zip(u, rest, strict=True)]
        if j < len(r):
            r[j][j] = math.sqrt(math.fsum(y * y for y in rest))
            q.append([y / r[j][j] for y in rest])
    return [u + row for u, row in zip(q, r, strict=True)]


def eliminated(a, *, pivot):
    """L below the diagonal and U on and above it (Doolittle), the largest element of a column exchanged up."""
    a = [list(row) for row in a]
    for k in range(min(len(a), len(a[0]))):
        if pivot:
            best = max(range(k, len(a)), key=lambda i: (abs(a[i][k]), -i))
            a[k], a[best] = a[best], a[k]
        for i in range(k + 1, len(a)):
            a[i][k] /= a[k][k]
            for j in range(k + 1, len(a[0])):
                a[i][j] -= a[i][k] * a[k][j]
    return a


def pseudo_inverse(a, **tolerances):
    """By the normal equations, of a matrix of full rank."""
    across = a.swapaxes(-1, -2)
    if a.shape[-2] >= a.shape[-1]:
        return solved(across @ a, across)
    return solved(a @ across, a).swapaxes(-1, -2)


def series(a):
    """Σ aᵏ / k! in extended precision."""
    term = total = np.broadcast_to(np.eye(a.shape[-1], dtype=LONG), a.shape)
    for k in range(1, 80):
        term = (term[..., :, :, None] * a.astype(LONG)[..., None, :, :]).sum(-2) / k
        total = total + term
    return total


def bisected(function, y, low, high):
    """Where a rising function has the value y."""
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if function(middle) < y else (low, middle)
    return middle


def along(function):
    """A function of the list along one axis, giving a list (or, reduced, a number)."""

    def reference(x, *, axis, **options):
        keepdim = options.pop("keepdim", None)
        of_row = lambda row: np.asarray(function(row.tolist(), **options), dtype=float)  # noqa: E731
        if 0 in x.shape[:axis] + x.shape[axis + 1 :]:  # no rows at all: what a row would give says the shape
            out = np.empty(x.shape[:axis] + of_row(np.ones(x.shape[axis])).shape + x.shape[axis + 1 :])
        else:
            out = np.apply_along_axis(of_row, axis, x)
        return np.expand_dims(out, axis) if keepdim else out

    return reference


def tail_sums(v, a, b, *, axis):
    """Every term of the double sum, one by one."""
    out = np.zeros(v.shape)
    for place in np.ndindex(v.shape):
        for j in range(place[axis], v.shape[axis]):
            other = (*place[:axis], j, *place[axis + 1 :])
            out[place] += v[other] * math.exp(a[place] - b[other])
    return out


def variance(values, correction):
    mean = math.fsum(values) / len(values)
    return math.fsum((v - mean) ** 2 for v in values) / (len(values) - correction)


def p_norm(values, p):
    sizes = [abs(v) for v in values]
    if math.isinf(p):
        return max(sizes) if p > 0 else min(sizes)
    return math.fsum(s**p for s in sizes) ** (1 / p)


def placed(x, *, shape, index):
    """Every element of x added, one by one, where the index says."""
    out = np.zeros(shape)
    places = np.arange(out.size).reshape(shape)[index]
    for place, value in zip(np.ravel(places), np.ravel(x), strict=True):
        out.flat[place] += value
    return out


def assigned(x, v, *, index):
    out = np.array(x)
    places = np.arange(out.size).reshape(x.shape)[index]
    for place, value in zip(np.ravel(places), np.ravel(np.broadcast_to(v, np.shape(places))), strict=True):
        out.flat[place] = value
    return out


def gathered(x, index, *, axis):
    out = np.empty(index.shape)
    for place in np.ndindex(index.shape):
        out[place] = x[(*place[:axis], index[place], *place[axis + 1 :])]
    return out


def scattered(x, index, src, *, axis):
    out = np.array(x)
    for place in np.ndindex(index.shape):
        out[(*place[:axis], index[place], *place[axis + 1 :])] += src[place]
    return out


def contracted(*xs, terms, output):
    sizes = {c: n for term, x in zip(terms, xs, strict=True) for c, n in zip(term, x.shape, strict=True)}
    letters = list(sizes)
    out = np.zeros([sizes[c] for c in output])
    for values in itertools.product(*(range(sizes[c]) for c in letters)):
        at = dict(zip(letters, values, strict=True))
        product = math.prod(x[tuple(at[c] for c in term)].item() for x, term in zip(xs, terms, strict=True))
        out[tuple(at[c] for c in output)] += product
    return out


def multiplied(a, b):
    n, k, m = *a.shape[-2:], b.shape[-1]
    lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a, b = np.broadcast_to(a, (*lead, n, k)), np.broadcast_to(b, (*lead, k, m))
    out = np.zeros((*lead, n, m))
    for place in np.ndindex(out.shape):
        *z, i, j = place
        out[place] = math.fsum(a[(*z, i, q)] * b[(*z, q, j)] for q in range(k))
    return out


def meetings(x_size, kernel, out, g):
    """Every (window, tap) and the pixel that it meets, inside the plane."""
    (top, _), (left, _) = g.padding
    for p, q, i, j in itertools.product(range(out[0]), range(out[1]), range(kernel[0]), range(kernel[1])):
        h, w = p * g.stride[0] + i * g.dilation[0] - top, q * g.stride[1] + j * g.dilation[1] - left
        if 0 <= h < x_size[0] and 0 <= w < x_size[1]:
            yield p, q, i, j, h, w


def out_size(x_size, kernel, g):
    return tuple(
        (x_size[a] + sum(g.padding[a]) - g.dilation[a] * (kernel[a] - 1) - 1) // g.stride[a] + 1 for a in (0, 1)
    )


def trilinear(n, c_in, c_out, groups):
    """(image, output channel, input channel within the group, input channel) of every product."""
    for image, o, c in itertools.product(range(n), range(c_out), range(c_in // groups)):
        yield image, o, c, (o // (c_out // groups)) * (c_in // groups) + c


def convolved(x, w, b=None, *, geometry):
    size = out_size(x.shape[2:], w.shape[2:], geometry)
    y = np.zeros((len(x), len(w), *size)) + (0 if b is None else b[:, None, None])
    for image, o, c, channel in trilinear(len(x), x.shape[1], len(w), geometry.groups):
        for p, q, i, j, h, v in meetings(x.shape[2:], w.shape[2:], size, geometry):
            y[image, o, p, q] += w[o, c, i, j] * x[image, channel, h, v]
    return y


def convolved_input(v, w, *, size, geometry):
    channels = w.shape[1] * geometry.groups
    x = np.zeros((len(v), channels, *size))
    for image, o, c, channel in trilinear(len(v), channels, len(w), geometry.groups):
        for p, q, i, j, h, k in meetings(size, w.shape[2:], v.shape[2:], geometry):
            x[image, channel, h, k] += w[o, c, i, j] * v[image, o, p, q]
    return x


def convolved_weight(x, v, *, size, geometry):
    w = np.zeros((v.shape[1], x.shape[1] // geometry.groups, *size))
    for image, o, c, channel in trilinear(len(x), x.shape[1], v.shape[1], geometry.groups):
        for p, q, i, j, h, k in meetings(x.shape[2:], size, v.shape[2:], geometry):
            w[o, c, i, j] += x[image, channel, h, k] * v[image, o, p, q]
    return w


def windows_of(size, kernel, stride, padding, dilation, ceil_mode):
    """The pixels of every window, and how many places it has inside the padded plane."""
    outs = []
    for a in (0, 1):
        span = size[a] + 2 * padding[a] - dilation[a] * (kernel[a] - 1) - 1
        n = (math.ceil if ceil_mode else math.floor)(span / stride[a]) + 1
        if ceil_mode and (n - 1) * stride[a] >= size[a] + padding[a]:
            n -= 1
        outs.append(n)
    for p, q in itertools.product(*map(range, outs)):
        pixels, places = [], 0
        for i, j in itertools.product(*map(range, kernel)):
            h, w = p * stride[0] - padding[0] + i * dilation[0], q * stride[1] - padding[1] + j * dilation[1]
            places += h < size[0] + padding[0] and w < size[1] + padding[1]
            if 0 <= h < size[0] and 0 <= w < size[1]:
                pixels.append((h, w))
        yield p, q, outs, pixels, places


def largest(x, *, windows, ceil_mode):
    entries = list(windows_of(x.shape[2:], *windows, ceil_mode))
    y = np.empty((*x.shape[:2], *entries[0][2]))
    for p, q, _, pixels, _ in entries:
        y[:, :, p, q] = np.max([x[:, :, h, w] for h, w in pixels], axis=0)
    return y


def averaging(size, averages):
    """The matrix (OH, OW, H, W) of average pooling."""
    kernel, stride, padding, ceil_mode, include_pad, divisor = averages
    entries = list(windows_of(size, kernel, stride, padding, (1, 1), ceil_mode))
    matrix = np.zeros((*entries[0][2], *size))
    for p, q, _, pixels, places in entries:
        for h, w in pixels:
            matrix[p, q, h, w] = 1 / (divisor or (places if include_pad else len(pixels)))
    return matrix


def averaged(x, *, averages):
    return np.einsum("pqhw,nchw->ncpq", averaging(x.shape[2:], averages), x)


def averaged_back(v, *, size, averages):
    return np.einsum("pqhw,ncpq->nchw", averaging(size, averages), v)


def under(tap, p, q, windows):
    """The row and the column that a tap of the window (p, q) stands on."""
    (_, width), stride, padding, dilation = windows
    i, j = divmod(int(tap), width)
    return p * stride[0] - padding[0] + i * dilation[0], q * stride[1] - padding[1] + j * dilation[1]


def taken(x, taps, *, windows):
    out = np.empty(taps.shape)
    for n, c, p, q in np.ndindex(taps.shape):
        out[n, c, p, q] = x[n, c, *under(taps[n, c, p, q], p, q, windows)]
    return out


def put(x, taps, *, size, windows):
    out = np.zeros((*x.shape[:2], *size))
    for n, c, p, q in np.ndindex(taps.shape):
        out[n, c, *under(taps[n, c, p, q], p, q, windows)] += x[n, c, p, q]
    return out


def log_probabilities(row):
    top = max(row)
    total = math.log(math.fsum(math.exp(v - top) for v in row)) + top
    return [v - total for v in row]


def soft_cross_entropy(x, t):
    logs = np.apply_along_axis(log_probabilities, 1, x)
    return -(t * logs).sum(axis=1)


def class_cross_entropy(x, t, w, *, each):
    losses = [-log_probabilities(row.tolist())[k] * s for row, k, s in zip(x, t, w, strict=True)]
    return np.array(losses) if each else math.fsum(losses)


def class_cross_entropy_input(v, x, t):
    out = np.empty(x.shape)
    for n, row in enumerate(x):
        for k, log in enumerate(log_probabilities(row.tolist())):
            out[n, k] = v[n] * (math.exp(log) - (k == t[n]))
    return out


def normalised(x, w, b, *, axes, along, eps, centred):
    extended = x.astype(LONG)
    mean = extended.mean(axis=axes, keepdims=True) if centred else 0
    z = (extended - mean) / np.sqrt(((extended - mean) ** 2).mean(axis=axes, keepdims=True) + eps)
    letters = "".join("abc"[a] for a in along)
    ones = np.ones(x.shape)
    names = "abc"[: x.ndim]
    scale, shift = (np.einsum(f"{letters},{names}->{names}", v, ones) for v in (w, b))
    return (scale * z + shift).astype(float)


def attended(q, k, v, mask, *, scale, causal):
    out = np.zeros((*q.shape[:3], v.shape[3]))
    added = np.broadcast_to(mask, (*q.shape[:3], k.shape[2]))
    for n, h, i in np.ndindex(q.shape[:3]):
        seen = [j for j in range(k.shape[2]) if added[n, h, i, j] > -np.inf and (j <= i or not causal)]
        chances = [math.exp(scale * math.fsum(q[n, h, i] * k[n, h, j]) + added[n, h, i, j]) for j in seen]
        for j, chance in zip(seen, chances, strict=True):
            out[n, h, i] += chance / math.fsum(chances) * v[n, h, j]
    return out


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def recurred(a, b, *, axis):
    out = np.empty(a.shape)
    for place in np.ndindex(out.shape):
        before = (*place[:axis], place[axis] - 1, *place[axis + 1 :])
        out[place] = b[place] + (a[place] * out[before] if place[axis] else 0)
    return out


def normal(x):
    return math.erfc(-x / math.sqrt(2)) / 2


def diagonal(x, *, offset, axis1, axis2):
    rest = [a for a in range(x.ndim) if a not in (axis1, axis2)]
    pairs = [(i, i + offset) for i in range(x.shape[axis1]) if 0 <= i + offset < x.shape[axis2]]
    planes = np.transpose(x, (*rest, axis1, axis2))
    return (
        np.array([planes[..., i, j] for i, j in pairs])
        .reshape(len(pairs), *planes.shape[:-2])
        .transpose(*range(1, planes.ndim - 1), 0)
    )


def on_diagonal(x, *, shape, offset, axis1, axis2):
    out = np.zeros(shape)
    rest = [a for a in range(len(shape)) if a not in (axis1, axis2)]
    planes = np.transpose(out, (*rest, axis1, axis2))
    for k in range(x.shape[-1]):
        planes[..., k + max(-offset, 0), k + max(offset, 0)] = x[..., k]
    return out


def triangle(keep):
    return lambda x, *, k: np.where(np.fromfunction(lambda *at: keep(at[-1] - at[-2], k), x.shape), x, 0)


def rolled(x, *, shifts, axes):
    for shift, axis in zip(shifts, axes, strict=True):
        if n := x.shape[axis]:
            x = x.take([(k - shift) % n for k in range(n)], axis)
    return x


def repeated(x, *, shape):
    out = np.empty(shape)
    out[...] = x
    return out


def bordered(x, *, widths, value):
    out = np.full([n + a + b for n, (a, b) in zip(x.shape, widths, strict=True)], value)
    out[tuple(slice(a, a + n) for n, (a, _) in zip(x.shape, widths, strict=True))] = x
    return out


def smooth_maximum(x, *, beta=1.0, threshold=20.0):
    return x if beta * x > threshold else math.log1p(math.exp(beta * x)) / beta


def written_into_a_view(x, v, *, path):
    places = np.arange(x.size).reshape(x.shape)
    for _, options in path:
        places = places[options["index"]] if "index" in options else np.broadcast_to(places, options["shape"])
    values = x.ravel().tolist()
    for place, value in zip(places.ravel().tolist(), v.ravel().tolist(), strict=True):
        values[place] = value
    return np.array(values).reshape(x.shape)


def windows(x, *, axis, size, step):
    parts = [np.take(x, range(k, k + size), axis) for k in range(0, x.shape[axis] - size + 1, step)]
    return np.moveaxis(np.stack(parts, axis), axis + 1, -1)


def seen_by_strides(x, *, size, stride, offset, steps):
    """Each element by its place, counted in the order in which those of x lie."""
    lying = {sum(i * s for i, s in zip(k, steps, strict=True)): x[k] for k in np.ndindex(x.shape)}
    out = np.empty(size)
    for k in np.ndindex(*size):
        out[k] = lying[offset + sum(i * s for i, s in zip(k, stride, strict=True))]
    return out


def resampled(x, *, axis, taps):
    rows = np.moveaxis(x, axis, 0)
    new = [sum(w * rows[k] for k, w in zip(*row, strict=True)) for row in zip(*taps, strict=True)]
    return np.moveaxis(np.array(new), 0, axis)


def resampled_back(v, *, axis, taps, size):
    rows = np.moveaxis(v, axis, 0)
    y = np.zeros((size, *rows.shape[1:]))
    for row, places, weights in zip(rows, *taps, strict=True):
        for k, w in zip(places, weights, strict=True):
            y[k] += w * row
    return np.moveaxis(y, 0, axis)


def sigma(v):
    return 1 / (1 + math.exp(-v))


def affine(w, x, b):
    """W x + b, as a list."""
    return [
        math.fsum([*(float(a) * float(v) for a, v in zip(row, x, strict=True)), float(c)])
        for row, c in zip(w, b, strict=True)
    ]


def elman_step(x, state, w_ih, w_hh, b, *, relu):
    sums = map(operator.add, affine(w_ih, x, b), affine(w_hh, state[0], 0 * b))
    return ([max(v, 0.0) if relu else math.tanh(v) for v in sums],)


def lstm_step(x, state, w_ih, w_hh, b, w_hr=None):
    n = len(state[1])
    sums = list(map(operator.add, affine(w_ih, x, b), affine(w_hh, state[0], 0 * b)))
    i, f, o = (list(map(sigma, sums[k * n : (k + 1) * n])) for k in (0, 1, 3))
    c = [f[k] * state[1][k] + i[k] * math.tanh(sums[2 * n + k]) for k in range(n)]
    h = [o[k] * math.tanh(c[k]) for k in range(n)]
    return (h if w_hr is None else affine(w_hr, h, np.zeros(len(w_hr)))), c


def gru_step(x, state, w_ih, w_hh, b_ih, b_hh):
    (h,), n = state, len(state[0])
    a, b = affine(w_ih, x, b_ih), affine(w_hh, h, b_hh)
    r, z = ([sigma(a[j * n + k] + b[j * n + k]) for k in range(n)] for j in (0, 1))
    new = [math.tanh(a[2 * n + k] + r[k] * b[2 * n + k]) for k in range(n)]
    return ([(1 - z[k]) * new[k] + z[k] * h[k] for k in range(n)],)


def by_sequences(step, states, projected=False):
    """A recurrent layer: each sequence goes its way alone, step by step."""

    def reference(x, *others, sizes, backwards, **options):
        weights, (*begin, w_hr) = (
            others[: -states - projected],
            [*others[len(others) - states - projected :], None][: states + 1],
        )
        options.update({"w_hr": w_hr} if projected else {})
        counts = [x.shape[1]] * len(x) if sizes is None else sizes
        rows = [(t, b) for t, count in enumerate(counts) for b in range(count)]
        flat, outputs, ends = x.reshape(len(rows), -1), {}, []
        for b in range(counts[0]):
            state = tuple(part[b].tolist() for part in begin)
            mine = [place for place in rows if place[1] == b]
            for place in reversed(mine) if backwards else mine:
                state = step(flat[rows.index(place)], state, *weights, **options)
                outputs[place] = state[0]
            ends.append(state)
        y, last = np.array([outputs[place] for place in rows]), [np.array(part) for part in zip(*ends, strict=True)]
        if projected:
            return np.concatenate([part.ravel() for part in (y, *last)])
        y = np.concatenate([y, *last])
        return y if sizes else y.reshape(-1, counts[0], y.shape[1])

    return reference


REFERENCES = {
    "Clone": lambda x, order: np.reshape(x.tolist(), x.shape),
    "Cast": lambda x, *, dtype: x,
    "Reshape": lambda x, *, shape: np.array(list(x.flat)).reshape(shape),
    "Permute": lambda x, *, order: np.einsum(x, list(range(x.ndim)), list(order)) if x.ndim else x,
    "Expand": repeated,
    "Flip": lambda x, *, axes: x[tuple(slice(None, None, -1) if a in axes else slice(None) for a in range(x.ndim))],
    "Roll": rolled,
    "Cat": lambda *xs, axis, ends: np.swapaxes(np.array([r for x in xs for r in np.swapaxes(x, 0, axis)]).reshape(
        sum(x.shape[axis] for x in xs), *np.swapaxes(xs[0], 0, axis).shape[1:]), 0, axis),
    "Pad": bordered,
    "Tril": triangle(lambda d, k: d <= k),
    "Triu": triangle(lambda d, k: d >= k),
    "Diagonal": diagonal,
    "DiagonalPut": on_diagonal,
    "Conv2D": convolved,
    "Conv2DBias": convolved,
    "Conv2DInput": convolved_input,
    "Conv2DWeight": convolved_weight,
    "Add": each(lambda a, b: a + b),
    "Sub": each(lambda a, b: a - b),
    "Mul": each(lambda a, b: a * b),
    "Div": each(lambda a, b: a / b),
    "Pow": each(lambda a, b: a**b),
    "PowScalar": each(lambda x, *, p: x**p),
    "Neg": each(lambda x: -x),
    "Exp": each(math.exp),
    "Expm1": each(math.expm1),
    "Log": each(math.log),
    "Log1p": each(math.log1p),
    "Log2": each(math.log2),
    "Erfinv": each(lambda y: bisected(math.erf, y, -6, 6)),
    "Log10": each(math.log10),
    "Logaddexp": each(lambda a, b: math.log(math.exp(a) + math.exp(b))),
    "Arcsinh": each(math.asinh),
    "Arccosh": each(math.acosh),
    "Arctanh": each(math.atanh),
    "Arctan2": each(math.atan2),
    "Hypot": each(math.hypot),
    "Floor": each(math.floor),
    "Ceil": each(math.ceil),
    "Trunc": each(math.trunc),
    "Round": each(lambda x, decimals: round(x)),
    "Fmod": each(math.fmod),
    "Quotient": each(lambda a, b, mode: math.floor(a / b) if mode == "floor" else math.trunc(a / b)),
    "Lerp": each(lambda a, b, w: (1 - w) * a + w * b),
    "LerpBy": each(lambda a, b, *, weight: (1 - weight) * a + weight * b),
    "Frexp": each(lambda x: math.frexp(x)[0]),
    "Median": lambda x, *, ignore_nan: np.asarray(sorted(x.ravel().tolist())[(x.size - 1) // 2]),
    "Sqrt": each(math.sqrt),
    "Scaled": each(lambda x, by: by * x),
    "Reciprocal": each(lambda x: 1 / x),
    "Rsqrt": each(lambda x: 1 / math.sqrt(x)),
    "Sin": each(math.sin),
    "Cos": each(math.cos),
    "Tan": each(math.tan),
    "Sinh": each(math.sinh),
    "Cosh": each(math.cosh),
    "Tanh": each(math.tanh),
    "Arcsin": each(math.asin),
    "Arccos": each(math.acos),
    "Arctan": each(math.atan),
    "Sigmoid": each(sigmoid),
    "Parabola": each(lambda x, *, low, high: (x - low) * (high - x)),
    "Cosine": each(lambda a, b: math.cos(math.atan2(b, a))),
    "GeluSlope": each(lambda x: normal(x) + x * math.exp(-x * x / 2) / math.sqrt(2 * math.pi)),
    "BesselJ": each(lambda x, *, n: float(mpmath.besselj(n, x))),
    "BesselY": each(lambda x, *, n: float(mpmath.bessely(n, x))),
    "BesselK": each(lambda x, *, n, scaled: float(mpmath.besselk(n, x)) * (math.exp(x) if scaled else 1)),
    "Entr": each(lambda x: -x * math.log(x)),
    "Xlog1py": each(lambda a, b: a * math.log1p(b)),
    "Zeta": each(lambda s, q: float(mpmath.zeta(s, q))),
    "Refined": each(lambda x, *, tail: x),
    "Sinc": each(lambda x, *, order: float(mpmath.diff(lambda t: mpmath.sincpi(t), x, order))),
    "Erf": each(math.erf),
    "Erfc": each(math.erfc),
    "Erfcx": each(lambda x: math.exp(x * x) * math.erfc(x)),
    "Gauss": each(lambda x, *, scale: math.exp(scale * x * x)),
    "Ndtr": each(normal),
    "LogNdtr": each(lambda x: math.log(normal(x))),
    "Ndtri": each(lambda p: bisected(normal, p, -9, 9)),
    "Lgamma": each(math.lgamma),
    "Polygamma": each(lambda x, *, n: float(mpmath.polygamma(n, x))),
    "BesselI": each(lambda x, *, n, scaled: float(mpmath.besseli(n, x)) * (math.exp(-abs(x)) if scaled else 1)),
    "Softplus": each(smooth_maximum),
    "SiluSlope": each(lambda x: sigmoid(x) * (1 + x * sigmoid(-x))),
    "Silu": each(lambda x: x * sigmoid(x)),
    "Gelu": each(lambda x: x * (1 - math.erfc(x / math.sqrt(2)) / 2)),
    "GeluTanh": each(lambda x: 0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))),
    "Abs": each(abs),
    "Sign": each(lambda x: (x > 0) - (x < 0)),
    "Relu": each(lambda x: max(x, 0.0)),
    "Gate": each(lambda x, of: x if of > 0 else 0.0),
    "Tied": each(lambda x, of: x),
    "Threshold": each(lambda x, *, low, value: x if x > low else value),
    "LeakyRelu": each(lambda x, *, negative_slope: x if x > 0 else negative_slope * x),
    "Elu": each(lambda x, *, alpha, scale=1, rate=1: scale * (x if x > 0 else alpha * math.expm1(rate * x))),
    "Softsign": each(lambda x: x / (1 + abs(x))),
    "Tanhshrink": each(lambda x: x - math.tanh(x)),
    "Xlogy": each(lambda a, b: a * math.log(b)),
    "Logit": each(lambda x: math.log(x / (1 - x))),
    "Hardswish": each(lambda x: x * min(max(x + 3, 0), 6) / 6),
    "HardswishSlope": each(lambda x: 0 if x < -3 else 1 if x > 3 else x / 3 + 0.5),
    "Hardtanh": each(lambda x, *, min_val, max_val: min(max(x, min_val), max_val)),
    "Clamp": each(lambda x, *, min, max: sorted([x, x if min is None else min, x if max is None else max])[
        2 if max is None else 0 if min is None else 1]),
    "Remainder": each(lambda a, b: a - b * math.floor(a / b)),
    "Maximum": each(max),
    "Minimum": each(min),
    "Where": each(lambda c, a, b: a if c else b),
    "Sum": over(math.fsum),
    "Mean": over(lambda v: math.fsum(v) / len(v)),
    "Prod": over(math.prod),
    "Var": over(variance),
    "Std": over(lambda v, correction: math.sqrt(variance(v, correction))),
    "Amax": over(max),
    "Amin": over(min),
    "MaxDim": along(max),
    "MinDim": along(min),
    "Logsumexp": over(lambda v: max(v) + math.log(math.fsum(math.exp(u - max(v)) for u in v))),
    "Norm": over(p_norm),
    "Distances": lambda a, b, p: np.array([[p_norm(u - v, p) for v in b] for u in a]),
    "Solve": lambda a, b: solved(a, b),
    "Slogdet": lambda a: np.log(np.abs(determinants(a))),
    "Det": lambda a: determinants(a),
    "SolveTriangular": triangular_solved,
    "Cholesky": matrix_by_matrix(cholesky_factor),
    "Eigh": matrix_by_matrix(eigen),
    "SVD": matrix_by_matrix(singular),
    "QR": matrix_by_matrix(gram_schmidt),
    "LU": matrix_by_matrix(eliminated),
    "Pinv": pseudo_inverse,
    "MatrixExp": series,
    "Cumprod": along(lambda v: list(itertools.accumulate(v, operator.mul))),
    "Recurrence": recurred,
    "Cumsum": along(lambda v: list(itertools.accumulate(v))),
    "Logcumsumexp": along(lambda v: [math.log(s) for s in itertools.accumulate(map(math.exp, v))]),
    "TailSum": tail_sums,
    "Argmax": lambda x, *, axis, keepdim: _first(x, max, axis, keepdim),
    "Argmin": lambda x, *, axis, keepdim: _first(x, min, axis, keepdim),
    "Any_": over(any),
    "All": over(all),
    "GetItem": lambda x, *, index: x.ravel()[np.arange(x.size).reshape(x.shape)[index]],
    "Part": lambda x, *, index: x.ravel()[np.arange(x.size).reshape(x.shape)[index]],
    "CopySlices": written_into_a_view,
    "Windows": windows,
    "Strided": seen_by_strides,
    "PutItem": placed,
    "SetItem": assigned,
    "Gather": gathered,
    "ScatterAdd": scattered,
    "Sort": along(lambda v, descending: sorted(v, reverse=descending)),
    "OneHot": lambda x, *, num_classes: np.eye(num_classes)[x],
    "Embedding": lambda x, w, *, padding_idx, by_freq: np.array([w[k] for k in x.flat]).reshape(*x.shape, w.shape[1]),
    "Matmul": multiplied,
    "Linear": lambda x, w, b: np.array([[math.fsum(r * k) + c for k, c in zip(w, b, strict=True)]
        for r in x.reshape(-1, x.shape[-1])]).reshape(*x.shape[:-1], len(w)),
    "Einsum": contracted,
    "Softmax": along(lambda v: [math.exp(u) for u in log_probabilities(v)]),
    "LogSoftmax": along(log_probabilities),
    "SoftmaxCrossEntropy": soft_cross_entropy,
    "ClassCrossEntropy": class_cross_entropy,
    "ClassCrossEntropyInput": class_cross_entropy_input,
    "Huber": each(lambda x, delta: x * x / 2 if abs(x) <= delta else delta * (abs(x) - delta / 2)),
    "BinaryCrossEntropy": each(lambda p, t: -t * math.log(p) - (1 - t) * math.log(1 - p)),
    "Normalize": normalised,
    "Attention": attended,
    "Repeat": lambda x, *, axis, times: np.repeat(x, times, axis),
    "AddedNeighbours": lambda x, *, axis, times: np.apply_along_axis(
        lambda v: np.array([math.fsum(v[k : k + times]) for k in range(0, len(v), times)]), axis, x
    ),
    "Followed": lambda r, v, *, keep, share: np.array(
        [keep * a + share * sum(row.ravel()[k] for row in v) / len(v) for k, a in enumerate(r)]
    ),
    "ScaleChannels": lambda x, w, b: np.stack([x[:, c] * w[c] + b[c] for c in range(len(w))], 1),
    "MaxPool2D": largest,
    "ChannelSum": lambda x, *, axis: np.array([math.fsum(np.take(x, c, axis).flat) for c in range(x.shape[axis])]),
    "WindowTake": taken,
    "WindowPut": put,
    "AvgPool2D": averaged,
    "AvgPool2DInput": averaged_back,
    "Resample": resampled,
    "ResamplePut": resampled_back,
    "RNN": by_sequences(elman_step, 1),
    "LSTM": by_sequences(lstm_step, 2),
    "ProjectedLSTM": by_sequences(lstm_step, 2, projected=True),
    "GRU": by_sequences(gru_step, 1),
}  # fmt: skip


def _first(x, extreme, axis, keepdim):
    """The place of the first extreme, as a list finds it."""
    if axis is None:
        values = x.ravel().tolist()
        return np.full((1,) * x.ndim if keepdim else (), values.index(extreme(values)))
    out = np.apply_along_axis(lambda row: row.tolist().index(extreme(row.tolist())), axis, x)
    return np.expand_dims(out, axis) if keepdim else out


def test_every_op_has_a_reference():
    assert set(REFERENCES) == {name for name, op in registry.items() if op.__module__.startswith("tinygrad_cnn.")}


def by_largest(y, n):
    """Columns whose first n elements give the sign: the largest of them is positive; row n, the values, has none."""
    vectors = y[..., :n, :]
    signs = np.sign(np.take_along_axis(vectors, np.abs(vectors).argmax(-2)[..., None, :], -2))
    return np.concatenate([vectors * signs, y[..., n : n + 1, :], y[..., n + 1 :, :] * signs], -2)


UP_TO_SIGN = {
    "Eigh": lambda y, a: by_largest(y, a.shape[-1]),
    "SVD": lambda y, a: by_largest(y, a.shape[-2]),
    "QR": lambda y, a: y * np.sign(np.diagonal(y[..., a.shape[-2] :], 0, -2, -1))[..., None],
}
"""Of what a matrix gives only up to a sign: that with signs of our choice."""


def check_value(op, sample):
    y = op.forward(*sample.inputs, **sample.options)
    y = np.asarray(y[0] if op.aux else y)
    expected = np.asarray(REFERENCES[op.name](*sample.inputs, **sample.options), dtype=float)
    assert y.shape == expected.shape
    if op.name in UP_TO_SIGN:
        y, expected = (UP_TO_SIGN[op.name](v, *sample.inputs) for v in (y, expected))
    np.testing.assert_allclose(y.astype(float), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", REFERENCES)
def test_values(name):
    op = registry[name]

    @given(samples(op))
    def run(sample):
        check_value(op, sample)

    run()


@pytest.mark.parametrize("name", ["MaxDim", "MinDim", "Sort"])
def test_the_auxiliary_indices_lead_to_the_values(name):
    op = registry[name]

    @given(samples(op))
    def run(sample):
        (x,), options = sample
        y, indices = op.forward(x, **options)
        if "keepdim" in options and not options["keepdim"]:
            y, indices = np.expand_dims(y, options["axis"]), np.expand_dims(indices, options["axis"])
        np.testing.assert_array_equal(gathered(x, indices, axis=options["axis"]), y)

    run()
