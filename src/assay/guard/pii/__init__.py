"""Personal data in a text: patterns, check digits and the words around them; and its redaction.

`accounts` cards, IBAN, wallets · `contact` e-mail, phone, IP, URL, domain · `national` numbers by which
states know people, passports · `checksums` · `find` the search · `redaction` what is put in its place.
"""

from assay.guard.pii.find import Pii, find_pii
from assay.guard.pii.redaction import Redactor
from assay.guard.pii.words import TITLES

__all__ = ["TITLES", "Pii", "Redactor", "find_pii"]
