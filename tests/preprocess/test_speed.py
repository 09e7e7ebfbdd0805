"""Every function's time is linear in its text, and importing is light; benchmarks/bench_text.py measures both."""

import gc
import re
import subprocess
import sys
import time

import pytest

import kittentts.preprocess as pre

SIZE = 12_000
# A quadratic rule takes far longer on any machine.
NOTHING_SECONDS = 0.04

UNITS = [
    "1-",
    "$",
    "a.",
    "<",
    "<a",
    "1,",
    "1,111,",
    "7",
    " ",
    "@",
    "a@",
    "://",
    "https://a.",
    "'s",
    "1:",
    "1:00-",
    "1/",
    "1.",
    ".5",
    "+1 1 1 ",
    "Fig. ",
    "I",
    "Part I ",
    "%",
    "1%-",
    "May 1 ",
    "a-",
    "1–",
    "1e",
    "1km",
    "$1K-",
    "et al. ",
    "etc.  ",
    "(111) 111-",
    "1.1.1.1",
    "½",
    "”",
    "_",
    "\x00",
    "\u0301\u0327",
    "a1-$,.:/%'@<5 e ",
    '1"',
    "“",
    "1m1s",
    "111 ",
    "111\u00a0",
    "１",
    "Part I-",
    "1am-",
    "1 ft. ",
    "no. five ",
    "<!--",
    "<b a=",
    "<b hidden ",
    "https://(",
    "mailto:",
]
FUNCTIONS = {
    "normalize_text": pre.normalize_text,
    "TextPreprocessor": pre.TextPreprocessor().process,
    "chunk_text": pre.chunk_text,
    "chunk_text(1)": lambda text: pre.chunk_text(text, 1),
    "expand_roman_numerals(False)": lambda text: pre.expand_roman_numerals(text, context_words=False),
} | {
    name: getattr(pre, name)
    for name in pre.__all__
    if name.startswith(("expand_", "remove_", "normalize_leading", "normalize_unicode", "replace_", "ensure_"))
}


def seconds(function, text):
    """CPU time: other processes share the machine. Garbage collection also looks at what other tests have made."""
    gc.disable()
    try:
        start = time.process_time()
        function(text)
        return time.process_time() - start
    finally:
        gc.enable()


def repeated(unit, size):
    return (unit * (size // len(unit) + 1))[:size] + "x%"


def is_linear(function, unit, size=SIZE):
    """Whether four times the text takes about four times as long; sixteen times would be quadratic."""
    long = short = float("inf")
    for _ in range(5):
        long = min(long, seconds(function, repeated(unit, size)))
        if long < NOTHING_SECONDS:
            return True
        short = min(short, *(seconds(function, repeated(unit, size // 4)) for _ in range(2)))
        if long < 8 * short:
            return True
    return False


# every second one by README's pytest
@pytest.mark.parametrize(
    "unit",
    [*UNITS[::2], *(pytest.param(unit, marks=pytest.mark.slow) for unit in UNITS[1::2])],
    ids=repr,
)
def test_adversarial_text(unit):
    assert [name for name, function in FUNCTIONS.items() if not is_linear(function, unit)] == []


@pytest.mark.parametrize("unit", ["Mr. Lee said so. ", "word ", "x", "a. ", "?", ". "])
def test_a_book_is_chunked_in_linear_time(unit):
    assert is_linear(pre.chunk_text, unit, 300_000)


def test_what_a_quadratic_rule_would_show():
    assert not is_linear(lambda text: re.findall(r"a+b", text), "a", 12_000)


def run_python(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_chunking_loads_no_rules():
    code = "import sys; from kittentts.preprocess import chunk_text; chunk_text('Hi. Ho.'); print(*sys.modules)"
    assert "kittentts.preprocess.rules" not in run_python(code).split()


def test_importing_loads_only_the_standard_library():
    code = (
        "import sys; before = set(sys.modules); from kittentts.preprocess import chunk_text, normalize_text; "
        "normalize_text('$5'); print(*{name.partition('.')[0] for name in set(sys.modules) - before})"
    )
    assert set(run_python(code).split()) - set(sys.stdlib_module_names) == {"kittentts"}
