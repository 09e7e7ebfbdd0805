"""Quantities: money, percentages, fractions, units, and numbers with a power of ten."""

from __future__ import annotations

import functools
import re
import unicodedata
from string import ascii_letters
from typing import NamedTuple

from kittentts.preprocess.apply import compiled
from kittentts.preprocess.numbers import cardinal, decimal, is_spoken_year, ordinal
from kittentts.preprocess.rule import (
    END,
    MINUS,
    NUMBER,
    QUANTITY,
    RANGE_DASH,
    SIGNED_START,
    START,
    Rule,
    constant,
)
from kittentts.preprocess.text import word_list
from kittentts.preprocess.units import UNITS


class _Currency(NamedTuple):
    one: str
    many: str
    # The hundredth part, or "" if there is none in use.
    one_cent: str = ""
    many_cents: str = ""


_CURRENCIES = {
    "$": _Currency("dollar", "dollars", "cent", "cents"),
    "€": _Currency("euro", "euros", "cent", "cents"),
    "£": _Currency("pound", "pounds", "penny", "pence"),
    "₹": _Currency("rupee", "rupees", "paisa", "paise"),
    "¥": _Currency("yen", "yen"),
    "₩": _Currency("won", "won"),
    "₽": _Currency("ruble", "rubles", "kopeck", "kopecks"),
    "₿": _Currency("bitcoin", "bitcoins"),
    "¢": _Currency("cent", "cents"),
}
_SYMBOLS = "".join(_CURRENCIES)
_SYMBOL = f"[{_SYMBOLS}]"

_SCALES = {
    "k": "thousand",
    "m": "million",
    "mn": "million",
    "b": "billion",
    "bn": "billion",
    "t": "trillion",
    "tn": "trillion",
}
_SCALE_WORDS = ("thousand", "million", "billion", "trillion", "lakh", "crore")
_MONEY_SCALE = rf"(?: ?(?P<scale>(?ai:[kmbt]n?|{'|'.join(_SCALE_WORDS)}))(?!\w))?"

_LOOKALIKES = str.maketrans({"μ": "µ", "\N{OHM SIGN}": "Ω", "º": "°"})
# Often written with a full stop, which ends a sentence only before a capital letter: "6 ft. tall".
_DOTTED_UNITS = "ft|gal|hrs?|in|lbs?|mi|mins?|oz|secs?|tbsp|tsp|yd"
# "100MHZ" and "5gb" are common slips. Single letters keep their case: 5g is a weight, 5G is not.
_UNITS_IN_ANY_CASE = {symbol.lower(): unit for symbol, unit in reversed(UNITS.items()) if len(symbol) > 1}
_IRREGULAR_PLURALS = {"foot": "feet", "inch": "inches", "pound per square inch": "pounds per square inch"}
# How far back to look for a word.
_CONTEXT_LENGTH = 20
# After a space these are more often words: "5 in all", "5 ha ha".
_WORDS_AFTER_SPACE = frozenset(("in", "ha", "PA", "Pa", "pa"))
_UNIT = (
    rf" ?(?:(?P<dotted>(?ai:{_DOTTED_UNITS}))\.(?=,|\s[a-z]|\s[0-9]+ ?(?:in|oz)\b)"
    r"|(?P<unit>[°º]?[A-Za-zµμΩ\u2126]{1,5}(?:[²³]|\^[23](?![0-9]))?(?:/[hs](?:²|\^2(?![0-9]))?)?|[°º℃℉])(?!\w))"
)
# Whom "5m" counts in millions.
_COUNTED = r"(?=\s(?:people|users|customers|followers|subscribers|views|downloads|copies|jobs|homes|dollars|euros)\b)"
# "Section 2b" is no billion.
_LETTERED_THINGS = frozenset(
    word_list(
        "apartment apt appendix chapter class equation example exercise exhibit figure flat form gate grade item level "
        "line page part platform problem question room route section step table unit"
    )
)

