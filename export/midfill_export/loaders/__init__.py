"""Reading models: checkpoints, GGUF files, their tokenizers and prompt formats."""
