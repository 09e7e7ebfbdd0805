#!/usr/bin/env bash
# Runs tests/driver.cpp: with the sanitizers of addresses and undefined behaviour, on an emulated CPU without VNNI, and on an emulated
# AArch64, as far as qemu-user and a cross compiler are installed. Needs cmake, ninja and a compiler.
set -euo pipefail
source=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

build() { # name, then options of cmake
    cmake -G Ninja -S "$source" -B "$work/$1" -DKITTENTTS_NATIVE_DRIVER=ON "${@:2}" >"$work/log" &&
        ninja -C "$work/$1" driver >>"$work/log" || { cat "$work/log"; exit 1; }
}

report() { # name, then the command; its failure ends the script
    local what=$1 said
    shift
    said=$("$@") || { echo "$what: $said"; exit 1; }
    echo "$what: $said"
}

build sanitized -DCMAKE_BUILD_TYPE=RelWithDebInfo \
    -DCMAKE_CXX_FLAGS="-O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer"
for kernel in $("$work/sanitized/driver" --kernels); do
    KITTENTTS_NATIVE_KERNEL=$kernel report sanitized "$work/sanitized/driver"
done

# qemu's own warnings name features of Haswell that it lacks
if command -v qemu-x86_64 >/dev/null && [ "$(uname -m)" = x86_64 ]; then
    build plain -DCMAKE_EXE_LINKER_FLAGS=-static
    report Haswell qemu-x86_64 -cpu Haswell "$work/plain/driver" 2>/dev/null
else
    echo "Haswell: skipped, no qemu-x86_64"
fi

if command -v aarch64-linux-gnu-g++ >/dev/null && command -v qemu-aarch64 >/dev/null; then
    build arm -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 -DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++ \
        -DCMAKE_EXE_LINKER_FLAGS=-static
    for kernel in $(qemu-aarch64 "$work/arm/driver" --kernels); do
        KITTENTTS_NATIVE_KERNEL=$kernel report AArch64 qemu-aarch64 "$work/arm/driver"
    done
else
    echo "AArch64: skipped, no aarch64-linux-gnu-g++ or no qemu-aarch64"
fi
