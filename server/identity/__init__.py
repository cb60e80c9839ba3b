"""Who calls: tokens, keys and certificates become principals, and one table says what each role may call."""
