"""The JSON shapes of the client API. They are made of plain values and read nothing themselves."""
