"""What ggml calls its tensor types, and how many bytes a block of each takes.

Source: `enum ggml_type` and the block structs of ggml (`ggml.h`, `ggml-common.h`), up to type 42.
"""

from __future__ import annotations

from typing import NamedTuple


class BlockType(NamedTuple):
    """A tensor type: its name, the elements of one block, and the bytes of one block."""

    name: str
    elements: int
    size: int


# 31 to 33 and 36 to 38 were re-orderings of Q4_0 and IQ4_NL, no longer loaded but still found in files.
TYPES = {
    0: BlockType("F32", 1, 4), 1: BlockType("F16", 1, 2),
    2: BlockType("Q4_0", 32, 18), 3: BlockType("Q4_1", 32, 20),
    6: BlockType("Q5_0", 32, 22), 7: BlockType("Q5_1", 32, 24),
    8: BlockType("Q8_0", 32, 34), 9: BlockType("Q8_1", 32, 36),
    10: BlockType("Q2_K", 256, 84), 11: BlockType("Q3_K", 256, 110), 12: BlockType("Q4_K", 256, 144),
    13: BlockType("Q5_K", 256, 176), 14: BlockType("Q6_K", 256, 210), 15: BlockType("Q8_K", 256, 292),
    16: BlockType("IQ2_XXS", 256, 66), 17: BlockType("IQ2_XS", 256, 74), 18: BlockType("IQ3_XXS", 256, 98),
    19: BlockType("IQ1_S", 256, 50), 20: BlockType("IQ4_NL", 32, 18), 21: BlockType("IQ3_S", 256, 110),
    22: BlockType("IQ2_S", 256, 82), 23: BlockType("IQ4_XS", 256, 136),
    24: BlockType("I8", 1, 1), 25: BlockType("I16", 1, 2), 26: BlockType("I32", 1, 4),
    27: BlockType("I64", 1, 8), 28: BlockType("F64", 1, 8),
    29: BlockType("IQ1_M", 256, 56), 30: BlockType("BF16", 1, 2),
    31: BlockType("Q4_0_4_4", 32, 18), 32: BlockType("Q4_0_4_8", 32, 18), 33: BlockType("Q4_0_8_8", 32, 18),
    34: BlockType("TQ1_0", 256, 54), 35: BlockType("TQ2_0", 256, 66),
    36: BlockType("IQ4_NL_4_4", 32, 18), 37: BlockType("IQ4_NL_4_8", 32, 18),
    38: BlockType("IQ4_NL_8_8", 32, 18), 39: BlockType("MXFP4", 32, 17), 40: BlockType("NVFP4", 64, 36),
    41: BlockType("Q1_0", 128, 18), 42: BlockType("Q2_0", 64, 18),
}  # fmt: skip
# Forks number types of their own up to about here; a number beyond it is no type but an index out of bounds.
MAX_TYPE = 1 << 10
