# A whole host for deploy/try-package: a folder with Debian in it, booted by systemd-nspawn with a network of its own.
# Keeps the state of one run in these variables:
#   work           the folder of this run, removed at its end
#   root           the folder of the host that runs, nspawn_pid the container, init_pid its systemd

# The reason why no host can be booted here, or nothing.
reason_not_to_try() {
  local tool
  [ "$(id -u)" -eq 0 ] || { say "it takes root, to boot a container"; return; }
  [ -e /etc/debian_version ] || { say "it takes Debian or Ubuntu"; return; }
  (install_packages debootstrap systemd-container curl) >/dev/null 2>&1 || true
  for tool in systemd-nspawn debootstrap nsenter curl; do
    command -v "$tool" >/dev/null || { say "there is no $tool"; return; }
  done
  [ -d "$base/$suite" ] || curl -sfI --max-time 20 "$mirror/dists/$suite/Release" >/dev/null || say "no network to $mirror"
}

# The packages of a host that the daemon meets: PostgreSQL, and tools to look at it.
host_packages() {
  local curl=libcurl4
  [ "$1" = bookworm ] || curl=libcurl4t64
  say "systemd,systemd-sysv,dbus,procps,iproute2,less,sqlite3,man-db,ca-certificates,postgresql,libpq5,$curl" \
    "libsqlite3-0,libsystemd0,bash-completion,zsh,fish" | paste -sd,
}

# make_base SUITE: a fresh Debian in $base/SUITE, where there is none yet.
make_base() {
  [ ! -d "$base/$1" ] || return 0
  rm -rf "$base/$1.partial"
  debootstrap --variant=minbase --include="$(host_packages "$1")" "$1" "$base/$1.partial" "$mirror" >"$work/debootstrap.log" 2>&1 \
    || { tail -5 "$work/debootstrap.log" >&2; return 1; }
  mv "$base/$1.partial" "$base/$1"
}

# make_host NAME SUITE: a copy of it, of which the hard disk keeps its journal.
make_host() {
  make_base "$2"
  cp -a --reflink=auto "$base/$2" "$work/$1"
  mkdir -p "$work/$1/var/log/journal" "$work/$1/srv"
  echo "$1" >"$work/$1/etc/hostname"
}

# boot NAME: returns when everything is started that starts by itself.
boot() {
  root=$work/$1
  setsid systemd-nspawn --quiet -D "$root" --register=no --keep-unit --private-network -b ${boot_options[@]+"${boot_options[@]}"} \
    >>"$work/console.log" 2>&1 </dev/null &
  nspawn_pid=$!
  wait_until 30 has_init
  init_pid=$(pgrep -P "$nspawn_pid" | head -1)
  wait_until 60 is_started
}
has_init() { pgrep -P "$nspawn_pid" >/dev/null; }
is_started() { [[ $(inside 'systemctl is-system-running' 2>/dev/null) =~ ^(running|degraded)$ ]]; }

# power_off: as an operator would; cut_power: as a failure does.
power_off() {
  inside 'systemctl poweroff' || true
  wait_until 90 is_off
  nspawn_pid= init_pid=
}
cut_power() {
  [ -n "$nspawn_pid" ] || return 0
  kill -KILL ${init_pid:+"$init_pid"} 2>/dev/null || true
  wait_until 20 is_off || kill -KILL "$nspawn_pid"
  nspawn_pid= init_pid=
}
is_off() { ! kill -0 "$nspawn_pid" 2>/dev/null; }

# inside COMMAND: as root, in the container, in the folder /srv, where every user may be.
inside() {
  nsenter -t "$init_pid" -a env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=xterm LC_ALL=C.UTF-8 \
    DEBIAN_FRONTEND=noninteractive bash -c "cd /srv; $1"
}

# wait_until SECONDS COMMAND...: tries it until it succeeds.
wait_until() {
  local limit=$1 deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    [ $SECONDS -le $deadline ] || { say "after $limit s, still not: $*" >&2; return 1; }
    sleep 0.2
  done
}

# expect COMMAND..., refuse COMMAND...: with words on what went wrong.
expect() { "$@" || { say "not true: $*" >&2; return 1; }; }
refuse() { ! "$@" || { say "true, and must not be: $*" >&2; return 1; }; }
