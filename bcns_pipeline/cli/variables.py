"""Variables that begin with our prefix and are no setting: mistyped, or of another release.

Put here what is said of a variable that nobody reads. What a setting means, and what is wrong with its value, is in
settings.py; the names are taken from its fields, and the sources are those that it reads.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from pydantic_settings import DotEnvSettingsSource, EnvSettingsSource

from bcns_pipeline.settings import PREFIX, Settings

# What Kubernetes and Docker set for each service whose name begins with "bcns".
_SERVICE = re.compile(r".*_(SERVICE_(HOST|PORT(_\w+)?)|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)")


def unread_variables(env_file: Path | str = ".env") -> Iterator[str]:
    """One sentence for each, by name, with the setting that was probably meant; no value is shown."""
    read = set(EnvSettingsSource(Settings).env_vars)
    with suppress(UnicodeDecodeError):  # a fault of its own, which `load_settings` tells
        read.update(DotEnvSettingsSource(Settings, env_file=env_file).env_vars)
    known = {name.upper() for name in Settings.model_fields}
    for name in sorted(name.upper() for name in read):
        of_ours = name.removeprefix(PREFIX)
        if of_ours != name and of_ours not in known and not _SERVICE.fullmatch(name):
            near = difflib.get_close_matches(of_ours, known, n=1)
            mend = f"did you mean {PREFIX}{near[0]}?" if near else "correct its name, or remove it."
            yield f"{name} is no setting and is not read; {mend}"
