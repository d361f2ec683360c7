"""What `drift-cli drift` prints and draws."""
