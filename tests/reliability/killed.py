"""Scripts that are killed at some moment, and what they leave behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

#: Seconds within which something must have come about, however busy the machine.
PATIENCE = 120


def kill_at(script: str, folder: Path, ready: Callable[[int], bool], delay: float) -> list[str]:
    """Run a script in a folder, kill it with SIGKILL so long after it is ready, and return what is left of it.

    ``ready`` is asked with the number of the main process. Workers are given the time to notice.
    """
    (folder / "script.py").write_text(script)
    main = subprocess.Popen(
        [sys.executable, "script.py"], cwd=folder, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    until(lambda: ready(main.pid) or main.poll() is not None)
    time.sleep(delay)
    semaphores = semaphores_of(main.pid)
    main.send_signal(signal.SIGKILL)
    main.wait()
    (folder / "script.py").unlink()
    until(lambda: not left_of(main.pid, semaphores))
    left = left_of(main.pid, semaphores)
    for process in processes_of(main.pid):
        os.kill(process, signal.SIGKILL)
    return left


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds, or for long enough that it never will."""
    end = time.monotonic() + PATIENCE
    while not holds() and time.monotonic() < end:
        time.sleep(0.05)


def left_of(session: int, semaphores: set[Path]) -> list[str]:
    """Processes of a session that still run, and semaphores that still exist."""
    existing = [str(path) for path in semaphores if path.exists()]
    return existing + [f"process {process}" for process in processes_of(session)]


def processes_of(session: int) -> list[int]:
    """Processes of a session that still run."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdecimal() and os.getsid(int(process.name)) == session:
                state = (process / "stat").read_text().rpartition(")")[2].split()[0]
                found += [int(process.name)] if state != "Z" else []
        except OSError:  # it ended meanwhile
            pass
    return found


def semaphores_of(process: int) -> set[Path]:
    """Files of the named semaphores that a process holds."""
    try:
        maps = Path(f"/proc/{process}/maps").read_text()
    except OSError:
        return set()
    return {Path(name) for name in re.findall(r"/dev/shm/sem\.\S+", maps)}
