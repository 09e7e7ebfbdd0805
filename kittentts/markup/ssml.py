"""SSML -> parts. Python's expat parses it, and opens nothing; a document type, and so any entity, is refused."""

from __future__ import annotations

import logging
import math
import re
from typing import TYPE_CHECKING, NamedTuple
from xml.parsers import expat

from kittentts.errors import TextError, VoiceError
from kittentts.markup.parts import Part, PartsBuilder
from kittentts.markup.pauses import SECONDS, to_seconds
from kittentts.markup.say_as import FORMATS, SAY_AS
from kittentts.phonemes.vocabulary import check_phonemes, is_speakable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

logger = logging.getLogger(__name__)

_DEEPEST = 100
_WAYS_OUT = {
    expat.errors.XML_ERROR_INVALID_TOKEN: "write &amp; for & and &lt; for <, and quote the values of attributes",
    expat.errors.XML_ERROR_UNDEFINED_ENTITY: "XML has &amp; &lt; &gt; &quot; &apos; only; write the character itself",
    expat.errors.XML_ERROR_JUNK_AFTER_DOC_ELEMENT: "nothing may follow </speak>",
}
# so many of the things that were ignored are named in the log
_MOST_NAMED = 10
_EXCERPT = 40

# Our choice; the standard names no times.
_STRENGTHS = {"none": 0.0, "x-weak": 0.25, "weak": 0.5, "medium": 0.75, "strong": 1.0, "x-strong": 1.25}
_RATES = {"x-slow": 0.5, "slow": 0.75, "medium": 1.0, "default": 1.0, "fast": 1.25, "x-fast": 1.75}
# At a fifth of the voice's own pace the longest chunk still fits into memory; see `model_input.py`.
_SLOWEST, _FASTEST = 0.2, 5.0
_TIME = re.compile(rf"\+?{SECONDS}")
_RATE = re.compile(r"([+-]?)([0-9]{1,9}(?:\.[0-9]{0,9})?|\.[0-9]{1,9})(%?)")

_EVERYWHERE = {"xml:lang", "xml:id", "xml:base", "xml:space", "onlangfailure"}
_ATTRIBUTES: Mapping[str, set[str]] = {
    "speak": {"version"},
    "p": set(),
    "s": set(),
    "lang": set(),
    "break": {"time", "strength"},
    "sub": {"alias"},
    "phoneme": {"ph", "alphabet"},
    "say-as": {"interpret-as", "format"},
    "prosody": {"rate"},
    "voice": {"name"},
    "mark": {"name"},
    "emphasis": {"level"},
}
"""Element -> its attributes besides those that all may have."""
_READ_WHOLE = {"sub", "phoneme", "say-as"}
_EMPTY = {"break", "mark"}
# not to be read aloud, in a lenient reading too
_UNSPOKEN = {"metadata", "desc", "lexicon", "meta"}


def read_ssml(text: str, check_voice: Callable[[str], object], *, is_lenient: bool) -> list[Part]:
    """Return the parts of an SSML document.

    Takes time that is linear in its length.

    Args:
        text: the document; what it declares as its encoding is ignored.
        check_voice: raises `VoiceError` for a voice that the model lacks.
        is_lenient: ignore, with one line in the log, what is well-formed and not done.

    Raises:
        TextError: it is malformed, or asks for what is not done; the message has the line and the element.
    """
    return _Reader(text, check_voice, is_lenient=is_lenient).read()


class _Element(NamedTuple):
    """An element that is open."""

    name: str
    attributes: Mapping[str, str]
    start: int
    """Where it begins in the document."""
    voice: str | None
    """Around it, like the rate."""
    rate: float


