"""`kittentts batch`: names, failures, interruptions of every kind, and 1,000 texts."""

import functools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import filelock
import pytest
import soundfile
import tiny_model

from kittentts import KittenTTS

KITTEN = [sys.executable, "-m", "kittentts"]


@pytest.fixture
def batch_apart(kitten, tiny_directory):
    """In a process of its own."""

    def run(*arguments, **options):
        return kitten("batch", *arguments, "-m", tiny_directory, **options)

    return run


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def as_jsonl(*items):
    return "\n".join(item if isinstance(item, str) else json.dumps(item) for item in items)


def test_files(batch_apart, tiny, tmp_path):
    (tmp_path / "one.txt").write_text("\ufeffIt costs $5.", encoding="utf-8")
    (tmp_path / "two.md").write_text("# Two\n\nIt is *good*.\n", encoding="utf-8")
    result = batch_apart("one.txt", "two.md", "-", "-d", "out/deep", "--format", "flac", "-v", "Bella", input="Three.")
    assert (result.returncode, result.stdout) == (0, "")
    assert result.stderr.startswith("kittentts: 3 written in ")
    assert names(tmp_path / "out/deep") == ["one.flac", "stdin.flac", "two.flac"]
    for name, text in (("one", "It costs $5."), ("two", "Two. It is good.")):
        tiny.generate_to_file(text, tmp_path / "expected.flac", "Bella")
        assert (tmp_path / f"out/deep/{name}.flac").read_bytes() == (tmp_path / "expected.flac").read_bytes()


def test_lines(batch, tmp_path):
    (tmp_path / "all.txt").write_text("One.\r\n\nTwo, three.\n", encoding="utf-8")
    result = batch("all.txt", "--lines", "-d", "out", "-q")
    assert (result.returncode, result.stderr) == (0, "")
    assert names(tmp_path / "out") == ["all-00001.wav", "all-00003.wav"]


def test_json_lines_with_bad_ones_among_them(batch, tiny, tmp_path):
    (tmp_path / "here").mkdir()
    (tmp_path / "here/link").symlink_to(tmp_path)
    lines = as_jsonl(
        {"id": "intro/1", "text": "One.", "voice": "Jasper", "speed": 1.5, "scene": "ignored"},
        {"id": 2, "text": "Two."},
        {"id": "../x", "text": "Out."},
        {"id": "/x", "text": "Out."},
        {"id": "C:\\x", "text": "Out."},
        {"id": "..\\x", "text": "Out."},
        {"id": "link/x", "text": "Out."},
        {"id": "", "text": "No name."},
        {"id": "a/", "text": "No name."},
        {"id": "a\0b", "text": "No name."},
        {"id": "x" * 250, "text": "Long name."},
        {"id": True, "text": "No name."},
        {"id": 2, "text": "Twice."},
        {"text": "No name."},
        {"id": "silent"},
        "{broken",
        "[1]",
        "",
        {"id": "no-voice", "text": "One.", "voice": "Nobody"},
        {"id": "no-speed", "text": "One.", "speed": "fast"},
        {"id": "no-text", "text": 5},
        {"id": "no-sound", "text": "..."},
        {"id": "last", "text": "The end."},
    )
    (tmp_path / "all.jsonl").write_text(lines, encoding="utf-8")
    result = batch("all.jsonl", "--jsonl", "-d", "here")
    assert result.returncode == 1
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    *failures, summary = result.stderr.splitlines()
    assert {int(line.split(":")[2]) for line in failures} == {*range(3, 18), *range(19, 23)}
    assert summary.startswith("kittentts: 3 written in ")
    assert summary.endswith("19 failed")
    assert names(tmp_path / "here") == ["2.wav", "intro/1.wav", "last.wav"]
    assert names(tmp_path) == ["all.jsonl", "here/2.wav", "here/intro/1.wav", "here/last.wav"]
    tiny.generate_to_file("One.", tmp_path / "expected.wav", "Jasper", 1.5)
    assert (tmp_path / "here/intro/1.wav").read_bytes() == (tmp_path / "expected.wav").read_bytes()


