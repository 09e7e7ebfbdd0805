"""Graphs in the cache: made once, checked when they are opened, and made anew where they are damaged."""

import dataclasses
import logging
import multiprocessing
import shutil

import onnx
import pytest
import quantized_model
from optimized import change_record, entries, opened

from kittentts import KittenTTS, optimize
from kittentts.errors import ModelError
from kittentts.get_model import load_from_local
from kittentts.models.cache import sha1
from kittentts.optimize import build, record
from kittentts.optimize.record import MODEL_FILE, RECORD_FILE

TEXT = "Here is a sentence. And here is another one, a little longer than the first."

pytestmark = pytest.mark.usefixtures("any_gain")


def test_a_verified_graph_is_made_once_and_kept(voice, cache, caplog):
    caplog.set_level(logging.INFO, logger="kittentts")
    original = KittenTTS(voice, optimize="off")
    assert entries(cache) == []
    first = KittenTTS(voice)
    (folder,) = entries(cache)
    assert opened(first) == folder / MODEL_FILE
    assert "once for this machine" in caplog.text
    caplog.clear()
    second = KittenTTS(voice, optimize="exact")
    assert opened(second) == opened(first)
    assert caplog.text == ""
    wanted = original.generate(TEXT, voice="Jasper", speed=1.1)
    for model in (first, second):
        assert model.generate(TEXT, voice="Jasper", speed=1.1).tobytes() == wanted.tobytes()
    assert load_from_local(voice).model_path == folder / MODEL_FILE
    assert sorted(path.name for path in cache.iterdir()) == sorted([folder.name, f"{folder.name}.lock"])


def put_file_in_the_way(folder):
    shutil.rmtree(folder)
    folder.write_text("in the way")


def put_folder_in_the_way(folder):
    (folder / RECORD_FILE).unlink()
    (folder / RECORD_FILE).mkdir()


def cut_or_flip(folder, *, length=None):
    content = bytearray((folder / MODEL_FILE).read_bytes())
    content[-9] ^= 1
    (folder / MODEL_FILE).write_bytes(content[:length])


