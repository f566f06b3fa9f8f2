from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bcns_pipeline.config import Mapping, json_schema, load_mapping, load_or_default
from bcns_pipeline.config.channels import ChannelMapping
from bcns_pipeline.config.intake import SCOPES
from bcns_pipeline.config.tax import ReverseChargeMapping
from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.rules.money import Money
from bcns_pipeline.rules.orders.policy import TaxCode

ROOT = Path(__file__).resolve().parent.parent
# As design section 3 shows it, with its dots filled in.
EXAMPLE = """
version: 1
store: {timezone: America/New_York}        # default: read from the store
cutover: {at: 2026-01-01}                  # older orders are adopted or listed, never created
inventory:
  schedule: "7-59/15 * * * *"              # store time zone; an offset keeps off the full hour
  quantity: available                      # available | on_hand_minus_committed | expression
  expression: null                         # + - min max, numbers, available on_hand committed ...
  locations: [{netsuite: [1, 6], bigcommerce: 1}]
  kits: {mode: pooled}                     # pooled | per_location
  safety_stock: {owner: none, value: 0}    # none | netsuite | pipeline | bigcommerce: exactly one owner
  low_stock: {threshold: 5}
  breaker: {max_changed_percent: 30, max_oversold_percent: 2}
channels: {1: {subsidiary: 1, location: 1, class: 3, guests: match_email}}
orders: {discounts: {owner: bigcommerce}, rounding: {item: 90}, tax: {item: 91}, updates: off}
customers: {}
cash: {}
payouts: {}
alerts: {}
"""


def mapping(tmp_path: Path, text: str) -> Mapping:
    """What the text is understood as."""
    path = tmp_path / "bcns.yaml"
    path.write_text(text)
    return load_mapping(path)


def faults(tmp_path: Path, text: str) -> list[str]:
    """What is wrong with the text, each fault checked to be one sentence."""
    with pytest.raises(BadInput) as bad:
        mapping(tmp_path, text)
    for fault in bad.value.faults:
        assert fault.endswith((".", "?"))
        assert "\n" not in fault
    return list(bad.value.faults)


def test_the_example_of_the_design_is_accepted(tmp_path: Path) -> None:
    made = mapping(tmp_path, EXAMPLE)
    assert made.store.timezone == "America/New_York"
    assert made.cutover.at == date(2026, 1, 1)
    assert (made.channels[1].location, made.channels[1].class_, made.orders.updates) == (1, 3, "off")
    assert made.order_faults() == []
    policy = made.inventory.policy()
    assert policy.routes == ((1, 1), (6, 1))
    assert (policy.rule, policy.kits, policy.buffer, policy.low_stock_threshold) == (
        "available",
        "pooled",
        0,
        5,
    )


def test_an_empty_file_and_the_file_of_the_repository_are_the_defaults(tmp_path: Path) -> None:
    assert mapping(tmp_path, "") == mapping(tmp_path, "version: 1\n") == Mapping()
    assert load_mapping(ROOT / "bcns.yaml") == Mapping()


def test_the_file_of_the_repository_shows_every_key() -> None:
    shown = yaml.safe_load((ROOT / "bcns.yaml").read_text())
    plain = Mapping().model_dump(by_alias=True)
    assert shown.keys() == plain.keys()
    for section in ("store", "netsuite", "cutover", "inventory", "orders"):
        assert shown[section].keys() == plain[section].keys()
    for section, keys in plain["orders"].items():
        if isinstance(keys, dict):
            assert shown["orders"][section].keys() == keys.keys()
    text = (ROOT / "bcns.yaml").read_text()
    for model in (ChannelMapping, ReverseChargeMapping):
        for name, key in model.model_fields.items():
            assert f"{key.alias or name}:" in text or name in {"rate", "item"}


