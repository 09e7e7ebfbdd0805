"""`generate_many`: each text gives what `generate` gives, whatever becomes of the others."""

import itertools
import threading
from pathlib import Path

import pytest
import runs
import threads
import tiny_model

from kittentts import KittenTTS
from kittentts.errors import (
    EspeakError,
    SettingError,
    SilentTextError,
    StoppedError,
    SynthesisError,
    TextTypeError,
    VoiceError,
)
from kittentts.phonemes.espeak import Phonemizer
from kittentts.preprocess import chunk_text
from kittentts.synthesis.results import Item

TEXTS = [
    "One is here.",
    "Two sentences. They are one text!",
    "Is this the third?",
    "It costs $5 . . . or 50 7" + "7" * 396,
]


class Watched:
    """A session that lets a function look at each run before it begins."""

    def __init__(self, session, look):
        self._run = session.run
        self._look = look

    def run(self, names, inputs, *options):
        self._look(inputs["input_ids"].size)
        return self._run(names, inputs, *options)


@pytest.fixture
def watched(tmp_path):
    # of its own, for models that are opened alike share their slots
    directory = tiny_model.make_directory(tmp_path / "watched")

    def watched(look, workers=2):
        model = KittenTTS(directory, max_workers=workers)
        model.model.session = Watched(model.model.session, look)
        return model

    return watched


@pytest.mark.parametrize("order", ["input", "completed"])
@pytest.mark.parametrize("workers", [1, 2, 5])
def test_each_text_is_what_generate_makes_of_it(tiny, tiny_directory, order, workers):
    texts = TEXTS * 10
    model = KittenTTS(tiny_directory, max_workers=workers)
    results = list(model.generate_many(texts, "Bella", 1.3, sentence_silence=0.1, order=order))
    assert sorted(result.index for result in results) == list(range(40))
    if order == "input":
        assert [result.index for result in results] == list(range(40))
    expected = {text: tiny.generate(text, "Bella", 1.3, sentence_silence=0.1).tobytes() for text in TEXTS}
    for result in results:
        assert (result.id, result.text, result.error) == (None, texts[result.index], None)
        assert result.audio.tobytes() == expected[result.text]


def test_items_have_an_id_and_may_have_a_voice_and_a_speed(tiny):
    items = [
        ("a", "Hello."),
        ("b", "Hello.", "Bella"),
        ["c", "Hello.", None, 2.0],
        Item(4, "Hello.", "Leo", 0.5),
        "Hello.",
    ]
    results = list(tiny.generate_many(items, "Jasper"))
    assert [result.id for result in results] == ["a", "b", "c", 4, None]
    assert {result.text for result in results} == {"Hello."}
    expected = [("Jasper", 1.0), ("Bella", 1.0), ("Jasper", 2.0), ("Leo", 0.5), ("Jasper", 1.0)]
    for result, (voice, speed) in zip(results, expected, strict=True):
        assert result.audio.tobytes() == tiny.generate("Hello.", voice, speed).tobytes()


def test_clean_text_and_phonemes_are_those_of_generate(tiny):
    (result,) = tiny.generate_many(["It costs $5."], clean_text=True)
    assert result.audio.tobytes() == tiny.generate("It costs $5.", clean_text=True).tobytes()
    (result,) = tiny.generate_many(["həlˈoʊ wˈɜːld!"], phonemes=True)
    assert result.audio.tobytes() == tiny.generate("həlˈoʊ wˈɜːld!", phonemes=True).tobytes()


