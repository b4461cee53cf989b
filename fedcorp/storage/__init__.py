"""Where everything is kept: tables, the two doors to the database, migrations and media files. It decides nothing."""
