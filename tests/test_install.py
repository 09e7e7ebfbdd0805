"""What tells people to install something names it rightly: `kittentts` on PyPI is somebody else's package."""

import re
from pathlib import Path

import pytest

from kittentts.defaults import EXTRAS, pip_install

ROOT = Path(__file__).parent.parent
# a word after the command, in its line; a path like ./kittentts is none
BY_NAME = re.compile(r"""\b(?:pip|pipx|uv) (?:install|add)\b[^\n`;|&]*?(?<![\w./-])kittentts(?![\w./-])""")
TOLD = [
    *ROOT.glob("*.md"),
    *(path for folder in ("docs", "benchmarks", "examples", "kittentts") for path in (ROOT / folder).rglob("*")),
]
TOLD = [path for path in TOLD if path.suffix in {".md", ".py", ".html", ".js"}]


def test_nobody_is_told_to_install_kittentts_by_name():
    found = {}
    for path in TOLD:
        text = path.read_text(encoding="utf-8")
        if path.name == "CHANGELOG.md":
            # what was said about published versions stays
            text = text.partition("## [Unreleased]")[2].partition("\n## [")[0]
        found[str(path.relative_to(ROOT))] = BY_NAME.findall(text)
    assert {name: lines for name, lines in found.items() if lines} == {}
    assert found.keys() >= {"README.md", "CHANGELOG.md", "docs/server.md", "kittentts/cli/doctor.py"}


@pytest.mark.parametrize(
    "line",
    ['pip install "kittentts[play]"', "`pip install kittentts`", "pip install openai 'kittentts[server,demo]'",
     "uv pip install -U kittentts>=1", "pipx install kittentts"],
)  # fmt: skip
def test_what_would_be_noticed(line):
    assert BY_NAME.search(line)


def test_the_packages_of_the_extras_are_those_of_the_project():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    section = project.partition("[project.optional-dependencies]\n")[2].partition("\n[")[0]
    extras = {
        name: tuple(re.findall(r'"([\w-]+)[^"]*"', packages))
        for name, packages in re.findall(r"^(\w+) = \[(.*?)\]$", section, re.DOTALL | re.MULTILINE)
    }
    assert {name: extras[name] for name in extras if name not in {"test", "dev"}} == EXTRAS
    assert pip_install("server") == "pip install fastapi uvicorn h11 prometheus-client"
