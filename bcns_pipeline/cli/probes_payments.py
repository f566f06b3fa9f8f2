"""What the doctor looks at where money comes from: Stripe's key, and the folders for dropped files.

Put probes of payout and bank sources here. Nothing is moved, and no file is opened. Without any source there is
nothing to look at: payouts are then not posted, which the mapping file decides.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from bcns_pipeline.cli.accounts import PATIENCE, QUICK, OneByOne
from bcns_pipeline.cli.probes import Finding, Level, Patient, Probe, listed
from bcns_pipeline.clients.files.folder import DONE, REJECTED, DropFolder
from bcns_pipeline.clients.payments.models import Itemisation
from bcns_pipeline.clients.payments.stripe import StripeSource
from bcns_pipeline.rules.money import Money
from bcns_pipeline.state.usage import UsageMeter

_LOOK_BACK: Final = timedelta(days=35)


def stripe(patient: Patient) -> Iterator[Finding]:
    """The balance, the payouts of five weeks, and the lines of the newest one that is itemised. Raises BadInput."""
    if patient.settings.stripe_api_key is None:
        return
    account = patient.settings.require("stripe")
    source = StripeSource(
        account.base_url,
        account.api_key.get_secret_value(),
        account="doctor",
        gate=OneByOne(),
        meter=UsageMeter(),
        retry=PATIENCE,
        timeouts=QUICK,
        client=patient.payments_network,
    )
    try:
        held = source.read_balances(list(source.balance()))
        first = next(source.payouts(datetime.now(UTC) - _LOOK_BACK))
        payouts = source.read_payouts(first)
        ready = next((one for one in payouts if one.itemisation is Itemisation.COMPLETE), None)
        lines = next(source.lines(ready), None) if ready else None
    finally:
        source.close()
    test = any(one.livemode is False for one in payouts) or "_test_" in account.api_key.get_secret_value()
    amounts = listed(str(Money(amount, currency)) for one in held for currency, amount in one.amounts)
    yield Finding(
        "Stripe",
        f"{len(payouts)} payouts on the first page of the last 35 days, {amounts} held"
        + (", test mode" if test else ""),
        "Its payouts are posted." if lines or not payouts else "None of them can be itemised yet.",
    )
    manual = [one.id for one in payouts if one.itemisation is Itemisation.NEVER]
    if manual:
        yield Finding(
            "Stripe payouts",
            f"{len(manual)} manual or instant: {listed(manual)}",
            "Stripe does not say what they are made of; they are booked from clearing to the bank as one amount.",
            "Let Stripe pay out automatically, if every cent shall be traced.",
            Level.NOTE,
        )


def folders(patient: Patient) -> Iterator[Finding]:
    """Each drop folder: there, readable, and writable, because files are moved within it."""
    settings = patient.settings
    for what, path, variable in (
        ("Settlement files", settings.payout_drop_dir, "BCNS_PAYOUT_DROP_DIR"),
        ("Bank statements", settings.bank_drop_dir, "BCNS_BANK_DROP_DIR"),
    ):
        if path is not None:
            yield _folder(what, path, variable)
    paid = settings.stripe_api_key is not None or settings.payout_drop_dir is not None
    if paid and settings.bank_drop_dir is None:
        yield Finding(
            "Bank statements",
            "no folder is set",
            'Payouts are posted, and reports say "bank: not evidenced".',
            "Set BCNS_BANK_DROP_DIR to a folder into which statements are dropped.",
            Level.NOTE,
        )


def _folder(what: str, path: Path, variable: str) -> Finding:
    mend = f"Correct {variable}, or make the folder and let this user write to it."
    if not path.is_dir():
        return Finding(what, f"{path} is no folder", "No file is read.", mend, Level.BLOCKED)
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        means = f"Files can't be moved to {DONE} or {REJECTED} inside it."
        return Finding(what, f"{path} can't be read and written", means, mend, Level.BLOCKED)
    waiting, rejected = DropFolder(path, what).counts()
    text = f"{path}: {waiting} waiting, {rejected} rejected"
    if rejected:
        means = "Nothing of a rejected file was taken; the reason is in a text file beside it."
        return Finding(what, text, means, f"Look into {path / REJECTED}.", Level.WARNING)
    return Finding(what, text)


PROBES: Final = (Probe("Stripe", stripe), Probe("Drop folders", folders))
