"""Payment providers, the bank and the controller of the sandbox, for `bcns dev`: what people.py does not do with goods.

Put here what each of them does once its time has come. Do not put here how often (people.py). What takes days
elsewhere takes minutes here; nobody books anything by hand that the pipeline is there for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bcns_pipeline.sandbox.launch import Control

PROVIDERS = ("stripe", "paypal")
# What was paid this long ago is paid out: the pipeline has booked it by then, as it has in days elsewhere.
PAID_OUT_AFTER = timedelta(minutes=4)

Say = Callable[[str], None]


def pay_out(control: Control, say: Say) -> None:
    """Both providers pay out what is old enough; PayPal drops its file, Stripe is asked."""
    until = datetime.now(UTC) - PAID_OUT_AFTER
    for provider in PROVIDERS:
        old = Counter(
            one["currency"]
            for one in control.open_movements(provider)
            if datetime.fromisoformat(one["created"]) <= until
        )
        for currency, count in sorted(old.items()):
            for made in control.payout_day(provider, currency=currency, arrives=0, most=count):
                say(f"{provider} pays {made['amount']} {currency} out, of {made['count']} movements")


def state_account(control: Control, say: Say) -> None:
    """The bank drops its statement up to today."""
    for path in control.bank_statement("camt"):
        say(f"the bank drops {path.rpartition('/')[2]}")


def approve(control: Control, say: Say) -> None:
    """The controller approves in NetSuite what waits there."""
    count = len(control.approve_journal()["approved"])
    if count:
        say(f"the controller approves {count} journal entr{'y' if count == 1 else 'ies'} in NetSuite")
