"""`bcns` in this process, for the tests of every folder.

Put here only how a command line is run. Do not put an environment here: that is the caller's. The commands are made
once: Typer's own runner makes them anew for each line, which takes a tenth of a second.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from click.testing import CliRunner, Result
from typer.main import get_command

from bcns_pipeline.cli.main import app


def bcns(*arguments: str) -> Result:
    """What a command line came to; nothing but an exit code may come out of it."""
    result = CliRunner().invoke(_command(), list(arguments))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@cache
def _command() -> Any:
    return get_command(app)
