"""The package's own tests as judges: collected once, and run in the process of each mutant until one fails."""

import fnmatch
import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import pytest

QUIET = ("--import-mode=importlib", "-s", "-p", "no:terminal", "-p", "no:cacheprovider", "-p", "no:faulthandler")

IMPORTED = ("-W", "ignore:Module already imported:pytest.PytestAssertRewriteWarning")
"""What pytest would rewrite for better messages may have been loaded before; nobody reads them here."""


class Failure(NamedTuple):
    """The first test that failed; how: it said so, or the mutant raised something else; and in what words."""

    test: str
    how: str
    message: str


def with_tests(root: str | os.PathLike[str], patterns: Iterable[str], do: Callable[[list[pytest.Item]], None]) -> None:
    """Call `do` with the tests of these files, within a session of pytest. Hypothesis does not shrink what it finds."""
    files = sorted({str(os.path.join(root, pattern.partition("::")[0])) for pattern in patterns})
    if not files:
        do([])
        return

    class Loop:
        """In the place of running all tests once."""

        asked = False

        @pytest.hookimpl(tryfirst=True)
        def pytest_runtestloop(self, session: pytest.Session) -> bool:
            self.asked = True
            if session.testsfailed:
                raise session.Failed("a file of tests cannot be read")
            do(session.items)
            return True

    before = os.environ.get("HYPOTHESIS_PROFILE")
    os.environ["HYPOTHESIS_PROFILE"] = "unshrunk"
    try:
        loop = Loop()
        pytest.main([f"--rootdir={root}", "-o", "addopts=", *QUIET, *IMPORTED, *files], plugins=[loop])
        if not loop.asked:
            raise RuntimeError(f"pytest: the tests of {', '.join(files)} cannot be collected")
    finally:
        if before is None:
            del os.environ["HYPOTHESIS_PROFILE"]
        else:
            os.environ["HYPOTHESIS_PROFILE"] = before


def chosen(tests: Sequence[pytest.Item], patterns: Iterable[str]) -> list[pytest.Item]:
    """Those whose ids match "path" or "path::part of what comes behind it", in the order of the patterns."""
    found: dict[str, pytest.Item] = {}
    for pattern in patterns:
        path, _, rest = pattern.partition("::")
        for test in tests:
            file, _, name = test.nodeid.partition("::")
            if file == path and fnmatch.fnmatchcase(name, f"*{rest}*"):
                found.setdefault(test.nodeid, test)
    return list(found.values())


def first_failure(tests: Sequence[pytest.Item]) -> Failure | None:
    """Run tests until one fails."""
    for k, test in enumerate(tests):
        heard = _Heard()
        test.config.pluginmanager.register(heard)
        try:
            following = tests[k + 1] if k + 1 < len(tests) else None
            test.config.hook.pytest_runtest_protocol(item=test, nextitem=following)
        finally:
            test.config.pluginmanager.unregister(heard)
        if heard.error is not None:
            said = isinstance(heard.error, (AssertionError, pytest.fail.Exception))
            words = f"{test.name}: {type(heard.error).__name__}: {heard.error}"
            return Failure(test.nodeid.partition("::")[0], "said" if said else "raised", words[:300])
    return None


class _Heard:
    """What the calls of one test raised, unless they skipped it."""

    error: BaseException | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[Any]) -> None:
        """Nothing: the report is pytest's own."""
        if call.excinfo is not None and not isinstance(call.excinfo.value, pytest.skip.Exception) and not self.error:
            self.error = call.excinfo.value
