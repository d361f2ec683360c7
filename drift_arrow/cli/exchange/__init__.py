"""Collections as Parquet and Arrow files, and back."""
