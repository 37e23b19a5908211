"""Confines the decoder's process: no network, no files, no new processes, bounded memory.

The limits always hold. Namespaces and Landlock hold where the kernel grants them, which it may not in a container.
"""

import ctypes
import os
import resource
import signal
import struct
import sys
import sysconfig

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
# System calls, the same on every architecture.
_LANDLOCK_CREATE_RULESET, _LANDLOCK_ADD_RULE, _LANDLOCK_RESTRICT_SELF = 444, 445, 446
_LANDLOCK_VERSION = 1
_LANDLOCK_RULE_PATH_BENEATH = 1
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_NOFILE = 64


def leave_network() -> None:
    """Move into an empty network namespace, and die with the parent. Call it before any thread starts."""
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None)
    libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # after unshare, which would clear it


def limit_resources(max_bytes: int) -> None:
    """Cap address space; forbid writing files, dumping core, forking."""
    limits = {
        resource.RLIMIT_AS: max_bytes,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: _NOFILE,
        resource.RLIMIT_NPROC: 0,
    }
    for what, value in limits.items():
        resource.setrlimit(what, (value, value))


def allow_cpu(seconds: int) -> None:
    """Let the process use so much more CPU time. After that the kernel kills it."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used_s = int(usage.ru_utime + usage.ru_stime) + 1
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (used_s + seconds, hard))


def close_files() -> None:
    """Forbid opening files by path from now on (Landlock), except for Python's own libraries, some of which load late.

    Descriptors already open, or sent later, stay usable.
    """
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None)
    abi = libc.syscall(_LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), _LANDLOCK_VERSION)
    if abi < 1:
        return
    num_fs_rights = 13 + (abi >= 2) + (abi >= 3) + (abi >= 5)
    handled = struct.pack("<Q", (1 << num_fs_rights) - 1)
    if abi >= 4:
        handled += struct.pack("<Q", 0b11)  # TCP bind and connect
    ruleset = libc.syscall(_LANDLOCK_CREATE_RULESET, handled, ctypes.c_size_t(len(handled)), 0)
    if ruleset < 0:
        return
    for folder in {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}:
        fd = os.open(folder, os.O_PATH)
        rule = struct.pack("<Qi", _READ_FILE | _READ_DIR, fd)
        libc.syscall(_LANDLOCK_ADD_RULE, ruleset, _LANDLOCK_RULE_PATH_BENEATH, rule, 0)
        os.close(fd)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    libc.syscall(_LANDLOCK_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)
