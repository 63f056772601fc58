# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Mutations of ``contract.yaml`` and ``scorecard.json`` according to their formats."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable, Dict, Tuple

import numpy as np
import yaml

from humanoid_locomotion.core.contract import PolicyContract
from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.core.policy.content import NETWORK, SCORECARD
from humanoid_locomotion.core.reading import config
from humanoid_locomotion.reliability.policy_fuzz.mutate_onnx import set_contract
from humanoid_locomotion.reliability.policy_fuzz.mutation import Mutation, choose, places

CONTRACT = 'contract.yaml'
HOLE = 'HOLE-IN-THE-TEXT'
DEEP = 3000

# Values that a parser accepts, and that must be refused by later checks.
EXTREMES: Tuple[Any, ...] = (
    None, True, False, '', 'text', 'x' * 5000, '\x1b[31m', '\0', [], {}, [[]], 0, -1, 1, 2 ** 31,
    2 ** 63 - 1, -2 ** 63, 0.0, -0.0, -1.0, 5e-324, 1e-9, 0.9, 1e6, -1e6, 1e300, -1e300,
    float('nan'), float('inf'), float('-inf'), '2001-99-99', ['a'] * 300, {'a': {'b': [1]}})

# Text in place of a value, which a parser must refuse.
YAML_NEVER: Dict[str, str] = {
    'an integer of 5,000 digits': '1' * 5000, 'an integer of 50 digits': '9' * 50,
    '10^400': '1.0e+400', 'a tag !!float': '!!float "abc"', 'a tag !!binary': '!!binary aGk=',
    'a tag of Python': '!!python/object/apply:os.getcwd []', 'a tag of ones own': '!mine 1',
    'lists 3,000 deep': '[' * DEEP + ']' * DEEP, 'lists without an end': '[' * DEEP,
    'mappings 3,000 deep': '{a: ' * DEEP + '1' + '}' * DEEP, 'an alias of nothing': '*nothing',
    'an anchor': '&here 1', 'a merge key': '{<<: {a: 1}}', 'a key twice': '{a: 1, a: 2}',
    'half of a character pair': '"\\ud800"', 'a key that is a number': '{1: 2}',
    'a list that holds itself': '&self [*self]', 'a number without digits': '0x_'}
JSON_NEVER: Dict[str, str] = {
    '10^400': '1' + '0' * 400, 'an integer of 5,000 digits': '1' * 5000, '1e400': '1e400',
    'NaN': 'NaN', 'Infinity': '-Infinity', 'lists 3,000 deep': '[' * DEEP + ']' * DEEP,
    'lists 100,000 deep': '[' * 100_000, 'a key twice': '{"a": 1, "a": 2}',
    'half of a character pair': '"\\ud800"', 'text without an end': '"text'}
LEAVES = (str, int, float, bool, type(None))


def mutate_contract(folder: Path, random: np.random.Generator) -> Mutation:
    """Change ``contract.yaml``; sometimes update fingerprint and network like an exporter."""
    path = folder / CONTRACT
    text = path.read_text(encoding='utf-8')
    kind = random.integers(10)
    if kind < 4:
        name = choose(random, list(YAML_NEVER))
        tree = yaml.safe_load(text)
        container, key = choose(random, places(tree))
        container[key] = HOLE
        path.write_text(_dump(tree).replace(HOLE, YAML_NEVER[name], 1), encoding='utf-8')
        return Mutation(name, CONTRACT, True)
    if kind == 4:
        name, change, never = choose(random, YAML_TEXTS)
        path.write_bytes(change(text.encode()))
        return Mutation(name, CONTRACT, never)
    tree = yaml.safe_load(text)
    name = _change(tree, random)
    again = random.random() < 0.7 and _export_again(tree, folder)
    path.write_text(_dump(tree), encoding='utf-8')
    return Mutation(f'{name}{", exported again" if again else ""}', CONTRACT, False)


