# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A Booster robot behind the driver's interface, over the messages of ``booster_interface``.

Written from the sources of booster_robotics_sdk and booster_robotics_sdk_ros2; it was never tried
with a robot or a simulator.
"""

from __future__ import annotations

import json
import math
import os
import threading
import time
from typing import Any, Callable, Dict, Optional, Tuple

import numpy as np
import rclpy
from rclpy.executors import SingleThreadedExecutor

from humanoid_locomotion.core.errors import ConfigError, MissingPackageError
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.nodes.hardware.booster.robots import machine_with
from humanoid_locomotion.nodes.hardware.port import MotorCommand, RobotReading
from humanoid_locomotion.nodes.ros import qos

STATES, COMMANDS, REQUESTS = '/low_state', '/joint_ctrl', 'booster_rpc_service'
CHANGE_MODE, GET_MODE = 2000, 2017  # api_id of requests
CUSTOM = 3  # the mode in which the robot applies low-level commands
MODES = {0: 'damping', 1: 'prepare', 2: 'walking', CUSTOM: 'custom', 4: 'soccer'}
ANKLE = 'Ankle'  # in the names of the joints that two parallel motors drive
FIRST_STATE, ANSWER = 2.0, 1.0  # [s] to wait
NODE = 'humanoid_locomotion_booster'  # followed by the process id


class BoosterPort:
    """Connection to a T1 or K1, a ``RobotPort``.

    Serial messages are used: joints, not the motors of the ankle's linkage. A stiffness of the
    ankle would not be linear there, so its spring is sent as a torque, as Booster's own example
    of a policy does.

    Args:
        robot: The robot; its joints tell the model.
        interface: Not used: ROS 2's middleware selects the network interface.
        domain: DDS domain.
        simulator: Not used.
    """

    def __init__(self, robot: RobotSpec, interface: str, domain: int, simulator: bool = False):
        self._machine = machine_with(robot.joint_names)
        self.joints: Tuple[str, ...] = tuple(robot.joint_names)
        self.imu_frame = 'Trunk'
        self._motors = [self._machine.motors.index(name) for name in self.joints]
        self._is_ankle = np.array([ANKLE in name for name in self.joints])
        self._effort = robot.values('effort')
        self._domain = domain
        self._context = rclpy.Context()
        self._executor: Any = None
        self._newest: Optional[Tuple[float, Any]] = None
        self.on_state: Callable[[], None] = lambda: None
        self._position = np.zeros(len(self.joints))
        self._problem = ''

    def open(self) -> None:
        """See ``RobotPort``. Nothing is published yet."""
        try:
            from booster_interface import msg, srv
        except ImportError as error:
            raise MissingPackageError(
                'driver:=booster', 'booster_interface',
                'build booster_robotics_sdk_ros2 with colcon and source it') from error
        self._context.init(domain_id=self._domain)
        self._node = rclpy.create_node(f'{NODE}_{os.getpid()}', context=self._context)
        self._requests: Any = self._node.create_client(srv.RpcService, REQUESTS)
        self._new_request = srv.RpcService.Request
        self._message = msg.LowCmd(
            cmd_type=msg.LowCmd.CMD_TYPE_SERIAL,
            motor_cmd=[msg.MotorCmd() for _ in self._machine.motors])
        self._commands = self._node.create_publisher(msg.LowCmd, COMMANDS, qos.COMMAND)
        self._node.create_subscription(msg.LowState, STATES, self._on_state, qos.SENSOR_INPUT)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._thread = threading.Thread(target=self._executor.spin, name='booster', daemon=True)
        self._thread.start()
        try:
            self._await_state()
        except BaseException:
            self.close()
            raise

    def _await_state(self) -> None:
        end = time.monotonic() + FIRST_STATE
        while self._newest is None:
            if time.monotonic() > end:
                raise ConfigError('booster', 'robot', self._problem or (
                    f'no message on {STATES} within {FIRST_STATE:g} s in domain {self._domain}; '
                    'is the robot on, and is ROS 2 on its network?'))
            time.sleep(0.005)

    def _on_state(self, msg: Any) -> None:
        found, expected = len(msg.motor_state_serial), len(self._machine.motors)
        if found != expected:
            self._problem = (f'{STATES} has {found} motors, expected the {expected} of a '
                             f'{self._machine.name}')
            return
        self._newest = time.monotonic(), msg
        self.on_state()

    def read(self) -> Optional[RobotReading]:
        """See ``RobotPort``."""
        newest, self._newest = self._newest, None
        if newest is None:
            return None
        arrival, msg = newest
        motors = [msg.motor_state_serial[i] for i in self._motors]
        self._position = np.array([it.q for it in motors], float)
        imu = msg.imu_state
        broken = [f'{name} ({it.reserve[0]})' for name, it in zip(self.joints, motors)
                  if it.reserve[0]]
        return RobotReading(
            arrival, self._position, np.array([it.dq for it in motors], float),
            np.array([it.tau_est for it in motors], float),
            np.array([it.temperature for it in motors], float),
            quaternion_wxyz(*imu.rpy), np.array(imu.gyro, float), np.array(imu.acc, float),
            fault=f'motors report an error: {", ".join(broken)}' if broken else '')

    def write(self, command: MotorCommand) -> None:
        """See ``RobotPort``."""
        spring = command.kp * (command.position - self._position)
        torque = command.effort + np.where(self._is_ankle, spring, 0.0)
        torque = np.clip(torque, -self._effort, self._effort)
        kp = np.where(self._is_ankle, 0.0, command.kp)
        rows = zip(self._motors, command.position.tolist(), command.velocity.tolist(),
                   torque.tolist(), kp.tolist(), command.kd.tolist())
        for motor, *values in rows:
            it = self._message.motor_cmd[motor]
            it.q, it.dq, it.tau, it.kp, it.kd = values
        self._commands.publish(self._message)

    def other_commanders(self) -> Tuple[str, ...]:
        """See ``RobotPort``."""
        names = {it.node_name for it in self._node.get_publishers_info_by_topic(COMMANDS)}
        return tuple(f'node {name!r} publishes {COMMANDS}' for name in sorted(names)
                     if not name.startswith(NODE))

    def owner(self) -> str:
        """See ``RobotPort``; a robot that does not answer is taken as owned."""
        answer = self._ask(GET_MODE, {})
        if 'mode' not in answer:
            return f'unknown ({REQUESTS} does not answer)'
        mode = answer['mode']
        return '' if mode == CUSTOM else MODES.get(mode, str(mode))

    def release(self) -> None:
        """See ``RobotPort``: ask for the mode *custom*."""
        self._ask(CHANGE_MODE, {'mode': CUSTOM})

    def _ask(self, api_id: int, body: Dict[str, int]) -> Dict[str, Any]:
        """Return the answer to a request; empty if there is none in time."""
        if not self._requests.wait_for_service(ANSWER):
            return {}
        request = self._new_request()
        request.msg.api_id, request.msg.body = api_id, json.dumps(body) if body else ''
        done = threading.Event()
        future: Any = self._requests.call_async(request)
        future.add_done_callback(lambda _: done.set())
        if not done.wait(ANSWER):
            return {}
        try:
            answer = json.loads(future.result().msg.body)
        except ValueError:
            return {}
        return answer if isinstance(answer, dict) else {}

    def close(self) -> None:
        """See ``RobotPort``."""
        if self._executor is not None:
            self._executor.shutdown()
            self._thread.join(1.0)
            self._node.destroy_node()
            self._context.try_shutdown()
            self._executor = None


def quaternion_wxyz(roll: float, pitch: float, yaw: float) -> np.ndarray:
    """Return the orientation of roll, pitch and yaw [rad], applied as Rz Ry Rx, (4,)."""
    (cr, sr), (cp, sp), (cy, sy) = (
        (math.cos(it / 2), math.sin(it / 2)) for it in (roll, pitch, yaw))
    return np.array([cr * cp * cy + sr * sp * sy, sr * cp * cy - cr * sp * sy,
                     cr * sp * cy + sr * cp * sy, cr * cp * sy - sr * sp * cy])
