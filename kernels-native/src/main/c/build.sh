#!/bin/sh
# Compiles the C kernels into DIR/<os>-<arch>/libmixtral_kernels.so. Without a C compiler it says so and succeeds: the
# program then runs on the Vector API. A library that is newer than its sources is kept.
#
#   build.sh DIR
#
#   CC          the compiler (default: cc, gcc or clang, whichever there is)
#   TARGET      os-arch to compile for, where CC is a cross compiler (default: this machine's)
#
# To cross-compile for 64-bit ARM on Debian (gcc-aarch64-linux-gnu, libc6-dev-arm64-cross):
#
#   CC=aarch64-linux-gnu-gcc TARGET=linux-aarch64 sh build.sh DIR
set -eu
# Absolute, as the compiler runs among the sources.
case $1 in
  /*) out=$1 ;;
  *) out=$PWD/$1 ;;
esac
source=$(cd "$(dirname "$0")" && pwd -P)

cc=${CC:-}
for candidate in cc gcc clang; do
  if [ -z "$cc" ] && command -v "$candidate" >/dev/null 2>&1; then cc=$candidate; fi
done
if [ -z "$cc" ]; then
  echo "WARNING: no C compiler (cc, gcc, clang): built without native kernels; on Debian: apt install gcc libc6-dev" >&2
  exit 0
fi

case ${TARGET:-$(uname -s)-$(uname -m)} in
  Linux-x86_64 | linux-x86_64) target=linux-x86_64 ;;
  Linux-aarch64 | linux-aarch64) target=linux-aarch64 ;;
  *)
    echo "WARNING: no native kernels for ${TARGET:-$(uname -s)-$(uname -m)}; the Vector API is used there" >&2
    exit 0
    ;;
esac

# Results are the same bits everywhere only without contraction and reordering of floating-point operations.
flags="-O3 -std=gnu11 -fPIC -ffp-contract=off -fvisibility=hidden -Wall -Wextra"
avx512="-mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vnni -mfma -mf16c"
library=$out/$target/libmixtral_kernels.so
# What the library was made with: another compiler or other options make it stale, as newer sources do.
recipe="$cc $("$cc" -dumpversion) $flags $avx512"
if [ -f "$library" ] && [ "$(cat "$library.recipe" 2>/dev/null)" = "$recipe" ] &&
  [ -z "$(find "$source" -newer "$library" -print | head -n 1)" ]; then
  exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$source"
compile() {
  name=$1
  shift
  # shellcheck disable=SC2086 # a list of options
  "$cc" $flags "$@" -c "$name.c" -o "$work/$name.o"
}
if ! {
  compile kernels &&
    case $target in
      linux-x86_64)
        # shellcheck disable=SC2086 # a list of options
        compile avx2 -mavx2 -mfma -mf16c &&
          compile avx512 $avx512 &&
          compile amx $avx512 -mamx-tile -mamx-int8
        ;;
      linux-aarch64) compile neon -march=armv8.2-a+dotprod ;;
    esac &&
    "$cc" -shared -Wl,-z,noexecstack -o "$work/libmixtral_kernels.so" "$work"/*.o
}; then
  echo "WARNING: $cc could not compile the native kernels (messages above); the Vector API is used instead" >&2
  exit 0
fi
mkdir -p "$out/$target"
mv "$work/libmixtral_kernels.so" "$library"
echo "$recipe" >"$library.recipe"
