"""A model in the engines that people have: each worker process opens one session, and what is lost is done again.

What is counted are the ONNX Runtime sessions that the worker processes open. A process opens one for texts of one
chunk, or where a call has one core; a second one, whose runs have one core each, where a text has several chunks and
a call several cores.
"""

import hashlib
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TEXTS = [f"This is task number {i}. It has two sentences." for i in range(12)]
MODULES = dict(
    re.findall(
        r"```python\n# (\w+\.py)\n(.*?)```",
        (HERE.parent / "docs" / "scale-out.md").read_text(encoding="utf-8"),
        re.DOTALL,
    )
)
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="ray is not installed")
needs_spark = pytest.mark.skipif(importlib.util.find_spec("pyspark") is None, reason="pyspark is not installed")

START = """
import json, multiprocessing, os, signal, sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
import session_counter
from kittentts import KittenTTS
TEXTS = json.loads(sys.argv[2])
model = KittenTTS(sys.argv[1])
task = partial(session_counter.speak, model)
"""
POOL = """
context = multiprocessing.get_context({method!r})
together = context.Barrier(2)
model.generate(TEXTS[0])
session_counter.opened = 0
with ProcessPoolExecutor(2, context, session_counter.set_barrier, (together,)) as pool:
    print(json.dumps(list(pool.map(task, TEXTS))))
"""
DASK = """
from dask.distributed import Client, LocalCluster, as_completed
with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
    futures = client.map(task, TEXTS)
    if {kill}:
        process, _, _ = next(as_completed(futures)).result()
        os.kill(process, signal.SIGKILL)
    print(json.dumps(client.gather(futures)))
"""
RAY = """
import ray
ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
remote, shared = ray.remote(num_cpus=1)(session_counter.speak), ray.put(model)
print(json.dumps(ray.get([remote.remote(shared, text) for text in TEXTS])))
"""


@pytest.fixture
def run_tasks(run_python, tiny, tiny_directory):
    """Run the tasks, compare with `generate`, and return the number of sessions of each process."""

    def run(code, **variables):
        env = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
        env |= {"PYTHONPATH": str(HERE / "helpers")} | variables
        output = run_python(START + code, tiny_directory, json.dumps(TEXTS), env=env).stdout
        results = json.loads(output.splitlines()[-1])
        expected = [hashlib.sha256(tiny.generate(text).tobytes()).hexdigest() for text in TEXTS]
        assert [digest for _, _, digest in results] == expected
        processes = {process for process, _, _ in results}
        return sorted(max(count for one, count, _ in results if one == process) for process in processes)

    return run


@pytest.mark.parametrize("method", ["spawn", pytest.param("fork", marks=needs_fork)])
def test_process_pool(run_tasks, method):
    assert run_tasks(POOL.format(method=method), OMP_NUM_THREADS="1") == [1, 1]


@pytest.mark.slow
def test_dask(run_tasks):
    assert run_tasks(DASK.format(kill=False)) == [1, 1]


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this platform")
def test_dask_does_the_work_of_a_killed_worker_again(run_tasks):
    assert set(run_tasks(DASK.format(kill=True))) == {1}


@needs_ray
def test_ray(run_tasks):
    assert run_tasks(RAY) == [1, 1]


@pytest.fixture
def job(tiny_directory, tmp_path):
    """Write the modules of docs/scale-out.md and their lines into a folder, and run one of them there."""
    for name, code in MODULES.items():
        (tmp_path / name).write_text(code.replace('"demo"', repr(str(tiny_directory))), encoding="utf-8")
    lines = [(text, ("Bella", "Jasper")[i % 2], 1 + i % 3) for i, text in enumerate(TEXTS)]
    (tmp_path / "lines.json").write_text(json.dumps(lines), encoding="utf-8")

    def run(name):
        result = subprocess.run(
            [sys.executable, name], cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False
        )
        return result.returncode, re.findall(r"^[0-9a-f]{32}\.wav$", result.stdout, re.MULTILINE), result.stderr

    return run


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "pool.py",
        "dask_job.py",
        pytest.param("ray_job.py", marks=needs_ray),
        pytest.param("spark_job.py", marks=needs_spark),
    ],
)
def test_recipe(job, tiny, tmp_path, name):
    status, names, errors = job(name)
    assert status == 0, errors
    assert len(set(names)) == len(TEXTS)
    assert sorted(names) == sorted(path.name for path in (tmp_path / "out").iterdir())
    lines = json.loads((tmp_path / "lines.json").read_text(encoding="utf-8"))
    for (text, voice, speed), file in zip(lines, names, strict=True):
        tiny.generate_to_file(text, tmp_path / "expected.wav", voice, speed)
        assert (tmp_path / "out" / file).read_bytes() == (tmp_path / "expected.wav").read_bytes()


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this platform")
def test_a_job_that_broke_off_goes_on_where_it_was(job, tmp_path):
    module = tmp_path / "speak.py"
    whole = module.read_text(encoding="utf-8")
    # the sixth line kills its worker in the middle
    module.write_text(
        whole.replace(
            "        model.generate_to_file",
            "        if 'number 5' in text: import os; os.kill(os.getpid(), 9)\n        model.generate_to_file",
        ),
        encoding="utf-8",
    )
    status, _, errors = job("pool.py")
    assert status == 1
    assert "BrokenProcessPool" in errors
    # a worker that is killed in the middle of a file leaves a hidden one
    finished = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("[!.]*")}
    assert 0 < len(finished) < len(TEXTS)
    module.write_text(whole, encoding="utf-8")
    status, names, errors = job("pool.py")
    assert status == 0, errors
    assert len(list((tmp_path / "out").glob("[!.]*"))) == len(names) == len(TEXTS)
    assert {path: path.stat().st_mtime_ns for path in finished} == finished


def test_the_guide_begins_with_one_process(run_python, tiny_directory):
    guide = (HERE.parent / "docs" / "scale-out.md").read_text(encoding="utf-8")
    (snippet,) = re.findall(r"```python\n(from kittentts.*?)```", guide, re.DOTALL)
    output = run_python(snippet.replace('"demo"', repr(str(tiny_directory)))).stdout
    assert sorted(line.split()[0] for line in output.splitlines()) == ["answer", "greeting", "question"]
