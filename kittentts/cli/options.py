"""Options that several commands share, and what they become. Light to import."""

from __future__ import annotations

import argparse
import atexit
import codecs
import contextlib
import json
import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kittentts import KittenTTS, defaults
from kittentts.audio.formats import FORMATS, SUBTYPES
from kittentts.cli.completion import complete_model, complete_voice
from kittentts.cli.interruption import SignalError, interruption
from kittentts.errors import SettingError
from kittentts.models.published import DEMO
from kittentts.optimize import MODES
from kittentts.preprocess.paragraphs import end_paragraphs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TextIO

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 (argparse has no public name for it)

_MARKDOWN = {".md", ".markdown"}
_SSML = ".ssml"
# what is read from a pipe at once, at most
_PIPE_BYTES = 65_536


def add_command(
    commands: Commands,
    name: str,
    run: Callable[[argparse.Namespace], int | None],
    summary: str,
    examples: str,
    *,
    arguments: str = "",
    details: str = "",
) -> argparse.ArgumentParser:
    """Add a command.

    Args:
        commands: to which.
        name: of the command.
        run: gets the options; what it returns is the exit status, None is 0.
        summary: one line.
        examples: one a line.
        arguments: what it takes besides options, for the line of its usage.
        details: more about it, as it is to be printed.
    """
    indented = "\n".join(f"  {line}" for line in examples.splitlines())
    parser = commands.add_parser(
        name,
        usage=f"kittentts {name} [OPTION ...] {arguments}".rstrip(),
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.\n{details and chr(10)}{details}",
        epilog=f"examples:\n{indented}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run, wrong_usage=parser.error, without_hub="")
    loudness = parser.add_mutually_exclusive_group()
    loudness.add_argument("-q", "--quiet", action="store_true", help="only errors on stderr: no bar, no warnings")
    loudness.add_argument("--verbose", action="store_true", help="say on stderr what is done")
    return parser


def add_model_option(parser: argparse.ArgumentParser) -> None:
    """Add `--model`."""
    parser.add_argument(
        "-m",
        "--model",
        default=os.environ.get("KITTENTTS_MODEL") or defaults.MODEL,
        help="a model directory, 'demo', or a repository on the Hugging Face Hub "
        "(default: KITTENTTS_MODEL, now %(default)s)",
    ).completer = complete_model  # type: ignore[attr-defined]
    # what to say where the Hub is out of reach
    parser.set_defaults(without_hub=" (add -m demo)")


def add_speech_options(parser: argparse.ArgumentParser) -> None:
    """Add what `open_model` and `speech` heed."""
    group = parser.add_argument_group("speech")
    group.add_argument(
        "-v",
        "--voice",
        help=f"see 'kittentts voices' (default: {defaults.VOICE}; of the demo voice, {defaults.DEMO_VOICE})",
    ).completer = complete_voice  # type: ignore[attr-defined]
    group.add_argument("-s", "--speed", type=float, default=1.0, help="2.0 is twice as fast (default: %(default)s)")
    group.add_argument(
        "--clean-text",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="spell out numbers, money, dates and the like (default); else espeak-ng reads them",
    )
    group.add_argument(
        "--sentence-silence",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="silence between sentences, 0 to 60 (default: 0)",
    )
    group.add_argument(
        "--lexicon",
        metavar="FILE",
        help="how words are pronounced: a line 'word phonemes' for each, in IPA, or a JSON object",
    )
    group.add_argument(
        "--trim",
        choices=defaults.TRIMS,
        default=defaults.TRIMS[0],
        help="how the ends of a sentence are cut: by 0.2 s, or by where the speech ends (default: %(default)s)",
    )
    group.add_argument(
        "--seed", type=int, metavar="N", help="the same sound each time, from a model with random noise (default: none)"
    )
    group.add_argument("--max-workers", type=int, metavar="N", help="sentences at a time (default: one a core)")
    group.add_argument(
        "--optimize",
        choices=MODES,
        default="auto",
        help="a faster graph with the same output, see 'kittentts optimize' (default: %(default)s)",
    )


def add_markup_option(parser: argparse.ArgumentParser) -> None:
    """Add `--markup`."""
    parser.add_argument(
        "--markup",
        choices=defaults.MARKUPS,
        help="how texts are marked up: SSML, as .ssml files are in any case; SSML, ignoring what is not done; "
        "or [pause 0.5s] (default: not at all)",
    )


def find_markup(options: argparse.Namespace, path: str | None) -> str | None:
    """Return how the text of a file, or of no file, is marked up."""
    is_ssml = path is not None and Path(path).suffix.lower() == _SSML
    return options.markup or ("ssml" if is_ssml else None)


def add_format_options(parser: argparse.ArgumentParser, default: str) -> None:
    """Add `--format`, `--subtype` and `--sample-rate`."""
    group = parser.add_argument_group("audio")
    group.add_argument("--format", choices=FORMATS, help=f"default: {default}")
    group.add_argument("--subtype", choices=SUBTYPES, help="samples of wav and raw (default: pcm16)")
    group.add_argument(
        "--sample-rate",
        type=int,
        default=defaults.SAMPLE_RATE,
        metavar="HZ",
        help=f"resample, which needs {defaults.pip_install('audio')} (default: %(default)s)",
    )


def open_model(options: argparse.Namespace) -> KittenTTS:
    """Open the model of the options; Ctrl-C ends the program at once, though loading is native code."""
    lexicon = None if options.lexicon is None else read_lexicon(options.lexicon)
    settings = {"max_workers": options.max_workers, "lexicon": lexicon, "optimize": options.optimize}
    return _interruptible(lambda: KittenTTS(options.model, **settings))


def speech(options: argparse.Namespace) -> dict[str, Any]:
    """Return the parameters that all `generate` functions take."""
    default_voice = defaults.DEMO_VOICE if options.model == DEMO else defaults.VOICE
    return {
        "voice": default_voice if options.voice is None else options.voice,
        "speed": options.speed,
        # with True, too, a blank line ends a sentence
        "clean_text": options.clean_text or end_paragraphs,
        "sentence_silence": options.sentence_silence,
        "trim": options.trim,
        "seed": options.seed,
        "cancel": interruption,
    }


def file_format(options: argparse.Namespace, default: str | None = None) -> dict[str, Any]:
    """Return the parameters `sample_rate`, `format` and `subtype` of an audio file; `default` is a format."""
    return {
        "sample_rate": options.sample_rate,
        "format": options.format or default,
        "subtype": options.subtype,
    }


def check_names(options: argparse.Namespace) -> None:
    """Check what the options name: libsndfile and ONNX Runtime open no file whose name is not UTF-8.

    Raises:
        SettingError: a name is not.
    """
    for name in ("model", "output", "directory"):
        value = str(getattr(options, name, None))
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise SettingError(f"the name {value!r} is not UTF-8; rename it, or give another") from error


def read_text(path: str) -> str:
    """Read a text to be spoken; the marks of Markdown are taken out. Errors as for `read_file`."""
    text = read_file(path)
    if Path(path).suffix.lower() not in _MARKDOWN:
        return text
    from kittentts.cli.markdown import to_plain_text

    return to_plain_text(text)


def read_file(path: str) -> str:
    """Read a file, or stdin for "-", as UTF-8 with or without a byte order mark.

    Raises:
        SettingError: it is not UTF-8.
        OSError: it cannot be read.
    """
    data = _waiting_stdin().buffer.read() if path == "-" else Path(path).read_bytes()
    name = "stdin" if path == "-" else path
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _not_utf8(name, error, 1) from error


def read_pipe() -> Iterator[str]:
    """Yield what is written into stdin as it comes. Errors as for `read_file`.

    It reads past Python's buffer, whose lock a thread that waits for input would hold when the program ends.
    """
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    line = 1
    data = b" "
    descriptor = _waiting_stdin().fileno()
    while data:
        data = os.read(descriptor, _PIPE_BYTES)
        try:
            yield decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            raise _not_utf8("stdin", error, line) from error
        line += data.count(b"\n")


def _waiting_stdin() -> TextIO:
    """Return stdin; who has made it non-blocking would lose what comes late."""
    # Windows has no such function before Python 3.12, and for pipes only
    if sys.platform != "win32":
        with contextlib.suppress(OSError):  # it has no descriptor
            os.set_blocking(sys.stdin.fileno(), True)
    return sys.stdin


def _not_utf8(name: str, error: UnicodeDecodeError, first_line: int) -> SettingError:
    line = first_line + error.object.count(b"\n", 0, error.start)
    return SettingError(
        f"{name} is not UTF-8 text (line {line}: {error.reason} 0x{error.object[error.start]:02x}); "
        f"convert it, for example with iconv -f WINDOWS-1252 -t UTF-8"
    )


def read_lexicon(path: str) -> dict[str, str]:
    """Read a lexicon: a JSON object, or lines of a word and its phonemes; blank lines and `# comments` are skipped.

    Raises:
        SettingError: it is neither. What its words and phonemes must be is checked by `KittenTTS`.
    """
    text = read_file(path)
    if text.lstrip().startswith("{"):
        try:
            lexicon: dict[str, str] = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise SettingError(f"the lexicon {path} is not valid JSON: {error}") from error
        return lexicon
    lexicon = {}
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split(maxsplit=1)
        if not words or words[0].startswith("#"):
            continue
        if len(words) == 1:
            raise SettingError(f"line {number} of the lexicon {path} has a word without phonemes: {words[0]!r}")
        lexicon[words[0]] = words[1].strip()
    return lexicon


def describe(error: Exception) -> str:
    """Return an error's message in one line."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return " ".join(str(error).split())


@contextlib.contextmanager
def name_errors(name: str) -> Iterator[None]:
    """Let each `OSError` name this stream, which was open already: that of the system names none."""
    try:
        yield
    except OSError as error:
        error.filename = name
        raise


def _interruptible(function: Callable[[], KittenTTS]) -> KittenTTS:
    """Call a function in a thread of its own; a signal ends the program without waiting for it."""
    result: list[KittenTTS] = []
    errors: list[BaseException] = []

    def call() -> None:
        try:
            result.append(function())
        except BaseException as error:  # noqa: BLE001 (raised in the caller's thread)
            errors.append(error)

    thread = threading.Thread(target=call, daemon=True)
    try:
        thread.start()
        while thread.is_alive() and not interruption.is_set():
            thread.join(0.1)
    finally:
        if interruption.is_set():
            # The thread cannot be stopped, and the libraries that it runs in cannot be unloaded meanwhile.
            atexit.register(os._exit, interruption.exit_status)
    if interruption.is_set():
        raise SignalError
    if errors:
        raise errors[0]
    return result[0]
