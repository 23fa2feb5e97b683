#!/bin/sh
# The first process of a virtual machine that scripts/kernels.sh boots, which has nothing but busybox and our programs.
# It runs the tests of what depends on the kernel, and prints a line for each scenario: its name and a colon, then `ok`
# or `FAILED`, then another colon and a remark.
set -f  # a filter such as * is not for the shell
export PATH=/bin
/bin/busybox --install -s /bin
mkdir -p /proc /dev/pts /tmp
mount -t proc proc /proc
mount -t devtmpfs dev /dev

# scenario NAME PROGRAM FILTER
scenario() {
  verdict=ok
  for filter in $(echo "$3" | tr : ' '); do
    "$2" --gtest_list_tests --gtest_filter="$filter" | grep -q '^  ' || { verdict=FAILED; echo "no test is $filter" >&2; }
  done
  "$2" --gtest_brief=1 --gtest_filter="$3" >/out 2>&1 || { verdict=FAILED; cat /out >&2; }
  echo "$1: $verdict: $(awk '$2 ~ /^(PASSED|SKIPPED|FAILED)$/ && $4 > 0 { printf " %s %s", $4, tolower($2) }' /out)"
}

echo "kernel: $(uname -r)"
scenario 'unit tests' linux_unit_tests '*'
scenario 'count' linux_process_tests 'Signals.AnyThat*:Start.ACopyLeaves*:Status.*'
scenario 'kill -9' linux_process_tests 'Death.TheOthers*:Death.AfterAll*:*Traced.*:WhoEndedHow.*'
scenario 'Ctrl+Z' linux_process_tests 'Stopped.*:*StoppedNeighbours.*/8'
scenario 'ipcrm' linux_process_tests 'Ipcrm.Starts*:Ipcrm.ACopyThat*'
scenario '150 at once' linux_process_tests 'Signals.OneCall*'
scenario 'idle' linux_process_tests 'Idle.*'
scenario 'PID namespaces' linux_process_tests '*Namespaces.CopiesIn*'
scenario 'fallback' linux_process_tests 'Forbidden.ToWait*'
echo 'end of scenarios'
reboot -f  # which ends the machine
