# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A policy is released if its own, whole scorecard passes, and else it is said why not."""

from __future__ import annotations

import json
import shutil

import pytest

from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.core.feedback.robot_size import USUAL
from humanoid_locomotion.core.policy.content import FILES, write_sums
from humanoid_locomotion.core.reading.config import read_yaml
from humanoid_locomotion.core.reading.resources import policy_folders
from humanoid_locomotion.evaluation.release import why_unreleased

SHIPPED = policy_folders()['humanoid']
FINGERPRINT = read_yaml(SHIPPED / 'contract.yaml')['fingerprint']


def with_card(folder, text):
    """Write a policy folder, signed, whose scorecard is this text."""
    for name in FILES:
        shutil.copyfile(SHIPPED / name, folder / name)
    (folder / 'scorecard.json').write_text(text)
    write_sums(folder)
    return folder


def test_what_ships_is_released():
    assert why_unreleased(SHIPPED, FINGERPRINT, USUAL) == ''


def fail(card):
    """Let the first line miss its gate."""
    card['criteria'][0]['passed'] = card['passed'] = False


def quick(card):
    """Let it be a quick one."""
    card['setting']['quick'] = True


def elsewhere(card):
    """Let it be of somebody else's model."""
    card['setting']['model'] = 'own.xml'


def other(card):
    """Let it be of another contract."""
    card['setting']['fingerprint'] = '0' * 16


def smaller(card):
    """Let it be one of a smaller robot."""
    card['setting']['scale'] = {'speed': 0.9}


@pytest.mark.parametrize('change, reason', [
    (smaller, 'has the scale speeds x 0.9, turning x 1.11, payload x 1; that of the robot is '
     'speeds x 1,'),
    (fail, 'fails in: mean velocity error'), (quick, 'is a quick one'),
    (elsewhere, 'of another model'), (other, 'is of another contract')])
def test_what_is_not_is_told_why(tmp_path, change, reason):
    card = json.loads((SHIPPED / 'scorecard.json').read_text())
    change(card)
    assert reason in why_unreleased(with_card(tmp_path, json.dumps(card)), FINGERPRINT, USUAL)


@pytest.mark.parametrize('text', ['walks well', '[]', '{"passed": true}'])
def test_what_is_no_scorecard_is_refused(tmp_path, text):
    with pytest.raises(ConfigError, match=r'scorecard.json: is not '):
        why_unreleased(with_card(tmp_path, text), FINGERPRINT, USUAL)


def test_a_scorecard_that_nobody_signed_is_not_believed(tmp_path):
    text = (SHIPPED / 'scorecard.json').read_text()
    folder = with_card(tmp_path, text)
    assert 'it has no sim_to_sim.json' in why_unreleased(folder, FINGERPRINT, USUAL)
    (folder / 'scorecard.json').write_text(text + ' ')
    assert 'does not match its hash in SHA256SUMS' in why_unreleased(folder, FINGERPRINT, USUAL)
    sums = (folder / 'SHA256SUMS').read_text().splitlines(keepends=True)
    (folder / 'SHA256SUMS').write_text(''.join(sums[:3]))
    assert 'its scorecard.json has no hash' in why_unreleased(folder, FINGERPRINT, USUAL)


def test_without_a_scorecard_it_is_not_released(tmp_path):
    assert 'it has no scorecard.json' in why_unreleased(tmp_path, FINGERPRINT, USUAL)