_DURATION = (
    rf"{START}(?:(?P<hours>[0-9]{{1,3}}) ?h ?)?(?P<minutes>[0-9]{{1,2}}) ?m(?:in)?"
    r"(?: ?(?P<seconds>[0-9]{1,2}) ?s)?(?!\w)"
)
# After a degree sign they are minutes and seconds of arc.
_FEET = (
    rf"{START}(?<!°)(?<!° )(?P<feet>[0-9]{{1,3}})"
    r"(?:['’′] ?(?P<inches>[0-9]{1,2})(?:[\"”″]|''|’’)|′)(?!\w)"
)
# What stands in quotation marks is skipped: the second mark of "24" is no inch.
_INCHES = (
    rf"\"[^\"\n]*\"|“[^“”\n]*”|{START}(?<!°)(?<!′)"
    rf"(?:(?:(?P<whole>[0-9]{{1,3}})[ -])?(?P<over>[0-9]{{1,2}})/(?P<under>[1-9][0-9]?)|(?P<low>{NUMBER}))[\"”″](?!\w)"
)

_HALF_AND_QUARTER = {"2": ("half", "halves"), "4": ("quarter", "quarters")}
_FRACTION_IDIOMS = {
    "24/7": "twenty-four seven",
    "9/11": "nine eleven",
    "20/20": "twenty twenty",
    "50/50": "fifty fifty",
}
# Up to here, and for these, a denominator is said as a rank; 120/80 is "one hundred twenty over eighty".
_LARGEST_RANK = 20
_LARGER_RANKS = frozenset(("32", "64", "100", "1000"))
_FRACTION = (
    rf"{START}(?<![0-9]/)(?:(?P<whole>[0-9]{{1,3}})[ -])?(?P<over>[0-9]{{1,4}})/(?P<under>[0-9]{{1,4}})"
    r"(?P<rank>(?:st|nd|rd|th)s?)?(?!\w)(?![/.,:]\w)(?P<percent> ?%)?"
)
_FRACTIONS = "¼½¾⅐⅑⅒⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"
_FRACTION_CHARACTER = rf"(?:{START}(?P<whole>[0-9]{{1,9}}) ?)?(?P<character>[{_FRACTIONS}])"

_SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
_SCIENTIFIC = (
    rf"{SIGNED_START}(?P<low>{NUMBER})(?P<high>)"
    rf"(?:[eE](?P<e>[+\-−]?[0-9]+)| ?[×x*] ?10(?:\^(?P<power>[+\-−]?[0-9]+)|(?P<superscript>⁻?[⁰¹²³⁴-⁹]+))){END}"
)


def quantity(match: re.Match[str]) -> str:
    """Say what QUANTITY of rule.py matched."""
    words = ("negative " if match["minus"] else "") + decimal(match["low"])
    return f"{words} to {decimal(match['high'])}" if match["high"] else words


def _is_one(match: re.Match[str]) -> bool:
    return match["low"] == "1" and not match["high"]


def _money(match: re.Match[str]) -> str:
    """Say an amount with its symbol before it, or behind it: $5, 50¢."""
    currency = _CURRENCIES[match["symbol"]]
    parts = match.groupdict()
    sign = "negative " if match["minus"] or parts.get("inner_minus") else ""
    # €1,50 as on the continent
    low = compiled(r"\A([0-9]+),([0-9]{2})\Z").sub(r"\1.\2", match["low"])
    whole, _, fraction = low.partition(".")
    scale = parts.get("scale")
    if scale:
        scale = _SCALES.get(scale.lower(), scale.lower())
    elif not match["high"] and len(fraction) <= 2 and (currency.one_cent or not fraction):  # noqa: PLR2004 (cents)
        return sign + _coins(whole or "0", fraction.ljust(2, "0"), currency)
    amount = decimal(low) + (f" to {decimal(match['high'])}" if match["high"] else "")
    return f"{sign}{amount} {scale} {currency.many}" if scale else f"{sign}{amount} {currency.many}"


def _coins(whole: str, cents: str, currency: _Currency) -> str:
    words = f"{decimal(whole)} {currency.one if whole == '1' else currency.many}"
    if cents == "00":
        return words
    return f"{words} and {cardinal(cents.lstrip('0'))} {currency.one_cent if cents == '01' else currency.many_cents}"


