"""Text -> phonemes, by espeak-ng, behind the one lock of the process around it.

espeak-ng keeps global state: two threads in it at once mix their texts. All models of a process share one
backend (each new one leaks megabytes) and one lock.
"""

from __future__ import annotations

import atexit
import logging
import os
import re
import shutil
import tempfile
import threading
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from kittentts.errors import EspeakError

if TYPE_CHECKING:
    from collections.abc import Sequence

# espeak-ng reads 160 bytes of a word, keeps about 160 phonemes of it and about 1,000 of a clause; the rest it drops in
# silence (measured: of 50 "x" it says 39, of 396 "7" 27, of 160 "日" 110). What comes near is spoken in two halves.
_WORD_BYTES = 150
_WORD_PHONEMES = 150
_CLAUSE_PHONEMES = 900
_CLAUSE_CHARACTERS = 800

# phonemizer 3.4 can keep the punctuation itself, but loses text where a clause has a decimal ("I paid 1,500 dollars,"
# becomes "I paid one,"), and its time grows with the square of the marks (20,000 marks: 11 s). So it gets clauses.
_MARKS = re.compile(r"""([;:!?¡¿—…"«»“”(){}\[\]]|(?<![0-9])[.,]|[.,](?![0-9]))""")

# Controls and lone surrogates: espeak-ng ends the text at a NUL and takes \x01 for a command; UTF-8 has no surrogates.
_UNSPEAKABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
# Digits of other scripts: espeak-ng says nothing for them.
_DIGIT = re.compile(r"(?![0-9])\d")

# espeak-ng has 160 bytes for the path of its data, and ends the process if it does not find them there.
_DATA_PATH_BYTES = 150

# An RLock, so that what interrupts the thread that holds it (a signal handler, a finalizer) gets an error, no deadlock.
_lock = threading.RLock()
_backend: Any = None
if hasattr(os, "register_at_fork"):
    # A fork waits until no other thread is inside espeak-ng (15 ms at most, while it is loaded up to a second): in a
    # child whose copy of it is in the middle of a text, 2 of 50 said something else or hung.
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)


class Phonemizer:
    """The process's espeak-ng with the American English voice, behind the process-wide lock. Thread-safe.

    Holds no state; all instances share one backend, which is made on first use.
    """

    @overload
    # a str is a Sequence[str], too
    def phonemize(self, text: str, *, strip: bool = ...) -> str: ...  # type: ignore[overload-overlap]
    @overload
    def phonemize(self, text: Sequence[str], *, strip: bool = ...) -> list[str]: ...
    def phonemize(self, text: str | Sequence[str], *, strip: bool = False) -> str | list[str]:
        """Return the phonemes (IPA with stress marks, punctuation kept) of a text, or of each of several.

        Nothing is left out: words too long for espeak-ng are spoken in parts.

        Args:
            text: a `str`, for which a `str` is returned; or several of them.
            strip: remove the white space at the ends, which else is that of the text.

        Raises:
            EspeakError: espeak-ng cannot be loaded; or the caller interrupted this very thread inside of it, as a
                signal handler or a finalizer may.
        """
        if isinstance(text, str):
            return self.phonemize([text], strip=strip)[0]
        found = [_phonemize_text(_DIGIT.sub(_ascii_digit, _UNSPEAKABLE.sub(" ", one))) for one in text]
        return [phonemes.strip() for phonemes in found] if strip else found


def _ascii_digit(match: re.Match[str]) -> str:
    return str(unicodedata.decimal(match.group()))


def _phonemize_text(text: str) -> str:
    parts = _MARKS.split(text)
    # even parts are clauses, odd ones marks
    parts[::2] = map(_phonemize_clause, parts[::2])
    return "".join(parts)


def _phonemize_clause(clause: str) -> str:
    """Phonemize a text without marks, white space at its ends kept; in halves where espeak-ng would drop something."""
    text = clause.strip()
    if not text:
        return clause
    if len(text) <= _CLAUSE_CHARACTERS and all(len(word.encode()) <= _WORD_BYTES for word in text.split()):
        phonemes = _call_espeak(text)
        group = max(map(len, phonemes.split()), default=0)
        if len(text) == 1 or (group < _WORD_PHONEMES and len(phonemes) < _CLAUSE_PHONEMES):
            start = clause.index(text)
            return f"{clause[:start]}{phonemes}{clause[start + len(text) :]}"
    return " ".join(map(_phonemize_text, _halves(text)))


