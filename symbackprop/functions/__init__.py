"""The elementary functions of the language: what each is, computes, and is called."""
