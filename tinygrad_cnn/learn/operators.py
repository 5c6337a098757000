"""What a mutant is: one small change to the syntax tree of one function.

`mutations(function)` yields them all. An operator is a generator that takes a node and yields what may stand in its
place; it knows nothing of where the node stands.
"""

import ast
import copy
import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeVar

Node = TypeVar("Node", bound=ast.AST)
Path = tuple[tuple[str, int | None], ...]
"""The way from a function down to a node: fields, with a place where a field is a list."""

ARITHMETIC: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub, ast.Mult),
    ast.Sub: (ast.Add, ast.Mult),
    ast.Mult: (ast.Div, ast.Add),
    ast.Div: (ast.Mult, ast.Sub),
    ast.Pow: (ast.Mult, ast.Div),
    ast.FloorDiv: (ast.Mult, ast.Mod),
    ast.Mod: (ast.FloorDiv,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,),
}
ONE_WAY = (ast.Sub, ast.Div, ast.Pow, ast.MatMult, ast.FloorDiv, ast.Mod)
COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
OTHERS = {
    "sin": ("cos",),
    "cos": ("sin",),
    "sinh": ("cosh",),
    "cosh": ("sinh",),
    "exp": ("expm1",),
    "log": ("log1p",),
    "sqrt": ("square",),
    "sign": ("absolute",),
    "absolute": ("sign",),
    "floor": ("ceil",),
    "sum": ("mean", "prod"),
    "mean": ("sum",),
    "maximum": ("minimum",),
    "minimum": ("maximum",),
    "max": ("min",),
    "min": ("max",),
    "zeros": ("ones",),
    "zeros_like": ("ones_like",),
    "ones_like": ("zeros_like",),
    "logical_and": ("logical_or",),
    "logical_or": ("logical_and",),
    "isfinite": ("isnan",),
    "flip": ("negative",),
    "tril": ("triu",),
    "triu": ("tril",),
    "all": ("any",),
    "any": ("all",),
    "empty": ("zeros",),
    "sigmoid": ("tanh",),
    "erf": ("tanh",),
    "softmax": ("log_softmax",),
    "log_softmax": ("softmax",),
}
"""Functions of the same signature (near enough: a mutant may fail at once) that mean something else."""
COMMUTATIVE = {"logical_and", "logical_or", "minimum", "maximum", "min", "max", "multiply", "result_type"}
"""Functions whose arguments may be swapped: that is no mutant."""
UNTOUCHED = ("cost", "strict")
"""Keywords that no result depends on: the estimate by which `share` chooses threads, and what `zip` asserts."""
MODULES = {"np", "math", "ast", "threads", "kernels", "chosen"}


class Mutation(NamedTuple):
    """One change: the operator, the statement before and after it, and the whole function after it."""

    operator: str
    before: str
    after: str
    function: ast.FunctionDef

    @property
    def label(self) -> str:
        """The change as people read it, and as the explanations name it."""
        return f"{self.before}  →  {self.after}"


class Scope(NamedTuple):
    """The names of a function that may stand for each other."""

    alike: dict[str, list[str]]
    line: dict[str, int]
    """Where each is first assigned: before that it cannot be read."""


Operator = Callable[[Any, Scope], Iterator[ast.AST]]


def negative(node: ast.expr) -> ast.expr:
    """-node"""
    return ast.UnaryOp(ast.USub(), node)


