"""Journal entries: balanced lines on accounts, approved or waiting for a person, and reversed on a later day.

Put the rules of the type here. Do not put its properties here (journal_fields.py). Sources: facts/netsuite.md 3.6 and
4, facts/finance.md 2.4 and 2.7: the sublist is `line`, one currency for all lines, debits equal credits, an entry that
is not approved does not post. Receivables need a name. What NetSuite computes itself (realised gains and losses) takes
no line of anybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from datetime import date
from typing import Any

from bcns_pipeline.sandbox.netsuite import chart
from bcns_pipeline.sandbox.netsuite.errors import Refused, bad_reference, invalid_field, missing
from bcns_pipeline.sandbox.netsuite.journal_fields import ENTRY_FIELDS, HEADER_FIELDS, shown_journal
from bcns_pipeline.sandbox.netsuite.kinds import JOURNAL
from bcns_pipeline.sandbox.netsuite.ledger import OFFICE, ZERO, Entry, Transaction
from bcns_pipeline.sandbox.netsuite.pricing import rounded
from bcns_pipeline.sandbox.netsuite.reading import Ref
from bcns_pipeline.sandbox.netsuite.scripted import script_changes
from bcns_pipeline.sandbox.netsuite.transactions import Transactions

PENDING, APPROVED = "A", "B"
FIXED = ("subsidiary", "currency", "exchangeRate")


class Journals(Transactions):
    """The record type `journalEntry`."""

    # -- what records.py asks --------------------------------------------------------------------------------

    def create(self, given: dict[str, Any]) -> int:
        """A new entry, pending or approved; returns its id."""
        made = self._begin(given)
        self.context.periods.check(made.day)
        self._lines(made, given.get("line") or (), replace=False)
        self._check(made)
        made.pending = not self._approved(given, before=False, new=True)
        self._reversible(made)
        made.number = self.context.ledger.take_number(JOURNAL)
        self._save(made)
        for change in script_changes(self.definition, self.context, made):
            self.change(made.id, change, frozenset())
        return made.id

    def change(self, number: int, given: dict[str, Any], replace: frozenset[str]) -> None:
        """Header, lines and approval; lines without key are appended, and the whole must balance again."""
        before = self.get(number)
        if before.voided:
            raise Refused("USER_ERROR", "The journal is void and can't be changed.")
        for name in FIXED:
            value = given.get(name)
            same = isinstance(value, Ref) and value.id == getattr(before, name, None)
            if name in given and not same:
                detail = f"The field {name} can't be changed on an existing transaction."
                raise Refused("USER_ERROR", detail, name)
        after = copy(before)
        after.values, after.entries = dict(before.values), [copy(one) for one in before.entries]
        after.day = given.get("tranDate") or before.day
        for day in {before.day, after.day}:
            self.context.periods.check(day)
        if "externalId" in given:
            self.context.ledger.check_external(given["externalId"], number)
            after.external = given["externalId"]
        self._header(after, given)
        if "line" in given:
            if self.context.claims.on_any(number):
                raise Refused("USER_ERROR", "The lines of an applied journal can't be changed.", "line")
            self._lines(after, given["line"] or (), replace="line" in replace)
        self._check(after)
        after.pending = not self._approved(given, before=not before.pending)
        self._reversible(after)
        self._save(after)

    def shown(self, number: int) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
        """The body and its lines."""
        return shown_journal(self.get(number), self.definition, self.context)

    # -- rules -----------------------------------------------------------------------------------------------

    def _begin(self, given: Mapping[str, Any]) -> Transaction:
        context, account = self.context, self.context.account
        context.ledger.check_external(given.get("externalId"), None)
        chosen = given.get("subsidiary")
        if chosen is None and account.oneworld:
            raise missing("subsidiary")
        subsidiary = 1 if chosen is None else chosen.id
        currency = given.get("currency")
        now = context.clock.account()
        made = Transaction(
            id=context.ledger.take_id(),
            kind=JOURNAL,
            number="",
            created=now,
            modified=now,
            day=given.get("tranDate") or now.date(),
            status="",
            subsidiary=subsidiary,
            currency=account.subsidiaries[subsidiary].currency if currency is None else currency.id,
            external=given.get("externalId"),
        )
        rate = given.get("exchangeRate")
        if rate is not None and rate <= 0:
            raise invalid_field(rate, "exchangeRate", "exchangeRate")
        own = made.currency == account.subsidiaries[subsidiary].currency
        made.exchange_rate = account.rate(made.currency, subsidiary) if rate is None or own else rate
        self._header(made, given)
        return made

    def _header(self, made: Transaction, given: Mapping[str, Any]) -> None:
        for name, value in given.items():
            if name in HEADER_FIELDS:
                continue
            if value is None:
                made.values.pop(name, None)
            else:
                made.values[name] = value

    def _approved(self, given: Mapping[str, Any], *, before: bool, new: bool = False) -> bool:
        """Whether an entry posts. The integration's role may lack the right, and nobody tells it."""
        settings, ledger = self.context.settings, self.context.ledger
        said = given.get("approved")
        if said is None and given.get("approvalStatus") is not None:
            said = given["approvalStatus"] == "2"
        if said is None:
            return before or (new and not settings.journals_need_approval)
        if ledger.actor != OFFICE and not settings.approves_journals:
            return before
        return bool(said)

    def _lines(self, made: Transaction, given: Any, *, replace: bool) -> None:
        kept = set()
        for place, raw in enumerate(given):
            path = f"line.items[{place}]"
            number = raw.get("line")
            entry = next((one for one in made.entries if one.id == number), None)
            if entry is None:
                if raw.get("account") is None:
                    raise missing("account")
                entry = Entry(made.take_line(), self.context.ledger.take_unique(), 0)
                made.entries.append(entry)
            self._say(made, entry, raw, path)
            kept.add(entry.id)
        if replace or not given:
            made.entries = [one for one in made.entries if one.id in kept]

    def _say(self, made: Transaction, entry: Entry, raw: Mapping[str, Any], path: str) -> None:
        """What a request says of a line: one amount, on an account that takes it."""
        if raw.get("account") is not None:
            entry.account = self._account(made, raw["account"].id, path)
        debit, credit = raw.get("debit"), raw.get("credit")
        if debit is not None or credit is not None:
            entry.debit, entry.credit = debit or ZERO, credit or ZERO
        if (entry.debit > 0) == (entry.credit > 0) or min(entry.debit, entry.credit) < 0:
            raise Refused("USER_ERROR", "Each line needs either a debit or a credit amount.", path)
        precision = self.context.account.currencies[made.currency].precision
        for amount in (entry.debit, entry.credit):
            if rounded(amount, precision) != amount:
                detail = f"The amount {amount} has more digits than its currency."
                raise Refused("USER_ERROR", detail, path)
        if "entity" in raw:
            entry.entity = None if raw["entity"] is None else raw["entity"].id
        if entry.account == chart.AR and entry.entity is None:
            detail = "You must select a name for lines on an accounts receivable account."
            raise Refused("USER_ERROR", detail, f"{path}.entity")
        for name, value in raw.items():
            if name in ENTRY_FIELDS:
                continue
            if value is None:
                entry.values.pop(name, None)
            else:
                entry.values[name] = value

    def _account(self, made: Transaction, number: int, path: str) -> int:
        account = self.context.account.accounts[number]
        foreign = account.currency not in (None, made.currency)
        if account.inactive or foreign or number in chart.SYSTEM_ONLY:
            raise bad_reference(number, "account", f"{path}.account")
        return number

    def _check(self, made: Transaction) -> None:
        """There are lines, and their debits equal their credits."""
        if not made.entries:
            raise missing("line")
        debits = sum((one.debit for one in made.entries), ZERO)
        credits = sum((one.credit for one in made.entries), ZERO)
        if debits != credits:
            detail = f"The amounts in a journal entry must balance; debits are {debits}, credits {credits}."
            raise Refused("USER_ERROR", detail, "line")
        made.totals.total = debits
        precision = self.context.base_precision(made.subsidiary)
        made.totals.base = rounded(debits * made.exchange_rate, precision)

    def _reversible(self, made: Transaction) -> None:
        """A reversal comes after its entry, in a period that takes it when it is made."""
        day = made.values.get("reversalDate")
        if day is None or made.source is not None:
            return
        if day <= made.day:
            raise invalid_field(day.isoformat(), "reversalDate", "reversalDate")
        if not made.pending:
            self.context.periods.check(day)

    def _save(self, made: Transaction) -> None:
        made.status = PENDING if made.pending else APPROVED
        self.context.ledger.save(made, self.context.clock.account())
        day = made.values.get("reversalDate")
        if (
            day is not None
            and not made.pending
            and "reversalEntry" not in made.values
            and made.source is None
        ):
            made.values["reversalEntry"] = self._reverse(made, day)
            self.context.ledger.save(made, self.context.clock.account())

    def _reverse(self, made: Transaction, day: date) -> int:
        """The entry that NetSuite makes on the reversal's day: the same lines with their sides swapped."""
        context = self.context
        now = context.clock.account()
        found = copy(made)
        found.id, found.created, found.modified = context.ledger.take_id(), now, now
        found.number, found.day, found.external = f"{made.number}R", day, None
        found.source, found.created_by = made.id, 0
        found.extra_lines, found.totals = {}, copy(made.totals)
        found.values = {n: v for n, v in made.values.items() if n not in ("reversalDate", "reversalEntry")}
        found.entries = []
        for one in made.entries:
            swapped = Entry(
                one.id, context.ledger.take_unique(), one.account, one.credit, one.debit, one.entity
            )
            swapped.values = dict(one.values)
            found.entries.append(swapped)
        context.ledger.save(found, now)
        return found.id
