"""Timing: the peers take turns, so that a disturbance of the machine meets all of them alike.

A turn is a pause, in which the threads of the peer before stop spinning (OpenMP's go on for milliseconds, on the
processors that the next peer needs), a call that is not timed, and one that is: as in a training loop, where the
step before was of the same peer.
"""

import gc
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

PAUSE = 0.005
"""Seconds between two peers."""


def alternately(
    steps: Mapping[str, Callable[[], Any]], *, least: int, most: int, seconds: float
) -> dict[str, dict[str, float]]:
    """Median, quartiles (ms) and number of calls of each: `least` rounds, then more while `seconds` last."""
    for step in steps.values():
        step(), step()  # warm-up: caches, compilers, pools of threads
    times: dict[str, list[float]] = {name: [] for name in steps}
    gc.collect()
    end = time.perf_counter() + seconds
    for turn in range(most):
        if turn >= least and time.perf_counter() > end:
            break
        for name, step in steps.items():
            time.sleep(PAUSE)
            step()
            start = time.perf_counter()
            step()
            times[name].append(1e3 * (time.perf_counter() - start))
    out = {}
    for name, series in times.items():
        low, median, high = np.percentile(series, [25, 50, 75])
        out[name] = {"median": float(median), "low": float(low), "high": float(high), "n": len(series)}
    return out


def in_rows(steps: Mapping[str, Callable[[], Any]], *, rounds: int, calls: int = 20) -> dict[str, float]:
    """The median time of a call of each in ms, in rows of so many calls, as a training loop makes them, by turns.

    The first calls of a row are not timed: there the caches are still those of the peer before.
    """
    times: dict[str, list[float]] = {name: [] for name in steps}
    gc.collect()
    for _ in range(rounds):
        for name, step in steps.items():
            time.sleep(PAUSE)
            step(), step(), step()
            start = time.perf_counter()
            for _ in range(calls):
                step()
            times[name].append(1e3 * (time.perf_counter() - start) / calls)
    return {name: float(np.median(series)) for name, series in times.items()}


def best(function: Callable[[], Any], repeats: int = 15) -> float:
    """The median time of a function in seconds, after two calls to warm up."""
    function(), function()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def least(function: Callable[[], Any], repeats: int = 25) -> float:
    """The shortest time of a function in seconds: what the machine can do, whatever else it did meanwhile."""
    function(), function()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def exponent(sizes: list[int], seconds: list[float]) -> float:
    """The slope of log time over log size, by least squares."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])