@pytest.mark.skipif(os.name == "nt", reason="names and links differ on Windows")
@pytest.mark.parametrize(
    ("item", "message"),
    [
        ('{"id": "x", "text": "One.", "more": ' + "[" * 100_000 + "]" * 100_000 + "}", "not valid JSON: maximum rec"),
        ({"id": "a/" * 100 + "a"}, "has 101 parts; at most 100 are possible"),
        ({"id": ("x" * 240 + "/") * 20 + "a"}, "File name too long"),
        ({"id": "x" * 250 + "/a"}, "is too long for a file"),
        ({"id": "loop/a"}, "cannot be used here: "),
        ({"id": "loop"}, "cannot be used here: "),
        ({"id": "file.wav/a"}, "cannot be used here: Not a directory"),
        ({"id": "q.wav/r"}, "out/q.wav is already the file of all.jsonl:1"),
        ({"id": "folder"}, "out/folder.wav is already a folder for all.jsonl:2"),
        ({"id": "folder", "text": "x" * 30_000}, "out/folder.wav is already a folder for all.jsonl:2"),
    ],
)
def test_a_line_whose_file_cannot_be_fails_alone(run_main, tiny_directory, tmp_path, item, message):
    out = tmp_path / "out"
    out.mkdir()
    (out / "loop").symlink_to("loop")
    (out / "loop.wav").symlink_to("loop.wav")
    (out / "file.wav").write_bytes(b"")
    bad = item if isinstance(item, str) else {"text": "Bad.", **item}
    lines = as_jsonl(
        {"id": "q", "text": "One."}, {"id": "folder.wav/r", "text": "Two."}, bad, {"id": "last", "text": "Three."}
    )
    (tmp_path / "all.jsonl").write_text(lines, encoding="utf-8")
    result = run_main("batch", "all.jsonl", "--jsonl", "-d", "out", "-m", tiny_directory)
    assert result.returncode == 1
    failure, summary = result.stderr.splitlines()
    assert failure.startswith("kittentts: all.jsonl:3: ")
    assert message in failure
    assert summary.startswith("kittentts: 3 written in ")
    assert summary.endswith(", 1 failed")
    assert names(out) == ["file.wav", "folder.wav/r.wav", "last.wav", "q.wav"]


def test_subtitles_take_a_name_too(run_main, tiny_directory, tmp_path):
    lines = as_jsonl({"id": "u", "text": "One."}, {"id": "u.srt/v", "text": "Two."})
    (tmp_path / "all.jsonl").write_text(lines, encoding="utf-8")
    arguments = ["batch", "all.jsonl", "--jsonl", "-m", tiny_directory]
    result = run_main(*arguments, "-d", "with", "--subtitles", "srt")
    assert (result.returncode, names(tmp_path / "with")) == (1, ["u.srt", "u.wav"])
    assert "all.jsonl:2: with/u.srt is already the file of all.jsonl:1\n" in result.stderr
    assert run_main(*arguments, "-d", "without").returncode == 0
    assert names(tmp_path / "without") == ["u.srt/v.wav", "u.wav"]


def test_inputs_that_cannot_be_read(batch, tmp_path):
    (tmp_path / "bad.txt").write_bytes(b"Caf\xe9")
    (tmp_path / "good.txt").write_text("Good.")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/good.txt").write_text("Same name.")
    result = batch("bad.txt", "nothing.txt", "good.txt", "sub/good.txt", "-d", "out")
    assert result.returncode == 1
    assert "bad.txt is not UTF-8 text" in result.stderr
    assert "kittentts: nothing.txt: No such file or directory\n" in result.stderr
    assert "sub/good.txt: out/good.wav is already the file of good.txt" in result.stderr
    assert names(tmp_path / "out") == ["good.wav"]


def test_what_is_there_is_left_alone_unless_told(batch, tmp_path):
    (tmp_path / "a.txt").write_text("One.\nTwo.\n")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/a-00001.wav").write_bytes(b"precious")
    result = batch("a.txt", "--lines", "-d", "out")
    assert result.returncode == 0
    assert "1 there already" in result.stderr
    assert (tmp_path / "out/a-00001.wav").read_bytes() == b"precious"
    assert batch("a.txt", "--lines", "-d", "out", "--overwrite").returncode == 0
    assert soundfile.info(tmp_path / "out/a-00001.wav").frames > 0


