"""Which kind of settlement file this is, by what is in it, and its reader.

Put here how a file is recognised: by its header, never by its name, because people rename files. Every reader is a
pure function of text and profile.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from typing import Final

from bcns_pipeline.clients.files.models import BadFile, Document
from bcns_pipeline.clients.files.table import Fields
from bcns_pipeline.clients.files.text import text_of
from bcns_pipeline.clients.payments import adyen, amazon, braintree, generic, paypal, stripe_report
from bcns_pipeline.clients.payments.adyen import read_adyen
from bcns_pipeline.clients.payments.amazon import read_amazon
from bcns_pipeline.clients.payments.braintree import read_braintree
from bcns_pipeline.clients.payments.generic import read_generic
from bcns_pipeline.clients.payments.models import Settlement, SourceBalance
from bcns_pipeline.clients.payments.paypal_payouts import read_paypal, read_paypal_balances
from bcns_pipeline.clients.payments.profile import FileProfile
from bcns_pipeline.clients.payments.stripe_report import read_stripe_report

Reader = Callable[[str, FileProfile], list[Settlement]]
READERS: Final[dict[str, Reader]] = {
    "stripe itemised report": read_stripe_report,
    "paypal settlement report": read_paypal,
    "adyen settlement details": read_adyen,
    "braintree fee report": read_braintree,
    "amazon settlement": read_amazon,
    "payout csv": read_generic,
}
_SIGNATURES: Final = {
    "stripe itemised report": (",", stripe_report.SIGNATURE),
    "adyen settlement details": (",", adyen.SIGNATURE),
    "amazon settlement": ("\t", amazon.SIGNATURE),
    "payout csv": (",", generic.SIGNATURE),
}
# Of a header that lost a column, this much tells what it was.
_ENOUGH: Final = 0.6


def kind_of(text: str) -> str:
    """A key of READERS. BadFile UNKNOWN_KIND, or QUOTING where every row is quoted as a whole."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    names = _split(first, ",")
    if names[0] in paypal.FIRST_CODES:
        return "paypal settlement report"
    if len(names) == 1 and names[0] != first.strip() and any(mark in names[0] for mark in ",;\t"):
        raise BadFile("QUOTING", "every row is quoted as a whole; take the file as it was exported", row=1)
    if set(braintree.SIGNATURE) <= set(braintree.plain_names(Fields(1, names, "")).fields):
        return "braintree fee report"
    best, share = "", 0.0
    for kind, (delimiter, signature) in _SIGNATURES.items():
        found = set(_split(first, delimiter)) | (set(_split(first, ";")) if kind == "payout csv" else set())
        part = sum(name in found for name in signature) / len(signature)
        if part > share:
            best, share = kind, part
    if share < _ENOUGH:
        raise BadFile(
            "UNKNOWN_KIND",
            f"its first row is that of no settlement file we know ({', '.join(READERS)}); docs/payout-csv.md "
            "describes one that any program can write",
            row=1,
        )
    return best


def read_file(document: Document, profile: FileProfile) -> list[Settlement]:
    """Every payout of a dropped file. BadFile names the file; either all of it is read, or none."""
    try:
        text = text_of(document.content)
        return READERS[kind_of(text)](text, profile)
    except BadFile as bad:
        raise bad.of(document.name) from None


def read_balances(document: Document, profile: FileProfile) -> list[SourceBalance]:
    """What a dropped file says of the provider's balance; none for kinds that do not."""
    try:
        text = text_of(document.content)
        return read_paypal_balances(text, profile) if kind_of(text) == "paypal settlement report" else []
    except BadFile as bad:
        raise bad.of(document.name) from None


def _split(line: str, delimiter: str) -> list[str]:
    try:
        return [name.strip() for name in next(csv.reader([line], delimiter=delimiter))]
    except (csv.Error, StopIteration):
        return [line.strip()]
