"""Which variant is chosen, on which CPU it is one, and what names its place in the cache."""

import types

import numpy as np
import onnx
import onnxruntime
import pytest
import quantized_model
import tiny_model

from kittentts.models.probes import probes
from kittentts.onnxruntime_import import import_onnxruntime
from kittentts.optimize import build, cpu, record
from kittentts.optimize.build import Variant
from kittentts.optimize.convolution import FLAVOURS
from kittentts.optimize.record import MODEL_FILE, cache_key
from kittentts.optimize.selftest import LARGEST_PAIR, SAFE_PAIR
from kittentts.optimize.session import open_single_threaded


@pytest.fixture
def chosen(tmp_path, monkeypatch):
    """Return which variant `build` takes if the three gain so much, and the content of its file."""

    def chosen(gains, *, thorough=True):
        def variants(_original, folder, _probes):
            for name, gain in zip(FLAVOURS, gains, strict=True):
                variant = Variant(name, folder / f"{name}.onnx", seconds=1.0, original_seconds=gain)
                variant.path.write_text(name)
                yield variant

        monkeypatch.setattr(build, "variants", variants)
        original = tmp_path / "original.onnx"
        original.write_text("original")
        folder = tmp_path / f"folder{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        found = build.build(original, folder, lambda _: [], thorough=thorough)
        assert not set(folder.iterdir()) & {folder / f"{name}.onnx" for name in FLAVOURS}
        made = folder / MODEL_FILE
        assert found.variant == (made.read_text() if made.exists() else "original")
        return found.variant

    return chosen


def test_the_fastest_is_chosen(chosen):
    assert chosen([1.2, 1.5, 1.3]) == "unsigned"
    assert chosen([1.2, 1.3, 1.5]) == "float"
    assert chosen([1.5, 1.3, 1.2]) == "signed"


def test_the_first_that_is_faster_is_chosen_where_time_counts(chosen):
    assert chosen([0.9, 1.2, 1.5], thorough=False) == "unsigned"


def test_what_gains_less_than_a_measurement_varies_is_not_chosen(chosen):
    assert chosen([1.02, 0.9, 1.0]) == "original"
    assert chosen([1.02, 1.04, 1.0]) == "unsigned"


@pytest.fixture(scope="module")
def extreme(tmp_path_factory):
    """A voice whose weights are the largest and the smallest of eight bits."""
    return quantized_model.voice_directory(tmp_path_factory.mktemp("extreme"), extreme=True)


def all_variants(voice, folder):
    inputs = probes(voice / "voices.npz", "input_ids")
    return {one.name: one for one in build.variants(voice / "tiny.onnx", folder, lambda _: inputs)}


def test_on_a_cpu_that_saturates_large_pairs_are_left_alone(extreme, tmp_path, monkeypatch):
    monkeypatch.setattr(build, "is_exact", lambda pair: pair <= SAFE_PAIR)
    signed = all_variants(extreme, tmp_path).get("signed")
    assert signed is None or signed.largest_pair <= SAFE_PAIR
    monkeypatch.setattr(build, "is_exact", lambda pair: pair <= LARGEST_PAIR)
    assert all_variants(extreme, tmp_path)["signed"].largest_pair > SAFE_PAIR


def test_a_variant_that_fails_the_self_test_is_thrown_away(extreme, tmp_path, monkeypatch):
    monkeypatch.setattr(build, "is_exact", lambda _: False)
    found = all_variants(extreme, tmp_path)
    assert found
    assert {one.difference for one in found.values()} == {"this CPU fails the self-test"}
    assert {one.gain for one in found.values()} == {0.0}


def test_every_probe_is_compared(tiny_directory):
    """Two graphs that differ in one token only, the "z" of the last probe's "IZ"."""
    inputs = probes(tiny_directory / "voices.npz", "input_ids")
    used = [set(one["input_ids"].reshape(-1).tolist()) for one in inputs]
    last_only = min(used[2] - used[1] - used[0])
    table = tiny_model._TABLE.copy()
    table[last_only] += 0.5
    reference, session = (
        onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        for model in (tiny_model.make_graph(), tiny_model.make_graph(table=table))
    )
    variant = Variant("signed", tiny_directory)
    build.compare(variant, reference, session, inputs)
    assert variant.difference == "the output 'waveform' of probe 3 differs"
    same = Variant("signed", tiny_directory)
    build.compare(same, reference, reference, inputs)
    assert same.difference is None


