"""Speech in, labelled conversations and training windows out."""
