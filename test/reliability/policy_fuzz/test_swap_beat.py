# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The swaps of mutated folders: what passes, which folders are accepted wrongly, and waiting."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip('rclpy')
pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')

from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.reliability.policy_fuzz import swap_beat
from humanoid_locomotion.reliability.policy_fuzz.mutation import Mutation
from humanoid_locomotion.reliability.policy_fuzz.swap_beat import SwapResult, summary

RESULT = SwapResult(
    swaps=40, refused=38, harmless=('golden.npz: no packing',), accepted=(), commands=900,
    p99_alone=0.021, p50=0.02, p99=0.0249, longest=0.08, longest_answer=1.25, falls=0,
    state='standing')


@pytest.mark.parametrize('change, passes', [
    ({}, True), ({'longest': 1.0}, True), ({'p99': swap_beat.MAX_P99}, False),
    ({'p99': float('nan')}, False), ({'falls': 1}, False), ({'accepted': ('a key',)}, False),
    ({'state': 'damped: tilt'}, False), ({'state': ''}, False)])
def test_node_passes_at_its_rate_standing_and_with_harmless_folders_only(change, passes):
    assert replace(RESULT, **change).passed is passes


def test_summary_has_every_measurement():
    text = summary(replace(RESULT, accepted=('a.yaml: x (opened)', 'b: y (opened)')))
    for part in ('40 folders', '38 refused, 1 accepted', 'a.yaml: x (opened); b: y (opened)',
                 '900 commands', 'p50 20.0 ms, p99 24.9 ms (21.0 ms before', 'longest 80.0 ms',
                 'falls: 0', '1.25 s', "'standing'"):
        assert part in text
    assert 'not be: none.' in summary(RESULT)


@pytest.fixture
def stub_judge(monkeypatch):
    """Judge folders by their names: refused, wrong or harmless."""
    def open_by_name(path):
        if path.name == 'refused':
            raise LocomotionError('is damaged')
        return path
    monkeypatch.setattr(swap_beat, 'Judge', lambda source, spec: SimpleNamespace(
        open=open_by_name,
        wrong=lambda opened, mutation: 'differs' if opened.name == 'wrong' else ''))


def test_accepted_folders_are_harmless_only_if_the_judge_finds_nothing(stub_judge):
    mutation = Mutation('some bits', 'policy.onnx', False)
    harmless, accepted = swap_beat._judged(SimpleNamespace(path=None), None, [
        (Path(name), mutation) for name in ('refused', 'wrong', 'good')])
    assert harmless == ('policy.onnx: some bits',)
    assert accepted == ('policy.onnx: some bits (is damaged)', 'policy.onnx: some bits (differs)')


class Answer:
    """A future that is done after some spins of its driver."""

    def __init__(self, driver, spins, result):
        self._driver, self._due, self._result = driver, driver.spun + spins, result

    def done(self):
        return self._driver.spun >= self._due

    def result(self):
        assert self.done()
        return self._result


class StubDriver:
    """A driver whose node accepts a folder if the last digit of its name is in a text."""

    def __init__(self, accepts: str, spins: int = 3, state: str = 'standing'):
        self.accepts, self.spins, self.state = accepts, spins, state
        self.spun, self.policies, self.is_fallen = 0, [], False
        self.time, self.commands = 0.0, []

    def spin(self, seconds):
        self.spun += 1
        period = 0.1 if seconds == swap_beat.ALONE else 0.02
        for _ in range(20):
            self.time += period
            self.commands.append(self.time)

    def create_client(self, kind, name):
        return SimpleNamespace(call_async=self.set if 'parameters' in name else self.swap)

    def set(self, request):
        (parameter,) = request.parameters
        assert parameter.name == 'policy'
        self.policies.append(parameter.value.string_value)
        return Answer(self, self.spins, SimpleNamespace(results=[]))

    def swap(self, request):
        success = self.policies[-1][-1] in self.accepts
        return Answer(self, self.spins, SimpleNamespace(success=success))


def test_swap_sets_the_policy_first_and_returns_the_answer():
    driver = StubDriver(accepts='7')
    swapper = swap_beat._Swapper(driver)
    answers = [swapper.swap(Path(f'/x/{i}')) for i in (6, 7)]
    assert [accepted for accepted, _ in answers] == [False, True]
    assert driver.policies == ['/x/6', '/x/7'] and driver.spun == 4 * driver.spins
    assert all(0.0 <= seconds < 1.0 for _, seconds in answers)


def test_node_that_does_not_answer_is_an_error_with_its_state(monkeypatch):
    monkeypatch.setattr(swap_beat, 'MAX_ANSWER', 0.01)
    with pytest.raises(LocomotionError, match=r"no answer within 0\.01 s; the node is 'damped'"):
        swap_beat._Swapper(StubDriver('', spins=10 ** 9, state='damped')).swap(Path('/x'))


def test_swaps_count_refused_and_accepted_folders(monkeypatch, stub_judge):
    driver = StubDriver(accepts='24')

    @contextlib.contextmanager
    def running(folder, spec):
        yield driver, None
    made = []

    def tamper(source, path, seed):
        made.append(path)
        return 'YAML', Mutation(f'change {seed}', 'contract.yaml', False)
    monkeypatch.setattr(swap_beat, 'running_node', running)
    monkeypatch.setattr(swap_beat, 'tamper', tamper)
    result = swap_beat.swap_many(SimpleNamespace(path=None), None, 5)
    assert driver.policies == [str(path) for path in made] and len(set(made)) == 5
    assert (result.swaps, result.refused, result.accepted) == (5, 3, ())
    assert result.harmless == ('contract.yaml: change 2', 'contract.yaml: change 4')
    assert result.state == 'standing' and result.commands == len(driver.commands)
    assert result.p99_alone == pytest.approx(0.1)
    assert result.p50 == pytest.approx(0.02) == result.longest  # without those before the swaps
