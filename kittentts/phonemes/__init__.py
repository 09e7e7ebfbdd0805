"""Text of a chunk -> phonemes -> token ids."""
