"""Bad input: what a person has to mend before anything can run, said all at once.

Put the one exception here that settings, mapping file and state share. Do not put checks here: whoever
reads an input knows what is wrong with it. The command line prints the sentences and ends with code 2;
under Dagster they are the description of a failure that is not retried.
"""

from __future__ import annotations

from collections.abc import Iterable


class BadInput(Exception):
    """One sentence per fault: what is wrong, where, and how to mend it. A sentence holds no secret."""

    def __init__(self, faults: Iterable[str]) -> None:
        # A bare string would otherwise become one fault per letter.
        self.faults: tuple[str, ...] = (faults,) if isinstance(faults, str) else tuple(faults)
        super().__init__(self.faults)

    def __str__(self) -> str:
        return "\n".join(self.faults)
