# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A headless Chromium that lets the robot it shows have the processor first."""

from contextlib import contextmanager
import os
import shutil
import warnings

import pytest

PATIENCE = 120.0
# Nothing here has a GPU: Chromium draws on the processor, as fast as it can. As root it raises its
# own priority, and in a session of its own (autogroup) it has as large a share as all the nodes.
RENDERING = ['--no-sandbox', '--use-gl=angle', '--use-angle=swiftshader',
             '--enable-unsafe-swiftshader']
FLAT = ['--no-sandbox', '--disable-gpu']  # for what draws no robot
HUMBLE = """#!/bin/sh
echo $$ > {folder}/chromium.pid
echo {nice} > /proc/self/autogroup
exec {setpriv} nice -n {nice} {chromium} "$@"
"""


def find_chromium():
    """Return the path of a Chromium or Chrome; skip, with a warning in the summary, without."""
    for name in ('chromium', 'chromium-browser', 'google-chrome'):
        if shutil.which(name):
            return shutil.which(name)
    message = 'NO BROWSER: no web viewer is tested here; install chromium'
    warnings.warn(message, stacklevel=1)
    if os.environ.get('REQUIRE_BROWSER'):
        pytest.fail(message)
    pytest.skip(message)


@contextmanager
def open_page(folder, options=RENDERING, nice=10):
    """Yield a page of a browser that starts from a script in the folder.

    The browser's process is in ``chromium.pid`` there; those it starts are of its group.
    """
    sync_api = pytest.importorskip('playwright.sync_api')
    script = folder / 'chromium.sh'
    setpriv = 'setpriv --bounding-set=-sys_nice' if os.geteuid() == 0 else ''
    script.write_text(HUMBLE.format(
        folder=folder, nice=nice, setpriv=setpriv, chromium=find_chromium()))
    script.chmod(0o755)
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=script, args=options)
        page = browser.new_page(viewport={'width': 1280, 'height': 800})
        page.set_default_timeout(1000 * PATIENCE)
        yield page
        browser.close()
