"""Markdown -> the text that a person would read aloud: nothing of it is lost but its marks."""

from __future__ import annotations

import html
import re

_FRONT_MATTER = re.compile(r"\A---\n.*?\n(?:---|\.\.\.)\n", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_FENCE = re.compile(r"^\s{0,3}(?:`{3,}|~{3,})")
_RULE = re.compile(r"^\s{0,3}(?:(?:\*\s*){3,}|(?:-\s*){3,}|(?:_\s*){3,}|={2,}\s*)$")
_TABLE_RULE = re.compile(r"^\s*\|?(?:\s*:?-+:?\s*\|)+(?:\s*:?-+:?)?\s*$")
_DEFINITION = re.compile(r"^\s{0,3}\[(?!\^)[^\]]+\]:\s+\S+")
_QUOTE = re.compile(r"^(?:\s{0,3}>\s?)+")
_FOOTNOTE = re.compile(r"^\s{0,3}\[\^[^\]]+\]:\s*")
# headings and items stand alone: a sentence each
_HEADING = re.compile(r"^\s{0,3}#{1,6}\s+(.*?)\s*#*$")
_ITEM = re.compile(r"^\s*(?:[-*+]|(\d{1,9}[.)]))\s+(?:\[[ xX]\]\s+)?")
_SETEXT = re.compile(r"^\s{0,3}(?:=+|-+)\s*$")

# what must not be taken for a mark: an escaped one, code, and the private characters that stand for such
_LITERAL = re.compile(
    r"\\(?P<escaped>[!-/:-@\[-`{-~])"
    r"|(?P<ticks>`+)(?!`)(?P<code>.+?)(?<!`)(?P=ticks)(?!`)"
    r"|(?P<private>[\U000F0000-\U000FFFFD])"
)
_SPANS = (
    (re.compile(r"\[\^[^\]]+\]"), ""),  # a footnote's number
    (re.compile(r"!\[([^\]]*)\](?:\([^()]*(?:\([^()]*\)[^()]*)*\)|\[[^\]]*\])"), r"\1"),  # an image
    (re.compile(r"\[([^\[\]]+)\](?:\([^()]*(?:\([^()]*\)[^()]*)*\)|\[[^\]]*\])"), r"\1"),  # a link
    (re.compile(r"<((?:https?|mailto):[^>\s]+)>"), r"\1"),
    (re.compile(r"</?[A-Za-z][^<>]*>"), ""),  # HTML
    (re.compile(r"(\*\*\*|\*\*|\*)(?=\S)(.+?)(?<=\S)\1"), r"\2"),
    (re.compile(r"(?<!\w)(___|__|_)(?=\S)(.+?)(?<=\S)\1(?!\w)"), r"\2"),
    (re.compile(r"~~(?=\S)(.+?)(?<=\S)~~"), r"\1"),
)
_HIDDEN = 0xF0000


def to_plain_text(markdown: str) -> str:
    """Take the marks out of a Markdown text.

    Headings, list items, table rows and paragraphs end as sentences. Of a link the text is kept, of an image its
    description, of code its lines. Front matter, comments, HTML tags, rules and link definitions go.
    """
    text = _COMMENT.sub("", _FRONT_MATTER.sub("", markdown.replace("\r\n", "\n")))
    lines: list[str] = []
    is_code = False
    for line in text.split("\n"):
        if _FENCE.match(line):
            is_code = not is_code
        elif is_code:
            lines.append(line)
        else:
            lines.extend(_lines_of(line, lines))
    return html.unescape("\n".join(lines)).strip() + "\n"


def _lines_of(line: str, before: list[str]) -> list[str]:
    line = _FOOTNOTE.sub("", _QUOTE.sub("", line))
    if before and before[-1].strip() and _SETEXT.match(line):
        before[-1] = _sentence(before[-1])
        return []
    if _RULE.match(line) or _TABLE_RULE.match(line) or _DEFINITION.match(line):
        return []
    heading = _HEADING.match(line)
    if heading:
        return ["", _sentence(_spans(heading[1])), ""]
    item = _ITEM.match(line)
    if item:
        number = f"{item[1]} " if item[1] else ""
        # what came before is complete; so is the item when another line does not go on with it
        if before and before[-1].strip():
            before[-1] = _sentence(before[-1])
        return [number + _spans(line[item.end() :])]
    if line.lstrip().startswith("|"):
        cells = [_spans(cell.strip()) for cell in line.strip().strip("|").split("|")]
        return [_sentence(", ".join(filter(None, cells)))]
    if not line.strip() and before and before[-1].strip():
        before[-1] = _sentence(before[-1])
    return [_spans(line)]


def _sentence(line: str) -> str:
    line = line.rstrip()
    return line if not line or line[-1] in ".!?:;,…" else f"{line}."


def _spans(line: str) -> str:
    hidden: list[str] = []

    def hide(match: re.Match[str]) -> str:
        hidden.append(match["escaped"] or match["private"] or match["code"].strip())
        return chr(_HIDDEN + len(hidden) - 1)

    line = _LITERAL.sub(hide, line)
    for pattern, replacement in _SPANS:
        line = pattern.sub(replacement, line)
    return re.sub(r"[\U000F0000-\U000FFFFD]", lambda match: hidden[ord(match[0]) - _HIDDEN], line)
