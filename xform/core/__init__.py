"""The intermediate representation and what every layer above it is built from."""
