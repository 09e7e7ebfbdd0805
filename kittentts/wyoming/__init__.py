"""Server for the Wyoming protocol of Home Assistant, over one open model. Needs the extra `wyoming`.

settings     what the operator decides
info         which voices there are, and which one a client means
events       reads events from clients that may send anything
request      one text, whole or still being written, and the events that answer it
connection   a client: its requests, one after the other, until it leaves
run          sockets, stdin and stdout, signals, discovery
"""
