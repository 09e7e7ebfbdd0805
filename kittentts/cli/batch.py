"""`kittentts batch`: many texts, a file for each, each as soon as it is complete."""

from __future__ import annotations

import contextlib
import itertools
import logging
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from kittentts import KittenTTS, KittenTTSError
from kittentts.cli.options import (
    add_command,
    add_format_options,
    add_markup_option,
    add_model_option,
    add_speech_options,
    describe,
    file_format,
    open_model,
    speech,
)
from kittentts.cli.progress import open_status_bar, print_status
from kittentts.cli.subtitle_file import add_words_option, open_subtitle_file
from kittentts.errors import StoppedError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from typing_extensions import Self

    from kittentts.cli.items import BatchItem
    from kittentts.cli.options import Commands
    from kittentts.cli.subtitle_file import AudioOf
    from kittentts.synthesis.progress import Progress

logger = logging.getLogger(__name__)

_LOCK = ".kittentts-batch.lock"
# characters; of a longer text the audio, 100 MB and more, goes to its file as it comes
_LONG = 20_000
_DETAILS = """
Each INPUT is a text of its own and becomes DIR/<its name>.<format>; with --lines each of its lines does, as
DIR/<its name>-<line number>.<format>; with --jsonl each of its lines is an object like
  {"id": "intro/1", "text": "Hello there.", "voice": "Luna", "speed": 1.2}
(voice, speed and markup may be left out, other fields are ignored) and becomes DIR/<id>.<format>.

Files that are there already are left alone, so that a batch that was interrupted goes on where it was. A text that
fails is reported, and the others are spoken; the exit status is 1 then.
"""
_EXAMPLES = """\
kittentts batch chapters/*.md -d audio --format mp3
kittentts batch prompts.jsonl --jsonl -d prompts -v Luna"""


def add_to(commands: Commands) -> None:
    """Add the command."""
    summary = "speak many texts, each into a file of its own"
    parser = add_command(commands, "batch", _run, summary, _EXAMPLES, arguments="INPUT ... -d DIR", details=_DETAILS)
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="INPUT",
        help="a file (UTF-8; .md is read as Markdown, .ssml as SSML); a folder, for its .txt, .md and "
        ".ssml files (.jsonl with --jsonl); "
        "a pattern in quotes; - is stdin",
    )
    parser.add_argument("-d", "--directory", required=True, metavar="DIR", help="where the files go; made if needed")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--lines", action="store_true", help="each line of an INPUT is a text")
    kind.add_argument("--jsonl", action="store_true", help="each line of an INPUT is a JSON object")
    parser.add_argument("--overwrite", action="store_true", help="speak again what is there already")
    add_markup_option(parser)
    add_model_option(parser)
    add_speech_options(parser)
    add_format_options(parser, "wav")
    group = parser.add_argument_group("subtitles")
    group.add_argument(
        "--subtitles", choices=("srt", "vtt", "json"), help="write what is said when, beside each audio file"
    )
    add_words_option(group)


def _run(options: argparse.Namespace) -> int:
    from kittentts.cli.items import find_items

    if options.subtitles_words and not options.subtitles:
        options.wrong_usage("--subtitles-words says what is in the files of --subtitles FORMAT")
    directory = Path(options.directory)
    suffixes = [f".{options.format or 'wav'}", *([f".{options.subtitles}"] if options.subtitles else [])]
    with _folder(directory), _only_batch_in(directory), _Summary(options) as summary:
        items = []
        for item in find_items(options, directory, suffixes):
            if isinstance(item, str):
                summary.failed(item)
            elif _is_there(item, options) and not options.overwrite:
                summary.skipped += 1
            else:
                items.append(item)
        if items:
            _remove_leftovers(items, options)
            model = open_model(options)
            if any(item.voice is None for item in items):
                # what is wrong for all of them is said once, by this call, which speaks nothing
                model.generate_stream("One.", **speech(options))
            with summary.bar(len(items)):
                _speak_all(model, items, options, summary)
    return 1 if summary.failures else 0


def _speak_all(model: KittenTTS, items: list[BatchItem], options: argparse.Namespace, summary: _Summary) -> None:
    """Write each item's file; an error of the file system, like a full disk, ends it, for all have it."""
    from kittentts.audio.files import open_file
    from kittentts.defaults import SAMPLE_RATE

    long: list[BatchItem] = []
    texts = _short_texts(items, long, summary)
    timings = bool(options.subtitles)
    with contextlib.closing(
        model.generate_many(texts, **speech(options), markup=options.markup, timings=timings, order="completed")
    ) as results:
        for result in results:
            item: BatchItem = result.id
            if result.audio is None:
                summary.failed(f"{item.source}: {describe(cast('Exception', result.error))}")
                continue
            item.path.parent.mkdir(parents=True, exist_ok=True)
            if result.speech:
                with _open_subtitles(item, options) as audio_of:
                    list(audio_of([result.speech]))
            with open_file(item.path, **file_format(options, "wav")) as write:
                write(result.audio)
            summary.written(item, len(result.audio) / SAMPLE_RATE)
    for item in long:
        _speak_long(model, item, options, summary)


