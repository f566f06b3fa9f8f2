"""NetSuite's customers through the record API.

Put property names, references, external ids and addresses here. Do not put authentication here.
"""

from __future__ import annotations

import itertools
from typing import Any

import httpx
import pytest

BASE = "/services/rest/record/v1/customer"
STRICT = {"X-NetSuite-PropertyNameValidation": "Error"}
NUMBERS = itertools.count(1)


def jane(**changes: Any) -> dict[str, Any]:
    """A customer that NetSuite takes."""
    body = {
        "externalId": f"bc-test-customer-{next(NUMBERS)}",
        "isPerson": True,
        "firstName": "Jane",
        "lastName": "Roe",
        "email": "jane@example.com",
        "subsidiary": {"id": "1"},
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}


def code_and_text(answer: httpx.Response) -> tuple[str, str]:
    """What a refusal says."""
    error = answer.json()["o:errorDetails"][0]
    return error["o:errorCode"], error["detail"]


def test_a_create_answers_204_and_where_the_record_is(netsuite: httpx.Client) -> None:
    body = jane()
    answer = netsuite.post(BASE, json=body, headers=STRICT)
    assert (answer.status_code, answer.content) == (204, b"")
    number = answer.headers["Location"].rsplit("/", 1)[1]
    shown = netsuite.get(f"{BASE}/{number}").json()
    assert shown["lastName"] == "Roe"
    assert shown["subsidiary"] == {"id": "1", "refName": "Sandbox Trading Inc."}
    found = {
        "q": "SELECT id, externalid, isperson FROM customer WHERE externalid = ?",
        "params": [body["externalId"]],
    }
    rows = netsuite.post("/services/rest/query/v1/suiteql", json=found).json()["items"]
    assert rows == [{"links": [], "id": number, "externalid": body["externalId"], "isperson": "T"}]


def test_the_same_external_id_again_is_a_user_error_in_netsuites_words(netsuite: httpx.Client) -> None:
    body = jane()
    assert netsuite.post(BASE, json=body).status_code == 204
    again = netsuite.post(BASE, json={**body, "lastName": "Other"})
    assert again.status_code == 400
    assert code_and_text(again) == (
        "USER_ERROR",
        "Error while accessing a resource. This entity already exists.",
    )


def test_an_unknown_property_is_dropped_with_a_header_or_refused_when_asked_for(
    netsuite: httpx.Client,
) -> None:
    lenient = netsuite.post(BASE, json=jane(favouriteColour="red"))
    assert lenient.status_code == 204
    assert "favouriteColour" in lenient.headers["X-NetSuite-Warning"]
    strict = netsuite.post(BASE, json=jane(favouriteColour="red"), headers=STRICT)
    assert strict.status_code == 400
    assert "favouriteColour" in strict.text


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"lastName": None}, "You must enter a value for lastName"),
        ({"subsidiary": None}, "You must enter a value for subsidiary"),
        ({"subsidiary": {"id": "99"}}, "Invalid Field Value 99 for the following field: subsidiary"),
        ({"currency": {"id": "77"}}, "Invalid Field Value 77 for the following field: currency"),
        ({"email": "nobody"}, "following field: email"),
        ({"externalId": "a|b"}, "Invalid external id"),
        ({"isPerson": "yes"}, "isPerson"),
    ],
    ids=str,
)
def test_what_is_missing_or_wrong_is_refused(
    netsuite: httpx.Client, changes: dict[str, Any], text: str
) -> None:
    answer = netsuite.post(BASE, json=jane(**changes), headers=STRICT)
    assert answer.status_code == 400
    assert text in code_and_text(answer)[1]


def test_addresses_without_internal_id_pile_up(netsuite: httpx.Client) -> None:
    body = jane()
    home = {"label": "Home", "addressBookAddress": {"addr1": "1 High St", "country": {"id": "US"}}}
    netsuite.post(BASE, json={**body, "addressBook": {"items": [home]}})
    place = f"{BASE}/eid:{body['externalId']}"
    assert netsuite.patch(place, json={"addressBook": {"items": [home]}}).status_code == 204
    entries = netsuite.get(place, params={"expandSubResources": "true"}).json()["addressBook"]["items"]
    assert len(entries) == 2
    moved = {"internalId": entries[0]["internalId"], "addressBookAddress": {"addr1": "2 Low St"}}
    netsuite.patch(place, json={"addressBook": {"items": [moved]}})
    entries = netsuite.get(place, params={"expandSubResources": "true"}).json()["addressBook"]["items"]
    assert [e["addressBookAddress"]["addr1"] for e in entries] == ["2 Low St", "1 High St"]


def test_a_patch_of_nobody_is_404(netsuite: httpx.Client) -> None:
    answer = netsuite.patch(f"{BASE}/eid:nobody", json={"lastName": "X"})
    assert answer.status_code == 404
    assert code_and_text(answer)[0] == "NONEXISTENT_ID"


def test_nothing_can_be_deleted(netsuite: httpx.Client) -> None:
    assert netsuite.delete(f"{BASE}/3001").status_code == 405


def test_metadata_is_given_for_what_there_is(netsuite: httpx.Client) -> None:
    path = "/services/rest/record/v1/metadata-catalog"
    headers = {"Accept": "application/swagger+json"}
    asked = {"select": "customer,salesOrder"}
    schemas = netsuite.get(path, params=asked, headers=headers).json()["components"]["schemas"]
    assert schemas["customer"]["properties"]["addressBook"] == {
        "$ref": "#/components/schemas/customer-addressBookCollection"
    }
    assert schemas["customer-addressBookElement"]["x-ns-sublistkey"]["value"]["existing"] == ["internalId"]
    assert schemas["salesOrder-itemElement"]["x-ns-sublistkey"]["value"] == {
        "new": ["orderLine"],
        "existing": ["line"],
    }
    assert schemas["salesOrder"]["properties"]["custbody_bc_order_id"]["x-ns-custom-field"] is True
    assert netsuite.get(path, params={"select": "vendor"}, headers=headers).status_code == 404
