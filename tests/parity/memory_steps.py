"""The steps of random programs about memory: each rule looks at the program's PyTorch tensors and writes one line.

A line is Python with `m` for the library. A rule gives None where nothing there fits it. Rules know the shapes, so that
most of what they write is allowed; what PyTorch refuses comes up often enough by itself.
"""

from math import prod

import torch

RULES = {}
"""Each rule, by its name, with how often it is taken."""

SHAPES = [
    (),
    (2,),
    (3,),
    (4,),
    (2, 3),
    (3, 2),
    (2, 2),
    (1, 3),
    (3, 1),
    (4, 2),
    (2, 3, 2),
    (2, 1, 3),
    (1,),
    (0,),
    (2, 0),
]
NUMBERS = [0.5, 1.0, -1.0, 2.0, -0.5, 1.5, -2.0, 0.25, 3.0]
DTYPES = ["float64"] * 7 + ["float32"] + ["int64"] * 2


def forms(text):
    """What stands between the bars."""
    return [form.strip() for form in text.split("|")]


def rule(weight):
    def keep(write):
        RULES[write.__name__] = (weight, write)
        return write

    return keep


class World:
    """The names of a program so far, what they are in PyTorch, and the numbers by which the next step is chosen."""

    def __init__(self, names, below):
        self.names, self.below = names, below
        self.made = 0

    def chance(self, percent):
        return self.below(100) >= 100 - percent

    def one(self, things):
        return things[self.below(len(things))]

    def between(self, low, high):
        return low + self.below(high - low + 1)

    def some(self, things, most=3):
        things = list(things)
        return [things.pop(self.below(len(things))) for _ in range(min(self.between(1, most), len(things)))]

    def new(self, letter="t"):
        self.made += 1
        return f"{letter}{self.made}"

    def all(self, fits=lambda t: True):
        """Names of the tensors that fit, those made last at the end."""
        return [
            k
            for k, v in self.names.items()
            if k[0] == "t" and k[1:].isdigit() and isinstance(v, torch.Tensor) and fits(v)
        ]

    def tensor(self, fits=lambda t: True):
        """The name of one that fits, more often a late one; None if there is none."""
        found = self.all(fits)
        if not found:
            return None
        return self.one(found[-3:]) if self.chance(35) else self.one(found)

    def __getitem__(self, name):
        return self.names[name]

    # ---- what stands in a line

    def number(self):
        return repr(self.one(NUMBERS))

    def nested(self, shape, draw):
        if not shape:
            return draw()
        return "[" + ", ".join(self.nested(shape[1:], draw) for _ in range(shape[0])) + "]"

    def literal(self, shape, dtype="float64", more=""):
        draw = self.number if dtype.startswith("float") else (lambda: repr(self.between(-3, 3)))
        if 0 in shape:
            return f"m.zeros({shape!r}, dtype=m.{dtype}{more})"
        return f"m.tensor({self.nested(shape, draw)}, dtype=m.{dtype}{more})"

    def value(self, shape, dtype, exact=False, into=None):
        """What can be broadcast to the shape (or has it): a tensor, what is computed of one, a literal."""
        apart = into is not None and self.chance(85)

        def fits(t):
            if apart and overlap(t, into):
                return False
            if t.dtype == torch.bool or (dtype == "int64" and t.is_floating_point()):
                return False
            return tuple(t.shape) == tuple(shape) if exact else broadcasts(t.shape, shape)

        name = self.tensor(fits) if self.chance(80) else None
        if name is None:
            part = tuple(shape) if exact or self.chance(60) else tuple(shape[self.below(len(shape) + 1) :])
            return self.literal(part, dtype)
        kind = self.below(12)
        if kind == 0:
            return f"{name} * 2"
        if kind == 1 and not exact:
            return f"{name}.sum()"
        if kind == 2:
            return f"{name}.exp()" if self[name].is_floating_point() else f"-{name}"
        if kind == 3 and self[name].ndim and self[name].shape[0] and not exact:
            return f"{name}[0]"
        if kind == 4:
            return f"{name}.detach()"
        return name

    def slice(self, n):
        start = self.one(["", "", "1", "0", "-1"])
        stop = self.one(["", "", str(n), "-1", "2"])
        return f"{start}:{stop}" + self.one(["", "", ":2"])

    def index(self, shape):
        """A basic index, as it stands between the brackets."""
        parts, dims = [], list(shape)
        if not dims or self.chance(8):
            parts.append(self.one(["None", "..."]))
        if self.chance(12) and dims:
            parts.append("...")
            dims = dims[-1:] if self.chance(50) else dims
        for n in dims[: self.between(1, max(1, len(dims)))]:
            parts.append(str(self.between(-n, n - 1)) if n and self.chance(40) else self.slice(n))
            if self.chance(6):
                parts.append("None")
        return ", ".join(parts)

    def integers(self, n, count=None, distinct=True):
        """Rows of a dim of n, for an index: a literal list."""
        rows = list(range(n))
        count = count if count is not None else self.between(1, max(1, n))
        if distinct:
            return [rows.pop(self.below(len(rows))) for _ in range(min(count, n))]
        return [self.between(0, n - 1) for _ in range(count)]

    def rows(self, n, distinct=True):
        """An index of one dim: a tensor of the program that fits, or a literal."""

        def fits(t):
            if t.dtype != torch.int64 or t.ndim != 1 or not t.numel():
                return False
            inside = t.min() >= 0 and t.max() < n
            return bool(inside) and (not distinct or t.unique().numel() == t.numel())

        name = self.tensor(fits) if self.chance(75) else None
        return name or (f"m.tensor({self.integers(n, distinct=distinct)})" if n else "m.tensor([], dtype=m.int64)")

    def mask(self, shape):
        name = (
            self.tensor(lambda t: t.dtype == torch.bool and tuple(t.shape) == tuple(shape)) if self.chance(60) else None
        )
        if name:
            return name
        numbers = (
            self.tensor(lambda t: tuple(t.shape) == tuple(shape) and t.dtype != torch.bool) if self.chance(30) else None
        )
        if numbers:
            return f"{numbers} > 0"
        if 0 in shape:
            return f"m.zeros({tuple(shape)!r}, dtype=m.bool)"
        return f"m.tensor({self.nested(shape, lambda: self.one(['True', 'False']))})"

    def quiet(self, line, percent=8):
        return f"with m.no_grad(): {line}" if self.chance(percent) else line

    def target(self, fits=lambda t: True):
        """What a write goes into, with its tensor: mostly what may be written, often a view taken for the occasion."""

        def free(t):
            return fits(t) and (not t.requires_grad or not leaf(root(t)))

        name = self.tensor(free) if self.chance(70) else None
        if name is None:
            name = self.tensor(fits)
            if name is None:
                return None, None
            if self[name].requires_grad and self.chance(85):
                how = self.one(["{}.data", "{}.detach()", "{}.data", "no_grad"])
                return (name, self[name]) if how == "no_grad" else (how.format(name), self[name])
        t = self[name]
        kind = self.below(100)
        if kind < 10 and t.ndim:
            index = self.index(t.shape)
            part = attempt(lambda: eval(f"t.detach()[{index}]", {"t": t}))
            if part is not None and fits(part):
                return f"{name}[{index}]", part
        elif kind < 14:
            return f"{name}.data", t
        elif kind < 18:
            return f"{name}.detach()", t
        elif kind < 21:
            return (
                f"{name}.T" if t.ndim == 2 else f"{name}.unsqueeze(0)",
                t.detach().T if t.ndim == 2 else t.detach().unsqueeze(0),
            )
        elif kind < 24 and t.is_contiguous():
            return f"{name}.view(-1)", t.detach().view(-1)
        return name, t

    def write(self, name, line):
        """The line as it stands, or in no_grad where the target could not be written otherwise."""
        t = self.names.get(name)
        refused = isinstance(t, torch.Tensor) and t.requires_grad and leaf(root(t))
        return self.quiet(line, 85 if refused else 6)


