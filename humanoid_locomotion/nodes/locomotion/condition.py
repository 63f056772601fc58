# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Optional motor temperatures and battery state, as published by a driver."""

from __future__ import annotations

import math
from typing import Any, Callable, Optional, Sequence

import numpy as np

from humanoid_locomotion.core.errors import LocomotionError, MessageError, UnknownNameError
from humanoid_locomotion.nodes.locomotion.sensors import Channel

KNOWN_FOR = 10.0  # [s]; older values count as unknown
COLDEST, HOTTEST = -60.0, 300.0  # [deg C]; plausible range of motor temperatures
# Values of BatteryState.power_supply_health.
UNWELL = {2: 'overheated', 3: 'dead', 4: 'overvoltage', 5: 'failure', 6: 'cold'}


class Condition:
    """Keeps the temperature of every motor and the charge of the battery.

    Args:
        joint_names: The joints whose motors are accepted; others are refused.
        on_refused: Called with the error of every refused message.

    Attributes:
        temperatures: The channel ``joint_temperatures``.
        battery: The channel ``battery_state``.
    """

    def __init__(self, joint_names: Sequence[str],
                 on_refused: Callable[[LocomotionError], None]):
        self._index = {name: i for i, name in enumerate(joint_names)}
        self._on_refused = on_refused
        self.temperatures, self.battery = Channel('joint_temperatures'), Channel('battery_state')
        self._degrees = np.full(len(joint_names), math.nan)
        self._said = np.full(len(joint_names), -math.inf)
        self._charge, self._problem = math.nan, ''

    def take_temperature(self, msg: Any, now: float) -> None:
        """Store the temperature of the motor of the joint in ``frame_id``."""
        channel = self.temperatures
        try:
            name, degrees = msg.header.frame_id, float(msg.temperature)
            if name not in self._index:
                raise UnknownNameError(f'{channel.topic}: frame_id', name, self._index)
            if not (math.isnan(degrees) or COLDEST <= degrees <= HOTTEST):
                raise MessageError(channel.topic, f'{name} is at {degrees:g} deg C, expected '
                                   f'{COLDEST:g} to {HOTTEST:g}, or NaN if not measured')
        except LocomotionError as error:
            channel.refuse(error)
            self._on_refused(error)
            return
        self._degrees[self._index[name]], self._said[self._index[name]] = degrees, now
        channel.accept(0.0, now)

    def take_battery(self, msg: Any, now: float) -> None:
        """Store the charge and the health of the battery."""
        charge = float(msg.percentage)
        try:
            if not (math.isnan(charge) or 0.0 <= charge <= 1.0):
                raise MessageError(self.battery.topic, f'percentage is {charge:g}, expected 0 to '
                                   '1, or NaN if not measured')
        except LocomotionError as error:
            self.battery.refuse(error)
            self._on_refused(error)
            return
        self._charge, self._problem = charge, UNWELL.get(msg.power_supply_health, '')
        self.battery.accept(0.0, now)

    def rewind(self, now: float) -> None:
        """Reset after the clock jumped back to ``now``."""
        self._said = np.minimum(self._said, now)
        self.temperatures.rewind(now)
        self.battery.rewind(now)

    def degrees(self, now: float) -> Optional[np.ndarray]:
        """Return the motors' temperatures [deg C], (num_joints,), NaN where unknown; or None."""
        if not self.temperatures.accepted:
            return None
        return np.where(now - self._said <= KNOWN_FOR, self._degrees, math.nan)

    def charge(self, now: float) -> float:
        """Return the state of charge, 0 to 1; NaN if unknown."""
        return self._charge if self.battery.age(now) <= KNOWN_FOR else math.nan

    def problem(self, now: float) -> str:
        """Return the health problem of the battery; empty if none."""
        return self._problem if self.battery.age(now) <= KNOWN_FOR else ''
