# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The rate of false alarms on a stub of the bench: noise, kicks, commands, and what is counted."""

from collections import Counter
import math
from types import SimpleNamespace
from unittest.mock import Mock

import numpy as np
import pytest
from spoilt_evidence import CONTRACT, evidence, limits, spoil

pytest.importorskip('rclpy')
pytest.importorskip('mujoco')

from sensor_msgs.msg import Imu, JointState

from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.core.safety.guard import SafetyGuard
from humanoid_locomotion.nodes.locomotion.state_machine import Mode
from humanoid_locomotion.reliability.faults.fault_bench import TICK
from humanoid_locomotion.reliability.soak import false_alarms
from humanoid_locomotion.reliability.soak.false_alarms import (
    COMMAND_FOR,
    FAR,
    KICK,
    KICK_EVERY,
    LATE,
    NOISE,
    Setting,
    Tally,
    Witness,
    soak_rules,
)

FOLDER = SimpleNamespace(contract=CONTRACT, path=SimpleNamespace(name='walker'))
SPEC = SimpleNamespace(base_height=0.9)


class Bench:
    """A robot that walks forward at a speed, and falls when the test says.

    Attributes:
        speed: Its speed [m/s].
        falls_at: Time at which it falls [s].
        mode: Mode of the node at the end.
        trips_at: Times at which a rule trips [s].
    """

    speed, falls_at, mode, trips_at = 0.0, math.inf, Mode.WALKING, ()

    def __init__(self, folder, spec, parameters, terrain=None, start=(0.0, 0.0, 0.0)):
        self.folder, self.parameters, self.terrain = folder, parameters, terrain
        self.start, self.ticks, self.command, self.commands = start, 0, None, []
        self.filters, self.kicks, self.is_closed = {}, [], False
        self.robot = SimpleNamespace(
            joint_names=CONTRACT.joint_names, state=self.state,
            push=lambda velocity: self.kicks.append((self.elapsed, *velocity)))
        self.loop = SimpleNamespace(
            guard=SafetyGuard(limits()), condition=Mock(),
            machine=SimpleNamespace(mode=self.mode, label=self.mode.value))

    @property
    def elapsed(self):
        return self.ticks * TICK

    @property
    def now(self):
        return 1000.0 + self.elapsed

    @property
    def is_fallen(self):
        return self.elapsed >= self.falls_at

    def state(self):
        forward = [self.speed * self.elapsed, 0.0, 0.0]
        return SimpleNamespace(base_position=(np.asarray(self.start) + forward)[None])

    def stand(self):
        pass

    def tick(self):
        self.ticks += 1
        self.commands.append(self.command)
        if any(abs(self.elapsed - at) < TICK / 2 for at in self.trips_at):
            self.loop.guard.seen.append((self.now, 'tilt'))

    def close(self):
        self.is_closed = True


@pytest.fixture
def benches(monkeypatch):
    """Return the benches that are made."""
    made = []

    def make(*given):
        made.append(Bench(*given))
        return made[-1]
    monkeypatch.setattr(false_alarms, 'FaultBench', make)
    return made


def dressed(setting, seed=0):
    """Return the filters of a setting."""
    bench = Bench(FOLDER, SPEC, None)
    false_alarms._dress(bench, setting, np.random.default_rng(seed))
    return bench.filters


def joint_states():
    """Return joint states of a robot at rest whose motors pull with their full effort."""
    n = CONTRACT.num_actions
    return JointState(name=list(CONTRACT.joint_names), position=n * [0.1], velocity=n * [0.2],
                      effort=CONTRACT.values('effort').tolist())


def test_quiet_sensors_are_left_as_they_are():
    filters = dressed(Setting('flat'))
    assert filters['joint_states'](joint_states()) == [(joint_states(), 0.0)]
    assert filters['imu/data'](Imu()) == [(Imu(), 0.0)]


def noise(count=100):
    """Return the noise of positions, velocities and torques as a share, of noisy sensors."""
    change, found = dressed(Setting('noisy', noisy=True))['joint_states'], []
    for _ in range(count):
        ((msg, delay),) = change(joint_states())
        assert delay == LATE
        found.append((np.subtract(msg.position, 0.1), np.subtract(msg.velocity, 0.2),
                      np.divide(msg.effort, CONTRACT.values('effort')) - 1.0))
    return (np.array(values) for values in zip(*found))


def test_noise_of_the_joints_fills_its_bounds():
    for values, bound in zip(noise(), (NOISE['position'], NOISE['velocity'])):
        assert 0.95 * bound < np.abs(values).max() <= bound + 1e-12
        assert abs(values.mean()) < 0.05 * bound


def test_noise_of_the_torques_is_a_share_of_the_effort():
    *_, torques = noise()
    assert torques.std() == pytest.approx(false_alarms.TORQUE_NOISE, rel=0.1)


def test_noise_of_the_gyroscope_is_on_every_axis_and_bounded():
    change, seen = dressed(Setting('noisy', noisy=True))['imu/data'], []
    for _ in range(200):
        ((msg, delay),) = change(Imu())
        rate = msg.angular_velocity
        seen.append((rate.x, rate.y, rate.z))
    largest = np.abs(seen).max(axis=0)
    assert (largest > 0.9 * NOISE['turning']).all() and (largest <= NOISE['turning']).all()
    assert delay == LATE


@pytest.mark.parametrize('noisy', [False, True])
def test_robot_without_torque_sensors_publishes_none(noisy):
    change = dressed(Setting('blind', torques=False, noisy=noisy))['joint_states']
    ((msg, _),) = change(joint_states())
    assert len(msg.effort) == 0 and len(msg.position) == CONTRACT.num_actions


