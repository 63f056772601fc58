# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Prints tables at the width of the console: where one is too wide, as records; no cell is cut.

A table that fits is printed as it is. If only its widest column is too wide, that column wraps at
words. Otherwise each row becomes a block of ``header: cell`` lines.
"""

from __future__ import annotations

from typing import List, Optional

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

INDENT = '  '  # of the second and further lines of a cell in a record


def print_table(console: Console, table: Table) -> None:
    """Print a table, or the records of its rows if it is wider than the console."""
    if _fits(console, table):
        console.print(table)
        return
    for line in _records(console, table):
        console.print(line, soft_wrap=True)


def _fits(console: Console, table: Table) -> bool:
    """Tell whether a table can be printed whole; give its widest column a width if need be."""
    ranges = [_column_range(console, table, i) for i in range(len(table.columns))]
    over = _width(console, table) - console.width
    if over <= 0:
        return True
    widest = max(range(len(ranges)), key=lambda i: ranges[i].maximum)
    left = ranges[widest].maximum - over
    if left < ranges[widest].minimum:
        return False
    for i, column in enumerate(table.columns):
        column.no_wrap = i != widest
    table.columns[widest].width = left
    return True


def _width(console: Console, table: Table) -> int:
    """Return the width of a table [characters] in which nothing wraps."""
    unlimited = console.options.update_width(10_000)
    return Measurement.get(console, unlimited, table).maximum


def _column_range(console: Console, table: Table, i: int) -> Measurement:
    """Return the widths of a column: that of its longest word, and of its longest cell."""
    column = table.columns[i]
    cells = [_text(console, it) for it in (column.header, *column.cells)]
    ranges = [Measurement.get(console, console.options.update_width(10_000), it) for it in cells]
    return Measurement(max(it.minimum for it in ranges), max(it.maximum for it in ranges))


def _records(console: Console, table: Table) -> List[Text]:
    """Return the lines of a table's title, of one block for each row, and of its caption."""
    headers = [_text(console, column.header) for column in table.columns]
    lines = _wrapped(console, _text(console, table.title)) if table.title else []
    for cells in zip(*(column.cells for column in table.columns)):
        row = [_text(console, cell) for cell in cells]
        if table.show_header:
            pairs = list(zip(headers, row))
            lines.append(Text())
        else:  # the first cell names the row
            pairs = [(row[0], cell) for cell in row[1:]]
        for name, cell in pairs:
            if cell.plain:
                lines += _wrapped(console, cell, name)
    if table.caption:
        lines += [Text(), *_wrapped(console, _text(console, table.caption))]
    return lines


def _wrapped(console: Console, cell: Text, name: Optional[Text] = None) -> List[Text]:
    """Return a cell, after its name if it has one, in lines; words that are longer stay whole."""
    whole = Text.assemble(' '.join(name.plain.split()), ': ', cell) if name else cell
    lines = whole.wrap(console, console.width - len(INDENT), overflow='ignore')
    return [line if i == 0 else Text.assemble(INDENT, line) for i, line in enumerate(lines)]


def _text(console: Console, cell: object) -> Text:
    """Return a cell with the styles that its markup asks for."""
    return cell if isinstance(cell, Text) else console.render_str(str(cell))
