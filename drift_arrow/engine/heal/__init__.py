"""Moving rows to where searches find them at less cost: actions, what each is worth, and how it is committed."""
