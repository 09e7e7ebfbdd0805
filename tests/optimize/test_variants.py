"""Making, verifying, choosing and keeping faster graphs, with a small quantized voice."""

import dataclasses
import json
import logging
import multiprocessing
import shutil
import subprocess
import sys

import numpy as np
import onnx
import pytest
import quantized_model
from onnx import helper

from kittentts import KittenTTS
from kittentts.errors import MissingExtraError, ModelError, SettingError
from kittentts.get_model import load_from_local
from kittentts.models.cache import sha1
from kittentts.models.probes import probes
from kittentts.optimize import build, convolution, optimize, record
from kittentts.optimize.record import MODEL_FILE, RECORD_FILE

TEXT = "Here is a sentence. And here is another one, a little longer than the first."


@pytest.fixture(scope="module")
def voice(tmp_path_factory):
    return quantized_model.voice_directory(tmp_path_factory.mktemp("voice"))


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KITTENTTS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "optimized"


@pytest.fixture(autouse=True)
def any_gain(monkeypatch):
    """The graphs here are too small for a time to mean anything."""
    monkeypatch.setattr(build, "_LEAST_GAIN", 0.0001)


def opened(model):
    """Return the ONNX file that a model has opened."""
    return model.model.model_path


def entries(cache):
    return [path for path in cache.iterdir() if path.is_dir()] if cache.exists() else []


def change_record(folder, **changes):
    path = folder / RECORD_FILE
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")


def make(voice, folder, **options):
    variants = []
    found = build.build(
        voice / "tiny.onnx", folder, lambda name: probes(voice / "voices.npz", name), report=variants.append, **options
    )
    return found, variants


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


def test_fast_measures_all_variants(voice, cache):
    KittenTTS(voice)
    KittenTTS(voice, optimize="fast")
    (folder,) = entries(cache)
    found = record.read_record(folder)
    assert found.thorough
    assert set(found.seconds) == {"original", *build.variant_names()}
    assert all(seconds > 0 for seconds in found.seconds.values())
    # what was found thoroughly serves the others, too
    assert opened(KittenTTS(voice)) == folder / MODEL_FILE


def test_nothing_to_gain_is_remembered(voice, cache, monkeypatch):
    monkeypatch.setattr(build, "_LEAST_GAIN", 1e9)
    assert opened(KittenTTS(voice)) == voice / "tiny.onnx"
    (folder,) = entries(cache)
    assert [path.name for path in folder.iterdir()] == [RECORD_FILE]
    monkeypatch.setattr(build, "build", None)
    assert opened(KittenTTS(voice)) == voice / "tiny.onnx"


def test_a_graph_without_quantized_convolutions_is_left_alone(tiny_directory, cache):
    assert opened(KittenTTS(tiny_directory, optimize="exact")) == tiny_directory / "tiny.onnx"
    assert not cache.exists()


@pytest.mark.usefixtures("no_native_library")
def test_a_broken_rule_is_caught(voice, tmp_path, monkeypatch, caplog):
    right = convolution._matrix

    def wrong(*arguments, **options):
        matrix, zero = right(*arguments, **options)
        matrix[0, 0] ^= 1
        return matrix, zero

    monkeypatch.setattr(convolution, "_matrix", wrong)
    # the float variant does not use the broken part
    found, variants = make(voice, tmp_path)
    assert [(one.name, one.difference is None) for one in variants] == [
        ("signed", False), ("unsigned", False), ("float", True),
    ]  # fmt: skip
    assert variants[0].difference == "the output 'waveform' of probe 1 differs"
    assert "the signed variant is thrown away: the output 'waveform'" in caplog.text
    assert found.variant == "float"
    monkeypatch.setattr(convolution, "FLAVOURS", ("signed", "unsigned"))
    monkeypatch.setattr(build, "FLAVOURS", ("signed", "unsigned"))
    (tmp_path / "again").mkdir()
    found, _ = make(voice, tmp_path / "again")
    assert found.variant == "original"
    assert [path.name for path in (tmp_path / "again").iterdir()] == [RECORD_FILE]


