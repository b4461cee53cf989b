"""The wire between servers. The only room that knows ActivityStreams."""
