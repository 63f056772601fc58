# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The table of a sweep as CSV and Markdown."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from humanoid_locomotion.training.run import durable


def write(folder: Path, rows: list[dict[str, Any]]) -> None:
    """Write ``results.csv`` and ``results.md``.

    Args:
        folder: The folder.
        rows: Rows of the same keys; None is an empty cell.

    Raises:
        RunFolderError: A file cannot be written.
    """
    durable.write(folder / 'results.csv', _csv(rows).encode())
    durable.write(folder / 'results.md', _markdown(rows).encode())


def _csv(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else [])
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _markdown(rows: list[dict[str, Any]]) -> str:
    cells = [[*rows[0]], ['---'] * len(rows[0])] if rows else []
    cells += [['' if it is None else f'{it:.4g}' if isinstance(it, float) else str(it)
               for it in row.values()] for row in rows]
    return ''.join(f'| {" | ".join(line)} |\n' for line in cells)
