"""Signals and disks that are full, while `kittentts say` or `batch` writes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tiny_model

TEXT = "It costs $5. Is that so? One sentence more!"
KITTEN = [sys.executable, "-m", "kittentts"]
posix_only = pytest.mark.skipif(os.name == "nt", reason="signals and files differ on Windows")


@pytest.fixture(scope="module")
def endless_directory(tmp_path_factory):
    """A model whose runs take longer than any test waits."""
    return tiny_model.make_directory(tmp_path_factory.mktemp("endless"), loops=10_000_000)


def is_writing(process, folder):
    """Whether the process has a file open in the folder, which on Linux has no name yet."""
    try:
        opened = [str(entry.readlink()) for entry in Path(f"/proc/{process.pid}/fd").iterdir()]
    except OSError:
        opened = []
    return bool(list(folder.iterdir())) or any(path.startswith(f"{folder}/") for path in opened)


@posix_only
@pytest.mark.usefixtures("sigint")
class TestSignals:
    @pytest.mark.parametrize("text", ["One sentence only.", "This is one. This is two. And three."])
    @pytest.mark.parametrize(("signals", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
    def test_in_the_middle_of_a_run(self, endless_directory, tmp_path, text, signals, status):
        command = [*KITTEN, "say", text, "-o", "a.wav", "-m", str(endless_directory)]
        with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE) as process:
            while not is_writing(process, tmp_path):
                assert process.poll() is None
                time.sleep(0.01)
            began = time.monotonic()
            process.send_signal(signals)
            assert process.stderr.read() == b""
            seconds = time.monotonic() - began
        assert process.returncode == status
        assert seconds < 1  # measured: under 0.2 s
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("options", [[], ["--subtitles", "a.srt"]])
    def test_while_the_model_is_opened(self, endless_directory, tmp_path, options):
        code = """
import sys
import kittentts.models.repository
def find_model(directory, *_, **__):
    import numpy, onnxruntime
    session = onnxruntime.InferenceSession(directory + "/tiny.onnx")
    print("opening", flush=True)
    # for ever in native code, like a session that is opened, only longer
    inputs = {"input_ids": [[1, 2]], "style": numpy.zeros((1, 256), "f4"), "speed": numpy.ones(1, "f4")}
    session.run(None, inputs)
kittentts.models.repository.find_model = find_model
from kittentts.cli import main
sys.exit(main(sys.argv[1:]))
"""
        command = [sys.executable, "-c", code, "say", "Hello.", "-o", "a.wav", "-m", str(endless_directory), *options]
        with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout.readline() == b"opening\n"
            process.send_signal(signal.SIGINT)
            assert process.stderr.read() == b""
        assert process.returncode == 130
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.slow
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_where_python_swallows_it(self, endless_directory, tmp_path, number):
        """An exception in a finalizer is printed and forgotten; the program ends nevertheless."""
        code = """
import signal, sys, weakref
import kittentts.models.repository as repository
find_model = repository.find_model
class Object: pass
def interrupted_finalizer(*arguments, **settings):
    thing = Object()
    weakref.finalize(thing, signal.raise_signal, int(sys.argv[1]))
    del thing
    return find_model(*arguments, **settings)
repository.find_model = interrupted_finalizer
from kittentts.cli import main, options
options._interruptible = lambda function: function()
sys.exit(main(sys.argv[2:]))
"""
        command = [sys.executable, "-c", code, str(int(number)), "say", "Hello.", "-m", str(endless_directory)]
        result = subprocess.run(
            [*command, "-o", "a.wav"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )
        assert (result.returncode, result.stdout, result.stderr) == (128 + number, "", "")
        assert list(tmp_path.iterdir()) == []

    def test_in_the_middle_of_an_exec(self, tmp_path):
        """`python -m` ends by SIGINT itself where a KeyboardInterrupt has passed through one."""
        code = """
