"""Where somebody may watch the graph being made and differentiated: nobody does, unless one is put here."""

from typing import Any, Protocol


class Watcher(Protocol):
    """What is called as it happens, such as by the search for NaN."""

    def made(self, node: Any) -> None:
        """An op was recorded."""

    def returned(self, node: Any, k: int, gradient: Any) -> None:
        """A node gave this cotangent for its k-th input."""

    def failed(self, node: Any) -> None:
        """A derivative of this node raised."""


class Watch:
    """`watcher`: who watches, in all threads; None is the usual case."""

    __slots__ = ("watcher",)
    watcher: Watcher | None


watch = Watch()
watch.watcher = None
