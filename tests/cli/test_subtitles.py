"""`--subtitles` of `say` and `batch`."""

import json

import pytest
import soundfile
import srt
import tiny_model

TEXT = "It costs $5. Is that so? One sentence more!"


@pytest.fixture
def say(run_main, tiny_directory):
    def run(*arguments, **options):
        return run_main("say", *arguments, "-m", tiny_directory, **options)

    return run


@pytest.mark.parametrize("name", ["a.srt", "a.vtt", "a.JSON"])
@pytest.mark.parametrize("words", [False, True])
def test_a_file_beside_the_audio(say, tiny, tmp_path, name, words):
    options = ["-v", "Jasper", "--sentence-silence", "0.2", "-o", "a.wav", "--subtitles", name]
    result = say(TEXT, *options, *(["--subtitles-words"] if words else []))
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    speech = tiny.synthesize(TEXT, "Jasper", clean_text=True, sentence_silence=0.2)
    tiny.generate_to_file(TEXT, tmp_path / "b.wav", "Jasper", sentence_silence=0.2)
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
    found = (tmp_path / name).read_text(encoding="utf-8")
    if name.endswith("JSON"):
        assert json.loads(found)["chunks"] == json.loads(json.dumps(speech.to_dict()))["chunks"]
    else:
        assert found == (speech.to_srt if name.endswith("srt") else speech.to_vtt)(words=words)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["a.wav", "b.wav", name])


def test_audio_to_a_pipe(kitten, tiny, tiny_directory, tmp_path):
    options = ["-o", "-", "--format", "raw", "--subtitles", "a.srt", "-m", tiny_directory]
    result = kitten("say", TEXT, *options, text=False)
    assert result.returncode == 0
    assert (tmp_path / "a.srt").read_text(encoding="utf-8") == tiny.synthesize(TEXT, clean_text=True).to_srt()
    assert len(result.stdout) == 2 * len(tiny.generate(TEXT, clean_text=True))


def test_exact_ends(say, tiny, tmp_path):
    assert say(TEXT, "-o", "a.wav", "--trim", "exact", "--seed", "3").returncode == 0
    expected = tiny.generate(TEXT, clean_text=True, trim="exact")
    assert soundfile.info(tmp_path / "a.wav").frames == len(expected)


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (["--subtitles", "a.txt"], 1, "the suffix of 'a.txt' names no subtitles; use one of .srt, .vtt, .json"),
        (["--subtitles-words"], 2, "--subtitles-words says what is in the file of --subtitles FILE"),
        (["--subtitles", "no/a.srt"], 1, "the folder 'no' does not exist"),
        (["--seed", "-1"], 1, "seed=-1 is not a whole number from 0 up"),
        (["--trim", "tight"], 2, "invalid choice: 'tight'"),
    ],
)
def test_what_is_wrong(say, tmp_path, options, status, message):
    result = say(TEXT, "-o", "a.wav", *options)
    assert result.returncode == status
    assert message in result.stderr.replace(str(tmp_path) + "/", "")
    assert list(tmp_path.iterdir()) == []


def test_words_of_a_model_that_does_not_tell_them(run_main, kitten, tmp_path):
    directory = tiny_model.make_directory(tmp_path / "model", tokens=True)
    result = run_main("say", TEXT, "-m", directory, "-o", "a.wav", "--subtitles", "a.vtt", "--subtitles-words")
    assert result.returncode == 1
    assert "does not tell how long its tokens sound" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    # not after the whole text, of which the audio would be out already
    arguments = ["say", TEXT, "-m", directory, "--subtitles", "a.vtt", "--subtitles-words"]
    result = kitten(*arguments, "-o", "-", "--format", "raw")
    assert (result.returncode, result.stdout) == (1, "")
    assert run_main("say", TEXT, "-m", directory, "-o", "a.wav", "--subtitles", "a.srt").returncode == 0
    assert len(list(srt.parse((tmp_path / "a.srt").read_text(encoding="utf-8")))) == 3


def test_batch(run_main, tiny, tiny_directory, tmp_path):
    (tmp_path / "one.txt").write_text(TEXT, encoding="utf-8")
    # longer than what is held in memory
    book = f"{TEXT} {' ' * 20_000} This is the last sentence of a book."
    (tmp_path / "book.v2.txt").write_text(book, encoding="utf-8")
    arguments = ["batch", "one.txt", "book.v2.txt", "-d", "out", "-m", tiny_directory, "--subtitles", "srt"]
    assert run_main(*arguments).returncode == 0
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"one.wav", "one.srt", "book.v2.wav", "book.v2.srt"}
    for name, text in (("one", TEXT), ("book.v2", book)):
        expected = tiny.synthesize(text, clean_text=True)
        assert (tmp_path / f"out/{name}.srt").read_text(encoding="utf-8") == expected.to_srt()
        assert soundfile.info(tmp_path / f"out/{name}.wav").frames == len(expected.audio)
    # what is there is left alone, what lacks its subtitles is not
    assert "2 there already" in run_main(*arguments).stderr
    (tmp_path / "out/one.srt").unlink()
    assert "1 there already" in run_main(*arguments).stderr
    assert (tmp_path / "out/one.srt").exists()


def test_batch_overwrites_no_input(run_main, tiny_directory, tmp_path):
    (tmp_path / "w").mkdir()
    (tmp_path / "w/notes.vtt").write_text("Some notes.", encoding="utf-8")
    arguments = ["batch", "w/notes.vtt", "-d", "w", "-m", tiny_directory, "--overwrite"]
    result = run_main(*arguments, "--subtitles", "vtt")
    assert result.returncode == 1
    assert "'w/notes.vtt' is an input, and would be overwritten" in result.stderr
    assert (tmp_path / "w/notes.vtt").read_text(encoding="utf-8") == "Some notes."
    assert run_main(*arguments, "--subtitles", "srt").returncode == 0


def test_batch_goes_on_after_a_text_that_has_half_a_character(run_main, tiny_directory, tmp_path):
    (tmp_path / "a.jsonl").write_text('{"id": "a", "text": "Caf\\ud800 there."}\n{"id": "b", "text": "Two."}\n')
    result = run_main("batch", "a.jsonl", "--jsonl", "-d", "out", "-m", tiny_directory, "--subtitles", "srt")
    assert result.returncode == 0
    assert "Caf? there." in (tmp_path / "out/a.srt").read_text(encoding="utf-8")
    assert (tmp_path / "out/b.srt").exists()


def test_batch_wants_a_format_for_its_words(run_main, tiny_directory, tmp_path):
    result = run_main("batch", "-", "-d", "out", "-m", tiny_directory, "--subtitles-words", input=TEXT)
    assert result.returncode == 2
    assert not (tmp_path / "out").exists()
