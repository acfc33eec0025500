"""Tree-sitter queries, one for each grammar, that find definitions and imports.

``@function``, ``@class``, ``@constant`` and ``@section`` capture a whole definition and give its kind; ``@name``
captures its name. ``@module`` captures the module of an import, and ``@imported`` a name that is imported from it.
Only constants at the outermost level are captured.
"""

from __future__ import annotations

_JAVASCRIPT = """
(function_declaration name: (_) @name) @function
(generator_function_declaration name: (_) @name) @function
(class_declaration name: (_) @name) @class
(method_definition name: (_) @name) @function
(variable_declarator name: (identifier) @name value: [(arrow_function) (function_expression)]) @function
(program (lexical_declaration (variable_declarator name: (identifier) @name) @constant))
(program (export_statement (lexical_declaration (variable_declarator name: (identifier) @name) @constant)))
(import_statement source: (string (string_fragment) @module))
(import_statement (import_clause (identifier) @imported) source: (string (string_fragment) @module))
(import_statement
  (import_clause (named_imports (import_specifier name: (_) @imported))) source: (string (string_fragment) @module))
(export_statement source: (string (string_fragment) @module))
(variable_declarator name: (identifier) @imported
  value: (call_expression function: (identifier) @_require arguments: (arguments (string (string_fragment) @module)))
  (#eq? @_require "require"))
(variable_declarator name: (object_pattern (shorthand_property_identifier_pattern) @imported)
  value: (call_expression function: (identifier) @_require arguments: (arguments (string (string_fragment) @module)))
  (#eq? @_require "require"))
"""
_TYPESCRIPT = (
    _JAVASCRIPT
    + """
(abstract_class_declaration name: (_) @name) @class
(interface_declaration name: (_) @name) @class
(enum_declaration name: (_) @name) @class
(type_alias_declaration name: (_) @name) @class
(function_signature name: (_) @name) @function
(method_signature name: (_) @name) @function
(abstract_method_signature name: (_) @name) @function
(module name: (_) @name) @class
(internal_module name: (_) @name) @class
"""
)
_C = """
(function_definition declarator: (function_declarator declarator: (_) @name)) @function
(function_definition declarator: (_ declarator: (function_declarator declarator: (_) @name))) @function
(function_definition declarator: (_ declarator: (_ declarator: (function_declarator declarator: (_) @name)))) @function
(declaration declarator: (function_declarator declarator: (identifier) @name)) @function
(declaration declarator: (pointer_declarator declarator: (function_declarator declarator: (identifier) @name)))
  @function
(struct_specifier name: (_) @name body: (_)) @class
(union_specifier name: (_) @name body: (_)) @class
(enum_specifier name: (_) @name body: (_)) @class
(type_definition declarator: (type_identifier) @name) @class
(preproc_function_def name: (_) @name) @function
(preproc_def name: (_) @name value: (_)) @constant
(preproc_include path: (_) @module)
"""
QUERIES = {
    "python": """
(function_definition name: (_) @name) @function
(class_definition name: (_) @name) @class
(module (expression_statement (assignment left: (identifier) @name)) @constant)
(module (assignment left: (identifier) @name) @constant)
(import_statement name: (dotted_name) @module)
(import_statement name: (aliased_import name: (dotted_name) @module))
(import_from_statement module_name: (_) @module)
(import_from_statement module_name: (_) @module name: (dotted_name) @imported)
(import_from_statement module_name: (_) @module name: (aliased_import name: (dotted_name) @imported))
""",
    "javascript": _JAVASCRIPT,
    "typescript": _TYPESCRIPT,
    "tsx": _TYPESCRIPT,
    "java": """
(class_declaration name: (_) @name) @class
(interface_declaration name: (_) @name) @class
(enum_declaration name: (_) @name) @class
(record_declaration name: (_) @name) @class
(annotation_type_declaration name: (_) @name) @class
(method_declaration name: (_) @name) @function
(constructor_declaration name: (_) @name) @function
(import_declaration (_) @module)
""",
    "c": _C,
    "cpp": _C
    + """
(class_specifier name: (_) @name body: (_)) @class
(field_declaration declarator: (function_declarator declarator: (_) @name)) @function
(alias_declaration name: (_) @name) @class
(namespace_definition name: (_) @name) @class
""",
    "csharp": """
(class_declaration name: (_) @name) @class
(interface_declaration name: (_) @name) @class
(struct_declaration name: (_) @name) @class
(record_declaration name: (_) @name) @class
(enum_declaration name: (_) @name) @class
(method_declaration name: (_) @name) @function
(constructor_declaration name: (_) @name) @function
(property_declaration name: (_) @name) @constant
(using_directive (_) @module)
""",
    "go": """
(function_declaration name: (_) @name) @function
(method_declaration name: (_) @name) @function
(type_spec name: (_) @name) @class
(method_elem name: (_) @name) @function
(source_file (const_declaration (const_spec name: (_) @name) @constant))
(source_file (var_declaration (var_spec name: (_) @name) @constant))
(import_spec path: (_) @module)
""",
    "rust": """
(function_item name: (_) @name) @function
(function_signature_item name: (_) @name) @function
(struct_item name: (_) @name) @class
(enum_item name: (_) @name) @class
(union_item name: (_) @name) @class
(trait_item name: (_) @name) @class
(impl_item type: (_) @name) @class
(type_item name: (_) @name) @class
(macro_definition name: (_) @name) @function
(const_item name: (_) @name) @constant
(static_item name: (_) @name) @constant
(use_declaration argument: (_) @module)
""",
    "ruby": """
(method name: (_) @name) @function
(singleton_method name: (_) @name) @function
(class name: (_) @name) @class
(module name: (_) @name) @class
(assignment left: (constant) @name) @constant
(call method: (identifier) @_require arguments: (argument_list (string (string_content) @module))
  (#match? @_require "^require"))
""",
    "php": """
(function_definition name: (_) @name) @function
(method_declaration name: (_) @name) @function
(class_declaration name: (_) @name) @class
(interface_declaration name: (_) @name) @class
(trait_declaration name: (_) @name) @class
(enum_declaration name: (_) @name) @class
(const_declaration (const_element (name) @name)) @constant
(namespace_use_clause (_) @module)
""",
    "bash": """
(function_definition name: (_) @name) @function
(program (variable_assignment name: (_) @name) @constant)
(program (declaration_command (variable_assignment name: (_) @name)) @constant)
(command name: (command_name) @_source argument: (_) @module (#match? @_source "^(source|[.])$"))
""",
    "sql": """
(create_table (object_reference name: (_) @name)) @class
(create_view (object_reference name: (_) @name)) @class
(create_function (object_reference name: (_) @name)) @function
""",
    "r": """
(binary_operator lhs: (identifier) @name rhs: (function_definition)) @function
(program (binary_operator lhs: (identifier) @name) @constant)
(call function: (identifier) @_source arguments: (arguments (argument value: (string (string_content) @module)))
  (#eq? @_source "source"))
""",
    "lua": """
(function_declaration name: (_) @name) @function
(assignment_statement (variable_list name: (_) @name) (expression_list value: (function_definition))) @function
(function_call name: (identifier) @_require arguments: (arguments (string content: (_) @module))
  (#eq? @_require "require"))
""",
    "swift": """
(function_declaration name: (simple_identifier) @name) @function
(protocol_function_declaration name: (simple_identifier) @name) @function
(class_declaration name: (_) @name) @class
(protocol_declaration name: (_) @name) @class
(typealias_declaration name: (_) @name) @class
(import_declaration (_) @module)
""",
    "kotlin": """
(function_declaration (simple_identifier) @name) @function
(class_declaration (type_identifier) @name) @class
(object_declaration (type_identifier) @name) @class
(source_file (property_declaration (variable_declaration (simple_identifier) @name)) @constant)
(import_header (identifier) @module)
""",
    "html": """
(element (start_tag (attribute (attribute_name) @_id (quoted_attribute_value (attribute_value) @name)))
  (#eq? @_id "id")) @section
""",
    "css": """
(rule_set (selectors) @name) @section
(keyframes_statement (keyframes_name) @name) @section
(import_statement (string_value (string_content) @module))
""",
    "markdown": """
(section (atx_heading heading_content: (_) @name)) @section
(section (setext_heading heading_content: (_) @name)) @section
""",
}
