# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A simulated Unitree robot on the robot's own wire."""

from __future__ import annotations

import time
from typing import Any, Dict, List

import numpy as np

from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.nodes.hardware.port import MotorCommand, Remote
from humanoid_locomotion.nodes.hardware.unitree import motion_switcher, remote
from humanoid_locomotion.nodes.hardware.unitree.dds import Wire
from humanoid_locomotion.nodes.hardware.unitree.messages import (
    API_REQUEST,
    API_RESPONSE,
    HG_BATTERY,
    HG_STATE,
    crc_of,
    sign,
)
from humanoid_locomotion.nodes.hardware.unitree.port import BATTERY, COMMANDS, STATES
from humanoid_locomotion.nodes.hardware.unitree.robots import machine_with
from humanoid_locomotion.nodes.hardware.unitree.simulated_motors import (
    CLEARANCE,
    SimulatedMotors,
)

TICK = 0.002  # [s] between two states
BATTERY_EVERY = 500  # ticks between two messages of the battery
CHARGE = 80  # of the battery [%]
TEMPERATURE = 35  # of every motor [deg C]
ACTIONS = {
    'crc wrong|right': 'checksum of the states',
    'freeze on|off': 'send the same state again and again',
    'rate HZ': 'states per second, 0 for none',
    'mode_machine N': 'value in the states',
    'press BUTTON...': 'buttons held on the remote, none to let go',
    'remote lost|found': 'without a remote, its bytes are zeros',
    'owner NAME': 'mode of the robot that drives the motors, none for no mode',
    'push FORWARD LEFT': 'add a velocity to the base [m/s]',
    'suspend': 'hang the robot on the hoist', 'lower': 'lower it to the floor and let go',
    'quit': 'end'}


