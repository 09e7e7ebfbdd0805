"""HTTP server for OpenAI's speech API, over one open model. Needs the extra `server`; uses the public `KittenTTS` only.

docs/architecture.md says what each module does.
"""
