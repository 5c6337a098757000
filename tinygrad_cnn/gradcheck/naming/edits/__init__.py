"""The mistakes somebody could make, by families; each makes its edits of a program, and knows their least cost."""

from tinygrad_cnn.gradcheck.naming.edits import arguments, constants, edges, loops, paths, reads, rules
from tinygrad_cnn.gradcheck.naming.edits.edit import Edit, Family, View

__all__ = ["FAMILIES", "OF_KNOWN", "Edit", "Family", "View"]

FAMILIES = (
    Family(0.9, paths.signs),
    Family(0.95, rules.factors),
    Family(0.95, edges.winners),
    Family(1.0, paths.held),
    Family(1.0, edges.options),
    Family(1.05, rules.steps),
    Family(1.05, rules.unbroadcasts),
    Family(1.05, rules.sums),
    Family(1.05, paths.overwritten),
    Family(1.05, edges.products),
    Family(1.05, constants.constants),
    Family(1.05, rules.indices),
    Family(1.1, rules.terms),
    Family(1.1, rules.boolean),
    Family(1.15, loops.turns),
    Family(1.15, reads.other_values),
    Family(1.15, paths.derivative_left_out),
    Family(1.05, edges.passed_on),
    Family(1.19, edges.multiplied),
    Family(1.1, reads.taken_wrongly),
    Family(1.25, edges.reshaped),
    Family(1.27, paths.left_out),
    Family(1.3, paths.exchanged),
    Family(1.3, arguments.cotangents),
    Family(1.35, paths.sent_elsewhere),
    Family(1.4, arguments.other_points),
    Family(1.45, paths.held_pairs),
    Family(1.45, edges.moved),
    Family(1.9, arguments.factors),
)
"""A family is made when everything that costs less has been tried."""

OF_KNOWN = tuple(
    f
    for f in FAMILIES
    if f.edits
    in (
        paths.signs, rules.factors, rules.steps, rules.unbroadcasts, rules.sums, constants.constants, rules.indices,
        rules.terms, rules.boolean, reads.other_values, paths.derivative_left_out, reads.taken_wrongly,
    )
)  # fmt: skip
"""Those that look inside of a derivative."""
