"""Alembic's environment and the revisions of the tables; run only through `fedcorp.storage.schema`."""
