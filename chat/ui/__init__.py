"""The page: Gradio wiring, and pure functions from updates to escaped text."""
