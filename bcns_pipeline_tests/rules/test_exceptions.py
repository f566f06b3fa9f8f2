from __future__ import annotations

import re
from pathlib import Path

import bcns_pipeline
from bcns_pipeline.rules.exceptions import CATALOGUE, Owner


def test_every_code_says_cause_and_fix_to_somebody() -> None:
    for code, kind in CATALOGUE.items():
        assert kind.code == code
        assert re.fullmatch(r"[A-Z][A-Z_]+", code)
        assert kind.severity in {"error", "warning"}
        assert kind.owner in set(Owner)
        assert kind.cause.endswith(".")
        assert kind.fix.endswith(".")


def test_every_code_that_the_code_base_opens_is_in_the_catalogue() -> None:
    root = Path(bcns_pipeline.__file__).parent
    text = "\n".join(path.read_text() for path in root.rglob("*.py"))
    opened = set(re.findall(r'question\(\s*"([A-Z_]+)"', text))
    assert opened <= CATALOGUE.keys()
