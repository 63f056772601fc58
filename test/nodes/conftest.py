"""The policies that the node tests walk with, and benches to try them on."""

import policy_factory
import pytest


@pytest.fixture(scope='session')
def holding(tmp_path_factory):
    """Give a policy folder that always asks for the default pose."""
    return policy_factory.holding_policy(tmp_path_factory.mktemp('holding'))


@pytest.fixture(scope='session')
def balancing(tmp_path_factory):
    """Give a policy folder that stands and ignores its command."""
    return policy_factory.balancing_policy(tmp_path_factory.mktemp('balancing'))


@pytest.fixture
def bench(ros, holding, monkeypatch):
    """Make benches with a policy that opens, and free them; diagnostics come often."""
    from harness import Bench

    from humanoid_locomotion.nodes import pilot
    monkeypatch.setattr(pilot, 'DIAGNOSTICS_PERIOD', 0.1)
    made = []

    def make(**parameters):
        made.append(Bench(**{'policy': str(holding), 'engine': 'onnxruntime', **parameters}))
        return made[-1]

    yield make
    for one in made:
        one.close()
