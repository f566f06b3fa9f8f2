"""The smallest patch that brings a NetSuite customer up to date with its shopper, echoes absorbed.

Put the comparison here. Do not put the making of a customer here (`body.py`). Three sides are compared: the
shopper now, the shopper as last written, and NetSuite now. What BigCommerce did not change since it was last
written is no news, whatever NetSuite shows; so a correction made in NetSuite stands until the shopper says
something new, and what we wrote ourselves never comes back as a change.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from bcns_pipeline.rules.customers.addresses import address_body, entry_key, fitted, phone_of, shopper_key
from bcns_pipeline.rules.customers.body import company_of, custom_value, distinct, email_of, person_names
from bcns_pipeline.rules.customers.model import BookEntry, NetSuiteCustomer, Shopper, fold_email
from bcns_pipeline.rules.customers.policy import CustomerPolicy
from bcns_pipeline.rules.orders.problems import Problem


@dataclass(frozen=True, slots=True)
class Changes:
    """`body` is a PATCH, empty where nothing has to be sent; `fields` are the names of what it changes.

    `conflicts` are fields that both sides changed since they last agreed, whichever side won.
    """

    body: dict[str, Any] = field(default_factory=dict, repr=False)
    fields: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.body)


@dataclass(frozen=True, slots=True)
class _Field:
    """One property: as NetSuite shows it (None = not read), and as a shopper would have it."""

    owner_name: str
    property: str
    shown: str | None
    sent: Callable[[Shopper], Any]
    alike: Callable[[str], str] = str
    clearable: bool = False


def changes(
    shopper: Shopper,
    row: NetSuiteCustomer,
    book: Sequence[BookEntry] | None,
    last: Shopper | None,
    policy: CustomerPolicy,
) -> Changes:
    """What to send so that `row` says what the shopper says.

    `last` is the shopper as last written to this customer, None if never: then all of it is news. `book` None
    = not read, and addresses are left alone. What a checkout says of a shopper fills blanks only, since it
    may name somebody else's phone number; an account's own values follow `policy.authority`.
    """
    body: dict[str, Any] = {}
    names: list[str] = []
    conflicts: list[str] = []
    for one in _fields(row, policy):
        wanted, shown = one.sent(shopper), None if one.shown is None else one.alike(one.shown)
        now = one.alike(_comparable(wanted))
        before = None if last is None else one.alike(_comparable(one.sent(last)))
        if now in (shown, before):
            continue
        if not now and not (one.clearable and before):
            continue
        owner = policy.owner(one.owner_name)
        both = before is not None and shown not in (None, before)
        if shopper.source == "order" and owner == "bigcommerce":
            owner = "first_write"
        if both and owner != "first_write":
            conflicts.append(one.owner_name)
        # What was not read may be there, so the first write does not go over it.
        if owner == "netsuite" or (owner == "first_write" and shown != ""):
            continue
        body[one.property] = wanted if now else None
        names.append(one.owner_name)
    entries = _address_changes(shopper, book, last, policy)
    if entries:
        body["addressBook"] = {"items": entries}
        names.append("addresses")
    return Changes(body, tuple(dict.fromkeys(names)), tuple(dict.fromkeys(conflicts)))


def conflict(found: Changes, customer_id: int) -> Problem | None:
    """CUSTOMER_CONFLICT for fields that were changed on both sides; it names them, never their values."""
    if not found.conflicts:
        return None
    named = " and ".join(found.conflicts)
    return Problem(
        "CUSTOMER_CONFLICT",
        f"Both sides changed {named} of customer {customer_id} since they last agreed.",
        f"customer:{customer_id}",
    )


def disagreeing(shopper: Shopper, row: NetSuiteCustomer, policy: CustomerPolicy) -> tuple[str, ...]:
    """Fields of which the two sides say different things now, whoever owns them; addresses are not compared.

    What is blank on the shopper's side says nothing.
    """
    found = []
    for one in _fields(row, policy):
        wanted = one.alike(_comparable(one.sent(shopper)))
        if wanted and one.shown is not None and wanted != one.alike(one.shown):
            found.append(one.owner_name)
    return tuple(dict.fromkeys(found))


def doubled(shopper: Shopper, book: Sequence[BookEntry] | None) -> bool:
    """Whether an address of the shopper's is in the book more than once: each is only ever added where it is not."""
    keys = [entry_key(entry) for entry in book or ()]
    return any(keys.count(shopper_key(one.address)) > 1 for one in shopper.addresses)


