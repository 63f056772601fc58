"""Times mjlab's own G1 flat velocity task, to be set beside this package's benchmark.

Run it with an interpreter that has mjlab; nothing else of this package is needed there::

    python mjlab_probe.py env --num-envs 4096 --steps 100 --repeats 5
    python mjlab_probe.py train --num-envs 4096 --iterations 20
    python mjlab_probe.py serve --num-envs 4096   # stdin: env [STEPS] | train [ITERATIONS] | quit

Each measurement is one JSON line on stdout; what mjlab, rsl_rl and Warp print goes to stderr.
``serve`` sets up once and answers each command, so that a parent process can take turns on a GPU.
"""

from __future__ import annotations

import argparse
import copy
from dataclasses import asdict
from importlib.metadata import version
import json
import os
import statistics
import sys
import tempfile
import time
from typing import Any, Callable, Dict, List, Tuple

import torch

TASK = 'Mjlab-Velocity-Flat-Unitree-G1'
PACKAGES = ('mjlab', 'mujoco-warp', 'warp-lang', 'rsl-rl-lib', 'torch')
WARM_UP_STEPS = 50
WARM_UP_ITERATIONS = 5


class Probe:
    """The task's environment and runner, set up as mjlab's train script does.

    Nothing is rendered, uploaded or saved; TensorBoard logs go to ``log_dir``.
    """

    def __init__(self, num_envs: int, device: str, log_dir: str):
        from mjlab.envs import ManagerBasedRlEnv
        from mjlab.rl import MjlabOnPolicyRunner, RslRlVecEnvWrapper
        import mjlab.tasks  # noqa: F401  (fills the registry)
        from mjlab.tasks.registry import load_env_cfg, load_rl_cfg, load_runner_cls
        from mjlab.utils.torch import configure_torch_backends
        configure_torch_backends()
        config, agent = load_env_cfg(TASK), load_rl_cfg(TASK)
        config.scene.num_envs, config.seed, agent.logger = num_envs, agent.seed, 'tensorboard'
        self.env = RslRlVecEnvWrapper(ManagerBasedRlEnv(cfg=config, device=device),
                                      clip_actions=agent.clip_actions)
        runner = load_runner_cls(TASK) or MjlabOnPolicyRunner
        self.runner = runner(self.env, asdict(agent), log_dir, device)
        self.runner.save = lambda *_: None
        self.untrained = copy.deepcopy(self.runner.alg.actor)
        self.steps_per_iteration = agent.num_steps_per_env
        self.marks: List[Tuple[float, float, float]] = []
        self.log, self.runner.logger.log = self.runner.logger.log, self._mark
        self.warm: Dict[str, bool] = {}
        self.facts = {'task': TASK, 'num_envs': num_envs, 'decimation': config.decimation,
                      'timestep': config.sim.mujoco.timestep, 'device': device,
                      **{name: version(name) for name in PACKAGES}}
        if self.env.device.type == 'cuda':
            self.facts['gpu'] = torch.cuda.get_device_name(self.env.device)

    def measure_env(self, steps: int, repeats: int) -> Dict[str, Any]:
        """Time control steps under random actions and under the untrained actor's samples.

        ``step_ms`` is the former's median over the repeats, ``actor_step_ms`` the latter's, the
        actor's own time included. Episodes start out of phase, as they do in training.
        """
        length, actions = self.env.episode_length_buf, self.env.num_actions
        self.env.episode_length_buf = torch.randint_like(length, int(self.env.max_episode_length))
        drawn = 2 * torch.rand(steps, len(length), actions, device=self.env.device) - 1
        ways: Dict[str, Callable[[int, Any], torch.Tensor]] = {
            'random': lambda step, _: drawn[step % steps],
            'actor': lambda _, seen: self.untrained(seen, stochastic_output=True)}
        for way in ways.values():
            self._roll_out(way, 5 if self.warm.get('env') else WARM_UP_STEPS)
        self.warm['env'] = True
        ms: Dict[str, List[float]] = {name: [] for name in ways}
        for _ in range(repeats):
            for name, way in ways.items():
                ms[name].append(1e3 * self._roll_out(way, steps) / steps)
        random, actor = (statistics.median(ms[name]) for name in ways)
        return {'what': 'env', **self.facts, 'steps': steps, 'repeats': repeats,
                'step_ms': random, 'steps_per_second': 1e3 * len(length) / random,
                'actor_step_ms': actor, 'actor_steps_per_second': 1e3 * len(length) / actor,
                'all_step_ms': ms['random'], 'all_actor_step_ms': ms['actor']}

    def measure_train(self, iterations: int) -> Dict[str, Any]:
        """Time whole iterations of the runner: rollout, update and log, without saving."""
        warm_up = 1 if self.warm.get('train') else WARM_UP_ITERATIONS
        self.marks.clear()
        self.runner.learn(warm_up + iterations, init_at_random_ep_len=not self.warm.get('train'))
        self.warm['train'] = True
        ends, collect, learn = zip(*self.marks[warm_up - 1:])
        seconds, steps = ends[-1] - ends[0], iterations * self.steps_per_iteration
        spans = [1e3 * (end - begin) for begin, end in zip(ends, ends[1:])]
        return {'what': 'train', **self.facts, 'iterations': iterations,
                'steps_per_iteration': self.steps_per_iteration, 'step_ms': 1e3 * seconds / steps,
                'steps_per_second': steps * self.facts['num_envs'] / seconds,
                'iteration_ms': statistics.median(spans), 'all_iteration_ms': spans,
                'collect_ms': 1e3 * statistics.median(collect[1:]),
                'learn_ms': 1e3 * statistics.median(learn[1:])}

    def _mark(self, **values: Any) -> None:
        self.log(**values)
        self.marks.append((self._now(), values['collect_time'], values['learn_time']))

    @torch.inference_mode()
    def _roll_out(self, act: Callable[[int, Any], torch.Tensor], steps: int) -> float:
        seen = self.env.get_observations()
        begin = self._now()
        for step in range(steps):
            seen = self.env.step(act(step, seen))[0]
        return self._now() - begin

    def _now(self) -> float:
        if self.env.device.type == 'cuda':
            torch.cuda.synchronize(self.env.device)
        return time.perf_counter()


