// Writes src/gen from the contract: messages and services of protos/, and the calls that may be repeated.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL("..", import.meta.url));
const protos = process.env.ABSFIN_PROTOS ?? fileURLToPath(new URL("../../protos", new URL("..", import.meta.url)));
const template = {
  version: "v2",
  plugins: [{ local: "protoc-gen-es", out: `${here}src/gen`, opt: ["target=ts", "import_extension=js"] }],
};

rmSync(`${here}src/gen`, { recursive: true, force: true });
execFileSync("buf", ["generate", protos, "--template", JSON.stringify(template)], { cwd: here, stdio: "inherit" });

const config = JSON.parse(readFileSync(`${protos}/service_config.json`, "utf8"));
mkdirSync(`${here}src/gen`, { recursive: true });
writeFileSync(
  `${here}src/gen/service_config.ts`,
  `// Generated from protos/service_config.json.\nexport const SERVICE_CONFIG = ${JSON.stringify(config, null, 2)};\n`,
);
