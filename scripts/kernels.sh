#!/usr/bin/env bash
# Runs share_data under other kernels, each in a virtual machine. See --help.
set -euo pipefail

guests=(  # kernel, release of Debian, architecture
  '5.10 bullseye amd64'  # without futex_waitv
  '6.1 bookworm amd64'
  '6.12 trixie amd64'
  '6.12 trixie arm64'
)
limit=300  # seconds that a virtual machine may take

first_marker='<!-- kernels: written by scripts/kernels.sh --write -->'
last_marker='<!-- end of kernels -->'

usage() {
  cat <<END
Boots other kernels in QEMU, without KVM, and tries there what depends on the kernel; linux/tests/kernels/init.sh says
how. There is a line for each kernel and scenario.

Examples:
  scripts/kernels.sh                all kernels, some minutes
  scripts/kernels.sh 5.10           one kernel
  scripts/kernels.sh 6.1 arm64      this kernel, and all for this architecture

Usage: kernels.sh [--write] [NAME...]
  NAME        a kernel, an architecture or a release of Debian: 5.10, 6.1, 6.12; amd64, arm64; trixie
  --write     also put the table of results into docs/limits.md and its translation
  -h, --help  this text

The kernels and busybox are packages of Debian. apt-get fetches them into build/kernels and checks their signatures; to
get newer ones, remove that folder. The exit code is 0 if all passed.
END
}

main() {
  parse "$@"
  install_missing "to run other kernels" "${kernel_packages[@]}"
  for_each_guest fetch
  for_each_guest pack
  for_each_guest run
  if [[ $write ]]; then write_table; fi
  ((!failed))
}

cd "$(dirname "$(readlink -f "$0")")/.."
# shellcheck source-path=SCRIPTDIR source=prepare.sh
source scripts/prepare.sh
exec </dev/null

top=$PWD chosen=() write='' failed=0 labels=() scenarios=()
declare -A verdicts

parse() {
  local names=() guest name
  while (($#)); do
    case $1 in
      -h | --help) usage; exit ;;
      --write) write=yes ;;
      -*) die 2 "unknown option $1; see --help" ;;
      *)
        [[ " ${guests[*]} " == *" $1 "* ]] || die 2 "there is no kernel '$1'; see --help"
        names+=("$1")
        ;;
    esac
    shift
  done
  [[ ! $write || ${#names[@]} -eq 0 ]] || die 2 "--write goes with all kernels; see --help"
  for guest in "${guests[@]}"; do
    for name in "${names[@]:-$guest}"; do
      if [[ " $guest " == *" $name "* ]]; then chosen+=("$guest"); break; fi
    done
  done
}

for_each_guest() {
  local guest kernel release architecture preset machine console folder
  for guest in "${chosen[@]}"; do
    read -r kernel release architecture <<<"$guest"
    folder=build/kernels/$kernel-$architecture
    case $architecture in
      amd64) preset=release-tests machine=(qemu-system-x86_64 -cpu max) console=ttyS0 ;;
      arm64) preset=aarch64-tests machine=(qemu-system-aarch64 -machine virt -cpu cortex-a72) console=ttyAMA0 ;;
    esac
    "$1"
  done
}

# The image of the kernel, and busybox.
fetch() {
  local image files
  if [[ -e $folder/busybox ]]; then return; fi
  mkdir -p "$folder"/{lists,archives}/partial
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian $release main" \
    >"$folder/sources.list"
  say "$kernel $architecture: fetching Debian's list of packages, about 10 MB"
  debian get --quiet --quiet update
  image=$(debian cache depends "linux-image-cloud-$architecture" | sed -n 's/^ *Depends: //p')
  files=$(debian get --print-uris download "$image" busybox-static | awk '{ print $2 " (" int($3 / 1e6 + 1) " MB)" }')
  say "$kernel $architecture: fetching ${files//$'\n'/, }"
  (cd "$folder" && debian get --quiet --quiet download "$image" busybox-static)
  unpack "$folder/$image"_*.deb 'vmlinuz-*'
  unpack "$folder"/busybox-static_*.deb busybox
}

