# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Two iterations on the fake backend: what a run leaves behind, and how it goes on from there."""

from __future__ import annotations

import json
import math
import shutil

import pytest
from tiny import ROBOT, config
import torch
import yaml

from humanoid_locomotion.core.errors import CheckpointError, DivergedError, RunFolderError
from humanoid_locomotion.training.config_file import load_config
from humanoid_locomotion.training.monitoring import metrics_writer
from humanoid_locomotion.training.run import checkpoint, durable
from humanoid_locomotion.training.run.run_folder import Identity
from humanoid_locomotion.training.run.trainer import Trainer


def trainer(folder, *assignments: str, seed: int = 1) -> Trainer:
    """Give a trainer on the fake backend."""
    return Trainer(config(*assignments), ROBOT, backend='fake', device='cpu', seed=seed,
                   folder=folder, command='humanoid-locomotion train')


@pytest.fixture(scope='module')
def run(tmp_path_factory):
    """Give a trainer after its two iterations, and what it reported."""
    it, reports = trainer(tmp_path_factory.mktemp('runs') / 'first'), []
    it.run(lambda iteration, figures: reports.append((iteration, figures)))
    return it, reports


def same(first: object, second: object) -> bool:
    """Tell whether two nests of dicts, lists and tensors are equal to the last bit."""
    if isinstance(first, torch.Tensor):
        return torch.equal(first, second)
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(first[k], second[k]) for k in first)
    if isinstance(first, (list, tuple)):
        return len(first) == len(second) and all(map(same, first, second))
    return bool(first == second)


# What a run leaves behind.

def test_a_run_logs_one_line_for_each_iteration(run):
    it, reports = run
    lines = [json.loads(line) for line in (it.folder / 'metrics.jsonl').read_text().splitlines()]
    assert [line['iteration'] for line in lines] == [1, 2] == [number for number, _ in reports]
    assert [line['samples'] for line in lines] == [24, 48]  # 4 robots, 6 steps
    for line, (_, figures) in zip(lines, reports):
        assert {key: line[key] for key in figures} == figures
        assert {'reward/total', 'loss/value', 'policy/kl', 'speed/steps_per_second'} <= set(line)
        assert all(isinstance(value, (int, float)) for value in line.values())


def test_a_run_says_how_it_was_configured(run):
    it, _ = run
    assert load_config(it.folder / 'config.yaml') == it.config


def test_a_run_learns(run):
    it, _ = run
    untrained = trainer(it.folder)
    assert not same(untrained.model.actor.state_dict(), it.model.actor.state_dict())
    assert it.model.actor_normalizer.count == it.samples == 48


def test_the_same_seed_trains_the_same_network(run, tmp_path):
    it, _ = run
    for seed in (1, 2):
        again = trainer(tmp_path / str(seed), seed=seed)
        again.run()
        assert same(again.model.state_dict(), it.model.state_dict()) == (seed == it.seed)


def test_what_was_drawn_before_a_run_changes_nothing(tmp_path):
    carried = []
    for earlier in (1, 2):
        torch.manual_seed(earlier)
        carried.append(trainer(tmp_path).collector.snapshot()['env'])
    assert same(*carried)


def test_the_curriculum_makes_it_harder_and_exploring_less_worth(tmp_path):
    it = trainer(tmp_path, 'run.iterations=4', 'run.curriculum_start=0.2',
                 'run.curriculum_iterations=2', 'ppo.entropy=[0.01, 0.002]')
    factors, weights = [], []
    it.run(lambda *_: (factors.append(float(it.env.difficulty)),
                       weights.append(float(it.ppo.entropy_weight))))
    assert factors == pytest.approx([0.2, 0.6, 1.0, 1.0])
    assert weights == pytest.approx([0.01, 0.006, 0.002, 0.002])


def test_actions_grow_surer_over_the_second_half_of_the_run(tmp_path):
    it = trainer(tmp_path, 'run.iterations=8', 'ppo.final_std_factor=0.25')
    factors = []
    it.run(lambda *_: factors.append(float(it.model.std_factor)))
    assert factors[:5] == [1.0] * 5
    assert factors[5:] == pytest.approx([0.25 ** share for share in (0.25, 0.5, 0.75)])


def test_a_run_whose_time_is_spent_stops_with_a_checkpoint(tmp_path):
    it = trainer(tmp_path, 'run.iterations=1000', 'run.checkpoint_every=1000')
    it.run(max_seconds=0.0)
    assert it.iteration == 1
    assert checkpoint.latest(tmp_path).name == '000001.pt'


