"""The benchmark of the README runs. Its times are nobody's test."""

import subprocess
import sys
from pathlib import Path

BENCHMARK = Path(__file__).parent.parent / "benchmarks" / "bench_chunks.py"


def test_bench_chunks(tiny_directory, tmp_path):
    command = [sys.executable, BENCHMARK, "--model", tiny_directory, "--rounds", "3"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr
    assert "same samples" in result.stdout
    assert "| sequential |" in result.stdout
    assert "| parallel |" in result.stdout
