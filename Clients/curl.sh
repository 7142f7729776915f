#!/bin/bash
# Asks once, with a deadline of a second, and exits with 0 if the answer is right.
set -o pipefail
curl --silent --fail --max-time 1 "$1" | jq --exit-status '.echo == "Hello"'
