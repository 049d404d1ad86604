"""Suffixes like those of a gradient search (GCG, Zou et al. 2023): pieces of words, code and signs."""

from __future__ import annotations

import random

_PIECES = (
    "Sure representing similarly oppositeley revert tutorial describing manner sentence Instead interface "
    "sure prefix format Write text steps JSON begin inner three exact Here There respond ingen ighter "
    "Bedeut lique tegr plement ername Sense legt bere guez tikz mathbb frac usepackage begin end alpha "
    "println printf struct void null undefined async foreach isset const lambda self div href www http html "
    "Sher uvre teil voir nicht avec donde pero wiki ISBN Ober Ger Fran Ital Span Swed Rus Portug typen conj "
    "plural ablen OK step First Two five zero char upper lower repeat again please Now Repeat Summar Gener "
    "quote unquote parse encode slash dot colon comma caps pt cm px em pls thx yo inve ont ski rup dic mus "
    "Kir Tam Bob Jen Phil Monsieur Herr Senior Prince commission amount valid lines list item key value"
).split()
_SIGNS = (
    "! !! ??? ]( ){ }] [[ ]] :// -- ---- == <= => ;) (: '' \\\" \\ $] }{ *** ### @ # % & ~ ^ _ __ .] .( "
    "\\n { } "
    "|> <! /> ### ++ -> :: ?: ``` ; ... ,, ({ }) ]] ** =\" +' ';"
).split()
_MIN, _MAX = 8, 28


def gibberish(rng: random.Random) -> str:
    """A suffix of 8 to 28 pieces, glued without rule."""
    pieces: list[str] = []
    for _ in range(rng.randint(_MIN, _MAX)):
        piece = rng.choice(_PIECES) if rng.random() < 0.62 else rng.choice(_SIGNS)
        if rng.random() < 0.15:
            piece = piece[rng.randint(0, 2) :] + rng.choice(_PIECES)[:3].lower()
        pieces.append(piece)
    return "".join(piece + rng.choice(("", " ", " ")) for piece in pieces).strip()
