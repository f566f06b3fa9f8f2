"""From an address to an engine: what is accepted, and what is said about the rest.

Put here addresses and pools. What the embedded server does is tested beside it.
"""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.state.engine import check_connection, create_engine, outside_url


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2", "postgresql+psycopg"])
def test_every_way_to_write_postgresql_gets_the_driver_that_dagster_can_work_with(scheme: str) -> None:
    assert outside_url(f"{scheme}://me:pass@db:5432/bcns") == "postgresql+psycopg2://me:pass@db:5432/bcns"


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("not an address", "is not a database address"),
        ("mysql://me:s3cret@db/bcns", "names mysql"),
        ("oracle+thin://me:s3cret@db/bcns", "names oracle"),
        ("postgresql://me:s3cret@db", "names no database"),
        ("postgresql://me:s3cret@db:port/bcns", "is not a database address"),
    ],
)
def test_an_address_that_cannot_work_is_one_sentence_without_its_password(address: str, said: str) -> None:
    with pytest.raises(BadInput, match=said) as bad:
        create_engine(address)
    assert len(bad.value.faults) == 1
    assert "s3cret" not in str(bad.value)


def test_a_server_that_is_not_there_is_one_sentence_without_its_password() -> None:
    engine = create_engine("postgresql://me:s3cret@127.0.0.1:1/bcns")
    with pytest.raises(BadInput, match="cannot be reached") as bad:
        check_connection(engine)
    assert "s3cret" not in str(bad.value)
    assert "\n" not in str(bad.value)


def test_a_connection_that_the_server_dropped_is_replaced(engine: sa.Engine) -> None:
    with engine.connect() as conn:
        pid = conn.scalar(sa.text("select pg_backend_pid()"))
    other = sa.create_engine(engine.url, poolclass=sa.NullPool)
    with other.connect() as conn:
        conn.execute(sa.text("select pg_terminate_backend(:pid, 5000)"), {"pid": pid})
    with engine.connect() as conn:
        assert conn.scalar(sa.text("select pg_backend_pid()")) != pid


def test_the_day_of_a_moment_is_the_same_whatever_zone_the_server_has(engine: sa.Engine) -> None:
    away = engine.url.update_query_dict({"options": "-c timezone=America/New_York"})
    ours = create_engine(away.render_as_string(hide_password=False), application_name="away")
    for _ in range(2):  # a rollback does not bring the server's zone back
        with ours.connect() as conn:
            assert conn.scalar(sa.text("show timezone")) == "UTC"
            day = conn.scalar(sa.text("select timestamptz '2026-04-01 02:00:00Z'::date"))
            assert str(day) == "2026-04-01"
            conn.rollback()
    ours.dispose()
