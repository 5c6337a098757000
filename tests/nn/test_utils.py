"""`nn.utils`: clipping, vectors of parameters, packed sequences."""

import numpy as np
import pytest

import tinygrad_cnn as tg
from tinygrad_cnn import nn
from tinygrad_cnn.nn.utils import rnn


def with_gradient(values):
    p = nn.Parameter(tg.zeros(len(values)))
    p.grad = tg.tensor(values)
    return p


def test_clipping_the_norm_scales_all_gradients_alike():
    p, q, idle = with_gradient([3.0, 0.0]), with_gradient([4.0]), nn.Parameter(tg.zeros(1))
    assert nn.utils.clip_grad_norm_([p, q, idle], 2.5).item() == 5
    np.testing.assert_allclose([*p.grad.tolist(), *q.grad.tolist()], [1.5, 0, 2], rtol=1e-6)
    assert nn.utils.clip_grad_norm_(iter([p, q]), 10, "inf").item() == pytest.approx(2)
    np.testing.assert_allclose(q.grad.tolist(), [2], rtol=1e-6)
    assert nn.utils.clip_grad_norm_([idle], 1.0).item() == 0


def test_a_norm_that_is_no_number_can_be_an_error():
    p = with_gradient([float("nan")])
    with pytest.raises(RuntimeError, match="non-finite"):
        nn.utils.clip_grad_norm_(p, 1.0, error_if_nonfinite=True)
    with pytest.raises(NotImplementedError, match="foreach"):
        nn.utils.clip_grad_norm_(p, 1.0, foreach=True)


def test_clipping_values():
    p = with_gradient([-3.0, 0.5, 7.0])
    nn.utils.clip_grad_value_(p, 1)
    assert p.grad.tolist() == [-1, 0.5, 1]


def test_parameters_become_a_vector_and_back():
    net = nn.Linear(2, 3)
    vector = nn.utils.parameters_to_vector(net.parameters())
    assert vector.shape == (9,)
    vector.sum().backward()
    assert net.weight.grad.tolist() == [[1, 1]] * 3
    nn.utils.vector_to_parameters(tg.arange(9).float(), net.parameters())
    assert net.weight.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert net.bias.tolist() == [6, 7, 8]
    with pytest.raises(TypeError, match="expected a Tensor"):
        nn.utils.vector_to_parameters([1.0], net.parameters())
    with pytest.raises(RuntimeError, match="ends within a parameter"):
        nn.utils.vector_to_parameters(tg.zeros(8), net.parameters())


def test_packing_leaves_the_padding_out_and_padding_brings_it_back():
    sequences = [tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0, 5.0]), tg.tensor([6.0])]
    packed = rnn.pack_sequence(sequences, enforce_sorted=False)
    assert packed.data.tolist() == [3, 1, 6, 4, 2, 5]
    assert packed.batch_sizes.tolist() == [3, 2, 1]
    assert packed.sorted_indices.tolist() == [1, 0, 2]
    padded, lengths = rnn.pad_packed_sequence(packed, batch_first=True, padding_value=-1, total_length=4)
    assert padded.tolist() == [[1, 2, -1, -1], [3, 4, 5, -1], [6, -1, -1, -1]]
    assert lengths.tolist() == [2, 3, 1]
    assert [s.tolist() for s in rnn.unpack_sequence(packed)] == [s.tolist() for s in sequences]
    left = rnn.pad_sequence(sequences, batch_first=True, padding_side="left")
    assert left.tolist() == [[0, 1, 2], [3, 4, 5], [0, 0, 6]]


def test_padding_gets_no_gradient():
    x = tg.ones(3, 2, requires_grad=True)
    padded, _ = rnn.pad_packed_sequence(rnn.pack_padded_sequence(x, [3, 1]))
    padded.sum().backward()
    assert x.grad.tolist() == [[1, 1], [1, 0], [1, 0]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rnn.pack_padded_sequence(tg.ones(3, 2), [1, 2]), "decreasing order"),
        (lambda: rnn.pack_padded_sequence(tg.ones(3, 2), [2, 0]), "between 1 and the 3"),
        (lambda: rnn.pack_padded_sequence(tg.ones(3, 2), [4, 1]), "between 1 and the 3"),
        (lambda: rnn.pack_padded_sequence(tg.ones(3, 2), [1]), "1 lengths for a batch of 2"),
        (lambda: rnn.pad_sequence([]), "empty list"),
        (lambda: rnn.pad_sequence([tg.ones(2, 1), tg.ones(2, 2)]), "all dims but the first"),
        (lambda: rnn.pad_sequence([tg.ones(2)], padding_side="top"), "'left' or 'right'"),
    ],
)
def test_wrong_sequences_are_explained(call, message):
    with pytest.raises(RuntimeError, match=message):
        call()
