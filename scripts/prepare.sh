# What the scripts have in common: they install what is missing, build, and list tests. Sourced, not run.
# shellcheck shell=bash

# Debian's and Ubuntu's packages, by purpose.
# shellcheck disable=SC2034  # the scripts that source this file use them
{
  program_packages=(cmake ninja-build g++ libcli11-dev libfmt-dev)
  panes_packages=(tmux)
  windows_packages=(cmake ninja-build g++-mingw-w64-x86-64-posix libcli11-dev libfmt-dev wine64)
  test_packages=("${program_packages[@]}" "${panes_packages[@]}"
    libgtest-dev nlohmann-json3-dev jq strace procps spin help2man binutils python3-pytest python3-pexpect python3-pyte)
  clang_packages=(clang libclang-rt-dev)
  windows_test_packages=("${windows_packages[@]}" googletest clang lld binutils)
  kernel_packages=("${program_packages[@]}" g++-aarch64-linux-gnu googletest libgtest-dev nlohmann-json3-dev
    qemu-system-x86 qemu-system-arm cpio debian-archive-keyring)
  check_packages=("${program_packages[@]}" g++-mingw-w64-x86-64-posix clang lld jq clang-format clang-tidy
    shellcheck pyflakes3)
}

say() { echo "${0##*/}: $*" >&2 || true; }  # goes on where nobody listens any more

die() {
  local code=$1
  shift
  say "$@"
  exit "$code"
}

# A program that did not come as a package does as well.
has_package() {
  [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null) == installed ]] && return
  case $1 in
    ninja-build) command -v ninja >/dev/null ;;
    python3-*) python3 -c "import ${1#python3-}" 2>/dev/null ;;
    lib* | *-dev | googletest | *-keyring) return 1 ;;
    *) command -v "$1" >/dev/null ;;
  esac
}

# as_root COMMAND...: directly, or else through sudo.
as_root() {
  if ((EUID == 0)); then "$@"; else sudo "$@"; fi
}

# Asks whether to go on, if a person can answer. Without a terminal it goes on by itself.
confirm() {
  local answer
  [[ -t 0 && -t 2 ]] || return 0
  read -r -p "Go on? [Y/n] " answer && [[ $answer =~ ^([yY]|$) ]]
}

# install_missing PURPOSE PACKAGE...
install_missing() {
  local purpose=$1 package log missing=()
  shift
  for package; do
    has_package "$package" || [[ " ${missing[*]} " == *" $package "* ]] || missing+=("$package")
  done
  ((${#missing[@]})) || return 0

  command -v apt-get >/dev/null ||
    die 1 "$purpose, these Debian packages are missing, and this is not Debian: ${missing[*]}. Please install" \
      "what your system calls them (of the libraries, CMake fetches what is not there), and start again."
  ((EUID == 0)) || command -v sudo >/dev/null ||
    die 1 "$purpose, these packages are missing: ${missing[*]}. Installing them takes root or sudo, and here" \
      "is neither. As root: apt-get install ${missing[*]}"

  say "$purpose, installing with apt-get: ${missing[*]}"
  confirm || die 1 "nothing was installed"
  log=$(mktemp)
  as_root env DEBIAN_FRONTEND=noninteractive sh -c '
    apt-get --quiet update && apt-get --quiet --yes --no-install-recommends --option DPkg::Lock::Timeout=600 install "$@"
  ' sh "${missing[@]}" </dev/null >"$log" 2>&1 ||
    { tail -n 30 "$log" >&2; die 1 "apt-get failed; all it said is in $log"; }
  rm -f "$log"
}

# is_configured PRESET NAME=VALUE...: with these cache entries. A tree that was copied here with its build folder is not
# configured for this place.
is_configured() {
  local cache=build/$1/CMakeCache.txt entry
  for entry in CMAKE_HOME_DIRECTORY="$PWD" "${@:2}"; do
    grep --quiet --fixed-strings --line-regexp "$entry" <(sed 's/:[A-Z]*=/=/' "$cache" 2>/dev/null) || return
  done
}

# is_built PRESET TARGET NAME=VALUE...
is_built() {
  is_configured "$1" "${@:3}" &&
    [[ $(cmake --build "build/$1" --target "$2" -- -n 2>/dev/null) == *"ninja: no work to do."* ]]
}

# build_preset PRESET TARGET NAME=VALUE...: configures build/PRESET with these cache entries, and builds TARGET there,
# unless it is up to date. What CMake and the compiler say goes to build/PRESET.log. One at a time in each folder, or two
# launchers would write the same files.
build_preset() {
  local preset=$1 target=$2 entries=("${@:3}") log=build/$1.log locked=build/$1
  mkdir -p "$locked" || die 1 "you may not write into $PWD; copy it to where you may"
  (
    flock 9
    if is_built "$@"; then exit; fi
    say "building, preset $preset (output in $log)"
    fresh=()
    is_configured "$preset" || fresh=(--fresh)
    cmake "${fresh[@]}" --preset "$preset" "${entries[@]/#/-D}" >"$log" 2>&1 9<&- &&
      cmake --build "build/$preset" --target "$target" >>"$log" 2>&1 9<&-
  ) 9<"$locked"
}

# prepare_linux_program and prepare_windows_program set `program` to the command that starts a copy, and `status` to the
# one that asks what there is.
prepare_linux_program() {
  build_program release "${program_packages[@]}"
  program=("$PWD/build/release/linux/share_data")
  status=("${program[@]}" --status --explain)
}

prepare_windows_program() {
  build_program release-mingw "${windows_packages[@]}"
  prepare_wine
  program=("$wine" "$PWD/build/release-mingw/windows/share_data.exe")
  status=("${program[@]}" --status)
}

# Sets `wine` to what starts a Windows program, in a folder of its own for what Wine keeps.
prepare_wine() {
  export WINEDEBUG=-all WINEPREFIX=$PWD/build/wine WINEDLLOVERRIDES='mscoree,mshtml='  # neither Mono nor Gecko
  wine=$(PATH=$PATH:/usr/lib/wine command -v wine64) || die 1 "there is no wine64"
  if [[ -e $WINEPREFIX/system.reg ]]; then return; fi
  say "setting up Wine in build/wine, which takes some seconds"
  "$wine" wineboot --init </dev/null >build/wine.log 2>&1 || { cat build/wine.log >&2; die 1 "Wine does not start"; }
}

# build_program PRESET PACKAGE...
build_program() {
  install_missing "to build and run share_data" "${@:2}"
  build_preset "$1" share_data || { tail -n 40 "build/$1.log" >&2; die 1 "the build failed"; }
}

# write_between_markers PAGE FIRST LAST TEXT: between the lines FIRST and LAST.
write_between_markers() {
  local page=$1 first=$2 last=$3 text
  text=$(<"$page")
  [[ $text == *"$first"*"$last"* ]] || die 1 "$page lacks the lines '$first' and '$last'"
  printf '%s\n' "${text%%"$first"*}$first"$'\n\n'"$4"$'\n\n'"$last${text#*"$last"}" >"$page"
}

# add_test NAME COMMAND...: prints a test in ctest's own language. It runs in the top folder.
add_test() {
  local name=$1
  shift
  printf 'add_test([==[%s]==]' "$name"
  printf ' [==[%s]==]' "$@"
  printf ')\nset_tests_properties([==[%s]==] PROPERTIES WORKING_DIRECTORY [==[%s]==])\n' "$name" "$PWD"
}
