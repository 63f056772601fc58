# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The fault matrix, on the stepped clock: a few faults each time, all of them when asked."""

import numpy as np
import pytest

pytest.importorskip('rclpy')
pytest.importorskip('mujoco')
pytest.importorskip('onnxruntime')

from humanoid_locomotion.core.policy.folder import open_policy
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.core.safety.rules import RULES
from humanoid_locomotion.nodes.locomotion.state_machine import FADE_STEPS
from humanoid_locomotion.nodes.ros.parameters import LocomotionParameters
from humanoid_locomotion.reliability.faults import fault_matrix
from humanoid_locomotion.reliability.faults.fault_bench import FaultBench
from humanoid_locomotion.reliability.faults.fault_cases import FAULTS, Fault

pytestmark = pytest.mark.ros
HUMANOID = load_robot('humanoid')
QUICK = ('imu/data killed', 'joint_states frozen, stamps go on', 'cmd_vel killed', 'policy: NaN',
         'clock set back by 1 s', 'node killed (SIGKILL)', 'left_knee: motor dead',
         'left_knee: encoder slips by 0.3 rad', 'cmd_vel: one stamp 1,000 s ahead',
         'lifted by the base, then told to walk')


@pytest.fixture(scope='module')
def folder():
    """Give the shipped policy."""
    return open_policy('humanoid', 'onnxruntime')


def fault(name):
    """Give a fault of the table."""
    return next(one for one in FAULTS if one.name == name)


def test_table_has_every_input_in_every_way():
    """Forty faults at least, each once."""
    names = [one.name for one in FAULTS]
    assert len(names) == len(set(names)) >= 40
    for topic in ('joint_states', 'imu/data', 'odom'):
        for way in ('killed', 'frozen, stamps go on', '50 ms late', '100 ms late', '200 ms late'):
            assert f'{topic} {way}' in names


def test_every_rule_has_a_row_that_trips_it():
    """A rule that trips in none may stand in the table and be dead."""
    assert {one.rule for one in FAULTS} - {''} == {rule.name for rule in RULES}


@pytest.mark.parametrize('name', QUICK)
def test_fault_ends_as_it_should(folder, name):
    """The robot is damped or stands, in time, by its rule, and every step has a command."""
    for outcome in fault_matrix.inject_both(fault(name), folder, HUMANOID):
        assert outcome.passed, outcome
        assert not outcome.seconds > 1.0


@pytest.mark.slow
@pytest.mark.parametrize('one', FAULTS, ids=[one.name for one in FAULTS])
def test_every_fault_ends_as_it_should(folder, one):
    """The table of docs/reliability.md."""
    for outcome in fault_matrix.inject_both(one, folder, HUMANOID):
        assert outcome.passed, outcome


def test_a_row_whose_rule_does_not_trip_fails(folder):
    """Though the robot ends as it should."""
    one = Fault('nothing', lambda fault_bench: None, ('go on',), ('go on',), rule='tilt')
    assert not any(it.passed for it in fault_matrix.inject_both(one, folder, HUMANOID))


def test_robot_without_a_fault_walks_on(folder):
    """So that what the matrix shows comes from the faults."""
    nothing = Fault('nothing', lambda fault_bench: None, ('go on',), ('go on',))
    outcome = fault_matrix.inject(nothing, folder, HUMANOID, True)
    assert outcome.passed and not outcome.fallen and np.isnan(outcome.seconds)


def test_unguarded_robot_fails_the_matrix(folder, monkeypatch):
    """A matrix that passes without the guard would show nothing."""
    from humanoid_locomotion.core.safety.guard import SafetyGuard
    monkeypatch.setattr(SafetyGuard, 'judge', lambda self, evidence: None)
    outcome = fault_matrix.inject(fault('imu/data: orientation w first'), folder, HUMANOID, True)
    assert not outcome.passed and outcome.stiff_while_fallen > 0.3


def test_runs_are_the_same_every_time(folder):
    """To the last bit."""
    states = []
    for _ in range(2):
        fault_bench = FaultBench(folder, HUMANOID, LocomotionParameters())
        fault_bench.stand()
        fault_bench.command = (0.5, 0.1, 0.2)
        fault_bench.run(1.0)
        states.append(fault_bench.robot.state().joint_positions.tobytes())
        fault_bench.close()
    assert states[0] == states[1]


def test_no_hand_over_asks_a_joint_to_jump(folder):
    """Ramp to policy, standing to walking and back, a swap: no further in a step than a stride."""
    fault_bench, steps = FaultBench(folder, HUMANOID, LocomotionParameters()), []
    step = fault_bench.loop.step

    def watched(now):
        targets = step(now)
        steps.append((fault_bench.loop.machine.mode, targets.copy()))
        return targets
    fault_bench.loop.step = watched
    fault_bench.stand()
    for forward in (0.5, 0.0, 0.8, 0.0):
        fault_bench.command = (forward, 0.0, 0.0)
        fault_bench.run(2.0)
    fault_bench.loop.swap(open_policy('humanoid', 'onnxruntime'))
    swapped = len(steps)
    fault_bench.run(1.0)
    upright = not fault_bench.is_fallen
    fault_bench.close()
    modes, targets = zip(*steps)
    change = np.abs(np.diff(targets, axis=0)).max(axis=1)  # [rad], into the step after each
    switches = [i for i in range(1, len(modes)) if modes[i] is not modes[i - 1]] + [swapped]
    near = np.zeros(len(change), bool)
    for i in switches:
        near[i - 1:i + FADE_STEPS + 1] = True
    stride = change[~near].max()
    assert len(switches) == 7 and upright
    assert 0.05 < stride < 0.3 and change[near].max() < 1.25 * stride, (stride, change[near].max())
