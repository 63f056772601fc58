# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Builds the protocol's trials: start states, commands and disturbances of each robot."""

from __future__ import annotations

from typing import Any, Sequence

import numpy as np

from humanoid_locomotion.core.action import arm_goal, joints_named
from humanoid_locomotion.core.contract import PolicyContract
from humanoid_locomotion.evaluation.protocol import Command, Protocol, PushGroup, Situation
from humanoid_locomotion.evaluation.runner import Trials


def steady(protocol: Protocol, contract: PolicyContract, commands: Sequence[Command], runs: int,
           seed: Sequence[int]) -> Trials:
    """Return trials with constant commands; each command has ``runs`` consecutive robots."""
    held = np.repeat(np.asarray(commands, np.float32), runs, axis=0)
    steps = _steps(protocol.settle_time + protocol.measure_time, contract)
    rng = np.random.default_rng(seed)
    return Trials(commands=np.tile(held, (steps, 1, 1)),
                  **_starts(protocol, contract, len(held), rng))


def ladder(protocol: Protocol, contract: PolicyContract, group: PushGroup,
           seed: Sequence[int]) -> tuple[Trials, np.ndarray]:
    """Return trials of one kick each, lowest rung first, and the control steps of the kicks.

    The kicks of a rung alternate in direction, and their times are spread over ``push_window``.
    """
    rng = np.random.default_rng(seed)
    runs, rungs = protocol.push_runs, len(protocol.push_speeds)
    number = runs * rungs
    steps = _steps(protocol.settle_time + protocol.push_window + protocol.survive_time, contract)
    moment = np.tile((np.arange(runs) + 0.5) / runs, rungs) * protocol.push_window
    step = ((protocol.settle_time + moment) / contract.control_period).astype(int)
    speed = np.repeat(protocol.push_speeds, runs) * np.tile((-1.0) ** np.arange(runs), rungs)
    kicks = np.zeros((steps, number, 2), np.float32)
    kicks[step, np.arange(number)] = speed[:, None] * [np.cos(group.angle), np.sin(group.angle)]
    command = np.array([group.speed, 0.0, 0.0], np.float32)
    return Trials(commands=np.tile(command, (steps, number, 1)), kicks=kicks,
                  **_starts(protocol, contract, number, rng)), step


def tours(protocol: Protocol, contract: PolicyContract, seed: Sequence[int]) -> Trials:
    """Return long trials with changing commands and kicks in random directions."""
    rng = np.random.default_rng(seed)
    runs, steps = protocol.tour_runs, _steps(protocol.tour_time, contract)
    held = _steps(protocol.tour_command_time, contract)
    limits, own = protocol.tour_limits, contract.command_limits.velocity
    chosen = rng.uniform(limits.lower, limits.upper, (-(-steps // held), runs, 3))
    chosen = np.clip(chosen, own.lower, own.upper)
    chosen[rng.random(chosen.shape[:2]) < protocol.tour_standing_share] = 0.0
    every = _steps(protocol.tour_push_time, contract)
    kicks = np.zeros((steps, runs, 2), np.float32)
    angle = rng.uniform(-np.pi, np.pi, kicks[every::every].shape[:2])
    kicks[every::every] = protocol.tour_push_speed * np.stack([np.cos(angle), np.sin(angle)], -1)
    return Trials(commands=np.repeat(chosen.astype(np.float32), held, axis=0)[:steps],
                  kicks=kicks, **_starts(protocol, contract, runs, rng))


def moved_arms(protocol: Protocol, contract: PolicyContract, steps: int, runs: int,
               seed: Sequence[int]) -> np.ndarray:
    """Return joint targets for externally moved arms, NaN for all other joints.

    The arms move between goals that are sampled uniformly between the default pose and
    ``arm_reach`` of the distance to either limit, along straight lines in joint space.

    Returns:
        (steps, runs, num_joints) [rad].
    """
    rng = np.random.default_rng(seed)
    held = _steps(protocol.arm_time, contract)
    default = contract.values('default')
    share = rng.random((-(-steps // held) + 1, runs, len(default)))
    places = arm_goal(share, default, contract.values('lower'), contract.values('upper'),
                      protocol.arm_reach)
    places[0] = default
    time = np.arange(steps) / held
    last, way = time.astype(int), (time % 1.0)[:, None, None]
    targets = (1.0 - way) * places[last] + way * places[last + 1]
    targets[..., ~arms(protocol, contract)] = np.nan
    return targets


def arms(protocol: Protocol, contract: PolicyContract) -> np.ndarray:
    """Return which joints belong to an arm. (num_joints,) bool."""
    return joints_named(contract.joint_names, protocol.arm_joints)


def disturbed(protocol: Protocol, contract: PolicyContract, situations: Sequence[Situation],
              seed: Sequence[int]) -> Trials:
    """Return steady trials in each situation; either all of them set a friction or none does."""
    runs = protocol.situation_runs
    made = steady(protocol, contract, [s.command for s in situations], runs, seed)

    def each(values: Sequence[float]) -> np.ndarray:
        return np.repeat(np.asarray(values, np.float64), runs)

    frictions = [s.friction for s in situations if s.friction is not None]
    if len(frictions) not in (0, len(situations)):
        raise ValueError('situations with a friction and without cannot be run together')
    return Trials(
        commands=made.commands, heading=made.heading, joint_offsets=made.joint_offsets,
        friction=each(frictions) if frictions else None,
        payload=each([s.payload for s in situations]),
        delay=np.round(each([s.delay for s in situations]) / contract.control_period).astype(int),
        noise=each([s.noise for s in situations]), seed=seed)


def _steps(time: float, contract: PolicyContract) -> int:
    return round(time / contract.control_period)


def _starts(protocol: Protocol, contract: PolicyContract, number: int,
            rng: np.random.Generator) -> dict[str, Any]:
    noise = protocol.joint_noise
    return {'heading': rng.uniform(-np.pi, np.pi, number),
            'joint_offsets': rng.uniform(-noise, noise, (number, len(contract.joints)))}
