#!/bin/sh
# Makes .venv ready: Python environment of the controller (argument `run`) or of its tests too (argument `dev`).
# Installs what a fresh Debian lacks. Does nothing, in a few milliseconds, when all is there already.
set -eu
cd "$(dirname "$0")/.."
PATH=$(printf '%s' "$PATH" | sed "s#$PWD/.venv/bin:##")        # a broken .venv must not be asked to mend itself
set_of=${1:-run}
case $set_of in run) requirements=requirements.txt server=./server ;;
    dev) requirements=requirements-dev.txt server="./server[otlp,sentry]" ;;
    *) echo "usage: $0 run|dev" >&2; exit 2 ;; esac

stamp=.venv/.installed-$set_of
want=$(cat requirements.txt "$requirements" server/requirements.txt server/pyproject.toml server/tests/conformance/package-lock.json "$0" | sha256sum)
[ -f .venv/.installed-dev ] && [ "$set_of" = run ] && stamp=.venv/.installed-dev \
    && want=$(cat requirements.txt requirements-dev.txt server/requirements.txt server/pyproject.toml server/tests/conformance/package-lock.json "$0" | sha256sum)
[ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ] && exit 0

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
apt_install() {
    missing=""
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
    done
    [ -z "$missing" ] && return 0
    as_root apt-get update -qq
    # shellcheck disable=SC2086  # a list of package names, split on purpose
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
}
python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
    || apt_install python3 python3-venv
apt_install openssh-client openssl
if [ "$set_of" = dev ]; then
    # Unit tests start their own MariaDB, Redis and NGINX on loopback: the programs are wanted, running services are not.
    if [ ! -e /usr/sbin/policy-rc.d ]; then
        trap 'as_root rm -f /usr/sbin/policy-rc.d' EXIT
        printf '#!/bin/sh\nexit 101\n' | as_root tee /usr/sbin/policy-rc.d >/dev/null
        as_root chmod 755 /usr/sbin/policy-rc.d
    fi
    command -v npm >/dev/null || apt_install npm
    apt_install mariadb-server-core mariadb-client mariadb-backup redis-server zstd nftables systemd-journal-remote \
        mmdebstrap testssl.sh nginx libnginx-mod-http-lua lua-cjson procps
fi

[ -x .venv/bin/python ] && .venv/bin/python -c '' 2>/dev/null || python3 -m venv --clear .venv
.venv/bin/python -m pip install -qq --disable-pip-version-check \
    -c server/requirements.txt -r "$requirements" -e "$server"

# The judges of the protocol's conformance, with a Node of their own.
[ "$set_of" = run ] || (cd server/tests/conformance && npm ci --silent --no-audit --no-fund)

# The judge of TLS wants other versions of what we use.
[ "$set_of" = run ] || {
    [ -x .venv/sslyze/bin/python ] || python3 -m venv .venv/sslyze
    .venv/sslyze/bin/python -m pip install -qq --disable-pip-version-check sslyze==6.3.1
}

# The checkout is the collection: trinitycore.mcp resolves to it in Ansible and in Python alike.
mkdir -p .venv/collections/ansible_collections/trinitycore
ln -sfn "$PWD" .venv/collections/ansible_collections/trinitycore/mcp
echo "$PWD/.venv/collections" > "$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/trinitycore_mcp_collection.pth"
echo "$want" > ".venv/.installed-$set_of"
