"""Corrections: an entry that was posted is taken back by a second one, and made anew where that is wanted.

Put here how a person's decision becomes a write that waits for somebody else's approval. Nothing that was posted is
ever edited or deleted, and whoever asks for a correction does not approve it (rule 13). Once the reversal is in
NetSuite, the payout is due again, and its next entry is a version of its own.
"""

from dataclasses import replace
from datetime import date

from bcns_pipeline.defs.payouts.drafting import CODE_VERSION, version_of
from bcns_pipeline.defs.payouts.drafts import amount_of, body_of, sha256_of
from bcns_pipeline.defs.payouts.entries import as_entry, as_json
from bcns_pipeline.defs.payouts.run import FLOW, JOURNAL
from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.rules.payouts.policy import PayoutPolicy
from bcns_pipeline.rules.payouts.stage import reversal
from bcns_pipeline.state.operations import Intent, Operation
from bcns_pipeline.state.payout_models import Journal, PayoutState
from bcns_pipeline.state.store import State


def ask_for_correction(
    state: State,
    payout: PayoutState,
    policy: PayoutPolicy,
    day: date,
    *,
    reason: str,
    actor: str,
    again: bool,
) -> list[Operation]:
    """Stage the reversal of every live entry of a payout, held until somebody else approves it. Raises BadInput.

    `again`: once they are reversed, the payout is posted anew as the rules see it then.
    """
    live = [
        one
        for one in state.payouts.journals([payout.id], kind="payout")
        if one.sent_at is not None and one.reversed_by is None
    ]
    if not live:
        raise BadInput(
            [f"Payout {payout.payout_id} has no live entry in NetSuite; nothing is to be reversed."]
        )
    why = f"a correction that {actor} asked for ({reason}); somebody else has to approve it"
    with state.scope.transaction() as conn:
        intents = []
        for one in live:
            made, intent = _reversal(payout, one, policy, day, again=again)
            state.payouts.plan_journal(made, {}, conn=conn)
            intents.append(intent)
        staged = state.outbox.stage(FLOW, intents, held=why, staged_by=actor, conn=conn)
        body = {"reason": reason, "again": again, "entries": [one.natural_key for one in live]}
        state.audit.append(conn, "payout.correction_asked", payout.subject, body, actor=actor)
    if not staged:
        raise BadInput([f"A correction of payout {payout.payout_id} waits already: `bcns operations`."])
    return staged


def _reversal(
    payout: PayoutState, one: Journal, policy: PayoutPolicy, day: date, *, again: bool
) -> tuple[Journal, Intent]:
    entry = reversal(as_entry(one.entry), day, version_of(one))
    content = body_of(entry, one.inputs["currencies"].get(entry.currency), policy)
    journal = replace(
        one,
        natural_key=entry.key,
        kind="reversal",
        tran_date=entry.day,
        entry=as_json(entry),
        inputs={**one.inputs, "of": one.natural_key},
        body_sha256=sha256_of(content),
        code_version=CODE_VERSION,
        reverses=one.natural_key,
    )
    payload = {
        "body": content,
        "payout": payout.id,
        "subject": payout.subject,
        "kind": "reversal",
        "again": again,
        "body_sha256": journal.body_sha256,
    }
    amount = amount_of(entry)
    intent = Intent(
        JOURNAL,
        entry.key,
        payload,
        group_key=payout.subject,
        amount_minor=amount.minor,
        currency=amount.currency,
    )
    return journal, intent