def root(t):
    return t if t._base is None else t._base


def leaf(t):
    """Whether it is one. PyTorch is not asked about views: that could renew their node, and so change the run."""
    return not t.requires_grad or (t._base is None and t.is_leaf)


def overlap(a, b):
    return a.untyped_storage().data_ptr() == b.untyped_storage().data_ptr()


def attempt(call):
    try:
        return call()
    except Exception:
        return None


def broadcasts(small, large):
    return attempt(lambda: torch.broadcast_shapes(small, large)) == torch.Size(large)


def dtype_of(t):
    return str(t.dtype).removeprefix("torch.")


def is_float(t):
    return t.is_floating_point()


def no_bool(t):
    return t.dtype != torch.bool


# ---- create


@rule(3)
def create(w):
    dtype = w.one(DTYPES)
    shape = w.one(SHAPES)
    more = ", requires_grad=True" if dtype != "int64" and w.chance(55) else ""
    return f"{w.new()} = {w.literal(shape, dtype, more)}"


LIKE = forms("""
    m.zeros_like({}) | m.ones_like({}) | m.full_like({}, 2) | {}.new_zeros(2, 3) | m.nn.Parameter({})
""")


@rule(1)
def create_like(w):
    x = w.tensor(no_bool)
    how = w.one(LIKE)
    if x is None or ("Parameter" in how and not is_float(w[x])):
        return None
    return f"{w.new()} = {how.format(x)}"


@rule(1)
def create_index(w):
    return f"{w.new()} = m.tensor({w.integers(w.between(1, 3), distinct=w.chance(70))})"


@rule(0.6)
def create_mask(w):
    return f"{w.new()} = {w.mask(w.one(SHAPES[:9]))}"


@rule(1.5)
def create_array(w):
    shape = w.one(SHAPES)
    dtype = w.one(["float64", "float64", "int64", "float32"])
    return f"{w.new('n')} = np.arange({prod(shape)}, dtype=np.{dtype}).reshape({shape!r})"


