# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The navigator drives an ideal robot, and one that is pushed, stuck or carried away."""

import math

import numpy as np
import pytest

from humanoid_locomotion.core.command import CommandSpec
from humanoid_locomotion.core.errors import ConfigError, UnknownNameError
from humanoid_locomotion.nodes.navigation.named_places import load_rooms
from humanoid_locomotion.nodes.navigation.navigator import Goal, Mode, Navigator, NavigatorSettings
from humanoid_locomotion.nodes.navigation.pursuit import wrap

LIMITS = CommandSpec.of(
    lin_vel_x=(-0.5, 1.0), lin_vel_y=(-0.4, 0.4), ang_vel_z=(-0.8, 0.8))
STEP = 0.05


class Walker:
    """A robot that does exactly what it is told.

    Attributes:
        pose: (3,) where it is.
        commands: What it was told.
        modes: What the navigator was doing, each change once.
    """

    def __init__(self, **settings):
        self.navigator = Navigator(NavigatorSettings(**settings), LIMITS)
        self.pose, self.now = np.zeros(3), 0.0
        self.commands, self.modes = [], []
        self.obeys = True

    def go(self, x, y, heading=0.0, via=()):
        goal = np.array([x, y, heading])
        route = np.array([*via, (x, y)], float)
        self.navigator.go(Goal('there', goal, route), self.pose, self.now)

    def walk(self, seconds):
        for _ in range(round(seconds / STEP)):
            self.now += STEP
            command = self.navigator.step(self.pose, self.now)
            if not self.modes or self.modes[-1] is not self.navigator.mode:
                self.modes.append(self.navigator.mode)
            if command is None:
                continue
            self.commands.append(command)
            if self.obeys:
                cos, sin = math.cos(self.pose[2]), math.sin(self.pose[2])
                forward, left, turn = command
                self.pose = self.pose + STEP * np.array(
                    [cos * forward - sin * left, sin * forward + cos * left, turn])

    def is_at(self, x, y, heading=0.0):
        return bool(math.hypot(self.pose[0] - x, self.pose[1] - y) < 0.15
                    and abs(wrap(self.pose[2] - heading)) < 0.15)


@pytest.mark.parametrize('goal', [
    (2.0, 0.0, 0.0), (-2.0, 0.5, 1.5), (0.0, 3.0, 3.1), (0.2, -0.2, -1.5), (0.0, 0.0, 2.0)])
def test_it_arrives_and_falls_silent(goal):
    walker = Walker()
    walker.go(*goal)
    walker.walk(25.0)
    assert walker.is_at(*goal) and walker.navigator.label == 'arrived: there'
    assert not walker.commands[-1].any()
    count = len(walker.commands)
    walker.walk(2.0)
    assert len(walker.commands) == count


def test_commands_stay_in_the_limits_and_change_gently():
    walker = Walker()
    walker.go(-2.0, 1.0, 2.0)
    walker.walk(25.0)
    commands = np.array(walker.commands)
    assert (commands >= np.array(LIMITS.lower) - 1e-6).all()
    assert (commands <= np.array(LIMITS.upper) + 1e-6).all()
    moving = np.abs(np.diff(commands[:-25], axis=0))
    assert (moving <= np.array([0.05, 0.05, 0.1]) + 1e-9).all()


def test_who_faces_away_turns_first():
    walker = Walker()
    walker.go(-2.0, 0.0, math.pi)
    walker.walk(2.0)
    assert walker.modes[0] is Mode.TURNING and np.linalg.norm(walker.pose[:2]) < 0.05
    walker.walk(20.0)
    assert walker.modes == [Mode.TURNING, Mode.WALKING, Mode.ARRIVING, Mode.ARRIVED]


def test_a_plan_is_walked_along_its_points():
    walker = Walker()
    walker.go(2.0, 2.0, math.pi / 2, via=[(0.0, 0.0), (2.0, 0.0)])
    closest = math.inf
    for _ in range(400):
        walker.walk(STEP)
        closest = min(closest, math.hypot(walker.pose[0] - 2.0, walker.pose[1]))
    assert closest < 0.45 and walker.is_at(2.0, 2.0, math.pi / 2)


