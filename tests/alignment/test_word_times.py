"""`synthesize`: the audio of `generate`, and which word sounds when."""

import dataclasses
import itertools

import numpy as np
import pytest
import srt
import tiny_model
import webvtt
from hypothesis import given, settings
from hypothesis import strategies as st
from sentences import HARD
from speeches import check, check_order, words_of, written_words

from kittentts import KittenTTS
from kittentts.alignment.source_map import ChunkSource, WordSpan
from kittentts.alignment.speech import Phoneme
from kittentts.alignment.word_times import with_times
from kittentts.errors import SettingError, TextError
from kittentts.preprocess import TextPreprocessor, chunk_text
from kittentts.runtime.chunks import ModelInput, SynthesizedChunk
from kittentts.synthesis.request import has_sound

TEXT = "Dr. Smith paid $3.50, at 3:05 p.m., for all of the cake. Was it well-made? He said “yes — twice”…"


@pytest.mark.parametrize("clean_text", [False, True, str.upper])
@pytest.mark.parametrize("options", [{}, {"sentence_silence": 0.25, "speed": 1.3, "voice": "Jasper"}])
def test_audio_is_that_of_generate_and_times_fit_it(tiny, clean_text, options):
    options = {"clean_text": clean_text, **options}
    speech = tiny.synthesize(TEXT, **options)
    assert speech.audio.tobytes() == tiny.generate(TEXT, **options).tobytes()
    assert speech.sample_rate == 24000
    check(speech, TEXT)
    for look_ahead in (False, True):
        parts = list(tiny.synthesize_stream(TEXT, **options, look_ahead=look_ahead))
        assert np.concatenate([part.audio for part in parts]).tobytes() == speech.audio.tobytes()
        assert tuple(chunk for part in parts for chunk in part.chunks) == speech.chunks
        assert all(len(part.chunks) == 1 for part in parts)
    (many,) = tiny.generate_many([TEXT], timings=True, **options)
    assert many.audio.tobytes() == many.speech.audio.tobytes() == speech.audio.tobytes()
    assert many.speech.chunks == speech.chunks
    (many,) = tiny.generate_many([TEXT], **options)
    assert many.speech is None


def test_a_chunk_sounds_from_its_start_to_its_end(tiny):
    speech = tiny.synthesize(TEXT, sentence_silence=0.1)
    for chunk, text in zip(speech.chunks, chunk_text(TEXT), strict=True):
        waveform = speech.audio[round(chunk.start * 24000) : round(chunk.end * 24000)]
        assert waveform.tobytes() == tiny.generate(text).tobytes()


def test_a_word_sounds_from_its_start_to_its_end(tiny):
    # the tiny model's tone depends on the token: it is found where the phonemes are said to be
    speech = tiny.synthesize("A cat sat there today. On the mat there!")
    for chunk in speech.chunks:
        inputs = tiny.model._prepare_inputs(chunk.text, "expr-voice-5-m")
        tones = tiny_model.waveform(inputs["input_ids"][0].tolist(), inputs["style"], 1.0)
        begin = round(chunk.start * 24000)
        for phoneme in chunk.phonemes:
            start, end = round(phoneme.start * 24000), round(phoneme.end * 24000)
            assert np.allclose(speech.audio[start:end], tones[start - begin : end - begin], atol=1e-4)
            assert (end - start) % 600 == 0 or end == round(chunk.end * 24000)
    spoken = [(word.text, "".join(p.symbol for p in speech.chunks[i].phonemes if word.start <= p.start < word.end))
              for i in (0, 1) for word in speech.chunks[i].words]  # fmt: skip
    assert spoken[:3] == [("A", "ɐ"), ("cat", "kˈæt"), ("sat", "sˈæt")]


@pytest.mark.parametrize("clean_text", [False, True])
def test_nearly_all_words_of_hard_sentences_have_times_of_their_own(tiny, clean_text):
    total = own = 0
    for text in HARD:
        # a word after it, so that the fixed trim takes no word of the sentence
        speech = tiny.synthesize(text.rstrip(".?!") + ", and that was all of it.", clean_text=clean_text)
        check(speech, text.rstrip(".?!") + ", and that was all of it.")
        total += len(written_words(text))
        own += sum(len(written_words(word.text)) == 1 for word in words_of(speech) if word.span[1] <= len(text))
    assert own / total >= 0.98


def test_words_spoken_as_one_are_one(tiny):
    # nothing of "it" is left after the last 5,000 samples are cut
    speech = tiny.synthesize("Is it?")
    assert [word.text for word in words_of(speech)][-1].endswith("it")
    check(speech, "Is it?")


