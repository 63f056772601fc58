# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The training loop: collection, update, logging and checkpoints."""

from __future__ import annotations

from collections import deque
import math
import os
from pathlib import Path
import time
from typing import Any, Callable, Deque, Dict, List, Optional, Tuple

import torch
import yaml

import humanoid_locomotion
from humanoid_locomotion.core.errors import DivergedError, RunFolderError
from humanoid_locomotion.core.reading.config import to_mapping
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.sim.backend import SimBackend, open_backend
from humanoid_locomotion.training.config import TrainingConfig
from humanoid_locomotion.training.env.env import LocomotionEnv
from humanoid_locomotion.training.env.symmetry import (
    action_mirror,
    critic_mirror,
    observation_mirror,
)
from humanoid_locomotion.training.monitoring import metrics_writer
from humanoid_locomotion.training.monitoring.iteration_metrics import IterationMetrics, Moment
from humanoid_locomotion.training.monitoring.metrics_writer import Logs
from humanoid_locomotion.training.ppo.collector import Collector
from humanoid_locomotion.training.ppo.cuda_graph import forget_fused
from humanoid_locomotion.training.ppo.distributed import join
from humanoid_locomotion.training.ppo.networks import ActorCritic
from humanoid_locomotion.training.ppo.ppo import Mirrors, Ppo
from humanoid_locomotion.training.run import changes, checkpoint, durable, run_folder
from humanoid_locomotion.training.run.checkpoint import Segment
from humanoid_locomotion.training.run.run_folder import Identity, RunFolder

Report = Callable[[int, Dict[str, float]], None]
VOTES = 'votes'  # number of processes that want to stop; sent with the metrics


def never() -> bool:
    """Return False: the training does not stop."""
    return False


