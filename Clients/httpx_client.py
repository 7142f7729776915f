"""Asks once, with a timeout of a second, and exits with 0 if the answer is right."""
import sys

import httpx

response = httpx.get(sys.argv[1], timeout=1)
response.raise_for_status()
sys.exit(response.json()["echo"] != "Hello")
