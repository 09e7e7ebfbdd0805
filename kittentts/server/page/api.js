// The server's API, as it is for everybody.
import { $ } from "./dom.js";

const BROKEN = "The connection broke off in the middle.";

export class KeyNeeded extends Error {}

async function ask(path, options = {}) {
  const key = $("key").value;
  const headers = { ...options.headers, ...(key ? { Authorization: `Bearer ${encoded(key)}` } : {}) };
  let response;
  try {
    response = await fetch(path, { ...options, headers });
  } catch (error) {
    throw new Error("The server cannot be reached. Is it still running?", { cause: error });
  }
  if (response.ok) return response;
  if (response.status === 401) {
    throw new KeyNeeded(key ? "The server does not take this API key." : "This server needs an API key. Please enter it.");
  }
  const body = await response.json().catch(() => null);
  throw new Error(body?.error?.message ?? `The server answered with status ${response.status}.`);
}

// A header has bytes, as characters of Latin-1; the server takes UTF-8 for the key.
function encoded(key) {
  return String.fromCharCode(...new TextEncoder().encode(key));
}

export async function get(path) {
  return (await ask(path)).json();
}

function askForSpeech(fields, signal) {
  const headers = { "Content-Type": "application/json" };
  return ask("v1/audio/speech", { method: "POST", headers, body: JSON.stringify(fields), signal });
}

export async function speech(fields, signal) {
  const response = await askForSpeech(fields, signal);
  try {
    return new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    throw new Error(BROKEN, { cause: error });
  }
}

// Yields the events of a whole speech, an error if it is not whole.
export async function* speechEvents(fields, signal) {
  const response = await askForSpeech({ ...fields, stream_format: "sse", timings: true }, signal);
  const blocks = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    let block;
    try {
      block = await blocks.read();
    } catch (error) {
      throw new Error(BROKEN, { cause: error });
    }
    if (block.done) throw new Error(BROKEN);
    const parts = (rest + block.value).split("\n\n");
    rest = parts.pop();
    for (const part of parts) {
      const event = JSON.parse(part.slice("data: ".length));
      if (event.error) throw new Error(event.error.message);
      if (event.type === "speech.audio.done") return;
      yield event;
    }
  }
}
