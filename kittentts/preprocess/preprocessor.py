"""TextPreprocessor: clean a text and write out its numbers, with a flag for every step."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kittentts.preprocess import cleanup
from kittentts.preprocess.apply import apply_rules, find_replacements, render
from kittentts.preprocess.text import check_is_text
from kittentts.preprocess.trace import difference, edits_of, word_by_word

if TYPE_CHECKING:
    from collections.abc import Collection

    from kittentts.preprocess.rule import Rule
    from kittentts.preprocess.trace import Edit


# A tuple of flags: immutable, comparable, and its parameters are written once.
class TextPreprocessor(NamedTuple):
    """Clean a text, then write out its numbers, as the flags say.

    Call it, or its `process`, with a text. It holds no state: one object may serve many threads.

    >>> TextPreprocessor(remove_punctuation=False)("It's 5% of $20!")
    'it is five percent of twenty dollars!'
    """

    lowercase: bool = True
    replace_numbers: bool = True
    # Numbers with a decimal point; only with replace_numbers.
    replace_floats: bool = True
    expand_contractions: bool = True
    expand_model_names: bool = True
    expand_ordinals: bool = True
    expand_percentages: bool = True
    expand_currency: bool = True
    expand_time: bool = True
    expand_ranges: bool = True
    expand_units: bool = True
    expand_scale_suffixes: bool = True
    expand_scientific_notation: bool = True
    expand_fractions: bool = True
    expand_decades: bool = True
    expand_phone_numbers: bool = True
    expand_ip_addresses: bool = True
    normalize_leading_decimals: bool = True
    expand_roman_numerals: bool = False
    remove_urls: bool = True
    remove_emails: bool = True
    remove_html: bool = True
    remove_hashtags: bool = False
    remove_mentions: bool = False
    remove_punctuation: bool = True
    remove_stopwords: bool = False
    # The words for remove_stopwords; None stands for common English function words.
    stopwords: Collection[str] | None = None
    # To NFC.
    normalize_unicode: bool = True
    remove_accents: bool = False
    remove_extra_whitespace: bool = True

    def __call__(self, text: str) -> str:
        """Do the same as `process`."""
        return self.process(text)

    def process(self, text: str) -> str:
        """Clean the text and write out its numbers.

        Raises:
            TextTypeError: the text is not a `str`.

        """
        check_is_text(text)
        return self._simplified(apply_rules(self._without_markup_and_addresses(text), self._rules()))

    def trace(self, text: str) -> tuple[str, list[list[Edit]]]:
        """Do the same as `process`, and say which characters came from where.

        Returns:
            The text that `process` returns, and the edits that led to it, step by step: see `trace.to_original`.

        Raises:
            TextTypeError: the text is not a `str`.

        """
        check_is_text(text)
        bare = self._without_markup_and_addresses(text)
        replacements = find_replacements(bare, self._rules())
        pieces = render(bare, replacements)
        spoken = "".join(pieces)
        simplified = self._simplified(spoken)
        replaced = list(word_by_word(edits_of(replacements, pieces), bare, spoken))
        return simplified, [difference(text, bare), replaced, difference(spoken, simplified)]

    def _rules(self) -> list[Rule]:
        from kittentts.preprocess.rules import RULES

        return [rule for rule in RULES if rule.flags and all(getattr(self, flag) for flag in rule.flags)]

    def _without_markup_and_addresses(self, text: str) -> str:
        if self.normalize_unicode:
            text = cleanup.normalize_unicode(text)
        if self.remove_html:
            text = cleanup.remove_html_tags(text)
        if self.remove_urls:
            text = cleanup.remove_urls(text)
        if self.remove_emails:
            text = cleanup.remove_emails(text)
        if self.remove_hashtags:
            text = cleanup.remove_hashtags(text)
        if self.remove_mentions:
            text = cleanup.remove_mentions(text)
        return text

    def _simplified(self, text: str) -> str:
        if self.remove_accents:
            text = cleanup.remove_accents(text)
        if self.remove_punctuation:
            text = cleanup.remove_punctuation(text)
        if self.lowercase:
            text = cleanup.to_lowercase(text)
        if self.remove_stopwords:
            text = cleanup.remove_stopwords(text, self.stopwords)
        if self.remove_extra_whitespace:
            text = cleanup.remove_extra_whitespace(text)
        return text
