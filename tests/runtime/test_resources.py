"""Cores and memory that a process may use."""

import os

import joblib
import pytest

from kittentts.runtime import resources


def test_cores():
    assert resources.usable_cores() >= 1


def test_cores_are_physical_ones(monkeypatch):
    monkeypatch.setattr(joblib, "cpu_count", lambda only_physical_cores=False: 4 if only_physical_cores else 8)
    assert resources.usable_cores() == 4


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity on this platform")
def test_cores_respect_affinity(run_python, tiny_directory):
    code = """
import os, sys
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from kittentts import KittenTTS
from kittentts.runtime import resources
assert resources.usable_cores() == 1
model = KittenTTS(sys.argv[1])
model.generate("One is here. Two is there.")
assert model.model.session.get_session_options().intra_op_num_threads == 1
"""
    run_python(code, tiny_directory)


def test_memory_is_positive_where_it_is_known():
    free = resources.available_memory()
    assert free is None or free > 0


def test_the_machines_memory(tmp_path, monkeypatch):
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable:     3000 kB\nBuffers: 1 kB\n")
    monkeypatch.setattr(resources, "Path", lambda _: tmp_path / "meminfo")
    container = []
    monkeypatch.setattr(resources, "_container_memory", lambda: container)
    assert resources.available_memory() == 3000 * 1024
    # the least of all limits counts
    container[:] = [None, 5_000_000, 2_000_000]
    assert resources.available_memory() == 2_000_000
    container[:] = [-1]
    assert resources.available_memory() == 0
    (tmp_path / "meminfo").unlink()
    container.clear()
    assert resources.available_memory() is None


@pytest.mark.parametrize(
    ("line", "folder", "limit", "used", "inactive"),
    [
        ("0::/app/inner", "app/inner", "memory.max", "memory.current", "inactive_file"),
        ("0::/app/inner", "app", "memory.max", "memory.current", "inactive_file"),
        ("0::/", ".", "memory.max", "memory.current", "inactive_file"),
        (
            "7:cpu,memory:/app",
            "memory/app",
            "memory.limit_in_bytes",
            "memory.usage_in_bytes",
            "total_inactive_file",
        ),
    ],
)
def test_container_limits(tmp_path, line, folder, limit, used, inactive):
    group = tmp_path / folder
    group.mkdir(parents=True, exist_ok=True)
    (group / limit).write_text("1000\n")
    (group / used).write_text("700\n")
    (group / "memory.stat").write_text(f"anon 1\n{inactive} 50\n")
    (tmp_path / "own").write_text(f"1:name=systemd:/x\n{line}\n")
    left = resources._container_memory(tmp_path / "own", tmp_path)
    assert [bytes_ for bytes_ in left if bytes_ is not None] == [350]
    (group / limit).write_text("max\n")
    assert not any(resources._container_memory(tmp_path / "own", tmp_path))


def test_the_memory_of_a_run_grows_with_its_length_and_with_the_model():
    demo, nano = 92_000_000, 24_000_000
    assert resources.run_bytes(400, demo) == pytest.approx(60e6 + 400 * 1.8e6)
    assert resources.run_bytes(800, demo) > 1.9 * resources.run_bytes(400, demo)
    assert resources.run_bytes(400, nano) == pytest.approx(0.51 * resources.run_bytes(400, demo), rel=0.01)
    # no more than was measured, for a larger file may be the same graph in float32
    assert resources.run_bytes(400, 4 * demo) == resources.run_bytes(400, demo)


@pytest.mark.parametrize(
    ("variable", "cores"), [("1", 1), ("3", 3), (" 2 ", 2), ("3,2", 3), ("64", 8), ("", 8), ("0", 8), ("all", 8)]
)
def test_omp_num_threads(monkeypatch, caplog, variable, cores):
    monkeypatch.setattr(resources, "usable_cores", lambda: 8)
    monkeypatch.setenv("OMP_NUM_THREADS", variable)
    assert resources.cores_of_a_call() == cores
    assert ("OMP_NUM_THREADS" in caplog.text) == (variable in ("0", "all"))
