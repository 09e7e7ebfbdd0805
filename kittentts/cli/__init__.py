"""The `kittentts` command: a module for each of its commands. Reaches the engine only through its public face."""

from __future__ import annotations

import argparse
import io
import logging
import os
import sys
import threading
from pathlib import Path

from kittentts import KittenTTSError, __version__
from kittentts.cli import batch, doctor, download, models, optimize, say, serve, voices, wyoming
from kittentts.cli.interruption import handle_signals, interruption
from kittentts.cli.options import check_names, describe, name_errors
from kittentts.cli.progress import StderrHandler, print_status
from kittentts.errors import HubError

_COMMANDS = (say, batch, serve, wyoming, voices, models, optimize, download, doctor)
# as a shell reports a program that a signal ended
_CLOSED_PIPE = 128 + 13


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status: 0, 1 after a failure, 130 after Ctrl-C, 143 after SIGTERM.

    Wrong usage leaves through argparse with status 2. Errors are one line on stderr.
    """
    parser = _parser()
    if "_ARGCOMPLETE" in os.environ:
        # a shell asks for completions, which its user set up with argcomplete's register-python-argcomplete
        import argcomplete

        argcomplete.autocomplete(parser)
    _replace_closed_streams()
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        options.wrong_usage(f"unrecognized arguments: {' '.join(unknown)}; --help lists those there are")
    logging.basicConfig(format="%(message)s", handlers=[StderrHandler()], level=logging.WARNING)
    level = logging.ERROR if options.quiet else logging.INFO if options.verbose else logging.WARNING
    logging.getLogger("kittentts").setLevel(level)
    # the Hub client logs each attempt; what came of them is in our own message
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    try:
        if threading.current_thread() is threading.main_thread():
            handle_signals()
        check_names(options)
        status: int = options.run(options) or 0
        with name_errors("stdout"):
            sys.stdout.flush()
    except KeyboardInterrupt:
        status = interruption.exit_status
    except BrokenPipeError:
        status = _CLOSED_PIPE
    except (KittenTTSError, OSError) as error:
        if interruption.is_set():
            # a call was stopped by it
            status = interruption.exit_status
        else:
            status = 1
            message = "stdout is closed" if isinstance(error, io.UnsupportedOperation) else describe(error)
            print_status(message + (options.without_hub if isinstance(error, HubError) else ""))
    try:
        sys.stdout.flush()
    except OSError:
        # what could not be written must not be tried again at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return status


def _replace_closed_streams() -> None:
    """Put /dev/null where the caller closed stdin, stdout or stderr (`>&-`).

    The next file that is opened would get its number, and what libraries print would go into that file. Stdout gets it
    for reading only, so that a command whose output would be lost fails with `io.UnsupportedOperation`.
    """
    for name, mode in (("stdin", "r"), ("stdout", "r"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 (open to the end)


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