def test_a_run_that_diverges_stops_and_names_the_last_good_checkpoint(tmp_path):
    it = trainer(tmp_path, 'run.iterations=5')

    def poison(iteration: int, _: dict) -> None:
        if iteration == 2:
            it._follow_curriculum = lambda: it.env.difficulty.fill_(math.nan)

    with pytest.raises(DivergedError, match=r'diverged in iteration 3: .*000002\.pt'):
        it.run(poison)
    assert checkpoint.latest(tmp_path).name == '000002.pt'


def test_a_run_may_be_told_that_it_is_good_enough(tmp_path):
    it = trainer(tmp_path, 'run.iterations=9', 'run.checkpoint_every=2')
    it.run(is_done=lambda: True)
    assert it.iteration == 2  # asked after the first checkpoint


def test_symmetric_training_can_be_left_out(tmp_path):
    it = trainer(tmp_path, 'ppo.symmetry=false', 'run.iterations=1')
    it.run()
    assert it.ppo.mirrors is None and it.iteration == 1


# How it goes on.

def test_a_resumed_run_is_where_it_was(run, tmp_path):
    it, _ = run
    resumed = trainer(tmp_path, seed=99)
    resumed.resume(checkpoint.latest(it.folder))
    assert same(resumed.model.state_dict(), it.model.state_dict())  # normalisers included
    assert same(resumed.ppo.optimizer.state_dict(), it.ppo.optimizer.state_dict())
    assert torch.equal(resumed.ppo.learning_rate, it.ppo.learning_rate)
    assert (resumed.iteration, resumed.samples, resumed.seconds) == (2, 48, it.seconds)


@pytest.mark.parametrize('layout', ['proprioceptive_clock', 'proprioceptive'])
def test_a_resumed_run_goes_on_as_if_it_had_never_stopped(tmp_path, layout):
    setting = (f'observation.layout={layout}', 'observation.history=2',
               'terminations.episode_steps=9', 'commands.resample_period=[0.1, 0.2]')
    straight = trainer(tmp_path / 'straight', *setting, 'run.iterations=4')
    straight.run()
    first = trainer(tmp_path / 'first', *setting)
    first.run()
    second = trainer(tmp_path / 'second', *setting, 'run.iterations=4')
    second.resume(checkpoint.latest(first.folder))
    second.run()
    assert same(second.model.state_dict(), straight.model.state_dict())


def test_with_another_number_of_robots_only_the_episodes_are_new(run, tmp_path):
    it, _ = run
    resumed = trainer(tmp_path, 'run.num_envs=6', 'run.iterations=3')
    resumed.resume(checkpoint.latest(it.folder))
    assert same(resumed.model.state_dict(), it.model.state_dict())
    resumed.run()
    assert resumed.iteration == 3


def test_a_resumed_run_goes_on_counting_and_adapting(run, tmp_path):
    it, _ = run
    resumed = trainer(tmp_path, 'run.iterations=3')
    resumed.resume(checkpoint.latest(it.folder))
    resumed.run()
    (line,) = map(json.loads, (tmp_path / 'metrics.jsonl').read_text().splitlines())
    assert (line['iteration'], line['samples']) == (3, 72)
    assert line['speed/seconds'] > it.seconds
    (group,) = resumed.ppo.optimizer.param_groups
    assert group['lr'] is resumed.ppo.learning_rate
    step = next(iter(resumed.ppo.optimizer.state.values()))['step']
    assert int(step) == 3 * 2 * 2  # iterations, epochs, minibatches


def test_a_resumed_runs_lines_follow_those_before(run, tmp_path):
    first = trainer(tmp_path, 'run.iterations=1')
    first.run()
    second = trainer(tmp_path, 'run.iterations=2')
    second.resume(checkpoint.latest(tmp_path))
    second.run()
    lines = (tmp_path / 'metrics.jsonl').read_text().splitlines()
    assert [json.loads(line)['iteration'] for line in lines] == [1, 2]


def test_a_checkpoint_of_other_sizes_is_refused(run, tmp_path):
    path = checkpoint.latest(run[0].folder)
    larger = trainer(tmp_path, 'ppo.hidden_sizes=[32, 8]')
    with pytest.raises(CheckpointError, match='does not fit the config') as caught:
        larger.resume(path, accept_changes=True)
    assert str(caught.value).startswith(f'{path}: ')
    assert larger.iteration == 0


def test_a_checkpoint_of_another_robot_is_refused(run, tmp_path):
    path = tmp_path / 'other.pt'
    content = checkpoint.load(checkpoint.latest(run[0].folder), 'cpu')
    checkpoint.save(path, {**content, 'robot': 'other'})
    with pytest.raises(CheckpointError, match=r"other\.pt: is of the robot 'other', but 'humanoi"):
        trainer(tmp_path).resume(path)


