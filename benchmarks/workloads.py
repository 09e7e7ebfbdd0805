"""The texts that are spoken, and measured."""

from __future__ import annotations

# sentences of a harbor town, 30 to 95 characters each
_SENTENCES = (
    "The old harbor wakes before the sun does.",
    "Fishermen carry their nets down to the boats and talk about the weather.",
    "A baker on the corner opens his window, and the smell of fresh bread drifts along the street.",
    "By seven o'clock the market is full of voices, colors and small bargains!",
    "Who would believe that this town was almost empty only ten years ago?",
    "The ferry brings the first visitors.",
    "They ask for coffee, and for the way to the castle.",
    "An old man sells postcards that he painted himself.",
    "Do you know the story of the bell?",
    "It fell into the bay on a winter night.",
    "Nobody has found it since, but some still hear it ring.",
    "The children laugh at that.",
    "Their teacher does not.",
    "At noon the streets are too warm for a walk.",
    "Even the cats look for a place in the shade.",
    "Later a wind comes up from the sea.",
    "The sails of the small boats turn white and full.",
    "One by one they leave the harbor again!",
    "In the evening, lamps are lit along the quay.",
    "Then the town is quiet, and the water is dark.",
)

# sentences of any length are cut from this
_PASSAGE = (
    "the keeper of the lighthouse counted the ships that passed in the gray light of the morning and wrote their "
    "names into a heavy book, while his daughter read to him from the newspaper of last week, which the mail boat had "
    "brought together with flour, lamp oil, a letter from the capital and three young apple trees that nobody had "
    "ordered, and outside the gulls went round and round the tower as if they too were waiting for the storm that the "
    "barometer had promised since the day before yesterday, but that stayed behind the islands and showed itself only "
    "as a thin dark line on the horizon, so that in the end the keeper closed the book, took his coat and went down to "
    "the shore to see to the boat and to the nets, which had to be mended before the herring came back into the bay, "
)


def long_sentences(count: int, characters: int) -> str:
    """Return so many sentences of exactly so many characters, each of which begins at another place."""
    places = (_PASSAGE.index(" ", i * 30) + 1 for i in range(count))
    return " ".join(
        (_PASSAGE * 2)[place:][: characters - 1].rstrip().ljust(characters - 1, "s") + "." for place in places
    )


WORKLOADS = {
    "quick": "The wind is cold. The sea is dark. A bell rings!",
    "1": _SENTENCES[2],
    "5": " ".join(_SENTENCES[:5]),
    "20": " ".join(_SENTENCES),
    "4x400": long_sentences(4, 400),
    "20x400": long_sentences(20, 400),
}
# the last is for memory: one run of the naive pool takes minutes and more than 10 GB
TIMED = ("1", "5", "20", "4x400")
