"""The mapping file's customers, fulfilment, intake, alerts and shares of stock: what is understood, what is a fault.

Put these sections here. Stock, orders and the file as a whole are in `test_config.py`.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from bcns_pipeline.config import Mapping, load_mapping
from bcns_pipeline.config.customers import CustomersMapping
from bcns_pipeline.rules.alerts import AlertPolicy, Limit
from bcns_pipeline.rules.cash.policy import CashPolicy, Destination, StoredValue
from bcns_pipeline.rules.customers.policy import CustomerPolicy
from bcns_pipeline.rules.exceptions import Owner
from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.rules.shipments.policy import ShipmentPolicy, carrier_of

ROOT = Path(__file__).resolve().parent.parent
SECTIONS = ("cash", "customers", "fulfilment", "intake", "alerts")


def mapping(tmp_path: Path, text: str) -> Mapping:
    path = tmp_path / "bcns.yaml"
    path.write_text(text)
    return load_mapping(path)


def faults(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(BadInput) as bad:
        mapping(tmp_path, text)
    return [fault.split(": ", 1)[1] for fault in bad.value.faults]


def test_the_defaults_of_the_file_are_the_defaults_of_the_rules() -> None:
    made = Mapping()
    assert made.customers.policy() == CustomerPolicy()
    assert made.fulfilment.policy() == ShipmentPolicy()
    assert made.cash_policy() == CashPolicy()
    policy, rule = made.alerts.policy(), AlertPolicy()
    assert (policy.routes, policy.default, policy.group_minutes) == (
        rule.routes,
        rule.default,
        rule.group_minutes,
    )
    assert {one: policy.least[one] for one in rule.least} == rule.least
    assert policy.backlog["orders"] == Limit(1000, 30)
    assert made.alerts.sinks() == {"slack"}
    assert list(made.alerts.faults()) == []


def shown(plain: Any, written: Any, at: str = "") -> list[str]:
    if not isinstance(plain, dict) or not isinstance(written, dict):
        return []
    missing = [f"{at}{name}" for name in plain if name not in written]
    return missing + [
        one for name in plain if name in written for one in shown(plain[name], written[name], f"{at}{name}.")
    ]


@pytest.mark.parametrize("section", SECTIONS)
def test_the_file_of_the_repository_shows_every_key_of_the_section(section: str) -> None:
    written = yaml.safe_load((ROOT / "bcns.yaml").read_text())[section]
    plain = Mapping().model_dump(mode="json", by_alias=True)[section]
    plain = {**plain, "carriers": {}} if section == "fulfilment" else plain
    assert shown(plain, written) == []


def test_customers_are_mapped_as_written(tmp_path: Path) -> None:
    made = mapping(
        tmp_path,
        """
customers:
  company: always_person
  ambiguous: oldest
  fields:
    custentity_bc_customer_id: customer_id
    custentity_channel: {path: channel_id, values: {"1": 11}}
    custentity_vat: form_fields.VAT number
    comments: notes
  authority: {phone: first_write, comments: netsuite}
