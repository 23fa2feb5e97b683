#!/usr/bin/env bash
# Makes the packages and uses what is in them. Usage: package_test.sh CASE BUILD_FOLDER, where CASE is one of the
# functions below that begin with test_, without that.
set -euo pipefail

build=$2
source=$(dirname "$(readlink -f "$0")")/../..
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
key=$(printf '%#x' $((0x6d000000 + $$)))  # a count of our own

fail() { echo "FAILED: $*" >&2; exit 1; }

# package GENERATOR: makes it, and sets `package` to its file.
package() {
  cpack --config "$build/CPackConfig.cmake" -G "$1" -B "$work/out" >"$work/log" 2>&1 || { cat "$work/log"; fail "cpack -G $1"; }
  package=$(find "$work/out" -maxdepth 1 -name "share-data[-_]*" ! -name '*.sha256')
  (cd "$work/out" && sha256sum --quiet --check ./*.sha256) || fail "the checksum is wrong"
}

# counts PROGRAM: it runs, and shows itself.
counts() {
  local line
  line=$("$1" --key "$key" --quiet --for 0.01 | head -1)
  [[ $line =~ \[[0-9]+\]\ +1\ live\ +joined$ ]] || fail "$1 says '$line'"
}

# A static program brings the standard library with it, and of that nothing that it does not use.
is_small() {
  local size
  size=$(stat --format %s "$1")
  ((size <= 2000000)) || fail "$1 has $size bytes"
  ! readelf --sections --wide "$1" | grep --quiet -F .symtab || fail "$1 is not stripped"
}

manual() { gzip --decompress --force --stdout "$1" | sed 's/\\-/-/g'; }

# All that --help tells is in the manual page.
manual_tells_what_help_tells() {
  local program=$1 page=$2 words
  while read -r words; do
    manual "$page" | sed 's/\\f[BIRP]//g' | grep --quiet --fixed-strings -e "$words" || fail "the manual does not have: $words"
  done < <("$program" --help | sed -nE 's/^  (-h,)?(--[a-z]+).*/\2/p; s/^  (share_data .*[a-z])   .*/\1/p; s/^  [0-3]  //p')
}

# The completion proposes each option that --help tells of.
completion_knows_the_options() {
  local program=$1 completion=$2 proposed
  proposed=$(PATH=$(dirname "$program"):$PATH bash -c '
    source "$1"
    COMP_WORDS=(share_data --) COMP_CWORD=1
    _share_data
    printf "%s\n" "${COMPREPLY[@]}"' bash "$completion")
  [[ $proposed == "$("$program" --help | grep -oE -- '--[a-z]+' | sort -u)" ]] || fail "it proposes: $proposed"
  proposed=$(bash -c 'source "$1"; COMP_WORDS=(share_data --color a) COMP_CWORD=2; _share_data; echo "${COMPREPLY[@]}"' \
    bash "$completion")
  [[ $proposed == "always auto" || $proposed == "auto always" ]] || fail "for --color a it proposes: $proposed"
}

everything_is_in() {
  local root=$1 page=$1/share/man/man1/share_data.1.gz
  counts "$root/bin/share_data"
  is_small "$root/bin/share_data"
  manual_tells_what_help_tells "$root/bin/share_data" "$page"
  completion_knows_the_options "$root/bin/share_data" "$root/share/bash-completion/completions/share_data"
  [[ -s $root/share/doc/share-data/copyright && -s $root/share/doc/share-data/README.md ]] || fail "no documents"
}

# dpkg with a root folder and a database of its own, so that it changes nothing here.
scratch_dpkg() {
  dpkg --root="$work/root" --force-bad-path --force-depends --log=/dev/null "$@" >"$work/log" 2>&1 ||
    { cat "$work/log"; fail "dpkg $*"; }
}

test_deb_can_be_installed_and_removed() {
  ((EUID == 0)) || exit 77  # dpkg gives each file to root
  package DEB
  mkdir -p "$work"/root/var/lib/dpkg/{info,updates}
  touch "$work/root/var/lib/dpkg/status"
  scratch_dpkg --install "$package"
  everything_is_in "$work/root/usr"
  scratch_dpkg --purge share-data
  [[ ! -e $work/root/usr ]] || fail "left behind: $(find "$work/root/usr")"
}

# The packages that it asks for are those with the libraries that the program needs; a static one needs none.
test_deb_asks_for_what_it_needs() {
  package DEB
  local asked needed library
  asked=$(dpkg-deb --field "$package" Depends | tr ',' '\n' | awk '{ print $1 }' | sort)
  dpkg-deb --extract "$package" "$work/root"
  needed=$(LC_ALL=C readelf --dynamic "$work/root/usr/bin/share_data" | sed -nE 's/.*NEEDED.*\[(.*)\]/\1/p' |
    while read -r library; do dpkg-query --search "*/$library" | sed -n '1s/:.*//p'; done | sort --unique)
  [[ $asked == "$needed" ]] || fail "it asks for '$asked' and needs '$needed'"
}

test_deb_satisfies_lintian() {
  command -v lintian >/dev/null || { echo "skipped: lintian is not installed"; exit 77; }
  package DEB
  lintian --allow-root --pedantic --display-info --fail-on error,warning,info,pedantic "$package" || fail "see above"
}

# Both changelogs begin with this version, of the same day.
test_changelogs_tell_of_this_version() {
  local version date debian=$source/linux/debian/changelog
  read -r _ version date < <(sed -nE 's/^## (\[)([0-9.]+)\] - ([0-9-]+)$/\1 \2 \3/p' "$source/CHANGELOG.md")
  [[ $("$build/linux/share_data" --version) == "share_data $version" ]] || fail "CHANGELOG.md begins with $version"
  [[ $(head -n 1 "$debian") == "share-data ($version) "* ]] || fail "$debian does not begin with $version"
  [[ $(date --utc --date "$(sed -n '/^ -- /{ s/.*>  //p; q }' "$debian")" +%F) == "$date" ]] || fail "another day in $debian"
}

test_archive_can_be_unpacked_anywhere() {
  package TGZ
  mkdir "$work/root"
  tar --extract --file "$package" --directory "$work/root" --strip-components 1
  everything_is_in "$work/root"
}

test_install_takes_a_prefix() {
  cmake --install "$build" --prefix "$work/prefix" >/dev/null
  everything_is_in "$work/prefix"
}

[[ -e $build/linux/share_data.1.gz ]] || exit 77  # made without help2man
"test_$1"
