"""Keeps out of prompts what must stay private: secrets, and the files that ignore rules exclude."""
