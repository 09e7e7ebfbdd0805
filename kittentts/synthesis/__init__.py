"""Checked parameters -> model inputs -> waveforms, in order."""
