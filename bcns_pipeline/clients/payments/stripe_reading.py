"""Stripe's JSON as payouts, lines and balances: pure functions of the bytes that the API gave.

Put reading here; asking is in `stripe.py`. Amounts are Stripe's integers, converted by `minor_units.py`. The list of
a payout's balance transactions holds the payout itself, and a reserve move may come once per sub-balance: both are put
aside, so that what remains adds up to the payout. Facts: facts/finance.md finding 8, 1.2.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, TypeVar

from bcns_pipeline.clients.files.models import BadFile, Document
from bcns_pipeline.clients.files.values import LARGEST_MINOR, Once
from bcns_pipeline.clients.http.body import canonical_json, decode_exact
from bcns_pipeline.clients.payments.minor_units import STRIPE_WHOLE_UNITS, stripe_minor
from bcns_pipeline.clients.payments.models import (
    DisputeStatus,
    Itemisation,
    PayoutStatus,
    Settlement,
    SourceBalance,
    SourceDispute,
    SourceLine,
    SourcePayout,
)
from bcns_pipeline.clients.payments.stripe_ids import ids_in, names_an_order

T = TypeVar("T")
PROVIDER: Final = "stripe"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SETTLED_BALANCE: Final = "payments"
_ENDS: Final = {"won": DisputeStatus.WON, "lost": DisputeStatus.LOST}
_STATES: Final = {one.value: one for one in PayoutStatus}


def page_of(content: bytes, *, named: bool = True) -> tuple[list[dict[str, Any]], bool]:
    """Rows of a list, and whether there are more. ValueError for anything that is not a whole list, and, where they are
    to be `named`, for a row without an id.
    """
    value = decode_exact(content)
    if (
        not isinstance(value, dict)
        or value.get("object") != "list"
        or not isinstance(value.get("has_more"), bool)
    ):
        raise ValueError("not a list")
    rows = value.get("data")
    if not isinstance(rows, list) or not all(
        isinstance(row, dict) and (row.get("id") or not named) for row in rows
    ):
        raise ValueError("a list without rows")
    if value["has_more"] and not rows:
        raise ValueError("more rows are promised and none is given")
    return rows, value["has_more"]


def read_payouts(
    document: Document, account: str, refused: dict[str, BadFile] | None = None
) -> list[SourcePayout]:
    """The payouts of one page, in Stripe's order. BadFile for a row of another shape, which goes into `refused` by its
    id where that is given.
    """
    found = []
    for number, row in enumerate(_page(document)[0], 1):
        try:
            found.append(_read(document, number, lambda one: _payout(one, account), row))
        except BadFile as bad:
            if refused is None:
                raise
            refused[str(row["id"])] = bad
    return found


def read_disputes(document: Document, refused: dict[str, BadFile] | None = None) -> list[SourceDispute]:
    """The disputes of one page. A word that says neither won nor lost means that it goes on.

    BadFile for a row of another shape, which goes into `refused` by its id ("" where it has none) where that is given.
    """
    found = []
    for number, row in enumerate(_page(document, named=False)[0], 1):
        try:
            found.append(_read(document, number, _dispute, row))
        except BadFile as bad:
            if refused is None:
                raise
            refused[str(row.get("id") or "")] = bad
    return found


def read_lines(payout: SourcePayout, documents: Iterable[Document]) -> Settlement:
    """The payout with its lines from all its pages, of which one at a time is looked at.

    BadFile where a page is missing, comes twice, or tells of another payout.
    """
    lines: list[SourceLine] = []
    aside: list[SourceLine] = []
    once = Once("balance transaction")
    count = 0
    more: bool | None = None
    for document in documents:
        if more is False:
            raise BadFile("SHAPE", "a page comes after the last one", file=document.name)
        rows, more = _page(document)
        for row in rows:
            count += 1
            line = _read(document, count, _line, row)
            try:
                once(line.id, count)
            except BadFile as bad:
                raise bad.of(document.name) from None
            if line.currency != payout.currency:
                text = f"{line.id} is in {line.currency}, and payout {payout.id} in {payout.currency}"
                raise BadFile("CURRENCY", text, file=document.name, row=count)
            own = line.kind == "payout" and payout.id in line.references
            if own and line.net != -payout.amount:
                text = f"{line.id} moves {-line.net} minor units, and payout {payout.id} is {payout.amount}"
                raise BadFile("TOTALS", text, file=document.name, row=count)
            (aside if own or line.balance != _SETTLED_BALANCE else lines).append(line)
    if more:
        raise BadFile("TRUNCATED", f"the last page of payout {payout.id} is missing", row=count)
    return Settlement(payout, tuple(lines), tuple(aside), rows=count)


def read_balances(
    documents: Sequence[Document], account: str, ats: Sequence[datetime | None]
) -> list[SourceBalance]:
    """For each of `ats` the balance now (the first document), less what happened since (of the pages after it).

    The pages go back to the earliest of `ats` at least; each is looked at once, however many moments are asked for.
    """
    balance, pages = documents[0], documents[1:]
    value = _read(balance, 0, lambda body: decode_exact(body), balance.content)
    amounts: Counter[str] = Counter()

    def take(_: Any) -> None:
        for part in ("available", "pending", "connect_reserved"):
            for one in value.get(part) or ():
                currency = _currency(one["currency"])
                amounts[currency] += stripe_minor(_whole(one["amount"]), currency)

    _read(balance, 0, take, value)
    moments = sorted({start_of(at) for at in ats if at is not None})
    since: list[Counter[str]] = [Counter() for _ in moments]
    for document in pages:
        for number, row in enumerate(_page(document)[0], 1):
            line = _read(document, number, _line, row)
            # What happened while the pages were read is not in the balance that was read before them.
            if (
                line.balance != _SETTLED_BALANCE
                or line.occurred_at is None
                or line.occurred_at > balance.fetched_at
            ):
                continue
            place = bisect_right(moments, start_of(line.occurred_at)) - 1
            if place >= 0:
                since[place][line.currency] += line.net
    found: dict[int | None, tuple[tuple[str, int], ...]] = {None: tuple(sorted(amounts.items()))}
    for moment, moved in zip(reversed(moments), reversed(since), strict=True):
        amounts.subtract(moved)
        found[moment] = tuple(sorted(amounts.items()))
    return [
        SourceBalance(
            PROVIDER, account, at or balance.fetched_at, found[None if at is None else start_of(at)]
        )
        for at in ats
    ]


def _page(document: Document, *, named: bool = True) -> tuple[list[dict[str, Any]], bool]:
    try:
        return page_of(document.content, named=named)
    except ValueError:
        raise BadFile("SHAPE", "it is not a whole list of Stripe's API", file=document.name) from None


def _read(document: Document, number: int, make: Callable[[Any], T], value: Any) -> T:
    try:
        return make(value)
    except KeyError as error:
        raise BadFile("SHAPE", f"a record without {error.args[0]}", file=document.name, row=number) from None
    except (TypeError, AttributeError) as error:
        text = f"a record of another shape ({type(error).__name__})"
        raise BadFile("SHAPE", text, file=document.name, row=number) from None
    except ValueError as error:
        raise BadFile("AMOUNT", str(error), file=document.name, row=number) from None


def _payout(row: Mapping[str, Any], account: str) -> SourcePayout:
    currency = _currency(row["currency"])
    automatic, instant = row["automatic"] is True, row.get("method") == "instant"
    trace = row.get("trace_id")
    word = str(row["status"])
    if word not in _STATES:
        raise ValueError(f"payout {row['id']} has the unknown status {word!r}")
    related = (row.get("original_payout"), row.get("reversed_by"))
    own = row.get("balance_transaction")
    fee = _whole(own.get("fee", 0)) if isinstance(own, Mapping) else 0
    return SourcePayout(
        provider=PROVIDER,
        account=account,
        id=str(row["id"]),
        currency=currency,
        amount=stripe_minor(_whole(row["amount"]), currency),
        status=_STATES[word],
        # Midnight UTC of the day; in another time zone it would be the day before (facts/finance.md 7-12).
        arrival_date=_moment(row["arrival_date"]).date(),
        created_at=_moment(row["created"]),
        itemisation=_itemisation(automatic, instant, row.get("reconciliation_status")),
        automatic=automatic,
        instant=instant,
        status_word=word,
        failure_code=str(row.get("failure_code") or ""),
        bank_reference=str(trace.get("value") or "") if isinstance(trace, Mapping) else "",
        descriptor=str(row.get("statement_descriptor") or row.get("description") or ""),
        related=tuple(str(one) for one in related if isinstance(one, str)),
        whole_units_only=currency in STRIPE_WHOLE_UNITS,
        fee=stripe_minor(fee, currency),
        livemode=row.get("livemode") if isinstance(row.get("livemode"), bool) else None,
    )


def _dispute(row: Mapping[str, Any]) -> SourceDispute:
    word, evidence = str(row["status"]), row.get("evidence_details")
    due = evidence.get("due_by") if isinstance(evidence, Mapping) else None
    return SourceDispute(
        id=str(row["id"]),
        status=_ENDS.get(word, DisputeStatus.OPEN),
        word=word,
        due_by=None if due is None else _moment(due).date(),
    )


def _itemisation(automatic: bool, instant: bool, status: object) -> Itemisation:
    if not automatic or instant or status == "not_applicable":
        return Itemisation.NEVER
    return Itemisation.COMPLETE if status == "completed" else Itemisation.PENDING


def _line(row: Mapping[str, Any]) -> SourceLine:
    currency = _currency(row["currency"])
    gross, fee, net = (stripe_minor(_whole(row[name]), currency) for name in ("amount", "fee", "net"))
    if gross - fee != net:
        raise ValueError(f"{row['id']}: amount {row['amount']} less fee {row['fee']} is not net {row['net']}")
    source = row.get("source")
    known: Mapping[str, Any] = source if isinstance(source, Mapping) else {}
    rate = row.get("exchange_rate")
    description = str(row.get("description") or "")
    shown, shown_currency = _presentment(row, known, gross, currency)
    card = _card(known)
    return SourceLine(
        id=str(row["id"]),
        category=str(row.get("reporting_category") or row["type"]),
        gross=gross,
        fee=fee,
        net=net,
        currency=currency,
        occurred_at=_moment(row["created"]),
        row_sha256=hashlib.sha256(canonical_json(row)).hexdigest(),
        kind=str(row["type"]),
        presentment_amount=shown,
        presentment_currency=shown_currency,
        rate=Decimal(rate) if isinstance(rate, int | Decimal) else None,
        references=_references(source, known, description),
        order_hints=_hints(known, description),
        description=description,
        fee_parts=_fee_parts(row, currency),
        method=str(card.get("brand") or ""),
        country=str(card.get("country") or ""),
        balance=str(row.get("balance_type") or _SETTLED_BALANCE),
    )


def _presentment(
    row: Mapping[str, Any], known: Mapping[str, Any], gross: int, currency: str
) -> tuple[int | None, str | None]:
    """What the shopper paid or got back, with the sign of the row.

    In one currency that is the row's own amount: a charge of which a part was captured still says all of it.
    """
    if (
        isinstance(known.get("currency"), str)
        and type(known.get("amount")) is int
        and known.get("object") != "payout"
    ):
        paid_in = _currency(known["currency"])
        if paid_in == currency and row["type"] in {"charge", "payment"}:
            return gross, currency
        whole = known.get("amount_captured") if known.get("object") == "charge" else None
        amount = abs(stripe_minor(whole if type(whole) is int and whole else known["amount"], paid_in))
        return (-amount if gross < 0 else amount), paid_in
    if row["type"] in {"charge", "payment"} and row.get("exchange_rate") is None:
        return gross, currency
    return None, None


def _references(source: object, known: Mapping[str, Any], description: str) -> tuple[str, ...]:
    found = [known.get("id") if known else source]
    found += [_identity(known.get(name)) for name in ("charge", "payment_intent", "refund", "transfer")]
    return tuple(dict.fromkeys(str(one) for one in (*found, *ids_in(description)) if one))


def _identity(value: object) -> object:
    return value.get("id") if isinstance(value, Mapping) else value


def _hints(known: Mapping[str, Any], description: str) -> tuple[str, ...]:
    metadata = known.get("metadata")
    found = (
        [str(value) for key, value in metadata.items() if names_an_order(str(key)) and value]
        if isinstance(metadata, Mapping)
        else []
    )
    return tuple(dict.fromkeys((*found, *([description] if description else []))))


def _card(known: Mapping[str, Any]) -> Mapping[str, Any]:
    details = known.get("payment_method_details")
    card = details.get("card") if isinstance(details, Mapping) else None
    return card if isinstance(card, Mapping) else {}


def _fee_parts(row: Mapping[str, Any], currency: str) -> tuple[tuple[str, int], ...]:
    return tuple(
        (str(part["type"]), stripe_minor(_whole(part["amount"]), currency))
        for part in row.get("fee_details") or ()
    )


def _currency(code: Any) -> str:
    if not isinstance(code, str):
        raise TypeError("a currency that is no text")
    return code.upper()


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise TypeError("an amount that is no whole number")
    if abs(value) > LARGEST_MINOR:
        raise ValueError(f"{value} is more than any payout is")
    return value


def _moment(seconds: Any) -> datetime:
    try:
        return _EPOCH + timedelta(seconds=_whole(seconds))
    except OverflowError:
        raise ValueError(f"{seconds} is no time in seconds") from None


def start_of(day: date | datetime) -> int:
    """Unix time of a moment, or of the day's beginning in UTC."""
    at = day if isinstance(day, datetime) else datetime(day.year, day.month, day.day, tzinfo=UTC)
    return int(at.timestamp())