@pytest.mark.parametrize(
    ("options", "message"), [(["-v", "Nobody"], "voice='Nobody' is unknown"), (["-s", "0"], "speed=0.0 is not")]
)
def test_what_is_wrong_for_all_is_said_once(batch, tmp_path, options, message):
    (tmp_path / "a.txt").write_text("One.\nTwo.\nThree.\n")
    result = batch("a.txt", "--lines", "-d", "out", *options)
    assert result.returncode == 1
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_one_batch_at_a_time(batch_apart, tmp_path):
    (tmp_path / "a.txt").write_text("One.")
    (tmp_path / "out").mkdir()
    with filelock.FileLock(tmp_path / "out/.kittentts-batch.lock"):
        result = batch_apart("a.txt", "-d", "out")
    assert result.returncode == 1
    assert result.stderr == "kittentts: another kittentts batch is writing into 'out'; wait for it, or end it\n"
    assert batch_apart("a.txt", "-d", "out").returncode == 0


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals differ on Windows")
def test_a_thousand_texts_killed_and_resumed(batch_apart, tiny, tiny_directory, tmp_path):
    """SIGKILL in the middle: nothing is lost, nothing is done twice, nothing half done is left."""
    texts = {f"{i:04}": f"This is number {i} of them." for i in range(1000)}
    items = as_jsonl(*({"id": name, "text": text} for name, text in texts.items()))
    (tmp_path / "all.jsonl").write_text(items, encoding="utf-8")
    out = tmp_path / "out"
    command = [*KITTEN, "batch", "all.jsonl", "--jsonl", "-d", "out", "-m", str(tiny_directory)]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL) as process:
        while not out.is_dir() or len(names(out)) < 100:
            assert process.poll() is None
            time.sleep(0.005)
        process.kill()
    # what the kill may leave
    (out / ".0123abcd-0999.wav").write_bytes(b"half")
    (out / ".0123abcd-other.wav").write_bytes(b"of another program")
    complete = {path: path.stat() for path in out.glob("[0-9]*.wav")}
    assert 90 < len(complete) < 1000
    result = batch_apart("all.jsonl", "--jsonl", "-d", "out")
    assert result.returncode == 0
    assert result.stderr.startswith(f"kittentts: {1000 - len(complete)} written in ")
    assert f"{len(complete)} there already" in result.stderr
    assert names(out) == [".0123abcd-other.wav", *(f"{name}.wav" for name in texts)]
    for path, stat in complete.items():
        assert (path.stat().st_ino, path.stat().st_mtime_ns) == (stat.st_ino, stat.st_mtime_ns)
    for name, text in texts.items():
        expected = tiny.generate(text, clean_text=True)
        samples = soundfile.read(out / f"{name}.wav", dtype="float32")[0]
        assert abs(samples - expected).max() < 1 / 16000


