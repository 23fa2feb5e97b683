#!/usr/bin/env bash
# Boots other kernels in QEMU, without KVM, and tries there what depends on the kernel; linux/tests/kernels/init.sh says
# how. There is a line for each scenario. All kernels take some minutes. The exit code is 0 if all passed.
#
# The kernels and busybox are packages of Debian. apt-get fetches them into build/kernels and checks their signatures.
# To get newer ones, remove that folder.
set -euo pipefail

main() {
  install_missing "to run other kernels" "${program_needs[@]}" aarch64-linux-gnu-g++ /usr/src/googletest gtest/gtest.h \
    nlohmann/json.hpp qemu-system-x86_64 qemu-system-aarch64 cpio /usr/share/keyrings/debian-archive-keyring.gpg
  try 5.10 bullseye amd64  # without futex_waitv
  try 6.1 bookworm amd64
  try 6.12 trixie amd64
  try 6.12 trixie arm64
  exit "$failed"
}

# try KERNEL RELEASE ARCHITECTURE: the kernel of this release of Debian.
try() {
  local kernel=$1 release=$2 architecture=$3 folder=build/kernels/$1-$3 preset machine console
  case $architecture in
    amd64) preset=release machine=(qemu-system-x86_64 -cpu max) console=ttyS0 ;;
    arm64) preset=aarch64 machine=(qemu-system-aarch64 -machine virt -cpu cortex-a72) console=ttyAMA0 ;;
  esac
  fetch
  build_preset "$preset" for_kernels SHARE_DATA_TESTS=ON SHARE_DATA_WERROR=ON
  pack "$folder/root" "build/$preset/linux"
  say "booting $kernel $architecture"
  run || { say "$kernel $architecture failed; see $folder/console.log"; failed=1; }
}

# The image of the kernel, and busybox.
fetch() {
  local image
  if [[ -e $folder/initrd ]]; then return; fi
  mkdir -p "$folder"/{lists,archives}/partial
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian $release main" \
    >"$folder/sources.list"
  say "$kernel $architecture: fetching Debian's list of packages, the kernel and busybox"
  debian get -qq update
  image=$(debian cache depends "linux-image-cloud-$architecture" | sed -n 's/^ *Depends: //p')
  (cd "$folder" && debian get -qq download "$image" busybox-static)
  unpack "$folder/$image"_*.deb 'vmlinuz-*' "$folder/vmlinuz"
  unpack "$folder"/busybox-static_*.deb busybox "$folder/busybox"
}

# debian get|cache ARGUMENT...: for the guest's release and architecture, not for those of this system.
debian() {
  "apt-$1" -o APT::Architecture="$architecture" -o APT::Architectures="$architecture" -o APT::Sandbox::User=root \
    -o Dir::Etc::SourceList="$top/$folder/sources.list" -o Dir::Etc::SourceParts=/dev/null \
    -o Dir::State="$top/$folder" -o Dir::State::Status=/dev/null -o Dir::Cache="$top/$folder" \
    -o Acquire::Languages=none "${@:2}"
}

# unpack PACKAGE PATTERN FILE: the one file whose name matches.
unpack() {
  dpkg-deb --fsys-tarfile "$1" | tar --extract --to-stdout --wildcards "*/$2" >"$3"
}

# pack ROOT PROGRAMS: all files that the guest has.
pack() {
  rm -rf "$1"
  mkdir -p "$1/bin"
  install linux/tests/kernels/init.sh "$1/init"
  install "$folder/busybox" "$2/tests/linux_unit_tests" "$2/tests/linux_process_tests" "$1/bin"
  install -D "$2/share_data" "$1/$top/$2/share_data"  # where the tests look for it
  ln -s busybox "$1/bin/sh"
  (cd "$1" && find . | cpio --create --format=newc --quiet) >"$folder/initrd"
}

# A panic is the end of the machine, too.
run() {
  timeout --foreground 300 "${machine[@]}" -accel tcg -smp 2 -m 512 -nodefaults -no-user-config -no-reboot \
    -display none -serial stdio -kernel "$folder/vmlinuz" -initrd "$folder/initrd" \
    -append "console=$console quiet panic=-1" | tr -d '\r' | tee "$folder/console.log"
  grep -q '^end of scenarios' "$folder/console.log" && ! grep -q ': FAILED' "$folder/console.log"
}

cd "$(dirname "$(readlink -f "$0")")/.."
# shellcheck source-path=SCRIPTDIR source=prepare.sh
source scripts/prepare.sh
exec </dev/null
top=$PWD failed=0
main "$@"
