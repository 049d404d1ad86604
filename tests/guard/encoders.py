"""Ways to encode a text, for tests: the other side of `assay.guard.decoding`."""

from __future__ import annotations

import base64
import codecs
import quopri
import textwrap
from collections.abc import Callable
from urllib.parse import quote

_SIGNS = """
.- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --..
"""
_MORSE = dict(zip("abcdefghijklmnopqrstuvwxyz", _SIGNS.split(), strict=True))


def _words(letters: Callable[[str], str], gap: str = " ") -> Callable[[str], str]:
    return lambda text: gap.join(letters(word) for word in text.split())


def _parts(text: str) -> list[str]:
    return textwrap.wrap(text, 7, drop_whitespace=False)


def _numbered(text: str) -> str:
    lines = [f"{at}: {part}" for at, part in enumerate(_parts(text), 1)]
    return "\n".join([*lines[1::2], *lines[::2]])


def _variables(text: str) -> str:
    return "\n".join(f"part_{at} = {part!r}" for at, part in enumerate(_parts(text)))


def _slips(text: str) -> str:
    """Letters swapped, left out, doubled, and one for another, by turns."""
    words = []
    for at, word in enumerate(text.split()):
        slip = (word[:2] + word[3] + word[2] + word[4:], word[:2] + word[3:], word[:3] + word[2:],
                word[:2] + "q" + word[3:])[at % 4] if len(word) > 5 else word  # fmt: skip
        words.append(slip)
    return " ".join(words)


def _small_capitals(text: str) -> str:
    return text.lower().translate(
        str.maketrans("aeiorstu", "\u1d00\u1d07\u026a\u1d0f\u0280\ua731\u1d1b\u1d1c")
    )


# Those that keep bytes as they are: any text comes back.
EXACT: dict[str, Callable[[str], str]] = {
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 for URLs, unpadded": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "base64 in lines": lambda text: "\n".join(textwrap.wrap(base64.b64encode(text.encode()).decode(), 40)),
    "base64 in UTF-16": lambda text: base64.b64encode(text.encode("utf-16-le")).decode(),
    "base32": lambda text: base64.b32encode(text.encode()).decode(),
    "base85": lambda text: base64.b85encode(text.encode()).decode(),
    "ascii85": lambda text: base64.a85encode(text.encode(), adobe=True).decode(),
    "hex": lambda text: text.encode().hex(),
    "hex in pairs": lambda text: text.encode().hex(" "),
    "hex as in C": lambda text: ", ".join(f"0x{byte:02x}" for byte in text.encode()),
    "URL": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "URL where needed": quote,
    "HTML": lambda text: "".join(f"&#{ord(letter)};" for letter in text),
    "HTML in hex": lambda text: "".join(f"&#x{ord(letter):x};" for letter in text),
    "quoted-printable": lambda text: quopri.encodestring(text.encode(), quotetabs=True).decode(),
    "Unicode escapes": lambda text: "".join(f"\\u{ord(letter):04x}" for letter in text),
    "hex escapes": lambda text: "".join(f"\\x{byte:02x}" for byte in text.encode()),
    "octal escapes": lambda text: "".join(f"\\{byte:03o}" for byte in text.encode()),
    "binary": lambda text: " ".join(f"{byte:08b}" for byte in text.encode()),
    "decimal codes": lambda text: " ".join(str(byte) for byte in text.encode()),
    "octal codes": lambda text: " ".join(f"{byte:03o}" for byte in text.encode()),
    "calls of chr": lambda text: "+".join(f"chr({byte})" for byte in text.encode()),
    "tag characters": lambda text: "Hi" + "".join(chr(0xE0000 + ord(letter)) for letter in text),
    "variation selectors": lambda text: "Hi" + "".join(
        chr(0xFE00 + byte if byte < 16 else 0xE0100 + byte - 16) for byte in text.encode()
    ),
    "zero-width bits": lambda text: "Hi" + "".join(
        "\u2062" if bit == "1" else "\u2064" for byte in text.encode() for bit in f"{byte:08b}"
    ),
}  # fmt: skip

# Those that words must be told by: only an order in English comes back.
SPELLED: dict[str, Callable[[str], str]] = {
    "ROT13": lambda text: codecs.encode(text, "rot13"),
    "Caesar": lambda text: "".join(chr((ord(c) - 93) % 26 + 97) if c.isalpha() else c for c in text.lower()),
    "Atbash": lambda text: "".join(chr(219 - ord(c)) if c.isalpha() else c for c in text.lower()),
    "reversed": lambda text: text[::-1],
    "reversed words": _words(lambda word: word[::-1]),
    "reversed order": lambda text: " ".join(reversed(text.split())),
    "leet": lambda text: text.translate(str.maketrans("aeios", "43105")),
    "letters apart": lambda text: "  ".join(" ".join(word) for word in text.split()),
    "letters and words apart alike": lambda text: " ".join(text.replace(" ", "")),
    "letters apart by dots": _words(".".join),
    "a letter a line": lambda text: "\n".join(text.replace(" ", "")),
    "words run together": lambda text: text.replace(" ", ""),
    "words joined": lambda text: text.replace(" ", "_"),
    "words cut": _words(lambda word: word[:2] + "-" + word[2:] if len(word) > 5 else word),
    "words hyphenated over lines": _words(lambda word: f"{word[:3]}-\n{word[3:]}" if len(word) > 5 else word),
    "numbered parts out of order": _numbered,
    "cells of a table": lambda text: "\n".join(f"| {at} | {part} |" for at, part in enumerate(_parts(text))),
    "a numbered list of words": lambda text: "\n".join(f"{at}. {w}" for at, w in enumerate(text.split())),
    "variables": _variables,
    "typing errors": _slips,
    "emphasis": _words(lambda word: f"**{word}**"),
    "tags in words": _words(lambda word: f"{word[:2]}<b></b>{word[2:]}"),
    "Morse": _words(lambda word: " ".join(_MORSE[c] for c in word.lower() if c in _MORSE), " / "),
    "pig Latin": _words(lambda word: word + "way" if word[0] in "aeiouI" else word[1:] + word[0] + "ay"),
    "small capitals": _small_capitals,
    "full width": lambda text: "".join(chr(ord(c) + 0xFEE0) if c != " " else c for c in text),
    "mathematical letters": lambda text: "".join(
        chr(0x1D41A + ord(c) - 97) if c.isalpha() else c for c in text.lower()
    ),
    "flags": lambda text: "".join(chr(0x1F1E6 + ord(c) - 97) if c.isalpha() else c for c in text.lower()),
    "Braille": lambda text: text.lower().translate(
        str.maketrans("aeinorstuvlgpmcd", "⠁⠑⠊⠝⠕⠗⠎⠞⠥⠧⠇⠛⠏⠍⠉⠙")
    ),
    "Cyrillic look-alikes": lambda text: text.translate(str.maketrans("oeipcas", "\u043e\u0435\u0456\u0440\u0441\u0430\u0455")),  # noqa: E501
    "accents": lambda text: text.translate(str.maketrans("eiou", "\u00e9\u00ef\u00f6\u00fc")),
    "zalgo": lambda text: "".join(f"{c}\u0300\u0330\u0351" if c.isalpha() else c for c in text),
    "zero-width spaces": "\u200b".join,
    "soft hyphens": _words("\u00ad".join),
}  # fmt: skip
