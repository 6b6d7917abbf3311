"""`edgemind check` without a subcommand: looks at everything that a fleet stands on."""
