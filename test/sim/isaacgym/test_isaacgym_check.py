# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The check of an installed Isaac Gym: it passes the fake, and no wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip('mujoco')
pytest.importorskip('torch')

import fake_gym

fake_gym.install()

from wrong_buffers import WRONG

from humanoid_locomotion.core.errors import SimulationError
from humanoid_locomotion.core.reading.resources import robot_folders
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.sim.backend import IsaacGymSpec, PhysicsSpec
from humanoid_locomotion.sim.isaacgym.check.examination import Examination

# Of these, feet touch before a hip reaches its limit, or damping stops a light link in few steps.
TOO_SMALL = {'berkeley_lite', 'toddlerbot'}
# Wrong simulators that an earlier check passed.
PASSED_EARLIER = {
    'friction joined by the larger', 'friction joined by the smaller', 'torque halved',
    'joint damping 2', 'joint friction 3', 'linear damping of the base',
    'angular damping of the base', 'no joint limits', 'inertia three times as large',
    'short capsules', 'angular speed of at most 5 rad/s', 'joint speed of at most 5 rad/s',
    'angular velocity shown in the base frame',
    'angular velocity shown and taken in the base frame', 'writes of masses felt by nobody'}
TABLE = Path(__file__).parents[3] / 'docs' / 'logs' / 'isaacgym_check_mutants.md'


def examination(robot: str = 'humanoid') -> Examination:
    """Open the fake for a robot."""
    return Examination(load_robot(robot), PhysicsSpec(), IsaacGymSpec(), 'cpu')


def first_difference(name: str) -> str:
    """Give the question by which a wrong simulator is noticed, and the answer; or nothing."""
    with pytest.MonkeyPatch.context() as patch:
        WRONG[name](patch)
        try:
            for it in examination().findings():
                if not it.good:
                    return f'{it.question}: {it.found}, expected {it.expected}'
        except Exception as error:
            return f'error: {error}'.splitlines()[0][:120]
        finally:
            fake_gym.violations()
    return ''


@pytest.mark.parametrize('robot, capability', [
    ('humanoid', (8, 9)), *(pytest.param(name, (9, 0), marks=pytest.mark.slow)
                            for name in sorted(set(robot_folders()) - TOO_SMALL))])
def test_one_that_behaves_passes(robot, capability, monkeypatch):
    fake_gym.violations()
    fake_gym.pretend_gpu(monkeypatch, capability)
    findings = list(examination(robot).findings())
    assert len(findings) > 30 and [it for it in findings if not it.good] == []
    assert fake_gym.violations() == []


def test_a_card_without_kernels_is_told_what_to_do_before_any_question(monkeypatch):
    fake_gym.pretend_gpu(monkeypatch, (12, 0))
    with pytest.raises(SimulationError, match=r'sm_120 needs .* use --backend mujoco_warp'):
        examination()


def test_there_are_enough_and_the_known_ones_are_among_them():
    assert len(WRONG) >= 51
    assert set(WRONG) >= PASSED_EARLIER


@pytest.mark.slow  # all of them together
@pytest.mark.parametrize('name', WRONG)
def test_a_wrong_one_is_noticed(name):
    assert first_difference(name), f'{name}: the check finds nothing'


def test_the_table_in_the_docs_is_theirs():
    rows = [line.split(' | ')[0].lstrip('| ') for line in TABLE.read_text().splitlines()
            if line.startswith('| ')]
    assert rows[1:] == list(WRONG)


if __name__ == '__main__':  # PYTHONPATH=.:test/support python FILE prints the table
    print('| a simulator with | is noticed by |\n|---|---|')
    for wrong in WRONG:
        print(f'| {wrong} | {first_difference(wrong) or "nothing"} |', flush=True)
