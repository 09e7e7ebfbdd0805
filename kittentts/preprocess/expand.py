"""The expand_* functions: each applies the rules of one name, as TextPreprocessor would."""

from __future__ import annotations

from kittentts.preprocess.apply import apply_rules


def expand_contractions(text: str) -> str:
    """Speak "It's" as "It is"; possessives stay."""
    return _apply_named(text, "contraction")


def expand_currency(text: str) -> str:
    """Speak "$4.20" as "four dollars and twenty cents"."""
    return _apply_named(text, "currency")


def expand_decades(text: str) -> str:
    """Speak "1980s" as "nineteen eighties"."""
    return _apply_named(text, "decade")


def expand_fractions(text: str) -> str:
    """Speak "3/4" as "three quarters"."""
    return _apply_named(text, "fraction")


def expand_ip_addresses(text: str) -> str:
    """Speak "10.0.0.1" as "one zero dot zero dot zero dot one"."""
    return _apply_named(text, "ip_address")


def expand_model_names(text: str) -> str:
    """Write "GPT-4" as "GPT 4"."""
    return _apply_named(text, "model_name")


def expand_ordinals(text: str) -> str:
    """Speak "20th" as "twentieth"."""
    return _apply_named(text, "ordinal")


def expand_percentages(text: str) -> str:
    """Speak "12%" as "twelve percent"."""
    return _apply_named(text, "percentage")


def expand_phone_numbers(text: str) -> str:
    """Speak numbers such as "555-123-4567" digit by digit."""
    return _apply_named(text, "phone_number")


def expand_ranges(text: str) -> str:
    """Speak "3-5" as "three to five"."""
    return _apply_named(text, "range")


def expand_roman_numerals(text: str, context_words: bool = True) -> str:
    """Speak "Chapter IV" as "Chapter four" and "Henry VIII" "Henry the eighth".

    With `context_words=False` any roman numeral of at least two letters is spoken, whatever stands before it.
    """
    expanded = _apply_named(text, "roman")
    return expanded if context_words else _apply_named(expanded, "roman_anywhere")


def expand_scale_suffixes(text: str) -> str:
    """Speak "7B" as "seven billion"."""
    return _apply_named(text, "scale_suffix")


def expand_scientific_notation(text: str) -> str:
    """Speak "1e-4" as "one times ten to the negative four"."""
    return _apply_named(text, "scientific_notation")


def expand_time(text: str) -> str:
    """Speak "3:05 pm" as "three oh five pm"."""
    return _apply_named(text, "time")


def expand_units(text: str) -> str:
    """Speak "42km" as "forty-two kilometers"."""
    return _apply_named(text, "unit")


def normalize_leading_decimals(text: str) -> str:
    """Write ".5" as "0.5"."""
    return _apply_named(text, "leading_decimal")


def replace_numbers(text: str, replace_floats: bool = True) -> str:
    """Speak the numbers that stand alone; without `replace_floats` those with a decimal point stay as they are."""
    return _apply_named(text, "number", "version", *(["float"] if replace_floats else []))


def _apply_named(text: str, *names: str) -> str:
    from kittentts.preprocess.rules import RULES

    # The rules without flags are for normalize_text, except those that neither it nor TextPreprocessor uses.
    return apply_rules(text, [rule for rule in RULES if rule.name in names and (rule.flags or not rule.reading)])