def walked(setting, seconds, seed=0, speed=0.0):
    """Walk on a stub of the bench; return the bench, the counts, and whether it fell."""
    bench, tally = Bench(FOLDER, SPEC, None), Tally()
    bench.speed = speed
    fell = false_alarms._walk(
        bench, setting, np.random.default_rng(seed), tally, np.zeros(3), seconds)
    return bench, tally, fell


def test_commands_last_three_seconds_and_fill_the_trained_range():
    bench, tally, _ = walked(Setting('flat'), 300.0)
    blocks = np.array(bench.commands).reshape(-1, round(COMMAND_FOR / TICK), 3)
    assert (blocks == blocks[:, :1]).all()
    commands = blocks[:, 0]
    velocity = CONTRACT.command_limits.velocity
    assert tally.commands == len(commands) == 100 and tally.kicks == 0
    assert (commands >= velocity.lower).all() and (commands <= velocity.upper).all()
    assert np.abs(commands.max(axis=0) - velocity.upper).max() < 0.1
    assert (commands == 0.0).all(axis=1).mean() == pytest.approx(
        false_alarms.STANDING_SHARE, abs=0.1)


def test_kicks_come_from_every_side_within_their_speed_and_pause():
    bench, tally, _ = walked(Setting('kicked', kicked=True), 300.0)
    at, x, y, z = np.array(bench.kicks).T
    speed = np.hypot(x, y)
    assert tally.kicks == len(at) and not z.any()
    assert (speed >= KICK[0]).all() and (speed <= KICK[1]).all()
    pauses = np.diff(at)
    assert (pauses >= KICK_EVERY[0] - TICK).all() and (pauses <= KICK_EVERY[1] + TICK).all()
    assert {(a > 0, b > 0) for a, b in zip(x, y)} == {
        (True, True), (True, False), (False, True), (False, False)}


@pytest.mark.parametrize('rough', [False, True])
def test_walk_on_finite_ground_ends_before_its_border(rough):
    bench, _, fell = walked(Setting('ground', rough=rough), 30.0, speed=1.0)
    assert not fell and bench.elapsed == pytest.approx(FAR if rough else 30.0, abs=2 * TICK)


def test_motors_and_battery_of_a_healthy_robot_are_published(benches):
    bench, tally, _ = walked(Setting('flat'), 6.0)
    condition = bench.loop.condition
    warm = [msg for ((msg, _), _) in condition.take_temperature.call_args_list]
    assert Counter(msg.header.frame_id for msg in warm) == dict.fromkeys(
        CONTRACT.joint_names, tally.commands)
    guarded = limits()
    assert all(msg.temperature < guarded.warm_motor for msg in warm)
    ((charge, _), _) = condition.take_battery.call_args
    assert charge.percentage > guarded.low_battery


def test_time_is_shared_by_the_settings_and_counted_to_the_end(benches):
    rows = soak_rules(FOLDER, SPEC, 120.0, (Setting('one'), Setting('two')))
    assert [(row['policy'], row['setting']) for row in rows] == [
        ('walker', 'one'), ('walker', 'two')]
    assert [row['minutes'] for row in rows] == [1.0, 1.0]
    assert len(benches) == 4 and all(bench.is_closed for bench in benches)


def test_rough_ground_has_a_start_of_its_own_and_no_least_height(benches):
    soak_rules(FOLDER, SPEC, 240.0, (Setting('flat'), Setting('rough', rough=True)))
    flat = [bench for bench in benches if bench.terrain is None]
    rough = [bench for bench in benches if bench.terrain is not None]
    assert {tuple(bench.start) for bench in flat} == {(0.0, 0.0, 0.0)}
    assert len({tuple(bench.start) for bench in rough}) > 1
    assert all(0.0 < bench.parameters.min_height < SPEC.base_height for bench in flat)
    assert all(bench.parameters.min_height == 0.0 for bench in rough)


@pytest.mark.parametrize('falls_at, falls, alarms', [(math.inf, 0, 2), (9.0, 1, 1)])
def test_trip_just_before_a_fall_is_no_alarm(
        benches, monkeypatch, falls_at, falls, alarms):
    monkeypatch.setattr(Bench, 'falls_at', falls_at)
    monkeypatch.setattr(Bench, 'trips_at', (3.0, 8.0))
    said = []
    (row,) = soak_rules(FOLDER, SPEC, 9.0, (Setting('flat'),), report=said.append)
    assert (row['falls'], row['alarms'], row['by']) == (falls, alarms, f'tilt: {alarms}')
    assert len(said) == 1 and 'flat' in said[0]


def test_node_that_stops_walking_is_no_walk(benches, monkeypatch):
    monkeypatch.setattr(Bench, 'mode', Mode.FAULT)
    with pytest.raises(LocomotionError, match='stopped walking: fault'):
        soak_rules(FOLDER, SPEC, 6.0, (Setting('flat'),))
    assert benches[0].is_closed


def test_walks_are_those_of_the_seed(benches):
    for seed in (0, 0, 1):
        soak_rules(FOLDER, SPEC, 30.0, (Setting('flat'),), seed=seed)
    first, again, other = (bench.commands for bench in benches)
    assert first == again != other


def test_witness_records_each_trip_with_its_time_and_never_stops_the_robot():
    witness = Witness(SafetyGuard(limits()))
    for now in (0.0, 1.0, 2.0):
        seen = evidence(now)
        if now != 1.0:
            spoil('age', 1.0)(seen)
        assert witness.judge(seen) is None and witness.latched is None
    assert witness.seen == [(0.0, 'sensor silent'), (2.0, 'sensor silent')]
