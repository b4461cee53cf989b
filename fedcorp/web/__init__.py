"""The edge. The only room that knows Starlette; it makes no query of its own."""
