"""Names of PyTorch that are not here, and what to use instead: an AttributeError says so. Floor 0."""

from collections.abc import Callable, Mapping
from typing import Any

FLOATS = "NumPy has no such dtype; the floating dtypes are float16, float32 and float64"
COMPLEX = "there are no complex tensors; keep real and imaginary part as two tensors, float32 or float64"
QUANTIZED = "there are no quantized tensors; the nearest dtypes are uint8, int8 and float16"
SPARSE = "there are no sparse tensors; index with integer arrays, as in index_select, gather and index_add"
COMPILED = "models are not translated; call the model itself, with set_kernels('numba') for compiled kernels"

ABSENT = {
    **dict.fromkeys(("bfloat16", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz"), FLOATS),
    **dict.fromkeys(("complex32", "complex64", "complex128", "chalf", "cfloat", "cdouble"), COMPLEX),
    **dict.fromkeys(("complex", "polar", "view_as_complex", "view_as_real", "real", "imag", "angle", "fft"), COMPLEX),
    **dict.fromkeys(("quint8", "qint8", "qint32", "quantize_per_tensor", "quantization", "ao"), QUANTIZED),
    **dict.fromkeys(("sparse", "sparse_coo", "sparse_csr", "sparse_coo_tensor", "sparse_csr_tensor"), SPARSE),
    **dict.fromkeys(("jit", "compiler", "fx", "export"), COMPILED),
    **dict.fromkeys(
        ("channels_last", "channels_last_3d"),
        "the kernels choose the layout in memory themselves; leave memory_format out",
    ),
    "distributed": "there is one process; DataLoader and the kernels use threads",
    "multiprocessing": "tensors are not shared between processes; use threads, or Python's multiprocessing on .numpy()",
    "hub": "no models are downloaded; load a state_dict with load()",
    "profiler": "use Python's cProfile, or time.perf_counter()",
    "amp": "there is no mixed precision; use float32, or .half() for storage",
    "autocast": "there is no mixed precision; use float32, or .half() for storage",
}


def why_absent(name: str) -> str:
    """The message of the AttributeError for a name that the package has not."""
    reason = ABSENT.get(name)
    return f"module 'tinygrad_cnn' has no attribute {name!r}" + (f": {reason}" if reason else "")


def absent(where: str, names: Mapping[str, str]) -> Callable[[str], Any]:
    """A module's ``__getattr__`` that says of these names what to use instead.

    >>> lookup = absent("torch.jit", {"script": "functions run as they are"})
    >>> lookup("script")
    Traceback (most recent call last):
    AttributeError: torch.jit.script is not here: functions run as they are
    """

    def lookup(name: str) -> Any:
        if name in names:
            raise AttributeError(f"{where}.{name} is not here: {names[name]}")
        raise AttributeError(f"{where} has no attribute {name!r}")

    return lookup
