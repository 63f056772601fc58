# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Joint commands for ros2_control: what each interface sends, and that a robot walks by them."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip('rclpy')
pytest.importorskip('mujoco')

from std_msgs.msg import Float64MultiArray
from trajectory_msgs.msg import JointTrajectory
import yaml

from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.core.policy.folder import find_policy, open_policy, read_contract
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.nodes.ros import qos
from humanoid_locomotion.nodes.ros.command_output import (
    INTERFACES,
    ROS2_CONTROL,
    command_interface,
    controllers,
)
from humanoid_locomotion.nodes.ros.parameters import LocomotionParameters
from humanoid_locomotion.nodes.simulation.simulated_robot import SimulatedRobot
from humanoid_locomotion.reliability.faults import fault_bench

pytestmark = pytest.mark.ros
ROOT = Path(__file__).resolve().parents[3]


def filled(interface, contract):
    """Return the parameters of the controllers, as the launch file fills them in."""
    config = yaml.safe_load((ROOT / 'config/ros2_control/controllers.yaml').read_text())
    return {name: value['ros__parameters']
            for name, value in controllers(config, interface, contract).items()}


class Motors:
    """Controllers of ros2_control and motors in the place of this package's driver.

    Torques are computed from the messages alone, with joints and gains of the controllers' file.
    """

    def __init__(self, robot: SimulatedRobot, interface: str, contract):
        self._robot = robot
        found = filled(interface, contract)['locomotion_controller']
        self._joints, gains = found['joints'], found.get('gains')
        columns = ([[gains[it][key] for it in self._joints] for key in ('p', 'd', 'u_clamp_max')]
                   if gains else [contract.values(key) for key in ('kp', 'kd', 'effort')])
        robot.set_gains(np.array(columns).T)

    def take(self, msg):
        """Take the message of the targets."""
        if isinstance(msg, JointTrajectory):
            (point,) = msg.points
            assert msg.joint_names == self._joints and msg.header.stamp.sec == 0
            assert point.time_from_start.sec == point.time_from_start.nanosec == 0
            self._robot.command(msg.joint_names, np.array(point.positions))
        else:
            assert isinstance(msg, Float64MultiArray) and len(msg.data) == len(self._joints)
            self._robot.command(self._joints, np.array(msg.data))


@pytest.mark.parametrize('interface', ['forward_command', 'joint_trajectory'])
def test_a_robot_walks_with_the_messages_of_a_controller(interface, monkeypatch):
    """PD control at 600 Hz in the simulator, with the gains of the controllers' file."""
    monkeypatch.setattr(fault_bench, 'SimulatedRobot', lambda spec, tick, _, *more: SimulatedRobot(
        spec, tick, tick / 3, *more))
    folder, robot = open_policy('humanoid', 'onnxruntime'), load_robot('humanoid')
    bench = fault_bench.FaultBench(folder, robot, LocomotionParameters())
    motors = Motors(bench.robot, interface, folder.contract)
    encoder = INTERFACES[interface].encoder(folder.contract.joint_names)
    bench._command = lambda targets: motors.take(encoder.serialized(targets, 0))
    try:
        bench.stand()
        bench.command = (0.5, 0.0, 0.0)
        bench.run(2.0)
        assert not bench.is_fallen
        assert bench.robot.state().base_position[0, 0] > 0.5
    finally:
        bench.close()


@pytest.mark.parametrize('policy', sorted(it.name for it in (ROOT / 'policies').iterdir()))
@pytest.mark.parametrize('interface', ROS2_CONTROL)
def test_the_controllers_have_the_joints_and_gains_of_the_contract(interface, policy):
    """Messages without names fit only in the order of the contract."""
    contract = read_contract(find_policy(policy) / 'contract.yaml')
    found = filled(interface, contract)
    ours = {name: it for name, it in found.items() if name.startswith('locomotion_controller')}
    assert len(ours) == (5 if interface == 'mit' else 1)
    for name, params in ours.items():
        assert params['joints'] == list(contract.joint_names)
        if interface == 'mit':
            assert name == f'locomotion_controller_{params["interface_name"]}'
        if interface == 'joint_trajectory':
            assert [params['gains'][it]['p'] for it in contract.joint_names] == pytest.approx(
                contract.values('kp'))
            assert [params['gains'][it]['d'] for it in contract.joint_names] == pytest.approx(
                contract.values('kd'))


@pytest.mark.parametrize('interface', ROS2_CONTROL)
def test_an_interface_without_a_watchdog_must_be_accepted(interface):
    with pytest.raises(ConfigError, match='keep the last command when this node ends'):
        command_interface(LocomotionParameters(command_interface=interface))
    found = command_interface(LocomotionParameters(
        command_interface=interface, accept_no_watchdog=True, controller='legs'))
    assert found.topic.startswith('legs')


def listen(one, topic, kind=Float64MultiArray):
    """Return the messages that arrive on a topic."""
    found = []
    one.driver.create_subscription(kind, topic, found.append, qos.COMMAND)
    return found


def test_mit_controllers_get_gains_with_every_target_and_kp_0_to_damp(bench):
    one = bench(command_interface='mit', accept_no_watchdog=True, controller='legs')
    topics = {name: listen(one, f'legs_{name}/commands')
              for name in ('position', 'velocity', 'effort', 'kp')}
    one.node.trigger_configure()
    one.until(lambda: one.node.interface.missing() == 'no subscriber of legs_kd/commands')
    topics['kd'] = listen(one, 'legs_kd/commands')
    one.stand()
    contract = one.node.interface.loop.folder.contract
    one.until(lambda: len(topics['kp']) > 10)
    np.testing.assert_allclose(topics['kp'][-1].data, contract.values('kp'))
    np.testing.assert_allclose(topics['kd'][-1].data, contract.values('kd'))
    np.testing.assert_allclose(
        topics['position'][-1].data, contract.values('default'), atol=1e-5)
    assert not any(topics['velocity'][-1].data) and not any(topics['effort'][-1].data)
    assert one.driver.commands == []
    one.call('damp')
    one.until(lambda: not any(topics['kp'][-1].data))
    assert all(it > 0 for it in topics['kd'][-1].data)


def test_position_controllers_get_the_measured_positions_to_damp(bench):
    """They cannot damp, but the joints have no target to move to."""
    one = bench(command_interface='forward_command', accept_no_watchdog=True)
    found = listen(one, 'locomotion_controller/commands')
    one.stand()
    one.driver.positions = [it + 0.01 for it in one.driver.positions]
    one.call('emergency_stop')
    one.until(lambda: np.allclose(found[-1].data, one.driver.positions, atol=1e-5))


def test_a_second_node_that_commands_the_controller_is_a_fault(bench):
    one = bench(command_interface='joint_trajectory', accept_no_watchdog=True)
    listen(one, 'locomotion_controller/joint_trajectory', JointTrajectory)
    one.stand()
    one.driver.create_publisher(
        JointTrajectory, 'locomotion_controller/joint_trajectory', qos.COMMAND)
    one.until_state('fault: 2 nodes publish')