def _percent(match: re.Match[str]) -> str:
    return quantity(match) + (" per mille" if match[0][-1] == "‰" else " percent")


def _scientific(match: re.Match[str]) -> str:
    exponent = (match["e"] or match["power"] or match["superscript"]).translate(_SUPERSCRIPTS).replace("−", "-")
    sign = "negative " if exponent[0] == "-" else ""
    return f"{quantity(match)} times ten to the {sign}{cardinal(exponent.lstrip('+-'))}"


def _unit(match: re.Match[str]) -> str | None:
    symbol = (match["dotted"] or match["unit"]).translate(_LOOKALIKES).replace("^2", "²").replace("^3", "³")
    unit = UNITS.get(symbol) or _UNITS_IN_ANY_CASE.get(symbol.lower())
    is_word = symbol in _WORDS_AFTER_SPACE and match["unit"] and match.string[match.start("unit") - 1] == " "
    if unit is None or is_word:
        return None
    if symbol == "m" and compiled(_COUNTED).match(match.string, match.end()):
        return None  # five million people
    # The sevens, the 747s, the 80s and F-16s are plurals.
    is_name = match["named"] is not None and not match.string[max(0, match.start() - 3)].isdigit()  # unlike 5s-8s
    if symbol == "s" and (is_name or re.fullmatch("[0-9,]*(?:0|[0-9]{3})", match["low"])):
        return None
    return f"{quantity(match)} {unit if _is_one(match) else _plural_unit(unit)}"


def _plural_unit(unit: str) -> str:
    """Mile per hour -> miles per hour, degree Celsius -> degrees Celsius, square meter -> square meters."""
    if unit in _IRREGULAR_PLURALS:
        return _IRREGULAR_PLURALS[unit]
    head, separator, tail = unit.partition(" per ")
    if head.startswith("degree"):
        return head.replace("degree", "degrees")
    if head.endswith("hertz"):
        return head
    return _IRREGULAR_PLURALS.get(head, head + "s") + separator + tail


def _duration(match: re.Match[str]) -> str | None:
    parts = [(name, digits) for name, digits in match.groupdict().items() if digits]
    if len(parts) == 1:
        return None
    return " ".join(_counted(str(int(digits)), name[:-1]) for name, digits in parts)


def _counted(digits: str, unit: str) -> str:
    return f"{decimal(digits)} {unit if digits == '1' else _plural_unit(unit)}"


def _feet(match: re.Match[str]) -> str:
    feet = _counted(match["feet"], "foot")
    return f"{feet} {_counted(match['inches'], 'inch')}" if match["inches"] else feet


def _inches(match: re.Match[str]) -> str | None:
    if match["low"]:
        return _counted(match["low"], "inch")
    words = _fraction(match) if match["over"] else None
    return words and f"{words} {'inches' if match['whole'] else 'inch'}"


def _scaled(match: re.Match[str]) -> str | None:
    is_b = match["scale"] == "b"
    if is_b and match["low"] == "0":
        return None  # the prefix of binary numbers
    before = match.string[max(0, match.start() - _CONTEXT_LENGTH) : match.start()].split()[-1:]
    if len(match["scale"]) == 1 and before:
        # "Apt. 5B"
        is_lettered = before[0].lower().rstrip(".").rstrip("s") in _LETTERED_THINGS
        if is_lettered or (is_b and before[0][-1] == "."):
            return None
    return f"{quantity(match)} {_SCALES[match['scale'].strip().lower()]}"


def _fraction(match: re.Match[str]) -> str | None:
    over, under = match["over"], match["under"]
    idiom = f"{over}/{under}"
    if over[0] == "0" or under[0] == "0" or under == "1" or is_spoken_year(over):
        return None
    if idiom in _FRACTION_IDIOMS and not match["whole"]:
        return _FRACTION_IDIOMS[idiom]
    parts = match.groupdict()
    words = _over_and_under(over, under, is_rank=bool(parts.get("rank"))) + (" percent" if parts.get("percent") else "")
    if not match["whole"]:
        return words
    # "2 3/4" is one number, "Chapter 2 9/4" are two.
    joint = " and " if int(over) < int(under) else " "
    return cardinal(match["whole"]) + joint + words


