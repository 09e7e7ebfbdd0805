"""The benchmarks of the README and the guide run. Their times are nobody's test."""

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
needs_proc = pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="reads Linux's /proc")


def run(name, *arguments, folder):
    command = [sys.executable, BENCHMARKS / name, *arguments]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_bench_chunks(tiny_directory, tmp_path):
    output = run("bench_chunks.py", "--model", tiny_directory, "--rounds", "3", folder=tmp_path)
    assert "same samples" in output
    assert "| sequential |" in output
    assert "| parallel |" in output


@needs_proc
def test_bench_many(tiny_directory, tmp_path):
    output = run("bench_many.py", "--model", tiny_directory, folder=tmp_path)
    assert "same samples" in output
    assert "| loop of generate |" in output
    assert "| generate_many, " in output
    assert " processes | " in output


@needs_proc
def test_bench_many_over_many_texts(tiny_directory, tmp_path):
    assert "| 100 |" in run("bench_many.py", "--model", tiny_directory, "--flat", "100", folder=tmp_path)


def test_bench_many_of_a_pickle(tiny_directory, tmp_path):
    assert "bytes; import kittentts" in run("bench_many.py", "--model", tiny_directory, "--pickle", folder=tmp_path)
