"""Definitions that load in a moment: one job of one step. Put nothing else here."""

import dagster as dg


@dg.op
def say_hello() -> str:
    """All there is."""
    return "hello"


@dg.job
def hello() -> None:
    """One step."""
    say_hello()


defs = dg.Definitions(jobs=[hello])