def processor_seconds(process):
    """Return what a process has computed so far."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's /proc")
@pytest.mark.usefixtures("sigint")
def test_ctrl_c(tmp_path):
    endless = tiny_model.make_directory(tmp_path / "endless", loops=10_000_000)
    (tmp_path / "a.txt").write_text("One.\n...\nThree.\n")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/a-00001.wav").write_bytes(b"there")
    command = [*KITTEN, "batch", "a.txt", "--lines", "-d", "out", "-m", str(endless)]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE) as process:
        assert b"a.txt:2: " in process.stderr.readline()
        # the other text is in an endless run
        began = processor_seconds(process)
        while processor_seconds(process) < began + 0.3:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        stderr = process.stderr.read()
    assert process.returncode == 130
    summary = b"0 written, 1 there already, 1 failed, not all were tried; the same command goes on here"
    assert stderr == b"kittentts: " + summary + b"\n"
    assert names(tmp_path / "out") == ["a-00001.wav"]


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="no such limits on Windows")
def test_a_full_disk_ends_it_and_it_goes_on_later(batch_apart, tmp_path):
    import resource

    (tmp_path / "a.txt").write_text("One.\n" + "Hello there, all of you that may read this. " * 200 + "\nThree.\n")
    limit = 2_000_000
    result = batch_apart(
        "a.txt", "--lines", "-d", "out",
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )  # fmt: skip
    assert result.returncode == 1
    summary, error = result.stderr.splitlines()
    assert summary.endswith("not all were tried; the same command goes on here")
    assert error == "kittentts: out/a-00002.wav: File too large"
    # the short third may have been complete before
    assert names(tmp_path / "out") in (["a-00001.wav"], ["a-00001.wav", "a-00003.wav"])
    assert batch_apart("a.txt", "--lines", "-d", "out").returncode == 0
    assert names(tmp_path / "out") == ["a-00001.wav", "a-00002.wav", "a-00003.wav"]


@pytest.mark.parametrize("folder", ["file/out", "/proc/out"])
def test_a_folder_that_cannot_be_made(batch, tmp_path, folder):
    (tmp_path / "file").touch()
    (tmp_path / "a.txt").write_text("One.")
    result = batch("a.txt", "-d", folder)
    assert result.returncode == 1
    assert result.stderr.startswith(f"kittentts: {folder}: ")
    assert result.stderr.count("\n") == 1
    assert not Path(folder).exists()


class TestBooks:
    """Texts of more than 20,000 characters, whose audio goes to its file while it is spoken."""

    # most are spaces, for they are quickly spoken
    BOOK = f"This is one of three sentences. Here is another. {' ' * 20_000} It ends."

    @pytest.mark.parametrize("subtitles", [[], ["--subtitles", "vtt"]])
    def test_the_voice_and_the_speed_are_those_of_the_line(self, batch, tiny, tmp_path, subtitles):
        lines = as_jsonl(
            {"id": "book", "text": self.BOOK, "voice": "Jasper", "speed": 1.5},
            {"id": "book of the options", "text": self.BOOK},
            {"id": "note", "text": "A short one.", "voice": "Jasper"},
        )
        (tmp_path / "all.jsonl").write_text(lines, encoding="utf-8")
        result = batch("all.jsonl", "--jsonl", "-d", "out", "-v", "Leo", "-s", "2", *subtitles)
        assert result.returncode == 0, result.stderr
        assert "3 written" in result.stderr
        for name, text, voice, speed in (
            ("book", self.BOOK, "Jasper", 1.5),
            ("book of the options", self.BOOK, "Leo", 2.0),
            ("note", "A short one.", "Jasper", 2.0),
        ):
            tiny.generate_to_file(text, tmp_path / "expected.wav", voice, speed)
            assert (tmp_path / f"out/{name}.wav").read_bytes() == (tmp_path / "expected.wav").read_bytes()
            assert (tmp_path / f"out/{name}.vtt").exists() == bool(subtitles)

    def test_what_is_wrong_with_one_does_not_stop_the_others(self, batch, tmp_path):
        lines = as_jsonl(
            {"id": "no-voice", "text": self.BOOK, "voice": "Nobody"},
            {"id": "no-sound", "text": "... " * 10_000},
            {"id": "book", "text": self.BOOK},
        )
        (tmp_path / "all.jsonl").write_text(lines, encoding="utf-8")
        result = batch("all.jsonl", "--jsonl", "-d", "out")
        assert result.returncode == 1
        first, second, summary = result.stderr.splitlines()
        assert first.startswith("kittentts: all.jsonl:1: voice='Nobody' is unknown")
        assert second.startswith("kittentts: all.jsonl:2: ")
        assert summary.startswith("kittentts: 1 written in ")
        assert names(tmp_path / "out") == ["book.wav"]

    def test_only_they_are_written_piece_by_piece(self, batch, tmp_path, monkeypatch):
        """Short texts share the cores, each result as soon as it is there."""
        calls = []
        for method in ("generate_to_file", "generate_many"):
            monkeypatch.setattr(KittenTTS, method, recorded(calls, getattr(KittenTTS, method)))
        (tmp_path / "book.txt").write_text(self.BOOK, encoding="utf-8")
        (tmp_path / "note.txt").write_text("A short one.", encoding="utf-8")
        assert batch("book.txt", "note.txt", "-d", "out").returncode == 0
        (many, _, settings), (one, (text, path), _) = calls
        assert (many, settings["order"]) == ("generate_many", "completed")
        assert (one, text, path) == ("generate_to_file", self.BOOK, Path("out/book.wav"))


def recorded(calls, method):
    """Return the method with a record of its name and its arguments."""

    @functools.wraps(method)
    def call(self, *arguments, **settings):
        calls.append((method.__name__, arguments, settings))
        return method(self, *arguments, **settings)

    return call


def test_lines_of_a_file_that_cannot_be_read(batch, tmp_path):
    (tmp_path / "bad.txt").write_bytes(b"One.\nCaf\xe9")
    (tmp_path / "good.txt").write_text("Good.")
    result = batch("bad.txt", "nothing.txt", "good.txt", "--lines", "-d", "out")
    assert result.returncode == 1
    first, second, summary = result.stderr.splitlines()
    assert first.startswith("kittentts: bad.txt is not UTF-8 text (line 2: ")
    assert second == "kittentts: nothing.txt: No such file or directory"
    assert summary.startswith("kittentts: 1 written in ")
    assert names(tmp_path / "out") == ["good-00001.wav"]
