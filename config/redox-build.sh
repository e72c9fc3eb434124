#!/bin/sh
# Builds and links all that goes to Redox, and what the test bed runs there. Arguments are cargo's.
#
# CARGO_TARGET_X86_64_UNKNOWN_REDOX_LINKER names the Redox toolchain's linker; `./x redox build` finds it.
set -eu
cd "$(dirname "$0")/.."
# shellcheck source=config/redox-compiler.sh
. config/redox-compiler.sh

if ! choose_compiler; then
    echo "redox-build: no compiler: $NO_COMPILER" >&2
    exit 1
fi
# shellcheck disable=SC2086,SC2154 # One argument a word; it comes from the file above.
build_for_redox $test_packages --bins --release "$@"
