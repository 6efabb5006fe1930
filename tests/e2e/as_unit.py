"""as_unit.py UNIT PROGRAM...: runs the program behind the system call filters that systemd would set.

systemd itself is not needed to be running: its own tool says what is in a set of calls, libseccomp
builds the filters. Mounts, users and networks are the caller's business (test_units.py).
"""
import ctypes
import errno
import os
import pathlib
import subprocess
import sys

ALLOW, ERRNO = 0x7FFF0000, 0x00050000
EQUAL_NOT, MASKED_EQUAL = 1, 7
PROT_WRITE, PROT_EXEC = 2, 4
NAMESPACES = (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000)
AF_UNIX = 1


class Compare(ctypes.Structure):
    _fields_ = [("argument", ctypes.c_uint), ("operator", ctypes.c_int),
                ("first", ctypes.c_uint64), ("second", ctypes.c_uint64)]


LIBRARY = ctypes.CDLL("libseccomp.so.2", use_errno=True)
LIBRARY.seccomp_init.restype = ctypes.c_void_p
LIBRARY.seccomp_rule_add_array.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int,
                                           ctypes.c_uint, ctypes.POINTER(Compare)]
LIBRARY.seccomp_load.argtypes = [ctypes.c_void_p]


def settings(unit):
    """Key -> its values, in order."""
    found = {}
    for line in pathlib.Path(unit).read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            key, value = line.split("=", 1)
            found.setdefault(key, []).append(value)
    return found


def calls_of(name):
    """The calls of a set, with those of the sets in it."""
    if not name.startswith("@"):
        return {name}
    text = subprocess.run(["systemd-analyze", "syscall-filter", name], capture_output=True, text=True,
                          check=True).stdout
    words = [line.strip() for line in text.splitlines()[1:]]
    return {call for word in words if word and not word.startswith("#") for call in calls_of(word)}


def allowed_calls(unit):
    """As systemd.exec(5) has it: the first line decides that it is a list of what is allowed."""
    allowed = calls_of("@default")
    for line in settings(unit)["SystemCallFilter"]:
        named = {call for word in line.lstrip("~").split() for call in calls_of(word)}
        allowed = allowed - named if line.startswith("~") else allowed | named
    return allowed


def add(context, action, call, *compares):
    number = LIBRARY.seccomp_syscall_resolve_name(call.encode())
    if number >= 0:
        array = (Compare * max(len(compares), 1))(*compares)
        if LIBRARY.seccomp_rule_add_array(context, action, number, len(compares), array) != 0:
            sys.exit(f"{call}: the filter takes no such rule")


def load(context):
    if LIBRARY.seccomp_load(context) != 0:
        sys.exit("the filter was not loaded")


def confine(unit):
    """MemoryDenyWriteExecute, RestrictAddressFamilies=AF_UNIX, RestrictNamespaces=yes, SystemCallFilter."""
    refuse = ERRNO | errno.EPERM
    rest = LIBRARY.seccomp_init(ALLOW)
    both = PROT_WRITE | PROT_EXEC
    add(rest, refuse, "mmap", Compare(2, MASKED_EQUAL, both, both))
    add(rest, refuse, "mprotect", Compare(2, MASKED_EQUAL, PROT_EXEC, PROT_EXEC))
    add(rest, refuse, "pkey_mprotect", Compare(2, MASKED_EQUAL, PROT_EXEC, PROT_EXEC))
    add(rest, ERRNO | errno.EAFNOSUPPORT, "socket", Compare(0, EQUAL_NOT, AF_UNIX, 0))
    for flag in NAMESPACES:
        add(rest, refuse, "clone", Compare(0, MASKED_EQUAL, flag, flag))
    add(rest, ERRNO | errno.ENOSYS, "clone3")
    add(rest, refuse, "unshare")
    add(rest, refuse, "setns")
    load(rest)
    allowed = allowed_calls(unit)
    listed = LIBRARY.seccomp_init(refuse)
    for call in sorted(allowed):
        add(listed, ALLOW, call)
    load(listed)


if __name__ == "__main__":
    confine(sys.argv[1])
    os.execv(sys.argv[2], sys.argv[2:])
