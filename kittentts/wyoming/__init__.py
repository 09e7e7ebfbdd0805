"""Server for the Wyoming protocol of Home Assistant, over one open model. Needs the extra `wyoming`.

docs/architecture.md says what each module does.
"""
