# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""YAML into dataclasses: everything that does not fit is refused, by name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Dict, Optional, Tuple

import pytest

from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.core.reading import config


@dataclass(frozen=True)
class Wheel:
    """What a schema looks like."""

    radius: float
    spokes: int = 24


@dataclass(frozen=True)
class Bike:
    """A schema that holds others, and checks itself."""

    name: str
    wheels: Tuple[Wheel, ...]
    size: Tuple[float, float] = (1.0, 2.0)
    bell: Optional[str] = None
    electric: bool = False
    gears: Dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.wheels:
            raise ValueError('wheels must not be empty')


GOOD = {'name': 'fox', 'wheels': [{'radius': 0.3}, {'radius': 1, 'spokes': 12}],
        'size': [3, 4.5], 'bell': 'ding', 'gears': {'first': 2.5}}


def test_a_mapping_that_fits_is_read_and_written_back():
    bike = config.from_mapping(Bike, GOOD, 'bike.yaml')
    assert bike == Bike('fox', (Wheel(0.3), Wheel(1.0, 12)), (3.0, 4.5), 'ding', False,
                        {'first': 2.5})
    assert isinstance(bike.wheels[1].radius, float) and isinstance(bike.size[0], float)
    assert config.from_mapping(Bike, config.to_mapping(bike), 'again') == bike


@pytest.mark.parametrize('change, message', [
    ({'nam': 1}, r"unknown keys \['nam'\]; the keys are \['bell', .*'name'"),
    ({'name': 3}, r'name: expected str, found int 3'),
    ({'name': None}, r'name: expected str, found NoneType None'),
    ({'wheels': 'two'}, r"wheels: expected a list, found str 'two'"),
    ({'wheels': []}, r'wheels must not be empty'),
    ({'wheels': [{'radius': 1.0}, {'radius': 'big'}]},
     r"wheels\[1\]\.radius: expected float, found str 'big'"),
    ({'wheels': [{}]}, r"wheels\[0\]: missing keys \['radius'\]"),
    ({'wheels': [7]}, r'wheels\[0\]: expected a mapping, found int 7'),
    ({'wheels': [{'radius': True}]}, r'wheels\[0\]\.radius: expected float, found bool True'),
    ({'wheels': [{'radius': 1.0, 'spokes': True}]}, r'spokes: expected int, found bool True'),
    ({'wheels': [{'radius': 1.0, 'spokes': 2.0}]}, r'spokes: expected int, found float 2.0'),
    ({'wheels': [{'radius': '1e-3'}]},
     r"radius: .*found str '1e-3' .this is text: write it without quotes and w"),
    ({'size': [1.0]}, r'size: expected 2 values, found 1'),
    ({'bell': 4}, r'bell: expected str, found int 4'),
    ({'electric': 1}, r'electric: expected bool, found int 1'),
    ({'gears': {'first': 'low'}}, r"gears\.first: expected float, found str 'low'")])
def test_what_does_not_fit_is_refused_and_named(change, message):
    with pytest.raises(ConfigError, match=message) as error:
        config.from_mapping(Bike, {**GOOD, **change}, 'bike.yaml')
    assert str(error.value).startswith('bike.yaml: ')


def test_a_typing_error_names_the_wrong_and_the_right_key():
    with pytest.raises(ConfigError, match=r"unknown keys \['nmae'\], missing keys \['name'\]"):
        config.from_mapping(Bike, {'nmae': 'fox', 'wheels': []}, 'bike.yaml')


def test_an_exponent_without_a_point_is_text_in_yaml_and_said_so(tmp_path):
    path = tmp_path / 'wheel.yaml'
    path.write_text('radius: 1e-3\n')
    with pytest.raises(ConfigError, match=r'as 1\.0e-3'):
        config.load(Wheel, path)
    path.write_text('radius: 1.0e-3\n')
    assert config.load(Wheel, path) == Wheel(0.001)


@pytest.mark.parametrize('content, message', [
    (b'- a\n- b\n', 'expected a mapping, found list'), (b'', 'expected a mapping, found NoneType'),
    (b'a: [1\n', 'is not valid YAML'), (b'\xff\xfe\x00', 'is not valid YAML'),
    (b'a: !!python/object/apply:os.getcwd []\n', 'line 1 has the tag'),
    (b'#' * (config.MAX_BYTES + 1), 'larger than')])
def test_a_file_that_is_not_a_mapping_is_refused(tmp_path, content, message):
    path = tmp_path / 'file.yaml'
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        config.read_yaml(path)


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r'nothing\.yaml: cannot be read'):
        config.read_yaml(tmp_path / 'nothing.yaml')


def test_an_override_changes_one_value_of_a_copy():
    data = {'ppo': {'rate': 1.0, 'steps': 24}, 'seed': 1}
    assert config.override(data, 'ppo.rate=0.5') == {
        'ppo': {'rate': 0.5, 'steps': 24}, 'seed': 1}
    assert data['ppo']['rate'] == 1.0
    assert config.override(data, 'seed=[1, 2]')['seed'] == [1, 2]


@pytest.mark.parametrize('assignment, message', [
    ('ppo.rte=1', r"ppo\.rte: unknown key 'rte'; the keys are \['rate'\]"),
    ('ppo.rate.x=1', r"unknown key 'x'; the keys are \[\]"),
    ('ppo', 'expected KEY=VALUE')])
def test_an_override_of_nothing_is_refused(assignment, message):
    with pytest.raises(ConfigError, match=message):
        config.override({'ppo': {'rate': 1.0}}, assignment)
