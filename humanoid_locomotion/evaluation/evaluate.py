# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Runs the protocol with a policy and writes its scorecard."""

from __future__ import annotations

from dataclasses import replace
from importlib import metadata
import os
from pathlib import Path
import tempfile
import time
from typing import Any, Callable, Iterator, Optional

import numpy as np

from humanoid_locomotion.core.arrays import Array
from humanoid_locomotion.core.policy.content import SCORECARD, sign_measured
from humanoid_locomotion.core.policy.folder import PolicyFolder, open_policy
from humanoid_locomotion.core.robot import RobotSpec, load_robot
from humanoid_locomotion.core.robot_bounds import check_joints
from humanoid_locomotion.evaluation import metrics, trials
from humanoid_locomotion.evaluation.gates import make_scorecard
from humanoid_locomotion.evaluation.numpy_backend import NumpyBackend
from humanoid_locomotion.evaluation.plots import animation, html_report
from humanoid_locomotion.evaluation.plots.comparison_plot import draw_field
from humanoid_locomotion.evaluation.plots.plots import draw
from humanoid_locomotion.evaluation.protocol import Command, Protocol, protocol_for
from humanoid_locomotion.evaluation.runner import Recording, Trials, roll_out
from humanoid_locomotion.evaluation.scorecard import (
    Disturbed,
    Economy,
    Measurements,
    PushLadder,
    Response,
    Rung,
    Scorecard,
    Setting,
    Standing,
    Tour,
)
from humanoid_locomotion.sim.backend import BACKENDS, open_backend

Progress = Callable[[str, float], None]


def evaluate(policy: str, *, output: Optional[Path] = None, quick: bool = False, seed: int = 0,
             progress: Optional[Progress] = None, protocol: Optional[Protocol] = None,
             report: bool = False, robot: Optional[RobotSpec] = None,
             model: str = '', network_alone: bool = False) -> Scorecard:
    """Measure a policy; write ``scorecard.json``, ``scorecard.png`` and ``field.png``.

    Args:
        policy: Path of the policy folder, or the name of an included policy.
        output: Folder to write to; None for the policy folder.
        quick: Reduce the number of runs; the scorecard records it.
        seed: Seed of every random choice.
        progress: Called with the name of the running part and the completed share of it.
        protocol: The protocol to run; None for the standard one for the robot.
        report: Also write ``report.html``: one page with all values and plots.
        robot: The robot; None for the one that the contract names.
        model: Name of the robot's model for the scorecard; empty for the package's own.
        network_alone: Leave out the velocity feedback of the contract.

    Raises:
        PolicyError: The policy folder is invalid; nothing is written.
        ConfigError: As :func:`humanoid_locomotion.evaluation.protocol.protocol_for`.
    """
    folder = open_policy(policy, engine='onnxruntime')
    robot = robot or load_robot(folder.contract.robot)
    check_joints(folder.contract, robot, folder.path)
    protocol = protocol or protocol_for(robot, quick)
    if network_alone:
        folder = replace(folder, contract=replace(
            folder.contract, yaw_rate_integral=None, linear_velocity_loop=None))
    bench = Bench(folder, robot, protocol, seed, progress, model, network_alone)
    scorecard = bench.run()
    target = Path(output) if output is not None else folder.path
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix='.scorecard-', dir=target) as scratch:
        draw(scorecard, bench.standing_paths, Path(scratch) / 'scorecard.png')
        draw_field(scorecard, Path(scratch) / 'field.png')
        (Path(scratch) / 'scorecard.json').write_text(scorecard.to_json(), encoding='utf-8')
        names = ['scorecard.png', 'field.png', 'scorecard.json']
        if report:
            if progress is not None:
                progress('film', 0.0)
            html_report.write_page(
                scorecard, bench.standing_paths, bench.walk, bench.joint_names, bench.efforts,
                animation.film(folder, robot, protocol), Path(scratch) / 'report.html')
            names.append('report.html')
        for name in names:
            os.replace(Path(scratch) / name, target / name)
    if target.resolve() == folder.path.resolve():
        sign_measured(target, [SCORECARD])
    return scorecard


