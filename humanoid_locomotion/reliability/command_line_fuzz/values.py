# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Unusual values for options: numbers, names, and file system objects.

Every value is bytes, as passed by a shell. File system objects are made in the folder of one try
and named relative to it.
"""

from __future__ import annotations

import os
from pathlib import Path
import shutil
import socket
from typing import Callable, Dict, Sequence

import numpy as np

NUMBERS: Dict[str, bytes] = {
    'zero': b'0', 'minus zero': b'-0.0', 'minus one': b'-1', 'a half': b'0.5', 'two': b'2',
    'NaN': b'nan', 'infinity': b'inf', 'minus infinity': b'-inf', '1e308': b'1e308',
    '-1e308': b'-1e308', 'denormal': b'1e-320', 'beyond a double': b'1e400', '1e9': b'1e9',
    '2^31': b'2147483648', '2^64': b'18446744073709551616', '400 digits': b'9' * 400,
    'minus 400 digits': b'-' + b'9' * 400, '5,000 digits': b'7' * 5000, 'hexadecimal': b'0x10',
    'underscore': b'1_000', 'wide digits': '１２'.encode(), 'two numbers': b'1,2',
    'comma at the end': b'1,', 'commas alone': b',,,'}
NAMES: Dict[str, bytes] = {
    'empty': b'', 'blank': b' ', 'text': b'many', '5,000 characters': b'x' * 5000,
    '5,000 characters with slashes': b'x/' * 2500, '256 characters': b'y' * 256,
    'not UTF-8': b'\xff\xfe\x80name', 'not UTF-8, .json': b'\xc3\x28.json',
    'control characters': b'\x1b[31mred\x07\r', 'two lines': b'one\ntwo', 'markup': b'[/red][bold',
    'percent': b'%s%n{0}', 'dash': b'-', 'two dashes': b'--', 'like an option': b'--nope',
    'a GPU': b'cuda', 'an engine': b'torch', 'a backend': b'mujoco_warp', 'a viewer': b'web',
    'Isaac Gym': b'isaacgym', 'dot': b'.', 'two dots': b'..', 'root': b'/', 'home': b'~',
    'true': b'true', 'null': b'null',
    'emoji': '🤖'.encode(), 'a letter more': b'humanoidd', 'key without value': b'knee=',
    'value without key': b'=1', 'YAML date': b'2001-99-99', 'YAML alias': b'*a',
    'nested brackets': b'[' * 3000, 'a robot': b'unitree_h1', 'device': b'cuda:99',
    'Chinese': '机器人'.encode(), 'surrogate': '\ud800'.encode('utf-8', 'surrogatepass')}
DEEP = 100_000
CONTENTS: Dict[str, bytes] = {
    'empty file': b'', 'text file': b'not what was expected\n', 'binary file': bytes(range(256)),
    'not UTF-8 in a file': b'name: \xff\xfe\n', 'file of zeros': bytes(4096),
    'deep YAML': b'a: ' + b'[' * 3000 + b'\n', 'deep JSON': b'[' * DEEP,
    'deep XML': b'<a>' * DEEP, 'JSON with 10^400': b'{"passed": ' + b'1' + b'0' * 5000 + b'}',
    'JSON with NaN': b'{"passed": NaN}', 'JSON list': b'[1, 2, 3]', 'JSON null': b'null',
    'YAML date that is none': b'a: 2001-99-99\n',
    'YAML of tags': b'a: !!python/none x\nb: !!x y\n',
    'YAML of aliases': b'a: &a [x, x]\n' + b''.join(
        b'%c: &%c [*%c, *%c, *%c]\n' % (c + 1, c + 1, c, c, c) for c in range(97, 121)),
    'XML of entities': b'<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa">' + b''.join(
        b'<!ENTITY %c "%b">' % (c + 1, b'&%c;' % c * 10) for c in range(97, 106))
        + b']><robot name="r">&j;</robot>',
    'XML of another kind': b'<html><body/></html>', 'MJCF without a robot': b'<mujoco/>',
    'URDF without links': b'<robot name="r"/>',
    'URDF with text for numbers':
        b'<robot name="r"><link name="a"/><link name="b"/><joint name="j" type="revolute"><parent '
        b'link="a"/><child link="b"/><limit velocity="fast" lower="x" upper="nan" effort="-"/>'
        b'</joint></robot>',
    'MCAP without records': b'\x89MCAP0\r\n\x89MCAP0\r\n', 'pickle': b'\x80\x04\x95.',
    'zip': b'PK\x05\x06' + bytes(18), 'marks without an end': b'<!-- locomotion parameters -->\n'}
SUFFIXES = ('', '.yaml', '.json', '.onnx', '.xml', '.urdf', '.mcap', '.md', '.pt')
LIKELY = 0.7  # share of files of the expected kind
SPARSE = 10 * 1024 ** 3  # bytes


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _unreadable(path: Path) -> None:
    path.write_bytes(b'secret')
    path.chmod(0)


def _closed_folder(path: Path) -> None:
    path.mkdir()
    path.chmod(0)


def _sparse(path: Path) -> None:
    with path.open('wb') as file:
        file.truncate(SPARSE)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        here = os.getcwd()
        one.bind(os.path.relpath(path, here) if len(str(path)) > 100 else str(path))


# File system objects. Each is made at a path that does not exist yet.
THINGS: Dict[str, Callable[[Path], object]] = {
    'absent': lambda path: None, 'directory': Path.mkdir, 'FIFO': _fifo,
    'unreadable file': _unreadable, 'directory without permissions': _closed_folder,
    'sparse file of 10 GB': _sparse, 'socket': _socket,
    'symbolic link to itself': lambda path: path.symlink_to(path.name),
    'symbolic link to nothing': lambda path: path.symlink_to('nothing'),
    'symbolic link to /dev/zero': lambda path: path.symlink_to('/dev/zero')}
DEVICES: Dict[str, bytes] = {'/dev/null': b'/dev/null', '/dev/full': b'/dev/full',
                             '/dev/zero': b'/dev/zero', '/dev/tty': b'/dev/tty',
                             '/proc/self/mem': b'/proc/self/mem', '/dev/stdin': b'/dev/stdin'}


def _under_a_file(folder: Path) -> bytes:
    (folder / 'file').write_text('a file')
    return b'file/inside'


def _in_a_read_only_folder(folder: Path) -> bytes:
    (folder / 'closed').mkdir(mode=0o555)
    return b'closed/new'


def _no_parent(folder: Path) -> bytes:
    return b'no/such/parent/new'


PLACES: Dict[str, Callable[[Path], bytes]] = {
    'below a file': _under_a_file, 'in a read-only folder': _in_a_read_only_folder,
    'parents that are missing': _no_parent}

KINDS: Sequence[str] = (*NUMBERS, *NAMES, *CONTENTS, *THINGS, *DEVICES, *PLACES,
                        *3 * ('damaged file',), *2 * ('policy folder, a part broken',),
                        *2 * ('robot folder, a part broken',))


def make(kind: str, folder: Path, stock: Path, good: str, random: np.random.Generator) -> bytes:
    """Make a value of a kind, and the file system object that it names.

    Args:
        kind: One of :data:`KINDS`.
        folder: The folder of the try, which is its working directory.
        stock: Folder of valid files, see :mod:`.stock`.
        good: A valid value; if it is a file of the stock, its copy is damaged, and its suffix is
            used for other files.
        random: Random choices between variants.
    """
    if kind in NUMBERS or kind in NAMES or kind in DEVICES:
        return {**NUMBERS, **NAMES, **DEVICES}[kind]
    if kind in PLACES:
        return PLACES[kind](folder)
    if kind == 'damaged file':
        return _damaged(folder, stock, good, random)
    if kind.startswith(('policy', 'robot')):
        return _folder_with_a_broken_part(kind.split()[0], folder, stock, random)
    usual = Path(good).suffix if random.random() < LIKELY else str(random.choice(SUFFIXES))
    path = folder / f'given{usual}'
    if kind in CONTENTS:
        path.write_bytes(CONTENTS[kind])
    else:
        THINGS[kind](path)
    return os.fsencode(path.name)


def _damaged(folder: Path, stock: Path, good: str, random: np.random.Generator) -> bytes:
    """Damage a valid file: bits, truncation, a repeated part, a number, or another suffix."""
    files = sorted(path for path in (stock / 'files').iterdir())
    source = files[random.integers(len(files))]
    if Path(good) in files and random.random() < LIKELY:
        source = Path(good)
    data = bytearray(source.read_bytes())
    at, length = int(random.integers(len(data))), int(random.integers(1, 64))
    kind = random.integers(5)
    if kind == 0:
        data[at] ^= 1 << int(random.integers(8))
    elif kind == 1:
        del data[at:]
    elif kind == 2:
        data[at:at] = data[at:at + length]
    elif kind == 3:
        data[at:at + length] = random.bytes(length)
    else:
        digits = [i for i, byte in enumerate(data[:20000]) if chr(byte).isdigit()] or [0]
        i = digits[random.integers(len(digits))]
        data[i:i + 1] = [b'nan', b'-1e400', b'"text"', b'9' * 400][random.integers(4)]
    path = folder / f'damaged{source.suffix}'
    path.write_bytes(data)
    return os.fsencode(path.name)


def _folder_with_a_broken_part(what: str, folder: Path, stock: Path,
                               random: np.random.Generator) -> bytes:
    target = folder / f'broken_{what}'
    shutil.copytree(stock / what, target)
    files = sorted(path for path in target.iterdir() if path.is_file())
    part = files[random.integers(len(files))]
    part.unlink()
    kinds = [*THINGS, *CONTENTS]
    kind = kinds[random.integers(len(kinds))]
    if kind in CONTENTS:
        part.write_bytes(CONTENTS[kind])
    else:
        THINGS[kind](part)
    return os.fsencode(target.name)


