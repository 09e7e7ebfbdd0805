"""Waveform -> bytes and files."""
