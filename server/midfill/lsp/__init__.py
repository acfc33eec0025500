"""The language server protocol: LSP types in and out."""