class Bench:
    """Runs each part of the protocol with one policy and summarises it.

    Attributes:
        standing_paths: (steps, runs, 2) [m], the positions of standing robots; for the picture.
        walk: A recording of one robot that walks steadily at the first economy speed, one row
            per physics step; for the report.
        joint_names: The joints of ``walk``.
        efforts: (num_joints,) [Nm], the torque limits of these joints.
    """

    walk: Recording

    def __init__(self, folder: PolicyFolder, robot: RobotSpec, protocol: Protocol, seed: int,
                 progress: Optional[Progress] = None, model: str = '',
                 network_alone: bool = False):
        self._folder, self._robot, self._protocol = folder, robot, protocol
        self._model, self._network_alone = model, network_alone
        self._seed, self._progress = seed, progress
        self._contract = folder.contract
        self._physics = protocol.physics(self._contract.control_period)
        self._mass = robot.mass
        self._measured = (protocol.settle_time, protocol.settle_time + protocol.measure_time)
        self.standing_paths = np.zeros((0, 0, 2))
        self.joint_names = self._contract.joint_names
        self.efforts = self._contract.values('effort')

    def run(self) -> Scorecard:
        """Run all parts; each has its own seed, so that the parts do not affect each other."""
        start = time.perf_counter()
        responses = self._responses()
        own_arms, led_arms = self._tours()
        situations, ice = self._situations()
        measured = Measurements(
            responses=responses,
            mean_linear_error=float(np.mean([r.linear_error for r in responses])),
            mean_yaw_error=float(np.mean([r.yaw_error for r in responses])),
            dead_zone=self._dead_zone(),
            standing=self._standing(),
            pushes=tuple(self._pushes()),
            economy=self._economy(), own_arms=own_arms, led_arms=led_arms,
            situations=situations, ice=ice)
        return make_scorecard(measured, self._setting(time.perf_counter() - start))

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
            wall_time=round(wall_time, 1), solver_iterations=protocol.solver_iterations,
            model=self._model, network_alone=self._network_alone,
            scale=protocol.scale)

    def _responses(self) -> tuple[Response, ...]:
        protocol, runs = self._protocol, self._protocol.command_runs
        recording = self._roll_out('velocity response', trials.steady(
            protocol, self._contract, protocol.commands, runs, [self._seed, 0]))
        return tuple(
            self._response(command, recording.robots(slice(i * runs, (i + 1) * runs)))
            for i, command in enumerate(protocol.commands))

    def _response(self, command: Command, recording: Recording) -> Response:
        steady, falls = recording.between(*self._measured), self._falls(recording)
        error = metrics.tracking_error(steady).mean(0)
        rms = metrics.tracking_rms(steady).mean(0)
        velocity = metrics.mean_velocity(steady).mean(0)
        forward, left, turning = velocity.tolist()
        return Response(
            command=command, velocity=(forward, left, turning),
            linear_error=float(error[0]), yaw_error=float(error[1]),
            linear_rms=float(rms[0]), yaw_rms=float(rms[1]),
            runs=recording.positions.shape[1], falls=falls,
            answered=falls == 0 and metrics.answered(
                velocity, np.array(command), self._protocol.answered_share))

    def _economy(self) -> tuple[Economy, ...]:
        protocol, runs = self._protocol, self._protocol.economy_runs
        recording = self._roll_out('economy', trials.steady(
            protocol, self._contract, [(speed, 0.0, 0.0) for speed in protocol.economy_speeds],
            runs, [self._seed, 8]), substeps=self._physics.substeps)
        self.walk = recording.robots(slice(0, 1)).between(*self._measured)
        return tuple(
            self._economy_at(speed, recording.robots(slice(i * runs, (i + 1) * runs)))
            for i, speed in enumerate(protocol.economy_speeds))

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
            target_rate=float(metrics.target_rate(
                steady, ~trials.arms(self._protocol, self._contract),
                self._contract.control_period).mean()),
            foot_slip=float(metrics.foot_slip(steady, self._mass).mean()),
            feet_force=float(metrics.feet_force(steady, self._mass).mean()))

    def _dead_zone(self) -> Optional[float]:
        protocol, runs = self._protocol, self._protocol.slow_runs
        commands = [(speed, 0.0, 0.0) for speed in protocol.slow_speeds]
        recording = self._roll_out('slow commands', trials.steady(
            protocol, self._contract, commands, runs, [self._seed, 1]))
        slowest = None
        for i, command in reversed(list(enumerate(commands))):
            part = recording.robots(slice(i * runs, (i + 1) * runs))
            if not self._response(command, part).answered:
                break
            slowest = command[0]
        return slowest

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

    def _pushes(self) -> Iterator[PushLadder]:
        protocol = self._protocol
        patience = round(protocol.survive_time / self._contract.control_period)
        for i, group in enumerate(protocol.push_groups):
            pushed, kick_step = trials.ladder(
                protocol, self._contract, group, [self._seed, 3, i])
            recording = self._roll_out(f'kicks, {group.name}', pushed)
            survived = metrics.survived(self._fallen(recording), kick_step, patience)
            counts = survived.reshape(-1, protocol.push_runs).sum(axis=1)
            yield PushLadder(
                name=group.name, walking_speed=group.speed, score=float(survived.mean()),
                rungs=tuple(Rung(speed=speed, runs=protocol.push_runs, survived=int(count))
                            for speed, count in zip(protocol.push_speeds, counts)))

    def _tours(self) -> tuple[Tour, Optional[Tour]]:
        protocol, contract = self._protocol, self._contract
        own = trials.tours(protocol, contract, [self._seed, 4])
        tour = self._tour('tour', own)
        if not trials.arms(protocol, contract).any():
            return tour, None
        led = trials.moved_arms(protocol, contract, own.num_steps, own.num_envs, [self._seed, 5])
        return tour, self._tour('tour, arms led', replace(own, arm_targets=led))

    def _tour(self, what: str, tour: Trials) -> Tour:
        recording = self._roll_out(what, tour)
        fallen = self._fallen(recording)
        rms = metrics.tracking_rms(recording)[~fallen[-1], 0]
        return Tour(
            runs=tour.num_envs, falls=int(fallen[-1].sum()), time=self._protocol.tour_time,
            time_up=float(metrics.time_up(fallen, recording.period).mean()),
            linear_rms=float(rms.mean()) if rms.size else None)

    def _situations(self) -> tuple[tuple[Disturbed, ...], Disturbed]:
        """Return the results of the protocol's situations and of its floor ``ice``."""
        protocol, runs, found = self._protocol, self._protocol.situation_runs, {}
        everything = (*protocol.situations, protocol.ice)
        for what, key, chosen in (
                ('other floors', 6, [s for s in everything if s.friction is not None]),
                ('other disturbances', 7, [s for s in everything if s.friction is None])):
            recording = self._roll_out(what, trials.disturbed(
                protocol, self._contract, chosen, [self._seed, key]))
            for i, situation in enumerate(chosen):
                part = recording.robots(slice(i * runs, (i + 1) * runs))
                error = metrics.tracking_error(part.between(*self._measured))[:, 0].mean()
                found[situation.name] = Disturbed(
                    name=situation.name, runs=runs, falls=self._falls(part),
                    linear_error=float(error))
        return tuple(found[s.name] for s in protocol.situations), found[protocol.ice.name]

    def _roll_out(self, what: str, run: Trials, substeps: int = 1) -> Recording:
        report = self._progress
        physics = replace(self._physics, substeps=self._physics.substeps // substeps)

        def open_robots(num_envs: int) -> Any:
            return NumpyBackend(open_backend(self._protocol.simulator, self._robot, num_envs,
                                             physics, joints=self._contract.joints))

        return roll_out(open_robots, self._contract, self._folder.policy, run,
                        None if report is None else lambda share: report(what, share),
                        self._protocol.noise, substeps)

    def _fallen(self, recording: Recording) -> Array:
        height = self._protocol.fall_height * self._robot.base_height
        return metrics.fallen(recording, height, self._protocol.fall_tilt)

    def _falls(self, recording: Recording) -> int:
        return int(self._fallen(recording)[-1].sum())
