"""Public models that label training material; nothing of them ships."""
