"""Names of PyTorch that are not here, and what to use instead: an AttributeError says so."""

import sys
from collections.abc import Callable, Mapping
from typing import Any

FLOATS = "NumPy has no such dtype; the floating dtypes are float16, float32 and float64"
COMPLEX = "there are no complex tensors; keep real and imaginary part as two tensors, float32 or float64"
QUANTIZED = "there are no quantized tensors; the nearest dtypes are uint8, int8 and float16"
SPARSE = "there are no sparse tensors; index with integer arrays, as in index_select, gather and index_add"
COMPILED = "models are not translated; call the model itself, with set_kernels('numba') for compiled kernels"


HALVES = "use the function without the ending or the word unsafe, and clone()"
LINEAR = "use linalg.eigh, which finds all eigenvalues"
SPECIAL = "use scipy.special on x.detach().numpy(), or an Op of your own with its derivative"
SIGNALS = "there are no spectra and windows; use scipy.signal or numpy.fft on x.detach().numpy()"
TYPES = "dtypes of few bits are not NumPy's; the nearest are int8 and uint8"
LAYOUT = "arrays lie as NumPy lets them; use reshape, unfold and indexing, or numpy.lib.stride_tricks on x.numpy()"
DEVICES = "there is one device, the CPU, and what is computed is there at once; leave it out"
INTERNAL = "it is a part of PyTorch's own compiler and runtime; nothing here needs it"
STORAGE = "the memory of a tensor is its NumPy array: x.numpy()"

FAMILIES = {
    FLOATS: """
        float4_e2m1fn_x2 float8_e4m3fn float8_e4m3fnuz float8_e5m2 float8_e5m2fnuz float8_e8m0fnu
    """,
    COMPLEX: """
        complex32 complex64 complex128 chalf cfloat cdouble complex polar view_as_complex view_as_real
        fft is_conj is_neg
    """,
    QUANTIZED: """
        quint8 qint8 qint32 quint2x4 quint4x2 quantize_per_tensor quantize_per_channel quantization ao
        dequantize quantize_per_tensor_dynamic fake_quantize_per_channel_affine
        fake_quantize_per_tensor_affine qscheme quantized_batch_norm quantized_max_pool1d
        quantized_max_pool2d int_repr q_scale q_zero_point q_per_channel_axis q_per_channel_scales
        q_per_channel_zero_points
    """,
    SPARSE: """
        sparse sparse_coo sparse_csr sparse_coo_tensor sparse_csr_tensor sparse_csc_tensor sparse_bsr_tensor
        sparse_bsc_tensor sparse_compressed_tensor hspmm smm sspaddmm coalesce is_coalesced indices values
        crow_indices col_indices sparse_dim dense_dim sparse_mask sparse_resize_ sparse_resize_and_clear_
        to_dense to_sparse to_sparse_bsc to_sparse_bsr to_sparse_coo to_sparse_csc to_sparse_csr to_mkldnn
        to_padded_tensor
    """,
    COMPILED: """
        compiler fx export cond cpp parse_ir parse_schema import_ir_module import_ir_module_from_buffer
    """,
    HALVES: """
        col_indices_copy crow_indices_copy detach_copy indices_copy slice_copy values_copy
        view_as_complex_copy view_as_real_copy unsafe_chunk unsafe_split
    """,
    LINEAR: """
        lobpcg
    """,
    SPECIAL: """
        igamma igamma_ igammac igammac_
    """,
    SIGNALS: """
        stft istft bartlett_window blackman_window hamming_window hann_window kaiser_window
    """,
    TYPES: """
        bit bits16 bits1x8 bits2x4 bits4x2 bits8 int1 int2 int3 int4 int5 int6 int7 uint1 uint2 uint3 uint4
        uint5 uint6 uint7
    """,
    LAYOUT: """
        as_strided_ as_strided_scatter empty_strided empty_permuted new_empty_strided dim_order
        resize_as_
    """,
    DEVICES: """
        Event Stream AcceleratorError OutOfMemoryError get_device_module record_stream ipu xpu mtia is_maia
        is_vulkan is_pinned is_shared share_memory_
    """,
    "there is one process; DataLoader and the kernels use threads": "distributed",
    "tensors are not shared between processes; use threads, or Python's multiprocessing on .numpy()": "multiprocessing",
    STORAGE: """
        storage storage_type const_data_ptr from_file frombuffer volatile
    """,
    INTERNAL: """
        AVG AggregationType DispatchKey SUM ScriptClass SymBool SymFloat SymInt Tag sym_float sym_int
        sym_ite sym_max sym_min sym_not sym_sum fork wait merge_type_from_type_comment parse_type_comment
        unify_type_list init_num_threads thread_safe_generator has_lapack has_mkl has_openmp has_spectral
        hash_tensor native_channel_shuffle set_flush_denormal as_subclass grad_dtype map_ module_load name
        output_nr get_deterministic_debug_mode set_deterministic_debug_mode
        is_deterministic_algorithms_warn_only_enabled is_inference set_warn_always is_warn_always_enabled
    """,
    "no models are downloaded; load a state_dict with load()": "hub",
    "use conv1d of (N, C, L): x.permute(1, 2, 0)": "conv_tbc",
    "use arange, whose end is excluded": "range",
    "use nonzero, and cut or pad its result": """
        nonzero_static
    """,
    "use numpy.unravel_index on integers": "unravel_index",
    "use the function of nn.functional with inplace=True": """
        celu_ selu_ rrelu_ threshold_
    """,
    "index it: x[index]": "index",
}
NOWHERE = {name: reason for reason, names in FAMILIES.items() for name in names.split()}
OF_PACKAGE = {**NOWHERE, **dict.fromkeys(("resolve_conj", "resolve_neg"), COMPLEX)}
"""What the package has not, by name."""
OF_TENSORS = {
    **NOWHERE,
    "imag": COMPLEX,
    **{name: f"it is a function here: {name}(x)" for name in ("hardshrink",)},
}
"""What a Tensor has not, by name."""


