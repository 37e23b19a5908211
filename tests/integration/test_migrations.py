"""The migrations make exactly the tables that the code declares, and can be undone."""

import json

import psycopg
import pytest
from alembic import command
from sqlalchemy import create_engine, inspect, make_url, text

from adaptwin_core.local.servers import ServerUrls
from adaptwin_core.store import migrate
from adaptwin_core.store.tables import Base


@pytest.fixture
def empty_database(servers: ServerUrls):
    """A database beside the tests' own, so that undoing tables disturbs nobody."""
    url = make_url(servers.database_url)
    admin = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS adaptwin_migrations")
        connection.execute("CREATE DATABASE adaptwin_migrations")
        yield url.set(database="adaptwin_migrations").render_as_string(hide_password=False)
        connection.execute("DROP DATABASE adaptwin_migrations WITH (FORCE)")


def table_names(url: str) -> set[str]:
    engine = create_engine(url)
    try:
        return set(inspect(engine).get_table_names())
    finally:
        engine.dispose()


def test_the_tables_come_go_and_come_again(empty_database: str):
    expected = set(Base.metadata.tables)
    migrate.upgrade(empty_database)
    assert table_names(empty_database) == expected | {"alembic_version"}
    migrate.downgrade(empty_database, "base")
    assert table_names(empty_database) == {"alembic_version"}
    migrate.upgrade(empty_database)
    assert table_names(empty_database) == expected | {"alembic_version"}


def test_no_drift_between_tables_and_migrations(empty_database: str):
    migrate.upgrade(empty_database)
    command.check(migrate.config(empty_database))  # raises when autogenerate would write anything


def test_the_languages_of_rows_that_there_were_are_told_where_they_are_sure(empty_database: str):
    migrate.upgrade(empty_database, "0001")
    engine = create_engine(empty_database)
    rows = {"whisper-tiny.en": 51864, "of-two-sizes.en": 51865, "my-english": 51864, "whisper-base": 51865}
    try:
        with engine.begin() as connection:
            for name, size in rows.items():
                connection.execute(
                    text("INSERT INTO base_model (id, source, digest, shape) VALUES (:id, 'x', 'y', :shape)"),
                    {"id": name, "shape": json.dumps({"vocab_size": size})},
                )
        migrate.upgrade(empty_database)
        with engine.begin() as connection:
            found = dict(tuple(row) for row in connection.execute(text("SELECT id, languages FROM base_model")))
        migrate.downgrade(empty_database, "0001")
        migrate.upgrade(empty_database)
    finally:
        engine.dispose()
    english = ["en"]
    assert found == {
        "whisper-tiny.en": english,
        "of-two-sizes.en": english,
        "my-english": english,
        "whisper-base": None,
    }


def test_uploads_that_there_were_are_told_by_their_labels_too(empty_database: str):
    migrate.upgrade(empty_database, "0003")
    engine = create_engine(empty_database)
    try:
        with engine.begin() as connection:
            connection.execute(text("INSERT INTO tenant (id, name) VALUES ('t', 't')"))
            connection.execute(text("INSERT INTO dataset (id, tenant_id, name, state) VALUES ('d', 't', 'd', 'open')"))
            connection.execute(
                text(
                    'INSERT INTO upload (id, tenant_id, dataset_id, file_name, length, "offset", state, expires_at) '
                    "VALUES ('u', 't', 'd', :name, 1, 0, 'open', now())"
                ),
                {"name": "day1\\001.wav"},
            )
        migrate.upgrade(empty_database)
        with engine.begin() as connection:
            assert connection.scalar(text("SELECT label FROM upload")) == "day1/001.wav"
    finally:
        engine.dispose()


def test_parts_of_uploads_go_with_the_columns_that_tell_them(empty_database: str):
    migrate.upgrade(empty_database, "0005")
    engine = create_engine(empty_database)
    columns = 'id, tenant_id, dataset_id, file_name, label, concat, final_id, length, "offset", state, expires_at'
    try:
        with engine.begin() as connection:
            connection.execute(text("INSERT INTO tenant (id, name) VALUES ('t', 't')"))
            connection.execute(text("INSERT INTO dataset (id, tenant_id, name, state) VALUES ('d', 't', 'd', 'open')"))
            for row in (
                "('file', 't', 'd', 'a', 'a', 'final;/v1/uploads/part', NULL, 1, 1, 'complete', now())",
                "('part', 't', NULL, '', '', 'partial', 'file', 1, 1, 'complete', now())",
            ):
                connection.execute(text(f"INSERT INTO upload ({columns}) VALUES {row}"))
        migrate.downgrade(empty_database, "0004")
        with engine.begin() as connection:
            assert connection.scalars(text("SELECT id FROM upload")).all() == ["file"]
        migrate.upgrade(empty_database)
        with engine.begin() as connection:
            assert connection.scalars(text("SELECT concat FROM upload")).all() == [None]
    finally:
        engine.dispose()


def test_several_models_of_a_job_are_not_lost_by_going_back(empty_database: str):
    migrate.upgrade(empty_database, "0006")
    engine = create_engine(empty_database)
    statements = """
        INSERT INTO tenant (id, name) VALUES ('ten', 'ten');
        INSERT INTO base_model (id, source, digest, shape) VALUES ('tiny', 'x', 'y', '{}');
        INSERT INTO dataset (id, tenant_id, name, state) VALUES ('ds', 'ten', 'Ada', 'ready');
        INSERT INTO job (id, tenant_id, dataset_id, state, stage, remaining, accept_little, limits)
          VALUES ('job', 'ten', 'ds', 'succeeded', 'publish', 0, false, '{}');
        INSERT INTO job_member (job_id, place, base_model_id, spec)
          VALUES ('job', 0, 'tiny', '{"seed": 0}'), ('job', 1, 'tiny', '{}');
        INSERT INTO task (id, job_id, stage, key, state, attempt, models) VALUES
          ('t0', 'job', 'tune', 'model', 'done', 1, '[0]'), ('t1', 'job', 'tune', 'model', 'done', 1, '[1]'),
          ('t2', 'job', 'choose', 'family', 'done', 1, '[0, 1]'),
          ('t3', 'job', 'evaluate', 'compressed\\:speaker\\:fitted\\:valid', 'done', 1, '[0]'),
          ('t4', 'job', 'evaluate', 'base\\:speaker\\:whole', 'done', 1, '[0, 1]');
        INSERT INTO model (id, tenant_id, job_id, place, manifest, num_downloads)
          VALUES ('m0', 'ten', 'job', 0, '{"files": {}}', 0), ('m1', 'ten', 'job', 1, '{"files": {}}', 0);
    """
    try:
        with engine.begin() as connection:
            connection.execute(text(statements))
        with pytest.raises(Exception, match="delete all but the first of each"):
            migrate.downgrade(empty_database, "0005")
        with engine.begin() as connection:
            connection.execute(text("UPDATE model SET manifest = '{}' WHERE id = 'm1'"))  # as the sweeper leaves it
        migrate.downgrade(empty_database, "0005")
        with engine.begin() as connection:
            assert connection.scalars(text("SELECT id FROM task ORDER BY id")).all() == ["t0", "t4"]
            assert connection.execute(text("SELECT base_model_id, spec FROM job")).one() == ("tiny", {"seed": 0})
            assert connection.scalars(text("SELECT id FROM model")).all() == ["m0"]
    finally:
        engine.dispose()
