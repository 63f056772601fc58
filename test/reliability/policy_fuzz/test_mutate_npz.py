# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Mutations of golden steps: each archive, header and array is what its name says."""

from __future__ import annotations

import io
import time
import zipfile

import numpy as np
import pytest

from humanoid_locomotion.reliability.policy_fuzz import mutate_npz
from humanoid_locomotion.reliability.policy_fuzz.mutate_npz import (
    ARCHIVES,
    ARRAYS,
    HEADERS,
    _archive,
    _header,
    _member,
    mutate_golden,
)

ARRAY = np.linspace(0.25, 9.0, 36, dtype=np.float32).reshape(12, 3)
CHANGES = {name: change for name, change, _ in ARRAYS}
TAMPERS = {name: tamper for name, tamper, _ in ARCHIVES}
NAME = 'action.npy'


@pytest.fixture
def members():
    """Give the members of a small archive."""
    return {NAME: _member(ARRAY), 'observation.npy': _member(2.0 * ARRAY)}


def opened(data: bytes) -> zipfile.ZipFile:
    """Open an archive."""
    return zipfile.ZipFile(io.BytesIO(data))


def loaded(data: bytes) -> dict:
    """Return the arrays of an archive."""
    archive = opened(data)
    return {name[:-4]: np.load(io.BytesIO(archive.read(name))) for name in archive.namelist()}


def test_names_are_unique():
    for table in (ARRAYS, ARCHIVES, HEADERS):
        assert len({row[0] for row in table}) == len(table)


@pytest.mark.parametrize('version', [1, 2])
def test_header_is_one_that_numpy_reads(version):
    body = ARRAY[:2].tobytes()
    array = np.load(io.BytesIO(_header('(2, 3)', version=version, body=body)))
    np.testing.assert_array_equal(array, ARRAY[:2])


@pytest.mark.parametrize('name, header', HEADERS, ids=[name for name, _ in HEADERS])
def test_header_is_no_array_of_the_size_it_claims(name, header):
    """Except one with a valid array, after which a byte is left."""
    if name == 'less than there is':
        rest = io.BytesIO(header)
        assert np.load(rest).shape == (2, 3) and len(rest.read()) == 1
    else:
        with pytest.raises(Exception):  # noqa: B017  NumPy has many errors
            np.load(io.BytesIO(header), allow_pickle=False)


@pytest.mark.parametrize('name, dtype', [
    ('text', 'U8'), ('bytes', 'S8'), ('objects', object), ('complex', 'c8'), ('dates', 'M8[s]'),
    ('other endianness', '>f4'), ('double precision', 'f8'), ('half precision', 'f2'),
    ('integers', 'i4'), ('booleans', '?')])
def test_array_gets_the_type_of_its_name(name, dtype):
    changed = CHANGES[name](ARRAY)
    assert changed.dtype == np.dtype(dtype) and changed.shape == ARRAY.shape


@pytest.mark.parametrize('name, shape', [
    ('turned', (3, 12)), ('one axis', (36,)), ('three axes', (1, 12, 3)), ('nothing', (0, 3)),
    ('no columns', (12, 0)), ('too few steps', (10, 3)), ('a step less', (11, 3)),
    ('records', (12,)), ('Fortran order', (12, 3)), ('mirrored columns', (12, 3))])
def test_array_gets_the_shape_of_its_name(name, shape):
    assert CHANGES[name](ARRAY).shape == shape


@pytest.mark.parametrize('name', ['other endianness', 'Fortran order', 'double precision'])
def test_harmless_arrays_keep_every_value(name):
    np.testing.assert_array_equal(CHANGES[name](ARRAY), ARRAY)


@pytest.mark.parametrize('name, is_changed', [
    ('a value NaN', np.isnan), ('a value huge', lambda it: it > 1e29)])
def test_one_value_is_changed_in_a_copy(name, is_changed):
    before = ARRAY.copy()
    changed = CHANGES[name](ARRAY)
    assert is_changed(changed).sum() == 1 and (changed != ARRAY).sum() == 1
    np.testing.assert_array_equal(ARRAY, before)


def test_a_little_larger_is_a_little_larger_everywhere():
    change = CHANGES['a value a little larger'](ARRAY) - ARRAY
    assert (change > 0.0).all() and (change < 2e-5).all()


