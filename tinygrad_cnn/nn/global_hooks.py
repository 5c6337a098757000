"""Hooks of all modules at once: functions that see every call, or every registration, of any of them."""

from collections.abc import Callable
from typing import Any

from tinygrad_cnn.autograd.hooks import RemovableHandle
from tinygrad_cnn.nn.hooks import EVERYWHERE, REGISTRATIONS, CallHooks, Hook, register
from tinygrad_cnn.nn.module import Module

__all__ = [
    "register_module_backward_hook", "register_module_buffer_registration_hook", "register_module_forward_hook",
    "register_module_forward_pre_hook", "register_module_full_backward_hook", "register_module_full_backward_pre_hook",
    "register_module_module_registration_hook", "register_module_parameter_registration_hook",
]  # fmt: skip


def _of_calls() -> CallHooks:
    """The hooks of every call, from now on looked at by modules that have no hooks of their own, too."""
    if Module._call_hooks is None:
        Module._call_hooks = CallHooks()
    return EVERYWHERE


def register_module_forward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, args)`` before the `forward` of every module; see `Module.register_forward_pre_hook`."""
    return register(_of_calls().forward_pre, Hook(hook))


def register_module_forward_hook(
    hook: Callable[..., Any], *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Call ``hook(module, args, output)`` after the `forward` of every module; see `Module.register_forward_hook`."""
    return register(_of_calls().forward, Hook(hook, with_kwargs, always_call))


def register_module_full_backward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, grad_output)`` of every module; see `Module.register_full_backward_pre_hook`."""
    return register(_of_calls().backward_pre, Hook(hook))


def register_module_full_backward_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, grad_input, grad_output)`` of every module; see `Module.register_full_backward_hook`."""
    return register(_of_calls().backward, Hook(hook))


register_module_backward_hook = register_module_full_backward_hook


def register_module_parameter_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, name, parameter)`` when any module registers one; what it returns, unless None, is taken."""
    return register(REGISTRATIONS["_parameters"], hook)


def register_module_buffer_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, name, buffer)`` when any module registers one; what it returns, unless None, is taken."""
    return register(REGISTRATIONS["_buffers"], hook)


def register_module_module_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, name, submodule)`` when any module registers one; what it returns, unless None, is taken."""
    return register(REGISTRATIONS["_modules"], hook)
