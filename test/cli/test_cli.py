# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The command line: what it prints, and what it refuses in one line, leaving nothing behind."""

from __future__ import annotations

from dataclasses import dataclass
import importlib.util
import json
from pathlib import Path
import subprocess
import sys

import numpy as np
from policy_factory import holding_policy
import pytest

pytest.importorskip('typer')

import typer

from humanoid_locomotion.cli.main import app, main
from humanoid_locomotion.cli.renamed import RENAMED
from humanoid_locomotion.core.policy.content import write_sums
from humanoid_locomotion.core.policy.folder import open_policy
from humanoid_locomotion.core.policy.onnx_graph import CONTRACT_KEY
from humanoid_locomotion.core.reading.resources import policy_folders
from humanoid_locomotion.core.robot import load_robot


def commands(group, name=''):
    """Give the words of every command of the command line."""
    if not hasattr(group, 'commands'):
        yield name
        return
    for word, command in group.commands.items():
        yield from commands(command, f'{name} {word}'.strip())


COMMANDS = sorted(commands(typer.main.get_command(app)))
TINY = ('--num-envs', 4, '--iterations', 2, '--set', 'ppo.rollout_steps=4',
        '--set', 'ppo.hidden_sizes=[16, 8]', '--set', 'run.checkpoint_every=1')


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Give a function that runs a command line in an empty folder."""
    monkeypatch.setenv('COLUMNS', '250')
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> Ended:
        monkeypatch.setattr(sys, 'argv', ['humanoid-locomotion', *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return Ended(ended.value.code or 0, *capsys.readouterr())

    return call


def python(program: str) -> subprocess.CompletedProcess:
    """Run a program in a process of its own."""
    root = str(Path(__file__).parents[2])
    return subprocess.run(
        [sys.executable, '-c', f'import sys\nsys.path.insert(0, {root!r})\n{program}'],
        capture_output=True, text=True, timeout=120, check=False)


# What it prints.

def test_the_commands_are_those_of_the_documentation():
    top = {command.name or command.callback.__name__ for command in app.registered_commands}
    assert top == {'train', 'evaluate', 'walk', 'navigate', 'teleop'}
    assert {group.name for group in app.registered_groups} == {'policy', 'robot', 'dev'}
    assert {'policy check', 'policy export', 'robot list', 'dev soak'} <= set(COMMANDS)


@pytest.mark.parametrize('command', COMMANDS)
def test_every_command_explains_itself_and_its_options(run, command):
    ended = run(*command.split(), '--help')
    assert ended.code == 0 and f'Usage: humanoid-locomotion {command}' in ended.out
    lines = [line.strip('│ ') for line in ended.out.splitlines()]
    for i, line in enumerate(lines):
        if line.startswith('--') and '--help' not in line:
            assert line.rstrip()[-1] in '.])', (line, lines[i + 1])  # ends in a sentence


def test_help_shows_the_units(run):
    """Units in brackets look like markup to rich, which would leave them out."""
    for words, unit in (('evaluate', '[s]'), ('navigate', '[m/s]'), ('robot import', '[rad]'),
                        ('policy retune', '[rad/s]'), ('dev soak', '[min]')):
        assert unit in run(*words.split(), '--help').out, words


def test_help_is_quick():
    done = python("""
from humanoid_locomotion.cli.main import main
sys.argv = ['humanoid-locomotion', '--help']
try:
    main()
finally:
    print('heavy:', sorted({'torch', 'mujoco', 'onnxruntime', 'matplotlib'} & set(sys.modules)))