def test_every_fault_is_named_at_once_with_its_line(tmp_path: Path) -> None:
    text = """\
version: 2
stor: {timezone: UTC}
store: {timezone: Mars/Olympus}
netsuite: {oneworld: maybe, scope_form: 3}
cutover: {at: soon}
inventory:
  schedul: "1 * * * *"
  full_schedule: "61 * * * *"
  quantity: avail
  kits: {mode: together}
  safety_stock: {owner: pipeline}
  low_stock: {threshold: -1}
  low_stock: 3
  breaker: {max_changed_percent: 300, max_oversold_percent: true, min_changed: 1.5}
  locations:
    - {netsuite: [1, "6"], bigcommerce: 1}
    - {netsuite: [], bigcomerce: 2}
channels: {a: {}, 2: 3}
orders: [1]
"""
    assert faults(tmp_path, text) == [
        "bcns.yaml, line 13: inventory.low_stock is given twice; keep one of them.",
        "bcns.yaml, line 1: version must be 1, not 2.",
        "bcns.yaml, line 2: stor is no key of this file; did you mean store?",
        "bcns.yaml, line 3: store.timezone: 'Mars/Olympus' is no time zone; "
        "write one such as America/New_York or UTC.",
        'bcns.yaml, line 4: netsuite.oneworld must be true or false or auto, not "maybe".',
        "bcns.yaml, line 4: netsuite.scope_form must be list or string, not 3.",
        'bcns.yaml, line 5: cutover.at must be a date such as 2026-01-31, not "soon".',
        "bcns.yaml, line 7: inventory.schedul is no key of this file; did you mean schedule?",
        "bcns.yaml, line 8: inventory.full_schedule: '61' is no minute of a cron line; 0 to 59 are.",
        "bcns.yaml, line 9: inventory.quantity must be available, on_hand_minus_committed or expression, "
        'not "avail".',
        'bcns.yaml, line 10: inventory.kits.mode must be pooled or per_location, not "together".',
        "bcns.yaml, line 11: inventory.safety_stock.value: 0 units, although the pipeline owns the safety "
        "stock; set the units, or owner: none.",
        "bcns.yaml, line 13: inventory.low_stock must be a group of keys, not 3.",
        "bcns.yaml, line 14: inventory.breaker.max_changed_percent must be at most 100, not 300.",
        "bcns.yaml, line 14: inventory.breaker.max_oversold_percent must be a number, not true.",
        "bcns.yaml, line 14: inventory.breaker.min_changed must be a whole number, not 1.5.",
        'bcns.yaml, line 16: inventory.locations[0].netsuite[1] must be a whole number, not "6".',
        "bcns.yaml, line 17: inventory.locations[1].netsuite must be a list of at least 1, not [].",
        "bcns.yaml, line 17: inventory.locations[1].bigcommerce is missing; add it.",
        "bcns.yaml, line 17: inventory.locations[1].bigcomerce is no key of this file; "
        "did you mean bigcommerce?",
        'bcns.yaml, line 18: channels.a must be keyed by whole numbers, not "a".',
        "bcns.yaml, line 18: channels[2] must be a group of keys, not 3.",
        "bcns.yaml, line 19: orders must be a group of keys, not [1].",
    ]


@pytest.mark.parametrize(
    ("inventory", "part"),
    [
        ("safety_stock: {owner: none, value: 3}", "3 units that nobody would hold back, as owner is none"),
        ("safety_stock: {value: 3}", "3 units that nobody would hold back, as owner is none"),
        ("safety_stock: {owner: bigcommerce, value: 3}", "as owner is bigcommerce"),
        ("safety_stock: {owner: pipeline, value: 0}", "although the pipeline owns"),
        ("quantity: expression", "inventory.expression: missing, although quantity is expression"),
        ("expression: available - 2", "inventory.expression: not used, as quantity is available"),
        ("{quantity: expression, expression: stock - 1}", "'stock', which is no stock term"),
        ("{quantity: expression, expression: 5}", "must be text, not 5"),
        ("locations: []", "an empty list"),
        (
            "locations: [{netsuite: [1], bigcommerce: 1}, {netsuite: [2], bigcommerce: 1}]",
            "BigCommerce location 1 stands there 2 times",
        ),
        (
            "locations: [{netsuite: [1, 6], bigcommerce: 1}, {netsuite: [6], bigcommerce: 2}]",
            "NetSuite location 6 stands there 2 times and would be sold as often",
        ),
        ("locations: [{netsuite: [0], bigcommerce: 1}]", "must be at least 1, not 0"),
        ("sku_field: item id; drop table", "lower-case letters, digits and _"),
        ("sample_size: 5000", "must be at most 1000"),
        ("schedule: 5", "must be text, not 5"),
    ],
)
def test_what_contradicts_itself_is_refused(tmp_path: Path, inventory: str, part: str) -> None:
    body = inventory if inventory.startswith("{") else f"{{{inventory}}}"
    (fault,) = faults(tmp_path, f"inventory: {body}\n")
    assert part in fault
    assert fault.startswith("bcns.yaml, line 1: inventory.")