def sign(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """The sign of a result, of a first summand, or a minus left out."""
    if isinstance(node, ast.Return) and node.value is not None and not isinstance(node.value, (ast.Tuple, ast.IfExp)):
        yield ast.Return(negative(node.value))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield node.operand
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
        yield ast.BinOp(negative(node.left), node.op, node.right)


def operand(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """Another array, shape or pair of the same function."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        for name in scope.alike.get(node.id, ()):
            if scope.line.get(name, 0) < node.lineno:
                yield ast.Name(name, ast.Load())


def arithmetic(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """Another arithmetic operator; for `+=` also `=`, so that contributions overwrite each other."""
    if isinstance(node, (ast.BinOp, ast.AugAssign)):
        for other in ARITHMETIC.get(type(node.op), ()):
            yield replaced(node, (("op", None),), other())
    if isinstance(node, ast.AugAssign):
        yield ast.Assign([node.target], node.value)


def axis(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """Another axis, of a keyword or of a name handed over by position."""
    if not isinstance(node, ast.Call):
        return
    others = [ast.Constant(0), ast.Constant(1), negative(ast.Constant(1))]
    for k, keyword in enumerate(node.keywords):
        if keyword.arg == "axis":
            for other in others:
                yield replaced(node, (("keywords", k), ("value", None)), other)
    for k, arg in enumerate(node.args):
        if isinstance(arg, ast.Name) and arg.id in ("axis", "axes"):
            for other in others:
                yield replaced(node, (("args", k),), other)


def constant(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """A neighbouring number; the other truth value."""
    if not isinstance(node, ast.Constant):
        return
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int):
        yield ast.Constant(value + 1)
        yield ast.Constant(value - 1)
    elif isinstance(value, float):
        yield ast.Constant(value + 1)
        yield ast.Constant(value * 2 if value else -1.0)


def dropped_term(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """One side of a sum, a product, a quotient."""
    if isinstance(node, ast.BinOp):
        yield node.left
        yield node.right


def dropped_call(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """The first argument in place of the function of it; x in place of x.method() or of x.T."""
    if isinstance(node, ast.Call):
        if node.args and not isinstance(node.args[0], (ast.Starred, ast.GeneratorExp)):
            yield node.args[0]
        if isinstance(node.func, ast.Attribute) and not _is_module(node.func.value):
            yield node.func.value
    if isinstance(node, ast.Attribute) and node.attr == "T":
        yield node.value


def swapped(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """Two neighbouring arguments, elements of a tuple, or operands in each other's place."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ONE_WAY):
        yield ast.BinOp(node.right, node.op, node.left)
    for field in ("args", "elts") if _name(getattr(node, "func", node)) not in COMMUTATIVE else ():
        items = getattr(node, field, None)
        if isinstance(items, list) and isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
            for k in range(len(items) - 1):
                if ast.dump(items[k]) != ast.dump(items[k + 1]):
                    yield _with(node, **{field: [*items[:k], items[k + 1], items[k], *items[k + 2 :]]})


def mask(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """A comparison flipped, shifted by its border, or always (never) true; one side of a `where`."""
    if isinstance(node, ast.Compare):
        for k, op in enumerate(node.ops):
            for other in COMPARISONS[type(op)]:
                yield replaced(node, (("ops", k),), other())
        yield ast.Constant(True)
        yield ast.Constant(False)
    if isinstance(node, ast.Call) and _name(node.func) == "where" and len(node.args) == 3:
        yield node.args[1]
        yield node.args[2]
    if isinstance(node, ast.Call) and _name(node.func) in ("logical_and", "logical_or"):
        yield from node.args


def keepdims(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """Reduced axes kept where they were dropped, and the other way round."""
    if isinstance(node, ast.Call):
        for k, keyword in enumerate(node.keywords):
            if keyword.arg in ("keepdims", "keepdim"):
                yield replaced(node, (("keywords", k), ("value", None)), _opposite(keyword.value))
    if isinstance(node, ast.Name) and node.id == "keepdim" and isinstance(node.ctx, ast.Load):
        yield ast.UnaryOp(ast.Not(), node)


def dropped_keyword(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """A keyword argument left out."""
    if isinstance(node, ast.Call):
        for k, keyword in enumerate(node.keywords):
            if keyword.arg not in UNTOUCHED:
                yield _with(node, keywords=[*node.keywords[:k], *node.keywords[k + 1 :]])


def bounds(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """A slice or a range one off, or without its step."""
    if isinstance(node, ast.Slice):
        one = ast.Constant(1)
        lower = ast.BinOp(node.lower, ast.Add(), one) if node.lower else one
        upper = ast.BinOp(node.upper, ast.Sub(), one) if node.upper else negative(one)
        yield ast.Slice(lower, node.upper, node.step)
        yield ast.Slice(node.lower, upper, node.step)
        if node.step:
            yield ast.Slice(node.lower, node.upper, None)
    if isinstance(node, ast.Call) and _name(node.func) in ("range", "slice", "arange"):
        for k, arg in enumerate(node.args):
            for op in (ast.Add(), ast.Sub()):
                off = ast.BinOp(arg, op, ast.Constant(1))
                yield replaced(node, (("args", k),), off)


def branch(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """One branch always; `and` for `or`; a condition of several left out; a `not` left out."""
    if isinstance(node, ast.IfExp):
        yield node.body
        yield node.orelse
    if isinstance(node, ast.If):
        for value in (True, False):
            yield replaced(node, (("test", None),), ast.Constant(value))
    if isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
        yield from node.values
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand
    if isinstance(node, ast.comprehension) and node.ifs:
        yield _with(node, ifs=[])


def function(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """Another function of the same kind."""
    if isinstance(node, ast.Call):
        for other in OTHERS.get(_name(node.func), ()):
            where = "attr" if isinstance(node.func, ast.Attribute) else "id"
            yield replaced(node, (("func", None), (where, None)), other)


def dropped_statement(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """A statement left out that changes an array, or a name that has a value already."""
    call = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    into = isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript)
    again = isinstance(node, ast.Assign) and any(
        isinstance(a, ast.Name) and isinstance(a.ctx, ast.Load) and a.id in _stored(node) for a in ast.walk(node.value)
    )
    if isinstance(node, (ast.AugAssign, ast.Continue)) or call or into or again:
        yield ast.Pass()


OPERATORS: dict[str, Operator] = {
    "sign": sign,
    "operand": operand,
    "arithmetic": arithmetic,
    "axis": axis,
    "keepdims": keepdims,
    "constant": constant,
    "dropped term": dropped_term,
    "dropped call": dropped_call,
    "dropped keyword": dropped_keyword,
    "dropped statement": dropped_statement,
    "swapped": swapped,
    "mask": mask,
    "bounds": bounds,
    "branch": branch,
    "function": function,
}


def mutations(function: ast.FunctionDef) -> Iterator[Mutation]:
    """Every mutant of a function, each once: of two that read the same the first counts."""
    scope = Scope(_alike(function), _first_lines(function))
    seen: set[tuple[Path, str]] = set()
    labels: dict[str, int] = {}
    for path, statement, node in list(places(function)):
        way = path[:statement]
        right = ast.unparse(at(function, way))
        seen.add((way, right))
        for name, operator in OPERATORS.items():
            for new in operator(node, scope):
                mutant = replaced(function, path, ast.fix_missing_locations(new))
                text = ast.unparse(at(mutant, way))
                if (way, text) in seen:
                    continue
                seen.add((way, text))
                found = Mutation(name, _headline(right), _headline(text), mutant)
                labels[found.label] = labels.get(found.label, 0) + 1
                if labels[found.label] > 1:  # the same statement stands in several places
                    found = found._replace(after=f"{found.after}  [{labels[found.label]}]")
                yield found


def places(node: ast.AST, path: Path = (), statement: int = 0) -> Iterator[tuple[Path, int, ast.AST]]:
    """The nodes that may be mutated: the way to each, how much of it leads to its statement, the node."""
    for field, value in ast.iter_fields(node):
        for k, child in enumerate(value) if isinstance(value, list) else ((None, value),):
            if isinstance(child, ast.AST) and not _left_alone(node, field, child):
                way: Path = (*path, (field, k))
                mine = len(way) if isinstance(child, ast.stmt) else statement
                yield way, mine, child
                yield from places(child, way, mine)


def _left_alone(parent: ast.AST, field: str, child: ast.AST) -> bool:
    """Signatures, annotations, docstrings, what is raised, and the keywords that no result depends on."""
    if isinstance(parent, ast.FunctionDef) and field != "body":
        return True
    if field in ("annotation", "ctx", "op", "ops") or isinstance(child, (ast.Raise, ast.JoinedStr)):
        return True
    if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
        return True
    return isinstance(child, ast.keyword) and child.arg in UNTOUCHED


def at(node: Any, path: Path) -> Any:
    """The node at the end of a way."""
    for field, k in path:
        node = getattr(node, field) if k is None else getattr(node, field)[k]
    return node


def replaced(node: Node, path: Path, new: Any) -> Node:
    """The node with something else at the end of the way; what does not lie on the way is shared."""
    (field, k), rest = path[0], path[1:]
    child = getattr(node, field)
    if k is None:
        return _with(node, **{field: replaced(child, rest, new) if rest else new})
    return _with(node, **{field: [*child[:k], replaced(child[k], rest, new) if rest else new, *child[k + 1 :]]})


def _with(node: Node, **fields: Any) -> Node:
    """A copy of the node with other fields."""
    copied = copy.copy(node)
    for field, value in fields.items():
        setattr(copied, field, value)
    return copied


def definition(function: Any) -> ast.FunctionDef:
    """The syntax tree of a function, by its source."""
    code = inspect.unwrap(function).__code__
    return _functions_in(code.co_filename)[code.co_firstlineno]


@functools.cache
def _functions_in(path: str) -> dict[int, ast.FunctionDef]:
    """The functions of a file by the line on which they, or their decorators, begin."""
    with open(path, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    found = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return {line: node for node in found for line in (node.lineno, *(d.lineno for d in node.decorator_list))}


def compiled(function: ast.FunctionDef) -> Any:
    """The code object of a function, for the `__code__` of the real one."""
    bare = _with(copy.deepcopy(function), decorator_list=[], returns=None)
    _without_defaults(bare.args)
    module = compile(
        ast.fix_missing_locations(ast.Module([bare], [])), f"<mutant of {function.name}>", "exec", dont_inherit=True
    )
    (code,) = (c for c in module.co_consts if inspect.iscode(c) and c.co_name == function.name)
    return code


def _without_defaults(arguments: ast.arguments) -> None:
    """A function keeps its own defaults when its code is exchanged."""
    arguments.defaults = []
    arguments.kw_defaults = [None] * len(arguments.kwonlyargs)
    for argument in (*arguments.args, *arguments.kwonlyargs, *filter(None, (arguments.vararg,))):
        argument.annotation = None


def _alike(function: ast.FunctionDef) -> dict[str, list[str]]:
    """Per name those that may stand for it: parameters of one type, and names that are assigned together."""
    groups: list[list[str]] = []
    by_type: dict[str, list[str]] = {}
    for argument in (*function.args.args, *function.args.kwonlyargs):
        by_type.setdefault(ast.unparse(argument.annotation) if argument.annotation else "", []).append(argument.arg)
    groups += by_type.values()
    for node in ast.walk(function):
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, (ast.For, ast.comprehension)):
            targets = [node.target]
        groups += [[n.id for n in ast.walk(t) if isinstance(n, ast.Name) and n.id != "_"] for t in targets]
    if function.name.startswith("d_"):  # a rule is short: any of its arrays for any other
        arrays = [a for kind in ("Array", "") for a in by_type.get(kind, [])]
        groups.append(list(dict.fromkeys([*arrays, *(name for group in groups[len(by_type) :] for name in group)])))
    alike: dict[str, list[str]] = {}
    for group in groups:
        for name in group:
            known = alike.setdefault(name, [])
            known += [other for other in group if other != name and other not in known]
    return alike


def _first_lines(function: ast.FunctionDef) -> dict[str, int]:
    lines: dict[str, int] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            lines[node.id] = min(node.lineno, lines.get(node.id, node.lineno))
    for comprehension in ast.walk(function):  # its names are read to the left of where they are assigned
        if isinstance(comprehension, (ast.GeneratorExp, ast.ListComp)):
            for node in ast.walk(comprehension):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    lines[node.id] = 0
    return lines


def _headline(text: str) -> str:
    """A statement in one line: all of a simple one, the head of one with a body."""
    return text.partition("\n")[0]


def _is_module(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id in MODULES


def _name(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _opposite(node: ast.expr) -> ast.expr:
    return ast.Constant(not node.value) if isinstance(node, ast.Constant) else ast.UnaryOp(ast.Not(), node)


def _stored(node: ast.Assign) -> set[str]:
    return {a.id for t in node.targets for a in ast.walk(t) if isinstance(a, ast.Name) and isinstance(a.ctx, ast.Store)}
