"""Many callers of one model: how many runs at a time, whose turn it is, and whose audio is whose."""

import threading
from concurrent.futures import ThreadPoolExecutor

import tiny_model

from kittentts import KittenTTS
from kittentts.errors import StoppedError

TEXT = "One is here. Two is there, too. Three is nowhere to be seen. Four! Five is the end of it?"


class Counting:
    """A session that counts how many of its runs there are at a time; the first so many wait for each other."""

    def __init__(self, session, together=1):
        self._run = session.run
        self._lock = threading.Lock()
        self._barrier = threading.Barrier(together, timeout=60)
        self._begun = self._now = self.most = 0
        self._together = together

    def run(self, *arguments):
        with self._lock:
            self._begun += 1
            self._now += 1
            self.most = max(self.most, self._now)
            first = self._begun <= self._together
        if first:
            self._barrier.wait()
        try:
            return self._run(*arguments)
        finally:
            with self._lock:
                self._now -= 1


def test_eight_callers_share_the_workers_and_get_their_own_audio(tiny_directory):
    model = KittenTTS(tiny_directory, max_workers=3)
    texts = [f"Caller {i} is here. {i} has sentences. Some are short." + " And more." * i for i in range(8)]
    expected = [model.generate(text).tobytes() for text in texts]
    counting = model.model.session = Counting(model.model.session, together=3)
    start = threading.Barrier(8, timeout=60)

    def call(i):
        start.wait()
        return [model.generate(texts[i]).tobytes() == expected[i] for _ in range(5)]

    with ThreadPoolExecutor(8) as pool:
        assert all(all(same) for same in pool.map(call, range(8)))
    assert counting.most == 3


def test_short_calls_do_not_wait_for_a_long_one(tiny_directory):
    model = KittenTTS(tiny_directory, max_workers=2)
    cancel, begun = threading.Event(), threading.Event()
    with ThreadPoolExecutor(8) as pool:
        # longer than anyone would wait
        long = pool.submit(
            model.generate_to_file, "həlˈoʊ. " * 200_000, tiny_directory / "long.wav",
            phonemes=True, cancel=cancel, progress=lambda _: begun.set(),
        )  # fmt: skip
        assert begun.wait(60)
        for short in [pool.submit(model.generate, "wˈʌn. tˈuː. θɹˈiː.", phonemes=True) for _ in range(7)]:
            assert len(short.result(60)) > 0
        assert not long.done()
        cancel.set()
        assert isinstance(long.exception(60), StoppedError)


def test_where_memory_is_short_all_callers_together_run_one_chunk_at_a_time(tmp_path, monkeypatch):
    for module in ("resources", "sessions"):
        monkeypatch.setattr(f"kittentts.runtime.{module}.available_memory", lambda: 1)
    model = KittenTTS(tiny_model.make_directory(tmp_path), max_workers=4)
    counting = model.model.session = Counting(model.model.session)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(model.generate, [TEXT, "Only one sentence here."] * 20))
    assert counting.most == 1


def test_two_models_with_eight_threads_each_give_what_one_thread_gives(tiny_directory, tmp_path):
    models = [
        KittenTTS(tiny_directory, max_workers=4),
        KittenTTS(tiny_model.make_directory(tmp_path, tokens=True), max_workers=2),
    ]
    jobs = [(model, f"Thread {i} says this. And so does number {i}.") for model in models for i in range(8)]
    alone = [model.generate(text).tobytes() for model, text in jobs]
    start = threading.Barrier(16, timeout=60)

    def work(job):
        start.wait()
        return {job[0].generate(job[1]).tobytes() for _ in range(20)}

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(work, jobs)) == [{audio} for audio in alone]
