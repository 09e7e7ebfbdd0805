"""A text that counts how many of its characters are looked at."""


class CountedText(str):
    """What is taken out of it by index counts; what a regular expression or an iteration reads does not."""

    __slots__ = ("read",)

    def __new__(cls, text):
        counted = super().__new__(cls, text)
        counted.read = 0
        return counted

    def __getitem__(self, key):
        found = super().__getitem__(key)
        self.read += len(found)
        return found