@rule(5)
def from_array(w):
    n = w.tensor() and [k for k in w.names if k[0] == "n" and k[1:].isdigit()]
    if not n:
        return None
    return f"{w.new()} = m.{w.one(['from_numpy', 'from_numpy', 'as_tensor', 'tensor'])}({w.one(n)})"


# ---- views

ONE_OF_NO_OPTIONS = forms("""
    {}.detach() | {}.data | {}.t() | {}.T | {}.mT | {}.squeeze() | {}.flatten() | {}.view(-1) | {}.reshape(-1) |
    {}.ravel() | {}.contiguous() | {}[...] | {}[None] | {}[:] | {}.double() | {}.clone().T | {}.view({}.shape) |
    {}.view_as({}) | {}.expand_as({}) | m.atleast_2d({}) | m.as_tensor({}) | m.asarray({}) | {}.requires_grad_() |
    m.nn.functional.dropout({}, 0.5, False) | m.nn.Identity()({}) | m.nn.Flatten(0)({}) | m.ravel({}) | {}.H |
    {}.adjoint() | m.broadcast_tensors({})[0] | m.squeeze({}) | {}.to({}.dtype) | {}.type_as({}) |
    {}.swapaxes(0, -1) | {}.resolve_conj() | {}.cpu()
""")


VIEW_PLAIN_FORMS = forms("""
    {}.T | {}.H | {}.t() | {}.adjoint() | {}.clone().T | {}.mT
""")


@rule(5)
def view_plain(w):
    x = w.tensor()
    if x is None:
        return None
    form = w.one(ONE_OF_NO_OPTIONS)
    if w[x].ndim != 2 and form in VIEW_PLAIN_FORMS and not w.chance(10):
        return None
    if not is_float(w[x]) and "requires_grad_" in form:
        return None
    return w.quiet(f"{w.new()} = {form.replace('{}', x)}")


@rule(6)
def view_index(w):
    x = w.tensor()
    return x and w.quiet(f"{w.new()} = {x}[{w.index(w[x].shape)}]")


@rule(5)
def view_dims(w):
    x = w.tensor(lambda t: t.ndim)
    if x is None:
        return None
    shape, n = w[x].shape, w[x].ndim
    d, e = w.between(-n, n - 1), w.between(0, n - 1)
    kind = w.one(["select", "narrow", "transpose", "permute", "movedim", "unsqueeze", "squeeze", "swapdims", "T"])
    size = shape[d]
    if kind == "select":
        if not size:
            return None
        call = f"select({d}, {w.between(-size, size - 1)})"
    elif kind == "narrow":
        start = w.between(0, size)
        call = f"narrow({d}, {start}, {w.between(0, size - start)})"
    elif kind == "permute":
        call = f"permute{tuple(w.integers(n, n))!r}"
    elif kind in ("transpose", "movedim", "swapdims"):
        call = f"{kind}({d}, {e})"
    elif kind == "unsqueeze":
        call = f"unsqueeze({w.between(-n - 1, n)})"
    elif kind == "squeeze":
        call = f"squeeze({d})"
    else:
        call = f"unflatten({d}, ({w.one(['-1, 1', '1, -1', '-1, 2', '2, -1'])}))"
    return w.quiet(f"{w.new()} = {x}.{call}")


