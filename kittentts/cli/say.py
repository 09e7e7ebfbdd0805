"""`kittentts say`: one text, spoken into a file, a pipe or the sound card."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from typing import TYPE_CHECKING

from kittentts.cli.options import (
    add_command,
    add_format_options,
    add_markup_option,
    add_model_option,
    add_speech_options,
    file_format,
    find_markup,
    name_errors,
    open_model,
    read_pipe,
    read_text,
    speech,
)
from kittentts.cli.progress import ProgressBar
from kittentts.cli.speaker import open_speaker
from kittentts.cli.subtitle_file import add_words_option, open_subtitle_file

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from kittentts.cli.options import Commands

    Write = Callable[[NDArray[np.float32]], None]

logger = logging.getLogger(__name__)

_EXAMPLES = """\
kittentts say "It costs $5." -v Luna -o price.flac
kittentts say -i book.md -v Hugo --speed 1.1 -o book.mp3
echo "Hello." | kittentts say -o - | ffplay -v error -nodisp -autoexit -"""


def add_to(commands: Commands) -> None:
    """Add the command."""
    summary = "speak a text into an audio file, a pipe or the sound card"
    parser = add_command(commands, "say", _run, summary, _EXAMPLES, arguments="[TEXT ...]")
    parser.add_argument("text", nargs="*", metavar="TEXT", help="the text; several arguments are joined by spaces")
    parser.add_argument(
        "-i",
        "--input",
        metavar="FILE",
        help="read the text from a file (UTF-8; .md is read as Markdown, .ssml as SSML), - is stdin, "
        "as is a pipe without a text",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="the audio file, complete when it appears; - is stdout, written while it is spoken; "
        "without it the sound card plays",
    )
    parser.add_argument(
        "--low-latency",
        action="store_true",
        help="for the sound card and -o -: let the first sound come sooner, by speaking long sentences in pieces",
    )
    add_markup_option(parser)
    add_model_option(parser)
    add_speech_options(parser)
    add_format_options(parser, "what the suffix of -o names, wav for -o -")
    group = parser.add_argument_group("subtitles")
    group.add_argument(
        "--subtitles", metavar="FILE", help="write what is said when, as the suffix says: .srt, .vtt or .json"
    )
    add_words_option(group)


def _run(options: argparse.Namespace) -> None:
    if options.output == "-" and sys.stdout.isatty():
        options.wrong_usage("audio is not for a terminal; send it through a pipe, or name a file: -o hello.wav")
    if options.subtitles_words and not options.subtitles:
        options.wrong_usage("--subtitles-words says what is in the file of --subtitles FILE")
    is_heard_at_once = options.output in (None, "-")
    if options.low_latency and not is_heard_at_once:
        options.wrong_usage("--low-latency is for the sound card and -o -; a file is there when it is complete")
    text = _text(options, may_be_unfinished=is_heard_at_once)
    if isinstance(text, str) and not options.subtitles and not is_heard_at_once:
        _write_file(text, options)
        return
    subtitles = open_subtitle_file(options.subtitles, words=options.subtitles_words) if options.subtitles else None
    with _open_output(options) as write, ProgressBar(options) as bar, subtitles or contextlib.nullcontext() as audio_of:
        model = open_model(options)
        markup = find_markup(options, options.input)
        settings = {
            **speech(options),
            "markup": markup,
            "look_ahead": True,
            "low_latency": options.low_latency,
            "progress": bar,
        }
        if audio_of is None:
            waveforms = model.generate_stream(text, **settings)
        else:
            waveforms = audio_of(model.synthesize_stream(text, **settings))
        with contextlib.closing(waveforms):
            for waveform in waveforms:
                write(waveform)
    _log(bar, {None: "the sound card", "-": "stdout"}.get(options.output, options.output))


def _write_file(text: str, options: argparse.Namespace) -> None:
    model = open_model(options)
    settings = {**speech(options), "markup": find_markup(options, options.input)}
    with ProgressBar(options) as bar:
        model.generate_to_file(text, options.output, **settings, **file_format(options), progress=bar)
    _log(bar, options.output)


def _log(bar: ProgressBar, name: str) -> None:
    if bar.last:
        logger.info(
            "%s: %.1f s of audio in %.1f s, %.1f times real time",
            name,
            bar.last.audio_seconds,
            bar.last.seconds,
            bar.last.times_real_time,
        )


def _text(options: argparse.Namespace, *, may_be_unfinished: bool) -> str | Iterator[str]:
    """Return the text, or what is written into a pipe as it comes."""
    if options.text and options.input:
        options.wrong_usage("give the text either as arguments or with -i, not both")
    if options.text and options.text != ["-"]:
        if len(options.text) == 1 and os.path.isfile(options.text[0]):  # noqa: PTH113 (no error for any text)
            logger.warning("%r is a file, and its name is spoken; -i speaks what is in it", options.text[0])
        return " ".join(options.text)
    if options.input is None and not options.text and sys.stdin.isatty():
        options.wrong_usage("give a text: as arguments, with -i FILE, or through a pipe")
    if may_be_unfinished and options.input in (None, "-") and options.markup is None:
        return read_pipe()
    return read_text(options.input or "-")


@contextlib.contextmanager
def _open_output(options: argparse.Namespace) -> Iterator[Write]:
    """Yield a function that sends a waveform to a file, stdout or the sound card."""
    if options.output is None:
        if options.format or options.subtype:
            options.wrong_usage("--format and --subtype are for -o; without it the sound card plays")
        with open_speaker(options.sample_rate) as write:
            yield write
        return
    if options.output != "-":
        from kittentts.audio.files import open_file

        with open_file(options.output, **file_format(options)) as write:
            yield write
        return

    from kittentts.audio.encoder import Encoder

    encoder = Encoder(options.format or "wav", options.sample_rate, options.subtype)

    def send(data: bytes) -> None:
        with name_errors("stdout"):
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()

    yield lambda waveform: send(encoder.encode(waveform))
    send(encoder.finish())
