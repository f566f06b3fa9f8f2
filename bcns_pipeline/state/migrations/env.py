"""What Alembic runs: on the connection, and in the transaction, that `state/migrate.py` hands over.

Put here how migrations are run. Do not put here an address of a database. `bcns migrate` is the only way in.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context

from bcns_pipeline.state.schema import SCHEMA
from bcns_pipeline.state.tables import metadata

connection: sa.Connection = context.config.attributes["connection"]
# The version table lives in our schema, and Alembic makes it before the first revision runs.
connection.execute(sa.text(f"create schema if not exists {SCHEMA}"))
context.configure(
    connection=connection,
    target_metadata=metadata,
    version_table_schema=SCHEMA,
    transactional_ddl=True,
)
context.run_migrations()
