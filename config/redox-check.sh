#!/bin/sh
# Checks that all that goes to Redox compiles for it, without the Redox toolchain: type check and code
# generation, std included, everything but the link. Then, that Redox gets none of Linux' crates.
#
# Needs either Debian's rustc-web, cargo-web and rust-web-src, or a rustup nightly with rust-src.
set -u
cd "$(dirname "$0")/.." || exit 1

# shellcheck source=config/redox-compiler.sh
. config/redox-compiler.sh

NOT_ON_REDOX='rustix linux-raw-sys signal-hook signal-hook-registry spawner tests'
REDOX_CRATES='redox_syscall redox-scheme libredox'
# The newest releases of them that this project has been built with.
NEWEST_MET='libredox 0.1.25, libredox 0.2.0, redox-scheme 0.11.4, redox-scheme 0.12.0, redox_syscall 0.9.5'

export CARGO_TARGET_DIR="$PWD/target/redox-check"
# The link needs relibc; one linker setting everywhere, since another one would build std anew.
export CARGO_TARGET_X86_64_UNKNOWN_REDOX_LINKER=/bin/true

logs=$CARGO_TARGET_DIR/logs
newest=$CARGO_TARGET_DIR/newest
failures=0
mkdir -p "$logs"

report() { # STEP RESULT
    printf 'redox-check: %s: %s\n' "$1" "$2"
}

fail() { # STEP REASON
    report "$1" "failed: $2"
    failures=$((failures + 1))
}

# Builds for Redox in the current directory, into the log that `$1` names.
compile() { # NAME
    # shellcheck disable=SC2086,SC2154 # One argument a word; it comes from the file above.
    build_for_redox $test_packages >"$logs/$1.log" 2>&1
}

build() { # STEP NAME
    if compile "$2"; then
        report "$1" ok
    else
        fail "$1" "all of it in $logs/$2.log:"
        grep -A 5 '^error' "$logs/$2.log" | head -n 40
    fi
}

build_pinned() {
    build 'build with the pinned crates' pinned
}

# The same in a copy, in which Redox's own crates are the newest that there are. Releases that this project has not
# met yet are nobody's mistake here: if they do not build, that is said, and is no failure.
build_newest() {
    step='build with the newest Redox crates'
    rm -rf "$newest"
    mkdir -p "$newest"
    tar -c --exclude ./target --exclude ./.git . | tar -x -C "$newest"
    for crate in $REDOX_CRATES; do
        # It fails where there is no newer one.
        (cd "$newest" && "$cargo" update -Zunstable-options --breaking "$crate") >"$logs/update-$crate.log" 2>&1
    done
    # shellcheck disable=SC2086 # One argument a word.
    if ! (cd "$newest" && "$cargo" update $REDOX_CRATES) >"$logs/update.log" 2>&1; then
        report "$step" "skipped: cargo update failed: $(tail -n 1 "$logs/update.log" | sed 's/^ *//')"
        return
    fi
    versions=$(sed -n '/^name = "\(redox_syscall\|redox-scheme\|libredox\)"/{s/^name = "\(.*\)"/\1/;N;s/\n.*"\(.*\)"/ \1/;p}' \
        "$newest/Cargo.lock" | paste -s -d ',' | sed 's/,/, /g')
    home=$PWD
    cd "$newest" || exit 1
    if [ "$versions" = "$NEWEST_MET" ]; then
        build "$step ($versions)" newest
    elif compile newest; then
        report "$step ($versions)" 'ok; NEWEST_MET in config/redox-check.sh can name them'
    else
        report "$step" "skipped: $versions came out since NEWEST_MET and do not build; see $logs/newest.log"
    fi
    cd "$home" || exit 1
}

# The names of all crates that Redox gets, one a line.
crates_on_redox() {
    # shellcheck disable=SC2086 # One argument a word.
    "$cargo" tree --locked --target $TRIPLE --edges normal --prefix none --format '{p}' $packages | cut -d ' ' -f 1 | sort -u
}

check_absent() {
    step='crates on Redox'
    if ! present=$(crates_on_redox) || [ -z "$present" ]; then
        fail "$step" 'cargo tree failed'
        return
    fi
    found=
    for name in $NOT_ON_REDOX; do
        if printf '%s\n' "$present" | grep -qx -- "$name"; then
            found="$found $name"
        fi
    done
    if [ -z "$found" ]; then
        report "$step" "ok, none of: $NOT_ON_REDOX"
    else
        fail "$step" "not for Redox:$found (see: cargo tree --target $TRIPLE --edges normal --invert${found})"
    fi
}

if ! choose_compiler; then
    fail compiler "$NO_COMPILER"
    exit 1
fi
report compiler "ok, $($RUSTC --version)"
check_absent
build_pinned
build_newest

if [ "$failures" -ne 0 ]; then
    report result "$failures failed"
    exit 1
fi
report result ok
