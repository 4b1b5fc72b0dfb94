# shellcheck shell=bash
# Mounts the control groups that a Docker engine needs, where no systemd did. To be sourced; does nothing where they are
# mounted already.

cgroups_are_mounted() { grep -qE '^[^ ]+ /sys/fs/cgroup[^ ]* cgroup2? ' /proc/mounts; }

mount_cgroups() {
  ! cgroups_are_mounted || return 0
  say "mounting the control groups under /sys/fs/cgroup"
  # A controller that an older hierarchy has taken (second column not 0) is not to be had in the unified one.
  if awk '!/^#/ && $2 != 0 {taken = 1} END {exit taken}' /proc/cgroups && mount -t cgroup2 none /sys/fs/cgroup 2>/dev/null; then
    return 0
  fi
  mount -t tmpfs -o mode=755 cgroups /sys/fs/cgroup
  local controller enabled
  while read -r controller _ _ enabled; do
    [ "$enabled" = 1 ] || continue
    mkdir -p "/sys/fs/cgroup/$controller"
    mount -t cgroup -o "$controller" none "/sys/fs/cgroup/$controller" || rmdir "/sys/fs/cgroup/$controller"
  done < <(grep -v '^#' /proc/cgroups)
}
