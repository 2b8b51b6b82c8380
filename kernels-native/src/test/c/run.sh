#!/bin/sh
# Builds the C kernels and kernels_test.c, and runs the test on every instruction set there is.
#
#   run.sh [native | aarch64] [INSTRUCTION_SET [SEED]]
#
# native (the default) needs a C compiler. aarch64 cross-compiles and runs under emulation; on Debian it needs
# gcc-aarch64-linux-gnu, libc6-dev-arm64-cross and qemu-user.
#
#   CC          the compiler (default: cc, or aarch64-linux-gnu-gcc)
#   QEMU_CPU    the processor to emulate (default: max), such as neoverse-n1
set -eu
where=${1:-native}
[ $# -eq 0 ] || shift
here=$(cd "$(dirname "$0")" && pwd -P)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

case $where in
  native)
    CC=${CC:-cc}
    TARGET=linux-$(uname -m)
    emulator=
    ;;
  aarch64)
    CC=${CC:-aarch64-linux-gnu-gcc}
    TARGET=linux-aarch64
    emulator="qemu-aarch64 -cpu ${QEMU_CPU:-max} -L /usr/aarch64-linux-gnu"
    ;;
  *)
    echo "usage: run.sh [native | aarch64] [INSTRUCTION_SET [SEED]]" >&2
    exit 2
    ;;
esac
export CC TARGET
sh "$here/../../main/c/build.sh" "$work"
# build.sh succeeds without a library where it cannot make one; the test then does not link.
"$CC" -O2 -std=gnu11 -ffp-contract=off -Wall -Wextra -o "$work/kernels_test" "$here/kernels_test.c" \
  -L "$work/$TARGET" -lmixtral_kernels -lm -Wl,-rpath,"$work/$TARGET"
# shellcheck disable=SC2086 # a command and its options, or nothing
$emulator "$work/kernels_test" "$@"
