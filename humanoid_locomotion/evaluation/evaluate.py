"""Runs a policy folder through the protocol and writes its scorecard."""

from __future__ import annotations

from importlib import metadata
import os
from pathlib import Path
import tempfile
import time
from typing import Callable, Optional, Sequence

import numpy as np

from humanoid_locomotion.core.arrays import Array
from humanoid_locomotion.core.policy import PolicyFolder, open_policy
from humanoid_locomotion.core.robot import RobotSpec, load_robot
from humanoid_locomotion.evaluation import metrics, trials
from humanoid_locomotion.evaluation.protocol import FULL, QUICK, Protocol
from humanoid_locomotion.evaluation.report import draw
from humanoid_locomotion.evaluation.rollout import Recording, Trials, roll_out
from humanoid_locomotion.evaluation.scorecard import (
    Economy,
    Figures,
    PushDirection,
    Pushes,
    Response,
    Scorecard,
    Setting,
    Standing,
    Walking,
    make_scorecard,
)
from humanoid_locomotion.sim.backend import BACKENDS, SimBackend, open_backend

Progress = Callable[[str, float], None]


def evaluate(policy: str, *, output: Optional[Path] = None, quick: bool = False, seed: int = 0,
             progress: Optional[Progress] = None,
             protocol: Optional[Protocol] = None) -> Scorecard:
    """Measure a policy; write ``scorecard.json`` and ``scorecard.png``.

    Args:
        policy: Path of the policy folder, or the name of a policy that ships.
        output: Folder to write to; the policy's own by default.
        quick: Cut the number of runs down; the scorecard says so.
        seed: Seed of every random choice.
        progress: Called with what is being run and the share of it that is done.
        protocol: What to run, instead of the protocol that ``quick`` picks.

    Raises:
        PolicyError: The folder must not be run; nothing is written.
    """
    folder = open_policy(policy, engine='onnxruntime')
    robot = load_robot(folder.contract.robot)
    folder.contract.check_robot(robot, folder.path)
    protocol = protocol or (QUICK if quick else FULL)
    bench = Bench(folder, robot, protocol, seed, progress)
    scorecard = bench.run()
    target = Path(output) if output is not None else folder.path
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix='.scorecard-', dir=target) as scratch:
        draw(scorecard, bench.standing_paths, Path(scratch) / 'scorecard.png')
        (Path(scratch) / 'scorecard.json').write_text(scorecard.to_json(), encoding='utf-8')
        for name in ('scorecard.png', 'scorecard.json'):
            os.replace(Path(scratch) / name, target / name)
    return scorecard