def why_absent(name: str) -> str:
    """The message of the AttributeError for a name that the package has not."""
    reason = OF_PACKAGE.get(name)
    return f"module 'tinygrad_cnn' has no attribute {name!r}" + (f": {reason}" if reason else "")


def of_tensors(name: str) -> str:
    """The message of the AttributeError for an attribute that a Tensor has not."""
    reason = OF_TENSORS.get(name)
    return f"'Tensor' object has no attribute {name!r}" + (f", which torch.Tensor has: {reason}" if reason else "")


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


DISTRIBUTIONS = "LKJCholesky VonMises Wishart"
DATA = {
    **dict.fromkeys(("IterDataPipe", "MapDataPipe"), "PyTorch leaves pipes; use Dataset or IterableDataset"),
}
SUBCLASS = "subclass Distribution, with log_prob composed from ops, or build it of others with TransformedDistribution"
OF_DISTRIBUTIONS = dict.fromkeys(DISTRIBUTIONS.split(), SUBCLASS)

EIGEN = "eigenvalues of a matrix that is not symmetric are complex, and there are no complex tensors; use eigh"
LDL = "use cholesky, lu_factor or eigh"
OF_LINALG = {
    **dict.fromkeys(("eig", "eigvals"), EIGEN),
    **dict.fromkeys(("ldl_factor", "ldl_factor_ex", "ldl_solve"), LDL),
}


class Reasons:
    """The last of those who look for a module: of one that is not here it says why, as the attribute does."""

    @staticmethod
    def find_spec(fullname: str, path: Any = None, target: Any = None) -> None:
        """ModuleNotFoundError with the reason, if there is one; else nothing."""
        parent, _, name = fullname.rpartition(".")
        if parent.partition(".")[0] != "tinygrad_cnn" or name.startswith("_") or parent not in sys.modules:
            return
        try:
            getattr(sys.modules[parent], name)
        except AttributeError as error:
            _, colon, reason = str(error).partition(": ")
            if colon:
                # without its name, or `from package import name` would hide it
                raise ModuleNotFoundError(f"No module named {fullname!r}: {reason}") from None
