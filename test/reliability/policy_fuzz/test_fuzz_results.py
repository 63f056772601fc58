# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The fuzz of policy folders: its batches, its judgement of each folder, and its summary."""

from __future__ import annotations

from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
import multiprocessing
import os
from pathlib import Path
import signal
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')

from humanoid_locomotion.core.errors import LocomotionError, PolicyError
from humanoid_locomotion.core.policy.content import FILES, SUMS, read_folder
from humanoid_locomotion.core.policy.folder import find_policy
from humanoid_locomotion.core.policy.speed_envelope import MAX_SPEED, Envelope
from humanoid_locomotion.core.policy.vetting import MAX_MEMORY, memory_in_use
from humanoid_locomotion.reliability.policy_fuzz import breakages, fuzz
from humanoid_locomotion.reliability.policy_fuzz.mutation import Mutation, copy_folder

SOURCE = find_policy('humanoid')
NETWORK = Mutation('some bits', 'policy.onnx', False)
SCORED = Mutation('a key less', 'scorecard.json', False)
TRIED = fuzz.Tried('npz', NETWORK, '', '', 0.1, 0.1, 1_000_000, False)


class HerePool:
    """Runs tasks at once, in this process; a crash is an exception instead."""

    def __init__(self, processes, mp_context):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def submit(self, run, *task):
        future: Future = Future()
        try:
            future.set_result(run(*task))
        except BrokenProcessPool as error:
            future.set_exception(error)
        return future


@pytest.fixture
def here(monkeypatch):
    """Run batches in this process."""
    monkeypatch.setattr(fuzz, 'ProcessPoolExecutor', HerePool)


def batches_that_crash_at(seeds, sizes):
    """Return a batch function that crashes at some seeds, and records its batches' sizes."""
    def run(source, first, count):
        sizes.append(count)
        if any(first <= seed < first + count for seed in seeds):
            raise BrokenProcessPool
        return [replace(TRIED, sentence=str(first + i)) for i in range(count)]
    return run


@pytest.mark.parametrize('count, first', [(0, 0), (1, 0), (50, 0), (51, 7), (120, 1000)])
def test_every_seed_is_tried_once(here, count, first):
    sizes = []
    result = fuzz.fuzz(SOURCE, count, first=first, run=batches_that_crash_at((), sizes))
    assert [int(one.sentence) for one in result.tried] == list(range(first, first + count))
    assert sum(sizes) == count and max(sizes, default=0) <= fuzz.BATCH


@pytest.mark.parametrize('seeds', [{0}, {3, 4}, {119}, {0, 60, 61}])
def test_seeds_that_crash_are_found_and_the_others_are_kept(here, seeds):
    result = fuzz.fuzz(SOURCE, 120, run=batches_that_crash_at(seeds, []))
    assert set(result.crashed) == seeds and result.failed == len(seeds)
    assert {int(one.sentence) for one in result.tried} == set(range(120)) - seeds


def test_failed_folders_are_the_wrong_and_the_crashed():
    tried = (TRIED, replace(TRIED, wrong='opened'), replace(TRIED, sentence='refused'))
    assert fuzz.FuzzResult(tried, (4, 5)).failed == 3
    assert fuzz.FuzzResult(tried[::2], ()).failed == 0


def test_tampering_is_that_of_its_seed_and_signed_unless_damaged(tmp_path):
    for seed in range(10):
        grammar, mutation = fuzz.tamper(SOURCE, tmp_path / f'{seed}', seed)
        assert (grammar, mutation) == fuzz.tamper(SOURCE, tmp_path / f'{seed} again', seed)
        assert grammar == fuzz.GRAMMARS[seed][0]
        contents = [{name: (tmp_path / copy / name).read_bytes() for name in (*FILES, SUMS)
                     if (tmp_path / copy / name).is_file()
                     and (tmp_path / copy / name).stat().st_size < 1 << 20}
                    for copy in (f'{seed}', f'{seed} again')]
        if mutation.file != 'golden.npz':  # an archive has the time of its writing
            assert contents[0] == contents[1]
        if grammar == 'damage':
            with pytest.raises(PolicyError, match='does not match its hash'):
                read_folder(tmp_path / f'{seed}')
        elif grammar == 'npz':
            read_folder(tmp_path / f'{seed}')


