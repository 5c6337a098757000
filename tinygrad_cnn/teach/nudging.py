"""A numeric check of one contribution: nudge an input up and down, and compare the slope with what the rule sent."""

from __future__ import annotations

from time import perf_counter
from typing import NamedTuple

import numpy as np

from tinygrad_cnn.core.reduce import unbroadcast
from tinygrad_cnn.core.types import NDArray
from tinygrad_cnn.teach.derivatives import Applied

STEP = 1e-5
ALL = 400
"""Up to how many elements each is nudged by itself; of more, those with the largest derivatives and some others."""
PATIENCE = 1.5
"""For so many seconds at most."""


class Check(NamedTuple):
    """What nudging said: of all elements, or of those at the places `at`; and in one direction through all of them."""

    at: NDArray | None
    q: NDArray
    kinks: NDArray
    agree: int
    worst: float
    scale: float
    direction: tuple[float, float] | None
    ok: bool


def nudge(applied: Applied, k: int, g: NDArray, d: NDArray) -> Check | None:
    """Difference quotients of ⟨g, op(inputs)⟩ in float64; None if the op is not a function of numbers there."""
    inputs = [a.astype(float) if isinstance(a, np.ndarray) and a.dtype.kind == "f" else a for a in applied.inputs]
    x = np.array(inputs[k], float)
    inputs[k] = x
    wide = Applied(applied.op, tuple(inputs), applied.options)
    g = np.asarray(g, float)

    def value(at: NDArray) -> NDArray:
        return wide.forward([at if j == k else a for j, a in enumerate(inputs)])[0].astype(float)

    with np.errstate(all="ignore"):
        began = perf_counter()
        middle = value(x)
        fit = max(4, int(PATIENCE / (2 * (perf_counter() - began) + 1e-6)))
        steps = STEP * np.maximum(1.0, np.abs(x))
        if applied.op.broadcasts:
            up, down = value(x + steps), value(x - steps)
            q = np.asarray(unbroadcast(g * (up - down) / (2 * steps), x.shape), float)
            bend = np.asarray(unbroadcast(np.abs(g * (up - 2 * middle + down)) / steps, x.shape), float)
            at, places = None, np.arange(x.size)
            q, bend = q.ravel(), bend.ravel()
        else:
            whole = x.size <= min(ALL, fit)
            places = np.arange(x.size) if whole else _some(d, fit)
            at = None if whole else places.astype(np.int32)
            q, bend = np.empty(len(places)), np.empty(len(places))
            for n, j in enumerate(places):
                h = steps.flat[j]
                here = x.flat[j]
                x.flat[j] = here + h
                up = value(x)
                x.flat[j] = here - h
                down = value(x)
                x.flat[j] = here
                q[n] = np.sum(g * (up - down)) / (2 * h)
                bend[n] = abs(np.sum(g * (up - 2 * middle + down))) / h
        sent = np.asarray(d, float).ravel()[places]
        if not np.all(np.isfinite(q)):
            return None
        scale = float(np.max(np.abs(q), initial=0.0))
        kinks = bend > 1e-3 * np.maximum(1e-3 * max(scale, 1e-30), np.abs(q)) + 1e-8 * scale
        room = 1e-3 * np.abs(q) + 2e-4 * scale + 1e-6 * float(np.max(np.abs(g), initial=0.0))
        apart = np.abs(q - sent)
        agree = apart <= room
        kinks &= ~agree
        direction = None
        if at is not None and not kinks.any():
            u = np.random.default_rng(1).standard_normal(x.shape)
            h = STEP * max(1.0, float(np.max(np.abs(x)))) / float(np.max(np.abs(u)))
            slope = float(np.sum(g * (value(x + h * u) - value(x - h * u)))) / (2 * h)
            direction = slope, float(np.sum(np.asarray(d, float) * u))
    smooth = np.where(kinks, 0.0, apart)
    ok = bool(np.all(agree | kinks))
    return Check(at, q, kinks, int(agree.sum()), float(np.max(smooth, initial=0.0)), scale, direction, ok)


def _some(d: NDArray, fit: int) -> NDArray:
    """The places of the largest derivatives, and of some others; about as many as there is time for."""
    sent = np.abs(np.ravel(d))
    many = min(64, fit // 2, sent.size)
    largest = np.argsort(-sent, kind="stable")[:many]
    others = np.random.default_rng(0).choice(sent.size, many, replace=False)
    return np.unique(np.concatenate([largest, others]))