def main() -> None:
    """Measure what the command line, or in ``serve`` each line of stdin, asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('what', choices=['env', 'train', 'serve'])
    parser.add_argument('--num-envs', type=int, default=4096)
    parser.add_argument('--steps', type=int, default=100)
    parser.add_argument('--repeats', type=int, default=5)
    parser.add_argument('--iterations', type=int, default=20)
    parser.add_argument('--device', default='cuda:0' if torch.cuda.is_available() else 'cpu')
    args = parser.parse_args()
    answers = os.fdopen(os.dup(1), 'w')
    os.dup2(2, 1)  # what anything else prints, C libraries included, goes to stderr
    os.environ.setdefault('MUJOCO_GL', 'disable')
    os.environ.setdefault('GIT_PYTHON_REFRESH', 'quiet')
    with tempfile.TemporaryDirectory() as log_dir:
        probe = Probe(args.num_envs, args.device, log_dir)
        for line in iter(sys.stdin.readline, '') if args.what == 'serve' else [args.what]:
            what, *count = line.split() or ['']
            if what == 'quit':
                break
            if what == 'env':
                answer = probe.measure_env(int(count[0]) if count else args.steps, args.repeats)
            elif what == 'train':
                answer = probe.measure_train(int(count[0]) if count else args.iterations)
            else:
                answer = {'error': f'not a command: {line.strip()}'}
            print(json.dumps(answer), file=answers, flush=True)


if __name__ == '__main__':
    main()
