"""Source code as text and as syntax: languages, grammars, definitions, brackets, identifiers, source files."""