class Trainer:
    """One training run with its run folder.

    Args:
        config: The training config; each process has ``run.num_envs`` robots.
        robot: The robot.
        backend: Name of the simulator.
        device: ``auto``, ``cpu`` or ``cuda``.
        seed: Seed of all random numbers.
        folder: The run folder for checkpoints, config and logs; created when the run begins.
        may_rename: Whether to use another name if a folder of this name exists.
        start: Name of the checkpoint to resume, the same in all processes; empty for none.
        use_graph: Whether to run step and update as CUDA graphs; only on CUDA.
        fuse: Whether to fuse the small kernels of the step; only on CUDA.
        deterministic: Whether the same seed must give exactly the same weights.
        command: The command that started it, for the policy's card.
        viewer: Whether to show the robots in a window, if the simulator has one.
    """

    def __init__(self, config: TrainingConfig, robot: RobotSpec, *, backend: str, device: str,
                 seed: int, folder: Path, use_graph: bool = True, fuse: bool = False,
                 deterministic: bool = False, command: str = '', viewer: bool = False,
                 may_rename: bool = False, start: str = ''):
        self.config, self.robot, self.seed = config, robot, seed
        self.run_folder, self._may_rename = RunFolder(folder), may_rename
        self.group = join(device, changes.shared(config, robot, backend, seed, start))
        if deterministic:  # cuBLAS reads it when it is first used
            os.environ.setdefault('CUBLAS_WORKSPACE_CONFIG', ':4096:8')
        torch.use_deterministic_algorithms(deterministic)
        contract = config.contract(robot)
        self.backend: SimBackend = open_backend(
            backend, robot, config.run.num_envs, config.physics, contract.joints, device,
            deterministic, viewer and self.group.is_first, config.terrain, config.isaacgym)
        self.device = self.backend.device
        if torch.device(self.device).type == 'cuda':
            torch.set_float32_matmul_precision('high')  # TF32 halves the time of an update
        # Each process samples other robots, but all start with the same networks.
        own_seed = seed + 1000 * self.group.rank
        torch.manual_seed(own_seed)
        self.env = LocomotionEnv(config, contract, self.backend, robot.mass, own_seed)
        torch.manual_seed(seed)
        ppo = config.ppo
        self.model = ActorCritic(
            self.env.obs_size, self.env.critic_size, contract.num_actions, ppo.hidden_sizes,
            ppo.init_std, ppo.min_std, ppo.velocity_loss > 0.0).to(self.device)
        torch.manual_seed(own_seed)
        mirrors = Mirrors(
            observation_mirror(contract, robot, self.device),
            critic_mirror(self.env.critic_blocks, self.device),
            action_mirror(contract, robot, self.device)) if ppo.symmetry else None
        self.ppo = Ppo(ppo, self.model, mirrors, use_graph, self.group, fuse)
        self.iteration, self.samples, self.seconds = 0, 0, 0.0
        self.identity = Identity.new()
        self._goes_on = self._has_begun = False
        self._segments: List[Segment] = []  # the earlier segments
        self._start = (0, 0)  # iteration and samples at this segment's start
        self._changed: Tuple[str, ...] = ()
        self._saved: Optional[int] = None  # iteration of the last checkpoint
        self._wants_stop = never
        self._last = Moment(torch.device(self.device))
        self.use_graph, self._fuse = use_graph and self.backend.capturable, fuse
        self._backend_name, self._command = backend, command
        self._collector: Optional[Collector] = None
        self._last_good = 'none'

    @property
    def samples_per_iteration(self) -> int:
        """Control steps per iteration, summed over all processes."""
        return self.config.ppo.rollout_steps * self.config.run.num_envs * self.group.size

    @property
    def last_checkpoint(self) -> str:
        """Path of the last checkpoint; ``none`` before the first."""
        return self._last_good

    @property
    def folder(self) -> Path:
        """The run folder."""
        return self.run_folder.path

    @property
    def collector(self) -> Collector:
        """The collector; the environment is reset when it is first used."""
        if self._collector is None:
            self._collector = Collector(
                self.env, self.model, self.config.ppo.rollout_steps, self.use_graph, self._fuse)
        return self._collector

    def begin(self) -> None:
        """Create or reopen the run folder and lock it; :meth:`run` calls it if necessary.

        A new folder gets a checkpoint at once, so that the run can always be resumed.

        Raises:
            RunFolderError: The folder is in use, cannot be written or holds other files.
        """
        if self._has_begun:
            return
        if self.group.is_first and self._goes_on:
            self.run_folder.enter()
        elif self.group.is_first:
            self.run_folder.create(self._may_rename)
        try:
            if not self._goes_on:
                self._follow_curriculum()  # before the first reset
                self.save()
            if self.group.is_first:
                self._prepare()
        except RunFolderError:
            if not self._goes_on:
                self.run_folder.discard()
            self.run_folder.close()
            raise
        self._has_begun = True

    def run(self, report: Optional[Report] = None, max_seconds: float = math.inf,
            is_done: Callable[[], bool] = never, wants_stop: Callable[[], bool] = never) -> None:
        """Train until the iterations are done, the time is over or ``is_done`` returns True.

        Unless an error occurs, the last iteration is saved in a checkpoint.

        Args:
            report: Called after each iteration with its number and metrics.
            max_seconds: Stop after this time [s].
            is_done: Called after each checkpoint; returns whether to stop.
            wants_stop: Called in each iteration; all processes stop if it is True in one.

        Raises:
            DivergedError: Metrics are not finite; the last checkpoint can be used.
            RunFolderError: The folder is in use or cannot be written, e.g. because the disk is
                full; the last checkpoint is complete.
        """
        self.begin()
        begin = time.perf_counter()
        self._wants_stop = lambda: wants_stop() or time.perf_counter() - begin > max_seconds
        self._last = Moment(torch.device(self.device))
        try:
            with Logs(self.folder, self.group.is_first, after=self.iteration) as written:
                self._train(written, report, is_done)
        except RunFolderError as error:
            raise RunFolderError(error.path, f'{error.problem}; the last checkpoint is '
                                 f'{self._last_good}, --resume goes on from there') from error
        finally:
            self.run_folder.close()
            self._has_begun = False

    def _train(self, written: Logs, report: Optional[Report],
               is_done: Callable[[], bool]) -> None:
        run, stop = self.config.run, False
        # On a GPU the next iteration is queued before the metrics of the last one are read.
        ahead = int(torch.device(self.device).type == 'cuda')
        pending: Deque[IterationMetrics] = deque()
        while self.iteration < run.iterations and not stop:
            pending.append(self.iterate())
            is_due = self.iteration % run.checkpoint_every == 0
            while len(pending) > (0 if is_due else ahead):
                stop = self._finish(pending.popleft(), written, report) or stop
            if is_due:
                written.synchronise()
                self.save()
                stop = self._agree(is_done()) or stop
        while pending:
            self._finish(pending.popleft(), written, report)
        if self._saved != self.iteration:
            written.synchronise()
            self.save()

    def iterate(self) -> IterationMetrics:
        """Run one iteration; return its metrics, which a GPU may still be computing."""
        self._follow_curriculum()
        self.collector.collect()
        learned = self.ppo.update(self.collector.rollout)
        self.iteration += 1
        self.samples += self.samples_per_iteration
        sums = self.env.metrics.take()
        overflow = self.backend.overflow()
        dropped = sums.new_zeros(1) if overflow is None else overflow.float().sum()[None]
        votes = sums.new_full((1,), float(self._wants_stop()))
        self.group.sum([sums, dropped, votes])

        def explain(values: List[float]) -> Dict[str, float]:
            metrics = self.env.metrics.means(values[:sums.numel()])
            metrics['physics/overflowed_robots'], metrics[VOTES] = values[sums.numel():][:2]
            metrics.update(zip(learned, values[sums.numel() + 2:]))
            return metrics

        return IterationMetrics(self.iteration, self.samples,
                       torch.cat([sums, dropped, votes, torch.stack(list(learned.values()))]),
                       explain)

    def _finish(self, metrics: IterationMetrics, written: Logs, report: Optional[Report]) -> bool:
        """Log, show and check the metrics of an iteration; return whether to stop."""
        values = metrics.read()
        stop = values.pop(VOTES) > 0.0
        taken = metrics.arrived.seconds_since(self._last)
        self._last = metrics.arrived
        self.seconds += taken
        values['speed/seconds'] = self.seconds
        values['speed/steps_per_second'] = self.samples_per_iteration / taken
        written.write(metrics.iteration, metrics.samples, values)
        if report is not None:
            report(metrics.iteration, values)
        broken = [name for name, value in values.items() if not math.isfinite(value)]
        if broken:
            raise DivergedError(metrics.iteration, broken, self._last_good)
        return stop

    def _follow_curriculum(self) -> None:
        """Update the factor on penalties and pushes, and the exploration parameters."""
        run, (first, last) = self.config.run, self.config.ppo.entropy
        share = min(1.0, self.iteration / max(1, run.curriculum_iterations))
        self.env.difficulty.fill_(run.curriculum_start + share * (1.0 - run.curriculum_start))
        self.ppo.entropy_weight.fill_(first + share * (last - first))
        second_half = min(1.0, max(0.0, 2.0 * self.iteration / run.iterations - 1.0))
        self.model.std_factor.fill_(self.config.ppo.final_std_factor ** second_half)

    def _agree(self, stop: bool) -> bool:
        """Return whether ``stop`` is True in any process."""
        if self.group.size == 1:
            return stop
        votes = torch.tensor([float(stop)], device=self.device)
        self.group.sum([votes])
        return bool(votes.cpu() > 0)

    def _prepare(self) -> None:
        """Write the identity and the config of the run, and check the newest checkpoint."""
        if self._goes_on:
            newest = run_folder.checkpoints_of(self.folder)[-1:]
            if [path.stem for path in newest] != [f'{self.iteration:06d}']:
                raise RunFolderError(self.folder, 'was written by another process meanwhile; '
                                     'start again')
            metrics_writer.cut(self.folder, self.iteration)
        self.identity.write(self.folder)
        text = yaml.safe_dump(to_mapping(self.config), sort_keys=False)
        durable.write(self.folder / 'config.yaml', text.encode())

    def save(self) -> Path:
        """Write a checkpoint; return its path."""
        path = self.folder / run_folder.CHECKPOINTS / f'{self.iteration:06d}.pt'
        robots = self.collector.snapshot()  # first, since a reset samples random numbers
        processes = self.group.gather(checkpoint.on_host(
            {'random': self._random_state(), 'robots': robots}))
        self._saved = self.iteration
        if not self.group.is_first:
            return path
        content: Dict[str, Any] = {
            'robot': self.robot.name, 'model_hash': self.robot.model_hash,
            'backend': self._backend_name, 'seed': self.seed, 'command': self._command,
            'config': to_mapping(self.config), 'iteration': self.iteration,
            'samples': self.samples, 'seconds': self.seconds, 'hardware': self.hardware(),
            'model': self.model.state_dict(), 'optimizer': self.ppo.optimizer.state_dict(),
            'learning_rate': self.ppo.learning_rate, 'processes': processes,
            'run': to_mapping(self.identity), 'segments': to_mapping(self._all_segments()),
            'robot_facts': changes.robot_facts(self.robot),
            'package_version': humanoid_locomotion.__version__}
        checkpoint.save(path, content)
        self._last_good = str(path)
        return path

    def _all_segments(self) -> List[Segment]:
        first, samples = self._start
        if first == self.iteration:
            return self._segments
        return [*self._segments, Segment(
            first=first + 1, last=self.iteration, samples=self.samples - samples,
            num_envs=self.config.run.num_envs, processes=self.group.size,
            backend=self._backend_name, hardware=self.hardware(), command=self._command,
            changed=self._changed)]

    def resume(self, path: Path, accept_changes: bool = False, new_episodes: bool = False) -> None:
        """Restore a checkpoint; training then continues as without an interruption.

        In the run folder of the checkpoint, the run continues. In another folder, a new run starts
        with the networks of the checkpoint. With another number of robots or processes, or after
        an accepted change, the robots start new episodes; everything else is restored.

        Args:
            path: The checkpoint.
            accept_changes: Whether the robot, the config, the simulator or this package may
                differ from those of the checkpoint.
            new_episodes: Whether not to restore robots and random streams.

        Raises:
            CheckpointError: The checkpoint is damaged, has another robot or another network size,
                or there is a change that is not accepted.
        """
        content = checkpoint.load(path, self.device)
        checkpoint.check_robot(content, self.robot.name, path)
        changed = changes.check(
            content, path, self.config, self.robot, self._backend_name, accept_changes)
        with checkpoint.restoring(path):
            self.model.load_state_dict(content['model'])
            self.ppo.restore(content['optimizer'], content['learning_rate'])
        rate = self.config.ppo.learning_rate
        if rate != content['config']['ppo']['learning_rate']:
            self.ppo.learning_rate.fill_(rate)
        self.iteration, self.seconds = content['iteration'], content['seconds']
        self.samples, self._segments = content['samples'], checkpoint.segments(content, path)
        self._start, self._changed = (self.iteration, self.samples), tuple(changed)
        self._follow_identity(content, path)
        self._last_good = str(path)
        processes = content['processes']
        if changed or new_episodes or len(processes) != self.group.size:
            return
        with checkpoint.restoring(path):
            own = processes[self.group.rank]
            if len(own['robots']['env']['obs']) == self.env.num_envs:
                self.collector.restore(own['robots'])
                self._restore_random_state(own['random'])

    def _follow_identity(self, content: Dict[str, Any], path: Path) -> None:
        theirs = checkpoint.identity(content, path)
        self._goes_on = run_folder.run_of(path) == self.folder.resolve()
        if not self._goes_on:
            self.identity = Identity.new(f'{path}, run {theirs.id or "without an id"}')
        elif theirs.id:
            self.identity = theirs

    def _random_state(self) -> Dict[str, torch.Tensor]:
        states = {'cpu': torch.get_rng_state()}
        if torch.device(self.device).type == 'cuda':
            states['cuda'] = torch.cuda.get_rng_state(self.device)
        return states

    def _restore_random_state(self, states: Dict[str, torch.Tensor]) -> None:
        torch.set_rng_state(states['cpu'].cpu())
        if 'cuda' in states and torch.device(self.device).type == 'cuda':
            torch.cuda.set_rng_state(states['cuda'].cpu(), self.device)

    def hardware(self) -> str:
        """Return the name of the hardware, for the policy's card."""
        if torch.device(self.device).type == 'cuda':
            name = torch.cuda.get_device_name(self.device)
            return name if self.group.size == 1 else f'{self.group.size} x {name}'
        threads = torch.get_num_threads()
        return f'CPU, {threads} thread{"s" * (threads > 1)}'

    def close(self) -> None:
        """Release graphs, simulator, process group and the lock of the folder."""
        self.run_folder.close()
        if self._collector is not None:
            self._collector.step.forget()
            forget_fused()
        self.ppo.close()
        self.backend.close()
        self.group.leave()
