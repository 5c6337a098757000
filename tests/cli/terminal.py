"""What stands in for a terminal in the tests of the command line."""

import re


class Terminal:
    """A terminal that remembers."""

    encoding = "utf-8"

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text
        return len(text)

    def flush(self):
        """Nothing is held back."""

    def isatty(self):
        return True

    @property
    def lines(self):
        return [line.rstrip() for line in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.text).splitlines()]
