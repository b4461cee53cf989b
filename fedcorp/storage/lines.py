"""Rows that are texts of JSON, made by the database. For rows that are mostly known from before: equal rows are equal
texts, and looking up a text costs a tenth of reading it.
"""

from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

SEPARATOR = "\t"  # between two lines that make one; JSON never has it within


class Line(FunctionElement[str]):
    """An SQL expression: the values of these columns, numbers and texts, as an array of JSON."""

    name = "line"
    type = sa.Text()
    inherit_cache = True


@compiles(Line, "sqlite")
def _for_sqlite(element: Line, compiler: Any, **options: Any) -> str:
    return f"json_array({compiler.process(element.clauses, **options)})"


@compiles(Line, "postgresql")
def _for_postgresql(element: Line, compiler: Any, **options: Any) -> str:
    return f"CAST(json_build_array({compiler.process(element.clauses, **options)}) AS TEXT)"


def values_of(line: str) -> list[Any]:
    """The values of one line."""
    values: list[Any] = orjson.loads(line)
    return values
