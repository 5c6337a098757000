"""The mistake in a hand-written gradient, named by making it.

`recording` runs the learner's function on values that write down what is done to them; `program` adds the backward
pass to that list; `edits` are the mistakes somebody could make in it, one family a file, and `order` gives them by
cost; `known` are the textbook's functions; `search` finds the edits that give the learner's numbers at the points of
`learner`. `written` is the learner's own derivative as such a list, `repairs` the changes that make it right, `place`
how far it is. `tensors` lets functions of Tensors be run so. `naming` puts them together.
"""
