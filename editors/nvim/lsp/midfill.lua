---What `vim.lsp.enable("midfill")` starts; change it with `vim.lsp.config("midfill", {...})`.
---@type vim.lsp.Config
return {
  cmd = { "midfill", "serve" },
  root_markers = { ".git", ".hg", ".jj" },
  -- stylua: ignore
  filetypes = {
    "bash", "c", "clojure", "cpp", "cs", "css", "cuda", "dart", "elixir", "elm", "erlang", "fortran", "go", "haskell",
    "html", "java", "javascript", "javascriptreact", "julia", "kotlin", "lisp", "lua", "make", "nim", "nix", "objc",
    "ocaml", "perl", "php", "ps1", "python", "r", "ruby", "rust", "scala", "scheme", "scss", "sh", "sql", "svelte",
    "swift", "tcl", "typescript", "typescriptreact", "verilog", "vim", "vue", "zig",
  },
}
