"""Text to speech on an ordinary CPU; a drop-in replacement for the `kittentts` 0.8.1 library."""

__version__ = "0.9.0"
