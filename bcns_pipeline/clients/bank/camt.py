"""CAMT.053, the ISO 20022 bank statement, in any of its versions.

Put the reading of the XML here. Elements are found by local name, because each version has a namespace of its own. A
document type is refused before anything in it is expanded: a statement needs none, and an attack does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date
from typing import Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from bcns_pipeline.clients.bank.lines import adding_up, with_ids
from bcns_pipeline.clients.bank.models import BankLine, Statement
from bcns_pipeline.clients.files.models import BadFile
from bcns_pipeline.clients.files.values import ContentIds, currency_of, date_of, minor_of

_OPENING: Final = ("OPBD", "PRCD")
_CLOSING: Final = ("CLBD",)
_IDS: Final = ("EndToEndId", "InstrId", "TxId", "AcctSvcrRef", "ClrSysRef", "MsgId", "PmtInfId")
# What the XML parser calls bytes that no encoding of its has.
_INVALID: Final = 4
_UTF8: Final = b'encoding="utf-8"'
_NO_ID: Final = frozenset({"NOTPROVIDED", "NONREF"})
# Bank transaction codes of money that comes back: sub-families of returns and reversals, and the German GVC.
_RETURN_CODES: Final = frozenset({"RRTN", "RPCR", "RRCT", "UPCT", "UPDD", "ARET", "AREV", "CRET", "NRTI"})


def read_camt(content: bytes) -> list[Statement]:
    """One statement per Stmt element. BadFile for anything unclear."""
    root = _root(content)
    statements = [element for element in root.iter() if _name(element) == "Stmt"]
    if not statements:
        kind = next((_name(element) for element in root), _name(root))
        raise BadFile("UNKNOWN_KIND", f"the XML is no CAMT.053 statement (it holds {kind})")
    ids = ContentIds()
    return [_statement(element, number, ids) for number, element in enumerate(statements, 1)]


def _root(content: bytes) -> Element:
    try:
        return fromstring(content, forbid_dtd=True)
    except DefusedXmlException as error:
        text = (
            f"the XML declares a document type or entities ({type(error).__name__}), which no statement needs"
        )
        raise BadFile("SHAPE", text, row=1) from None
    except ParseError as error:
        row = error.position[0]
        if (
            error.code == _INVALID
            and not _utf8(content)
            and b"encoding=" not in content[:100].lower().replace(_UTF8, b"")
        ):
            raise BadFile("ENCODING", "it declares to be UTF-8 and is not", row=row) from None
        raise BadFile("TRUNCATED", "the XML is broken or cut off here", row=row) from None
    except (ValueError, LookupError):  # an encoding that is unknown, or that the bytes are not in
        raise BadFile("ENCODING", "the XML is not in the encoding that it declares", row=1) from None


def _utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _statement(element: Element, number: int, ids: ContentIds) -> Statement:
    where = _text(element, "Acct/Id/IBAN") or _text(element, "Acct/Id/Othr/Id")
    if not where:
        raise BadFile("SHAPE", f"statement {number} names no account")
    opening, closing = _balance(element, _OPENING, number), _balance(element, _CLOSING, number)
    currency = _text(element, "Acct/Ccy") or (opening or closing or ("", 0, None))[0]
    lines: list[BankLine] = []
    for place, entry in enumerate(_children(element, "Ntry"), 1):
        line = _line(entry, where, f"statement {number}, entry {place}")
        if line is None:
            continue
        currency = currency or line.currency
        if line.currency != currency:
            text = f"statement {number}, entry {place} is in {line.currency}, the account in {currency}"
            raise BadFile("CURRENCY", text)
        lines.append(line)
    return adding_up(
        Statement(
            account=where,
            currency=currency_of(currency or "?", 0),
            reference=_text(element, "Id"),
            lines=with_ids(lines, ids),
            opening=opening[1] if opening else None,
            closing=closing[1] if closing else None,
            opened_on=opening[2] if opening else None,
            closed_on=closing[2] if closing else None,
        ),
        0,
    )


def _balance(element: Element, codes: tuple[str, ...], number: int) -> tuple[str, int, date | None] | None:
    found = {_text(one, "Tp/CdOrPrtry/Cd"): one for one in reversed(list(_children(element, "Bal")))}
    for code in codes:
        if code in found:
            currency, amount = _money(found[code], f"statement {number}, balance {code}")
            return currency, amount, _date(found[code], "Dt", f"statement {number}, balance {code}")
    return None


def _line(entry: Element, account: str, where: str) -> BankLine | None:
    """A booked entry; None for one that is pending or for information only."""
    status = _text(entry, "Sts/Cd") or _text(entry, "Sts")
    if status and status != "BOOK":
        return None
    currency, amount = _money(entry, where)
    # Some banks leave the booking date out, which the schema lets them.
    booked = _date(entry, "BookgDt", where) or _date(entry, "ValDt", where)
    if booked is None:
        raise BadFile("DATE", f"{where} has no booking date")
    codes = [
        one.text.strip() for path in ("BkTxCd",) for one in _all(entry, path) if one.text and one.text.strip()
    ]
    details = [one for group in _children(entry, "NtryDtls") for one in _children(group, "TxDtls")]
    returned = _text(entry, "RvslInd") in {"true", "1"} or bool(_RETURN_CODES & set(codes))
    returned = returned or any(_find(one, "RtrInf") is not None for one in details)
    references = [_text(entry, "AcctSvcrRef"), _text(entry, "NtryRef")]
    texts = [_text(entry, "AddtlNtryInf")]
    for one in details:
        known = _find(one, "Refs")
        references += [_text(known, name) for name in _IDS] if known is not None else []
        for remittance in _children(one, "RmtInf"):
            texts += [(part.text or "").strip() for part in _children(remittance, "Ustrd")]
            references += [
                (part.text or "").strip() for part in _all(remittance, "CdtrRefInf") if _name(part) == "Ref"
            ]
        texts.append(_text(one, "AddtlTxInf"))
        texts += [
            _text(one, f"RltdPties/{who}/Nm") or _text(one, f"RltdPties/{who}/Pty/Nm")
            for who in ("Dbtr", "Cdtr")
        ]
    return BankLine(
        id=_text(entry, "AcctSvcrRef"),
        account=account,
        currency=currency,
        amount=amount,
        booked_on=booked,
        value_date=_date(entry, "ValDt", where),
        descriptor=" ".join(dict.fromkeys(filter(None, texts))),
        references=tuple(dict.fromkeys(one for one in references if one and one not in _NO_ID)),
        returned=returned,
        row_sha256=hashlib.sha256("\x1f".join(_said(entry)).encode()).hexdigest(),
        bank_code="-".join(codes),
    )


def _money(element: Element, where: str) -> tuple[str, int]:
    amount = _find(element, "Amt")
    if amount is None or not (amount.text or "").strip():
        raise BadFile("AMOUNT", f"{where} has no amount")
    sign = {"CRDT": 1, "DBIT": -1}.get(_text(element, "CdtDbtInd"))
    if sign is None:
        raise BadFile("AMOUNT", f"{where} is neither credit (CRDT) nor debit (DBIT)")
    try:
        currency = currency_of(amount.get("Ccy", ""), 0)
        return currency, sign * minor_of(amount.text or "", currency, 0, "amount")
    except BadFile as bad:
        raise BadFile(bad.code, f"{where}: {bad.reason}") from None


def _date(element: Element, name: str, where: str) -> date | None:
    text = _text(element, f"{name}/Dt") or _text(element, f"{name}/DtTm")
    try:
        return date_of(text, 0, name) if text else None
    except BadFile as bad:
        raise BadFile(bad.code, f"{where}: {bad.reason}") from None


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _children(element: Element, name: str) -> Iterator[Element]:
    return (child for child in element if _name(child) == name)


def _find(element: Element, path: str) -> Element | None:
    found: Element | None = element
    for name in path.split("/"):
        found = next(_children(found, name), None) if found is not None else None
    return found


def _all(element: Element, path: str) -> Iterator[Element]:
    found = _find(element, path)
    return iter(()) if found is None else found.iter()


def _text(element: Element, path: str) -> str:
    found = _find(element, path)
    return "" if found is None else (found.text or "").strip()


def _said(entry: Element) -> Iterator[str]:
    """Every element of the entry with its text: what its hash is made of, whatever the indentation."""
    for one in entry.iter():
        yield _name(one)
        yield from (f"{key}={value}" for key, value in sorted(one.attrib.items()))
        yield (one.text or "").strip()
