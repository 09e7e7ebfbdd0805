"""How much work a function does, whatever the speed of the machine."""

import sys


class CountedText(str):
    """Counts its characters that are looked at: by index, not by a regular expression or an iteration."""

    __slots__ = ("read",)

    def __new__(cls, text):
        counted = super().__new__(cls, text)
        counted.read = 0
        return counted

    def __getitem__(self, key):
        found = super().__getitem__(key)
        self.read += len(found)
        return found


def lines_run(function, *arguments):
    """The number of lines of our own code that a call executes."""
    count = 0

    def trace(frame, event, _):
        nonlocal count
        count += event == "line"
        return trace if "kittentts" in frame.f_code.co_filename else None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function(*arguments)
    finally:
        sys.settrace(before)
    return count
