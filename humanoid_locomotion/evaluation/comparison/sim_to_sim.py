# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Evaluation of a policy in another simulator or with other physics parameters."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
import tempfile
from typing import Callable, Optional

from humanoid_locomotion.core.errors import ConfigError, LocomotionError
from humanoid_locomotion.core.policy.folder import find_policy, open_policy
from humanoid_locomotion.core.robot import RobotSpec, load_robot
from humanoid_locomotion.evaluation.evaluate import evaluate
from humanoid_locomotion.evaluation.protocol import FULL, QUICK, Protocol, protocol_for
from humanoid_locomotion.evaluation.scorecard import Criterion, Scorecard, read_scorecard


@dataclass(frozen=True)
class Elsewhere:
    """A setting that differs from the standard one; None keeps the standard value.

    Attributes:
        backend: Name of the simulator.
        dt: Longest allowed physics step [s].
        iterations: Maximum number of iterations of the constraint solver.
        model: MJCF file of the same robot from another source.
        network_alone: Leave out the policy's velocity feedback.
    """

    backend: Optional[str] = None
    dt: Optional[float] = None
    iterations: Optional[int] = None
    model: Optional[Path] = None
    network_alone: bool = False

    def __post_init__(self) -> None:
        for key, low, high in (('dt', 1e-5, 1.0), ('iterations', 1, 10_000)):
            value = getattr(self, key)
            if value is not None and not low <= value <= high:
                raise ConfigError('evaluate', f'--{key}', f'found {value}, expected above 0, from '
                                  f'{low:g} to {high:g}')

    def protocol(self, standard: Protocol) -> Protocol:
        """Return the protocol with the simulator and the physics of this setting."""
        return replace(
            standard, simulator=self.backend or standard.simulator,
            longest_timestep=self.dt or standard.longest_timestep,
            solver_iterations=self.iterations or standard.solver_iterations)

    def differs(self, standard: Protocol) -> bool:
        """Return whether this setting differs from that of a protocol."""
        return (self.model is not None or self.network_alone
                or self.protocol(standard) != standard)


def evaluate_elsewhere(policy: str, elsewhere: Elsewhere, *, output: Optional[Path] = None,
                       quick: bool = False, seed: int = 0,
                       progress: Optional[Callable[[str, float], None]] = None,
                       standard: Optional[Protocol] = None, robot: Optional[RobotSpec] = None
                       ) -> tuple[Scorecard, Scorecard]:
    """Measure a policy in the standard setting and in another one.

    Args:
        policy: Path of the policy folder, or the name of an included policy.
        elsewhere: The other setting.
        output: Folder for the other setting's scorecard; None to write none.
        quick: Reduce the number of runs.
        seed: Seed of every random choice.
        progress: Called with the name of the running part and the completed share of it.
        standard: The standard protocol; None for the one for the robot and ``quick``.
        robot: The robot; None for the one that the contract names.

    Returns:
        The scorecard of the standard setting and that of the other setting. The first is read
        from the policy folder if it was measured with the same protocol and seed.

    Raises:
        LocomotionError: ``output`` is a policy folder; its scorecard is of the standard setting.
    """
    if output is not None and (output / 'contract.yaml').is_file():
        raise LocomotionError(f'{output}: holds a policy, whose scorecard is of the standard '
                              'setting; name another folder')
    contract = open_policy(policy, engine='onnxruntime').contract
    robot = there_robot = robot or load_robot(contract.robot)
    standard = standard or protocol_for(robot, quick)
    with ExitStack() as stack:
        def scratch() -> Path:
            return Path(stack.enter_context(tempfile.TemporaryDirectory()))

        if elsewhere.model is not None:
            from humanoid_locomotion.sim.mujoco.custom_model import with_model
            there_robot = with_model(robot, elsewhere.model, scratch())
        there = evaluate(policy, output=output or scratch(), seed=seed, progress=progress,
                         protocol=elsewhere.protocol(standard), robot=there_robot,
                         model=str(elsewhere.model or ''),
                         network_alone=elsewhere.network_alone)
        own = own_scorecard(find_policy(policy), contract.fingerprint, standard, seed)
        return own or evaluate(policy, output=scratch(), seed=seed, progress=progress,
                               protocol=standard, robot=robot), there


def own_scorecard(folder: Path, fingerprint: str, standard: Protocol, seed: int
                   ) -> Optional[Scorecard]:
    """Return the stored scorecard of a policy if its protocol, seed and contract match."""
    path = folder / 'scorecard.json'
    if standard not in (it.scaled(standard.scale) for it in (FULL, QUICK)) or not path.is_file():
        return None
    own = read_scorecard(path)
    found = own.setting
    same = ((found.protocol, found.quick, found.scale, found.seed, found.fingerprint)
            == (standard.version, standard.quick, standard.scale, seed, fingerprint))
    return own if same else None


def changes(before: Criterion, after: Criterion) -> tuple[Optional[float], ...]:
    """Return the change of each value of a line; None if one of the two was not measured."""
    return tuple(None if a is None or b is None else b - a
                 for a, b in zip(before.measured, after.measured))
