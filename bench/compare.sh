#!/usr/bin/env bash
# Times solekey beside age, rage, gpg and cp, whichever of them are on PATH, and prints medians and ratios.
#
# Usage: bench/compare.sh [MIB [RUNS [DIR]]]   1024 MiB, 5 runs, in a folder in /dev/shm
# Needs hyperfine. SOLEKEY names the program; target/release/solekey if unset. ONLY=memory or ONLY=durable runs half of the jobs.
# The durable jobs run on an ext4 file system in a file in DISK (/var/tmp if unset), which only root can mount.
#
# The machine may be shared and its speed may drift, so the commands of a job take turns, and the ratios are what counts:
# each is another program's median over solekey's, so above 1 solekey is faster. The spread is min to max.
set -euo pipefail

mib=${1:-1024} runs=${2:-5}
solekey=$(realpath "${SOLEKEY:-$(dirname "$0")/../target/release/solekey}")
dir=$(mktemp -d "${3:-/dev/shm}/solekey-bench.XXXXXX")
trap 'rm -rf "$dir"' EXIT
cd "$dir"

# Not `command -v`, which would find the functions below.
have() { type -P "$1" >/dev/null; }

head -c "${mib}M" /dev/urandom >in
recipient=$("$solekey" keygen -o key)

# On a virtual machine that gives its unused memory back to its host (free page reporting), a file in tmpfs that was
# removed seconds ago costs its successor three times the system time, whichever program writes it. So every run finds as
# much memory as it needs just freed.
warm() {
    rm -rf out many.out
    # What was removed must not be written or trimmed during the next run.
    sync -f .
    if [ "$(stat -f -c %T .)" = tmpfs ]; then
        head -c "$((3 * mib))M" /dev/zero >warmth
        rm warmth
    fi
}

# run NAME COMMAND: one timed run. NAME's times are collected in a file.
run() {
    warm
    hyperfine -N --runs 1 --warmup 0 --export-csv run.csv "$2" >/dev/null 2>&1
    tail -n +2 run.csv | cut -d, -f2 >>"times.$1"
}

