"""Markdown -> what is read aloud."""

import hypothesis
import pytest
from hypothesis import given, strategies

from kittentts.cli.markdown import to_plain_text

CASES = {
    "# Title\n\nText here.\n": "Title.\n\nText here.",
    "Title\n=====\n\nSub\n---\n\nText.": "Title.\n\nSub.\n\nText.",
    "## What? ##\n": "What?",
    "Some *words*, **strong** ones, ***both***, _these_ and __those__, ~~gone~~.": (
        "Some words, strong ones, both, these and those, gone."
    ),
    "snake_case_name and 2 * 3 * 4 and a*b": "snake_case_name and 2 * 3 * 4 and a*b",
    "See [the site](https://x.y/z_(a)) or [this][1], [that][].\n\n[1]: https://x.y\n": "See the site or this, that.",
    "![A cat](cat.png) and [![badge](b.png)](x)": "A cat and badge",
    "<https://x.y> is <b>bold</b><!-- not\nthis -->.": "https://x.y is bold.",
    "Use `rm *` or ``a`b``.": "Use rm * or a`b.",
    "Before:\n\n```python\nx = [1](2) * 3 * 4\n# kept\n```\n\nAfter.": "Before:\nx = [1](2) * 3 * 4\n# kept.\nAfter.",
    "- one\n- two\n* [x] three\n\nEnd": "one.\ntwo.\nthree.\n\nEnd",
    "1. one\n2) two\n": "1. one.\n2) two.",
    "- an item that\n  goes on\n- another": "an item that\n  goes on.\nanother",
    "> Quoted *text*\n> goes on.\n>> deeper": "Quoted text\ngoes on.\ndeeper",
    "| a | b |\n|---|:-:|\n| 1 | **2** |\n": "a, b.\n1, 2.",
    "One\n\n---\n\n* * *\n\nTwo": "One.\n\nTwo",
    "---\ntitle: x\n---\n\nText": "Text",
    "A note[^1].\n\n[^1]: The note.": "A note.\n\nThe note.",
    r"5 \* 3 \# \_x\_": "5 * 3 # _x_",
    r"\`5 * 3 * 2`": "`5 * 3 * 2`",
    "Fish &amp; chips &lt;3": "Fish & chips <3",
    "Line one\r\nline two\r\n": "Line one\nline two.",
    "I am $5.50 -- no, 3 < 4 > 2!": "I am $5.50 -- no, 3 < 4 > 2!",
}


@pytest.mark.parametrize(("markdown", "text"), CASES.items(), ids=[repr(case)[:30] for case in CASES])
def test_marks_go_and_words_stay(markdown, text):
    assert [line for line in to_plain_text(markdown).splitlines() if line.strip()] == [
        line for line in text.splitlines() if line.strip()
    ]


def letters(text):
    return [character for character in text if character.isalnum()]


# without what hides words: front matter, fences (of ~; code keeps its words), links, HTML, entities
@given(strategies.text(alphabet="ab1 *_`#>-+|\\\n:.'\U000f0001", max_size=80))
def test_no_word_is_lost_and_none_is_added(markdown):
    hypothesis.assume(not markdown.startswith("---") and "```" not in markdown)
    assert letters(to_plain_text(markdown)) == letters(markdown)


@given(strategies.text(alphabet="ab1 *_`~#>-+|[]()!<&;\\\n:.'\U000f0001", max_size=80))
def test_any_text_is_markdown(markdown):
    text = to_plain_text(markdown)
    # what is left is in the order in which it was
    rest = iter(letters(markdown))
    assert all(letter in rest for letter in letters(text))
    assert text.count("\U000f0001") <= markdown.count("\U000f0001")


def test_private_characters_are_no_marks():
    assert to_plain_text("a \U000f0005 `code`") == "a \U000f0005 code\n"
    assert to_plain_text("`a`\U000f0001`b`") == "a\U000f0001b\n"


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    ("unit", "plain"),
    [
        ("*", ""),
        ("[", "[" * 3000),
        ("`", ""),
        ("_a ", "_a " * 3000),
        ("[x](", "[x](" * 3000),
        ("<", "<" * 3000),
        ("![", "![" * 3000),
        ("|", ""),
        ("> ", ""),
        ("- ", ""),
    ],
)
def test_long_nonsense_takes_no_time(unit, plain):
    assert to_plain_text(unit * 3000).strip() == plain.strip()
