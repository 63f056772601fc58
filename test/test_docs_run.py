# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The pages lead through: their commands are run, page by page, in the order they stand in.

What is long is made short by documented options, or by a tiny protocol; what cannot be run here is
in :data:`NOT_RUN`, with the reason. A command that no table knows fails.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.util import find_spec
import os
from pathlib import Path
import re
import shlex
import shutil
import subprocess
import sys

import pytest

pytest.importorskip('typer')
pytest.importorskip('torch')
pytest.importorskip('mujoco')
pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')
pytest.importorskip('matplotlib')

from test_docs import COMMANDS, PAGES

from humanoid_locomotion.core.robot import load_robot

ROOT = Path(__file__).parents[1]
SMALL_TRAINING = ('--num-envs 4 --iterations 1 --device cpu --set ppo.rollout_steps=4 '
                  '--set ppo.hidden_sizes=[16,8]')


@dataclass(frozen=True)
class Run:
    """How a command is run.

    Attributes:
        pattern: Which commands; a regular expression that fits a whole one.
        options: What is added to make it short.
        ends_with: Exit codes that are as they should be.
        is_slow: Whether it runs with the slow tests only.
        apart: Whether it needs a process of its own.
        needs: A package without which it is left out.
    """

    pattern: str
    options: str = ''
    ends_with: tuple = (0,)
    is_slow: bool = False
    apart: bool = False
    needs: str = 'typer'


RUN = (
    # The tutorial's, of which test_own_robot.py runs enough for every day, and the course's.
    Run('train --config (docs/tutorial/wren.yaml|course) .*', SMALL_TRAINING, is_slow=True),
    Run('policy (export runs|check policies)/(wren|course).*', is_slow=True),
    Run('evaluate policies/(wren .*|course)', ends_with=(1,), is_slow=True),
    Run('robot list|--help|.* --help'),
    Run(r'policy check( \S+)?( --robot \S+)?'),
    Run('policy envelope POLICY'),
    Run('policy compare .*'),
    Run('robot import .*'),
    Run('robot check .*'),
    Run('train .* --print-config'),
    Run(r'train( --robot \w+)?', SMALL_TRAINING),
    Run('train --resume runs/humanoid-DATE .*', '--iterations 2 --device cpu'),
    Run('train --config unitree_g1_rough', SMALL_TRAINING, is_slow=True),
    Run('train --until-scorecard', SMALL_TRAINING, is_slow=True),
    Run('train --viewer web', SMALL_TRAINING, needs='scipy'),
    Run('policy export runs/.*'),
    # Of policies that learned for one iteration: they fail, and are measured all the same.
    Run('evaluate .*(--dt|--model).*', ends_with=(1,), is_slow=True),
    Run('evaluate (POLICY|policies/mine)( .*)?', ends_with=(1,)),
    Run('policy (rebuild|sign) POLICY'),
    Run('policy retune POLICY .*', needs='onnx'),
    Run('walk --policy .*', '--seconds-scale 0.05', (0, 1), is_slow=True, apart=True),
    Run('navigate kitchen door --push 0', is_slow=True, apart=True))
