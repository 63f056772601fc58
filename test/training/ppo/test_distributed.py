# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Several processes that train one policy: alone nothing changes, together they stay one."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
import socket
import subprocess
import sys
from threading import Thread

import pytest
from tiny import ROBOT, config
import torch

from humanoid_locomotion.core.errors import ConfigError, LocomotionError
from humanoid_locomotion.training.ppo import distributed
from humanoid_locomotion.training.ppo.distributed import Group, join
from humanoid_locomotion.training.run import checkpoint
from humanoid_locomotion.training.run.trainer import Trainer

SUPPORT = Path(__file__).parents[2] / 'support'


def test_alone_there_is_nothing_to_exchange():
    group, tensor = join('cpu'), torch.randn(3)
    before = tensor.clone()
    group.average([tensor])
    group.sum([tensor])
    assert torch.equal(tensor, before)
    assert group.gather('it') == ['it']
    assert group.is_first and group.size == 1
    assert not Group(rank=1, size=2).is_first


def test_processes_that_differ_are_told_the_key_and_both_values():
    store, told = torch.distributed.HashStore(), {}

    def compare(rank: int) -> None:
        own = json.dumps({'ppo.gamma': 0.9 + 0.09 * (rank == 0), 'seed': 1})
        try:
            distributed._check_same([json.loads(text) for text in
                                     distributed._exchanged(store, rank, 3, own)])
        except ConfigError as error:
            told[rank] = str(error)

    threads = [Thread(target=compare, args=(rank,)) for rank in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20.0)
    assert set(told) == {0, 1, 2}  # each of them ends
    assert {text.partition(';')[0] for text in told.values()} == {
        'process 1: ppo.gamma: found 0.9, and 0.99 in process 0'}


@pytest.mark.parametrize('theirs', [{'checkpoint': 'a'}, {}, {'checkpoint': '', 'more': 1}])
def test_a_fact_that_only_one_process_has_is_a_difference(theirs):
    distributed._check_same([{'checkpoint': ''}] * 2)
    with pytest.raises(ConfigError, match=r'process 1: (checkpoint|more): found'):
        distributed._check_same([{'checkpoint': ''}, theirs])


def test_a_process_that_never_starts_is_reported_after_a_while(monkeypatch):
    monkeypatch.setattr(distributed, 'START_TIMEOUT', 1.0)
    for name, value in {'RANK': '0', 'LOCAL_RANK': '0', 'WORLD_SIZE': '2',
                        'MASTER_ADDR': '127.0.0.1', 'MASTER_PORT': str(free_port())}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(LocomotionError, match='not all 2 processes have started within 1 s'):
        join('cpu')


def work(folder: str, stops: bool, iterations: int, resumes: bool) -> None:
    """Train as one of several processes; print what must be the same in all and what must not.

    Only the first process is ever told that the policy is good enough, as on the command line.
    """
    it = Trainer(config(f'run.iterations={iterations}'), ROBOT, backend='fake', device='cpu',
                 seed=1, folder=Path(folder))
    if resumes:
        it.resume(checkpoint.latest(Path(folder)))
    it.run(is_done=lambda: stops and it.group.is_first)
    print(json.dumps({
        'rank': it.group.rank, 'iteration': it.iteration, 'samples': it.samples,
        'rate': float(it.ppo.learning_rate),
        'network': {name: tensor.flatten().tolist()
                    for name, tensor in it.model.state_dict().items()},
        'command': it.env.commands.command.tolist()}))
    it.close()


def train(folder: str, key: str) -> None:
    """Train in CPU MuJoCo with another value of a key in each process if one is named."""
    rank = os.environ['RANK']
    try:
        it = Trainer(config(f'{key}=0.9{rank}' if key else 'run.num_envs=2', 'run.num_envs=2'),
                     ROBOT, backend='mujoco', device='cpu', seed=1, folder=Path(folder))
    except LocomotionError as error:
        print(f'refused: {error}')
        return
    it.run()
    weights = torch.cat([tensor.flatten() for tensor in it.model.state_dict().values()])
    print(json.dumps({'rank': it.group.rank, 'weights': hashlib.sha256(
        weights.numpy().tobytes()).hexdigest()}))  # short: nobody reads the pipe meanwhile
    it.close()


def free_port() -> int:
    """Give a port that nobody listens on."""
    with socket.socket() as it:
        it.bind(('127.0.0.1', 0))
        return int(it.getsockname()[1])