""",
    ).customers.policy()
    assert (made.company, made.ambiguous) == ("always_person", "oldest")
    assert [one.name for one in made.fields] == [
        "custentity_bc_customer_id",
        "custentity_channel",
        "custentity_vat",
        "comments",
    ]
    assert made.fields[1].values == {"1": 11}
    owners = {name: made.owner(name) for name in ("phone", "comments", "email", "custentity_channel")}
    assert owners == {
        "phone": "first_write",
        "comments": "netsuite",
        "email": "bigcommerce",
        "custentity_channel": "netsuite",
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("customers: {company: maybe}", "customers.company must be when_named, never or always_person"),
        (
            "customers: {fields: {custentity_a: shoe_size}}",
            "a shopper has no 'shoe_size'; it has attributes,",
        ),
        (
            "customers: {fields: {email: email}}",
            "email is not free to map; the pipeline itself says what it is.",
        ),
        ("customers: {fields: {externalId: email}}", "externalId is not free to map"),
        ("customers: {authority: {emial: netsuite}}", "emial has no authority; name, company, email"),
        ("customers: {authority: {custentity_b: netsuite}}", "custentity_b has no authority"),
        ("customers: {sync: 1}", "customers.sync must be true or false, not 1."),
        ("fulfilment: {carriers: {ups: {provider: UPS}}}", "'UPS' is no shipping provider of BigCommerce"),
        ("fulfilment: {carriers: {ups: {url: 'https://t.test'}}}", "'https://t.test' lacks {tracking}"),
        ("fulfilment: {tracking_url: 't.test/{tracking}'}", "is no address; write one such as"),
        ("fulfilment: {comments: Thanks!}", "'Thanks!' lacks {marker}, which says where it goes."),
        ("fulfilment: {keep_statuses: [15]}", "fulfilment.keep_statuses[0] must be at most 14, not 15."),
        ("fulfilment: {packages: both}", 'fulfilment.packages must be comments or shipments, not "both".'),
        ("intake: {hooks: {destination: 'http://shop.test/in'}}", "BigCommerce calls https on port 443 only"),
        (
            "intake: {hooks: {destination: 'https://shop.test:8443/in'}}",
            "BigCommerce calls https on port 443",
        ),
        (
            "intake: {hooks: {destination: 'https://shop.test'}}",
            "is no address of a receiver; write one such as",
        ),
        ("intake: {hooks: {destination: 'https://shop.test/in?key=1'}}", "remove user, ? and # from it"),
        ("intake: {hooks: {scopes: [order]}}", "'order' is no scope of a webhook"),
        ("intake: {hooks: {scopes: [store/a/b, store/a/b]}}", "store/a/b stands there twice"),
        ("intake: {missing_after_minutes: 1}", "intake.missing_after_minutes must be at least 5, not 1."),
        (
            "alerts: {default: [pigeon]}",
            'alerts.default[0] must be slack, email, webhook or events, not "pigeon".',
        ),
        ("alerts: {routes: {boss: [slack]}}", "'boss' is no owner; merchandising, operations, integration,"),
        ("alerts: {routes: {finance: []}}", "finance would hear of nothing; name a sink"),
        ("alerts: {default: []}", "default names no sink, so each owner needs an entry of its own."),
        ("alerts: {owners: {NO_CODE: finance}}", "'NO_CODE' is no exception code"),
        ("alerts: {email: {from: me}}", "'me' is no e-mail address"),
        ("alerts: {runbooks: 'https://docs.test'}", "lacks {code}"),
        ("alerts: {backlog: {stock: {count: 1}}}", "alerts.backlog.stock is no key of this file"),
    ],
)
def test_a_fault_is_one_sentence_that_says_how_to_mend_it(tmp_path: Path, text: str, said: str) -> None:
    (fault,) = faults(tmp_path, f"{text}\n")
    assert said in fault
    assert fault.endswith((".", "?"))


def test_parcels_are_mapped_as_written(tmp_path: Path) -> None:
    made = mapping(
        tmp_path,
        """
fulfilment:
  carriers: {"  UPS   Ground ": {provider: upsready}, "gls*": {tracking_carrier: gls, url: "https://t.test/{tracking}"}}
  note_field: custbody_bc_shipment_id
  keep_statuses: [12]
  ignore_items: [77]
""",
    ).fulfilment.policy()
    ground, gls = carrier_of(made, "ups ground", ""), carrier_of(made, "GLS Business", "")
    assert ground is not None
    assert gls is not None
    assert (ground.provider, gls.tracking_carrier) == ("upsready", "gls")
    assert (made.kept, made.ignored, made.note_field) == ({12}, {77}, "custbody_bc_shipment_id")


@pytest.mark.parametrize(
    "address",
    [
        "https://hooks.shop.test/webhooks/bigcommerce",
        "https://hooks.shop.test:443/in",
        "http://127.0.0.1:8787/webhooks/bigcommerce",
    ],
)
def test_a_receiver_that_the_store_can_reach_is_taken(tmp_path: Path, address: str) -> None:
    made = mapping(tmp_path, f"intake: {{hooks: {{destination: '{address}'}}}}\n")
    assert made.intake.hooks.destination == address


def test_alerts_go_where_their_owner_is_routed(tmp_path: Path) -> None:
    made = mapping(
        tmp_path,
        """
alerts:
  default: [slack]
  routes: {finance: [email, events]}
  owners: {CUSTOMER_AMBIGUOUS: finance}
  email: {from: bcns@shop.test, owners: {finance: [books@shop.test]}}
