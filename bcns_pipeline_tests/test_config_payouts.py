"""The mapping file's payouts: what is understood, what is a fault. Other sections: `test_config.py`."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import yaml

from bcns_pipeline.clients.payments.profile import FileProfile
from bcns_pipeline.config import Mapping
from bcns_pipeline.config.payouts import ClassName
from bcns_pipeline.resources.settlements import profile_of
from bcns_pipeline.rules.payouts.accounts import Role, clearing_account
from bcns_pipeline.rules.payouts.model import LineClass
from bcns_pipeline.rules.payouts.policy import FeeBand, PayoutPolicy
from bcns_pipeline_tests.test_config_flows import ROOT, faults, mapping, shown

FILE = """
payouts:
  providers:
    stripe:
      account: acct1
      clearing: {USD: 1130, EUR: 1131}
      bank: {USD: 1010}
      fees: 6110
      fx: 7100
      categories: {other_adjustment: adjustment, "transfer*": {class: connect, account: 1170}}
      fee_band: {percent: 2.9, fixed: {USD: 0.30}}
      changes: [{since: 2026-07-01, fees: 6115}]
    us_shop: {provider: stripe, account: acct2, clearing: {USD: 1135}, bank: 1010, fees: 6110}
  summary_channels: [3]
  bank: {descriptors: {stripe: [STRIPE]}, holidays: [2026-07-03]}
"""


def test_the_defaults_of_the_file_are_the_defaults_of_the_rules() -> None:
    assert Mapping().payouts.policy() == PayoutPolicy()


def test_the_file_of_the_repository_shows_every_key_and_means_the_defaults() -> None:
    written = yaml.safe_load((ROOT / "bcns.yaml").read_text())["payouts"]
    assert shown(Mapping().model_dump(mode="json", by_alias=True)["payouts"], written) == []
    assert Mapping.model_validate({"payouts": written}).payouts == Mapping().payouts


def test_every_class_that_a_merchant_may_choose_is_one_of_the_rules() -> None:
    never = {LineClass.UNCLASSIFIED, LineClass.PAYOUT_EVENT}
    assert set(ClassName.__args__) == {one.value for one in LineClass if one not in never}  # type: ignore[attr-defined]


def test_payouts_are_mapped_as_written(tmp_path: Path) -> None:
    policy = mapping(tmp_path, FILE).payouts.policy()
    assert clearing_account(policy.book, "stripe", "acct1", "EUR", date(2026, 3, 4)) == 1131
    assert clearing_account(policy.book, "stripe", "acct2", "USD", date(2026, 3, 4)) == 1135
    assert clearing_account(policy.book, "stripe", "", "USD", date(2026, 3, 4)) is None
    stripe = policy.book.of("stripe", "acct1")
    assert stripe is not None
    assert stripe.at(Role.FEES, "USD", date(2026, 7, 1)) == 6115
    assert stripe.of_category("transfer*", date(2026, 7, 1)) == 1170
    decided = policy.of("stripe", "acct1")
    assert decided.classes == {"other_adjustment": LineClass.ADJUSTMENT, "transfer*": LineClass.CONNECT}
    assert decided.fee_band == FeeBand(Decimal("2.9"), {"USD": Decimal("0.3")})
    assert policy.of("stripe", "acct2") == policy.PLAIN
    assert policy.summary_channels == {3}
    assert policy.bank.descriptors == {"stripe": ("stripe",)}
    assert policy.bank.holidays == {date(2026, 7, 3)}


def test_what_posting_needs_and_is_not_there_is_said(tmp_path: Path) -> None:
    assert Mapping().payout_faults() == [
        "payouts.providers is empty; name each provider's clearing, bank and fees account."
    ]
    text = FILE.replace("bank: 1010, fees: 6110", "fees: 6110, revenue: 4000, returns: 4050, sales_tax: 2340")
    said = mapping(tmp_path, text).payout_faults()
    assert said == [
        *(
            f"payouts.providers.stripe.{key} is missing; payouts of payouts.summary_channels post to it."
            for key in ("revenue", "returns", "sales_tax")
        ),
        "payouts.providers.us_shop.bank is missing; name the NetSuite account.",
    ]


def test_what_contradicts_itself_is_a_fault_of_the_file(tmp_path: Path) -> None:
    said = faults(
        tmp_path,
        FILE.replace("account: acct2", "account: acct1").replace(
            "summary_channels: [3]", "order_hints: ['order (', 'no group']"
        ),
    )
    assert [one.split(";")[0] for one in said] == [
        "payouts.providers: us_shop and stripe are the same account 'acct1' of stripe.",
        "payouts.order_hints: 'order (' is no pattern: missing ), unterminated subpattern at position 6.",
        "payouts.order_hints: 'no group' needs one group in brackets, which is the order's number.",
    ]
    said = faults(tmp_path, FILE.replace("other_adjustment: adjustment", "other_adjustment: adjustments"))
    assert len(said) >= 1
    assert all("payouts.providers.stripe.categories.other_adjustment" in one for one in said)


def test_how_files_are_read_is_said_in_the_mapping_file(tmp_path: Path) -> None:
    files = "payouts:\n  files: {braintree_fees: monthly, stripe_zone: America/New_York, paypal_digits: {TWD: 2}}\n"
    profile = profile_of(mapping(tmp_path, files).payouts)
    assert (profile.braintree_fees, profile.stripe_zone) == ("monthly", "America/New_York")
    assert profile.paypal_digits == {"TWD": 2}
    assert profile_of(Mapping().payouts) == FileProfile()
    (fault,) = faults(tmp_path, "payouts: {files: {stripe_zone: Utopia/Nowhere}}")
    assert "'Utopia/Nowhere' is no time zone" in fault
