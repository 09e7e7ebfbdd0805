"""Text -> phonemes, by espeak-ng."""

import json
import os
import random
import shutil
import signal
import string
import threading
from pathlib import Path

import espeakng_loader
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kittentts.phonemes.espeak import Phonemizer
from kittentts.phonemes.vocabulary import (
    MAX_TOKENS,
    TextCleaner,
    is_speakable,
    split_symbols,
    to_symbols,
    to_token_ids,
)

DATA = Path(__file__).parent.parent / "data"
PHONEMIZER = Phonemizer()


def token_ids(text):
    return to_token_ids(to_symbols(PHONEMIZER.phonemize([text])[0]), TextCleaner())


def phonemes(text):
    return PHONEMIZER.phonemize([text])[0]


@pytest.mark.parametrize("case", json.loads((DATA / "tokens.json").read_text("utf-8")), ids=lambda case: case["text"])
def test_tokens_are_those_of_the_replaced_library(case):
    assert token_ids(case["text"]) == case["expected"]


@pytest.mark.parametrize("text", ["I paid 1,500 dollars,", "I paid 1,500 dollars.", "1,500 dollars, I paid,"])
def test_a_decimal_before_a_comma_loses_nothing(text):
    # phonemizer 3.4.0 says "I paid one,"
    assert "θˈaʊzənd" in phonemes(text)
    assert "dˈɑːlɚz" in phonemes(text)


@pytest.mark.parametrize(
    ("character", "sound"), [("x", "ɛks"), ("w", "dˈʌb"), ("7", "sˈɛv"), ("$", "dˈɑːl"), ("日", "tʃˈaɪ")]
)
@pytest.mark.parametrize("count", [50, 160, 396, 2000])
def test_long_words_lose_nothing(character, sound, count):
    found = phonemes(character * count)
    # espeak stresses the sounds of a spelled word in different ways
    plain = str.maketrans("", "", "ˈˌ")
    assert found.translate(plain).count(sound.translate(plain)) == count


def test_long_clauses_lose_nothing():
    # espeak-ng itself would say 225
    assert phonemes("7 " * 390).count("sˈɛvən") == 390


@pytest.mark.parametrize("text", ["a.b " * 5000, "1,1," * 5000, "z" * 100_000, "word " * 20_000, " " * 100_000 + "x"])
def test_long_texts_are_phonemized(text):
    assert is_speakable(to_symbols(phonemes(text)))


@pytest.mark.parametrize("text", ["one\x00two", "one\ud800two", "one\x01two", "one \x7f two"])
def test_controls_and_surrogates_are_spaces(text):
    assert phonemes(text).split() == phonemes("one two").split()


def test_words_in_another_script_are_spoken_without_flags():
    assert "(" not in phonemes("The word हिन्दी is Hindi.")


@given(st.text(st.characters(exclude_categories=[]), max_size=300))
@settings(deadline=None, max_examples=150)
def test_any_text_phonemizes_and_leaves_no_trace(text):
    pieces = split_symbols(to_symbols(phonemes(text)))
    assert all(len(to_token_ids(piece, TextCleaner())) <= MAX_TOKENS for piece in pieces)
    assert token_ids("Hello world, this is a test.") == HELLO


HELLO = token_ids("Hello world, this is a test.")


def test_threads_share_one_espeak_and_never_mix():
    words = ["".join(random.Random(seed).choices(string.ascii_lowercase, k=6)) for seed in range(8)]
    expected = [phonemes(f"{word}, {word}.") for word in words]
    barrier = threading.Barrier(8)
    wrong = []

    def work(i):
        barrier.wait()
        wrong.extend(1 for _ in range(50) if Phonemizer().phonemize([f"{words[i]}, {words[i]}."]) != [expected[i]])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")


@pytest.mark.slow
@needs_fork
def test_phonemizing_works_after_a_fork_in_the_middle_of_it(run_python, tmp_path):
    folder = tmp_path / "temporary"
    folder.mkdir()
    code = """
import os, signal, sys, threading
from kittentts.phonemes.espeak import Phonemizer
expected = Phonemizer().phonemize(["Hello there."])
stop = threading.Event()
def work():
    while not stop.is_set():
        Phonemizer().phonemize(["Some other text, which takes a while, with a word like हिन्दी in it."])
threads = [threading.Thread(target=work) for _ in range(3)]
[thread.start() for thread in threads]
for i in range(50):
    child = os.fork()
    if child == 0:
        signal.alarm(30)
        if Phonemizer().phonemize(["Hello there."]) != expected:
            os._exit(1)
        # a few end as a program does
        sys.exit(0) if i % 10 == 0 else os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
stop.set()
[thread.join() for thread in threads]
assert Phonemizer().phonemize(["Hello there."]) == expected
"""
    assert run_python(code, env=os.environ | {"TMPDIR": str(folder)}).stderr == ""
    assert list(folder.iterdir()) == []


@needs_fork
def test_a_fork_during_the_first_use(run_python):
    code = """
import os, signal, sys, threading
from kittentts.phonemes.espeak import Phonemizer
thread = threading.Thread(target=Phonemizer().phonemize, args=(["Hello."],))
thread.start()
while thread.is_alive() and "phonemizer" not in sys.modules:
    pass
child = os.fork()
if child == 0:
    signal.alarm(30)
    Phonemizer().phonemize(["Hello there."])
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
thread.join()
Phonemizer().phonemize(["Hello there."])
"""
    assert run_python(code).stderr == ""


