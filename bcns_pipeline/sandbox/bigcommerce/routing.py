"""What a part of the shop hands to the router.

Put the type of a route here. Do not put routes here.
"""

from __future__ import annotations

from collections.abc import Callable

from bcns_pipeline.sandbox.web import Answer

# Method, path below /stores/{hash}, name in the log, handler, and the scope that changes need (`a|b`:
# either; None: any).
Route = tuple[str, str, str, Callable[..., Answer], str | None]
