"""The array language: values with layouts, programs, their checks and passes, the interpreter."""