""",
    ).alerts
    policy = made.policy()
    assert policy.owner("CUSTOMER_AMBIGUOUS") is Owner.FINANCE
    assert policy.sinks("finance", "error") == ("email", "events")
    assert policy.sinks("finance", "warning") == ()
    assert made.sinks() == {"slack", "email", "events"}
    assert made.mail_to("finance") == ("books@shop.test",)
    assert list(made.faults()) == []


def test_mail_that_nobody_would_get_and_owners_that_nobody_would_hear_of_are_named(tmp_path: Path) -> None:
    silent = mapping(tmp_path, "alerts: {default: [email]}\n").alerts
    assert list(silent.faults()) == [
        "alerts.email.from is missing, although alerts go by e-mail.",
        "alerts.email.to is missing; nobody would get the mail for merchandising, operations, integration, "
        "finance, service.",
    ]


def test_a_field_that_the_long_form_gets_wrong_is_one_fault(tmp_path: Path) -> None:
    said = faults(tmp_path, "customers: {fields: {custentity_a: {path: notes, as: word}}}\n")
    assert len(said) == 1
    assert CustomersMapping.model_validate({"fields": {"custentity_a": {"path": "notes", "as": "flag"}}})


SHARED = """
inventory: {locations: [{netsuite: [1, 6], bigcommerce: 1}, {netsuite: [7], bigcommerce: 2}]}
channels:
"""


@pytest.mark.parametrize(
    ("availability", "part"),
    [
        ("{2: {availability: {location: 1, from: 1}}}", "2.availability.location 1 is fed by"),
        ("{2: {availability: {location: 5}}}", "2.availability.from is missing; it is one of 1, 2"),
        ("{2: {availability: {location: 5, from: 4}}}", "from 4 is not among inventory.locations"),
        ("{2: {availability: {from: 1}}}", "channels[2].availability.location is missing"),
        ("{2: {availability: {location: 5, from: 1, percent: 101}}}", "must be at most 100"),
        (
            "{2: {availability: {location: 5, from: 1, percent: 60}},"
            " 3: {availability: {location: 6, from: 1, percent: 41}}}",
            "given 101 percent of BigCommerce location 1; more than 100 would be sold twice",
        ),
        (
            "{2: {availability: {location: 5, from: 1, percent: 6}},"
            " 3: {availability: {location: 5, from: 2, percent: 4}}}",
            "3.availability.location 5 is that of channel 2 already",
        ),
    ],
)
def test_no_unit_is_given_to_two_storefronts(tmp_path: Path, availability: str, part: str) -> None:
    (fault,) = faults(tmp_path, SHARED + f"  {availability}\n")
    assert part in fault


def test_a_share_without_locations_has_nothing_to_be_a_share_of(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, "channels: {2: {availability: {location: 5}}}\n")
    assert "name them in inventory.locations" in fault


def test_cash_is_mapped_as_written(tmp_path: Path) -> None:
    made = mapping(
        tmp_path,
        """
channels:
  1: {receipts: payment}
  2: {record: cash_sale, cash_account: 1130}
payouts:
  providers:
    stripe: {clearing: {USD: 1130, EUR: 1132}}
    amazon: {clearing: 1135}
cash:
  accounts: {Bank Deposit: 1010, cheque*: 1011}
  marketplaces: {amazon*: amazon}
  gift_certificates: {item: 55}
  store_credit: {as: deposit, account: 2320}
  billing: netsuite
""",
    )
    policy, on = made.cash_policy(), date(2026, 3, 1)
    assert policy.destination("StripeV3", "USD", on) == Destination(1130, provider="stripe")
    assert policy.destination("stripe", "EUR", on) == Destination(1132, provider="stripe")
    assert policy.destination("stripe", "JPY", on) is None
    assert policy.destination("bank deposit", "JPY", on) == Destination(1010)
    assert policy.destination("amazon", "USD", on) == Destination(1135, provider="amazon")
    assert policy.marketplace("Amazon US", "USD", on) == Destination(1135, provider="amazon")
    assert policy.marketplace("ebay", "USD", on) is None
    assert (policy.gift_certificates, policy.store_credit) == (
        StoredValue(item=55),
        StoredValue("deposit", account=2320),
    )
    assert (policy.post_as, policy.cash_sale_accounts) == ({1: "payment", 2: "deposit"}, {2: 1130})
    assert list(made.cash.faults(made.payouts, made.channels)) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cash: {}", "payouts.providers is empty; name each provider's clearing account"),
        ("cash: {accounts: {cash: 5}, store_credit: {as: deposit}}", "cash.store_credit.account is missing"),
        (
            "{cash: {accounts: {cash: 5}}, channels: {2: {record: cash_sale}}}",
            "channels.2.cash_account is missing",
        ),
    ],
)
def test_what_booking_captures_needs_and_is_not_there_is_said(tmp_path: Path, text: str, said: str) -> None:
    made = mapping(tmp_path, text)
    assert [one for one in made.cash.faults(made.payouts, made.channels) if said in one]
