"""What each element of SSML does to what is spoken: the inputs of the graph, silence, times, spans."""

import logging

import numpy as np
import pytest
import speeches
from marked_up import ids_of, inputs_of, one_by_one
from sentences import PLAIN

from kittentts import Item
from kittentts.errors import SettingError, SilentTextError, TextError, TextTypeError


@pytest.fixture(scope="module")
def model(tiny_directory):
    return one_by_one(tiny_directory)


def speak(content):
    return f'<?xml version="1.0"?><speak version="1.1" xmlns="http://www.w3.org/2001/10/synthesis">{content}</speak>'


def of(model, content, **options):
    return inputs_of(model, speak(content), markup="ssml", **options)


def silences(model, content, **options):
    """Seconds between the chunks, where all samples are zero; and before the first and after the last."""
    speech = model.synthesize(speak(content), markup="ssml", **options)
    edges = [0.0, *(time for chunk in speech.chunks for time in (chunk.start, chunk.end)), len(speech.audio) / 24000]
    found = []
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        first, last = round(start * 24000), round(end * 24000)
        assert not speech.audio[first:last].any()
        # a faded end has one more
        assert speech.audio[max(0, first - 3) : first].any() or first == 0
        assert speech.audio[last : last + 3].any() or last == len(speech.audio)
        found.append(round(end - start, 6))
    return found


@pytest.mark.parametrize("clean_text", [False, True])
@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("Hello there. How are you?", "Hello there. How are you?"),
        ("\n  Hello\n\n   there.\n  How are\tyou?\n", "Hello there. How are you?"),
        ("Fish &amp; chips&#33; <![CDATA[1 < 2 & 3]]>.", "Fish & chips! 1 < 2 & 3."),
        ("Hello<!-- no --> there<?no?>.", "Hello there."),
        ("<p>First part</p><p>Second part.</p>", "First part. Second part."),
        ("<p><s>First part</s> <s>Second, part!</s></p> Third.", "First part. Second, part! Third."),
        ('The <sub alias="World Wide Web Consortium">W3C</sub>.', "The World Wide Web Consortium."),
        ('<sub alias="Doctor &quot;5&quot;">Dr.</sub> Who', 'Doctor "5" Who'),
        ("A <emphasis level='strong'>big</emphasis> one.", "A big one."),
        ('<lang xml:lang="en-GB">A big</lang> one.', "A big one."),
        ('<p xml:lang="en" xml:id="x">A big one.</p>', "A big one."),
        ('A <mark name="here"/>big one.', "A big one."),
        ('A <break strength="none"/>big <break time="0s"/>one.', "A big one."),
        ('It is <say-as interpret-as="cardinal">1,234</say-as>.', "It is one thousand two hundred thirty-four."),
        ('It is <say-as interpret-as="number">-2.50</say-as>.', "It is negative two point five zero."),
        ('The <say-as interpret-as="ordinal">21</say-as> one.', "The twenty-first one."),
        ('On <say-as interpret-as="date" format="dmy">2/1/1960</say-as>.', "On January second, nineteen sixty."),
        ('At <say-as interpret-as="time">14:30</say-as>.', "At fourteen thirty."),
        ('It is <say-as interpret-as="currency">USD 42.01</say-as>.', "It is forty-two dollars and one cent."),
        (
            '<say-as interpret-as="telephone">+1 (212) 555-01</say-as>',
            "plus one, two one two, five five five, zero one",
        ),
    ],
)
def test_it_is_spoken_as_this_text(model, content, text, clean_text):
    found, expected = of(model, content, clean_text=clean_text), inputs_of(model, text, clean_text=clean_text)
    assert found == expected
    # with any options
    assert of(model, content, clean_text=clean_text, voice="Jasper", speed=1.3, sentence_silence=0.5) == inputs_of(
        model, text, clean_text=clean_text, voice="Jasper", speed=1.3
    )


