"""What `Module.load_state_dict` does: compare names and shapes, report all that does not fit, then copy."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from os import PathLike
from typing import Any, NamedTuple

from tinygrad_cnn.autograd import no_grad
from tinygrad_cnn.autograd.hooks import Snapshot
from tinygrad_cnn.nn.parameter import Parameter, UninitializedParameter
from tinygrad_cnn.tensor import Tensor

EXTRA = "_extra_state"
"""The name under which a module keeps what is neither parameter nor buffer."""


def _refusal(given: Any) -> str:
    """What is said of something that is no state dict."""
    hint = "; call state_dict()" if hasattr(given, "state_dict") or callable(given) else ""
    hint = "; read the file before, with load()" if isinstance(given, (str, PathLike)) else hint
    return f"load_state_dict: got {type(given).__name__}; expected a mapping of names to tensors{hint}"


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict` did not find, and what it did not want."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self.missing_keys!r}, unexpected_keys={self.unexpected_keys!r})"


class StateHooks:
    """The functions that one module calls when its state is taken or given."""

    def __init__(self) -> None:
        self.save_pre, self.save_post = Snapshot(), Snapshot()
        self.load_pre, self.load_post = Snapshot(), Snapshot()


def load(root: Any, state_dict: Mapping[str, Any], strict: bool, assign: bool) -> IncompatibleKeys:
    """Give a tree of modules its state; see `Module.load_state_dict`."""
    if not isinstance(state_dict, Mapping):
        raise TypeError(_refusal(state_dict))
    loading = _Loading(OrderedDict(state_dict), getattr(state_dict, "_metadata", {}), strict, assign)
    loading.visit(root, "")
    keys = IncompatibleKeys(loading.missing, loading.unexpected())
    hooked = [m for m in reversed(list(root.modules())) if m._state_hooks is not None and m._state_hooks.load_post]
    if not hooked:
        loading.refuse(root, keys)
    with no_grad():
        for write in loading.writes:
            write()
    for module in hooked:
        for hook in module._state_hooks.load_post:
            if hook(module, keys) is not None:
                raise RuntimeError("load_state_dict: a post hook must return None; change the lists of keys in place")
    loading.refuse(root, keys)
    return keys


class _Loading:
    """One pass over the tree: which names were found, what is wrong with them, what is to be written."""

    def __init__(self, state: OrderedDict[str, Any], metadata: Any, strict: bool, assign: bool) -> None:
        self.state, self.metadata, self.strict, self.assign = state, metadata, strict, assign
        self.known: set[str] = set()
        self.missing: list[str] = []
        self.problems: list[str] = []
        self.writes: list[Callable[[], Any]] = []

    def visit(self, module: Any, prefix: str) -> None:
        """Take note of one module, then of those below it."""
        local = dict(self.metadata.get(prefix[:-1], {}))
        if self.assign:
            local["assign_to_params_buffers"] = True
        if module._state_hooks is not None:
            for hook in list(module._state_hooks.load_pre):
                hook(module, self.state, prefix, local, self.strict, self.missing, [], self.problems)
        module._complete_state(self.state, prefix, local.get("version"))
        for name, target in own_state(module):
            self.enter(module, name, prefix + name, target)
        if module._has_extra_state():
            key = prefix + EXTRA
            self.known.add(key)
            if key in self.state:
                self.writes.append(lambda: module.set_extra_state(self.state[key]))
            else:
                self.missing.append(key)
        for name, child in module._modules.items():
            if child is not None:
                self.visit(child, f"{prefix}{name}.")

    def enter(self, module: Any, name: str, key: str, target: Tensor) -> None:
        """One parameter or buffer."""
        self.known.add(key)
        if key not in self.state:
            self.missing.append(key)
            return
        value = self.state[key]
        if not hasattr(value, "shape") or not hasattr(value, "dtype"):
            self.problems.append(
                f'While copying the parameter named "{key}", expected a Tensor or an array from checkpoint but '
                f"received {type(value)}"
            )
        elif tuple(value.shape) != tuple(target.shape):
            self.problems.append(
                f"size mismatch for {key}: copying a param with shape {_size(value.shape)} from checkpoint, "
                f"the shape in current model is {_size(target.shape)}."
            )
        elif self.assign:
            self.writes.append(lambda: setattr(module, name, _assigned(value, target)))
        else:
            self.writes.append(lambda: target.detach().copy_(value))

    def unexpected(self) -> list[str]:
        """The names that nothing asked for."""
        return [key for key in self.state if key not in self.known]

    def refuse(self, root: Any, keys: IncompatibleKeys) -> None:
        """RuntimeError that lists everything, if something is wrong."""
        lines = list(self.problems)
        for kind, names in reversed(list(zip(("Missing", "Unexpected"), keys, strict=True))):
            if self.strict and names:
                listed = ", ".join(f'"{name}"' for name in names)
                lines.insert(0, f"{kind} key(s) in state_dict: {listed}. ")
        if lines:
            if keys.unexpected_keys and all(key.startswith("module.") for key in keys.unexpected_keys):
                lines.append(
                    "The names begin with module., as of nn.DataParallel: take it away, with "
                    "nn.modules.utils.consume_prefix_in_state_dict_if_present(state_dict, 'module.')."
                )
            raise RuntimeError(f"Error(s) in loading state_dict for {type(root).__name__}:\n\t" + "\n\t".join(lines))


def own_state(module: Any) -> list[tuple[str, Tensor]]:
    """The parameters and persistent buffers of one module, not of those below it."""
    named = (*module._parameters.items(), *module._buffers.items())
    hidden = module._non_persistent_buffers_set
    return [(name, value) for name, value in named if value is not None and name not in hidden]


def save(module: Any, destination: Any, prefix: str, keep_vars: bool) -> None:
    """Put the state of one module into the destination."""
    for name, value in own_state(module):
        as_it_is = keep_vars or isinstance(value, UninitializedParameter)
        destination[prefix + name] = value if as_it_is else value.detach()
    if module._has_extra_state():
        destination[prefix + EXTRA] = module.get_extra_state()


def _assigned(value: Any, target: Tensor) -> Tensor:
    if isinstance(target, Parameter):
        if isinstance(value, Parameter):
            value.requires_grad_(target.requires_grad)
            return value
        return Parameter(value, target.requires_grad)
    return value if isinstance(value, Tensor) else Tensor(value)


def _size(shape: Any) -> str:
    return f"torch.Size([{', '.join(map(str, shape))}])"
