"""Kinds of movements, and what each provider calls them.

Put one entry per kind here. Do not put what moves money here. Sources: facts/finance.md 1.2 (Stripe's type and
reporting category), 1.3 (PayPal's event codes), 1.4 (Adyen's types), 1.6 (Amazon's amount types). A kind that a
provider has no word for can't happen there.
"""

from __future__ import annotations

from dataclasses import dataclass

# What none of the providers has documented: whoever reads it must stop and ask.
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Kind:
    """`sign` is that of the gross amount, 0 where it may be either."""

    sign: int
    stripe: tuple[str, str]
    text: str
    paypal: str = ""
    adyen: str = ""
    amazon: tuple[str, str] = ("", "")
    prefix: str = "txn"


KINDS = {
    "charge": Kind(1, ("charge", "charge"), "Order {order}", "T0006", "Settled", prefix="ch"),
    "refund": Kind(
        -1, ("refund", "refund"), "REFUND FOR CHARGE (Order {order})", "T1107", "Refunded", prefix="re"
    ),
    "refund_failure": Kind(
        1,
        ("refund_failure", "refund_failure"),
        "REFUND FAILURE (Order {order})",
        "T1106",
        "RefundedReversed",
        prefix="re",
    ),
    "charge_failure": Kind(
        -1, ("payment_failure_refund", "charge_failure"), "Payment failure", "T1106", "", prefix="pyr"
    ),
    "partial_capture_reversal": Kind(
        -1, ("adjustment", "partial_capture_reversal"), "Uncaptured part", prefix="ch"
    ),
    "dispute": Kind(
        -1, ("adjustment", "dispute"), "Chargeback withdrawal", "T1201", "Chargeback", prefix="du"
    ),
    "dispute_reversal": Kind(
        1,
        ("adjustment", "dispute_reversal"),
        "Chargeback reversal",
        "T1202",
        "ChargebackReversed",
        prefix="du",
    ),
    "fee": Kind(
        -1,
        ("stripe_fee", "fee"),
        "Radar for Fraud Teams",
        "T0100",
        "InvoiceDeduction",
        ("other-transaction", "Subscription Fee"),
        "stripefee",
    ),
    "network_cost": Kind(
        -1, ("stripe_fee", "network_cost"), "Card network costs", "T0100", "MiscCosts", prefix="stripefee"
    ),
    "tax": Kind(-1, ("tax_fee", "tax"), "Tax on fees", "T0100", "", prefix="stripefee"),
    "reserve_hold": Kind(
        -1,
        ("reserved_funds", "risk_reserved_funds"),
        "Reserve hold",
        "T2103",
        "DepositCorrection",
        ("other-transaction", "Current Reserve Amount"),
        "rsv",
    ),
    "reserve_release": Kind(
        1,
        ("reserved_funds", "risk_reserved_funds"),
        "Reserve release",
        "T2104",
        "DepositCorrection",
        ("other-transaction", "Previous Reserve Amount Balance"),
        "rsv",
    ),
    "minimum_balance_hold": Kind(
        -1, ("payout_minimum_balance_hold", "payout_minimum_balance_hold"), "Minimum balance hold"
    ),
    "minimum_balance_release": Kind(
        1, ("payout_minimum_balance_release", "payout_minimum_balance_release"), "Minimum balance release"
    ),
    "advance": Kind(1, ("advance", "advance"), "Loan paid out", prefix="flxln"),
    "loan_repayment": Kind(
        -1, ("anticipation_repayment", "anticipation_repayment"), "Loan repayment", prefix="flxln"
    ),
    "contribution": Kind(-1, ("contribution", "contribution"), "Contribution to climate", prefix="ct"),
    "topup": Kind(1, ("topup", "topup"), "Top-up", "T0300", "", prefix="tu"),
    "adjustment": Kind(
        0,
        ("adjustment", "other_adjustment"),
        "Adjustment",
        "T1800",
        "ManualCorrected",
        ("other-transaction", "Adjustment"),
    ),
    "payout": Kind(-1, ("payout", "payout"), "STRIPE PAYOUT", "T0400", "MerchantPayout", prefix="po"),
    "payout_failure": Kind(
        1,
        ("payout_failure", "payout_reversal"),
        "PAYOUT FAILURE",
        "T0401",
        "BankInstructionReturned",
        prefix="po",
    ),
    "payout_cancel": Kind(
        1, ("payout_cancel", "payout_reversal"), "PAYOUT CANCELED", "T0401", "", prefix="po"
    ),
    UNKNOWN: Kind(
        0,
        ("quantum_settlement", "quantum_settlement"),
        "Quantum settlement",
        "T9901",
        "QuantumSettlement",
        ("other-transaction", "Quantum Settlement"),
    ),
}


def said_by(provider: str, kind: str) -> bool:
    """Whether a provider has a word for a kind; Braintree's report has rows for sales and credits alone."""
    words = KINDS[kind]
    if provider == "braintree":
        return kind in ("charge", "refund", UNKNOWN)
    said = {"paypal": words.paypal, "adyen": words.adyen, "amazon": words.amazon[0]}
    return bool(said.get(provider, "stripe"))
