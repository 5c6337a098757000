"""PyTorch's switches of recording: `no_grad` and its like, as context managers and decorators."""

import inspect
from collections.abc import Callable, Generator
from functools import wraps
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast, overload

from tinygrad_cnn.autograd.switch import Switch
from tinygrad_cnn.core.mode import mode

F = TypeVar("F", bound=Callable[..., Any])


def is_grad_enabled() -> bool:
    """Whether ops are recorded in this thread.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.is_grad_enabled()
    True
    """
    return mode.recording


def is_inference_mode_enabled() -> bool:
    """Whether this thread is inside `inference_mode`.

    Examples
    --------
    >>> import tinygrad_cnn as tg
    >>> tg.is_inference_mode_enabled()
    False
    """
    return mode.inference


class _Switch(Switch):
    """A switch of recording, which decorates functions and generators as well."""

    def _state(self) -> tuple[dict[str, Any], bool, bool]:
        return mode.__dict__, mode.recording, mode.inference  # the dict is this thread's, wherever it is restored

    def _restore(self, state: tuple[dict[str, Any], bool, bool]) -> None:
        here, here["recording"], here["inference"] = state

    def _again(self) -> "_Switch":
        """Another one of the same effect, for one call of a decorated function."""
        return type(self)()

    def __call__(self, function: F) -> F:
        if inspect.isgeneratorfunction(function):
            return cast(F, _switched_generator(self._again, function))

        @wraps(function)
        def switched(*args: Any, **kwargs: Any) -> Any:
            with self._again():
                return function(*args, **kwargs)

        return cast(F, switched)


def _switched_generator(again: Callable[[], _Switch], function: Callable[..., Any]) -> Callable[..., Any]:
    """A generator function whose body runs switched, and whose caller does not."""

    @wraps(function)
    def switched(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        generator = function(*args, **kwargs)
        resume, given = generator.send, None
        try:
            while True:
                with again():
                    try:
                        value = resume(given)
                    except StopIteration as stop:
                        return stop.value
                try:
                    given = yield value
                    resume = generator.send
                except GeneratorExit:
                    raise
                except BaseException as error:
                    resume, given = generator.throw, error
        finally:
            with again():
                generator.close()

    return switched


class _Plain(_Switch):
    """A switch without parameters, which decorates without parentheses, too."""

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        return super().__new__(cls) if function is None else cls()(function)

    def __init__(self, function: None = None) -> None:
        super().__init__()


if TYPE_CHECKING:  # of a class, no type checker may say that it decorates when it is called with a function

    class _Plainly(Protocol):
        @overload
        def __call__(self, function: F, /) -> F: ...
        @overload
        def __call__(self) -> _Switch: ...

    class _ByMode(Protocol):
        @overload
        def __call__(self, mode: F, /) -> F: ...
        @overload
        def __call__(self, mode: bool = True) -> _Switch: ...

    no_grad: _Plainly
    enable_grad: _Plainly
    inference_mode: _ByMode
else:

    class no_grad(_Plain):
        """Do not record ops: ``with no_grad():``, ``@no_grad()`` or ``@no_grad``.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> x = tg.ones(2, requires_grad=True)
        >>> with tg.no_grad(): y = 2 * x
        >>> y.requires_grad
        False
        """

        def _switch(self) -> None:
            mode.recording = False

    class enable_grad(_Plain):
        """Record ops, also inside `no_grad`.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> x = tg.ones(2, requires_grad=True)
        >>> with tg.no_grad(), tg.enable_grad(): y = 2 * x
        >>> y.requires_grad
        True
        """

        def _switch(self) -> None:
            mode.recording = not mode.inference

    class inference_mode(_Switch):
        """`no_grad`, and `enable_grad` inside it records nothing either; ``inference_mode(False)`` leaves it.

        The tensors made in it are ordinary ones: unlike PyTorch's, they may be used in a graph afterwards.

        Examples
        --------
        >>> import tinygrad_cnn as tg
        >>> x = tg.ones(2, requires_grad=True)
        >>> with tg.inference_mode(): y = 2 * x
        >>> y.requires_grad
        False
        """

        def __new__(cls, mode: Any = True) -> Any:
            return cls()(mode) if callable(mode) else super().__new__(cls)

        def __init__(self, mode: bool = True) -> None:
            super().__init__()
            self.mode = bool(mode)

        def _switch(self) -> None:
            mode.inference, mode.recording = self.mode, not self.mode

        def _again(self) -> _Switch:
            return inference_mode(self.mode)


class set_grad_enabled(_Switch):
    """Switch recording on or off in this thread: at once, in a ``with`` block, or around a function.

    >>> with set_grad_enabled(False):
    ...     is_grad_enabled()
    False
    """

    def __init__(self, mode: bool) -> None:
        super().__init__()
        self.mode = bool(mode)
        self.at_first: Any = self._state()
        self._switch()

    def __enter__(self) -> None:
        self._enter(self.at_first)
        self._switch()

    def _switch(self) -> None:
        mode.recording = self.mode and not mode.inference

    def _again(self) -> "_Switch":
        return set_grad_enabled(self.mode)

    def __call__(self, function: F) -> F:
        self._restore(self.at_first)  # as a decorator it switches inside the function alone
        return super().__call__(function)
