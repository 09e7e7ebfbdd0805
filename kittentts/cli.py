"""The `kittentts` command. Reaches the library only through its public face."""

from __future__ import annotations

import argparse
import logging
import sys

from kittentts import KittenTTS, KittenTTSError, __version__, defaults


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status: 0, 1 after a failure, 130 after Ctrl-C.

    Wrong usage leaves through argparse with status 2. Errors are one line on stderr.
    """
    options = _parser().parse_args(arguments)
    # the Hub client logs each attempt; what came of them is in our own message
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    try:
        options.run(options)
    except (KittenTTSError, OSError) as error:
        print("kittentts:", " ".join(str(error).split()), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kittentts", description="Text to speech on an ordinary CPU.")
    parser.add_argument("--version", action="version", version=f"kittentts {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    model = argparse.ArgumentParser(add_help=False)
    model.add_argument(
        "-m",
        "--model",
        default=defaults.MODEL,
        help="a model directory, 'demo', or a repository on the Hugging Face Hub (default: %(default)s)",
    )

    say = commands.add_parser("say", parents=[model], help="speak a text into an audio file")
    say.add_argument("text", nargs="+", help="the text; several arguments are joined by spaces")
    say.add_argument("-v", "--voice", default=defaults.VOICE, help="see 'kittentts voices' (default: %(default)s)")
    say.add_argument("-s", "--speed", type=float, default=1.0, help="2.0 is twice as fast (default: %(default)s)")
    say.add_argument("-o", "--output", required=True, help="the file; its suffix names the format: wav, flac, ogg, mp3")
    say.set_defaults(run=_say)

    voices = commands.add_parser("voices", parents=[model], help="list the voices of a model")
    voices.set_defaults(run=_voices)
    return parser


def _say(options: argparse.Namespace) -> None:
    model = KittenTTS(options.model)
    model.generate_to_file(" ".join(options.text), options.output, options.voice, options.speed)


def _voices(options: argparse.Namespace) -> None:
    print("\n".join(KittenTTS(options.model).available_voices))