def test_of_each_probe_the_quickest_run_counts(monkeypatch):
    """The clock is set on by the runs: what they take is known."""
    clock = [100.0]
    monkeypatch.setattr(build.time, "process_time", lambda: clock[0])

    class Session:
        def __init__(self, *seconds):
            self._seconds = list(seconds)

        def get_outputs(self):
            return [types.SimpleNamespace(name="waveform")]

        def run(self, names, _):
            assert names == ["waveform"]
            clock[0] += self._seconds.pop(0)
            return [np.zeros(3, np.float32)]

    variant = Variant("signed", None)
    build.compare(variant, Session(4.0, 3.0, 8.0, 9.0), Session(1.0, 2.0, 0.5, 0.25), [{}, {}])
    assert (variant.original_seconds, variant.seconds) == (3.0 + 8.0, 1.0 + 0.25)
    assert variant.gain == 11 / 1.25


def test_graphs_are_measured_on_one_core(tiny_directory, tmp_path):
    options = open_single_threaded(tiny_directory / "tiny.onnx").get_session_options()
    assert (options.intra_op_num_threads, options.enable_mem_pattern) == (1, False)
    open_single_threaded(tiny_directory / "tiny.onnx", optimized=tmp_path / "written.onnx")
    # it opens without the optimizations that suit one kind of CPU only
    assert onnx.load(tmp_path / "written.onnx").graph.node


def test_the_place_in_the_cache_depends_on_all_that_decides(tmp_path, monkeypatch):
    file = tmp_path / "a.onnx"
    file.write_bytes(b"a")
    keys = [cache_key(file)]
    assert cache_key(file) == keys[0]
    (tmp_path / "b.onnx").write_bytes(b"b")
    keys.append(cache_key(tmp_path / "b.onnx"))
    with monkeypatch.context() as changed:
        changed.setattr(record, "RULES", 99)
        keys.append(cache_key(file))
    with monkeypatch.context() as changed:
        changed.setattr(import_onnxruntime(), "__version__", "1.99")
        keys.append(cache_key(file))
    with monkeypatch.context() as changed:
        changed.setattr(record, "cpu_identity", lambda: "another")
        keys.append(cache_key(file))
    assert len(set(keys)) == 5


X86 = "processor : 0\nmodel name : Some CPU\ncpu MHz : {mhz}\nflags : {flags}\n"
ARM = "processor : 0\nFeatures : {flags}\nCPU implementer : 0x41\nCPU part : {mhz}\n"


@pytest.fixture
def identity(tmp_path, monkeypatch):
    """Return the identity of a CPU with such a /proc/cpuinfo."""

    def identity(text):
        # a CPU may have any bytes for its name
        (tmp_path / "cpuinfo").write_bytes(text.encode() + b"\nvendor : \xff\n")
        monkeypatch.setattr(cpu, "Path", {"/proc/cpuinfo": tmp_path / "cpuinfo"}.get)
        cpu.cpu_identity.cache_clear()
        found = cpu.cpu_identity()
        cpu.cpu_identity.cache_clear()
        return found

    return identity


def test_a_cpu_is_its_model_and_its_features(identity):
    same = {identity(X86.format(mhz=mhz, flags=flags)) for mhz, flags in ((1, "fma avx2"), (2, "avx2 fma"))}
    assert len(same) == 1
    assert identity(X86.format(mhz=1, flags="avx2 fma avx_vnni")) not in same
    assert identity(X86.format(mhz=1, flags="fma avx2").replace("Some", "Other")) not in same
    assert identity(ARM.format(mhz="0xd0c", flags="asimd")) != identity(ARM.format(mhz="0xd0c", flags="asimd asimddp"))
    assert identity(ARM.format(mhz="0xd0c", flags="asimd")) != identity(ARM.format(mhz="0xd40", flags="asimd"))


def test_a_graph_that_is_no_voice_gets_a_clear_error(tmp_path):
    onnx.save(quantized_model.integer_convolution(), tmp_path / "other.onnx")
    with pytest.raises(ValueError, match="a voice has input_ids"):
        build.build(tmp_path / "other.onnx", tmp_path, lambda _: [{"x": np.zeros(1)}])
