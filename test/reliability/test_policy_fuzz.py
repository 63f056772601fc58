"""Broken policy folders are refused with a sentence of ours, and never run code."""

import shutil

import pytest

pytest.importorskip('onnxruntime')

from humanoid_locomotion.core.policy import find_policy
from humanoid_locomotion.reliability import policy_fuzz

SOURCE = find_policy('humanoid')


@pytest.fixture(scope='module')
def broken():
    """Give what became of every breakage."""
    return policy_fuzz.break_by_name(SOURCE)


def test_there_are_twenty_ways_at_least(broken):
    assert len({name for name, _ in broken}) == len(broken) >= 20


@pytest.mark.parametrize('i', range(len(policy_fuzz.BREAKAGES)),
                         ids=[name for name, _, _ in policy_fuzz.BREAKAGES])
def test_breakage_is_refused_with_a_sentence_that_names_the_file(broken, i):
    _, text = broken[i]
    assert text.startswith(('contract.yaml', 'policy.onnx', 'golden.npz', 'SHA256SUMS')), text


def test_trap_would_snap(tmp_path):
    """If a pickle were opened, it would be seen."""
    import pickle
    pickle.loads(pickle.dumps(policy_fuzz.Trap(tmp_path / 'trapped')))
    assert (tmp_path / 'trapped').exists()


@pytest.mark.parametrize('signed', [False, True])
def test_damage_by_chance_neither_crashes_nor_surprises(signed):
    result = policy_fuzz.fuzz(SOURCE, 60, signed, processes=1)
    assert result.tried == 60 and result.crashed == 0 and result.unexpected == ()
    assert signed or result.opened == 0


def test_every_damage_changes_a_file(tmp_path):
    import numpy as np
    for seed in range(50):
        folder = policy_fuzz._copy(SOURCE, tmp_path / 'policy')
        policy_fuzz._damage(folder, np.random.default_rng(seed))
        assert any((folder / file).read_bytes() != (SOURCE / file).read_bytes()
                   for file in policy_fuzz.FILES)
        shutil.rmtree(folder)
