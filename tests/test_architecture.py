"""docs/architecture.md names the files that there are, and the layers that import-linter checks."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "kittentts"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
FILE = re.compile(r"`([\w./-]+\.py)`")
# folder -> what the page says of its files
FOLDERS = dict(re.findall(r"^\*\*`(\w+)/`\*\*(.*?)(?=^\*\*|^Tests are)", PAGE, re.DOTALL | re.MULTILINE))


def test_every_module_is_explained_with_its_folder():
    modules = {path for path in PACKAGE.glob("*/*.py") if path.name != "__init__.py"}
    explained = {PACKAGE / folder / name for folder, text in FOLDERS.items() for name in FILE.findall(text)}
    assert modules <= explained
    assert {path.name for path in PACKAGE.glob("*.py")} <= {*FILE.findall(PAGE), "__main__.py"}


def test_every_file_exists():
    for name in FILE.findall(PAGE):
        folders = [ROOT, PACKAGE, *PACKAGE.iterdir(), *(ROOT / "tests").iterdir()]
        assert any((folder / name).is_file() for folder in folders), name


def test_the_modules_of_a_table_are_in_its_folder():
    for folder, text in FOLDERS.items():
        for row in re.findall(r"^\| (`.*?) \|", text, re.MULTILINE):
            for name in FILE.findall(row):
                assert (PACKAGE / folder / name).is_file(), f"{folder}/{name}"


def test_the_layers_are_those_of_import_linter():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (listed,) = re.findall(r"^layers = \[\n(.*?)^\]", project, re.DOTALL | re.MULTILINE)
    shown = re.findall(r"^\d+\. (`[a-z_`| ]+)$", PAGE, re.MULTILINE)
    assert [line.replace("`", "") for line in shown] == re.findall(r'"(.+)"', listed)
