# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A policy that commands some joints only: the loop gives targets for all, and arms can be led."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip('rclpy')
pytest.importorskip('mujoco')

import policy_factory
from sensor_msgs.msg import JointState
from std_msgs.msg import Header

from humanoid_locomotion.core.policy.folder import open_policy
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.nodes.locomotion.state_machine import Mode
from humanoid_locomotion.nodes.ros import conversions
from humanoid_locomotion.nodes.ros.parameters import LocomotionParameters
from humanoid_locomotion.reliability.faults.fault_bench import FaultBench

pytestmark = pytest.mark.ros
COMMANDED = ('right_ankle_roll', 'right_ankle_pitch', 'left_ankle_pitch', 'left_ankle_roll')


def test_a_policy_of_the_ankles_holds_all_else_and_an_arm_can_be_led(tmp_path):
    contract = replace(policy_factory.make_contract(), commanded=COMMANDED)
    policy_factory.write_policy(
        tmp_path / 'policy', contract, policy_factory.balancing_weight(contract))
    robot, names = load_robot('humanoid'), contract.joint_names
    bench = FaultBench(open_policy(tmp_path / 'policy', 'onnxruntime'), robot,
                       LocomotionParameters())
    try:
        bench.stand()
        targets, default = bench.loop.step(bench.now), contract.values('default')
        moved = [names[i] for i in np.flatnonzero(np.abs(targets - default) > 1e-6)]
        assert bench.loop.machine.mode is Mode.STANDING and not bench.is_fallen
        assert targets.shape == (len(names),) and set(moved) <= set(COMMANDED) and moved
        elbow = names.index('left_elbow')
        for _ in range(50):
            bench.loop.arms.take('arm_command', JointState(
                header=Header(stamp=conversions.to_stamp(round(1e9 * bench.now))),
                name=['left_elbow'], position=[float(default[elbow]) - 0.3]), bench.now)
            bench.run(0.02)
        assert bench.loop.step(bench.now)[elbow] == pytest.approx(default[elbow] - 0.3, abs=1e-3)
        assert bench.lost == 0 and not bench.is_fallen
    finally:
        bench.close()
