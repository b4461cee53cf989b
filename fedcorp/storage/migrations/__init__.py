"""Alembic's environment and the revisions of the tables; run only through `fedcorp.storage.schema`.

The name of each file in `versions` begins with its revision, and they follow each other by number.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy.engine import Engine


def upgrade(engine: Engine) -> None:
    """Bring the tables to the newest revision."""
    with engine.connect() as conn:
        scripts = config()
        scripts.attributes["connection"] = conn
        command.upgrade(scripts, "head")
        conn.commit()


def config() -> Config:
    """What Alembic needs to know; it takes its connection from the attribute `connection`."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent))
    return made
