"""Locks a file against other processes; the system frees the lock when the file is closed."""

import errno
import functools
import os

FAR = 2**31 - 1  # byte that Windows locks, beyond the end of what is written
TAKEN = (errno.EAGAIN, errno.EACCES, errno.EDEADLK)


def lock(opened: int, *, wait: bool) -> bool:
    """Lock an open file; False if its disk can't lock, as some network disks.

    Args:
        opened: its descriptor, open for writing. The lock goes when it is closed, also because
            the process ends or is killed.
        wait: until no other process has locked the file.

    Raises:
        BlockingIOError: another process has locked it, and `wait` is False.
    """
    try:
        import fcntl
    except ModuleNotFoundError:  # Windows
        import msvcrt

        os.lseek(opened, FAR, os.SEEK_SET)
        mode = msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK
        take = functools.partial(msvcrt.locking, opened, mode, 1)
    else:
        mode = fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB
        take = functools.partial(fcntl.flock, opened, mode)
    try:
        take()
    except OSError as error:
        if not wait and error.errno in TAKEN:
            raise BlockingIOError(*error.args) from error
        return False
    return True
