"""Extract of the bank's side: statements that were dropped, each movement once.

Put the handling of the folder for statements here. Nothing is matched here (`reconcile.py`). What a bank writes about
other people's money stays in the sealed statement: of a movement that does not look like a payout, the text is left
behind.
"""

from dataclasses import dataclass, field

from bcns_pipeline.clients.bank.models import BankLine, Statement
from bcns_pipeline.clients.files.models import BadFile
from bcns_pipeline.defs.payouts.run import BANK_FLOW, question
from bcns_pipeline.defs.stored import receive
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.state.payout_models import BankRow, Received

REJECTED = "STATEMENT_REJECTED"


@dataclass(slots=True)
class Statements:
    """What was read. `rejected` are sentences by file; `evidenced`: whether the bank says anything at all."""

    files: int = 0
    again: int = 0
    lines: int = 0
    new: int = 0
    rejected: dict[str, str] = field(default_factory=dict)
    evidenced: bool = False

    @property
    def sentence(self) -> str:
        """The read in one line."""
        if not self.evidenced:
            return "bank: not evidenced (no statement was ever read)"
        told = f"bank: {self.files:,} statements taken, {self.new:,} of {self.lines:,} movements are new"
        return told + (f", {len(self.rejected):,} files rejected" if self.rejected else "")


def take_statements(connections: Connections) -> Statements:
    """Everything that waits in the drop folder for statements."""
    taken, folder, state = Statements(), connections.bank_files(), connections.state
    for path in folder.waiting() if folder is not None else ():
        received: Received | None = None
        try:
            document = folder.read(path)  # type: ignore[union-attr]
            received = receive(connections, document)
            if received.fate == "taken":
                taken.again += 1
            else:
                _keep(connections, received, connections.settlement_reader.statements(document), taken)
        except BadFile as bad:
            if received is not None:
                state.settlements.settle(received, "rejected", bad.sentence)
            taken.rejected[path.name] = bad.sentence
            asked = question(REJECTED, f"file:{path.name}", bad.sentence, row=bad.row, why=bad.code)
            state.exceptions.open(BANK_FLOW, asked)
            folder.reject(path, bad.sentence)  # type: ignore[union-attr]
            continue
        state.exceptions.heal(BANK_FLOW, REJECTED, [f"file:{path.name}"])
        folder.done(path)  # type: ignore[union-attr]
    taken.evidenced = bool(state.bank.evidenced())
    return taken


def _keep(
    connections: Connections, received: Received, statements: list[Statement], taken: Statements
) -> None:
    state, words = connections.state, _words(connections)
    rows = [_row(line, received.sha256, words) for statement in statements for line in statement.lines]
    with state.scope.transaction() as conn:
        taken.new += state.bank.put(rows, conn=conn)
        state.settlements.settle(received, "taken", conn=conn)
    taken.files += 1
    taken.lines += len(rows)


def _words(connections: Connections) -> list[str]:
    """Parts of the bank's text that say "this is a payout", folded."""
    policy = connections.payout_policy
    named = [word for words in policy.bank.descriptors.values() for word in words]
    told = [one.casefold() for one in connections.state.payouts.descriptors()]
    return [*named, *told, *(one.provider.casefold() for one in policy.book.providers)]


def _row(line: BankLine, sha256: str, words: list[str]) -> BankRow:
    text = line.descriptor.casefold()
    ours = any(word in text for word in words)
    return BankRow(
        account=line.account,
        line_id=line.id,
        currency=line.currency,
        amount_minor=line.amount,
        booked_on=line.booked_on,
        value_date=line.value_date,
        descriptor=line.descriptor if ours else "",
        refs=line.references if ours else (),
        returned=line.returned,
        row_sha256=line.row_sha256,
        sha256=sha256,
    )
