"""HTTP server for OpenAI's speech API, over one open model. Needs the extra `server`; uses the public `KittenTTS` only.

settings        what the operator decides
app             the routes
middleware      checks before a request is parsed: API key, size of the body, time for sending it
speech_request  the body of a request -> its parameters -> encoded pieces of audio, in a plain generator
response        sends these pieces to the client, and stops the work when the client leaves
api_errors      errors in OpenAI's form
metrics         counters for Prometheus
connections     time-outs and a limit for connections
run             runs uvicorn, handles signals
web_page        the files of the web page, which are in page/
"""
