"""Search spaces: `<task>/<candidate>.toml`."""
