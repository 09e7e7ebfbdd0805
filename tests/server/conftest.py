"""The real command, in a process of its own; a browser with the server's page."""

import contextlib
import os
import re
import subprocess
import sys
import threading

import browser_page
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


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if not (browser_page.CHROMIUM and browser_page.DRIVER):
        pytest.skip("chromium or chromedriver (Debian: chromium, chromium-driver) is not installed")
    browser = browser_page.open_browser(tmp_path_factory.mktemp("chromium"))
    yield browser
    browser.quit()


@pytest.fixture
def page(browser):
    yield browser_page.Page(browser)
    browser.execute_script("document.getElementById('stop').click(); localStorage.clear(); sessionStorage.clear()")


@pytest.fixture
def let_go(tiny, monkeypatch):
    """Hold each sentence; a call lets so many go."""
    held = threading.Semaphore(0)
    really = tiny.synthesize_stream

    def stream(**parameters):
        with contextlib.closing(really(**parameters)) as speeches:
            for speech in speeches:
                assert held.acquire(timeout=20)
                yield speech

    monkeypatch.setattr(tiny, "synthesize_stream", stream)
    yield held.release
    held.release(1000)