def _halves(text: str) -> tuple[str, str]:
    """Cut `text` (two characters or more) at the white space nearest to its middle, else in the middle."""
    middle = len(text) // 2
    before = text.rfind(" ", 1, middle)
    after = text.find(" ", middle, -1)
    spaces = [i for i in (before, after) if i > 0]
    cut = min(spaces, key=lambda i: abs(i - middle)) if spaces else middle
    return text[:cut], text[cut:]


def raise_if_interrupted() -> None:
    """Raise `EspeakError` in a signal handler or finalizer that interrupts its own thread inside espeak-ng.

    It would wait for the lock for ever, or for a thread that does.
    """
    # what `threading.Condition` asks of a lock, too
    if _lock._is_owned():  # type: ignore[attr-defined]  # noqa: SLF001
        raise EspeakError(
            "a signal handler or finalizer cannot speak: it interrupted its own thread inside espeak-ng; "
            "let it set a flag, and speak when it has returned"
        )


def _call_espeak(text: str) -> str:
    raise_if_interrupted()
    with _lock:
        found = _load_espeak().phonemize([text])
    return found[0].strip() if found else ""


def _load_espeak() -> Any:
    """Return the process's backend, made on first use. The caller holds the lock."""
    global _backend  # noqa: PLW0603
    if _backend is None:
        from phonemizer.backend import EspeakBackend
        from phonemizer.backend.espeak.api import EspeakAPI
        from phonemizer.backend.espeak.wrapper import EspeakWrapper

        library, data = espeak_files()
        EspeakWrapper.set_library(library)
        if data is not None:
            EspeakWrapper.set_data_path(_checked_data_path(Path(data)))
        if hasattr(os, "fork"):
            # At exit phonemizer removes its copy of the library. A forked child that exits does so, too, and its
            # parent would end with a traceback. Neither needs the file: the library stays mapped.
            EspeakAPI._delete = staticmethod(lambda _, folder: shutil.rmtree(folder, ignore_errors=True))  # noqa: SLF001
        # Outside the hierarchy of loggers: its warnings are about phonemizer's own bookkeeping.
        silent = logging.Logger("phonemizer")  # noqa: LOG001
        silent.addHandler(logging.NullHandler())
        try:
            _backend = EspeakBackend(
                language="en-us",
                preserve_punctuation=True,
                with_stress=True,
                # else "(hi)" and "(en-us)" around a word in another script are read out
                language_switch="remove-flags",
                logger=silent,
            )
        except RuntimeError as error:
            raise EspeakError(
                f"espeak-ng cannot be loaded from {library} ({error}); reinstall espeakng-loader, "
                "or set PHONEMIZER_ESPEAK_LIBRARY to a working library"
            ) from error
    return _backend


def espeak_files() -> tuple[str, str | None]:
    """Return the paths of espeak-ng's library and of its data; None is what the library finds itself."""
    import espeakng_loader

    library = os.environ.get("PHONEMIZER_ESPEAK_LIBRARY") or espeakng_loader.get_library_path()
    data = os.environ.get("PHONEMIZER_ESPEAK_DATA_PATH") or os.environ.get("ESPEAK_DATA_PATH")
    # a library of the user's brings its own data
    if data is None and "PHONEMIZER_ESPEAK_LIBRARY" not in os.environ:
        data = espeakng_loader.get_data_path()
    return str(library), None if data is None else str(data)


def _checked_data_path(path: Path) -> str:
    """Return the folder of espeak-ng's data, a copy if its path is too long for espeak-ng."""
    found = next((one for one in (path, path / "espeak-ng-data") if (one / "phontab").is_file()), None)
    if found is None:
        raise EspeakError(
            f"{str(path)!r} has no espeak-ng data (no file 'phontab'); correct or unset ESPEAK_DATA_PATH and "
            "PHONEMIZER_ESPEAK_DATA_PATH, or reinstall espeakng-loader"
        )
    if len(os.fsencode(found)) < _DATA_PATH_BYTES:
        return str(found)
    folder = tempfile.mkdtemp(prefix="espeak")
    atexit.register(_remove, folder, os.getpid())
    # no link: phonemizer would resolve it
    return str(shutil.copytree(found, Path(folder) / "data"))


def _remove(folder: str, owner: int) -> None:
    # a forked child that exits must not: its parent still reads there
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)
