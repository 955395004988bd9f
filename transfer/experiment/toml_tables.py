"""Tables of a TOML file as records, strictly: what is wrong is named in one line, whatever it is.

What the keys mean is the matter of ``task``; here they are only read, checked against the types of
a record, and shown.
"""

import difflib
import re
import stat
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import msgspec.inspect as inspect

from derive.errors import InputError, abridged, quoted, told_by

LARGEST_FILE = 128 * 1024  # bytes
_MOST_DOTS = 100  # in a key; the time that tomllib takes grows with their square
T = TypeVar("T", bound=msgspec.Struct)


def read_tables(path: Path, name: str) -> dict[str, Any]:
    """The content of a TOML file, which ``name`` stands for in errors.

    Raises ``OSError`` if it cannot be read, ``InputError`` unless it is a regular file, of at most
    ``LARGEST_FILE`` bytes, of TOML.
    """
    file = quoted(Path(name))
    text = _text(path, file)
    keys = (part for line in text.splitlines() for part in line.split("=")[:-1] or [line])
    try:
        if any(key.count(".") > _MOST_DOTS for key in keys):
            raise RecursionError
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{file} is no TOML file: {told_by(error)}") from None
    except RecursionError:
        raise InputError(
            f"{file} is nested too deeply: a task has tables of plain values and lists"
        ) from None
    except ValueError:  # Python's limit for integers
        found = re.search(r"([\w.-]+)\s*=[^=\n]*?[\d_]{4000}", text)
        key = found[1][-60:] if found else "a key"
        raise InputError(
            f"{file} gives {key} an integer of thousands of digits: give a smaller one"
        ) from None


def _text(path: Path, file: str) -> str:
    if not stat.S_ISREG(path.stat().st_mode):
        raise InputError(f"{file} is no regular file: give a TOML file")
    with path.open("rb") as stream:
        content = stream.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise InputError(
            f"{file} is larger than {LARGEST_FILE // 1024} KiB: a task is a few lines of "
            "TOML, was another file meant?"
        )
    try:
        return content.decode("utf-8-sig")  # some editors put a byte order mark first
    except UnicodeDecodeError as error:
        raise InputError(
            f"{file} is no TOML file ({error.reason} at byte {error.start}): save it as UTF-8"
        ) from None


def insist_on_known(table: Mapping[str, Any], keys: Sequence[str], place: str) -> None:
    """Raise ``InputError`` for a key of a table that is none of ``keys``.

    Arguments:
        table: as it was read.
        keys: that it may have.
        place: where it stands, for the error.
    """
    for key in table:
        if key not in keys:
            near = difflib.get_close_matches(abridged(key), keys, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(keys)}"
            raise InputError(f"unknown key {shown(key)} in {place}: {hint}")


def converted(table: Mapping[str, Any], kind: type[T], place: str) -> T:
    """A table as a record of ``kind``, a ``msgspec.Struct``.

    Arguments:
        table: as it was read.
        kind: a ``msgspec.Struct``.
        place: where it stands, for the error.

    Raises ``InputError`` for a key that is missing, or whose value has not the type of its field.
    """
    for field in msgspec.structs.fields(kind):
        expected = _described(inspect.type_info(field.type))
        if field.name not in table:
            if field.required:
                raise InputError(f"{place} has no {field.name}: add it, {expected}")
            continue
        given = table[field.name]
        try:
            msgspec.convert(given, field.type)
        except (msgspec.ValidationError, OverflowError):
            raise InputError(f"{place} {field.name} = {shown(given)}: give {expected}") from None
    return msgspec.convert(dict(table), kind)


def _described(kind: inspect.Type) -> str:
    """What a field accepts, in words."""
    match kind:
        case inspect.IntType() | inspect.FloatType():
            what = "an integer" if isinstance(kind, inspect.IntType) else "a number"
            low = f"from {kind.ge:,}" if kind.ge is not None else f"above {kind.gt:,}"
            high = f"to {kind.le:,}" if kind.le is not None else f"to below {kind.lt:,}"
            return f"{what} {low} {high}"
        case inspect.BoolType():
            return "true or false"
        case inspect.LiteralType():
            return " or ".join(map(repr, kind.values))
        case inspect.VarTupleType():
            return f"a list of 1 to {kind.max_length}, each {_described(kind.item_type)}"
        case inspect.UnionType():
            return ", or ".join(map(_described, kind.types))
        case _:
            return "a text"


def shown(value: object) -> str:
    """A value of TOML as errors show it, cut if it is long.

    >>> shown(["lora", 3, [1]]), shown(10**300), shown("x" * 80)[-8:]
    ("['lora', 3, a list]", 'an integer of 997 bits', "xxxx...'")
    """
    match value:
        case str():
            return quoted(value)
        case bool():
            return str(value).lower()
        case int() if value.bit_length() > 100:
            return f"an integer of {value.bit_length()} bits"
        case int() | float():
            return str(value)
        case dict():
            return "a table"
        case list() | tuple():
            first = ["a list" if isinstance(item, list) else shown(item) for item in value[:3]]
            return f"[{', '.join(first)}{', ...' * (len(value) > 3)}]"
        case _:
            return f"the {type(value).__name__} {value}"
