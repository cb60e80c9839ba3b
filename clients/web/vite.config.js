import { defineConfig } from "vite";

// Calls go to the address that the page came from; while it is developed, to a server of this machine.
const server = process.env.ABSFIN_WEB_URL ?? "http://127.0.0.1:8080";

export default defineConfig({
  base: "./",
  build: { target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false }, chunkSizeWarningLimit: 1024 },
  server: { proxy: { "^/absfinance\\.v1\\.": { target: server, headers: { origin: server } } } },
});
