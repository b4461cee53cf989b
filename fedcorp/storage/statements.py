"""Runs the statements of units on the driver's own cursor: compiled once, without SQLAlchemy's work at each execution.

That work (cache keys, contexts, results) costs several times what SQLite needs to find a row by its key. A statement
that is run again as the same object, as constants of modules are, is compiled when it comes for the second time; every
other takes SQLAlchemy's own way. Both give the same rows and raise the same errors.

SQLite's driver lets other threads run at every row that it fetches, so under load a page of rows costs a fight for the
interpreter at each. `gather` therefore has SQLite put all rows into one text of JSON, which is also quicker to read.

Words that a statement itself has, such as the names of states, become a part of its text. SQLite plans a statement anew
at every execution when a parameter stands where the condition of a partial index has a word: it could change the plan.

How often each table was changed is counted, so that a unit can keep what it has read (`Tx.once`).

Knows of our tables only the kinds of values: numbers, texts, bytes and booleans, which both drivers take as they are.
SQLite alone gives booleans back as numbers.
"""

import re
import weakref
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from operator import itemgetter
from typing import Any, TypeVar

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import UpdateBase

T = TypeVar("T")
_NEVER: Any = object()
ALL = "*"
MOST_FORMS = 64  # of one statement: other columns given, other lengths of lists
_AS_THEY_ARE = (sa.Integer, sa.String, sa.LargeBinary, sa.Boolean, sa.types.NullType)
_IN_JSON = (sa.Integer, sa.String)
_WORD = re.compile(r"[a-z_]{1,32}")  # needs no quoting, and gives nothing away in a log
_NAMED, _PYFORMAT = re.compile(r"(?<![:\w]):(\w+)"), re.compile(r"%\((\w+)\)s")
_PACKED, _LINED = "json_group_array(json_array(%s))", "group_concat(%s, char(10))"  # JSON has no line feeds
_LENGTHS = (0, 1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 512, 1024)


class Scalars(list[Any]):
    """The values of one column."""

    def all(self) -> list[Any]:
        """All of them."""
        return self

    def first(self) -> Any:
        """The first, or None."""
        return self[0] if self else None


class Rows:
    """What a statement gave: all rows, as tuples whose columns also have names."""

    __slots__ = ("_rows", "rowcount")

    def __init__(self, rows: Sequence[Any], rowcount: int) -> None:
        self._rows = rows
        self.rowcount = rowcount

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)

    def all(self) -> Sequence[Any]:
        """All rows."""
        return self._rows

    def first(self) -> Any:
        """The first row, or None."""
        return self._rows[0] if self._rows else None

    def one(self) -> Any:
        """The only row. Raises ValueError when there is not exactly one."""
        (row,) = self._rows
        return row

    def scalars(self) -> Scalars:
        """The first column of all rows."""
        return Scalars([row[0] for row in self._rows])

    def scalar(self) -> Any:
        """The first column of the first row, or None."""
        return self._rows[0][0] if self._rows else None

    def scalar_one(self) -> Any:
        """The first column of the only row. Raises ValueError when there is not exactly one."""
        return self.one()[0]


