"""What a provider's word means: the class of each line of a payout.

Put the providers' vocabularies here (facts/finance.md 1.2 to 1.6). Do not put accounts or sums here. Lists of words
at the providers are open, so a word that is in no table is never "other": its line stays UNCLASSIFIED and stops its
payout, and nothing else, until the merchant says what it means (payouts.providers.NAME.categories).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Final

from bcns_pipeline.rules.payouts.model import LineClass, Payout, PayoutLine

C = LineClass


@dataclass(frozen=True, slots=True)
class Meaning:
    """A word that means one thing for money that came and another for money that went."""

    came: LineClass
    went: LineClass


Table = Mapping[str, LineClass | Meaning]

# Reporting categories, and the types that stand for them where a row has none. transfer*, platform_*, connect_* and
# other_adjustment are the merchant's to say.
_STRIPE: Final[Table] = {
    "charge": C.GROSS_SALES,
    "partial_capture_reversal": C.PARTIAL_CAPTURE_REVERSAL,
    "charge_failure": C.CHARGE_FAILURE,
    "refund": C.REFUND,
    "refund_failure": C.REFUND_RETURNED,
    "dispute": C.CHARGEBACK,
    "dispute_reversal": C.CHARGEBACK_RETURNED,
    "fee": C.FEE_STANDALONE,
    "network_cost": C.FEE_STANDALONE,
    "stripe_fee": C.FEE_STANDALONE,
    "stripe_fx_fee": C.FEE_STANDALONE,
    "payment": C.GROSS_SALES,
    "payment_refund": C.REFUND,
    "payment_failure_refund": C.CHARGE_FAILURE,
    "tax": C.FEE_TAX,
    "risk_reserved_funds": C.RESERVE,
    "payment_network_reserve_hold": C.RESERVE,
    "payment_network_reserve_release": C.RESERVE,
    "connect_reserved_funds": C.RESERVE,
    "payout_minimum_balance_hold": C.RESERVE_MINBAL,
    "payout_minimum_balance_release": C.RESERVE_MINBAL,
    "payout": C.PAYOUT_EVENT,
    "payout_reversal": C.PAYOUT_RETURNED,
    "payout_failure": C.PAYOUT_RETURNED,
    "payout_cancel": C.PAYOUT_RETURNED,
    "topup": C.TRANSFER_IN,
    "topup_reversal": C.TRANSFER_IN,
    "financing_*": C.LOAN,
    "anticipation_repayment": C.LOAN,
    "advance": C.LOAN,
    "advance_funding": C.LOAN,
    "contribution": C.DONATION,
    "climate_*": C.DONATION,
}

# T-codes; the first two digits say enough. A payment sent (T00 that went) is nobody's sale.
_PAYPAL: Final[Table] = {
    "t00??": Meaning(came=C.GROSS_SALES, went=C.UNCLASSIFIED),
    "t0106": C.FEE_DISPUTE,
    "t01??": C.FEE_STANDALONE,
    "t02??": C.CONVERSION,
    "t03??": C.TRANSFER_IN,
    # A withdrawal is the payout; one that came back is part of the next one's sum.
    "t04??": Meaning(came=C.PAYOUT_RETURNED, went=C.PAYOUT_EVENT),
    "t1105": C.RESERVE,
    "t1106": C.CHARGEBACK,
    "t1107": C.REFUND,
    "t1108": C.FEE_STANDALONE,
    "t1110": C.RESERVE,
    "t1111": C.RESERVE,
    "t1201": C.CHARGEBACK,
    "t1202": C.CHARGEBACK_RETURNED,
    "t1503": C.RESERVE,
    "t21??": C.RESERVE,
}

# Types of the settlement details report. PaidOut, MatchedStatement and ManualCorrected differ by contract.
_ADYEN: Final[Table] = {
    "settled": C.GROSS_SALES,
    "refunded": C.REFUND,
    "refundedreversed": C.REFUND_RETURNED,
    "chargeback": C.CHARGEBACK,
    "secondchargeback": C.CHARGEBACK,
    "chargebackreversed": C.CHARGEBACK_RETURNED,
    "fee": C.FEE_STANDALONE,
    "misccosts": C.FEE_STANDALONE,
    "invoicededuction": C.FEE_STANDALONE,
    "paymentcost": C.FEE_STANDALONE,
    "depositcorrection": C.RESERVE,
    "balancetransfer": C.RESERVE_MINBAL,
    "merchantpayout": C.PAYOUT_EVENT,
    "bankinstructionreturned": C.PAYOUT_RETURNED,
}

_BRAINTREE: Final[Table] = {
    "sale": C.GROSS_SALES,
    "credit": C.REFUND,
    "dispute": C.CHARGEBACK,
    "dispute_won": C.CHARGEBACK_RETURNED,
    "fee": C.FEE_STANDALONE,
}

# transaction-type/amount-type/amount-description of a marketplace's flat file. What the buyer paid is the
# principal with shipping and tax, less what promotions gave back: together they are the order's capture.
_AMAZON: Final[Table] = {
    "refund/itemprice/*": C.REFUND,
    "chargeback refund/itemprice/*": C.CHARGEBACK,
    "a-to-z guarantee refund/itemprice/*": C.CHARGEBACK,
    "*/itemprice/*": Meaning(came=C.GROSS_SALES, went=C.REFUND),
    "refund/promotion/*": C.REFUND_RETURNED,
    "*/promotion/*": C.SALES_DISCOUNT,
    "*/itemfees/fba*": C.FEE_FULFILMENT,
    "*/itemfees/*": C.FEE_SELLING,
    "*/itemwithheldtax/*": C.MARKETPLACE_TAX,
    "servicefee/*": C.FEE_STANDALONE,
    "*/subscription fee": C.FEE_STANDALONE,
    "*/storage fee": C.FEE_STANDALONE,
    "*/cost of advertising/*": C.FEE_STANDALONE,
    "*/current reserve amount": C.RESERVE,
    "*/previous reserve amount balance": C.RESERVE,
    "*/payable to amazon": C.TRANSFER_IN,
    "*/successful charge": C.TRANSFER_IN,
}

# The documented CSV: every class by its own name, and what people write instead.
_GENERIC: Final[Table] = {
    **{cls.value: cls for cls in LineClass if cls is not C.UNCLASSIFIED},
    "charge": C.GROSS_SALES,
    "sale": C.GROSS_SALES,
    "payment": C.GROSS_SALES,
    "capture": C.GROSS_SALES,
    "refund_reversal": C.REFUND_RETURNED,
    "dispute": C.CHARGEBACK,
    "dispute_won": C.CHARGEBACK_RETURNED,
    "dispute_reversal": C.CHARGEBACK_RETURNED,
    "dispute_lost": C.CHARGEBACK_LOST,
    "dispute_fee": C.FEE_DISPUTE,
    "fee": C.FEE_STANDALONE,
    "reserve_hold": C.RESERVE,
    "reserve_release": C.RESERVE,
    "payout": C.PAYOUT_EVENT,
    "payout_reversal": C.PAYOUT_RETURNED,
}

# Lines that no provider wrote and that a file's own balances call for: they stay in the clearing account.
_CARRIED: Final[Table] = {
    "balance_brought_forward": C.RESERVE_MINBAL,
    "balance_carried_forward": C.RESERVE_MINBAL,
}

TABLES: Final[Mapping[str, Table]] = {
    "stripe": _STRIPE,
    "paypal": _PAYPAL,
    "adyen": _ADYEN,
    "braintree": _BRAINTREE,
    "amazon": _AMAZON,
}


def table_of(provider: str) -> Table:
    """The provider's vocabulary; a provider that we do not know writes the documented CSV."""
    return {**_CARRIED, **TABLES.get(provider, _GENERIC)}


