"""What an op is, and the one registry that lists them all.

An op is a class that is never instantiated: a forward rule, one vector-Jacobian product per input, and what a
test and a reader need to know about it. Nothing here knows of `Tensor`.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from types import FunctionType
from typing import Any, ClassVar, NamedTuple

import numpy as np

from tinygrad_cnn.core.checks import check_broadcast, check_numbers, shape_of
from tinygrad_cnn.core.domain import Domain, Real
from tinygrad_cnn.core.draw import Draw
from tinygrad_cnn.core.types import Array

NO_OPTIONS: dict[str, Any] = {}
"""Of all calls without options: never written."""
PLACE = -1
"""Among what a rule picks: the number of the input, of an op that takes any number of them."""


class Rule:
    """One derivative of an op: a function, and which of what the op saves (`Op.sources`) it asks for."""

    __slots__ = ("function", "name", "options", "picks")

    def __init__(
        self, name: str, function: Callable[..., Array], picks: tuple[int, ...], options: tuple[str, ...]
    ) -> None:
        self.name, self.function, self.picks, self.options = name, function, picks, options


class Kink(NamedTuple):
    """A point where the op is not smooth, or its rule needs care, and the gradients that it returns there."""

    where: str
    inputs: tuple[Any, ...]
    gradients: tuple[Any, ...]
    options: Mapping[str, Any] = {}


class Sample(NamedTuple):
    """Valid arguments of an op, drawn by its sampler: arrays (or tuples of arrays) and keyword options."""

    inputs: tuple[Any, ...]
    options: dict[str, Any]


registry: dict[str, type["Op"]] = {}
"""Every op by its name, in the order of definition."""


class Op:
    """A differentiable function of arrays, declared once.

    Subclass it, write ``forward`` and one ``d_<input>`` per differentiable input, and call the op through
    ``apply``. Creating the subclass checks the declaration and enters it in the `registry`.

    * ``forward(x, w, *, stride)``: positional parameters are the inputs, keyword-only ones are options and
      have no derivative. It sees ndarrays and numbers only. It returns the output, or a tuple of the output
      and the auxiliary arrays (indices, masks) that ``aux`` names.
    * ``d_x(g, ...)``: the cotangent of ``x`` when ``g`` is that of the output: one line of mathematics in
      NumPy's notation. Its further parameters say what it needs, and only that is kept for the backward
      pass: ``y`` (the output), any input, any auxiliary, ``x_shape`` (the shape of an input), of an op with
      ``*xs`` also ``i`` (the number of the input), and keyword-only options. Given arrays it computes; given
      Tensors it records, so it must not assign in place. There is no ``self``: an op has no instances.

    Examples
    --------
    >>> import numpy as np
    >>> class Cube(Op):
    ...     '''y = x³        dL/dx = 3 x² g'''
    ...     def forward(x): return x ** 3
    ...     def d_x(g, x): return g * 3 * x ** 2
    >>> Cube.apply(np.array([1.0, 2.0]))
    array([1., 8.])
    """

    broadcasts: ClassVar[bool] = False
    """Element-wise: inputs broadcast against each other, and cotangents are summed back to their shapes."""
    promotes: ClassVar[bool] = False
    """Inputs of different dtypes are brought to a common one first."""
    floating: ClassVar[bool] = False
    """Integers are brought to the default floating dtype first."""
    views: ClassVar[bool] = False
    """The output may share the memory of the first input; where it does, it is a view."""
    several: ClassVar[bool] = False
    """A view that is one of several made at once: not to be written into where a gradient is wanted."""
    overlaps: ClassVar[bool] = False
    """An element may lie in several places of such a view."""
    linear: ClassVar[str] = ""
    """"jointly" linear in all inputs together, linear in "each" of them, or neither ("")."""
    constant: ClassVar[tuple[str, ...]] = ()
    """The inputs that have no derivative."""
    aux: ClassVar[tuple[str, ...]] = ()
    """The names of what `forward` returns after the output: integer or boolean arrays."""
    domain: ClassVar[Mapping[str, Domain]] = {}
    """Per input, the set on which the op is smooth; `Real` where nothing is said."""
    kinks: ClassVar[tuple[Kink, ...]] = ()
    """Where it is not smooth, and what it returns there."""
    numpy: ClassVar[tuple[Callable[..., Any], ...]] = ()
    """The NumPy functions that mean this op when they are given a Tensor."""

    aside: Any = None
    """``aside(y, *inputs)`` is kept for the rules, instead of the inputs themselves: made when the op is recorded."""

    together: Any = None
    """``together(g, wanted, ...)`` gives the cotangents of all inputs in one go, None where `wanted` says so.

    It may ask for smooth auxiliary outputs, too, and computes with arrays. Where a pass is recorded or watched, the
    rules take its place: they are the composition that says what it computes."""

    add_derivative: Any = None
    """``add_derivative(total, g, *, <options>)`` adds the derivative to `total` in place, where it is mostly zeros.

    Of an op with one input, whose derivative is an array of its own. Many slices of one array then cost what one does.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    """The name as errors give it, in small letters."""
    inputs: ClassVar[tuple[str, ...]]
    options: ClassVar[tuple[str, ...]]
    variadic: ClassVar[bool]
    rules: ClassVar[tuple[Rule | None, ...]]
    at_once: ClassVar[Rule | None]  # `together`
    places: ClassVar[tuple[int, ...]]
    """The numbers of the inputs that have a rule."""
    sources: ClassVar[tuple[str, ...]]
    """What its rules may ask for: "y", the inputs, the auxiliary outputs, and "x_shape" for each input."""
    saves: ClassVar[tuple[bool, ...]]
    """For each of `sources`, whether a rule asks for it."""
    saves_any: ClassVar[bool]
    saves_inputs: ClassVar[bool]
    """Just its inputs, all of them: the commonest case, with a way of its own."""
    saves_arrays: ClassVar[bool] = False
    saves_shapes: ClassVar[bool]
    plain_arithmetic: ClassVar[bool]
    """It saves nothing, or just its inputs, and has no options: `Tensor.arithmetic` can record it."""
    differentiable: ClassVar[bool]
    forward: ClassVar[Callable[..., Any]]

    def __init_subclass__(cls, *, abstract: bool = False, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not abstract:
            _bind(cls)
            _register(cls)

    def __new__(cls, *inputs: Any, **options: Any) -> "Op":
        raise TypeError(f"{cls.__name__}: an op has no instances; call {cls.__name__}.apply(...)")

    @classmethod
    def apply(cls, *inputs: Any, **options: Any) -> Any:
        """Apply the op: record it if an input can record (a Tensor), else just compute."""
        for value in inputs:
            kind = type(value)
            if kind is not np.ndarray:
                record = getattr(kind, "__record__", None)
                if record is not None:
                    return record(cls, inputs, options)
                if kind is tuple:
                    check_numbers(cls.label, value)
        try:
            return cls.forward(*inputs, **options)
        except ValueError:
            cls.check_shapes(inputs)
            raise

    @classmethod
    def check_shapes(cls, inputs: Sequence[Any]) -> None:
        """ValueError that names the op and the shapes, if inputs of an element-wise op do not broadcast."""
        if cls.broadcasts:
            check_broadcast(cls.label, *(shape_of(value) for value in inputs))

    @classmethod
    def sample(cls, draw: Draw) -> Sample:
        """Draw valid arguments; an op that is not element-wise says how."""
        if not cls.broadcasts:
            raise NotImplementedError(f"{cls.name}: an op that is not element-wise needs its own sampler")
        shapes = draw.broadcastable(len(cls.inputs))
        arrays = [draw.array(s, cls.domain.get(n, Real())) for n, s in zip(cls.inputs, shapes, strict=True)]
        return Sample(tuple(arrays), {})

    @classmethod
    def formula(cls) -> str:
        """The op's line of mathematics: the first line of its docstring."""
        return next(iter((cls.__doc__ or "").strip().splitlines()), "")


class Elementwise(Op, abstract=True):
    """An op on corresponding elements; inputs broadcast as in NumPy."""

    broadcasts = True
    promotes = True


class Unary(Elementwise, abstract=True):
    """An element-wise function of one floating-point input."""

    floating = True


def _parameters(where: str, function: Any) -> tuple[Any, ...]:
    """Its inputs, options, *several, **others and defaults; `inspect.signature` would take ten times as long."""
    function = inspect.unwrap(function)
    if not isinstance(function, FunctionType):
        raise TypeError(f"{where} is a {type(function).__name__}; write it as a function, with def")
    if (found := inspect.getargs(function.__code__))[0][:1] == ["self"]:
        raise TypeError(f"{where} takes `self`; leave it out: an op is never made, its functions stand alone")
    names, several, others = found
    inputs, keywords = names[: function.__code__.co_argcount], names[function.__code__.co_argcount :]
    options = {**dict.fromkeys(keywords, inspect.Parameter.empty), **(function.__kwdefaults__ or {})}
    return inputs, options, several, others, function.__defaults__ or ()


def _bind(cls: type[Op]) -> None:
    """Read the op's signature and rules, and refuse a declaration that does not hold together."""
    where = f"op {cls.__name__}"
    if not hasattr(cls, "forward"):
        raise TypeError(f"{where}: forward is not defined; write def forward(<inputs>): ...")
    positional, options, several, others, defaults = _parameters(f"{where}: forward", cls.forward)
    if others:
        raise TypeError(f"{where}: forward takes **{others}; name every option after a bare *")
    for name, default in zip(reversed(positional), reversed(defaults), strict=False):
        if default is not None:
            raise TypeError(f"{where}: input {name!r} has a default; make it an option, after a bare *")
    inputs = (*positional, several) if several else tuple(positional)
    cls.name, cls.label = cls.__name__, cls.__name__.lower()
    cls.inputs, cls.options, cls.variadic = inputs, tuple(options), bool(several)
    if cls.variadic and len(inputs) != 1:
        raise TypeError(f"{where}: a variadic op takes *{inputs[-1]} and nothing beside it")

    made = ("aside",) if cls.aside else ()
    cls.sources = sources = ("y", *inputs, *cls.aux, *made, *(f"{name}_shape" for name in inputs))
    for attribute in dir(cls):
        if attribute.startswith("d_") and attribute[2:] not in inputs:
            raise TypeError(f"{where}: {attribute} is the derivative of no input; inputs are {inputs}")
    rules = tuple(_rule(cls, f"d_{name}", name in cls.constant, options) for name in inputs)
    cls.at_once = _rule(cls, "together", cls.together is None, options)
    used = {k for rule in (*rules, cls.at_once) if rule is not None for k in rule.picks if k != PLACE}
    cls.places = tuple(k for k, rule in enumerate(rules) if rule is not None)
    cls.rules, cls.saves = rules, tuple(k in used for k in range(len(sources)))
    arrays = 1 + len(inputs) + len(cls.aux) + len(made)
    cls.saves_arrays, cls.saves_shapes = any(cls.saves[:arrays]), any(cls.saves[arrays:])
    cls.saves_inputs = not cls.variadic and used == set(range(1, 1 + len(inputs)))
    cls.saves_any, cls.differentiable = bool(used), any(rule is not None for rule in rules)
    cls.plain_arithmetic = len(inputs) == 2 and not options and not cls.aux and (cls.saves_inputs or not used)


def _rule(cls: type[Op], name: str, constant: bool, options: dict[str, Any]) -> Rule | None:
    function, where = getattr(cls, name, None), f"op {cls.__name__}"
    if (function is None) != constant:
        raise TypeError(f"{where}: input {name[2:]!r} needs either {name}(g, ...) or a place in `constant`, not both")
    if function is None:
        return None
    (g, *asked), taken, *collected, _ = _parameters(f"{where}: {name}", function)
    if g != "g":
        raise TypeError(f"{where}: the first parameter of {name} must be g, the cotangent of the output")
    place = "wanted" if name == "together" else "i" if cls.variadic else ""
    known = (*cls.sources, place) if place else cls.sources
    asked += filter(None, collected)
    for source in asked:
        if source not in known:
            raise TypeError(f"{where}: {name} asks for {source!r}; it may have g and any of {known}")
    for option, default in taken.items():
        if option not in options or default != options[option]:
            raise TypeError(f"{where}: {name} takes the option {option!r}, which forward does not take so")
    picks = tuple(PLACE if source == place else known.index(source) for source in asked)
    return Rule(name, function, picks, tuple(taken))


def _register(cls: type[Op]) -> None:
    known = registry.get(cls.name)
    if known is not None and known.__module__ != cls.__module__:
        held = f"the registry already has an op of this name, from {known.__module__}"
        raise TypeError(f"op {cls.name}: {held}; choose another name")
    registry[cls.name] = cls
