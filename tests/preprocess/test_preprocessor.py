"""TextPreprocessor, its flags, and the expand_* and remove_* functions behind them."""

import dataclasses
import json
import pickle
from pathlib import Path

import pytest

import kittentts.preprocess as pre
from kittentts.errors import TextTypeError

COMPAT = json.loads((Path(__file__).parent.parent / "data" / "preprocess.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", COMPAT, ids=lambda case: case["text"])
def test_compat(case):
    assert pre.TextPreprocessor(remove_punctuation=False).process(case["text"]) == case["expected"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("At 3:05 p.m. we left", "at three oh five p.m. we left"),
        ("20th", "twentieth"),
        ("In 1905 he left", "in one thousand nine hundred five he left"),
        ("Go to www.kitten.org now.", "go to now."),
        ("Mail me@b.org now.", "mail now."),
        ("v1.2.3", "v one point two point three"),
        ("Python-3.10 and GPT-4", "python three point one zero and gpt four"),
        ("He said “hello” — twice…", "he said “hello” — twice…"),
        ("May 5, 2026", "may five two thousand twenty-six"),
        ("may 5, 2026", "may five two thousand twenty-six"),
        ("9 a.m.–5 p.m.", "nine a.m. to five p.m."),
        ("pages 3-5, 8", "pages three to five, eight"),
        ("See https://a.io/Foo_(bar). ftp://b.io mailto:me@b.org now", "see . now"),
        ("if x<y and z>w then", "if x<y and z>w then"),
        ("Mr. Lee, e.g. at 5 p.m. today", "mr. lee, e.g. at five p.m. today"),
        ("<p>One</p><p>Two</p> 1 < 2 > 0", "one two one < two > zero"),
        ("1,2,3", "one, two, three"),
    ],
)
def test_default_flags_with_punctuation(text, expected):
    assert pre.TextPreprocessor(remove_punctuation=False)(text) == expected


FLAGS = {field.name for field in dataclasses.fields(pre.TextPreprocessor)} - {"stopwords"}
FLAG_EXAMPLES = [
    ("lowercase", "ABC", "abc", "ABC"),
    ("replace_numbers", "5 cats", "five cats", "5 cats"),
    ("replace_floats", "3.5 cats", "three point five cats", "3.5 cats"),
    ("expand_contractions", "don't", "do not", "don't"),
    ("expand_model_names", "GPT-4o", "gpt 4o", "gpt-4o"),
    ("expand_ordinals", "2nd", "second", "2nd"),
    ("expand_percentages", "5%", "five percent", "five%"),
    ("expand_currency", "$5", "five dollars", "$five"),
    ("expand_time", "4:15", "four fifteen", "four:fifteen"),
    ("expand_ranges", "3-5", "three to five", "three-five"),
    ("expand_units", "5km", "five kilometers", "5km"),
    ("expand_scale_suffixes", "7B", "seven billion", "7b"),
    ("expand_scientific_notation", "1e5", "one times ten to the five", "1e5"),
    ("expand_fractions", "3/4", "three quarters", "three/four"),
    ("expand_decades", "80s", "eighties", "80s"),
    (
        "expand_phone_numbers",
        "555-0123",
        "five five five zero one two three",
        "five hundred fifty-five to zero one two three",
    ),
    ("expand_ip_addresses", "10.0.0.1", "one zero dot zero dot zero dot one", "ten point zero point zero point one"),
    ("normalize_leading_decimals", ".5", "zero point five", ".five"),
    ("expand_roman_numerals", "Chapter IV", "chapter four", "chapter iv"),
    ("remove_urls", "see www.a.org now", "see now", "see www.a.org now"),
    ("remove_emails", "to a@b.org now", "to now", "to a@b.org now"),
    ("remove_html", "<b>hi</b>", "hi", "<b>hi</b>"),
    ("remove_hashtags", "#a b", "b", "#a b"),
    ("remove_mentions", "@a b", "b", "@a b"),
    ("remove_punctuation", "Hello, world!", "hello world", "hello, world!"),
    ("remove_stopwords", "the cat", "cat", "the cat"),
    ("normalize_unicode", "e\u0301", "é", "e\u0301"),
    ("remove_accents", "café", "cafe", "café"),
    ("remove_extra_whitespace", "a  b ", "a b", "a  b "),
]


@pytest.mark.parametrize(("flag", "text", "with_flag", "without_flag"), FLAG_EXAMPLES)
def test_every_flag_does_its_own_work(flag, text, with_flag, without_flag):
    options = {"remove_punctuation": False}
    assert pre.TextPreprocessor(**{**options, flag: True})(text) == with_flag
    assert pre.TextPreprocessor(**{**options, flag: False})(text) == without_flag


def test_every_flag_has_an_example():
    flags = {flag for flag, *_ in FLAG_EXAMPLES}
    assert flags == FLAGS


def test_without_floats_a_decimal_still_gets_its_zero():
    assert pre.TextPreprocessor(replace_floats=False, remove_punctuation=False)("-.5 and 5") == "-0.5 and five"


def test_all_off_leaves_the_text_alone():
    off = dict.fromkeys(FLAGS, False)
    text = " <b>Don't</b>  pay $5.50 at 3:05 p.m. on 3/4 — www.a.org, @x #y .5 1e5 5km 80s "
    assert pre.TextPreprocessor(**off)(text) == text


