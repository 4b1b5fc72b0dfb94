# shellcheck shell=bash
# The services image: real PostgreSQL 15, Redis, NATS and nginx from Debian's packages, one root file system for all of them.
# To be sourced. Its first build takes about a minute; the root file system is kept, so a change of the entry takes seconds.

# shellcheck disable=SC2034 # read by name in `ensure`
services_recipe=("$IMAGES/services.sh" "$IMAGES/services/entry" "$IMAGES/archive.sh" "$IMAGES/rootfs.sh")
# shellcheck disable=SC2034
services_names=(evenkeel-test/{services,postgres,redis,nats,nginx}:1)

build_services() {
  local file=$1 hash=$2 work rootfs
  rootfs=$CACHE/images/rootfs-$(recipe_hash "$IMAGES/rootfs.sh").tar
  [ -f "$rootfs" ] || "$IMAGES/rootfs.sh" "$rootfs"
  work=$(mktemp -d)
  mkdir -p "$work/entry/usr/local/bin"
  install -m 755 "$IMAGES/services/entry" "$work/entry/usr/local/bin/entry"
  chown -R 0:0 "$work" 2>/dev/null || true

  open_archive
  add_layer rootfs "$rootfs"
  add_layer entry "$work/entry"
  # All four end quickly and cleanly on SIGINT; for PostgreSQL, SIGTERM would wait for the clients to leave.
  services_image services '"StopSignal":"SIGINT"'
  services_image postgres '"Cmd":["postgres"],"ExposedPorts":{"5432/tcp":{}},"Volumes":{"/var/lib/postgresql/data":{}},"StopSignal":"SIGINT"'
  services_image redis '"Cmd":["redis"],"ExposedPorts":{"6379/tcp":{}},"Volumes":{"/data":{}}'
  services_image nats '"Cmd":["nats"],"ExposedPorts":{"4222/tcp":{},"8222/tcp":{}},"Volumes":{"/data":{}}'
  services_image nginx '"Cmd":["nginx"],"ExposedPorts":{"80/tcp":{}}'
  close_archive "$file"
  rm -rf "$work"
}

# services_image NAME MORE CONFIG; reads `hash`
services_image() {
  add_image "evenkeel-test/$1:1" "$hash" \
    "{\"Env\":[\"PATH=/usr/local/bin:/usr/lib/postgresql/15/bin:/usr/sbin:/usr/bin:/sbin:/bin\",\"LANG=C.UTF-8\"],\"Entrypoint\":[\"/usr/local/bin/entry\"],$2}" \
    rootfs entry
}
