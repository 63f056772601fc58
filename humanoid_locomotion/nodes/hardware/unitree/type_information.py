"""XTypes type information of Unitree's messages, as the IDL compiler 0.10.2 writes it.

A newer Cyclone DDS announces other type information for the same types. Version 0.10.2, with
which Unitree's software is built, then ends with a segmentation fault or does not match the types.
So the bytes of the old compiler are announced. They are generated from the fields in
``messages.py``::

    python -m humanoid_locomotion.nodes.hardware.unitree.type_information idlc

writes ``type_information.json`` again, where ``idlc`` is version 0.10.2 (Debian 12: package
``cyclonedds-tools``).
"""

from __future__ import annotations

from functools import cache
import json
from pathlib import Path
import re
import subprocess
import sys
import tempfile
from typing import Dict, Tuple

from humanoid_locomotion.nodes.hardware.unitree.messages import MESSAGES, Struct, idl

DATA = Path(__file__).with_suffix('.json')


@cache
def _data() -> Dict[str, Dict[str, str]]:
    data: Dict[str, Dict[str, str]] = json.loads(DATA.read_text(encoding='ascii'))
    return data


def type_information(message: Struct) -> Tuple[bytes, bytes]:
    """Return the serialized TypeInformation and TypeMapping of a message."""
    entry = _data()[message.type_name]
    return bytes.fromhex(entry['information']), bytes.fromhex(entry['mapping'])


def compile_idl(idlc: str, message: Struct) -> Dict[str, str]:
    """Return the hexadecimal type information and mapping of a message that ``idlc`` writes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, 'message.idl')
        path.write_text(idl(message), encoding='ascii')
        subprocess.run([idlc, '-l', 'c', '-x', 'final', path.name], cwd=folder, check=True)
        code = path.with_suffix('.c').read_text(encoding='ascii')
    name = message.type_name.replace('::', '_')

    def found(prefix: str) -> str:
        match = re.search(rf'{prefix}_{name} \(unsigned char \[\]\)\{{(.*?)\}}', code, re.DOTALL)
        assert match is not None, f'{idlc} wrote no {prefix}_{name}: it is not version 0.10.2'
        return ''.join(re.findall(r'0x([0-9a-f]{2})', match[1]))

    return {'information': found('TYPE_INFO_CDR'), 'mapping': found('TYPE_MAP_CDR')}


if __name__ == '__main__':
    DATA.write_text(json.dumps({it.type_name: compile_idl(sys.argv[1], it) for it in MESSAGES},
                               indent=1) + '\n', encoding='ascii')
