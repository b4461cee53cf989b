"""The client API, one module for each chapter of Mastodon's. It never imports ActivityPub, except to search."""
