"""How well personal data is found, on Presidio's synthetic sentences, for the types that a rule can know.

Run: python benchmarks/guard_pii.py [FILE] [--errors]
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

from assay.guard.pii import find_pii

FILE = Path(__file__).parents[2] / "shared" / "data" / "pii" / "presidio-synth-v2.json"
NAMES = {
    "CREDIT_CARD": "card",
    "IBAN_CODE": "iban",
    "EMAIL_ADDRESS": "email",
    "PHONE_NUMBER": "phone",
    "IP_ADDRESS": "ip",
    "DOMAIN_NAME": "url",
    "US_SSN": "us-ssn",
}
HALF = 0.5


def overlap(first: tuple[int, int], second: tuple[int, int]) -> float:
    shared = min(first[1], second[1]) - max(first[0], second[0])
    return max(0, shared) / max(first[1] - first[0], second[1] - second[0])


def main() -> None:
    arguments = [argument for argument in sys.argv[1:] if argument.endswith(".json")]
    rows = json.loads(Path(arguments[0] if arguments else FILE).read_text())
    hits: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    false: Counter[str] = Counter()
    for row in rows:
        text = row["full_text"]
        wanted = [
            (NAMES[span["entity_type"]], (span["start_position"], span["end_position"]))
            for span in row["spans"]
            if span["entity_type"] in NAMES
        ]
        found = [
            ("url" if one.kind == "domain" else one.kind, (one.start, one.end)) for one in find_pii(text)
        ]
        found = [one for one in found if one[0] in NAMES.values()]
        for kind, span in found:
            if any(kind == other and overlap(span, place) >= HALF for other, place in wanted):
                hits[kind] += 1
            else:
                false[kind] += 1
                if "--errors" in sys.argv:
                    print(f"FALSE {kind} {text[span[0] : span[1]]!r} in {text!r}")
        for kind, place in wanted:
            if not any(kind == other and overlap(span, place) >= HALF for other, span in found):
                missed[kind] += 1
                if "--errors" in sys.argv:
                    print(f"MISSED {kind} {text[place[0] : place[1]]!r} in {text!r}")
    print(f"{'kind':<8} {'found':>6} {'missed':>6} {'false':>6} {'precision':>9} {'recall':>7} {'F1':>6}")
    for kind in (*NAMES.values(), "all"):
        h, m, f = (sum(c.values()) if kind == "all" else c[kind] for c in (hits, missed, false))
        precision, recall = h / max(1, h + f), h / max(1, h + m)
        score = 2 * precision * recall / max(1e-9, precision + recall)
        print(f"{kind:<8} {h:>6} {m:>6} {f:>6} {precision:>9.3f} {recall:>7.3f} {score:>6.3f}")


if __name__ == "__main__":
    main()
