"""
MultiheadAttention: who looks at whom
=====================================

Each place of a sequence asks a question (the *query*), and each place offers a *key*. The softmax of their products is
a row of weights that add up to 1: how much one place looks at each other. The output is the average of the *values*
with these weights.

Run it: ``python examples/layers/attention.py FOLDER`` writes the picture into FOLDER.
"""

# %%
# The sequence is a word, each letter a one-hot vector. Query and key are both 3 times the letter. So equal letters have
# the product 9, divided by √5 for the width; different letters have 0. The value is the letter.

import math

from drawing import image, picture

import tinygrad_cnn as tg
from tinygrad_cnn import nn

word = "abracadabra"
alphabet = sorted({*word})  # a b c d r
letters = nn.functional.one_hot(tg.tensor([alphabet.index(letter) for letter in word]), 5).float()
layer = nn.MultiheadAttention(embed_dim=5, num_heads=1, bias=False)
one = tg.eye(5)
layer.load_state_dict({"in_proj_weight": tg.cat([3 * one, 3 * one, one]), "out_proj.weight": one})
mask = nn.Transformer.generate_square_subsequent_mask(len(word))  # -inf above the diagonal
with tg.no_grad():
    output, everywhere = layer(letters, letters, letters)
    _, causal = layer(letters, letters, letters, attn_mask=mask, is_causal=True)
print("the first b looks at:", [round(weight, 2) for weight in everywhere[1].tolist()])

# %%
# Each row adds up to 1. The first b finds one other b, and nine other letters. Its weight at each b is e^(9/√5) / (2
# e^(9/√5) + 9) = 0.46. With the causal mask a place sees only itself and what comes before it: all weights above the
# diagonal are 0, and the first letter can look only at itself.

high = math.exp(9 / math.sqrt(5))
assert word.count("b") == 2
assert abs(high / (2 * high + 9) - 0.46) < 0.005
assert (everywhere[1, [1, 8]] - high / (2 * high + 9)).abs().max() < 1e-5
for weights in (everywhere, causal):
    assert (weights.sum(dim=1) - 1).abs().max() < 1e-5
assert (tg.triu(causal, diagonal=1) == 0).all()
assert causal[0, 0] == 1
assert (output - everywhere @ letters).abs().max() < 1e-5  # the average of the values


def draw(figure):
    left, right = figure.subplots(1, 2)
    for axes, weights, name in ((left, everywhere, "without a mask"), (right, causal, "with a causal mask")):
        shown = image(axes, weights, name, colours="Blues", limit=1)
        places = range(len(word))
        axes.set(xticks=places, xticklabels=word, yticks=places, yticklabels=word)
        axes.set(xlabel="is looked at (key)", ylabel="looks (query)")
    figure.colorbar(shown, ax=[left, right], shrink=0.7, label="weight; each row adds up to 1")


picture("attention.png", draw, (8, 3.9))

# %%
# **What to look at.** Read a row from left to right: to which letters does this place look? The rows of *a* have five
# blue squares, because the word has five *a*. The c and the d look almost only at themselves. On the right the upper
# half is empty: a network that writes text must not see what comes next. There the first b looks almost only at itself.

assert word.count("a") == 5
assert causal[1, 1] > 0.9
assert all(everywhere[k, k] > 0.8 for k in (word.index("c"), word.index("d")))
