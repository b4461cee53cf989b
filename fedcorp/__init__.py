"""fedcorp: a federated social network for inside a company. Every department runs its own server.

ARCHITECTURE.md shows the rooms of this package and which of them may import which.
"""

__version__ = "0.1.0"
