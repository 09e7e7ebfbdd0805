"""Any XML ends in a TextError or in speech, in linear time."""

import contextlib
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kittentts.errors import TextError
from kittentts.markup import read_parts

ELEMENTS = (
    "speak", "p", "s", "break", "sub", "phoneme", "say-as", "prosody", "voice", "lang", "mark", "emphasis", "audio",
    "x:y",
)  # fmt: skip
ATTRIBUTES = {
    "time": ("1s", "0.2s", "70s", "x"), "strength": ("weak", "none", "x"), "alias": ("one two", "", "..."),
    "ph": ("bˈuː", "大", ""), "alphabet": ("ipa", "x"),
    "interpret-as": ("characters", "cardinal", "ordinal", "date", "time", "telephone", "currency", "x"),
    "format": ("mdy", "y"), "rate": ("fast", "50%", "+10%", "0", "9"), "name": ("Bella", "Leo:2+Bella", "Nobody", ""),
    "xml:lang": ("en", "fr"), "pitch": ("high",),
}  # fmt: skip
TEXTS = (
    "One two. ",
    "5",
    "3:05",
    "$5",
    "x",
    "...",
    " ",
    "\n",
    "é",
    "&amp;",
    "&#x17000;",
    "&bad;",
    "<![CDATA[<a>]]>",
    "<!-- -->",
)

attributes = st.dictionaries(st.sampled_from(sorted(ATTRIBUTES)), st.integers(0, 7), max_size=2).map(
    lambda chosen: "".join(f' {name}="{ATTRIBUTES[name][i % len(ATTRIBUTES[name])]}"' for name, i in chosen.items())
)
texts = st.sampled_from(TEXTS) | st.text(max_size=4)
contents = st.recursive(
    texts,
    lambda inner: st.builds(
        lambda name, attributes, inner: f"<{name}{attributes}>{''.join(inner)}</{name}>",
        st.sampled_from(ELEMENTS),
        attributes,
        st.lists(inner, max_size=4),
    ),
    max_leaves=12,
)
documents = st.lists(contents, max_size=4).map(lambda parts: f"<speak>{''.join(parts)}</speak>") | st.text(
    alphabet="<>/&;!?[]-\"'= speak\n1é", max_size=60
)


def check(tiny, document, markup):
    """It is spoken, in parts whose characters and marks are in the document; or it is a TextError."""
    try:
        parts = read_parts(document, markup, tiny.model._style)
        speech = tiny.synthesize(document, markup=markup, clean_text=len(document) % 2 == 0)
    except TextError:
        return
    for part in parts:
        assert part.text == part.text.strip()
        start, end = part.to_document(0, len(part.text))
        assert 0 <= start <= end <= len(document)
    position = 0
    for chunk in speech.chunks:
        assert position <= chunk.span[0] <= chunk.span[1] <= len(document)
        position = chunk.span[0]
        for word in chunk.words:
            assert word.text in chunk.text
            assert chunk.start <= word.start <= word.end <= chunk.end + 1e-9
    speech.to_srt()
    speech.to_vtt(words=True)
    times = [mark.time for mark in speech.marks]
    assert all(0 <= round(time, 6) <= round(len(speech.audio) / 24000, 6) for time in times)


FUZZ = {"deadline": None, "suppress_health_check": list(HealthCheck)}


@settings(max_examples=150, **FUZZ)
@given(document=documents, markup=st.sampled_from(["ssml", "ssml-lenient", "ssml-lenient", "pauses"]))
def test_any_document(tiny, document, markup):
    check(tiny, document, markup)


@pytest.mark.slow
@settings(max_examples=2_000, **FUZZ)
@given(document=documents, markup=st.sampled_from(["ssml", "ssml-lenient", "ssml-lenient", "pauses"]))
def test_thousands_of_documents(tiny, document, markup):
    check(tiny, document, markup)


LAUGHS = "<!DOCTYPE s [<!ENTITY a0 'ha'>{}]><speak>&a9;</speak>".format(
    "".join(f"<!ENTITY a{i} '{f'&a{i - 1};' * 10}'>" for i in range(1, 10))
)


@pytest.mark.parametrize("markup", ["ssml", "ssml-lenient"])
@pytest.mark.parametrize(
    "document",
    [
        LAUGHS,
        "<!DOCTYPE s [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><speak>&x;</speak>",
        "<!DOCTYPE s SYSTEM 'http://127.0.0.1:9/x.dtd'><speak>Hi</speak>",
        "<!DOCTYPE s [<!ENTITY % x SYSTEM 'file:///etc/passwd'>%x;]><speak>Hi</speak>",
    ],
)
def test_entities_are_refused(tiny, document, markup):
    with pytest.raises(TextError, match=r"a document type .* refused; leave it out"):
        tiny.generate(document, markup=markup)


@pytest.mark.parametrize("markup", ["ssml", "ssml-lenient"])
@pytest.mark.parametrize("name", ["p", "prosody", "x", "speak"])
def test_deep_nesting_is_refused(tiny, name, markup):
    document = f"<speak>{f'<{name}>' * 100_000}Hi{f'</{name}>' * 100_000}</speak>"
    with pytest.raises(TextError, match=r"nested more than 100 deep|<x>|<speak>"):
        tiny.generate(document, markup=markup)


UNITS = (
    "<s/>", "\n", "\r\n", "&amp;", "é ", "a ", "a<break time='0.1ms'/>", "<mark name='a'/>",
    "<mark name='a'/><break time='0.0001ms'/>", "<sub alias='b c'>a</sub> ", "<phoneme ph='a'>x</phoneme>",
    "a<voice name='Leo'>,b</voice>", "<prosody rate='2'>.</prosody>",
    "<say-as interpret-as='characters'>a1</say-as>", "<x/>", "<audio a='b'>", "<![CDATA[x]]>", "<!-- -->",
)  # fmt: skip


def seconds(unit, count):
    document = f"<speak>a{unit * count}</speak>"
    began = time.process_time()
    with contextlib.suppress(TextError):
        read_parts(document, "ssml-lenient", lambda _: None)
    return time.process_time() - began


@pytest.mark.parametrize("unit", UNITS)
def test_it_takes_linear_time(unit):
    # eight times as much takes eight times as long, not 64 times; the less of two, for other work may disturb
    assert min(seconds(unit, 8_000) for _ in range(2)) < 32 * max(seconds(unit, 1_000), 0.01)


@pytest.mark.slow
@pytest.mark.parametrize("unit", ["\n", "&amp;", "a<break time='0.1ms'/>", "<phoneme ph='a'>x</phoneme>", "<x/>"])
def test_ten_megabytes_end(unit):
    assert seconds(unit, 10_000_000 // len(unit)) < 40 * max(seconds(unit, 1_000_000 // len(unit)), 0.1)


def test_ten_megabytes_that_are_wrong_at_the_end(tiny):
    document = f"<speak>{'Hello there. ' * 770_000}<audio/></speak>"
    with pytest.raises(TextError, match="<audio>"):
        tiny.generate(document, markup="ssml")
    with pytest.raises(TextError, match="malformed in line 1"):
        tiny.generate(f"<speak x='{'a' * 10_000_000}'", markup="ssml")
