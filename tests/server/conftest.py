"""The real command, in a process of its own."""

import contextlib
import os
import re
import subprocess
import sys

import pytest


@pytest.fixture
def serve(tmp_path):
    """Start `kittentts serve`; yield a function that returns its process and URL."""
    with contextlib.ExitStack() as stack:

        def start(*arguments, file_descriptors=None, **environment):
            command = [sys.executable, "-m", "kittentts", "serve", "--port", "0", *map(str, arguments)]
            if file_descriptors is not None:
                command = ["/bin/sh", "-c", f'ulimit -n {file_descriptors}; exec "$@"', "sh", *command]
            process = subprocess.Popen(
                command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, env=os.environ | environment
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
            stack.callback(process.stderr.close)
            line = process.stderr.readline()
            match = re.fullmatch(r"kittentts: listening on (http://127\.0\.0\.1:\d+)\n", line)
            assert match, line + process.stderr.read()
            return process, match[1]

        yield start
