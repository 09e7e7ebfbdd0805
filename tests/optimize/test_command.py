"""Graphs that `optimize` and the command make, beside a model or in the cache, opened also without the onnx package."""

import subprocess
import sys

import pytest
import quantized_model
from optimized import WITHOUT_ONNX, entries, opened

from kittentts import KittenTTS
from kittentts.errors import MissingExtraError
from kittentts.models.probes import probes
from kittentts.optimize import build, optimize, record
from kittentts.optimize.record import MODEL_FILE, RECORD_FILE

TEXT = "Here is a sentence. And here is another one, a little longer than the first."

pytestmark = pytest.mark.usefixtures("any_gain")


def test_importing_kittentts_does_not_import_onnx(tmp_path):
    code = "import sys, kittentts, kittentts.optimize; sys.exit('onnx' in sys.modules or 'numpy' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path, timeout=60)


@pytest.mark.slow
@pytest.mark.usefixtures("cache")
def test_without_onnx(voice, run_python):
    assert run_python(WITHOUT_ONNX, voice, "auto").stdout.strip() == str(voice / "tiny.onnx")
    failed = run_python(WITHOUT_ONNX, voice, "exact", check=False)
    assert MissingExtraError.__name__ in failed.stderr
    assert "pip install onnx" in failed.stderr
    # what exists is opened without it
    made = str(opened(KittenTTS(voice)))
    assert run_python(WITHOUT_ONNX, voice, "auto").stdout.strip() == made
    assert run_python(WITHOUT_ONNX, voice, "exact").stdout.strip() == made


@pytest.mark.slow
def test_an_optimized_graph_beside_the_original_is_used_first(tmp_path, cache, run_python):
    folder = quantized_model.voice_directory(tmp_path / "made")
    found = optimize(folder / "tiny.onnx", lambda name: probes(folder / "voices.npz", name), folder)
    assert found.thorough
    assert found.variant in build.variant_names()
    assert run_python(WITHOUT_ONNX, folder, "auto").stdout.strip() == str(folder / MODEL_FILE)
    assert opened(KittenTTS(folder)) == folder / MODEL_FILE
    assert not cache.exists()
    # before the one in the cache, too
    optimize(folder / "tiny.onnx", lambda name: probes(folder / "voices.npz", name))
    assert len(entries(cache)) == 1
    assert opened(KittenTTS(folder)) == folder / MODEL_FILE
    # one that was made of another graph is not
    quantized_model.voice_directory(folder, extreme=True)
    assert opened(KittenTTS(folder)) != folder / MODEL_FILE


class TestCommand:
    def test_into_the_cache(self, voice, cache, kitten):
        result = kitten("optimize", voice)
        assert result.returncode == 0, result.stderr
        lines = result.stdout.splitlines()
        names = build.variant_names()
        assert [line.split()[0] for line in lines[: len(names) + 1]] == [*names, "original"]
        assert all("same bits" in line for line in lines[: len(names)])
        (folder,) = entries(cache)
        assert record.read_record(folder).thorough
        assert kitten("optimize", voice, "-q").stdout.count("same bits") == 0

    @pytest.mark.slow
    def test_into_a_directory_that_any_install_can_open(self, voice, cache, kitten, tmp_path, run_python):
        made = tmp_path / "fast" / "voice"
        result = kitten("optimize", voice, "-o", made)
        assert result.returncode == 0, result.stderr
        assert {"config.json", "tiny.onnx", "voices.npz", RECORD_FILE} <= {path.name for path in made.iterdir()}
        assert [path.name for path in made.parent.iterdir()] == ["voice"]
        wanted = KittenTTS(voice, optimize="off").generate(TEXT)
        assert KittenTTS(made).generate(TEXT).tobytes() == wanted.tobytes()
        assert run_python(WITHOUT_ONNX, made, "auto").stdout.startswith(str(made))
        assert not cache.exists()
        again = kitten("optimize", voice, "-o", made)
        assert again.returncode == 1
        assert "exists; name a directory that does not" in again.stderr

    @pytest.mark.usefixtures("cache")
    def test_nothing_to_gain(self, tiny_directory, kitten):
        assert "no rule applies" in kitten("optimize", tiny_directory).stdout

    def test_a_failure_leaves_nothing(self, kitten, tmp_path):
        result = kitten("optimize", tmp_path / "nowhere", "-o", tmp_path / "out")
        assert result.returncode == 1
        assert "there is no model directory" in result.stderr
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.slow
    def test_say_takes_a_mode(self, voice, cache, kitten, tmp_path):
        arguments = "say", "Hello.", "-m", voice, "-v", "Leo", "-o", tmp_path / "a.wav"
        assert kitten(*arguments, "--optimize", "off").returncode == 0
        assert not cache.exists()
        assert kitten(*arguments, "--optimize", "exact").returncode == 0
        assert len(entries(cache)) == 1
        assert kitten(*arguments, "--optimize", "max").returncode == 2
