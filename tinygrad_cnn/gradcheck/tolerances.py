"""What a gradient may be off by, and still not be called wrong: every tolerance and slack of the judge.

Each has a mistake just beyond it in ``tests/gradcheck/test_loosened.py``, which passes when the tolerance is ten
times as large. What is measured, and not chosen, is not here.
"""

RTOL = 1e-5
"""The relative tolerance, unless the user gives another."""

ATOL = 1e-7
"""The absolute one, as part of the largest derivative of an input."""

SAFETY = 4.0
"""The truncation error of the differences is taken this many times."""

CERTAIN = 2.0
"""An entry fails only if it lies outside so many error bars."""

SIGNS = 7.0
"""Rounding errors e under random signs sum to less than 7 √Σe², but for once in 2·10¹⁰ times (Hoeffding)."""

DEVIATIONS = 4.0
"""Rounding errors stay within so many standard deviations, as good as always."""

DIGITS = 64.0
"""The same numbers, summed in another order, may differ by so many units in the last place."""

DECIDES = 1e-4
"""An error bar beyond this part of the largest derivative decides nothing, in float64."""

TIED = 1e-5
"""What elements that kink together may be off by together, as part of the slopes."""

LINEAR = 1e-7
"""What the gradient of a sum of cotangents may differ by from the sum of gradients, as part of the largest."""

FORWARD = 1e-7
"""What forward mode and the gradient may differ by, as part of the sum of all terms."""

VISIBLE = 1e-6
"""What the gradient along a direction of all inputs may be off by, as part of the largest derivative."""

WEAK = 1e-9
"""More than this is noted."""

HIDDEN = 2.5e-3
"""The rounding of a float32 gradient may hide so much of a projection, as part of its size."""

SAME = 16.0
"""Values in float64 are those of the coarse precision if they differ by no more than so many times its noise."""

BESIDE = 256.0
"""A kink within so many units in the last place of an input may lie on its other side in the coarse precision."""

SLOPES = 1e-9
"""The slopes that meet at a kink may be off by this part of the larger one, beside their rounding."""

FAINT = 1e-6
"""Elements are tied by an output if it kinks there by more than this part of what any output does."""

TERMS = 16.0
"""What elements that kink together sum to may be off by so many units in the last place of the terms."""

BELIEVED = 1e-6
"""Dual numbers are believed if differences agree with them to this part."""

ANALYTIC = 1e-7
"""The same for the complex step."""

IMAGINARY, REPEATED = 8.0, 4.0
"""A complex step is off by so many units in the last place, or so many times what two steps differ by."""

APART = 1e-3
"""Both sides of an adjoint identity that are further apart than this part say that the function is not linear."""

NEARLY = 1e-4
"""The same for sums of one sign, which random signs do not make small."""

STRAIGHT = 256.0
"""A function counts as linear if it is so up to so many units in the last place."""