def test_a_checkpoint_says_how_it_came_about(run):
    it, _ = run
    content = checkpoint.load(checkpoint.latest(it.folder), 'cpu')
    assert (content['robot'], content['model_hash']) == (ROBOT.name, ROBOT.model_hash)
    assert (content['backend'], content['seed'], content['iteration']) == ('fake', 1, 2)
    assert content['config'] == yaml.safe_load((it.folder / 'config.yaml').read_text())


# The run folder.

def lines_of(folder) -> list:
    """Give the iterations and samples that a run logged."""
    return [(line['iteration'], line['samples']) for line in
            map(json.loads, (folder / 'metrics.jsonl').read_text().splitlines())]


def resumed_trainer(path, folder, *assignments: str, accept_changes: bool = False) -> Trainer:
    """Give a trainer that goes on from a checkpoint."""
    it = trainer(folder, *assignments)
    it.resume(path, accept_changes)
    return it


def copy_of(run, tmp_path):
    """Give a copy of the run's folder, and the newest checkpoint in it."""
    folder = shutil.copytree(run[0].folder, tmp_path / 'copy')
    return folder, checkpoint.latest(folder)


def test_a_folder_has_a_checkpoint_from_its_first_moment(tmp_path):
    it = trainer(tmp_path / 'run')
    assert not (tmp_path / 'run').exists()  # made when the run begins
    it.begin()
    untrained = checkpoint.latest(tmp_path / 'run')
    assert untrained.name == '000000.pt'
    it.run_folder.close()
    resumed = resumed_trainer(untrained, tmp_path / 'run')
    resumed.run()
    straight = trainer(tmp_path / 'straight')
    straight.run()
    assert same(resumed.model.state_dict(), straight.model.state_dict())


def test_a_second_run_into_a_folder_is_refused_and_nothing_changes(run, tmp_path):
    folder, _ = copy_of(run, tmp_path)
    before = {path: path.read_bytes() for path in folder.rglob('*') if path.is_file()}
    with pytest.raises(RunFolderError, match=r'copy: holds a run already; --resume .*copy go'):
        trainer(folder).run()
    assert {path: path.read_bytes() for path in folder.rglob('*') if path.is_file()} == before


def test_two_trainings_at_once_are_refused(run, tmp_path):
    folder, newest = copy_of(run, tmp_path)
    first, second = (resumed_trainer(newest, folder, 'run.iterations=3') for _ in range(2))
    first.begin()
    with pytest.raises(RunFolderError, match='is being written by process'):
        second.run()
    first.run()
    assert [line for line, _ in lines_of(folder)] == [1, 2, 3]
    with pytest.raises(RunFolderError, match='was written by another process meanwhile'):
        second.run()  # begun before the first one went on
    assert [line for line, _ in lines_of(folder)] == [1, 2, 3]


def test_a_resumed_run_is_the_same_run_and_a_fork_another(run, tmp_path):
    folder, newest = copy_of(run, tmp_path)
    on, fork = (resumed_trainer(newest, it, 'run.iterations=3')
                for it in (folder, tmp_path / 'fork'))
    on.run()
    fork.run()
    assert on.identity == Identity.of(folder) == run[0].identity
    assert fork.identity.id != on.identity.id
    assert fork.identity.parent == f'{newest}, run {on.identity.id}'
    assert [it.name for it in sorted((tmp_path / 'fork' / 'checkpoints').iterdir())] == [
        '000002.pt', '000003.pt']  # it too has a checkpoint from its first moment
    assert checkpoint.open_latest(tmp_path / 'fork', 'cpu')[0].name == '000003.pt'


def test_iterations_that_no_checkpoint_holds_are_trained_and_logged_once(run, tmp_path):
    folder, newest = copy_of(run, tmp_path)
    with (folder / 'metrics.jsonl').open('a') as file:  # what a kill leaves
        file.write('{"iteration": 3, "samples": 1}\n{"iterat')
    (folder / 'checkpoints' / '000003.unfinished').write_bytes(b'half')
    resumed_trainer(newest, folder, 'run.iterations=4').run()
    assert lines_of(folder) == [(1, 24), (2, 48), (3, 72), (4, 96)]
    assert not list(folder.rglob('*.unfinished'))


# What was trained with what.

def test_samples_are_counted_through_resumes_with_other_numbers_of_robots(run, tmp_path):
    folder, newest = copy_of(run, tmp_path)
    resumed_trainer(newest, folder, 'run.num_envs=6', 'run.iterations=3').run()
    resumed_trainer(checkpoint.latest(folder), folder, 'run.num_envs=2', 'run.iterations=5').run()
    assert lines_of(folder) == [(1, 24), (2, 48), (3, 84), (4, 96), (5, 108)]
    content = checkpoint.load(checkpoint.latest(folder), 'cpu')
    assert content['samples'] == 108
    assert [(it.first, it.last, it.num_envs, it.samples) for it in checkpoint.segments(
        content, folder)] == [(1, 2, 4, 48), (3, 3, 6, 36), (4, 5, 2, 24)]


