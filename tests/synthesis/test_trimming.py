"""`trim=`: nothing of the speech is cut, and no long silence is left."""

import numpy as np
import pytest
import tiny_model

from kittentts import KittenTTS
from kittentts.errors import SettingError
from kittentts.synthesis.trimming import trimmed

MARGIN = 480


def quiet(samples):
    return np.random.default_rng(1).normal(0, 1e-4, samples).astype(np.float32)


def tone(samples, loudness=0.3):
    return (loudness * np.sin(np.arange(samples) * 0.1)).astype(np.float32)


def test_fixed_drops_the_last_5000_samples():
    waveform = tone(12_000)
    cut, edges = trimmed(waveform, np.array([5, 10, 3, 2]), "fixed")
    assert cut.tobytes() == waveform[:7000].tobytes()
    assert edges.tolist() == [0, 3000, 7000, 7000, 7000]


@pytest.mark.parametrize("durations", [None, np.array([20, 10, 5, 5, 20, 20])])
def test_exact_keeps_the_speech_and_a_margin(durations):
    waveform = np.concatenate([quiet(12_000), tone(9_000), quiet(27_000)])
    cut, edges = trimmed(waveform, durations, "exact")
    assert len(cut) == pytest.approx(9_000 + 2 * MARGIN, abs=120)
    assert np.abs(cut[MARGIN + 240 : MARGIN + 8_000]).max() == pytest.approx(0.3, abs=1e-3)
    assert cut[0] == cut[-1] == 0
    if durations is None:
        assert edges is None
    else:
        assert edges[1] == pytest.approx(MARGIN, abs=120)
        assert edges[0] == 0
        assert edges[-1] == len(cut)


def test_exact_with_durations_keeps_all_that_sounds_at_once():
    waveform = np.concatenate([np.ones(9_000, np.float32), quiet(5_400)])
    cut, edges = trimmed(waveform, np.array([1, 14, 5, 4]), "exact")
    assert len(cut) == 9_000
    assert edges.tolist() == [0, 600, 9_000, 9_000, 9_000]


def test_exact_keeps_a_soft_last_sound():
    # 30 dB softer than the rest, after the closure of a "t"
    waveform = np.concatenate([tone(9_000), quiet(2_000), tone(500, 0.01), quiet(9_000)])
    cut, _ = trimmed(waveform, None, "exact")
    assert len(cut) == pytest.approx(11_500 + MARGIN, abs=120)


def test_exact_drops_the_click_at_the_end():
    waveform = np.concatenate([tone(9_000), quiet(8_000), tone(200, 0.8), quiet(500)])
    cut, _ = trimmed(waveform, None, "exact")
    assert len(cut) == pytest.approx(9_000 + MARGIN, abs=120)


@pytest.mark.parametrize(
    ("apart", "steps", "is_click"), [(31, 6, True), (30, 6, True), (29, 6, False), (31, 7, False), (31, 1, True)]
)
def test_a_click_is_shorter_and_further_away_than_any_sound_of_speech(apart, steps, is_click):
    # in steps of 5 ms
    speech = [tone(9_000), quiet(4_800), tone(1_200), quiet(apart * 120)]
    cut, _ = trimmed(np.concatenate([*speech, tone(steps * 120, 0.8), quiet(3_600)]), None, "exact")
    assert len(cut) == 15_000 + MARGIN + (0 if is_click else (apart + steps) * 120)


def test_the_ends_fade_in_and_out_within_5_ms():
    cut, _ = trimmed(np.concatenate([np.ones(9_000, np.float32), quiet(5_000)]), None, "exact")
    rise = np.linspace(0, 1, 120, dtype=np.float32)
    assert cut[:120].tobytes() == rise.tobytes()
    assert (cut[120:9_000] == 1).all()
    last = np.concatenate([np.zeros(5_000, np.float32), np.ones(9_000, np.float32)])
    assert trimmed(last, None, "exact")[0][-120:].tobytes() == rise[::-1].tobytes()


def test_exact_with_durations_drops_what_sounds_in_the_boundaries():
    # the last two tokens are boundaries: however loud they are
    waveform = np.concatenate([quiet(6_000), tone(9_000), tone(6_000, 0.9)])
    cut, _ = trimmed(waveform, np.array([10, 10, 5, 5, 5]), "exact")
    assert len(cut) == pytest.approx(9_000 + MARGIN, abs=120)
    assert np.abs(cut).max() < 0.31


def test_exact_keeps_a_first_sound_that_comes_before_its_token():
    waveform = np.concatenate([quiet(9_000), tone(9_000), quiet(9_000)])
    cut, _ = trimmed(waveform, np.array([18, 12, 5, 5, 5]), "exact")
    assert len(cut) == pytest.approx(9_000 + 2 * MARGIN, abs=120)


@pytest.mark.parametrize("waveform", [np.zeros(3000, np.float32), np.zeros(100, np.float32), np.zeros(0, np.float32)])
def test_silence_alone_is_left_alone(waveform):
    cut, _ = trimmed(waveform, None, "exact")
    assert len(cut) == len(waveform)


def test_boundaries_alone_are_three():
    assert trimmed(tone(6_600), np.array([5, 5, 1]), "fixed")[1].tolist() == [0, 1600, 1600, 1600]
    assert trimmed(tone(6_600), np.array([5, 6]), "fixed")[1] is None


def test_what_is_no_number_is_left_alone():
    waveform = np.full(6000, np.nan, np.float32)
    assert len(trimmed(waveform, None, "exact")[0]) == 6000


def test_durations_that_do_not_fit_the_waveform_are_none():
    assert trimmed(tone(12_000), np.array([5, 10, 3, 3]), "fixed")[1] is None


@pytest.mark.parametrize("tokens", [False, True])
def test_through_all_methods(tmp_path, tokens):
    model = KittenTTS(tiny_model.make_directory(tmp_path, tokens=tokens))
    text = "One sentence here. And another one!"
    exact = model.generate(text, trim="exact", sentence_silence=0.1)
    assert exact.tobytes() != model.generate(text, sentence_silence=0.1).tobytes()
    for look_ahead in (False, True):
        stream = model.generate_stream(text, trim="exact", sentence_silence=0.1, look_ahead=look_ahead)
        assert np.concatenate(list(stream)).tobytes() == exact.tobytes()
    speech = model.synthesize(text, trim="exact", sentence_silence=0.1)
    assert speech.audio.tobytes() == exact.tobytes()
    assert speech.chunks[-1].end == len(exact) / 24000
    (result,) = model.generate_many([text], trim="exact", sentence_silence=0.1)
    assert result.audio.tobytes() == exact.tobytes()


def test_a_wrong_trim_is_named(tiny):
    with pytest.raises(SettingError, match="trim='tight' is unknown; use one of 'fixed', 'exact'"):
        tiny.generate("Hello.", trim="tight")
