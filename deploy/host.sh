# Shared by deploy/demo and deploy/test: the packages a fresh Debian or Ubuntu lacks, and a private PostgreSQL.
# Sets nothing outside of the functions it defines.

say() { printf '%s\n' "$@"; }
fail() { printf '%s\n' "$*" >&2; exit 1; }

# found PATTERN...: grep's verdict on all that is piped into it. One that ends at the first match ends its writer, too, by
# SIGPIPE, and with pipefail the pipe fails by that.
found() { grep "$@" >/dev/null; }

# install_packages [PACKAGE...]: installs what is missing of these, or of what building and testing take, with sudo where we are
# not root; says plainly what is missing otherwise.
install_packages() {
  local wanted=("$@")
  [ $# -gt 0 ] || wanted=(libpq-dev libcurl4-openssl-dev libsystemd-dev libsqlite3-dev pkg-config postgresql postgresql-contrib pgbouncer haproxy sqlite3 curl openssl man-db)
  local missing=() package
  for package in "${wanted[@]}"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  say "installing ${missing[*]}"
  local root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "missing packages, and no sudo to install them: apt-get install ${missing[*]}"
    root=(sudo)
  fi
  local apt=("${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends)
  "${apt[@]}" update >/dev/null || fail "apt-get update failed; missing packages: ${missing[*]}"
  if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    # Ours is a private server: the package need not make one of its own that would start with the host.
    "${apt[@]}" install postgresql-common >/dev/null || fail "cannot install postgresql-common"
    "${root[@]}" sed -i 's/^#\?create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf
  fi
  "${apt[@]}" install "${missing[@]}" >/dev/null || fail "cannot install: ${missing[*]}"
}

# The compiler, at least the version that Package.swift asks for.
check_swift() {
  command -v swift >/dev/null || fail "Swift is missing: install 6.2 or later from https://swift.org/install, and put it on PATH"
  local version
  version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -1)
  [ "$(printf '6.2\n%s\n' "$version" | sort -V | head -1)" = 6.2 ] || fail "Swift 6.2 or later is needed; this is ${version:-unknown}"
}

# build_release [OPTION...]: the program as it is shipped, with Swift's runtime inside. In a folder of its own, as two runs of
# SwiftPM in one wait for each other.
build_release() {
  swift build --scratch-path .build/shipped -c release --product conversiond --static-swift-stdlib --disable-local-rpath \
    -Xswiftc -no-toolchain-stdlib-rpath "$@"
}

# The newest PostgreSQL server's programs.
postgres_programs() {
  local folder
  folder=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
  [ -x "$folder/initdb" ] || folder=$(dirname "$(command -v initdb 2>/dev/null || echo /nonexistent/initdb)")
  [ -x "$folder/initdb" ] || fail "PostgreSQL's server programs are missing: apt-get install postgresql"
  printf '%s\n' "$folder"
}

# PostgreSQL refuses to run as root. Replaces the shell it is called in, so that a background call's process id is the
# program's own.
exec_as_postgres() {
  if [ "$(id -u)" -eq 0 ]; then exec setpriv --reuid postgres --regid postgres --init-groups "$@"; else exec "$@"; fi
}

# start_postgres FOLDER: a server of our own, with its socket in FOLDER and no TCP; sets POSTGRES_PID.
start_postgres() {
  local folder=$1 bin
  bin=$(postgres_programs)
  mkdir -p "$folder"
  [ "$(id -u)" -eq 0 ] && chown postgres "$folder"
  chmod 755 "$folder"
  (exec_as_postgres "$bin/initdb" -D "$folder/data" -A trust -U postgres --no-sync -E UTF8 --locale=C) >"$folder/../initdb.log" 2>&1 \
    || fail "initdb failed: $(tail -3 "$folder/../initdb.log")"
  (exec_as_postgres "$bin/postgres" -D "$folder/data" -k "$folder" -c listen_addresses= -c fsync=off) >"$folder/../postgres.log" 2>&1 &
  POSTGRES_PID=$!
  local try
  for try in $(seq 100); do
    "$bin/pg_isready" -q -h "$folder" -U postgres && return 0
    sleep 0.1
  done
  fail "PostgreSQL did not start: $(tail -3 "$folder/../postgres.log")"
}

# start_sandbox PROGRAM FOLDER [OPTION...]: the sandbox API on a free port, with the referrals of FOLDER/referrals.json, its log and
# its key in FOLDER; sets SANDBOX_PID and BASE_URL.
start_sandbox() {
  local program=$1 folder=$2 try
  shift 2
  "$program" sandbox --port 0 --seed "$folder/referrals.json" "$@" >"$folder/sandbox.log" 2>&1 &
  SANDBOX_PID=$!
  for try in $(seq 100); do grep -q '^key:' "$folder/sandbox.log" && break; sleep 0.1; done
  BASE_URL=$(sed -n 's/^sandbox of the partners API: //p' "$folder/sandbox.log")
  [ -n "$BASE_URL" ] || fail "the sandbox did not start: $(cat "$folder/sandbox.log")"
  (umask 077 && sed -n 's/^key: //p' "$folder/sandbox.log" >"$folder/api-key")
}

# stop_process PID SIGNAL: ends it and waits, by force after ten seconds.
stop_process() {
  local pid=${1:-} signal=${2:-TERM} try
  [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null || return 0
  kill "-$signal" "$pid" 2>/dev/null
  for try in $(seq 100); do
    kill -0 "$pid" 2>/dev/null || { wait "$pid" 2>/dev/null; return 0; }
    sleep 0.1
  done
  kill -KILL "$pid" 2>/dev/null
}
