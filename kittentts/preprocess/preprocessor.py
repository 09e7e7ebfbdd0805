"""TextPreprocessor: clean a text and write out its numbers, with a flag for every step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kittentts.preprocess import cleanup
from kittentts.preprocess.apply import apply_rules, find_replacements, render
from kittentts.preprocess.edits import difference, edits_of, substitute, word_by_word
from kittentts.preprocess.text import check_is_text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from re import Match, Pattern

    from kittentts.preprocess.edits import Edit
    from kittentts.preprocess.rule import Rule


@dataclass
class TextPreprocessor:
    """Clean a text, then write out its numbers, as the flags say.

    Call it, or its `process`, with a text. One object may serve many threads, as long as nobody changes its flags.

    >>> TextPreprocessor(remove_punctuation=False)("It's 5% of $20!")
    'it is five percent of twenty dollars!'
    """

    lowercase: bool = True
    replace_numbers: bool = True
    replace_floats: bool = True
    """Numbers with a decimal point; only with `replace_numbers`."""
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
    stopwords: Collection[str] | None = None
    """The words for `remove_stopwords`; None stands for common English function words."""
    normalize_unicode: bool = True
    """To NFC."""
    remove_accents: bool = False
    remove_extra_whitespace: bool = True

    @property
    def config(self) -> dict[str, Any]:
        """The flags by name; what is changed in here holds for the next text, as in the replaced library."""
        return vars(self)

    def __call__(self, text: str) -> str:
        """Do the same as `process`."""
        return self.process(text)

    def process(self, text: str) -> str:
        """Clean the text and write out its numbers.

        Raises:
            TextTypeError: the text is not a `str`.

        """
        check_is_text(text)
        if self.normalize_unicode:
            text = cleanup.normalize_unicode(text)
        for pattern, left in self._removals():
            text = pattern.sub(left, text)
        return self._simplified(apply_rules(text, self._rules()))

    def process_with_edits(self, text: str) -> tuple[str, list[list[Edit]]]:
        """Do the same as `process`, and say which characters came from where.

        Returns:
            The text that `process` returns, and the edits that led to it, step by step: see `edits.to_original`.

        Raises:
            TextTypeError: the text is not a `str`.

        """
        check_is_text(text)
        normal = cleanup.normalize_unicode(text) if self.normalize_unicode else text
        steps = [difference(text, normal)]
        for pattern, left in self._removals():
            normal, edits = substitute(pattern, left, normal)
            steps.append(edits)
        replacements = find_replacements(normal, self._rules())
        pieces = render(normal, replacements)
        spoken = "".join(pieces)
        steps.append(list(word_by_word(edits_of(replacements, pieces), normal, spoken)))
        simplified = self._simplified(spoken)
        return simplified, [*steps, difference(spoken, simplified)]

    def _removals(self) -> list[tuple[Pattern[str], Callable[[Match[str]], str]]]:
        return [removal for flag, removal in cleanup.removals().items() if getattr(self, flag)]

    def _rules(self) -> list[Rule]:
        from kittentts.preprocess.rules import RULES

        return [rule for rule in RULES if rule.flags and all(getattr(self, flag) for flag in rule.flags)]

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
