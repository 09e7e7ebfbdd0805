"""The one scheduler: runs the chunks of a call in a `ThreadPoolExecutor`, and hands over what they become.

A *producer* thread takes the call's requests, phonemizes them chunk by chunk, and submits the chunks to the executor;
the *consumer*, which is the caller's thread, takes the outcomes from a queue. A chunk that has all cores to itself, so
also a single one, does not touch the executor: the producer runs it.

The consumer shares nothing with the other threads but `SimpleQueue`s, which are atomic: so Ctrl-C leaves no lock taken.
And it may be closed at any moment, in any thread, also by the garbage collector or in a signal handler: to close is to
set a flag, and each run finds out by itself that nobody wants it.
"""

from __future__ import annotations

import _thread
import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from kittentts.errors import StoppedError
from kittentts.phonemes.espeak import raise_if_interrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from kittentts.runtime.cancellation import Cancellation
    from kittentts.runtime.chunks import ModelInput, SynthesizedChunk
    from kittentts.synthesis.plan import Plan
    from kittentts.synthesis.request import Request

WINDOW = 4
"""For each worker, so many waveforms may wait to be used (or texts be begun) where there may be any number of them."""

_END = object()
_POLL_SECONDS = 0.05  # how often a waiting consumer looks whether its call is cancelled


class Outcome(NamedTuple):
    """What the consumer is told."""

    request: int | None
    """The number of the request; None for what concerns all."""
    place: int = -1
    """Of the chunk in the request, from 0."""
    chunk: SynthesizedChunk | None = None
    error: BaseException | None = None
    total: int | None = None
    """Of the chunks of the request, when all of them are submitted; of the requests, when these are."""


