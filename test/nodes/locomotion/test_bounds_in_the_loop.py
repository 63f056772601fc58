# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The control loop holds every policy against its robot, and damps with the robot's own gains."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip('rclpy')
pytest.importorskip('mujoco')

from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.core.policy.folder import open_policy
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.nodes.ros.parameters import LocomotionParameters
from humanoid_locomotion.reliability.faults.fault_bench import FaultBench

pytestmark = pytest.mark.ros
ROBOT = load_robot('humanoid')


@pytest.fixture
def fault_bench(holding):
    one = FaultBench(open_policy(holding, 'onnxruntime'), ROBOT, LocomotionParameters())
    yield one
    one.close()


def other(folder, **changes):
    """Return a policy folder whose first joint has other figures."""
    first, *rest = folder.contract.joints
    return replace(folder, contract=replace(
        folder.contract, joints=(replace(first, **changes), *rest)))


@pytest.mark.parametrize('changes, message', [
    ({'kp': 1e6}, 'kp is'), ({'kd': 1e-6}, 'kd is'), ({'effort': 1e9}, 'effort is'),
    ({'lower': -1e6, 'upper': 1e6}, 'targets go'), ({'action_scale': 1e6}, 'action_scale is')])
def test_a_policy_beyond_its_robot_is_not_swapped_in(fault_bench, changes, message):
    fault_bench.stand()
    before = fault_bench.loop.folder
    with pytest.raises(LocomotionError, match=f"does not suit robot 'humanoid': .*{message}"):
        fault_bench.loop.swap(other(before, **changes))
    assert fault_bench.loop.folder is before and fault_bench.loop.machine.mode.value == 'standing'


def test_a_policy_beyond_its_robot_is_not_configured(holding):
    folder = other(open_policy(holding, 'onnxruntime'), effort=1e9)
    with pytest.raises(LocomotionError, match='effort is'):
        FaultBench(folder, ROBOT, LocomotionParameters())


def test_damping_is_that_of_the_robot_whatever_the_policy_says(fault_bench):
    fault_bench.stand()
    soft = other(fault_bench.loop.folder, kd=0.25 * ROBOT.joints[0].kd, effort=1.0)
    fault_bench.loop.swap(soft)
    fault_bench.loop.apply('damp', fault_bench.now)
    fault_bench.run(0.1)
    given = fault_bench.robot._given_gains
    np.testing.assert_array_equal(given[:, 0], 0.0)
    np.testing.assert_array_equal(given[:, 1], ROBOT.values('kd'))
    np.testing.assert_array_equal(given[:, 2], ROBOT.values('effort'))


def test_gains_follow_the_policy_while_it_runs(fault_bench):
    np.testing.assert_array_equal(
        fault_bench.loop.stiff_gains[:, 0], fault_bench.loop.folder.contract.values('kp'))
