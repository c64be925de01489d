"""Flags for the fields of what is described by numbers, an optimizer or a schedule, by its own
declarations.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields
from typing import Any, NamedTuple

from fastgd.cli.options import add_flag, number, numbers, whole


class FieldFlag(NamedTuple):
    """What a flag says of a field that some classes have."""

    name: str  # of the field
    metavar: str | None  # N for a whole number, one that ends in ... for several, None for a switch
    help: str


def flags_of(kinds: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, FieldFlag]:
    """The flag of each field but the rate, of whichever class: what it is, for which of them, and
    its default. `names` has flags of fields whose names alone would not say whose they are.
    """
    found: dict[str, list[tuple[str, Field[Any]]]] = {}
    for kind, cls in kinds.items():
        for field in fields(cls):
            if field.name != "rate" and field.init:
                found.setdefault(field.name, []).append((kind, field))
    flags = {}
    for name, owners in found.items():
        about = owners[0][1].metadata
        texts = dict.fromkeys(_text_of(field) for _, field in owners)
        parts = [_of_owners(text, owners, len(kinds)) for text in texts]
        flag = names.get(name, f"--{name.replace('_', '-')}")
        flags[flag] = FieldFlag(name, about.get("unit", "NUMBER"), "; ".join(parts))
    return flags


def _text_of(field: Field[Any]) -> str:
    return str(field.metadata.get("text", "a number"))


def _of_owners(text: str, owners: list[tuple[str, Field[Any]]], kinds: int) -> str:
    """What a field is: for which classes, by the default that they have."""
    by_default: dict[Any, list[str]] = {}
    for kind, field in owners:
        if _text_of(field) == text:
            by_default.setdefault(field.default, []).append(kind)
    parts = []
    for default, names in by_default.items():
        who = "any" if len(names) == kinds else ", ".join(names)
        shown = "without" if default is False else "" if default is MISSING else f"{default:g}"
        parts.append(f"{who} (default: {shown})" if shown else who)
    return f"{text}: {', '.join(parts)}"


def add_field_flags(parser: argparse._ActionsContainer, flags: Mapping[str, FieldFlag]) -> None:
    """Add these flags."""
    for flag, (_, metavar, text) in flags.items():
        if metavar is None:
            parser.add_argument(flag, action="store_true", default=None, help=text)
        else:
            read = numbers if metavar.endswith("...") else whole if metavar == "N" else number
            add_flag(parser, flag, read, metavar, text)


def fields_given(
    options: argparse.Namespace,
    choice: str,
    kinds: Mapping[str, Any],
    flags: Mapping[str, FieldFlag],
) -> dict[str, Any]:
    """Fields of the chosen class that flags give; a flag of other classes, or a missing one, is
    refused by name.
    """
    chosen = getattr(options, choice)
    own = {field.name: field for field in fields(kinds[chosen])}
    given = {}
    for flag, (name, *_) in flags.items():
        value = getattr(options, flag[2:].replace("-", "_"))
        if value is not None and name not in own:
            owners = ", ".join(_owners_of(name, kinds))
            raise ValueError(f"{flag} is for {owners}; got --{choice} {chosen}")
        if value is None and name in own and own[name].default is MISSING:
            raise ValueError(f"--{choice} {chosen} needs {flag}")
        if value is not None:
            given[name] = value
    return given


def _owners_of(name: str, kinds: Mapping[str, Any]) -> Iterator[str]:
    return (kind for kind, cls in kinds.items() if name in {field.name for field in fields(cls)})
