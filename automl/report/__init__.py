"""The self-contained page about a run: `build` computes it, `render` writes it as HTML, both pure."""
