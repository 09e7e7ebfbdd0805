"""The `kittentts` command: a module for each of its commands. Reaches the engine only through its public face."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

from kittentts import KittenTTSError, __version__
from kittentts.cli import batch, doctor, download, models, optimize, say, serve, voices
from kittentts.cli.options import TerminatedError, describe, exit_status
from kittentts.cli.progress import StderrHandler, print_status

if TYPE_CHECKING:
    from types import FrameType

_COMMANDS = (say, batch, serve, voices, models, optimize, download, doctor)
# as a shell reports a program that a signal ended
_CLOSED_PIPE = 128 + 13


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status: 0, 1 after a failure, 130 after Ctrl-C.

    Wrong usage leaves through argparse with status 2. Errors are one line on stderr.
    """
    if threading.current_thread() is threading.main_thread():
        # `kill` and `timeout` get the same clean end as Ctrl-C
        signal.signal(signal.SIGTERM, _terminate)
    parser = _parser()
    if "_ARGCOMPLETE" in os.environ:
        # a shell asks for completions, which its user set up with argcomplete's register-python-argcomplete
        import argcomplete

        argcomplete.autocomplete(parser)
    options = parser.parse_args(arguments)
    logging.basicConfig(format="%(message)s", handlers=[StderrHandler()], level=logging.WARNING)
    level = logging.ERROR if options.quiet else logging.INFO if options.verbose else logging.WARNING
    logging.getLogger("kittentts").setLevel(level)
    # the Hub client logs each attempt; what came of them is in our own message
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    try:
        status: int = options.run(options) or 0
        sys.stdout.flush()
    except BrokenPipeError:
        # Who reads us has enough. What is still in the buffer must not be tried again at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _CLOSED_PIPE
    except (KittenTTSError, OSError) as error:
        print_status(describe(error))
        return 1
    except KeyboardInterrupt as error:
        return exit_status(error)
    return status


def _terminate(_: int, __: FrameType | None) -> None:
    raise TerminatedError


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kittentts",
        description="Text to speech on an ordinary CPU.",
        epilog="examples:\n"
        '  kittentts say "Hello there." -o hello.wav\n'
        "  kittentts batch chapters/*.txt -d audio --format mp3\n\n"
        "'kittentts COMMAND --help' says more about a command.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"kittentts {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in _COMMANDS:
        command.add_to(commands)
    return parser
