"""What a page says of the common ops, in words. Of the others it shows the formula and the rule alone.

The sentences are filled with what is known of the call: ``{y}`` the result, ``{a}`` the input in question, ``{other}``
the other one, and for windows ``{kernel}``, ``{count}`` kernels, ``{places}`` places.
"""

FORWARD = {
    "Add": "adds its two inputs.",
    "Sub": "subtracts the second input from the first.",
    "Mul": "multiplies its two inputs.",
    "Div": "divides the first input by the second.",
    "Neg": "changes the sign.",
    "Exp": "takes the exponential of each value.",
    "Log": "takes the natural logarithm of each value.",
    "PowScalar": "raises each value to a power.",
    "Relu": "keeps positive values and puts 0 for the others.",
    "Tanh": "squeezes each value into (−1, 1).",
    "Sigmoid": "squeezes each value into (0, 1).",
    "Sum": "adds elements up.",
    "Mean": "takes the mean of elements.",
    "Reshape": "gives the same numbers another shape.",
    "Permute": "gives the same numbers, their axes in another order.",
    "Expand": "repeats the same numbers.",
    "GetItem": "takes out some of the elements.",
    "Matmul": "multiplies two matrices: rows of the first with columns of the second.",
    "Linear": "multiplies by the weights and adds the bias.",
    "Softmax": "makes probabilities of numbers: positive, and 1 in all.",
    "ClassCrossEntropy": "takes minus the logarithm of the probability that the network gives to the true class.",
    "MaxPool2D": "keeps the largest value of each {kernel} window.",
    "AvgPool2D": "takes the mean of each {kernel} window.",
    "Conv2D": "slides {count} kernels of {kernel} over the image: at each place it multiplies and adds up.",
    "Conv2DBias": "slides {count} kernels of {kernel} over the image: at each place it multiplies, adds up, and adds "
    "the bias.",
    "Normalize": "brings its input to mean 0 and variance 1.",
    "Embedding": "looks rows up in a table.",
    "Cat": "puts its inputs one after the other.",
    "Cast": "changes the dtype.",
}
SENT = "If {a} grows by a little, {y} grows"
BACKWARD: dict[str, tuple[str, ...]] = {
    "Add": (f"{{y}} is a sum. {SENT} by just as much. So {{a}} gets g, unchanged.",) * 2,
    "Sub": (
        f"{SENT} by just as much. So {{a}} gets g, unchanged.",
        "If {a} grows by a little, {y} shrinks by just as much. So {a} gets −g.",
    ),
    "Mul": (f"{{y}} is a product. {SENT} {{other}} times as much. So {{a}} gets g times {{other}}.",) * 2,
    "Div": (
        f"{SENT} by 1/{{other}} of that. So {{a}} gets g divided by {{other}}.",
        "A larger {a} makes the quotient smaller: its slope is −{y} / {a}.",
    ),
    "Neg": ("The sign changes on the way back, too.",),
    "Exp": ("The slope of exp is its own value. So {a} gets g times {y}.",),
    "Log": ("The slope of the logarithm is 1/{a}.",),
    "Relu": ("ReLU lets positive values through and stops the others. Its derivative is 1 where the input is positive, "
             "else 0.",),
    "Tanh": ("The slope of tanh is 1 − y². It is near 0 where tanh is flat: there, little gradient comes through.",),
    "Sigmoid": ("The slope of the sigmoid is y (1 − y): at most ¼, and near 0 where it is flat.",),
    "Sum": ("Every element counts once in its sum, so each of them gets the g of that sum.",),
    "Mean": ("Every element counts for one part in n, so each of them gets that part of g.",),
    "Reshape": ("The same numbers in another shape. The gradient takes its old shape again; no value changes.",),
    "Permute": ("The same numbers in another order of axes. The gradient is turned back; no value changes.",),
    "Expand": ("An element that was repeated gets the g of all its copies, added up.",),
    "GetItem": ("What was taken out gets its g; what was not taken had no part in {y}, and gets 0.",),
    "Matmul": (
        "A row of {a} meets every column of {other}. It collects from all of them: g times the number it was "
        "multiplied with, added up.",
    ) * 2,
    "Linear": (
        "Each input reaches every output, each through its own weight. So it collects from all of them: g times the "
        "weight, added up.",
        "A weight sits between one input and one output. It gets the g of its output times the value of its input, "
        "added up over the batch.",
        "A bias is added once to its output, so it gets g unchanged, added up over the batch.",
    ),
    "Softmax": ("If one number grows, its probability grows and all others shrink: each gets its share of g minus the "
                "mean of g.",),
    "ClassCrossEntropy": ("p are the probabilities (softmax of the logits), y is 1 for the true class and 0 elsewhere. "
                          "The gradient is what the network says minus what is true.",),
    "MaxPool2D": ("Only the largest value of each {kernel} window reached the output. So only the winner gets "
                  "gradient; the others get 0.",),
    "AvgPool2D": ("Every element of a window has the same part in its mean, so each gets that part of g.",),
    "Conv2D": (
        "A pixel lies in several windows of each of the {count} kernels. It collects from all of them: the kernel's "
        "weight at its place, times the g of that window.",
        "One weight is used at all {places} places of its feature map. It collects from all of them: g at the place, "
        "times the pixel under the weight.",
    ),
    "Embedding": ("", "A row gets the g of every place where it was looked up, added up."),
    "Cat": ("Each input gets its own part of g.",),
    "Cast": ("The gradient comes back in the dtype of the input.",),
}  # fmt: skip
BACKWARD["Conv2DBias"] = (
    *BACKWARD["Conv2D"],
    "The bias is added at all {places} places of its feature map, so it collects the g of all of them.",
)
SYMBOLS = {
    "Add": "+ add", "Sub": "− sub", "Mul": "× mul", "Div": "÷ div", "Relu": "ReLU", "Sum": "Σ sum",
    "Conv2DBias": "conv2d", "Conv2D": "conv2d", "MaxPool2D": "max pool", "AvgPool2D": "mean pool",
    "ClassCrossEntropy": "cross-entropy", "Matmul": "× matmul", "PowScalar": "power", "GetItem": "index",
    "LogSoftmax": "log-softmax", "Normalize": "normalize",
}  # fmt: skip
"""How an op is called on a card; others by the name of their class in small letters."""
