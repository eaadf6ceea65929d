#!/usr/bin/env bash
# Fetches all CCTV test vectors for age into a folder, one file each, from the npm package cctv-age.
# Usage: tests/vectors/fetch.sh DIR. Prints nothing, and does nothing if DIR already has them.
set -euo pipefail
dir=${1:?usage: $0 DIR}
version=0.2.0
[ -e "$dir/.cctv-age-$version" ] && exit 0

mkdir -p "$dir"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$work" && npm pack --silent "cctv-age@$version" >/dev/null && tar xzf ./*.tgz)
node --input-type=module - "$work/package/index.js" "$dir" <<'EOF'
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
const [, , index, dir] = process.argv;
for (const [name, bytes] of Object.entries(await import(pathToFileURL(index)))) {
    writeFileSync(join(dir, name), bytes);
}
EOF
touch "$dir/.cctv-age-$version"