@pytest.mark.parametrize("order", ["input", "completed"])
def test_a_bad_text_is_a_result_and_the_rest_goes_on(failing, order):
    def cleaner(text):
        return {"Not this one.": None}.get(text, text)

    bad = {
        "": SilentTextError,
        " \n": SilentTextError,
        "...": SilentTextError,
        None: TextTypeError,
        7: TextTypeError,
        ("alone",): TextTypeError,
        ("x", "Hello.", "Nobody"): VoiceError,
        ("x", "Hello.", None, -1): SettingError,
        ("x", "Hello.", None, 0): SettingError,
        # a symbol about which espeak-ng is silent
        "¦.": SilentTextError,
        ("x", b"Hello."): TextTypeError,
        "Not this one.": TextTypeError,
        "Fine. It has roses in it. Fine again.": SynthesisError,
    }
    texts = list(itertools.chain(*((one, "Fine.") for one in bad)))
    results = list(failing.generate_many(texts, clean_text=cleaner, order=order))
    assert len(results) == len(texts)
    for result in results:
        if result.index % 2:
            assert result.audio.tobytes() == failing.generate("Fine.").tobytes()
        else:
            given = texts[result.index]
            assert type(result.error) is bad[given]
            assert result.audio is None
    assert not any(result.error.__traceback__ for result in results if result.error)
    (roses,) = (result.error for result in results if isinstance(result.error, SynthesisError))
    assert str(roses).startswith("chunk 2 of 3, 'It has roses")


@pytest.mark.parametrize("order", ["input", "completed"])
def test_where_no_thread_starts_the_caller_does_the_work(tiny, monkeypatch, order):
    def refuse(*_):
        raise RuntimeError("can't create new thread at interpreter shutdown")

    expected = [tiny.generate(text).tobytes() for text in TEXTS]
    monkeypatch.setattr("_thread.start_new_thread", refuse)
    monkeypatch.setattr("threading._start_new_thread", refuse)
    results = tiny.generate_many([*TEXTS, ""], order=order)
    audio = {result.index: result.audio.tobytes() for result in results if result.error is None}
    assert [audio[index] for index in range(len(TEXTS))] == expected


@pytest.mark.parametrize("order", ["input", "completed"])
def test_a_text_whose_chunks_all_fail_is_yielded_once(failing, order):
    texts = ["Roses. Roses! More roses. Of roses?", "Fine."] * 5
    results = list(failing.generate_many(texts, order=order))
    assert sorted(result.index for result in results) == list(range(10))
    assert all(isinstance(result.error, SynthesisError) == (result.index % 2 == 0) for result in results)


def test_of_a_text_that_failed_no_further_chunk_runs(watched):
    def look(tokens):
        if tokens > LONG:
            raise ValueError("broken")
        seen.append(tokens)

    seen = []
    results = list(watched(look).generate_many(["This is a longer first sentence. " + "One. " * 300, "Two."]))
    assert isinstance(results[0].error, SynthesisError)
    assert results[1].error is None
    assert len(seen) < 100


def test_an_error_of_espeak_ng_itself_is_raised(tiny_directory, monkeypatch):
    def fail(_):
        raise EspeakError("espeak-ng cannot be loaded")

    model = KittenTTS(tiny_directory)
    monkeypatch.setattr(model.model.phonemizer, "phonemize", fail)
    with pytest.raises(EspeakError, match="cannot be loaded"):
        list(model.generate_many(["One.", "Two."]))
    assert threads.left_behind() == []


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"texts": "Hello."}, TextTypeError, "type str; a list"),
        ({"texts": None}, TextTypeError, "NoneType"),
        ({"texts": b"Hello."}, TextTypeError, "type bytes"),
        ({"order": "random"}, SettingError, "order='random'.*'input', 'completed'"),
        ({"voice": "Nobody"}, VoiceError, "Nobody"),
        ({"speed": 0}, SettingError, "speed=0"),
        ({"sentence_silence": -1}, SettingError, "sentence_silence"),
        ({"clean_text": "yes"}, SettingError, "clean_text='yes'"),
        ({"cancel": 1}, SettingError, "cancel=1"),
        ({"progress": "yes"}, SettingError, "progress='yes'"),
    ],
)
def test_wrong_parameters_are_reported_by_the_call(tiny, parameters, error, message):
    with pytest.raises(error, match=message):
        tiny.generate_many(**{"texts": ["Hello."]} | parameters)