def test_spans_lead_through_cleaning_to_what_was_written(tiny):
    text = "See <b>Dr. Cat</b> at https://example.org/x — 10 km, $12 million, cafe\u0301 2nd; it's 5%."
    speech = tiny.synthesize(text, clean_text=True)
    assert [word.text for word in words_of(speech)] == [
        "See", "Dr", "Cat", "at", "10", "km", "$12 million", "cafe\u0301", "2nd", "it's", "5%",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "un<b>believ</b>able e<sup>x</sup> so<br>what <b>two words</b>!",
            "un<b>believ</b>able|e<sup>x|so|what|two|words",
        ),
        ('A <a href="x y">link here</a>.', "A|link|here"),
        ("<p>One</p><p>Two</p>", "One|Two"),
        ("Ask me@x.org or see https://a.org/b?c=d, now.", "Ask|or|see|now"),
    ],
)
def test_tags_and_addresses_that_are_gone_move_no_word(tiny, text, words):
    speech = tiny.synthesize(text, clean_text=True, trim="exact")
    assert [word.text for word in words_of(speech)] == words.split("|")


def test_what_cleaning_puts_in_is_no_word_of_the_text(tiny):
    text = "we go home now my friends."
    speech = tiny.synthesize(text, clean_text=lambda text: f"Well then, {text} The end of it. And out.")
    assert [word.text for word in words_of(speech)] == ["we", "go", "home", "now", "my", "friends"]
    assert [chunk.text for chunk in speech.chunks] == [text, "", ""]
    for subtitles in (speech.to_srt(), speech.to_srt(words=True), speech.to_vtt(), speech.to_vtt(words=True)):
        assert "-->" in subtitles
        assert "\n\n\n" not in subtitles
    assert len(list(srt.parse(speech.to_srt()))) == 1


def test_a_normalizer_of_another_kind(tiny_directory):
    class Mine(TextPreprocessor):
        def process(self, text):
            return super().process(text).replace("cat", "caterpillar")

    model = KittenTTS(tiny_directory)
    model.model.preprocessor = Mine(remove_punctuation=False)
    text = "My cat sleeps here on 2 chairs."
    speech = model.synthesize(text, clean_text=True)
    assert speech.audio.tobytes() == model.generate(text, clean_text=True).tobytes()
    check(speech, text)


def test_the_words_of_dense_chunks(tiny):
    for text in ("x" * 2100, "日" * 200, "7 a " * 99):
        assert [word.text for word in words_of(tiny.synthesize(text, trim="exact"))] == text.split()


def sine(count):
    return np.sin(np.arange(count, dtype=np.float32))


def piece(index, text, all_symbols, first_symbol, symbols, boundaries, *, is_last):
    token_ids = np.zeros((1, len(symbols) + 3), np.int64)
    style, speed = np.zeros((1, 256), np.float32), np.ones(1, np.float32)
    model_input = ModelInput(
        index, text, all_symbols, first_symbol, symbols, is_last, continues=False, joint=None, lead=0.0,
        token_ids=token_ids, style=style, speed=speed,
    )  # fmt: skip
    boundaries = None if boundaries is None else np.array(boundaries)
    return SynthesizedChunk(model_input, sine(boundaries[-1] if boundaries is not None else 2400), boundaries)


def in_samples(parts):
    return [
        (part.symbol if isinstance(part, Phoneme) else part.text, round(part.start * 24000), round(part.end * 24000))
        for part in parts
    ]