def _season(match: re.Match[str]) -> str | None:
    """Join 2019/20, but not 1200/50."""
    is_next = (int(match["year"]) + 1) % 100 == int(match["next"])
    return " to " if is_next and is_spoken_year(match["year"]) else None


def _fraction_character(match: re.Match[str]) -> str:
    words = _fraction_words(match["character"])
    return f"{cardinal(match['whole'])} and {words}" if match["whole"] else words


@functools.cache
def _fraction_words(character: str) -> str:
    return _over_and_under(*unicodedata.normalize("NFKD", character).split("⁄"))


def _over_and_under(over: str, under: str, *, is_rank: bool = False) -> str:
    if not is_rank and int(under) > _LARGEST_RANK and under not in _LARGER_RANKS:
        return f"{cardinal(over)} over {cardinal(under)}"
    one, many = _HALF_AND_QUARTER.get(under) or (ordinal(under), ordinal(under) + "s")
    return f"{cardinal(over)} {one if over == '1' else many}"


_MONEY_FLAGS = ("expand_currency",)
_UNIT_FLAGS = ("expand_units",)

QUANTITY_RULES = (
    # From one amount to another; the amounts themselves are left to the next rule.
    Rule(
        "currency",
        "currency",
        rf"(?<=[0-9KMBTkmb]){RANGE_DASH}(?={_SYMBOL}[0-9.])",
        constant(" to "),
        _MONEY_FLAGS,
        needs=_SYMBOLS,
    ),
    Rule(
        "currency",
        "currency",
        rf"(?=[-−{_SYMBOLS}]){MINUS}?(?P<symbol>{_SYMBOL}) ?(?P<inner_minus>[-−])?"
        rf"(?P<low>{NUMBER})(?:{RANGE_DASH}(?P<high>{NUMBER}))?{_MONEY_SCALE}",
        _money,
        _MONEY_FLAGS,
        needs=_SYMBOLS,
    ),
    Rule(
        "currency",
        "currency",
        rf"{QUANTITY} ?(?P<symbol>{_SYMBOL})(?!\w)(?!\.[0-9])",
        _money,
        _MONEY_FLAGS,
        needs=_SYMBOLS,
    ),
    Rule(
        "percentage",
        "number",
        rf"{SIGNED_START}(?<![0-9]/)(?P<low>{NUMBER})(?:%?{RANGE_DASH}(?P<high>{NUMBER}))? ?[%‰]",
        _percent,
        ("expand_percentages",),
        needs="%‰",
    ),
    Rule("scientific_notation", "number", _SCIENTIFIC, _scientific, ("expand_scientific_notation",), needs="eE×x*"),
    Rule("unit", "number", _FEET, _feet, _UNIT_FLAGS, needs="'’′"),
    Rule("unit", "number", _INCHES, _inches, _UNIT_FLAGS, needs='"”″'),
    Rule("unit", "number", _DURATION, _duration, _UNIT_FLAGS, needs="m"),
    Rule(
        "range",
        "date",
        rf"(?<=(?<![\w.,])(?P<year>[0-9]{{4}}))/(?=(?P<next>[0-9]{{2}}){END})",
        _season,
        ("expand_ranges",),
        needs="/",
    ),
    Rule("fraction", "number", _FRACTION, _fraction, ("expand_fractions",), needs="/"),
    Rule("fraction", "number", _FRACTION_CHARACTER, _fraction_character, ("expand_fractions",), needs=_FRACTIONS),
    Rule("unit", "number", QUANTITY + _UNIT, _unit, _UNIT_FLAGS, needs=ascii_letters + "°ºµμΩ\u2126℃℉"),
    Rule(
        "scale_suffix",
        "number",
        rf"{QUANTITY}(?P<scale>[KMBTbk]|[bmt]n| ?m{_COUNTED})(?!\w)",
        _scaled,
        ("expand_scale_suffixes",),
        needs="KMBTkmbt",
    ),
)
