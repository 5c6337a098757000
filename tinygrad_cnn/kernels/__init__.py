"""Array numerics and nothing else: ndarray in, ndarray out. Floor 0, could be lifted out and used alone.

Kernels trust their callers: what users pass is checked at the doors of `tinygrad_cnn.ops`.
"""

from tinygrad_cnn.kernels.memory import keep_freed_memory

keep_freed_memory()