import sys
import kittentts.models.repository
def find_model(*_, **__):
    exec("import signal; signal.raise_signal(signal.SIGTERM)")
kittentts.models.repository.find_model = find_model
from kittentts.cli import main
sys.exit(main(["voices"]))
"""
        (tmp_path / "program.py").write_text(code)
        command = [sys.executable, "-m", "program"]
        result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
        assert (result.returncode, result.stderr) == (128 + signal.SIGTERM, "")

    @pytest.mark.slow
    def test_where_it_is_ignored(self, tiny_directory, tmp_path):
        """As `nohup kittentts ... &` of a shell without job control does."""
        (tmp_path / "a.txt").write_text("This is a sentence.\n" * 300, encoding="utf-8")
        command = [*KITTEN, "batch", "a.txt", "--lines", "-d", "out", "-m", str(tiny_directory), "-q"]
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE) as process:
            while process.poll() is None and not list(tmp_path.glob("out/a-*.wav")):
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            assert process.stderr.read() == b""
        assert process.returncode == 0
        assert len(list(tmp_path.glob("out/*.wav"))) == 300


@posix_only
class TestDisk:
    def test_a_file_that_grows_too_large_leaves_nothing(self, say, tmp_path):
        import resource

        folder = tmp_path / "full"
        folder.mkdir()
        result = say(
            # espeak-ng's library, which phonemizer copies, must not be too large
            "Hello there, all of you that may read this. " * 200, "-o", "full/a.wav",
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000)),
        )  # fmt: skip
        assert result.returncode == 1
        assert result.stderr == "kittentts: full/a.wav: File too large\n"
        assert list(folder.iterdir()) == []

    @pytest.mark.parametrize("path", ["file/a.wav", "/proc/a.wav"])
    def test_a_folder_that_cannot_be_written(self, say_here, tmp_path, path):
        (tmp_path / "file").touch()
        result = say_here(TEXT, "-o", path)
        assert result.returncode == 1
        assert path.rpartition("/")[0] in result.stderr
        assert "Traceback" not in result.stderr
        assert [entry.name for entry in tmp_path.iterdir()] == ["file"]

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
    @pytest.mark.parametrize(
        ("options", "name"),
        [
            (["-o", "/dev/full", "--format", "wav"], "/dev/full"),
            (["-o", "full", "--format", "mp3"], "full"),
            (["-o", "a.wav", "--subtitles", "full.srt"], "full.srt"),
            (["-o", "a.wav", "--subtitles", "full.json"], "full.json"),
        ],
    )
    def test_a_full_disk_is_blamed_on_the_file(self, run_main, tiny_directory, tmp_path, options, name):
        for link in ("full", "full.srt", "full.json"):
            (tmp_path / link).symlink_to("/dev/full")
        result = run_main("say", TEXT, *options, "-m", tiny_directory)
        assert (result.returncode, result.stdout, result.stderr.count("\n")) == (1, "", 1)
        assert result.stderr.startswith(f"kittentts: {name}")
        assert not (tmp_path / "a.wav").exists()

    @pytest.mark.parametrize(
        ("options", "pipe", "beginning"),
        [
            (["-o", "pipe.wav"], "pipe.wav", b"RIFF\xff\xff\xff\xffWAVE"),
            (["-o", "pipe.mp3", "--subtitles", "a.srt"], "pipe.mp3", b""),
            (["-o", "a.wav", "--subtitles", "pipe.srt"], "pipe.srt", b"1\n00:00:00,"),
        ],
    )
    def test_a_pipe_with_a_name(self, tiny_directory, tmp_path, options, pipe, beginning):
        os.mkfifo(tmp_path / pipe)
        command = [*KITTEN, "say", TEXT, *options, "-m", str(tiny_directory)]
        with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE) as process:
            content = (tmp_path / pipe).read_bytes()
            assert process.stderr.read() == b""
        assert process.returncode == 0
        assert len(content) > 100
        assert content.startswith(beginning)