class Bench:
    """One policy on the bench: runs each part of the protocol and sums it up.

    Attributes:
        standing_paths: (steps, runs, 2) [m], where standing robots went; for the picture.
    """

    def __init__(self, folder: PolicyFolder, robot: RobotSpec, protocol: Protocol, seed: int,
                 progress: Optional[Progress] = None):
        self._folder, self._robot, self._protocol = folder, robot, protocol
        self._seed, self._progress = seed, progress
        self._contract = folder.contract
        self._physics = protocol.physics(self._contract.control_period)
        self._mass = robot.mass
        self._measured = (protocol.settle_time, protocol.settle_time + protocol.measure_time)
        self.standing_paths = np.zeros((0, 0, 2))

    def run(self) -> Scorecard:
        """Run everything. Each part has a seed of its own, so parts do not shift each other."""
        start = time.perf_counter()
        protocol, limits = self._protocol, self._contract.command_limits
        skipped = tuple(c for c in protocol.response_commands if not trials.within(c, limits))
        figures = Figures(
            responses=self._responses(
                [c for c in protocol.response_commands if c not in skipped]),
            skipped_commands=skipped,
            walking=self._walking(),
            standing=self._standing(),
            pushes=self._pushes(),
            economy=self._economy())
        return make_scorecard(figures, self._setting(time.perf_counter() - start), protocol)

    def _setting(self, wall_time: float) -> Setting:
        protocol, contract = self._protocol, self._contract
        packages = {BACKENDS[protocol.simulator].package, 'numpy', 'onnxruntime'}
        return Setting(
            protocol=protocol.version, quick=protocol.quick, seed=self._seed,
            policy=self._folder.path.resolve().name, fingerprint=contract.fingerprint,
            robot=contract.robot,
            model_hash_matches=contract.model_hash == self._robot.model_hash,
            simulator=protocol.simulator,
            versions={name: metadata.version(name) for name in sorted(packages)},
            timestep=self._physics.timestep, control_period=contract.control_period,
            wall_time=round(wall_time, 1))

    def _responses(self, commands: Sequence[trials.Command]) -> tuple[Response, ...]:
        if not commands:
            return ()
        runs = self._protocol.response_runs
        recording = self._roll_out('velocity response', trials.steady(
            self._protocol, self._contract, commands, runs, [self._seed, 0]))
        return tuple(
            self._response(command, recording.robots(slice(i * runs, (i + 1) * runs)))
            for i, command in enumerate(commands))

    def _response(self, command: trials.Command, recording: Recording) -> Response:
        steady = recording.between(*self._measured)
        error = metrics.tracking_error(steady).mean(0)
        rms = metrics.tracking_rms(steady).mean(0)
        forward, left, turning = metrics.mean_velocity(steady).mean(0).tolist()
        return Response(
            command=command, velocity=(forward, left, turning),
            linear_error=float(error[0]), yaw_error=float(error[1]),
            linear_rms=float(rms[0]), yaw_rms=float(rms[1]),
            runs=self._protocol.response_runs, falls=self._falls(recording),
            gated=command in self._protocol.gated_commands)

    def _walking(self) -> Walking:
        recording = self._roll_out('random walks', trials.random_walks(
            self._protocol, self._contract, [self._seed, 1]))
        return Walking(runs=self._protocol.walk_runs, falls=self._falls(recording),
                       time=self._protocol.walk_time)

    def _standing(self) -> Standing:
        recording = self._roll_out('standing', trials.steady(
            self._protocol, self._contract, [(0.0, 0.0, 0.0)], self._protocol.standing_runs,
            [self._seed, 2]))
        steady = recording.between(*self._measured)
        self.standing_paths = metrics.path(steady)
        drift, yaw_drift = metrics.drift(steady), metrics.yaw_drift(steady)
        return Standing(
            runs=self._protocol.standing_runs, falls=self._falls(recording),
            drift_mean=float(drift.mean()), drift_max=float(drift.max()),
            yaw_drift_mean=float(yaw_drift.mean()), yaw_drift_max=float(yaw_drift.max()))

    def _pushes(self) -> Pushes:
        protocol, limits = self._protocol, self._contract.command_limits
        speed = float(np.clip(protocol.push_walk_speed, *limits.lin_vel_x))
        standing, walking = (
            self._survived(trials.pushes(protocol, self._contract, forward, [self._seed, key]),
                           f'pushes while {what}')
            for what, forward, key in (('standing', 0.0, 3), ('walking', speed, 4)))
        directions = tuple(
            PushDirection(angle=float(np.degrees(angle)), runs=protocol.push_runs,
                          standing=int(standing[i]), walking=int(walking[i]))
            for i, angle in enumerate(trials.push_angles(protocol)))
        share = (standing.sum() + walking.sum()) / (2 * protocol.push_runs * len(directions))
        return Pushes(speed=protocol.push_speed, walking_speed=speed, survived=float(share),
                      directions=directions)

    def _survived(self, pushed: Trials, what: str) -> Array:
        recording = self._roll_out(what, pushed)
        steps = round(self._protocol.survive_time / self._contract.control_period)
        survived = metrics.survived(
            self._fallen(recording), np.asarray(pushed.kick_step), steps)
        return survived.reshape(-1, self._protocol.push_runs).sum(axis=1)

    def _economy(self) -> tuple[Economy, ...]:
        speeds = trials.nearest_forward(
            self._protocol.economy_speeds, self._contract.command_limits)
        if not speeds:
            return ()
        runs = self._protocol.economy_runs
        recording = self._roll_out('economy', trials.steady(
            self._protocol, self._contract, [(speed, 0.0, 0.0) for speed in speeds], runs,
            [self._seed, 5]))
        return tuple(
            self._economy_at(speed, recording.robots(slice(i * runs, (i + 1) * runs)))
            for i, speed in enumerate(speeds))

    def _economy_at(self, command: float, recording: Recording) -> Economy:
        steady, falls = recording.between(*self._measured), self._falls(recording)
        speeds = metrics.mean_velocity(steady)[:, 0]
        walked = falls == 0 and np.all(speeds > 0.5 * command)
        cost = metrics.cost_of_transport(steady, self._mass).mean()
        effort = self._contract.values('effort')
        return Economy(
            command=command,
            speed=float(speeds.mean()),
            falls=falls,
            cost_of_transport=float(cost) if walked else None,
            peak_torque_share=float(metrics.peak_torque_share(steady, effort).max()),
            action_rate=float(metrics.action_rate(steady).mean()),
            foot_slip=float(metrics.foot_slip(steady, self._mass).mean()))

    def _roll_out(self, what: str, run: Trials) -> Recording:
        report = self._progress
        return roll_out(self._open, self._contract, self._folder.policy, run,
                        None if report is None else lambda share: report(what, share))

    def _open(self, num_envs: int) -> SimBackend:
        return open_backend(self._protocol.simulator, self._robot, num_envs, self._physics,
                            joints=self._contract.joints, device='cpu')

    def _fallen(self, recording: Recording) -> Array:
        return metrics.fallen(recording, self._protocol.fall_height, self._protocol.fall_tilt)

    def _falls(self, recording: Recording) -> int:
        return int(self._fallen(recording)[-1].sum())
