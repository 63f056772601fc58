# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The archive of logs stays small, and every log is one that a page links."""

from __future__ import annotations

from pathlib import Path
import re

ROOT = Path(__file__).parents[1]
LOGS = ROOT / 'docs' / 'logs'
ARCHIVE_SIZE = 300 * 1024  # bytes


def linked():
    """Give the files that the pages link, by their path below docs."""
    found = set()
    for page in [ROOT / 'README.md', *(ROOT / 'docs').rglob('*.md')]:
        for target in re.findall(r'\]\(([^)#:]+)', page.read_text(encoding='utf-8')):
            found.add((page.parent / target).resolve())
    return found


def test_every_log_is_linked_and_every_link_to_a_log_leads_there():
    logs = {path.resolve() for path in LOGS.rglob('*') if path.is_file()}
    assert logs and logs == {path for path in linked() if LOGS.resolve() in path.parents}


def test_the_archive_is_small():
    assert sum(path.stat().st_size for path in (LOGS / 'archive').iterdir()) <= ARCHIVE_SIZE


def test_only_history_links_the_archive():
    for page in [ROOT / 'README.md', *(ROOT / 'docs').glob('*.md')]:
        assert 'logs/archive/' not in page.read_text(encoding='utf-8'), page
