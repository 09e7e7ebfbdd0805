"""The examples run as they stand, each in an interpreter of its own, with the tiny model."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import speech_server

import kittentts
from kittentts import KittenTTS, errors

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.fixture
def example(tiny_directory, tmp_path):
    """Run an example in an empty folder; return what it prints."""

    def run(name, *arguments, **variables):
        result = subprocess.run(
            [sys.executable, EXAMPLES / name, *map(str, arguments)],
            cwd=tmp_path, env=os.environ | {"KITTENTTS_MODEL": str(tiny_directory), **variables},
            capture_output=True, encoding="utf-8", timeout=240, check=False,
        )  # fmt: skip
        assert result.returncode == 0, result.stderr
        return result.stdout

    return run


def samples_of(model, text, voice, **options):
    """Return what a 16-bit file of this text holds, within the rounding of one step."""
    return pytest.approx(np.clip(model.generate(text, voice, **options), -1, 1), abs=2 / 32768)


def test_hello(example, tiny, tmp_path):
    example("hello.py")
    audio, rate = soundfile.read(tmp_path / "hello.wav")
    assert rate == 24_000
    assert audio == samples_of(tiny, "Hello there. Is this not a fine day?", "Bella", clean_text=True)


def test_stream_to_sound_card(example, tiny, tmp_path):
    # stands in for the sound card: what is written to it goes into a file
    (tmp_path / "sounddevice.py").write_text(
        "class OutputStream:\n"
        "    def __init__(self, **options):\n"
        "        assert options['samplerate'] == 24_000 and options['dtype'] == 'float32', options\n"
        "    def __enter__(self):\n"
        "        self.file = open('played.raw', 'wb')\n"
        "        return self\n"
        "    def __exit__(self, *_):\n"
        "        self.file.close()\n"
        "    def write(self, block):\n"
        "        assert block.shape == (len(block), 1), block.shape\n"
        "        self.file.write(block.tobytes())\n"
    )
    example("stream_to_sound_card.py", PYTHONPATH=str(tmp_path))
    text = re.search('TEXT = "(.+)"', (EXAMPLES / "stream_to_sound_card.py").read_text(encoding="utf-8"))[1]
    assert (tmp_path / "played.raw").read_bytes() == tiny.generate(text, "Bella").tobytes()


@pytest.mark.slow
def test_long_book_with_subtitles(example, tiny, tmp_path):
    text = "Chapter one. It cost $5. " * 10 + "The end."
    (tmp_path / "book.txt").write_text(text, encoding="utf-8")
    example("long_book_with_subtitles.py", "book.txt")
    speech = tiny.synthesize(text, clean_text=True, sentence_silence=0.2)
    assert soundfile.info(tmp_path / "book.mp3").duration == pytest.approx(len(speech.audio) / 24_000, abs=0.1)
    subtitles = (tmp_path / "book.srt").read_text(encoding="utf-8")
    assert subtitles == speech.to_srt()
    assert subtitles.count("-->") == len(speech.chunks)


@pytest.mark.slow
def test_many_lines(example, tiny, tmp_path):
    output = example("many_lines.py")
    assert sorted(path.name for path in tmp_path.glob("*.wav")) == ["goodbye.wav", "question.wav", "welcome.wav"]
    assert "nothing: '...' has no word" in output
    for name, text, voice, speed in (
        ("welcome", "Welcome back.", "Leo", 1.0),
        ("question", "How are you today?", "Bella", 1.0),
        ("goodbye", "See you soon.", "Jasper", 1.2),
    ):
        assert soundfile.read(tmp_path / f"{name}.wav")[0] == samples_of(tiny, text, voice, speed=speed)


def test_own_lexicon(example, tiny, tiny_directory, tmp_path):
    example("own_lexicon.py")
    text = "The GIF shows an ONNX graph."
    model = KittenTTS(tiny_directory, lexicon={"ONNX": "ˈɑːnɪks", "gif": "dʒˈɪf"})
    audio, _ = soundfile.read(tmp_path / "lexicon.wav")
    assert audio == samples_of(model, text, "Bella")
    assert len(audio) != len(tiny.generate(text, "Bella"))


def test_server_client(example, tiny, tmp_path):
    with speech_server.running(tiny) as url:
        example("server_client.py", url + "/v1")
    expected = len(tiny.generate("Hello there. How are you?", "Bella")) / 24_000
    assert soundfile.info(tmp_path / "answer.mp3").duration == pytest.approx(expected, abs=0.1)


@pytest.mark.slow
def test_dask_lines(example, tiny, tmp_path):
    output = example("dask_lines.py")
    paths = [tmp_path / f"line-{number}.wav" for number in (1, 2, 3)]
    assert output.splitlines() == list(map(str, paths))
    for path, line in zip(paths, ("Welcome back.", "How are you today?", "See you soon."), strict=True):
        assert soundfile.read(path)[0] == samples_of(tiny, line, "Bella", clean_text=True)


def test_pipecat_tts(example, tiny, tmp_path):
    pytest.importorskip("pipecat", reason="pipecat-ai is not installed: with what it needs, it takes 500 MB")
    example("pipecat_tts.py")
    audio = np.frombuffer((tmp_path / "pipecat.raw").read_bytes(), "<i2") / 32768
    assert audio == samples_of(tiny, "Hello there. That is $5.", "Bella", clean_text=True)


def test_livekit_tts(example, tiny, tmp_path):
    pytest.importorskip("livekit.agents", reason="livekit-agents is not installed: with what it needs, it takes 370 MB")
    example("livekit_tts.py")
    audio, _ = soundfile.read(tmp_path / "livekit.wav")
    assert audio == samples_of(tiny, "Hello there. That is $5.", "Bella", clean_text=True)


def test_every_example_has_a_test():
    assert {f"test_{path.stem}" for path in EXAMPLES.glob("*.py")} <= globals().keys()


def test_examples_import_public_names_only():
    for path in EXAMPLES.glob("*.py"):
        for names in re.findall(r"^(?:from|import) (kittentts.*)", path.read_text(encoding="utf-8"), re.MULTILINE):
            module, _, imported = names.partition(" import ")
            public = {"kittentts": kittentts.__all__, "kittentts.errors": vars(errors)}
            assert set(imported.split(", ")) <= set(public[module]), path
