"""`kittentts say`: texts, options, pipes, terminals, the sound card."""

import io
import os
import signal
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import soundfile

from kittentts import KittenTTS
from kittentts.audio.formats import FORMATS

TEXT = "It costs $5. Is that so? One sentence more!"
KITTEN = [sys.executable, "-m", "kittentts"]
posix_only = pytest.mark.skipif(os.name == "nt", reason="signals and terminals differ on Windows")


def silent_success(result):
    return (result.returncode, result.stdout or "", result.stderr or "") == (0, "", "")


class TestText:
    def test_arguments(self, say, tiny, tmp_path):
        assert silent_success(say("It costs", "$5.", "-v", "Jasper", "-s", "1.5", "-o", "a.wav"))
        tiny.generate_to_file("It costs $5.", tmp_path / "b.wav", "Jasper", 1.5)
        assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
        info = soundfile.info(tmp_path / "a.wav")
        assert (info.samplerate, info.channels, info.subtype) == (24000, 1, "PCM_16")

    @pytest.mark.parametrize(
        ("way", "mark"), [(["-i", "text.txt"], "\ufeff"), (["-i", "-"], ""), (["-"], ""), ([], ""), ([], "\ufeff")]
    )
    def test_files_and_pipes(self, say_here, tiny, tmp_path, way, mark):
        (tmp_path / "text.txt").write_text(mark + TEXT, encoding="utf-8")
        assert silent_success(say_here(*way, "-o", "a.wav", input=mark + TEXT))
        tiny.generate_to_file(TEXT, tmp_path / "b.wav")
        assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()

    def test_the_name_of_a_file_is_spoken_with_a_warning(self, say_here, tmp_path, caplog):
        (tmp_path / "one.md").write_text("One.")
        assert say_here("one.md", "-o", "a.wav").returncode == 0
        (record,) = caplog.records
        assert record.levelname == "WARNING"
        assert record.message == "'one.md' is a file, and its name is spoken; -i speaks what is in it"
        caplog.clear()
        assert say_here("one.md", "is a file.", "-o", "a.wav").returncode == 0
        assert say_here("x" * 300, "-o", "a.wav").returncode == 0
        assert not caplog.records

    @pytest.mark.parametrize("options", [[], ["--no-clean-text"]])
    def test_a_blank_line_ends_a_sentence(self, say_here, tiny, tmp_path, options):
        (tmp_path / "text.txt").write_text("Chapter one\r\n\r\nIt was\ncold.\n")
        assert say_here("-i", "text.txt", "-o", "a.wav", "--subtitles", "a.srt", *options).returncode == 0
        assert say_here("-o", "b.wav", *options, input="Chapter one\n \nIt was\ncold.").returncode == 0
        tiny.generate_to_file("Chapter one. It was cold.", tmp_path / "c.wav", clean_text=not options)
        assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "c.wav").read_bytes()
        assert (tmp_path / "b.wav").read_bytes() == (tmp_path / "c.wav").read_bytes()
        # what is shown is what was written
        assert (tmp_path / "a.srt").read_text().split("\n")[2::4] == ["Chapter one", "It was cold."]

    def test_what_is_not_utf8(self, say_here):
        result = say_here("-o", "a.wav", input=b"One.\nCaf\xe9 au lait.")
        assert result.returncode == 1
        assert result.stderr.startswith("kittentts: stdin is not UTF-8 text (line 2: invalid continuation byte 0xe9)")
        assert "iconv" in result.stderr

    def test_markdown(self, say_here, tiny, tmp_path):
        (tmp_path / "text.md").write_text("# A *title*\n\nSee [this](http://x.y/z).\n", encoding="utf-8")
        assert silent_success(say_here("-i", "text.md", "-o", "a.wav"))
        tiny.generate_to_file("A title. See this.", tmp_path / "b.wav")
        assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()


