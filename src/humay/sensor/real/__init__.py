"""Real images as their vendors deliver them: pixels with rational coefficients."""
