"""The digests that prove payouts: of a version's lines, and of what stands behind a line of a journal.

Put here how lines are hashed, for writing and for verifying alike. Do not put here what writes them
(`payouts.py`). What may be decided again (class, link, carrying value) is no part of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from bcns_pipeline.state.tables_payouts import payout_line

PHASE = "payout_lines"


def recompute(conn: sa.Connection, where: Mapping[str, Any]) -> tuple[int, str]:
    """Count and digest of the lines of one version of a payout, as they stand now."""
    row = conn.execute(_DIGEST, {"payout": where["payout"], "version": where["version"]}).one()
    return row.n, row.digest


_DIGEST = sa.text(
    f"""
    select count(*) as n,
        encode(sha256(convert_to(coalesce(string_agg(
            row(payout, version, line, line_id, category, kind, gross, fee, net, fee_tax, currency,
                presentment_amount, presentment_currency, rate, refs, row_sha256)::text,
            E'\\n' order by line
        ), ''), 'UTF8')), 'hex') as digest
    from {payout_line.fullname} where payout = :payout and version = :version
    """
)
