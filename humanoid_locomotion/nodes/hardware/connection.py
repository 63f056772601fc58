# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Connects to a robot: chooses the port, and refuses a robot that must not be commanded now."""

from __future__ import annotations

from dataclasses import asdict, dataclass
import importlib
import json
import time
from typing import Tuple

from humanoid_locomotion.core.errors import ConfigError, LocomotionError
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.nodes.hardware.port import RobotPort

# What returns a port, as MODULE:FUNCTION; arguments: RobotSpec, interface, domain, simulator.
DRIVERS = {name: f'humanoid_locomotion.nodes.hardware.{name}.port:{name.title()}Port'
           for name in ('unitree', 'booster')}
RELEASE_TIMEOUT = 5.0  # [s]


@dataclass(frozen=True)
class Connection:
    """The robot to connect to.

    Attributes:
        driver: A key of :data:`DRIVERS`, or ``MODULE:FUNCTION``, which returns a port.
        robot: Name of the robot description, or its folder.
        interface: Network interface.
        domain: DDS domain.
        simulator: Whether the maker's simulator answers instead of the robot.
    """

    driver: str
    robot: str
    interface: str
    domain: int
    simulator: bool = False

    def make_port(self) -> RobotPort:
        """Return the port, not yet open.

        Raises:
            ConfigError: There is no such driver.
        """
        module, _, function = DRIVERS.get(self.driver, self.driver).partition(':')
        try:
            make = getattr(importlib.import_module(module), function)
        except LocomotionError:
            raise
        except (ImportError, AttributeError, ValueError) as error:
            raise ConfigError('driver', 'driver', f'expected {", ".join(DRIVERS)} or '
                              f'MODULE:FUNCTION, found {self.driver!r} ({error})') from error
        port: RobotPort = make(load_robot(self.robot), self.interface, self.domain, self.simulator)
        return port

    def to_text(self) -> str:
        """Return the connection as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> Connection:
        """Return the connection that :meth:`to_text` wrote."""
        return cls(**json.loads(text))


def check_free(port: RobotPort, release: bool) -> None:
    """Return if nothing else commands the motors, after the robot's own mode was released.

    Args:
        port: The open port.
        release: Whether the operator consents to the release: a robot that nothing holds falls.

    Raises:
        ConfigError: Another process, or a mode of the robot, commands the motors.
    """
    others: Tuple[str, ...] = port.other_commanders()
    if others:
        raise ConfigError('driver', '', f'another process commands the motors: '
                          f'{", ".join(others)}; end it first')
    owner = port.owner()
    if owner and not release:
        raise ConfigError('driver', 'release', f"the robot's own mode {owner!r} drives the "
                          'motors; hang the robot and start with release:=true (--release of the '
                          'self-test) to switch it off')
    end = time.monotonic() + RELEASE_TIMEOUT
    while owner:
        if time.monotonic() > end:
            raise ConfigError('driver', 'release', f"the robot's own mode {owner!r} was not "
                              f'released within {RELEASE_TIMEOUT:g} s; switch the robot to its '
                              'debug mode (L2+R2) and start again')
        port.release()
        time.sleep(0.1)
        owner = port.owner()
