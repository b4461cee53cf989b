"""HTML pages for people, stewards and administrators. They never import ActivityPub."""
