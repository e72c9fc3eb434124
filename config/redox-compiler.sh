# shellcheck shell=sh
# What every build for Redox shares: what goes there, and the compiler that brings the source of std, which is
# built along. To be sourced in the workspace's folder.

TRIPLE=x86_64-unknown-redox
# shellcheck disable=SC2034 # For those who source this.
NO_COMPILER='none has the source of std; install rustc-web cargo-web rust-web-src (Debian) or rust-src (rustup nightly)'

packages=
for crate in scheme hw nic intel realtek e1000 e1000e igb ixgbe rtl8139 rtl8168 virtio-net vmxnet3 netd config; do
    packages="$packages -p $crate"
done

# What the test bed runs there, which is no part of a build of Redox.
# shellcheck disable=SC2034 # For those who source this.
test_packages='-p runner -p sockets -p probe -p cost'

# Sets RUSTC and cargo, or fails where there is no such compiler.
choose_compiler() {
    # What is not stable is needed for std.
    export RUSTC_BOOTSTRAP=1
    nightly=$(rustc +nightly --print sysroot 2>/dev/null)
    if [ -x /usr/bin/cargo ] && [ -d "$(/usr/bin/rustc --print sysroot 2>/dev/null)/lib/rustlib/src/rust/library" ]; then
        export RUSTC=/usr/bin/rustc
        cargo=/usr/bin/cargo
    elif [ -n "$nightly" ] && [ -d "$nightly/lib/rustlib/src/rust/library" ]; then
        export RUSTC="$nightly/bin/rustc"
        cargo=$nightly/bin/cargo
    else
        return 1
    fi
}

# Builds in the current directory; arguments are cargo's.
build_for_redox() {
    # shellcheck disable=SC2086 # One argument a word.
    "$cargo" build --locked -Zbuild-std=std,panic_abort --target $TRIPLE $packages "$@"
}