def mutate_scorecard(folder: Path, random: np.random.Generator) -> Mutation:
    """Change ``scorecard.json``."""
    path = folder / SCORECARD
    tree = json.loads(path.read_text(encoding='utf-8'))
    if random.random() < 0.5:
        name = choose(random, list(JSON_NEVER))
        container, key = choose(random, places(tree))
        container[key] = HOLE
        path.write_text(json.dumps(tree).replace(f'"{HOLE}"', JSON_NEVER[name], 1))
        return Mutation(name, SCORECARD, True)
    responses = tree['figures']['responses']
    if random.random() < 0.5:  # most values of a scorecard are not used by a node
        name = _change({'responses': responses}, random)
    else:
        name = _change(tree, random)
    text = json.dumps(tree)
    never = any(word in text for word in ('NaN', 'Infinity'))
    path.write_text(text)
    return Mutation(name, SCORECARD, never)


def _dump(tree: Any) -> str:
    return yaml.dump(tree, Dumper=_Dumper, sort_keys=False, default_flow_style=None, width=200)


class _Dumper(yaml.SafeDumper):
    """Writes equal lists in full, without aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        """Return True: nothing is written as an alias."""
        return True


def _export_again(tree: Any, folder: Path) -> bool:
    """Update the fingerprint of a changed contract, and its copies in the ONNX files."""
    rest = {key: value for key, value in tree.items() if key != 'fingerprint'}
    try:
        contract = config.from_mapping(PolicyContract, rest, CONTRACT)
        tree['fingerprint'] = contract.fingerprint
    except (LocomotionError, ValueError, TypeError, RecursionError):
        return False
    for name in ('policy.onnx', NETWORK):
        set_contract(folder / name, contract.to_json())
    return True


def _change(tree: Any, random: np.random.Generator) -> str:
    """Change one item of plain data; return its name."""
    container, key = choose(random, places(tree))
    value = container[key]
    kind = random.integers(8)
    if kind == 0 and isinstance(container, dict):
        del container[key]
        return 'a key less'
    if kind == 1 and isinstance(container, dict):
        container[choose(random, ('more', '', 'kp', 'x' * 5000, 'name '))] = value
        return 'a key more'
    if kind == 2 and isinstance(container, dict):
        container[f'{key}s'] = container.pop(key)
        return 'a key of another name'
    if kind == 3 and isinstance(value, list):
        random.shuffle(value)
        return 'a list in another order'
    if kind == 4 and isinstance(container, dict):
        items = list(container.items())
        container.clear()
        container.update(items[::-1])
        return 'keys in another order'
    if kind == 5 and isinstance(value, list) and value:
        value.extend(value[:1]) if random.random() < 0.5 else value.pop()
        return 'an entry more or less'
    if kind == 6 and isinstance(value, float):
        container[key] = value * float(choose(random, (1.0 + 1e-9, 1.001, 1.5, 10.0, 1e6, -1.0)))
        return 'a value a little or much larger'
    container[key] = choose(random, EXTREMES)
    return 'an extreme value'


_TextChange = Tuple[str, Callable[[bytes], bytes], bool]
YAML_TEXTS: Tuple[_TextChange, ...] = (
    ('a second document', lambda text: text + b'---\nrobot: other\n', True),
    ('a key of the top twice', lambda text: text + b'robot: humanoid\n', True),
    ('aliases that grow', lambda text: b'a: &a [x, x, x, x, x, x, x, x, x]\n' + b''.join(
        b'%c: &%c [%s]\n' % (c, c, b', '.join([b'*%c' % (c - 1)] * 9))
        for c in b'bcdefghij') + text, True),
    ('half of it', lambda text: text[:len(text) // 2], True),
    ('bytes that are not UTF-8', lambda text: text + b'# \xff\n', True),
    ('a NUL', lambda text: text + b'\0', True),
    ('a list of everything', lambda text: b'- ' + text.replace(b'\n', b'\n  '), True),
    ('200,000 entries', lambda text: text + b'more: [' + b'1,' * 100_000 + b']\n', True),
    ('a directive of another YAML', lambda text: b'%YAML 9.9\n---\n' + text, True),
    ('a comment', lambda text: b'# a comment\n' + text + b'# another\n', False),
    ('another end of lines', lambda text: text.replace(b'\n', b'\r\n'), False),
    ('a mark of the byte order', lambda text: b'\xef\xbb\xbf' + text, False))
