"""The rows of the catalogue, one file per family, each family closed under transposition."""
