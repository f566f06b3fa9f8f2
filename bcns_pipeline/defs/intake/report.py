"""What a person sees of the watches over intake: repairs, certificates, missing and held orders.

Put metadata here. Do not put a decision here, and no personal data: an order is named by its id.
"""

from typing import Any

import dagster as dg

from bcns_pipeline.defs.intake.backfill import FLOW, certificate_text
from bcns_pipeline.defs.intake.completeness import Compared
from bcns_pipeline.defs.intake.mending import Mended
from bcns_pipeline.defs.tables import SHOWN, calls_of, table
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.money import Money, total
from bcns_pipeline.rules.orders.status import label

_PAGE = 250
_TOTALS = 500


def of_hooks(connections: Connections, mended: Mended) -> dict[str, Any]:
    """A check of the hooks; the certificate stands there as text to be saved."""
    found: dict[str, Any] = {
        "webhooks": mended.sentence,
        "repairs": table(
            ("what", "scope", "because", "outcome"),
            [(one.kind, one.scope, one.reason, said) for one, said in mended.done],
        ),
        "broken": table(("scope", "why"), sorted(mended.broken.items())),
    }
    proof = mended.certificate
    if proof is not None:
        rows = [(name, value) for name, value in proof.document().items() if name != "missing"]
        found["certificate"] = table(("what", "value"), [(name, str(value)) for name, value in rows])
        found["certificate_file"] = dg.MetadataValue.text(certificate_text(proof))
    # The clock, the list and the state of the hooks; with a repair both lists again, and the repair.
    looks = 2 if mended.done else 1
    read = 0 if proof is None else 2 * max(1, -(-proof.in_store // _PAGE))
    return {**found, **calls_of(connections, FLOW, 1 + 2 * looks + len(mended.done) + read)}


def of_comparison(connections: Connections, compared: Compared) -> dict[str, Any]:
    """What is missing with its money, and what is held: never silent, and nothing to be mended."""
    held = connections.state.orders.find(disposition="held")
    groups: dict[tuple[str, str, str], list[Money]] = {}
    for one in held:
        groups.setdefault((one.code or "", label(one.status_id), one.total.currency), []).append(one.total)
    return {
        "completeness": compared.sentence,
        "from": compared.start.isoformat(),
        "until": compared.until.isoformat(),
        "missing": table(
            ("order", "total", "currency", "hours"),
            [
                (one.order_id, f"{one.total:f}", one.currency, int(one.age.total_seconds() // 3600))
                for one in compared.missing[:SHOWN]
            ],
        ),
        "healed": len(compared.healed),
        "looked_at_in_netsuite": compared.looked_at,
        "changed_in_netsuite": table(("order",), [(one,) for one in compared.changed[:SHOWN]]),
        "held_by_status": table(
            ("code", "status", "orders", "total"),
            [
                (code, status, len(sums), str(total(sums, currency)))
                for (code, status, currency), sums in sorted(groups.items())
            ],
        ),
        "held": table(
            ("order", "placed", "status", "total", "why"),
            [
                (
                    one.order_id,
                    f"{one.placed_at:%Y-%m-%d %H:%M}",
                    label(one.status_id),
                    str(one.total),
                    one.reason,
                )
                for one in held[:SHOWN]
            ],
        ),
        **calls_of(
            connections, FLOW, 1 + max(1, -(-compared.listed // _PAGE)) + -(-compared.looked_at // _TOTALS)
        ),
    }
