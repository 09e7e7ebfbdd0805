"""Words: contractions, roman numerals, abbreviations, citations and quotation marks."""

from __future__ import annotations

import re

from kittentts.preprocess.numbers import cardinal, ordinal, roman_to_int
from kittentts.preprocess.rule import RANGE_DASH, TAKEN, Rule, constant
from kittentts.preprocess.text import word_list

_IRREGULAR_NEGATIONS = {"can": "cannot", "won": "will not", "shan": "shall not"}
_NEGATABLE = frozenset(
    word_list("are could did do does had has have is may might must need ought should was were would")
)
# 's after other words is a possessive.
_SUBJECTS = frozenset(
    word_list(
        "he how it she that there here this what when where who why anybody anyone anything everybody everyone "
        "everything somebody someone something nobody nothing"
    )
)
_PRONOUNS = frozenset(word_list("he i it she that there they we who you"))
# "Where'd you go" asks for the past.
_DID = frozenset(word_list("how what where why"))
_ENDINGS = {"re": "are", "ve": "have", "ll": "will"}

_ROMAN = r"(?P<roman>[IVXLCDM]{1,15})"
# "Parts I-III", "Chapters IV and V"
_SECOND_ROMAN = rf"(?P<joint>{RANGE_DASH}| and | or | to )(?P<second>(?!I\b)[IVXLCDM]{{1,15}})(?!\w)"
# "Appendix C" and "Part D" are letters.
_LETTERS = frozenset("LCDM")
_CANONICAL_ROMAN = r"M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})"
_NUMBERED_THINGS = frozenset(
    word_list(
        "chapter part act scene section book volume vol article phase stage title type class level grade figure fig "
        "table appendix episode season war bowl olympiad apollo rocky unit lesson canto psalm verse step tier category "
        "page pages",
    ),
)
_REGNAL_TITLES = frozenset(
    word_list("king queen pope emperor empress tsar czar prince princess duke kaiser sultan saint")
)
_REGNAL_NAMES = frozenset(
    word_list(
        "Alexander Benedict Catherine Charles Edward Elizabeth Frederick George Henry James John Leo Louis Napoleon "
        "Nicholas Paul Philip Pius Ramesses Richard Wilhelm William"
    )
)
# What stands behind "Part I" but not behind a subject.
_BEHIND_NUMERAL = r"\s*(?:\Z|[^\w\s'’])|\s+(?:and|began|begins|ended|ends|of|or|to)\b"
# How far back to look for a title word.
_CONTEXT_LENGTH = 40

_TITLES = {
    "messrs": "messieurs",
    "mr": "mister",
    "mrs": "misses",
    "ms": "miz",
    "mx": "mix",
    "dr": "doctor",
    "prof": "professor",
    "hon": "honorable",
    "pres": "president",
    "rep": "representative",
    "rev": "reverend",
    "gov": "governor",
    "sen": "senator",
    "gen": "general",
    "col": "colonel",
    "maj": "major",
    "capt": "captain",
    "lt": "lieutenant",
    "sgt": "sergeant",
    "sr": "senior",
    "st": "saint",
    "ft": "fort",
    "mt": "mount",
}
_REFERENCES = {
    "fig": "figure",
    "figs": "figures",
    "p": "page",
    "pp": "pages",
    "ch": "chapter",
    "chs": "chapters",
    "sec": "section",
    "secs": "sections",
    "eq": "equation",
    "eqs": "equations",
    "vol": "volume",
    "vols": "volumes",
}
_ABBREVIATIONS = {
    "vs": "versus",
    "etc": "et cetera",
    "e.g": "for example",
    "i.e": "that is",
    "approx": "approximately",
    "inc": "incorporated",
    "ltd": "limited",
    "co": "company",
    "corp": "corporation",
    "jr": "junior",
    "sr": "senior",
    "dept": "department",
}

