# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Plain data is read as ever; whatever is more, or too much, is refused in bounded time."""

from __future__ import annotations

import io
import json
import struct
import zipfile

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest
import yaml

from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.core.reading import parsing
from humanoid_locomotion.core.reading.parsing import parse_json, parse_npz, parse_yaml, show
from humanoid_locomotion.core.reading.resources import policy_folders, robot_folders, share_folder

SCALARS = (st.none() | st.booleans() | st.integers(-2 ** 63, 2 ** 63 - 1) | st.floats(
    allow_nan=False, allow_infinity=False) | st.text(st.characters(exclude_categories=['Cs'])))
PLAIN = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
    st.text(st.characters(exclude_categories=['Cs']), max_size=8), inner, max_size=4))


@pytest.fixture(params=['C', 'Python'])
def loader(request, monkeypatch):
    """Read YAML with either of its two readers."""
    if request.param == 'Python':
        monkeypatch.setattr(parsing, '_LOADER', yaml.SafeLoader)


def test_every_yaml_file_that_ships_is_read_as_before(loader):
    files = [*share_folder().glob('config/*/*.yaml'),
             *(folder / 'contract.yaml' for folder in policy_folders().values()),
             *(folder / 'robot.yaml' for folder in robot_folders().values())]
    assert len(files) > 10
    for path in files:
        assert parse_yaml(path.read_bytes(), path) == yaml.safe_load(path.read_text())


@settings(max_examples=200, deadline=None)
@given(PLAIN)
def test_plain_data_comes_back_from_yaml_and_json(data):
    assert parse_json(json.dumps(data).encode(), 'x') == data
    text = yaml.safe_dump(data)
    if '*id0' not in text:  # the writer points from equal lists to one another
        assert parse_yaml(text.encode(), 'x') == yaml.safe_load(text)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60) | st.text(' -?:,[]{}&*!|>%@`"\'#\n\tab01.<=~_', max_size=60).map(
    str.encode))
def test_whatever_comes_is_plain_data_or_refused(content):
    for parse in (parse_yaml, parse_json):
        try:
            data = parse(content, 'file')
        except ConfigError as error:
            assert str(error).startswith('file: ') and len(str(error)) < 500
        else:
            assert json.loads(json.dumps(data)) is not Ellipsis


BOMB = b'a: &a [x, x, x, x, x, x, x, x, x]\n' + b''.join(
    b'%c: &%c [%s]\n' % (c, c, b', '.join([b'*%c' % (c - 1)] * 9)) for c in b'bcdefghi')


@pytest.mark.parametrize('content, problem', [
    (BOMB, "line 1 has the anchor or alias 'a'"), (b'a: *a', "the anchor or alias 'a'"),
    (b'a: !!float "abc"', 'line 1 has the tag'), (b'a: !!binary aGVsbG8=', 'has the tag'),
    (b'a: ! 1', 'has the tag'), (b'!!python/object/apply:os.getcwd []', 'has the tag'),
    (b'a: 1\nb: 2\na: 3', "line 3 has the key 'a' twice"), (b'<<: {a: 1}', 'a merge key'),
    (b'1: a', 'the key 1, which YAML does not read as text'), (b'on: a', 'the key True'),
    (b'[a]: b', r"the key \['a'\]"), (b'a: ' + b'9' * 5000, 'a number of 5000 characters'),
    (b'a: ' + b'9' * 50, 'does not fit 64 bits'), (b'a: 1.0e+400', 'too large for a float'),
    (b'a: 0x_', 'is not valid YAML'), (b'[' * 3000, 'a nesting deeper than 32'),
    (b'{a: ' * 3000, 'a nesting deeper than 32'), (b'- ' * 3000, 'deeper than 32'),
    (b'? ' * 3000, 'deeper than 32'), (b'a: b\n---\nc: d', 'several YAML documents'),
    (b'- a\n' * 60_000, 'more than 50000 values'), (b'\xff', 'is not valid YAML'),
    (b'a: "\\ud800"', 'is not valid YAML'), (b'a: \x00', 'is not valid YAML'),
    (b'%YAML 9.9\n--- a', 'is not valid YAML'), (b'a: [1', 'is not valid YAML')])
def test_yaml_that_is_more_than_plain_data_is_refused(loader, content, problem):
    with pytest.raises(ConfigError, match=f'^file: .*{problem}'):
        parse_yaml(content, 'file')


def test_a_date_is_text(loader):
    assert parse_yaml(b'[2001-99-99, 2001-12-31, 2001-12-14t21:59:43.10-05:00]', 'x') == [
        '2001-99-99', '2001-12-31', '2001-12-14t21:59:43.10-05:00']


@pytest.mark.parametrize('content, problem', [
    (b'[' * 100_000, 'nested deeper than 32'), (b'[' * 50 + b']' * 50, 'nested deeper than 32'),
    (b'{"a": 1, "b": 2, "a": 3}', "the key 'a' twice"), (b'9' * 5000, 'of 5000 characters'),
    (b'9' * 50, 'does not fit 64 bits'), (b'1e400', 'too large for a float'),
    (b'0.' + b'1' * 5000, 'too large for a float'), (b'NaN', 'NaN is not a number'),
    (b'[-Infinity]', '-Infinity is not a number'), (b'"\\ud800"', 'surrogates not allowed'),
    (b'{"\\udfff": 1}', 'surrogates not allowed'), (b'\xff', 'codec'),
    (b'[' + b'1,' * 60_000 + b'1]', 'more than 50000 values')])
