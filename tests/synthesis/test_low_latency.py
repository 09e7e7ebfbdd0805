"""low_latency: the pieces, their growth, and the joints between them."""

import itertools

import numpy as np
import pytest
import tiny_model
from recording import Recording

from kittentts import KittenTTS
from kittentts.errors import TextError
from kittentts.preprocess.incremental import segments
from kittentts.synthesis.low_latency import LatencyCut, Pace
from kittentts.synthesis.trimming import joint_silence

TEXT = (
    "The committee, which met in the old town hall on a cold and rainy evening, could not agree on the price of the "
    "new bridge over the river, although everybody had been told before that it would be expensive. Then they went "
    "home. "
) * 6
# characters a second; what a run takes longer, as characters
PACE, OVERHEAD = 17.5, 15


def speak(factor, text=TEXT, speed=1.0):
    """Speak on a machine that takes so many seconds for a second of audio; return pieces, and how late each came."""
    pace = Pace()
    pace.record(factor * (75 + OVERHEAD) / PACE, 75, 1.0)
    now = 0.0
    cut = LatencyCut(pace, speed, clock=lambda: now)
    pieces, late, silent_at = [], [], None
    for segment in segments([text], cut):
        now += factor * (len(segment.text) + OVERHEAD) / PACE / speed
        late.append(0.0 if silent_at is None else now - silent_at)
        seconds = len(segment.text) / PACE / speed
        silent_at = seconds + (now if silent_at is None else max(now, silent_at))
        cut.spoken(round(seconds * 24_000))
        pieces.append(segment.text)
    return pieces, late, cut


@pytest.mark.parametrize("factor", [0.1, 0.3, 0.5, 0.6])
@pytest.mark.parametrize("speed", [1.0, 2.0])
def test_no_piece_comes_late_and_they_grow_until_sentences_are_whole(factor, speed):
    pieces, late, cut = speak(factor, speed=speed)
    assert "".join(pieces) == TEXT
    assert max(late) <= 0, (pieces, late)
    # the first is a small part of the first sentence, the last ones are sentences
    assert len(pieces[0]) < 70
    assert pieces[-1].strip() == "Then they went home."
    assert cut.is_relaxed == (factor < 0.6)


@pytest.mark.parametrize("seconds", [0.0, 1e30])
def test_a_clock_that_is_coarse_or_a_speed_that_is_none_spoils_nothing(seconds):
    pace = Pace()
    pace.record(seconds, 75, 1.0)
    cut = LatencyCut(pace, 1.0)
    assert 0 < cut(TEXT, True) < 100
    cut.spoken(24_000)
    cut(TEXT, True)
    for _ in range(40):
        pace.record(0.5 * (75 + OVERHEAD) / PACE, 75, 1.0)
    assert pace.seconds == pytest.approx(0.5 / PACE, rel=0.01)


def test_after_a_long_pause_of_the_writer_sentences_are_cut_again():
    sentence = "The committee, which met in the old town hall on a cold and rainy evening, could not agree."
    now = 0.0
    cut = LatencyCut(Pace(), 1.0, clock=lambda: now)
    cut.spoken(100 * 24_000)
    assert cut(sentence, True) is None
    assert cut.is_relaxed
    # less is left than what makes it relaxed, but it still sounds
    now = 99.0
    assert cut(sentence, True) is None
    assert cut.is_relaxed
    now = 101.0
    assert sentence[: cut(sentence, True)] == "The committee,"
    assert not cut.is_relaxed


def test_a_faster_machine_begins_with_less():
    assert speak(0.1)[0][0] == "The committee,"
    assert speak(0.5)[0][0] == "The committee, which met"
    assert len(speak(0.6)[0][0]) > len("The committee, which met")


def test_a_short_sentence_is_spoken_in_two_pieces():
    text = "Fishermen carry their nets down to the boats and then talk about the weather."
    in_two = ["Fishermen carry their nets down", " to the boats and then talk about the weather."]
    assert [speak(factor, text)[0] for factor in (0.3, 0.4)] == [in_two, in_two]
    # the first would take more than half of the time of the whole
    assert len(speak(0.5, text)[0]) == 3
    # what nobody knows the end of
    assert next(segments(iter([text, "Then", "they", "went"]), LatencyCut(Pace(), 1.0))).text == in_two[0]


def test_a_machine_that_is_too_slow_does_not_stop_after_each_word():
    pieces, _, cut = speak(2.0)
    assert all(len(piece) >= 12 for piece in pieces)
    assert not cut.is_relaxed