def test_no_texts(tiny):
    assert list(tiny.generate_many([])) == []
    assert threads.left_behind() == []


def test_texts_of_one_sentence_run_at_the_same_time(watched):
    together = threading.Barrier(3, timeout=60)
    model = watched(lambda _: together.wait(), workers=3)
    assert len(list(model.generate_many(["One.", "Two.", "Three."] * 4))) == 12


# so many token ids has none of the short texts
LONG = 15


def test_order(watched):
    texts = ["This is the long first text", "One.", "Two.", "Three."]
    release = threading.Event()
    model = watched(lambda tokens: tokens > LONG and release.wait(60))
    results = model.generate_many(texts, order="completed")
    seen = {next(results).index for _ in range(3)}
    release.set()
    assert seen == {1, 2, 3}
    assert [result.index for result in results] == [0]

    release.clear()
    threading.Timer(0.1, release.set).start()
    assert [result.index for result in model.generate_many(texts)] == [0, 1, 2, 3]


@pytest.mark.parametrize("order", ["input", "completed"])
def test_texts_are_read_only_a_few_ahead(tiny_directory, order):
    model = KittenTTS(tiny_directory, max_workers=2)
    read = itertools.count()
    results = model.generate_many((f"Number {next(read)}." for _ in itertools.repeat(None)), order=order)
    for yielded in range(1, 50):
        next(results)
        # 4 for each worker
        assert next(read) - yielded <= 9 + yielded  # each look at the count is counted too
    results.close()
    assert threads.left_behind() == []


def test_a_long_text_among_short_ones(tiny):
    book = " ".join(f"This is sentence number {i} of the book." for i in range(100))
    results = list(tiny.generate_many(["Before.", book, "After."]))
    assert [result.text for result in results] == ["Before.", book, "After."]
    assert results[1].audio.tobytes() == tiny.generate(book).tobytes()


@pytest.mark.parametrize(("texts", "threads"), [(1, {3}), (2, {3, 1}), (5, {3, 1})])
def test_several_texts_run_on_a_core_each_a_single_one_on_all(tmp_path, monkeypatch, opened, texts, threads):
    monkeypatch.setattr("kittentts.engine.cores_of_a_call", lambda: 3)
    model = KittenTTS(tiny_model.make_directory(tmp_path))
    all_read = threading.Event()

    def read():
        yield from (f"Text {i}." for i in range(texts))
        all_read.set()

    def phonemize(text):
        assert all_read.wait(60)
        return Phonemizer().phonemize(text)

    model.model.phonemizer.phonemize = phonemize
    assert len(list(model.generate_many(read()))) == texts
    # the multi-threaded session is opened with the model, the single-threaded one when it is used
    assert {threads for _, threads in opened} == threads


@pytest.mark.parametrize(("megabytes", "most"), [(1, 1), (220, 2), (10_000, 3), (None, 3)])
def test_memory_bounds_the_runs(watched, monkeypatch, megabytes, most):
    monkeypatch.setattr("kittentts.runtime.sessions.available_memory", lambda: megabytes and megabytes * 1e6)
    monkeypatch.setattr("kittentts.runtime.sessions.run_bytes", lambda *_: 100e6)
    lock, now, seen = threading.Lock(), [0], []
    alone = threading.Barrier(most, timeout=60)

    def look(_):
        with lock:
            now[0] += 1
            seen.append(now[0])
        alone.wait()
        with lock:
            now[0] -= 1

    texts = [f"T {i}." for i in range(12)]
    assert [result.text for result in watched(look, workers=3).generate_many(texts)] == texts
    assert max(seen) == most


