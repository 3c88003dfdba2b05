"""What one platform alone has: the tables behind `envcheck.sources.platform`.

Checked against the repodata of conda-forge and of Anaconda's main channel (November 2026). A hash fragment is listed if
it is frequent and all its builds are of one subdir; a name if one family alone has it. These tables only tell where an
export comes from, never what Linux lacks: that is asked of the channels.
"""

from __future__ import annotations

import re

__all__ = ["FRAGMENT", "FRAGMENTS", "NAMES", "PIP_NAMES", "SUFFIXED_NAME"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: The hash in a build string. Those of noarch builds (``pyh…``) tell where a package was made and not where it runs.
FRAGMENT = re.compile(r"(?<!py)(?P<fragment>h[0-9a-f]{7})(?=_|$)")

_WINDOWS_FRAGMENTS = _words("""
    h0e60522 h196d8e1 h1ea47a8 h21ff451 h2466b09 h2a8f88b h2bbff1b h2e8e312 h2eaa2aa h4389bb4 h5588dad h56e8100 h59b6b97
    h5b45459 h5e58377 h6244533 h62dcd97 h63175ca h6c2663c h6d2157b h7d8d6a5 h827c3e9 h8cc25b3 h8d14728 h8ffe710 ha68e1ae
    ha925a31 haa95532 hcbf5309 hcd874cb hcfcfb64 hd77b12b he0c23c2 he736701 he774522 hfa6e2cd
""")
_LINUX_FRAGMENTS = _words("""
    h06a4308 h166bdaf h1ccaba5 h2372a71 h2531618 h27cfd23 h295c915 h36c2ea0 h459d7ec h4ab18f5 h578d9bd h5888daf h5eee18b
    h66e93f0 h6a678d5 h6bb024c h7f8727e h7f98852 h9c3ff4c h9ecbd09 ha503ecb hb9d3cd8 hbc83047 hd590300 he02047a hf3d152e
    hf484d3e hff52083
""")
_LINUX_ARM_FRAGMENTS = _words("h31becfc h5ad3122 h86ecc28 h996f985 ha65689a hb326ee9")
_MACOS_FRAGMENTS = _words("h0d85af4 h1de35cc h4dc903c h6c40b1e h9ed2024 haf1e3a3 hecd8cb5")
_MACOS_ARM_FRAGMENTS = _words("""
    h1a28f6b h267d04e h2804cbe h313beb8 h3422bc3 h80987f9 h81bd7bf h93a5062 h99b78c6 hbe9552e hca03da5
""")

#: Hash fragment → the one subdir whose builds have it.
FRAGMENTS: dict[str, str] = {
    **dict.fromkeys(_WINDOWS_FRAGMENTS, "win-64"),
    **dict.fromkeys(_LINUX_FRAGMENTS, "linux-64"),
    **dict.fromkeys(_LINUX_ARM_FRAGMENTS, "linux-aarch64"),
    **dict.fromkeys(_MACOS_FRAGMENTS, "osx-64"),
    **dict.fromkeys(_MACOS_ARM_FRAGMENTS, "osx-arm64"),
}

#: Conda packages that one family alone has; ``unix`` is every family but Windows.
NAMES: tuple[tuple[str, frozenset[str]], ...] = (
    (
        "win",
        _words("""
            anaconda_powershell_prompt anaconda_prompt console_shortcut getopt-win32 icc_rt libwinpthread
            msys2-conda-epoch powershell_shortcut pthreads-win32 pyreadline pyreadline3 pywin32 pywin32-ctypes pywinpty
            ucrt vc vc14_runtime vcomp14 vs2008_runtime vs2013_runtime vs2015_runtime vswhere win32_setctime
            win_inet_pton wincertstore windows-curses winpty
        """),
    ),
    (
        "linux",
        _words("""
            _libgcc_mutex alsa-lib keyutils libcap libgcc-ng libgfortran-ng libnl libnsl libstdcxx-ng libsystemd0
            secretstorage torchtriton triton
        """),
    ),
    ("osx", _words("appnope cctools ld64 pyobjc-core pyobjc-framework-cocoa python.app sigtool tapi")),
    ("unix", _words("dbus libedit libev libuuid ncurses nspr nss readline unixodbc")),
)

#: Names that carry their platform: ``m2w64-gcc-libs``, ``vs2019_win-64``, ``ld_impl_linux-64``.
SUFFIXED_NAME = re.compile(r"m2w?(?:64)?-.+|.+_(?P<subdir>(?:win|linux|osx)-(?:64|32|aarch64|arm64|ppc64le))")

#: Projects on PyPI that have files for one family only.
PIP_NAMES: tuple[tuple[str, frozenset[str]], ...] = (
    (
        "win",
        _words("""
            pypiwin32 pyreadline pyreadline3 pywin32 pywin32-ctypes pywinauto pywinpty triton-windows win-inet-pton
            win32-setctime wincertstore windows-curses wmi
        """),
    ),
    (
        "linux",
        _words("dbus-python nvidia-nccl-cu11 nvidia-nccl-cu12 nvidia-nccl-cu13 python-apt systemd-python triton"),
    ),
    ("osx", _words("appnope pyobjc pyobjc-core tensorflow-macos tensorflow-metal")),
)
