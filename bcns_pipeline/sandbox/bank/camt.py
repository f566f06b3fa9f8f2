"""A statement as CAMT.053 (ISO 20022), in the version that European banks send.

Put elements here. Do not put what is booked here. Amounts are unsigned, with a point, and CdtDbtInd gives the sign;
money that goes back again has RvslInd.
"""

from __future__ import annotations

from datetime import datetime
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from bcns_pipeline.sandbox.bank.models import Entry, Statement
from bcns_pipeline.sandbox.payments.units import major

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001."


def render(one: Statement, made: datetime, version: str = "02") -> bytes:
    """The document; `version` 02 or 08 of the message."""
    root = Element("Document", xmlns=NAMESPACE + version)
    message = SubElement(root, "BkToCstmrStmt")
    stamp = made.strftime("%Y-%m-%dT%H:%M:%S+00:00")
    header = SubElement(message, "GrpHdr")
    _text(header, "MsgId", f"STMT-{one.account.number[-9:]}-{one.number}")
    _text(header, "CreDtTm", stamp)
    statement = SubElement(message, "Stmt")
    _text(statement, "Id", f"{one.account.number[-9:]}-{one.number}")
    _text(statement, "ElctrncSeqNb", str(one.number))
    _text(statement, "CreDtTm", stamp)
    window = SubElement(statement, "FrToDt")
    _text(window, "FrDtTm", f"{one.since.isoformat()}T00:00:00+00:00")
    _text(window, "ToDtTm", f"{one.until.isoformat()}T23:59:59+00:00")
    account = SubElement(statement, "Acct")
    name = SubElement(account, "Id")
    if one.account.iban:
        _text(name, "IBAN", one.account.number)
    else:
        _text(SubElement(name, "Othr"), "Id", one.account.number)
    _text(account, "Ccy", one.account.currency)
    _balance(statement, one, "OPBD", one.opening, one.since.isoformat())
    _balance(statement, one, "CLBD", one.closing, one.until.isoformat())
    for entry in one.entries:
        _entry(statement, entry, version)
    indent(root)
    body: bytes = tostring(root, "utf-8")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + body + b"\n"


def _text(parent: Element, name: str, value: str) -> Element:
    made = SubElement(parent, name)
    made.text = value
    return made


def _amount(parent: Element, value: int, currency: str) -> None:
    _text(parent, "Amt", str(abs(major(value, currency)))).set("Ccy", currency)
    _text(parent, "CdtDbtInd", "DBIT" if value < 0 else "CRDT")


def _balance(statement: Element, one: Statement, code: str, value: int, day: str) -> None:
    balance = SubElement(statement, "Bal")
    _text(SubElement(SubElement(balance, "Tp"), "CdOrPrtry"), "Cd", code)
    _amount(balance, value, one.account.currency)
    _text(SubElement(balance, "Dt"), "Dt", day)


def _entry(statement: Element, one: Entry, version: str) -> None:
    entry = SubElement(statement, "Ntry")
    _text(entry, "NtryRef", str(one.number))
    _amount(entry, one.amount, one.currency)
    if one.returned:
        _text(entry, "RvslInd", "true")
    status = SubElement(entry, "Sts")
    if version == "02":
        status.text = "BOOK"
    else:
        _text(status, "Cd", "BOOK")
    _text(SubElement(entry, "BookgDt"), "Dt", one.booked.isoformat())
    _text(SubElement(entry, "ValDt"), "Dt", one.value.isoformat())
    _text(entry, "AcctSvcrRef", one.id)
    domain = SubElement(SubElement(entry, "BkTxCd"), "Domn")
    _text(domain, "Cd", "PMNT")
    family = SubElement(domain, "Fmly")
    _text(family, "Cd", "ICDT" if one.amount < 0 else "RCDT")
    _text(family, "SubFmlyCd", "RRTN" if one.returned else "ESCT")
    details = SubElement(SubElement(entry, "NtryDtls"), "TxDtls")
    references = SubElement(details, "Refs")
    _text(references, "AcctSvcrRef", one.id)
    _text(references, "EndToEndId", one.reference or "NOTPROVIDED")
    party = SubElement(SubElement(details, "RltdPties"), "Dbtr" if one.amount > 0 else "Cdtr")
    _text(SubElement(party, "Pty") if version != "02" else party, "Nm", one.payer)
    _text(SubElement(details, "RmtInf"), "Ustrd", one.text)