@pytest.mark.usefixtures("cache")
def test_graphs_with_random_nodes_are_compared_with_equal_seeds(tmp_path):
    voice = quantized_model.voice_directory(tmp_path / "noisy", noise=True)
    model = KittenTTS(voice, optimize="exact")
    assert opened(model).name == MODEL_FILE
    # the seeds are for the comparison only
    assert model.generate("Hello.").tobytes() != model.generate("Hello.").tobytes()
    stored = onnx.load(opened(model))
    assert not any(one.name == "seed" for node in stored.graph.node for one in node.attribute)


def test_seeds_reach_subgraphs_and_replace_those_there_are():
    inner = helper.make_graph([helper.make_node("RandomNormal", [], ["r"], shape=[1])], "inner", [], [])
    nodes = [
        helper.make_node("RandomUniform", [], ["u"], shape=[1], seed=5.0),
        helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner),
    ]
    seeded = build.with_seeds(helper.make_model(helper.make_graph(nodes, "g", [], [])))
    found = [one.f for node in build.all_nodes(seeded.graph) for one in node.attribute if one.name == "seed"]
    assert found == [1.0, 2.0, 3.0]
    assert build.with_seeds(helper.make_model(helper.make_graph([], "g", [], []))) is None


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


@pytest.mark.usefixtures("cache")
def test_a_graph_with_tensors_in_other_files_is_not_optimized(tmp_path, caplog):
    directory = quantized_model.voice_directory(tmp_path / "voice")
    model = onnx.load(directory / "tiny.onnx")
    onnx.save(model, directory / "tiny.onnx", save_as_external_data=True, location="other.bin", size_threshold=500)
    with pytest.raises(ModelError, match="keeps tensors in other files"):
        KittenTTS(directory, optimize="exact")
    assert "is not optimized" not in caplog.text


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


@pytest.mark.usefixtures("cache")
def test_a_file_that_is_no_graph_gets_its_usual_error(tmp_path):
    quantized_model.voice_directory(tmp_path / "broken")
    (tmp_path / "broken" / "tiny.onnx").write_bytes(b"ConvInteger, and nothing else")
    with pytest.raises(ValueError, match="cannot be opened as an ONNX graph"):
        KittenTTS(tmp_path / "broken")
    (tmp_path / "broken" / "tiny.onnx").write_bytes(b"")
    with pytest.raises(ValueError, match="cannot be opened as an ONNX graph"):
        KittenTTS(tmp_path / "broken")


def test_unknown_modes_and_other_devices_are_refused(voice):
    with pytest.raises(SettingError, match="optimize='max' is not one of 'auto', 'off', 'exact', 'fast'"):
        KittenTTS(voice, optimize="max")
    with pytest.raises(SettingError, match="optimize='exact' is for the CPU"):
        KittenTTS(voice, backend="cuda", optimize="exact")


WITHOUT_ONNX = """
import sys
sys.modules["onnx"] = None
import importlib.util
find_spec = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "onnx" else find_spec(name, *rest)
from kittentts import KittenTTS
print(KittenTTS(sys.argv[1], optimize=sys.argv[2]).model.model_path)
"""


@pytest.mark.usefixtures("cache")
def test_without_onnx(voice, run_python):
    assert run_python(WITHOUT_ONNX, voice, "auto").stdout.strip() == str(voice / "tiny.onnx")
    failed = run_python(WITHOUT_ONNX, voice, "exact", check=False)
    assert MissingExtraError.__name__ in failed.stderr
    assert 'pip install "kittentts[fast]"' in failed.stderr
    # what exists is opened without it
    made = str(opened(KittenTTS(voice)))
    assert run_python(WITHOUT_ONNX, voice, "auto").stdout.strip() == made
    assert run_python(WITHOUT_ONNX, voice, "exact").stdout.strip() == made


def test_an_optimized_graph_beside_the_original_is_used_first(tmp_path, cache, run_python):
    folder = quantized_model.voice_directory(tmp_path / "made")
    found = optimize(folder / "tiny.onnx", lambda name: probes(folder / "voices.npz", name), folder)
    assert found.thorough
    assert found.variant in build.variant_names()
    assert run_python(WITHOUT_ONNX, folder, "auto").stdout.strip() == str(folder / MODEL_FILE)
    assert opened(KittenTTS(folder)) == folder / MODEL_FILE
    assert not cache.exists()
    # before the one in the cache, too
    optimize(folder / "tiny.onnx", lambda name: probes(folder / "voices.npz", name))
    assert len(entries(cache)) == 1
    assert opened(KittenTTS(folder)) == folder / MODEL_FILE
    # one that was made of another graph is not
    quantized_model.voice_directory(folder, extreme=True)
    assert opened(KittenTTS(folder)) != folder / MODEL_FILE


