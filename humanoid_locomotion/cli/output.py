# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Output of the commands: tables for people, JSON for programs, and a progress spinner."""

from __future__ import annotations

import json
import math
from typing import Any, ContextManager, Dict, List

from rich.console import Console
from rich.markup import escape
from rich.table import Table
import typer

from humanoid_locomotion.console_table import print_table

JSON: Any = typer.Option(False, '--json', help='Print JSON instead of words and tables.')


def group(text: str) -> typer.Typer:
    """Return a group of commands with a help text.

    Help is Markdown: rich's own markup would leave out units such as ``[s]``.
    """
    return typer.Typer(no_args_is_help=True, rich_markup_mode='markdown', help=text)


def working(what: str) -> ContextManager:
    """Show a spinner on standard error during the context."""
    return Console(stderr=True).status(what)


def print_json(value: Any) -> None:
    """Print a value as JSON; a number that is not finite becomes null."""
    Console().out(json.dumps(_plain(value), indent=2), highlight=False)


def table_of(rows: List[Dict[str, Any]]) -> Table:
    """Return rows of the same keys as a table."""
    table = Table(*(name.replace('_', ' ') for name in rows[0]))
    for row in rows:
        table.add_row(*('' if value is None else f'{value:.4g}' if isinstance(value, float)
                        else escape(str(value)) for value in row.values()))
    return table


def print_rows(rows: List[Dict[str, Any]], as_json: bool) -> None:
    """Print rows of the same keys."""
    if as_json:
        print_json(rows)
    else:
        print_table(Console(), table_of(rows))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(it) for key, it in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(it) for it in value]
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if hasattr(value, '__float__'):
        number = float(value)
        return number if math.isfinite(number) else None
    return str(value)
