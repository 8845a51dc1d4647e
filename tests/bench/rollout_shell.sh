#!/usr/bin/env bash
# The yardstick of our first run: the fastest a person would get the same packages onto the same bare hosts, a hand
# written shell script that does all hosts in parallel. It configures nothing.
# usage: rollout_shell.sh SSH_CONFIG < lines of "host package package ..."
set -euo pipefail
ssh_config=$1
pids=()
while read -r host packages; do
    ssh -n -F "$ssh_config" "$host" "printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -qq >/dev/null && apt-get install -y -qq --no-install-recommends $packages >/dev/null 2>&1
        code=\$?; rm -f /usr/sbin/policy-rc.d; exit \$code" &
    pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid"; done
