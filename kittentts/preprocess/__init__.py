"""Text in, speakable text and chunks out. Pure functions; only the standard library, so that importing is instant.

| module | its job |
|---|---|
| `chunk` | cut a text into the chunks that are spoken one at a time |
| `normalize` | `normalize_text`: a text as a person reads it aloud, with a map to the original |
| `preprocessor` | `TextPreprocessor`: clean a text and write out its numbers, with flags |
| `expand`, `cleanup` | the single steps of the preprocessor as functions |
| `rules` and `rules_*` | the one table of rules behind all of these |
| `rule`, `apply` | what a rule is; which rule takes which characters |
| `numbers` | numbers in words |
| `units` | the names of units |
| `edits` | which characters of a text became which |
| `text` | two small helpers |
"""

from kittentts.preprocess.chunk import chunk_text, ensure_punctuation
from kittentts.preprocess.cleanup import (
    normalize_unicode,
    remove_accents,
    remove_emails,
    remove_extra_whitespace,
    remove_hashtags,
    remove_html_tags,
    remove_mentions,
    remove_punctuation,
    remove_stopwords,
    remove_urls,
    to_lowercase,
)
from kittentts.preprocess.expand import (
    expand_contractions,
    expand_currency,
    expand_decades,
    expand_fractions,
    expand_ip_addresses,
    expand_model_names,
    expand_ordinals,
    expand_percentages,
    expand_phone_numbers,
    expand_ranges,
    expand_roman_numerals,
    expand_scale_suffixes,
    expand_scientific_notation,
    expand_time,
    expand_units,
    normalize_leading_decimals,
    replace_numbers,
)
from kittentts.preprocess.normalize import NormalizedSpan, NormalizedTextResult, normalize_text, normalize_text_result
from kittentts.preprocess.numbers import float_to_words, number_to_words, roman_to_int
from kittentts.preprocess.preprocessor import TextPreprocessor

__all__ = [
    "NormalizedSpan",
    "NormalizedTextResult",
    "TextPreprocessor",
    "chunk_text",
    "ensure_punctuation",
    "expand_contractions",
    "expand_currency",
    "expand_decades",
    "expand_fractions",
    "expand_ip_addresses",
    "expand_model_names",
    "expand_ordinals",
    "expand_percentages",
    "expand_phone_numbers",
    "expand_ranges",
    "expand_roman_numerals",
    "expand_scale_suffixes",
    "expand_scientific_notation",
    "expand_time",
    "expand_units",
    "float_to_words",
    "normalize_leading_decimals",
    "normalize_text",
    "normalize_text_result",
    "normalize_unicode",
    "number_to_words",
    "remove_accents",
    "remove_emails",
    "remove_extra_whitespace",
    "remove_hashtags",
    "remove_html_tags",
    "remove_mentions",
    "remove_punctuation",
    "remove_stopwords",
    "remove_urls",
    "replace_numbers",
    "roman_to_int",
    "to_lowercase",
]
