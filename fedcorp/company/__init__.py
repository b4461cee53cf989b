"""Who belongs to the company and what may cross its boundary. It knows no HTTP and no JSON-LD."""
