"""Failures that Dagster shows, and the hook that keeps a permanent one from being tried again.

Put here how a fault becomes a `dg.Failure`. Do not decide here what is permanent: `outcomes` and `rules` do.
Background: style.md A8-6 (Dagster has three retry mechanisms and `allow_retries=False` speaks to one of them).
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg

from bcns_pipeline.outcomes import Rejected, Unavailable

# The transport has tried for minutes by then; what is still down is looked at again a little later.
RETRIES = 2
RETRY_SECONDS = 30
# Errors whose texts are sentences of ours, without personal data; anybody else's may carry some.
_OURS = ("bcns_pipeline.outcomes.", "bcns_pipeline.rules.faults.")


class PermanentFailure(dg.Failure):
    """A rerun would send the same bytes and be refused the same way; all three retry mechanisms stop."""

    def __init__(self, description: str, **facts: object) -> None:
        super().__init__(description, metadata={k: str(v) for k, v in facts.items()}, allow_retries=False)

    @classmethod
    def of_faults(cls, faults: Iterable[str]) -> "PermanentFailure":
        """One failure whose description is every sentence, so that a person mends all of them at once."""
        return cls("\n".join(faults))


@dg.failure_hook(name="stop_run_retries")
def stop_run_retries(context: dg.HookContext) -> None:
    """Keep the run-retry daemon from repeating a permanent failure. Attach it per asset, not per job."""
    if isinstance(context.op_exception, PermanentFailure):
        context.instance.add_run_tags(context.run_id, {"dagster/retry_on_asset_or_op_failure": "false"})


def our_sentence(error: Any) -> str | None:
    """What an error of ours says at the bottom of Dagster's chain of causes; None where it is somebody else's."""
    while error is not None and error.cause is not None:
        error = error.cause
    if error is None or not error.message.startswith(_OURS):
        return None
    return f"{error.message.partition(': ')[2].strip()}."


@contextmanager
def outside_errors() -> Iterator[None]:
    """What an outside system refuses for good fails the step for good; what is transient is tried again later.

    Only these two: a fault of our own would fail the same way again, and no retry policy hides it.
    """
    try:
        yield
    except Unavailable as error:
        raise dg.RetryRequested(RETRIES, seconds_to_wait=RETRY_SECONDS) from error
    except Rejected as refused:
        raise PermanentFailure(str(refused), system=refused.system, operation=refused.operation) from refused
