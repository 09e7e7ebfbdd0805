"""Quantities: money, percentages, fractions, units, and numbers with a power of ten."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, NamedTuple

from kittentts.preprocess.numbers import cardinal, decimal, ordinal
from kittentts.preprocess.rule import END, MINUS, NUMBER, QUANTITY, RANGE_DASH, SIGNED_START, START, Rule, constant

if TYPE_CHECKING:
    import re


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
_SYMBOL = f"[{''.join(_CURRENCIES)}]"

_SCALES = {
    "k": "thousand",
    "m": "million",
    "mn": "million",
    "b": "billion",
    "bn": "billion",
    "t": "trillion",
    "tn": "trillion",
}
_SCALE_WORDS = ("thousand", "million", "billion", "trillion")
_MONEY_SCALE = rf"(?: ?(?P<scale>(?ai:[kmbt]n?|{'|'.join(_SCALE_WORDS)}))(?!\w))?"

_UNITS = {
    "km": "kilometer",
    "m": "meter",
    "cm": "centimeter",
    "mm": "millimeter",
    "µm": "micrometer",
    "nm": "nanometer",
    "mi": "mile",
    "ft": "foot",
    "in": "inch",
    "yd": "yard",
    "kg": "kilogram",
    "g": "gram",
    "mg": "milligram",
    "µg": "microgram",
    "lb": "pound",
    "lbs": "pound",
    "oz": "ounce",
    "l": "liter",
    "L": "liter",
    "ml": "milliliter",
    "mL": "milliliter",
    "cl": "centiliter",
    "dl": "deciliter",
    "ms": "millisecond",
    "µs": "microsecond",
    "ns": "nanosecond",
    "sec": "second",
    "secs": "second",
    "min": "minute",
    "mins": "minute",
    "h": "hour",
    "hr": "hour",
    "hrs": "hour",
    "Hz": "hertz",
    "kHz": "kilohertz",
    "MHz": "megahertz",
    "GHz": "gigahertz",
    "THz": "terahertz",
    "KB": "kilobyte",
    "MB": "megabyte",
    "GB": "gigabyte",
    "TB": "terabyte",
    "PB": "petabyte",
    "KiB": "kibibyte",
    "MiB": "mebibyte",
    "GiB": "gibibyte",
    "TiB": "tebibyte",
    "kbps": "kilobit per second",
    "Mbps": "megabit per second",
    "Gbps": "gigabit per second",
    "kb/s": "kilobyte per second",
    "MB/s": "megabyte per second",
    "GB/s": "gigabyte per second",
    "mph": "mile per hour",
    "kph": "kilometer per hour",
    "kmh": "kilometer per hour",
    "km/h": "kilometer per hour",
    "m/s": "meter per second",
    "rpm": "revolution per minute",
    "fps": "frame per second",
    "bpm": "beat per minute",
    "V": "volt",
    "mV": "millivolt",
    "kV": "kilovolt",
    "mA": "milliamp",
    "mAh": "milliamp hour",
    "W": "watt",
    "mW": "milliwatt",
    "kW": "kilowatt",
    "MW": "megawatt",
    "GW": "gigawatt",
    "Wh": "watt hour",
    "kWh": "kilowatt hour",
    "MWh": "megawatt hour",
    "Pa": "pascal",
    "hPa": "hectopascal",
    "kPa": "kilopascal",
    "kJ": "kilojoule",
    "cal": "calorie",
    "kcal": "kilocalorie",
    "dB": "decibel",
    "Ω": "ohm",
    "kΩ": "kiloohm",
    "ha": "hectare",
    "px": "pixel",
    "m²": "square meter",
    "km²": "square kilometer",
    "cm²": "square centimeter",
    "m³": "cubic meter",
    "cm³": "cubic centimeter",
    "°": "degree",
    "°C": "degree Celsius",
    "°F": "degree Fahrenheit",
}
# "100MHZ" and "5gb" are common slips. Single letters keep their case: 5g is a weight, 5G is not.
_UNITS_IN_ANY_CASE = {symbol.lower(): unit for symbol, unit in reversed(_UNITS.items()) if len(symbol) > 1}
_IRREGULAR_PLURALS = {"foot": "feet", "inch": "inches"}
# After a space these are more often words or names: "5 in all", "vitamin 5 L".
_WORDS_AFTER_SPACE = frozenset(("in", "m", "g", "l", "L", "h", "V", "W", "ha", "cal", "sec", "PA", "Pa", "pa"))
_UNIT = r" ?(?P<unit>°?[A-Za-zµμΩΩ]{1,5}[²³]?(?:/[hs])?|°)(?!\w)"

_HALF_AND_QUARTER = {"2": ("half", "halves"), "4": ("quarter", "quarters")}
_FRACTION_IDIOMS = {"24/7": "twenty-four seven", "9/11": "nine eleven", "50/50": "fifty fifty"}
_FRACTION = (
    rf"{START}(?<![0-9]/)(?:(?P<whole>[0-9]{{1,3}}) )?(?P<over>[0-9]{{1,4}})/(?P<under>[0-9]{{1,4}})(?!\w)(?![/.,:]\w)"
)
_FRACTION_CHARACTER = rf"(?:{START}(?P<whole>[0-9]{{1,9}}) ?)?(?P<character>[¼-¾⅐-⅞])"

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
    currency = _CURRENCIES[match["symbol"]]
    sign = "negative " if match["minus"] or match["inner_minus"] else ""
    whole, _, fraction = match["low"].partition(".")
    scale = match["scale"]
    if scale:
        scale = _SCALES.get(scale.lower(), scale.lower())
    elif not match["high"] and len(fraction) <= 2 and (currency.one_cent or not fraction):  # noqa: PLR2004 (cents)
        return sign + _coins(whole or "0", fraction.ljust(2, "0"), currency)
    amount = decimal(match["low"]) + (f" to {decimal(match['high'])}" if match["high"] else "")
    return f"{sign}{amount} {scale} {currency.many}" if scale else f"{sign}{amount} {currency.many}"


def _coins(whole: str, cents: str, currency: _Currency) -> str:
    words = f"{decimal(whole)} {currency.one if whole == '1' else currency.many}"
    if cents == "00":
        return words
    return f"{words} and {cardinal(cents.lstrip('0'))} {currency.one_cent if cents == '01' else currency.many_cents}"


def _money_behind(match: re.Match[str]) -> str:
    """Say an amount whose symbol stands behind it: 5€, 50¢."""
    currency = _CURRENCIES[match["symbol"]]
    return f"{quantity(match)} {currency.one if _is_one(match) else currency.many}"


def _percent(match: re.Match[str]) -> str:
    return quantity(match) + " percent"


def _scientific(match: re.Match[str]) -> str:
    exponent = (match["e"] or match["power"] or match["superscript"]).translate(_SUPERSCRIPTS).replace("−", "-")
    sign = "negative " if exponent[0] == "-" else ""
    return f"{quantity(match)} times ten to the {sign}{cardinal(exponent.lstrip('+-'))}"


def _unit(match: re.Match[str]) -> str | None:
    symbol = match["unit"].replace("μ", "µ").replace("Ω", "Ω")
    has_space = match[0][: -len(symbol)].endswith(" ")
    unit = _UNITS.get(symbol) or _UNITS_IN_ANY_CASE.get(symbol.lower())
    if unit is None or (has_space and symbol in _WORDS_AFTER_SPACE):
        return None
    return f"{quantity(match)} {unit if _is_one(match) else _plural_unit(unit)}"


def _plural_unit(unit: str) -> str:
    """Mile per hour -> miles per hour, degree Celsius -> degrees Celsius, square meter -> square meters."""
    head, separator, tail = unit.partition(" per ")
    if head.startswith("degree"):
        return head.replace("degree", "degrees")
    if head.endswith("hertz"):
        return head
    return _IRREGULAR_PLURALS.get(head, head + "s") + separator + tail


def _scaled(match: re.Match[str]) -> str:
    return f"{quantity(match)} {_SCALES[match['scale'].lower()]}"


def _fraction(match: re.Match[str]) -> str | None:
    over, under = match["over"].lstrip("0"), match["under"].lstrip("0")
    idiom = f"{over}/{under}"
    if not over or not under or under == "1":
        return None
    if idiom in _FRACTION_IDIOMS and not match["whole"]:
        return _FRACTION_IDIOMS[idiom]
    words = _over_and_under(over, under)
    if not match["whole"]:
        return words
    # "2 3/4" is one number, "Chapter 2 9/4" are two.
    joint = " and " if int(over) < int(under) else " "
    return cardinal(match["whole"]) + joint + words


def _fraction_character(match: re.Match[str]) -> str:
    over, under = unicodedata.normalize("NFKD", match["character"]).split("⁄")
    words = _over_and_under(over, under)
    return f"{cardinal(match['whole'])} and {words}" if match["whole"] else words


def _over_and_under(over: str, under: str) -> str:
    one, many = _HALF_AND_QUARTER.get(under) or (ordinal(under), ordinal(under) + "s")
    return f"{cardinal(over)} {one if over == '1' else many}"


_MONEY_FLAGS = ("expand_currency",)
_UNIT_FLAGS = ("expand_units",)

QUANTITY_RULES = (
    # From one amount to another; the amounts themselves are left to the next rule.
    Rule("currency", "currency", rf"(?<=[0-9KMBTkmb]){RANGE_DASH}(?={_SYMBOL}[0-9.])", constant(" to "), _MONEY_FLAGS),
    Rule(
        "currency",
        "currency",
        rf"(?:{MINUS} ?)?(?P<symbol>{_SYMBOL}) ?(?P<inner_minus>[-−])?"
        rf"(?P<low>{NUMBER})(?:{RANGE_DASH}(?P<high>{NUMBER}))?{_MONEY_SCALE}",
        _money,
        _MONEY_FLAGS,
    ),
    Rule("currency", "currency", rf"{QUANTITY} ?(?P<symbol>{_SYMBOL})(?![\w.])", _money_behind, _MONEY_FLAGS),
    Rule(
        "percentage",
        "number",
        rf"{SIGNED_START}(?P<low>{NUMBER})(?:%?{RANGE_DASH}(?P<high>{NUMBER}))? ?%",
        _percent,
        ("expand_percentages",),
    ),
    Rule("scientific_notation", "number", _SCIENTIFIC, _scientific, ("expand_scientific_notation",)),
    Rule("fraction", "number", _FRACTION, _fraction, ("expand_fractions",)),
    Rule("fraction", "number", _FRACTION_CHARACTER, _fraction_character, ("expand_fractions",)),
    Rule("unit", "number", QUANTITY + _UNIT, _unit, _UNIT_FLAGS),
    Rule("scale_suffix", "number", rf"{QUANTITY}(?P<scale>[KMBTk])(?!\w)", _scaled, ("expand_scale_suffixes",)),
)
