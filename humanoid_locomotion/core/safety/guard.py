"""Judges each control step by the rules, and keeps what stops the robot.

What holds for longer than a rule's debounce trips it; what has stopped the robot stays so until
:meth:`SafetyGuard.reset`.
"""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import Dict, List, Optional

from humanoid_locomotion.core.errors import RefusedError
from humanoid_locomotion.core.safety.evidence import Evidence, SafetyLimits
from humanoid_locomotion.core.safety.rules import RULES, Severity


@dataclass(frozen=True)
class Verdict:
    """A rule that tripped.

    Attributes:
        rule: Its name.
        severity: What is done about it.
        reason: The figures.
        time: When [s].
    """

    rule: str
    severity: Severity
    reason: str
    time: float


class SafetyGuard:
    """Judges each control step; what stops the robot stays until :meth:`reset`.

    Args:
        limits: What the rules compare with.

    Attributes:
        latched: The worst verdict that stays; None while there is none.
        hold: Why the robot must take no commands now; empty if it may. Nothing of it stays.
        trips: In how many control steps each rule has tripped, by name.
        last_warning: What the last of those said that latches nothing.
    """

    def __init__(self, limits: SafetyLimits):
        self.limits = limits
        self.latched: Optional[Verdict] = None
        self.trips: Dict[str, int] = {rule.name: 0 for rule in RULES}
        self.last_warning = self.hold = ''
        self._since: List[float] = [math.inf] * len(RULES)

    def judge(self, evidence: Evidence) -> Optional[Verdict]:
        """Apply every rule, and return the worst verdict that stays."""
        self.hold = ''
        for i, rule in enumerate(RULES):
            reason = rule.check(evidence, self.limits)
            if not reason:
                self._since[i] = math.inf
                continue
            self._since[i] = min(self._since[i], evidence.now)
            if evidence.now - self._since[i] < rule.debounce - 1e-9:
                continue
            self.trips[rule.name] += 1
            if rule.severity < Severity.STAND:
                self.last_warning = reason
                if rule.severity is Severity.HOLD:
                    self.hold = self.hold or reason
            else:
                self.trip(rule.name, rule.severity, reason, evidence.now)
        return self.latched

    def refusals(self, evidence: Evidence) -> List[str]:
        """Return why a robot must not be engaged now; no debounce, nothing latches."""
        if self.latched is not None:
            return [f'{self.latched.reason}; call ~/reset first']
        reasons = (rule.check(evidence, self.limits) for rule in RULES if rule.prearm)
        return [reason for reason in reasons if reason]

    def trip(self, rule: str, severity: Severity, reason: str, now: float) -> None:
        """Latch something that was noticed elsewhere; the first of the worst stays."""
        if self.latched is None or severity > self.latched.severity:
            self.latched = Verdict(rule, severity, reason, now)

    def forget(self) -> None:
        """Begin every debounce anew, as when the robot is engaged; what is latched stays."""
        self._since = [math.inf] * len(RULES)

    def reset(self, evidence: Evidence) -> None:
        """Forget what is latched.

        Raises:
            RefusedError: The robot stands for a reason that has not gone.
        """
        if self.latched is not None and self.latched.severity is Severity.STAND:
            for rule in RULES:
                reason = rule.check(evidence, self.limits)
                if rule.severity is Severity.STAND and reason:
                    raise RefusedError('reset', f'{reason}: {rule.limit}')
        self.latched = None
        self.forget()