class _Reader:
    """Reads one document; methods are the handlers of the parser."""

    def __init__(self, text: str, check_voice: Callable[[str], object], *, is_lenient: bool) -> None:
        self._text = text
        self._check_voice = check_voice
        self._is_lenient = is_lenient
        self._builder = PartsBuilder()
        self._open: list[_Element] = []
        self._ignored: dict[str, None] = {}
        self._pending = (0, 0)  # characters that are to be spoken as they are
        self._content: list[tuple[str, int, int]] | None = None  # of an element that is read as a whole
        self._unspoken = 0  # elements around that are not read aloud
        self._is_cdata = False
        self._place = (0, 0)  # bytes and characters up to the last event
        self._parser = expat.ParserCreate("utf-8")

    def read(self) -> list[Part]:
        parser = self._parser
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartCdataSectionHandler = self._start_cdata
        parser.EndCdataSectionHandler = self._end_cdata
        parser.StartDoctypeDeclHandler = self._doctype
        try:
            self._data = self._text.encode()
            parser.Parse(self._data, True)
        except UnicodeEncodeError as error:
            raise TextError(f"the SSML has a character that is none: {self._text[error.start]!r}") from error
        except expat.ExpatError as error:
            reason = expat.ErrorString(error.code)
            hint = self._way_out(reason)
            raise TextError(f"the SSML is malformed in line {error.lineno}: {reason}{hint and '; '}{hint}") from error
        parts = self._builder.finish()
        if self._ignored:
            names = list(self._ignored)
            more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
            logger.warning("SSML: %s%s: not done by these models, ignored", ", ".join(names[:_MOST_NAMED]), more)
        return parts

    def _way_out(self, reason: str) -> str:
        """Return what an author may do about what expat says, or nothing."""
        if "<" not in self._text:
            return "a document like <speak>Hello.</speak> is needed"
        if self._open and reason in {expat.errors.XML_ERROR_NO_ELEMENTS, expat.errors.XML_ERROR_TAG_MISMATCH}:
            name = self._open[-1].name
            return f"<{name}> is open: it is closed by </{name}>, or by a slash in itself, <{name}/>"
        return _WAYS_OUT.get(reason, "")

    def _position(self) -> int:
        """Return where the event is, in characters."""
        data, characters = self._place
        here = self._parser.CurrentByteIndex
        if here > data:
            characters += len(self._data[data:here].decode())
            self._place = here, characters
        return characters

    def _error(self, message: str, name: str | None = None) -> TextError:
        element = "" if name is None else f"<{name}>: "
        return TextError(f"line {self._parser.CurrentLineNumber} of the SSML: {element}{message}")

    def _refuse(self, what: str, message: str, name: str | None = None) -> None:
        """Ignore something and remember it, or raise the error that says so."""
        if not self._is_lenient:
            raise self._error(message, name)
        self._ignored[what] = None

    def _doctype(self, *_: object) -> None:
        raise self._error("a document type (<!DOCTYPE ...>) and entities of its own are refused; leave it out")

    def _start_cdata(self) -> None:
        self._is_cdata = True

    def _end_cdata(self) -> None:
        self._is_cdata = False

    def _characters(self, text: str) -> None:
        if self._unspoken:
            return
        start = self._position()
        if not self._is_cdata and self._text[start] == "&":
            end = self._text.index(";", start) + 1
        elif text == "\n" and self._text[start] == "\r":
            end = start + 1 + self._text.startswith("\n", start + 1)
        elif self._content is None:
            # as they are: together with those before, up to the next mark
            if self._pending[1] != start:
                self._flush()
                self._pending = start, start
            self._pending = self._pending[0], start + len(text)
            return
        else:
            end = start + len(text)
        if self._content is not None:
            self._content.append((text, start, end))
            return
        self._flush()
        spoken = " " if text.isspace() else text
        self._builder.add(spoken, start, end, spoken)

    def _flush(self) -> None:
        start, end = self._pending
        if start < end:
            self._pending = end, end
            self._builder.add_words(self._text[start:end], start)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        start = self._position()
        self._flush()
        if len(self._open) == _DEEPEST:
            raise self._error(f"elements are nested more than {_DEEPEST} deep", name)
        self._open.append(_Element(name, attributes, start, self._builder.voice, self._builder.rate))
        if name in _UNSPOKEN or self._unspoken:
            if not self._unspoken:
                self._refuse(f"<{name}>", "this element is not done; leave it out", name)
            self._unspoken += 1
            return
        if (name == "speak") != (len(self._open) == 1):
            self._refuse(f"<{name}>", "the outermost element, and no other, must be <speak>", name)
        elif name not in _ATTRIBUTES:
            self._refuse(f"<{name}>", f"this element is not done; there are {', '.join(_ATTRIBUTES)}", name)
        elif self._content is not None or (len(self._open) > 1 and self._open[-2].name in _EMPTY):
            self._refuse(f"<{name}>", f"<{self._open[-2].name}> takes no elements", name)
        else:
            self._check_attributes(name, attributes)
            self._begin(name, attributes, start)

    def _check_attributes(self, name: str, attributes: Mapping[str, str]) -> None:
        for attribute in attributes:
            is_declared = name == "speak" and attribute.startswith(("xmlns", "xsi:"))
            if attribute not in _ATTRIBUTES[name] | _EVERYWHERE and not is_declared:
                known = ", ".join(sorted(_ATTRIBUTES[name])) or "none"
                self._refuse(f"{attribute}= of <{name}>", f"{attribute}= is not done; its attributes: {known}", name)
        language = attributes.get("xml:lang", "en")
        if language.lower().split("-")[0] != "en":
            self._refuse(f"xml:lang={_quoted(language)}", f"xml:lang={_quoted(language)}: only English is spoken", name)

    def _begin(self, name: str, attributes: Mapping[str, str], start: int) -> None:
        if name in {"p", "s"}:
            self._builder.end_sentence(start)
        elif name == "break":
            self._break(attributes)
        elif name == "mark":
            self._builder.mark(self._needed(attributes, "name", name), start)
        elif name == "prosody" and "rate" in attributes:
            self._builder.rate = self._rate(attributes["rate"])
        elif name == "voice" and "name" not in attributes:
            self._refuse("<voice> without name=", "name= is needed; there is no other choice of a voice", name)
        elif name == "voice":
            self._voice(attributes["name"])
        elif name == "emphasis":
            self._ignored["<emphasis>"] = None
        elif name in _READ_WHOLE:
            self._content = []

    def _end(self, name: str) -> None:
        end = self._position()
        self._flush()
        element = self._open.pop()
        if self._unspoken:
            self._unspoken -= 1
            return
        self._builder.voice, self._builder.rate = element.voice, element.rate
        if name in {"p", "s"}:
            self._builder.end_sentence(end)
        elif self._content is not None and not (self._open and self._open[-1].name in _READ_WHOLE):
            content, self._content = self._content, None
            self._read_whole(element, content, end)

    def _needed(self, attributes: Mapping[str, str], attribute: str, name: str) -> str:
        value = attributes.get(attribute, "")
        if not value.strip():
            raise self._error(f"{attribute}= is missing or empty", name)
        return value

    def _break(self, attributes: Mapping[str, str]) -> None:
        strength = attributes.get("strength", "medium")
        if strength not in _STRENGTHS:
            raise self._error(f"strength={_quoted(strength)} is not one of {', '.join(_STRENGTHS)}", "break")
        seconds = _STRENGTHS[strength]
        if "time" in attributes:
            match = _TIME.fullmatch(attributes["time"].strip())
            if match is None:
                time = _quoted(attributes["time"])
                raise self._error(f"time={time} is no time like '500ms' or '1.5s'", "break")
            seconds = to_seconds(match)
        if not seconds:
            # no silence: what is around it is spoken together
            return
        try:
            self._builder.pause(seconds)
        except TextError as error:
            raise self._error(str(error), "break") from error

    def _rate(self, value: str) -> float:
        word = value.strip()
        match = _RATE.fullmatch(word)
        rate = _RATES.get(word, math.nan)
        if match:
            sign, digits, percent = match.groups()
            rate = float(digits) / (100 if percent else 1)
            if sign:
                # relative to what is around it
                rate = self._builder.rate * (1 + (rate if sign == "+" else -rate)) if percent else math.nan
        if not _SLOWEST <= rate <= _FASTEST:
            raise self._error(
                f"rate={_quoted(value)} is not from 20% to 500%, or a number from 0.2 to 5, or a change like '+10%', "
                f"or one of {', '.join(_RATES)}",
                "prosody",
            )
        return rate

    def _voice(self, name: str) -> None:
        try:
            self._check_voice(name)
        except VoiceError as error:
            if not self._is_lenient:
                raise self._error(str(error), "voice") from error
            self._ignored[f"the voice {_quoted(name)}"] = None
        else:
            self._builder.voice = name

    def _read_whole(self, element: _Element, content: list[tuple[str, int, int]], end: int) -> None:
        """Add what an element says instead of its content."""
        name, attributes = element.name, element.attributes
        written = "".join(text for text, _, _ in content)
        start, end = (content[0][1], content[-1][2]) if content else (element.start, end)
        if len(written) == end - start:
            start += len(written) - len(written.lstrip())
            end = start + len(written.strip())
        written = " ".join(written.split())
        if name == "sub":
            alias = " ".join(self._needed(attributes, "alias", name).split())
            self._builder.add(alias, start, end, written or alias)
        elif name == "phoneme":
            self._phoneme(attributes, start, end, written)
        else:
            self._say_as(attributes, start, end, written)

    def _phoneme(self, attributes: Mapping[str, str], start: int, end: int, written: str) -> None:
        alphabet, phonemes = attributes.get("alphabet", "ipa"), attributes.get("ph", "").strip()
        try:
            check_phonemes(phonemes)
            problem = "" if is_speakable(phonemes) else f"ph={_quoted(phonemes)} has no sound"
        except TextError as error:
            problem = str(error)
        if alphabet.lower() != "ipa":
            problem = f"alphabet={_quoted(alphabet)} is not done; use 'ipa'"
        if not problem:
            self._builder.add_phonemes(phonemes, start, end, written or phonemes)
            return
        self._refuse(f"<phoneme> ({problem})", problem, "phoneme")
        self._builder.add(written, start, end, written)

    def _say_as(self, attributes: Mapping[str, str], start: int, end: int, written: str) -> None:
        kind, order = attributes.get("interpret-as", ""), attributes.get("format", "")
        if kind not in SAY_AS:
            problem = f"interpret-as={_quoted(kind)} is not done; there are {', '.join(SAY_AS)}"
        elif order and order not in FORMATS.get(kind, ()):
            known = ", ".join(FORMATS.get(kind, ())) or "none"
            problem = f"format={_quoted(order)} is not done for interpret-as='{kind}'; there are: {known}"
        else:
            problem = f"{_quoted(written)} cannot be read as {kind}" + (f" of the format '{order}'" if order else "")
            if words := SAY_AS[kind](written, order):
                for number, word in enumerate(words):
                    self._builder.add(" ", end, end, "") if number else None
                    # the document's characters are counted once
                    add = self._builder.add_phonemes if word.is_phonemes else self._builder.add
                    add(word.text, start, end, "" if number else written)
                return
        self._refuse(f"<say-as> ({problem})", problem, "say-as")
        self._builder.add(written, start, end, written)


def _quoted(value: str) -> str:
    return repr(value if len(value) <= _EXCERPT else f"{value[:_EXCERPT]}...")
