"""What `kittentts wyoming` refuses before it listens; how it serves is in `tests/wyoming`."""

import logging
import os
import re
import socket
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _quiet_again(monkeypatch):
    monkeypatch.setattr(logging.getLogger("kittentts.wyoming.request"), "level", logging.NOTSET)


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["--uri", "http://127.0.0.1:10200"], 1, "tcp://HOST:PORT, unix:///PATH or stdio:// is needed"),
        (["--uri", "tcp://127.0.0.1"], 1, "is needed"),
        (["--uri", "tcp://127.0.0.1:70000"], 1, "is needed"),
        (["--uri", "unix://relative/path"], 1, "is needed"),
        (["--uri", "unix:///no/such/folder/socket"], 1, "/no/such/folder/socket: No such file or directory"),
        (["--uri", "tcp://192.0.2.1:0"], 1, "192.0.2.1:0: "),
        (["--uri", "tcp://127.0.0.1:0", "--zeroconf"], 2, "--zeroconf: others cannot reach"),
        (["--uri", "stdio://", "--zeroconf"], 2, "--zeroconf: others cannot reach"),
        (["--queue", "-1"], 2, "--queue -1: a number of at least 0"),
        (["--grace", "nan"], 2, "--grace nan"),
        (["--uri", "tcp://127.0.0.1:0", "--voice", "Nobody"], 1, "voice='Nobody' is unknown"),
        (["--uri", "tcp://127.0.0.1:0", "-m", "/no/such/directory"], 1, "there is no model directory"),
    ],
)
def test_wrong_usage(run_main, tiny_directory, arguments, status, message):
    result = run_main("wyoming", *arguments, env={"KITTENTTS_MODEL": str(tiny_directory)})
    assert result.returncode == status
    assert message in result.stderr


def test_a_path_that_is_taken(run_main, tiny_directory, tmp_path):
    env = {"KITTENTTS_MODEL": str(tiny_directory)}
    (tmp_path / "notes.txt").write_text("not to be lost")
    result = run_main("wyoming", "--uri", f"unix://{tmp_path}/notes.txt", env=env)
    assert "there is a file that is no socket" in result.stderr
    assert (tmp_path / "notes.txt").read_text() == "not to be lost"
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(tmp_path / "socket"))
        other.listen()
        result = run_main("wyoming", "--uri", f"unix://{tmp_path}/socket", env=env)
    assert "Address already in use" in result.stderr


def test_without_the_extra(kitten, tiny_directory, tmp_path):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/wyoming.py").write_text("raise ImportError('not there')")
    result = kitten("wyoming", "-m", tiny_directory, env=os.environ | {"PYTHONPATH": str(tmp_path / "broken")})
    assert result.returncode == 1
    assert "pip install wyoming zeroconf" in result.stderr


def test_the_documentation_names_options_that_there_are(run_main):
    page = (Path(__file__).parents[2] / "docs" / "home-assistant.md").read_text(encoding="utf-8")
    known = run_main("wyoming", "--help").stdout
    named = set(re.findall(r"(?<!\w)--[a-z][a-z-]+", page)) - {"--no-deps", "--now"}
    assert named >= {"--uri", "--zeroconf", "--grace"}
    assert {option for option in named if option not in known} == set()
