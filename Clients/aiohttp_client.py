"""Asks once, with a deadline of a second, and exits with 0 if the answer is right."""
import asyncio
import sys

import aiohttp


async def main():
    timeout = aiohttp.ClientTimeout(total=1)
    async with aiohttp.ClientSession(timeout=timeout, raise_for_status=True) as session:
        async with session.get(sys.argv[1]) as response:
            return (await response.json(content_type=None))["echo"] != "Hello"


sys.exit(asyncio.run(main()))
