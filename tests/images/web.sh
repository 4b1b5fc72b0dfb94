# shellcheck shell=bash
# The web images: one static server (web.c says what it can be told), with and without busybox beside it. To be sourced.

# shellcheck disable=SC2034 # read by name in `ensure`
web_recipe=("$IMAGES/web.c" "$IMAGES/web.sh" "$IMAGES/archive.sh")
# shellcheck disable=SC2034
web_names=(evenkeel-test/web:{1,2,3,broken,crash,health,volume,noshell,oneshot})

build_web() {
  local file=$1 hash=$2 work
  have cc || die "a C compiler is missing" "scripts/packages test installs it"
  work=$(mktemp -d)
  mkdir -p "$work"/{server/bin,server/etc,server/tmp,busybox/bin}
  cc -O2 -Wall -Wextra -Werror -static -s -o "$work/server/bin/web" "$IMAGES/web.c"
  echo 'root:x:0:0:root:/:/bin/sh' >"$work/server/etc/passwd"
  chmod 1777 "$work/server/tmp"
  cp "$(command -v busybox)" "$work/busybox/bin/busybox"
  local name
  while read -r name; do ln -sf busybox "$work/busybox/bin/$name"; done < <(busybox --list | grep -vx busybox)
  chown -R 0:0 "$work" 2>/dev/null || true

  open_archive
  add_layer server "$work/server"
  add_layer busybox "$work/busybox"
  web_image 1 1
  web_image 2 2
  web_image 3 3
  web_image broken broken ',"FAIL=health"'
  web_image crash crash ',"FAIL=exit:1"'
  web_image health 1 '' ',"Healthcheck":{"Test":["CMD","/bin/web","check"],"Interval":1000000000,"Timeout":2000000000,"Retries":3}'
  web_image volume 1 '' ',"Volumes":{"/data":{}}'
  web_image oneshot 1 '' ',"Cmd":["/bin/web","once"]'
  add_image evenkeel-test/web:noshell "$hash" "$(web_config 1)" server
  close_archive "$file"
  rm -rf "$work"
}

# web_image TAG VERSION [MORE ENVIRONMENT] [MORE CONFIG]; reads `hash`. A later key of the same name wins.
web_image() { add_image "evenkeel-test/web:$1" "$hash" "$(web_config "$2" "${3:-}" "${4:-}")" server busybox; }

web_config() {
  local command=',"Cmd":["/bin/web"]'
  [[ ${3:-} != *'"Cmd"'* ]] || command=''
  printf '{"Env":["PATH=/bin","VERSION=%s"%s]%s,"ExposedPorts":{"8080/tcp":{}}%s}' "$1" "${2:-}" "$command" "${3:-}"
}