def test_one_value_with_several_faults_gives_a_sentence_for_each(tmp_path: Path) -> None:
    text = (
        "inventory:\n  locations: [{netsuite: [1, 2], bigcommerce: 1}, {netsuite: [1, 2], bigcommerce: 1}]\n"
    )
    assert len(faults(tmp_path, text)) == 3


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("inventory: {quantity: [", "line 1: this is not YAML"),
        ("a: b: c", "line 1: this is not YAML (mapping values are not allowed here)"),
        ("orders: {...}   customers: {...}", "line 1: this is not YAML"),
        ("- 1\n- 2\n", "the file must be a group of keys, not [1, 2]"),
        ("5", "the file must be a group of keys, not 5"),
        ("cutover: {at: 2026-13-01}", "has a date that does not exist"),
        ("orders: &a {b: *a}", "an alias refers to itself"),
        ("{[1]: 2}", "a list can't be a key"),
        ("a: 1\n---\nb: 2\n", "this is not YAML"),
        ("a: \x01", "characters that YAML does not allow"),
        ("a: !!python/object:os.system {}", "this is not YAML"),
    ],
)
def test_what_is_not_a_mapping_file_is_one_sentence(tmp_path: Path, text: str, part: str) -> None:
    (fault,) = faults(tmp_path, text)
    assert part in fault


def test_a_missing_or_unreadable_file_is_one_sentence_and_loads_as_defaults(tmp_path: Path) -> None:
    made, missing = load_or_default(tmp_path / "none.yaml")
    assert made == Mapping()
    assert len(missing) == 1
    assert "none.yaml does not exist; copy the repository's bcns.yaml there" in missing[0]
    assert "can't be read" in load_or_default(tmp_path)[1][0]
    (tmp_path / "latin.yaml").write_bytes(b"store: {timezone: \xe9}")
    assert load_or_default(tmp_path / "latin.yaml")[1] == ["latin.yaml is not UTF-8 text; save it as such."]


def test_a_sound_file_has_no_faults(tmp_path: Path) -> None:
    (tmp_path / "bcns.yaml").write_text(EXAMPLE)
    made, none = load_or_default(tmp_path / "bcns.yaml")
    assert none == []
    assert made.inventory.locations is not None


def test_routes_of_the_flow_replace_the_locations_of_the_file(tmp_path: Path) -> None:
    made = mapping(tmp_path, EXAMPLE).inventory
    assert made.policy([((7, 8), 3)]).routes == ((7, 3), (8, 3))
    with pytest.raises(BadInput, match=r"inventory\.locations: there is no location"):
        Mapping().inventory.policy()


def test_the_policy_holds_back_only_what_the_pipeline_owns(tmp_path: Path) -> None:
    text = (
        "inventory: {safety_stock: {owner: pipeline, value: 3}, locations: [{netsuite: [1], bigcommerce: 1}]}"
    )
    assert mapping(tmp_path, text).inventory.policy().buffer == 3
    assert mapping(tmp_path, text.replace("pipeline, value: 3", "netsuite")).inventory.policy().buffer == 0


def test_equal_meaning_gives_an_equal_digest_and_another_meaning_another(tmp_path: Path) -> None:
    plain = mapping(tmp_path, EXAMPLE).digest
    lines = EXAMPLE.strip().splitlines()
    reordered = "\n".join([*reversed(lines[-6:]), *lines[:-6]])
    assert mapping(tmp_path, reordered).digest == plain
    assert mapping(tmp_path, EXAMPLE.replace("threshold: 5", "threshold: 6")).digest != plain
    assert mapping(tmp_path, "cash: {billing: netsuite}").digest != Mapping().digest
    assert len(plain) == 64


def test_the_schema_in_docs_is_current() -> None:
    kept = json.loads((ROOT / "docs" / "bcns.schema.json").read_text())
    assert kept == json_schema(), (
        "write it anew: python -c 'import json; from bcns_pipeline.config import json_schema; "
        "print(json.dumps(json_schema(), indent=2))' > docs/bcns.schema.json"
    )


def _as_json(text: str) -> Any:
    return json.loads(json.dumps(yaml.safe_load(text), default=str))


def test_an_editor_that_uses_the_schema_agrees_about_good_and_bad_files() -> None:
    validator = jsonschema.Draft202012Validator(json_schema())
    validator.check_schema(json_schema())
    assert validator.is_valid(_as_json(EXAMPLE))
    assert validator.is_valid(_as_json((ROOT / "bcns.yaml").read_text()))
    assert not validator.is_valid({"inventory": {"quantity": "avail"}})
    assert not validator.is_valid({"stor": {}})
    assert not validator.is_valid({"orders": {"updates": "sometimes"}})


