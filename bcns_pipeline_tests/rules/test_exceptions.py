from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import bcns_pipeline
from bcns_pipeline.rules.exceptions import CATALOGUE, Owner


def test_every_code_says_cause_and_fix_to_somebody_and_by_when_it_should_be_answered() -> None:
    for code, kind in CATALOGUE.items():
        assert kind.code == code
        assert re.fullmatch(r"[A-Z][A-Z_]+", code)
        assert kind.severity in {"error", "warning"}
        assert kind.owner in set(Owner)
        assert kind.cause.endswith(".")
        assert kind.fix.endswith(".")
        assert timedelta(hours=1) <= kind.answer_within <= timedelta(days=3)


def test_every_code_that_the_code_base_opens_is_in_the_catalogue() -> None:
    root = Path(bcns_pipeline.__file__).parent
    text = "\n".join(path.read_text() for path in root.rglob("*.py"))
    opened = set(re.findall(r'question\(\s*"([A-Z_]+)"', text))
    assert opened <= CATALOGUE.keys()