# Abbreviations inside names, and capitalized words that rather begin a sentence than continue a name.
_IN_NAMES = frozenset(word_list("co corp dept inc jr ltd sr"))
_SENTENCE_STARTERS = frozenset(
    word_list(
        "A After All An And As At Because Before But By During For From He Her His How However I If In It Its Later My "
        "No Now On Once One Our She Since So Some That The Their Then There These They This Those Though To Today Two "
        "Until We What When Where While Who Why With Yet You Your"
    )
)

_DOUBLE_QUOTE = '["“”„‟«»]'
_SINGLE_QUOTE = "[‘’‚‛]"


def _contraction(match: re.Match[str]) -> str | None:
    word, ending = match["word"], match["ending"].lower()
    lower = word.lower()
    if ending == "t":
        return _negation(word)
    verb = _ENDINGS.get(ending)
    if ending == "s" and lower == "let":
        verb = "us"
    elif ending == "s" and lower in _SUBJECTS:
        verb = "has" if match["been"] else "is"
    elif ending == "d" and lower in _PRONOUNS:
        verb = "had" if match["been"] or match["better"] else "would"
    elif ending == "d" and lower in _DID:
        verb = "did"
    elif ending == "m" and lower == "i":
        verb = "am"
    return f"{word} {verb}" if verb else None


def _negation(word: str) -> str | None:
    """Expand what stands before 't: "don" becomes "do not"."""
    lower = word.lower()
    if lower in _IRREGULAR_NEGATIONS:
        return _with_case_of(word, _IRREGULAR_NEGATIONS[lower])
    return word[:-1] + " not" if lower[-1] == "n" and lower[:-1] in _NEGATABLE else None


def _roman_in_context(match: re.Match[str]) -> str | None:
    """Speak a roman numeral, or two, if the words before promise one."""
    numerals = [numeral for numeral in (match["roman"], match["second"]) if numeral]
    before = match.string[max(0, match.start() - _CONTEXT_LENGTH) : match.start()].split()
    if not before or not all(re.fullmatch(_CANONICAL_ROMAN, numeral) for numeral in numerals):
        return None
    last = before[-1].strip(".(")
    title = before[-2].lower() if len(before) > 1 else ""
    numbers = [str(roman_to_int(numeral)) for numeral in numerals]
    if last.istitle() and (title in _REGNAL_TITLES or (last in _REGNAL_NAMES and len(numerals[0]) > 1)):
        words = ["the " + ordinal(number) for number in numbers]
    elif _promises_number(last) and numerals[0] not in _LETTERS and not _is_pronoun(match, title, last):
        words = [cardinal(number) for number in numbers]
    else:
        return None
    joint = match["joint"] if match["joint"] and match["joint"].strip().isalpha() else " to "
    return joint.join(words)


def _promises_number(word: str) -> bool:
    lower = word.lower()
    return lower in _REFERENCES or lower in _NUMBERED_THINGS or lower.removesuffix("s") in _NUMBERED_THINGS


def _is_pronoun(match: re.Match[str], title: str, last: str) -> bool:
    """Whether what stands behind a word is rather a person than a number, as in "the part I liked"."""
    if match[0] != "I" or (title, last) == ("world", "War"):
        return False
    return not last[0].isupper() or re.compile(_BEHIND_NUMERAL).match(match.string, match.end()) is None


def _roman_anywhere(match: re.Match[str]) -> str | None:
    roman = match["roman"]
    if len(roman) == 1 or not re.fullmatch(_CANONICAL_ROMAN, roman):
        return None
    return cardinal(str(roman_to_int(roman)))


def _title(match: re.Match[str]) -> str | None:
    word = match["word"]
    if word in ("ft", "hon", "pres", "rep", "sr"):
        return None  # words or units, unless they are capitalized
    if word.lower() in ("ft", "sr", "st", "mt") and _follows_capitalized_word(match):
        return None  # Main St. North is a street
    return _with_case_of(word, _TITLES[word.lower()])


def _follows_capitalized_word(match: re.Match[str]) -> bool:
    before = match.string[max(0, match.start() - _CONTEXT_LENGTH) : match.start()].split()
    return bool(before) and before[-1].istitle() and before[-1].isalpha()