plain_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5) | st.dates(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5) | st.integers(0, 9), inner, max_size=3)
    ),
    max_leaves=8,
)
keys = st.sampled_from([*Mapping.model_fields, "nonsense"])
inventory_keys = st.sampled_from([*type(Mapping().inventory).model_fields, "nonsense"])


@given(
    st.dictionaries(keys, plain_values, max_size=4),
    st.dictionaries(inventory_keys, plain_values, max_size=4),
)
def test_whatever_the_file_holds_the_answer_is_a_mapping_or_sentences(
    tmp_path_factory: pytest.TempPathFactory, outer: dict[str, Any], inner: dict[str, Any]
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(yaml.safe_dump({**outer, "inventory": inner}), "utf-8")
    made, found = load_or_default(path)
    assert len(made.digest) == 64
    assert all(
        isinstance(fault, str) and fault.endswith((".", "?")) and "Traceback" not in fault for fault in found
    )


ORDERS = """\
cutover: {at: 2026-01-01}
channels:
  1: {subsidiary: 1, location: 2, class: 3, fields: {cseg_channel: 4, custbody_shop: US, custbody_web: true}}
  2: {subsidiary: 2, record: cash_sale, timezone: Europe/Berlin, marketplace: true, tax_mode: ns_recalc}
orders:
  statuses: [11, 9]
  stopped: {closed: 5, held: ignore}
  discounts: {owner: bigcommerce, as: lines, item: 30}
  tax:
    code: 12
    type: 5
    codes: {State Tax: {code: 14, rate: 8.875}}
    exempt_code: 13
    marketplace_item: 40
    tolerance: {USD: 0.02}
    reverse_charge: {code: 15, countries: [DE, FR], field: custbody_vat_id}
  shipping: {methods: {"UPS  Ground": 7, "ups*": 8}}
  fees: {item: 50, by_name: {Gift Card Fee: 51}}
  rounding: {item: 90}
  fields: {custbody_bc_order_id: id, custbody_po: {path: staff_notes, as: text}}
  line_fields: {custcol_net: {path: $net, as: number}}
  purchase_order: off
  capture_policy: block
  materiality: {USD: 10000.10}
"""


def test_the_policy_of_orders_is_what_the_file_says(tmp_path: Path) -> None:
    made = mapping(tmp_path, ORDERS)
    assert made.order_faults() == []
    policy = made.order_policy("America/New_York")
    assert policy.cutover == datetime(2026, 1, 1, tzinfo=ZoneInfo("America/New_York"))
    assert policy.statuses == {9, 11}
    assert policy.stopped == {"H": 5, "C": "exception"}
    first, second = policy.channels[1], policy.channels[2]
    assert (first.subsidiary, first.location, first.class_id, first.record) == (1, 2, 3, "salesOrder")
    assert first.fields == {"cseg_channel": {"id": "4"}, "custbody_shop": "US", "custbody_web": True}
    assert (second.record, second.zone, second.marketplace) == ("cashSale", "Europe/Berlin", True)
    assert policy.channel(3) is None
    assert policy.tax.codes == {"state tax": TaxCode(14, "5", Decimal("8.875"))}
    assert policy.tax.exempt == TaxCode(13, "5")
    assert policy.tax.tolerance == {"USD": Decimal("0.02")}
    assert policy.tax.reverse_charge is not None
    assert policy.tax.reverse_charge.post == TaxCode(15, "5")
    assert policy.shipping.method("ups ground") == 7
    assert policy.shipping.method(" UPS Next Day") == 8
    assert policy.shipping.method("Flat Rate") is None
    assert policy.fee_items == {"gift card fee": 51}
    assert policy.line_fields["custcol_net"].computed == "$net"
    assert (policy.purchase_order, policy.capture, policy.updates) == ("off", "block", "full")
    assert policy.too_large(Money.of("10000.10", "USD")) is None
    assert "above orders.materiality" in str(policy.too_large(Money.of("10000.11", "USD")))


def test_hooks_tell_of_metafields_only_where_an_order_maps_one() -> None:
    orders = {
        "fields": {"custbody_tier": "metafields.loyalty.tier"},
        "tax": {"reverse_charge": {"code": 15, "countries": ["DE"], "evidence": "metafields.b2b.vat_id"}},
        "purchase_order": "metafields.b2b.po",
    }
    asked, usual = Mapping.model_validate({"orders": orders}), Mapping()
    assert asked.order_policy().metafields == {("loyalty", "tier"), ("b2b", "vat_id"), ("b2b", "po")}
    added = set(asked.hook_scopes()) - set(usual.hook_scopes())
    assert added == {f"store/order/metafield/{what}" for what in ("created", "updated", "deleted")}
    assert usual.hook_scopes() == SCOPES
    intake = {"hooks": {"scopes": ["store/order/*"]}}
    assert Mapping.model_validate({"orders": orders, "intake": intake}).hook_scopes() == ("store/order/*",)


def test_without_channels_every_order_goes_to_the_one_company() -> None:
    policy = Mapping().order_policy()
    assert policy.channel(1) == policy.channel(77) == policy.any_channel
    assert policy.store_zone == "UTC"


def test_what_orders_need_and_stock_does_not_is_told_by_key(tmp_path: Path) -> None:
    text = """\
channels: {2: {marketplace: true, guests: channel_guest}}
orders: {prices: gross, discounts: {as: lines}, shipping: {as: line, unmapped: default},
  tax: {mode: bc_final, code: 12}}
"""
    made = mapping(tmp_path, text)
    found = made.order_faults()
    for key in (
        "orders.discounts.owner",
        "orders.discounts.item",
        "orders.rounding.item",
        "orders.shipping.item",
        "orders.shipping.default",
        "orders.tax.type",
        "orders.tax.marketplace_item",
        "channels.2.guest_customer",
        "cutover.at",
    ):
        assert [fault for fault in found if fault.startswith(f"{key} is missing")], key
    assert all(fault.endswith(".") for fault in found)
    with pytest.raises(BadInput, match="discounts"):
        made.require_orders()


@pytest.mark.parametrize(
    ("tax", "part"),
    [
        ("{}", "needs a code (accounts with SuiteTax) or an item"),
        ("{method: suitetax, item: 5}", "orders.tax.code is missing"),
        ("{method: item_line, code: 5, type: 1}", "orders.tax.item is missing"),
        ("{codes: {VAT: {code: 5}}}", "orders.tax.codes.VAT.type is missing"),
    ],
)
def test_how_tax_is_posted_has_to_be_said(tmp_path: Path, tax: str, part: str) -> None:
    assert part in "\n".join(mapping(tmp_path, f"orders: {{tax: {tax}}}").order_faults())


def test_tax_that_netsuite_computes_needs_neither_code_nor_item_but_amounts_without_tax(
    tmp_path: Path,
) -> None:
    made = mapping(tmp_path, "orders: {tax: {mode: ns_recalc}}")
    assert not [fault for fault in made.order_faults() if "orders.tax" in fault]
    gross = mapping(tmp_path, "orders: {prices: gross, tax: {mode: ns_recalc}}")
    assert "would be taxed again" in "\n".join(gross.order_faults())


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("orders: {statuses: [11, 5]}", "orders.statuses: 5 (Cancelled) is never posted; remove it"),
        ("orders: {statuses: [15]}", "must be at most 14"),
        ("orders: {statuses: []}", "an empty list would post nothing"),
        ("orders: {updates: on}", "must be off, status_only or full"),
        ("orders: {discounts: {owner: shopify}}", "must be bigcommerce or netsuite"),
        ("orders: {discounts: {a: net}}", "is no key of this file; did you mean as?"),
        ("orders: {fields: {entity: id}}", "entity is not free to map"),
        ("orders: {fields: {custbody bad: id}}", "is no name of a NetSuite field"),
        ("orders: {fields: {custbody_a: $net}}", "is not known here"),
        ("orders: {fields: {custbody_a: a..b}}", "is no path"),
        ("orders: {line_fields: {custcol_a: $nett}}", "is not known here; $consignment,"),
        ("orders: {materiality: {usd: 5}}", "no ISO 4217"),
        ("orders: {materiality: {USD: -5}}", "must be at least 0"),
        ("orders: {materiality: {USD: many}}", "must be a number"),
        ("orders: {materiality: {USD: true}}", "true and false are no numbers"),
        ("orders: {tax: {reverse_charge: {countries: [Germany]}}}", "'Germany' is no country"),
        ("channels: {1: {clas: 3}}", "did you mean class?"),
        ("channels: {1: {fields: {custbody_a: 1.5}}}", "custbody_a must be"),
    ],
)
def test_what_is_wrong_about_orders_is_said_with_its_key(tmp_path: Path, text: str, part: str) -> None:
    (fault,) = faults(tmp_path, text + "\n")
    assert part in fault