class TestStopping:
    @pytest.fixture(scope="class")
    def slow_directory(self, tmp_path_factory):
        return tiny_model.make_directory(tmp_path_factory.mktemp("slow"), loops=10_000_000)

    @pytest.fixture
    def slow(self, slow_directory):
        with KittenTTS(slow_directory, max_workers=2) as model:
            yield model

    def when_running(self, model, function):
        """Call the function in a thread as soon as two runs compute."""

        def work():
            runs.wait_until(model, running=2)
            function()

        thread = threading.Thread(target=work)
        thread.start()
        return thread

    @pytest.mark.parametrize("how", ["cancel", "close"])
    @pytest.mark.parametrize("order", ["input", "completed"])
    def test_cancel_and_close(self, slow, how, order):
        cancel = threading.Event()
        thread = self.when_running(slow, cancel.set if how == "cancel" else slow.close)
        with pytest.raises(StoppedError, match="cancelled" if how == "cancel" else "closed"):
            list(slow.generate_many(["Sentence."] * 100, cancel=cancel, order=order))
        thread.join(60)
        assert threads.left_behind() == []

    def test_closing_the_iterator(self, watched):
        release = threading.Event()
        model = watched(lambda tokens: tokens > LONG and release.wait(60))
        results = model.generate_many(["One.", "This is a longer text", "This is a longer one"], order="completed")
        assert next(results).index == 0
        threading.Timer(0.1, release.set).start()
        results.close()
        assert threads.left_behind() == []
        assert len(model.generate("Hello. There.")) > 0

    def test_an_error_of_the_iterable_is_raised(self, slow):
        def texts():
            yield from ["One.", "Two."]
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            list(slow.generate_many(texts()))
        assert threads.left_behind() == []

    def test_a_closed_model(self, tiny_directory):
        model = KittenTTS(tiny_directory)
        model.close()
        with pytest.raises(StoppedError):
            model.generate_many(["Hello."])


class TestProgress:
    def test_a_function_gets_it_for_each_text(self, tiny):
        seen = []
        results = list(tiny.generate_many(["One.", "", "Three."], progress=seen.append))
        assert [(one.texts, one.failed, one.total_texts) for one in seen] == [(1, 0, 3), (2, 1, 3), (3, 1, 3)]
        assert seen[-1].characters == len("One.Three.")
        assert seen[-1].audio_seconds == (len(results[0].audio) + len(results[2].audio)) / 24000
        assert seen[-1].times_real_time > 0

    def test_the_total_may_be_unknown(self, tiny):
        seen = []
        list(tiny.generate_many(iter(["One."]), progress=seen.append))
        assert seen[-1].total_texts is None

    def test_a_bar(self, run_python, tiny_directory):
        # in a process of its own, for tqdm leaves a thread behind
        code = """
import sys
from kittentts import KittenTTS
list(KittenTTS(sys.argv[1]).generate_many(["One.", "Two."], progress=True))
"""
        bar = run_python(code, tiny_directory).stderr
        assert "2/2" in bar
        assert "times real time" in bar

    def test_an_error_in_it_stops_the_call(self, tiny):
        with pytest.raises(ZeroDivisionError):
            list(tiny.generate_many(["One.", "Two."], progress=lambda _: 1 / 0))
        assert threads.left_behind() == []


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's /proc")
def test_memory_stays_flat(run_python, tiny_directory):
    code = """
import sys
from pathlib import Path
from kittentts import KittenTTS

def megabytes():
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024

texts = (f"This is text number {i}, and it is about as long as a sentence usually is." for i in range(3000))
for result in KittenTTS(sys.argv[1]).generate_many(texts):
    if result.index == 500:
        before = megabytes()
print(megabytes() - before, result.audio.nbytes / 2**20)
"""
    growth, one = map(float, run_python(code, tiny_directory).stdout.split())
    # what 2,500 results would hold is 500 MB
    assert 2500 * one > 400
    assert growth < 20


@pytest.mark.slow
@pytest.mark.demo
def test_demo_voice(demo):
    texts = ["Good morning.", "Who is it?", "Me."]
    for result in demo.generate_many(texts, "Luna"):
        assert result.audio.tobytes() == demo.generate(result.text, "Luna").tobytes()
        assert len(chunk_text(result.text)) == 1
