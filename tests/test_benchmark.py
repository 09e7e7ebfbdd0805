"""The benchmarks run, with every option. Their times are nobody's test."""

import json
import subprocess
import sys
from pathlib import Path

import bench_latency
import nano_graph
import numpy as np
import pytest
import quantized_model

from kittentts import KittenTTS
from kittentts.runtime.native_library import native_library
from kittentts.runtime.resources import usable_cores

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
needs_proc = pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="reads Linux's /proc")


def run(name, model, *options, check=True):
    command = [sys.executable, BENCHMARKS / name, "--model", model, *map(str, options)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert not check or result.returncode == 0, result.stderr
    return result


@pytest.mark.slow
def test_bench_chunks(tiny_directory, tmp_path):
    pytest.importorskip("matplotlib")
    output = tmp_path / "all.json", tmp_path / "all.png"
    result = run("bench_chunks.py", tiny_directory, "--quick", "--peers", "--json", output[0], "--plot", output[1])
    assert result.stdout.count("| quick | seconds (min-max) |") == 1
    native = ["ours, native"] if native_library() else []
    for name in ("one core", "sequential", "naive pool", "ours", "ours, optimized", *native):
        assert result.stdout.count(f"| {name} |") == 1
    workloads = json.loads(output[0].read_text())["workloads"]
    assert len(workloads["quick"]["ours"]) == 3
    assert workloads["quick"]["ours"][0].keys() >= {"wall_seconds", "cpu_seconds", "samples", "peak_megabytes"}
    assert output[1].read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_bench_latency(tiny_directory):
    result = run("bench_latency.py", tiny_directory, "--optimize", "off", "--rounds", "1", "--texts", "75")
    assert result.stdout.count("| first sound, s |") == 1
    for name in ("replaced", "ours", "ours, look_ahead", "ours, low_latency", "server, low_latency"):
        assert result.stdout.count(f"\n| {name} |") == 1


def test_a_text_that_arrives_slowly(tiny_directory, monkeypatch):
    monkeypatch.setattr(bench_latency, "WORDS_A_SECOND", 500)
    text = bench_latency.TEXTS["20, arriving"]
    seconds = (len(text[0].split()) - 1) / 500
    ours = bench_latency.play(bench_latency.ours(tiny_directory, low_latency=True), text)
    assert 0 < ours.first < ours.total
    assert ours.total > seconds
    # the replaced library wants the whole
    assert bench_latency.play(bench_latency.replaced(tiny_directory), text).first > seconds


@pytest.mark.slow
def test_bench_wyoming(tiny_directory):
    result = run("bench_wyoming.py", tiny_directory, "--optimize", "off", "--rounds", "1")
    assert "| first audio after, s | 75 characters |" in result.stdout
    for name in ("whole text, as wyoming-piper", "ours, --no-low-latency", "ours"):
        assert result.stdout.count(f"\n| {name} |") == 1


def test_no_times_where_the_samples_differ(tmp_path):
    code = f"""
import sys
sys.path.insert(0, {str(BENCHMARKS)!r})
import bench_chunks, contestants
from measure import Measurement
spoken = {{name: Measurement(1, 1, 1, name, None, None) for name in contestants.CONTESTANTS}}
bench_chunks.check_samples(spoken, contestants.CONTESTANTS)
"""
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert (
        "one core, naive pool, plain idea, ours, ours, optimized"
        + (", ours, native" if native_library() else "")
        + ": other samples than sequential, so no times"
        in result.stderr
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--plot", "speed.png"], "--plot needs matplotlib: pip install matplotlib\n"),
        (["--json", "nowhere/times.json"], "nowhere/times.json: there is no such folder\n"),
        (["--model", "/no/model"], "there is no model directory '/no/model'"),
    ],
)
def test_what_is_missing_is_told_before_the_work(tiny_directory, tmp_path, options, message):
    """In a process that could start no contestant."""
    code = f"""
import importlib.util, sys
sys.path.insert(0, {str(BENCHMARKS)!r})
find_spec = importlib.util.find_spec
importlib.util.find_spec = lambda name, *package: None if name == "matplotlib" else find_spec(name, *package)
import bench_chunks
bench_chunks.Process = None
sys.argv[1:] = {["--quick", "--model", str(tiny_directory), *options]!r}
bench_chunks.main()
"""
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith(message)


