"""docs/finance-properties.md against the code."""

from __future__ import annotations

import re
from pathlib import Path

from bcns_pipeline.rules.exceptions import CATALOGUE
from bcns_pipeline.rules.payouts.invariants import BLOCKING, WARNING
from bcns_pipeline.rules.payouts.legs import ROLES
from bcns_pipeline.rules.payouts.model import LineClass

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "finance-properties.md").read_text()


def test_every_property_is_shown_by_a_test_that_exists() -> None:
    rows = re.findall(r"`(rules/payouts/\w+\.py)::(\w+)`", PAGE)
    assert len(rows) >= 14
    for file, name in rows:
        assert f"def {name}(" in (ROOT / "bcns_pipeline_tests" / file).read_text(), name


def test_the_invariants_block_as_the_page_says() -> None:
    rows = dict(re.findall(r"^\| (FI\d+) \| [^|]+ \| (yes|no) \|", PAGE, re.MULTILINE))
    assert {name for name, blocks in rows.items() if blocks == "yes"} == BLOCKING
    assert {name for name, blocks in rows.items() if blocks == "no"} == WARNING
    codes = re.findall(r"^\| FI\d+ \| [^|]+ \| \w+ \| ([^|]+) \|", PAGE, re.MULTILINE)
    assert {code.strip() for row in codes for code in row.split(",")} <= CATALOGUE.keys()


def test_the_classes_go_where_the_page_says() -> None:
    table = PAGE.split("## Classes")[1].split("## Worked")[0]
    rows = re.findall(r"^\| ([a-z_, ]+) \| (\w+) \| (\w+) \|$", table, re.MULTILINE)
    shown = {LineClass(word.strip()): (gross, fee) for words, gross, fee in rows for word in words.split(",")}
    assert shown == {cls: (gross.value, fee.value) for cls, (gross, fee) in ROLES.items()}
