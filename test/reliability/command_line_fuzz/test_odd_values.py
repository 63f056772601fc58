# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Unusual values for options: each is of its kind, and where it should be."""

from __future__ import annotations

import json
import math
import os
import stat
from xml.etree import ElementTree

import numpy as np
import pytest

pytest.importorskip('rclpy')
pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')
pytest.importorskip('mcap')

from humanoid_locomotion.reliability.command_line_fuzz import values
from humanoid_locomotion.reliability.command_line_fuzz.values import (
    CONTENTS,
    DEVICES,
    KINDS,
    NAMES,
    NUMBERS,
    PLACES,
    THINGS,
    make,
)

RULES = b'rooms:\n  kitchen: 12.5\n'


@pytest.fixture
def stock(tmp_path):
    """Give a stock of two valid files, a policy and a robot."""
    stock = tmp_path / 'stock'
    for folder, name in (('files', 'rooms.yaml'), ('files', 'robot.xml'),
                         ('policy', 'contract.yaml'), ('policy', 'policy.onnx'),
                         ('robot', 'robot.yaml')):
        (stock / folder).mkdir(parents=True, exist_ok=True)
        (stock / folder / name).write_bytes(RULES)
    (stock / 'robot' / 'meshes').mkdir()
    return stock


@pytest.fixture
def folder(tmp_path):
    """Give the folder of a try; make it removable afterwards."""
    folder = tmp_path / 'folder'
    folder.mkdir()
    yield folder
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o700)


def test_tables_share_no_kind_and_no_value_has_a_nul():
    tables = (NUMBERS, NAMES, CONTENTS, THINGS, DEVICES, PLACES)
    assert len({kind for table in tables for kind in table}) == sum(map(len, tables))
    assert all(b'\0' not in value for table in (NUMBERS, NAMES, DEVICES)
               for value in table.values())
    assert {kind for table in tables for kind in table} < set(KINDS)


@pytest.mark.parametrize('kind, law', [
    ('zero', lambda it: it == 0.0), ('minus zero', lambda it: math.copysign(1.0, it) == -1.0),
    ('NaN', math.isnan), ('infinity', lambda it: it == math.inf), ('1e308', math.isfinite),
    ('minus infinity', lambda it: it == -math.inf), ('beyond a double', math.isinf),
    ('denormal', lambda it: 0.0 < it < 2.3e-308), ('underscore', lambda it: it == 1000.0),
    ('wide digits', lambda it: it == 12.0), ('2^31', lambda it: it == 2.0 ** 31),
    ('2^64', lambda it: it == 2.0 ** 64), ('400 digits', math.isinf),
    ('minus 400 digits', lambda it: it == -math.inf)])
def test_number_is_that_of_its_name(kind, law):
    assert law(float(NUMBERS[kind].decode()))


@pytest.mark.parametrize('kind', ['hexadecimal', 'two numbers', 'comma at the end',
                                  'commas alone'])
def test_some_numbers_are_none(kind):
    with pytest.raises(ValueError):
        float(NUMBERS[kind])


@pytest.mark.parametrize('kind', [kind for kind in NAMES
                                  if kind.startswith('not UTF-8') or kind == 'surrogate'])
def test_names_that_are_not_utf_8_are_not(kind):
    with pytest.raises(UnicodeDecodeError):
        NAMES[kind].decode()


@pytest.mark.parametrize('kind', ['deep JSON', 'JSON with NaN', 'JSON with 10^400'])
def test_json_files_are_beyond_what_a_strict_reader_accepts(kind):
    with pytest.raises((ValueError, RecursionError)):
        json.loads(CONTENTS[kind], parse_constant=int)  # int('NaN') is an error


@pytest.mark.parametrize('kind', ['XML of another kind', 'MJCF without a robot',
                                  'URDF without links', 'URDF with text for numbers'])
def test_xml_files_are_well_formed(kind):
    assert ElementTree.fromstring(CONTENTS[kind]).tag in ('html', 'mujoco', 'robot')


@pytest.mark.parametrize('kind', [*NUMBERS, *NAMES, *DEVICES])
def test_plain_values_make_no_file(folder, kind):
    value = make(kind, folder, folder, '', np.random.default_rng(0))
    assert value == {**NUMBERS, **NAMES, **DEVICES}[kind] and list(folder.iterdir()) == []


