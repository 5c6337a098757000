"""Array numerics and nothing else: ndarray in, ndarray out. Could be lifted out and used alone.

Kernels trust their callers: the public functions of `tinygrad_cnn.ops` check what users pass.
"""

from tinygrad_cnn.kernels.memory import keep_freed_memory

keep_freed_memory()