class _Form:
    """A statement as text for the driver, with certain columns given and room for lists of certain lengths."""

    __slots__ = ("defaults", "lined", "lists", "make", "packed", "text")

    def __init__(self, text: str, defaults: dict[str, Any], lists: Mapping[str, Sequence[str]]) -> None:
        self.text = text
        self.defaults = defaults
        self.lists = lists
        self.make: Callable[[tuple[Any, ...]], Any] | None = None  # known with the first result
        self.packed = self.lined = ""  # the texts that give all rows in one of JSON, once they were asked for

    def values(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the driver is given: lists taken apart, their last item repeated as often as there is room."""
        if not self.defaults and not self.lists:
            return given
        values = {**self.defaults, **given}
        for name, names in self.lists.items():
            items = list(values.pop(name))
            items += items[-1:] * (len(names) - len(items))
            values |= zip(names, items, strict=True)
        return values


class _Compiled:
    """A statement that came before. `changed` is the table that it changes, if any; `lists` are the parameters that are
    given any number of values."""

    __slots__ = ("booleans", "changed", "columns", "forms", "lists")

    def __init__(self, changed: str | None, lists: tuple[str, ...], types: Sequence[Any], native: bool) -> None:
        self.changed = changed
        self.lists = lists
        self.booleans = () if native else tuple(at for at, kind in enumerate(types) if isinstance(kind, sa.Boolean))
        fits = not native and changed is None and all(isinstance(kind, _IN_JSON) for kind in types)
        self.columns = len(types) if fits else 0  # of a statement of SQLite's whose rows can come as JSON
        self.forms: dict[Any, _Form] = {}

    def key(self, given: Mapping[str, Any]) -> Any:
        """What the text depends on: the columns given to an INSERT or UPDATE, and the room that lists need."""
        columns = tuple(given) if self.changed is not None else None
        return (columns, *(_room(len(given[name])) for name in self.lists)) if self.lists else columns


def _room(length: int) -> int:
    """Lists are filled up to one of a few lengths, so that the driver sees few different texts."""
    return next((room for room in _LENGTHS if room >= length), length)


class Statements:
    """The statements that databases of one kind have seen, for all threads: None once, then compiled, or False for
    never."""

    def __init__(self) -> None:
        self.known: dict[int, _Compiled | bool | None] = {}  # by identity: hashing costs a third of a short statement
        self._alive: dict[int, weakref.ref[Any]] = {}

    def put(self, statement: Any, found: _Compiled | bool | None) -> None:
        """Keep what is known of a statement for as long as it lives; its number is never another's meanwhile."""
        number = id(statement)
        if number not in self._alive:
            self._alive[number] = weakref.ref(statement, lambda _: self._drop(number))
        self.known[number] = found

    def _drop(self, number: int) -> None:
        self._alive.pop(number, None)
        self.known.pop(number, None)


@cache
def statements_of(dialect: str) -> Statements:
    """Those of all databases of this kind in this process."""
    return Statements()


class QuickConnection:
    """A connection as units use it. Begins and ends no transaction."""

    __slots__ = ("_conn", "_errors", "_known", "_raw", "_statements", "changes", "dialect")

    def __init__(self, conn: Connection, statements: Statements) -> None:
        self.dialect: Dialect = conn.dialect
        self.changes: defaultdict[str, int] = defaultdict(int)  # of each table; under ALL those that may be of any
        self._conn = conn
        self._raw: Any = conn.connection.dbapi_connection
        self._statements = statements
        self._known = statements.known
        self._errors: Any = conn.dialect.loaded_dbapi.Error

    @property
    def invalidated(self) -> bool:
        """Whether the database was lost; another connection must be made."""
        return self._conn.invalidated

    def execute(self, statement: sa.Executable, given: Any = None) -> Rows:
        """Run a statement with the values of its parameters, or with a list of such. Raises DBAPIError."""
        compiled = self._known.get(id(statement))
        if not compiled or type(given) is list:
            return self._slowly(statement, given)
        assert isinstance(compiled, _Compiled)
        given = given or {}
        form = self._form(statement, compiled, given)
        if compiled.changed is not None:
            self.changes[compiled.changed] += 1
        try:
            cursor = self._raw.execute(form.text, form.values(given))
            rows = cursor.fetchall() if cursor.description is not None else ()
        except self._errors as error:
            raise self._wrapped(form.text, error) from error
        if not rows:
            return Rows((), cursor.rowcount)
        make = form.make
        if make is None:
            make = form.make = _maker(tuple(column[0] for column in cursor.description), compiled.booleans)
        return Rows([make(row) for row in rows], cursor.rowcount)

    def gather(self, statement: sa.Executable, given: Mapping[str, Any], make: Callable[[Any], T]) -> list[T]:
        """Run a SELECT that gives many short rows; `make` gets the values of each, in order. Raises DBAPIError."""
        compiled = self._known.get(id(statement))
        if not isinstance(compiled, _Compiled) or not compiled.columns:
            return [make(row) for row in self.execute(statement, given)]
        form = self._form(statement, compiled, given)
        text = form.packed = form.packed or _packed(form.text, compiled.columns, _PACKED)
        try:
            (rows,) = self._raw.execute(text, form.values(given)).fetchone()
        except self._errors as error:
            raise self._wrapped(text, error) from error
        return list(map(make, orjson.loads(rows)))

    def lines(self, statement: sa.Executable, given: Mapping[str, Any]) -> list[str]:
        """Run a SELECT of one column of `fedcorp.storage.lines`. Raises DBAPIError."""
        compiled = self._known.get(id(statement))
        if not isinstance(compiled, _Compiled) or compiled.columns != 1:
            return [row[0] for row in self.execute(statement, given)]
        form = self._form(statement, compiled, given)
        text = form.lined = form.lined or _packed(form.text, 1, _LINED)
        try:
            (rows,) = self._raw.execute(text, form.values(given)).fetchone()
        except self._errors as error:
            raise self._wrapped(text, error) from error
        return rows.split("\n") if rows else []

    def exec_driver_sql(self, text: str) -> None:
        """Run a text of SQL that gives nothing back. Raises DBAPIError."""
        self.changes[ALL] += 1
        try:
            self._raw.execute(text)
        except self._errors as error:
            raise self._wrapped(text, error) from error

    def _slowly(self, statement: sa.Executable, given: Any) -> Rows:
        known = self._known.get(id(statement), _NEVER)
        if known is _NEVER:
            self._statements.put(statement, None)
        elif known is None:
            self._statements.put(statement, _compiled(statement, self.dialect) or False)
        if not isinstance(statement, sa.SelectBase):
            self.changes[_changed(statement) or ALL] += 1
        result = self._conn.execute(statement, given)
        return Rows(result.all() if result.returns_rows else (), result.rowcount)

    def _form(self, statement: Any, compiled: _Compiled, given: Mapping[str, Any]) -> _Form:
        key = compiled.key(given)
        return compiled.forms.get(key) or self._add_form(statement, compiled, key, given)

    def _add_form(self, statement: Any, compiled: _Compiled, key: Any, given: Mapping[str, Any]) -> _Form:
        text: SQLCompiler = statement.compile(dialect=self.dialect, column_keys=list(given))
        expanded = text.construct_expanded_state({**given, **{name: _filled(given[name]) for name in compiled.lists}})
        defaults: dict[str, Any] = {}
        words: dict[str, str] = {}
        for bind, name in text.bind_names.items():
            values: dict[str, Any] = {}
            if bind.expanding and name not in compiled.lists:
                values = dict(zip(expanded.parameter_expansion[name], bind.effective_value or (), strict=True))
            elif not bind.required:
                values = {name: bind.effective_value}
            fixed = _words(values) if bind.unique else {}  # nobody can give another value for it
            words |= fixed
            defaults |= {one: value for one, value in values.items() if one not in fixed}
        lists = {name: expanded.parameter_expansion[name] for name in compiled.lists}
        if len(compiled.forms) >= MOST_FORMS:
            compiled.forms.clear()
        pattern = _NAMED if self.dialect.paramstyle == "named" else _PYFORMAT
        worded = pattern.sub(
            lambda found: f"'{words[found[1]]}'" if found[1] in words else found[0], expanded.statement
        )
        form = compiled.forms[key] = _Form(worded, defaults, lists)
        return form

    def _wrapped(self, text: str, error: Any) -> BaseException:
        """The error as SQLAlchemy would raise it, without the values, which nobody shall find in a log."""
        gone = self.dialect.is_disconnect(error, self._raw, None)
        if gone:
            self._conn.invalidate(error)
        wrapped: BaseException = DBAPIError.instance(
            text, None, error, self._errors, hide_parameters=True, connection_invalidated=gone, dialect=self.dialect
        )
        return wrapped


def _words(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: value for name, value in values.items() if type(value) is str and _WORD.fullmatch(value)}


def _filled(items: Any) -> list[Any]:
    found = list(items)
    return found + found[-1:] * (_room(len(found)) - len(found))


def _compiled(statement: Any, dialect: Dialect) -> _Compiled | None:
    """The statement made ready, or None when it has values that a driver does not take or give as they are."""
    types = _types(statement)
    if types is None:
        return None
    text = statement.compile(dialect=dialect)
    binds = text.bind_names
    if text.literal_execute_params or not all(isinstance(kind, _AS_THEY_ARE) for kind in types):
        return None
    if not all(isinstance(bind.type, _AS_THEY_ARE) for bind in binds):
        return None
    lists = tuple(name for bind, name in binds.items() if bind.expanding and bind.required)
    return _Compiled(_changed(statement), lists, types, dialect.supports_native_boolean)


def _changed(statement: Any) -> str | None:
    """The table that a statement changes."""
    return str(statement.entity_description["table"].name) if isinstance(statement, UpdateBase) else None


def _packed(text: str, columns: int, form: str) -> str:
    """The same rows in the same order in one text of JSON (SQLite keeps the order of what it aggregates)."""
    names = ", ".join(f"c{number}" for number in range(columns))
    return f"WITH packed({names}) AS ({text}) SELECT {form % names} FROM packed"


def _types(statement: Any) -> list[Any] | None:
    """The types of the columns that a statement gives back; None for what is no statement of our own making."""
    if isinstance(statement, sa.CompoundSelect):
        return _types(statement.selects[0])
    if isinstance(statement, sa.Select):
        return [column["type"] for column in statement.column_descriptions]
    if isinstance(statement, UpdateBase):
        return [column["type"] for column in statement.returning_column_descriptions]
    return None


def _maker(names: tuple[str, ...], booleans: tuple[int, ...]) -> Callable[[tuple[Any, ...]], Any]:
    """What makes a row of ours of a row of the driver."""
    kind: Callable[[Any], Any] = _row_class(names)
    if not booleans:
        return kind

    def make(row: tuple[Any, ...]) -> Any:
        values = list(row)
        for at in booleans:
            if values[at] is not None:
                values[at] = values[at] != 0
        return kind(values)

    return make


@lru_cache(maxsize=1024)
def _row_class(names: tuple[str, ...]) -> Any:
    """A tuple whose items also have names, as far as these can be names."""
    named = {name: property(itemgetter(at)) for at, name in enumerate(names) if name.isidentifier()}
    return type("Row", (tuple,), {"__slots__": (), "_fields": names, **named})
