"""What changes a state of this thread for a ``with`` block, and gives it back whatever happens."""

from types import TracebackType
from typing import Any

from tinygrad_cnn.core.mode import mode


class Switch:
    """A context manager, re-entrant, that gives back the state that it found, also after Ctrl-C at any moment.

    An interrupt may come after Python has called `__exit__` and before the first instruction of it. Then the state is
    given back when the last reference to the manager goes, which is when the exception has been handled; unless a
    block around this one was left in the meantime and has given back what it found.
    """

    chain = "entered"
    """Under which name a thread keeps what switches of this kind it entered and has not left."""

    def __init__(self) -> None:
        self.found: list[Any] = []
        """For each block that it has not left, the innermost last: what the thread had entered before, the state that
        was found, and the dict of the thread."""

    def _state(self) -> Any:
        """The state now."""
        raise NotImplementedError

    def _switch(self) -> None:
        """Change it."""
        raise NotImplementedError

    def _restore(self, state: Any) -> None:
        """Go back to it; a second time changes nothing."""
        raise NotImplementedError

    def __enter__(self) -> None:
        self._enter(self._state())
        self._switch()

    def _enter(self, state: Any) -> None:
        here = mode.__dict__
        self.found.append((here.get(self.chain), state, here))
        here[self.chain] = self.found[-1]

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        before, state, here = self.found[-1]
        self._restore(state)
        here[self.chain] = before
        del self.found[-1]

    def __del__(self) -> None:
        if not getattr(self, "found", None):  # as if `__init__` raised
            return
        before, state, here = self.found[0]
        entered = here.get(self.chain)
        while entered is not None and entered is not self.found[0]:
            entered = entered[0]
        if entered is not None:
            self._restore(state)
            here[self.chain] = before
