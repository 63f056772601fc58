"""What /diagnostics says: one status per part of the locomotion node."""

from __future__ import annotations

import time
from typing import Dict, List, Optional

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue

from humanoid_locomotion.nodes.sensors import Channel

OK, WARN, ERROR, STALE = (
    DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR, DiagnosticStatus.STALE)


class LoopTiming:
    """Measures the control loop against the wall clock, from one report to the next.

    Args:
        period: The time a control step should take [s].
        is_simulated: Whether the node follows a simulator's clock, which may run at any speed;
            then a long period is no fault.
    """

    def __init__(self, period: float, is_simulated: bool):
        self._period, self._is_simulated = period, is_simulated
        self._last: Optional[float] = None
        self._clear()

    def _clear(self) -> None:
        self._steps = self._overruns = 0
        self._longest_period = self._longest_step = self._total_step = 0.0

    def begin(self) -> float:
        """Note the begin of a step and return its wall time."""
        now = time.monotonic()
        if self._last is not None:
            period = now - self._last
            self._longest_period = max(self._longest_period, period)
            self._overruns += period > 1.5 * self._period
        self._last = now
        return now

    def end(self, began: float) -> None:
        """Note the end of a step."""
        took = time.monotonic() - began
        self._steps += 1
        self._total_step += took
        self._longest_step = max(self._longest_step, took)

    def pause(self) -> None:
        """Forget the last step, so that the pause after it is not measured."""
        self._last = None

    def status(self) -> DiagnosticStatus:
        """Return the report, and begin a new one."""
        late = self._overruns > 0 and not self._is_simulated
        result = status('loop timing', WARN if late else OK,
                        f'{self._overruns} late steps' if late else 'on time', {
                            'steps': self._steps,
                            'period wanted [ms]': f'{1e3 * self._period:.2f}',
                            'period max [ms]': f'{1e3 * self._longest_period:.2f}',
                            'step mean [ms]':
                                f'{1e3 * self._total_step / max(1, self._steps):.3f}',
                            'step max [ms]': f'{1e3 * self._longest_step:.3f}',
                            'late': self._overruns})
        self._clear()
        return result


def status(name: str, level: bytes, message: str, values: Dict[str, object]) -> DiagnosticStatus:
    """Return one status; ``name`` is completed by :func:`report`."""
    return DiagnosticStatus(
        name=name, level=level, message=message,
        values=[KeyValue(key=key, value=str(value)) for key, value in values.items()])


def channel_status(channel: Channel, now: float, timeout: float, silence: bytes,
                   **values: object) -> DiagnosticStatus:
    """Return the status of a topic.

    Args:
        channel: What arrived.
        now: The time [s].
        timeout: Age at which messages are too old [s].
        silence: The level of that: a sensor must not fall silent, a planner may.
        values: More to report.
    """
    age = channel.age(now)
    level, message = OK, 'fresh'
    if channel.refused:
        level, message = WARN, f'{channel.refused} refused, the last because: {channel.problem}'
    if age > timeout and silence != OK:
        level, message = silence, f'silent for {age:.2f} s'
    return status(channel.topic, level, message, {
        'age [s]': f'{age:.3f}', 'accepted': channel.accepted, 'refused': channel.refused,
        'last problem': channel.problem, **values})


def report(node_name: str, hardware: str, statuses: List[DiagnosticStatus]) -> DiagnosticArray:
    """Return the message, each status named ``NODE: PART``."""
    for item in statuses:
        item.name, item.hardware_id = f'{node_name}: {item.name}', hardware
    return DiagnosticArray(status=statuses)
