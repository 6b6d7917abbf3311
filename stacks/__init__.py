"""The CDK app: one file per stack, constructs they are made of, environments as data."""
