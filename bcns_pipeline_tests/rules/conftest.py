"""How the property tests of the rules run.

Put settings of Hypothesis here, and no data. Without a deadline, because a busy machine would turn a slow
example into a failure; the figures have a bench of their own.
"""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("bcns", deadline=None)
settings.load_profile("bcns")