class TestOptions:
    @pytest.mark.parametrize(
        ("options", "settings"),
        [
            (["--no-clean-text"], {"clean_text": False}),
            (["--clean-text"], {"clean_text": True}),
            (["--sentence-silence", "0.5"], {"sentence_silence": 0.5}),
            (["--max-workers", "1"], {}),
            (["--voice", "Bella", "--speed", "2"], {"voice": "Bella", "speed": 2.0}),
        ],
    )
    def test_speech(self, say_here, tiny, tmp_path, options, settings):
        assert silent_success(say_here(TEXT, *options, "-o", "a.wav"))
        tiny.generate_to_file(TEXT, tmp_path / "b.wav", **settings)
        assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()

    def test_the_model_of_the_environment(self, kitten, tiny_directory, tmp_path):
        env = os.environ | {"KITTENTTS_MODEL": str(tiny_directory)}
        assert silent_success(kitten("say", "Hello.", "-o", "a.wav", env=env))
        assert (tmp_path / "a.wav").exists()

    @pytest.mark.parametrize("lexicon", ['{"costs": "kˈɔsts"}', "# prices\n\ncosts   kˈɔsts  \n"])
    def test_a_lexicon(self, say_here, tiny_directory, tmp_path, lexicon):
        (tmp_path / "lexicon").write_text(lexicon, encoding="utf-8")
        assert silent_success(say_here(TEXT, "--lexicon", "lexicon", "-o", "a.wav"))
        KittenTTS(tiny_directory, lexicon={"costs": "kˈɔsts"}).generate_to_file(TEXT, tmp_path / "b.wav")
        assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()

    @pytest.mark.parametrize(
        ("lexicon", "message"),
        [("costs", "line 1 of the lexicon"), ("{", "not valid JSON"), ("two-words x", "not a single word")],
    )
    def test_a_lexicon_that_is_none(self, say_here, tmp_path, lexicon, message):
        (tmp_path / "lexicon").write_text(lexicon, encoding="utf-8")
        result = say_here(TEXT, "--lexicon", "lexicon", "-o", "a.wav")
        assert result.returncode == 1
        assert message in result.stderr

    @pytest.mark.parametrize("name", FORMATS)
    def test_formats(self, say_here, tiny, tmp_path, name):
        # by the suffix, or in spite of it
        path, options = ("a.txt", ["--format", name]) if name in {"wav", "mp3"} else (f"a.{name}", [])
        assert silent_success(say_here(TEXT, "-o", path, *options))
        expected = tiny.generate(TEXT, clean_text=True)
        if name == "raw":
            assert (tmp_path / path).stat().st_size == 2 * len(expected)
        else:
            info = soundfile.info(tmp_path / path)
            assert info.subtype == FORMATS[name].subtype
            assert len(expected) <= info.frames < len(expected) + 2400

    def test_floats_and_sample_rate(self, say_here, tmp_path):
        assert silent_success(say_here(TEXT, "-o", "a.wav", "--subtype", "float", "--sample-rate", "48000"))
        info = soundfile.info(tmp_path / "a.wav")
        assert (info.samplerate, info.subtype) == (48000, "FLOAT")

    def test_verbose(self, say):
        result = say(TEXT, "-o", "a.wav", "--verbose")
        assert "kittentts: a.wav: " in result.stderr
        assert "times real time" in result.stderr


