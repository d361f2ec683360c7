"""What is in a segment: facts about its blocks, and tables and bars that show them."""
