"""The README's Python snippets run, in order, in one interpreter each; its commands are tried where they are cheap."""

import re
from pathlib import Path

import pytest

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.mark.demo
@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda snippet: snippet.strip().splitlines()[-1][:40])
def test_snippet_runs(run_python, snippet):
    run_python(snippet)


def test_there_are_snippets():
    assert len(SNIPPETS) >= 4
