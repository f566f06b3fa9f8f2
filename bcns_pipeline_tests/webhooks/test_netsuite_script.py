"""The scripts of deploy/netsuite, run by node with stand-ins for NetSuite's modules."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from bcns_pipeline.webhooks.events import Changed, read_netsuite
from bcns_pipeline_tests.conftest import ROOT

SOURCE = ROOT / "deploy" / "netsuite" / "src"
SCRIPTS = SOURCE / "FileCabinet" / "SuiteScripts" / "bcns"
OBJECTS = sorted((SOURCE / "Objects").glob("*.xml"))
NODE = shutil.which("node")
with_node = pytest.mark.skipif(NODE is None, reason="node is not installed")


def run(*saves: dict[str, Any], codes: tuple[int, ...] = (), broken: str | None = None) -> dict[str, Any]:
    """Each save's user event, then one run of the sender; what it posted and what is left in the queue."""
    return by_node("suitescript.js", {"saves": saves, "codes": codes, "broken": broken})


def by_node(stand_ins: str, scenario: dict[str, Any]) -> dict[str, Any]:
    """What happened in a scenario, as the file with stand-ins for NetSuite's modules tells it."""
    done = subprocess.run(
        [str(NODE), str(Path(__file__).with_name(stand_ins)), str(SCRIPTS)],
        input=json.dumps(scenario),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    happened: dict[str, Any] = json.loads(done.stdout)
    return happened


def save(type_: str, number: int, new: list[int] | None, old: list[int] | None = None) -> dict[str, Any]:
    sublist = "inventory" if type_.startswith("inventory") else "item"

    def record(lines: list[int] | None) -> dict[str, Any] | None:
        return None if lines is None else {"id": number, "type": type_, "lines": {sublist: lines}}

    return {
        "type": "edit" if new is not None else "delete",
        "newRecord": record(new),
        "oldRecord": record(old),
    }


def told(happened: dict[str, Any]) -> set[Changed]:
    """What the receiver would make of everything posted."""
    return {one for post in happened["posts"] for one in read_netsuite(json.dumps(post["body"]).encode())}


@with_node
def test_a_saved_item_and_a_shipped_parcel_reach_the_receiver() -> None:
    happened = run(save("inventoryitem", 12, []), save("itemfulfillment", 9001, [13, 14]))
    assert told(happened) == {
        Changed("item", "12"),
        Changed("item", "13"),
        Changed("item", "14"),
        Changed("fulfilment", "9001"),
    }
    assert happened["rows"] == []
    assert {post["authorization"] for post in happened["posts"]} == {"Bearer {custsecret_bcns_event_token}"}


@with_node
def test_a_line_that_was_removed_and_a_record_that_was_deleted_are_told_too() -> None:
    happened = run(save("salesorder", 5, [13], [13, 14]), save("itemfulfillment", 9001, None, [15]))
    assert told(happened) == {
        *(Changed("item", one) for one in ("13", "14", "15")),
        Changed("fulfilment", "9001"),
    }


@with_node
def test_an_adjustment_of_many_items_fits_the_queue_and_the_receiver() -> None:
    happened = run(save("inventoryadjustment", 5, list(range(100_000_000_000, 100_000_002_500))))
    assert len(told(happened)) == 2500
    assert (happened["errors"], happened["rows"]) == ([], [])


@with_node
@pytest.mark.parametrize("code", [401, 429, 503])
def test_what_was_not_taken_stays_in_the_queue(code: int) -> None:
    happened = run(save("inventoryitem", 12, []), codes=(code,))
    assert happened["rows"] == [{"record": "inventoryitem", "ids": [12]}]
    assert happened["errors"][0]["details"] == f"HTTP {code}"


@with_node
def test_what_can_never_be_taken_does_not_hold_up_the_rest() -> None:
    happened = run(save("inventoryitem", 12, []), save("kititem", 13, []), codes=(400,))
    assert happened["rows"] == []
    assert len(happened["posts"]) == 2
    assert "does not understand" in happened["errors"][0]["title"]


@with_node
@pytest.mark.parametrize("broken", ["save", "submit"])
def test_a_save_never_fails_because_of_us(broken: str) -> None:
    happened = run(save("inventoryitem", 12, []), broken=broken)
    assert happened["thrown"] is None
    assert (told(happened) == {Changed("item", "12")}) == (broken == "submit")


@pytest.mark.parametrize(
    "path", [*OBJECTS, SOURCE / "manifest.xml", SOURCE / "deploy.xml"], ids=lambda p: p.name
)
def test_an_object_is_well_formed_and_names_what_exists(path: Path) -> None:
    root = ET.parse(path).getroot()
    assert path.stem == root.get("scriptid", path.stem)
    ids = [one.get("scriptid", "") for one in root.iter() if one.get("scriptid")]
    assert len(ids) == len(set(ids))
    # What SDF allows for a script id.
    assert [one for one in ids if not re.fullmatch(r"[a-z0-9_]{1,40}", one)] == []
    for file in root.iter("scriptfile"):
        assert (SOURCE / "FileCabinet" / (file.text or "").strip("[]/")).exists()


def test_the_scripts_name_the_objects_by_their_ids() -> None:
    known = set()
    for path in OBJECTS:
        known |= set(re.findall(r'scriptid="([a-z0-9_]+)"', path.read_text()))
    code = "".join(path.read_text() for path in SCRIPTS.glob("*.js"))
    assert set(re.findall(r'"(cust(?:omrecord|record|omscript|omdeploy|script)_\w+)"', code)) <= known


def test_the_body_in_the_readme_is_one_that_is_taken() -> None:
    (example,) = re.findall(
        r"```json\n(.*?)```", (ROOT / "deploy" / "netsuite" / "README.md").read_text(), re.DOTALL
    )
    assert {one.resource for one in read_netsuite(example.encode())} == {"item", "fulfilment"}