def test_a_checkpoint_of_format_2_goes_on_with_its_count_and_gets_an_id(run, tmp_path):
    content = checkpoint.load(checkpoint.latest(run[0].folder), 'cpu')
    old = {key: content[key] for key in checkpoint.KEYS}
    path = tmp_path / 'old' / 'checkpoints' / '000002.pt'
    path.parent.mkdir(parents=True)
    torch.save({**old, 'format_version': 2, 'samples': 1000}, path)
    it = resumed_trainer(path, tmp_path / 'old', 'run.iterations=3')
    it.run()
    assert it.samples == 1024
    assert Identity.of(tmp_path / 'old') == it.identity and it.identity.id
    assert checkpoint.open_latest(tmp_path / 'old', 'cpu')[1]['samples'] == 1024


def test_what_changed_is_refused_and_once_accepted_written_down(run, tmp_path):
    folder, newest = copy_of(run, tmp_path)
    with pytest.raises(CheckpointError, match=r'ppo\.gamma 0\.99, now 0\.9; --accept-changes'):
        resumed_trainer(newest, folder, 'ppo.gamma=0.9', 'run.iterations=3')
    it = resumed_trainer(newest, folder, 'ppo.gamma=0.9', 'ppo.learning_rate=0.0001',
                         'run.iterations=3', accept_changes=True)
    assert float(it.ppo.learning_rate) == pytest.approx(1e-4)  # not the adapted one of before
    it.run()
    last = checkpoint.segments(checkpoint.load(checkpoint.latest(folder), 'cpu'), folder)[-1]
    assert 'ppo.gamma 0.99, now 0.9' in last.changed


def test_after_a_change_the_robots_start_anew(run, tmp_path):
    """A snapshot of another simulator, or of buffers of another size, fits nothing."""
    folder, newest = copy_of(run, tmp_path)
    it = resumed_trainer(newest, folder, 'action.max_delay=3', 'run.iterations=3',
                         accept_changes=True)
    it.run()
    assert it.iteration == 3


# How it ends.

def test_a_wish_to_stop_is_granted_after_the_iteration_with_a_checkpoint(tmp_path):
    it = trainer(tmp_path / 'run', 'run.iterations=100', 'run.checkpoint_every=50')
    seen = []
    it.run(lambda iteration, _: seen.append(iteration), wants_stop=lambda: len(seen) == 2)
    assert it.iteration == 3  # asked for while the third one went on
    assert it.last_checkpoint.endswith('000003.pt')
    assert [line for line, _ in lines_of(it.folder)] == [1, 2, 3]


@pytest.mark.parametrize('file', ['000002.pt', 'metrics.jsonl'])
def test_a_disk_that_is_full_ends_a_run_in_one_sentence(tmp_path, monkeypatch, file):
    it = trainer(tmp_path / 'run', 'run.iterations=9')

    def fill(iteration: int, _: dict) -> None:
        """Let nothing more be written, without the rights that a full disk would need."""
        if iteration == 1 and file == 'metrics.jsonl':
            monkeypatch.setattr(metrics_writer, 'json', BrokenJson)
        elif iteration == 2:
            monkeypatch.setattr(durable, 'pour', fail)

    with pytest.raises(RunFolderError, match=(
            rf'{file}: cannot be written \(No space left on device\); the last checkpoint is '
            r'.*000001\.pt, --resume goes on')):
        it.run(fill)
    monkeypatch.undo()
    path, content = checkpoint.open_latest(tmp_path / 'run', 'cpu')
    assert content['iteration'] == int(path.stem) == 1
    assert not list((tmp_path / 'run').rglob('*.unfinished'))
    resumed_trainer(path, tmp_path / 'run', 'run.iterations=3').run()
    assert [line for line, _ in lines_of(tmp_path / 'run')] == [1, 2, 3]


def fail(*_: object) -> None:
    """Say what a full disk says."""
    raise OSError(28, 'No space left on device')


class BrokenJson:
    """What writes no line more."""

    dumps = staticmethod(fail)


def test_a_disk_that_is_full_at_the_start_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(durable, 'pour', fail)
    with pytest.raises(RunFolderError, match=r'000000\.pt: cannot be written'):
        trainer(tmp_path / 'run').run()
    assert list(tmp_path.iterdir()) == []