@pytest.mark.parametrize('kind', CONTENTS)
def test_file_has_the_content_of_its_kind(folder, kind):
    value = make(kind, folder, folder, 'x.yaml', np.random.default_rng(0))
    (path,) = folder.iterdir()
    assert os.fsencode(path.name) == value and path.read_bytes() == CONTENTS[kind]


def test_files_mostly_have_the_suffix_of_a_valid_value(folder):
    random = np.random.default_rng(0)
    names = [make('absent', folder, folder, 'x.urdf', random).decode() for _ in range(200)]
    expected = names.count('given.urdf')
    assert 120 < expected < 190 and set(names) == {f'given{it}' for it in values.SUFFIXES}


MODES = {
    'directory': stat.S_ISDIR, 'directory without permissions': stat.S_ISDIR,
    'FIFO': stat.S_ISFIFO, 'unreadable file': stat.S_ISREG, 'socket': stat.S_ISSOCK,
    'sparse file of 10 GB': stat.S_ISREG}


@pytest.mark.parametrize('kind', THINGS)
def test_object_is_that_of_its_name(folder, kind):
    value = make(kind, folder, folder, '', np.random.default_rng(0))
    path = folder / os.fsdecode(value)
    if kind == 'absent':
        assert list(folder.iterdir()) == []
        return
    status = os.lstat(path)
    assert MODES.get(kind, stat.S_ISLNK)(status.st_mode)
    if kind in ('unreadable file', 'directory without permissions'):
        assert stat.S_IMODE(status.st_mode) == 0
    if kind == 'sparse file of 10 GB':
        assert status.st_size == values.SPARSE and status.st_blocks < 100


@pytest.mark.parametrize('kind, error', [
    ('below a file', NotADirectoryError), ('parents that are missing', FileNotFoundError)])
def test_place_cannot_be_written(folder, kind, error):
    path = folder / os.fsdecode(make(kind, folder, folder, '', np.random.default_rng(0)))
    with pytest.raises(error):
        path.write_text('text')


def test_read_only_folder_gives_no_right_to_write(folder):
    path = folder / os.fsdecode(make('in a read-only folder', folder, folder, '',
                                     np.random.default_rng(0)))
    assert not stat.S_IMODE(path.parent.stat().st_mode) & 0o222 and not path.exists()


def test_damaged_files_differ_a_little_and_the_stock_stays(folder, stock):
    good, outcomes, suffixes = str(stock / 'files' / 'rooms.yaml'), set(), []
    for seed in range(100):
        value = make('damaged file', folder, stock, good, np.random.default_rng(seed))
        path = folder / os.fsdecode(value)
        data = path.read_bytes()
        assert len(data) <= len(RULES) + 400
        outcomes.add((len(data) > len(RULES)) - (len(data) < len(RULES)))
        suffixes.append(path.suffix)
        path.unlink()
    assert outcomes == {-1, 0, 1} and 70 < suffixes.count('.yaml') < 100
    assert set(suffixes) == {'.yaml', '.xml'}
    assert {path.read_bytes() for path in (stock / 'files').iterdir()} == {RULES}


def test_damage_puts_other_numbers_in_place_of_a_digit(folder, stock):
    good, found = str(stock / 'files' / 'rooms.yaml'), set()
    for seed in range(150):
        make('damaged file', folder, stock, good, np.random.default_rng(seed))
        for path in folder.iterdir():
            text = path.read_bytes()
            found |= {word for word in (b'nan', b'-1e400', b'"text"', b'9' * 400) if word in text}
            path.unlink()
    assert len(found) == 4


@pytest.mark.parametrize('what', ['policy', 'robot'])
def test_folder_has_one_broken_part(folder, stock, what):
    for seed in range(20):
        value = make(f'{what} folder, a part broken', folder, stock, '',
                     np.random.default_rng(seed))
        target = folder / os.fsdecode(value)
        changed = []
        for path in (stock / what).iterdir():
            copy = target / path.name
            same = path.is_dir() or (copy.is_file() and not copy.is_symlink()
                                     and copy.stat().st_mode & 0o400
                                     and copy.stat().st_size < 1000
                                     and copy.read_bytes() == RULES)
            changed += [] if same else [path.name]
            if copy.is_dir():
                copy.chmod(0o700)
        assert len(changed) == 1
        for path in target.iterdir():
            path.rmdir() if path.is_dir() else path.unlink()
        target.rmdir()
