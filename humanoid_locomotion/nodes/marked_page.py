"""Writes generated text into a Markdown page, between its marks."""

from __future__ import annotations

from pathlib import Path

from humanoid_locomotion.core.errors import ConfigError


def put(path: Path, name: str, text: str) -> None:
    """Write a section between its marks ``<!-- NAME -->`` and ``<!-- /NAME -->``.

    Raises:
        ConfigError: The page lacks the marks.
    """
    begin, end = f'<!-- {name} -->', f'<!-- /{name} -->'
    content = path.read_text(encoding='utf-8')
    if begin not in content or end not in content:
        raise ConfigError(path, name, f'expected the marks {begin} and {end}')
    before, rest = content.split(begin, 1)
    after = rest.split(end, 1)[1]
    path.write_text(f'{before}{begin}\n{text}\n{end}{after}', encoding='utf-8')
