"""Who owns a file on Windows, where users have no numbers but security identifiers (SIDs)."""

from __future__ import annotations

import sys
from pathlib import Path

ADMINISTRATORS = frozenset(
    {
        "S-1-5-18",  # the system
        "S-1-5-32-544",  # the group of administrators, which owns what one of them makes with all rights
        "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464",  # the installer of Windows' own files
    }
)
"""The owners of what no other user can have made: giving a file away needs a right that only administrators have."""

if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    _FILE, _OWNER = 1, 1  # SE_FILE_OBJECT, OWNER_SECURITY_INFORMATION
    _advapi = ctypes.WinDLL("advapi32", use_last_error=True)
    _kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    _advapi.GetNamedSecurityInfoW.argtypes = [
        wintypes.LPCWSTR,
        ctypes.c_int,
        wintypes.DWORD,
        *[ctypes.POINTER(ctypes.c_void_p)] * 5,  # owner, group, two lists, and the descriptor that has them
    ]
    _advapi.GetNamedSecurityInfoW.restype = wintypes.DWORD
    _advapi.ConvertSidToStringSidW.argtypes = [ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p)]
    _advapi.ConvertSidToStringSidW.restype = wintypes.BOOL
    _kernel.LocalFree.argtypes = [ctypes.c_void_p]
    _kernel.LocalFree.restype = ctypes.c_void_p

    def owner_of(path: Path) -> str:
        """Return the SID of a file's or folder's owner.

        Raises:
            OSError: it cannot be asked.
        """
        owner, descriptor, text = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
        code = _advapi.GetNamedSecurityInfoW(
            str(path), _FILE, _OWNER, ctypes.byref(owner), None, None, None, ctypes.byref(descriptor)
        )
        if code:
            raise ctypes.WinError(code)
        try:
            if not _advapi.ConvertSidToStringSidW(owner, ctypes.byref(text)):
                raise ctypes.WinError(ctypes.get_last_error())
            return ctypes.wstring_at(text.value or 0)
        finally:
            _kernel.LocalFree(text)
            _kernel.LocalFree(descriptor)
