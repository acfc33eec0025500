"""Source code as text and syntax, whatever it is for: languages, grammars, brackets, identifiers."""
