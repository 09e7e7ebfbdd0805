"""What the HTTP server and the Wyoming server share; imports none of their packages.

admission  how many requests are spoken at a time, and how many wait
listening  binds a socket; who can reach it
error_log  an error in the log, without what was to be spoken
"""
