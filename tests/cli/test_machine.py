"""`kittentts voices`, `models`, `download` and `doctor`: what is on this machine."""

import os

import pytest
import tiny_model


@pytest.fixture
def env(tmp_path):
    """An environment with caches of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "KITTENTTS_"))}
    return kept | {"HF_HOME": str(tmp_path / "hub"), "KITTENTTS_CACHE": str(tmp_path / "cache")}


def test_voices(kitten, tiny, tiny_directory, tmp_path):
    assert kitten("voices", "-m", tiny_directory).stdout.split() == tiny.available_voices == list(tiny_model.ALIASES)
    bare = tiny_model.make_directory(tmp_path / "bare", config={"voice_aliases": {"Gone": "no-such-voice"}})
    assert kitten("voices", "-m", bare).stdout.split() == list(tiny_model.ALIASES.values())


@pytest.mark.demo
def test_voices_of_the_demo(kitten):
    assert kitten("voices", "-m", "demo").stdout.split()[:3] == ["Bella", "Jasper", "Luna"]


def test_models_and_download(kitten, hub, env):
    result = kitten("models", env=env)
    assert result.returncode == 0
    rows = {line.split()[0]: line for line in result.stdout.splitlines() if line}
    for name in ("nano-0.8", "nano-0.8-int8", "micro-0.8", "mini-0.8"):
        assert "no: kittentts download" in rows[f"KittenML/kitten-tts-{name}"]
    assert "82M" in rows["demo"]
    assert "owner/tiny" not in rows

    online = env | {"HF_ENDPOINT": hub.url}
    result = kitten("download", "owner/tiny", "-q", env=online)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("owner/tiny: 1 MB in ")
    rows = kitten("models", env=env).stdout
    assert "owner/tiny" in rows
    # what is there is used without the network, asked again with --refresh
    hub.requests.clear()
    assert kitten("download", "owner/tiny", env=online).returncode == 0
    assert not hub.requests
    assert kitten("download", "owner/tiny", "--refresh", env=online).returncode == 0
    assert hub.requests

    report = kitten("doctor", env=env | {"KITTENTTS_MODEL": "owner/tiny"})
    assert "owner/tiny is in the cache" in report.stdout


def test_a_download_that_fails(kitten, hub, env):
    result = kitten("download", "owner/tiny", "owner/other", env=env | {"HF_ENDPOINT": hub.url})
    assert result.returncode == 1
    assert "owner/tiny: " in result.stdout
    assert "kittentts: the Hugging Face Hub has no repository 'owner/other'" in result.stderr


class TestDoctor:
    def test_all_is_well(self, kitten, tiny_directory, env):
        result = kitten("doctor", env=env | {"KITTENTTS_MODEL": str(tiny_directory)})
        assert (result.returncode, result.stderr) == (0, "")
        assert "WRONG" not in result.stdout
        for subject in (
            "Python",
            "ONNX Runtime",
            "espeak-ng",
            "libsndfile",
            "CPU",
            "memory",
            "Hub's cache",
            "demo voice",
        ):
            assert f" {subject} " in result.stdout
        assert f"the directory {tiny_directory}" in result.stdout
        assert f"KITTENTTS_MODEL={tiny_directory}" in result.stdout
        assert result.stdout.endswith("Nothing is wrong.\n")

    @pytest.mark.parametrize(
        ("variables", "message"),
        [
            ({"ESPEAK_DATA_PATH": "/nowhere"}, "has no espeak-ng data"),
            ({"PHONEMIZER_ESPEAK_LIBRARY": "/nowhere.so"}, "espeak"),
            ({"KITTENTTS_CACHE": "/dev/null/cache"}, "-> set KITTENTTS_CACHE to a folder that can be written"),
            ({"KITTENTTS_MODEL": "."}, "there is no config.json"),
        ],
    )
    def test_what_is_wrong_is_named_and_the_rest_goes_on(self, kitten, env, variables, message):
        result = kitten("doctor", env=env | variables)
        assert result.returncode == 1
        assert "WRONG" in result.stdout
        assert message in result.stdout
        assert " memory " in result.stdout
        assert result.stdout.endswith("1 of these must be mended.\n")

    @pytest.mark.parametrize("module", ["onnxruntime", "numpy", "soundfile", "phonemizer"])
    def test_a_package_that_cannot_be_imported(self, kitten, env, tmp_path, module):
        (tmp_path / "broken").mkdir()
        (tmp_path / f"broken/{module}.py").write_text("raise ImportError('this one is broken')")
        result = kitten("doctor", env=env | {"PYTHONPATH": str(tmp_path / "broken")})
        assert result.returncode == 1
        assert "this one is broken" in result.stdout
        assert " memory " in result.stdout
        assert "Traceback" not in result.stdout
