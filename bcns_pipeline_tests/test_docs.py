"""The documents against the code: what a person reads on call must be there, and true.

Put here what can be compared by a machine. Do not put wording here: that is for whoever reads.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from bcns_pipeline.cli.doctor import all_rights, all_scopes
from bcns_pipeline.cli.main import app
from bcns_pipeline.rules.exceptions import CATALOGUE
from bcns_pipeline.settings import PREFIX, Settings
from bcns_pipeline_tests.defs.cash import test_once as cash
from bcns_pipeline_tests.defs.fulfilment import test_shipments as fulfilment
from bcns_pipeline_tests.defs.orders import test_kill as orders
from bcns_pipeline_tests.defs.refunds import test_kill as refunds

ROOT = Path(__file__).resolve().parent.parent
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
README = (ROOT / "README.md").read_text()
PAGES = {page.stem: page.read_text() for page in (ROOT / "docs" / "runbooks").glob("*.md")}
LARGEST_PICTURE = 300_000


def test_every_exception_code_has_a_runbook_page_and_none_is_left_over() -> None:
    assert set(PAGES) == set(CATALOGUE)
    assert re.findall(r"\]\(runbooks/([A-Z_]+)\.md\)", OPERATIONS) == list(CATALOGUE)


@pytest.mark.parametrize("code", CATALOGUE)
def test_a_runbook_page_says_what_the_catalogue_says(code: str) -> None:
    kind, page = CATALOGUE[code], PAGES[code]
    ends = "closes by itself" if kind.heals else "a person closes it"
    assert page.startswith(f"# {code}\n\n*{kind.severity} · {kind.owner.value} · {ends}*\n")
    assert f"**Cause.** {kind.cause}\n" in page
    assert f"**Fix.** {kind.fix}\n" in page
    assert f"**Dismissed:** {kind.dismissed}\n" in page or not kind.dismissed
    row = f"| [{code}](runbooks/{code}.md) | {kind.severity} | {kind.owner.value} | {ends} |"
    assert row in OPERATIONS


def test_the_documents_name_no_setting_that_does_not_exist() -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    assert set(re.findall(rf"{PREFIX}[A-Z_]+", README + OPERATIONS + "".join(PAGES.values()))) <= known


def test_the_readme_says_why_each_dependency_is_there_and_of_no_other() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    names = {re.split(r"[=<>!~\[; ]", one)[0].lower() for one in wanted}
    names = {name for name in names if not name.startswith("types-") and not name.endswith("-stubs")}
    section = README.partition("### Dependencies\n")[2].partition("\n## ")[0]
    named, rows = (
        re.search(r"\((.*?)\):\n", section, re.DOTALL),
        re.findall(r"^\| (.+?) \| .+ \|$", section, re.M),
    )
    assert named is not None
    told = {one.lower() for text in (named[1], *rows[1:]) for one in re.split(r",\s+", text)}
    assert names == told - {"type stubs"}


def test_every_command_that_a_person_is_told_to_use_exists() -> None:
    fixes = "".join(f"{kind.cause} {kind.fix}" for kind in CATALOGUE.values())
    told = set(re.findall(r"`bcns ([a-z-]+)", README + OPERATIONS + fixes + "".join(PAGES.values())))
    command = get_command(app)
    assert isinstance(command, TyperGroup)
    assert told <= set(command.commands)


def test_the_readme_names_every_scope_that_the_doctor_asks_for() -> None:
    assert [scope.name for scope in all_scopes() if f"`{scope.name}`" not in README] == []
    assert [right.permission for right in all_rights() if f"| {right.permission} |" not in README] == []


def test_the_table_of_crash_points_has_every_call_at_which_a_flow_is_killed() -> None:
    tables = {}
    for section in (ROOT / "docs" / "crash-points.md").read_text().split("\n## ")[1:]:
        files = re.findall(r"`(\w+/[\w/]+\.py)`", section.partition("\n")[0])
        assert [one for one in files if not (ROOT / one).exists()] == []
        if rows := re.findall(r"^\| \"(.*?)\" \|", section, re.MULTILINE):
            tables[files[0].removeprefix("bcns_pipeline_tests/defs/")] = rows
    assert tables == {
        "orders/test_kill.py": list(orders.CALLS),
        "fulfilment/test_shipments.py": list(fulfilment.CALLS),
        "cash/test_once.py": [*cash.WRITES, *cash.MEANWHILE],
        "refunds/test_kill.py": list(refunds.WRITES),
    }


def test_every_proof_in_the_table_of_promises_is_a_test_that_exists() -> None:
    table = (ROOT / "docs" / "acceptance.md").read_text()
    rows = re.findall(r"^\| ([A-Z]\d+) \| [^|]+ \| ([^|]+) \|$", table, re.MULTILINE)
    assert len({row for row, _ in rows}) == len(rows)
    for row, shown_by in rows:
        assert "`" in shown_by, row
        for file, name in re.findall(r"`([\w/]+\.py)::(\w+)`", shown_by):
            assert f"def {name}(" in (ROOT / "bcns_pipeline_tests" / file).read_text(), (row, name)


@pytest.mark.parametrize(
    "page", ["README.md", "docs/operations.md", "docs/webhooks.md", "docs/crash-points.md", "CHANGELOG.md"]
)
def test_links_between_files_lead_somewhere(page: str) -> None:
    source = ROOT / page
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", source.read_text())
    assert [link for link in links if not (source.parent / link).exists()] == []


@pytest.mark.parametrize("name", ["lineage", "changes", "checks", "lineage-orders", "orders", "waiting"])
def test_the_pictures_are_small_enough_for_a_page(name: str) -> None:
    assert (ROOT / "docs" / f"{name}.png").stat().st_size < LARGEST_PICTURE