NAMED = '(evaluate|policy (check|envelope|export|sign)|robot write-urdf)'
NOT_RUN = {
    NAMED: 'is only named',
    '--install-completion': 'changes the start-up files of the shell',
    'policy compare --seeds candidates/.*': 'needs other runs: '
                                            'test/evaluation/comparison/test_seeds.py',
    'policy import-onnx .*': 'needs a network of another stack: '
                             'test/core/policy/test_import_onnx.py makes one',
    'dev benchmark .*': 'takes minutes, or a GPU: test/benchmarks/test_throughput.py',
    'dev check-isaacgym .*': 'needs Isaac Gym: '
                             'test/sim/isaacgym/test_isaacgym_check.py runs it on the fake',
    'evaluate policies/mine --backend mujoco_warp': 'needs a GPU to be bearable: '
                                                    'test/evaluation/comparison/test_sim_to_sim.py',
    r'evaluate \S+ --terrain rough': 'takes a minute: test/evaluation/test_rough_terrain.py',
    'evaluate .*--sim-to-sim': 'takes minutes: '
                               'test/evaluation/comparison/test_sim_to_sim_matrix.py',
    'dev faults .*': 'takes minutes: '
                     'test/reliability/faults/test_fault_matrix.py runs some of them',
    'dev interface .*': 'test/nodes/test_interface_docs.py holds the page to what it writes',
    'navigate (--json|--by-legs)': 'as navigate with two rooms, which is run; by legs in '
                                   'test/nodes/demos/test_navigate.py',
    'dev replay FILE': 'test/nodes/locomotion/test_recording.py records and replays',
    'dev soak .*': 'takes minutes: test/reliability/soak/test_soak.py',
    '(train --init policies/mine|policy export .* --training-state).*': 'as in '
        'test/training/run/test_init.py, which begins from a policy',
    'policy (push|fetch) .*': 'needs a hub: test/cli/test_policy_hub.py has one',
    'teleop': 'needs a terminal: test/nodes/operator/test_teleop.py gives it one',
    'train --backend (isaacgym|mujoco_warp) .*': 'needs a GPU',
    r'train (--robot \w+ )?--seed \d( --num-envs \d+)? --iterations \d+': 'needs a GPU',
    'train .*--sweep .*': 'takes hours: test/sweep/test_sweep.py runs some',
    'train --config mine.yaml( .*)?': "is run with the tutorial's files on the page own_robot",
    '(robot check|train --robot) robots/mine': 'has TODOs: is run for wren on the page own_robot',
    'walk --viewer web': 'does not end: test/nodes/operator/test_viewer.py opens it in a browser',
}
OURS = [param.values[0][1:] for param in COMMANDS if param.values[0][0] == 'humanoid-locomotion']


def how(command):
    """Give the entry for a command; None where the reason why it is not run is written down."""
    text = ' '.join(command)
    if any(re.fullmatch(pattern, text) for pattern in NOT_RUN):
        return None
    for entry in RUN:
        if re.fullmatch(entry.pattern, text):
            return entry
    raise AssertionError(f'neither in RUN nor in NOT_RUN: humanoid-locomotion {text}')


def commands_of(page):
    """Give the commands of a page in order, each once."""
    found = [param.values[0][1:] for param in COMMANDS
             if param.id.startswith(f'{page.stem}: humanoid-locomotion')]
    return [list(words) for words in dict.fromkeys(map(tuple, found))]


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Give a folder with what a reader has: the package's pages, and files of their own."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'docs').symlink_to(ROOT / 'docs')
    for name in ('my_robot.urdf', 'model.urdf'):
        shutil.copy(ROOT / 'docs' / 'tutorial' / 'wren.urdf', name)
    for name in ('my.xml', 'my_g1.xml'):  # of the robot that policies/mine is for
        shutil.copy(load_robot('humanoid').mjcf_path, name)
    shutil.copytree(ROOT / 'policies' / 'humanoid', 'policies/mine')
    return tmp_path


@pytest.fixture
def tiny_protocol(monkeypatch):
    """Let evaluate take seconds."""
    monkeypatch.syspath_prepend(str(ROOT / 'test' / 'evaluation'))
    from test_evaluate import TINY

    from humanoid_locomotion.evaluation import cli as command
    from humanoid_locomotion.evaluation import protocol
    from humanoid_locomotion.evaluation.comparison import sim_to_sim
    from humanoid_locomotion.evaluation.plots import animation
    monkeypatch.setattr(animation, 'SCENES', (((0.5, 0.0, 0.0), 0.2),))
    short = replace(TINY, settle_time=0.5, measure_time=1.0, survive_time=0.5, push_runs=1,
                    tour_runs=1, tour_time=1.0, tour_command_time=0.5, tour_push_time=0.5)
    for module in (command, protocol, sim_to_sim):
        monkeypatch.setattr(module, 'FULL', replace(short, quick=False))
        monkeypatch.setattr(module, 'QUICK', short)


