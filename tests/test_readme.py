"""README is short, its links lead somewhere, and its Python snippets and those of the guides run."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# those of the other guides need a server or a cluster; examples/ has them, and test_examples.py
WITH_SNIPPETS = ["README.md", "markup.md", "python.md", "timings.md"]


@pytest.mark.slow
@pytest.mark.demo
@pytest.mark.parametrize("name", WITH_SNIPPETS)
def test_snippets_run(run_python, name):
    page = next(page for page in PAGES if page.name == name).read_text(encoding="utf-8")
    snippets = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert snippets
    # one after another, in one interpreter
    run_python("\n".join(snippets))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_readme_is_short_and_begins_with_what_matters():
    readme = PAGES[0].read_text(encoding="utf-8")
    assert len(readme.split()) <= 1400
    first_screen = "\n".join(readme.splitlines()[:40])
    for part in ("drop-in replacement", "## Install", "## Hear it", "docs/waveform.png", "| `kittentts` 0.8.1 |"):
        assert part in first_screen
