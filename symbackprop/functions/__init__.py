"""The elementary functions of the language: one record each, from which every table is computed."""
