"""Plain numbers: ordinals, versions, ranges, years, decimals and integers. They take what no other rule has taken."""

from __future__ import annotations

import re

from kittentts.preprocess.numbers import decimal, is_spoken_year, number_run, ordinal, version, year
from kittentts.preprocess.rule import END, NUMBER, RANGE_DASH, SIGNED_START, START, TAKEN, Rule, constant

# Any digits that commas and points join.
_RUN = r"[0-9]+(?:[.,][0-9]+)*"
_RANGE = (
    rf"{SIGNED_START}(?<![0-9][-–/:])(?<![A-Za-z][-{TAKEN}])(?P<low>{NUMBER})"
    rf"(?:{RANGE_DASH}| ?– ?(?P<high_minus>[-−]))(?P<high>{NUMBER}){END}(?! ?[-–/:] ?[0-9])(?!-[A-Za-z])"
)


def _range(match: re.Match[str]) -> str:
    sign = "negative " if match["minus"] else ""
    high_sign = "negative " if match["high_minus"] else ""
    return f"{sign}{decimal(match['low'])} to {high_sign}{decimal(match['high'])}"


def _range_of_years(match: re.Match[str]) -> str | None:
    low, high = match["low"], match["high"]
    if (
        match["minus"]
        or match["high_minus"]
        or not is_spoken_year(low)
        or not (is_spoken_year(high) or re.fullmatch("[1-9][0-9]|0[1-9]", high))
    ):
        return None
    return f"{year(low)} to {year(high)}"


def _ordinal(match: re.Match[str]) -> str:
    return ordinal(match["number"])


def _version_behind_name(match: re.Match[str]) -> str:
    return year(match[0]) if is_spoken_year(match[0]) else version(match[0])


def _v_version(match: re.Match[str]) -> str:
    return f"{match['v']} {version(match['number'])}"


def _year(match: re.Match[str]) -> str | None:
    return year(match[0]) if is_spoken_year(match[0]) else None


def _number(match: re.Match[str]) -> str:
    return ("negative " if match["minus"] else "") + number_run(match["number"])


def _number_without_point(match: re.Match[str]) -> str | None:
    return None if "." in match["number"] else _number(match)


NUMBER_RULES = (
    Rule(
        "ordinal",
        "ordinal",
        rf"{START}(?P<number>[0-9]+(?:,[0-9]+)*)(?i:st|nd|rd|th)(?!\w)",
        _ordinal,
        ("expand_ordinals",),
        needs="tTdD",
    ),
    # From one thing to another that rules before this one speak: 5kg-10kg, 1st–3rd, 20s-30s.
    Rule("range", "number", rf"(?<={TAKEN}){RANGE_DASH}(?={TAKEN})", constant(" to "), ("expand_ranges",), needs="-–"),
    Rule(
        "range",
        "number",
        rf"(?<=[0-9][a-h]){RANGE_DASH}(?=[0-9]{{1,3}}[a-h](?![\w-]))",
        constant(" to "),
        ("expand_ranges",),
        needs="-–",
    ),
    Rule(
        "version",
        "number",
        rf"(?<!\w)(?P<v>v|V(?=[0-9]+\.))(?P<number>[0-9]+(?:\.[0-9]+)*){END}",
        _v_version,
        ("replace_numbers",),
        needs="vV",
    ),
    # Python-3.10, GPT-4, covid-19: as normalize_text reads them, then the hyphen as both do.
    Rule("version", "number", rf"(?<=[A-Za-z]-)[0-9]+(?:\.[0-9]+)*{END}(?!-[0-9])", _version_behind_name, needs="-"),
    Rule("model_name", "internal", r"(?<=[A-Za-z])-(?=[0-9\x00])", constant(" "), ("expand_model_names",), needs="-"),
    Rule("range", "date", _RANGE, _range_of_years, needs="-–"),
    Rule("range", "number", _RANGE, _range, ("expand_ranges",), needs="-–"),
    Rule("year", "date", rf"{START}[0-9]{{4}}{END}", _year),
    Rule(
        "float",
        "number",
        rf"{SIGNED_START}(?P<number>(?<!\.)\.[0-9]+){END}",
        _number,
        ("normalize_leading_decimals", "replace_numbers", "replace_floats"),
        needs=".",
    ),
    # Where floats are not spoken, .5 at least becomes 0.5.
    Rule(
        "leading_decimal",
        "number",
        rf"(?<![\w.])\.[0-9]+{END}",
        lambda match: "0" + match[0],
        ("normalize_leading_decimals",),
        reading=False,
        needs=".",
    ),
    # Without replace_floats, a number with a point stays as it is.
    Rule(
        "number",
        "number",
        rf"{SIGNED_START}(?<!(?<![\w.])\.)(?P<number>{_RUN}){END}",
        _number_without_point,
        ("replace_numbers",),
    ),
    Rule(
        "float",
        "number",
        rf"{SIGNED_START}(?P<number>{_RUN}){END}",
        _number,
        ("replace_numbers", "replace_floats"),
        needs=".",
    ),
)
