# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The twelve lines of the scorecard, with the gate and the lead of each.

The gate is the value that a policy must reach to pass. The table is the same for every robot; for
one below the usual size it is scaled like the protocol, see :meth:`Line.scaled`. Nine public
walking policies of Unitree's G1 were measured by another program with the same definitions (CPU
MuJoCo at 2 ms, their own gains, 50 Hz), not by this one. ``public`` is the best value among them
on each line; ``lead`` is at or beyond it. None of them leads on all lines.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Callable, Optional

from humanoid_locomotion.core.feedback.robot_size import Scale
from humanoid_locomotion.evaluation.scorecard import (
    Criterion,
    Measurements,
    Scorecard,
    Setting,
    rounded,
)

Values = tuple[Optional[float], ...]
Speeds = tuple[float, ...]


@dataclass(frozen=True)
class Line:
    """One line of the scorecard.

    Attributes:
        text: Name of the quantity, with ``{}`` for the speeds.
        unit: Unit of its values; empty for counts and ratios.
        gate: The values that are needed to pass; None where there is no requirement.
        lead: The values at or beyond the best public policy.
        public: The values of the best public policy; None if it was measured differently.
        whose: Name of that policy.
        read: Returns the values from the measurements and the speeds.
        speeds: The speeds of walking or of kicks at which it is measured [m/s].
        more_is_better: Whether high values are good.
    """

    text: str
    unit: str
    gate: Values
    lead: Values
    public: Values
    whose: str
    read: Callable[[Measurements, Speeds], Values]
    speeds: Speeds = ()
    more_is_better: bool = False

    @property
    def name(self) -> str:
        """Name of the quantity."""
        return self.text.format(', '.join(map(str, self.speeds)))

    def scaled(self, scale: Scale) -> Line:
        """Return the line for a robot of another size."""
        def each(values: Values) -> Values:
            return tuple(None if it is None else scale.of(it, self.unit) for it in values)

        return replace(self, gate=each(self.gate), lead=each(self.lead), public=each(self.public),
                       speeds=tuple(scale.of(it, 'm/s') for it in self.speeds))

    def judge(self, measurements: Measurements) -> Criterion:
        """Return the verdict on the line. A value that was not measured does not pass."""
        measured = self.read(measurements, self.speeds)
        return Criterion(
            name=self.name, unit=self.unit, more_is_better=self.more_is_better,
            measured=measured, gate=self.gate, lead=self.lead,
            passed=self._reaches(measured, self.gate), leads=self._reaches(measured, self.lead))

    def _reaches(self, measured: Values, wanted: Values) -> bool:
        return all(want is None or (got is not None and (
            got >= want if self.more_is_better else got <= want))
            for got, want in zip(measured, wanted))


def _kicks(measured: Measurements, speeds: Speeds) -> Values:
    """Return, for the rung of each speed, the smallest number of survived kicks out of ten."""
    return tuple(
        min((10.0 * rung.survived / rung.runs for group in measured.pushes
             for rung in group.rungs if rung.speed == speed), default=None)
        for speed in speeds)


def _economy(measured: Measurements, speeds: Speeds, key: str) -> Values:
    """Return a metric of the walk at each speed; None where the robot did not walk."""
    walked = {economy.command: economy for economy in measured.economy
              if economy.cost_of_transport is not None}
    return tuple(getattr(walked[speed], key) if speed in walked else None for speed in speeds)


def _drift(measured: Measurements, _: Speeds) -> Values:
    """Return the mean drift of standing robots; None if one fell."""
    return (measured.standing.drift_mean if measured.standing.falls == 0 else None,)


LINEAR_ERROR = Line(
    'mean velocity error, 12 commands', 'm/s', (0.060,), (0.035,), (0.041,), 'unitree_rl_lab',
    lambda f, _: (f.mean_linear_error,))
YAW_ERROR = Line(
    'mean turning error, 12 commands', 'rad/s', (0.030,), (0.010,), (0.011,), 'unitree_rl_gym',
    lambda f, _: (f.mean_yaw_error,))
PUSHES = Line(
    'kicks of {} m/s survived, of 10', '', (9.0, None, None), (10.0, 10.0, 9.0),
    (10.0, 10.0, 8.0), 'robomimic', _kicks, (1.5, 2.5, 3.0), more_is_better=True)
LINES = (
    LINEAR_ERROR, YAW_ERROR,
    Line('commands answered, of 12', '', (11.0,), (12.0,), (12.0,), 'unitree_rl_gym, holosoma',
         lambda f, _: (float(sum(r.answered for r in f.responses)),), more_is_better=True),
    Line('drift in 10 s of standing', 'm', (0.02,), (0.0025,), (0.003,), 'several', _drift),
    PUSHES,
    Line('cost of transport at {} m/s', '', (0.45, 0.45), (0.29, 0.31), (0.30, 0.32),
         'unitree_rl_gym', lambda f, speeds: _economy(f, speeds, 'cost_of_transport'),
         (0.5, 1.0)),
    Line('foot slip at {} m/s', 'm/s', (0.040,), (0.014,), (0.015,), 'FALCON',
         lambda f, speeds: _economy(f, speeds, 'foot_slip'), (0.5,)),
    Line('RMS change of leg and waist targets at {} m/s', 'rad/s', (2.5,), (1.45,), (1.50,),
         'FALCON', lambda f, speeds: _economy(f, speeds, 'target_rate'), (0.5,)),
    Line('force on both feet at {} m/s, 99.5th percentile', 'body weights', (2.4,), (1.40,),
         (1.41,), 'robomimic', lambda f, speeds: _economy(f, speeds, 'feet_force'), (0.5,)),
    Line('disturbed runs survived, of 18', '', (17.0,), (18.0,), (18.0,), 'several',
         lambda f, _: (float(sum(s.runs - s.falls for s in f.situations)),), more_is_better=True),
    Line('falls at friction 0.2, of 3', '', (1.0,), (0.0,), (0.0,), 'several',
         lambda f, _: (float(f.ice.falls),)),
    Line('60 s tour, arms led: mean time up', 's', (30.0,), (55.0,), (None,),
         'homie, 68 s of a tour of 90 s',
         # A robot without arms makes the same tour.
         lambda f, _: ((f.led_arms or f.own_arms).time_up,), more_is_better=True),
)


def make_scorecard(measured: Measurements, setting: Setting) -> Scorecard:
    """Return the scorecard; the values are rounded to four significant digits, then judged."""
    measured = rounded(measured)
    criteria = tuple(line.scaled(setting.scale).judge(measured) for line in LINES)
    return Scorecard(passed=all(criterion.passed for criterion in criteria), criteria=criteria,
                     figures=measured, setting=rounded(setting))
