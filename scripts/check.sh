#!/usr/bin/env bash
# Checks the style of the sources, as one run of ctest with one summary at the end. See --help.
set -euo pipefail

usage() {
  cat <<END
Checks the sources: clang-format, clang-tidy, shellcheck, pyflakes; and compiles them with the compilers and libraries
of other systems. What is missing is installed with apt-get or, where there is none, named.

Examples:
  scripts/check.sh                  everything
  scripts/check.sh -R '^format'     only checks whose names match

Usage: check.sh [--systems] [-R REGEX]
  --systems   also with an old C library and with musl, which takes some minutes more
  -R REGEX    only checks whose names match, as ctest takes it
  -h, --help  this text

The exit code is 0 if all checks passed. What clang-format complains about, it also repairs: clang-format -i FILE
END
}

main() {
  parse "$@"
  install_missing "to check the sources" "${needs[@]}"
  # clang-tidy reads the programs as these presets build them; not the tests, which are full of GoogleTest's macros.
  configure release -D CMAKE_CXX_COMPILER=clang++
  configure clang-mingw
  list_checks >build/check/CTestTestfile.cmake
  exec ctest --test-dir build/check --parallel "$(nproc)" --output-on-failure --no-tests=error "${ctest_options[@]}"
}

cd "$(dirname "$(readlink -f "$0")")/.."
# shellcheck source-path=SCRIPTDIR source=prepare.sh
source scripts/prepare.sh
exec </dev/null

needs=("${program_needs[@]}" x86_64-w64-mingw32-g++-posix clang++ ld.lld jq clang-format clang-tidy shellcheck
  pyflakes3)
# Not every release of Debian and Ubuntu has this one.
if apt-cache show g++-11 >/dev/null 2>&1; then needs+=('g++-11?'); fi
ctest_options=() systems=(gcc-11 old-headers)

parse() {
  while (($#)); do
    case $1 in
      -h | --help) usage; exit ;;
      --systems) systems+=(glibc-2.28 musl) needs+=(npm) ;;
      -R)
        (($# > 1)) || die 2 "-R needs a regular expression; see --help"
        ctest_options+=(-R "$2")
        shift
        ;;
      *) die 2 "unknown option $1; see --help" ;;
    esac
    shift
  done
}

# configure PRESET OPTION...: writes build/check/PRESET/compile_commands.json, which is all that clang-tidy needs.
configure() {
  local folder=build/check/$1
  rm -rf "$folder"
  mkdir -p "$folder"
  cmake --preset "$1" -B "$folder" -D CMAKE_UNITY_BUILD=OFF "${@:2}" >"$folder.log" 2>&1 ||
    { cat "$folder.log" >&2; die 1 "CMake failed, preset $1"; }
}

list_checks() {
  local preset file system
  local -A listed
  for system in "${systems[@]}"; do
    add_test "system.$system" scripts/other_systems.sh "$system"
  done
  while read -r file; do add_test "format.$file" clang-format --dry-run -Werror "$file"; done < <(files '*.cpp' '*.h')
  while read -r file; do add_test "shellcheck.$file" shellcheck --external-sources "$file"; done < <(echo .ci/run; files '*.sh' '*.bash')
  while read -r file; do add_test "pyflakes.$file" pyflakes3 "$file"; done < <(files '*.py')
  for preset in release clang-mingw; do
    while read -r file; do
      [[ ! ${listed[$file]:-} ]] || continue  # the other preset has it, too
      listed[$file]=yes
      # {fmt} has less to read if it need not be compiled here.
      add_test "tidy.$file" clang-tidy --quiet --extra-arg=-UFMT_HEADER_ONLY -p "build/check/$preset" "$file"
    done < <(jq --raw-output --arg top "$PWD/" '
      .[].file | select(startswith($top)) | ltrimstr($top) | select(startswith("build/") | not)
    ' "build/check/$preset/compile_commands.json")
  done
}

# files PATTERN...: our files whose names match.
files() {
  local pattern patterns=()
  for pattern; do patterns+=(-o -name "$pattern"); done
  find . -path ./build -prune -o \( "${patterns[@]:1}" \) -type f -printf '%P\n' | sort
}

main "$@"