def envelope(**values) -> Envelope:
    """Return an envelope with some other values."""
    speeds = ((-0.5, 1.0), (-0.4, 0.4), (-1.0, 1.0))
    return replace(Envelope(speeds, speeds, 0.05, 0.1, (((0.5, 0.0, 0.0), (0.4, 0.0, 0.0)),), ''),
                   **values)


@pytest.mark.parametrize('values, wrong', [
    ({}, ''), ({'dead_zone': MAX_SPEED}, ''),
    ({'dead_zone': float('nan')}, 'its envelope is not JSON (NaN)'),
    ({'threshold': float('-inf')}, 'its envelope is not JSON (-Infinity)'),
    ({'dead_zone': 1.01 * MAX_SPEED}, 'its envelope has speeds that no robot reaches'),
    ({'trained': ((-101.0, 1.0),) * 3}, 'its envelope has speeds that no robot reaches'),
    ({'reached': ((0.0, 1e9),) * 3}, 'its envelope has speeds that no robot reaches'),
    ({'responses': (((0.5, 0.0, 0.0), (0.0, 0.0, -200.0)),)},
     'its envelope has speeds that no robot reaches')])
def test_envelope_must_be_json_of_speeds_that_robots_reach(values, wrong):
    assert fuzz._wrong_envelope(envelope(**values), NETWORK) == wrong


@pytest.mark.parametrize('file, never, problem, wrong', [
    ('scorecard.json', True, '', 'its scorecard was used'),
    ('scorecard.json', True, 'scorecard.json: is empty', ''),
    ('scorecard.json', False, '', ''), ('policy.onnx', True, '', '')])
def test_invalid_scorecard_must_not_be_used(file, never, problem, wrong):
    mutation = Mutation('x', file, never)
    assert fuzz._wrong_envelope(envelope(problem=problem), mutation) == wrong


@pytest.mark.parametrize('mutation, sentence, wrong', [
    (NETWORK, '', ''), (NETWORK, 'policy.onnx: is damaged', ''), (SCORED, '', ''),
    (SCORED, 'scorecard.json: is damaged', 'refused, although only its scorecard is invalid'),
    (NETWORK, 'two\nlines', 'refused without a valid error message'),
    (NETWORK, '\x1b[31mred', 'refused without a valid error message'),
    (NETWORK, 2500 * 'x', ''), (NETWORK, 2501 * 'x', 'refused without a valid error message')])
def test_refusal_must_be_one_printable_sentence_and_not_of_a_scorecard(mutation, sentence, wrong):
    assert fuzz._wrong_refusal(mutation, sentence) == wrong


@pytest.mark.parametrize('seconds, memory, wrong', [
    (fuzz.MAX_SECONDS, MAX_MEMORY, ''), (3.1, 0, 'took 3.1 s'),
    (0.0, 2 * MAX_MEMORY, 'took 629 MB'), (4.0, 2 * MAX_MEMORY, 'took 4.0 s')])
def test_opening_must_be_quick_and_small(seconds, memory, wrong):
    assert fuzz._costly(seconds, memory) == wrong


def judge_that(opens, wrong=''):
    """Return a judge that opens a folder by a function."""
    return SimpleNamespace(open=opens, wrong=lambda opened, mutation: wrong)


def refuse(error):
    """Return a function that raises an error."""
    def opens(folder):
        raise error
    return opens


