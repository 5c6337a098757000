"""
Embedding: rows of a table
==========================

`nn.Embedding` is a table with one row for each word. A sentence is a list of numbers of words; the layer looks up their
rows. The gradient goes only into the rows that were used.

Run it: ``python examples/layers/embedding.py FOLDER`` writes the picture into FOLDER.
"""

# %%
# Eight words, each with a row of four numbers. Word 0 fills short sentences: with `padding_idx=0` its row is 0 and does
# not learn. The sentence has the word 2 twice, and ends in two fillers.

from drawing import RED, frame, image, numbers, picture

import tinygrad_cnn as tg
from tinygrad_cnn import nn

tg.manual_seed(0)
words = tg.tensor([2, 5, 2, 7, 0, 0])
layer = nn.Embedding(num_embeddings=8, embedding_dim=4, padding_idx=0)
output = layer(words)
output.sum().backward()
table, gradient = layer.weight.detach(), layer.weight.grad
print(f"words {tuple(words.shape)} -> rows {tuple(output.shape)}")
print("gradient of each row:", gradient.mean(dim=1).tolist())

# %%
# Each row of the output is the row of its word. The loss is the sum, so each use of a row adds a gradient of 1. The row
# of word 2 was used twice and gets 2. Row 0 gets nothing, because it is the filler. The others were not used.

assert all((output[k] == table[word]).all() for k, word in enumerate(words.tolist()))
assert (table[0] == 0).all()
assert [row.tolist() for row in gradient] == [[used] * 4 for used in (0, 0, 2, 0, 0, 1, 0, 1)]

# The same as a product: a matrix with a 1 in each row, times the table.
one_hot = nn.functional.one_hot(words, 8).float()
assert (one_hot @ table == output).all()


def draw(figure):
    left, middle, right = figure.subplots(1, 3)
    image(left, table, "the table", colours="RdBu", limit=3)
    image(middle, output.detach(), "the output", colours="RdBu", limit=3)
    image(right, gradient, "gradient of the table", colours="Blues", limit=3)
    for axes, values, form in (
        (left, table, "{:.1f}"),
        (middle, output.detach(), "{:.1f}"),
        (right, gradient, "{:.0f}"),
    ):
        numbers(axes, values, form)
        axes.set(xlabel="one of the 4 numbers", ylabel="word", xticks=range(4))
    middle.set(ylabel="word at this place", yticks=range(6), yticklabels=words.tolist())
    for row in (2, 5, 7):
        frame(left, row, 0, 1, 4, RED)
        frame(right, row, 0, 1, 4, RED)
    for row in range(4):
        frame(middle, row, 0, 1, 4, RED)


picture("embedding.png", draw, (9, 5))

# %%
# **What to look at.** Follow the frames: rows 2, 5 and 7 of the table stand in the output, row 2 in two places. On the
# right only these three rows have a gradient. In a language a rare word seldom gets one, and so it learns slowly.
