"""Who watches the graph being made and differentiated: one, several, or, as usual, nobody."""

import threading
from typing import Any

from tinygrad_cnn.core.watch import Watcher, watch

_changing = threading.Lock()
_watchers: list[Watcher] = []


class _Several:
    """Tells each of them."""

    def __init__(self, watchers: list[Watcher]) -> None:
        self.watchers = watchers

    def made(self, node: Any) -> None:
        """An op was recorded."""
        for watcher in self.watchers:
            watcher.made(node)

    def returned(self, node: Any, k: int, gradient: Any) -> None:
        """A node gave a cotangent."""
        for watcher in self.watchers:
            watcher.returned(node, k, gradient)

    def failed(self, node: Any) -> None:
        """A derivative raised."""
        for watcher in self.watchers:
            watcher.failed(node)


def add_watcher(watcher: Watcher) -> None:
    """Let it be told of what happens from now on; once, however often it is added."""
    with _changing:
        _watchers.append(watcher)
        _appoint()


def remove_watcher(watcher: Watcher) -> None:
    """Take away one of the times that it was added."""
    with _changing:
        if watcher in _watchers:
            _watchers.remove(watcher)
        _appoint()


def _appoint() -> None:
    each = list(dict.fromkeys(_watchers))
    watch.watcher = None if not each else each[0] if len(each) == 1 else _Several(each)