def test_json_beyond_bounds_is_refused(content, problem):
    with pytest.raises(ConfigError, match=f'^file: is not valid JSON .*{problem}'):
        parse_json(content, 'file')


def packed(method=zipfile.ZIP_DEFLATED, **members):
    """Return an archive of these members."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, 'w', method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return content.getvalue()


def member(array, **kwargs):
    """Return an array as NumPy writes it."""
    content = io.BytesIO()
    np.save(content, array, **kwargs)
    return content.getvalue()


def claiming(shape, descr='<f4', order='False', body=b''):
    """Return a member whose header claims what its body need not hold."""
    header = f"{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}".encode()
    header += b' ' * (-(len(header) + 11) % 64) + b'\n'
    return b'\x93NUMPY\x01\x00' + struct.pack('<H', len(header)) + header + body


@pytest.mark.parametrize('array', [
    np.arange(6, dtype='<f4').reshape(2, 3), np.arange(6, dtype='>f8').reshape(2, 3),
    np.asfortranarray(np.arange(6, dtype=np.int64).reshape(2, 3)), np.zeros((0, 3)),
    np.array([[True]]), np.float32(3.0), np.arange(3, dtype=np.int8)])
def test_arrays_come_back_from_npz(array):
    content = io.BytesIO()
    np.savez_compressed(content, a=array)
    got = parse_npz(content.getvalue(), 'x', ['a'])['a']
    assert np.array_equal(got, array) and got.dtype == array.dtype.newbyteorder('=')
    got[...] = 0


GOOD = member(np.zeros((2, 3), np.float32))


@pytest.mark.parametrize('content, problem', [
    (b'', 'does not end like a zip archive'), (packed(**{'a.npy': GOOD})[:-5], 'does not end'),
    (packed(**{'a.npy': GOOD}) + b'x', 'does not end'), (packed(), r"missing arrays \['a'\]"),
    (packed(**{'b.npy': GOOD}), r"missing arrays \['a'\]; it has \['b'\]"),
    (packed(**{'a.npy': GOOD, 'b.npy': GOOD}), 'members, expected at most 1'),
    (packed(**{'a.npy': member(np.array(['text']))}), 'the header .*<U4'),
    (packed(**{'a.npy': member(np.array([{}]), allow_pickle=True)}), r'the header .*\|O'),
    (packed(**{'a.npy': claiming('(1000000, 1000000)')}), 'takes 4000000000000 bytes, found 0'),
    (packed(**{'a.npy': claiming('(2, 3)', body=bytes(23))}), 'takes 24 bytes, found 23'),
    (packed(**{'a.npy': claiming('(' * 5000)}), 'the header'),
    (packed(**{'a.npy': claiming('(-1, 3)')}), 'the header'),
    (packed(**{'a.npy': claiming('(2, 3)', descr='<f4"')}), 'the header'),
    (packed(**{'a.npy': b''}), 'the header'), (packed(**{'a.npy': GOOD[:20]}), 'the header'),
    (packed(**{'a.npy': bytes(1 << 21)}), 'unpacks to 2097152 bytes, at most 1048576 are'),
    (packed(zipfile.ZIP_STORED, **{'a.npy': GOOD}).replace(
        bytes(23), b'x' + bytes(22)), '.*CRC')],
    ids=lambda it: f'{len(it)} bytes' if isinstance(it, bytes) else it)  # they hold the time
def test_npz_that_is_more_than_the_arrays_expected_is_refused(content, problem):
    with pytest.raises(ConfigError, match=f'^file: .*{problem}'):
        parse_npz(content, 'file', ['a'], limit=1 << 20)


def test_a_member_twice_is_refused():
    with pytest.warns(UserWarning, match='Duplicate'):
        content = io.BytesIO()
        with zipfile.ZipFile(content, 'w') as archive:
            archive.writestr('a.npy', GOOD)
            archive.writestr('a.npy', GOOD)
    with pytest.raises(ConfigError, match=r"has the arrays \['a', 'a'\], expected \['a'\] once"):
        parse_npz(content.getvalue(), 'file', ['a'], ['b'])


def test_an_archive_of_many_members_is_refused_before_they_are_counted_one_by_one(monkeypatch):
    content = packed(**{f'{i}.npy': b'' for i in range(1000)})
    monkeypatch.setattr(zipfile, 'ZipFile', lambda *_: pytest.fail('it was opened'))
    with pytest.raises(ConfigError, match='it has 1000 members, expected at most 2'):
        parse_npz(content, 'file', ['a', 'b'])


def test_what_is_shown_of_a_value_is_short_and_takes_no_time():
    value = ['x'] * 9
    for _ in range(12):
        value = [value] * 9  # 9 ** 13 words
    assert len(show(value)) <= 60 and len(show(dict.fromkeys(range(1000), value))) <= 60
    assert show(10 ** 100_000) == 'a whole number of 332193 bits'
    assert show('y' * 10 ** 7, 30).startswith("'yyy") and show(-3) == '-3'
