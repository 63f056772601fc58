"""The beat of a live node while tampered policy folders are swapped into it, one after another."""

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
from humanoid_locomotion.reliability.faults.dds_robot import Driver
from humanoid_locomotion.reliability.policy_fuzz.fuzz import Judge, tamper
from humanoid_locomotion.reliability.policy_fuzz.mutation import Mutation

ALONE = 10.0  # [s] before the first swap
MAX_P99 = 0.025  # [s] between two commands, at 50 Hz
MAX_ANSWER = 60.0  # [s] after which the node is taken for lost


@dataclass(frozen=True)
class SwapResult:
    """What the driver saw.

    Attributes:
        swaps: How many folders were swapped in.
        refused: How many the node refused.
        harmless: What was changed in those it accepted, and was right to.
        accepted: Likewise, and was wrong to.
        commands: How many commands came meanwhile.
        p99_alone: 99th percentile of the periods between commands before the first swap [s].
        p50: Median of the periods while they were swapped in [s].
        p99: Their 99th percentile [s].
        longest: The longest [s].
        longest_answer: The longest that a request waited for its answer [s].
        falls: Whether the robot fell, 0 or 1.
        state: What the node showed last.
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
        """Whether the node kept its beat, stands, and accepted nothing that it should not."""
        return (self.p99 < MAX_P99 and not self.falls and not self.accepted
                and self.state == 'standing')


def swap_many(folder: PolicyFolder, spec: RobotSpec, count: int) -> SwapResult:
    """Swap so many tampered folders into a node that stands; rclpy is initialised and isolated."""
    with tempfile.TemporaryDirectory() as temporary:
        # All beforehand: the robot's measurements come from this process.
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
    """Return in words what the driver saw."""
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
    """Part what the node accepted into what is harmless and what it should have refused."""
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
    """An operator who names a policy and asks for it."""

    def __init__(self, driver: Driver):
        self._driver = driver
        self._set: Any = driver.create_client(SetParameters, 'locomotion/set_parameters')
        self._swap: Any = driver.create_client(Trigger, 'locomotion/swap')

    def swap(self, path: Path) -> Tuple[bool, float]:
        """Ask for a folder; return whether the node took it, and how long the answer took [s]."""
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
                raise LocomotionError(f'no answer within {MAX_ANSWER:g} s; the node shows '
                                      f'{self._driver.state!r}')
            self._driver.spin(0.01)
        return future.result()
