"""The mistake in a hand-written gradient, named by making it.

`recording` runs the learner's function on values that write down what is done to them; `program` adds the backward
pass to that list; `edits` are the mistakes somebody could make in it, one family a file; `known` are the textbook's
functions; `naming` finds those edits that give the learner's numbers, and `words` says them.
"""
