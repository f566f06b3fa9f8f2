"""What the doctor looks at in NetSuite, read-only: token, queries, clocks, tables, features, concurrency.

Put one function per probe here. Do not put a probe here that also needs BigCommerce (`probes_both.py`).
Facts: facts/netsuite.md 1, 2.2 to 2.5, 3.8 and 4; nothing is written, not even a saved search.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from bcns_pipeline.cli.certificates import certificate_beside
from bcns_pipeline.cli.probes import Finding, Level, Patient, Probe
from bcns_pipeline.cli.probes_netsuite_stock import ROLE
from bcns_pipeline.outcomes import Rejected, Unauthorised

CLOCK_SECONDS: Final = 120
EXPIRES_SOON_DAYS: Final = 30
NETSUITE_TIME: Final = "%Y-%m-%d %H:%M:%S"
_SUITETAX: Final = frozenset({"taxDetails", "taxDetailsOverride", "taxPointDate", "taxRegOverride"})
_LEGACY_TAX: Final = frozenset({"taxItem", "taxRate", "isTaxable", "taxTotal"})


def credentials(patient: Patient) -> Iterator[Finding]:
    """A token now, and a call with it. A wrong key and an overloaded account say nearly the same."""
    what, account = "NetSuite credentials", patient.settings.netsuite_account_id
    try:
        patient.books.sign_in()
    except Unauthorised as refused:
        yield _refused(what, account, refused)
        return
    there = _server_time(patient)
    if there is None:
        yield Finding(
            what, f"accepted for account {account}", "It does not tell the time, which no flow needs."
        )
        return
    apart = there.timestamp() - time.time()
    if abs(apart) > CLOCK_SECONDS:
        yield Finding(
            what,
            f"accepted for account {account}; its clock is {apart:+,.0f} s from ours",
            "Signed requests live five minutes: with clocks further apart no token is given.",
            "Set this machine's clock by NTP.",
            Level.WARNING,
        )
    else:
        yield Finding(what, f"accepted for account {account}", "The clocks agree.")


def _server_time(patient: Patient) -> datetime | None:
    """NetSuite's time in UTC; None where the role may not ask for it."""
    try:
        return patient.books.server_time()
    except Unauthorised:
        raise
    except Rejected:
        return None


def _refused(what: str, account: str | None, refused: Unauthorised) -> Finding:
    found = f"refused: {refused.status} {refused.code}: {refused.detail}"
    if refused.code == "BAD_KEY":
        return Finding(
            what, found, "Nothing can be signed with this key.", "Make one with `bcns keygen`.", Level.BLOCKED
        )
    if refused.code.startswith("INVALID_LOGIN"):
        return Finding(
            what,
            found,
            "Either NetSuite is overloaded (it then says this to good keys, too), or role or user are "
            "switched off.",
            "Try again in some minutes; if it stays, look into Setup > Users/Roles > View Login Audit Trail.",
            Level.BLOCKED,
        )
    return Finding(
        what,
        found,
        f"Account {account} does not know this key, certificate id and client id together.",
        "Setup > Integration > OAuth 2.0 Client Credentials (M2M) Setup: see that the certificate is "
        "there, not expired "
        "or revoked, and belongs to the key (`openssl x509 -pubkey`); copy its id to "
        "BCNS_NETSUITE_CERTIFICATE_ID and "
        "the integration's client id to BCNS_NETSUITE_CLIENT_ID. A sandbox refresh clears that list.",
        Level.BLOCKED,
    )


def suiteql(patient: Patient) -> Iterator[Finding]:
    """The query service, and how its clock stands to UTC: watermarks are kept in that frame."""
    what = "NetSuite SuiteQL"
    try:
        text = patient.books.clock()
    except Rejected as refused:
        yield Finding(
            what,
            f"refused: {refused.status} {refused.code}: {refused.detail}",
            "Nothing can be read from NetSuite.",
            f"{ROLE}: add SuiteAnalytics Workbook and REST Web Services.",
            Level.BLOCKED,
        )
        return
    try:
        here = datetime.strptime(text, NETSUITE_TIME).replace(tzinfo=UTC)
    except ValueError:
        yield Finding(
            what,
            f"SYSDATE reads {text!r}",
            "Watermarks can't be kept in this form.",
            "Report it with the account's date format.",
            Level.BLOCKED,
        )
        return
    yield Finding(what, "answers", "The role may query.")
    there = _server_time(patient)
    if there is None:
        yield Finding(
            "NetSuite clock", f"SYSDATE is {text}", "Watermarks are kept in that frame, with an overlap."
        )
        return
    seconds = (here - there).total_seconds()
    quarters = round(seconds / 900)
    off = seconds - quarters * 900
    sign, minutes = "-" if quarters < 0 else "+", abs(quarters) * 15
    zone = f"UTC{sign}{minutes // 60:02d}:{minutes % 60:02d}"
    if abs(off) > CLOCK_SECONDS:
        yield Finding(
            "NetSuite clock",
            f"SYSDATE is {zone} and {off:+,.0f} s",
            "NetSuite's two clocks disagree.",
            "Raise inventory.overlap_minutes by as much.",
            Level.WARNING,
        )
    else:
        yield Finding(
            "NetSuite clock", f"SYSDATE is {zone}", "Watermarks are kept in that frame, with an overlap."
        )


