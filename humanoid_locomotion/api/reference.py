# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Writes ``docs/api.md`` from the public names, their signatures and docstrings.

``python -m humanoid_locomotion.api.reference docs/api.md``
"""

from __future__ import annotations

import inspect
from pathlib import Path
import re
import sys
from typing import Any, List

import humanoid_locomotion

HEAD = """# Python interface

`import humanoid_locomotion as hl` takes a few milliseconds: each name below is imported when it
is first used. This page is written from the docstrings by
`python -m humanoid_locomotion.api.reference docs/api.md`.

```python
{snippet}
```

`hl.make_env` opens the training environment for another trainer, as a
`gymnasium.vector.VectorEnv` or as the `VecEnv` of rsl_rl 5:

```python
env = hl.make_env('unitree_g1', num_envs=4096)
obs, infos = env.reset(seed=1)
obs, reward, terminated, truncated, infos = env.step(env.action_space.sample())

runner = rsl_rl.runners.OnPolicyRunner(
    hl.make_env('unitree_g1', num_envs=4096, api='rsl_rl'),
    {{'obs_groups': {{'actor': ['policy'], 'critic': ['policy', 'critic']}}, ...}})
```

A robot whose episode ends is reset in the same step (`AutoresetMode.SAME_STEP`). Then
`infos['final_obs']` holds the last observation of the old episode in the rows of the mask
`infos['_final_obs']`. `infos['critic_observation']` is the additional observation of the critic;
its last values before the reset are in `infos['final_critic_observation']`.
"""
SECTION = re.compile(r'(Args|Attributes|Returns|Raises|Note):$')
ITEM = re.compile(r'(\w+): (.*)')
ROLE = re.compile(r':\w+:`~?([^`]+)`')


def snippet() -> str:
    """Return the example of the package's docstring as Python source."""
    doc = inspect.getdoc(humanoid_locomotion) or ''
    return inspect.cleandoc(doc[doc.index('    import'):])


def page() -> str:
    """Return the page as Markdown."""
    names = [name for name in humanoid_locomotion.__all__ if not name.startswith('__')]
    values = {name: getattr(humanoid_locomotion, name) for name in names}
    parts = [HEAD.format(snippet=snippet()), '## Functions\n']
    parts += [_function(name, it) for name, it in values.items() if not isinstance(it, type)]
    parts.append('## Classes\n')
    parts += [_class(name, it) for name, it in values.items() if isinstance(it, type)]
    return '\n'.join(parts)


def _function(name: str, function: Any) -> str:
    return (f'### `{name}`\n\n```python\n{_signature(name, function)}\n```\n\n'
            f'{_markdown(inspect.getdoc(function) or "")}\n')


def _class(name: str, cls: type) -> str:
    lines = [f'### `{name}`\n', _markdown(inspect.getdoc(cls) or ''), '']
    methods: List[str] = []
    for key, value in vars(cls).items():
        text = inspect.getdoc(value) or ''
        if key.startswith('_') or not text:
            continue
        if isinstance(value, property):
            methods.append(f'- `{key}`: {_inline(_summary(text))}')
        elif inspect.isfunction(value):
            methods.append(f'- `{_signature(key, value)}`: {_inline(_summary(text))}')
    if methods:
        lines += ['**Methods and properties**', '', *methods]
    return '\n'.join(lines).rstrip() + '\n'


def _signature(name: str, function: Any) -> str:
    """Return the signature of a function as source text, annotations without quotes."""
    signature = inspect.signature(function)
    given: List[str] = []
    for parameter in signature.parameters.values():
        if parameter.name == 'self':
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and '*' not in given:
            given.append('*')
        kind = '' if parameter.annotation is parameter.empty else f': {parameter.annotation}'
        default = '' if parameter.default is parameter.empty else f' = {parameter.default!r}'
        given.append(f'{parameter.name}{kind}{default if kind else default.replace(" ", "")}')
    result = signature.return_annotation
    tail = '' if result is signature.empty else f' -> {result}'
    line = f'{name}({", ".join(given)}){tail}'
    if len(line) <= 99:
        return line
    return f'{name}(\n    ' + ',\n    '.join(given) + f'){tail}'


def _summary(text: str) -> str:
    return ' '.join(text.split('\n\n')[0].split())


def _inline(text: str) -> str:
    """Return the text of a docstring with the code marks of Markdown."""
    return ROLE.sub(lambda found: f'`{found[1].split(".")[-1]}`', text).replace('``', '`')


def _markdown(text: str) -> str:
    """Return a Google-style docstring as Markdown; its items become lists."""
    lines: List[str] = []
    section = ''
    for line in _inline(text).splitlines():
        heading = SECTION.match(line)
        item = ITEM.match(line.strip())
        depth = len(line) - len(line.lstrip())
        if heading:
            section = heading[1]
            lines += [f'**{section}**', '']
        elif section in ('Args', 'Attributes', 'Raises') and depth == 4 and item:
            lines.append(f'- `{item[1]}`: {item[2]}')
        elif section and line.strip():
            lines.append(f'  {line.strip()}' if lines[-1].startswith(('- ', '  '))
                         else line.strip())
        else:
            lines.append(line)
    return '\n'.join(lines).rstrip()


if __name__ == '__main__':
    Path(sys.argv[1]).write_text(page(), encoding='utf-8')
