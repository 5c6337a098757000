"""An embedding

`forward` looks up rows of a table. A row may be looked up several times, and then several gradients come back to it.
Write `backward`, which returns the gradient of the table. The numbers of the rows have none.
"""

import numpy as np


def forward(table, index):
    """The rows of the table, of shape (V, D), with these numbers; index holds N whole numbers."""
    return table[index], (table, index)


def backward(dout, cache):
    """The gradient of the table; dout has the shape (N, D)."""
    table, index = cache
    dtable = np.zeros_like(table)
    ### BEGIN SOLUTION
    np.add.at(dtable, index, dout)
    ### END SOLUTION
    return dtable


### BEGIN HIDDEN TESTS
CHAPTER, ORDER = "Indexing", 1
FORMULA = "dtable[v] = the sum of all dout[n] with index[n] = v"


def inputs(random):
    return [random.standard_normal((4, 2)), np.array([2, 0, 2, 1])]


WRONG = [
    (
        "np.add.at(dtable, index, dout)",
        "dtable[index] = dout",
        "overwritten",
        "where an element is read several times, the last gradient overwrites the others",
    ),
    (
        "np.add.at(dtable, index, dout)",
        "dtable[index] += dout",
        "overwritten",
        "where an element is read several times, the last gradient overwrites the others",
    ),
    ("np.add.at(dtable, index, dout)", "dtable += dout", "index", "the index is not used (rows 0, 1, 2, … in order)"),
]
### END HIDDEN TESTS
