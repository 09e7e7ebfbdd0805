"""What the HTTP server and the Wyoming server share; imports none of their packages.

docs/architecture.md says what each module does.
"""
