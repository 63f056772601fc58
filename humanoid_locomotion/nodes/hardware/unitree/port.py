# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A Unitree robot behind the driver's interface."""

from __future__ import annotations

import dataclasses
import time
from typing import Any, Callable, Dict, Optional, Set, Tuple

import numpy as np

from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.nodes.hardware.port import MotorCommand, RobotReading
from humanoid_locomotion.nodes.hardware.unitree import remote
from humanoid_locomotion.nodes.hardware.unitree.dds import (
    Reader,
    Wire,
    Writer,
    raw_type,
    type_hash,
)
from humanoid_locomotion.nodes.hardware.unitree.messages import (
    GO_COMMAND,
    HG_BATTERY,
    HG_COMMAND,
    HG_STATE,
    crc_of,
    sign,
)
from humanoid_locomotion.nodes.hardware.unitree.motion_switcher import MotionSwitcher
from humanoid_locomotion.nodes.hardware.unitree.robots import machine_with

COMMANDS, STATES, BATTERY = 'rt/lowcmd', 'rt/lowstate', 'rt/lf/bmsstate'
FIRST_STATE = 2.0  # [s] within which a robot must send a state
MAX_DOUBT = 0.05  # [s] of refused states only, after which they are a fault
DEPTH = 32  # states that are kept until they are read
NO_POSITION, NO_VELOCITY = 2.146e9, 16000.0  # q and dq of a unitree_go motor that is not driven


