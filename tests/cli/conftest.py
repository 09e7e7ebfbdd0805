"""Fixtures: the command in this process, for what needs no process of its own, and a Ctrl-C that comes through."""

import io
import logging
import signal
import subprocess
import sys

import pytest

from kittentts.cli import main


@pytest.fixture
def run_main(tmp_path, monkeypatch, capsys):
    """Run the command in this process, in `tmp_path`; the result is like that of `kitten`, a tenth of a second sooner.

    What it logs is not among its stderr: pytest's handler takes it.
    """
    loggers = [logging.getLogger(name) for name in ("kittentts", "huggingface_hub")]
    levels = [logger.level for logger in loggers]
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    hook = sys.unraisablehook

    def run(*arguments, input=b"", env=()):  # noqa: A002
        monkeypatch.chdir(tmp_path)
        data = input if isinstance(input, bytes) else input.encode()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))
        # as Python's own
        sys.stderr.reconfigure(errors="backslashreplace")
        for name, value in dict(env).items():
            monkeypatch.setenv(name, value)
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as exit:  # noqa: A001
            status = exit.code
        return subprocess.CompletedProcess(arguments, status, *capsys.readouterr())

    yield run
    sys.unraisablehook = hook
    for number, handler in handlers.items():
        signal.signal(number, handler)
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


@pytest.fixture
def say(kitten, tiny_directory):
    def run(*arguments, **options):
        return kitten("say", *arguments, "-m", tiny_directory, **options)

    return run


@pytest.fixture
def say_here(run_main, tiny_directory):
    """The same in this process."""

    def run(*arguments, **options):
        return run_main("say", *arguments, "-m", tiny_directory, **options)

    return run


@pytest.fixture
def batch(run_main, tiny_directory):
    """`kittentts batch` in this process."""

    def run(*arguments, **options):
        return run_main("batch", *arguments, "-m", tiny_directory, **options)

    return run


@pytest.fixture
def sigint():
    """Let a child end on SIGINT, though `nohup pytest &` ignores it and a child would inherit that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