def test_times_across_pieces_and_pauses():
    text = "Ab cd! Ef, gh."
    sources = [
        ChunkSource(text, 0, (0, 6), [WordSpan(0, 2, (0, 2)), WordSpan(3, 6, (3, 5))]),
        ChunkSource(text, 0, (7, 14), [WordSpan(0, 3, (7, 9)), WordSpan(4, 7, (11, 13))]),
    ]
    chunks = [
        # the graph took the first chunk in two pieces: boundary, symbols, end mark, boundary
        piece(0, "Ab cd!", "ab cd !", 0, "ab ", [0, 100, 300, 600, 700, 800, 900], is_last=False),
        piece(0, "Ab cd!", "ab cd !", 3, "cd !", [0, 10, 30, 60, 60, 70, 80, 90], is_last=True),
        piece(1, "Ef, gh.", "ef , gh", 0, "ef , gh", [0, 0, 5, 10, 20, 30, 40, 50, 60, 70, 80], is_last=True),
    ]
    silence = np.zeros(1000, np.float32)
    first, second = with_times(
        (chunk for chunk in chunks), dict(enumerate(sources)), silence, lambda word: word.lower()
    )
    assert np.array_equal(first.audio, np.concatenate([sine(900), sine(90)]))
    assert np.array_equal(second.audio, np.concatenate([silence, sine(80)]))
    (chunk,) = first.chunks
    assert (chunk.text, chunk.span, chunk.start, chunk.end) == ("Ab cd!", (0, 6), 0.0, 990 / 24000)
    # what lasts no time, here the space before the mark, has none
    assert in_samples(chunk.phonemes) == [
        ("a", 100, 300), ("b", 300, 600), ("c", 910, 930), ("d", 930, 960), ("!", 960, 970),
    ]  # fmt: skip
    # the space between the words is the second one's
    assert in_samples(chunk.words) == [("Ab", 100, 600), ("cd", 600, 960)]
    (chunk,) = second.chunks
    assert (chunk.text, chunk.span, chunk.start, chunk.end) == ("Ef, gh.", (7, 14), 1990 / 24000, 2070 / 24000)
    assert in_samples(chunk.words) == [("Ef", 1990, 2000), ("gh", 2020, 2050)]
    assert [word.span for word in chunk.words] == [(7, 9), (11, 13)]


def test_one_piece_without_times_leaves_the_chunk_without():
    sources = [ChunkSource("ab cd", 0, (i, i + 2), [WordSpan(0, 2, (i, i + 2))]) for i in (0, 3)]
    chunks = [
        piece(0, "ab", "ab", 0, "a", [0, 100, 200, 300, 400], is_last=False),
        piece(0, "ab", "ab", 1, "b", None, is_last=True),
        piece(1, "cd", "cd", 0, "cd", [0, 100, 200, 300, 400, 500], is_last=True),
    ]
    first, second = with_times((chunk for chunk in chunks), dict(enumerate(sources)), np.zeros(0, np.float32), str)
    assert first.chunks[0].words is first.chunks[0].phonemes is None
    assert (first.chunks[0].start, first.chunks[0].end) == (0.0, 2800 / 24000)
    assert in_samples(second.chunks[0].words) == [("cd", 2900, 3100)]


def test_words_without_a_sound_are_one_with_their_neighbours():
    text = "x ab y z cd w"
    words = [WordSpan(i, i + len(word), (i, i + len(word))) for word in text.split() for i in [text.index(word)]]
    chunk = piece(0, text, "ab cd", 0, "ab cd", [0, *range(100, 900, 100)], is_last=True)
    sources = [ChunkSource(text, 0, (0, len(text)), words)]
    (speech,) = with_times((one for one in [chunk]), dict(enumerate(sources)), np.zeros(0, np.float32),
                           lambda word: word if len(word) == 2 else "")  # fmt: skip
    # those before the first that sounds are the first's, the others belong to the one before
    assert in_samples(speech.chunks[0].words) == [("x ab y z", 100, 300), ("cd w", 300, 600)]


def test_a_cleaner_with_other_tokens_tells_no_words(tiny_directory):
    model = KittenTTS(tiny_directory)
    cleaner = model.model.text_cleaner
    model.model.text_cleaner = lambda symbols: cleaner(symbols)[:-1]
    (chunk,) = model.synthesize("Hello there.").chunks
    assert chunk.words is chunk.phonemes is None
    assert chunk.end > 0.1


def test_own_cleaning(tiny):
    text = "Please say ONE, then 2."
    speech = tiny.synthesize(text, clean_text=lambda text: text.replace("2", "the number two").lower())
    assert [word.text for word in words_of(speech)] == ["Please", "say", "ONE", "then", "2"]
    check(speech, text)


def test_phonemes_as_text(tiny):
    text = "həlˈoʊ, ʌvðə wˈɜːld. ɡʊdbˈaɪ!"
    speech = tiny.synthesize(text, phonemes=True)
    assert [word.text for word in words_of(speech)] == ["həlˈoʊ", "ʌvðə", "wˈɜːld", "ɡʊdbˈaɪ"]
    check(speech, text)


def test_lexicon(tiny_directory):
    model = KittenTTS(tiny_directory, lexicon={"ONNX": "ˈɑːnɪks"})
    text = "The ONNX's graph, and ONNX, are here today."
    speech = model.synthesize(text)
    assert [word.text for word in words_of(speech)][:5] == ["The", "ONNX's", "graph", "and", "ONNX"]
    check(speech, text)


