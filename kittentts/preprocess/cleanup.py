"""Remove or simplify what is not to be spoken: markup, addresses, punctuation, accents, case, whitespace."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Literal

from kittentts.preprocess.apply import compiled
from kittentts.preprocess.text import word_list

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Collection

# Attributes without a value are few; "a <b and c> d" is no tag.
_ATTRIBUTE = (
    r"""\s+(?:[\w:@.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'|[^\s"'<>=]+)"""
    r"|async|autofocus|autoplay|checked|controls|default|defer|disabled|download|hidden|loop|multiple|muted|nowrap|open"
    r"|readonly|required|reversed|selected)(?![\w=])"
)
_TAG = rf"(?i:<(?:!--[^<>]*--|!doctype\b[^<>]*|/?(?P<name>[a-z][a-z0-9]*)(?:{_ATTRIBUTE})*\s*/?)>)"
# Tags inside a line of text; the others separate words.
_INLINE_TAGS = frozenset(word_list("a abbr b bdi bdo cite code em font i kbd mark q s small span strong sub sup u var"))
_TAGS = _INLINE_TAGS | frozenset(
    word_list(
        "acronym address applet area article aside audio base big blockquote body br button canvas caption center col "
        "colgroup data datalist dd del details dfn dialog dir div dl dt embed fieldset figcaption figure footer form "
        "frame frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html iframe img input ins label legend li link main "
        "map menu meta meter nav noscript object ol optgroup option output p param picture pre progress rp rt ruby "
        "samp script search section select slot source strike style summary svg table tbody td template textarea "
        "tfoot th thead time title tr track tt ul video wbr"
    )
)
_HASHTAG = r"(?<!\w)#\w+"
_MENTION = r"(?<![\w.+%-])@\w+"
# Unicode's own limit for the length of a sensible sequence of combining marks is 30.
_MOST_MARKS = 100

_STOPWORDS = word_list(
    "a about after again all am an and any are as at be because been before being below between both but by can did "
    "do does doing down during each few for from further had has have having he her here hers him his how i if in "
    "into is it its just me more most my no nor not now of off on once only or other our out over own same she so "
    "some such than that the their them then there these they this those through to too under until up very was we "
    "were what when where which while who whom why will with you your"
)


def removals() -> dict[str, tuple[re.Pattern[str], Callable[[re.Match[str]], str]]]:
    """Return what each of these flags of `TextPreprocessor` finds, and what it leaves of that, in their order."""
    from kittentts.preprocess.rules_addresses import EMAIL, URL

    return {
        "remove_html": (compiled(_TAG), _removed_tag),
        "remove_urls": (compiled(URL), _nothing),
        "remove_emails": (compiled(EMAIL), _nothing),
        "remove_hashtags": (compiled(_HASHTAG), _nothing),
        "remove_mentions": (compiled(_MENTION), _nothing),
    }


def _nothing(_: re.Match[str]) -> str:
    return ""


def remove_html_tags(text: str) -> str:
    """Remove HTML tags and comments; a tag that ends a line or paragraph leaves a space. "<laughs>" is no tag."""
    return compiled(_TAG).sub(_removed_tag, text)


def _removed_tag(tag: re.Match[str]) -> str:
    name = (tag["name"] or "br").lower()  # a comment is a break, too
    if name in _INLINE_TAGS:
        return ""
    return " " if name in _TAGS else tag[0]


def remove_urls(text: str, replacement: str = "") -> str:
    """Replace web addresses (https://... and www....); punctuation behind them stays."""
    from kittentts.preprocess.rules_addresses import URL

    return compiled(URL).sub(lambda _: replacement, text)


def remove_emails(text: str, replacement: str = "") -> str:
    """Replace e-mail addresses."""
    from kittentts.preprocess.rules_addresses import EMAIL

    return compiled(EMAIL).sub(lambda _: replacement, text)


def remove_hashtags(text: str, replacement: str = "") -> str:
    """Replace hashtags such as #nlp."""
    return compiled(_HASHTAG).sub(lambda _: replacement, text)


def remove_mentions(text: str, replacement: str = "") -> str:
    """Replace mentions such as @user; e-mail addresses stay."""
    return compiled(_MENTION).sub(lambda _: replacement, text)


def remove_punctuation(text: str) -> str:
    """Remove everything but letters, digits, whitespace and the apostrophes inside words.

    Where that would join two words ("thirty-one", "and/or"), a space takes the place.
    """
    return compiled(r"[^\w\s'’]+|(?<!\w)['’]+|['’]+(?!\w)|_+").sub(_removed_punctuation, text)


def _removed_punctuation(match: re.Match[str]) -> str:
    # Combining marks are parts of letters, although \w does not count them.
    kept = "".join(character for character in match[0] if unicodedata.category(character)[0] == "M")
    text = match.string
    joins_words = text[match.start() - 1 : match.start()].isalnum() and text[match.end() : match.end() + 1].isalnum()
    return " " if joins_words and not kept else kept


def remove_stopwords(text: str, stopwords: Collection[str] | None = None) -> str:
    """Remove the words in `stopwords` (default: common English function words), whatever their case."""
    unwanted = {word.lower() for word in (_STOPWORDS if stopwords is None else stopwords)}
    return " ".join(word for word in text.split() if word.lower() not in unwanted)


def remove_accents(text: str) -> str:
    """Write letters without their accents: "café" becomes "cafe". Vowel signs of other scripts stay."""
    return normalize_unicode(compiled("[\u0300-\u036f]+").sub("", normalize_unicode(text, "NFD")), "NFC")


def normalize_unicode(text: str, form: Literal["NFC", "NFD", "NFKC", "NFKD"] = "NFC") -> str:
    """`unicodedata.normalize`, but in linear time where thousands of combining marks follow one another.

    Raises:
        ValueError: there is no such form.

    """
    return "".join(unicodedata.normalize(form, piece) for piece in _split_runs_of_marks(text))


def _split_runs_of_marks(text: str) -> list[str]:
    """Cut a text wherever `_MOST_MARKS` combining marks follow one another: CPython sorts them in quadratic time."""
    if text.isascii():
        return [text]
    pieces = []
    start = marks = 0
    for position, character in enumerate(text):
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks == _MOST_MARKS:
            pieces.append(text[start:position])
            start, marks = position, 0
    pieces.append(text[start:])
    return pieces


def remove_extra_whitespace(text: str) -> str:
    """Turn every run of whitespace into one space, and strip the text."""
    return " ".join(text.split())


def to_lowercase(text: str) -> str:
    """Turn all letters to lower case."""
    return text.lower()