# job TITLE NAME COMMAND [NAME COMMAND]…: solekey is the first NAME.
job() {
    local title=$1 names=() commands=()
    shift
    while [ $# -gt 0 ]; do
        names+=("$1")
        commands+=("$2")
        shift 2
    done
    rm -f times.*
    for _ in $(seq "$runs"); do
        for index in "${!names[@]}"; do run "${names[$index]}" "${commands[$index]}"; done
    done
    for name in "${names[@]}"; do
        sort -n "times.$name" | awk -v name="$name" '{t[NR] = $1} END {print name, t[int((NR + 1) / 2)], t[1], t[NR]}'
    done | awk -v title="$title" '
        NR == 1 {first = $2; printf "%s\n", title}
        {printf "  %-12s %8.3f s  (%.3f to %.3f)  ratio %.2f\n", $1, $2, $3, $4, $2 / first}'
}

# others FORMAT…: NAME COMMAND pairs of the other tools that are here, for the job.
age() { have age && jobs+=(age "$1") || true; }
rage() { have rage && jobs+=(rage "$1") || true; }
sh() { printf "sh -c '%s'" "$1"; }

# In tmpfs, so that processor and memory are what counts.
in_memory() {
    "$solekey" encrypt -r "$recipient" in
    "$solekey" encrypt -a -r "$recipient" -o in.asc in
    head -c 1024 in >small
    mkdir many
    for number in $(seq 1000); do head -c 4096 /dev/urandom >"many/$number"; done

    jobs=(solekey "$solekey encrypt -r $recipient -o out in" solekey-T1 "$solekey encrypt -T1 -r $recipient -o out in")
    age "age -r $recipient -o out in"
    rage "rage -r $recipient -o out in"
    have gpg && jobs+=(gpg "gpg --batch --yes --homedir $dir -q --compress-algo none --symmetric --passphrase x -o out in")
    jobs+=(cp "cp in out")
    job "encrypt, file to file, $mib MiB" "${jobs[@]}"

    jobs=(solekey "$solekey decrypt -i key -o out in.age" solekey-T1 "$solekey decrypt -T1 -i key -o out in.age")
    age "age -d -i key -o out in.age"
    rage "rage -d -i key -o out in.age"
    jobs+=(cp "cp in.age out")
    job "decrypt, file to file, $mib MiB" "${jobs[@]}"

    jobs=(solekey "$solekey encrypt -r $recipient -o /dev/null in")
    age "age -r $recipient -o /dev/null in"
    rage "$(sh "rage -r $recipient in >/dev/null")"
    job "encrypt, file to /dev/null, $mib MiB" "${jobs[@]}"

    jobs=(solekey "$solekey decrypt -i key -o /dev/null in.age")
    age "age -d -i key -o /dev/null in.age"
    rage "$(sh "rage -d -i key in.age >/dev/null")"
    job "decrypt, file to /dev/null, $mib MiB" "${jobs[@]}"

    jobs=(solekey "$(sh "cat in | $solekey encrypt -r $recipient | cat >/dev/null")")
    age "$(sh "cat in | age -r $recipient | cat >/dev/null")"
    rage "$(sh "cat in | rage -r $recipient | cat >/dev/null")"
    job "encrypt, pipe to pipe, $mib MiB" "${jobs[@]}"

    jobs=(solekey "$(sh "cat in.age | $solekey decrypt -i key | cat >/dev/null")")
    age "$(sh "cat in.age | age -d -i key | cat >/dev/null")"
    rage "$(sh "cat in.age | rage -d -i key | cat >/dev/null")"
    job "decrypt, pipe to pipe, $mib MiB" "${jobs[@]}"

    jobs=(solekey "$solekey encrypt -a -r $recipient -o out in")
    age "age -a -r $recipient -o out in"
    rage "rage -a -r $recipient -o out in"
    job "encrypt with armor, file to file, $mib MiB" "${jobs[@]}"

    jobs=(solekey "$solekey decrypt -i key -o out in.asc")
    age "age -d -i key -o out in.asc"
    rage "rage -d -i key -o out in.asc"
    job "decrypt with armor, file to file, $mib MiB" "${jobs[@]}"

    jobs=(solekey "$solekey encrypt -r $recipient -o out small")
    age "age -r $recipient -o out small"
    rage "rage -r $recipient -o out small"
    job "start-up: encrypt 1 KiB" "${jobs[@]}"

    jobs=(solekey "$(sh "cp -r many many.out; $solekey encrypt -r $recipient many.out/*")")
    age "$(sh "cp -r many many.out; for file in many.out/*; do age -r $recipient -o \$file.age \$file; done")"
    jobs+=(cp "$(sh "cp -r many many.out")")
    job "encrypt 1000 files of 4 KiB, with the cp that makes them" "${jobs[@]}"
}

# On a journaling file system. solekey has written everything to the disk when it ends, and so have cp with sync and dd with fsync;
# age and rage have not.
durable() {
    if [ "$(id -u)" != 0 ]; then
        echo "SKIPPED the durable jobs: only root can mount an ext4 file system from a file" >&2
        return
    fi
    # Not local: the trap needs them.
    image=$(mktemp "${DISK:-/var/tmp}/solekey-bench.XXXXXX") mounted=$dir/disk
    trap 'cd /; umount "$mounted" || true; rm -rf "$dir" "$image"' EXIT
    truncate -s "$((4 * mib + 1024))M" "$image"
    mkfs.ext4 -q -F "$image"
    mkdir "$mounted"
    mount -o loop "$image" "$mounted"
    mv in key "$mounted"
    cd "$mounted"

    # Sizes from 1 to 30 KiB, 77 MB in all.
    mkdir -p many
    for number in $(seq 5000); do
        [ $((number % 100)) != 1 ] || mkdir "many/$(((number - 1) / 100))"
        head -c $((1024 + number * 7919 % 29696)) /dev/urandom >"many/$(((number - 1) / 100))/$number"
    done
    jobs=(solekey "$solekey encrypt -r $recipient --recursive -O out many" cp "$(sh "cp -r many out; sync -f out")")
    age "$(sh "cp -r many out; find out -type f | while read -r file; do age -r $recipient -o \$file.age \$file; done")"
    job "durable: encrypt 5000 small files" "${jobs[@]}"

    jobs=(solekey "$solekey encrypt -r $recipient -o out in" cp "$(sh "cp in out; sync -f out")")
    jobs+=(dd "dd if=in of=out bs=1M conv=fsync status=none")
    age "age -r $recipient -o out in"
    rage "rage -r $recipient -o out in"
    job "durable: encrypt, file to file, $mib MiB" "${jobs[@]}"
}

[ "${ONLY-memory}" != memory ] || in_memory
[ "${ONLY-durable}" != durable ] || durable
