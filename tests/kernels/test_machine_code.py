"""Every innermost loop computes with whole vectors, on this processor and on one with AVX2 alone."""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("numba", reason='Numba is not installed: pip install "tinygrad-cnn[fast]"')

from numba import njit, types

from tests.kernels import machine_code

X86 = platform.machine().lower() in ("x86_64", "amd64")
AVX2 = {
    "NUMBA_CPU_NAME": "haswell",
    "NUMBA_CPU_FEATURES": "+64bit,+avx,+avx2,+bmi,+bmi2,+cmov,+cx16,+cx8,+f16c,+fma,+fxsr,+lzcnt,+mmx,+movbe,+pclmul,"
    "+popcnt,+sahf,+sse,+sse2,+sse3,+sse4.1,+sse4.2,+ssse3,+xsave,+xsaveopt",
}


@pytest.mark.skipif(not X86, reason="the names of the instructions are those of x86")
@pytest.mark.parametrize(("forced", "registers"), [({}, None), (AVX2, [16, 32])])
def test_every_innermost_loop_computes_with_whole_vectors(forced, registers, tmp_path):
    environment = {**os.environ, **forced, "NUMBA_CACHE_DIR": str(tmp_path)}
    command, root = [sys.executable, "-m", "tests.kernels.machine_code"], Path(__file__).parents[2]
    run = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=900, check=True)
    found = json.loads(run.stdout)
    assert found["registers"] == (registers or list(machine_code.REGISTERS))
    assert len(found["loops"]) == len(machine_code.LOOPS)
    assert [name for name, count in found["loops"].items() if not count] == []


@pytest.mark.skipif(not X86, reason="the names of the instructions are those of x86")
def test_a_loop_in_which_each_element_waits_for_the_one_before_is_found():
    @njit
    def running(x):
        for k in range(1, x.size):
            x[k] = x[k - 1] * x[k] + 1

    assert machine_code.vector_loops(running, (types.float32[::1],)) == 0