def test_rounds_are_checked(tiny_directory):
    result = run("bench_chunks.py", tiny_directory, "--rounds", 2, check=False)
    assert result.returncode == 2
    assert "at least 3" in result.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells how much memory a process holds")
@pytest.mark.slow
def test_bench_memory(tiny_directory):
    result = run("bench_memory.py", tiny_directory, "--part", "runs", "held", "file")
    for line in ("1 chunk of 400 characters", "one chunk", "60 chunks", "40 chunks to a file"):
        assert f"| {line} |" in result.stdout


@pytest.mark.slow
@pytest.mark.skipif(usable_cores() == 1, reason="a single core has nothing to share")
def test_simulate(tiny_directory, tmp_path):
    result = run("simulate.py", tiny_directory, "--workload", 5, "--rounds", 1, "--json", tmp_path / "costs.json")
    assert "| 16 cores |" in result.stdout
    assert len(json.loads((tmp_path / "costs.json").read_text())["seconds"]["5"]) == 5


@pytest.mark.slow
@needs_proc
def test_bench_many(tiny_directory):
    output = run("bench_many.py", tiny_directory).stdout
    assert "same samples" in output
    assert "| loop of generate |" in output
    assert "| generate_many, " in output
    assert " processes | " in output


@pytest.mark.slow
@needs_proc
def test_bench_many_over_many_texts(tiny_directory):
    assert "| 100 |" in run("bench_many.py", tiny_directory, "--flat", "100").stdout


@pytest.mark.slow
def test_bench_many_of_a_pickle(tiny_directory):
    assert "bytes; import kittentts" in run("bench_many.py", tiny_directory, "--pickle").stdout


@pytest.mark.slow
def test_the_nano_like_graph_has_the_size_of_the_real_one():
    graph = nano_graph.make_graph().graph
    assert sum(np.prod(weights.dims) for weights in graph.initializer) == pytest.approx(14.0e6, rel=0.005)
    operators = {node.op_type for node in graph.node}
    assert {"RandomNormalLike", "RandomUniformLike", "InstanceNormalization", "STFT", "LSTM"} <= operators


@pytest.mark.slow
def test_a_benchmark_speaks_with_the_nano_like_graph(monkeypatch, tmp_path):
    monkeypatch.setenv("KITTENTTS_CACHE", str(tmp_path))
    made = nano_graph.model("nano-like")
    assert nano_graph.model("nano-like") == made
    assert nano_graph.model("demo") == "demo"
    model = KittenTTS(made, optimize="off")
    audio = model.generate("Hello, this is a sentence.")
    assert 0.02 < audio.std() < np.abs(audio).max() < 1
    # without noise the random nodes change nothing
    assert model.generate("Hello.").tobytes() == model.generate("Hello.").tobytes()
    assert model.generate("Hello.").tobytes() != model.generate("Hello.", voice="Bella").tobytes()


@pytest.mark.slow
def test_bench_optimize_and_check_native(monkeypatch, tmp_path):
    monkeypatch.setenv("KITTENTTS_CACHE", str(tmp_path / "cache"))
    voice = quantized_model.voice_directory(tmp_path / "voice")
    output = run("bench_optimize.py", voice, "--rounds", 3, "--peak", 100).stdout
    for name in ("original", "signed", *(["native"] if native_library() else [])):
        assert output.count(f"| {name} |") >= 2
    output = run("check_native.py", voice, "--texts", 2, "--threads", 1, "--workers", 1, 2).stdout
    assert "18 runs with 1 threads: same waveform" in output
    assert "20 chunks with 2 workers: same samples" in output