""")
    assert done.returncode == 0 and done.stdout.endswith('heavy: []\n'), done.stderr
    for name in ('train', 'evaluate', 'walk', 'navigate', 'teleop', 'policy', 'robot', 'dev'):
        assert f' {name} ' in done.stdout
    listed = {line.split()[1] for line in done.stdout.splitlines() if line.startswith('│ ')}
    assert not listed & set(RENAMED)


def test_robots_lists_what_ships(run):
    ended = run('robot', 'list')
    assert ended.code == 0
    (row,) = [line for line in ended.out.splitlines() if ' humanoid ' in line]
    assert ' 23 ' in row and f' {load_robot("humanoid").mass:.1f} kg ' in row
    for name in policy_folders():
        assert name in ended.out


def test_check_says_what_a_policy_is(run, tmp_path):
    folder = holding_policy(tmp_path / 'holding')
    ended = run('policy', 'check', folder, '--engine', 'onnxruntime')
    assert ended.code == 0 and ended.err == ''
    for text in (str(folder), 'humanoid, 23 joints, model same', '50 Hz, default_offset',
                 'velocity_command', 'turning left [-1, 1]', 'onnxruntime', 'largest difference'):
        assert text in ended.out


def test_a_urdf_is_written_from_the_mjcf(run, tmp_path):
    pytest.importorskip('mujoco')
    ended = run('robot', 'write-urdf', 'humanoid', '--output', 'mine.urdf')
    assert (ended.code, ended.out) == (0, 'wrote mine.urdf\n')
    assert (tmp_path / 'mine.urdf').read_text().count('type="revolute"') == 23


# What it refuses.

def refused(ended: Ended, *texts: str) -> None:
    """Assert exit code 2 and one line that holds the texts."""
    assert ended.code == 2, ended
    assert ended.out.strip() == '' and ended.err.count('\n') == 1, ended
    assert ended.err.startswith('error: ')
    for text in texts:
        assert text in ended.err


@pytest.mark.parametrize('arguments, texts', [
    (['train', '--robot', 'humanoyd'], ["unknown robot 'humanoyd'", "did you mean 'humanoid'?"]),
    (['train', '--config', 'missing.yaml'], ['missing.yaml: cannot be read (No such file']),
    (['train', '--config', 'elsewhere'], ['elsewhere.yaml: cannot be read']),
    (['train', '--set', 'ppo.gama=1'], ["ppo.gama: unknown key 'gama'; the keys are", "'gamma'"]),
    (['train', '--set', 'ppo.gamma'], ['ppo.gamma: expected KEY=VALUE']),
    (['train', '--set', 'ppo.gamma=high'], ["ppo.gamma: expected float, found str 'high'"]),
    (['train', '--set', 'rewards.weights={enrgy: 1.0}', *TINY],
     ["unknown reward 'enrgy' (did you mean 'energy'?)"]),
    (['train', '--set', 'observation.layout=all'], ["unknown observation layout 'all'"]),
    (['train', '--num-envs', 0], ['train: --num-envs: found 0, expected 1 to 65,536']),
    (['train', '--backend', 'gazebo'], ["unknown backend 'gazebo'; there is: fake, isaacgym, "]),
    (['train', '--backend', 'fake', '--viewer', 'window', *TINY],
     ['the backend fake has no viewer window; isaacgym has one']),
    (['train', '--resume', 'yesterday', *TINY], ['yesterday: holds no checkpoints/*.pt']),
    (['policy', 'export', 'yesterday', '--output', 'policy'],
     ['yesterday: holds no checkpoints/*.pt']),
    (['policy', 'check', 'nobody'], ["unknown policy 'nobody'; there is: "]),
    (['policy', 'import-onnx', 'no.onnx', '--robot', 'humanoid', '--output', 'mine'],
     ['no.onnx: cannot be read (No such file']),
    (['policy', 'retune', 'humanoid', '--output', 'mine'],
     ['--linear-velocity, --beyond-robot: expected one of them; 0.9, 1.0 0.2 and ']),
    (['policy', 'retune', 'humanoid', '--output', 'mine', '--gait-period', 0],
     ['--gait-period: period must be from 0.1 to 10 s, found 0.0']),
    (['policy', 'retune', 'humanoid', '--output', 'mine', '--yaw-rate', 0, 1],
     ['--yaw-rate: gain must be above 0 and at most 10', 'found 0.0']),
    (['evaluate', 'humanoid', '--dt', 0], ['evaluate: --dt: found 0.0, expected above 0']),
    (['evaluate', 'humanoid', '--backend', 'gazebo'], ["unknown backend 'gazebo'; there is: "]),
    (['evaluate', 'humanoid', '--terrain', 'rough', '--quick'],
     ['--terrain rough goes with --robot, --seed and --json only']),
    (['evaluate', 'humanoid', '--terrain', 'rough', '--dt', 0],
     ['--terrain rough goes with --robot, --seed and --json only']),
    (['evaluate', 'humanoid', '--sim-to-sim', '--dt', 0.001],
     ['--sim-to-sim: has its own settings']),
    (['policy', 'compare', 'humanoid', '--seeds', '--json'],
     ['--seeds prints Markdown: leave out --json']),
    (['train', '--config', 'unitree_g1_rough', '--backend', 'fake', *TINY],
     ['the backend fake has a flat floor only; mujoco, mujoco_warp and']),
    (['evaluate', 'nobody'], ["unknown policy 'nobody'; there is: "]),
])
def test_bad_input_is_one_line_and_leaves_nothing(run, tmp_path, arguments, texts):
    refused(run(*arguments), *texts)
    assert list(tmp_path.iterdir()) == []


def test_a_typing_error_in_an_option_shows_the_usage(run, tmp_path):
    ended = run('train', '--num-envs', 'many')
    assert ended.code == 2 and 'Usage:' in ended.err and '--num-envs' in ended.err
    assert list(tmp_path.iterdir()) == []


def test_a_broken_policy_is_refused_by_file(run, tmp_path):
    folder = holding_policy(tmp_path / 'holding')
    contract, sums = folder / 'contract.yaml', (folder / 'SHA256SUMS').read_bytes()
    contract.write_text(contract.read_text().replace('effort: 150.0', 'effort: 151.0', 1))
    refused(run('policy', 'check', folder), f'{contract}: ',
            'does not match its hash in SHA256SUMS')
    refused(run('policy', 'sign', folder), f'{contract}: ', 'a value was changed after export')
    assert not (folder / 'SHA256SUMS').exists()
    (folder / 'SHA256SUMS').write_bytes(sums)
    contract.unlink()
    refused(run('policy', 'check', folder), f'{contract}: is missing')


def test_a_standalone_policy_of_other_weights_is_refused_and_rebuilt(run, tmp_path):
    onnx = pytest.importorskip('onnx')
    folder = holding_policy(tmp_path / 'holding')
    whole = onnx.load(folder / 'policy.onnx')
    (bias,) = [it for it in whole.graph.initializer if it.name == 'network/bias_0']
    bias.raw_data = np.full(bias.dims, 0.1, np.float32).tobytes()
    onnx.save(whole, folder / 'policy.onnx')
    refused(run('policy', 'sign', folder), 'its joint targets differ by 0.0')
    write_sums(folder)
    refused(run('policy', 'check', folder), f"{folder / 'policy.onnx'}: its joint targets differ",
            'policy rebuild')
    assert run('policy', 'rebuild', folder).code == 0
    checked = json.loads(run('policy', 'check', folder, '--json').out)
    assert 0.0 <= checked['standalone_error'] < 1e-5


def test_an_unknown_engine_lists_those_that_exist(run, tmp_path):
    folder = holding_policy(tmp_path / 'holding')
    refused(run('policy', 'check', folder, '--engine', 'tensorflow'),
            "unknown engine 'tensorflow'; there is: auto, onnxruntime, torch")


@pytest.mark.parametrize('backend, package, install', [
    ('mujoco', 'mujoco', "pip install 'humanoid_locomotion[sim]'"),
    ('mujoco_warp', 'mujoco_warp', "pip install 'humanoid_locomotion[train]'")])
def test_a_backend_that_is_not_installed_says_how_to(run, tmp_path, monkeypatch, backend, package,
                                                     install):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name, *rest: (
        None if name == package else find(name, *rest)))
    refused(run('train', '--backend', backend, *TINY),
            f'the backend {backend} needs the package {package!r}', install)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize('arguments', [
    ['train'], ['policy', 'export', 'run', '--output', 'policy']])
def test_training_without_torch_says_how_to_install_it(arguments):
    done = python(f"""
