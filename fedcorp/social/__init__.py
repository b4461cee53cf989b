"""What people may do with each other. It knows no HTTP and no JSON-LD."""