def _reference(match: re.Match[str]) -> str:
    words = _with_case_of(match["word"], _REFERENCES[match["word"].lower()])
    return words + " " + match["lettered"].strip() if match["lettered"] else words


def _abbreviation(match: re.Match[str]) -> str:
    """Speak the words; the full stop stays where it also ends the sentence."""
    word = match["word"] or match["open"]
    words = _with_case_of(word, _ABBREVIATIONS[word.lower()])
    is_in_name = word.lower() in _IN_NAMES and match["next"] and match["next"] not in _SENTENCE_STARTERS
    is_final = match["final"] is not None and word.lower() not in ("e.g", "i.e", "vs") and not is_in_name
    return words + ("." if is_final else "")


def _with_case_of(model: str, words: str) -> str:
    return words[0].upper() + words[1:] if model[0].isupper() else words


def _alternatives(words: dict[str, str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


WORD_RULES = (
    Rule(
        "contraction",
        "other",
        r"(?<![\w'’])(?ai:(?P<word>[a-z]+)['’](?P<ending>t|s|re|ve|ll|d|m))(?!\w)"
        r"(?=(?P<been> been\b)?(?P<better> better\b)?)",
        _contraction,
        flags=("expand_contractions",),
        reading=False,
        needs="'’",
    ),
    # Before the abbreviations, which would take "Vol." from "Vol. II".
    Rule(
        "roman",
        "number",
        rf"(?<=\s){_ROMAN}(?!\w)(?:{_SECOND_ROMAN})?",
        _roman_in_context,
        flags=("expand_roman_numerals",),
        needs="IVXLCDM",
    ),
    # Only for expand_roman_numerals(context_words=False).
    Rule("roman_anywhere", "number", rf"(?<!\w){_ROMAN}(?!\w)", _roman_anywhere, reading=False, needs="IVXLCDM"),
    # "Smith et al. 2024, pp. 31-35": neither the full stop nor the comma is a pause.
    Rule("citation", "citation", r"(?<!\w)(?i:et al\.)(?!\s*\Z|\s+[A-Z])", constant("et al"), needs="."),
    Rule(
        "citation",
        "citation",
        r"(?<=(?<![0-9])[0-9]{4}),(?= pp?\. ?[0-9])",
        constant(""),
        flags=("replace_numbers",),
        needs=",",
    ),
    Rule(
        "reference",
        "citation",
        rf"(?<!\w)(?ai:(?P<word>{_alternatives(_REFERENCES)})\.)"
        # "Fig. 2B" is no billion; "pp. 80s" is a decade
        rf"(?:(?P<lettered> ?[0-9]{{1,3}}(?!(?<=0)s)[A-Za-z](?![\w–-]))|(?= ?\(?[0-9{TAKEN}]))",
        _reference,
        needs=".",
    ),
    Rule(
        "title",
        "abbreviation",
        rf"(?<!\w)(?ai:(?P<word>{_alternatives(_TITLES)})\.)(?=\s+(?:[A-Z]|and\b|or\b|&))",
        _title,
        needs=".",
    ),
    Rule(
        "abbreviation",
        "abbreviation",
        rf"(?<!\w)(?ai:(?P<word>{_alternatives(_ABBREVIATIONS)})\.)"
        r"(?=(?P<final>\s*\Z|\s+(?P<next>[A-Z]\w*))?)(?![\w.])"
        # "etc..." keeps its dots.
        r"|(?<!\w)(?ai:(?P<open>etc))(?=\.\.)",
        _abbreviation,
        needs=".",
    ),
)

# After the decades, which begin with an apostrophe ('80s).
QUOTE_RULES = (
    Rule("apostrophe", "punctuation", rf"(?<=[\w{TAKEN}]){_SINGLE_QUOTE}(?=\w)", constant("'"), needs="‘’‚‛"),
    Rule("quotes", "punctuation", rf"{_DOUBLE_QUOTE}+|{_SINGLE_QUOTE}+", constant("")),
)