@pytest.mark.parametrize("clean_text", [False, True])
@pytest.mark.parametrize(
    ("content", "phonemes"),
    [
        ('Say <phoneme alphabet="ipa" ph="təmˈɑːtoʊ">tomato</phoneme>.', "sˈeɪ təmˈɑːtoʊ."),
        ('Say <phoneme ph="t&#x0259;mˈɑːtoʊ"/>!', "sˈeɪ təmˈɑːtoʊ!"),
        # next to letters
        ('Say<phoneme ph="bˈuː">x</phoneme>say.', "sˈeɪ bˈuː sˈeɪ."),
        ('Say <phoneme ph="bˈuː">boo</phoneme>\'s, <phoneme ph="bˈuː">x</phoneme>', "sˈeɪ bˈuːz, bˈuː,"),
        ('Say <say-as interpret-as="characters">aB1-é</say-as>.', "sˈeɪ ˈeɪ bˈiː wˈʌn dˈæʃ ˈiː."),
        ('Say <say-as interpret-as="time" format="hms12">2:30pm</say-as>.', "sˈeɪ tˈuː θˈɜːɾi pˈiː ˈɛm."),
    ],
)
def test_it_is_spoken_with_these_phonemes(model, content, phonemes, clean_text):
    assert [ids for ids, _, _ in of(model, content, clean_text=clean_text)] == ids_of(model, phonemes, phonemes=True)


def test_phonemes_count_more_than_the_lexicon(tiny_directory):
    model = one_by_one(tiny_directory, lexicon={"tomato": "bˈuː", "Say": "sˈiː"})
    for clean_text in (False, True):
        found = of(model, 'Say tomato, <phoneme ph="kˈuː">tomato</phoneme>.', clean_text=clean_text)
        assert [ids for ids, _, _ in found] == ids_of(model, "sˈiː bˈuː , kˈuː .", phonemes=True)


def test_a_normalizer_that_loses_phonemes_is_an_error(model):
    content = speak('Say <phoneme ph="bˈuː">boo</phoneme>.')
    with pytest.raises(TextError, match="clean_text has changed or removed letters"):
        model.generate(content, markup="ssml", clean_text=lambda text: text.encode("ascii", "ignore").decode())


def test_voices(model):
    (first, second, third) = of(model, 'One. <voice name="Bella">Two.</voice> Three.', voice="Leo")
    assert (first, third) == tuple(inputs_of(model, "One. Three.", voice="Leo"))
    assert [second] == inputs_of(model, "Two.", voice="Bella")
    (blended,) = of(model, '<voice name="Bella:3+Leo">Two.</voice>')
    assert [blended] == inputs_of(model, "Two.", voice="Bella:3+Leo")
    # one inside of another, with its own speed
    content = '<voice name="Bella">One. <voice name="Jasper">Two.</voice> Three.</voice>'
    assert [style for _, style, _ in of(model, content)] == [
        inputs_of(model, text, voice=voice)[0][1]
        for text, voice in (("One.", "Bella"), ("Two.", "Jasper"), ("Three.", "Bella"))
    ]
    assert [speed for _, _, speed in of(model, content)] == [1.0, 0.5, 1.0]


@pytest.mark.parametrize(
    ("rate", "factor"),
    [
        ("1.5", 1.5), ("150%", 1.5), ("+50%", 1.5), ("-50%", 0.5), ("20%", 0.2), ("5", 5.0), (".5", 0.5),
        ("x-slow", 0.5), ("slow", 0.75), ("medium", 1.0), ("default", 1.0), ("fast", 1.25), ("x-fast", 1.75),
    ],
)  # fmt: skip
def test_rates(model, rate, factor):
    found = of(model, f'One. <prosody rate="{rate}">Two.</prosody> Three.', voice="Jasper", speed=0.8)
    assert [speed for _, _, speed in found] == pytest.approx([0.4, 0.4 * factor, 0.4])
    assert [ids for ids, _, _ in found] == ids_of(model, "One. Two. Three.")


def test_a_rate_is_of_the_call_and_a_change_of_what_is_around_it(model):
    found = of(
        model,
        '<prosody rate="200%">One. <prosody rate="150%">Two.</prosody> <prosody rate="-25%">Three.</prosody></prosody>',
    )
    assert [speed for _, _, speed in found] == [2.0, 1.5, 1.5]


def test_a_change_inside_of_a_sentence(model):
    content = 'He said <voice name="Bella">yes, please</voice>, and left. <prosody rate="2">Then</prosody>: nothing.'
    found = of(model, content)
    assert [ids for ids, _, _ in found] == [
        *ids_of(model, "He said"), *ids_of(model, "yes, please,"), *ids_of(model, "and left."), *ids_of(model, "Then:"),
        *ids_of(model, "nothing."),
    ]  # fmt: skip
    # no silence of a sentence's end is between its parts, but that of a joint, which depends on the speed
    assert silences(model, content, sentence_silence=0.7)[1:-1] == [0.0, 0.55, 0.7, 0.325]