class TestStdout:
    @pytest.mark.parametrize(
        "name", [name if name in {"wav", "mp3"} else pytest.param(name, marks=pytest.mark.slow) for name in FORMATS]
    )
    def test_nothing_but_audio(self, say, tiny, name):
        result = say(TEXT, "-o", "-", "--format", name, "--verbose", text=False)
        assert result.returncode == 0
        options = {"samplerate": 24000, "channels": 1, "subtype": "PCM_16"} if name == "raw" else {}
        samples, rate = soundfile.read(io.BytesIO(result.stdout), format="RAW" if name == "raw" else None, **options)
        expected = tiny.generate(TEXT, clean_text=True)
        assert rate == 24000
        assert len(expected) <= len(samples) < len(expected) + 2400
        if name in {"wav", "raw", "flac"}:
            assert np.allclose(samples, expected, atol=1 / 32000)

    def test_wav_is_the_default(self, say):
        assert say(TEXT, "-o", "-", text=False).stdout.startswith(b"RIFF\xff\xff\xff\xffWAVE")

    def test_it_comes_while_it_is_made(self, kitten, failing):
        """What fails at the end has sent the beginning before."""
        text = "Hello there. " * 30 + "A bunch of roses."
        result = kitten("say", text, "-o", "-", "--max-workers", "2", "-m", failing_directory(failing), text=False)
        assert result.returncode == 1
        assert b"chunk 31 of 31" in result.stderr
        assert len(result.stdout) > 100_000

    @posix_only
    def test_a_terminal_is_refused(self, tiny_directory):
        main, terminal = os.openpty()
        result = subprocess.run(
            [*KITTEN, "say", TEXT, "-o", "-", "-m", tiny_directory],
            stdout=terminal, stderr=subprocess.PIPE, timeout=60, check=False,
        )  # fmt: skip
        os.close(terminal)
        os.close(main)
        assert result.returncode == 2
        assert b"audio is not for a terminal" in result.stderr

    @posix_only
    def test_a_closed_pipe_ends_it_silently(self, tiny_directory):
        with subprocess.Popen(
            [*KITTEN, "say", "Hello there. " * 300, "-o", "-", "-m", tiny_directory],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        ) as process:  # fmt: skip
            assert len(process.stdout.read(1000)) == 1000
            process.stdout.close()
            assert process.stderr.read() == b""
        assert process.returncode == 128 + signal.SIGPIPE

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
    def test_a_full_disk(self, tiny_directory):
        with Path("/dev/full").open("wb") as full:
            result = subprocess.run(
                [*KITTEN, "say", TEXT, "-o", "-", "-m", tiny_directory],
                stdout=full, stderr=subprocess.PIPE, timeout=60, check=False,
            )  # fmt: skip
        assert (result.returncode, result.stderr) == (1, b"kittentts: stdout: No space left on device\n")


def failing_directory(failing):
    return failing.model.model_path.parent


def open_terminal():
    import fcntl
    import struct
    import termios

    main, terminal = os.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("4H", 24, 100, 0, 0))
    return main, terminal


@posix_only
class TestBar:
    def run(self, *arguments):
        """Run with a terminal for stderr; return what is on it."""
        main, terminal = open_terminal()
        process = subprocess.Popen([*KITTEN, *map(str, arguments)], stdout=subprocess.PIPE, stderr=terminal)
        os.close(terminal)
        shown = b""
        try:
            while data := os.read(main, 10_000):
                shown += data
        except OSError:  # Linux's way to say that the other end is closed
            pass
        os.close(main)
        output = process.communicate(timeout=60)[0]
        assert process.returncode == 0
        return shown.decode(), output

    def test_it_is_shown_for_several_chunks(self, tiny_directory, tmp_path):
        shown, _ = self.run("say", TEXT, "-m", tiny_directory, "-o", tmp_path / "a.wav")
        assert "3/3 chunks" in shown
        assert "s of audio" in shown
        assert "times real time" in shown

    def test_it_keeps_out_of_stdout(self, tiny_directory):
        shown, output = self.run("say", TEXT, "-m", tiny_directory, "-o", "-")
        assert "3/3 chunks" in shown
        assert soundfile.info(io.BytesIO(output)).samplerate == 24000

    def test_it_is_not_shown_for_one_chunk_or_when_quiet(self, tiny_directory, tmp_path):
        assert self.run("say", "One.", "-m", tiny_directory, "-o", tmp_path / "a.wav")[0] == ""
        assert self.run("say", TEXT, "-q", "-m", tiny_directory, "-o", tmp_path / "a.wav")[0] == ""

    def test_a_batch(self, tiny_directory, tmp_path):
        (tmp_path / "a.txt").write_text("One.\n...\nTwo.\n")
        main, terminal = open_terminal()
        process = subprocess.Popen(
            [*KITTEN, "batch", "a.txt", "--lines", "-d", "out", "-m", tiny_directory], cwd=tmp_path, stderr=terminal
        )
        os.close(terminal)
        process.wait(60)
        shown = os.read(main, 100_000).decode()
        os.close(main)
        assert "3/3 texts" in shown
        assert "kittentts: a.txt:2: '...' has no word" in shown


