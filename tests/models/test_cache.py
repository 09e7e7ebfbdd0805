"""Where the cache is, and folders that appear in it whole."""

import stat
import sys
from pathlib import Path

import pytest

from kittentts.models.cache import cache_directory, replaced_directory, sha1


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {}, "/home/me/.cache/kittentts"),
        ("linux", {"XDG_CACHE_HOME": "/x"}, "/x/kittentts"),
        ("darwin", {"XDG_CACHE_HOME": "/x"}, "/home/me/Library/Caches/kittentts"),
        ("win32", {}, "/home/me/AppData/Local/kittentts"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/kittentts"),
        *((platform, {"KITTENTTS_CACHE": "/mine"}, "/mine") for platform in ("linux", "darwin", "win32")),
    ],
)
def test_the_place_of_the_cache(monkeypatch, platform, variables, expected):
    for name in ("KITTENTTS_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(Path, "home", lambda: Path("/home/me"))
    assert cache_directory() == Path(expected)


def make(directory, content):
    with replaced_directory(directory) as new:
        assert list(new.iterdir()) == []
        (new / "file").write_text(content)
        # not there before it is complete
        assert not directory.is_dir() or (directory / "file").read_text() != content


def test_a_folder_takes_the_place_of_whatever_is_there(tmp_path):
    directory = tmp_path / "a"
    make(directory, "first")
    # somebody else's, with a name that begins alike
    (tmp_path / "a-more").mkdir()
    make(directory, "second")
    assert (directory / "file").read_text() == "second"
    (directory / "file").unlink()
    directory.rmdir()
    directory.write_text("a file")
    make(directory, "third")
    assert (directory / "file").read_text() == "third"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "a-more"]
    if sys.platform != "win32":
        # other users may read a cache that they share
        assert stat.S_IMODE(directory.stat().st_mode) == 0o755


def test_an_exception_leaves_what_was_there(tmp_path):
    make(tmp_path / "a", "first")
    with pytest.raises(ZeroDivisionError), replaced_directory(tmp_path / "a"):
        raise ZeroDivisionError
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a" / "file").read_text() == "first"


def test_what_a_killed_process_has_left_goes_with_the_next(tmp_path):
    killed = replaced_directory(tmp_path / "a")
    (killed.__enter__() / "file").write_text("half")
    make(tmp_path / "a", "whole")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_hash_follows_the_file(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"a")
    assert sha1(file) == sha1(file) == "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"
    file.write_bytes(b"abc")
    assert sha1(file) == "a9993e364706816aba3e25717850c26c9cd0d89d"
