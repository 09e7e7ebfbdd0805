"""Phonemes -> the symbols of the models' vocabulary -> token ids. Pure functions."""

from __future__ import annotations

import math
import re
import unicodedata

from kittentts.errors import TextError

# The models' embedding rows, by position; where a symbol is listed twice the later row is the trained one.
_SYMBOLS = (
    '$;:,.!?¡¿—…"«»"" '
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    "ɑɐɒæɓʙβɔɕçɗɖðʤəɘɚɛɜɝɞɟʄɡɠɢʛɦɧħɥʜɨɪʝɭɬɫɮʟɱɯɰŋɳɲɴøɵɸθœɶʘɹɺɾɻʀʁɽʂʃʈʧʉʊʋⱱʌɣɤʍχʎʏʑʐʒʔʡʕʢǀǁǂǃˈˌːˑʼʴʰʱʲʷˠˤ˞↓↑→↗↘"
    "'̩'ᵻ"
)
VOCABULARY: dict[str, int] = {symbol: row for row, symbol in enumerate(_SYMBOLS)}

# The text encoder has 512 positions: a zero at each end, the symbols, and the end mark 10 ("…") that the models expect.
MAX_TOKENS = 512
_END_MARK = VOCABULARY["…"]
_MAX_SYMBOLS = MAX_TOKENS - 3


class TextCleaner:
    """Maps a string of phonemes to the models' token ids; a character outside the vocabulary is dropped.

    Args:
        dummy: is not used; the replaced library has it.

    Attributes:
        word_index_dictionary: symbol -> token id, a `dict` of this object's own.
    """

    def __init__(self, dummy: object = None) -> None:  # noqa: ARG002
        self.word_index_dictionary = dict(VOCABULARY)

    def __call__(self, text: str) -> list[int]:
        """Return one id (0-177) for each character of `text` that is in the vocabulary."""
        return [self.word_index_dictionary[symbol] for symbol in text if symbol in self.word_index_dictionary]


def basic_english_tokenize(text: str) -> list[str]:
    """Split into runs of word characters and single other characters; white space goes."""
    return re.findall(r"\w+|[^\w\s]", text)


def to_symbols(phonemes: str) -> str:
    """Return the vocabulary's symbols of `phonemes`, groups separated by single spaces: one symbol a token."""
    return "".join(symbol for symbol in " ".join(basic_english_tokenize(phonemes)) if symbol in VOCABULARY)


def to_token_ids(symbols: str, cleaner: TextCleaner) -> list[int]:
    """Return the input of the model: `[0, ids..., 10, 0]`."""
    return [0, *cleaner(symbols), _END_MARK, 0]


def is_speakable(symbols: str) -> bool:
    """Whether there is a sound in it, not punctuation and stress marks alone."""
    return any(unicodedata.category(symbol) in {"Ll", "Lu", "Lo"} for symbol in symbols)


def split_symbols(symbols: str, limit: int = _MAX_SYMBOLS) -> list[str]:
    """Cut symbols that exceed the model's positions into pieces of at most `limit`.

    Cuts after clause punctuation, else at a space, else anywhere, as near as possible to equal lengths. Joined, the
    pieces are `symbols` again.
    """
    pieces = []
    while len(symbols) > limit:
        target = len(symbols) // math.ceil(len(symbols) / limit)
        window = range(limit // 4, limit + 1)
        after_clause = [i for i in window if symbols[i - 1] in ";:,.!?—"]
        after_space = [i for i in window if symbols[i - 1] == " "]
        cut = min(after_clause or after_space or [target], key=lambda i: abs(i - target))
        pieces.append(symbols[:cut])
        symbols = symbols[cut:]
    return [*pieces, symbols]


def check_phonemes(phonemes: str) -> None:
    """Raise `TextError` where phonemes that a user wrote have a letter or digit that no model knows."""
    unknown = sorted({symbol for symbol in phonemes if symbol not in VOCABULARY and symbol.isalnum()})
    if unknown:
        raise TextError(
            f"these characters are no phonemes that the models know: {' '.join(map(repr, unknown))}; "
            "write IPA as espeak-ng does, for example 'həlˈoʊ wˈɜːld'"
        )
