"""Ask a server for speech with OpenAI's own client, and store the sound as it comes.

pip install openai '.[server,demo]'
kittentts serve -m demo &
python examples/server_client.py [URL]
"""

import sys

from openai import OpenAI

url = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8880/v1"
client = OpenAI(base_url=url, api_key="none")
with client.audio.speech.with_streaming_response.create(
    model="tts-1", voice="alloy", input="Hello there. How are you?", response_format="mp3"
) as response:
    response.stream_to_file("answer.mp3")
