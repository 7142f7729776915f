#!/bin/bash
# Asks once, with a deadline of a second, and exits with 0 if the answer is right.
set -o pipefail
# Compared here, since jq exits with 0 if it is given nothing.
echo=$(curl --silent --fail --max-time 1 "$1" | jq .echo) && [ "$echo" = '"Hello"' ]
