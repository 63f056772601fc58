"""Writes out the protocol's trials: who starts how, is told what, and is pushed when."""

from __future__ import annotations

from typing import Sequence

import numpy as np

from humanoid_locomotion.core.command import CommandLimits
from humanoid_locomotion.core.contract import PolicyContract
from humanoid_locomotion.evaluation.protocol import Protocol
from humanoid_locomotion.evaluation.rollout import Trials

Command = tuple[float, float, float]


def within(command: Command, limits: CommandLimits) -> bool:
    """Tell whether a command lies in the limits a policy was trained in."""
    return all(low - 1e-9 <= value <= high + 1e-9
               for value, low, high in zip(command, limits.lower, limits.upper))


def nearest_forward(speeds: Sequence[float], limits: CommandLimits) -> list[float]:
    """Return the forward speeds [m/s] moved into the limits, each once, standing left out."""
    low, high = limits.lin_vel_x
    return sorted({float(np.clip(speed, low, high)) for speed in speeds} - {0.0})


def steady(protocol: Protocol, contract: PolicyContract, commands: Sequence[Command], runs: int,
           seed: Sequence[int]) -> Trials:
    """Return trials that hold each command, ``runs`` times in a row, to the end."""
    held = np.repeat(np.asarray(commands, np.float32), runs, axis=0)
    steps = _steps(protocol.settle_time + protocol.measure_time, contract)
    rng = np.random.default_rng(seed)
    return Trials(commands=np.tile(held, (steps, 1, 1)),
                  **_starts(protocol, contract, len(held), rng))


def random_walks(protocol: Protocol, contract: PolicyContract, seed: Sequence[int]) -> Trials:
    """Return trials with random commands in the trained range, floors and masses."""
    rng = np.random.default_rng(seed)
    runs, limits = protocol.walk_runs, contract.command_limits
    steps = _steps(protocol.walk_time, contract)
    held = _steps(protocol.command_time, contract)
    segments = -(-steps // held)
    chosen = rng.uniform(limits.lower, limits.upper, (segments, runs, 3))
    chosen[rng.random((segments, runs)) < protocol.standing_share] = 0.0
    return Trials(
        commands=np.repeat(chosen.astype(np.float32), held, axis=0)[:steps],
        friction=rng.uniform(*protocol.friction, runs),
        mass_scale=rng.uniform(*protocol.mass_scale, runs),
        **_starts(protocol, contract, runs, rng))


def pushes(protocol: Protocol, contract: PolicyContract, speed: float,
           seed: Sequence[int]) -> Trials:
    """Return trials of one push each, while walking forward at ``speed`` [m/s].

    All runs of the first direction come first, then those of the next.
    """
    rng = np.random.default_rng(seed)
    runs, directions = protocol.push_runs, push_angles(protocol)
    number = runs * len(directions)
    angle = np.repeat(directions, runs)
    moment = np.tile((np.arange(runs) + 0.5) / runs, len(directions)) * protocol.push_window
    steps = _steps(protocol.settle_time + protocol.push_window + protocol.survive_time, contract)
    push = np.stack([np.cos(angle), np.sin(angle), np.zeros(number)], 1)
    return Trials(
        commands=np.tile(np.array([speed, 0, 0], np.float32), (steps, number, 1)),
        kick=(protocol.push_speed * push).astype(np.float32),
        kick_step=((protocol.settle_time + moment) / contract.control_period).astype(int),
        **_starts(protocol, contract, number, rng))


def push_angles(protocol: Protocol) -> np.ndarray:
    """Return where pushes go [rad], from straight ahead towards the left."""
    return np.arange(protocol.push_directions) * (2.0 * np.pi / protocol.push_directions)


def _steps(time: float, contract: PolicyContract) -> int:
    return round(time / contract.control_period)


def _starts(protocol: Protocol, contract: PolicyContract, number: int,
            rng: np.random.Generator) -> dict[str, np.ndarray]:
    noise = protocol.joint_noise
    return {'heading': rng.uniform(-np.pi, np.pi, number),
            'joint_offsets': rng.uniform(-noise, noise, (number, len(contract.joints)))}