def tax_problem(shopper: Shopper, row: NetSuiteCustomer) -> Problem | None:
    """TAX_EXEMPT_MISMATCH where one side says exempt and the other does not; None where either is silent.

    To be asked before anything is posted: NetSuite drops the tax of a customer that is not taxable without a
    word, and the order comes out short.
    """
    if shopper.tax_exempt is None or row.taxable is None or shopper.tax_exempt != row.taxable:
        return None
    here, there = ("exempt from tax", "taxable") if shopper.tax_exempt else ("taxable", "exempt from tax")
    return Problem(
        "TAX_EXEMPT_MISMATCH",
        f"Shopper {shopper.customer_id} is {here} in BigCommerce, and customer {row.id} is {there} in NetSuite.",
        f"customer:{row.id}",
    )


def _fields(row: NetSuiteCustomer, policy: CustomerPolicy) -> Iterator[_Field]:
    if row.is_person:
        yield _Field("name", "firstName", row.first_name, lambda one: person_names(one)[0], _words)
        yield _Field("name", "lastName", row.last_name, lambda one: person_names(one)[1], _words)
    if not row.is_person or policy.company == "always_person":
        # A company keeps its name: without one it would be nobody.
        yield _Field("company", "companyName", row.company, company_of, _words, clearable=row.is_person)
    yield _Field("email", "email", row.email, email_of, fold_email)
    yield _Field("phone", "phone", row.phone, lambda one: phone_of(one.phone), _digits, clearable=True)
    for custom in policy.fields:
        shown = row.values.get(custom.name.lower())
        yield _Field(custom.name, custom.name, shown, partial(custom_value, custom), _words, clearable=True)


def _address_changes(
    shopper: Shopper, book: Sequence[BookEntry] | None, last: Shopper | None, policy: CustomerPolicy
) -> list[dict[str, Any]]:
    """Entries to add, and those whose address the shopper corrected. None is ever removed."""
    owner = policy.owner("addresses")
    if book is None or not policy.addresses or owner == "netsuite" or (owner == "first_write" and book):
        return []
    there = {entry_key(entry): entry for entry in reversed(book)}
    wanted = distinct(shopper.addresses)
    keys = {shopper_key(one.address) for one in wanted}
    known = distinct(last.addresses) if last else []
    written = {shopper_key(one.address) for one in known}
    corrected = {one.id: shopper_key(one.address) for one in known if one.id}
    found: list[dict[str, Any]] = []
    for one in wanted:
        key = shopper_key(one.address)
        # What was written and is gone was removed over there on purpose.
        if key in there or key in written:
            continue
        old = corrected.get(one.id, ())
        if old in there and there[old].id and old not in keys:
            place = {"internalId": there.pop(old).id}
            found.append(place | {"addressBookAddress": address_body(one.address, clearing=True)})
        else:
            first = {} if book or found else {"defaultBilling": True, "defaultShipping": True}
            found.append(first | {"addressBookAddress": address_body(one.address)})
    return found


def _comparable(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        return str(value["id"])
    if isinstance(value, bool):
        # SuiteQL shows a check box so.
        return "T" if value else "F"
    return str(value)


def _words(text: str) -> str:
    return fitted(text, len(text))


def _digits(text: str) -> str:
    """NetSuite may write a number in its own way; the same digits are the same number."""
    return re.sub(r"\D", "", text)
