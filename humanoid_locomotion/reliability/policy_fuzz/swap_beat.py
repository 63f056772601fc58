# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Control rate of a live node while mutated policy folders are swapped in, one after another."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
import tempfile
import time
from typing import Any, List, Tuple

import numpy as np
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from std_srvs.srv import Trigger

from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.core.policy.folder import PolicyFolder
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.reliability.faults.dds_faults import SETTLE, running_node
from humanoid_locomotion.reliability.faults.dds_robot import DdsRobot
from humanoid_locomotion.reliability.policy_fuzz.fuzz import Judge, tamper
from humanoid_locomotion.reliability.policy_fuzz.mutation import Mutation

ALONE = 10.0  # [s] before the first swap
MAX_P99 = 0.025  # [s] between two commands, at 50 Hz
MAX_ANSWER = 60.0  # [s] after which the node counts as hung


@dataclass(frozen=True)
class SwapResult:
    """Measurements of the driver.

    Attributes:
        swaps: Number of folders swapped in.
        refused: Number of folders that the node refused.
        harmless: Changes of the folders that it accepted correctly.
        accepted: Changes of the folders that it accepted wrongly.
        commands: Number of commands during the swaps.
        p99_alone: 99th percentile of the periods between commands before the first swap [s].
        p50: Median of the periods during the swaps [s].
        p99: 99th percentile of the periods during the swaps [s].
        longest: Longest period during the swaps [s].
        longest_answer: Longest response time of a request [s].
        falls: Whether the robot fell, 0 or 1.
        state: Last state of the node.
    """

    swaps: int
    refused: int
    harmless: Tuple[str, ...]
    accepted: Tuple[str, ...]
    commands: int
    p99_alone: float
    p50: float
    p99: float
    longest: float
    longest_answer: float
    falls: int
    state: str

    @property
    def passed(self) -> bool:
        """Whether the node kept its rate, stands, and accepted only harmless folders."""
        return (self.p99 < MAX_P99 and not self.falls and not self.accepted
                and self.state == 'standing')


def swap_many(folder: PolicyFolder, spec: RobotSpec, count: int) -> SwapResult:
    """Swap mutated folders into a standing node; rclpy is initialised and isolated."""
    with tempfile.TemporaryDirectory() as temporary:
        # All are made first, since this process also publishes the robot's measurements.
        paths = [Path(temporary) / str(seed) for seed in range(count)]
        mutations = [tamper(folder.path, path, seed)[1] for seed, path in enumerate(paths)]
        with running_node(folder, spec) as (driver, _):
            swapper = _Swapper(driver)
            driver.spin(SETTLE)
            driver.commands.clear()
            driver.spin(ALONE)
            p99_alone = float(np.percentile(np.diff(driver.commands), 99))
            driver.commands.clear()
            answers = [swapper.swap(path) for path in paths]
            periods, state, fell = np.diff(driver.commands), driver.state, driver.is_fallen
        harmless, accepted = _judged(folder, spec, [
            (path, mutation)
            for path, mutation, (success, _) in zip(paths, mutations, answers) if success])
    p50, p99, longest = np.percentile(periods, (50, 99, 100)).tolist()
    return SwapResult(
        count, count - len(harmless) - len(accepted), harmless, accepted, len(periods) + 1,
        p99_alone, p50, p99, longest, max(seconds for _, seconds in answers), int(fell), state)


def summary(result: SwapResult) -> str:
    """Return the measurements as text."""
    return (
        f'{result.swaps} folders, swapped one after the other into a node that stands: '
        f'{result.refused} refused, {len(result.harmless)} accepted and right to be, accepted '
        f'though they should not be: {"; ".join(result.accepted) or "none"}. Meanwhile the driver '
        f'got {result.commands} commands: period p50 {1e3 * result.p50:.1f} ms, p99 '
        f'{1e3 * result.p99:.1f} ms ({1e3 * result.p99_alone:.1f} ms before the first of them), '
        f'longest {1e3 * result.longest:.1f} ms; falls: '
        f'{result.falls}. The longest answer took {result.longest_answer:.2f} s. At the end the '
        f'node is {result.state!r}.')


def _judged(folder: PolicyFolder, spec: RobotSpec, opened: List[Tuple[Path, Mutation]]
            ) -> Tuple[Tuple[str, ...], Tuple[str, ...]]:
    """Split the accepted folders into harmless ones and those to be refused."""
    judge, harmless, accepted = Judge(folder.path, spec), [], []
    for path, mutation in opened:
        what = f'{mutation.file}: {mutation.name}'
        try:
            wrong = judge.wrong(judge.open(path), mutation)
        except LocomotionError as error:
            wrong = str(error)
        if wrong:
            accepted.append(f'{what} ({wrong})')
        else:
            harmless.append(what)
    return tuple(harmless), tuple(accepted)


class _Swapper:
    """Sets the policy parameter and requests the swap."""

    def __init__(self, driver: DdsRobot):
        self._driver = driver
        self._set: Any = driver.create_client(SetParameters, 'locomotion/set_parameters')
        self._swap: Any = driver.create_client(Trigger, 'locomotion/swap')

    def swap(self, path: Path) -> Tuple[bool, float]:
        """Request a swap; return whether the node accepted it, and the response time [s]."""
        value = ParameterValue(type=ParameterType.PARAMETER_STRING, string_value=str(path))
        self._answer(self._set.call_async(
            SetParameters.Request(parameters=[Parameter(name='policy', value=value)])))
        begin = time.monotonic()
        answer = self._answer(self._swap.call_async(Trigger.Request()))
        return bool(answer.success), time.monotonic() - begin

    def _answer(self, future: Any) -> Any:
        deadline = time.monotonic() + MAX_ANSWER
        while not future.done():
            if time.monotonic() > deadline:
                raise LocomotionError(f'no answer within {MAX_ANSWER:g} s; the node is '
                                      f'{self._driver.state!r}')
            self._driver.spin(0.01)
        return future.result()
