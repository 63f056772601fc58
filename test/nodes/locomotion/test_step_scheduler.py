# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Deadlines are absolute, and the step waits for a measurement that keeps time."""

import time

import numpy as np
import pytest

from humanoid_locomotion.nodes.locomotion.step_scheduler import StepScheduler

PERIOD = 0.02


def simulate(arrivals, seconds):
    """Run a scheduler over times of arrival; give the times of the steps and the ages they saw."""
    scheduler, steps, ages, last = StepScheduler(PERIOD), [], [], 0.0
    scheduler.begin(0.0)
    for arrival in [*arrivals, np.inf]:
        while scheduler.alarm < min(arrival, seconds):
            now = scheduler.alarm
            steps.append(now)
            ages.append(now - last)
            scheduler.stepped(now, measured=False)
        if arrival > seconds:
            break
        last = arrival
        if scheduler.is_due(arrival):
            steps.append(arrival)
            ages.append(0.0)
            scheduler.stepped(arrival, measured=True)
    return np.array(steps), np.array(ages)


@pytest.mark.parametrize('rate, offset', [(50.0, 0.0), (50.0, 0.01), (100.0, 0.004),
                                          (200.0, 0.003), (1000.0, 0.0003)])
def test_step_acts_on_a_fresh_measurement_whatever_their_phase(rate, offset):
    """After a second of finding it."""
    steps, ages = simulate(np.arange(offset, 10.0, 1.0 / rate), 10.0)
    late = steps > 1.5
    assert ages[late].max() == 0.0
    np.testing.assert_allclose(np.diff(steps[late]), PERIOD, atol=1e-6 + 1.0 / rate * (rate > 50))


@pytest.mark.parametrize('rate', [50.005, 100.0, 190.0, 200.0, 333.0, 1000.0])
def test_rate_is_the_contracts_though_measurements_keep_their_own(rate):
    """190 Hz does not divide by 50; the steps still do."""
    steps, _ = simulate(np.arange(0.0, 60.0, 1.0 / rate), 60.0)
    assert len(steps) == pytest.approx(60.0 / PERIOD, rel=2e-3)


def test_alarm_keeps_time_when_measurements_stop():
    """The guard must get to see that they did."""
    steps, _ = simulate(np.arange(0.0, 1.0, 0.005), 3.0)
    np.testing.assert_allclose(np.diff(steps[steps > 1.1]), PERIOD, atol=1e-9)


def test_missed_deadlines_are_skipped():
    """After a stall of half a second there is one step, and not twenty-five."""
    scheduler = StepScheduler(PERIOD)
    scheduler.begin(0.0)
    scheduler.stepped(0.5, measured=True)
    assert not scheduler.is_due(0.51)
    assert scheduler.alarm == pytest.approx(0.53, abs=1e-3)


def test_jitter_does_not_add_up():
    """Deadlines are counted from the first."""
    random = np.random.default_rng(0)
    arrivals = np.sort(np.arange(0.0, 60.0, 0.005) + random.uniform(-0.002, 0.002, 12000))
    steps, _ = simulate(arrivals, 60.0)
    assert len(steps) == pytest.approx(3000, abs=3)
    # Half a sensor's period and its jitter, on either side.
    assert np.abs(np.diff(steps) - PERIOD).max() < 0.0025 + 0.002 + 0.004


def test_rehearsal_ends_before_the_measurement_it_is_for():
    """It is before the deadline, which the measurements keep to, and after the step before."""
    scheduler = StepScheduler(PERIOD)
    scheduler.begin(0.0)
    scheduler.stepped(0.0, measured=True)
    assert 0.5 * PERIOD < scheduler.rehearsal < PERIOD < scheduler.alarm


def test_a_rehearsal_that_takes_longer_begins_earlier():
    """It must be over when the measurement arrives, and does not take half the period."""
    scheduler = StepScheduler(PERIOD)
    scheduler.begin(0.0)
    ahead = []
    for seconds in (0.0005, 0.002, 0.001, 0.03):
        scheduler.rehearsed(seconds)
        ahead.append(-scheduler.rehearsal)
    assert ahead[:2] == pytest.approx([0.0014, 0.003])
    assert ahead[2] < ahead[1] and ahead[3] == pytest.approx(0.005)
    for _ in range(100):
        scheduler.rehearsed(0.001)
    assert -scheduler.rehearsal == pytest.approx(0.0015, rel=0.01)


@pytest.mark.ros
def test_the_node_measures_its_rehearsals(bench, monkeypatch):
    one = bench()
    one.stand()
    interface = one.node.interface
    monkeypatch.setattr(interface.loop, 'rehearse', lambda _: time.sleep(0.004))
    scheduler = interface._scheduler
    one.until(lambda: scheduler._due - scheduler.rehearsal > 0.0049)
