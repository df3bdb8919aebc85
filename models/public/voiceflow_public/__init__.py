"""Public speaker models: their architectures, their files, and a pair with published weights."""
