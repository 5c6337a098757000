"""``torch.jit``: nothing is compiled; what is scripted or traced is the function or module itself."""

import warnings
from typing import TYPE_CHECKING, Any, Final, TypeVar

from tinygrad_cnn.torch_names.absent import absent

__all__ = [
    "Final", "annotate", "export", "ignore", "is_scripting", "is_tracing", "script",
    "script_if_tracing", "trace", "unused",
]  # fmt: skip

T = TypeVar("T")
AS_IT_IS = "nothing is compiled here, it is called as it is"


def script(obj: T, optimize: Any = None, _frames_up: int = 0, _rcb: Any = None, example_inputs: Any = None) -> T:
    """The function, class or module itself, with a warning."""
    warnings.warn(f"jit.script: {AS_IT_IS}", stacklevel=2)
    return obj


def trace(
    func: T,
    example_inputs: Any = None,
    optimize: Any = None,
    check_trace: bool = True,
    check_inputs: Any = None,
    check_tolerance: float = 1e-5,
    strict: bool = True,
) -> T:
    """The function or module itself, with a warning; so its branches stay branches."""
    warnings.warn(f"jit.trace: {AS_IT_IS}", stacklevel=2)
    return func


def script_if_tracing(fn: T) -> T:
    """The function itself: nothing is traced."""
    return fn


def export(fn: T) -> T:
    """The method itself."""
    return fn


def unused(fn: T) -> T:
    """The method itself."""
    return fn


def ignore(drop: Any = False, **kwargs: Any) -> Any:
    """The method itself: ``@ignore`` or ``@ignore(drop=True)``."""
    return drop if callable(drop) else lambda fn: fn


def is_scripting() -> bool:
    """Whether a compiled function runs: no."""
    return False


def is_tracing() -> bool:
    """Whether a function is traced: no."""
    return False


def annotate(the_type: Any, the_value: T) -> T:
    """The value."""
    return the_value


if not TYPE_CHECKING:
    COMPILED = "nothing is compiled here; keep model.state_dict() with save(), and the program that makes the model"
    __getattr__ = absent(
        "torch.jit",
        dict.fromkeys(
            (
                *(
                    "load",
                    "save",
                    "freeze",
                    "optimize_for_inference",
                    "ScriptModule",
                    "ScriptFunction",
                    "RecursiveScriptModule",
                ),
                *("fork", "wait", "interface", "script_method", "trace_module", "Attribute", "CompilationUnit"),
                *(
                    "enable_onednn_fusion",
                    "set_fusion_strategy",
                    "fuser",
                    "strict_fusion",
                    "last_executed_optimized_graph",
                ),
            ),
            COMPILED,
        ),
    )
