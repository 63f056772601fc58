# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the connection announces, and what it says without its package."""

import subprocess
import sys

import pytest


def test_a_missing_cyclonedds_is_one_sentence():
    code = ("import sys; sys.modules['cyclonedds'] = None; "
            'from humanoid_locomotion.nodes.hardware.unitree import stand_in; stand_in.main([])')
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert done.stderr == (
        'unitree_stand_in: the connection to Unitree robots needs the package '
        "'cyclonedds', which is not installed: pip install 'humanoid_locomotion[unitree]'\n")


# Complete type identifiers that idlc 0.10.2 writes for Unitree's messages, with octets.
@pytest.mark.parametrize('name, expected', [
    ('HG_STATE', '2be9706c9587e8d8afd8bfc6de7b'), ('HG_COMMAND', '42b0283aa7e1bb592ec898a0dbed'),
    ('GO_STATE', '08f239c471d3a27e67e7c7723184'), ('GO_COMMAND', '52cc8eb0d427d692aa2b20a90540'),
    ('API_REQUEST', 'c47a4429fcbf539486498753c48f'),
    ('API_RESPONSE', 'd1c32cc02214901a464a6c51325d')])
def test_types_are_announced_as_the_robots_dds_announces_them(name, expected):
    pytest.importorskip('cyclonedds')
    from humanoid_locomotion.nodes.hardware.unitree import dds, messages
    message = getattr(messages, name)
    assert dds.type_hash(dds.raw_type(message)).hex() == expected
    assert dds.type_hash(dds.raw_type(message, has_octets=False)).hex() != expected