@rule(4)
def view_shape(w):
    x = w.tensor(lambda t: t.numel())
    if x is None:
        return None
    total = w[x].numel()
    first = w.one([n for n in range(1, total + 1) if total % n == 0])
    rest = total // first
    second = w.one([n for n in range(1, rest + 1) if rest % n == 0])
    shape = w.one([(first, rest), (first, -1), (-1, first), (first, second, rest // second), (total,), (1, total)])
    how = w.one(["view", "reshape", "reshape", "as"])
    if how == "as":
        other = w.tensor(lambda t: t.numel() == total)
        return w.quiet(f"{w.new()} = {x}.{w.one(['view_as', 'reshape_as'])}({other})")
    return w.quiet(f"{w.new()} = {x}.{how}{shape!r}")


@rule(2.5)
def view_expand(w):
    x = w.tensor(lambda t: t.ndim < 3)
    if x is None:
        return None
    shape = [w.between(2, 3) if n == 1 and w.chance(80) else n for n in w[x].shape]
    if w.chance(50) or not shape:
        shape = [w.between(1, 3), *shape]
    if w.chance(25):
        return w.quiet(f"{w.new()} = m.broadcast_to({x}, {tuple(shape)!r})")
    if w.chance(25):
        other = w.tensor(lambda t: broadcasts(w[x].shape, t.shape))
        return w.quiet(f"{w.new()} = {x}.expand_as({other})")
    return w.quiet(f"{w.new()} = {x}.expand({', '.join(map(str, shape))})")


@rule(2.5)
def view_diagonal(w):
    x = w.tensor(lambda t: t.ndim >= 2)
    if x is None:
        return None
    call = w.one(["diagonal()", f"diagonal({w.between(-1, 1)})", "diagonal(0, -2, -1)", "diagonal(0, 1, 0)"])
    return w.quiet(f"{w.new()} = {x}.{call}")


@rule(2)
def view_unfold(w):
    x = w.tensor(lambda t: t.ndim and max(t.shape) > 1)
    if x is None:
        return None
    d = w.one([k for k, n in enumerate(w[x].shape) if n > 1])
    return w.quiet(f"{w.new()} = {x}.unfold({d}, {w.between(1, w[x].shape[d])}, {w.between(1, 2)})")


@rule(3)
def view_parts(w):
    x = w.tensor(lambda t: t.ndim and 0 not in t.shape)
    if x is None:
        return None
    d = w.between(0, w[x].ndim - 1)
    size = w[x].shape[d]
    call = w.one(
        [
            f"unbind({d})",
            f"split({w.between(1, 2)}, {d})",
            f"chunk({w.between(1, 3)}, {d})",
            f"tensor_split(2, {d})",
            f"split([1, {size - 1}], {d})",
        ]
    )
    if w.chance(25):
        return w.quiet(f"{w.new()} = {x}.{call}[{w.one([0, -1])}]")
    count = attempt(lambda: len(eval(f"x.{call}", {"x": w[x].detach()})))
    if not count or (call.startswith("unbind") and w.chance(15)):
        return w.quiet(f"{', '.join(w.new() for _ in range(size))}, = {x}")
    return w.quiet(f"{', '.join(w.new() for _ in range(count))}, = {x}.{call}")


@rule(1.5)
def view_as_strided(w):
    x = w.tensor(lambda t: t.numel())
    if x is None:
        return None
    room = w[x].untyped_storage().nbytes() // w[x].element_size()
    offset = w.below(room) if w.chance(40) else w[x].storage_offset()
    size, stride = w.one(
        [
            ((2,), (1,)),
            ((2,), (2,)),
            ((2, 2), (2, 1)),
            ((2, 2), (1, 2)),
            ((1,), (1,)),
            ((2, 2), (1, 1)),
            ((2, 3), (3, 1)),
        ]
    )
    last = offset + sum((n - 1) * s for n, s in zip(size, stride, strict=True))
    if last >= room:
        size, stride = (1,), (1,)
    more = f", {offset}" if offset != w[x].storage_offset() else ""
    return w.quiet(f"{w.new()} = {x}.as_strided({size}, {stride}{more})")


@rule(0.7)
def view_dtype(w):
    x = w.tensor(lambda t: no_bool(t) and not t.requires_grad) if w.chance(90) else w.tensor(no_bool)
    if x is None:
        return None
    others = {"int64": ["int64", "int32", "uint8"], "float64": ["float64", "int64", "float32"]}
    return f"{w.new()} = {x}.view(m.{w.one(others.get(dtype_of(w[x]), ['float32', 'int32', 'float64']))})"


# ---- copies

COPIES = forms("""
    {}.clone() | {}.flip(0) | {}.flip(-1) | {}.roll(1) | {}.repeat(1, 1, 1) | {}.repeat(2, 1, 1) |
    m.tile({}, (1,)) | m.rot90({}) | {}.diag() | m.cat([{}]) | m.stack([{}]) | m.cat([{}, {}]) | {}.float() |
    {}.long() | m.tensor({}.detach().numpy()) | {}.masked_select({} > 0) | m.where({} > 0, {}, {}) |
    m.diag_embed({}) | {}.repeat_interleave(1) | {}.tril() | m.atleast_1d({}) * 1 |
    m.nn.functional.pad({}, (0, 0)) | {}.sum_to_size({}.shape) | {}.new_tensor({}.tolist()) | m.clone({}) |
    {}.roll(0, 0) | m.matrix_power({}, 1) | m.nn.functional.relu({}) | {}.copy_({}) |
    {}.clone(memory_format=m.contiguous_format) | {}.t().contiguous() | m.einsum('ij->ji', {}) |
    m.einsum('ii->i', {}) | m.block_diag({}) | {}.sum(()) | {}.nan_to_num() | {}.squeeze(0).clone() |
    {}.expand(2, 3).contiguous() | m.meshgrid({}, indexing='ij')[0] | m.pixel_shuffle({}, 1) | +{} |
    {}.positive() | m.unbind({}.clone())[0] | {}.to(m.float64, copy=True) | {}.bool() | m.vstack([{}]) |
    {}.fliplr() | {}.kron(m.tensor(1)) | m.dropout({}, 0., True) |
    m.linalg.multi_dot([{}, {}]) | m.clamp({}) | m.nn.functional.threshold({}, -100, 0) |
    {}.reshape(-1)[0] | m.swapaxes({}, 0, 0) | m.hstack([{}]) | m.concat([{}]) | m.triu({}, -9) |
    m.renorm({}, 2, 0, 1e9) | {}.round()
""")


@rule(4)
def copy_plain(w):
    form = w.one(COPIES)
    x = w.tensor(no_bool)
    if x is None:
        return None
    line = form.replace("{}", x)
    if w.chance(90) and not attempt(
        lambda: True if eval(line, {"m": torch, x: w[x].detach().clone()}) is not None else None
    ):
        return None
    return w.quiet(f"{w.new()} = {line}")


@rule(4)
def copy_index(w):
    x = w.tensor(lambda t: t.ndim and 0 not in t.shape)
    if x is None:
        return None
    d = w.between(0, w[x].ndim - 1)
    size = w[x].shape[d]
    rows = w.rows(size, distinct=w.chance(50))
    form = w.one(["index_select", "advanced", "advanced", "take", "gather", "mask", "embedding", "take_along", "list"])
    if form == "index_select":
        return w.quiet(f"{w.new()} = {x}.index_select({d}, {rows})")
    if form == "advanced":
        return w.quiet(f"{w.new()} = {x}[{':, ' * d}{rows}]")
    if form == "list":
        return w.quiet(f"{w.new()} = {x}[{':, ' * d}{w.integers(size)}]")
    if form == "take":
        return w.quiet(f"{w.new()} = {x}.take({w.rows(w[x].numel(), distinct=False)})")
    if form == "mask":
        return w.quiet(f"{w.new()} = {x}[{w.mask(w[x].shape)}]")
    if form == "embedding":
        if w[x].ndim != 2 or not is_float(w[x]):
            return None
        return w.quiet(f"{w.new()} = m.nn.functional.embedding({w.rows(w[x].shape[0], distinct=False)}, {x})")
    index = w.tensor(
        lambda t: t.dtype == torch.int64 and t.ndim == w[x].ndim and t.numel() and t.min() >= 0 and t.max() < size
    )
    if index is None:
        shape = [w.between(1, n) for n in w[x].shape]
        index = f"m.tensor({w.nested(shape, lambda: repr(w.below(size)))})"
        if w.chance(60):
            return f"{w.new()} = {index}"
    return w.quiet(
        f"{w.new()} = " + (f"{x}.gather({d}, {index})" if form == "gather" else f"m.take_along_dim({x}, {index}, {d})")
    )


# ---- operations that record

UNARY = forms("""
    {} * 2 | {}.exp() | {}.sigmoid() | {}.tanh() | {}.relu() | {} ** 2 | -{} | {}.sum() | {} / 2 | {}.abs() |
    {}.sin() | {} + 1 | {}.mean() | {}.max() | {}.prod() | {}.clamp(-1, 1) | {}.sum(0) | {}.cumsum(0) | {} * {} |
    1 / {} | {}.softmax(0) | m.nn.functional.softplus({}) | m.nn.functional.elu({}) | {}.sort(0).values |
    {}.norm() | {}.logsumexp(0)
""")


@rule(6)
def compute(w):
    x = w.tensor(is_float)
    return x and w.quiet(f"{w.new()} = {w.one(UNARY).replace('{}', x)}")


BINARY = forms("""
    {} * {} | {} + {} | {} - {} | {} / {} | {} * {} | m.maximum({}, {}) | m.where({0} > 0, {0}, {1}) |
    m.addcmul({0}, {0}, {1}) | {0}.lerp({1}, 0.5) | m.atan2({}, {}) | m.nn.functional.mse_loss({}, {}) |
    m.cat([{0}.flatten(), ({1}).flatten()])
""")


@rule(6)
def compute_two(w):
    x = w.tensor(is_float)
    if x is None:
        return None
    y = w.value(w[x].shape, dtype_of(w[x]))
    form = w.one(BINARY)
    if "mse" in form and tuple(w[x].shape) != tuple(getattr(w.names.get(y), "shape", ())):
        return None
    return w.quiet(f"{w.new()} = {form.format(x, y)}")


@rule(2)
def compute_product(w):
    x = w.tensor(lambda t: t.dtype == torch.float64 and t.ndim in (1, 2) and 0 not in t.shape)
    if x is None:
        return None
    y = w.tensor(lambda t: t.dtype == torch.float64 and t.ndim in (1, 2) and t.shape[0] == w[x].shape[-1])
    if y is None or w.chance(20):
        y = w.literal((w[x].shape[-1], 2))
    return w.quiet(
        f"{w.new()} = {w.one(['{} @ {}', 'm.matmul({}, {})', 'm.nn.functional.linear({}, ({}).T)']).format(x, y)}"
    )


# ---- writes


WRITES_OF_A_VALUE = forms("""
    add_({}) | add_({}) | sub_({}) | mul_({}) | mul_({}) | div_({}) | copy_({}) | copy_({}) | fill_({}) |
    lerp_({}, 0.5) | add_({}, alpha=2) | addcmul_({}, {}) | addcdiv_({}, {}) | pow_({}) | clamp_min_({}) |
    atan2_({})
""")


@rule(6)
def write_value(w):
    name, t = w.target(no_bool)
    if name is None:
        return None
    v = w.value(t.shape, dtype_of(t)) if w.chance(70) else w.number()
    call = w.one(WRITES_OF_A_VALUE)
    if "fill_" in call:
        v = w.number() if w.chance(60) else w.value((), dtype_of(t))
    a_number = v[0] in "-0123456789"
    refused = (
        call[:4] in ("copy", "lerp", "addc", "atan") if a_number else not is_float(t) and call[:3] in ("div", "ler")
    )
    if refused and (a_number or not w.chance(3)):
        return None
    if not is_float(t) and "." in v and v[0] in "-0123456789":
        v = v.split(".")[0]
    return w.write(name, f"{name}.{call.format(v, v)}")


WRITES = forms("""
    zero_() | exp_() | relu_() | sigmoid_() | tanh_() | clamp_(-1, 1) | neg_() | abs_() | square_() | sin_() |
    mul_(0.5) | cumsum_(0) | floor_() | clamp_(min=0) | tril_() | fill_diagonal_(2) | reciprocal_() |
    sign_() | nan_to_num_() | zero_()
""")


@rule(4)
def write_self(w):
    name, t = w.target(no_bool)
    if name is None:
        return None
    call = w.one(WRITES)
    if not is_float(t) and call[:3] in ("exp", "sig", "tan", "sin", "mul", "rec", "flo") and not w.chance(3):
        return None
    if t.ndim < 2 and call[:4] in ("tril", "fill") and not w.chance(3):
        return None
    return w.write(name, f"{name}.{call}")


@rule(2)
def write_operator(w):
    name = w.tensor(lambda t: no_bool(t) and (not t.requires_grad or not leaf(root(t)))) or w.tensor(no_bool)
    if name is None:
        return None
    t = w[name]
    op = w.one(["+=", "*=", "-=", "/="]) if is_float(t) else w.one(["+=", "*=", "-="])
    if w.chance(40) and t.ndim:
        index = w.index(t.shape)
        part = attempt(lambda: eval(f"t.detach()[{index}]", {"t": t}))
        if part is not None:
            return w.write(name, f"{name}[{index}] {op} {w.value(part.shape, dtype_of(t))}")
    return w.write(name, f"{name} {op} {w.value(t.shape, dtype_of(t))}")


@rule(6)
def write_item(w):
    name, t = w.target(lambda t: t.ndim and no_bool(t))
    if name is None:
        return None
    kind = w.below(100)
    if kind < 55:
        index = w.index(t.shape)
    elif kind < 75:
        d = w.between(0, t.ndim - 1)
        index = ":, " * d + w.rows(t.shape[d])
    elif kind < 90:
        index = w.mask(t.shape)
    else:
        index = f"{w.below(max(1, t.shape[0]))}, {w.rows(t.shape[1])}" if t.ndim > 1 else "..."
    part = attempt(lambda: eval(f"t.detach()[{index}]", {"t": t, "m": torch, **w.names}))
    if part is None:
        return None
    v = (
        w.value(part.shape, dtype_of(t), into=t if kind >= 55 else None)
        if w.chance(75)
        else w.number()
        if is_float(t)
        else "2"
    )
    return w.write(name, f"{name}[{index}] = {v}")


@rule(6)
def write_indexed(w):
    name, t = w.target(lambda t: t.ndim and 0 not in t.shape and no_bool(t))
    if name is None:
        return None
    dtype = dtype_of(t)
    d = w.between(0, t.ndim - 1)
    size = t.shape[d]
    kind = w.one(
        [
            "index_add_",
            "index_copy_",
            "index_fill_",
            "masked_fill_",
            "masked_scatter_",
            "scatter_",
            "scatter_add_",
            "put_",
            "index_put_",
        ]
    )
    if kind.startswith(("index", "put")):
        rows = w.rows(t.numel() if kind == "put_" else size, distinct=kind != "index_add_")
        count = len(eval(rows, {"m": torch, **w.names}))
        part = (*t.shape[:d], count, *t.shape[d + 1 :])
    number = w.number() if w.chance(60) else w.value((), dtype, exact=True, into=t)
    if kind == "index_fill_":
        line = f"{name}.index_fill_({d}, {rows}, {number})"
    elif kind == "index_put_":
        line = d == 0 and f"{name}.index_put_(({rows},), {w.value(part, dtype, into=t)})"
    elif kind == "put_":
        line = f"{name}.put_({rows}, {w.value((count,), dtype, exact=True, into=t)}{w.one(['', ', accumulate=True'])})"
    elif kind.startswith("index"):
        line = f"{name}.{kind}({d}, {rows}, {w.value(part, dtype, exact=True, into=t)})"
    elif kind == "masked_fill_":
        line = f"{name}.masked_fill_({w.mask(t.shape)}, {number})"
    elif kind == "masked_scatter_":
        line = f"{name}.masked_scatter_({w.mask(t.shape)}, {w.value(t.shape, dtype, exact=True, into=t)})"
    else:
        same = w.tensor(
            lambda v: tuple(v.shape) == tuple(t.shape) and dtype_of(v) == dtype and not (overlap(v, t) and w.chance(90))
        )
        # one row of the index is a permutation, so that no place is written twice
        rest = [w.integers(size, size) for _ in range(t.numel() // size)]
        width = min(map(len, rest))
        index = (
            torch.tensor([r[:width] for r in rest])
            .reshape(*t.shape[:d], *t.shape[d + 1 :], width)
            .movedim(-1, d)
            .tolist()
        )
        source = same or w.literal(tuple(t.shape), dtype)
        line = (
            f"{name}.{kind}({d}, m.tensor({index}), {source if w.chance(80) or kind == 'scatter_add_' else w.number()})"
        )
    if not line or (not is_float(t) and "." in line.split("(", 1)[1].replace("m.", "")):
        return None
    return w.write(name, line)


OUTS = forms("""
    m.add({}, {}, out={}) | m.mul({}, {}, out={}) | m.exp({0}, out={2}) | m.sub({}, {}, out={}) |
    m.relu_({2}) | m.clamp({0}, -1, 1, out={2})
""")


@rule(2)
def write_out(w):
    out = w.tensor(lambda t: not t.requires_grad and is_float(t)) if w.chance(85) else w.tensor(is_float)
    if out is None:
        return None
    a = w.tensor(lambda t: dtype_of(t) == dtype_of(w[out]) and tuple(t.shape) == tuple(w[out].shape))
    b = w.value(w[out].shape, dtype_of(w[out]))
    form = w.one(OUTS)
    line = form.format(a, b, out)
    wants = any(
        t.requires_grad for k, t in w.names.items() if isinstance(t, torch.Tensor) and k[0] == "t" and k in line
    )
    return w.quiet(line, 85 if wants else 10)


WRITING_FUNCTIONS = forms("""
    m.nn.functional.relu({}, inplace=True) | m.nn.init.constant_({}, 2.) | m.nn.init.zeros_({}) |
    m.nn.ReLU(inplace=True)({}) | m.fill_({}, 2.) | m.nn.functional.dropout({}, 0., inplace=True) |
    m.nn.functional.leaky_relu_({}, 0.5) | Doubled.apply({}) | Doubled.apply({})
""")


@rule(1)
def write_by_function(w):
    name, _ = w.target(is_float)
    if name is None:
        return None
    form = w.one(WRITING_FUNCTIONS)
    line = form.format(name)
    return w.write(name, f"{w.new()} = {line}" if w.chance(50) else line)


@rule(1.5)
def reshape_in_place(w):
    x = w.tensor(lambda t: t.ndim)
    if x is None:
        return None
    n = w[x].ndim
    call = w.one(
        [
            "t_()",
            f"transpose_(0, {n - 1})",
            "squeeze_()",
            f"unsqueeze_({w.between(-1, n)})",
            "squeeze_(0)",
            f"swapdims_(0, {n - 1})",
            "detach_()",
        ]
    )
    if call == "t_()" and n > 2:
        return None
    # under no_grad the shape of a leaf would change beneath its graph
    return f"{x}.{call}"


@rule(2)
def set_data(w):
    x = w.tensor(no_bool)
    if x is None:
        return None
    t = w[x]
    if w.chance(10):  # no derivative of set_ exists
        y = w.tensor(lambda v: v.dtype == t.dtype and not (v.requires_grad or t.requires_grad))
        return y and f"{x}.set_({y})"
    # another shape only where nothing was recorded that knows the old one
    y = w.tensor(lambda v: v.dtype == t.dtype and (v.shape == t.shape or (not t.requires_grad and w.chance(10))))
    return y and f"{x}.data = {y}{w.one(['', ' * 2', '.detach()'])}"


@rule(5)
def write_array(w):
    found = [k for k in w.names if k[0] == "n" and k[1:].isdigit()]
    if not found:
        return None
    n = w.one(found)
    return w.one([f"{n}[...] = 2", f"{n} += 1", f"{n} *= 2", f"{n}.fill(3)"])


@rule(1.5)
def to_array(w):
    x = w.tensor()
    return x and f"{w.new('n')} = {x}.{w.one(['detach().numpy()', 'data.numpy()', 'numpy()', 'numpy(force=True)'])}"


# ---- derivatives


@rule(1.5)
def switch(w):
    x = w.tensor(is_float)
    if x is None:
        return None
    return f"{x}.requires_grad_({w.one(['', '', 'False', 'True']) if leaf(w[x]) or w.chance(20) else ''})"


@rule(2)
def retain(w):
    x = w.tensor(lambda t: t.requires_grad and not leaf(t)) or (w.chance(10) and w.tensor(is_float))
    return x and f"{x}.retain_grad()"


HOOKS = forms("""
    lambda g: g * 2 |  lambda g: held.append(g.clone()) | lambda g: g.clone() |
    lambda g: g + 1
""")


SEVERAL = ("SplitBackward0", "UnbindBackward0", "SplitWithSizesBackward0")


@rule(4)
def hook(w):
    x = w.tensor(lambda t: t.requires_grad)
    if x is None or type(attempt(lambda: w[x].grad_fn)).__name__ in SEVERAL:  # they call hooks with None for the others
        return None
    what = w.one(HOOKS)
    if leaf(w[x]) and w.chance(15):
        return f"{x}.register_post_accumulate_grad_hook(lambda p: held.append(p.grad))"
    # where a view's base was written since, PyTorch 2.13 crashes in register_hook, unless somebody asked for the node
    return f"{x}.grad_fn; {x}.register_hook({what})"


def loss(w, x):
    if w.chance(25):
        y = w.value(w[x].shape, dtype_of(w[x]))
        return f"({x} * {y}).sum()"
    return f"{x}.sum()" if w.chance(60) else f"({x} * {x}).sum()"


@rule(8)
def backward(w):
    x = w.tensor(lambda t: t.requires_grad and not leaf(t)) or w.tensor(lambda t: t.requires_grad)
    if x is None:
        return None
    options = w.one(["", "", "retain_graph=True", "retain_graph=True", "create_graph=True"])
    kind = w.below(100)
    if kind < 12:
        g = w.value(w[x].shape, dtype_of(w[x]), exact=True)
        return f"{x}.backward({g}{options and ', ' + options})"
    if kind < 20:
        other = w.tensor(lambda t: t.requires_grad)
        return f"m.autograd.backward([{loss(w, x)}, {loss(w, other)}]{options and ', ' + options})"
    return f"{loss(w, x)}.backward({options})"


@rule(4)
def gradient(w):
    y = w.tensor(lambda t: t.requires_grad and not leaf(t))
    x = w.tensor(lambda t: t.requires_grad)
    if y is None:
        return None
    options = w.one(["", ", retain_graph=True", ", create_graph=True", ", create_graph=True"])
    # how a gradient lies in memory depends on the rules, so it is cloned
    return f"{w.new()} = m.autograd.grad({loss(w, y)}, [{x}]{options})[0].clone()"


def with_grad(t):
    return (leaf(t) or t.retains_grad) and t.grad is not None


@rule(8)
def use_grad(w):
    x = w.tensor(with_grad)
    if x is None:
        return None
    kind = w.below(10)
    if kind < 3:
        return f"{w.new()} = {x}.grad"
    if kind < 5:
        return f"{x}.grad = None"
    if kind == 5:
        return f"del {x}.grad"
    if kind == 6:
        return f"{x}.grad = {w.value(w[x].shape, dtype_of(w[x]), exact=True)}"
    return f"{x}.grad.{w.one(['zero_()', 'mul_(2)', 'add_(1)', 'detach_()', 'data.fill_(1)'])}"


@rule(2)
def give_grad(w):
    x = w.tensor(lambda t: t.requires_grad and leaf(t))
    if x is None:
        return None
    return f"{x}.grad = {w.value(w[x].shape, dtype_of(w[x]), exact=True, into=w[x])}"


@rule(20)
def use_held(w):
    return f"{w.new()} = held[-1]" if w.names["held"] else None


def last_backwards(w):
    """Lines for the end of a program: whatever history it has must give the same gradients."""
    found = w.all(lambda t: t.requires_grad and is_float(t) and not leaf(t))
    return [f"{x}.sum().backward(retain_graph=True)" for x in found[-4:]]


# ---- optimisers


OPTIMIZERS = forms("""
    SGD([{}], lr=0.5) | SGD([{}], lr=0.5, momentum=0.5) | Adam([{}], lr=0.5) |
    SGD([{}], lr=0.5, weight_decay=0.5) | RMSprop([{}], lr=0.5)
""")


@rule(2.5)
def optimizer(w):
    found = w.all(lambda t: t.requires_grad and leaf(t))
    if not found:
        return None
    kind = w.one(OPTIMIZERS)
    return f"{w.new('o')} = m.optim.{kind.format(', '.join(w.some(found)))}"


@rule(14)
def optimize(w):
    found = [k for k in w.names if k[0] == "o" and k[1:].isdigit()]
    if not found:
        return None
    return f"{w.one(found)}.{w.one(['step()', 'step()', 'zero_grad()', 'zero_grad(set_to_none=False)'])}"


# ---- copies of everything, files


@rule(1.5)
def deepcopy(w):
    found = w.all(lambda t: leaf(t))
    if not found:
        return None
    some = w.some(found)
    if w.chance(10):
        some = w.some(w.all())
    return f"{', '.join(w.new() for _ in some)}, = copy.deepcopy([{', '.join(some)}])"


@rule(1.5)
def save_and_load(w):
    found = w.all()
    if not found:
        return None
    some = w.some(found)
    how = w.one(["loaded(m, {})", "loaded(m, {})", "pickle.loads(pickle.dumps({}))"])
    if how[0] == "p":
        some = some[:1]  # what is pickled together is apart afterwards in PyTorch
    return f"{', '.join(w.new() for _ in some)}, = {how.format('[' + ', '.join(some) + ']')}"


# ---- questions

QUESTIONS = forms("""
    {0}.is_leaf | {0}.grad_fn is None | {0}._base is {1} | {0}.retains_grad | {0}.is_contiguous() |
    {0}.requires_grad | [s for s, n in zip({0}.stride(), {0}.shape) if n > 1 and {0}.numel()] |
    {0}.storage_offset() | {0}.is_set_to({1}) | {0}.numel() and {0}.data_ptr() == {1}.data_ptr() |
    {0}.numel() and {0}.untyped_storage().data_ptr() == {1}.untyped_storage().data_ptr()
""")


@rule(2)
def ask(w):
    x, y = w.tensor(), w.tensor()
    return x and f"seen = {w.one(QUESTIONS).format(x, y)}"
