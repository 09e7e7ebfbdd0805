"""How `say-as` reads: words, and None where it cannot."""

import pytest

from kittentts.markup.say_as import SAY_AS


@pytest.mark.parametrize(
    ("kind", "order", "text", "words"),
    [
        ("characters", "", "a.B 7", "ˈeɪ dot bˈiː seven"),
        ("characters", "", "大$", "大 dollar"),
        ("characters", "", " ", None),
        ("cardinal", "", "12", "twelve"),
        ("cardinal", "", "+.5", "plus zero point five"),
        ("cardinal", "", "XII", None),
        ("number", "", "−3", "negative three"),
        ("ordinal", "", "3rd", "third"),
        ("ordinal", "", "0", "zeroth"),
        ("ordinal", "", "-3", None),
        ("date", "", "2/1/1960", "February first, nineteen sixty"),
        ("date", "", "1960-02-01", "February first, nineteen sixty"),
        ("date", "", "4 July 2025", "July fourth, twenty twenty-five"),
        ("date", "", "Sept 4th, 2025", "September fourth, twenty twenty-five"),
        ("date", "ymd", "60.2.1", "February first, sixty"),
        ("date", "md", "12/31", "December thirty-first"),
        ("date", "dm", "31/12", "December thirty-first"),
        ("date", "ym", "1999-12", "December nineteen ninety-nine"),
        ("date", "my", "12/1999", "December nineteen ninety-nine"),
        ("date", "y", "1905", "nineteen oh five"),
        ("date", "m", "May", "May"),
        ("date", "d", "3", "third"),
        ("date", "mdy", "13/1/1960", None),
        ("date", "mdy", "1/32/1960", None),
        ("date", "", "1/1", None),
        ("date", "", "", None),
        ("time", "", "14:30", "fourteen thirty"),
        ("time", "", "5:00", "five o'clock"),
        ("time", "", "2 p.m.", "two pˈiː ˈɛm"),
        ("time", "", "2.05am", "two oh five ˈeɪ ˈɛm"),
        ("time", "", "14:30:15", "fourteen thirty and fifteen seconds"),
        ("time", "", "25:00", None),
        ("time", "", "14", None),
        ("telephone", "", "555-0123 x7", "five five five, zero one two three, extension seven"),
        ("telephone", "", "1-800-FLY", "one, eight zero zero, ˈɛf ˈɛl wˈaɪ"),
        ("telephone", "", "tel: 5", None),
        ("currency", "", "$1", "one dollar"),
        ("currency", "", "eur 5.50", "five euros and fifty cents"),
        ("currency", "", "5 GBP", "five pounds"),
        ("currency", "", "5", None),
        ("currency", "", "$x", None),
    ],
)
def test_reading(kind, order, text, words):
    found = SAY_AS[kind](text, order)
    assert words == (found and " ".join(word.text for word in found))
