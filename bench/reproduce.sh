#!/usr/bin/env bash
# Builds the commit that is checked out twice, in different folders, for users with different homes, and compares the two
# programs byte for byte. This is also how a program that was built with it is checked: its SHA-256 must be the one that is
# printed, for the same commit, target, compiler and linker. SECURITY.md says how others are.
#
#   bench/reproduce.sh                  as released; takes some minutes
#   bench/reproduce.sh --quick          without optimisation: finds folders, times and disorder in the program sooner
#   bench/reproduce.sh --once [TARGET]  one program, for this or another target, into target/TARGET/release: so Linux's are released
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "$0")/.."

target=$(rustc -vV | sed -n 's/^host: //p')
if [ "${1:-}" = --once ]; then
    target=${2:-$target}
elif [ "${1:-}" = --quick ]; then
    export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
fi

# Commits made during the build are for the next time.
commit=$(git rev-parse HEAD)
# What embeds files embeds their times, which are those of unpacking them, unless it is told another.
export SOURCE_DATE_EPOCH
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct "$commit")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export RUSTUP_HOME=${RUSTUP_HOME:-$HOME/.rustup}
downloaded=${CARGO_HOME:-$HOME/.cargo}/registry

# build HOME FOLDER: builds in FOLDER as a user whose home is HOME, and prints where the program is.
build() (
    home=$1 folder=$2
    git clone --quiet . "$folder"
    git -C "$folder" checkout --quiet --detach "$commit"
    # What was downloaded is shared; it is unpacked and compiled for each.
    mkdir -p "$home/.cargo/registry" "$downloaded"/{index,cache}
    ln -s "$downloaded"/{index,cache} "$home/.cargo/registry"
    export HOME=$home CARGO_HOME=$home/.cargo CARGO_TARGET_DIR=$folder/target
    # Panics and C code name files: by names that are the same everywhere. Cargo's own setting for that, trim-paths, is not
    # stable yet.
    local flags=(
        "--remap-path-prefix=$folder=/src"
        "--remap-path-prefix=$CARGO_HOME=/cargo"
        # A hash of the program before it is stripped of names, which folders go into.
        "-Clink-arg=-Wl,--build-id=none"
    )
    export CARGO_ENCODED_RUSTFLAGS
    CARGO_ENCODED_RUSTFLAGS=$(IFS=$'\x1f'; printf %s "${flags[*]}")
    export CFLAGS="-ffile-prefix-map=$folder=/src -ffile-prefix-map=$CARGO_HOME=/cargo"
    cd "$folder"
    # Named also where it is this machine's: the names of functions, and so their order, depend on that.
    cargo build --locked --release --quiet --target "$target"
    echo "$folder/target/$target/release/solekey"
)

# Here, because the two would download at the same time.
cargo fetch --locked --quiet --target "$target"
if [ "${1:-}" != --once ]; then
    build "$work/home/robert" "$work/some/other-folder" >"$work/two" &
fi
one=$(build "$work/alice" "$work/alice/solekey")
"$one" --version --verbose
cc --version | sed -n '1s/^/C         /p'
ld --version | sed -n '1s/^/linker    /p'
if [ "${1:-}" = --once ]; then
    install -D "$one" "target/$target/release/solekey"
    sha256sum "target/$target/release/solekey"
    exit
fi
wait $!
two=$(cat "$work/two")
sha256sum "$one" "$two" | sed "s|$work/||"
if grep -q "$work" "$one"; then
    echo "the program knows the folder that it was built in" >&2
    exit 1
fi
cmp "$one" "$two"
echo "the two are the same"
