"""Array numerics and nothing else: ndarray in, ndarray out. Could be lifted out and used alone.

Kernels trust their callers: the public functions of `tinygrad_cnn.ops` check what users pass.

`definition` says what each kernel computes. `conv` and `pool` have those that look through windows, `passes` all
others, and how arrays lie and how work is cut; `threads` runs what is large. `chosen` is the set in use.
"""

from tinygrad_cnn.kernels.memory import keep_freed_memory

keep_freed_memory()
