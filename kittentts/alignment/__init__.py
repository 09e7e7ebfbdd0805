"""What sounds when: results with times, words and phonemes, subtitles."""
