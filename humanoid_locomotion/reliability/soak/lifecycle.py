# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Repeated lifecycle cycles of one node: transitions must succeed, memory must not grow."""

from __future__ import annotations

from dataclasses import dataclass
import time
from typing import Any, Tuple

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState

from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.core.policy.folder import PolicyFolder
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.nodes.demos.node_process import NodeProcess
from humanoid_locomotion.reliability.faults.dds_faults import running_node
from humanoid_locomotion.reliability.faults.dds_robot import DdsRobot
from humanoid_locomotion.reliability.soak.live_node import MOST_GROWTH, resident

# A cycle, from active to active: each transition and the resulting state of the node.
CYCLE: Tuple[Tuple[int, str], ...] = (
    (Transition.TRANSITION_DEACTIVATE, 'idle'), (Transition.TRANSITION_CLEANUP, 'unconfigured'),
    (Transition.TRANSITION_CONFIGURE, 'idle'), (Transition.TRANSITION_ACTIVATE, 'ramping'))
WARM_UP = 5  # cycles before memory is compared
PATIENCE = 10.0  # [s] for one transition
REST = 0.05  # [s] between two transitions


@dataclass(frozen=True)
class LifecycleSoak:
    """Result of repeated lifecycle cycles.

    Attributes:
        cycles: Number of cycles of deactivate, cleanup, configure and activate.
        growth: Growth of the node's memory [MB].
        seconds: Duration [s].
    """

    cycles: int
    growth: float
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether memory did not grow."""
        return self.growth < MOST_GROWTH


def soak_lifecycle(folder: PolicyFolder, spec: RobotSpec, cycles: int) -> LifecycleSoak:
    """Run a node repeatedly through its lifecycle.

    Raises:
        LocomotionError: A transition failed.
    """
    with running_node(folder, spec) as (driver, node):
        client: Any = driver.create_client(ChangeState, 'locomotion/change_state')
        for _ in range(WARM_UP):
            _cycle(driver, node, client)
        memory, begin = resident(node), time.monotonic()
        for _ in range(cycles):
            _cycle(driver, node, client)
        return LifecycleSoak(cycles, resident(node) - memory, time.monotonic() - begin)


def _cycle(driver: DdsRobot, node: NodeProcess, client: Any) -> None:
    for transition, state in CYCLE:
        request = ChangeState.Request(transition=Transition(id=transition))
        future, end = client.call_async(request), time.monotonic() + PATIENCE
        while not future.done() and time.monotonic() < end:
            driver.spin(0.01)
        answer = future.result().success if future.done() else 'no answer'
        if answer is not True or not driver.until_state(state, PATIENCE):
            raise LocomotionError(
                f'transition {transition}: expected success and the state {state!r}, found '
                f'{answer} and {driver.state!r}:\n{node.tail()}')
        driver.robot.reset()  # suspended again, as an operator would
        driver.spin(REST)
