"""What a user would run otherwise: py-rattler's gateway, as its documentation has it, over one channel.

    python tests/bench/plain_gateway.py CHANNEL_URL CACHE PLATFORM SPEC...

Prints one JSON object: seconds of the import, of the load (every name of the channel, which is what a look-up of names
needs), of the solve, and the number of packages.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time


async def main(url: str, cache: str, platform: str, specs: list[str]) -> None:
    """Load, solve and tell."""
    started = time.perf_counter()
    from rattler import BuildString, Channel, Gateway, GenericVirtualPackage, PackageName, Version, solve

    imported = time.perf_counter()
    channel = Channel(url)
    gateway = Gateway(cache_dir=cache)
    names = await gateway.names([channel], [platform, "noarch"])
    loaded = time.perf_counter()
    virtual = [
        GenericVirtualPackage(PackageName(name), Version(version), BuildString("0"))
        for name, version in (("__glibc", "2.28"), ("__linux", "5.10"), ("__unix", "0"), ("__archspec", "1"))
    ]
    packages = await solve([channel], specs, gateway=gateway, platforms=[platform, "noarch"], virtual_packages=virtual)
    solved = time.perf_counter()
    figures = {
        "import": imported - started,
        "load": loaded - imported,
        "solve": solved - loaded,
        "names": len(names),
        "packages": len(packages),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]))
    # py-rattler's threads may be at work while Python finalizes, which ends some runs with an abort.
    sys.stdout.flush()
    os._exit(0)