class UnitreePort:
    """Connection to a G1, H1 or H1-2, a ``RobotPort``.

    A state is refused if its checksum is wrong, its tick is that of the state before, or a value
    is not finite. If only such states arrive, or ``mode_machine`` changes, readings carry a fault.

    Args:
        robot: The robot; its joints tell the model.
        interface: Network interface of the robot.
        domain: DDS domain, 0 on the robot.
        simulator: Whether it is unitree_mujoco, the simulator in Python, which sends no checksum,
            tick and ``mode_machine``, and has no MotionSwitcher.

    Attributes:
        companions: GUIDs of DDS participants that may publish commands beside this one, for
            :meth:`other_commanders`.
        refused: Number of refused states, by reason.
        participant: GUID of the DDS participant, once it is open.
    """

    def __init__(self, robot: RobotSpec, interface: str, domain: int, simulator: bool = False):
        self._machine = machine_with(robot.joint_names, robot.name)
        self.joints: Tuple[str, ...] = tuple(robot.joint_names)
        self.imu_frame = self._machine.imu_frame
        self._motors = np.array([self._machine.motors.index(name) for name in self.joints])
        self._interface, self._domain, self._simulator = interface, domain, simulator
        self._wire: Optional[Wire] = None
        self._states: Optional[Reader] = None
        self._batteries: Optional[Reader] = None
        self._commands: Optional[Writer] = None
        self._switcher: Optional[MotionSwitcher] = None
        self._last: Optional[RobotReading] = None
        self._tick, self._mode_machine = -1, 0
        self._battery: Optional[float] = None
        self._fault = self._doubt = ''
        self.companions: Set[str] = set()
        self.on_state: Callable[[], None] = lambda: None
        self.refused: Dict[str, int] = {}
        self.participant = ''
        self._message = self._empty_command()

    def open(self) -> None:
        """See ``RobotPort``. Nothing is written yet."""
        self._wire = wire = Wire(self._interface, self._domain)
        try:
            self.participant = wire.participant
            end = time.monotonic() + FIRST_STATE
            while not (publishers := wire.publishers(STATES)) and time.monotonic() < end:
                time.sleep(0.005)
            uint8 = type_hash(raw_type(self._machine.state, has_octets=False))
            wire.has_octets = all(it.type_hash != uint8 for it in publishers)
            self._states = wire.reader(STATES, self._machine.state, depth=DEPTH,
                                       on_data=lambda: self.on_state())
            if self._machine.state is HG_STATE:
                self._batteries = wire.reader(BATTERY, HG_BATTERY)
            while self.read() is None:
                if time.monotonic() > end:
                    raise self._no_robot(wire)
                time.sleep(0.002)
            known = self._machine.mode_machines
            if known is not None and self._mode_machine not in known and not (
                    self._simulator and self._mode_machine == 0):
                raise ConfigError('unitree', 'robot', f'found a robot with mode_machine '
                                  f'{self._mode_machine}, expected a {self._machine.name}, which '
                                  f'has one of {sorted(known)}')
            if not self._simulator:
                self._switcher = MotionSwitcher(wire)
        except BaseException:
            self.close()
            raise

    def _no_robot(self, wire: Wire) -> ConfigError:
        other = [it.type_name for it in wire.publishers(STATES)
                 if it.type_name != self._machine.state.type_name]
        if other:
            problem = (f'the robot publishes {other[0]}, but a {self._machine.name} publishes '
                       f'{self._machine.state.type_name}')
        elif self.refused:
            counts = ', '.join(f'{number} with {why}' for why, number in self.refused.items())
            problem = (f'every state of the robot was refused ({counts}); a simulator of '
                       "Unitree's needs simulator:=unitree_mujoco")
        else:
            problem = (f'no robot sent a state within {FIRST_STATE:g} s on {self._interface!r}, '
                       f'domain {self._domain}; switch it on and name its network interface')
        return ConfigError('unitree', 'interface', problem)

    def read(self) -> Optional[RobotReading]:
        """See ``RobotPort``.

        While every state is refused, the last good one is returned again, with its own time and
        with a fault.
        """
        assert self._states is not None, 'open() first'
        now, accepted = time.monotonic(), None
        for data in self._states.take():
            state = self._machine.state.decode(data)
            self._doubt = self._refusal(state)
            if self._doubt:
                self.refused[self._doubt] = self.refused.get(self._doubt, 0) + 1
            else:
                accepted, self._tick = state, int(state['tick'])
        if accepted is not None:
            self._last = self._reading(accepted, now)
            return self._last
        if self._last is None or not self._doubt or now - self._last.time < MAX_DOUBT:
            return None
        return dataclasses.replace(
            self._last, fault=f'the robot sends only states with {self._doubt}')

    def _refusal(self, state: Any) -> str:
        """Return why a state is not used, or an empty string."""
        motors, imu = state['motor_state'][self._motors], state['imu_state']
        if not all(np.isfinite(it).all() for it in (
                motors['q'], motors['dq'], motors['tau_est'], imu['quaternion'],
                imu['gyroscope'], imu['accelerometer'])):
            return 'values that are not finite'
        if self._simulator:
            return ''
        if int(state['crc']) != crc_of(state):
            return 'a wrong crc'
        return 'a tick that stands still' if int(state['tick']) == self._tick else ''

    def _reading(self, state: Any, now: float) -> RobotReading:
        motors, imu = state['motor_state'][self._motors], state['imu_state']
        temperature = motors['temperature'].astype(float)
        if self._batteries is None:
            self._battery = int(state['bms_state']['soc']) / 100.0
        else:
            for data in self._batteries.take():
                self._battery = int(HG_BATTERY.decode(data)['soc']) / 100.0
            self._check_mode_machine(int(state['mode_machine']))
        return RobotReading(
            time=now, position=motors['q'].astype(float), velocity=motors['dq'].astype(float),
            effort=motors['tau_est'].astype(float),
            temperature=temperature if temperature.ndim == 1 else temperature.max(axis=1),
            quaternion_wxyz=imu['quaternion'].astype(float),
            angular_velocity_in_imu=imu['gyroscope'].astype(float),
            acceleration_in_imu=imu['accelerometer'].astype(float),
            remote=remote.decode(state['wireless_remote'].tobytes()),
            battery=None if self._simulator else self._battery,
            fault=self._fault)

    def _check_mode_machine(self, found: int) -> None:
        if self._last is not None and found != self._mode_machine and not self._fault:
            self._fault = (f'mode_machine changed from {self._mode_machine} to {found} while the '
                           'driver was running; check the robot and restart the driver')
        self._mode_machine = found  # of the newest state, which commands must repeat

    def write(self, command: MotorCommand) -> None:
        """See ``RobotPort``.

        Raises:
            ValueError: A value is not finite; nothing was sent.
        """
        assert self._wire is not None, 'open() first'
        if self._commands is None:  # a port that writes nothing is no commander
            self._commands = self._wire.writer(COMMANDS, self._machine.command)
        message = self._message
        for name, values in (('q', command.position), ('dq', command.velocity),
                             ('tau', command.effort), ('kp', command.kp), ('kd', command.kd)):
            if not np.isfinite(values).all():
                raise ValueError(f'command: expected finite values, found {name} = '
                                 f'{np.asarray(values).tolist()}')
            message['motor_cmd'][name][self._motors] = values
        if self._machine.command is HG_COMMAND:
            message['mode_machine'] = self._mode_machine
        sign(message)
        self._commands.write(self._machine.command.encode(message))

    def _empty_command(self) -> Any:
        """Return a command that switches the motors on and applies no torque."""
        message = self._machine.command.new()
        motors = message['motor_cmd']
        motors['mode'][self._motors] = np.array(self._machine.modes)[self._motors]
        if self._machine.command is GO_COMMAND:
            message['head'], message['level_flag'] = (0xFE, 0xEF), 0xFF
            motors['mode'] = self._machine.modes
            motors['q'], motors['dq'] = NO_POSITION, NO_VELOCITY
        return message

    def other_commanders(self) -> Tuple[str, ...]:
        """See ``RobotPort``. A process that was killed is named for up to 10 s more."""
        assert self._wire is not None, 'open() first'
        ours = {self.participant, *self.companions}
        return tuple(it.process for it in self._wire.publishers(COMMANDS)
                     if it.participant not in ours)

    def owner(self) -> str:
        """See ``RobotPort``; a simulator has no modes.

        Raises:
            ConfigError: MotionSwitcher does not answer.
            RefusedError: It answers with an error.
        """
        return '' if self._switcher is None else self._switcher.owner()

    def release(self) -> None:
        """See ``RobotPort``.

        Raises:
            ConfigError: MotionSwitcher does not answer.
            RefusedError: The mode drives the motors still.
        """
        if self._switcher is not None:
            self._switcher.release()

    def close(self) -> None:
        """See ``RobotPort``."""
        if self._wire is not None:
            self._wire.close()
        self._wire = self._states = self._batteries = self._commands = self._switcher = None
