"""The networks: front end, shared blocks, and the local diarizers made of them."""
