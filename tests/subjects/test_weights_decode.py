"""Every code of every small float, against its definition."""

import math
import struct

import numpy as np
import pytest

from assay.subjects.weights.decode import PLAIN, decode


def from_definition(code: int, exponent_bits: int, mantissa_bits: int, *, infinities: bool = True) -> float:
    bias = 2 ** (exponent_bits - 1) - 1
    sign = -1.0 if code >> (exponent_bits + mantissa_bits) & 1 else 1.0
    exponent = code >> mantissa_bits & (2**exponent_bits - 1)
    mantissa = code & (2**mantissa_bits - 1)
    top = exponent == 2**exponent_bits - 1
    if infinities and top:
        return math.nan if mantissa else sign * math.inf
    if not infinities and top and mantissa == 2**mantissa_bits - 1:
        return math.nan
    if exponent == 0:
        return sign * math.ldexp(mantissa, 1 - bias - mantissa_bits)
    return sign * math.ldexp(2**mantissa_bits + mantissa, exponent - bias - mantissa_bits)


@pytest.mark.parametrize(
    ("dtype", "exponent", "mantissa", "infinities"),
    [("F8_E5M2", 5, 2, True), ("F8_E4M3", 4, 3, False), ("F16", 5, 10, True), ("BF16", 8, 7, True)],
)
def test_every_code_decodes_as_its_definition_says(
    dtype: str, exponent: int, mantissa: int, infinities: bool
) -> None:
    bits = 1 + exponent + mantissa
    codes = np.arange(2**bits, dtype=np.uint8 if bits == 8 else np.uint16)
    expected = [from_definition(int(c), exponent, mantissa, infinities=infinities) for c in codes]
    # One block with the non-finite codes and one without: they take different paths.
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(decode(codes.tobytes(), dtype), expected)
    np.testing.assert_array_equal(decode(codes[finite].tobytes(), dtype), np.array(expected)[finite])


def test_known_values_of_8_bit_floats() -> None:
    # OCP 8-bit floating point specification, table 1: largest and smallest numbers.
    assert decode(bytes([0x7E, 0x01, 0x08]), "F8_E4M3").tolist() == [448.0, 2**-9, 2**-6]
    assert decode(bytes([0x7B, 0x01, 0x04]), "F8_E5M2").tolist() == [57344.0, 2**-16, 2**-14]


@pytest.mark.parametrize("dtype", sorted(PLAIN))
def test_plain_formats_decode_as_struct_does(dtype: str) -> None:
    code = {"F64": "d", "F32": "f", "I64": "q", "U64": "Q", "I32": "i", "U32": "I"} | {
        "I16": "h", "U16": "H", "I8": "b", "U8": "B", "BOOL": "B"
    }  # fmt: skip
    numbers = [0, 1, 1, 100] if dtype == "BOOL" else [0, 1, 27, 100]
    raw = struct.pack(f"<4{code[dtype]}", *numbers)
    assert decode(raw, dtype).tolist() == numbers
