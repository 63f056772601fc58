# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Kernels are compiled by other processes, and nothing that happens to these stops a training."""

from __future__ import annotations

import os
from pathlib import Path
import signal
import tempfile
import time
from types import SimpleNamespace

import pytest

pytest.importorskip('mujoco', minversion='3.3')
pytest.importorskip('mujoco_warp')
pytest.importorskip('torch')

from port_suite import ALL, PHYSICS, ROBOT, N, state
import warp as wp

from humanoid_locomotion.sim.backend import open_backend
from humanoid_locomotion.sim.mujoco_warp import kernels
from humanoid_locomotion.sim.mujoco_warp.kernels import KernelBuild, Variant, launched

DEVICE = wp.get_device('cpu')


def adding(amount):
    """Give a kernel of a module of its own."""
    @wp.kernel(module='unique')
    def add(values: wp.array(dtype=float)):
        values[wp.tid()] += wp.static(float(amount))

    return add


@pytest.fixture
def values(tmp_path, monkeypatch):
    """Give an array, with an empty cache of kernels."""
    monkeypatch.setattr(wp.config, 'kernel_cache_dir', str(tmp_path / 'cache'))
    monkeypatch.setattr(tempfile, 'tempdir', str(tmp_path))  # of precompiled headers
    return wp.zeros(2, dtype=float, device='cpu')


@pytest.fixture
def step(values):
    """Give a step of three modules, of which one is launched twice."""
    made = [adding(1.0), adding(10.0), adding(100.0)]

    def launch():
        for kernel in (*made, made[0]):
            wp.launch(kernel, dim=2, inputs=[values], device='cpu')

    return launch


def compile_as(monkeypatch, act):
    """Replace the compiler: a module gets a file with the process that made it, then ``act``."""
    def compile(self, _):
        folder = Path(wp.config.kernel_cache_dir, self.module.get_module_identifier(1))
        act(self)
        folder.mkdir(parents=True)
        (folder / f'{folder.name}.cpu.o').write_text(str(os.getpid()))

    monkeypatch.setattr(Variant, 'compile', compile)


def makers():
    """Give the processes that compiled the modules of the cache."""
    return [int(path.read_text()) for path in Path(wp.config.kernel_cache_dir).glob('*/*')]


def test_a_kernel_that_is_asked_for_its_grid_is_recorded(values):
    kernel, sizes = adding(1.0), wp.get_suggested_block_size
    found = launched(lambda: wp.get_suggested_block_size(kernel, DEVICE))
    assert [it.module for it in found] == [kernel.module]
    assert found[0].block_dim == kernel.module.options['block_dim']
    assert wp.get_suggested_block_size is sizes


def test_launches_are_recorded_and_nothing_is_computed(step, values):
    load = wp.Module.load
    found = launched(step)
    assert len(found) == 3 and {it.block_dim for it in found} == {1}
    assert values.numpy().tolist() == [0.0, 0.0]
    assert wp.Module.load is load


def test_a_step_that_fails_leaves_warp_as_it_was():
    load = wp.Module.load
    with pytest.raises(ZeroDivisionError):
        launched(lambda: 1 // 0)
    assert wp.Module.load is load


def test_a_training_goes_on_where_warp_has_changed(capsys):
    def step():
        raise AttributeError('Module has no load')

    assert kernels.build_kernels(step, wp.get_device('cpu')) is None
    assert 'one after the other: AttributeError: Module has no load' in capsys.readouterr().err


def test_other_processes_compile_what_is_missing(step, monkeypatch, capsys):
    compile_as(monkeypatch, lambda _: None)
    KernelBuild(step, DEVICE).wait()
    assert len(makers()) == 3 and os.getpid() not in makers()
    lines = capsys.readouterr().err.splitlines()
    assert lines == [f'compiling GPU kernels {n}/3, once per machine' for n in (0, 3)]
    KernelBuild(step, DEVICE).wait()
    assert capsys.readouterr().err == ''


def test_kernels_of_another_kind_of_gpu_do_not_count(step):
    variant = launched(step)[0]
    folder = Path(wp.config.kernel_cache_dir, variant.module.get_module_identifier(1))
    folder.mkdir(parents=True)
    (folder / f'{folder.name}.sm90.cubin').touch()
    assert [variant.is_compiled(SimpleNamespace(get_cuda_compile_arch=lambda arch=arch: arch))
            for arch in (75, 90)] == [False, True]


def test_only_the_first_process_of_a_machine_reports(step, monkeypatch, capsys):
    compile_as(monkeypatch, lambda _: None)
    monkeypatch.setenv('LOCAL_RANK', '1')
    KernelBuild(step, DEVICE).wait()
    assert len(makers()) == 3 and capsys.readouterr().err == ''


def test_a_module_that_cannot_be_compiled_is_left_to_its_launch(step, monkeypatch):
    first = launched(step)[0]

    def fail(variant):
        if variant.module is first.module:
            raise RuntimeError('of the compiler')

    compile_as(monkeypatch, fail)
    KernelBuild(step, DEVICE).wait()
    assert len(makers()) == 2


def test_processes_that_are_killed_are_not_waited_for(step, monkeypatch):
    compile_as(monkeypatch, lambda _: os.kill(os.getpid(), signal.SIGKILL))
    KernelBuild(step, DEVICE).wait()
    assert makers() == []


def test_processes_that_hang_are_ended(step, monkeypatch):
    monkeypatch.setattr(kernels, 'PATIENCE', 0.1)
    compile_as(monkeypatch, lambda _: time.sleep(60.0))
    build = KernelBuild(step, DEVICE)
    workers = list(build._workers)
    build.wait()
    assert workers
    for worker in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(worker, 0)


def test_warp_finds_what_was_compiled(step, values, monkeypatch):
    KernelBuild(step, DEVICE).wait()
    assert all(it.is_compiled(DEVICE) for it in launched(step))

    def forbidden(*_, **__):
        pytest.fail('compiled again')

    monkeypatch.setattr(wp._src.build, 'build_cpu', forbidden)
    step()
    assert values.numpy().tolist() == [112.0, 112.0]


def test_a_step_of_mujoco_warp_is_recorded():
    backend = open_backend('mujoco_warp', ROBOT, N, PHYSICS, device='cpu')
    backend._model.opt.graph_conditional = False
    before = state(backend)
    found = launched(backend._physics_step)
    assert len(found) > 30
    assert {it.module.name for it in found} >= {
        f'mujoco_warp._src.{name}' for name in ('forward', 'sensor', 'smooth', 'solver')}
    backend.reset(ALL, backend.default_state())
    after = state(backend)
    assert all((vars(after)[name] == value).all() for name, value in vars(before).items())
