"""Programs that tests start, limited by their processor time: beside other work a clock runs on."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from typing import Any

# What waits for ever takes no processor time.
SECONDS_ON_THE_CLOCK = 900
# Not `preexec_fn`, of which Python warns where there are threads.
_LIMITED = ("sh", "-c", 'ulimit -t "$0" && exec "$@"')


def run_within(seconds: int, command: Sequence[str], **options: Any) -> subprocess.CompletedProcess[Any]:
    """As subprocess.run; a process that takes more processor time is killed, and its exit code says so."""
    return subprocess.run([*_LIMITED, str(seconds), *command], timeout=SECONDS_ON_THE_CLOCK, **options)