@pytest.mark.parametrize('judge, sentence, wrong', [
    (judge_that(lambda folder: 'opened'), '', ''),
    (judge_that(lambda folder: 'opened', 'behaves differently'), '', 'behaves differently'),
    (judge_that(refuse(LocomotionError('is damaged'))), 'is damaged', ''),
    (judge_that(refuse(LocomotionError('two\nlines'))), 'two\nlines',
     'refused without a valid error message'),
    (judge_that(refuse(KeyError('x'))), "unexpected KeyError: 'x'", "unexpected KeyError: 'x'")])
def test_result_says_how_a_folder_was_opened(tmp_path, judge, sentence, wrong):
    tried = fuzz._try(tmp_path, 'YAML', NETWORK, judge, memory_in_use('VmRSS'))
    assert (tried.sentence, tried.wrong, tried.isolated) == (sentence, wrong, False)
    assert 0.0 <= tried.seconds < 1.0


def memory_of_an_opening(folder):
    """Return what 40 MiB take in an opening, of a process that has freed 200 MiB before."""
    taken = 40 << 20
    assert len(b'x' * (5 * taken)) == 5 * taken
    before = memory_in_use('VmRSS')
    return fuzz._try(folder, 'YAML', NETWORK, judge_that(
        lambda folder: bytes(1) in bytearray(b'x' * taken)), before).memory / taken


def test_memory_is_the_most_that_this_opening_took(tmp_path):
    """Not what was taken before it, which is freed again; seen in a process of its own."""
    with multiprocessing.get_context('spawn').Pool(1) as pool:
        assert 1.0 < pool.apply(memory_of_an_opening, (tmp_path,)) < 3.0


def test_alarm_is_set_during_an_opening_only(tmp_path):
    """It has no handler, so that it ends a process in which an opening hangs."""
    left = []
    fuzz._try(tmp_path, 'YAML', NETWORK, judge_that(
        lambda folder: left.append(signal.getitimer(signal.ITIMER_REAL)[0])), 0)
    assert 0.0 < left[0] <= fuzz.HANG
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0.0


@pytest.mark.parametrize('mutation, problem, seconds, wrong', [
    (NETWORK, '', 0.1, ''), (NETWORK, 'policy.onnx: is damaged', 0.1, ''),
    (replace(NETWORK, never=True), '', 0.1, 'opened, and has content that no policy may have'),
    (replace(SCORED, never=True), '', 0.1, ''),
    (NETWORK, 'cannot be opened: Segmentation', 0.1, 'cannot be opened: Segmentation'),
    (SCORED, 'is damaged', 0.1, 'refused, although only its scorecard is invalid'),
    (NETWORK, '', 9.0, 'took 9.0 s')])
def test_folder_opened_by_another_process_is_judged_too(tmp_path, monkeypatch, mutation, problem,
                                                        seconds, wrong):
    answer = SimpleNamespace(problem=problem, seconds=seconds, memory=5)
    monkeypatch.setattr(fuzz, 'vet', lambda folder: answer)
    tried = fuzz._isolated(tmp_path, 'YAML', mutation)
    assert (tried.sentence, tried.wrong, tried.isolated) == (problem, wrong, True)
    assert (tried.seconds, tried.memory) == (seconds, 5) and tried.wall >= 0.0


def test_batch_opens_one_folder_in_47_in_another_process(monkeypatch):
    monkeypatch.setattr(fuzz, 'Judge', lambda source: None)
    monkeypatch.setattr(fuzz, 'tamper', lambda source, folder, seed: (str(seed), NETWORK))
    monkeypatch.setattr(fuzz, '_try', lambda folder, grammar, *_: replace(TRIED, grammar=grammar))
    monkeypatch.setattr(fuzz, '_isolated', lambda folder, grammar, mutation: replace(
        TRIED, grammar=grammar, isolated=True))
    results = fuzz._batch(SOURCE, 0, 100)
    assert [one.grammar for one in results] == [str(seed) for seed in range(100)]
    assert [i for i, one in enumerate(results) if one.isolated] == [1, 48, 95]


