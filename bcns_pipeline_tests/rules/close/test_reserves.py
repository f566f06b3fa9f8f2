"""The register of reserves: a release is expected where the contract's days are known, and nowhere else."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bcns_pipeline.rules.close.reserves import BY_CONTRACT, COLUMNS, NOT_KNOWN, shown

DAY = date(2026, 3, 2)


def row(amount: int, account: str = "acct1", cls: str = "reserve", day: date | None = DAY) -> dict[str, Any]:
    """A line of a payout as the database has it."""
    told = {"provider": "stripe", "account": account, "amount_minor": amount, "class": cls, "day": day}
    return {**dict.fromkeys(COLUMNS), **told}


rows = st.lists(
    st.builds(
        row,
        st.integers(-500, 500).filter(bool),
        st.sampled_from(["acct1", "acct2"]),
        st.sampled_from(["reserve", "reserve_minbal"]),
        st.none() | st.dates(date(2026, 1, 1), date(2026, 12, 31)),
    ),
    max_size=8,
)


@given(rows, st.integers(1, 400))
def test_a_release_is_expected_where_the_contract_says_when_and_is_never_guessed(
    lines: list[dict[str, Any]], days: int
) -> None:
    found, said = shown(lines, {("stripe", "acct1"): days})
    unknown = 0
    for line, one in zip(lines, found, strict=True):
        assert tuple(one) == COLUMNS
        if line["amount_minor"] > 0:
            assert (one["expected_release"], one["expected_by"]) == (None, "")
        elif (line["account"], line["class"]) == ("acct1", "reserve") and line["day"]:
            assert one["expected_release"] == line["day"] + timedelta(days)
            assert one["expected_by"] == BY_CONTRACT
        else:
            unknown += 1
            assert (one["expected_release"], one["expected_by"]) == (None, NOT_KNOWN)
    assert [f"not known of {unknown} of" in one for one in said] == ([True] if unknown else [])
