"""The real command in a subprocess."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile
import tiny_model

import kittentts

COMMANDS = {"module": [sys.executable, "-m", "kittentts"], "script": [str(Path(sys.executable).parent / "kittentts")]}


@pytest.fixture
def kitten(tmp_path):
    def run(*arguments, command="module", env=None):
        return subprocess.run(
            [*COMMANDS[command], *map(str, arguments)],
            cwd=tmp_path, env=env, capture_output=True, text=True, timeout=240, check=False,
        )  # fmt: skip

    return run


@pytest.mark.parametrize("command", COMMANDS)
def test_version(kitten, command):
    result = kitten("--version", command=command)
    assert (result.returncode, result.stdout) == (0, f"kittentts {kittentts.__version__}\n")


def test_say(kitten, tiny, tiny_directory, tmp_path):
    result = kitten("say", "It costs", "$5.", "-m", tiny_directory, "-v", "Jasper", "-s", "1.5", "-o", "hello.wav")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    tiny.generate_to_file("It costs $5.", tmp_path / "expected.wav", "Jasper", 1.5)
    assert (tmp_path / "hello.wav").read_bytes() == (tmp_path / "expected.wav").read_bytes()
    info = soundfile.info(tmp_path / "hello.wav")
    assert (info.samplerate, info.channels, info.subtype) == (24000, 1, "PCM_16")


def test_voices(kitten, tiny_directory):
    assert kitten("voices", "-m", tiny_directory).stdout.split() == list(tiny_model.ALIASES)


def test_help_is_light(kitten):
    env = os.environ | {"PYTHONPROFILEIMPORTTIME": "1"}
    result = kitten("--help", env=env)
    assert "say" in result.stdout
    assert not {"numpy", "onnxruntime", "soundfile"} & {
        line.split("|")[-1].strip() for line in result.stderr.split("\n")
    }


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["say", "Hello.", "-v", "Nobody", "-o", "a.wav"], 1, "voice='Nobody' is unknown"),
        (["say", "Hello.", "-s", "0", "-o", "a.wav"], 1, "speed=0.0 is not a finite number above 0"),
        (["say", " ", "-o", "a.wav"], 1, "blank"),
        (["say", "Hello.", "-o", "nowhere/a.wav"], 1, "the folder"),
        (["say", "Hello.", "-o", "a.xyz"], 1, "names no audio format"),
        (["say", "Hello.", "-s", "fast", "-o", "a.wav"], 2, "invalid float value"),
        (["say", "-o", "a.wav"], 1, "blank"),
        (["say", "Hello.", "-i", "a.txt", "-o", "a.wav"], 2, "not both"),
        (["say", "Hello.", "--format", "wav"], 2, "--format and --subtype are for -o"),
        (["say", "Hello.", "--quiet", "--verbose"], 2, "not allowed with"),
        (["sing"], 2, "sing"),
        ([], 2, "COMMAND"),
    ],
)
def test_errors_are_short_and_have_a_status(kitten, tiny_directory, tmp_path, arguments, status, message):
    model = ["-m", tiny_directory] if arguments[:1] == ["say"] else []
    result = kitten(*arguments, *model)
    assert result.returncode == status
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
    if status == 1:
        assert result.stderr.count("\n") == 1
    assert list(tmp_path.glob("*")) == []


def test_a_model_that_is_not_there(kitten):
    result = kitten("voices", "-m", "/no/such/directory")
    assert result.returncode == 1
    assert result.stderr.startswith("kittentts: there is no model directory '/no/such/directory'")


def test_the_script_is_installed():
    assert shutil.which("kittentts", path=Path(sys.executable).parent)
