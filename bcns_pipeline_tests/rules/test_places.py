from __future__ import annotations

import pytest

from bcns_pipeline.rules.places import state_code


@pytest.mark.parametrize(
    ("country", "state", "code"),
    [
        ("US", "Texas", "TX"),
        ("us", "  new   york ", "NY"),
        ("US", "tx", "TX"),
        ("US", "Armed Forces Middle East", "AE"),
        ("CA", "Quebec", "QC"),
        ("AU", "Western Australia", "WA"),
        ("US", "Atlantis", "Atlantis"),
        ("GB", "Kent", "Kent"),
        ("", "Texas", "Texas"),
        ("US", "", ""),
    ],
)
def test_a_state_is_spelled_as_netsuite_spells_it(country: str, state: str, code: str) -> None:
    assert state_code(country, state) == code