@pytest.mark.parametrize("text", ["7" * 396 + ".", "$ " * 600, "word " * 79 + "w" * 300, "... Hello. ?! — Then, no."])
def test_pieces_of_a_dense_chunk_are_one_chunk(tiny, text):
    speech = tiny.synthesize(text)
    assert speech.audio.tobytes() == tiny.generate(text).tobytes()
    assert len(speech.chunks) == len([chunk for chunk in chunk_text(text) if has_sound(chunk)])
    spans = [chunk.span for chunk in speech.chunks]
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))


def test_a_model_without_durations_tells_only_the_chunks(tmp_path):
    model = KittenTTS(tiny_model.make_directory(tmp_path, tokens=True))
    speech = model.synthesize(TEXT, sentence_silence=0.1)
    assert speech.audio.tobytes() == model.generate(TEXT, sentence_silence=0.1).tobytes()
    assert [chunk.text for chunk in speech.chunks] == [TEXT[slice(*chunk.span)] for chunk in speech.chunks]
    assert all(chunk.words is None and chunk.phonemes is None for chunk in speech.chunks)
    assert speech.chunks[-1].end == pytest.approx(len(speech.audio) / 24000)
    assert speech.to_srt().count("-->") == 3
    assert speech.chunks[-1].text == "He said “yes — twice”…"
    for write in (speech.to_srt, speech.to_vtt):
        with pytest.raises(SettingError, match="does not tell how long its tokens sound"):
            write(words=True)


def test_an_hour_agrees_with_its_audio_to_the_sample():
    count, samples = 2600, 36007
    sources = [ChunkSource("ab", 5 * i, (5 * i, 5 * i + 2), [WordSpan(0, 2, (5 * i, 5 * i + 2))]) for i in range(count)]
    chunks = (
        piece(i, "ab", "ab", 0, "ab", [0, 1, 18000, samples, samples, samples], is_last=True) for i in range(count)
    )
    position = 0
    for speech in with_times((chunk for chunk in chunks), dict(enumerate(sources)), np.zeros(77, np.float32), str):
        (chunk,) = speech.chunks
        pause = 77 if position else 0
        assert len(speech.audio) == samples + pause
        assert chunk.start * 24000 == pytest.approx(position + pause, abs=1e-6)
        assert chunk.words[0].start * 24000 == pytest.approx(position + pause + 1, abs=1e-6)
        position += len(speech.audio)
        assert chunk.end * 24000 == chunk.words[0].end * 24000 == pytest.approx(position, abs=1e-6)
    assert position > 3600 * 24000


PIECES = (
    "the of a it's 3 42 1,200 $5 5% 10 km p.m. Dr. Mr. U.S. e.g. <b> </b> https://a.org/b a@b.c — – … -- ... ! ? , ; "
    ": “ ” ( ) & # @ é e\u0301 Ω 日本 🙂 İ ſ \u200b \x00 well-known and/or o'clock 3:05 1999 IV x\u0301\u0302 ＡＢ ½ '"
)
ANY = st.lists(st.sampled_from([*PIECES.split(), " ", "\n", "\u00a0"]) | st.text(max_size=3), max_size=25).map(" ".join)


@settings(deadline=None, max_examples=150, database=None)
@given(ANY | ANY.map(lambda text: text.replace(" ", "")), st.booleans(), st.sampled_from(["fixed", "exact"]))
def test_whatever_the_text(tiny, text, clean_text, trim):
    try:
        audio = tiny.generate(text, clean_text=clean_text, trim=trim, sentence_silence=0.01)
    except TextError:
        with pytest.raises(TextError):
            tiny.synthesize(text, clean_text=clean_text)
        return
    speech = tiny.synthesize(text, clean_text=clean_text, trim=trim, sentence_silence=0.01)
    assert speech.audio.tobytes() == audio.tobytes()
    check_order(speech, text)
    # both raise for what they cannot read
    list(srt.parse(speech.to_srt()))
    webvtt.from_string(speech.to_vtt(words=True))


def test_a_space_that_was_not_spoken_begins_no_word(tiny):
    # the piece of quotes alone, with the space behind it, has no sound
    text = "Some text first of all here, you know. " + '"' * 126 + " " + "hello " * 36 + "now."
    check_order(tiny.synthesize(text), text)


def test_results_are_plain_data(tiny):
    speech = tiny.synthesize(TEXT)
    whole = speech.to_dict()
    assert whole["sample_rate"] == 24000
    assert len(whole["chunks"]) == 3
    assert whole["seconds"] == len(speech.audio) / 24000
    assert whole["chunks"][0]["words"][0] == {"text": "Dr", "start": 0.025, "end": 0.2, "span": (0, 2)}
    with pytest.raises(dataclasses.FrozenInstanceError):
        speech.chunks = ()