def test_a_pause_of_the_writer_makes_pieces_short_again():
    now, pace = 0.0, Pace()
    cut = LatencyCut(pace, 1.0, clock=lambda: now)
    cut.spoken(24_000 * 20)
    sentence = TEXT[: TEXT.index("Then")]
    assert cut(sentence, True) is None
    now = 19.0
    assert cut(sentence, True) < 40


def test_the_pace_is_that_of_the_last_runs():
    pace = Pace()
    assert pace.seconds == pytest.approx(0.5 / PACE)
    pace.record(9.0, 75, 1.0)
    assert pace.seconds == pytest.approx(0.1)
    # twice the speed is half the audio
    pace.record(9.0, 75, 2.0)
    assert pace.seconds == pytest.approx(0.15)


@pytest.fixture(scope="module")
def timed(tmp_path_factory):
    """A model whose graph tells durations."""
    return KittenTTS(tiny_model.make_directory(tmp_path_factory.mktemp("timed")), max_workers=2)


def spoken(model, text, **options):
    return list(model.synthesize_stream(text, low_latency=True, **options))


@pytest.fixture(autouse=True)
def _first_guess(request, monkeypatch):
    """Let a tiny model be taken for one that takes half a second for a second of audio."""
    if "timed" in request.fixturenames:
        monkeypatch.setattr(Pace, "record", lambda *_: None)


def test_pieces_are_chunks_with_spans_and_times_of_their_own(timed):
    chunks = [chunk for speech in spoken(timed, TEXT) for chunk in speech.chunks]
    assert len(chunks) > 12
    assert chunks[0].text == "The committee, which met"
    assert " ".join(chunk.text for chunk in chunks) == TEXT.strip()
    assert [TEXT[slice(*chunk.span)] for chunk in chunks] == [chunk.text for chunk in chunks]
    assert all(a.end <= b.start for a, b in itertools.pairwise(chunks))


def test_without_low_latency_nothing_changes(timed):
    assert len(list(timed.generate_stream(TEXT))) == 12


def test_joints_have_no_silence_of_the_sentence(timed):
    first, *others = spoken(timed, TEXT, sentence_silence=1.0)
    # its beginning is not cut, for it begins a sentence
    assert first.chunks[0].text == "The committee, which met"
    whole = timed.generate("The committee, which met")
    assert np.array_equal(first.audio[: len(whole)], whole)
    assert len(first.audio) > len(whole)
    begins_sentence = [not speech.chunks[0].text[0].islower() for speech in others]
    assert [not speech.audio[:24_000].any() for speech in others] == begins_sentence


@pytest.mark.parametrize("speed", [1.0, 2.0])
def test_a_mark_makes_the_speaker_rest(timed, speed):
    first, *_ = spoken(timed, "The other new committee, which nobody had asked, could not agree.", speed=speed)
    assert first.chunks[0].text == "The other new committee,"
    rest = round(0.55 / speed * 24_000)
    assert not first.audio[-rest:].any()
    assert first.audio[-rest - 120 : -rest].any()


@pytest.mark.parametrize(
    ("text", "seconds"), [("well,", 0.55), ("well; ", 0.55), ("this:", 0.65), ("wait...", 0.55), ("the old", 0.0)]
)
def test_the_rest_depends_on_the_mark(text, seconds):
    assert joint_silence(text) == seconds


def test_the_pace_is_measured_where_a_run_has_all_cores(timed, monkeypatch):
    recorded = []
    monkeypatch.setattr(Pace, "record", lambda _, *measured: recorded.append(measured))
    timed.generate("One. Two.")
    assert recorded == []
    list(timed.generate_stream("Hello there.", speed=2.0, low_latency=True))
    ((seconds, characters, speed),) = recorded
    assert seconds > 0
    assert (characters, speed) == (12, 2)


def test_the_first_piece_runs_before_the_rest_is_phonemized(timed):
    with KittenTTS(timed._spec.name) as model:
        recording = model.model.session = Recording(model.model.session)
        next(model.generate_stream(TEXT, low_latency=True))
        assert recording.inputs[0]["input_ids"].shape[1] < 40


@pytest.mark.parametrize("text", ["", " ", "...", "¦"])
def test_text_without_a_sound_is_an_error(timed, text):
    with pytest.raises(TextError):
        list(timed.generate_stream(text, low_latency=True))
