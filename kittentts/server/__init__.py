"""HTTP: OpenAI's speech API over one open model. Needs the extra `server`; reaches the engine only through its façade.

app       what there is to ask, and the errors
door      who may come in, with how much
speech    a request -> pieces of a body, in a plain generator
response  these pieces -> the client, in the order and at the pace of all requests
run       a socket, signals, the end
"""