class TestPlaying:
    @pytest.mark.parametrize(("rate", "peak"), [(24000, 1.0), (48000, 0.5), (48000, 2.0)])
    def test_all_is_played_at_the_rate_that_is_wanted(self, say_here, tiny, monkeypatch, caplog, rate, peak):
        """With a sound card of our own."""
        played = []

        class OutputStream:
            stopped = True

            def __init__(self, **settings):
                assert settings["samplerate"] == rate
                assert (settings["channels"], settings["dtype"]) == (1, "float32")

            def start(self):
                self.stopped = False

            def write(self, block):
                assert len(block) <= rate / 10
                played.append(block.copy())

            def stop(self):
                played.append(None)

            def close(self):
                played.append("closed")

        device = types.SimpleNamespace(OutputStream=OutputStream, PortAudioError=RuntimeError)
        monkeypatch.setitem(sys.modules, "sounddevice", device)
        streamed = []
        generate_stream = KittenTTS.generate_stream

        def louder(self, text, **settings):
            streamed.append(settings)
            for waveform in generate_stream(self, text, **settings):
                yield waveform * np.float32(peak)

        monkeypatch.setattr(KittenTTS, "generate_stream", louder)
        result = say_here(TEXT, "--sample-rate", rate)
        assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
        assert played[-2:] == [None, "closed"]
        samples = np.concatenate(played[:-2])
        expected = tiny.generate(TEXT, clean_text=True)
        assert samples.shape == (len(expected) * rate // 24000, 1)
        if rate == 24000:
            assert np.array_equal(samples[:, 0], expected)
        # what plays goes on while the next chunks are made
        assert streamed[0]["look_ahead"] is True
        assert [record.levelname for record in caplog.records if "clipped" in record.message] == ["WARNING"] * (
            peak > 1
        )

    @pytest.mark.parametrize(
        ("error", "message"),
        [("ImportError", "pip install sounddevice"), ("OSError('PortAudio library not found')", "libportaudio2")],
    )
    def test_what_is_missing_is_named(self, say, tmp_path, error, message):
        (tmp_path / "sounddevice.py").write_text(f"raise {error}")
        result = say(TEXT, env=os.environ | {"PYTHONPATH": str(tmp_path)})
        assert result.returncode == 1
        assert message in result.stderr
        assert "-o hello.wav" in result.stderr

    @pytest.fixture
    def alsa(self, tmp_path):
        """The environment of a machine whose only sound device writes what it plays to a file."""
        try:
            import sounddevice
        except (ImportError, OSError) as error:
            pytest.skip(f"no PortAudio: {error}")
        if "ALSA" not in {api["name"] for api in sounddevice.query_hostapis()}:
            pytest.skip("PortAudio without ALSA")
        configuration = """
            pcm.!default { type file slave.pcm "silent" file "%s" format raw }
            pcm.silent { type null }
            ctl.!default { type null }
        """
        (tmp_path / "asound.conf").write_text(configuration % (tmp_path / "played.raw"))
        return os.environ | {"ALSA_CONFIG_PATH": str(tmp_path / "asound.conf")}

    @pytest.mark.parametrize("text", [TEXT, "One.", "Hello there. " * 40])
    def test_all_is_played_without_a_gap(self, say, tiny, tmp_path, alsa, text):
        assert silent_success(say(text, env=alsa))
        played = np.fromfile(tmp_path / "played.raw", "<f4")
        expected = tiny.generate(text, clean_text=True)
        assert np.array_equal(played[: len(expected)], expected)
        assert not played[len(expected) :].any()

    def test_no_sound_device(self, say, alsa):
        import sounddevice

        del alsa["ALSA_CONFIG_PATH"]
        if len(sounddevice.query_devices()):
            pytest.skip("this machine has a sound device")
        result = say(TEXT, env=alsa)
        assert result.returncode == 1
        assert result.stderr.startswith("kittentts: there is no sound device that plays 24000 Hz")
        assert "-o hello.wav" in result.stderr
