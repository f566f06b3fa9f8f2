"""A merchant whose payouts are posted: the order flow's merchant, with providers, drop folders and a bank.

Put here what every test of the payout flow does: let a provider pay, run, look at both sides. Do not put expectations
here.
"""

from __future__ import annotations

import shutil
from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from bcns_pipeline.state.payout_models import PayoutState
from bcns_pipeline_tests.defs.cash_flow import CashFlow
from bcns_pipeline_tests.defs.flow import Run

PLAN, ENTRIES = "payouts/journal_plan", "netsuite/payout_journal_entries"


class PayoutFlow(CashFlow):
    """A merchant of 40 SKUs who sells and is paid."""

    drop: Path
    bank: Path

    def __post_init__(self) -> None:
        super().__post_init__()
        self.drop, self.bank = self.folder / "payouts", self.folder / "statements"
        self.drop.mkdir()
        self.bank.mkdir()
        self.environment |= {"BCNS_PAYOUT_DROP_DIR": str(self.drop), "BCNS_BANK_DROP_DIR": str(self.bank)}

    def post(self, **options: Any) -> Run:
        """One run of `payout_posting`."""
        return self.run("payout_posting", **options)

    def pay_out(self, provider: str = "stripe", *, arrives: int = 0, **day: Any) -> list[dict[str, Any]]:
        """A day passes: what the provider pays out arrives so many days after the store's own day, which in its evening
        is the day before that of UTC, as providers count."""
        ahead = (datetime.now(UTC).date() - self.today()).days
        return list(self.control.payout_day(provider, arrives=arrives - ahead, **day))

    def pays_out(self, count: int = 3, **day: Any) -> dict[str, Any]:
        """Shoppers that nobody knows pay, and Stripe pays out: the payout as the provider has it."""
        self.control.bulk_charges(count)
        (made,) = self.pay_out("stripe", **{"arrives": 0, "status": "paid", **day})
        return dict(made)

    def dropped(self, provider: str, count: int = 3, **day: Any) -> list[Path]:
        """As `pays_out`, of a provider who drops a file; the files, in the merchant's folder."""
        self.control.bulk_charges(count, provider=provider)
        made = self.pay_out(provider, **{"arrives": 0, "files": False, **day})
        return self.settled(*made)

    def settled(self, *payouts: dict[str, Any]) -> list[Path]:
        """The files of these payouts, in the merchant's folder."""
        files = self.control.drop_settlement(*(one["id"] for one in payouts))
        return [Path(shutil.move(path, self.drop / Path(path).name)) for path in files]

    def calls(self, system: str) -> list[str]:
        """Method and path of every call to a system since the log was cleared, tokens left out."""
        return [
            f"{one['method']} {one['path']}"
            for one in self.control.log(system=system)
            if "/auth/oauth2/" not in one["path"]
        ]

    def payout(self, payout_id: str) -> PayoutState:
        """Where a payout stands."""
        (found,) = self.state().payouts.named(payout_id)
        return found

    def journals(self) -> list[dict[str, Any]]:
        """The journal entries that NetSuite has, with their lines."""
        return self.books(type="journalEntry")

    def moved(self, payout_id: str, suffix: str = "") -> dict[str, Decimal]:
        """{account number: what an entry of the payout moves there in its own currency, debit positive}."""
        (entry,) = (
            one for one in self.journals() if str(one["external_id"]).endswith(f"-payout-{payout_id}{suffix}")
        )
        return self.postings(entry)

    def postings(self, entry: dict[str, Any]) -> dict[str, Decimal]:
        """The same of one of `journals`."""
        numbers = {one: number for number, one in self.accounts.items()}
        found: dict[str, Decimal] = defaultdict(Decimal)
        for part in entry["postings"]:
            found[numbers[int(part["account"])]] += Decimal(part["foreign"])
        return dict(found)

    def balances(self) -> dict[str, Decimal]:
        """{account number: dollars of the ledger} once everything is approved; accounts at 0 are left out."""
        self.control.approve_journal()
        shown = {number: Decimal(str(one)) for number, one in self.control.ledger()["balances"].items()}
        return {number: amount for number, amount in shown.items() if amount}

    def account(self, number: str) -> int:
        """NetSuite's id of an account number."""
        return int(self.sandbox.accounting["accounts"][number])

    def assert_balanced(self) -> None:
        """Every journal entry has equal debits and credits, and no natural key twice."""
        found = self.journals()
        keys = [one["external_id"] for one in found]
        assert len(set(keys)) == len(keys), keys
        for one in found:
            amounts = [Decimal(part["foreign"]) for part in one["postings"]]
            assert sum(amounts) == 0 < sum(amount > 0 for amount in amounts), one
