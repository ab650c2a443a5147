// Builds src/ into ../static/dist: hashed names, shared chunks, manifest.json.
// `node build.mjs --check` builds in memory and fails when the committed files differ,
// when yjs is bundled twice, or when a size budget is broken.

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const dist = resolve(here, "../static/dist");
const BUDGET_BYTES = { main: 15_000, editor: 160_000 };

const result = await esbuild.build({
  absWorkingDir: here,
  entryPoints: { main: "src/main.ts", editor: "src/editor.ts" },
  outdir: dist,
  bundle: true,
  format: "esm",
  splitting: true,
  minify: true,
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  entryNames: "[name]-[hash]",
  chunkNames: "chunk-[hash]",
  assetNames: "[name]-[hash]",
  loader: { ".css": "file" }, // a file of its own, loaded with the editor
  metafile: true,
  write: false,
});

const built = new Map(result.outputFiles.map((file) => [basename(file.path), file.contents]));
built.set("manifest.json", Buffer.from(JSON.stringify(manifest(), null, 2) + "\n"));
checkYjs();
checkBudgets();
if (process.argv.includes("--check")) checkFresh();
else write();

function outputs() {
  return Object.entries(result.metafile.outputs);
}

function outputOf(entry) {
  const [path] = outputs().find(([, output]) => output.entryPoint === entry);
  return basename(path);
}

function manifest() {
  return {
    main: outputOf("src/main.ts"),
    editor: outputOf("src/editor.ts"),
    css: [...built.keys()].find((name) => /^editor-.*\.css$/.test(name)),
  };
}

/** What the browser fetches for one entry, static imports included. */
function reach(name, seen = new Set()) {
  if (seen.has(name)) return seen;
  seen.add(name);
  const [, output] = outputs().find(([path]) => basename(path) === name);
  for (const used of output.imports) {
    if (used.kind === "import-statement") reach(basename(used.path), seen);
  }
  return seen;
}

function checkBudgets() {
  for (const [name, budget] of Object.entries(BUDGET_BYTES)) {
    const files = [...reach(manifest()[name])];
    const size = files.reduce((sum, file) => sum + gzipSync(built.get(file)).length, 0);
    console.log(`${name}: ${size} bytes gzipped (budget ${budget})`);
    if (size > budget) fail(`${name} is ${size} bytes gzipped; its budget is ${budget}.`);
  }
}

function checkYjs() {
  const copies = Object.keys(result.metafile.inputs).filter((path) => /\/yjs\/dist\//.test(path));
  if (copies.length > 1) fail(`yjs is bundled ${copies.length} times: ${copies.join(", ")}.`);
}

function checkFresh() {
  const committed = readdirSync(dist).sort();
  const wanted = [...built.keys()].sort();
  if (committed.join() !== wanted.join()) {
    fail(`The files in web/static/dist are ${committed.join(", ")}; the sources give ${wanted.join(", ")}.`);
  }
  for (const [name, contents] of built) {
    if (!readFileSync(join(dist, name)).equals(Buffer.from(contents))) fail(`${name} is stale.`);
  }
}

function write() {
  mkdirSync(dist, { recursive: true });
  for (const name of readdirSync(dist)) {
    if (!built.has(name)) rmSync(join(dist, name));
  }
  for (const [name, contents] of built) writeFileSync(join(dist, name), contents);
}

function fail(sentence) {
  console.error(`${sentence} Run scripts/build-client and commit web/static/dist.`);
  process.exit(1);
}
