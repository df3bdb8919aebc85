"""Published corpora in the folders they come in: conversations with references, and single
readers."""