sys.modules['torch'] = None
from humanoid_locomotion.cli.main import main
sys.argv = ['humanoid-locomotion', *{arguments!r}]
main()
""")
    assert done.returncode == 2 and done.stderr.count('\n') == 1, done.stderr
    assert "needs the package 'torch'" in done.stderr
    assert "pip install 'humanoid_locomotion[train]'" in done.stderr


# From a config to a policy.

def test_train_export_and_check_from_end_to_end(run, tmp_path):
    for package in ('mujoco', 'torch', 'onnx', 'onnxruntime'):
        pytest.importorskip(package)
    first = run('train', '--backend', 'mujoco', '--seed', 3, '--output', 'run', *TINY)
    assert first.code == 0 and first.err == ''
    assert 'trained 2 iterations, 32 control steps' in first.out
    assert {'config.yaml', 'metrics.jsonl', 'checkpoints'} <= {
        path.name for path in (tmp_path / 'run').iterdir()}

    as_first = (tmp_path / 'run' / 'config.yaml').read_text()
    longer = run('train', '--backend', 'mujoco', '--resume', 'run', '--output', 'run',
                 '--iterations', 3)  # with the config of the checkpoint
    assert longer.code == 0 and 'trained 3 iterations, 48 control steps' in longer.out
    assert (tmp_path / 'run' / 'config.yaml').read_text() == as_first.replace(
        'iterations: 2\n', 'iterations: 3\n')
    lines = (tmp_path / 'run' / 'metrics.jsonl').read_text().splitlines()
    assert [json.loads(line)['iteration'] for line in lines] == [1, 2, 3]

    exported = run('policy', 'export', 'run', '--output', 'policies/mine')
    assert (exported.code, exported.out) == (
        0, 'wrote policies/mine, from run/checkpoints/000003.pt, iteration 3\n')
    card = (tmp_path / 'policies' / 'mine' / 'card.md').read_text()
    assert 'humanoid-locomotion train --backend mujoco' in card

    checked = run('policy', 'check', 'policies/mine', '--engine', 'onnxruntime')
    assert checked.code == 0 and 'golden steps' in checked.out


def test_import_robot_drafts_a_folder_and_lists_what_is_open(run, tmp_path):
    pytest.importorskip('mujoco')
    model = load_robot('unitree_h1').mjcf_path
    ended = run('robot', 'import', model, '--name', 'mine')
    assert ended.code == 0
    assert sorted(p.name for p in (tmp_path / 'robots' / 'mine').iterdir()) == [
        'check.html', 'robot.xml', 'robot.yaml']
    (row,) = [line for line in ended.out.splitlines() if ' effort ' in line]
    assert '19 joints' in row and 'TODO' in row
    again = run('robot', 'import', model, '--name', 'mine')
    assert again.code == 2 and 'exists already' in again.err


def test_a_policy_that_ships_is_retuned(run, tmp_path):
    pytest.importorskip('onnx')
    pytest.importorskip('onnxruntime')
    ended = run('policy', 'retune', 'humanoid', '--output', 'mine', '--gait-period', 0.9,
                '--yaw-rate', 1.0, 0.2, '--linear-velocity', 0.5, 0.3, 0.5, 4.0)
    assert ended.code == 0 and ended.err == ''
    contract = open_policy(tmp_path / 'mine', engine='onnxruntime').contract
    assert contract.gait.period == 0.9
    assert contract.yaw_rate_integral.limit == 0.2
    assert contract.linear_velocity_loop.limit == 0.3
    assert f'wrote mine, fingerprint {contract.fingerprint}' in ended.out


def test_a_policy_of_ours_is_imported_by_its_flat_metadata_as_what_it_is(run, tmp_path):
    onnx = pytest.importorskip('onnx')
    pytest.importorskip('onnxruntime')
    folder = policy_folders()['humanoid']
    model = onnx.load(folder / 'network.onnx')
    flat = [entry for entry in model.metadata_props if entry.key != CONTRACT_KEY]
    del model.metadata_props[:]
    model.metadata_props.extend(flat)
    onnx.save(model, tmp_path / 'theirs.onnx')
    ended = run('policy', 'import-onnx', 'theirs.onnx', '--robot', 'humanoid',
                '--output', 'policies/theirs')
    assert ended.code == 0 and ended.err == ''
    (row,) = [line for line in ended.out.splitlines() if ' control_period ' in line]
    assert '0.02' in row and 'theirs.onnx' in row
    ours, theirs = (open_policy(it, engine='onnxruntime')
                    for it in (folder, tmp_path / 'policies' / 'theirs'))
    assert theirs.contract == ours.contract
    assert 'rehearsal: the robot walks ' in ended.out
