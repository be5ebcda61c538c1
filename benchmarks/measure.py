"""Run the command given as arguments; print its user and system CPU seconds, wall seconds, peak KiB and exit code.

Run with ``python -I -S``: a process inherits the peak memory of the one that starts it, so this one must stay below the
smallest that is measured. CPU covers the whole tree of processes, peak memory is the biggest one's (``wait4``).
"""

import os
import sys
import time


def main() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    actions = [(os.POSIX_SPAWN_DUP2, nowhere, stream) for stream in (1, 2)]
    started = time.perf_counter()
    pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=actions)
    _, status, used = os.wait4(pid, 0)
    wall = time.perf_counter() - started
    print(used.ru_utime, used.ru_stime, wall, used.ru_maxrss, os.waitstatus_to_exitcode(status))


main()
