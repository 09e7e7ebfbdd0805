"""What `kittentts batch` takes for its inputs, and the folder that it writes into."""

import pytest


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_folders_and_patterns(batch, tmp_path):
    (tmp_path / "book/more").mkdir(parents=True)
    for name in ("b.txt", "a.md", "C.TXT", "notes.pdf", "more/d.txt"):
        (tmp_path / "book" / name).write_text("One.")
    result = batch("book", "-d", "out", "--verbose")
    assert result.returncode == 0
    assert names(tmp_path / "out") == ["C.wav", "a.wav", "b.wav"]
    assert batch("book/*.txt", "book/**/d.*", "-d", "out2").returncode == 0
    assert names(tmp_path / "out2") == ["b.wav", "d.wav"]
    # they are sorted: which of two comes first does not depend on the file system
    (tmp_path / "pairs").mkdir()
    for path in [tmp_path / f"pairs/{i}.{suffix}" for suffix in ("txt", "md") for i in range(9)]:
        path.write_text("One.")
    refused = [line for line in batch("pairs", "-d", "out4").stderr.splitlines() if "is already" in line]
    assert refused == [f"kittentts: pairs/{i}.txt: out4/{i}.wav is already the file of pairs/{i}.md" for i in range(9)]
    # what is there under that very name is no pattern
    (tmp_path / "a[1].txt").write_text("One.")
    assert batch("a[1].txt", "-d", "out3").returncode == 0
    assert names(tmp_path / "out3") == ["a[1].wav"]


@pytest.mark.parametrize(
    ("name", "message"),
    [("empty", "empty: no file in this folder ends in .md or .ssml or .txt\n"), ("*.rtf", "*.rtf: no file matches\n")],
)
def test_a_folder_or_pattern_without_files(batch, tmp_path, name, message):
    (tmp_path / "empty").mkdir()
    (tmp_path / "one.txt").write_text("One.")
    result = batch(name, "one.txt", "-d", "out")
    assert result.returncode == 1
    assert result.stderr.startswith(f"kittentts: {message}kittentts: 1 written")


@pytest.mark.parametrize("arguments", [["nothing.txt"], ["one.txt", "-v", "Nobody"], ["one.txt", "-m", "/nowhere"]])
def test_an_error_leaves_no_empty_folder(run_main, tiny_directory, tmp_path, arguments):
    (tmp_path / "one.txt").write_text("One.")
    result = run_main("batch", "-d", "out/deep", *arguments, env={"KITTENTTS_MODEL": str(tiny_directory)})
    assert result.returncode == 1
    assert names(tmp_path) == ["one.txt"]
    assert not (tmp_path / "out").exists()
    # one that was there before stays
    (tmp_path / "out").mkdir()
    assert run_main("batch", "-d", "out/deep", *arguments).returncode == 1
    assert list((tmp_path / "out").iterdir()) == []


def test_a_blank_line_ends_a_sentence(batch, tiny, tmp_path):
    (tmp_path / "one.txt").write_text("Chapter one\n\nIt was cold.")
    assert batch("one.txt", "-d", "out").returncode == 0
    tiny.generate_to_file("Chapter one. It was cold.", tmp_path / "expected.wav", clean_text=True)
    assert (tmp_path / "out/one.wav").read_bytes() == (tmp_path / "expected.wav").read_bytes()