@pytest.mark.parametrize(
    ("attributes", "seconds"),
    [
        ('time="500ms"', 0.5), ('time="1.234s"', 1.234), ('time="3s" strength="weak"', 3), ("", 0.75),
        ('strength="x-weak"', 0.25), ('strength="weak"', 0.5), ('strength="medium"', 0.75), ('strength="strong"', 1.0),
        ('strength="x-strong"', 1.25), ('time="+.001s"', 0.001),
    ],
)  # fmt: skip
def test_a_break_is_silence_of_this_length(model, attributes, seconds):
    pause = f"<break {attributes}/>"
    # in a sentence, between sentences, whatever is between these; and the words are spoken without the break
    assert silences(model, f"One two {pause} three. {pause} Four.", sentence_silence=2.0) == [0, seconds, seconds, 0]
    assert silences(model, f"{pause}One.{pause}{pause}", trim="exact") == [seconds, 2 * seconds]
    assert [ids for ids, _, _ in of(model, f"One two {pause} three. {pause} Four.")] == [
        ids for text in ("One two", "three.", "Four.") for ids in ids_of(model, text)
    ]


def test_breaks_in_all_methods(model, tmp_path):
    text = speak(
        '<break time="1s"/>One, two.<break time="0.3s"/> <voice name="Bella">Three <mark name="x"/>four</voice>.'
    )
    options = {"markup": "ssml", "voice": "Leo", "sentence_silence": 0.2}
    speech = model.synthesize(text, **options)
    expected = speech.audio
    assert [(mark.name, mark.time) for mark in speech.marks] == [("x", speech.chunks[1].words[1].start)]
    for more in ({}, {"look_ahead": True}):
        assert np.array_equal(np.concatenate(list(model.generate_stream(text, **options, **more))), expected)
        stream = list(model.synthesize_stream(text, **options, **more))
        assert np.array_equal(np.concatenate([one.audio for one in stream]), expected)
        assert tuple(chunk for one in stream for chunk in one.chunks) == speech.chunks
    model.generate_to_file(text, tmp_path / "x.raw", **options)
    assert (tmp_path / "x.raw").stat().st_size == 2 * len(expected)
    items = [Item("a", text), ("b", "Plain.", None, None), ("c", text, "Bella"), ("d", "<speak>", None, None, "ssml")]
    a, b, c, d = model.generate_many([items[0], (*items[1], "pauses"), *items[2:]], **options, timings=True)
    assert np.array_equal(a.audio, expected)
    assert a.speech.marks == speech.marks
    assert np.array_equal(b.audio, model.generate("Plain.", "Leo"))
    assert np.array_equal(c.audio, model.generate(text, "Bella", markup="ssml", sentence_silence=0.2))
    assert isinstance(d.error, TextError)


def test_many_documents_share_the_cores_and_come_in_order(tiny):
    texts = [speak(f"One {i}.<break/> <voice name='Bella'>Two.</voice> Three.") for i in range(9)]
    results = list(tiny.generate_many(texts, markup="ssml"))
    for text, result in zip(texts, results, strict=True):
        assert np.array_equal(result.audio, tiny.generate(text, markup="ssml"))


def test_low_latency(model):
    long = "The committee, which met in the old town hall on a cold evening, could not agree on the price of it."
    text = speak(
        f'<mark name="a"/>{long}<break time="0.4s"/><mark name="b"/><voice name="Bella">{long}</voice><mark name="c"/>'
    )
    stream = list(model.synthesize_stream(text, markup="ssml", voice="Leo", low_latency=True))
    chunks = [chunk for speech in stream for chunk in speech.chunks]
    assert " ".join(chunk.text for chunk in chunks) == f"{long} {long}"
    begin = next(i for i, chunk in enumerate(chunks) if chunk.span[0] >= text.index("<voice"))
    assert chunks[begin].start - chunks[begin - 1].end == pytest.approx(0.4, abs=1e-6)
    marks = {mark.name: mark.time for speech in stream for mark in speech.marks}
    assert marks == {"a": 0.0, "b": chunks[begin].start, "c": chunks[-1].end}


