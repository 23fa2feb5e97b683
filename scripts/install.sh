# What the scripts need: on Debian and Ubuntu, apt-get installs what is missing; elsewhere, they say what to install, in
# the words of the system. Sourced, not run.
# shellcheck shell=bash

# is_there NEED
is_there() {
  local path
  case $1 in
    /*) [[ -e $1 ]] ;;
    */*) [[ -e /usr/include/$1 || -e /usr/local/include/$1 ]] ;;
    *.a) [[ $(c++ -print-file-name="$1" 2>/dev/null) == /* ]] ;;
    python3-*) /usr/bin/python3 -c "import ${1#*-}" 2>/dev/null ;;
    sanitizers) clang++ -fsanitize=address -x c++ -o /dev/null - <<<'int main() {}' 2>/dev/null ;;
    *)  # Debian keeps wine64 off the path. What busybox has under the same name can do less.
      path=$(PATH=$PATH:/usr/lib/wine command -v "$1") && [[ $(readlink -f "$path") != */busybox ]]
      ;;
  esac
}

# Prints the column of packages.txt for this system, or nothing.
this_system() {
  local name
  # shellcheck source=/dev/null
  for name in $(. /etc/os-release 2>/dev/null && echo "${ID-} ${ID_LIKE-}"); do
    case $name in
      debian | fedora | arch | alpine) echo "$name" && return ;;
      ubuntu) echo debian && return ;;
      rhel | centos) echo fedora && return ;;
      *suse*) echo suse && return ;;
    esac
  done
}

# packages_on SYSTEM NEED...: their names, each once.
packages_on() {
  printf '%s\n' "${@:2}" | awk -v column_name="$1" '
    NR == FNR { if (!column) for (i = 2; i <= NF; i++) if ($i == column_name) column = i; name[$1] = $column; next }
    name[$1] != "-" && !seen[name[$1]]++ { print name[$1] }' <(grep -v '^#' scripts/packages.txt) -
}

# install_missing PURPOSE NEED[?]...: the question mark means that all works without, too: CMake fetches a library, and
# what cannot be done is left out.
install_missing() {
  local purpose=$1 need required=() useful=() names system
  for need in "${@:2}"; do
    is_there "${need%[?]}" || if [[ $need == *[?] ]]; then useful+=("${need%[?]}"); else required+=("$need"); fi
  done
  if command -v apt-get >/dev/null; then
    ((${#required[@]} + ${#useful[@]} == 0)) || install_with_apt "$purpose" "${required[@]}" "${useful[@]}"
  elif ((${#required[@]})); then
    say "$purpose, these are missing: ${required[*]}"
    system=$(this_system)
    if [[ ! $system ]]; then die 1 "please install what your system calls them, and start again"; fi
    mapfile -t names < <(packages_on "$system" "${required[@]}" "${useful[@]}")
    local -A command=([debian]='apt-get install' [fedora]='dnf install' [arch]='pacman -S' [suse]='zypper install'
      [alpine]='apk add')
    if [[ $system == fedora ]]; then say "on RHEL, some of these packages come from CRB and EPEL"; fi
    die 1 "as root: ${command[$system]} ${names[*]}; then start again"
  fi
}

install_with_apt() {
  local purpose=$1 names answer log
  mapfile -t names < <(packages_on debian "${@:2}")
  ((EUID == 0)) || command -v sudo >/dev/null ||
    die 1 "$purpose, these packages are missing: ${names[*]}. Installing them takes root or sudo, and here" \
      "is neither. As root: apt-get install ${names[*]}"
  say "$purpose, installing with apt-get: ${names[*]}"
  if [[ -t 0 && -t 2 ]]; then
    read -r -p "Go on? [Y/n] " answer || answer=n
    [[ $answer =~ ^([yY]|$) ]] || die 1 "nothing was installed"
  fi
  log=$(mktemp)
  # The lists that are there may do: one broken source is no reason to give up. Another apt-get may be at work.
  until apt_get update || ! grep -q 'Could not get lock' "$log"; do
    say "waiting for another apt-get"
    sleep 5
  done
  apt_get --yes --no-install-recommends --option DPkg::Lock::Timeout=600 install "${names[@]}" ||
    { tail -n 30 "$log" >&2; die 1 "apt-get failed; all it said is in $log"; }
  rm -f "$log"
}

apt_get() {
  local root=()
  ((EUID == 0)) || root=(sudo)
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get --quiet "$@" </dev/null >"$log" 2>&1
}
