"""What a unit forbids its service by system calls, put on a process as systemd would put it."""

import errno
import mmap
import socket
import subprocess

import seccomp

from unit import Unit

SHM_EXEC = 0o100000


def _groups() -> dict[str, set[str]]:
    """systemd's named sets of system calls; each may have others among its members."""
    printed = subprocess.run(["systemd-analyze", "syscall-filter"], capture_output=True, text=True, check=True)
    groups: dict[str, set[str]] = {}
    for line in printed.stdout.splitlines():
        if line.startswith("@"):
            members = groups.setdefault(line, set())
        elif line.startswith("    ") and not line.strip().startswith("#"):
            members.add(line.strip())
        elif line and not line.startswith(" "):
            break
    return groups


def _resolve(name: str, groups: dict[str, set[str]]) -> set[str]:
    if not name.startswith("@"):
        return {name}
    return set().union(*(_resolve(member, groups) for member in groups[name]))


def allowed_calls(unit: Unit) -> set[str]:
    groups = _groups()
    allowed = _resolve("@default", groups)
    for line in unit.all("SystemCallFilter"):
        names = line.removeprefix("~").split()
        calls = set().union(*(_resolve(name, groups) for name in names))
        allowed = allowed - calls if line.startswith("~") else allowed | calls
    return allowed


def filters(unit: Unit) -> list[seccomp.SyscallFilter]:
    """To be loaded one after the other by the process itself; each only takes away, the last one the
    loading of more."""
    assert unit.one("SystemCallErrorNumber") == "EPERM"
    calls = seccomp.SyscallFilter(seccomp.ERRNO(errno.EPERM))
    for name in allowed_calls(unit):
        try:
            calls.add_rule(seccomp.ALLOW, name)
        except RuntimeError:
            pass  # of another architecture
    made = []
    if unit.one("MemoryDenyWriteExecute") == "yes":
        memory = seccomp.SyscallFilter(seccomp.ALLOW)
        both = mmap.PROT_WRITE | mmap.PROT_EXEC
        refused = seccomp.ERRNO(errno.EPERM)
        memory.add_rule(refused, "mmap", seccomp.Arg(2, seccomp.MASKED_EQ, both, both))
        for name in ("mprotect", "pkey_mprotect"):
            memory.add_rule(refused, name, seccomp.Arg(2, seccomp.MASKED_EQ, mmap.PROT_EXEC, mmap.PROT_EXEC))
        memory.add_rule(refused, "shmat", seccomp.Arg(2, seccomp.MASKED_EQ, SHM_EXEC, SHM_EXEC))
        made.append(memory)
    families = {int(getattr(socket, name)) for name in unit.one("RestrictAddressFamilies").split()}
    sockets = seccomp.SyscallFilter(seccomp.ALLOW)
    refused = seccomp.ERRNO(errno.EAFNOSUPPORT)
    for family in range(max(families)):
        if family not in families:
            sockets.add_rule(refused, "socket", seccomp.Arg(0, seccomp.EQ, family))
    sockets.add_rule(refused, "socket", seccomp.Arg(0, seccomp.GT, max(families)))
    return [*made, sockets, calls]
