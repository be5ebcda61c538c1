"""Google's API for Gemini, whose messages frameworks of Google's speak too."""