def one_world(patient: Patient) -> Iterator[Finding]:
    """Whether the account has subsidiaries, and whether the mapping file says the same."""
    said = patient.books.has("location", ("id", "subsidiary"))
    mapped = patient.mapping.netsuite.oneworld
    if said is not None and "subsidiary" not in said.lower():
        yield Finding("OneWorld", said, "Not known.", level=Level.UNKNOWN)
        return
    found = said is None
    text = "the account has subsidiaries" if found else "the account has no subsidiaries"
    if mapped != "auto" and mapped is not found:
        yield Finding(
            "OneWorld",
            text,
            f"The mapping file says netsuite.oneworld: {str(mapped).lower()}.",
            "Correct it, or remove the key: auto finds out.",
            Level.BLOCKED,
        )
    else:
        yield Finding("OneWorld", text)


def tax_engine(patient: Patient) -> Iterator[Finding]:
    """SuiteTax or the old engine, by the fields of a sales order; orders will need to know."""
    what = "Tax engine"
    try:
        found = property_names(patient.books.metadata(["salesOrder"]))
    except Rejected as refused:
        yield Finding(
            what,
            f"not visible to this role ({refused.status} {refused.detail})",
            "Stock does not need it.",
            level=Level.NOTE,
        )
        return
    if found & _SUITETAX:
        yield Finding(what, "SuiteTax", "Orders can carry the shop's tax to the cent.")
    elif found & _LEGACY_TAX:
        yield Finding(
            what,
            "legacy tax",
            "REST shows its fields, but NetSuite may compute tax anew on each order.",
            level=Level.NOTE,
        )
    else:
        yield Finding(
            what,
            "no tax field on a sales order",
            "The account's legacy engine is not reachable by REST.",
            level=Level.NOTE,
        )


def property_names(value: Any) -> frozenset[str]:
    """Every property name in an OpenAPI document."""
    names: set[str] = set()
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            properties = one.get("properties")
            if isinstance(properties, dict):
                names.update(properties)
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
    return frozenset(names)


def concurrency(patient: Patient) -> Iterator[Finding]:
    """Our share against the account's limit, which only administrators may see."""
    what, ours = "NetSuite concurrency", patient.settings.netsuite_concurrency
    try:
        found = patient.books.governance()
        limit = int(found["accountConcurrencyLimit"])
    except Rejected:
        yield Finding(
            what,
            f"our share is {ours}; the account's limit is not visible to this role",
            "Only administrators see it; 5 is the smallest there is.",
            "See Setup > Integration > Integration Governance." if ours > 5 else "",
            Level.NOTE if ours > 5 else Level.OK,
        )
        return
    except (KeyError, ValueError, TypeError):
        yield Finding(what, f"our share is {ours}; the account's limit is not told", level=Level.NOTE)
        return
    if ours > limit:
        yield Finding(
            what,
            f"our share is {ours}, the account allows {limit}",
            "Every run meets refusals and waits.",
            f"Set BCNS_NETSUITE_CONCURRENCY to {max(1, limit - 1)} or less.",
            Level.WARNING,
        )
    elif ours == limit:
        yield Finding(
            what,
            f"our share is all of the account's {limit}",
            "Other integrations are refused while we run.",
            f"Set BCNS_NETSUITE_CONCURRENCY to {max(1, limit - 1)} where there are others.",
            Level.NOTE,
        )
    else:
        yield Finding(what, f"our share is {ours} of {limit}")


def certificate(patient: Patient) -> Iterator[Finding]:
    """When the certificate beside the key ends, and that it belongs to the key."""
    what, key_path = "Certificate", patient.settings.netsuite_private_key_path
    path = certificate_beside(key_path) if key_path is not None else None
    if path is None:
        yield Finding(
            what,
            "its expiry is not known here: there is no certificate file beside the key",
            "It was accepted just now; NetSuite mails 60, 30 and 14 days before its end.",
            "See Setup > Integration > OAuth 2.0 Client Credentials (M2M) Setup, column Valid Until; or "
            "keep the .crt file "
            "beside the key.",
            Level.NOTE,
        )
        return
    try:
        found = x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        yield Finding(
            what,
            f"{path} can't be read as a certificate",
            "Its expiry is not known.",
            "Put the PEM file there that was uploaded.",
            Level.NOTE,
        )
        return
    end = found.not_valid_after_utc
    days = (end - datetime.now(UTC)).days
    text = f"{path.name} expires on {end:%Y-%m-%d}"
    if not _belongs(found, patient):
        yield Finding(
            what,
            f"{path} is not the key's certificate",
            "It says nothing of what NetSuite has.",
            "Put the certificate there that was uploaded.",
            Level.WARNING,
        )
    elif days < 0:
        yield Finding(
            what, f"{text}: {-days} days ago", "NetSuite gives no token for it.", _RENEW, Level.BLOCKED
        )
    elif days <= EXPIRES_SOON_DAYS:
        yield Finding(
            what, f"{text}: in {days} days", "Then nothing reaches NetSuite any more.", _RENEW, Level.WARNING
        )
    else:
        yield Finding(what, f"{text}, in {days} days")


_RENEW: Final = "`bcns keygen --out NEW_FOLDER`, upload it, and set the new key path and certificate id."


def _belongs(found: x509.Certificate, patient: Patient) -> bool:
    account = patient.settings.require("netsuite")
    key = load_pem_private_key(account.private_key.get_secret_value().encode(), password=None)
    form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    return found.public_key().public_bytes(*form) == key.public_key().public_bytes(*form)


ENTRY: Final = (
    Probe("NetSuite credentials", credentials, needed=True),
    Probe("NetSuite SuiteQL", suiteql, needed=True),
)
PROBES: Final = (
    Probe("OneWorld", one_world),
    Probe("Tax engine", tax_engine),
    Probe("NetSuite concurrency", concurrency),
    Probe("Certificate", certificate),
)
