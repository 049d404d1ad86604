"""A distribution's licence as SPDX, as far as its metadata allows."""

from __future__ import annotations

from dataclasses import dataclass

from cyclonedx.spdx import fixup_id, is_expression

from assay.subjects.environment import Distribution

MAX_NAME = 200
# Trove classifiers that name exactly one SPDX licence. "BSD License" and its like do not.
_CLASSIFIERS = {
    "Apache Software License": "Apache-2.0",
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "ISC License (ISCL)": "ISC",
    "Mozilla Public License 1.1 (MPL 1.1)": "MPL-1.1",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
    "GNU General Public License v2 or later (GPLv2+)": "GPL-2.0-or-later",
    "GNU General Public License v3 (GPLv3)": "GPL-3.0-only",
    "GNU General Public License v3 or later (GPLv3+)": "GPL-3.0-or-later",
    "GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.0-or-later",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
    "GNU Affero General Public License v3": "AGPL-3.0-only",
    "GNU Affero General Public License v3 or later (AGPLv3+)": "AGPL-3.0-or-later",
    "The Unlicense (Unlicense)": "Unlicense",
    "zlib/libpng License": "Zlib",
    "Boost Software License 1.0 (BSL-1.0)": "BSL-1.0",
    "Universal Permissive License (UPL)": "UPL-1.0",
}
# What authors write in the free License field when they mean exactly one.
_SPELLINGS = {
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache license version 2.0": "Apache-2.0",
    "apache software license 2.0": "Apache-2.0",
    "apache 2": "Apache-2.0",
    "mit license": "MIT",
    "the mit license": "MIT",
    "bsd 3-clause": "BSD-3-Clause",
    "bsd 3-clause license": "BSD-3-Clause",
    "3-clause bsd license": "BSD-3-Clause",
    "new bsd license": "BSD-3-Clause",
    "bsd 2-clause": "BSD-2-Clause",
    "psf": "PSF-2.0",
    "mpl 2.0": "MPL-2.0",
}


@dataclass(frozen=True, slots=True)
class Licence:
    """A licence: an SPDX id, an SPDX expression, or a name that is neither. All empty: none is stated."""

    spdx: str = ""
    expression: str = ""
    name: str = ""

    @property
    def stated(self) -> bool:
        """Whether there is one."""
        return bool(self.spdx or self.expression or self.name)


def licence_of(distribution: Distribution) -> Licence:
    """From License-Expression (PEP 639), then the License field, then the classifiers."""
    metadata = distribution.metadata
    written = str(metadata.get("License-Expression") or "").strip()
    free = str(metadata.get("License") or "").strip()
    for text in (written, free):
        known = _spdx(text)
        if known:
            return known
    names = [
        str(line).rpartition("::")[2].strip()
        for line in metadata.get_all("Classifier", [])
        if str(line).startswith("License ::")
    ]
    ids = sorted({_CLASSIFIERS[name] for name in names if name in _CLASSIFIERS})
    if len(ids) == 1 and len(set(names)) == 1:
        return Licence(spdx=ids[0])
    # A whole licence text in the field: its first line is its name.
    first = next((line.strip() for line in (written or free).splitlines() if line.strip()), "")
    if not first or first.upper() == "UNKNOWN":
        first = ", ".join(sorted(set(names) - {"OSI Approved"}))
    return Licence(name=first[:MAX_NAME])


def _spdx(text: str) -> Licence | None:
    if not text or len(text) > MAX_NAME or "\n" in text:
        return None
    known = fixup_id(text) or _SPELLINGS.get(text.lower())
    if known:
        return Licence(spdx=known)
    return Licence(expression=text) if is_expression(text) else None
