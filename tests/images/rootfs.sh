#!/usr/bin/env bash
# Makes the root file system of the services image: Debian's own packages by debootstrap, without what no container needs.
#
# usage: tests/images/rootfs.sh FILE.tar
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
# shellcheck source=tests/images/archive.sh
source "$REPOSITORY/tests/images/archive.sh"

file=$1
is_root || die "only root can build the services image" "sudo tests/images/ensure services"
have debootstrap || die "debootstrap is missing" "scripts/packages test installs it"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root

# A cluster that the package makes while it is installed would only be thrown away. debootstrap itself keeps services from starting.
say "making the root file system of the services image with debootstrap, about a minute"
debootstrap --variant=minbase --include=postgresql-15,redis-server,nats-server,nginx-light \
  bookworm "$root" "$(debian_mirror)" >"$work/log" 2>&1 || {
  tail -n 20 "$work/log" "$root/debootstrap/debootstrap.log" >&2
  die "debootstrap could not make the root file system"
}

# Documents, package lists, the cluster that the package made, and PostgreSQL's compiler for queries, 150 MB that no test uses.
rm -rf "$root"/usr/share/{doc,man,locale,info,i18n,lintian,bash-completion,perl} \
  "$root"/var/{cache,lib}/apt "$root"/var/cache/debconf "$root"/var/lib/postgresql/15 "$root"/etc/postgresql \
  "$root"/usr/lib/*/libLLVM* "$root"/usr/lib/*/libz3* "$root"/usr/lib/postgresql/15/lib/{llvmjit*,bitcode}
find "$root/var/log" -type f -delete
ln -s /dev/stdout "$root/var/log/nginx/access.log"
ln -s /dev/stderr "$root/var/log/nginx/error.log"

folder_to_tar "$root" "$file.part"
mv "$file.part" "$file"
