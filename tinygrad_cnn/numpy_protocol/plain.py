"""NumPy's functions that say something about values, and have no gradient: they are computed on the arrays."""

from typing import Any

import numpy as np

PLAIN: set[Any] = {
    *(np.allclose, np.isclose, np.array_equal, np.array_equiv, np.shares_memory, np.may_share_memory),
    *(np.nonzero, np.flatnonzero, np.argwhere, np.count_nonzero, np.argsort, np.argpartition, np.lexsort),
    *(np.nanargmax, np.nanargmin, np.searchsorted, np.digitize, np.bincount, np.histogram, np.isin, np.unique),
    *(np.isposinf, np.isneginf, np.isreal, np.iscomplex, np.isrealobj, np.iscomplexobj, np.result_type, np.can_cast),
    *(np.array2string, np.array_repr, np.array_str, np.save, np.savez, np.savez_compressed, np.savetxt),
    *(np.linalg.matrix_rank, np.linalg.cond, np.zeros_like, np.ones_like, np.empty_like, np.full_like),
}
"""Their results that are arrays become Tensors; those of `zeros_like` and its like stay arrays."""

MAKERS: set[Any] = {np.zeros_like, np.ones_like, np.empty_like, np.full_like}