def both(folder: Path, stops: bool = False, iterations: int = 2, resumes: bool = False) -> list:
    """Give what two processes print that train together."""
    paths = [str(Path(__file__).parent), str(SUPPORT), str(SUPPORT.parents[1]),
             os.environ.get('PYTHONPATH', '')]
    shared = {**os.environ, 'PYTHONPATH': os.pathsep.join(paths), 'WORLD_SIZE': '2',
              'MASTER_ADDR': '127.0.0.1', 'MASTER_PORT': str(free_port())}
    program = ('import test_distributed as t; '
               f't.work({str(folder)!r}, {stops}, {iterations}, {resumes})')
    workers = [subprocess.Popen(
        [sys.executable, '-c', program], text=True, stdout=subprocess.PIPE,
        env={**shared, 'RANK': rank, 'LOCAL_RANK': rank}) for rank in ('0', '1')]
    try:
        return [json.loads(worker.communicate(timeout=120)[0].splitlines()[-1])
                for worker in workers]
    finally:
        for worker in workers:
            worker.kill()


@pytest.mark.slow
def test_what_stops_the_first_process_stops_all_of_them(tmp_path):
    assert [worker['iteration'] for worker in both(tmp_path, stops=True)] == [1, 1]


@pytest.mark.slow
def test_two_processes_learn_one_policy_from_robots_of_their_own(tmp_path):
    first, second = both(tmp_path)
    assert (first['rank'], second['rank']) == (0, 1)
    assert first['network'] == second['network'] and first['rate'] == second['rate']
    assert first['command'] != second['command']
    assert first['samples'] == 2 * 4 * 6 * 2  # iterations, robots, steps, processes
    assert first['network']['actor_normalizer.count'] == [first['samples']]
    lines = (tmp_path / 'metrics.jsonl').read_text().splitlines()
    assert [json.loads(line)['iteration'] for line in lines] == [1, 2]  # written by one of them


@pytest.mark.slow
def test_two_processes_go_on_as_if_they_had_never_stopped(tmp_path):
    straight = both(tmp_path / 'straight', iterations=4)
    both(tmp_path / 'stopped')
    resumed = both(tmp_path / 'stopped', iterations=4, resumes=True)
    assert resumed == straight  # weights, learning rate and each process's own commands


def on_two_nodes(folder: Path, key: str = '') -> list:
    """Return the last line of two processes that two torchruns start, as two machines would."""
    paths = [str(Path(__file__).parent), str(SUPPORT), str(SUPPORT.parents[1]),
             os.environ.get('PYTHONPATH', '')]
    program = f'import test_distributed as t; t.train({str(folder)!r}, {key!r})'
    port = free_port()
    nodes = [subprocess.Popen(
        [sys.executable, '-m', 'torch.distributed.run', '--nnodes', '2', '--node-rank', str(node),
         '--nproc-per-node', '1', '--master-addr', '127.0.0.1', '--master-port', str(port),
         '--no-python', sys.executable, '-c', program], text=True, stdout=subprocess.PIPE,
        env={**os.environ, 'PYTHONPATH': os.pathsep.join(paths), 'OMP_NUM_THREADS': '1'})
        for node in range(2)]
    try:
        return [node.communicate(timeout=120)[0].splitlines()[-1] for node in nodes]
    finally:
        for node in nodes:
            node.kill()


@pytest.mark.slow
def test_two_nodes_of_torchrun_end_with_the_same_weights(tmp_path):
    pytest.importorskip('mujoco', minversion='3.3')
    first, second = map(json.loads, on_two_nodes(tmp_path / 'run'))
    assert (first['rank'], second['rank']) == (0, 1)
    assert first['weights'] == second['weights']
    assert len(checkpoint.load(checkpoint.latest(tmp_path / 'run'), 'cpu')['processes']) == 2


@pytest.mark.slow
def test_two_nodes_with_different_configs_write_nothing(tmp_path):
    pytest.importorskip('mujoco', minversion='3.3')
    first, second = on_two_nodes(tmp_path / 'run', key='ppo.gamma')
    assert first == second and 'process 1: ppo.gamma: found 0.91, and 0.9 in' in first
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize('gpus, device, expected', [
    (0, 'auto', 'found 2, but this machine has no GPU'), (0, 'cuda', 'found 2, but'),
    (1, 'auto', 'found 2, expected 1 to 1'), (0, 'cpu', ''), (2, 'auto', '')])
def test_each_process_needs_a_gpu_unless_the_cpu_is_asked_for(monkeypatch, gpus, device, expected):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: gpus > 0)
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: gpus)
    if not expected:
        distributed.check_gpus(2, device)
        return
    with pytest.raises(ConfigError, match=f'--gpus: {expected}'):
        distributed.check_gpus(2, device)
