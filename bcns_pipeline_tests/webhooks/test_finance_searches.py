"""What deploy/netsuite gives finance: saved searches, run by node with stand-ins, and SuiteQL, asked of the sandbox."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest

from bcns_pipeline_tests.conftest import ROOT
from bcns_pipeline_tests.sandbox.desk import Desk
from bcns_pipeline_tests.sandbox.money import IDS
from bcns_pipeline_tests.webhooks.test_netsuite_script import (
    OBJECTS,
    SCRIPTS,
    SOURCE,
    by_node,
    with_node,
)

QUERIES = ROOT / "deploy" / "netsuite" / "suiteql"
README = (ROOT / "deploy" / "netsuite" / "README.md").read_text()
# A saved search spells these its own way; SuiteQL has debit, credit, accttype and the posting period by its date.
SEARCH_ONLY = {"debitamount", "creditamount", "amount", "accounttype", "postingperiod", "cleared"}
D = Decimal


def made(
    *, clearing: str = "113,114", tax: str = "234", there: tuple[str, ...] = (), refused: str = ""
) -> dict[str, Any]:
    """What one run of the script did."""
    scenario = {"clearing": clearing, "tax": tax, "there": there, "refused": refused}
    return by_node("searches.js", scenario)


def names_of(search: dict[str, Any]) -> set[str]:
    """All fields that a search asks for or filters by."""
    columns = {one if isinstance(one, str) else one["name"] for one in search["columns"]}
    filters = [one[0] for one in search["filters"] if isinstance(one, list)]
    formulas = {name for one in filters for name in re.findall(r"{(\w+)}", one)}
    return columns | formulas | {one for one in filters if ":" not in one}


@with_node
def test_four_searches_are_made_once_and_each_is_told_of_in_the_readme() -> None:
    first = made()
    ids = [one["id"] for one in first["made"]]
    assert len(ids) == len(set(ids)) == len(list(QUERIES.glob("*.sql"))) == 4
    assert [one for one in ids if one not in README or len(one) > 40] == []
    assert {one["type"] for one in first["made"]} == {"transaction"}
    assert (first["errors"], made(there=tuple(ids))["made"]) == ([], [])


@with_node
def test_one_search_that_is_refused_keeps_no_other_from_being_made() -> None:
    found = made(refused="customsearch_bcns_clearing")
    assert len(found["made"]) == 3
    assert "customsearch_bcns_clearing" in found["errors"][0]["title"]


@with_node
@pytest.mark.parametrize("clearing", ["", "113, stripe"])
def test_accounts_that_are_no_ids_make_nothing(clearing: str) -> None:
    found = made(clearing=clearing)
    assert found["made"] == []
    assert "custscript_bcns_clearing" in found["thrown"]


@with_node
def test_a_search_names_no_field_that_our_queries_do_not_know() -> None:
    texts = " ".join(path.read_text() for path in QUERIES.glob("*.sql"))
    known = set(re.findall(r"[a-z]+", texts)) | SEARCH_ONLY
    assert {name for one in made()["made"] for name in names_of(one)} <= known


def test_every_object_and_script_is_in_what_sdf_deploys() -> None:
    listed = re.findall(r"<path>~/(.*?)\*</path>", (SOURCE / "deploy.xml").read_text())
    files = [*OBJECTS, *SCRIPTS.glob("*.js")]
    outside = [path.name for path in files if f"{path.parent.relative_to(SOURCE)}/" not in listed]
    assert outside == []
    assert not list((SOURCE / "Objects").glob("customsearch*")), (
        "SDF takes no saved search that was written by hand"
    )


@pytest.fixture(scope="module")
def desk() -> Desk:
    """An account with a payout, an entry by hand on clearing, and a record of ours on the tax account."""
    found = Desk()

    def entry(key: str | None, *legs: tuple[str, str]) -> None:
        lines = [
            {
                "account": {"id": IDS[number]},
                "credit" if amount.startswith("-") else "debit": D(amount.lstrip("-")),
            }
            for number, amount in legs
        ]
        named = {} if key is None else {"externalId": key}
        body = {
            "subsidiary": {"id": "1"},
            "approved": True,
            "line": {"items": lines},
        }
        found.post("journalEntry", {**body, **named})

    entry("psp-stripe-a-payout-po_1", ("1010", "95"), ("6110", "5"), ("1130", "-100"))
    entry(None, ("1130", "7"), ("6700", "-7"))
    entry("bc-s-refundpay-1-1", ("2340", "3"), ("2320", "-3"))
    return found


def asked(desk: Desk, name: str) -> list[dict[str, Any]]:
    """The rows of one of the queries, with this account's clearing and tax accounts."""
    text = (QUERIES / f"{name}.sql").read_text()
    body = re.sub(r"^--.*$", "", text, flags=re.MULTILINE)
    return desk.sql(body.replace(":clearing", IDS["1130"]).replace(":tax", IDS["2340"]))


def test_the_queries_answer_what_finance_asks(desk: Desk) -> None:
    assert [(one["externalid"], one["account"], one["debit"]) for one in asked(desk, "payout_bank")] == [
        ("psp-stripe-a-payout-po_1", IDS["1010"], "95")
    ]
    (clearing,) = asked(desk, "clearing")
    assert (D(clearing["debit"]), D(clearing["credit"])) == (D(7), D(100))
    assert re.fullmatch(r"\d{4}-\d\d", clearing["period"])
    (tax,) = asked(desk, "tax")
    assert (tax["account"], D(tax["debit"])) == (IDS["2340"], D(3))
    (foreign,) = asked(desk, "foreign_journals")
    assert (foreign.get("externalid"), D(foreign["debit"])) == (None, D(7))
