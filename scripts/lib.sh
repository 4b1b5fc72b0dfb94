# shellcheck shell=bash
# What the set-up scripts share: how they talk and fail, where they keep things, how they wait.
# To be sourced. Talk goes to stderr, answers to stdout. Must not install, start or change anything by being read.

set -euo pipefail

REPOSITORY=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# What was built once for this machine, shared by all checkouts: image archives, locks.
CACHE=${EVENKEEL_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/evenkeel}
export REPOSITORY CACHE

say() { printf '%s\n' "$*" >&2; }

# die SENTENCE [HINT]
die() {
  printf 'error: %s\n' "$1" >&2
  [ $# -lt 2 ] || printf '\nhint: %s\n' "$2" >&2
  exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

is_root() { [ "$(id -u)" = 0 ]; }

# wait_until SECONDS COMMAND...: asks five times a second; fails when it was not so within SECONDS.
wait_until() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.2
  done
}

# locked NAME COMMAND...: only one process of this machine at a time, for ten minutes at most.
# The lock is not inherited by what COMMAND leaves running in the background.
locked() {
  local lock=$CACHE/$1.lock
  shift
  mkdir -p "$CACHE"
  (
    flock --wait 600 9 || die "another process has held $lock for ten minutes"
    "$@" 9>&-
  ) 9>"$lock"
}

# detached LOG COMMAND...: starts COMMAND in a session of its own that holds none of our open files, prints its process id.
detached() {
  local log=$1 fd
  shift
  (
    for fd in /proc/self/fd/*; do
      fd=${fd##*/}
      [ "$fd" -le 2 ] || eval "exec $fd>&-"
    done
    exec setsid "$@"
  ) >>"$log" 2>&1 </dev/null &
  echo $!
}

# A process that its parent has not yet collected is dead too.
is_dead() {
  local state
  state=$(grep '^State:' "/proc/$1/status" 2>/dev/null) || return 0
  [[ $state =~ [[:space:]][ZX] ]]
}

# forget_the_dead PROGRAM FILE: removes a file with a process id that is not PROGRAM's any more. dockerd takes any process of
# that number for itself, an ended one that was not collected too, and would not start beside it.
forget_the_dead() {
  local process
  process=$(cat "$2" 2>/dev/null) || return 0
  if is_dead "$process" || [ "$(cat "/proc/$process/comm" 2>/dev/null)" != "$1" ]; then rm -f "$2"; fi
}

# One number for the content of files, this machine's architecture included.
recipe_hash() { { uname -m && cat "$@"; } | sha256sum | cut -c1-12; }

# The Debian mirror to take packages from: the one apt uses here, else debootstrap's own default.
debian_mirror() {
  local mirror=${EVENKEEL_DEBIAN_MIRROR:-}
  if [ -z "$mirror" ] && grep -qx 'ID=debian' /etc/os-release; then
    mirror=$(sed -n '/security/!s/^URIs:[[:space:]]*\([^[:space:]]*\).*/\1/p' /etc/apt/sources.list.d/debian.sources 2>/dev/null | head -n 1)
    [ -n "$mirror" ] || mirror=$(sed -n '/security/!s/^deb[[:space:]].*\(https\{0,1\}:[^[:space:]]*\).*/\1/p' /etc/apt/sources.list 2>/dev/null | head -n 1)
  fi
  [ -n "$mirror" ] || mirror=$(sed -n 's/^DEF_MIRROR="\(.*\)"/\1/p' /usr/sbin/debootstrap 2>/dev/null | head -n 1)
  [ -n "$mirror" ] || die "no Debian mirror is known" "set EVENKEEL_DEBIAN_MIRROR to its address"
  echo "$mirror"
}