DAMAGES = {
    "truncated": lambda folder: cut_or_flip(folder, length=1000),
    "flipped": cut_or_flip,
    "no graph": lambda folder: (folder / MODEL_FILE).unlink(),
    "no record": lambda folder: (folder / RECORD_FILE).unlink(),
    "broken record": lambda folder: (folder / RECORD_FILE).write_text("{"),
    "nested record": lambda folder: (folder / RECORD_FILE).write_text("[" * 100_000),
    "a list for a record": lambda folder: (folder / RECORD_FILE).write_text("[1]"),
    "a folder for a record": put_folder_in_the_way,
    "a file for the folder": put_file_in_the_way,
    "other rules": lambda folder: change_record(folder, rules=99),
    "another original": lambda folder: change_record(folder, source="0" * 40),
    "negative pair": lambda folder: change_record(folder, largest_pair=-1),
    "impossible pair": lambda folder: change_record(folder, largest_pair=257),
    "no pair": lambda folder: change_record(folder, largest_pair=None),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_entry_is_rebuilt(voice, cache, damage):
    KittenTTS(voice)
    (folder,) = entries(cache)
    content, made = (folder / MODEL_FILE).read_bytes(), record.read_record(folder)
    DAMAGES[damage](folder)
    model = KittenTTS(voice)
    assert dataclasses.replace(record.read_record(folder), seconds=made.seconds) == made
    assert entries(cache) == [folder]
    assert opened(model) == folder / MODEL_FILE
    assert opened(model).read_bytes() == content
    model.generate("Hello.")


def test_a_new_rule_set_makes_its_own_graph(voice, cache, monkeypatch):
    KittenTTS(voice)
    monkeypatch.setattr(record, "RULES", 99)
    monkeypatch.setattr(build, "RULES", 99)
    assert opened(KittenTTS(voice)).name == MODEL_FILE
    assert len(entries(cache)) == 2


def test_a_changed_model_is_made_anew(voice, tmp_path, cache):
    other = quantized_model.voice_directory(tmp_path / "other", extreme=True)
    KittenTTS(voice)
    model = KittenTTS(other)
    assert len(entries(cache)) == 2
    wanted = KittenTTS(other, optimize="off").generate(TEXT)
    assert model.generate(TEXT).tobytes() == wanted.tobytes()


@pytest.mark.usefixtures("no_native_library")
def test_a_cpu_that_fails_the_self_test_gets_the_original(voice, cache, monkeypatch):
    KittenTTS(voice)
    (folder,) = entries(cache)
    # smaller pairs would be right
    largest = record.read_record(folder).largest_pair
    assert largest > 0
    monkeypatch.setattr(record, "is_exact", lambda pair: pair < largest)
    assert opened(KittenTTS(voice)) == voice / "tiny.onnx"


@pytest.mark.parametrize("garbage", ["no graph", "another graph"])
def test_garbage_with_a_fitting_record_falls_back_to_the_original(voice, cache, caplog, garbage):
    KittenTTS(voice)
    (folder,) = entries(cache)
    if garbage == "no graph":
        (folder / MODEL_FILE).write_bytes(b"garbage")
    else:
        onnx.save(quantized_model.integer_convolution(), folder / MODEL_FILE)
    change_record(folder, file=sha1(folder / MODEL_FILE))
    model = KittenTTS(voice)
    assert opened(model) == voice / "tiny.onnx"
    assert "the original is used, and `kittentts optimize` makes a new graph" in caplog.text
    model.generate("Hello.")
    # an original that cannot be opened is no reason to try it twice
    with pytest.raises(ModelError, match="cannot be opened"):
        KittenTTS(broken_copy(voice, folder.parent.parent / "broken"))


def test_a_graph_that_is_gone_when_it_is_opened_falls_back_to_the_original(voice, monkeypatch, caplog):
    def find_and_lose(*arguments):
        file = found(*arguments)
        file.unlink()
        return file

    KittenTTS(voice)
    found = optimize.optimized_file
    monkeypatch.setattr(optimize, "optimized_file", find_and_lose)
    assert opened(KittenTTS(voice)) == voice / "tiny.onnx"
    assert "the original is used" in caplog.text


def broken_copy(voice, target):
    shutil.copytree(voice, target)
    (target / "tiny.onnx").write_bytes(b"no graph")
    return target


def test_what_a_killed_process_has_left_is_removed(voice, cache):
    KittenTTS(voice)
    (folder,) = entries(cache)
    shutil.rmtree(folder)
    leftover = cache / f"{folder.name}.new-abc"
    leftover.mkdir()
    (leftover / "signed.onnx").write_bytes(b"half")
    KittenTTS(voice)
    assert entries(cache) == [folder]


def test_where_the_cache_cannot_be_written_the_original_speaks(voice, tmp_path, monkeypatch, caplog):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("KITTENTTS_CACHE", str(tmp_path / "file"))
    model = KittenTTS(voice, optimize="exact")
    assert opened(model) == voice / "tiny.onnx"
    assert len([one for one in caplog.records if one.levelno >= logging.WARNING]) == 1
    assert "is not optimized" in caplog.text
    model.generate("Hello.")


def test_a_full_disk_leaves_nothing_behind(voice, cache, monkeypatch, caplog):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(build, "write_record", full)
    assert opened(KittenTTS(voice)) == voice / "tiny.onnx"
    assert "No space left on device" in caplog.text
    assert entries(cache) == []


@pytest.mark.slow
def test_two_processes_at_the_same_time(voice, cache):
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager:
        barrier = manager.Barrier(2)
        with context.Pool(2) as pool:
            results = pool.map(quantized_model.open_at_the_same_time, [(voice, barrier)] * 2)
    (folder,) = entries(cache)
    assert {path for path, _ in results} == {str(folder / MODEL_FILE)}
    assert len({audio for _, audio in results}) == 1