def test_marks(model):
    content = (
        '<mark name="begin"/><break time="1s"/><mark name="first"/>One two <mark name="three"/>three. '
        '<mark name="four"/>Four.<mark name="a"/><break time="0.5s"/><mark name="b"/><break time="0.25s"/>'
        '<mark name="c"/>Five.<mark name="end"/><break time="2s"/><mark name="last"/>'
    )
    speech = model.synthesize(speak(content), markup="ssml")
    (one, four, five) = speech.chunks
    assert [(mark.name, round(mark.time, 6)) for mark in speech.marks] == [
        (name, round(time, 6))
        for name, time in [
            ("begin", 0.0), ("first", 1.0), ("three", one.words[2].start), ("four", four.start), ("a", four.end),
            ("b", four.end + 0.5), ("c", five.start), ("end", five.end), ("last", five.end + 2.0),
        ]
    ]  # fmt: skip
    assert one.words[2].text == "three"
    # the times of words count the silence before them, too
    assert 1.0 <= one.words[0].start < one.words[-1].end <= one.end
    assert one.words[0].start - 1.0 == pytest.approx(
        model.synthesize("One two three.", trim="exact").chunks[0].words[0].start, abs=1e-6
    )
    assert speech.to_dict()["chunks"][2]["marks"][-1] == {"name": "last", "time": pytest.approx(five.end + 2.0)}


def test_marks_where_the_model_tells_no_durations(tmp_path):
    import tiny_model

    model = one_by_one(tiny_model.make_directory(tmp_path / "tokens", tokens=True))
    speech = model.synthesize(speak('One <mark name="x"/>two. Three.<mark name="y"/>'), markup="ssml")
    first, second = speech.chunks
    assert [mark.time for mark in speech.marks] == [first.start, second.end]


def test_words_lead_back_into_the_document(model):
    content = (
        '<p>Hello &amp; w&#246;lcome, <emphasis>dear</emphasis>\r\n friend<break time="0.5s"/> <![CDATA[of]]> <sub '
        'alias="the World Wide Web"> WWW </sub>.</p> <s>Say <phoneme ph="təmˈɑːtoʊ">tomato</phoneme>: <say-as '
        'interpret-as="characters">W3C</say-as>, é<emphasis>t</emphasis>é and so on and so on</s>'
    )
    text = speak(content)
    speech = model.synthesize(text, markup="ssml", trim="exact", voice="Leo")
    words = [(word.text, text[slice(*word.span)]) for word in speeches.words_of(speech)]
    assert words == [
        ("Hello", "Hello"), ("&", "&amp;"), ("wölcome", "w&#246;lcome"), ("dear", "dear"), ("friend", "friend"),
        ("of", "of"), ("WWW", "WWW"), ("Say", "Say"), ("tomato", "tomato"), ("W3C", "W3C"),
        ("été", "é<emphasis>t</emphasis>é"), *(("and", "and"), ("so", "so"), ("on", "on")) * 2,
    ]  # fmt: skip
    assert [chunk.text for chunk in speech.chunks] == [
        "Hello & wölcome, dear friend", "of WWW.", "Say tomato: W3C, été and so on and so on",
    ]  # fmt: skip
    times = [time for word in speeches.words_of(speech) for time in (word.start, word.end)]
    assert times == sorted(times)
    lines = [line for line in speech.to_srt().splitlines() if line and not line[0].isdigit()]
    assert " ".join(lines) == "Hello & wölcome, dear friend of WWW. Say tomato: W3C, été and so on and so on"
    assert "World" not in speech.to_vtt(words=True)