def test_a_loop_is_not_cut_short_where_it_ends_as_it_begins():
    walker = Walker()
    walker.go(0.0, 0.0, 0.0, via=[(0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (0.0, 2.0)])
    walker.walk(8.0)
    assert walker.pose[1] > 0.5
    walker.walk(25.0)
    assert walker.is_at(0.0, 0.0, 0.0) and walker.navigator.mode is Mode.ARRIVED


def test_who_is_pushed_off_the_path_gets_a_new_one():
    walker = Walker()
    walker.go(4.0, 0.0)
    walker.walk(2.0)
    assert walker.navigator.plans == 1
    walker.pose = walker.pose + [0.0, 0.8, 0.5]
    walker.walk(STEP)
    assert walker.navigator.plans == 2
    np.testing.assert_allclose(walker.navigator.path[0], walker.pose[:2], atol=0.05)
    walker.walk(20.0)
    assert walker.is_at(4.0, 0.0)


@pytest.mark.parametrize('hold, mode', [(True, Mode.ARRIVING), (False, Mode.ARRIVED)])
def test_who_is_pushed_away_after_the_arrival_walks_back_if_it_is_to_hold(hold, mode):
    walker = Walker(hold=hold)
    walker.go(1.0, 0.0)
    walker.walk(10.0)
    walker.pose = walker.pose + [0.0, 0.2, 0.0]
    walker.walk(1.0)
    assert walker.navigator.mode is Mode.ARRIVED  # within twice the tolerance it stays
    walker.pose = walker.pose + [0.0, 0.15, 0.0]
    walker.walk(0.5)
    assert walker.navigator.mode is mode
    walker.walk(10.0)
    assert walker.is_at(1.0, 0.0) is hold


def test_who_gets_nowhere_gives_up_and_stands():
    walker = Walker(progress_timeout=3.0)
    walker.obeys = False
    walker.go(2.0, 0.0)
    walker.walk(5.0)
    assert walker.navigator.label == 'failed: there, no progress for 3 s'
    assert not walker.commands[-1].any()


def test_cancel_stands_once_and_only_with_a_goal():
    walker = Walker()
    assert not walker.navigator.cancel()
    walker.go(2.0, 0.0)
    walker.walk(1.0)
    assert walker.navigator.cancel() and walker.navigator.label == 'cancelled: there'
    assert walker.navigator.step(walker.pose, walker.now) is None
    assert not walker.navigator.cancel()


def test_a_new_goal_replaces_the_old_one():
    walker = Walker()
    walker.go(4.0, 0.0)
    walker.walk(2.0)
    walker.go(0.0, 0.0, 0.0)
    walker.walk(20.0)
    assert walker.is_at(0.0, 0.0, 0.0)


# Rooms.

def test_a_room_is_found_as_it_is_said(tmp_path):
    path = tmp_path / 'rooms.yaml'
    path.write_text('frame: map\nrooms:\n  Kitchen: {x: 1.0, y: 2, heading: 0.5}\n')
    rooms = load_rooms(path)
    assert rooms.frame == 'map'
    np.testing.assert_array_equal(rooms.find(' KITCHEN\n').pose, [1.0, 2.0, 0.5])
    with pytest.raises(UnknownNameError, match="did you mean 'kitchen'"):
        rooms.find('kitchn')


@pytest.mark.parametrize('text, problem', [
    ('frame: map\nrooms: {a: {x: .nan, y: 0.0}}', 'must be finite'),
    ('frame: map\nrooms: {a: {x: 0.0}}', "missing keys ['y']"),
    ('rooms: {}', "missing keys ['frame']")])
def test_a_rooms_file_that_does_not_fit_is_refused(tmp_path, text, problem):
    path = tmp_path / 'rooms.yaml'
    path.write_text(text)
    with pytest.raises(ConfigError) as refused:
        load_rooms(path)
    assert problem in str(refused.value)
