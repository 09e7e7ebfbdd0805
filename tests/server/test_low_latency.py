"""The field `low_latency` of a request, and the operator's default for it."""

import json

import pytest
from speech_server import running, speak

from kittentts.synthesis.low_latency import Pace

TEXT = "The committee, which met in the old town hall on a cold evening, could not agree on the price of it."


@pytest.mark.parametrize("default", [False, True])
@pytest.mark.parametrize("given", [None, False, True])
def test_the_request_counts_more_than_the_operator(tiny, monkeypatch, default, given):
    # a tiny model is too fast for pieces
    monkeypatch.setattr(Pace, "record", lambda *_: None)
    with running(tiny, speech={"low_latency": default}) as url:
        fields = {} if given is None else {"low_latency": given}
        response = speak(url, TEXT, stream_format="sse", timings=True, response_format="pcm", **fields)
    events = [json.loads(line[6:]) for line in response.text.splitlines() if line.startswith("data: ")]
    texts = [chunk["text"] for event in events for chunk in event.get("chunks", ())]
    is_cut = default if given is None else given
    assert texts[0] == ("The committee, which met" if is_cut else TEXT)
    assert " ".join(texts) == TEXT