class StandIn:
    """The robot: sends states, takes motor commands, and refuses them as the firmware does.

    Args:
        robot: A robot with the joints of a Unitree robot.
        wire: The network.
        watchdog: Time without commands after which the motors are damped [s]; 0 keeps the last
            command, as Unitree's simulator does.
        owner: Name of the robot's own mode that drives the motors, until MotionSwitcher is asked
            to release it.
        hangs: Whether it hangs on the hoist at first, above the floor; else its feet touch the
            floor, and the hoist lets go at the first command with a kp above 0.
    """

    def __init__(self, robot: RobotSpec, wire: Wire, watchdog: float = 0.0, owner: str = '',
                 hangs: bool = True):
        machine = machine_with(robot.joint_names, robot.name)
        self._machine, self._robot, self._watchdog = machine, robot, watchdog
        self._indices = np.array([machine.motors.index(name) for name in robot.joint_names])
        self._motors = SimulatedMotors(robot, TICK, machine.imu_frame,
                                       CLEARANCE if hangs else 0.0)
        self._lowers_itself = not hangs
        self._states = wire.writer(STATES, machine.state)
        self._commands = wire.reader(COMMANDS, machine.command, depth=16)
        self._battery = wire.writer(BATTERY, HG_BATTERY) if machine.state is HG_STATE else None
        self._requests = wire.reader(motion_switcher.REQUEST, API_REQUEST, 16, reliable=True)
        self._responses = wire.writer(motion_switcher.RESPONSE, API_RESPONSE)
        self._state, self._sent = machine.state.new(), b''
        if machine.mode_machines:
            self._state['mode_machine'] = 5 if 5 in machine.mode_machines else 4
        self._wrong_crc = self._is_frozen = self._is_remote_lost = False
        self._every = 1  # ticks between two states, 0 for none
        self._remote = Remote(frozenset())
        self._zeros = np.zeros(robot.num_joints)
        self._last_command = -np.inf
        self.ticks, self.accepted, self.is_running = 0, 0, True
        self.refused: Dict[str, int] = {}
        self.owner, self.mode, self.since = '', '', 0.0
        self._limp()
        self._give_to(owner)

    # Motors

    def _drive(self, command: MotorCommand) -> None:
        self._motors.drive(command)
        mode = ('driven' if command.kp.any() or command.effort.any() else
                'damped' if command.kd.any() else 'limp')
        if mode != self.mode:
            self.mode, self.since = mode, time.monotonic()

    def _limp(self) -> None:
        zeros = self._zeros
        self._drive(MotorCommand(zeros, zeros, zeros, zeros, zeros))

    def _give_to(self, owner: str) -> None:
        """Let a mode of the robot hold the default pose, or let nobody drive the motors."""
        if owner:
            spec = self._robot
            self._drive(MotorCommand(spec.values('default'), self._zeros, self._zeros,
                                     spec.values('kp'), spec.values('kd')))
        elif self.owner:
            self._limp()
        self.owner = owner

    def _refusal(self, message: Any) -> str:
        """Return why the firmware does not follow a command, or an empty string."""
        if self.owner:
            return 'motors owned by a mode'
        if int(message['crc']) != crc_of(message):
            return 'wrong crc'
        if self._machine.state is HG_STATE and (
                message['mode_machine'] != self._state['mode_machine']):
            return 'wrong mode_machine'
        motors = message['motor_cmd'][self._indices]
        if not all(np.isfinite(motors[name]).all() for name in ('q', 'dq', 'tau', 'kp', 'kd')):
            return 'values that are not finite'
        return ''

    def _take_commands(self) -> None:
        for data in self._commands.take():
            message = self._machine.command.decode(data)
            refusal = self._refusal(message)
            if refusal:
                self.refused[refusal] = self.refused.get(refusal, 0) + 1
                continue
            self.accepted += 1
            self._last_command = time.monotonic()
            motors = message['motor_cmd'][self._indices]
            self._state['motor_state']['mode'][self._indices] = motors['mode']
            on = motors['mode'] > 0
            command = MotorCommand(motors['q'], motors['dq'], motors['tau'] * on,
                                   motors['kp'] * on, motors['kd'] * on)
            self._drive(command)
            if self._lowers_itself and command.kp.any():
                self._motors.lower()
                self._lowers_itself = False
        silence = time.monotonic() - self._last_command
        if self._watchdog and self.mode == 'driven' and not self.owner and (
                silence > self._watchdog):
            zeros = self._zeros
            self._drive(MotorCommand(zeros, zeros, zeros, zeros, self._robot.values('kd')))

    def _serve(self) -> None:
        for data in self._requests.take():
            number, api, parameters = motion_switcher.decode_request(data)
            content = {}
            if api == motion_switcher.CHECK_MODE:
                content = {'form': '0', 'name': self.owner}
            elif api == motion_switcher.SELECT_MODE:
                self._give_to(str(parameters.get('name', '')))
            elif api == motion_switcher.RELEASE_MODE:
                self._give_to('')
            self._responses.write(motion_switcher.encode_response(number, api, 0, content))

    # States

    def step(self) -> None:
        """Serve requests, follow commands, advance by one tick and send a state."""
        self._serve()
        self._take_commands()
        self._motors.step()
        self.ticks += 1
        if self._every and self.ticks % self._every == 0:
            self._send()
        if self._battery is not None and self.ticks % BATTERY_EVERY == 1:
            battery = HG_BATTERY.new()
            battery['soc'] = CHARGE
            self._battery.write(HG_BATTERY.encode(battery))

    def _send(self) -> None:
        if not (self._is_frozen and self._sent):
            state, measured = self._state, self._motors
            motors, imu = state['motor_state'], state['imu_state']
            for name, values in (('q', measured.position), ('dq', measured.velocity),
                                 ('tau_est', measured.effort), ('temperature', TEMPERATURE)):
                motors[name][self._indices] = values
            imu['quaternion'] = measured.quaternion_wxyz
            imu['gyroscope'] = measured.angular_velocity
            imu['accelerometer'] = measured.acceleration
            state['tick'] = self.ticks * round(TICK * 1000)
            pressed = None if self._is_remote_lost else self._remote
            state['wireless_remote'] = np.frombuffer(remote.encode(pressed), np.uint8)
            if self._machine.state is not HG_STATE:
                state['bms_state']['soc'] = CHARGE
            sign(state)
            state['crc'] ^= self._wrong_crc
            self._sent = self._machine.state.encode(state)
        self._states.write(self._sent)

    def act(self, line: str) -> None:
        """Do what a line of :data:`ACTIONS` says.

        Raises:
            ValueError: It is none of them.
        """
        name, *values = line.split()
        if name == 'crc':
            self._wrong_crc = values == ['wrong']
        elif name == 'freeze':
            self._is_frozen = values != ['off']
        elif name == 'rate':
            rate = float(values[0])
            self._every = round(1.0 / TICK / rate) if rate > 0.0 else 0
        elif name == 'mode_machine' and self._machine.state is HG_STATE:
            self._state['mode_machine'] = int(values[0])
        elif name == 'press':
            unknown = {*values} - {*remote.BUTTONS}
            if unknown:
                raise ValueError(f'press: found {sorted(unknown)}, expected some of '
                                 f'{list(remote.BUTTONS)}')
            self._remote = Remote(frozenset(values))
        elif name == 'remote':
            self._is_remote_lost = values == ['lost']
        elif name == 'owner':
            self._give_to(values[0] if values else '')
        elif name == 'push':
            self._motors.push([float(value) for value in values])
        elif name == 'suspend':
            self._motors.suspend()
        elif name == 'lower':
            self._motors.lower()
        elif name == 'quit':
            self.is_running = False
        else:
            raise ValueError(f'found {line.strip()!r}, expected one of {list(ACTIONS)}')

    def report(self) -> Dict[str, Any]:
        """Return the robot's state for a test to judge.

        ``time`` and ``since``, when ``mode`` (driven, damped or limp) began, are those of
        ``time.monotonic()``, which all processes of a machine share.
        """
        robot = self._motors

        def rounded(values: Any) -> List[float]:
            return [round(float(value), 4) for value in values]

        return {'time': time.monotonic(), 'ticks': self.ticks, 'mode': self.mode,
                'since': self.since, 'owner': self.owner, 'accepted': self.accepted,
                'refused': self.refused, 'on_hoist': robot.is_on_hoist,
                'position': rounded(robot.base_position), 'yaw': round(robot.yaw, 4),
                'tilt': round(robot.tilt, 4), 'velocity': rounded(robot.base_velocity),
                'largest_torque': round(float(np.abs(robot.effort).max()), 2),
                'joints': rounded(robot.position)}