def _short_texts(items: list[BatchItem], long: list[BatchItem], summary: _Summary) -> Iterator[tuple[Any, ...]]:
    """Yield what `generate_many` takes, and put aside the items whose audio should not be in memory as a whole."""
    for item in items:
        try:
            text = item.text()
        except (KittenTTSError, OSError) as error:
            # these name the file themselves
            summary.failed(describe(error))
            continue
        if isinstance(text, str) and len(text) > _LONG:
            long.append(item)
        else:
            yield item, text, item.voice, item.speed, item.markup


def _speak_long(model: KittenTTS, item: BatchItem, options: argparse.Namespace, summary: _Summary) -> None:
    """Write one item's file while it is spoken."""
    from kittentts.audio.files import open_file

    reports: list[Progress] = []
    settings: dict[str, Any] = {**speech(options), "markup": options.markup, "progress": reports.append}
    settings |= {key: value for key in ("voice", "speed", "markup") if (value := getattr(item, key)) is not None}
    item.path.parent.mkdir(parents=True, exist_ok=True)
    try:
        if not options.subtitles:
            model.generate_to_file(item.text(), item.path, **settings, **file_format(options, "wav"))
        else:
            with (
                open_file(item.path, **file_format(options, "wav")) as write,
                _open_subtitles(item, options) as audio_of,
                contextlib.closing(
                    audio_of(model.synthesize_stream(item.text(), **settings, look_ahead=True))
                ) as waveforms,
            ):
                for waveform in waveforms:
                    write(waveform)
    except StoppedError:
        raise
    except KittenTTSError as error:
        summary.failed(f"{item.source}: {describe(error)}")
    else:
        summary.written(item, reports[-1].audio_seconds)


def _open_subtitles(item: BatchItem, options: argparse.Namespace) -> contextlib.AbstractContextManager[AudioOf]:
    return open_subtitle_file(_subtitles_path(item, options), words=options.subtitles_words)


def _subtitles_path(item: BatchItem, options: argparse.Namespace) -> Path:
    # the audio's suffix is ours; the name may have dots
    return item.path.with_suffix(f".{options.subtitles}")


def _is_there(item: BatchItem, options: argparse.Namespace) -> bool:
    return item.path.exists() and (not options.subtitles or _subtitles_path(item, options).exists())


@contextlib.contextmanager
def _folder(directory: Path) -> Iterator[None]:
    """Make a folder and its parents; what has stayed empty of them is removed at the end."""
    made = list(itertools.takewhile(lambda path: not path.exists(), (directory, *directory.parents)))
    directory.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        for path in made:
            with contextlib.suppress(OSError):
                path.rmdir()


@contextlib.contextmanager
def _only_batch_in(directory: Path) -> Iterator[None]:
    """Hold the folder's lock, so that two batches do not do the same work, or clean up each other's files.

    Raises:
        OSError: another one holds it, or the folder cannot be written.
    """
    from filelock import FileLock, Timeout

    path = directory / _LOCK
    try:
        lock = FileLock(path).acquire(timeout=0)
    except Timeout as error:
        raise OSError(f"another kittentts batch is writing into {str(directory)!r}; wait for it, or end it") from error
    with lock:
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                path.unlink()


def _remove_leftovers(items: list[BatchItem], options: argparse.Namespace) -> None:
    """Remove what a batch that was killed left of these items' files."""
    from kittentts.audio.files import UNFINISHED

    paths = {item.path for item in items}
    if options.subtitles:
        paths |= {_subtitles_path(item, options) for item in items}
    for folder in {path.parent for path in paths if path.parent.is_dir()}:
        for entry in folder.iterdir():
            match = UNFINISHED.fullmatch(entry.name)
            if match and folder / match[1] in paths:
                entry.unlink()


class _Summary:
    """Counts what comes of the items, shows it in a bar, and sums it up on stderr at the end, also after an error."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.skipped = 0
        self.failures = 0
        self._written = 0
        self._audio_seconds = 0.0
        self._began = time.perf_counter()
        self._is_quiet = options.quiet
        self._bar: Any = None

    @contextlib.contextmanager
    def bar(self, total: int) -> Iterator[None]:
        """Show a bar at a terminal."""
        if self._is_quiet or not sys.stderr.isatty():
            yield
            return
        with open_status_bar(total, "texts") as self._bar:
            yield

    def failed(self, message: str) -> None:
        self.failures += 1
        print_status(message)
        self._show()

    def written(self, item: BatchItem, seconds: float) -> None:
        self._written += 1
        self._audio_seconds += seconds
        logger.info("%s: %.1f s of audio", item.path, seconds)
        self._show()

    def _show(self) -> None:
        if self._bar is not None:
            self._bar.set_postfix_str(self._speed(), refresh=False)
            self._bar.update()

    def _speed(self) -> str:
        seconds = time.perf_counter() - self._began
        return f"{self._audio_seconds:.0f} s of audio, {self._audio_seconds / seconds:.1f} times real time"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # a wrong option is not summed up
        if self._is_quiet or (kind and not self._written and not self.failures):
            return
        seconds = time.perf_counter() - self._began
        parts = [f"{self._written} written" + (f" in {seconds:.1f} s ({self._speed()})" if self._written else "")]
        parts += [f"{self.skipped} there already"] if self.skipped else []
        parts += [f"{self.failures} failed"] if self.failures else []
        parts += ["not all were tried; the same command goes on here"] if kind else []
        print_status(", ".join(parts))
