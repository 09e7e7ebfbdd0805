"""Models from the Hub: the real client against a real HTTP server on loopback."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest
import tiny_model

OPEN = """
import sys
from kittentts import KittenTTS, KittenTTSError
name, options = sys.argv[1], eval(sys.argv[2])
try:
    model = KittenTTS(name, **options)
except KittenTTSError as error:
    print(type(error).__name__, isinstance(error, OSError), error)
else:
    import hashlib
    print("audio", hashlib.sha256(model.generate("Hello there.").tobytes()).hexdigest())
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
def open_model(in_process):
    def open_model(name="owner/tiny", endpoint=None, offline=False, **options):
        return in_process(OPEN, name, repr(options), endpoint=endpoint, offline=offline)

    return open_model


def test_only_the_three_files_are_downloaded_and_then_the_network_is_left_alone(hub, open_model):
    first = open_model()
    assert first.startswith("audio")
    assert {file for _, file in hub.requests} == {"config.json", "tiny.onnx", "voices.npz"}
    hub.requests.clear()
    # cached: no request, with the Hub there, gone, or forbidden
    assert open_model() == first
    assert open_model(endpoint="http://127.0.0.1:9") == first
    assert open_model(offline=True) == first
    assert hub.requests == []


def test_missing_files_come_from_the_commit_of_the_cached_config(hub, open_model, tmp_path):
    assert open_model().startswith("audio")
    for path in (tmp_path / "hub").rglob("tiny.onnx"):
        path.unlink()
    hub.files["tiny.onnx"] = b"a later version that does not fit"
    hub.commit = "2" * 40
    hub.requests.clear()
    # this little Hub has forgotten the commit of the cached config; the other one's file is no substitute
    assert "has no revision '1111" in open_model()
    assert ("GET", "tiny.onnx") not in hub.requests


def test_refresh_asks_for_a_newer_version(hub, open_model, tmp_path):
    first = open_model()
    newer = tiny_model.make_directory(tmp_path / "newer", config={"speed_priors": {"expr-voice-5-m": 2.0}})
    hub.files["config.json"] = (newer / "config.json").read_bytes()
    hub.commit = "2" * 40
    assert open_model() == first
    second = open_model(refresh=True)
    assert second.startswith("audio")
    assert second != first
    assert open_model() == second
    assert open_model(revision="1" * 40) == first


def test_refresh_without_the_hub_says_so(open_model):
    assert open_model().startswith("audio")
    message = open_model(endpoint="http://127.0.0.1:9", refresh=True)
    assert message.startswith("HubError True")
    assert "leave out refresh=True" in message
    assert "HubError" in open_model(offline=True, refresh=True)


@pytest.mark.parametrize("offline", [False, True])
def test_nothing_cached_and_no_hub_names_the_other_ways(open_model, offline):
    message = open_model(endpoint="http://127.0.0.1:9", offline=offline)
    assert message.startswith("HubError True")
    assert "owner/tiny" in message
    assert "KittenTTS('demo')" in message
    assert "/path/to/directory" in message


def test_a_name_without_a_slash_belongs_to_kittenml(open_model):
    assert "'KittenML/tiny'" in open_model("tiny")


def test_repository_not_found(open_model):
    message = open_model("owner/nothing")
    assert message.startswith("ModelNotFoundError True")
    assert "'owner/nothing'" in message


def test_revision_not_found(open_model):
    assert open_model(revision="v9").startswith(
        "ModelNotFoundError True the repository 'owner/tiny' has no revision 'v9'"
    )


@pytest.mark.parametrize("file", ["config.json", "tiny.onnx", "voices.npz"])
def test_a_file_is_not_there(hub, open_model, file):
    del hub.files[file]
    message = open_model()
    assert message.startswith("ModelNotFoundError True")
    assert f"no file '{file}'" in message


def test_a_download_that_breaks_off_leaves_no_broken_model(hub, open_model):
    hub.broken = "tiny.onnx"
    message = open_model()
    assert message.startswith("HubError True tiny.onnx of owner/tiny")
    assert "could not be downloaded" in message
    hub.broken = None
    assert open_model().startswith("audio")


def test_the_hub_goes_away_between_two_files(hub, open_model):
    whole = hub.files.pop("voices.npz")
    assert open_model().startswith("ModelNotFoundError")
    assert open_model(endpoint="http://127.0.0.1:9").startswith("HubError True voices.npz")
    hub.files["voices.npz"] = whole
    assert open_model().startswith("audio")


def test_a_malformed_config_in_the_cache_names_the_way_out(hub, open_model):
    good, hub.files["config.json"] = hub.files["config.json"], b"{"
    assert "refresh=True" in open_model()
    hub.files["config.json"], hub.commit = good, "2" * 40
    assert open_model(refresh=True).startswith("audio")


def test_cache_dir(open_model, tmp_path):
    assert open_model(cache_dir=str(tmp_path / "mine")).startswith("audio")
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


def test_a_copy_keeps_to_the_commit_of_the_original(hub, open_model, in_process, tmp_path):
    first, data = open_model(), in_process(SAVE)
    newer = tiny_model.make_directory(tmp_path / "newer", config={"speed_priors": {"expr-voice-5-m": 2.0}})
    hub.files["config.json"] = (newer / "config.json").read_bytes()
    hub.commit = "2" * 40
    assert open_model(refresh=True) != first
    assert in_process(LOAD, data) == first


def test_copies_of_one_process_ask_the_hub_once(hub, open_model, in_process, tmp_path):
    first, data = open_model(), in_process(SAVE)
    shutil.rmtree(tmp_path / "hub")
    hub.requests.clear()
    assert in_process(LOAD, data) == first
    gets = [file for method, file in hub.requests if method == "GET"]
    assert sorted(gets) == ["config.json", "tiny.onnx", "voices.npz"]
    hub.requests.clear()
    assert in_process(LOAD, data, endpoint="http://127.0.0.1:9") == first
    assert in_process(LOAD, data, offline=True) == first


def test_first_downloads_of_several_processes_at_once(hub, open_model, tmp_path):
    with ThreadPoolExecutor(4) as pool:
        (audio,) = set(pool.map(lambda _: open_model(), range(4)))
    assert audio.startswith("audio")
    (snapshot,) = (tmp_path / "hub").rglob("snapshots/*")
    assert {path.name: path.read_bytes() for path in snapshot.iterdir()} == {
        name: hub.files[name] for name in ("config.json", "tiny.onnx", "voices.npz")
    }
