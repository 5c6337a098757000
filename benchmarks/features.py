"""Another kind of processor on this one: AVX2 alone, where it has AVX-512 as well.

Every library is told in its own way, before it is loaded; so the command is begun anew with these variables.
"""

import os
import sys

AVX2 = {
    "NUMBA_CPU_NAME": "haswell",
    "NUMBA_CPU_FEATURES": "+avx,+avx2,+fma,+bmi,+bmi2,+f16c,+popcnt,+sse4.2,+movbe,+lzcnt",
    "OPENBLAS_CORETYPE": "Haswell",
    "NPY_DISABLE_CPU_FEATURES": "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR X86_V4",
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",
}
"""For Numba, OpenBLAS, NumPy, PyTorch and its oneDNN, and JAX."""


def restrict_to(features: str) -> None:
    """Begin this command anew with AVX2 alone; NumPy is told only of what it knows."""
    if features != "avx2" or os.environ.get("NUMBA_CPU_NAME") == AVX2["NUMBA_CPU_NAME"]:
        return
    os.environ.update(AVX2, NPY_DISABLE_CPU_FEATURES=" ".join(_known()))
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def _known() -> list[str]:
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    return [n for n in __cpu_dispatch__ if n in AVX2["NPY_DISABLE_CPU_FEATURES"].split() and __cpu_features__.get(n)]


def in_use() -> str:
    """ "AVX2", "AVX-512" or what else NumPy computes with here."""
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    if any(__cpu_features__.get(name) for name in __cpu_dispatch__ if name in ("X86_V4", "AVX512_SKX")):
        return "AVX-512"
    return "AVX2" if __cpu_features__.get("AVX2") else "neither AVX2 nor AVX-512"