class Scheduler:
    """The runs of one call. Its methods are for the consumer; only `close` is for any thread.

    Args:
        make_inputs: phonemizes a request, as far as it is iterated; called in the producer's thread.
        synthesize: (model input, request, single_threaded=, release_memory=) -> chunk; called in any thread.
        window: how many chunks may be made beyond those that the consumer has taken, the one that it waits for
            included; None is no bound.
    """

    def __init__(
        self,
        make_inputs: Callable[[Request], Iterator[ModelInput]],
        synthesize: Callable[..., SynthesizedChunk],
        plan: Plan,
        cancellation: Cancellation,
        window: int | None = None,
    ) -> None:
        self._make_inputs = make_inputs
        self._synthesize = synthesize
        self._plan = plan
        self._cancellation = cancellation
        self._requests: queue.SimpleQueue[tuple[int, Request] | Iterable[Request] | None] = queue.SimpleQueue()
        self._is_reading = False
        self._outcomes: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self._is_bounded = window is not None
        self._permits: queue.SimpleQueue[None] = queue.SimpleQueue()
        for _ in range((window or 1) - 1):
            self._permits.put(None)
        self._executor: ThreadPoolExecutor | None = None
        # (request, place) of the chunks in the executor: those that have not begun, and those that are not done. To add
        # to a set and to remove from it is atomic.
        self._waiting: set[tuple[int, int]] = set()
        self._unfinished: set[tuple[int, int]] = set()
        self._is_pool_complete = False
        self._dropped: set[int] = set()
        self._is_ended = False
        self._is_started = False
        self._inline: Iterator[None] | None = None

    def feed(self, request: Request, number: int = 0) -> None:
        """Add a request, with the number by which its outcomes are known."""
        self._requests.put((number, request))

    def feed_all(self, requests: Iterable[Request]) -> None:
        """Add requests that are numbered from 0 and made in the producer's thread, each when it is its turn."""
        self._is_reading = True
        self._requests.put(requests)

    def end(self) -> None:
        """Say that no further request comes."""
        self._requests.put(None)
        self._is_ended = True

    def permit(self) -> None:
        """Let one more chunk be made, where a window bounds them."""
        self._permits.put(None)

    def drop(self, request: int) -> None:
        """Run no further chunk of a request."""
        self._dropped.add(request)

    def wait(self, report: Callable[[], object] = lambda: None) -> Outcome:
        """Return the next outcome, in the order in which they come; call `report` at least every 50 ms until then."""
        while True:
            report()
            outcome = self.poll(_POLL_SECONDS)
            if outcome is not None:
                return outcome

    def poll(self, seconds: float = 0.0) -> Outcome | None:
        """Return the next outcome, or None if none comes within these seconds; raise `StoppedError` to end the call."""
        self._cancellation.raise_if_cancelled()
        # here, for the producer would wait for the lock that this thread has
        raise_if_interrupted()
        if not self._is_started:
            self._is_started = True
            self._start_producer()
        if self._inline is not None and self._outcomes.empty():
            next(self._inline, None)
        try:
            outcome = self._outcomes.get(timeout=seconds) if seconds else self._outcomes.get_nowait()
        except queue.Empty:
            return None
        if outcome.error is not None:
            # where it failed because it was stopped, say why
            self._cancellation.raise_if_cancelled()
            if outcome.request is None:
                raise outcome.error
        return outcome

    def close(self) -> None:
        """End all runs, also those that have not begun. Takes no lock and waits for nothing."""
        try:
            self._cancellation.stop()
        finally:
            # also if Ctrl-C comes in between: the producer, which waits for one of them, must see that it is stopped
            try:
                self._requests.put(None)
            finally:
                self._permits.put(None)

    def _start_producer(self) -> None:
        thread = threading.Thread(target=self._produce, name="kittentts-producer", daemon=True)

        def start() -> None:
            try:
                thread.start()
            except RuntimeError:
                self._inline = self._dispatch()

        try:
            if threading.current_thread() is threading.main_thread():
                # `Thread.start` waits for the new thread with a lock that Ctrl-C, which only the main thread gets, can
                # leave taken; then the new thread would wait for it for ever.
                _thread.start_new_thread(start, ())
            else:
                thread.start()
        except RuntimeError:
            # The interpreter is ending, or there are as many threads as the system admits: `poll` does the work.
            self._inline = self._dispatch()

    def _produce(self) -> None:
        try:
            dispatched = self._dispatch()
            more = True
            while more:
                if self._is_bounded:
                    self._permits.get()
                more = not self._cancellation.is_stopped and next(dispatched, _END) is not _END
        except BaseException as error:  # noqa: BLE001 (raised in the consumer)
            self._outcomes.put(Outcome(None, error=error))
        finally:
            if self._executor is not None:
                self._executor.shutdown(wait=False)

    def _dispatch(self) -> Iterator[None]:
        """Submit or run the chunks of all requests; yield after each, and after each request."""
        count = 0
        for numbered in self._numbered_requests():
            if numbered is None:
                yield
                continue
            number, request = numbered
            count += 1
            place = 0
            try:
                for model_input in self._make_inputs(request):
                    if number in self._dropped:
                        break
                    is_pooled = model_input.index in self._plan.pooled and not request.stretch.is_urgent
                    if is_pooled and not self._is_only(model_input, request):
                        self._submit(number, place, model_input, request)
                    else:
                        if self._executor is not None:
                            # the last chunks have all cores, when the others are done
                            self._is_pool_complete = True
                            self._executor.shutdown(wait=True)
                            if self._is_reading:
                                # of a text that goes on, others may follow
                                self._executor, self._is_pool_complete = None, False
                        self._run(number, place, model_input, request, is_pooled=False)
                    yield
                    place += 1
            except Exception as error:  # noqa: BLE001 (raised in the consumer)
                self._outcomes.put(Outcome(number, error=error))
            else:
                self._outcomes.put(Outcome(number, total=place))
            yield
        self._is_pool_complete = True
        self._outcomes.put(Outcome(None, total=count))

    def _numbered_requests(self) -> Iterator[tuple[int, Request] | None]:
        """Yield the requests as they are fed, or made; None where the consumer, whose thread this is, has fed none."""
        while True:
            if self._inline is not None and self._requests.empty():
                yield None
                continue
            fed = self._requests.get()
            if fed is None:
                return
            if isinstance(fed, tuple):
                yield fed
                continue
            number = 0
            try:
                for request in fed:
                    yield number, request
                    number += 1
            except Exception as error:  # noqa: BLE001 (raised in the consumer, after what comes before it)
                self._outcomes.put(Outcome(number, error=error))

    def _is_only(self, model_input: ModelInput, request: Request) -> bool:
        """Whether a chunk is the last of all, and no other one waits or runs."""
        if self._is_reading:
            return False
        is_last = self._is_ended and self._requests.qsize() == 1 and model_input.index == request.last_index
        return is_last and not self._unfinished

    def _submit(self, number: int, place: int, model_input: ModelInput, request: Request) -> None:
        self._waiting.add((number, place))
        self._unfinished.add((number, place))
        try:
            if self._executor is None:
                self._executor = ThreadPoolExecutor(self._plan.workers, thread_name_prefix="kittentts")
            self._executor.submit(self._run, number, place, model_input, request, is_pooled=True)
        except RuntimeError:
            # the executor, too, refuses when the interpreter is ending
            self._run(number, place, model_input, request, is_pooled=True)

    def _run(self, number: int, place: int, model_input: ModelInput, request: Request, *, is_pooled: bool) -> None:
        """Run a chunk, in the producer's thread or in one of the executor's, and put its outcome into the queue."""
        if is_pooled:
            try:
                self._waiting.remove((number, place))
            except KeyError:
                # an executor that starts no further thread raises, and may run it all the same
                return
            # the last ones that begin
            release_memory = model_input.index >= self._plan.pooled.stop - self._plan.workers or (
                self._is_pool_complete and len(self._waiting) < self._plan.workers
            )
        else:
            release_memory = self._executor is not None and model_input.index == request.last_index
        outcome = Outcome(number, place, error=StoppedError("nobody wants this chunk any more"))
        if not self._cancellation.is_stopped and number not in self._dropped:
            try:
                chunk = self._synthesize(
                    model_input,
                    request,
                    single_threaded=is_pooled and self._plan.single_threaded,
                    release_memory=release_memory,
                )
                outcome = Outcome(number, place, chunk)
            except BaseException as error:  # noqa: BLE001 (raised in the consumer)
                outcome = Outcome(number, place, error=error)
        self._unfinished.discard((number, place))
        if not self._cancellation.is_stopped:  # else it would only hold this object, in a cycle
            self._outcomes.put(outcome)
        # the stack of an error holds this frame, which would hold the error: the model would stay until a collection
        del outcome