def test_nothing_else_changes(model):
    """A text is spoken with the same token ids, rows and speeds with and without the marks around it."""
    for line in PLAIN[:12]:
        expected = inputs_of(model, line)
        assert inputs_of(model, line, markup=None) == expected
        assert of(model, line) == expected
        assert inputs_of(model, line, markup="pauses") == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("\n<audio src='x'/>", r"line 2 of the SSML: <audio>: this element is not done; there are speak, p, s"),
        ("<w>Hi</w>", "<w>: this element is not done"),
        ("<lexicon uri='x'/>", "<lexicon>: this element is not done; leave it out"),
        ("<prosody pitch='high'>Hi</prosody>", "<prosody>: pitch= is not done; its attributes: rate"),
        ("<prosody rate='0%'>Hi</prosody>", "<prosody>: rate='0%' is not from 20% to 500%"),
        ("<prosody rate='+2'>Hi</prosody>", r"<prosody>: rate='\+2' is not from"),
        ("<prosody rate='quick'>Hi</prosody>", "rate='quick' is not .* or one of x-slow, slow"),
        ("<voice gender='female'>Hi</voice>", "<voice>: gender= is not done; its attributes: name"),
        ("<voice>Hi</voice>", "<voice>: name= is needed"),
        (
            "\n\n<voice name='Mike'>Hi</voice>",
            "line 3 of the SSML: <voice>: voice='Mike' is unknown; this model has Bella",
        ),
        ("<voice name='Bella+'>Hi</voice>", "<voice>: voice='Bella[+]': '' is no part"),
        ("<lang xml:lang='fr-FR'>Oui</lang>", "<lang>: xml:lang='fr-FR': only English is spoken"),
        ("<p xml:lang='de'>Ja</p>", "<p>: xml:lang='de': only English"),
        ("<break time='5'/>Hi", "<break>: time='5' is no time like '500ms'"),
        ("<break time='-5s'/>Hi", "<break>: time='-5s' is no time"),
        ("<break strength='huge'/>Hi", "<break>: strength='huge' is not one of none, x-weak"),
        ("<break time='61s'/>Hi", "<break>: 61 s of silence at one place are more than 60"),
        ("Hi<break time='40s'/> <break time='40s'/>", "<break>: 80 s of silence at one place"),
        ("<break>Hi <s/></break>", "<s>: <break> takes no elements"),
        ("<sub>Hi</sub>", "<sub>: alias= is missing or empty"),
        ("<sub alias='a'><s>Hi</s></sub>", "<s>: <sub> takes no elements"),
        ("<mark/>Hi", "<mark>: name= is missing or empty"),
        ("<phoneme ph='haɪ' alphabet='x-sampa'>Hi</phoneme>", "alphabet='x-sampa' is not done; use 'ipa'"),
        ("<phoneme ph=''>Hi</phoneme>", "<phoneme>: ph='' has no sound"),
        ("<phoneme ph='h大'>Hi</phoneme>", "no phonemes that the models know: '大'"),
        ("<say-as>Hi</say-as>", "<say-as>: interpret-as='' is not done; there are characters, cardinal"),
        ("<say-as interpret-as='poem'>Hi</say-as>", "interpret-as='poem' is not done"),
        ("<say-as interpret-as='date'>Hi</say-as>", "'Hi' cannot be read as date"),
        (
            "<say-as interpret-as='date' format='xy'>Hi</say-as>",
            "format='xy' is not done for interpret-as='date'; there are: mdy",
        ),
        ("<say-as interpret-as='ordinal' format='x'>1</say-as>", "format='x' is not done for .*; there are: none"),
        ("<speak>Hi</speak>", "<speak>: the outermost element, and no other, must be <speak>"),
        ("\U00017001 ", "the text cannot have the letter"),
        ("Hi <b", r"malformed in line 1: "),
        ("&nbsp;Hi", "malformed in line 1: undefined entity"),
        ("\ud800", "has a character that is none"),
    ],
)
def test_what_is_not_done_names_the_element_and_the_line(model, content, message):
    with pytest.raises(TextError, match=message):
        model.generate_stream(speak(content), markup="ssml")


@pytest.mark.parametrize(
    ("document", "error", "message"),
    [
        ("Hello.", TextError, "malformed in line 1: .*; a document like <speak>Hello.</speak> is needed"),
        ("", TextError, "malformed"),
        ("<speak>Hi", TextError, "no element found; <speak> is open: it is closed by </speak>, or .*, <speak/>"),
        ("<speak>Hi <break time='1s'> you</speak>", TextError, "mismatched tag; <break> is open: .* <break/>"),
        ("<speak>Hi</p></speak>", TextError, "mismatched tag; <speak> is open"),
        ("<speak>a & b</speak>", TextError, r"\(invalid token\); write &amp; for & and &lt; for <"),
        ("<speak>Hi.</speak> you", TextError, "junk after document element; nothing may follow </speak>"),
        ("<speak>&nbsp;</speak>", TextError, "undefined entity; XML has &amp;"),
        ("<p>Hello.</p>", TextError, "<p>: the outermost element"),
        ("<speak> <break/> ... </speak>", SilentTextError, "nothing in this text with markup='ssml' has a word"),
        (b"<speak/>", TextTypeError, "of type bytes; with markup='ssml' a str is needed"),
        (["<speak/>"], TextTypeError, "of type list; with markup='ssml' a str is needed"),
        ("<!DOCTYPE speak><speak>Hi</speak>", TextError, "line 1 of the SSML: a document type .* refused"),
    ],
)
def test_what_is_no_document(model, document, error, message):
    for low_latency in (False, True):
        with pytest.raises(error, match=message):
            model.generate_stream(document, markup="ssml", low_latency=low_latency)


