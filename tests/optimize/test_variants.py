"""Making and verifying faster graphs, with a small quantized voice, and which graphs are left alone."""

import json

import numpy as np
import onnx
import pytest
import quantized_model
from onnx import helper
from optimized import entries, opened

from kittentts import KittenTTS
from kittentts.errors import ModelError, SettingError
from kittentts.models.probes import probes
from kittentts.optimize import build, convolution, record
from kittentts.optimize.record import MODEL_FILE, RECORD_FILE

pytestmark = pytest.mark.usefixtures("any_gain")


def make(voice, folder, **options):
    variants = []
    found = build.build(
        voice / "tiny.onnx", folder, lambda name: probes(voice / "voices.npz", name), report=variants.append, **options
    )
    return found, variants


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


@pytest.mark.usefixtures("cache")
def test_a_graph_with_tensors_in_other_files_is_not_optimized(tmp_path, caplog):
    directory = quantized_model.voice_directory(tmp_path / "voice")
    model = onnx.load(directory / "tiny.onnx")
    onnx.save(model, directory / "tiny.onnx", save_as_external_data=True, location="other.bin", size_threshold=500)
    with pytest.raises(ModelError, match="keeps tensors in other files"):
        KittenTTS(directory, optimize="exact")
    assert "is not optimized" not in caplog.text


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
    for mode in ("exact", "fast"):
        with pytest.raises(SettingError, match=f"optimize='{mode}' is for the CPU"):
            KittenTTS(voice, backend="cuda", optimize=mode)


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
