"""`kittentts say` with a text that is still being written into its stdin."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from kittentts.preprocess.paragraphs import end_paragraphs

TEXT = "It cost $5. Chapter one\n\nIt was cold – Zoë’s “house”. Then"


@pytest.fixture
def saying(tiny_directory):
    """Start the command, with pipes for its text and its sound."""
    started = []

    def start(*arguments):
        command = [sys.executable, "-m", "kittentts", "say", "-o", "-", "--format", "raw", "-m", tiny_directory]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        started.append(subprocess.Popen([*command, *arguments], **pipes))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def write(process, data):
    process.stdin.write(data)
    process.stdin.flush()


def samples(data):
    return np.frombuffer(data, "<i2").astype(np.float32) / 32768


def test_a_sentence_sounds_before_the_next_is_written(saying, tiny):
    process = saying()
    write(process, b"It cost $5. Th")
    first = process.stdout.read(2 * len(tiny.generate("It cost $5.", clean_text=True)))
    assert len(first)
    rest, errors = process.communicate(b"en", timeout=60)
    assert (process.returncode, errors) == (0, b"")
    whole = tiny.generate("It cost $5. Then", clean_text=True)
    assert samples(first + rest) == pytest.approx(np.clip(whole, -1, 1), abs=2 / 32768)


@pytest.mark.parametrize("clean", [True, False])
def test_a_text_in_single_bytes_is_the_same_text(saying, tiny, clean):
    process = saying(*[] if clean else ["--no-clean-text"])
    for byte in ("\ufeff" + TEXT).encode():
        write(process, bytes([byte]))
    sound, _ = process.communicate(timeout=60)
    whole = tiny.generate(TEXT, clean_text=True if clean else end_paragraphs)
    assert samples(sound) == pytest.approx(np.clip(whole, -1, 1), abs=2 / 32768)


def test_what_is_not_utf8_is_told_after_what_was_before_it(saying, tiny):
    process = saying()
    sound, errors = process.communicate(b"One.\nTwo.\nCaf\xe9 au lait.", timeout=60)
    assert process.returncode == 1
    assert errors.startswith(b"kittentts: stdin is not UTF-8 text (line 3: invalid continuation byte 0xe9)")
    assert len(sound) <= 2 * len(tiny.generate("One. Two."))


def test_an_empty_pipe_is_an_error(saying):
    process = saying()
    _, errors = process.communicate(b"", timeout=60)
    assert process.returncode == 1
    assert errors == b"kittentts: the text has no word, number or symbol that can be spoken\n"


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.usefixtures("sigint")
def test_ctrl_c_ends_the_wait_for_text(saying, tiny):
    process = saying()
    write(process, b"One. ")
    process.stdout.read(2 * len(tiny.generate("One.")))
    process.send_signal(signal.SIGINT)
    # while its stdin is open still
    assert process.wait(60) == 130
    assert process.stderr.read() == b""


def test_low_latency_is_for_what_is_heard_at_once(run_main):
    result = run_main("say", "Hello.", "-o", "a.wav", "--low-latency")
    assert result.returncode == 2
    assert "a file is there when it is complete" in result.stderr


@pytest.mark.slow
def test_low_latency_speaks_a_long_sentence_in_pieces(saying, tiny):
    text = "The committee, which met in the old town hall on a cold evening, could not agree on the price of it."
    process = saying("--low-latency")
    sound, _ = process.communicate(text.encode(), timeout=60)
    assert process.returncode == 0
    # the joint has its own silence, and the tiny model's pieces their own lengths
    assert len(sound) != 2 * len(tiny.generate(text, clean_text=True))


@pytest.mark.parametrize("arguments", [[], ["--markup", "pauses"]], ids=["as it comes", "as a whole"])
def test_stdin_that_somebody_has_made_non_blocking(tiny_directory, tiny, arguments):
    ours, theirs = os.pipe()
    os.set_blocking(ours, False)
    command = [sys.executable, "-m", "kittentts", "say", "-o", "-", "--format", "raw", "-m", tiny_directory, *arguments]
    process = subprocess.Popen(command, stdin=ours, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    os.write(theirs, b"One. Two")
    # it waits for more, which it would not do if it failed
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(3)
    os.write(theirs, b" three.")
    os.close(theirs)
    sound, errors = process.communicate(timeout=60)
    os.close(ours)
    assert (process.returncode, errors) == (0, b"")
    whole = tiny.generate("One. Two three.", clean_text=True)
    assert samples(sound) == pytest.approx(np.clip(whole, -1, 1), abs=2 / 32768)
