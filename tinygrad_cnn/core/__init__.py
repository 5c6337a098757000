"""The micro-framework: an array that remembers how it was made, and the backward pass. Read it in this order.

Two words: the *cotangent* of an array is the derivative of the last result, the loss, by each of its elements. A
*vector-Jacobian product* (VJP) takes the cotangent g of an op's output and gives that of an input.

1. `op`: what an op is: a forward rule and one derivative per input. `elementwise` has the first ones to look at.
2. `graph`: what is remembered of an op that was called; `saved`: what is kept for its derivatives.
3. `tensor`: the array that records; `mode`: when it does not; `arrays`, `promotion`: the dtype of a result. `storage`:
   the memory beneath, who sees it, and when it was written; `writing`: what a write in place does to the graph.
4. `engine`: the backward pass.
5. The rules, by family: `elementwise`, `piecewise`, `shape`, `indexing`, `reduce`, `linalg`, `conv`, `pool`, `loss`. A
   network of convolutions, poolings and linear layers with softmax and cross-entropy needs no others.
6. What the tests of the rules need: `domain`, the sets on which an op is smooth; `draw`, how a sampler draws arguments.
   They go through `op.registry`, so that a new op is tested as soon as it is defined.

`checks`, `errors` and `types` are what the others share; `watch` lets somebody look on. The numbers of the heavier ops
are computed in `kernels`, which gets and returns arrays: `kernels/definition.py` has them as they are defined.

A gradient, with nothing else of the package:

>>> import numpy as np
>>> from tinygrad_cnn.core.linalg import Linear
>>> from tinygrad_cnn.core.loss import ClassCrossEntropy
>>> from tinygrad_cnn.core.tensor import Tensor
>>> x, w = Tensor(np.ones((2, 3))), Tensor(np.zeros((2, 3)), requires_grad=True)
>>> b = Tensor(np.zeros(2), requires_grad=True)
>>> loss = ClassCrossEntropy.apply(Linear.apply(x, w, b), np.array([0, 1]), np.full(2, 0.5), each=False)
>>> loss.backward()
>>> w.grad.array.shape, b.grad.array.tolist()
((2, 3), [0.0, 0.0])
"""