def test_own_stopwords():
    assert pre.TextPreprocessor(remove_stopwords=True, stopwords={"Cat"})("the cat sat") == "the sat"


def test_an_unknown_flag_is_a_type_error():
    with pytest.raises(TypeError, match="expand_everything"):
        pre.TextPreprocessor(expand_everything=True)


def test_flags_may_be_positional():
    assert not pre.TextPreprocessor(False).lowercase


def test_it_is_a_value():
    without = pre.TextPreprocessor(remove_punctuation=False)
    assert without == pickle.loads(pickle.dumps(without)) != pre.TextPreprocessor()
    with pytest.raises(TypeError):
        iter(without)


@pytest.mark.parametrize("text", [None, b"5", 5])
def test_text_must_be_a_str(text):
    with pytest.raises(TextTypeError, match="must be a str"):
        pre.TextPreprocessor()(text)
    with pytest.raises(TextTypeError, match="must be a str"):
        pre.expand_currency(text)


@pytest.mark.parametrize(
    ("function", "text", "expected"),
    [
        ("expand_contractions", "It's Won't I'd've Lee's", "It is Will not I would've Lee's"),
        ("expand_contractions", "it’s been; I'd better; let's", "it has been; I had better; let us"),
        ("expand_contractions", "Anyone's how'd ain't", "Anyone is how did ain't"),
        ("expand_currency", "$5 and 5%", "five dollars and 5%"),
        ("expand_decades", "the 1980s", "the nineteen eighties"),
        ("expand_fractions", "1/2 of 5", "one half of 5"),
        ("expand_ip_addresses", "10.0.0.1", "one zero dot zero dot zero dot one"),
        ("expand_model_names", "GPT-4 and x-y", "GPT 4 and x-y"),
        ("expand_ordinals", "the 21st", "the twenty-first"),
        ("expand_percentages", "5% of 5", "five percent of 5"),
        ("expand_phone_numbers", "555-123-4567", "five five five one two three four five six seven"),
        ("expand_ranges", "pages 10-20", "pages ten to twenty"),
        ("expand_roman_numerals", "Chapter IV of XX", "Chapter four of XX"),
        ("expand_scale_suffixes", "7B and 5km", "seven billion and 5km"),
        ("expand_scientific_notation", "1e-4", "one times ten to the negative four"),
        ("expand_time", "3:30 PM", "three thirty pm"),
        ("expand_time", "9 a.m. and 9 p.m.", "nine a.m. and nine p.m."),
        ("expand_units", "100km", "one hundred kilometers"),
        ("normalize_leading_decimals", ".5 and 1.5 and -.5", "0.5 and 1.5 and -0.5"),
        ("replace_numbers", "5 and 3.10 and .5 and GPT4", "five and three point one zero and zero point five and GPT4"),
        ("remove_accents", "Crème brûlée कि", "Creme brulee कि"),
        ("remove_extra_whitespace", " a \n b ", "a b"),
        ("remove_hashtags", "a #b c#d", "a  c#d"),
        ("remove_html_tags", "<b>Bold</b> and <i>italic</i>", "Bold and italic"),
        ("remove_html_tags", "a<br/>b <!-- c --> H<sub>2</sub>O 1 < 2", "a b   H2O 1 < 2"),
        ("remove_html_tags", "a <b and c> List<String> <laughs>", "a <b and c> List<String> <laughs>"),
        ("remove_html_tags", '<A href="x>y" HIDDEN data-a=b>a</A><input disabled>', "a "),
        ("remove_mentions", "hi @you a@b.org", "hi  a@b.org"),
        (
            "remove_punctuation",
            "Hello, world! It's thirty-one/two; $5 'ok' a_b",
            "Hello world It's thirty one two 5 ok a b",
        ),
        ("remove_punctuation", "कि! e\u0301.", "कि e\u0301"),
        ("remove_stopwords", "The cat and the hat", "cat hat"),
        ("remove_urls", "see https://a.io/b, ok", "see , ok"),
        ("to_lowercase", "ÀB", "àb"),
    ],
)
def test_functions(function, text, expected):
    assert getattr(pre, function)(text) == expected


def test_functions_with_parameters():
    assert pre.expand_roman_numerals("XX or I", context_words=False) == "twenty or I"
    assert pre.replace_numbers("5, 3.10 and .5", replace_floats=False) == "five, 3.10 and .5"
    assert pre.remove_urls(r"a www.b.org", replacement=r"\1") == r"a \1"
    assert pre.remove_emails("a@b.org", replacement="mail") == "mail"
    assert pre.remove_hashtags("#a", replacement="tag") == "tag"
    assert pre.remove_mentions("@a", replacement="you") == "you"
    assert pre.remove_stopwords("a b", stopwords=["B"]) == "a"
    assert pre.normalize_unicode("é", form="NFD") == "e\u0301"


def test_the_public_names():
    assert len(pre.__all__) == len(set(pre.__all__))
    assert all(hasattr(pre, name) for name in pre.__all__)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("On September 5, 2026 it rained.", "on september five two thousand twenty-six it rained."),
        ("On Sept. 5, 2026 it rained.", "on sept. five two thousand twenty-six it rained."),
        ("It has gate 5, 2026 seats.", "it has gate five, two thousand twenty-six seats."),
    ],
)
def test_the_comma_of_a_date_is_dropped_and_no_other(text, expected):
    assert pre.TextPreprocessor(remove_punctuation=False)(text) == expected
