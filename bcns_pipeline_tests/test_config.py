from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bcns_pipeline.config import Mapping, json_schema, load_mapping, load_or_default
from bcns_pipeline.rules.faults import BadInput

ROOT = Path(__file__).resolve().parent.parent
# As design section 3 shows it; its last line is five here, because YAML has one key a line.
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
channels: {1: {subsidiary: 1, location: 1, ...}}
orders: {...}
customers: {...}
cash: {...}
payouts: {...}
alerts: {...}
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
    assert made.channels[1]["location"] == 1
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
    plain = Mapping().model_dump()
    assert shown.keys() == plain.keys()
    for section in ("store", "netsuite", "cutover", "inventory"):
        assert shown[section].keys() == plain[section].keys()


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
    reordered = (
        "\n".join(reversed(EXAMPLE.strip().splitlines()[-6:])) + "\n" + "\n".join(EXAMPLE.splitlines()[:-6])
    )
    assert mapping(tmp_path, reordered).digest == plain
    assert mapping(tmp_path, EXAMPLE.replace("threshold: 5", "threshold: 6")).digest != plain
    assert mapping(tmp_path, "orders: {since: 2026-01-01, 1: a, b: 2}").digest != Mapping().digest
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


@settings(deadline=None)
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
