# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Watching a run: the newest checkpoint walks, beside the training and never in its way."""

from __future__ import annotations

import os
import shutil
import socket
import time
from urllib.parse import urlsplit

from browser import open_page
import numpy as np
import pytest

pytest.importorskip('torch')
pytest.importorskip('mujoco', minversion='3.3')

from tiny import ROBOT, config

from humanoid_locomotion.training.monitoring import viewer as training_viewer
from humanoid_locomotion.training.monitoring.viewer import SCENES, TrainingViewer, Walker, newest
from humanoid_locomotion.training.run.trainer import Trainer


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """Give a run folder with the checkpoints of two iterations."""
    folder = tmp_path_factory.mktemp('run')
    trainer = Trainer(config(), ROBOT, backend='fake', device='cpu', seed=1, folder=folder)
    trainer.run()
    trainer.close()
    return folder


@pytest.fixture
def run(trained, tmp_path):
    """Give a copy of that run."""
    return shutil.copytree(trained, tmp_path / 'run')


def test_there_is_nothing_to_see_before_the_first_checkpoint(tmp_path):
    assert newest(tmp_path, ROBOT, None) is None


def test_a_checkpoint_walks_through_the_scenes_until_it_fell_for_a_while(run):
    walker = newest(run, ROBOT, None)
    assert walker.iteration == 2
    start, heights = walker.seen()[0].copy(), []
    for _ in range(5):
        walker.step()
    assert walker.scene == 'stand' and not walker.command.any()
    while not walker.is_done:
        walker.step()
        heights.append(walker.seen()[0][2])
    assert start[2] == pytest.approx(ROBOT.base_height, abs=0.01)
    assert min(heights) < 0.5  # two iterations teach nobody to stand
    assert walker._fallen_steps * walker.period == pytest.approx(training_viewer.FALLEN_TIME)
    walker.close()


def test_commands_are_shares_of_the_range(run, monkeypatch):
    walker = Walker(training_viewer.checkpoint.latest(run), ROBOT)
    limits = config().commands.limits
    for i, (name, share) in enumerate(SCENES):
        walker._steps = round(training_viewer.SCENE_TIME * i / walker.period) + 1
        walker.step()
        expected = [s * (high if s > 0.0 else -low)
                    for s, low, high in zip(share, limits.lower, limits.upper)]
        assert walker.scene == name
        np.testing.assert_allclose(walker.command, expected, atol=1e-6)
    walker.close()


def test_a_newer_checkpoint_is_taken_and_a_broken_one_is_not(run):
    first = newest(run, ROBOT, None)
    again = newest(run, ROBOT, first)
    assert again is not first and again.path == first.path
    (run / 'checkpoints' / '999999.pt').write_bytes(b'half')
    assert newest(run, ROBOT, again) is again
    again.close()


def test_a_port_that_is_taken_is_passed_over(monkeypatch, tmp_path):
    started = []
    monkeypatch.setattr(training_viewer.importlib.util, 'find_spec', lambda name: True)
    monkeypatch.setattr(training_viewer.subprocess, 'Popen',
                        lambda *given, **options: started.append((given[0], options)))
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        taken.listen()
        port = taken.getsockname()[1]
        viewer = TrainingViewer(tmp_path, ROBOT.folder, port)
    ((command, options),) = started
    served, token = urlsplit(viewer.address).port, urlsplit(viewer.address).path.strip('/')
    assert served != port and command[-1] == str(options['pass_fds'][0])
    # Nobody but the browser's owner learns the token: command lines are read by everybody.
    assert options['env'][training_viewer.TOKEN] == token and token not in ' '.join(command)


def wait_for(condition, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.slow
@pytest.mark.browser
def test_a_browser_shows_the_checkpoints_and_the_process_ends_with_the_run(run):
    pytest.importorskip('viser')
    pytest.importorskip('scipy')
    with open_page(run) as page:
        viewer = TrainingViewer(run, ROBOT.folder, 18_180)
        try:
            wait_for(lambda: not socket.socket().connect_ex(('127.0.0.1', 18_180)))
            page.goto(viewer.address.replace(urlsplit(viewer.address).path, ''))
            page.get_by_text('holds a token').wait_for()
            page.goto(viewer.address)
            page.get_by_text('iteration 2: stand').wait_for()
            before = page.screenshot()
            wait_for(lambda: page.screenshot() != before)
            page.screenshot(path=os.environ.get('SCREENSHOT', str(run / 'seen.png')))
        finally:
            viewer.close()
    assert viewer._process.poll() is not None
    assert socket.socket().connect_ex(('127.0.0.1', 18_180))
