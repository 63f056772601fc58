# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Writes generated text between the marks of a Markdown page."""

from __future__ import annotations

import os
from pathlib import Path
import tempfile
from typing import Iterable, Mapping

from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.core.reading.files import read_bytes

MAX_BYTES = 16 * 1024 * 1024


def check(path: Path, names: Iterable[str]) -> str:
    """Return the text of a page; check that it has the marks of the sections.

    Raises:
        ConfigError: The page cannot be read, or lacks a mark.
    """
    try:
        text = read_bytes(path, MAX_BYTES).decode('utf-8')
    except UnicodeDecodeError as error:
        raise ConfigError(path, '', f'is not UTF-8 ({error})') from error
    for name in names:
        begin, end = _marks(name)
        if begin not in text or end not in text.split(begin, 1)[1]:
            raise ConfigError(path, name, f'expected the marks {begin} and {end}')
    return text


def put(path: Path, name: str, text: str) -> None:
    """Write a section between its marks ``<!-- NAME -->`` and ``<!-- /NAME -->``.

    Raises:
        ConfigError: See :func:`check`.
    """
    put_all(path, {name: text})


def put_all(path: Path, sections: Mapping[str, str]) -> None:
    """Write sections between their marks: all of them, or none if the page lacks a mark.

    Raises:
        ConfigError: See :func:`check`.
    """
    content = check(path, sections)
    for name, text in sections.items():
        begin, end = _marks(name)
        before, rest = content.split(begin, 1)
        content = f'{before}{begin}\n{text}\n{end}{rest.split(end, 1)[1]}'
    whole = path.resolve()
    with tempfile.TemporaryDirectory(dir=whole.parent) as temporary:
        new = Path(temporary) / 'page'
        new.write_text(content, encoding='utf-8')
        new.chmod(whole.stat().st_mode)
        os.replace(new, whole)


def _marks(name: str) -> tuple[str, str]:
    return f'<!-- {name} -->', f'<!-- /{name} -->'