@pytest.mark.parametrize('name', [name for name, _, never in ARCHIVES if not never])
def test_harmless_archives_have_the_same_arrays(members, name):
    data = TAMPERS[name](members, NAME)
    arrays = loaded(data)
    assert data != _archive(members) and set(arrays) == {'action', 'observation'}
    np.testing.assert_array_equal(arrays['action'], ARRAY)


@pytest.mark.parametrize('name, expected', [
    ('a member twice', [NAME, 'observation.npy', NAME]),
    ('a member twice, another second', [NAME, 'observation.npy', NAME]),
    ('a member more', [NAME, 'observation.npy', 'more.npy']),
    ('a member outside', [NAME, 'observation.npy', f'../../{NAME}']),
    ('another order', ['observation.npy', NAME])])
def test_archive_lists_its_members(members, name, expected):
    assert opened(TAMPERS[name](members, NAME)).namelist() == expected


@pytest.mark.parametrize('name, method', [
    ('another packing, bzip2', zipfile.ZIP_BZIP2), ('another packing, lzma', zipfile.ZIP_LZMA),
    ('no packing', zipfile.ZIP_STORED)])
def test_archive_is_packed_by_its_method(members, name, method):
    archive = opened(TAMPERS[name](members, NAME))
    assert {info.compress_type for info in archive.infolist()} == {method}
    assert archive.read(NAME) == members[NAME]


def test_wrong_checksum_is_that_of_one_member(members):
    archive = opened(TAMPERS['a wrong checksum'](members, NAME))
    assert archive.testzip() == NAME
    assert archive.read('observation.npy') == members['observation.npy']


def test_encrypted_member_needs_a_password(members):
    archive = opened(TAMPERS['an encrypted member'](members, NAME))
    with pytest.raises(RuntimeError, match='password'):
        archive.read(NAME)


def test_flood_is_small_until_it_is_unpacked(members):
    data = TAMPERS['a flood'](members, NAME)
    assert len(data) < 1 << 20 and opened(data).getinfo(NAME).file_size == 100 << 20


@pytest.mark.parametrize('name', ['the end is missing', 'the mark of a long archive'])
def test_archive_without_a_valid_end_is_none(members, name):
    with pytest.raises(zipfile.BadZipFile):
        opened(TAMPERS[name](members, NAME))


def test_tail_is_cut_off_one_member(members):
    archive = opened(TAMPERS['a tail cut off'](members, NAME))
    assert archive.read(NAME) == members[NAME][:-7]
    assert archive.read('observation.npy') == members['observation.npy']


def test_tampering_leaves_the_members_alone(members):
    before = dict(members)
    for name, tamper, _ in ARCHIVES:
        if name not in ('a flood', '100,000 members'):
            tamper(members, NAME)
    assert members == before


def test_a_mutation_is_that_of_its_seed_and_every_table_gets_its_turn(tmp_path, monkeypatch):
    for table in ('ARRAYS', 'HEADERS', 'ARCHIVES'):  # the costly ones are tested above
        kept = tuple(row for row in getattr(mutate_npz, table)
                     if row[0] not in ('a flood', '100,000 members'))
        monkeypatch.setattr(mutate_npz, table, kept)
    monkeypatch.setattr(time, 'localtime', lambda *_: time.gmtime(1e9))  # archives record it
    path, names, never = tmp_path / 'golden.npz', set(), {}
    for table in (ARRAYS, ARCHIVES, [(name, None, True) for name, _ in HEADERS]):
        never.update({row[0]: row[2] for row in table})
    for seed in range(40):
        results = []
        for _ in range(2):
            np.savez(path, action=ARRAY, observation=2.0 * ARRAY)
            before = path.read_bytes()
            change = mutate_golden(tmp_path, np.random.default_rng(seed))
            assert path.read_bytes() != before and change.file == 'golden.npz'
            results.append((change, path.read_bytes()))
        assert results[0] == results[1]
        name = change.name.partition(': ')[2] or change.name
        assert change.never == never[name]
        names.add(name)
    for table in (ARRAYS, HEADERS, ARCHIVES):
        assert len(names & {row[0] for row in table}) >= 5
