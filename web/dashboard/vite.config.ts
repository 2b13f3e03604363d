import { defineConfig } from "vitest/config";

export default defineConfig({
  // MapLibre with its worker is one chunk of a megabyte, loaded after the picture; no warning for that.
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2022",
    chunkSizeWarningLimit: 1600,
    rolldownOptions: {
      input: [
        ...["index", "pilot", "camera", "flights", "review", "effect"],
        ...["login", "welcome", "enter", "admin", "privacy"],
      ].map((name) => `${name}.html`),
    },
  },
  server: {
    proxy: { "/api": { target: "http://127.0.0.1:8080", ws: true }, "/live": "http://127.0.0.1:8080" },
  },
  test: { include: ["test/**/*.test.ts"], environment: "node" },
});