# debian get|cache ARGUMENT...: for the guest's release and architecture, not for those of this system.
debian() {
  "apt-$1" -o APT::Architecture="$architecture" -o APT::Architectures="$architecture" -o APT::Sandbox::User=root \
    -o Dir::Etc::SourceList="$top/$folder/sources.list" -o Dir::Etc::SourceParts=/dev/null \
    -o Dir::State="$top/$folder" -o Dir::State::Status=/dev/null -o Dir::Cache="$top/$folder" \
    -o Acquire::Languages=none "${@:2}"
}

# unpack PACKAGE PATTERN: the one file whose name matches.
unpack() {
  dpkg-deb --fsys-tarfile "$1" | tar --extract --to-stdout --wildcards "*/$2" >"$folder/${2%-*}.part"
  mv "$folder/${2%-*}.part" "$folder/${2%-*}"
}

# All files that the guest has.
pack() {
  local root=$folder/root linux=build/$preset/linux
  build_preset "$preset" for_kernels || { tail -n 40 "build/$preset.log" >&2; die 1 "the build failed"; }
  rm -rf "$root"
  mkdir -p "$root/bin"
  install linux/tests/kernels/init.sh "$root/init"
  install "$folder/busybox" "$linux/share_data" "$linux/tests/linux_unit_tests" "$linux/tests/kernels/ipcrm" "$root/bin"
  ln -s busybox "$root/bin/sh"
  (cd "$root" && find . | cpio --create --format=newc --quiet) >"$folder/initrd"
}

run() {
  local label="$kernel $architecture" line ended='' result='^([A-Za-z0-9+ -]+): ((ok|skipped|FAILED).*)$'
  labels+=("$label")
  while IFS= read -r line; do
    line=${line%$'\r'}
    if [[ $line == 'kernel: '* ]]; then
      label="${line#kernel: }" label="${label%-cloud-*} $architecture" labels[-1]=$label
    elif [[ $line =~ $result ]]; then
      report "${BASH_REMATCH[@]:1:3}"
    elif [[ $line == 'end of scenarios' ]]; then
      ended=yes
    fi
  done < <(boot)
  [[ $ended ]] || report 'all' "FAILED: it crashed, or took more than $limit s; see $folder/console.log" FAILED
}

boot() {
  timeout --foreground "$limit" "${machine[@]}" -accel tcg -smp 2 -m 512 -nodefaults -no-user-config -no-reboot \
    -display none -serial stdio -kernel "$folder/vmlinuz" -initrd "$folder/initrd" \
    -append "console=$console quiet panic=-1" |  # a panic is the end, too
    tee "$folder/console.log"
}

report() {  # SCENARIO TEXT VERDICT
  printf '%-24s%-18s%s\n' "$label" "$1" "$2"
  [[ " ${scenarios[*]} " == *" $1 "* ]] || scenarios+=("$1")
  verdicts[$label/$1]=$3
  if [[ $3 == FAILED ]]; then failed=1; fi
}

write_table() {
  local table scenario label row
  table="| scenario |$(printf ' %s |' "${labels[@]}")"$'\n'"|---|$(printf -- '---|%.0s' "${labels[@]}")"
  for scenario in "${scenarios[@]}"; do
    row="| $scenario |"
    for label in "${labels[@]}"; do row+=" ${verdicts[$label/$scenario]:-not run} |"; done
    table+=$'\n'$row
  done
  write_between_markers docs/limits.md "$first_marker" "$last_marker" "$table"
  write_between_markers docs/limits.zh-CN.md "$first_marker" "$last_marker" "$(in_chinese <<<"$table")"
}

in_chinese() {
  sed -E '
    s/^\| scenario /| 场景 /; s/^\| count /| 计数 /; s/^\| last one out /| 最后一份离开 /; s/^\| 200 at once /| 同时启动 200 份 /
    s/^\| idle /| 空闲 /; s/^\| PID namespaces /| PID 命名空间 /; s/^\| fallback /| 退回轮询 /
    s/^\| unit tests /| 单元测试 /; s/ ok \|/ 通过 |/g; s/ skipped \|/ 跳过 |/g; s/ FAILED \|/ **失败** |/g; s/ not run \|/ 没有运行 |/g'
}

main "$@"
