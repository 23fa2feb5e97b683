# What the scripts have in common: they install what is missing, build, and list tests. Sourced, not run.
# shellcheck shell=bash
# shellcheck source-path=SCRIPTDIR source=install.sh
source scripts/install.sh

# shellcheck disable=SC2034  # the scripts that source this file use them
{
  program_needs=(cmake ninja c++ linux/futex.h 'CLI/CLI.hpp?' 'fmt/format.h?' 'libc.a?' 'libstdc++.a?')
  windows_needs=(cmake ninja x86_64-w64-mingw32-g++-posix 'CLI/CLI.hpp?' 'fmt/format.h?' wine64)
}

say() { echo "${0##*/}: $*" >&2 || true; }  # goes on where nobody listens any more

die() {
  local code=$1
  shift
  say "$@"
  exit "$code"
}

# build_preset PRESET TARGET NAME=VALUE...: configures build/PRESET with these cache entries, and builds TARGET there,
# unless it is up to date. What CMake and the compiler say goes to build/PRESET.log. One at a time in each folder, or two
# launchers would write the same files.
build_preset() {
  local preset=$1 target=$2 entries=("${@:3}") folder=build/$1 locked=build/$1 log=build/$1.log
  mkdir -p "$folder" || die 1 "you may not write into $PWD; copy it to where you may"
  (
    flock -n 9 || { say "waiting for another build in $folder"; flock 9; }
    if is_configured && is_up_to_date; then exit; fi
    if [[ ! -w $folder || -e $log && ! -w $log ]]; then
      die 1 "$PWD/$folder belongs to $(stat -c %U "$folder"): remove it, or copy this tree without its build folder"
    fi
    say "building, preset $preset (output in $log)"
    is_configured || rm -rf "$folder/CMakeCache.txt" "$folder/CMakeFiles"
    if ! { cmake --preset "$preset" "${entries[@]/#/-D}" && cmake --build "$folder" --target "$target"; } \
      >"$log" 2>&1 9<&-; then
      tail -n 40 "$log" >&2
      die 1 "the build failed"
    fi
  ) 9<"$locked"
}

# With these cache entries, and for this place: the tree may have been copied here with its build folder.
is_configured() {
  local entry
  for entry in CMAKE_HOME_DIRECTORY="$PWD" "${entries[@]}"; do
    grep -qFx "$entry" <(sed 's/:[A-Z]*=/=/' "$folder/CMakeCache.txt" 2>/dev/null) || return
  done
}

is_up_to_date() { [[ $(cmake --build "$folder" --target "$target" -- -n 2>/dev/null) == *"ninja: no work to do."* ]]; }

# Sets `wine` to what starts a Windows program, in a folder of its own for what Wine keeps.
prepare_wine() {
  export WINEDEBUG=-all WINEPREFIX=$PWD/build/wine WINEDLLOVERRIDES='mscoree,mshtml='  # neither Mono nor Gecko
  wine=$(PATH=$PATH:/usr/lib/wine command -v wine64)
  if [[ -e $WINEPREFIX/system.reg ]]; then return; fi
  say "setting up Wine in build/wine, which takes some seconds"
  "$wine" wineboot --init </dev/null >build/wine.log 2>&1 || { cat build/wine.log >&2; die 1 "Wine does not start"; }
}

# add_test NAME COMMAND...: prints a test in ctest's own language. It runs in the top folder; exit code 77 means skipped.
add_test() {
  printf 'add_test('
  printf ' [==[%s]==]' "$@"
  printf ')\nset_tests_properties([==[%s]==] PROPERTIES WORKING_DIRECTORY [==[%s]==] SKIP_RETURN_CODE 77)\n' "$1" "$PWD"
}