def run_here(words, monkeypatch):
    """Run a command in this process; give its exit code."""
    from humanoid_locomotion.cli.main import main
    monkeypatch.setattr(sys, 'argv', ['humanoid-locomotion', *words])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code or 0


def run_apart(words):
    """Run a command in a process of its own; give its exit code."""
    return subprocess.run([sys.executable, '-m', 'humanoid_locomotion', *words], timeout=300,
                          env={**os.environ, 'PYTHONPATH': str(ROOT)}, check=False).returncode


def lead_through(page, monkeypatch, slow):
    """Run what the tables say of a page's commands."""
    for words in commands_of(page):
        entry = how(words)
        if entry is None or (entry.is_slow and not slow) or find_spec(entry.needs) is None:
            continue
        words = [word.replace('POLICY', 'policies/mine') for word in words]
        if 'runs/humanoid-DATE' in words:
            newest = max(Path('runs').glob('humanoid-2*'))
            words[words.index('runs/humanoid-DATE')] = str(newest)
        words += shlex.split(entry.options)
        code = run_apart(words) if entry.apart else run_here(words, monkeypatch)
        assert code in entry.ends_with, f'{page.name}: {shlex.join(words)} ended with {code}'


PAGES_OF_OURS = [pytest.param(page, id=page.stem) for page in PAGES if commands_of(page)]


@pytest.mark.parametrize('page', PAGES_OF_OURS)
def test_a_page_leads_through(page, place, tiny_protocol, monkeypatch):
    lead_through(page, monkeypatch, slow=False)


@pytest.mark.slow
@pytest.mark.ros
@pytest.mark.parametrize('page', PAGES_OF_OURS)
def test_a_page_leads_through_the_long_way(page, place, tiny_protocol, monkeypatch):
    pytest.importorskip('rclpy')
    lead_through(page, monkeypatch, slow=True)


def test_the_tables_have_no_line_too_many():
    said = [' '.join(words) for words in OURS]
    for pattern in (*NOT_RUN, *(entry.pattern for entry in RUN)):
        assert any(re.fullmatch(pattern, text) for text in said), pattern


def test_most_of_what_is_written_is_run():
    entries = [how(words) for words in OURS if not re.fullmatch(NAMED, ' '.join(words))]
    assert sum(entry is not None for entry in entries) > len(entries) / 2


def test_tests_that_stand_in_exist():
    for reason in NOT_RUN.values():
        for path in re.findall(r'test/\S+\.py', reason):
            assert (ROOT / path).is_file(), path


# Other tools. ROS 2's own are not here; test_docs.py holds launch files and types to the pages.
MAKE = sorted({tuple(param.values[0]) for param in COMMANDS if param.values[0][0] == 'make'})
NOT_IN_CI = {'test-all': 'the slow tests take minutes: before a release, by hand',
             'clean': 'CI begins by removing the same by itself'}


@pytest.mark.parametrize('words', MAKE, ids=' '.join)
def test_make_knows_what_to_do(words):
    done = subprocess.run(['make', '--dry-run', *words[1:]], cwd=ROOT, capture_output=True,
                          text=True, timeout=60, check=False)
    assert done.returncode == 0 and done.stdout, done.stderr


def test_ci_runs_the_targets_that_the_pages_name():
    script = (ROOT / '.ci' / 'run').read_text(encoding='utf-8')
    run = set(re.findall(r'^make (\S+)', script, re.MULTILINE))
    named = {word for words in MAKE for word in words[1:] if '=' not in word}
    assert named <= run | set(NOT_IN_CI), named - run - set(NOT_IN_CI)
    assert not run & set(NOT_IN_CI)