def test_wrong_options(model):
    with pytest.raises(SettingError, match="markup='html' is unknown; use one of 'ssml', 'ssml-lenient', 'pauses', or"):
        model.generate("Hi", markup="html")
    with pytest.raises(SettingError, match="markup='' is unknown"):
        model.generate_many(["Hi"], markup="")
    with pytest.raises(SettingError, match="phonemes=True is not for markup='ssml'"):
        model.generate(speak("Hi"), markup="ssml", phonemes=True)


def test_lenient(model, caplog):
    content = (
        "<audio src='x'>One <desc>no</desc></audio> <metadata><x>no</x></metadata><mstts:style>two</mstts:style> "
        "<prosody pitch='high' rate='2'>three.</prosody> <voice name='Mike'>Four.</voice> "
        "<say-as interpret-as='date'>Five</say-as>."
        "<sub alias='six'>6 <s>.</s></sub> <phoneme alphabet='x-sampa' ph='x'>seven</phoneme>"
    )
    with caplog.at_level(logging.WARNING, "kittentts"):
        found = inputs_of(model, speak(content), markup="ssml-lenient")
    expected = ids_of(model, "One two. three. Four. Five. six seven")
    assert [ids for ids, _, _ in found][1:] == [*ids_of(model, "three. Four. Five. six seven")]
    assert [speed for _, _, speed in found] == [1.0, 2.0, 1.0, 1.0, 1.0]
    assert len(expected) == len(found)
    (record,) = caplog.records
    message = record.getMessage()
    for name in ("<audio>", "<metadata>", "<mstts:style>", "pitch= of <prosody>", "the voice 'Mike'", "<say-as> ("):
        assert name in message
    # what is malformed, or has no sense, is an error still
    for wrong in ("<b>Hi", "<break time='x'/>Hi", "<prosody rate='x'>Hi</prosody>"):
        with pytest.raises(TextError):
            model.generate(speak(wrong), markup="ssml-lenient")


def test_the_log_names_a_few_things_only(model, caplog):
    content = "Hi" + "".join(f"<e{i}/>" for i in range(500))
    with caplog.at_level(logging.WARNING, "kittentts"):
        model.generate(speak(content), markup="ssml-lenient")
    (record,) = caplog.records
    assert "<e9> and 490 more: not done" in record.getMessage()


def test_emphasis_is_logged_once(model, caplog):
    with caplog.at_level(logging.WARNING, "kittentts"):
        of(model, "<emphasis>One</emphasis> <emphasis>two</emphasis>.")
    (record,) = caplog.records
    assert record.getMessage() == "SSML: <emphasis>: not done by these models, ignored"


STANDARD = {
    # each uses its elements as the examples of the W3C's recommendation (Speech Synthesis Markup Language 1.1) do
    "speak": '<speak version="1.1" xmlns="http://www.w3.org/2001/10/synthesis" xmlns:xsi="http://www.w3.org/2001/XMLSchema-'
    'instance" xsi:schemaLocation="http://www.w3.org/2001/10/synthesis synthesis.xsd" xml:lang="en-US">Hi.</speak>',
    "p and s": "<speak><p><s>The first sentence of it.</s><s>And here is another.</s></p></speak>",
    "say-as": '<speak><say-as interpret-as="date" format="mdy">2/1/1960</say-as> '
    '<say-as interpret-as="ordinal">2</say-as></speak>',
    "phoneme": '<speak><phoneme alphabet="ipa" ph="t&#x259;mei&#x325;&#x27E;ou&#x325;"> tomato </phoneme></speak>',
    "sub": '<speak><sub alias="World Wide Web Consortium">W3C</sub></speak>',
    "voice": '<speak><voice name="Bella">Here is a voice. <p>And a paragraph in it.</p></voice></speak>',
    "emphasis": '<speak>That is a <emphasis> big </emphasis> car! That is a <emphasis level="strong"> huge '
    "</emphasis> one!</speak>",
    "break": '<speak>Breathe <break/> then go on. Press 1 or wait. <break time="3s"/> I did not hear you! '
    '<break strength="weak"/> Again.</speak>',
    "prosody": '<speak>It costs <prosody rate="90%">$45</prosody>, <prosody rate="slow">as said</prosody>.</speak>',
    "mark": '<speak>Go from <mark name="here"/> here, to <mark name="there"/> there!</speak>',
    "lang": '<speak xml:lang="en-US">A <lang xml:lang="en-GB">biscuit</lang>.</speak>',
}


@pytest.mark.parametrize("name", STANDARD)
def test_the_standards_own_usage_is_read(tiny, name):
    speech = tiny.synthesize(STANDARD[name], markup="ssml", clean_text=True)
    speeches.words_of(speech)
    assert speech.audio.any()