def test_two_processes_at_the_same_time(voice, cache):
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager:
        barrier = manager.Barrier(2)
        with context.Pool(2) as pool:
            results = pool.map(quantized_model.open_at_the_same_time, [(voice, barrier)] * 2)
    (folder,) = entries(cache)
    assert {path for path, _ in results} == {str(folder / MODEL_FILE)}
    assert len({audio for _, audio in results}) == 1


def test_importing_kittentts_does_not_import_onnx(tmp_path):
    code = "import sys, kittentts, kittentts.optimize; sys.exit('onnx' in sys.modules or 'numpy' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path, timeout=60)


def test_the_record_is_plain_json(voice, tmp_path):
    make(voice, tmp_path)
    content = json.loads((tmp_path / RECORD_FILE).read_text(encoding="utf-8"))
    assert {"source", "rules", "onnxruntime", "cpu", "seconds"} <= content.keys()
    assert all(isinstance(seconds, float) for seconds in content["seconds"].values())


def test_probes_have_different_lengths_voices_and_speeds(voice):
    inputs = probes(voice / "voices.npz", "tokens")
    assert all(set(one) == {"tokens", "style", "speed"} for one in inputs)
    assert len({one["tokens"].shape for one in inputs}) == len(inputs) == 3
    assert len({one["style"].tobytes() for one in inputs}) == 3
    assert len({float(one["speed"][0]) for one in inputs}) == 3
    assert all(one["tokens"].dtype == np.int64 and one["style"].shape == (1, 256) for one in inputs)


class TestCommand:
    def test_into_the_cache(self, voice, cache, kitten):
        result = kitten("optimize", voice)
        assert result.returncode == 0, result.stderr
        lines = result.stdout.splitlines()
        names = build.variant_names()
        assert [line.split()[0] for line in lines[: len(names) + 1]] == [*names, "original"]
        assert all("same bits" in line for line in lines[: len(names)])
        (folder,) = entries(cache)
        assert record.read_record(folder).thorough
        assert kitten("optimize", voice, "-q").stdout.count("same bits") == 0

    def test_into_a_directory_that_any_install_can_open(self, voice, cache, kitten, tmp_path, run_python):
        made = tmp_path / "fast" / "voice"
        result = kitten("optimize", voice, "-o", made)
        assert result.returncode == 0, result.stderr
        assert {"config.json", "tiny.onnx", "voices.npz", RECORD_FILE} <= {path.name for path in made.iterdir()}
        assert [path.name for path in made.parent.iterdir()] == ["voice"]
        wanted = KittenTTS(voice, optimize="off").generate(TEXT)
        assert KittenTTS(made).generate(TEXT).tobytes() == wanted.tobytes()
        assert run_python(WITHOUT_ONNX, made, "auto").stdout.startswith(str(made))
        assert not cache.exists()
        again = kitten("optimize", voice, "-o", made)
        assert again.returncode == 1
        assert "exists; name a directory that does not" in again.stderr

    @pytest.mark.usefixtures("cache")
    def test_nothing_to_gain(self, tiny_directory, kitten):
        assert "no rule applies" in kitten("optimize", tiny_directory).stdout

    def test_a_failure_leaves_nothing(self, kitten, tmp_path):
        result = kitten("optimize", tmp_path / "nowhere", "-o", tmp_path / "out")
        assert result.returncode == 1
        assert "there is no model directory" in result.stderr
        assert list(tmp_path.iterdir()) == []

    def test_say_takes_a_mode(self, voice, cache, kitten, tmp_path):
        arguments = "say", "Hello.", "-m", voice, "-v", "Leo", "-o", tmp_path / "a.wav"
        assert kitten(*arguments, "--optimize", "off").returncode == 0
        assert not cache.exists()
        assert kitten(*arguments, "--optimize", "exact").returncode == 0
        assert len(entries(cache)) == 1
        assert kitten(*arguments, "--optimize", "max").returncode == 2
