# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Applies the safety rules to each control step and latches the result that stops the robot.

A rule trips when its condition holds for longer than its debounce time. A verdict that stops the
robot stays latched until :meth:`SafetyGuard.reset`.
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
        rule: Name of the rule.
        severity: The reaction.
        reason: The measured values that tripped it.
    """

    rule: str
    severity: Severity
    reason: str


class SafetyGuard:
    """Checks each control step; latches what stops the robot until :meth:`reset`.

    Args:
        limits: The limits that the rules compare with.

    Attributes:
        latched: The latched verdict of highest severity; None if nothing is latched.
        hold: Why commands are ignored in this control step; empty if they are not. Not latched.
        trips: Number of control steps in which each rule tripped, by name.
        last_warning: Reason of the last rule that tripped without latching.
    """

    def __init__(self, limits: SafetyLimits):
        self.limits = limits
        self.latched: Optional[Verdict] = None
        self.trips: Dict[str, int] = {rule.name: 0 for rule in RULES}
        self.last_warning = self.hold = ''
        self._since: List[float] = [math.inf] * len(RULES)

    def judge(self, evidence: Evidence) -> Optional[Verdict]:
        """Apply every rule and return the latched verdict."""
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
                self.trip(rule.name, rule.severity, reason)
        return self.latched

    def refusals(self, evidence: Evidence) -> List[str]:
        """Return the reasons against engaging the robot now; without debounce or latching."""
        if self.latched is not None:
            return [f'{self.latched.reason}; call ~/reset first']
        reasons = (rule.check(evidence, self.limits) for rule in RULES if rule.prearm)
        return [reason for reason in reasons if reason]

    def trip(self, rule: str, severity: Severity, reason: str) -> None:
        """Latch a verdict; the first one of the highest severity is kept."""
        if self.latched is None or severity > self.latched.severity:
            self.latched = Verdict(rule, severity, reason)

    def forget(self) -> None:
        """Restart all debounce times, as when the robot is engaged; keep the latched verdict."""
        self._since = [math.inf] * len(RULES)

    def reset(self, evidence: Evidence) -> None:
        """Clear the latched verdict.

        Raises:
            RefusedError: The condition for which the robot stands still holds.
        """
        if self.latched is not None and self.latched.severity is Severity.STAND:
            for rule in RULES:
                reason = rule.check(evidence, self.limits)
                if rule.severity is Severity.STAND and reason:
                    raise RefusedError('reset', f'{reason}: {rule.limit}')
        self.latched = None
        self.forget()
