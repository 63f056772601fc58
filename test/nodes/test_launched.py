# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""`ros2 launch` starts the robot; whatever ends it leaves the robot damped and nobody behind."""

import os
from pathlib import Path
import shutil
import signal
import subprocess
import time

import pytest

pytest.importorskip('rclpy')
pytest.importorskip('launch_ros')

from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from geometry_msgs.msg import Twist
from nav_msgs.msg import Odometry
import numpy as np
from rclpy.node import Node
from std_msgs.msg import Float64MultiArray, String

from humanoid_locomotion.nodes.ros import conversions, qos
from humanoid_locomotion.nodes.ros.executor import make_executor

# Not `launch`: launch_pytest takes tests with that mark for its own.
pytestmark = [pytest.mark.ros, pytest.mark.slow]
PATIENCE = 60.0  # [s]


@pytest.fixture(autouse=True, scope='module')
def _is_installed():
    """Launch finds nodes through a workspace that was built and sourced, and in no other way."""
    try:
        get_package_prefix('humanoid_locomotion')
    except PackageNotFoundError:
        pytest.skip('humanoid_locomotion is not in the ament index: colcon build, then source')
    if shutil.which('ros2') is None:
        pytest.skip('there is no ros2 on the path')


class Launched:
    """`walk.launch.py` in a process group of its own, and what its nodes say."""

    def __init__(self, log, **arguments):
        self.states, self.gains = [], []
        namespace = arguments.get('namespace', '')
        self._node, self._executor = Node('listener', namespace=namespace), make_executor()
        self._executor.add_node(self._node)
        self.position = np.zeros(3)
        self._cmd_vel = self._node.create_publisher(Twist, 'cmd_vel', qos.VELOCITY_COMMAND)
        self._node.create_subscription(Odometry, 'odom', self._on_odom, qos.SENSOR_INPUT)
        self._node.create_subscription(
            String, 'locomotion/state', lambda msg: self.states.append(msg.data), qos.LATCHED)
        self._node.create_subscription(
            Float64MultiArray, 'joint_gains',
            lambda msg: self.gains.append(conversions.read_gains(msg)), qos.LATCHED)
        self._log = log
        # A shell that runs tests in the background would hand on that SIGINT is ignored.
        self.process = subprocess.Popen(
            ['ros2', 'launch', 'humanoid_locomotion', 'walk.launch.py',
             *(f'{name}:={value}' for name, value in arguments.items())],
            stdout=log.open('wb'), stderr=subprocess.STDOUT, start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler))

    def _on_odom(self, msg):
        self.position = conversions.odom_position(msg)

    def command(self, forward):
        """Send a velocity command [m/s], and process what arrives."""
        self._cmd_vel.publish(conversions.twist(np.array([forward, 0.0, 0.0])))
        self._executor.spin_once(timeout_sec=0.02)

    def until(self, condition):
        """Wait for something that the nodes bring about."""
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, f'{self.states}\n{self._log.read_text()[-4000:]}'
            self._executor.spin_once(timeout_sec=0.05)

    def until_state(self, start):
        """Wait until the node shows a state."""
        self.until(lambda: self.states and self.states[-1].startswith(start))

    def pids(self, node=''):
        """Give the processes of the launch, or those of one node."""
        found = []
        for entry in Path('/proc').glob('[0-9]*'):
            try:
                group = int((entry / 'stat').read_text().rpartition(')')[2].split()[2])
                command = (entry / 'cmdline').read_text().split('\0')
            except (OSError, ValueError):
                continue  # it ended meanwhile
            mine = group == self.process.pid and command != ['']
            if mine and (not node or f'humanoid_locomotion/{node}' in ' '.join(command[:2])):
                found.append(int(entry.name))
        return found

    @property
    def is_damped(self):
        """Whether the last gains that were published pull nowhere and resist motion."""
        return bool(self.gains) and bool(
            np.all(self.gains[-1][:, 0] == 0.0) and np.all(self.gains[-1][:, 1] > 0.0))

    def close(self):
        """End what is left."""
        for pid in self.pids():
            os.kill(pid, signal.SIGKILL)
        self.process.wait()
        self._executor.shutdown()
        self._node.destroy_node()


@pytest.fixture
def launched(ros, tmp_path):
    """Launch with arguments."""
    running = []

    def start(**arguments):
        running.append(Launched(tmp_path / f'log{len(running)}', **arguments))
        return running[-1]
    yield start
    for it in running:
        it.close()


@pytest.mark.parametrize('number, whom', [
    (signal.SIGINT, 'launch'),  # Ctrl-C of a person
    (signal.SIGINT, 'all'),     # Ctrl-C in a terminal
    (signal.SIGTERM, 'all')])   # as systemd stops a service
def test_robot_stands_up_and_is_damped_by_whatever_ends_the_launch(launched, number, whom):
    it = launched()
    it.until_state('standing')
    it.until(lambda: it.gains and not it.is_damped)
    if whom == 'launch':
        it.process.send_signal(number)
    else:
        os.killpg(it.process.pid, number)
    it.until(lambda: it.process.poll() is not None and not it.pids())
    it.until_state('idle')
    it.until(lambda: it.is_damped)


def test_node_that_died_comes_back_damped_and_stays_so(launched):
    """And the simulated robot, whose driver damps meanwhile, goes on."""
    it = launched(use_respawn='true')
    it.until_state('standing')
    (first,), (sim,) = it.pids('locomotion'), it.pids('sim')
    it.states.clear()
    it.gains.clear()
    os.kill(first, signal.SIGKILL)
    it.until_state('damping')
    it.until(lambda: it.is_damped)
    end = time.monotonic() + 2.0
    it.until(lambda: time.monotonic() > end)
    assert it.states[-1] == 'damping' and it.is_damped
    assert it.pids('sim') == [sim] and it.pids('locomotion') not in ([], [first])


def test_node_that_died_stays_away_unless_asked(launched):
    """The driver's watchdog has damped the robot; a person decides what comes next."""
    it = launched()
    it.until_state('standing')
    (first,) = it.pids('locomotion')
    os.kill(first, signal.SIGKILL)
    end = time.monotonic() + 3.0
    it.until(lambda: time.monotonic() > end)
    assert it.pids('locomotion') == [] and it.pids('sim') and it.process.poll() is None


@pytest.mark.parametrize('second, factor', [({}, 0.25), ({'use_sim_time': 'false'}, 1.0)])
def test_two_robots_of_one_graph_both_walk(launched, tmp_path, second, factor):
    """The second follows the clock of the first, or that of the system."""
    file = tmp_path / 'sim.yaml'
    file.write_text(f'/**/sim:\n  ros__parameters: {{real_time_factor: {factor}}}\n')
    robots = [launched(namespace='robot1', frame_prefix='robot1/', sim_params_file=file),
              launched(namespace='robot2', frame_prefix='robot2/', publish_clock='false',
                       **second)]
    for it in robots:
        it.until_state('standing')
    starts = [it.position for it in robots]

    def walked():
        for it in robots:
            it.command(0.4)
        return all(it.position[0] - start[0] > 0.5 for it, start in zip(robots, starts))
    robots[0].until(walked)
    assert [it.states[-1] for it in robots] == ['walking', 'walking']
    assert all(it.position[2] > 0.5 for it in robots)