@dataclass(frozen=True, slots=True)
class Unmapped:
    """A word that nobody has given a meaning, with the lines that carry it."""

    word: str
    lines: tuple[str, ...]


def classify(payout: Payout, own: Mapping[str, LineClass] | None = None) -> tuple[Payout, list[Unmapped]]:
    """The payout with the class of each line, and the words that have none.

    `own` is the merchant's vocabulary, which comes before ours. A word is looked for by itself and together with
    the provider's second word ("other_adjustment/advance"), exactly first and then as a pattern; case is no matter.
    """
    reader = _Reader(payout.provider, own or {})
    lines: list[PayoutLine] = []
    unknown: dict[str, list[str]] = defaultdict(list)
    for line in payout.lines:
        cls = reader.cls(line)
        if cls is LineClass.UNCLASSIFIED:
            unknown[line.category].append(line.id)
        lines.append(line if line.cls is cls else replace(line, cls=cls))
    return replace(payout, lines=tuple(lines)), [
        Unmapped(word, tuple(ids)) for word, ids in sorted(unknown.items())
    ]


class _Reader:
    """Each pair of words is looked up once, however many lines carry it."""

    def __init__(self, provider: str, own: Mapping[str, LineClass]) -> None:
        self._tables: tuple[Table, ...] = (
            {word.casefold(): cls for word, cls in own.items()},
            table_of(provider),
        )
        self._known: dict[tuple[str, str], LineClass | Meaning] = {}

    def cls(self, line: PayoutLine) -> LineClass:
        """The class of one line."""
        words = (line.category, line.kind)
        found = self._known.get(words)
        if found is None:
            found = self._known[words] = self._look_up(*words)
        if isinstance(found, LineClass):
            return found
        return found.went if line.gross < 0 else found.came

    def _look_up(self, category: str, kind: str) -> LineClass | Meaning:
        word = category.casefold()
        names = (f"{word}/{kind.casefold()}", word) if kind else (word,)
        for table in self._tables:
            for name in names:
                if name in table:
                    return table[name]
            for name in names:
                for pattern, meaning in table.items():
                    if fnmatchcase(name, pattern):
                        return meaning
        return LineClass.UNCLASSIFIED
