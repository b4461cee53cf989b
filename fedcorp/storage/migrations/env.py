"""Alembic's environment: the connection is handed in by `fedcorp.storage.schema`, nothing is read from an ini file."""

from alembic import context

from fedcorp.storage.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