INSIDE_ESPEAK = """
import os, signal, sys, threading
from phonemizer.backend import EspeakBackend
from kittentts.errors import EspeakError
from kittentts.phonemes.espeak import Phonemizer
expected = Phonemizer().phonemize(["Hello there."])
inside = EspeakBackend.phonemize

def interrupted(backend, text):
    if text == ["outer"]:
        interrupt()
    return inside(backend, text)

EspeakBackend.phonemize = interrupted
"""


@pytest.mark.skipif(not hasattr(signal, "alarm"), reason="no such signals on this platform")
def test_what_interrupts_espeak_gets_an_error_and_no_deadlock(run_python):
    code = """
def handler(*_):
    try:
        Phonemizer().phonemize(["Hello there."])
    except EspeakError as error:
        print(error)
    # a fork would wait for the same lock
    child = os.fork()
    if child == 0:
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0

def interrupt():
    os.kill(os.getpid(), signal.SIGUSR1)

signal.signal(signal.SIGUSR1, handler)
signal.alarm(30)
assert Phonemizer().phonemize(["outer"])
assert Phonemizer().phonemize(["Hello there."]) == expected
handler()
"""
    assert run_python(INSIDE_ESPEAK + code).stdout.count("signal handler or finalizer cannot speak") == 1


def test_a_finalizer_inside_espeak_gets_an_error_and_no_deadlock(run_python):
    code = """
import gc

class Speaker:
    def __init__(self):
        self.me = self
    def __del__(self):
        try:
            Phonemizer().phonemize(["Hello there."])
        except EspeakError as error:
            print(error)

interrupt = gc.collect
gc.collect()
gc.disable()
Speaker()
worker = threading.Thread(target=Phonemizer().phonemize, args=(["outer"],), daemon=True)
worker.start()
worker.join(30)
assert not worker.is_alive()
assert Phonemizer().phonemize(["Hello there."]) == expected
"""
    assert run_python(INSIDE_ESPEAK + code).stdout.count("signal handler or finalizer cannot speak") == 1


def test_environment_of_the_user_wins(run_python):
    code = "from kittentts.phonemes.espeak import Phonemizer; Phonemizer().phonemize(['a'])"
    result = run_python(code, env=os.environ | {"PHONEMIZER_ESPEAK_LIBRARY": "/nowhere/libespeak.so"}, check=False)
    assert "/nowhere/libespeak.so" in result.stderr


ONE_WORD = "from kittentts.phonemes.espeak import Phonemizer; print(Phonemizer().phonemize(['hello']))"


@pytest.mark.parametrize("variable", ["ESPEAK_DATA_PATH", "PHONEMIZER_ESPEAK_DATA_PATH"])
@pytest.mark.slow
def test_data_path_of_the_user(run_python, tmp_path, variable):
    # espeak-ng itself would end the process
    result = run_python(ONE_WORD, env=os.environ | {variable: str(tmp_path)}, check=False)
    assert "EspeakError" in result.stderr
    assert variable in result.stderr
    data = espeakng_loader.get_data_path()
    for path in (data, Path(data).parent):
        assert "həlˈoʊ" in run_python(ONE_WORD, env=os.environ | {variable: str(path)}).stdout


def test_a_data_path_longer_than_espeak_takes(run_python, tmp_path):
    deep = tmp_path.joinpath(*["a_folder_with_a_long_name"] * 8)
    shutil.copytree(espeakng_loader.get_data_path(), deep / "data")
    assert "həlˈoʊ" in run_python(ONE_WORD, env=os.environ | {"ESPEAK_DATA_PATH": str(deep / "data")}).stdout


@pytest.mark.slow
@needs_fork
def test_a_child_that_exits_leaves_the_copy_of_the_data_to_its_parent(run_python, tmp_path):
    deep = tmp_path.joinpath(*["a_folder_with_a_long_name"] * 8)
    shutil.copytree(espeakng_loader.get_data_path(), deep / "data")
    folder = tmp_path / "temporary"
    folder.mkdir()
    code = """
import os, sys
from kittentts.phonemes.espeak import Phonemizer
Phonemizer().phonemize(["Hello."])
child = os.fork()
if child == 0:
    Phonemizer().phonemize(["Hello."])
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
# now espeak-ng reads the file of another language
assert "h" in Phonemizer().phonemize(["हिन्दी"])[0]
"""
    environment = os.environ | {"ESPEAK_DATA_PATH": str(deep / "data"), "TMPDIR": str(folder)}
    assert run_python(code, env=environment).stderr == ""
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(("text", "digits"), [("５００", "500"), ("१२३", "123"), ("٣ cats", "3 cats")])
def test_digits_of_other_scripts_are_spoken(text, digits):
    assert phonemes(text) == phonemes(digits)


def test_phonemizer_adds_no_log_handlers(run_python):
    code = """
import logging
logging.basicConfig(level="DEBUG")
from kittentts.phonemes.espeak import Phonemizer
Phonemizer().phonemize(["The word हिन्दी is Hindi.", "a"])
assert all(isinstance(handler, logging.NullHandler) for handler in logging.getLogger("phonemizer").handlers)
"""
    assert not run_python(code).stderr
