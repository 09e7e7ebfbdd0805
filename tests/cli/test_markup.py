"""`--markup`, and files that end in .ssml."""

import json

import pytest

PAUSE = "One.[pause 1s]Two."
SSML = '<speak>One.<break time="1s"/><voice name="Bella">It costs $5.</voice><mark name="end"/></speak>'


@pytest.fixture
def raw(run_main, tiny_directory, tmp_path):
    """The samples that `say` writes."""

    def say(*arguments, **options):
        result = run_main("say", *arguments, "-m", tiny_directory, "-q", "-v", "Leo", "-o", "a.raw", **options)
        assert (result.returncode, result.stderr) == (0, "")
        return (tmp_path / "a.raw").read_bytes()

    return say


def test_say(raw, tiny, tmp_path):
    ssml = len(tiny.generate(SSML, markup="ssml", clean_text=True))
    (tmp_path / "a.ssml").write_text(SSML)
    (tmp_path / "lenient.ssml").write_text(SSML.replace("<mark", "<audio/><mark"))
    (tmp_path / "b.txt").write_text(PAUSE)
    assert len(raw("-i", "a.ssml")) == 2 * ssml
    assert len(raw("-i", "lenient.ssml", "--markup", "ssml-lenient")) == 2 * ssml
    assert len(raw("--markup", "ssml", input=SSML)) == 2 * ssml
    pauses = len(tiny.generate(PAUSE, markup="pauses", clean_text=True))
    assert len(raw("-i", "b.txt", "--markup", "pauses")) == len(raw(PAUSE, "--markup", "pauses")) == 2 * pauses
    # without it, text is text
    assert len(raw(PAUSE)) == 2 * len(tiny.generate(PAUSE, clean_text=True)) != 2 * pauses


def test_a_pipe_that_is_marked_up_is_read_whole(kitten, tiny, tiny_directory):
    ssml = tiny.generate(SSML, markup="ssml", clean_text=True)
    result = kitten(
        "say", "-m", tiny_directory, "--markup", "ssml", "--format", "raw", "-o", "-", input=SSML.encode(), text=False
    )
    assert (result.returncode, result.stderr) == (0, b"")
    assert len(result.stdout) == 2 * len(ssml)


def test_subtitles_have_marks_and_no_tags(raw, tmp_path):
    (tmp_path / "a.ssml").write_text(SSML)
    raw("-i", "a.ssml", "--subtitles", "a.json")
    chunks = json.loads((tmp_path / "a.json").read_text())["chunks"]
    assert [chunk["text"] for chunk in chunks] == ["One.", "It costs $5."]
    assert chunks[1]["marks"] == [{"name": "end", "time": chunks[1]["end"]}]


def test_an_error_names_the_line(run_main, tiny_directory, tmp_path):
    (tmp_path / "a.ssml").write_text("<speak>\n<audio/>Hi</speak>")
    result = run_main("say", "-i", "a.ssml", "-m", tiny_directory, "-o", "a.wav")
    assert result.returncode == 1
    assert "line 2 of the SSML: <audio>: this element is not done" in result.stderr
    assert not (tmp_path / "a.wav").exists()


def test_batch(run_main, tiny, tiny_directory, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.ssml").write_text(SSML)
    (tmp_path / "in/b.txt").write_text("Plain <text>.")
    long = SSML.replace("One.", f"One. {' ' * 20_000} Two.")
    (tmp_path / "in/long.ssml").write_text(long)
    result = run_main("batch", "in", "-m", tiny_directory, "-d", "out", "--format", "raw")
    assert result.returncode == 0
    for name, text, markup in (("a", SSML, "ssml"), ("b", "Plain <text>.", None), ("long", long, "ssml")):
        expected = tiny.generate(text, "expr-voice-5-m", markup=markup, clean_text=True)
        assert (tmp_path / f"out/{name}.raw").stat().st_size == 2 * len(expected), name
    lines = [
        {"id": "x", "text": PAUSE, "markup": "pauses"},
        {"id": "y", "text": PAUSE},
        {"id": "z", "text": "Z", "markup": "x"},
    ]
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, lines)))
    result = run_main("batch", "in.jsonl", "--jsonl", "-m", tiny_directory, "-d", "out", "--format", "raw")
    assert "in.jsonl:3: markup='x' is unknown" in result.stderr
    assert result.returncode == 1
    sizes = [(tmp_path / f"out/{name}.raw").stat().st_size // 2 for name in "xy"]
    assert sizes == [len(tiny.generate(PAUSE, markup=markup, clean_text=True)) for markup in ("pauses", None)]
    result = run_main(
        "batch", "in.jsonl", "--jsonl", "-m", tiny_directory, "-d", "all", "--markup", "pauses", "--format", "raw"
    )
    assert (tmp_path / "all/y.raw").stat().st_size == 2 * sizes[0]
