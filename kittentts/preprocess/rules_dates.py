"""Dates, decades and times of day."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from kittentts.preprocess.numbers import cardinal, integer, is_spoken_year, ordinal, plural, year
from kittentts.preprocess.rule import END, RANGE_DASH, START, TAKEN, Rule, constant
from kittentts.preprocess.text import word_list

if TYPE_CHECKING:
    import re

_MONTHS = word_list("January February March April May June July August September October November December")
_MONTH_BY_ABBREVIATION = {month[:3]: month for month in _MONTHS} | {"Sept": "September"}

_MONTH = rf"(?P<month>(?ai:{'|'.join(_MONTHS)}|(?:{'|'.join(_MONTH_BY_ABBREVIATION)})\b\.?))"
_MONTH_LETTERS = "JFMASONDjfmasond"
_DAY = r"(?:0?[1-9]|[12][0-9]|3[01])"
_NO_MORE = r"(?![\w/])(?![-.,:][0-9])"

_ISO_DATE = (
    rf"{START}(?<![0-9][-/])(?P<year>[0-9]{{4}})(?P<dash>[-/])(?P<month>[0-9]{{2}})(?P=dash)(?P<day>[0-9]{{2}})"
    r"(?![0-9]|[-/.]\w)(?P<T>T(?=[0-9]{2}:))?"
)
_ISO_MONTH = rf"{START}(?<![0-9][-/])(?P<year>[0-9]{{4}})-(?P<month>0[1-9]|1[0-2]){_NO_MORE}(?!-\w)"
_SLASHED_DATE = (
    rf"{START}(?<![0-9][-/])(?P<month>[0-9]{{1,2}})(?P<dash>[-/])(?P<day>[0-9]{{1,2}})(?P=dash)"
    rf"(?P<year>[0-9]{{4}}|(?<=/)[0-9]{{2}}){_NO_MORE}(?P<T>)"
)
_MONTH_DAY = (
    rf"(?=[{_MONTH_LETTERS}])(?<!\w){_MONTH} (?P<day>{_DAY})(?:st|nd|rd|th)?"
    rf"(?:{RANGE_DASH}(?P<last_day>{_DAY})(?:st|nd|rd|th)?)?"
    rf"(?:,? (?P<year>[0-9]{{4}}))?(?![\w/%])(?![-.,:][0-9])"
)
_DAY_MONTH_YEAR = rf"{START}(?P<day>{_DAY})(?:st|nd|rd|th)? {_MONTH},? (?P<year>[0-9]{{4}}){_NO_MORE}"
_ABBREVIATED_MONTH = rf"(?<!\w)(?P<month>{'|'.join(_MONTH_BY_ABBREVIATION)})\.?(?= [0-9])"

_MANY = {
    "100": "hundreds",
    "1000": "thousands",
    "10000": "tens of thousands",
    "100000": "hundreds of thousands",
    "1000000": "millions",
}
# 1980s, '80s, 2,000s
_DECADE = rf"(?:(?<!\w)['‘’])?{START}(?P<number>[0-9]{{0,3}}0|[0-9]{{1,3}}(?:,[0-9]{{3}})+)['’]?s(?!\w)"
# the class of '99
_SHORT_YEAR = r"(?<=\bof |\bin )['‘’](?P<year>0[1-9]|[1-9][0-9])(?![\w'’])"

_MERIDIEM = r"(?P<space>\s?)(?P<half>(?i:[ap]))(?P<dot>\.?)(?i:m)(?!\w)"
_CLOCK = (
    rf"(?<![\w:.])(?P<hour>[0-9]{{1,2}}):(?P<minute>[0-5][0-9])(?::(?P<second>[0-5][0-9]))?"
    rf"(?:{_MERIDIEM}|(?P<zulu>Z))?(?!\w)(?![:.][0-9])"
    # The first time of 5:00-6:00 p.m. is no o'clock either.
    rf"(?=(?P<to>{TAKEN}{{1,3}}[0-9]{{1,2}}:[0-9]{{2}}\s?(?i:[ap]\.?m))?)"
)
# 3.30pm
_POINTED_CLOCK = (
    rf"(?<![\w:.,$€£¥₹])(?P<hour>[0-9]{{1,2}})\.(?P<minute>[0-5][0-9])(?P<second>)(?P<zulu>)(?P<to>){_MERIDIEM}"
)
_HOUR = rf"(?<![\w:.,$€£¥₹])(?P<hour>[0-9]{{1,2}}){_MERIDIEM}"
# From one time to another; the times themselves are left to the other rules.
_CLOCK_DASH = r"(?<=[0-9]:[0-9]{2})(?: ?[-–] ?)(?=[0-9]{1,2}:[0-9]{2})"
_MERIDIEM_DASH = (
    r"(?ai:(?<=[0-9][ap]m)|(?<=[0-9] [ap]m)|(?<=[ap]\.m)(?P<dot>\.)) ?[-–] ?"
    r"(?=[0-9]{1,2}(?:[:.][0-9]{2})?\s?(?ai:[ap]\.?m))"
)
_FIRST_HOUR = (
    rf"(?<![\w:.,$€£¥₹-])(?P<first>[0-9]{{1,2}}){RANGE_DASH}(?=[0-9]{{1,2}}(?:[:.][0-5][0-9])?\s?(?ai:[ap]\.?m)(?!\w))"
)
_LAST_CLOCK_FACE_HOUR = 12
_LAST_HOUR = 24


def _date(match: re.Match[str]) -> str | None:
    month, day = int(match["month"]), int(match["day"])
    if month > len(_MONTHS):
        month, day = day, month  # 31/12/1999
    if not 1 <= month <= len(_MONTHS) or not 1 <= day <= 31:  # noqa: PLR2004 (days of the longest month)
        return None
    return f"{_MONTHS[month - 1]} {ordinal(str(day))}, {year(match['year'])}" + (" at" if match["T"] else "")


def _iso_month(match: re.Match[str]) -> str | None:
    """Say 2024-01 as a month, unless it is a range of years, such as 2005-06."""
    years = match["year"]
    is_range = int(match["month"]) > int(years[2:])
    return f"{_MONTHS[int(match['month']) - 1]} {year(years)}" if is_spoken_year(years) and not is_range else None


def _comma_in_date(match: re.Match[str]) -> str | None:
    """Drop the comma of "May 5, 2026"."""
    before = match.string[max(0, match.start() - len("September 30")) : match.start()].split()
    month = before[-2].rstrip(".").capitalize() if len(before) > 1 else ""
    return "" if month in _MONTHS or month in _MONTH_BY_ABBREVIATION else None


def _month_day(match: re.Match[str]) -> str | None:
    if match["month"].islower() and not match["year"]:
        return None  # "we may 5"
    words = f"{_month_name(match)} {ordinal(match['day'].lstrip('0'))}"
    if match["last_day"]:
        words += " to " + ordinal(match["last_day"].lstrip("0"))
    return f"{words}, {year(match['year'])}" if match["year"] else words


def _day_month_year(match: re.Match[str]) -> str:
    article = "" if match.string[max(0, match.start() - 4) : match.start()].lower() == "the " else "the "
    day = ordinal(match["day"].lstrip("0"))
    return f"{article}{day} of {_month_name(match)} {year(match['year'])}"


def _month_name(match: re.Match[str]) -> str:
    name = match["month"].rstrip(".").capitalize()
    return _MONTH_BY_ABBREVIATION.get(name, name)


def _decade(match: re.Match[str]) -> str:
    number = match["number"]
    if number.replace(",", "") in _MANY:
        return _MANY[number.replace(",", "")]
    if number == "00":
        return "two thousands"
    if is_spoken_year(number) and not number.startswith("200"):
        tail = "hundred" if number.endswith("00") else cardinal(number[2:])
        return f"{cardinal(number[:2])} {plural(tail)}"
    return plural(integer(number))


def _clock(match: re.Match[str], *, spell: bool) -> str | None:
    if int(match["hour"]) > _LAST_HOUR:
        return None
    hour, minute = cardinal(str(int(match["hour"]))), match["minute"]
    meridiem = _spoken_meridiem(match, spell=spell) if match["half"] else ""
    if minute != "00":
        words = f"{hour} oh {cardinal(minute[1])}" if minute[0] == "0" else f"{hour} {cardinal(minute)}"
    elif meridiem or match["to"]:
        words = hour
    elif match["hour"][0] != "0" and int(match["hour"]) <= _LAST_CLOCK_FACE_HOUR:
        words = f"{hour} o'clock"
    else:
        words = f"{hour} hundred"
    if match["second"] and match["second"] != "00":
        seconds = int(match["second"])
        words += f" and {cardinal(str(seconds))} second" + ("s" if seconds > 1 else "")
    return words + (meridiem or (" UTC" if match["zulu"] else ""))


def _hour(match: re.Match[str], *, spell: bool) -> str | None:
    if int(match["hour"]) > _LAST_HOUR:
        return None
    return cardinal(str(int(match["hour"]))) + _spoken_meridiem(match, spell=spell)


def _first_hour(match: re.Match[str]) -> str:
    return cardinal(str(int(match["first"]))) + " to "


def _spoken_meridiem(match: re.Match[str], *, spell: bool) -> str:
    """Read "p.m." as two letters, or write it as it was; the last full stop is never part of the match."""
    return f" {match['half'].lower()}" + (" m" if spell else f"{match['dot']}m")


_TIME_FLAGS = ("expand_time",)

DATE_RULES = (
    Rule("date", "date", _ISO_DATE, _date, flags=("replace_numbers",), needs="-/"),
    Rule("date", "date", _SLASHED_DATE, _date, flags=("replace_numbers",), needs="-/"),
    Rule("date", "date", _ISO_MONTH, _iso_month, flags=("replace_numbers",), needs="-"),
    Rule(
        "range", "date", rf"(?<=[0-9]){RANGE_DASH}(?={_MONTH} [0-9])", constant(" to "), ("expand_ranges",), needs="-–"
    ),
    Rule("date", "date", _MONTH_DAY, _month_day, needs=_MONTH_LETTERS),
    # TextPreprocessor keeps the words of a date, but makes no pause in it.
    Rule(
        "date",
        "date",
        rf"(?<=[0-9]),(?= [0-9]{{4}}{END})",
        _comma_in_date,
        ("replace_numbers",),
        reading=False,
        needs=",",
    ),
    Rule("date", "date", _DAY_MONTH_YEAR, _day_month_year, needs=_MONTH_LETTERS),
    Rule("month", "abbreviation", _ABBREVIATED_MONTH, _month_name),
    Rule("decade", "date", _DECADE, _decade, ("expand_decades",), needs="s"),
    Rule("year", "date", _SHORT_YEAR, lambda match: year(match["year"]), needs="'‘’"),
    Rule("time", "time", _CLOCK_DASH, constant(" to "), _TIME_FLAGS, needs=":"),
    Rule("time", "time", _MERIDIEM_DASH, constant(" to "), needs="-–"),
    Rule(
        "time",
        "time",
        _MERIDIEM_DASH,
        lambda match: f"{match['dot'] or ''} to ",
        _TIME_FLAGS,
        reading=False,
        needs="-–",
    ),
    Rule("time", "time", _FIRST_HOUR, _first_hour, _TIME_FLAGS, needs="-–"),
    Rule("time", "time", _POINTED_CLOCK, partial(_clock, spell=True), needs="mM"),
    Rule("time", "time", _CLOCK, partial(_clock, spell=True), needs=":"),
    Rule("time", "time", _HOUR, partial(_hour, spell=True), needs="mM"),
    Rule("time", "time", _POINTED_CLOCK, partial(_clock, spell=False), _TIME_FLAGS, reading=False, needs="mM"),
    Rule("time", "time", _CLOCK, partial(_clock, spell=False), _TIME_FLAGS, reading=False, needs=":"),
    Rule("time", "time", _HOUR, partial(_hour, spell=False), _TIME_FLAGS, reading=False, needs="mM"),
)
