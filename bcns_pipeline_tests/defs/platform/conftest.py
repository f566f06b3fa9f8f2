"""A merchant with questions open, and people to be told.

Put fixtures here. Do not put expectations here.
"""

from __future__ import annotations

from bcns_pipeline_tests.defs.orders.conftest import shop

__all__ = ["shop"]
