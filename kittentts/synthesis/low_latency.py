"""How much of a text is spoken at once, so that the first sound comes soon and no gap follows it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from kittentts.defaults import SAMPLE_RATE
from kittentts.preprocess.chunk import MAX_LEN
from kittentts.preprocess.clauses import clause_end

if TYPE_CHECKING:
    from collections.abc import Callable

# Characters that are spoken in a second, at speed 1, and how many more a run takes as long as, for the silence at the
# ends of its waveform, which is cut. Measured with the demo voice: 17.5, and 0.85 s.
_CHARACTERS_A_SECOND = 17.5
_OVERHEAD = 15
# Seconds for a second of audio, before anything is measured: the demo voice on two cores.
_FIRST_GUESS = 0.5
# Seconds for a character, whatever is measured: a thousand times real time, and a hundredth of it.
_FASTEST, _SLOWEST = 0.001 / _CHARACTERS_A_SECOND, 100 / _CHARACTERS_A_SECOND
# How much of the time that there is may be planned for.
_SHARE = 0.85
# Characters. What is shorter sounds torn off; a longer first piece does not come early any more.
_SHORTEST, _LONGEST_FIRST = 12, 40
# How much longer than it need be the first piece may be for a better cut.
_TOLERANCE = 2.0
# Characters. To a sentence that is no longer, a third piece would add more than an eighth of its time.
_SHORT_SENTENCE = 100


class Pace:
    """How fast a model has spoken so far, on all cores.

    Thread-safe: of two measurements at the same moment one may be lost.
    """

    def __init__(self) -> None:
        self.seconds = _FIRST_GUESS / _CHARACTERS_A_SECOND
        """That a character takes, at speed 1."""
        self._is_measured = False

    def record(self, seconds: float, characters: float, speed: float) -> None:
        """Take a run into account."""
        # what speeds that are no speech tell would spoil the calls after it
        measured = min(max(seconds * speed / (characters + _OVERHEAD), _FASTEST), _SLOWEST)
        self.seconds = (self.seconds + measured) / 2 if self._is_measured else measured
        self._is_measured = True


class LatencyCut:
    """Where the sentences of a call are cut, as `segments` asks.

    A piece must be ready when those before it have sounded, so the pieces grow, until sentences need not be cut.

    Args:
        pace: of the model.
        speed: of the call.
        clock: seconds that pass.
    """

    def __init__(self, pace: Pace, speed: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._pace = pace
        self._speed = speed
        self._clock = clock
        self._silent_at: float | None = None
        """When all that is spoken will have sounded, if it sounds as soon as it can."""
        self.is_relaxed = False
        """Whether so much is spoken ahead that two chunks of any length may run at the same time."""

    def spoken(self, samples: int) -> None:
        """Take into account that so many samples more can sound."""
        now = self._clock()
        self._silent_at = max(self._silent_at or now, now) + samples / SAMPLE_RATE

    def __call__(self, beginning: str, is_whole: bool) -> int | None:
        """Return where to cut a sentence, or the beginning of one; None to speak it whole, or to wait for more."""
        seconds = self._pace.seconds / self._speed
        if self._silent_at is None:
            # The shortest after which the next can be as long: n / 17.5 seconds are enough for n characters more.
            growth = _SHARE / (self._pace.seconds * _CHARACTERS_A_SECOND) - 1
            least = _OVERHEAD / growth if growth > 0 else _LONGEST_FIRST
            least = min(_LONGEST_FIRST, max(_SHORTEST, least))
            if is_whole and len(beginning) <= _SHORT_SENTENCE:
                # the shortest after which the rest is one piece, unless it takes more than half of the whole's time
                of_two = (len(beginning) + _OVERHEAD) / (growth + 2)
                if of_two <= (len(beginning) - _OVERHEAD) / 2:
                    least = max(least, of_two)
            return clause_end(beginning, round(least), round(_TOLERANCE * least), is_whole=is_whole)
        left = self._silent_at - self._clock()
        # until the writer has paused for so long that all has sounded
        if self.is_relaxed and left > 0:
            return None
        most = left * _SHARE / seconds - _OVERHEAD
        self.is_relaxed = most >= 2 * MAX_LEN
        if most >= MAX_LEN:
            return None
        # where the time is too short anyway, the gap shall not be in each word
        most = max(most, 2 * _SHORTEST)
        return clause_end(beginning, _SHORTEST, round(most), is_whole=is_whole, longest=True)
