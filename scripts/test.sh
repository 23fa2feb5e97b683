#!/usr/bin/env bash
# Builds everything and runs all tests, as one run of ctest with one summary at the end. See --help.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
# shellcheck source-path=SCRIPTDIR source=prepare.sh
source scripts/prepare.sh
exec </dev/null

# Each is built in a folder of its own, and all its tests are run. The longest builds come first.
presets=(
  asan         # clang's, as tsan is, so its warnings are errors, too
  mingw        # the Windows program; its tests run under Wine
  release      # what launch_n.sh starts
  clang-mingw  # the Windows program in the other spelling of the shared section
  tsan
)
declare -A compilers=([asan]=sanitizers [tsan]=sanitizers [mingw]=x86_64-w64-mingw32-g++-posix [release]=c++
  [clang-mingw]=x86_64-w64-mingw32-g++-posix)
quick_needs=("${program_needs[@]}" tmux 'gtest/gtest.h?' nlohmann/json.hpp jq strace pgrep readelf 'spin?' 'help2man?'
  python3-pytest python3-pexpect python3-pyte)
needs=("${quick_needs[@]}" 'clang++?' 'sanitizers?' 'x86_64-w64-mingw32-g++-posix?' 'wine64?' 'ld.lld?'
  '/usr/src/googletest?')
ctest_options=()

usage() {
  cat <<END
Builds share_data in every way, and runs all tests. What is missing is installed with apt-get or, where there is none,
named; compilers for Windows may be missing there.

Examples:
  scripts/test.sh                   everything
  scripts/test.sh --quick           the Linux program only, in a few minutes
  scripts/test.sh -R '^asan[.]'     only tests whose names match

Usage: test.sh [--quick] [-R REGEX]
  --quick     only preset release, without exploring the models of the protocols, and without killing a
              copy at each instruction
  -R REGEX    only tests whose names match, as ctest takes it; everything is built all the same
  -h, --help  this text

The exit code is 0 if everything was built and all tests passed.
What does not need a build, the style of the sources, is checked by scripts/check.sh.
END
}

parse() {
  while (($#)); do
    case $1 in
      -h | --help) usage; exit ;;
      --quick) presets=(release) needs=("${quick_needs[@]}") ctest_options+=(-LE exhaustive) ;;
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

# Two presets at once, so that one compiles while the other configures or links.
build_all() {
  local preset
  for preset in "${presets[@]}"; do
    build "$preset" &
    while (($(jobs -pr | wc -l) == 2)); do wait -n || true; done
  done
  wait
}

# A build that fails is a test that fails: it is in the summary, and the other builds are tested all the same.
build() {
  rm -f "build/all/$1."* && touch "build/$1.log"
  if ! is_there "${compilers[$1]}"; then touch "build/all/$1.skipped"; return; fi
  local entries=(SHARE_DATA_TESTS=ON SHARE_DATA_WERROR=ON)
  if [[ $1 == release ]]; then entries+=(SHARE_DATA_BENCHMARKS=ON); fi
  if ((${#presets[@]} > 1)); then local -x CMAKE_BUILD_PARALLEL_LEVEL=$((($(nproc) + 1) / 2)); fi
  if ! build_preset "$1" all "${entries[@]}" ||
    ! ctest --test-dir "build/$1" --show-only=json-v1 >"build/all/$1.json" 2>>"build/$1.log"; then
    mv "build/$1.log" "build/all/$1.failed"
  fi
}

# --- the list of tests ---

list_tests() {
  local preset
  for preset in "${presets[@]}"; do
    if [[ -e build/all/$preset.skipped ]]; then
      add_test "$preset.build" sh -c "echo 'skipped: there is no ${compilers[$preset]}'; exit 77"
    elif [[ -e build/all/$preset.failed ]]; then
      add_test "$preset.build" sh -c "cat 'build/all/$preset.failed'; false"
    else
      add_test "$preset.build" true
      tests_of "$preset"
    fi
  done
}

# The tests of one build, each named PRESET.NAME: in one list, ctest would mix up the properties of equal names.
tests_of() {
  jq --raw-output --arg preset "$1" '
    def quoted: "[==[" + (if type == "array" then map(tostring) | join(";") else tostring end) + "]==]";
    def names: ["DEPENDS", "FIXTURES_SETUP", "FIXTURES_CLEANUP", "FIXTURES_REQUIRED"];
    def own: if .name | IN(names[]) then .value |= map($preset + "." + .) else . end;
    .tests[]
    | (($preset + "." + .name) | quoted) as $name
    | "add_test(\($name) \(.command // ["false"] | map(quoted) | join(" ")))",
      (.properties[] | own | "set_tests_properties(\($name) PROPERTIES \(.name) \(.value | quoted))")' "build/all/$1.json"
}

parse "$@"
install_missing "to build and test share_data" "${needs[@]}"
mkdir -p build/all
build_all
list_tests >build/all/CTestTestfile.cmake
# Most tests wait for something most of the time.
exec ctest --test-dir build/all --parallel $((3 * $(nproc))) --output-on-failure --no-tests=error "${ctest_options[@]}"