def test_summary_counts_each_format():
    text = fuzz.summary(fuzz.FuzzResult((
        TRIED, replace(TRIED, sentence='refused', seconds=0.25),
        replace(TRIED, wrong='took 9.0 s', memory=7_000_000),
        replace(TRIED, grammar='YAML', isolated=True, wall=1.5)), (8,)))
    assert text.startswith('By chance: 5 folders, 2 failed, 1 crashed or hung. 1 of them')
    assert '| npz | 3 | 1 | 1 | 1 | 0.25 | 7 |' in text
    assert '| YAML | 1 | 0 | 1 | 0 | 0.10 | 1 |' in text and 'longest took 1.50 s' in text
    assert text.endswith('\n\nFailed: policy.onnx, some bits: took 9.0 s')


def test_summary_names_twenty_failures_at_most():
    result = fuzz.FuzzResult(25 * (replace(TRIED, wrong='opened'),), ())
    assert fuzz.summary(result).count('Failed: ') == 20


def test_untouched_folder_opens_and_its_judge_finds_nothing_wrong():
    judge = fuzz.Judge(SOURCE)
    assert judge.wrong(judge.open(SOURCE), NETWORK) == ''
    assert breakages.sentence(SOURCE) == 'opened'


@pytest.mark.parametrize('error, sentence', [
    (LocomotionError('/x/policy.onnx: is damaged'), 'policy.onnx: is damaged'),
    (ValueError('no'), 'unexpected ValueError: no')])
def test_sentence_is_that_of_the_refusal_without_the_folder(monkeypatch, error, sentence):
    monkeypatch.setattr(breakages, 'open_policy', lambda *_: refuse(error)(None))
    assert breakages.sentence(Path('/x')) == sentence


def test_breakages_that_open_or_run_code_are_seen(monkeypatch):
    def snap(folder):
        (folder.parent / 'trapped').touch()

    def comment(folder):
        with (folder / 'contract.yaml').open('a') as file:
            file.write('# a comment\n')
    monkeypatch.setattr(breakages, 'BREAKAGES', (
        ('nothing', lambda folder: None, False), ('comment, signed', comment, True),
        ('comment', comment, False), ('trap', snap, False)))
    results = dict(breakages.break_by_name(SOURCE))
    assert results.pop('comment').startswith('contract.yaml: does not match its hash')
    assert results == {'nothing': 'opened', 'comment, signed': 'opened', 'trap': 'ran code'}


@pytest.mark.parametrize('name, file, is_signed', [
    ('golden.npz empty', 'golden.npz', True), ('policy.onnx cut in half', 'policy.onnx', True),
    ('one byte of a weight changed', 'policy.onnx', False),
    ('a gain changed', 'contract.yaml', True), ('golden quaternions w first', 'golden.npz', True)])
def test_breakage_changes_the_file_of_its_name(tmp_path, name, file, is_signed):
    folder = copy_folder(SOURCE, tmp_path / 'policy')
    (change, signed), = [row[1:] for row in breakages.BREAKAGES if row[0] == name]
    change(folder)
    assert signed == is_signed
    assert [it for it in FILES if (folder / it).read_bytes() != (SOURCE / it).read_bytes()] == [
        file]


def test_golden_quaternions_with_w_first_are_the_same_numbers(tmp_path):
    folder = copy_folder(SOURCE, tmp_path / 'policy')
    (change,) = [row[1] for row in breakages.BREAKAGES if row[0] == 'golden quaternions w first']
    with np.load(folder / 'golden.npz') as file:
        before = file['base_orientation']
    change(folder)
    with np.load(folder / 'golden.npz') as file:
        after = file['base_orientation']
    np.testing.assert_array_equal(after[:, [1, 2, 3, 0]], before)


def test_trap_is_no_trap_until_it_is_unpickled(tmp_path):
    function, arguments = breakages.Trap(tmp_path / 'trapped').__reduce__()
    assert os.listdir(tmp_path) == []
    function(*arguments)
    assert os.listdir(tmp_path) == ['trapped']
