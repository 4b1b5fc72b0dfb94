# shellcheck shell=bash
# Writes image archives as `docker load` reads them, from folders and JSON alone: no registry, no engine, no Dockerfile, so the
# same archive goes into any engine within a second. The same content gives the same image ids. To be sourced after scripts/lib.sh.
#
#   open_archive; add_layer NAME FOLDER|FILE.tar; add_image REPOSITORY:TAG HASH CONFIG LAYER...; close_archive FILE

open_archive() {
  archive=$(mktemp -d)
  archive_images=()
  mkdir -p "$archive/content"
}

# add_layer NAME FOLDER: the folder's content, its numeric owners kept. add_layer NAME FILE.tar: that tar as it is.
add_layer() {
  local layer=$archive/content/$1.tar
  if [ -d "$2" ]; then folder_to_tar "$2" "$layer"; else ln "$2" "$layer" 2>/dev/null || cp "$2" "$layer"; fi
  sha256sum "$layer" | cut -d' ' -f1 >"$archive/$1.sum"
}

folder_to_tar() { tar --create --file "$2" --directory "$1" --sort=name --mtime=@0 --numeric-owner --format=gnu .; }

# add_image REPOSITORY:TAG HASH CONFIG LAYER...: CONFIG is the JSON object that the engine shows as `.Config`.
# The image gets two names: REPOSITORY:TAG, which always means the newest recipe loaded, and REPOSITORY:TAG-HASH.
add_image() {
  local name=$1 hash=$2 config=$3 architecture layer sums=() files=() history=() id
  shift 3
  architecture=$(dpkg --print-architecture)
  for layer in "$@"; do
    sums+=("\"sha256:$(cat "$archive/$layer.sum")\"")
    files+=("\"$layer.tar\"")
    history+=("{\"created\":\"2026-01-01T00:00:00Z\",\"created_by\":\"$layer\"}")
  done
  printf '{"architecture":"%s","os":"linux","created":"2026-01-01T00:00:00Z","config":%s,"rootfs":{"type":"layers","diff_ids":[%s]},"history":[%s]}' \
    "$architecture" "$config" "$(joined "${sums[@]}")" "$(joined "${history[@]}")" >"$archive/image.json"
  id=$(sha256sum "$archive/image.json" | cut -d' ' -f1)
  mv "$archive/image.json" "$archive/content/$id.json"
  archive_images+=("{\"Config\":\"$id.json\",\"RepoTags\":[\"$name\",\"$name-$hash\"],\"Layers\":[$(joined "${files[@]}")]}")
}

joined() {
  local IFS=,
  echo "$*"
}

# The file appears whole or not at all.
close_archive() {
  printf '[%s]' "$(joined "${archive_images[@]}")" >"$archive/content/manifest.json"
  tar --create --file "$1.part" --directory "$archive/content" .
  mv "$1.part" "$1"
  rm -rf "$archive"
}
